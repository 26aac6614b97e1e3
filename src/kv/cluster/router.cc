#include "kv/cluster/router.h"

namespace pando::kv {

Task<RouteReply> ClusterRouter::find(Bytes key, bool before, runtime::Executor& executor) {
  RouteReply route = known(key, before);
  if (route.known) {
    co_return route;
  }
  for (const NodeId node : nodes_()) {
    auto answer = co_await peers_.call(node, RouteRequest{.key = key, .before = before}, executor);
    if (answer.ok() && answer.reply.known) {
      remember(answer.reply);
      co_return std::move(answer.reply);
    }
  }
  co_return RouteReply();
}

RouteReply ClusterRouter::known(ByteView key, bool before) {
  RouteReply route = local_.route(key, before);
  if (route.known) {
    return route;
  }
  route = remembered(key, before);
  return route.leaseholder.number() != 0 ? route : RouteReply();
}

RouteReply ClusterRouter::remembered(ByteView key, bool before) {
  MutexLock lock(mutex_);
  auto place = before ? routes_.lower_bound(key) : routes_.upper_bound(key);
  if (before && key.empty()) {
    place = routes_.end();
  }
  if (place == routes_.begin()) {
    return {};
  }
  const RouteReply& route = std::prev(place)->second;
  return covers(route.span, key, before) ? route : RouteReply();
}

void ClusterRouter::remember(const RouteReply& route) {
  MutexLock lock(mutex_);
  // What it overlaps is older.
  auto place = routes_.upper_bound(route.span.start);
  if (place != routes_.begin()) {
    const auto previous = std::prev(place);
    if (previous->second.span.end.empty() || previous->second.span.end > route.span.start) {
      place = routes_.erase(previous);
    }
  }
  while (place != routes_.end() && (route.span.end.empty() || place->first < route.span.end)) {
    place = routes_.erase(place);
  }
  routes_.insert_or_assign(route.span.start, route);
}

void ClusterRouter::learn_leaseholder(ShardId shard, NodeId node) {
  MutexLock lock(mutex_);
  for (auto& [start, route] : routes_) {
    if (route.shard == shard) {
      route.leaseholder = node;
    }
  }
}

void ClusterRouter::forget(ShardId shard) {
  MutexLock lock(mutex_);
  std::erase_if(routes_, [&](const auto& entry) { return entry.second.shard == shard; });
}

}  // namespace pando::kv
