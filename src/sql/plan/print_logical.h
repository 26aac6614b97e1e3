#pragma once

// A logical plan as text, one node a line, for tests and for debugging the binder and the optimizer. Columns are
// written name#id, so that the text shows which is which.

#include <string>

#include "sql/plan/logical.h"

namespace pando::sql {

std::string print_logical(const LogicalPtr& plan);
// An expression as print_expr writes it, with column ids, and the plans of its subqueries in brackets.
std::string print_with_ids(const ExprPtr& expr);

}  // namespace pando::sql
