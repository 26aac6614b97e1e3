#pragma once

// Conditions as lists of conjuncts (sql/plan/conditions.h), and the comparisons in them. Pure.

#include <optional>
#include <string_view>
#include <vector>

#include "sql/plan/columns.h"
#include "sql/plan/conditions.h"

namespace pando::sql {

// Null for no conjuncts.
ExprPtr combine_conjuncts(std::vector<ExprPtr> conjuncts);
ExprPtr combine_disjuncts(std::vector<ExprPtr> disjuncts);

// left op right with op one of = <> < <= > >=.
struct Comparison {
  std::string_view op;
  ExprPtr left;
  ExprPtr right;
  const Function* function = nullptr;
};
std::optional<Comparison> as_comparison(const ExprPtr& expr);
// "<" for ">" and so on: the operator with its sides exchanged.
std::string_view flipped(std::string_view op);

// The operator function `name` on these types; nullptr when there is none.
const Function* find_operator(std::string_view name, types::Oid left, types::Oid right);
// left = right, cast to a type that both have; nullptr when there is none.
ExprPtr make_equality(const ExprPtr& left, const ExprPtr& right);

// Brings the two sides of an equality to one type, so that equal values have equal keys; false when no implicit cast
// does it.
bool unify_types(ExprPtr& left, ExprPtr& right);

// Whether it has a subquery or subplan.
bool has_subquery(const ExprPtr& expr);
bool is_true_constant(const ExprPtr& expr);
bool is_false_or_null_constant(const ExprPtr& expr);

}  // namespace pando::sql
