#pragma once

// The plan of several grouping sets: the union of one grouping each, over an input that is computed once. Internal to
// sql/bind. Pure but for the ids that the context gives out.

#include <vector>

#include "sql/bind/context.h"
#include "sql/plan/logical.h"

namespace pando::sql {

// Indexes into a list of groups, one list for each set.
using GroupingSets = std::vector<std::vector<uint32_t>>;

// GROUPING(...): a bit for each argument, the first one highest: 1 where a row's grouping set does not group by it.
struct GroupingColumn {
  OutputColumn column;
  std::vector<uint32_t> arguments;  // indexes into the groups
};

// Outputs the groups and the aggregates.
LogicalPtr aggregate_once(AggregateNode node);
// Outputs the groups, NULL where a row's set leaves them out, the grouping columns and the aggregates.
LogicalPtr aggregate_sets(BindContext& context, AggregateNode node, const GroupingSets& sets,
                          const std::vector<GroupingColumn>& groupings);

}  // namespace pando::sql
