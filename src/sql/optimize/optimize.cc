#include "sql/optimize/optimize.h"

#include "sql/optimize/cardinality.h"
#include "sql/optimize/physical_builder.h"

namespace pando::sql {

Result<PhysicalQuery> optimize(LogicalQuery query, OptimizeOptions options) {
  Cardinality cardinality(options.statistics);
  PhysicalBuilder builder(options, cardinality, static_cast<uint32_t>(query.parameters.size()));
  PhysicalQuery plan;
  PANDO_ASSIGN(plan.root, builder.build(query.root));
  plan.result = std::move(query.result);
  plan.parameters = std::move(query.parameters);
  plan.parameter_slots = builder.parameter_slots();
  plan.modifies = builder.modifies();
  return plan;
}

}  // namespace pando::sql
