#pragma once

// Walking and rewriting expressions. Subqueries' plans are not entered: their `left` sides are.
//
//   for_each_child(expr, [&](const ExprPtr& child) { ... });
//   ExprPtr negated = rewrite_children(expr, [&](const ExprPtr& child) { return push_not(child); });
//
// Pure.

#include <type_traits>
#include <vector>

#include "sql/expr/expr.h"

namespace pando::sql {

// Calls `visit` with each non-null child of a node, in evaluation order. `node` may be const.
template <typename Node, typename Visit>
void for_each_child_of(Node& node, Visit&& visit) {
  using Plain = std::remove_const_t<Node>;
  const auto one = [&](auto& child) {
    if (child != nullptr) {
      visit(child);
    }
  };
  const auto all = [&](auto& children) {
    for (auto& child : children) {
      one(child);
    }
  };
  if constexpr (std::is_same_v<Plain, CallExpr> || std::is_same_v<Plain, LogicExpr> ||
                std::is_same_v<Plain, CoalesceExpr> || std::is_same_v<Plain, MinMaxExpr>) {
    all(node.arguments);
  } else if constexpr (std::is_same_v<Plain, CastExpr> || std::is_same_v<Plain, NullTestExpr> ||
                       std::is_same_v<Plain, BooleanTestExpr>) {
    one(node.argument);
  } else if constexpr (std::is_same_v<Plain, DistinctExpr> || std::is_same_v<Plain, NullIfExpr>) {
    one(node.left);
    one(node.right);
  } else if constexpr (std::is_same_v<Plain, CaseExpr>) {
    one(node.operand);
    for (auto& branch : node.branches) {
      one(branch.condition);
      one(branch.result);
    }
    one(node.otherwise);
  } else if constexpr (std::is_same_v<Plain, ArrayComparisonExpr>) {
    one(node.left);
    one(node.array);
  } else if constexpr (std::is_same_v<Plain, ArrayExpr>) {
    all(node.elements);
  } else if constexpr (std::is_same_v<Plain, RowExpr>) {
    all(node.fields);
  } else if constexpr (std::is_same_v<Plain, RowComparisonExpr>) {
    all(node.left);
    all(node.right);
  } else if constexpr (std::is_same_v<Plain, SubscriptExpr>) {
    one(node.container);
    for (auto& bound : node.bounds) {
      one(bound.lower);
      one(bound.upper);
    }
  } else if constexpr (std::is_same_v<Plain, FieldExpr>) {
    one(node.record);
  } else if constexpr (std::is_same_v<Plain, SubqueryExpr> || std::is_same_v<Plain, SubplanExpr>) {
    all(node.left);
  } else if constexpr (std::is_same_v<Plain, AggregateExpr>) {
    all(node.arguments);
    for (auto& order : node.order) {
      one(order.expr);
    }
    one(node.filter);
  } else if constexpr (std::is_same_v<Plain, WindowExpr>) {
    all(node.arguments);
    one(node.filter);
    all(node.partition);
    for (auto& order : node.order) {
      one(order.expr);
    }
    one(node.start.offset);
    one(node.end.offset);
  }
}

template <typename Visit>
void for_each_child(const ExprPtr& expr, Visit&& visit) {
  if (expr != nullptr) {
    std::visit([&](const auto& node) { for_each_child_of(node, visit); }, expr->node);
  }
}

// The expression with each child replaced by `rewrite(child)`; the same pointer when none changed.
template <typename Rewrite>
ExprPtr rewrite_children(const ExprPtr& expr, Rewrite&& rewrite) {
  std::vector<ExprPtr> children;
  bool changed = false;
  for_each_child(expr, [&](const ExprPtr& child) {
    children.push_back(rewrite(child));
    changed = changed || children.back() != child;
  });
  if (!changed) {
    return expr;
  }
  auto copy = std::make_shared<Expr>(*expr);
  std::size_t i = 0;
  std::visit([&](auto& node) { for_each_child_of(node, [&](ExprPtr& child) { child = std::move(children[i++]); }); },
             copy->node);
  return copy;
}

// Whether `test` holds for the expression or anything below it.
template <typename Test>
bool any_of(const ExprPtr& expr, Test&& test) {
  if (expr == nullptr) {
    return false;
  }
  bool found = test(expr);
  if (!found) {
    for_each_child(expr, [&](const ExprPtr& child) { found = found || any_of(child, test); });
  }
  return found;
}

}  // namespace pando::sql
