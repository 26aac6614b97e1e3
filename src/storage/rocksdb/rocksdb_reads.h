#pragma once

// Reads of one RocksDB database, as of now or of a RocksDB snapshot: what the engine and its snapshots share.
// Thread-safe. Borrows the database.

#include <atomic>

#include <rocksdb/cache.h>
#include <rocksdb/db.h>

#include "storage/engine.h"

namespace pando::storage {

// Whether versions were erased lately, so that a memtable may hold the fact. Thread-safe.
class Erasures {
 public:
  void note_written(uint64_t sequence) { written_.store(sequence, std::memory_order_release); }
  void note_flushed(uint64_t sequence) { flushed_.store(sequence, std::memory_order_release); }
  bool pending() const { return written_.load(std::memory_order_acquire) > flushed_.load(std::memory_order_acquire); }

 private:
  std::atomic<uint64_t> written_{0};
  std::atomic<uint64_t> flushed_{0};
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
