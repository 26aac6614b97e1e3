#pragma once

// Channels: what sessions say to the sessions of other nodes (LISTEN and NOTIFY).
//
//   channels.on_messages([&](std::vector<ChannelMessage> messages) { ... });     // before the transport starts
//   channels.say({{.process_id = 7, .channel = "news", .payload = "text"}});     // after the commit; does not wait
//
// Every other node hears what one node says in that order, once. A node that is not connected hears it when it is
// again, unless that takes longer than kChannelPatience or more than kChannelBytesMax waits for it: then it misses what
// is oldest, as it does when the node that said it is lost. Thread-safe. Lifetime: inside a ClusterStore.

#include <deque>
#include <functional>
#include <map>
#include <memory>

#include "base/mutex.h"
#include "kv/cluster/node_requests.h"
#include "runtime/task.h"

namespace pando::kv {

inline constexpr std::chrono::seconds kChannelPatience{30};
inline constexpr std::size_t kChannelBytesMax = 16_MiB;

class ClusterStore;

class Channels {
 public:
  // Called on the transport's thread; must not block.
  using Hook = std::function<void(std::vector<ChannelMessage> messages)>;

  explicit Channels(ClusterStore& store);

  void on_messages(Hook hook) { hook_ = std::move(hook); }
  void say(std::vector<ChannelMessage> messages) PANDO_EXCLUDES(mutex_);
  // Of one node in the order in which they come.
  void hear(NodeId from, NotifyRequest request) PANDO_EXCLUDES(mutex_);

 private:
  struct Part {
    std::shared_ptr<const NotifyRequest> request;
    std::size_t bytes = 0;
    uint64_t said_ns = 0;
  };
  struct Outbox {
    std::deque<Part> parts;
    std::size_t bytes = 0;
    bool is_sending = false;
  };
  struct Heard {
    uint64_t process = 0;
    uint64_t number = 0;
  };

  void put(std::vector<ChannelMessage> messages, std::size_t bytes) PANDO_REQUIRES(mutex_);
  static void drop_first(Outbox& outbox);
  // What is to be sent to a node next; null: nothing, and nobody is sending any more.
  std::shared_ptr<const NotifyRequest> next(NodeId node) PANDO_EXCLUDES(mutex_);
  void sent(NodeId node, uint64_t number) PANDO_EXCLUDES(mutex_);
  Task<void> send_all(NodeId node);

  ClusterStore& store_;
  // Tells this process from an earlier one on the same node.
  const uint64_t process_;
  Hook hook_;
  Mutex mutex_;
  uint64_t last_number_ PANDO_GUARDED_BY(mutex_) = 0;
  std::map<NodeId, Outbox> outboxes_ PANDO_GUARDED_BY(mutex_);
  std::map<NodeId, Heard> heard_ PANDO_GUARDED_BY(mutex_);
};

}  // namespace pando::kv
