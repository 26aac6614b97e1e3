#pragma once

// Reads of one RocksDB database, as of now or of a RocksDB snapshot: what the engine and its snapshots share.
// Thread-safe. Borrows the database.

#include <vector>

#include <rocksdb/cache.h>
#include <rocksdb/db.h>

#include "base/mutex.h"
#include "storage/engine.h"

namespace pando::storage {

// Where versions were erased lately, so that a memtable may hold the fact. Thread-safe.
class Erasures {
 public:
  // Before the erasure of these stored keys is written. Returns its number, for note_written().
  uint64_t begin(std::vector<KeySpan> spans) PANDO_EXCLUDES(mutex_);
  void note_written(uint64_t erasure, uint64_t sequence) PANDO_EXCLUDES(mutex_);
  void note_flushed(uint64_t sequence) PANDO_EXCLUDES(mutex_);
  // Whether one of keys in [start, end) waits in a memtable.
  bool pending(ByteView start, ByteView end) const PANDO_EXCLUDES(mutex_);
  bool any_pending() const PANDO_EXCLUDES(mutex_);

 private:
  // Beyond so many, one span that covers all of them does.
  static constexpr std::size_t kSpansMax = 256;
  struct Pending {
    uint64_t erasure = 0;
    KeySpan span;
    // The newest write that may be part of it; UINT64_MAX until it is written.
    uint64_t sequence = UINT64_MAX;
  };
  void merge() PANDO_REQUIRES(mutex_);

  mutable Mutex mutex_;
  uint64_t erasures_ PANDO_GUARDED_BY(mutex_) = 0;
  std::vector<Pending> pending_ PANDO_GUARDED_BY(mutex_);
};

class RocksDbReads {
 public:
  struct Source {
    rocksdb::DB* db = nullptr;
    std::shared_ptr<rocksdb::Cache> cache;
    const Erasures* erasures = nullptr;
  };
  // `snapshot` may be null: then every call sees what is newest when it is made.
  RocksDbReads(const Source& source, const rocksdb::Snapshot* snapshot) : source_(source), snapshot_(snapshot) {}

  Result<bool> get(ByteView key, Bytes& value) const;
  std::unique_ptr<Iterator> iterate(KeySpan span) const;
  Result<bool> get_version(ByteView key, HlcTimestamp at, Version& version) const;
  std::unique_ptr<VersionIterator> iterate_versions(KeySpan span) const;
  std::unique_ptr<VersionScan> scan_versions(VersionScanOptions options) const;

 private:
  rocksdb::ReadOptions read_options() const;

  Source source_;
  const rocksdb::Snapshot* snapshot_;
};

}  // namespace pando::storage
