#pragma once

// Which columns expressions and plans name. Pure.

#include <functional>
#include <set>
#include <vector>

#include "sql/plan/physical.h"

namespace pando::sql {

using ColumnSet = std::set<ColumnId>;

// Adds every column that `expr` names: for subqueries, the outer columns they are correlated with. Null expr: nothing.
void collect_columns(const ExprPtr& expr, ColumnSet& columns);
ColumnSet columns_of(const ExprPtr& expr);
ColumnSet outputs_of(const LogicalNode& node);
// Columns that a plan names but no node of it outputs: what it is correlated with.
ColumnSet free_columns(const LogicalPtr& plan);

bool is_subset(const ColumnSet& part, const ColumnSet& whole);
bool overlaps(const ColumnSet& a, const ColumnSet& b);

// Calls `visit` with each expression of one logical node (not of its inputs), and with each input.
void for_each_expr(const LogicalNode& node, const std::function<void(const ExprPtr&)>& visit);
void for_each_input(const LogicalNode& node, const std::function<void(const LogicalPtr&)>& visit);

}  // namespace pando::sql
