#include "sql/bind/grouping_sets.h"

#include <algorithm>
#include <functional>
#include <map>
#include <utility>

#include "sql/bind/traverse.h"

namespace pando::sql {

namespace {

// Columns of the shared input: one for each group, and one for each expression that the aggregates compute over.
class InputColumns {
 public:
  InputColumns(BindContext& context) : context_(context) {}

  // Its place among the columns.
  std::size_t add(const ExprPtr& expr) {
    const auto known =
        std::ranges::find_if(columns_, [&](const ProjectedColumn& column) { return same_expr(column.expr, expr); });
    const auto index = static_cast<std::size_t>(known - columns_.begin());
    if (known == columns_.end()) {
      columns_.push_back({{context_.new_column(), "", expr->type}, expr});
    }
    return index;
  }
  const std::vector<ProjectedColumn>& columns() const { return columns_; }

 private:
  BindContext& context_;
  std::vector<ProjectedColumn> columns_;
};

// Whether the expression means the same wherever it stands.
bool is_fixed(const ExprPtr& expr) { return as<ConstantExpr>(expr) != nullptr || as<ParameterExpr>(expr) != nullptr; }

// One set's rows: columns as `results`, with ids of their own.
LogicalPtr aggregate_set(BindContext& context, const AggregateNode& node, const std::vector<uint32_t>& set,
                         const std::vector<GroupingColumn>& groupings, const WithNode::Definition& input,
                         const std::vector<OutputColumn>& results) {
  CteScanNode scan;
  scan.cte = input.id;
  scan.alias = input.name;
  scan.sources = input.plan_columns;
  std::vector<OutputColumn> columns = input.plan->outputs;
  std::map<ColumnId, ColumnId> ids;
  for (OutputColumn& column : columns) {
    const ColumnId before = std::exchange(column.id, context.new_column());
    ids.emplace(before, column.id);
  }
  const std::function<ExprPtr(const ExprPtr&)> here = [&](const ExprPtr& expr) -> ExprPtr {
    const auto* column = as<ColumnExpr>(expr);
    const auto found = column == nullptr ? ids.end() : ids.find(column->column);
    return found == ids.end() ? map_children(expr, here)
                              : make_expr(expr->type, ColumnExpr{found->second, column->name}, expr->position);
  };
  AggregateNode own;
  own.input = make_logical(std::move(columns), std::move(scan));
  ProjectNode project;
  const auto output = [&](ExprPtr value) {
    OutputColumn column = results[project.columns.size()];
    column.id = context.new_column();
    project.columns.push_back({std::move(column), std::move(value)});
  };
  const auto aggregated = [&](std::vector<ProjectedColumn>& list, const ProjectedColumn& of) {
    OutputColumn column = of.column;
    column.id = context.new_column();
    list.push_back({column, here(of.expr)});
    output(make_expr(column.type, ColumnExpr{column.id, column.name}));
  };
  const auto is_grouped = [&](uint32_t group) { return std::ranges::find(set, group) != set.end(); };
  for (uint32_t group = 0; group < node.groups.size(); ++group) {
    if (is_grouped(group)) {
      aggregated(own.groups, node.groups[group]);
    } else {
      output(make_constant(node.groups[group].column.type, types::Value::null()));
    }
  }
  for (const GroupingColumn& grouping : groupings) {
    uint32_t bits = 0;
    for (const uint32_t argument : grouping.arguments) {
      bits = bits * 2 + (is_grouped(argument) ? 0 : 1);
    }
    output(make_constant(grouping.column.type, types::Value::of_int32(static_cast<int32_t>(bits))));
  }
  for (const ProjectedColumn& aggregate : node.aggregates) {
    aggregated(own.aggregates, aggregate);
  }
  std::vector<OutputColumn> outputs;
  for (const ProjectedColumn& column : project.columns) {
    outputs.push_back(column.column);
  }
  project.input = aggregate_once(std::move(own));
  return make_logical(std::move(outputs), std::move(project));
}

// The same rows, the columns with the ids of `results`.
LogicalPtr renamed(const LogicalPtr& plan, const std::vector<OutputColumn>& results) {
  ProjectNode project;
  for (std::size_t i = 0; i < results.size(); ++i) {
    const OutputColumn& source = plan->outputs[i];
    project.columns.push_back({results[i], make_expr(source.type, ColumnExpr{source.id, source.name})});
  }
  project.input = plan;
  return make_logical(results, std::move(project));
}

}  // namespace

LogicalPtr aggregate_once(AggregateNode node) {
  std::vector<OutputColumn> outputs;
  for (const auto* columns : {&node.groups, &node.aggregates}) {
    for (const ProjectedColumn& column : *columns) {
      outputs.push_back(column.column);
    }
  }
  return make_logical(std::move(outputs), std::move(node));
}

// The input is computed once, as a WITH query; each set groups it, and the sets' rows are put together.
LogicalPtr aggregate_sets(BindContext& context, AggregateNode node, const GroupingSets& sets,
                          const std::vector<GroupingColumn>& groupings) {
  InputColumns shared(context);
  const auto share = [&](const ExprPtr& expr) {
    if (is_fixed(expr)) {
      return expr;
    }
    const OutputColumn& column = shared.columns()[shared.add(expr)].column;
    return make_expr(column.type, ColumnExpr{column.id, column.name}, expr->position);
  };
  std::vector<OutputColumn> results;
  for (ProjectedColumn& group : node.groups) {
    group.expr = share(group.expr);
    results.push_back(group.column);
  }
  for (const GroupingColumn& grouping : groupings) {
    results.push_back(grouping.column);
  }
  for (ProjectedColumn& aggregate : node.aggregates) {
    aggregate.expr = map_children(aggregate.expr, share);
    results.push_back(aggregate.column);
  }
  WithNode::Definition input;
  input.id = context.new_cte();
  input.name = "grouping sets";
  input.materialized = true;
  std::vector<OutputColumn> columns;
  for (const ProjectedColumn& column : shared.columns()) {
    columns.push_back(column.column);
    input.plan_columns.push_back(column.column.id);
  }
  input.plan = make_logical(std::move(columns), ProjectNode{std::move(node.input), shared.columns()});
  LogicalPtr all;
  const auto last = sets.size() - 1;
  for (std::size_t i = 0; i < sets.size(); ++i) {
    LogicalPtr one = aggregate_set(context, node, sets[i], groupings, input, results);
    if (all == nullptr) {
      all = sets.size() == 1 ? renamed(one, results) : std::move(one);
      continue;
    }
    SetOperationNode both{.kind = SetOperationKind::kUnion, .all = true};
    std::vector<OutputColumn> outputs;
    for (std::size_t column = 0; column < results.size(); ++column) {
      both.left_columns.push_back(all->outputs[column].id);
      both.right_columns.push_back(one->outputs[column].id);
      outputs.push_back(results[column]);
      // The last union gives the columns that the query above names.
      outputs.back().id = i == last ? results[column].id : context.new_column();
    }
    both.left = std::move(all);
    both.right = std::move(one);
    all = make_logical(std::move(outputs), std::move(both));
  }
  std::vector<OutputColumn> outputs = all->outputs;
  WithNode with;
  with.definitions.push_back(std::move(input));
  with.body = std::move(all);
  return make_logical(std::move(outputs), std::move(with));
}

}  // namespace pando::sql
