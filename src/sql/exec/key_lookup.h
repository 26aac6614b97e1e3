#pragma once

// Looking rows up by the values of some columns: what foreign keys and deferred unique constraints need.
// Reads see this transaction's writes up to the last begin_statement().

#include <unordered_map>

#include "sql/exec/row_reader.h"
#include "sql/exec/runtime.h"

namespace pando::sql::exec {

// Columns of a table.
struct KeyColumns {
  const catalog::TableDescriptor& table;
  const std::vector<catalog::AttributeNumber>& columns;
};
// A key of some columns as a key of the columns that they are compared with. Nothing when those cannot hold it: then no
// row there has it.
std::optional<std::vector<types::Value>> convert_key(const std::vector<types::Value>& key, KeyColumns from,
                                                     KeyColumns to, Runtime& runtime);

// The key that a row with these values in the columns of a unique index has there: its own, or its entry's. `columns`
// and `values` are in any order that covers the index's columns; no NULLs.
Bytes key_in_index(const TableLayout& layout, types::Oid index, const std::vector<catalog::AttributeNumber>& columns,
                   const std::vector<types::Value>& values);

// Whether a row has these values in the columns of a unique index, its lock taken (kKeyShare) so that it stays.
// `columns` and `values` as above.
Task<Result<bool>> lock_referenced_row(const TableLayout& layout, types::Oid index,
                                       std::vector<catalog::AttributeNumber> columns, std::vector<types::Value> values,
                                       Runtime& runtime);

// Walks the rows whose `columns` equal one of several keys: through an index that starts with these columns, key by
// key; without one it looks at all rows, once.
class MatchingRows {
 public:
  using Key = std::vector<types::Value>;
  // What next() finds: all live columns, the rows' keys in the store, and the position in `keys` of what each equals.
  struct Rows {
    types::Chunk rows;
    std::vector<Bytes> row_keys;
    std::vector<uint32_t> matched;
  };
  // Of equal keys the first is found. No NULLs. `layout` outlives it.
  static Result<std::unique_ptr<MatchingRows>> make(const TableLayout& layout,
                                                    std::vector<catalog::AttributeNumber> columns,
                                                    const std::vector<Key>& keys, Runtime& runtime);
  // Replaces `found` with some next rows; false at the end.
  Task<Result<bool>> next(Rows& found);

 private:
  MatchingRows(const TableLayout& layout, std::vector<catalog::AttributeNumber> columns, RowReader reader,
               Runtime& runtime);
  void choose_spans(const std::vector<Key>& keys);
  bool open_next_span();
  Task<Status> fetch();
  void keep_matching(Rows& found);

  const TableLayout& layout_;
  const std::vector<catalog::AttributeNumber> columns_;
  RowReader reader_;
  Runtime& runtime_;
  const IndexLayout* index_ = nullptr;
  // One for each key; or one for all of them.
  std::vector<txn::Span> spans_;
  bool by_key_ = false;
  std::size_t next_span_ = 0;
  std::unordered_map<Bytes, uint32_t> positions_;
  std::unique_ptr<txn::Cursor> cursor_;
  txn::KeyValueBatch batch_;
  txn::KeyValueBatch fetched_;
};

}  // namespace pando::sql::exec
