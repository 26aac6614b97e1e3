#include <algorithm>

#include "sql/expr/walk.h"
#include "sql/optimize/conjuncts.h"
#include "sql/optimize/rewrite.h"

namespace pando::sql {
namespace {

void need(const ExprPtr& expr, ColumnSet& needed) { collect_columns(expr, needed); }

// Prunes subqueries' plans inside an expression.
ExprPtr prune_expr(const ExprPtr& expr);

class Pruner {
 public:
  explicit Pruner(const ColumnSet& needed) : needed_(needed) {}

  LogicalPtr prune(const LogicalPtr& plan) {
    return std::visit([&](const auto& node) { return prune_node(plan, node); }, plan->node);
  }

 private:
  bool is_needed(ColumnId id) const { return needed_.contains(id); }

  // The columns that a node's expressions name and those that it only passes on.
  ColumnSet input_needs(const LogicalPtr& plan) const {
    ColumnSet needs = needed_;
    for_each_expr(*plan, [&](const ExprPtr& expr) { need(expr, needs); });
    return needs;
  }

  static std::vector<OutputColumn> kept(const std::vector<OutputColumn>& outputs, const ColumnSet& needs) {
    std::vector<OutputColumn> result;
    std::ranges::copy_if(outputs, std::back_inserter(result),
                         [&](const OutputColumn& column) { return needs.contains(column.id); });
    return result;
  }
  void keep_needed(std::vector<ProjectedColumn>& columns) const {
    std::erase_if(columns, [&](const ProjectedColumn& column) { return !is_needed(column.column.id); });
  }

  LogicalPtr prune_node(const LogicalPtr& plan, const ScanNode& node) {
    ScanNode scan{node.table, node.alias, {}};
    std::vector<OutputColumn> outputs;
    for (std::size_t i = 0; i < plan->outputs.size(); ++i) {
      if (is_needed(plan->outputs[i].id)) {
        outputs.push_back(plan->outputs[i]);
        scan.attributes.push_back(node.attributes[i]);
      }
    }
    return make_logical(std::move(outputs), std::move(scan));
  }

  LogicalPtr prune_node(const LogicalPtr& plan, const ProjectNode& node) {
    ProjectNode project = node;
    keep_needed(project.columns);
    ColumnSet needs;
    for (ProjectedColumn& column : project.columns) {
      column.expr = prune_expr(column.expr);
      need(column.expr, needs);
    }
    project.input = prune_columns(node.input, needs);
    return make_logical(kept(plan->outputs, needed_), std::move(project));
  }

  LogicalPtr prune_node(const LogicalPtr& plan, const AggregateNode& node) {
    AggregateNode aggregate = node;
    // Groups stay: they decide the rows.
    keep_needed(aggregate.aggregates);
    ColumnSet needs;
    std::vector<OutputColumn> outputs;
    for (ProjectedColumn& column : aggregate.groups) {
      column.expr = prune_expr(column.expr);
      need(column.expr, needs);
      outputs.push_back(column.column);
    }
    for (ProjectedColumn& column : aggregate.aggregates) {
      column.expr = prune_expr(column.expr);
      need(column.expr, needs);
      outputs.push_back(column.column);
    }
    aggregate.input = prune_columns(node.input, needs);
    return make_logical(std::move(outputs), std::move(aggregate));
  }

  LogicalPtr prune_node(const LogicalPtr& plan, const WindowNode& node) {
    WindowNode window = node;
    keep_needed(window.windows);
    if (window.windows.empty()) {
      return prune_columns(node.input, needed_);
    }
    ColumnSet needs = needed_;
    for (ProjectedColumn& column : window.windows) {
      column.expr = prune_expr(column.expr);
      need(column.expr, needs);
    }
    window.input = prune_columns(node.input, needs);
    std::vector<OutputColumn> outputs = window.input->outputs;
    for (const ProjectedColumn& column : window.windows) {
      outputs.push_back(column.column);
    }
    return make_logical(std::move(outputs), std::move(window));
  }

  LogicalPtr prune_node(const LogicalPtr& plan, const JoinNode& node) {
    JoinNode join = node;
    join.condition = join.condition == nullptr ? nullptr : prune_expr(join.condition);
    ColumnSet needs = needed_;
    need(join.condition, needs);
    join.right = prune_columns(node.right, needs);
    needs.merge(free_columns(join.right));
    join.left = prune_columns(node.left, needs);
    return make_logical(kept(plan->outputs, needed_), std::move(join));
  }

