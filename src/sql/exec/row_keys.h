#pragma once

// RowKeys: sort, group and join keys as byte strings or words.
//
//   PANDO_ASSIGN(auto keys, RowKeys::make(sort_keys, scope, runtime));      // bytes in the order of the rows
//   PANDO_ASSIGN(auto keys, RowKeys::make_equality(exprs, scope, runtime)); // equal rows, and no others, have equal
//   keys PANDO_CO_TRY(co_await keys.compute(chunk)); if (keys.key(0) < keys.key(1)) ...
//
// Equality keys have no order. When all columns together take eight bytes they are words, without any byte string:
// is_word(); KeyTable takes either form. Rows of the two sides of a join have comparable keys when their columns have
// the same types.
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
  static Result<RowKeys> make_equality(const std::vector<ExprPtr>& exprs, const Scope& scope, Runtime& runtime);

  // Computes the keys of all rows of `chunk`. Views of earlier keys become invalid.
  Task<Status> compute(const types::Chunk& chunk);
  std::size_t rows() const { return rows_; }

  // Whether every key is a word and a mask of its NULL columns, whatever the rows.
  bool is_word() const { return form_ == Form::kWord; }
  // REQUIRES: is_word().
  uint64_t word(std::size_t row) const { return words_[row]; }
  uint8_t null_mask(std::size_t row) const { return any_nulls_ ? nulls_[row] : 0; }
  // REQUIRES: !is_word().
  ByteView key(std::size_t row) const {
    const uint32_t start = row == 0 ? 0 : ends_[row - 1];
    return ByteView(arena_).substr(start, ends_[row] - start);
  }
  uint64_t hash(std::size_t row) const;
  static uint64_t hash_of_word(uint64_t word, uint8_t null_mask);

  // Whether any column of the row's key is NULL.
  bool has_null(std::size_t row) const { return any_nulls_ && nulls_[row] != 0; }
  // Whether any key of the last chunk has a NULL column.
  bool any_null() const { return any_nulls_; }
  // The key columns' values for the last chunk.
  const types::Chunk& values() const { return values_; }

 private:
  enum class Form : uint8_t { kOrdered, kEquality, kWord };
  struct Column {
    types::Oid type;
    types::KeyOrder order;
    // Equal values have equal representations.
    bool exact = false;
    // Bytes of the representation; 0 for byte strings.
    std::size_t width = 0;
  };
  void note_nulls();
  void compute_ordered();
  void compute_words();
  void compute_equality();
  // Of one column: adds the sizes to ends_; the same for one that is not exact; writes one value and returns its end.
  void add_sizes(std::size_t i);
  void encode(std::size_t i);
  char* write(std::size_t i, std::size_t row, char* at) const;

  Projection projection_;
  std::vector<Column> columns_;
  Form form_ = Form::kOrdered;
  std::size_t rows_ = 0;
  types::Chunk values_;
  Bytes arena_;
  std::vector<uint32_t> ends_;
  std::vector<uint64_t> words_;
  // A bit for each NULL column; those beyond the eighth share one.
  std::vector<uint8_t> nulls_;
  bool any_nulls_ = false;
  // Scratch: the encoded values of columns that are not exact.
  std::vector<Bytes> encoded_;
  std::vector<std::vector<uint32_t>> encoded_ends_;
};

}  // namespace pando::sql::exec
