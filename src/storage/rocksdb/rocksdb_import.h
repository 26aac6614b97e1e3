#pragma once

// SpanImport for RocksDB: files are written beside the database and then added to it, with tombstones for what they
// replace, in one change of its manifest.

#include <functional>

#include <rocksdb/db.h>

#include "storage/engine.h"

namespace pando::storage {

// `number` is unique among the imports since the database was opened; `on_plain` hears of every plain key that is put.
Result<std::unique_ptr<SpanImport>> open_import(rocksdb::DB& db, uint64_t number,
                                                std::function<void(ByteView)> on_plain);

// Removes what imports of earlier processes have left.
Status clean_imports(rocksdb::DB& db);

}  // namespace pando::storage
