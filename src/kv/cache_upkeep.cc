#include "kv/cache_upkeep.h"

namespace pando::kv {
namespace {

constexpr BringInLimits kSliceLimits{.keys = 1024, .steps = 4096};

}  // namespace

Bytes bring_in(RecordCache& cache, storage::VersionIterator& iterator, const RecordCache::FillTickets& tickets,
               BringInLimits limits) {
  Bytes last;
  std::size_t keys = 0;
  for (std::size_t steps = 0; iterator.valid() && keys < limits.keys && steps < limits.steps; ++steps) {
    // The newest version of a key comes first.
    if (keys == 0 || iterator.key() != last) {
      last.assign(iterator.key());
      cache.fill(last, iterator.timestamp(), iterator.tombstone(), iterator.value(), tickets);
      ++keys;
    }
    iterator.next();
  }
  return last;
}

void CacheUpkeep::warm(std::vector<KeyRange> ranges) {
  if (background_ != nullptr && !ranges.empty()) {
    runtime::spawn(*background_, run_warming(std::move(ranges)));
  }
}

Task<void> CacheUpkeep::run_warming(std::vector<KeyRange> ranges) {
  for (KeyRange& range : ranges) {
    while (!stopped() && warm_some(range)) {
      co_await runtime::yield_to(*background_);
    }
  }
}

bool CacheUpkeep::warm_some(KeyRange& range) {
  if (!cache_.has_room(range.first)) {
    return false;
  }
  const auto tickets = cache_.start_fills();
  const auto iterator = engine_.iterate_versions({range.first, range.last + '\0'});
  const Bytes reached = bring_in(cache_, *iterator, tickets, kSliceLimits);
  if (reached.empty()) {
    return false;
  }
  range.first = reached + '\0';
  return range.first <= range.last;
}

void CacheUpkeep::forget(KeyRange range) {
  if (background_ != nullptr) {
    runtime::spawn(*background_, run_forgetting(std::move(range)));
  }
}

Task<void> CacheUpkeep::run_forgetting(KeyRange range) {
  for (std::size_t stripe = 0; stripe < RecordCache::kStripes && !stopped(); ++stripe) {
    cache_.forget_in(stripe, range.first, range.last);
    co_await runtime::yield_to(*background_);
  }
}

}  // namespace pando::kv
