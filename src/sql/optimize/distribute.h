#pragma once

// distribute: which parts of a plan run where the rows lie (GatherPlan). A scan with the filters and projections above
// it, when fewer rows or columns come out of it than it reads; and an aggregate over one, in two steps: partial states
// there, combined here. Only what gives the same on every node is moved: expressions over columns call immutable
// functions, and those without columns are computed before the program is sent. Pure.

#include "sql/optimize/optimize.h"

namespace pando::sql {

PhysicalPtr distribute(const PhysicalPtr& plan, const PlanMethods& methods);

}  // namespace pando::sql
