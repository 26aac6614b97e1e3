#pragma once

// A file system for RocksDB on which every failed write can be tried again.
//
// RocksDB stops for good after an I/O error that is not marked as retryable, and after a full disk loses track of what
// an atomic flush still owes. But it writes each file once, from memtables or files that it still has, so trying again
// with a new file is always right; and the journal holds what was not flushed. So failures are marked as retryable:
// RocksDB then keeps its memtables, tries again every second, and takes writes meanwhile. Only to its own log, the file
// LOG, writes never fail: what the disk does not take is lost.

#include <memory>

#include <rocksdb/file_system.h>

namespace pando::storage {

std::shared_ptr<rocksdb::FileSystem> make_retryable_files(std::shared_ptr<rocksdb::FileSystem> files);

// How a full disk is told from other errors in the message of a Status.
inline constexpr const char* kNoSpaceMessage = "No space left on device";

}  // namespace pando::storage
