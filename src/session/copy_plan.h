#pragma once

// The plan of COPY FROM: an INSERT whose one row of parameters is replaced by the rows of a virtual table, which hands
// out what the client sent. Pure functions.

#include <memory>
#include <string>
#include <vector>

#include "catalog/descriptor.h"
#include "session/copy_input.h"
#include "sql/plan/physical.h"

namespace pando::session {

// A virtual table with these columns, in no schema.
catalog::TablePtr make_copy_source(const std::vector<CopyColumn>& columns);

// `insert` is the plan of INSERT ... VALUES ($1, ..., $n), `source` a make_copy_source of n columns. Rows for which
// `where` does not hold are left out; null takes all. Its columns are the target's attribute numbers. nullptr when the
// plan is not of that shape.
std::shared_ptr<const sql::PhysicalQuery> plan_copy(const sql::PhysicalQuery& insert, catalog::TablePtr source,
                                                    const sql::ExprPtr& where);

}  // namespace pando::session
