#pragma once

// IndexBackfill: writes the entries of rows that were there before an index that writers maintain already.
//
//   IndexBackfill backfill(table, index_oid, context);
//   PANDO_CO_TRY(co_await backfill.fill(span));            // in a SERIALIZABLE transaction: locks no row
//   PANDO_CO_TRY(co_await backfill.fill_locked(row_keys)); // in a READ COMMITTED one: locks them
//
// A row that changes meanwhile must not get the entry of what it was. The first way relies on the commit, which fails
// with 40001 when a row of the span was changed; the second lets writers of these rows wait. Errors: 23505 as CREATE
// INDEX words it when two rows have the same unique key, which only the second way tells for sure: the first one fails
// with 40001. Thread-safety: one coroutine at a time.

#include "sql/exec/context.h"

namespace pando::sql::exec {

class IndexBackfill {
 public:
  // REQUIRES: the table has the index, all that `context` refers to outlives this object.
  IndexBackfill(catalog::TablePtr table, types::Oid index, ExecutionContext context);
  ~IndexBackfill();
  IndexBackfill(const IndexBackfill&) = delete;
  IndexBackfill& operator=(const IndexBackfill&) = delete;

  Task<Status> fill(txn::Span rows);
  Task<Status> fill_locked(std::vector<Bytes> row_keys);

 private:
  class Work;
  std::unique_ptr<Work> work_;
};

}  // namespace pando::sql::exec
