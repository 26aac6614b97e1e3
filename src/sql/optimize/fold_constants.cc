#include <algorithm>

#include "sql/expr/walk.h"
#include "sql/function/function.h"
#include "sql/optimize/conjuncts.h"
#include "sql/optimize/rewrite.h"

namespace pando::sql {
namespace {

using types::Value;
using types::Vector;

const Value* constant_of(const ExprPtr& expr) {
  const auto* constant = as<ConstantExpr>(expr);
  return constant == nullptr ? nullptr : &constant->value;
}

std::optional<bool> known_bool(const ExprPtr& expr) {
  const Value* value = constant_of(expr);
  return value != nullptr && value->holds<bool>() ? std::optional(value->as<bool>()) : std::nullopt;
}

class Folder {
 public:
  explicit Folder(EvaluationContext* evaluation) : evaluation_(evaluation) {}

  ExprPtr fold(const ExprPtr& expr) {
    const ExprPtr folded = rewrite_children(expr, [&](const ExprPtr& child) { return fold(child); });
    if (const auto* call = as<CallExpr>(folded)) {
      return fold_call(folded, *call);
    }
    if (const auto* logic = as<LogicExpr>(folded)) {
      return fold_logic(folded, *logic);
    }
    if (const auto* test = as<NullTestExpr>(folded)) {
      const Value* value = constant_of(test->argument);
      return value == nullptr ? folded : make_constant(folded->type, Value::of_bool(value->is_null() != test->is_not));
    }
    if (const auto* choice = as<CaseExpr>(folded)) {
      return fold_case(folded, *choice);
    }
    if (const auto* coalesce = as<CoalesceExpr>(folded)) {
      return fold_coalesce(folded, *coalesce);
    }
    return folded;
  }

 private:
  ExprPtr fold_call(const ExprPtr& expr, const CallExpr& call) {
    const Function& function = *call.function;
    if (evaluation_ == nullptr || function.volatility != Volatility::kImmutable || function.scalar == nullptr ||
        function.kind != FunctionKind::kScalar) {
      return expr;
    }
    std::vector<Vector> vectors;
    std::vector<types::Type> types;
    bool all_known = true;
    for (const ExprPtr& argument : call.arguments) {
      const Value* value = constant_of(argument);
      if (value == nullptr) {
        all_known = false;
        continue;
      }
      if (value->is_null() && function.strict) {
        return make_constant(expr->type, Value::null());
      }
      vectors.emplace_back(types::physical_of(argument->type.oid)).reset_constant(*value, 1);
      types.push_back(argument->type);
    }
    if (!all_known) {
      return expr;
    }
    std::vector<const Vector*> pointers;
    for (const Vector& vector : vectors) {
      pointers.push_back(&vector);
    }
    Vector result(types::physical_of(expr->type.oid));
    result.reset(1);
    const Status status = function.scalar(*evaluation_, {types, expr->type}, pointers, 1, result);
    return status.ok() ? make_constant(expr->type, result.get(0)) : expr;
  }

  static ExprPtr fold_logic(const ExprPtr& expr, const LogicExpr& logic) {
    if (logic.kind == LogicExpr::Kind::kNot) {
      return fold_not(expr, logic.arguments[0]);
    }
    const bool is_or = logic.kind == LogicExpr::Kind::kOr;
    std::vector<ExprPtr> kept;
    bool changed = false;
    for (const ExprPtr& argument : logic.arguments) {
      const auto known = known_bool(argument);
      if (known && *known == is_or) {
        // Decides, unless an argument before it may raise an error first, which PostgreSQL ignores too.
        return argument;
      }
      if (known) {
        changed = true;
        continue;
      }
      const auto* nested = as<LogicExpr>(argument);
      if (nested != nullptr && nested->kind == logic.kind) {
        kept.insert(kept.end(), nested->arguments.begin(), nested->arguments.end());
        changed = true;
      } else {
        kept.push_back(argument);
      }
    }
    if (kept.empty()) {
      return make_constant(expr->type, Value::of_bool(!is_or));
    }
    if (!changed) {
      return expr;
    }
    return is_or ? combine_disjuncts(std::move(kept)) : combine_conjuncts(std::move(kept));
  }

