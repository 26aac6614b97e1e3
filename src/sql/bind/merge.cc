// MERGE, as a statement of several parts: the source's rows beside the target's rows that they match, each with the
// number of the WHEN clause that applies to it, computed once; and an UPDATE, DELETE or INSERT over the rows of each
// clause.

#include <algorithm>
#include <utility>

#include "sql/bind/binder.h"
#include "sql/bind/place_guard.h"

namespace pando::sql {

namespace oid = types::oid;

struct Binder::MergeState {
  ChangeTarget target;
  std::string name;
  // The rows that all clauses read, as a WITH table.
  CteId rows;
  LogicalPtr plan;
  // What the rows have in them, by their ids in `plan`.
  NamespaceItem target_row;
  ColumnId row_key;
  std::vector<NamespaceItem> source;
  ColumnId action;
};

namespace {

using When = ast::Merge::When;

// int4eq.
constexpr types::Oid kInt4Equal = 65;

ExprPtr column_of(const OutputColumn& column) { return make_expr(column.type, ColumnExpr{column.id, column.name}); }

ExprPtr number_of(int32_t number) { return make_constant({oid::kInt4}, types::Value::of_int32(number)); }

// The item with its columns under other ids.
NamespaceItem renumbered(NamespaceItem item, const std::map<ColumnId, ColumnId>& ids) {
  const auto renumber = [&](std::vector<OutputColumn>& columns) {
    std::erase_if(columns, [&](const OutputColumn& column) { return !ids.contains(column.id); });
    for (OutputColumn& column : columns) {
      column.id = ids.at(column.id);
    }
  };
  renumber(item.columns);
  renumber(item.system_columns);
  return item;
}

bool needs_unmatched(const ast::Merge& statement) {
  return std::ranges::any_of(statement.whens, [](const When& when) { return !when.matched; });
}

}  // namespace

// Binds the join and decides for each of its rows which clause applies.
Status Binder::merge_rows(const ast::Merge& statement, Scope& scope, MergeState& state) {
  PANDO_ASSIGN(FromResult target, target_scan(state.target, statement.alias));
  state.target_row = target.items.back();
  for (const OutputColumn& column : state.target_row.system_columns) {
    state.row_key = column.attribute == kRowKeyAttribute ? column.id : state.row_key;
  }
  PANDO_ASSIGN(FromResult source, from_item(*statement.source, scope));
  state.source = source.items;
  PANDO_TRY(add_items({state.target_row}, scope));
  PANDO_TRY(add_items(std::move(source.items), scope));
  JoinNode join;
  join.kind = needs_unmatched(statement) ? JoinKind::kLeft : JoinKind::kInner;
  PANDO_ASSIGN(join.condition, boolean_in(*statement.condition, scope, ExprPlace::kJoinCondition));
  join.left = std::move(source.plan);
  join.right = std::move(target.plan);
  std::vector<OutputColumn> outputs = join.left->outputs;
  outputs.insert(outputs.end(), join.right->outputs.begin(), join.right->outputs.end());
  LogicalPtr joined = make_logical(std::move(outputs), std::move(join));

  const ExprPtr key = make_expr({oid::kBytea}, ColumnExpr{state.row_key, ""});
  CaseExpr choice;
  const std::vector<NamespaceItem> all = scope.items;
  for (std::size_t i = 0; i < statement.whens.size(); ++i) {
    const When& when = statement.whens[i];
    ExprPtr applies = make_expr({oid::kBool}, NullTestExpr{key, when.matched});
    if (when.condition != nullptr) {
      // A row that matches nothing has no target to speak of.
      scope.items = when.matched ? all : state.source;
      scope.hidden_items = {state.target_row};
      PANDO_ASSIGN(ExprPtr condition, boolean_in(*when.condition, scope, ExprPlace::kWhere));
      applies = make_expr({oid::kBool}, LogicExpr{LogicExpr::Kind::kAnd, {std::move(applies), std::move(condition)}});
    }
    choice.branches.push_back({std::move(applies), number_of(static_cast<int32_t>(i))});
  }
  scope.items = all;
  scope.hidden_items.clear();
  choice.otherwise = number_of(-1);
  const OutputColumn action{context_.new_column(), "", {oid::kInt4}};
  state.action = action.id;
  state.plan = append_columns(std::move(joined), {{action, make_expr({oid::kInt4}, std::move(choice))}});
  return {};
}

// INSERT of one clause: the values, cast and completed with defaults, over the clause's rows.
Result<LogicalPtr> Binder::merge_insert(const When& when, LogicalPtr rows, MergeState& state, Scope& scope) {
  InsertNode node;
  node.table = state.target.table;
  std::vector<const catalog::ColumnDescriptor*> columns;
  for (const ast::TargetColumn& item : when.columns) {
    PANDO_ASSIGN(const catalog::ColumnDescriptor* column, find_target_column(state.target, item));
    if (std::ranges::find(columns, column) != columns.end()) {
      return Status(sql_state::kDuplicateColumn, "column \"{}\" specified more than once", item.name)
          .with_position(context_.position(item.location));
    }
    columns.push_back(column);
  }
  for (const catalog::ColumnDescriptor& column : node.table->columns) {
    if (when.columns.empty() && !column.dropped) {
      columns.push_back(&column);
    }
  }
  if (when.values.size() > columns.size()) {
    return Status(sql_state::kSyntaxError, "INSERT has more expressions than target columns")
        .with_position(context_.position(when.values[columns.size()]->location));
  }
  if (when.values.size() < columns.size() && !when.columns.empty()) {
    return Status(sql_state::kSyntaxError, "INSERT has more target columns than expressions")
        .with_position(context_.position(when.columns[when.values.size()].location));
  }
  NamespaceItem input_row = table_row(node.table, state.name);
  std::erase_if(input_row.columns,
                [&](const OutputColumn& column) { return node.table->column(column.attribute).generated; });
  ProjectNode project;
  for (const OutputColumn& output : input_row.columns) {
    const catalog::ColumnDescriptor& column = node.table->column(output.attribute);
    const auto at = static_cast<std::size_t>(std::ranges::find(columns, &column) - columns.begin());
    PANDO_ASSIGN(ExprPtr value, at < when.values.size()
                                    ? merge_value(*when.values[at], column, when.overriding, state.target, scope)
                                    : column_default(node.table, column));
    project.columns.push_back({output, std::move(value)});
    node.values.push_back({column.number, column_of(output)});
  }
  project.input = std::move(rows);
  node.input = make_logical(input_row.columns, std::move(project));
  PANDO_ASSIGN(std::vector<Assignment> generated, generated_values(node.table, input_row));
  node.values.insert(node.values.end(), generated.begin(), generated.end());
  std::ranges::sort(node.values, {}, &Assignment::attribute);
  const NamespaceItem row = table_row(node.table, state.name);
  node.row = row.columns;
  PANDO_ASSIGN(node.checks, checks(node.table, row));
  return make_logical({}, std::move(node));
}

Result<ExprPtr> Binder::merge_value(const ast::Expr& node, const catalog::ColumnDescriptor& column,
                                    ast::Insert::Overriding overriding, const ChangeTarget& target, Scope& scope) {
  if (std::holds_alternative<ast::DefaultMarker>(node.node)) {
    return column_default(target.table, column);
  }
  PANDO_TRY(check_given(column, overriding));
  PANDO_ASSIGN(ExprPtr value, value_for(node, column.type, scope, ExprPlace::kInsertValue));
  if (overriding == ast::Insert::Overriding::kUserValue && column.identity != catalog::Identity::kNone) {
    return column_default(target.table, column);
  }
  return assign(std::move(value), column, context_.position(node.location));
}

// One clause, over those of the rows that it applies to.
Result<LogicalPtr> Binder::merge_action(const When& when, int32_t number, MergeState& state, Scope& scope) {
  CteScanNode scan;
  scan.cte = state.rows;
  scan.alias = state.name;
  std::map<ColumnId, ColumnId> ids;
  std::vector<OutputColumn> outputs;
  for (OutputColumn column : state.plan->outputs) {
    scan.sources.push_back(column.id);
    ids[column.id] = context_.new_column();
    column.id = ids[column.id];
    outputs.push_back(std::move(column));
  }
  const ExprPtr action = make_expr({oid::kInt4}, ColumnExpr{ids.at(state.action), ""});
  const Function* equal = function_by_oid(kInt4Equal);
  ExprPtr applies = make_expr({oid::kBool}, CallExpr{equal, {action, number_of(number)}, "=", false});
  LogicalPtr rows = make_logical(outputs, std::move(scan));
  rows = make_logical(outputs, FilterNode{std::move(rows), std::move(applies)});

  const NamespaceItem target_row = renumbered(state.target_row, ids);
  scope.items.clear();
  scope.hidden_items.clear();
  (when.matched ? scope.items : scope.hidden_items).push_back(target_row);
  for (const NamespaceItem& item : state.source) {
    scope.items.push_back(renumbered(item, ids));
  }
  if (when.action == When::Action::kInsert) {
    return merge_insert(when, std::move(rows), state, scope);
  }
  if (when.action == When::Action::kDelete) {
    DeleteNode node;
    node.table = state.target.table;
    node.input = std::move(rows);
    node.row_key = ids.at(state.row_key);
    node.old_row = target_row.columns;
    node.rows_once = true;
    return make_logical({}, std::move(node));
  }
  UpdateNode node;
  node.table = state.target.table;
  node.input = std::move(rows);
  node.row_key = ids.at(state.row_key);
  node.old_row = target_row.columns;
  node.rows_once = true;
  PANDO_ASSIGN(node.assignments, assignments(when.assignments, state.target, scope));
  PANDO_TRY(add_generated(node.table, target_row, node.assignments));
  const NamespaceItem row = table_row(node.table, state.name);
  node.row = row.columns;
  PANDO_ASSIGN(node.checks, checks(node.table, row));
  return make_logical({}, std::move(node));
}

Result<BoundQuery> Binder::merge(const ast::Merge& statement, Scope* parent) {
  Scope scope(parent);
  std::vector<WithNode::Definition> definitions;
  if (statement.with != nullptr) {
    PANDO_TRY(with_clause(*statement.with, scope, definitions));
  }
  bool unreachable_matched = false;
  bool unreachable_unmatched = false;
  for (const When& when : statement.whens) {
    bool& unreachable = when.matched ? unreachable_matched : unreachable_unmatched;
    if (unreachable) {
      return Status(sql_state::kSyntaxError, "unreachable WHEN clause specified after unconditional WHEN clause");
    }
    unreachable = when.condition == nullptr;
  }
  MergeState state;
  PANDO_ASSIGN(state.target, change_target(statement.table, ChangeKind::kMerge));
  state.name = statement.alias.empty() ? state.target.table->name : statement.alias;
  PANDO_TRY(merge_rows(statement, scope, state));
  state.rows = context_.new_cte();
  WithNode::Definition rows;
  rows.id = state.rows;
  rows.name = state.name;
  rows.plan = state.plan;
  rows.materialized = true;
  definitions.push_back(std::move(rows));
  for (std::size_t i = 0; i < statement.whens.size(); ++i) {
    if (statement.whens[i].action == When::Action::kNothing) {
      continue;
    }
    WithNode::Definition action;
    action.id = context_.new_cte();
    action.name = state.name;
    action.materialized = true;
    PANDO_ASSIGN(action.plan, merge_action(statement.whens[i], static_cast<int32_t>(i), state, scope));
    definitions.push_back(std::move(action));
  }
  WithNode with;
  with.definitions = std::move(definitions);
  with.body = make_logical({}, ValuesNode{});
  with.counts_definitions = true;
  BoundQuery result;
  result.plan = make_logical({}, std::move(with));
  return result;
}

}  // namespace pando::sql
