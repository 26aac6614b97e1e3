// SELECT and VALUES: from the syntax to scan, filter, aggregate, window, set functions, projection, distinct, sort,
// lock, limit, in that order from the bottom up.

#include <algorithm>
#include <utility>

#include "sql/bind/binder.h"
#include "sql/bind/core_state.h"
#include "sql/bind/place_guard.h"
#include "sql/bind/traverse.h"
#include "sql/plan/conditions.h"
#include "types/compare.h"

namespace pando::sql {

namespace oid = types::oid;

Result<BoundQuery> Binder::statement(const ast::Statement& statement, Scope* parent, SelectUse use) {
  if (const auto* query = std::get_if<ast::Select>(&statement.node)) {
    return select(*query, parent, use);
  }
  if (const auto* query = std::get_if<ast::Insert>(&statement.node)) {
    return insert(*query, parent);
  }
  if (const auto* query = std::get_if<ast::Update>(&statement.node)) {
    return update(*query, parent);
  }
  if (const auto* query = std::get_if<ast::Delete>(&statement.node)) {
    return delete_from(*query, parent);
  }
  if (const auto* query = std::get_if<ast::Merge>(&statement.node)) {
    return merge(*query, parent);
  }
  if (const auto* unsupported = std::get_if<ast::UnsupportedStatement>(&statement.node)) {
    return Status(sql_state::kFeatureNotSupported, "{} is not supported", unsupported->feature);
  }
  return Status(sql_state::kFeatureNotSupported, "this statement has no plan");
}

Result<BoundQuery> Binder::select(const ast::Select& select, Scope* parent, SelectUse use) {
  Scope scope(parent);
  std::vector<WithNode::Definition> definitions;
  if (select.with != nullptr) {
    PANDO_TRY(with_clause(*select.with, scope, definitions));
  }
  Result<BoundQuery> query = [&]() -> Result<BoundQuery> {
    if (const auto* core = std::get_if<ast::SelectCore>(&select.body)) {
      return select_core(select, *core, scope, use);
    }
    if (const auto* lists = std::get_if<ast::ValuesLists>(&select.body)) {
      return select_values(select, *lists, scope, use);
    }
    return set_operation(select, std::get<ast::SetOperation>(select.body), scope, use);
  }();
  PANDO_ASSIGN(BoundQuery bound, std::move(query));
  if (context_.options.trace != nullptr) {
    auto& outputs = context_.options.trace->outputs[&select];
    outputs.clear();
    std::ranges::transform(bound.columns, std::back_inserter(outputs), &OutputColumn::name);
  }
  return wrap_with(std::move(definitions), std::move(bound));
}

OutputColumn Binder::output_of(const Target& target, const Scope& scope) {
  OutputColumn output{context_.new_column(), target.name, target.expr->type};
  const auto* column = as<ColumnExpr>(target.expr);
  if (column == nullptr) {
    return output;
  }
  for (const NamespaceItem& item : scope.items) {
    for (const auto* columns : {&item.columns, &item.system_columns}) {
      for (const OutputColumn& candidate : *columns) {
        if (candidate.id == column->column) {
          output.table = candidate.table;
          output.attribute = candidate.attribute;
          return output;
        }
      }
    }
  }
  return output;
}

// Computes the targets. A target that is an input column keeps its id the first time; `outputs` gets, for each target,
// the column that has its value.
Result<LogicalPtr> Binder::project(LogicalPtr input, std::vector<Target>& targets, Scope& scope,
                                   std::vector<OutputColumn>& visible, std::vector<ExprPtr>& outputs) {
  ProjectNode project;
  std::vector<OutputColumn> columns;
  std::vector<ColumnId> used;
  for (const Target& target : targets) {
    if (!target.projected) {
      outputs.emplace_back();
      continue;
    }
    OutputColumn output = output_of(target, scope);
    const auto* column = as<ColumnExpr>(target.expr);
    // A column of an outer query is defined there.
    if (column != nullptr && std::find(used.begin(), used.end(), column->column) == used.end() &&
        std::ranges::find(input->outputs, column->column, &OutputColumn::id) != input->outputs.end()) {
      output.id = column->column;
    } else if (auto fields = record_fields(target.expr); fields.has_value()) {
      record_columns_[output.id.number()] = *std::move(fields);
    }
    used.push_back(output.id);
    columns.push_back(output);
    project.columns.push_back({output, target.expr});
    outputs.push_back(make_expr(output.type, ColumnExpr{output.id, output.name}, target.expr->position));
    if (!target.hidden) {
      visible.push_back(std::move(output));
    }
  }
  project.input = std::move(input);
  return make_logical(std::move(columns), std::move(project));
}

Result<BoundQuery> Binder::select_core(const ast::Select& select, const ast::SelectCore& core, Scope& scope,
                                       SelectUse use) {
  CoreState state;
  {
    const Restore<bool> keys(scan_row_keys_, !select.locking.empty() || use.keep_row_keys);
    PANDO_ASSIGN(state.plan, from_list(core.from, scope));
  }
  if (core.where != nullptr) {
    PANDO_ASSIGN(ExprPtr predicate, boolean_in(*core.where, scope, ExprPlace::kWhere));
    std::vector<OutputColumn> outputs = state.plan->outputs;
    state.plan = make_logical(std::move(outputs), FilterNode{std::move(state.plan), std::move(predicate)});
  }
  PANDO_TRY(check_windows(core.windows));
  scope.window_definitions = &core.windows;
  PANDO_ASSIGN(state.targets, targets(core.items, scope, ExprPlace::kSelectItem));
  if (core.having != nullptr) {
    PANDO_ASSIGN(state.having, boolean_in(*core.having, scope, ExprPlace::kHaving));
  }
  PANDO_TRY(sort_clause(select.order_by, state, scope));
  PANDO_TRY(group_clause(core, state, scope));
  for (Target& target : state.targets) {
    if (!use.keep_unknown || target.hidden || core.distinct) {
      PANDO_ASSIGN(target.expr, resolve_unknown(context_, std::move(target.expr)));
    }
  }
  PANDO_TRY(distinct(core, state, scope));
  state.aggregated = !core.group_by.empty() || scope.has_aggregates || core.having != nullptr;
  if (scope.has_aggregates && scope.has_self_reference && !scope.aggregates.empty()) {
    return Status(sql_state::kInvalidRecursion,
                  "aggregate functions are not allowed in a recursive query's recursive term")
        .with_position(scope.aggregates[0].expr->position);
  }
  if (state.aggregated) {
    PANDO_ASSIGN(state.plan, aggregate(state, scope));
  }
  if (use.keep_row_keys && lock_obstacle(core, state.aggregated, scope) == nullptr) {
    add_row_keys(select, scope, state.targets);
  }
  return finish_core(select, core, std::move(state), scope);
}

namespace {

void collect_columns(const ExprPtr& expr, std::vector<ExprPtr>& columns) {
  if (as<ColumnExpr>(expr) != nullptr) {
    columns.push_back(expr);
  }
  visit_children(*expr, [&](const ExprPtr& child) { collect_columns(child, columns); });
}

// Takes the volatile items out of what is projected below ORDER BY, and leaves the columns that they need. Returns them
// at their places; the others have no expression there.
template <typename Target>
std::vector<Target> postpone_volatile(std::vector<Target>& targets,
                                      const std::vector<std::pair<std::size_t, SortKey>>& sort) {
  std::vector<Target> postponed(targets.size());
  std::vector<ExprPtr> needed;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const auto sorts = [i](const auto& key) { return key.first == i; };
    if (!targets[i].hidden && is_volatile(targets[i].expr) && std::ranges::none_of(sort, sorts)) {
      collect_columns(targets[i].expr, needed);
      postponed[i] = targets[i];
      targets[i].projected = false;
    }
  }
  for (const ExprPtr& column : needed) {
    const auto has_it = [&](const Target& target) { return target.projected && same_expr(target.expr, column); };
    if (std::ranges::none_of(targets, has_it)) {
      Target target;
      target.expr = column;
      target.name = as<ColumnExpr>(column)->name;
      target.hidden = true;
      targets.push_back(std::move(target));
    }
  }
  return postponed;
}

}  // namespace

