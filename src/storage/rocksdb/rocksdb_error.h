#pragma once

// RocksDB's statuses as ours.

#include <rocksdb/status.h>

#include "base/status.h"

namespace pando::storage {

// 53100 for a full disk, XX001 for damage, 58030 for other I/O errors and for writes that are refused because of one.
Status status_of(const rocksdb::Status& status);

}  // namespace pando::storage
