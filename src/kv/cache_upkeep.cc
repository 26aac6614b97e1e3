#include "kv/cache_upkeep.h"

#include <algorithm>
#include <utility>

#include "base/key_value_batch.h"

namespace pando::kv {
namespace {

// A slice is long enough for what it takes to start a scan, and a batch of it small enough for the processor's cache.
constexpr std::size_t kSliceRows = 32768;
constexpr std::size_t kSliceBytes = 8_MiB;
constexpr std::size_t kBatchRowsMax = 1024;
constexpr std::size_t kBatchBytes = 256_KiB;
// The first batch, of which nobody knows how large its rows are.
constexpr std::size_t kFirstBatchRows = 32;

// So many rows as those in `batch` are about kBatchBytes.
std::size_t rows_of_batch(const KeyValueBatch& batch) {
  return std::clamp<std::size_t>(kBatchBytes * batch.size() / std::max<std::size_t>(batch.arena.size(), 1), 1,
                                 kBatchRowsMax);
}
// Of a table and one of its indexes.
constexpr std::size_t kPrefixBytes = 8;

Bytes after(ByteView key) { return Bytes(key) + '\0'; }

}  // namespace

void CacheUpkeep::warm(std::vector<KeyRange> ranges) {
  if (background_ != nullptr && !ranges.empty()) {
    warming_.fetch_add(1, std::memory_order_relaxed);
    runtime::spawn(*background_, run_warming(std::move(ranges)));
  }
}

Task<void> CacheUpkeep::run_warming(std::vector<KeyRange> ranges) {
  for (KeyRange& range : ranges) {
    storage::KeySpan span{std::move(range.first), after(range.last)};
    while (!stopped() && warm_some(span, /*until_known=*/false) == Warmed::kSome) {
      co_await runtime::yield_to(*background_);
    }
  }
  warming_.fetch_sub(1, std::memory_order_relaxed);
}

void CacheUpkeep::warm_behind(ByteView key) {
  int idle = 0;
  if (background_ != nullptr && cache_.has_room(key) &&
      warming_.compare_exchange_strong(idle, 1, std::memory_order_relaxed)) {
    runtime::spawn(*background_, run_warming_behind({Bytes(key), prefix_end(key.substr(0, kPrefixBytes))}));
  }
}

Task<void> CacheUpkeep::run_warming_behind(storage::KeySpan span) {
  if (!stopped()) {
    warm_some(span, /*until_known=*/true);
  }
  warming_.fetch_sub(1, std::memory_order_relaxed);
  co_return;
}

CacheUpkeep::Warmed CacheUpkeep::warm_some(storage::KeySpan& span, bool until_known) {
  const auto tickets = cache_.start_fills();
  std::vector<HlcTimestamp> timestamps;
  const auto scan = engine_.scan_versions({.span = span, .at = HlcTimestamp::max(), .timestamps = &timestamps});
  KeyValueBatch rows;
  std::size_t wanted = kFirstBatchRows;
  std::size_t bytes = 0;
  for (std::size_t count = 0; count < kSliceRows && bytes < kSliceBytes; count += rows.size()) {
    if (stopped() || !cache_.has_room(span.start)) {
      return Warmed::kNoRoom;
    }
    if (!scan->next(rows, wanted).ok() || rows.size() == 0) {
      return Warmed::kAll;
    }
    if (cache_.fill(rows, timestamps, tickets) == 0 && until_known) {
      return Warmed::kAll;
    }
    span.start = after(rows.key(rows.size() - 1));
    wanted = rows_of_batch(rows);
    bytes += rows.arena.size();
  }
  return Warmed::kSome;
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