  static ExprPtr fold_not(const ExprPtr& expr, const ExprPtr& argument) {
    if (const Value* value = constant_of(argument)) {
      return value->is_null() ? make_constant(expr->type, Value::null())
                              : make_constant(expr->type, Value::of_bool(!value->as<bool>()));
    }
    if (const auto* nested = as<LogicExpr>(argument)) {
      if (nested->kind == LogicExpr::Kind::kNot) {
        return nested->arguments[0];
      }
      // De Morgan, so that conjuncts come to light.
      std::vector<ExprPtr> negated;
      for (const ExprPtr& part : nested->arguments) {
        const ExprPtr wrapped = make_expr(expr->type, LogicExpr{LogicExpr::Kind::kNot, {part}});
        negated.push_back(fold_not(wrapped, part));
      }
      return nested->kind == LogicExpr::Kind::kAnd ? combine_disjuncts(std::move(negated))
                                                   : combine_conjuncts(std::move(negated));
    }
    if (const auto* test = as<NullTestExpr>(argument);
        test != nullptr && as<RowExpr>(test->argument) == nullptr && test->argument->type.oid != types::oid::kRecord) {
      return make_expr(expr->type, NullTestExpr{test->argument, !test->is_not});
    }
    if (const auto comparison = as_comparison(argument)) {
      if (ExprPtr negated = negate_comparison(*comparison, expr->type)) {
        return negated;
      }
    }
    return expr;
  }

  static ExprPtr negate_comparison(const Comparison& comparison, types::Type type) {
    const std::string_view op = comparison.op;
    const std::string_view negated = op == "="    ? "<>"
                                     : op == "<>" ? "="
                                     : op == "<"  ? ">="
                                     : op == "<=" ? ">"
                                     : op == ">"  ? "<="
                                                  : "<";
    const Function* function =
        find_operator(negated, comparison.function->arguments[0], comparison.function->arguments[1]);
    return function == nullptr
               ? nullptr
               : make_expr(type, CallExpr{function, {comparison.left, comparison.right}, std::string(negated), false});
  }

  static ExprPtr fold_case(const ExprPtr& expr, const CaseExpr& choice) {
    if (choice.operand != nullptr) {
      return expr;
    }
    CaseExpr kept;
    kept.otherwise = choice.otherwise;
    for (const CaseExpr::Branch& branch : choice.branches) {
      const Value* known = constant_of(branch.condition);
      if (known == nullptr) {
        kept.branches.push_back(branch);
        continue;
      }
      if (!known->is_null() && known->as<bool>()) {
        kept.otherwise = branch.result;
        break;
      }
    }
    if (kept.branches.empty()) {
      return kept.otherwise;
    }
    const bool same = kept.branches.size() == choice.branches.size() && kept.otherwise == choice.otherwise;
    return same ? expr : make_expr(expr->type, std::move(kept), expr->position);
  }

  static ExprPtr fold_coalesce(const ExprPtr& expr, const CoalesceExpr& coalesce) {
    CoalesceExpr kept;
    for (const ExprPtr& argument : coalesce.arguments) {
      const Value* known = constant_of(argument);
      if (known != nullptr && known->is_null()) {
        continue;
      }
      kept.arguments.push_back(argument);
      if (known != nullptr) {
        break;
      }
    }
    if (kept.arguments.empty()) {
      return make_constant(expr->type, Value::null());
    }
    if (kept.arguments.size() == 1) {
      return kept.arguments[0];
    }
    return kept.arguments.size() == coalesce.arguments.size() ? expr : make_expr(expr->type, std::move(kept));
  }

  EvaluationContext* evaluation_;
};

}  // namespace

ExprPtr fold_constants(const ExprPtr& expr, EvaluationContext* evaluation) {
  const ExprPtr folded = Folder(evaluation).fold(expr);
  if (!has_subquery(folded)) {
    return folded;
  }
  // Subqueries' own plans.
  const std::function<ExprPtr(const ExprPtr&)> enter = [&](const ExprPtr& part) -> ExprPtr {
    const ExprPtr entered = rewrite_children(part, enter);
    const auto* subquery = as<SubqueryExpr>(entered);
    if (subquery == nullptr) {
      return entered;
    }
    LogicalPtr plan = fold_constants(subquery->plan, evaluation);
    if (plan == subquery->plan) {
      return entered;
    }
    SubqueryExpr copy = *subquery;
    copy.plan = std::move(plan);
    return make_expr(entered->type, std::move(copy), entered->position);
  };
  return enter(folded);
}

LogicalPtr fold_constants(const LogicalPtr& plan, EvaluationContext* evaluation) {
  return rebuild(
      plan, [&](const LogicalPtr& input) { return fold_constants(input, evaluation); },
      [&](const ExprPtr& expr) { return fold_constants(expr, evaluation); });
}

}  // namespace pando::sql
