#pragma once

// How RocksDB orders, filters and abbreviates versioned keys (storage/mvcc.h). Both objects are stateless and live as
// long as the process; their names are in the files on disk and never change.

#include <memory>

#include <rocksdb/comparator.h>
#include <rocksdb/slice_transform.h>

#include "base/bytes.h"

namespace pando::storage {

inline ByteView view(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }
inline rocksdb::Slice slice(ByteView bytes) { return {bytes.data(), bytes.size()}; }

// compare_versioned_keys, with shortened separators for index blocks.
const rocksdb::Comparator* versioned_comparator();

// The key without its timestamp: what bloom filters hold.
std::shared_ptr<const rocksdb::SliceTransform> make_version_prefix();

}  // namespace pando::storage
