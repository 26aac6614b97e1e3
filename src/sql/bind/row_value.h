#pragma once

// Rows as values, while binding. Internal to sql/bind. Pure.

#include "sql/expr/expr.h"

namespace pando::sql {

// The row that a value is, where its fields are in sight: also a table's row that an outer join may lack, whose columns
// are NULL then as its fields are. nullptr for other values.
const RowExpr* row_in(const ExprPtr& value);

}  // namespace pando::sql
