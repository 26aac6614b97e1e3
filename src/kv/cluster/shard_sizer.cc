#include "kv/cluster/shard_sizer.h"

#include "base/codec.h"

namespace pando::kv {

Task<Result<ShardSizer::Step>> ShardSizer::look(runtime::Executor& executor) {
  Leaseholder& local = parts_.store.parts().leaseholder;
  const auto shards = local.shards();
  for (const auto& shard : shards) {
    if (!local.leads(shard.descriptor.id)) {
      continue;
    }
    PANDO_CO_ASSIGN(Bytes key, split_key(shard.descriptor));
    if (!key.empty()) {
      PANDO_CO_TRY(co_await split(std::move(key), executor));
      co_return Step::kSplit;
    }
  }
  for (Bytes& boundary : mergeable(shards)) {
    PANDO_CO_ASSIGN(const bool merged, co_await merge(std::move(boundary), executor));
    if (merged) {
      co_return Step::kMerge;
    }
  }
  co_return Step::kNone;
}

// Empty when the shard is to stay as it is.
Result<Bytes> ShardSizer::split_key(const ShardDescriptor& shard) {
  Leaseholder& local = parts_.store.parts().leaseholder;
  const storage::KeySpan span{std::max(shard.start, options_.first_key), shard.end};
  if (!span.end.empty() && span.end <= span.start) {
    return Bytes();
  }
  Bytes key;
  PANDO_ASSIGN(const uint64_t bytes, local.engine().approximate_bytes(span));
  if (bytes > options_.split_bytes) {
    PANDO_ASSIGN(const auto keys, local.engine().split_keys(span, 2));
    key = keys.empty() ? Bytes() : keys.front();
  } else if (const auto load = local.load(shard.id); load.rate > options_.split_rate) {
    key = load.middle;
  }
  const bool inside = key > span.start && shard.contains(key);
  return inside ? std::move(key) : Bytes();
}

// Boundaries whose shards were small and quiet for long, of which this node leads the left one.
std::vector<Bytes> ShardSizer::mergeable(const std::vector<Leaseholder::KnownShard>& shards) {
  ClusterStore& store = parts_.store;
  const uint64_t now_ns = store.parts().clock.monotonic_ns();
  std::vector<Bytes> due;
  std::map<Bytes, uint64_t> small;
  for (std::size_t i = 0; i + 1 < shards.size(); ++i) {
    const ShardDescriptor& left = shards[i].descriptor;
    const ShardDescriptor& right = shards[i + 1].descriptor;
    if (left.end.empty() || left.end != right.start || !store.parts().leaseholder.leads(left.id)) {
      continue;
    }
    const auto bytes = store.parts().leaseholder.engine().approximate_bytes({left.start, right.end});
    if (!bytes.ok() || *bytes > options_.merge_bytes ||
        store.request_rate(left.id) + store.request_rate(right.id) > options_.merge_rate) {
      continue;
    }
    const auto known = small_since_ns_.find(left.end);
    const uint64_t since_ns = known == small_since_ns_.end() ? now_ns : known->second;
    small[left.end] = since_ns;
    if (now_ns - since_ns >= static_cast<uint64_t>(options_.merge_after.count())) {
      due.push_back(left.end);
    }
  }
  small_since_ns_ = std::move(small);
  return due;
}

Task<Status> ShardSizer::split(Bytes key, runtime::Executor& executor) {
  // The mark first: a boundary without one would never go again.
  PANDO_CO_TRY(co_await set_mark(key, true, executor));
  PANDO_CO_ASSIGN(const ShardId right, co_await parts_.next_shard(executor));
  NodeId node;
  const auto answer =
      co_await parts_.store.send(key, SplitRequest{.key = key, .right = right}, {.executor = &executor}, &node);
  co_return answer.status;
}

// Whether there is one boundary less.
Task<Result<bool>> ShardSizer::merge(Bytes boundary, runtime::Executor& executor) {
  auto reader = parts_.store.begin({.read_only = true, .executor = &executor});
  reader->begin_statement();
  PANDO_CO_ASSIGN(const auto mark, co_await reader->get(mark_of(boundary)));
  reader.reset();
  if (!mark.has_value()) {
    co_return false;
  }
  // Whether it works or not: not again at once.
  small_since_ns_.erase(boundary);
  NodeId node;
  const auto answer = co_await parts_.store.send(boundary, MergeRequest{.boundary = boundary},
                                                 {.executor = &executor, .before = true}, &node);
  PANDO_CO_TRY(answer.status);
  PANDO_CO_TRY(co_await set_mark(std::move(boundary), false, executor));
  co_return true;
}

Bytes ShardSizer::mark_of(ByteView boundary) const {
  Bytes key = parts_.marks;
  append_ordered_bytes(key, boundary);
  return key;
}

Task<Status> ShardSizer::set_mark(Bytes boundary, bool set, runtime::Executor& executor) {
  const Bytes key = mark_of(boundary);
  auto transaction = parts_.store.begin({.executor = &executor});
  transaction->begin_statement();
  PANDO_CO_TRY((co_await transaction->lock(key, txn::LockStrength::kUpdate, txn::WaitPolicy::kBlock)).status());
  PANDO_CO_TRY(set ? transaction->put(key, {}) : transaction->erase(key));
  co_return co_await transaction->commit();
}

}  // namespace pando::kv
