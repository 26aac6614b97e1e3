#pragma once

// Reads of one RocksDB database, as of now or of a RocksDB snapshot: what the engine and its snapshots share.
// Thread-safe. Borrows the database and the column families.

#include <rocksdb/db.h>

#include "storage/engine.h"

namespace pando::storage {

class RocksDbReads {
 public:
  // `snapshot` may be null: then every call sees what is newest when it is made.
  RocksDbReads(rocksdb::DB& db, rocksdb::ColumnFamilyHandle& plain, rocksdb::ColumnFamilyHandle& versions,
               const rocksdb::Snapshot* snapshot)
      : db_(&db), plain_(&plain), versions_(&versions), snapshot_(snapshot) {}

  Result<bool> get(ByteView key, Bytes& value) const;
  std::unique_ptr<Iterator> iterate(KeySpan span) const;
  Result<bool> get_version(ByteView key, HlcTimestamp at, Version& version) const;
  std::unique_ptr<VersionIterator> iterate_versions(KeySpan span) const;
  std::unique_ptr<VersionScan> scan_versions(VersionScanOptions options) const;

 private:
  rocksdb::ReadOptions read_options() const;

  rocksdb::DB* db_;
  rocksdb::ColumnFamilyHandle* plain_;
  rocksdb::ColumnFamilyHandle* versions_;
  const rocksdb::Snapshot* snapshot_;
};

}  // namespace pando::storage