// From the bound clauses to the plan above grouping.
Result<BoundQuery> Binder::finish_core(const ast::Select& select, const ast::SelectCore& core, CoreState state,
                                       Scope& scope) {
  LogicalPtr plan = std::move(state.plan);
  const auto same_outputs = [&]() { return std::vector<OutputColumn>(plan->outputs); };
  if (!scope.windows.empty()) {
    std::vector<OutputColumn> outputs = same_outputs();
    for (const ProjectedColumn& window : scope.windows) {
      outputs.push_back(window.column);
    }
    plan = make_logical(std::move(outputs), WindowNode{std::move(plan), scope.windows});
  }
  plan = add_set_functions(std::move(plan), scope);
  std::vector<LockRowsNode::Target> locks;
  if (!select.locking.empty()) {
    PANDO_TRY(check_locking(select, core, state, scope));
    PANDO_ASSIGN(locks, lock_targets(select, scope));
    for (const LockRowsNode::Target& lock : locks) {
      Target key;
      key.expr = make_expr({oid::kBytea}, ColumnExpr{lock.row_key, ""});
      key.hidden = true;
      state.targets.push_back(std::move(key));
    }
  }
  BoundQuery result;
  for (const Target& target : state.targets) {
    if (!target.hidden) {
      result.exprs.push_back(target.expr);
    }
  }
  // Volatile functions are called for the rows that are left after ORDER BY and LIMIT, in their order.
  std::vector<Target> postponed;
  if (!state.sort.empty() && !core.distinct && locks.empty() && !select.with_ties) {
    postponed = postpone_volatile(state.targets, state.sort);
  }
  std::vector<ExprPtr> outputs;
  PANDO_ASSIGN(plan, project(std::move(plan), state.targets, scope, result.columns, outputs));
  if (core.distinct && core.distinct_on.empty()) {
    std::vector<OutputColumn> columns = same_outputs();
    plan = make_logical(std::move(columns), DistinctNode{std::move(plan), {}});
  }
  std::vector<SortKey> keys;
  for (const auto& [index, key] : state.sort) {
    keys.push_back({outputs[index], key.descending, key.nulls_first});
  }
  if (!keys.empty()) {
    std::vector<OutputColumn> columns = same_outputs();
    plan = make_logical(std::move(columns), SortNode{std::move(plan), keys});
  }
  if (!state.distinct_on.empty()) {
    DistinctNode node{plan, {}};
    for (const std::size_t index : state.distinct_on) {
      node.on.push_back(outputs[index]);
    }
    plan = make_logical(same_outputs(), std::move(node));
  }
  if (!locks.empty()) {
    std::vector<OutputColumn> columns = same_outputs();
    plan = make_logical(std::move(columns), LockRowsNode{std::move(plan), std::move(locks)});
  }
  const auto compute_postponed = [&](LogicalPtr input) {
    if (std::ranges::none_of(postponed, [](const Target& target) { return target.expr != nullptr; })) {
      return input;
    }
    ProjectNode last;
    std::vector<OutputColumn> columns;
    auto below = result.columns.begin();
    for (std::size_t i = 0; i < postponed.size(); ++i) {
      if (state.targets[i].hidden) {
        continue;
      }
      const bool is_later = postponed[i].expr != nullptr;
      columns.push_back(is_later ? output_of(postponed[i], scope) : *below++);
      const OutputColumn& output = columns.back();
      last.columns.push_back(
          {output, is_later ? postponed[i].expr : make_expr(output.type, ColumnExpr{output.id, output.name})});
    }
    result.columns = columns;
    last.input = std::move(input);
    return make_logical(std::move(columns), std::move(last));
  };
  // Rows that OFFSET leaves out are computed all the same.
  const bool offset = select.offset != nullptr;
  PANDO_ASSIGN(plan, limit(select, offset ? compute_postponed(std::move(plan)) : std::move(plan), keys, scope));
  result.plan = offset ? std::move(plan) : compute_postponed(std::move(plan));
  return result;
}

