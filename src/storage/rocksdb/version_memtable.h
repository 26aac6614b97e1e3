#pragma once

// RocksDB's skip list, but told itself how versioned keys are ordered. Left to RocksDB each comparison goes through two
// more virtual calls and is counted in memory of the thread's own; a memtable makes dozens for a row that comes in, and
// all that was half of what a small commit cost.

#include <memory>

#include <rocksdb/memtablerep.h>

namespace pando::storage {

// For column families whose comparator is versioned_comparator().
std::shared_ptr<rocksdb::MemTableRepFactory> make_version_memtables();

}  // namespace pando::storage
