#include "sql/optimize/foldable.h"

#include "sql/expr/walk.h"
#include "sql/function/function.h"
#include "sql/plan/columns.h"

namespace pando::sql {
namespace {

class FoldableFinder {
 public:
  bool in_plan(const LogicalPtr& plan) {
    for_each_expr(*plan, [&](const ExprPtr& expr) { is_fixed(expr); });
    for_each_input(*plan, [&](const LogicalPtr& input) { in_plan(input); });
    return found_;
  }

 private:
  // Whether the expression is made of constants and parameters alone. Notes those that would be computed.
  bool is_fixed(const ExprPtr& expr) {
    if (as<ConstantExpr>(expr) != nullptr || as<ParameterExpr>(expr) != nullptr) {
      return true;
    }
    if (const auto* subquery = as<SubqueryExpr>(expr)) {
      in_plan(subquery->plan);
    }
    bool any = false;
    bool all = true;
    for_each_child(expr, [&](const ExprPtr& child) {
      const bool fixed = is_fixed(child);
      any = any || fixed;
      all = all && fixed;
    });
    if (const auto* cast = as<CastExpr>(expr)) {
      if (cast->method != CastExpr::Method::kText) {
        return all;
      }
      found_ = found_ || (all && cast->is_explicit);
      return all && cast->is_explicit;
    }
    if (const auto* call = as<CallExpr>(expr)) {
      // The casts that assignment makes are computed for every row that is written.
      const bool is_cast = call->spelling.empty();
      const bool computed = !call->arguments.empty() && all && call->function->volatility == Volatility::kImmutable;
      found_ = found_ || (computed && !is_cast);
      return computed;
    }
    if (as<NullIfExpr>(expr) != nullptr || as<DistinctExpr>(expr) != nullptr || as<MinMaxExpr>(expr) != nullptr ||
        as<BooleanTestExpr>(expr) != nullptr) {
      found_ = found_ || all;
      return all;
    }
    if (as<LogicExpr>(expr) != nullptr || as<CoalesceExpr>(expr) != nullptr) {
      found_ = found_ || any;
    }
    if (const auto* choice = as<CaseExpr>(expr)) {
      found_ = found_ || (choice->operand != nullptr && is_fixed(choice->operand));
      for (const CaseExpr::Branch& branch : choice->branches) {
        found_ = found_ || is_fixed(branch.condition);
      }
    }
    return false;
  }

  bool found_ = false;
};

}  // namespace

bool has_foldable_parts(const LogicalQuery& query) { return FoldableFinder().in_plan(query.root); }

}  // namespace pando::sql