  // All columns take part in what the node decides.
  LogicalPtr prune_node(const LogicalPtr& plan, const DistinctNode& node) {
    ColumnSet needs = node.on.empty() ? outputs_of(*plan) : input_needs(plan);
    return rebuild_passing(plan, needs);
  }
  LogicalPtr prune_node(const LogicalPtr& plan, const SetOperationNode& node) {
    SetOperationNode operation = node;
    const bool keeps_rows = node.kind == SetOperationKind::kUnion && node.all;
    std::vector<OutputColumn> outputs;
    operation.left_columns.clear();
    operation.right_columns.clear();
    for (std::size_t i = 0; i < plan->outputs.size(); ++i) {
      if (!keeps_rows || is_needed(plan->outputs[i].id)) {
        outputs.push_back(plan->outputs[i]);
        operation.left_columns.push_back(node.left_columns[i]);
        operation.right_columns.push_back(node.right_columns[i]);
      }
    }
    operation.left = prune_columns(node.left, ColumnSet(operation.left_columns.begin(), operation.left_columns.end()));
    operation.right =
        prune_columns(node.right, ColumnSet(operation.right_columns.begin(), operation.right_columns.end()));
    return make_logical(std::move(outputs), std::move(operation));
  }
  LogicalPtr prune_node(const LogicalPtr& plan, const ValuesNode& node) {
    ValuesNode values;
    values.rows.resize(node.rows.size());
    std::vector<OutputColumn> outputs;
    for (std::size_t i = 0; i < plan->outputs.size(); ++i) {
      if (!is_needed(plan->outputs[i].id)) {
        continue;
      }
      outputs.push_back(plan->outputs[i]);
      for (std::size_t row = 0; row < node.rows.size(); ++row) {
        values.rows[row].push_back(prune_expr(node.rows[row][i]));
      }
    }
    return make_logical(std::move(outputs), std::move(values));
  }
  LogicalPtr prune_node(const LogicalPtr& plan, const FunctionScanNode&) {
    return rebuild(plan, [](const LogicalPtr& input) { return input; }, prune_expr);
  }
  LogicalPtr prune_node(const LogicalPtr& plan, const WithNode& node) {
    WithNode with = node;
    for (WithNode::Definition& definition : with.definitions) {
      // Who reads which columns is not followed: definitions keep all of theirs.
      definition.plan = prune_columns(definition.plan, outputs_of(*definition.plan));
      if (definition.recursive != nullptr) {
        definition.recursive = prune_columns(definition.recursive, outputs_of(*definition.recursive));
      }
    }
    with.body = prune_columns(node.body, needed_);
    return make_logical(with.body->outputs, std::move(with));
  }
  LogicalPtr prune_node(const LogicalPtr& plan, const CteScanNode& node) {
    CteScanNode scan{node.cte, node.alias, {}, node.work_table};
    std::vector<OutputColumn> outputs;
    for (std::size_t i = 0; i < plan->outputs.size(); ++i) {
      if (is_needed(plan->outputs[i].id)) {
        outputs.push_back(plan->outputs[i]);
        scan.sources.push_back(node.sources[i]);
      }
    }
    return make_logical(std::move(outputs), std::move(scan));
  }
  LogicalPtr prune_node(const LogicalPtr& plan, const LockRowsNode& node) {
    ColumnSet needs = needed_;
    for (const LockRowsNode::Target& target : node.targets) {
      needs.insert(target.row_key);
    }
    return rebuild_passing(plan, needs);
  }
  LogicalPtr prune_node(const LogicalPtr& plan, const InsertNode&) { return rebuild_writing(plan, {}); }
  LogicalPtr prune_node(const LogicalPtr& plan, const UpdateNode& node) {
    return rebuild_writing(plan, row_needs(node));
  }
  LogicalPtr prune_node(const LogicalPtr& plan, const DeleteNode& node) {
    return rebuild_writing(plan, row_needs(node));
  }
  template <typename Node>
  static ColumnSet row_needs(const Node& node) {
    ColumnSet needs{node.row_key};
    for (const OutputColumn& column : node.old_row) {
      needs.insert(column.id);
    }
    return needs;
  }
  // Filter, Sort, Limit, ProjectSet: pass columns on beside what they compute.
  template <typename Node>
  LogicalPtr prune_node(const LogicalPtr& plan, const Node&) {
    return rebuild_passing(plan, input_needs(plan));
  }

  static LogicalPtr rebuild_passing(const LogicalPtr& plan, const ColumnSet& needs) {
    const LogicalPtr rebuilt =
        rebuild(plan, [&](const LogicalPtr& input) { return prune_columns(input, needs); }, prune_expr);
    return with_input_outputs(rebuilt);
  }
  // An operator that passes rows on outputs its input's columns, in the input's order.
  static LogicalPtr with_input_outputs(const LogicalPtr& plan) {
    auto copy = std::make_shared<LogicalNode>(*plan);
    std::vector<OutputColumn> outputs;
    for_each_input(*plan, [&](const LogicalPtr& input) { outputs = input->outputs; });
    if (const auto* set = std::get_if<ProjectSetNode>(&plan->node)) {
      for (const ProjectedColumn& column : set->functions) {
        outputs.push_back(column.column);
      }
    }
    copy->outputs = std::move(outputs);
    return copy;
  }

  LogicalPtr rebuild_writing(const LogicalPtr& plan, ColumnSet needs) const {
    for_each_expr(*plan, [&](const ExprPtr& expr) { need(expr, needs); });
    return rebuild(plan, [&](const LogicalPtr& input) { return prune_columns(input, needs); }, prune_expr);
  }

  const ColumnSet& needed_;
};

ExprPtr prune_expr(const ExprPtr& expr) {
  if (expr == nullptr || !has_subquery(expr)) {
    return expr;
  }
  const ExprPtr entered = rewrite_children(expr, prune_expr);
  const auto* subquery = as<SubqueryExpr>(entered);
  if (subquery == nullptr) {
    return entered;
  }
  SubqueryExpr copy = *subquery;
  copy.plan = prune_columns(subquery->plan, ColumnSet(subquery->columns.begin(), subquery->columns.end()));
  return make_expr(entered->type, std::move(copy), entered->position);
}

}  // namespace

LogicalPtr prune_columns(const LogicalPtr& plan, const ColumnSet& needed) { return Pruner(needed).prune(plan); }

}  // namespace pando::sql
