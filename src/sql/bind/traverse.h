#pragma once

// Walks over bound expressions. The plan of a SubqueryExpr and of a SubplanExpr is not entered; its left sides are.
// Internal to sql/bind. Pure; any thread.

#include <functional>

#include "base/status.h"
#include "sql/expr/expr.h"

namespace pando::sql {

// Calls `visit` with each direct child that is set.
void visit_children(const Expr& expr, const std::function<void(const ExprPtr&)>& visit);

// The expression with each direct child replaced by what `change` makes of it; the same pointer when nothing changed.
ExprPtr map_children(const ExprPtr& expr, const std::function<ExprPtr(const ExprPtr&)>& change);

// Whether two expressions are the same computation: types, functions, columns and constants alike; positions and
// spellings aside. Two subqueries are the same only when they are the same plan.
bool same_expr(const ExprPtr& a, const ExprPtr& b);

}  // namespace pando::sql
