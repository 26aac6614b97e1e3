#include "kv/cache_upkeep.h"

#include <span>
#include <utility>

#include "base/key_value_batch.h"

namespace pando::kv {
namespace {

// A slice is long enough for what it takes to start a scan, and a batch of it small enough for the processor's cache.
constexpr std::size_t kSliceRows = 32768;
constexpr std::size_t kBatchRows = 1024;

Bytes after(ByteView key) { return Bytes(key) + '\0'; }

}  // namespace

Bytes bring_in(RecordCache& cache, storage::VersionIterator& iterator, const RecordCache::FillTickets& tickets,
               BringInLimits limits) {
  KeyValueBatch found;
  std::vector<std::pair<HlcTimestamp, bool>> versions;
  for (std::size_t steps = 0; iterator.valid() && found.size() < limits.keys && steps < limits.steps; ++steps) {
    // The newest version of a key comes first.
    if (found.size() == 0 || iterator.key() != found.key(found.size() - 1)) {
      found.append(iterator.key(), iterator.value());
      versions.emplace_back(iterator.timestamp(), iterator.tombstone());
    }
    iterator.next();
  }
  std::vector<RecordCache::Incoming> records;
  records.reserve(found.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    const auto& [timestamp, tombstone] = versions[i];
    records.push_back({found.key(i), timestamp, tombstone, found.value(i)});
  }
  cache.fill(records, tickets);
  return records.empty() ? Bytes() : Bytes(records.back().key);
}

void CacheUpkeep::warm(std::vector<KeyRange> ranges) {
  if (background_ != nullptr && !ranges.empty()) {
    warming_.fetch_add(1, std::memory_order_relaxed);
    runtime::spawn(*background_, run_warming(std::move(ranges)));
  }
}

Task<void> CacheUpkeep::run_warming(std::vector<KeyRange> ranges) {
  for (KeyRange& range : ranges) {
    while (!stopped() && warm_some(range)) {
      co_await runtime::yield_to(*background_);
    }
  }
  warming_.fetch_sub(1, std::memory_order_relaxed);
}

bool CacheUpkeep::warm_some(KeyRange& range) {
  const auto tickets = cache_.start_fills();
  std::vector<HlcTimestamp> timestamps;
  const auto scan = engine_.scan_versions(
      {.span = {range.first, after(range.last)}, .at = HlcTimestamp::max(), .timestamps = &timestamps});
  KeyValueBatch rows;
  for (std::size_t count = 0; count < kSliceRows; count += rows.size()) {
    if (stopped() || !cache_.has_room(range.first) || !scan->next(rows, kBatchRows).ok() || rows.size() == 0) {
      return false;
    }
    cache_.fill(rows, timestamps, tickets);
    range.first = after(rows.key(rows.size() - 1));
  }
  return true;
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
