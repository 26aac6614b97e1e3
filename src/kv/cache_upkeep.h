#pragma once

// CacheUpkeep: what the record cache wants done in the background. The rows of a bulk commit come in while there is
// room, so that reads of what was just loaded do not go to the engine one by one; rows of a table that is gone make
// room.
//
//   CacheUpkeep upkeep(engine, cache, &background);
//   upkeep.warm(ranges);                                 // returns at once
//   upkeep.forget(range);
//   upkeep.stop();                                       // before the executor stops
//
// Works a little at a time, so that what else runs on the executor need not wait long for its turn. Thread-safe. What
// it is given outlives it, and the executor has stopped when it is destroyed.

#include <atomic>
#include <vector>

#include "kv/record_cache.h"
#include "runtime/executor.h"
#include "runtime/task.h"
#include "storage/engine.h"

namespace pando::kv {

// Keys from the first to the last, both included.
struct KeyRange {
  Bytes first;
  Bytes last;
};

class CacheUpkeep {
 public:
  // Without an executor nothing is done.
  CacheUpkeep(const storage::Engine& engine, RecordCache& cache, runtime::Executor* background)
      : engine_(engine), cache_(cache), background_(background) {}

  void warm(std::vector<KeyRange> ranges);
  // Whether rows are on their way in.
  bool warming() const { return warming_.load(std::memory_order_relaxed) > 0; }
  // Nobody reads these keys any more.
  void forget(KeyRange range);
  // What is under way ends soon, and nothing begins any more.
  void stop() { stopped_.store(true, std::memory_order_relaxed); }

 private:
  Task<void> run_warming(std::vector<KeyRange> ranges);
  // Moves the range's first key behind what was brought in. False when that was all, or there is no more room.
  bool warm_some(KeyRange& range);
  Task<void> run_forgetting(KeyRange range);
  bool stopped() const { return stopped_.load(std::memory_order_relaxed); }

  const storage::Engine& engine_;
  RecordCache& cache_;
  runtime::Executor* const background_;
  std::atomic<bool> stopped_{false};
  // Calls of warm() that have not been done.
  std::atomic<int> warming_{0};
};

// How far bring_in goes.
struct BringInLimits {
  std::size_t keys = 0;
  // Versions stepped over; many of one key are not worth the walk.
  std::size_t steps = 0;
};

// Brings the newest versions of the keys from where `iterator` stands into the cache, and returns the last key brought
// in; empty when there was none. `tickets` were taken before the iterator was made.
Bytes bring_in(RecordCache& cache, storage::VersionIterator& iterator, const RecordCache::FillTickets& tickets,
               BringInLimits limits);

}  // namespace pando::kv
