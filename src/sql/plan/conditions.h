#pragma once

// What binder and optimizer ask of conditions and other expressions. Pure.

#include <vector>

#include "sql/expr/expr.h"

namespace pando::sql {

// Appends the conjuncts of `condition`; nothing for a null one.
void split_conjuncts(const ExprPtr& condition, std::vector<ExprPtr>& conjuncts);
std::vector<ExprPtr> conjuncts_of(const ExprPtr& condition);

bool is_volatile(const ExprPtr& expr);

}  // namespace pando::sql
