#include "storage/rocksdb/rocksdb_error.h"

#include "storage/rocksdb/retryable_files.h"

namespace pando::storage {

Status status_of(const rocksdb::Status& status) {
  if (status.ok()) {
    return Status();
  }
  if (status.IsNoSpace() || status.ToString().find(kNoSpaceMessage) != std::string::npos) {
    return Status(sql_state::kDiskFull, "could not write to the storage engine: {}", kNoSpaceMessage)
        .with_detail(status.ToString());
  }
  if (status.IsCorruption()) {
    return Status(sql_state::kDataCorrupted, "the storage engine found damaged data: {}", status.ToString());
  }
  return Status(sql_state::kIoError, "storage engine: {}", status.ToString());
}

}  // namespace pando::storage
