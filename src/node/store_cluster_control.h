#pragma once

// StoreClusterControl: session::ClusterControl over the replicated store and the list of nodes. Thread-safe.

#include <functional>
#include <vector>

#include "cluster/administration.h"
#include "kv/cluster/cluster_node.h"
#include "session/cluster_control.h"

namespace pando::node {

class StoreClusterControl final : public session::ClusterControl {
 public:
  using Nodes = std::function<std::vector<cluster::NodeStatus>()>;
  // `cluster` outlives it.
  explicit StoreClusterControl(kv::ClusterNode& cluster) : cluster_(cluster) {}

  // Before the first session.
  void set_nodes(Nodes nodes) { nodes_ = std::move(nodes); }

  std::vector<session::ClusterNodeRow> nodes() override;
  std::vector<session::ClusterShardRow> shards() override;
  Task<Status> split(Bytes key, runtime::Executor& executor) override;
  Task<Status> merge(Bytes key, runtime::Executor& executor) override;
  Task<Status> transfer_lease(uint64_t shard, uint32_t node, runtime::Executor& executor) override;
  void notify(const std::vector<session::Notification>& notifications) override;

  // A number that no shard has had.
  Task<Result<ShardId>> next_shard_id(runtime::Executor& executor);

 private:
  kv::ClusterNode& cluster_;
  Nodes nodes_;
};

// The other side of notify(): to this node's sessions. Any thread.
void deliver_channel_messages(std::vector<kv::ChannelMessage> messages, session::NotificationHub& hub);

}  // namespace pando::node
