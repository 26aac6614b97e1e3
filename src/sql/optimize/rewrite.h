#pragma once

// The rewrites of logical plans, in the order in which optimize() applies them. Each gives an equivalent plan; all are
// pure apart from constant folding, which calls immutable functions through the EvaluationContext.

#include "base/status.h"
#include "sql/function/evaluation_context.h"
#include "sql/optimize/cardinality.h"
#include "sql/plan/columns.h"

namespace pando::sql {

// Gives out new column ids.
class ColumnIds {
 public:
  explicit ColumnIds(uint32_t next) : next_(next) {}
  ColumnId next() { return ColumnId(next_++); }

 private:
  uint32_t next_;
};

// The same node over other inputs and expressions. The functions get each input and each expression once.
LogicalPtr rebuild(const LogicalPtr& plan, const std::function<LogicalPtr(const LogicalPtr&)>& input,
                   const std::function<ExprPtr(const ExprPtr&)>& expr);

// Computes constant parts of expressions, and simplifies AND, OR, NOT, CASE and COALESCE around them. A part that gives
// an error is left as it is.
ExprPtr fold_constants(const ExprPtr& expr, EvaluationContext* evaluation);
LogicalPtr fold_constants(const LogicalPtr& plan, EvaluationContext* evaluation);
// The error of a constant part that folding reaches, whether or not a row ever would: PostgreSQL raises it too.
Status constant_error(const LogicalPtr& plan, EvaluationContext* evaluation);

// WITH definitions read once become part of the plan that reads them, unless they are volatile, change data or say
// MATERIALIZED.
LogicalPtr inline_ctes(const LogicalPtr& plan);

// EXISTS, IN and their negations in conditions become semi and anti joins; scalar subqueries over an aggregate that are
// correlated by equalities become left joins.
LogicalPtr decorrelate(const LogicalPtr& plan, ColumnIds& ids);

// Conditions move as close to the tables as they can; outer joins whose NULL rows a condition drops become inner.
LogicalPtr push_down(const LogicalPtr& plan);

// min() and max() of whole tables read the first row of an index.
LogicalPtr use_first_values(const LogicalPtr& plan, ColumnIds& ids);

// Orders inner joins by cost.
LogicalPtr order_joins(const LogicalPtr& plan, Cardinality& cardinality);

// Drops columns that nothing above reads.
LogicalPtr prune_columns(const LogicalPtr& plan, const ColumnSet& needed);

}  // namespace pando::sql
