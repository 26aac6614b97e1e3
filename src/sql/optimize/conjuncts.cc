#include "sql/optimize/conjuncts.h"

#include <algorithm>
#include <array>

#include "sql/expr/walk.h"
#include "sql/function/function.h"

namespace pando::sql {
namespace {

constexpr std::array<std::string_view, 6> kComparisons = {"=", "<>", "<", "<=", ">", ">="};

ExprPtr combine(std::vector<ExprPtr> arguments, LogicExpr::Kind kind) {
  if (arguments.empty()) {
    return nullptr;
  }
  if (arguments.size() == 1) {
    return std::move(arguments[0]);
  }
  return make_expr({types::oid::kBool}, LogicExpr{kind, std::move(arguments)});
}

// The cast of `expr` to `target` that SQL makes by itself; nullptr when there is none.
ExprPtr implicit_cast(const ExprPtr& expr, types::Oid target) {
  const CastEntry* cast = find_cast(expr->type.oid, target);
  if (cast == nullptr || cast->context != CastContext::kImplicit) {
    return nullptr;
  }
  if (cast->method == CastMethod::kBinary) {
    return make_expr({target}, CastExpr{CastExpr::Method::kRelabel, expr, nullptr, false});
  }
  if (cast->method != CastMethod::kFunction || cast->function->arguments.size() != 1) {
    return nullptr;
  }
  return make_expr({target}, CallExpr{cast->function, {expr}, "", false});
}

}  // namespace

ExprPtr combine_conjuncts(std::vector<ExprPtr> conjuncts) {
  return combine(std::move(conjuncts), LogicExpr::Kind::kAnd);
}
ExprPtr combine_disjuncts(std::vector<ExprPtr> disjuncts) {
  return combine(std::move(disjuncts), LogicExpr::Kind::kOr);
}

std::optional<Comparison> as_comparison(const ExprPtr& expr) {
  const auto* call = as<CallExpr>(expr);
  if (call == nullptr || call->arguments.size() != 2) {
    return std::nullopt;
  }
  const auto found = std::ranges::find(kComparisons, call->spelling);
  if (found == kComparisons.end()) {
    return std::nullopt;
  }
  return Comparison{*found, call->arguments[0], call->arguments[1], call->function};
}

std::string_view flipped(std::string_view op) {
  if (op == "<") {
    return ">";
  }
  if (op == ">") {
    return "<";
  }
  if (op == "<=") {
    return ">=";
  }
  return op == ">=" ? "<=" : op;
}

const Function* find_operator(std::string_view name, types::Oid left, types::Oid right) {
  for (const Operator* candidate : operators_named(name)) {
    if (candidate->left == left && candidate->right == right) {
      return candidate->function;
    }
  }
  return nullptr;
}

ExprPtr make_equality(const ExprPtr& left, const ExprPtr& right) {
  ExprPtr a = left;
  ExprPtr b = right;
  const Function* equality = find_operator("=", a->type.oid, b->type.oid);
  if (equality == nullptr && unify_types(a, b)) {
    equality = find_operator("=", a->type.oid, b->type.oid);
  }
  return equality == nullptr ? nullptr : make_expr({types::oid::kBool}, CallExpr{equality, {a, b}, "=", false});
}

bool unify_types(ExprPtr& left, ExprPtr& right) {
  if (left->type.oid == right->type.oid) {
    return true;
  }
  if (ExprPtr cast = implicit_cast(left, right->type.oid)) {
    left = std::move(cast);
    return true;
  }
  if (ExprPtr cast = implicit_cast(right, left->type.oid)) {
    right = std::move(cast);
    return true;
  }
  return false;
}

bool has_subquery(const ExprPtr& expr) {
  return any_of(
      expr, [](const ExprPtr& part) { return as<SubqueryExpr>(part) != nullptr || as<SubplanExpr>(part) != nullptr; });
}

bool is_true_constant(const ExprPtr& expr) {
  const auto* constant = as<ConstantExpr>(expr);
  return constant != nullptr && !constant->value.is_null() && constant->value.holds<bool>() &&
         constant->value.as<bool>();
}

bool is_false_or_null_constant(const ExprPtr& expr) {
  const auto* constant = as<ConstantExpr>(expr);
  return constant != nullptr &&
         (constant->value.is_null() || (constant->value.holds<bool>() && !constant->value.as<bool>()));
}

}  // namespace pando::sql
