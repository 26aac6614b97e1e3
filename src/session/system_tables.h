#pragma once

// SystemTables: the rows of pg_catalog's, information_schema's and pando's virtual tables, for one session.
// TableExpressionCache: the bound expressions of tables' definitions (defaults, checks, generated columns, indexes).
//
// Thread-safety: the session's coroutine only.

#include <functional>
#include <map>

#include "catalog/system_relations.h"
#include "session/environment.h"
#include "sql/exec/context.h"

namespace pando::session {

class SystemTables final : public sql::exec::VirtualTables {
 public:
  // Both outlive this object. `snapshot` gives the catalog as the transaction sees it; `source` the rows that only the
  // session knows.
  SystemTables(SessionEnvironment& environment, runtime::Executor& executor,
               std::function<catalog::SnapshotPtr()> snapshot, catalog::SystemRowSource source)
      : environment_(environment), executor_(executor), snapshot_(std::move(snapshot)), source_(std::move(source)) {}

  Task<Result<std::vector<types::Chunk>>> rows(catalog::TablePtr table,
                                               std::vector<catalog::AttributeNumber> attributes) override;
  // The rows that the next scan of COPY's source gives, all columns in order.
  void set_copy_rows(catalog::TablePtr source, std::vector<types::Chunk> rows) {
    copy_source_ = std::move(source);
    copy_rows_ = std::move(rows);
  }

 private:
  catalog::TablePtr copy_source_;
  std::vector<types::Chunk> copy_rows_;
  // The one row of a sequence.
  Task<Result<std::vector<types::Chunk>>> sequence_rows(catalog::TablePtr table, catalog::SequencePtr sequence);

  // Of pando.jobs.
  Task<Result<std::vector<types::Chunk>>> job_rows(catalog::TablePtr table);

  SessionEnvironment& environment_;
  runtime::Executor& executor_;
  std::function<catalog::SnapshotPtr()> snapshot_;
  catalog::SystemRowSource source_;
};

class TableExpressionCache final : public sql::exec::TableExpressionSource {
 public:
  using Binder = std::function<Result<sql::TableExpressionsPtr>(catalog::TablePtr)>;
  explicit TableExpressionCache(Binder bind) : bind_(std::move(bind)) {}

  Result<sql::TableExpressionsPtr> expressions(catalog::TablePtr table) override;

 private:
  struct Entry {
    catalog::TablePtr table;
    sql::TableExpressionsPtr expressions;
  };
  // More tables than this written by one session at a time are rare; all are forgotten then.
  static constexpr std::size_t kTablesMax = 256;

  Binder bind_;
  std::map<types::Oid, Entry> entries_;
};

}  // namespace pando::session
