#include "sql/plan/columns.h"

#include <algorithm>

#include "sql/expr/walk.h"

namespace pando::sql {
namespace {

void add_free_columns(const LogicalPtr& plan, ColumnSet& named, ColumnSet& defined) {
  for (const OutputColumn& column : plan->outputs) {
    defined.insert(column.id);
  }
  // Columns that exist only inside a node's expressions.
  const auto define = [&](const std::vector<OutputColumn>& columns) {
    for (const OutputColumn& column : columns) {
      defined.insert(column.id);
    }
  };
  if (const auto* insert = std::get_if<InsertNode>(&plan->node)) {
    define(insert->row);
    if (insert->on_conflict) {
      define(insert->on_conflict->existing);
      define(insert->on_conflict->excluded);
    }
  } else if (const auto* update = std::get_if<UpdateNode>(&plan->node)) {
    define(update->row);
  }
  for_each_expr(*plan, [&](const ExprPtr& expr) { collect_columns(expr, named); });
  for_each_input(*plan, [&](const LogicalPtr& input) { add_free_columns(input, named, defined); });
}

}  // namespace

void collect_columns(const ExprPtr& expr, ColumnSet& columns) {
  if (expr == nullptr) {
    return;
  }
  if (const auto* column = as<ColumnExpr>(expr)) {
    columns.insert(column->column);
    return;
  }
  if (const auto* subquery = as<SubqueryExpr>(expr)) {
    columns.merge(free_columns(subquery->plan));
  } else if (const auto* subplan = as<SubplanExpr>(expr)) {
    for (const CorrelatedParameter& correlated : subplan->plan->correlation) {
      columns.insert(correlated.column);
    }
  }
  for_each_child(expr, [&](const ExprPtr& child) { collect_columns(child, columns); });
  if (const auto* choice = as<CaseExpr>(expr); choice != nullptr && choice->operand != nullptr) {
    columns.erase(choice->operand_column);
  }
}

ColumnSet columns_of(const ExprPtr& expr) {
  ColumnSet columns;
  collect_columns(expr, columns);
  return columns;
}

ColumnSet outputs_of(const LogicalNode& node) {
  ColumnSet columns;
  for (const OutputColumn& column : node.outputs) {
    columns.insert(column.id);
  }
  return columns;
}

ColumnSet free_columns(const LogicalPtr& plan) {
  ColumnSet named;
  ColumnSet defined;
  add_free_columns(plan, named, defined);
  ColumnSet free;
  std::ranges::set_difference(named, defined, std::inserter(free, free.end()));
  return free;
}

bool is_subset(const ColumnSet& part, const ColumnSet& whole) { return std::ranges::includes(whole, part); }

bool overlaps(const ColumnSet& a, const ColumnSet& b) {
  return std::ranges::any_of(a, [&](ColumnId id) { return b.contains(id); });
}

namespace {

using ExprVisit = std::function<void(const ExprPtr&)>;
using InputVisit = std::function<void(const LogicalPtr&)>;

void visit_present(const ExprPtr& expr, const ExprVisit& visit) {
  if (expr != nullptr) {
    visit(expr);
  }
}
void visit_columns(const std::vector<ProjectedColumn>& columns, const ExprVisit& visit) {
  for (const ProjectedColumn& column : columns) {
    visit_present(column.expr, visit);
  }
}
void visit_keys(const std::vector<SortKey>& keys, const ExprVisit& visit) {
  for (const SortKey& key : keys) {
    visit_present(key.expr, visit);
  }
}
void visit_assignments(const std::vector<Assignment>& assignments, const ExprVisit& visit) {
  for (const Assignment& assignment : assignments) {
    visit_present(assignment.value, visit);
  }
}
void visit_checks(const std::vector<BoundCheck>& checks, const ExprVisit& visit) {
  for (const BoundCheck& check : checks) {
    visit_present(check.condition, visit);
  }
}

void exprs_of(const ScanNode&, const ExprVisit&) {}
void exprs_of(const ValuesNode& node, const ExprVisit& visit) {
  for (const auto& row : node.rows) {
    for (const ExprPtr& expr : row) {
      visit_present(expr, visit);
    }
  }
}
void exprs_of(const ProjectNode& node, const ExprVisit& visit) { visit_columns(node.columns, visit); }
void exprs_of(const ProjectSetNode& node, const ExprVisit& visit) { visit_columns(node.functions, visit); }
void exprs_of(const FilterNode& node, const ExprVisit& visit) { visit_present(node.predicate, visit); }
void exprs_of(const JoinNode& node, const ExprVisit& visit) { visit_present(node.condition, visit); }
void exprs_of(const AggregateNode& node, const ExprVisit& visit) {
  visit_columns(node.groups, visit);
  visit_columns(node.aggregates, visit);
}
void exprs_of(const WindowNode& node, const ExprVisit& visit) { visit_columns(node.windows, visit); }
void exprs_of(const SortNode& node, const ExprVisit& visit) { visit_keys(node.keys, visit); }
void exprs_of(const LimitNode& node, const ExprVisit& visit) {
  visit_present(node.limit, visit);
  visit_present(node.offset, visit);
  visit_keys(node.ties, visit);
}
void exprs_of(const DistinctNode& node, const ExprVisit& visit) {
  for (const ExprPtr& expr : node.on) {
    visit_present(expr, visit);
  }
}
void exprs_of(const SetOperationNode&, const ExprVisit&) {}
void exprs_of(const FunctionScanNode& node, const ExprVisit& visit) {
  for (const FunctionScanNode::Call& call : node.calls) {
    visit_present(call.call, visit);
  }
}
void exprs_of(const WithNode&, const ExprVisit&) {}
void exprs_of(const CteScanNode&, const ExprVisit&) {}
void exprs_of(const LockRowsNode&, const ExprVisit&) {}
void exprs_of(const InsertNode& node, const ExprVisit& visit) {
  visit_assignments(node.values, visit);
  if (node.on_conflict) {
    visit_assignments(node.on_conflict->assignments, visit);
    visit_present(node.on_conflict->where, visit);
  }
  visit_checks(node.checks, visit);
  visit_columns(node.returning, visit);
}
void exprs_of(const UpdateNode& node, const ExprVisit& visit) {
  visit_assignments(node.assignments, visit);
  visit_checks(node.checks, visit);
  visit_columns(node.returning, visit);
}
void exprs_of(const DeleteNode& node, const ExprVisit& visit) { visit_columns(node.returning, visit); }

template <typename Node>
void inputs_of(const Node& node, const InputVisit& visit) {
  if constexpr (requires { node.input; }) {
    visit(node.input);
  } else if constexpr (requires { node.left; }) {
    visit(node.left);
    visit(node.right);
  } else if constexpr (requires { node.definitions; }) {
    for (const WithNode::Definition& definition : node.definitions) {
      visit(definition.plan);
      if (definition.recursive != nullptr) {
        visit(definition.recursive);
      }
    }
    visit(node.body);
  }
}

}  // namespace

void for_each_expr(const LogicalNode& node, const std::function<void(const ExprPtr&)>& visit) {
  std::visit([&](const auto& alternative) { exprs_of(alternative, visit); }, node.node);
}

void for_each_input(const LogicalNode& node, const std::function<void(const LogicalPtr&)>& visit) {
  std::visit([&](const auto& alternative) { inputs_of(alternative, visit); }, node.node);
}

}  // namespace pando::sql
