#include "sql/optimize/optimize.h"

#include "sql/optimize/cardinality.h"
#include "sql/optimize/distribute.h"
#include "sql/optimize/physical_builder.h"
#include "sql/optimize/rewrite.h"

namespace pando::sql {

Result<PhysicalQuery> optimize(LogicalQuery query, OptimizeOptions options) {
  Cardinality cardinality(options.statistics);
  ColumnIds ids(query.next_column_id);
  LogicalPtr root = fold_constants(query.root, options.evaluation);
  root = inline_ctes(root);
  root = decorrelate(root, ids);
  root = push_down(root);
  // Once more for the subqueries that were in ON, over one side of their join: their conditions are at that side now.
  root = decorrelate(root, ids);
  root = push_down(root);
  if (options.methods.index_scan) {
    root = use_first_values(root, ids);
  }
  root = order_joins(root, cardinality);
  ColumnSet needed;
  for (const OutputColumn& column : query.result) {
    needed.insert(column.id);
  }
  root = prune_columns(root, needed);
  PANDO_TRY(constant_error(root, options.evaluation));
  PhysicalBuilder builder(options, cardinality, static_cast<uint32_t>(query.parameters.size()));
  PhysicalQuery plan;
  PANDO_ASSIGN(const PhysicalPtr built, builder.build(root));
  plan.root = distribute(built, options.methods);
  plan.result = std::move(query.result);
  plan.parameters = std::move(query.parameters);
  plan.parameter_slots = builder.parameter_slots();
  plan.modifies = builder.modifies();
  return plan;
}

}  // namespace pando::sql
