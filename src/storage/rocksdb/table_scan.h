#pragma once

// TableScan: a forward VersionScan for many rows, which reads RocksDB's files directly (table_file.h) and merges them
// with the memtables.
//
// Files are opened when the scan is made, so it is consistent: what is not in the memtables of that moment is in the
// files. Point deletions are honoured; range deletions only so far that spans that have any are refused.

#include <memory>

#include <rocksdb/cache.h>
#include <rocksdb/db.h>

#include "storage/engine.h"

namespace pando::storage {

struct TableScanContext {
  rocksdb::DB* db = nullptr;
  // May be null.
  const rocksdb::Snapshot* snapshot = nullptr;
  std::shared_ptr<rocksdb::Cache> cache;
};

// The rows of `options.span`, as of `options.at`. REQUIRES: !options.reverse; no erasure of versions waits in the
// memtables. Errors: 0A000 when the span must be read with RocksDB's iterator.
Result<std::unique_ptr<VersionScan>> open_table_scan(const TableScanContext& context, VersionScanOptions options);

// Rising keys that cut `span` into up to `pieces` parts with about as many blocks of the files in each; what is in the
// memtables does not count. Errors: 0A000 when the files cannot be read without RocksDB, 58030, XX001.
Result<std::vector<Bytes>> split_table_keys(const TableScanContext& context, const KeySpan& span, std::size_t pieces);

}  // namespace pando::storage
