#pragma once

// Membership: how a node comes into a cluster, knows the others, and leaves.
//
//   Membership membership(options, services);
//   administration.serve(membership.handler());           // before the network listens
//   ...the network listens...
//   PANDO_CO_ASSIGN(const Established self, co_await membership.establish());
//   ...the replicated store opens as node self.node of cluster self.cluster, and starts the network...
//   PANDO_CO_TRY(co_await membership.attach(directory));   // registers this node; from here on others can join
//   co_await membership.stop();                            // before the directory or the network ends
//
// A directory that belongs to a cluster goes on as the same node. A fresh one asks the nodes it was told of, again and
// again, until one of them lets it in, or until `pando init` makes it the first node of a new cluster.
// Thread-safety: establish(), attach() and stop() on the executor, one at a time; the rest on any thread.

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "cluster/administration.h"
#include "cluster/clock_comparison.h"
#include "cluster/identity_file.h"
#include "cluster/node_directory.h"
#include "runtime/clock.h"
#include "runtime/disk.h"
#include "runtime/event.h"

namespace pando::cluster {

struct MembershipOptions {
  // The data directory; it exists.
  Bytes directory;
  // "HOST:PORT" of nodes to ask.
  std::vector<std::string> join;
  std::string peer_address;
  std::string sql_address;
  Locality locality;
  std::string version;
  std::chrono::milliseconds retry_interval{500};
  std::chrono::milliseconds call_timeout{5000};
  // How often the list of nodes is read anew.
  std::chrono::milliseconds refresh_interval{1000};
  // How far the nodes' clocks may differ, and how often they are compared.
  std::chrono::milliseconds clock_offset_max{100};
  std::chrono::milliseconds clock_interval{500};
};

struct MembershipServices {
  runtime::PeerNetwork& network;
  runtime::Administration& administration;
  runtime::Disk& disk;
  // What the node's timestamps are made from.
  runtime::Clock& clock;
  runtime::Timer& timer;
  runtime::Executor& executor;
  std::function<std::array<uint8_t, ClusterId::kBytes>()> random;
  std::function<void(const std::string& line)> log;
  // This node's own state, whenever it becomes another: on the executor.
  std::function<void(NodeState)> on_state = [](NodeState) {};
  // Once, when this node must end because its clock is wrong: on the executor.
  std::function<void(Status)> on_wrong_clock = [](const Status&) {};
};

struct Established {
  ClusterId cluster;
  NodeId node;
  uint64_t incarnation = 0;
  // Whether this node made the cluster, and the cluster's store is to be made too, unless it is there.
  bool founding = false;
  // Whether this start made the node: its directory is empty.
  bool fresh = false;
  // Where others were last seen.
  std::map<NodeId, std::string> peers;
};

class Membership {
 public:
  Membership(MembershipOptions options, MembershipServices services);
  ~Membership();
  Membership(const Membership&) = delete;
  Membership& operator=(const Membership&) = delete;

  runtime::Administration::Handler handler();
  // Whether to let a peer in: for PeerNetwork::set_admission.
  Status admit(NodeId node) PANDO_EXCLUDES(mutex_);

  // Errors: 57P01 after interrupt(), XX001 and 0A000 for the identity file, 58030 for the disk, 55000 when this node's
  // clock differs too much from the others'.
  Task<Result<Established>> establish();
  // Error 55000: this node was decommissioned. `directory` must live until stop() has ended.
  Task<Status> attach(NodeDirectory& directory);
  // Ends a waiting establish(). Any thread.
  void interrupt() PANDO_EXCLUDES(mutex_);
  Task<void> stop();

  // As last read; before attach() empty.
  std::vector<NodeStatus> nodes() const PANDO_EXCLUDES(mutex_);
  // The other nodes that this one knows of, also before attach().
  std::vector<NodeId> peers() const PANDO_EXCLUDES(mutex_);

  // Changes the state of a node in the list of all. Errors: 42704, 55000 when it was decommissioned.
  Task<Result<Bytes>> set_state(NodeCommand command);

 private:
  enum Wake : int { kRetry, kInterrupted };
  using Reply = runtime::Administration::Reply;
  struct Countdown;

  Task<void> serve(std::string method, Bytes request, Reply reply);
  Task<Result<Bytes>> answer(std::string method, Bytes request);
  Introduction introduce() PANDO_EXCLUDES(mutex_);
  Task<Result<Bytes>> initialize();
  Task<Result<Bytes>> admit_new_node();

  Task<Result<Established>> become_member();
  Task<Status> adopt(StoredIdentity identity, bool fresh);
  // Nothing when none of them belongs to a cluster.
  Task<Result<std::optional<StoredIdentity>>> ask_to_join();
  Task<void> find_peers();
  // Spawned by this object: stop() waits for its end.
  Task<void> run(Task<void> task);
  Task<int> wait(std::chrono::nanoseconds delay) PANDO_EXCLUDES(mutex_);
  Task<void> refresh_again_and_again();
  Task<void> compare_clocks();
  Task<void> compare_clock(NodeId peer, std::string address, std::shared_ptr<Countdown> left);
  Task<void> compare_again_and_again();
  Task<Status> refresh() PANDO_EXCLUDES(mutex_);
  Task<Status> register_self();
  bool stopping() const PANDO_EXCLUDES(mutex_);

  const MembershipOptions options_;
  MembershipServices services_;
  NodeDirectory* directory_ = nullptr;
  // The executor's own.
  std::size_t running_ = 0;
  std::optional<NodeState> own_state_;
  bool initializing_ = false;
  ClockComparison clocks_;

  mutable Mutex mutex_;
  std::optional<Established> self_ PANDO_GUARDED_BY(mutex_);
  bool stopping_ PANDO_GUARDED_BY(mutex_) = false;
  // What a waiting coroutine of this object waits for; each is shared with a timer.
  std::vector<std::shared_ptr<runtime::Event>> waits_ PANDO_GUARDED_BY(mutex_);
  std::vector<NodeRecord> records_ PANDO_GUARDED_BY(mutex_);
};

}  // namespace pando::cluster