LogicalPtr Binder::add_set_functions(LogicalPtr input, Scope& scope) {
  const auto& levels = scope.set_function_levels;
  const int deepest = levels.empty() ? -1 : *std::max_element(levels.begin(), levels.end());
  for (int level = 0; level <= deepest; ++level) {
    ProjectSetNode node;
    std::vector<OutputColumn> outputs = input->outputs;
    for (std::size_t i = 0; i < levels.size(); ++i) {
      if (levels[i] == level) {
        node.functions.push_back(scope.set_functions[i]);
        outputs.push_back(scope.set_functions[i].column);
      }
    }
    node.input = std::move(input);
    input = make_logical(std::move(outputs), std::move(node));
  }
  return input;
}

namespace {

bool names_columns(const ExprPtr& expr) {
  bool found = as<ColumnExpr>(expr) != nullptr;
  visit_children(*expr, [&](const ExprPtr& child) { found = found || names_columns(child); });
  return found;
}

}  // namespace

Result<LogicalPtr> Binder::limit(const ast::Select& select, LogicalPtr input, const std::vector<SortKey>& keys,
                                 Scope& scope) {
  const auto count = [&](const ast::ExprPtr& node, ExprPlace place) -> Result<ExprPtr> {
    if (node == nullptr) {
      return ExprPtr();
    }
    PANDO_ASSIGN(ExprPtr value, expr_in(*node, scope, place));
    PANDO_ASSIGN(ExprPtr number, coerce(context_, value, {oid::kInt8}, CastContext::kAssignment));
    if (number == nullptr) {
      return Status(sql_state::kDatatypeMismatch, "argument of {} must be type bigint, not type {}", place_name(place),
                    type_name(value->type.oid))
          .with_position(location_of(value));
    }
    bool names_own = false;
    const std::function<void(const ExprPtr&)> visit = [&](const ExprPtr& child) {
      if (const auto* column = as<ColumnExpr>(child)) {
        for (const NamespaceItem& item : scope.items) {
          for (const OutputColumn& own : item.columns) {
            names_own = names_own || own.id == column->column;
          }
        }
      }
      visit_children(*child, visit);
    };
    visit(number);
    if (names_own) {
      return Status(sql_state::kInvalidColumnReference, "argument of {} must not contain variables", place_name(place))
          .with_position(location_of(value));
    }
    const auto* constant = as<ConstantExpr>(number);
    return constant != nullptr && constant->value.is_null() ? ExprPtr() : number;
  };
  LimitNode node;
  PANDO_ASSIGN(node.offset, count(select.offset, ExprPlace::kOffset));
  PANDO_ASSIGN(node.limit, count(select.limit, ExprPlace::kLimit));
  if (node.offset == nullptr && node.limit == nullptr) {
    return input;
  }
  node.with_ties = select.with_ties;
  if (select.with_ties) {
    if (keys.empty()) {
      return Status(sql_state::kSyntaxError, "WITH TIES cannot be specified without ORDER BY clause");
    }
    node.ties = keys;
  }
  std::vector<OutputColumn> outputs = input->outputs;
  node.input = std::move(input);
  return make_logical(std::move(outputs), std::move(node));
}

