// UPDATE and DELETE.

#include <algorithm>
#include <utility>

#include "sql/bind/binder.h"
#include "sql/bind/place_guard.h"
#include "sql/bind/traverse.h"
#include "sql/function/current_row.h"
#include "sql/function/element_assignment.h"
#include "sql/function/json_record.h"

namespace pando::sql {

namespace oid = types::oid;

namespace {

bool is_default_marker(const ast::Expr& node) { return std::holds_alternative<ast::DefaultMarker>(node.node); }

ColumnId row_key_of(const NamespaceItem& item) {
  for (const OutputColumn& column : item.system_columns) {
    if (column.attribute == kRowKeyAttribute) {
      return column.id;
    }
  }
  PANDO_UNREACHABLE("a target scan without its row key");
}

}  // namespace

Result<ExprPtr> Binder::assigned_value(const ast::Expr& node, const ChangeTarget& target,
                                       const catalog::ColumnDescriptor& column, Scope& scope) {
  if (is_default_marker(node)) {
    return column_default(target.table, column);
  }
  if (column.generated || column.identity == catalog::Identity::kAlways) {
    return Status(sql_state::kGeneratedAlways, "column \"{}\" can only be updated to DEFAULT", column.name)
        .with_detail(column.generated ? fmt::format("Column \"{}\" is a generated column.", column.name)
                                      : fmt::format("Column \"{}\" is an identity column defined as GENERATED ALWAYS.",
                                                    column.name));
  }
  PANDO_ASSIGN(ExprPtr value, value_for(node, column.type, scope, ExprPlace::kUpdateSource));
  return assign(std::move(value), column, context_.position(node.location));
}

// An element of a column goes into what was assigned to the column's other elements before.
Status Binder::add_assignment(const ast::TargetColumn& item, const catalog::ColumnDescriptor& column, ExprPtr value,
                              Scope& scope, std::vector<Assignment>& out) {
  const auto before = std::ranges::find(out, column.number, &Assignment::attribute);
  const auto is_element = [](const ExprPtr& expr) {
    const auto* call = as<CallExpr>(expr);
    const auto* row = as<RowExpr>(expr);
    const auto is_kept = [](const ExprPtr& field) { return as<FieldExpr>(field) != nullptr; };
    if (row != nullptr && std::ranges::any_of(row->fields, is_kept)) {
      return true;
    }
    return call != nullptr && (call->function == &element_assignment() || call->function == &slice_assignment() ||
                               call->function == &jsonb_assignment());
  };
  if (before != out.end() && (item.indirection.empty() || !is_element(before->value))) {
    return {sql_state::kSyntaxError, "multiple assignments to same column \"{}\"", column.name};
  }
  if (item.indirection.empty()) {
    out.push_back({column.number, std::move(value)});
    return {};
  }
  ExprPtr container;
  if (before != out.end()) {
    container = before->value;
  } else {
    const auto& row = scope.items[0].columns;
    const auto old = std::ranges::find(row, column.number, &OutputColumn::attribute);
    container = make_expr(old->type, ColumnExpr{old->id, old->name});
  }
  PANDO_ASSIGN(ExprPtr assigned, assign_element(std::move(container), item, column, std::move(value), scope));
  if (before != out.end()) {
    before->value = std::move(assigned);
  } else {
    out.push_back({column.number, std::move(assigned)});
  }
  return {};
}

// SET a = 1, SET a[2] = 1.
Status Binder::assign_one(const ast::TargetColumn& item, const ast::Expr& node, const ChangeTarget& target,
                          Scope& scope, std::vector<Assignment>& out) {
  PANDO_ASSIGN(const catalog::ColumnDescriptor* column, find_target_column(target, item));
  if (item.indirection.empty()) {
    PANDO_ASSIGN(ExprPtr value, assigned_value(node, target, *column, scope));
    return column->generated ? Status() : add_assignment(item, *column, std::move(value), scope, out);
  }
  if (is_default_marker(node)) {
    return Status(sql_state::kFeatureNotSupported, "cannot set an array element to DEFAULT")
        .with_position(context_.position(item.location));
  }
  PANDO_ASSIGN(ExprPtr value, expr_in(node, scope, ExprPlace::kUpdateSource));
  return add_assignment(item, *column, std::move(value), scope, out);
}

// SET (a, b) = (1, 2), = ROW(1, 2) or = (SELECT ...).
Status Binder::assign_row(const ast::Assignment& assignment, const ChangeTarget& target, Scope& scope,
                          std::vector<Assignment>& out) {
  const int position = context_.position(assignment.value->location);
  const Status wrong_count =
      Status(sql_state::kSyntaxError, "number of columns does not match number of values").with_position(position);
  const auto assign_bound = [&](const ast::TargetColumn& item, ExprPtr value) -> Status {
    PANDO_ASSIGN(const catalog::ColumnDescriptor* column, find_target_column(target, item));
    if (item.indirection.empty()) {
      PANDO_ASSIGN(value, assign(std::move(value), *column, position));
    }
    return add_assignment(item, *column, std::move(value), scope, out);
  };
  if (const auto* row_node = std::get_if<ast::RowConstructor>(&assignment.value->node)) {
    const auto has_star = [](const ast::ExprPtr& field) {
      const auto* ref = std::get_if<ast::ColumnRef>(&field->node);
      return ref != nullptr && ref->star;
    };
    std::vector<ExprPtr> bound;
    if (std::ranges::any_of(row_node->fields, has_star)) {
      const PlaceChange place(scope, ExprPlace::kUpdateSource);
      PANDO_ASSIGN(bound, row_fields(*row_node, scope));
    }
    if ((bound.empty() ? row_node->fields.size() : bound.size()) != assignment.targets.size()) {
      return wrong_count;
    }
    for (std::size_t i = 0; i < assignment.targets.size(); ++i) {
      PANDO_TRY(bound.empty() ? assign_one(assignment.targets[i], *row_node->fields[i], target, scope, out)
                              : assign_bound(assignment.targets[i], bound[i]));
    }
    return {};
  }
  const auto* query_node = std::get_if<ast::Subquery>(&assignment.value->node);
  if (query_node == nullptr || query_node->kind != ast::Subquery::Kind::kScalar) {
    return Status(sql_state::kFeatureNotSupported,
                  "source for a multiple-column UPDATE item must be a sub-SELECT or ROW() expression")
        .with_position(position);
  }
  PlaceChange place(scope, ExprPlace::kUpdateSource);
  PANDO_ASSIGN(const BoundQuery query, select(*query_node->query, &scope, {}));
  if (query.columns.size() != assignment.targets.size()) {
    return wrong_count;
  }
  for (std::size_t i = 0; i < assignment.targets.size(); ++i) {
    SubqueryExpr value;
    value.plan = query.plan;
    value.columns = {query.columns[i].id};
    PANDO_TRY(assign_bound(assignment.targets[i], make_expr(query.columns[i].type, std::move(value), position)));
  }
  return {};
}

Result<std::vector<Assignment>> Binder::assignments(const std::vector<ast::Assignment>& list,
                                                    const ChangeTarget& target, Scope& scope) {
  std::vector<Assignment> result;
  for (const ast::Assignment& assignment : list) {
    if (assignment.multiple) {
      PANDO_TRY(assign_row(assignment, target, scope, result));
    } else {
      PANDO_TRY(assign_one(assignment.targets[0], *assignment.value, target, scope, result));
    }
  }
  return result;
}

// Generated columns follow from the new row: their expressions with the assigned values put in.
Status Binder::add_generated(const catalog::TablePtr& table, const NamespaceItem& old_row,
                             std::vector<Assignment>& assignments) {
  PANDO_ASSIGN(std::vector<Assignment> generated, generated_values(table, old_row));
  const std::vector<Assignment> assigned = assignments;
  const std::function<ExprPtr(const ExprPtr&)> substitute = [&](const ExprPtr& expr) -> ExprPtr {
    if (const auto* column = as<ColumnExpr>(expr)) {
      for (const OutputColumn& old : old_row.columns) {
        for (const Assignment& assignment : assigned) {
          if (old.id == column->column && old.attribute == assignment.attribute) {
            return assignment.value;
          }
        }
      }
      return expr;
    }
    return map_children(expr, substitute);
  };
  for (Assignment& assignment : generated) {
    assignments.push_back({assignment.attribute, substitute(assignment.value)});
  }
  return {};
}

// WHERE CURRENT OF: the row whose key is that of the row which the cursor is on.
Result<ExprPtr> Binder::current_of(const ast::CurrentOf& node, const NamespaceItem& target) {
  const auto text = types::Value::of_bytes(Bytes(node.cursor));
  CallExpr current{
      &current_row(),
      {make_constant({oid::kText}, text), make_constant({oid::kOid}, types::Value::of_uint32(target.table->oid))},
      "current_row",
      false};
  ExprPtr key = make_expr({oid::kBytea}, ColumnExpr{row_key_of(target), ""});
  return apply_operator(context_, {"="}, std::move(key), make_expr({oid::kBytea}, std::move(current)), 0);
}

// The target joined with the other items, filtered: what UPDATE and DELETE read. Leaves the target, as the statement
// names it, first in the scope.
Result<LogicalPtr> Binder::changed_rows(FromResult target, const std::vector<ast::FromItemPtr>& from,
                                        const ast::Expr* where, Scope& scope) {
  LogicalPtr plan = target.plan;
  const NamespaceItem row = target.items.front();
  if (!from.empty()) {
    PANDO_ASSIGN(LogicalPtr others, from_list(from, scope));
    std::vector<OutputColumn> outputs = plan->outputs;
    outputs.insert(outputs.end(), others->outputs.begin(), others->outputs.end());
    JoinNode join;
    join.left = std::move(plan);
    join.right = std::move(others);
    plan = make_logical(std::move(outputs), std::move(join));
  }
  std::vector<NamespaceItem> others = std::move(scope.items);
  scope.items.assign(1, std::move(target.items.back()));
  PANDO_TRY(add_items(std::move(others), scope));
  if (where != nullptr) {
    const auto* current = std::get_if<ast::CurrentOf>(&where->node);
    PANDO_ASSIGN(ExprPtr predicate,
                 current == nullptr ? boolean_in(*where, scope, ExprPlace::kWhere) : current_of(*current, row));
    std::vector<OutputColumn> outputs = plan->outputs;
    plan = make_logical(std::move(outputs), FilterNode{std::move(plan), std::move(predicate)});
  }
  return plan;
}

Result<BoundQuery> Binder::update(const ast::Update& update, Scope* parent) {
  Scope scope(parent);
  std::vector<WithNode::Definition> definitions;
  if (update.with != nullptr) {
    PANDO_TRY(with_clause(*update.with, scope, definitions));
  }
  UpdateNode node;
  PANDO_ASSIGN(const ChangeTarget target, change_target(update.table, ChangeKind::kUpdate));
  node.table = target.table;
  PANDO_ASSIGN(FromResult rows, target_scan(target, update.alias));
  const NamespaceItem old_row = rows.items.front();
  const NamespaceItem named_row = rows.items.back();
  node.row_key = row_key_of(old_row);
  node.old_row = old_row.columns;
  PANDO_ASSIGN(node.input, changed_rows(std::move(rows), update.from, update.where.get(), scope));
  PANDO_ASSIGN(node.assignments, assignments(update.assignments, target, scope));
  PANDO_TRY(add_generated(node.table, old_row, node.assignments));
  NamespaceItem row = table_row(node.table, named_row.name);
  row.schema = old_row.schema;
  node.row = row.columns;
  PANDO_ASSIGN(node.checks, checks(node.table, row));
  // RETURNING shows the new row, of which these say the same.
  std::ranges::copy_if(old_row.system_columns, std::back_inserter(row.system_columns), [](const OutputColumn& column) {
    return column.attribute != kCtidAttribute && column.attribute != kXminAttribute &&
           column.attribute != kRowKeyAttribute;
  });
  PANDO_ASSIGN(SeenRow seen, seen_row(target, std::move(row)));
  add_view_checks(target, seen, node.checks);
  scope.items[0] = std::move(seen.item);
  BoundQuery result;
  PANDO_TRY(bind_returning(update.returning, scope, node.returning, result.columns));
  replace_computed(node.returning, seen.computed);
  result.plan = make_logical(result.columns, std::move(node));
  return wrap_with(std::move(definitions), std::move(result));
}

Result<BoundQuery> Binder::delete_from(const ast::Delete& statement, Scope* parent) {
  Scope scope(parent);
  std::vector<WithNode::Definition> definitions;
  if (statement.with != nullptr) {
    PANDO_TRY(with_clause(*statement.with, scope, definitions));
  }
  DeleteNode node;
  PANDO_ASSIGN(const ChangeTarget target, change_target(statement.table, ChangeKind::kDelete));
  node.table = target.table;
  PANDO_ASSIGN(FromResult rows, target_scan(target, statement.alias));
  node.row_key = row_key_of(rows.items.front());
  node.old_row = rows.items.front().columns;
  PANDO_ASSIGN(node.input, changed_rows(std::move(rows), statement.using_items, statement.where.get(), scope));
  BoundQuery result;
  PANDO_TRY(bind_returning(statement.returning, scope, node.returning, result.columns));
  result.plan = make_logical(result.columns, std::move(node));
  return wrap_with(std::move(definitions), std::move(result));
}

}  // namespace pando::sql
