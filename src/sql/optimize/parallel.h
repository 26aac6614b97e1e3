#pragma once

// Which parts of a plan several threads may run at once. Pure.

#include "sql/plan/physical.h"

namespace pando::sql {

// Whether `expr` can be computed by any thread: it reads nothing but its columns, parameters and settings.
bool is_parallel_safe(const ExprPtr& expr);
// Whether `plan` is a scan of a table's rows, at least `rows_min` of them, with filters, projections and probes of hash
// joins above it that any thread can run over a part of the table.
bool is_parallel_input(const PhysicalPtr& plan, double rows_min);

}  // namespace pando::sql
