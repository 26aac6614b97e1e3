#include "sql/plan/conditions.h"

#include "sql/expr/walk.h"
#include "sql/function/function.h"

namespace pando::sql {

void split_conjuncts(const ExprPtr& condition, std::vector<ExprPtr>& conjuncts) {
  if (condition == nullptr) {
    return;
  }
  const auto* logic = as<LogicExpr>(condition);
  if (logic == nullptr || logic->kind != LogicExpr::Kind::kAnd) {
    conjuncts.push_back(condition);
    return;
  }
  for (const ExprPtr& argument : logic->arguments) {
    split_conjuncts(argument, conjuncts);
  }
}

std::vector<ExprPtr> conjuncts_of(const ExprPtr& condition) {
  std::vector<ExprPtr> conjuncts;
  split_conjuncts(condition, conjuncts);
  return conjuncts;
}

bool is_volatile(const ExprPtr& expr) {
  return any_of(expr, [](const ExprPtr& part) {
    const auto* call = as<CallExpr>(part);
    return call != nullptr && call->function->volatility == Volatility::kVolatile;
  });
}

}  // namespace pando::sql
