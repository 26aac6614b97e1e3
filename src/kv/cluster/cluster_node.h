#pragma once

// ClusterNode: the replicated store of one node, assembled: replicas, leaseholder, requests, gateway. It knows only
// interfaces, so that production and the simulator make the same one.
//
//   ClusterNode node(options, {self, engine, disk, ...}, nodes);
//   PANDO_CO_TRY(co_await node.start(executor));       // replays; then start the transport
//   node.host().bootstrap(...)                         // once in the life of a cluster, on its first node
//   node.store().begin(...)
//   co_await node.stop(executor);                      // stop the transport first
//
// Lifetime: the environment outlives it. Thread-safe after start, except stop.

#include "kv/cluster/cluster_store.h"
#include "kv/cluster/leaseholder.h"
#include "kv/cluster/peers.h"
#include "kv/record_cache.h"
#include "kv/replica/replica_host.h"

namespace pando::kv {

struct ClusterNodeOptions {
  ReplicaOptions replicas;
  ClusterStoreOptions store;
  std::size_t record_cache_bytes = 128_MiB;
  // Versions that are older, and hidden by newer ones, may be collected: nothing reads further back.
  std::chrono::nanoseconds history = std::chrono::minutes(10);
  // A gateway that cannot be reached for so long has lost its locks.
  std::chrono::nanoseconds gateway_lost_after = std::chrono::seconds(3);
};

struct ClusterNodeEnvironment {
  NodeId self;
  storage::Engine& engine;
  runtime::Disk& disk;
  runtime::Clock& clock;
  runtime::Timer& timer;
  runtime::Transport& transport;
  // Runs the replicas' turns; writes the journal; reads and writes snapshots.
  runtime::Executor& actor;
  runtime::Executor& journal_writer;
  runtime::Executor& bulk;
  // Answer the requests of other nodes.
  std::vector<runtime::Executor*> servers;
  // For what nobody waits for.
  runtime::Executor& background;
};

class ClusterNode {
 public:
  ClusterNode(ClusterNodeOptions options, ClusterNodeEnvironment environment, ClusterRouter::Nodes nodes);
  // REQUIRES: stop() has returned, or start() has failed.
  ~ClusterNode();

  Task<Status> start(runtime::Executor& executor);
  Task<Status> stop(runtime::Executor& executor);

  ClusterStore& store() { return store_; }
  ReplicaHost& host() { return host_; }
  Leaseholder& leaseholder() { return leaseholder_; }
  RecordCacheStatistics cache_statistics() { return cache_.statistics(); }

 private:
  void watch_gateways();
  void release_suspects() PANDO_EXCLUDES(mutex_);
  void schedule_garbage_round() PANDO_EXCLUDES(mutex_);

  const ClusterNodeOptions options_;
  const ClusterNodeEnvironment environment_;
  TimestampOracle oracle_;
  RecordCache cache_;
  Leaseholder leaseholder_;
  ReplicaHost host_;
  Peers peers_;
  ClusterStore store_;
  Mutex mutex_;
  bool stopping_ PANDO_GUARDED_BY(mutex_) = false;
  runtime::TimerId garbage_timer_ PANDO_GUARDED_BY(mutex_) = 0;
  std::map<NodeId, uint64_t> lost_since_ns_ PANDO_GUARDED_BY(mutex_);
  // What gateways excluded others from when their connection broke: the message that ends it may have been lost.
  struct Suspects {
    uint64_t since_ns = 0;
    std::vector<TransactionId> transactions;
  };
  std::vector<Suspects> suspects_ PANDO_GUARDED_BY(mutex_);
};

}  // namespace pando::kv
