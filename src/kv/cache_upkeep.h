#pragma once

// CacheUpkeep: what the record cache wants done in the background. While there is room, the rows of a bulk commit come
// in, and those behind a row that was not there when it was read, so that reads of what was just loaded, or of a store
// that was just opened, do not go to the engine one by one; rows of a table that is gone make room.
//
//   CacheUpkeep upkeep(engine, cache, &background);
//   upkeep.warm(ranges);                                 // returns at once
//   upkeep.warm_behind(key);
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
  // Rows of the same table or index, from this key to the next that are there already. Unless others are on their way.
  void warm_behind(ByteView key);
  // Nobody reads these keys any more.
  void forget(KeyRange range);
  // What is under way ends soon, and nothing begins any more.
  void stop() { stopped_.store(true, std::memory_order_relaxed); }

 private:
  Task<void> run_warming(std::vector<KeyRange> ranges);
  Task<void> run_warming_behind(storage::KeySpan span);
  enum class Warmed : uint8_t { kAll, kSome, kNoRoom };
  // Moves the start of the span behind what it has brought in, which ends where `until_known` meets what is there.
  Warmed warm_some(storage::KeySpan& span, bool until_known);
  Task<void> run_forgetting(KeyRange range);
  bool stopped() const { return stopped_.load(std::memory_order_relaxed); }

  const storage::Engine& engine_;
  RecordCache& cache_;
  runtime::Executor* const background_;
  std::atomic<bool> stopped_{false};
  // Calls of warm() that have not been done.
  std::atomic<int> warming_{0};
};

}  // namespace pando::kv
