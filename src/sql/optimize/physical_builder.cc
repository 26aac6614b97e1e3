#include "sql/optimize/physical_builder.h"

#include <algorithm>

#include "sql/expr/walk.h"
#include "sql/optimize/access_path.h"
#include "sql/optimize/conjuncts.h"
#include "sql/optimize/parallel.h"

namespace pando::sql {
namespace {

ColumnSet ids_of(const std::vector<OutputColumn>& columns) {
  ColumnSet ids;
  for (const OutputColumn& column : columns) {
    ids.insert(column.id);
  }
  return ids;
}

std::vector<OutputColumn> columns_of(const std::vector<ProjectedColumn>& columns) {
  std::vector<OutputColumn> outputs;
  for (const ProjectedColumn& column : columns) {
    outputs.push_back(column.column);
  }
  return outputs;
}

std::vector<OutputColumn> joined(std::vector<OutputColumn> first, const std::vector<OutputColumn>& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

// The number a LIMIT asks for, with its OFFSET, when both are constants; 0 when it is not known.
double constant_limit(const LimitNode* limit) {
  if (limit == nullptr || limit->with_ties) {
    return 0;
  }
  double total = 0;
  for (const ExprPtr& part : {limit->limit, limit->offset}) {
    if (part == nullptr) {
      if (part == limit->limit && limit->limit == nullptr) {
        return 0;
      }
      continue;
    }
    const auto* constant = as<ConstantExpr>(part);
    if (constant == nullptr || !constant->value.holds<int64_t>()) {
      return 0;
    }
    total += static_cast<double>(constant->value.as<int64_t>());
  }
  return total;
}

}  // namespace

PhysicalPtr PhysicalBuilder::finish(const LogicalPtr& plan, decltype(PhysicalNode::node) node, double input_cost) {
  return finish(plan, plan->outputs, std::move(node), input_cost);
}

PhysicalPtr PhysicalBuilder::finish(const LogicalPtr& plan, std::vector<OutputColumn> outputs,
                                    decltype(PhysicalNode::node) node, double input_cost) {
  const double rows = cardinality_.rows(plan);
  return std::make_shared<const PhysicalNode>(
      PhysicalNode{std::move(outputs), rows, 0, input_cost + rows * 0.1, std::move(node)});
}

Result<PhysicalPtr> PhysicalBuilder::build(const LogicalPtr& plan) {
  const Wish before = std::exchange(granted_, std::exchange(wish_, Wish{}));
  ordered_ = false;
  Result<PhysicalPtr> built = std::visit([&](const auto& node) { return build_node(plan, node); }, plan->node);
  granted_ = before;
  return built;
}

// --- expressions ---

Result<ExprPtr> PhysicalBuilder::lower(const ExprPtr& expr, const ColumnSet& input) {
  if (expr == nullptr) {
    return expr;
  }
  if (const auto* column = as<ColumnExpr>(expr)) {
    const auto outer = outer_.find(column->column);
    if (outer == outer_.end() || input.contains(column->column)) {
      return expr;
    }
    return make_expr(expr->type, ParameterExpr{outer->second}, expr->position);
  }
  if (const auto* subquery = as<SubqueryExpr>(expr)) {
    return lower_subquery(expr, *subquery, input);
  }
  Status failed;
  ExprPtr lowered = rewrite_children(expr, [&](const ExprPtr& child) -> ExprPtr {
    Result<ExprPtr> result = lower(child, input);
    if (!result.ok()) {
      failed = std::move(result).status();
      return child;
    }
    return *std::move(result);
  });
  PANDO_TRY(failed);
  return lowered;
}

std::vector<CorrelatedParameter> PhysicalBuilder::bind_outer(const ColumnSet& columns) {
  std::vector<CorrelatedParameter> correlation;
  for (const ColumnId column : columns) {
    correlation.push_back({next_parameter_, column});
    outer_.emplace(column, next_parameter_++);
  }
  return correlation;
}

void PhysicalBuilder::unbind_outer(const std::vector<CorrelatedParameter>& correlation) {
  for (const CorrelatedParameter& correlated : correlation) {
    outer_.erase(correlated.column);
  }
}

Result<ExprPtr> PhysicalBuilder::lower_subquery(const ExprPtr& expr, const SubqueryExpr& node, const ColumnSet& input) {
  auto subplan = std::make_shared<Subplan>();
  subplan->columns = node.columns;
  ColumnSet correlated;
  for (const ColumnId column : free_columns(node.plan)) {
    if (input.contains(column)) {
      correlated.insert(column);
    } else if (const auto outer = outer_.find(column); outer != outer_.end()) {
      subplan->outer_parameters.push_back(outer->second);
    }
  }
  subplan->correlation = bind_outer(correlated);
  const Wish wish = std::exchange(wish_, Wish{});
  std::set<uint32_t> read = std::exchange(parameters_read_, {});
  auto built = build(node.plan);
  wish_ = wish;
  unbind_outer(subplan->correlation);
  PANDO_ASSIGN(subplan->plan, std::move(built));
  for (const CorrelatedParameter& own : subplan->correlation) {
    parameters_read_.erase(own.parameter);
  }
  // A CTE of an enclosing query may have other rows each time that query runs.
  subplan->outer_parameters.insert(subplan->outer_parameters.end(), parameters_read_.begin(), parameters_read_.end());
  parameters_read_.merge(read);
  SubplanExpr lowered;
  lowered.kind = node.kind;
  lowered.plan = std::move(subplan);
  lowered.comparisons = node.comparisons;
  lowered.spelling = node.spelling;
  for (const ExprPtr& left : node.left) {
    PANDO_ASSIGN(ExprPtr side, lower(left, input));
    lowered.left.push_back(std::move(side));
  }
  return make_expr(expr->type, std::move(lowered), expr->position);
}

Status PhysicalBuilder::lower_all(std::vector<ProjectedColumn>& columns, const ColumnSet& input) {
  for (ProjectedColumn& column : columns) {
    PANDO_ASSIGN(column.expr, lower(column.expr, input));
  }
  return {};
}

Status PhysicalBuilder::lower_keys(std::vector<SortKey>& keys, const ColumnSet& input) {
  for (SortKey& key : keys) {
    PANDO_ASSIGN(key.expr, lower(key.expr, input));
  }
  return {};
}

Status PhysicalBuilder::lower_assignments(std::vector<Assignment>& assignments, const ColumnSet& input) {
  for (Assignment& assignment : assignments) {
    PANDO_ASSIGN(assignment.value, lower(assignment.value, input));
  }
  return {};
}

Status PhysicalBuilder::lower_checks(std::vector<BoundCheck>& checks, const ColumnSet& input) {
  for (BoundCheck& check : checks) {
    PANDO_ASSIGN(check.condition, lower(check.condition, input));
  }
  return {};
}

// --- reading ---

Result<PhysicalPtr> PhysicalBuilder::build_node(const LogicalPtr& plan, const ScanNode& node) {
  return build_scan(plan, node, nullptr);
}

Result<PhysicalPtr> PhysicalBuilder::build_scan(const LogicalPtr& plan, const ScanNode& node,
                                                const ExprPtr& predicate) {
  cardinality_.learn(plan);
  const double limit = constant_limit(granted_.limit);
  ScanRequest request{.plan = plan.get(),
                      .scan = &node,
                      .conjuncts = {},
                      .order = granted_.order,
                      .limit = limit,
                      .methods = options_.methods};
  PANDO_ASSIGN(const ExprPtr lowered, lower(predicate, outputs_of(*plan)));
  request.conjuncts = conjuncts_of(lowered);
  ScanPlan scan;
  scan.table = node.table;
  scan.alias = node.alias;
  scan.attributes = node.attributes;
  if (node.table->kind == catalog::RelationKind::kVirtual) {
    scan.filter = lowered;
    return make_physical(plan->outputs, std::move(scan), cardinality_.table_rows(*node.table));
  }
  AccessPath path = choose_access_path(request, cardinality_);
  scan.rows_read = path.rows;
  double rows = path.rows;
  for (const ExprPtr& conjunct : path.rest) {
    rows *= cardinality_.selectivity(conjunct);
  }
  scan.index = path.index;
  scan.index_only = path.index_only;
  scan.conditions = std::move(path.conditions);
  scan.reverse = path.ordered && path.reverse;
  scan.filter = combine_conjuncts(std::move(path.rest));
  ordered_ = path.ordered;
  if (limit > 0 && scan.filter == nullptr && (granted_.order.empty() || path.ordered)) {
    scan.limit_hint = static_cast<std::size_t>(limit);
  }
  return make_physical(plan->outputs, std::move(scan), std::max(rows, 1.0), path.cost);
}

Result<PhysicalPtr> PhysicalBuilder::build_node(const LogicalPtr& plan, const FilterNode& node) {
  if (const auto* scan = std::get_if<ScanNode>(&node.input->node)) {
    return build_scan(node.input, *scan, node.predicate);
  }
  PANDO_ASSIGN(PhysicalPtr input, build(node.input));
  ordered_ = false;
  PANDO_ASSIGN(ExprPtr predicate, lower(node.predicate, outputs_of(*node.input)));
  const double cost = input->cost + input->rows * 0.1;
  std::vector<OutputColumn> outputs = input->outputs;
  return finish(plan, std::move(outputs), FilterPlan{std::move(input), std::move(predicate)}, cost);
}

Result<PhysicalPtr> PhysicalBuilder::build_node(const LogicalPtr& plan, const ValuesNode& node) {
  ValuesPlan values{node.rows};
  for (auto& row : values.rows) {
    for (ExprPtr& value : row) {
      PANDO_ASSIGN(value, lower(value, {}));
    }
  }
  return finish(plan, std::move(values));
}

Result<PhysicalPtr> PhysicalBuilder::build_node(const LogicalPtr& plan, const ProjectNode& node) {
  wish_.limit = granted_.limit;
  // An order over columns that only pass through can come from below.
  const ColumnSet below = outputs_of(*node.input);
  if (std::ranges::all_of(granted_.order, [&](const SortKey& key) {
        const auto* column = as<ColumnExpr>(key.expr);
        return column != nullptr && below.contains(column->column);
      })) {
    wish_.order = granted_.order;
  }
  PANDO_ASSIGN(PhysicalPtr input, build(node.input));
  const bool ordered = ordered_;
  ProjectPlan project{input, node.columns};
  PANDO_TRY(lower_all(project.columns, below));
  ordered_ = ordered;
  return make_physical(columns_of(node.columns), std::move(project), input->rows, input->cost + input->rows * 0.1);
}

Result<PhysicalPtr> PhysicalBuilder::build_node(const LogicalPtr& plan, const ProjectSetNode& node) {
  PANDO_ASSIGN(PhysicalPtr input, build(node.input));
  ProjectSetPlan project{input, node.functions};
  PANDO_TRY(lower_all(project.functions, outputs_of(*node.input)));
  ordered_ = false;
  return finish(plan, joined(input->outputs, columns_of(node.functions)), std::move(project), input->cost);
}

Result<PhysicalPtr> PhysicalBuilder::build_node(const LogicalPtr& plan, const AggregateNode& node) {
  PANDO_ASSIGN(PhysicalPtr input, build(node.input));
  AggregatePlan aggregate{input, node.groups, node.aggregates, node.grouping_sets, false};
  const ColumnSet columns = outputs_of(*node.input);
  PANDO_TRY(lower_all(aggregate.groups, columns));
  PANDO_TRY(lower_all(aggregate.aggregates, columns));
  const auto is_safe = [](const ProjectedColumn& column) { return is_parallel_safe(column.expr); };
  aggregate.parallel = options_.methods.parallel && node.grouping_sets.empty() &&
                       std::ranges::all_of(aggregate.groups, is_safe) &&
                       std::ranges::all_of(aggregate.aggregates, is_safe) &&
                       is_parallel_input(input, options_.methods.parallel_rows_min);
  ordered_ = false;
  return finish(plan, joined(columns_of(node.groups), columns_of(node.aggregates)), std::move(aggregate),
                input->cost + input->rows * 0.5);
}

Result<PhysicalPtr> PhysicalBuilder::build_node(const LogicalPtr& plan, const WindowNode& node) {
  PANDO_ASSIGN(PhysicalPtr input, build(node.input));
  WindowPlan window{input, node.windows};
  PANDO_TRY(lower_all(window.windows, outputs_of(*node.input)));
  ordered_ = false;
  return finish(plan, joined(input->outputs, columns_of(node.windows)), std::move(window),
                input->cost + input->rows * 2);
}

Result<PhysicalPtr> PhysicalBuilder::build_node(const LogicalPtr& plan, const SortNode& node) {
  const LimitNode* limit = granted_.limit != nullptr && !granted_.limit->with_ties ? granted_.limit : nullptr;
  wish_.order = node.keys;
  wish_.limit = limit;
  PANDO_ASSIGN(PhysicalPtr input, build(node.input));
  if (ordered_) {
    return input;
  }
  SortPlan sort{input, node.keys, nullptr, nullptr};
  PANDO_TRY(lower_keys(sort.keys, outputs_of(*node.input)));
  if (limit != nullptr && limit->limit != nullptr) {
    PANDO_ASSIGN(sort.limit, lower(limit->limit, {}));
    PANDO_ASSIGN(sort.offset, lower(limit->offset, {}));
  }
  ordered_ = true;
  return make_physical(input->outputs, std::move(sort), input->rows, input->cost + input->rows * 2);
}

Result<PhysicalPtr> PhysicalBuilder::build_node(const LogicalPtr& plan, const LimitNode& node) {
  if (!has_subquery(node.limit) && !has_subquery(node.offset)) {
    wish_.limit = &node;
  }
  PANDO_ASSIGN(PhysicalPtr input, build(node.input));
  LimitPlan limit{input, nullptr, nullptr, node.with_ties, node.ties};
  PANDO_ASSIGN(limit.limit, lower(node.limit, {}));
  PANDO_ASSIGN(limit.offset, lower(node.offset, {}));
  PANDO_TRY(lower_keys(limit.ties, outputs_of(*node.input)));
  return finish(plan, input->outputs, std::move(limit), input->cost);
}

Result<PhysicalPtr> PhysicalBuilder::build_node(const LogicalPtr& plan, const DistinctNode& node) {
  PANDO_ASSIGN(PhysicalPtr input, build(node.input));
  DistinctPlan distinct{input, node.on};
  for (ExprPtr& key : distinct.on) {
    PANDO_ASSIGN(key, lower(key, outputs_of(*node.input)));
  }
  const bool all_columns = node.on.empty() && ids_of(plan->outputs) == ids_of(input->outputs);
  for (std::size_t i = 0; node.on.empty() && !all_columns && i < plan->outputs.size(); ++i) {
    const OutputColumn& column = plan->outputs[i];
    distinct.on.push_back(make_expr(column.type, ColumnExpr{column.id, column.name}));
  }
  ordered_ = false;
  return finish(plan, input->outputs, std::move(distinct), input->cost + input->rows);
}

Result<PhysicalPtr> PhysicalBuilder::build_node(const LogicalPtr& plan, const SetOperationNode& node) {
  PANDO_ASSIGN(PhysicalPtr left, build(node.left));
  PANDO_ASSIGN(PhysicalPtr right, build(node.right));
  const double cost = left->cost + right->cost;
  const bool is_union = node.kind == SetOperationKind::kUnion;
  SetOperationPlan operation{node.kind, node.all || is_union, left, right, node.left_columns, node.right_columns};
  ordered_ = false;
  PhysicalPtr built = finish(plan, std::move(operation), cost);
  if (is_union && !node.all) {
    return finish(plan, DistinctPlan{std::move(built), {}}, cost);
  }
  return built;
}

Result<PhysicalPtr> PhysicalBuilder::build_node(const LogicalPtr& plan, const FunctionScanNode& node) {
  FunctionScanPlan scan{node.calls, node.ordinality};
  for (FunctionScanNode::Call& call : scan.calls) {
    PANDO_ASSIGN(call.call, lower(call.call, {}));
  }
  return finish(plan, std::move(scan));
}

// --- WITH ---

// The parameters that the definition's rows depend on.
Result<std::set<uint32_t>> PhysicalBuilder::build_definition(const WithNode::Definition& definition,
                                                             WithPlan::Definition& built) {
  std::set<uint32_t> read = std::exchange(parameters_read_, {});
  built.id = definition.id;
  built.name = definition.name;
  const bool modified_before = std::exchange(modifies_, false);
  PANDO_ASSIGN(built.plan, build(definition.plan));
  built.modifies = modifies_;
  modifies_ = modifies_ || modified_before;
  ColumnSet free = free_columns(definition.plan);
  auto& columns = cte_columns_[definition.id];
  if (definition.recursive == nullptr) {
    for (const OutputColumn& column : built.plan->outputs) {
      columns.push_back(column.id);
    }
  } else {
    columns = definition.plan_columns;
    PANDO_ASSIGN(built.recursive, build(definition.recursive));
    built.recursive_all = definition.recursive_all;
    built.plan_columns = definition.plan_columns;
    built.recursive_columns = definition.recursive_columns;
    free.merge(free_columns(definition.recursive));
  }
  for (const ColumnId column : free) {
    if (const auto outer = outer_.find(column); outer != outer_.end()) {
      parameters_read_.insert(outer->second);
    }
  }
  return std::exchange(parameters_read_, std::move(read));
}

Result<PhysicalPtr> PhysicalBuilder::build_node(const LogicalPtr& plan, const WithNode& node) {
  WithPlan with;
  with.counts_definitions = node.counts_definitions;
  for (const WithNode::Definition& definition : node.definitions) {
    WithPlan::Definition built;
    PANDO_ASSIGN(cte_parameters_[definition.id], build_definition(definition, built));
    with.definitions.push_back(std::move(built));
  }
  PANDO_ASSIGN(with.body, build(node.body));
  ordered_ = false;
  std::vector<OutputColumn> outputs = with.body->outputs;
  return finish(plan, std::move(outputs), std::move(with), 0);
}

Result<PhysicalPtr> PhysicalBuilder::build_node(const LogicalPtr& plan, const CteScanNode& node) {
  CteScanPlan scan;
  scan.cte = node.cte;
  const std::set<uint32_t>& parameters = cte_parameters_[node.cte];
  parameters_read_.insert(parameters.begin(), parameters.end());
  scan.alias = node.alias;
  scan.work_table = node.work_table;
  const auto& columns = cte_columns_[node.cte];
  for (const ColumnId source : node.sources) {
    const auto found = std::ranges::find(columns, source);
    if (found == columns.end()) {
      return Status(sql_state::kInternalError, "a CTE scan reads a column that its definition does not have");
    }
    scan.sources.push_back(static_cast<uint32_t>(found - columns.begin()));
  }
  return finish(plan, std::move(scan));
}

// --- writing ---

Result<PhysicalPtr> PhysicalBuilder::build_node(const LogicalPtr& plan, const LockRowsNode& node) {
  const bool one_by_one = granted_.limit != nullptr;
  wish_ = granted_;
  PANDO_ASSIGN(PhysicalPtr input, build(node.input));
  return finish(plan, input->outputs, LockRowsPlan{input, node.targets, one_by_one}, input->cost);
}

Result<PhysicalPtr> PhysicalBuilder::build_node(const LogicalPtr& plan, const InsertNode& node) {
  modifies_ = true;
  PANDO_ASSIGN(PhysicalPtr input, build(node.input));
  InsertPlan insert{input, node};
  insert.statement.input = nullptr;
  const ColumnSet row = ids_of(node.row);
  PANDO_TRY(lower_assignments(insert.statement.values, outputs_of(*node.input)));
  PANDO_TRY(lower_checks(insert.statement.checks, row));
  PANDO_TRY(lower_all(insert.statement.returning, row));
  if (insert.statement.on_conflict) {
    ConflictClause& clause = *insert.statement.on_conflict;
    ColumnSet both = ids_of(clause.existing);
    both.merge(ids_of(clause.excluded));
    PANDO_TRY(lower_assignments(clause.assignments, both));
    PANDO_ASSIGN(clause.where, lower(clause.where, both));
  }
  return finish(plan, columns_of(node.returning), std::move(insert), input->cost);
}

Result<PhysicalPtr> PhysicalBuilder::build_node(const LogicalPtr& plan, const UpdateNode& node) {
  modifies_ = true;
  PANDO_ASSIGN(PhysicalPtr input, build(node.input));
  UpdatePlan update{input, node};
  update.statement.input = nullptr;
  const ColumnSet columns = outputs_of(*node.input);
  const ColumnSet row = ids_of(node.row);
  ColumnSet both = columns;
  both.insert(row.begin(), row.end());
  PANDO_TRY(lower_assignments(update.statement.assignments, columns));
  PANDO_TRY(lower_checks(update.statement.checks, row));
  PANDO_TRY(lower_all(update.statement.returning, both));
  return finish(plan, columns_of(node.returning), std::move(update), input->cost);
}

Result<PhysicalPtr> PhysicalBuilder::build_node(const LogicalPtr& plan, const DeleteNode& node) {
  modifies_ = true;
  PANDO_ASSIGN(PhysicalPtr input, build(node.input));
  DeletePlan erase{input, node};
  erase.statement.input = nullptr;
  PANDO_TRY(lower_all(erase.statement.returning, outputs_of(*node.input)));
  return finish(plan, columns_of(node.returning), std::move(erase), input->cost);
}

}  // namespace pando::sql
