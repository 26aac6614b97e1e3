#pragma once

// IndexEntries: the keys and values of a table's secondary index entries for vectors of rows, with expressions and
// predicates evaluated.
//
//   PANDO_CO_TRY(co_await entries.compute(rows));            // one column per live attribute
//   for each index: if (entries.includes(index, row)) entries.entry(index, row, suffix, key, value);
//
// Thread-safety: one coroutine at a time.

#include "sql/exec/evaluator.h"
#include "sql/exec/table_layout.h"

namespace pando::sql::exec {

class IndexEntries {
 public:
  // Only the index `only`, if not 0. `layout` outlives it.
  static Result<IndexEntries> make(const TableLayout& layout, Runtime& runtime, types::Oid only = 0);

  struct Index {
    const IndexLayout* layout = nullptr;
    std::vector<types::Oid> types;  // per column
    // Per column: the position of a live attribute, or of an expression's value.
    struct Source {
      bool is_expression = false;
      std::size_t slot = 0;
    };
    std::vector<Source> sources;
    Condition predicate;
    Projection expressions;
    // A unique constraint that may be violated for a while: kept in the plain form and checked later.
    bool deferrable = false;
    types::Chunk values;            // of the expressions, for the last rows
    std::vector<uint8_t> included;  // for the last rows; empty means all
  };
  const std::vector<Index>& indexes() const { return indexes_; }

  Task<Status> compute(const types::Chunk& rows);
  bool includes(std::size_t index, std::size_t row) const {
    return indexes_[index].included.empty() || indexes_[index].included[row] != 0;
  }
  const types::Vector& column(std::size_t index, std::size_t column) const;

  struct Entry {
    Bytes key;
    Bytes value;
    // Another row may not have this key.
    bool unique = false;
  };
  // The entry of a row whose key ends with `suffix`.
  void entry(std::size_t index, std::size_t row, ByteView suffix, Entry& out) const;
  // The entry's key without a row suffix, and whether a column is NULL.
  void columns_key(std::size_t index, std::size_t row, Bytes& key, bool& has_null) const;

 private:
  const types::Chunk* rows_ = nullptr;
  std::vector<Index> indexes_;
};

}  // namespace pando::sql::exec
