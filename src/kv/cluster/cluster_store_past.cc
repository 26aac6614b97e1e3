// ClusterStore: reads of the past, without their leaseholder.

#include "kv/cluster/cluster_store.h"

namespace pando::kv {

void ClusterStore::tell_closed_moments() {
  std::map<NodeId, CloseRequest> requests;
  for (const auto& closing : parts_.leaseholder.close_moments()) {
    for (const NodeId node : closing.replicas) {
      if (node != self_) {
        requests[node].shards.push_back(closing.moment);
      }
    }
  }
  for (const auto& [node, request] : requests) {
    parts_.peers.tell(node, request);
  }
}

uint64_t ClusterStore::request_rate(ShardId shard) {
  return parts_.leaseholder.leads(shard) ? parts_.leaseholder.load(shard).rate : closed_.rate(shard);
}

bool ClusterStore::has_lasting_locks(ShardId shard) {
  constexpr std::chrono::seconds kLasting{2};
  return parts_.leaseholder.leads(shard) && parts_.leaseholder.has_lasting_locks(shard, kLasting);
}

Result<std::shared_ptr<const PastView>> ClusterStore::open_past(ByteView key, bool before) {
  const RouteReply route = parts_.leaseholder.route(key, before);
  if (!route.known || route.leaseholder == self_) {
    return std::shared_ptr<const PastView>();
  }
  PANDO_ASSIGN(auto view, closed_.open(parts_.leaseholder.engine(), route.shard));
  if (view == nullptr || !covers(view->span, key, before)) {
    return std::shared_ptr<const PastView>();
  }
  past_views_.fetch_add(1, std::memory_order_relaxed);
  return view;
}

}  // namespace pando::kv
