#pragma once

// Router: which shard a key lies in, and who leads it. What this node's own replicas know is always used first; about
// other shards it asks the other nodes and remembers their answers until they prove wrong.
//
// Thread-safe.

#include <functional>
#include <map>
#include <vector>

#include "base/mutex.h"
#include "kv/cluster/leaseholder.h"
#include "kv/cluster/node_requests.h"
#include "kv/cluster/peers.h"
#include "kv/cluster/requests.h"

namespace pando::kv {

class ClusterRouter {
 public:
  // The other nodes that may be asked.
  using Nodes = std::function<std::vector<NodeId>()>;

  ClusterRouter(Leaseholder& local, Peers& peers, Nodes nodes)
      : local_(local), peers_(peers), nodes_(std::move(nodes)) {}

  // The shard of `key`; with `before`, the one that holds what comes just before `key` (an empty key is the end of
  // everything). Unknown when nobody can tell at the moment.
  Task<RouteReply> find(Bytes key, bool before, runtime::Executor& executor);
  // The same as far as this node knows, without asking others.
  RouteReply known(ByteView key, bool before) PANDO_EXCLUDES(mutex_);
  // `node` leads the shard, as another node says; 0: whoever was thought to lead it does not.
  void learn_leaseholder(ShardId shard, NodeId node) PANDO_EXCLUDES(mutex_);
  // What is remembered of the shard is wrong.
  void forget(ShardId shard) PANDO_EXCLUDES(mutex_);

 private:
  RouteReply remembered(ByteView key, bool before) PANDO_EXCLUDES(mutex_);
  void remember(const RouteReply& route) PANDO_EXCLUDES(mutex_);

  Leaseholder& local_;
  Peers& peers_;
  const Nodes nodes_;
  Mutex mutex_;
  // By start.
  std::map<Bytes, RouteReply, std::less<>> routes_ PANDO_GUARDED_BY(mutex_);
};

}  // namespace pando::kv
