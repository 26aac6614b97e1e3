#pragma once

// Looking rows up by the values of some columns: what foreign keys and deferred unique constraints need.
// Reads see this transaction's writes up to the last begin_statement().

#include "sql/exec/row_reader.h"
#include "sql/exec/runtime.h"

namespace pando::sql::exec {

// A value of one type as a value of another that it is compared with; through the text form when it must be.
Result<types::Value> convert_key(const types::Value& value, types::Type from, types::Type to, Runtime& runtime);

// The key that a row with these values in the columns of a unique index has there: its own, or its entry's. `columns`
// and `values` are in any order that covers the index's columns; no NULLs.
Bytes key_in_index(const TableLayout& layout, types::Oid index, const std::vector<catalog::AttributeNumber>& columns,
                   const std::vector<types::Value>& values);

// Whether a row has these values in the columns of a unique index, its lock taken (kKeyShare) so that it stays.
// `columns` and `values` as above.
Task<Result<bool>> lock_referenced_row(const TableLayout& layout, types::Oid index,
                                       std::vector<catalog::AttributeNumber> columns, std::vector<types::Value> values,
                                       Runtime& runtime);

// Walks the rows whose `columns` equal `values`, through an index that starts with these columns if there is one.
class MatchingRows {
 public:
  // Reads all live columns. `layout` outlives it.
  static Result<std::unique_ptr<MatchingRows>> make(const TableLayout& layout,
                                                    std::vector<catalog::AttributeNumber> columns,
                                                    std::vector<types::Value> values, Runtime& runtime);
  // Replaces `rows` (one column per live attribute) and `keys` with some next rows; false at the end.
  Task<Result<bool>> next(types::Chunk& rows, std::vector<Bytes>& keys);

 private:
  MatchingRows(const TableLayout& layout, std::vector<catalog::AttributeNumber> columns,
               std::vector<types::Value> values, RowReader reader, Runtime& runtime);
  void choose_index();
  Task<Status> fetch();
  void keep_equal(types::Chunk& rows, std::vector<Bytes>& keys);

  const TableLayout& layout_;
  std::vector<catalog::AttributeNumber> columns_;
  std::vector<types::Value> values_;
  RowReader reader_;
  Runtime& runtime_;
  const IndexLayout* index_ = nullptr;
  txn::Span span_;
  std::unique_ptr<txn::Cursor> cursor_;
  txn::KeyValueBatch batch_;
  txn::KeyValueBatch fetched_;
};

}  // namespace pando::sql::exec
