#pragma once

// Garbage collection while RocksDB compacts: versions that a newer one at or below the threshold hides are dropped.
//
// The newest version at or below the threshold stays, even a tombstone: compaction does not see the files that may hold
// older versions of its key, which would come back to life. Tombstones are noted instead, and erased together with all
// they hide by the engine (GarbageThreshold::take_tombstones).

#include <atomic>
#include <memory>
#include <vector>

#include <rocksdb/compaction_filter.h>

#include "base/bytes.h"
#include "base/hlc.h"
#include "base/mutex.h"

namespace pando::storage {

// Shared by the engine and its filters. Thread-safe.
class GarbageThreshold {
 public:
  void raise(HlcTimestamp threshold) PANDO_EXCLUDES(mutex_);
  HlcTimestamp get() const PANDO_EXCLUDES(mutex_);
  // Remembers keys whose newest old version is a tombstone; forgets what is too much, for the next compaction to find.
  void note_tombstones(std::vector<Bytes> keys) PANDO_EXCLUDES(mutex_);
  std::vector<Bytes> take_tombstones() PANDO_EXCLUDES(mutex_);

 private:
  static constexpr std::size_t kTombstonesMax = 100000;
  mutable Mutex mutex_;
  HlcTimestamp threshold_ PANDO_GUARDED_BY(mutex_);
  std::vector<Bytes> tombstones_ PANDO_GUARDED_BY(mutex_);
};

std::shared_ptr<rocksdb::CompactionFilterFactory> make_garbage_filter_factory(
    std::shared_ptr<GarbageThreshold> threshold);

}  // namespace pando::storage
