// Leaseholder: where keys lie, as far as this node's replicas know.

#include <algorithm>

#include "kv/cluster/leaseholder.h"

namespace pando::kv {

LedShard* Leaseholder::find_shard(ByteView key) {
  MutexLock lock(shards_mutex_);
  const auto next = by_start_.upper_bound(key);
  return next == by_start_.begin() ? nullptr : std::prev(next)->second;
}

RouteReply Leaseholder::route(ByteView key, bool before) {
  const auto ask = [&](LedShard& led) {
    MutexLock lock(led.mutex);
    RouteReply found{.known = led.generation != 0 && covers(led.span, key, before)};
    if (found.known) {
      found.shard = led.id;
      found.generation = led.generation;
      found.span = led.span;
      found.leaseholder = led.view->leader();
      for (const ReplicaDescriptor& replica : led.descriptor.replicas) {
        found.replicas.push_back(replica.node);
      }
    }
    return found;
  };
  RouteReply route;
  if (LedShard* const nearest = before ? nullptr : find_shard(key)) {
    route = ask(*nearest);
  }
  MutexLock shards_lock(shards_mutex_);
  for (auto place = by_start_.begin(); place != by_start_.end() && !route.known; ++place) {
    route = ask(*place->second);
  }
  return route;
}

std::vector<Leaseholder::KnownShard> Leaseholder::shards() {
  std::vector<KnownShard> known;
  MutexLock shards_lock(shards_mutex_);
  for (const auto& [id, led] : shards_) {
    MutexLock lock(led->mutex);
    if (led->generation != 0) {
      known.push_back({.descriptor = led->descriptor, .leaseholder = led->view->leader()});
    }
  }
  std::ranges::sort(known, {}, [](const KnownShard& shard) { return shard.descriptor.start; });
  return known;
}

}  // namespace pando::kv
