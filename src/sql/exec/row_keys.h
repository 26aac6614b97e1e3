#pragma once

// RowKeys: sort, group and join keys as byte strings. Comparing two keys as bytes gives the order of the rows; equal
// rows have equal keys.
//
//   PANDO_CO_TRY(co_await keys.compute(chunk));
//   if (keys.key(0) < keys.key(1)) ...
//
// Thread-safety: one thread at a time.

#include <vector>

#include "sql/exec/evaluator.h"
#include "types/row_codec.h"

namespace pando::sql::exec {

class RowKeys {
 public:
  RowKeys() = default;
  static Result<RowKeys> make(const std::vector<SortKey>& keys, const Scope& scope, Runtime& runtime);
  // Ascending, NULLs last.
  static Result<RowKeys> make(const std::vector<ExprPtr>& exprs, const Scope& scope, Runtime& runtime);

  // Computes the keys of all rows of `chunk`. Views of earlier keys become invalid.
  Task<Status> compute(const types::Chunk& chunk);
  std::size_t rows() const { return ends_.size(); }
  ByteView key(std::size_t row) const {
    const uint32_t start = row == 0 ? 0 : ends_[row - 1];
    return ByteView(arena_).substr(start, ends_[row] - start);
  }
  // Whether any column of the row's key is NULL.
  bool has_null(std::size_t row) const { return any_nulls_ && nulls_[row] != 0; }
  // Whether any key of the last chunk has a NULL column.
  bool any_null() const { return any_nulls_; }
  // The key columns' values for the last chunk.
  const types::Chunk& values() const { return values_; }

 private:
  struct Column {
    types::Oid type;
    types::KeyOrder order;
  };
  Projection projection_;
  std::vector<Column> columns_;
  types::Chunk values_;
  Bytes arena_;
  std::vector<uint32_t> ends_;
  std::vector<uint8_t> nulls_;
  bool any_nulls_ = false;
};

}  // namespace pando::sql::exec
