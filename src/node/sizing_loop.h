#pragma once

// SizingLoop: lets a kv::ShardSizer look at the shards that this node leads, every few seconds.
//
//   SizingLoop loop(cluster, timer, executor, log);
//   loop.start();
//   loop.stop();
//   while (loop.running()) { ...let the executor run... }
//
// stop() and running() from any thread; what it is made of outlives it, and runs until it has ended.

#include <atomic>
#include <functional>

#include "kv/cluster/shard_sizer.h"
#include "node/store_cluster_control.h"

namespace pando::node {

class SizingLoop {
 public:
  using Log = std::function<void(const std::string& line)>;
  SizingLoop(kv::ClusterNode& cluster, runtime::Timer& timer, runtime::Executor& executor, Log log);

  void start();
  void stop() { stopping_.store(true); }
  bool running() const { return running_.load(); }

 private:
  Task<void> run();

  runtime::Timer& timer_;
  runtime::Executor& executor_;
  const Log log_;
  StoreClusterControl control_;
  kv::ShardSizer sizer_;
  std::atomic<bool> stopping_{false};
  std::atomic<bool> running_{false};
};

}  // namespace pando::node
