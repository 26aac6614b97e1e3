#include "kv/cluster/closed_moments.h"

#include "kv/descriptor/keys.h"
#include "storage/write_batch.h"

namespace pando::kv {

void ClosedMoments::note(const std::vector<ClosedMoment>& moments) {
  MutexLock lock(mutex_);
  for (const ClosedMoment& moment : moments) {
    std::deque<ClosedMoment>& kept = moments_[moment.shard];
    kept.push_back(moment);
    if (kept.size() > kKeptPerShard) {
      kept.pop_front();
    }
  }
}

HlcTimestamp ClosedMoments::common(HlcTimestamp oldest) {
  HlcTimestamp common = HlcTimestamp::max();
  MutexLock lock(mutex_);
  for (const auto& [shard, kept] : moments_) {
    // Others are not told of any more.
    if (kept.back().at >= oldest) {
      common = std::min(common, kept.back().at);
    }
  }
  return common == HlcTimestamp::max() ? oldest : common;
}

uint64_t ClosedMoments::rate(ShardId shard) {
  MutexLock lock(mutex_);
  const auto found = moments_.find(shard);
  return found == moments_.end() ? 0 : found->second.back().rate;
}

Result<std::shared_ptr<const PastView>> ClosedMoments::open(const storage::Engine& engine, ShardId shard) {
  std::deque<ClosedMoment> kept;
  {
    MutexLock lock(mutex_);
    const auto found = moments_.find(shard);
    if (found == moments_.end()) {
      return std::shared_ptr<const PastView>();
    }
    kept = found->second;
  }
  auto view = std::make_shared<PastView>();
  view->reader = engine.snapshot();
  Bytes bytes;
  PANDO_ASSIGN(const bool here, view->reader->get(descriptor_key(shard), bytes));
  if (!here) {
    return std::shared_ptr<const PastView>();
  }
  PANDO_ASSIGN(const ShardDescriptor descriptor, decode_descriptor(bytes));
  PANDO_ASSIGN(const bool has_applied, view->reader->get(storage::applied_key(shard), bytes));
  uint64_t applied = 0;
  if (!has_applied || !ByteReader(bytes).fixed64(applied)) {
    return std::shared_ptr<const PastView>();
  }
  for (const ClosedMoment& moment : kept) {
    if (moment.generation == descriptor.generation && moment.index <= applied) {
      view->until = std::max(view->until, moment.at);
    }
  }
  view->span = {descriptor.start, descriptor.end};
  return view->until == HlcTimestamp() ? nullptr : std::shared_ptr<const PastView>(std::move(view));
}

}  // namespace pando::kv
