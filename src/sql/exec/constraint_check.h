#pragma once

// ConstraintCheck: whether rows that were there before a constraint keep it, a piece of them at a time. Writers keep it
// already, so what was looked at stays well.
//
//   ConstraintCheck check(table, constraint_oid, context);
//   PANDO_CO_ASSIGN(auto piece, co_await check.check(span, rows_max));     // in a READ COMMITTED transaction
//   piece.next                                                            // where the next one begins
//
// Of a CHECK and a FOREIGN KEY; all others are kept by their indexes. Locks nothing. Errors: 23514 and 23503 as
// VALIDATE CONSTRAINT words them. Thread-safety: one coroutine at a time.

#include "sql/exec/context.h"

namespace pando::sql::exec {

class ConstraintCheck {
 public:
  // REQUIRES: the table has the constraint, all that `context` refers to outlives this object.
  ConstraintCheck(catalog::TablePtr table, types::Oid constraint, ExecutionContext context);
  ~ConstraintCheck();
  ConstraintCheck(const ConstraintCheck&) = delete;
  ConstraintCheck& operator=(const ConstraintCheck&) = delete;

  struct Piece {
    std::size_t rows = 0;
    // The key behind the last row. Empty: no row of the span is left.
    Bytes next;
  };
  // Looks at rows from the start of the span on, at most about `rows_max`.
  Task<Result<Piece>> check(txn::Span rows, std::size_t rows_max);

 private:
  class Work;
  std::unique_ptr<Work> work_;
};

}  // namespace pando::sql::exec
