#pragma once

// A table file to be written, and then taken in by RocksDB.

#include <memory>

#include <rocksdb/sst_file_writer.h>

namespace pando::storage {

// Its pages stay in the operating system's cache: what was just loaded is read next, by the file's check when it is
// taken in, by the record cache, and by who loaded it. RocksDB's default drops each of them as soon as it is written.
inline std::unique_ptr<rocksdb::SstFileWriter> new_table_writer(const rocksdb::Options& options,
                                                                rocksdb::ColumnFamilyHandle* family = nullptr) {
  constexpr bool kInvalidatePageCache = false;
  return std::make_unique<rocksdb::SstFileWriter>(rocksdb::EnvOptions(), options, family, kInvalidatePageCache);
}

}  // namespace pando::storage
