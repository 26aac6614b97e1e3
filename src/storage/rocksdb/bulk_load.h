#pragma once

// BulkLoad: takes the versions of a large batch into RocksDB as a file of their own.
//
// A million rows through the memtable cost about a microsecond each, and are written again by the flush and by each
// compaction on their way down. A batch in key order, as bulk loads make them, can be written once, as a table file,
// which RocksDB then puts at the lowest level that has no such keys.
// Thread-safe.

#include <atomic>

#include <rocksdb/db.h>

#include "base/status.h"
#include "storage/write_batch.h"

namespace pando::storage {

class BulkLoad {
 public:
  // Files are made in `directory`; what an earlier process left there is removed. All outlives the object.
  BulkLoad(rocksdb::DB& db, rocksdb::Options options, Bytes directory);

  // Adds the versions of `batch`, all at once. False when they are not in key order, or RocksDB cannot take them so:
  // then nothing was added. The batch may also have puts of plain keys, which are left to the caller.
  bool add(const WriteBatch& batch);

 private:
  bool write_file(const WriteBatch& batch, const Bytes& path);

  rocksdb::DB& db_;
  const rocksdb::Options options_;
  const Bytes directory_;
  std::atomic<uint64_t> next_file_{0};
};

}  // namespace pando::storage
