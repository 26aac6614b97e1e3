#pragma once

// The RocksDB engine: the store of every database that has a directory.
//
//   PANDO_ASSIGN(auto engine, open_rocksdb_engine({.directory = "/data/state", .on_flushed = release_journal}));
//
// RocksDB's own log is off: what was not flushed is gone after a crash, whole batches of it, and the journal brings it
// back. Calls may read from disk, so they block; writes go to memory.

#include <memory>

#include "storage/engine.h"

namespace rocksdb {
class Env;
}  // namespace rocksdb

namespace pando::storage {

struct RocksDbOptions {
  // Created when missing.
  Bytes directory;
  FlushedCallback on_flushed;
  // Shared by all data, index and filter blocks.
  uint64_t block_cache_bytes = 512_MiB;
  // Of one memtable; a flush begins when it is full.
  uint64_t memtable_bytes = 64_MiB;
  // A batch at least this large becomes a file of its own (bulk_load.h), if it is in key order.
  uint64_t bulk_bytes_min = 8_MiB;
  // Threads for flushes and compactions.
  int background_jobs = 2;
  // Null: the machine's. Tests inject faults here.
  rocksdb::Env* env = nullptr;
};

Result<std::unique_ptr<Engine>> open_rocksdb_engine(RocksDbOptions options);

}  // namespace pando::storage
