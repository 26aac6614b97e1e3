// ClusterStore: all shards of the cluster, and replicas that are none of theirs any more.

#include <algorithm>
#include <set>

#include "kv/cluster/cluster_store.h"

namespace pando::kv {

namespace {

// Replicas that nobody leads, or of which others know something newer, are asked for this seldom.
constexpr uint64_t kOrphanRounds = 20;

// Of each shard the newest that is known, and of those that overlap, as a part of another after a split or a merge, the
// newer one; in the order of their keys.
std::vector<Leaseholder::KnownShard> newest_of(std::vector<Leaseholder::KnownShard> shards) {
  // Of the same generation, who knows the leaseholder first.
  std::ranges::sort(shards, std::ranges::greater(), [](const Leaseholder::KnownShard& shard) {
    return std::pair(shard.descriptor.generation, shard.leaseholder.number());
  });
  std::vector<Leaseholder::KnownShard> newest;
  const auto overlap = [](const ShardDescriptor& a, const ShardDescriptor& b) {
    return (a.end.empty() || b.start < a.end) && (b.end.empty() || a.start < b.end);
  };
  for (Leaseholder::KnownShard& shard : shards) {
    if (std::ranges::none_of(newest, [&](const auto& each) { return overlap(each.descriptor, shard.descriptor); })) {
      newest.push_back(std::move(shard));
    }
  }
  std::ranges::sort(newest, {}, [](const Leaseholder::KnownShard& shard) { return shard.descriptor.start; });
  return newest;
}

}  // namespace

Task<std::vector<Leaseholder::KnownShard>> ClusterStore::all_shards(runtime::Executor& executor) {
  std::vector<Leaseholder::KnownShard> shards = parts_.leaseholder.shards();
  for (const NodeId node : nodes_()) {
    const auto answer = co_await parts_.peers.call(node, ShardsRequest(), executor);
    for (const ShardsReply::Shard& shard : answer.reply.shards) {
      if (auto descriptor = decode_descriptor(shard.descriptor); descriptor.ok()) {
        shards.push_back({.descriptor = *std::move(descriptor), .leaseholder = shard.leaseholder});
      }
    }
  }
  co_return newest_of(std::move(shards));
}

Task<void> ClusterStore::list_shards() {
  auto shards = co_await all_shards(parts_.background);
  {
    MutexLock lock(mutex_);
    others_shards_ = std::move(shards);
  }
  listing_shards_.store(false);
}

std::vector<Leaseholder::KnownShard> ClusterStore::known_shards() {
  std::vector<Leaseholder::KnownShard> shards = parts_.leaseholder.shards();
  {
    MutexLock lock(mutex_);
    shards.insert(shards.end(), others_shards_.begin(), others_shards_.end());
  }
  return newest_of(std::move(shards));
}

void ClusterStore::collect_orphans() {
  if (rounds_ % kOrphanRounds != 0) {
    return;
  }
  std::set<std::pair<ShardId, uint64_t>> newest;
  for (const Leaseholder::KnownShard& shard : known_shards()) {
    newest.emplace(shard.descriptor.id, shard.descriptor.generation);
  }
  for (auto& shard : parts_.leaseholder.shards()) {
    // In an idle shard the leader that a replica believes in need not be its leader any more.
    if (shard.leaseholder == NodeId() || !newest.contains({shard.descriptor.id, shard.descriptor.generation})) {
      spawn_background(remove_if_orphan(std::move(shard.descriptor)));
    }
  }
}

// What another node has applied of a later generation is committed: this node is no member, or the shard became a part
// of another. In that case a replica that knows that it is merging stays, as long as its left side's log may come.
Task<void> ClusterStore::remove_if_orphan(ShardDescriptor here) {
  for (const NodeId node : nodes_()) {
    const auto answer = co_await parts_.peers.call(node, RouteRequest{.key = here.start}, parts_.background);
    if (!answer.ok() || !answer.reply.known || answer.reply.generation <= here.generation) {
      continue;
    }
    const bool is_member = std::ranges::find(answer.reply.replicas, self_) != answer.reply.replicas.end();
    const bool waits = here.merging.has_value() && parts_.leaseholder.generation(here.merging->left) != 0;
    if (answer.reply.shard == here.id ? is_member : waits) {
      continue;
    }
    parts_.leaseholder.host().remove_replica(here.id, ReplicaId(here.next_replica_id.number() - 1), here.generation,
                                             [](const Status& removed) { removed.ignore("it is tried again"); });
    co_return;
  }
}

}  // namespace pando::kv
