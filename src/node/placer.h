#pragma once

// Placer: keeps the shards that this node leads where cluster/placement.h says that they belong.
//
//   Placer placer(host, timer, clock, nodes);
//   placer.stop();                  // before the host stops
//
// Looks at every shard a few times a second and takes at most one step for each at a time. Thread-safe.

#include <functional>
#include <map>
#include <memory>
#include <set>

#include "base/mutex.h"
#include "cluster/administration.h"
#include "cluster/placement.h"
#include "kv/replica/replica_host.h"
#include "runtime/clock.h"

namespace pando::node {

class Placer {
 public:
  // What it asks of the rest of the node, and tells it.
  struct Callbacks {
    std::function<std::vector<cluster::NodeStatus>()> nodes;
    // Requests per second to a shard, as far as known.
    std::function<uint64_t(ShardId shard)> rate;
    // Whether a move of the shard's lease would hurt: balance can wait.
    std::function<bool(ShardId shard)> is_held;
    std::function<void(const std::string& line)> log;
  };
  // All of it outlives stop().
  Placer(cluster::PlacementOptions options, kv::ReplicaHost& host, NodeId self, runtime::Timer& timer,
         runtime::Clock& clock, Callbacks callbacks);
  ~Placer();
  Placer(const Placer&) = delete;
  Placer& operator=(const Placer&) = delete;

  void start();
  // Hands over what this node leads, as if it were draining; returns when it leads nothing, or after `timeout`.
  void leave(std::chrono::milliseconds timeout);
  // What was begun may still end afterwards; it has no effect here.
  void stop();

 private:
  struct State;
  static void look_later(const std::shared_ptr<State>& state);
  static void look(const std::shared_ptr<State>& state, const std::vector<kv::ShardStatus>& shards);
  static void take(const std::shared_ptr<State>& state, const kv::ShardStatus& shard,
                   const cluster::PlacementStep& step);
  static void balance(const std::shared_ptr<State>& state, const std::vector<cluster::PlacementNode>& nodes,
                      const std::vector<kv::ShardStatus>& shards);
  static void done(const std::shared_ptr<State>& state, ShardId shard, const Status& status);

  std::shared_ptr<State> state_;
};

}  // namespace pando::node
