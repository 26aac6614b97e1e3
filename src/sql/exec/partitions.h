#pragma once

// Partitions: rows split by the hash of their keys over several spill files, so that each part fits in memory.
// Thread-safety: one coroutine at a time.

#include <array>

#include "sql/exec/row_keys.h"
#include "sql/exec/spill_file.h"

namespace pando::sql::exec {

class Partitions {
 public:
  static constexpr std::size_t kCount = 16;

  // Different levels split by different bits, so that a part can be split again.
  explicit Partitions(Runtime& runtime, uint32_t level = 0) : runtime_(runtime), level_(level) {}

  static std::size_t of(uint64_t hash, uint32_t level) { return (hash >> (44 - 4 * (level % 11))) % kCount; }

  // `keys` has been computed for `rows`.
  Task<Status> append(const types::Chunk& rows, const RowKeys& keys);
  // Only the rows `selected` (positions in `rows`).
  Task<Status> append(const types::Chunk& rows, const RowKeys& keys, const std::vector<uint32_t>& selected);
  Task<Status> start_reading(std::size_t partition);
  // The next rows of the partition being read; false at its end.
  Task<Result<bool>> read(types::Chunk& rows);

 private:
  Runtime& runtime_;
  uint32_t level_;
  std::array<std::unique_ptr<SpillFile>, kCount> files_;
  std::size_t reading_ = 0;
};

}  // namespace pando::sql::exec
