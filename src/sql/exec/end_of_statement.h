#pragma once

// What a statement leaves to its end: the checks and actions of foreign keys, which write further rows, which call for
// further checks, until there are none.

#include "sql/exec/table_writer.h"

namespace pando::sql::exec {

// Writes rows of a table that refer to changed rows: by CASCADE, SET NULL or SET DEFAULT.
class ReferencingWriter {
 public:
  static Result<std::unique_ptr<ReferencingWriter>> make(catalog::TablePtr table, Runtime& runtime);

  const TableLayout& layout() const { return writer_->layout(); }
  Task<Status> erase(const types::Chunk& rows, const std::vector<Bytes>& keys);
  // Sets `columns` to `values`, the same for every row; generated columns follow.
  Task<Status> set(const types::Chunk& rows, const std::vector<Bytes>& keys,
                   std::vector<catalog::AttributeNumber> columns, std::vector<types::Value> values);
  Task<Status> set_default(const types::Chunk& rows, const std::vector<Bytes>& keys,
                           std::vector<catalog::AttributeNumber> columns);
  // The rows are written: the checks they call for come next.
  void hand_over();

 private:
  ReferencingWriter(Runtime& runtime) : runtime_(runtime) {}
  Task<Status> replace(const types::Chunk& rows, const std::vector<Bytes>& keys, types::Chunk changed);

  Runtime& runtime_;
  TableExpressionsPtr expressions_;
  std::unique_ptr<TableWriter> writer_;
};

}  // namespace pando::sql::exec
