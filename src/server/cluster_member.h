#pragma once

// ClusterMember: what a server needs to be one of a cluster's nodes: the network to the others, and membership.
//
//   PANDO_ASSIGN(auto member, ClusterMember::open(options, report));
//   member->establish();                         // in the background: waits for a cluster or for `pando init`
//   while (!member->established()) ...           // interrupt() ends it
//   auto node = Node::open({.cluster = member->node_membership(), ...});
//   member->share_advisory_locks(*node);         // before clients come
//   member->attach(*node);                       // in the background: makes this node known, lets others join
//   ...
//   member->stop();                              // before the node closes
//
// Thread-safety: the main thread.

#include <atomic>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cluster/membership.h"
#include "node/node.h"
#include "node/placer.h"
#include "node/sizing_loop.h"
#include "node/store_advisory_authority.h"
#include "node/store_node_directory.h"
#include "runtime/os/dedicated_executor.h"
#include "runtime/os/directory_lock.h"
#include "runtime/os/grpc_transport.h"
#include "runtime/os/posix_disk.h"
#include "runtime/os/system_clock.h"
#include "runtime/os/system_timer.h"
#include "runtime/slewed_clock.h"

namespace pando::server {

using Report = std::function<void(const std::string& line)>;

// The port for other nodes, where none is given: that for clients and this.
inline constexpr uint16_t kPeerPortOffset = 1000;

struct ClusterOptions {
  std::string directory;
  // Where clients connect to.
  std::string sql_host;
  uint16_t sql_port = 0;
  // "HOST:PORT" for other nodes; empty: the host for clients, and its port and kPeerPortOffset.
  std::string listen_peer;
  // What others are told; empty: listen_peer.
  std::string advertise;
  std::vector<std::string> join;
  std::string certificates_directory;
  bool insecure = false;
  std::string locality;
};

class ClusterMember {
 public:
  // Listens for other nodes. Errors: 22023, F0000, 08006 as of GrpcTransport; F0001 the directory is in use.
  static Result<std::unique_ptr<ClusterMember>> open(const ClusterOptions& options, const Report& report);
  ~ClusterMember();

  void establish();
  // Nothing while it waits.
  std::optional<Result<cluster::Established>> established();
  void interrupt() { membership_->interrupt(); }

  // REQUIRES: established() is OK.
  node::ClusterMembership node_membership();
  // Both: REQUIRES: `node` is a member of the cluster, and closes after stop().
  void share_advisory_locks(node::Node& node);
  void attach(node::Node& node);
  // Why this node may not stay; nothing while it may.
  std::optional<Status> refused();
  // Hands over what this node leads, so that nobody waits for it when it is gone.
  void leave();
  void stop();

  cluster::Membership& membership() { return *membership_; }
  runtime::GrpcTransport& transport() { return *transport_; }
  cluster::NodeState own_state() const { return own_state_.load(std::memory_order_relaxed); }

 private:
  explicit ClusterMember(Report report) : report_(std::move(report)) {}
  Task<void> run_establish();
  Task<void> run_attach();
  // Marks nodes that leave the cluster, once they have no replicas any more.
  Task<void> run_farewells(kv::ClusterStore* store);
  Task<bool> has_no_replicas(kv::ClusterStore* store, NodeId node);
  Task<void> run_stop(std::promise<void>* stopped);

  const Report report_;
  runtime::PosixDisk disk_;
  runtime::SystemClock system_clock_;
  runtime::SlewedClock clock_{system_clock_};
  runtime::SystemTimer timer_;
  runtime::DedicatedExecutor executor_{"membership"};
  // Until the node opens, which takes it itself.
  std::optional<runtime::DirectoryLock> lock_;
  std::unique_ptr<runtime::GrpcTransport> transport_;
  std::unique_ptr<cluster::Membership> membership_;
  std::unique_ptr<node::StoreNodeDirectory> table_;
  std::unique_ptr<node::Placer> placer_;
  std::unique_ptr<node::SizingLoop> sizing_;
  std::unique_ptr<node::StoreAdvisoryAuthority> advisory_authority_;
  session::AdvisoryLocks* advisory_locks_ = nullptr;
  std::atomic<cluster::NodeState> own_state_{cluster::NodeState::kActive};
  bool stopped_ = false;
  std::atomic<int> running_{0};
  std::atomic<bool> stopping_{false};

  Mutex mutex_;
  std::optional<Result<cluster::Established>> established_ PANDO_GUARDED_BY(mutex_);
  std::optional<Status> refused_ PANDO_GUARDED_BY(mutex_);
};

}  // namespace pando::server
