// bind_values: what a program's expressions take from the statement, as constants.

#include "sql/exec/evaluator.h"
#include "sql/exec/program.h"
#include "sql/expr/walk.h"

namespace pando::sql::exec {
namespace {

bool names_column(const ExprPtr& expr) {
  return any_of(expr, [](const ExprPtr& part) { return as<ColumnExpr>(part) != nullptr; });
}

Task<Result<ExprPtr>> bind(ExprPtr expr, Runtime& runtime) {
  if (expr == nullptr || as<ConstantExpr>(expr) != nullptr) {
    co_return expr;
  }
  if (as<AggregateExpr>(expr) == nullptr && !names_column(expr)) {
    PANDO_CO_ASSIGN(types::Value value, co_await evaluate_value(expr, runtime));
    co_return make_expr(expr->type, ConstantExpr{std::move(value)}, expr->position);
  }
  std::vector<ExprPtr> children;
  for_each_child(expr, [&](const ExprPtr& child) { children.push_back(child); });
  for (ExprPtr& child : children) {
    PANDO_CO_ASSIGN(child, co_await bind(child, runtime));
  }
  std::size_t next = 0;
  co_return rewrite_children(expr, [&](const ExprPtr&) { return children[next++]; });
}

Task<Status> bind_all(std::vector<ProjectedColumn>& columns, Runtime& runtime) {
  for (ProjectedColumn& column : columns) {
    PANDO_CO_ASSIGN(column.expr, co_await bind(column.expr, runtime));
  }
  co_return Status();
}

Task<Status> bind_node(ScanPlan& scan, Runtime& runtime) {
  // Its span is what the program is run over.
  scan.conditions.clear();
  PANDO_CO_ASSIGN(scan.filter, co_await bind(scan.filter, runtime));
  co_return Status();
}
Task<Status> bind_node(FilterPlan& filter, Runtime& runtime) {
  PANDO_CO_ASSIGN(filter.predicate, co_await bind(filter.predicate, runtime));
  PANDO_CO_ASSIGN(filter.input, co_await bind_values(filter.input, runtime));
  co_return Status();
}
Task<Status> bind_node(ProjectPlan& project, Runtime& runtime) {
  PANDO_CO_TRY(co_await bind_all(project.columns, runtime));
  PANDO_CO_ASSIGN(project.input, co_await bind_values(project.input, runtime));
  co_return Status();
}
Task<Status> bind_node(AggregatePlan& aggregate, Runtime& runtime) {
  PANDO_CO_TRY(co_await bind_all(aggregate.groups, runtime));
  PANDO_CO_TRY(co_await bind_all(aggregate.aggregates, runtime));
  PANDO_CO_ASSIGN(aggregate.input, co_await bind_values(aggregate.input, runtime));
  co_return Status();
}
template <typename Node>
Task<Status> bind_node(Node&, Runtime&) {
  co_return Status(sql_state::kFeatureNotSupported, "a plan node that no program has");
}

}  // namespace

Task<Result<PhysicalPtr>> bind_values(PhysicalPtr plan, Runtime& runtime) {
  auto bound = std::make_shared<PhysicalNode>(*plan);
  PANDO_CO_TRY(co_await std::visit([&](auto& node) { return bind_node(node, runtime); }, bound->node));
  co_return PhysicalPtr(std::move(bound));
}

}  // namespace pando::sql::exec
