#pragma once

// Query: one run of a physical plan.
//
//   Query query(plan, context);
//   PANDO_CO_TRY(co_await query.open());
//   types::Chunk rows;
//   while (true) {
//     PANDO_CO_ASSIGN(bool more, co_await query.next(rows));
//     if (!more) break;
//     ...                                    // columns as plan->result lists them
//   }
//   uint64_t changed = query.rows_affected();
//
// A portal may stop calling next() and go on later. An error ends the query: the session rolls back to the statement's
// savepoint. The code kRestartStatement asks the session to run the statement again (context.h).
//
// For statements that change data, rows_affected() is final once next() returned false; foreign keys and other checks
// at the statement's end have been made by then.
// Thread-safety: one coroutine at a time. Destroy it before the transaction ends.

#include <memory>

#include "sql/exec/context.h"
#include "sql/plan/physical.h"

namespace pando::sql::exec {

// What EXPLAIN ANALYZE shows of one node.
struct NodeActuals {
  uint64_t rows = 0;
  uint64_t loops = 0;
  uint64_t elapsed_ns = 0;
};
// nullptr for a node that never ran.
class ActualsByNode {
 public:
  virtual ~ActualsByNode() = default;
  virtual const NodeActuals* find(const PhysicalNode& node) const = 0;
};

class Query {
 public:
  Query(std::shared_ptr<const PhysicalQuery> plan, ExecutionContext context);
  ~Query();
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;

  Task<Status> open();
  // Replaces `out` with the next rows, at most types::kVectorRows and at least one; false means the end.
  Task<Result<bool>> next(types::Chunk& out);
  // Inserted, updated or deleted by the statement itself (not by its WITH clauses or cascades).
  uint64_t rows_affected() const;
  // REQUIRES: context.instrument.
  const ActualsByNode& actuals() const;

 private:
  class Execution;

  std::shared_ptr<const PhysicalQuery> plan_;
  std::optional<ExecutionContext> context_;  // until open()
  std::unique_ptr<Execution> execution_;
  bool ended_ = false;
};

// Makes the checks that were deferred to the end of the transaction (or those of one constraint, for SET CONSTRAINTS
// ... IMMEDIATE), and forgets them.
Task<Status> check_deferred(ExecutionContext& context, types::Oid constraint = 0);

}  // namespace pando::sql::exec