Result<BoundQuery> Binder::select_values(const ast::Select& select, const ast::ValuesLists& lists, Scope& scope,
                                         SelectUse /*use*/) {
  std::vector<std::vector<ExprPtr>> rows;
  for (const ast::ExprList& list : lists.rows) {
    std::vector<ExprPtr> row;
    for (const ast::ExprPtr& item : list) {
      PANDO_ASSIGN(ExprPtr value, expr_in(*item, scope, ExprPlace::kValues));
      row.push_back(std::move(value));
    }
    if (!rows.empty() && rows[0].size() != row.size()) {
      return Status(sql_state::kSyntaxError, "VALUES lists must all be the same length")
          .with_position(list.empty() ? 0 : context_.position(list[0]->location));
    }
    rows.push_back(std::move(row));
  }
  PANDO_ASSIGN(BoundQuery query, finish_values(std::move(rows)));
  if (context_.options.trace != nullptr) {
    context_.options.trace->values[&lists] = std::get<ValuesNode>(query.plan->node).rows;
  }
  if (select.order_by.empty() && select.limit == nullptr && select.offset == nullptr) {
    return query;
  }
  NamespaceItem item;
  item.name = "*VALUES*";
  item.columns = query.columns;
  scope.items.push_back(std::move(item));
  CoreState state;
  state.plan = std::move(query.plan);
  for (const OutputColumn& column : query.columns) {
    Target target;
    target.expr = make_expr(column.type, ColumnExpr{column.id, column.name});
    target.name = column.name;
    state.targets.push_back(std::move(target));
  }
  PANDO_TRY(sort_clause(select.order_by, state, scope));
  return finish_core(select, ast::SelectCore(), std::move(state), scope);
}

// Rows of VALUES: each column of the common type of its values.
Result<BoundQuery> Binder::finish_values(std::vector<std::vector<ExprPtr>> rows) {
  BoundQuery query;
  const std::size_t width = rows.empty() ? 0 : rows[0].size();
  for (std::size_t column = 0; column < width; ++column) {
    std::vector<ExprPtr> values;
    for (const auto& row : rows) {
      values.push_back(row[column]);
    }
    types::Type type;
    PANDO_ASSIGN(type.oid, select_common_type(values, "VALUES"));
    for (std::size_t i = 0; i < rows.size(); ++i) {
      PANDO_ASSIGN(rows[i][column], coerce_to_common(context_, std::move(rows[i][column]), type.oid, "VALUES"));
      values[i] = rows[i][column];
    }
    type.modifier = common_modifier(values, type.oid);
    query.columns.push_back({context_.new_column(), fmt::format("column{}", column + 1), type});
  }
  query.plan = make_logical(query.columns, ValuesNode{std::move(rows)});
  return query;
}

}  // namespace pando::sql
