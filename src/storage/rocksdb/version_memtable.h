#pragma once

// RocksDB's memtables as version lists (version_list.h). They know how versioned keys are ordered: left to RocksDB each
// comparison goes through two more virtual calls and is counted in memory of the thread's own; a memtable makes dozens
// for a row that comes in, and all that was half of what a small commit cost.

#include <memory>

#include <rocksdb/memtablerep.h>

#include "storage/rocksdb/stored_key.h"

namespace pando::storage {

// For column families whose comparator is versioned_comparator(). One thread inserts at a time.
std::shared_ptr<rocksdb::MemTableRepFactory> make_version_memtables();

// A RocksDB iterator that seeks this finds nothing, and from then on leaves out what version_list.h says of a reader at
// `moment`. RocksDB's options do not reach the iterators of a memtable that is not its own; a key that is sought does.
// REQUIRES: what VersionList::Iterator::read_at requires.
inline Bytes moment_key(HlcTimestamp moment) { return stored_key(kMomentSpace, {}, moment); }

}  // namespace pando::storage
