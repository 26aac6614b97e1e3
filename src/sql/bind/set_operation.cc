// UNION, INTERSECT, EXCEPT.

#include <utility>

#include "sql/bind/binder.h"
#include "sql/bind/core_state.h"
#include "sql/bind/locking.h"
#include "sql/bind/place_guard.h"
#include "types/compare.h"

namespace pando::sql {

namespace oid = types::oid;

namespace {

const char* operation_name(ast::SetOperation::Kind kind) {
  switch (kind) {
    case ast::SetOperation::Kind::kUnion:
      return "UNION";
    case ast::SetOperation::Kind::kIntersect:
      return "INTERSECT";
    case ast::SetOperation::Kind::kExcept:
      return "EXCEPT";
  }
  return "";
}

// A column of a query as an expression; a literal whose type is open as itself.
ExprPtr column_value(const BoundQuery& query, std::size_t i) {
  const OutputColumn& column = query.columns[i];
  if (column.type.oid == oid::kUnknown && i < query.exprs.size()) {
    return query.exprs[i];
  }
  const int position = i < query.exprs.size() ? location_of(query.exprs[i]) : 0;
  return make_expr(column.type, ColumnExpr{column.id, column.name}, position);
}

}  // namespace

// Projects the columns that do not have these types yet. Types of oid 0 stay.
Result<BoundQuery> Binder::convert_columns(BoundQuery query, const std::vector<types::Type>& types,
                                           std::string_view construct) {
  ProjectNode project;
  BoundQuery result;
  bool changed = false;
  for (std::size_t i = 0; i < query.columns.size(); ++i) {
    const OutputColumn& column = query.columns[i];
    ExprPtr value = column_value(query, i);
    if (column.type.oid == types[i].oid) {
      project.columns.push_back({column, std::move(value)});
      result.columns.push_back(column);
      continue;
    }
    PANDO_ASSIGN(value, coerce_to_common(context_, std::move(value), types[i].oid, construct));
    OutputColumn output{context_.new_column(), column.name, value->type};
    project.columns.push_back({output, std::move(value)});
    result.columns.push_back(std::move(output));
    changed = true;
  }
  if (!changed) {
    return query;
  }
  result.exprs = std::move(query.exprs);
  project.input = std::move(query.plan);
  // A column may be passed on twice: a node's outputs are listed once each.
  std::vector<OutputColumn> outputs;
  std::vector<ProjectedColumn> once;
  for (ProjectedColumn& column : project.columns) {
    bool repeated = false;
    for (const OutputColumn& output : outputs) {
      repeated = repeated || output.id == column.column.id;
    }
    if (!repeated) {
      outputs.push_back(column.column);
      once.push_back(std::move(column));
    }
  }
  project.columns = std::move(once);
  result.plan = make_logical(std::move(outputs), std::move(project));
  return result;
}

Result<BoundQuery> Binder::set_operands(const ast::SetOperation& operation, BoundQuery left, BoundQuery right) {
  const char* construct = operation_name(operation.kind);
  if (left.columns.size() != right.columns.size()) {
    const int position = right.exprs.empty() ? 0 : location_of(right.exprs[0]);
    return Status(sql_state::kSyntaxError, "each {} query must have the same number of columns", construct)
        .with_position(position);
  }
  std::vector<types::Type> types;
  for (std::size_t i = 0; i < left.columns.size(); ++i) {
    const std::vector<ExprPtr> both{column_value(left, i), column_value(right, i)};
    types::Type type;
    PANDO_ASSIGN(type.oid, select_common_type(both, construct));
    type.modifier = common_modifier(both, type.oid);
    const bool compares = !(operation.kind == ast::SetOperation::Kind::kUnion && operation.all);
    if (compares && !types::is_hashable(type.oid) && !types::is_record(type.oid)) {
      return Status(sql_state::kUndefinedFunction, "could not identify an equality operator for type {}",
                    type_name(type.oid))
          .with_position(location_of(both[0]));
    }
    types.push_back(type);
  }
  PANDO_ASSIGN(left, convert_columns(std::move(left), types, construct));
  PANDO_ASSIGN(right, convert_columns(std::move(right), types, construct));
  SetOperationNode node;
  node.kind = static_cast<SetOperationKind>(operation.kind);
  node.all = operation.all;
  BoundQuery result;
  result.exprs = std::move(left.exprs);
  for (std::size_t i = 0; i < types.size(); ++i) {
    node.left_columns.push_back(left.columns[i].id);
    node.right_columns.push_back(right.columns[i].id);
    result.columns.push_back({context_.new_column(), left.columns[i].name, types[i]});
  }
  node.left = std::move(left.plan);
  node.right = std::move(right.plan);
  result.plan = make_logical(result.columns, std::move(node));
  return result;
}

Result<BoundQuery> Binder::set_operation(const ast::Select& select, const ast::SetOperation& operation, Scope& scope,
                                         SelectUse /*use*/) {
  if (!select.locking.empty()) {
    return Status(sql_state::kFeatureNotSupported, "{} is not allowed with UNION/INTERSECT/EXCEPT",
                  strength_name(select.locking[0].strength));
  }
  const SelectUse operand{.keep_unknown = true};
  PANDO_ASSIGN(BoundQuery left, this->select(*operation.left, &scope, operand));
  PANDO_ASSIGN(BoundQuery right, this->select(*operation.right, &scope, operand));
  PANDO_ASSIGN(BoundQuery query, set_operands(operation, std::move(left), std::move(right)));
  if (select.order_by.empty() && select.limit == nullptr && select.offset == nullptr) {
    return query;
  }
  return order_set(select, std::move(query), scope);
}

Result<BoundQuery> Binder::order_set(const ast::Select& select, BoundQuery query, Scope& scope) {
  NamespaceItem item;
  item.columns = query.columns;
  // Output names can be used, but not inside expressions.
  item.columns_visible = false;
  item.relation_visible = false;
  scope.items.push_back(std::move(item));
  CoreState state;
  state.plan = std::move(query.plan);
  for (const OutputColumn& column : query.columns) {
    Target target;
    target.expr = make_expr(column.type, ColumnExpr{column.id, column.name});
    target.name = column.name;
    state.targets.push_back(std::move(target));
  }
  for (const ast::SortBy& sort : select.order_by) {
    const std::size_t before = state.targets.size();
    scope.items.back().columns_visible = true;
    Result<std::size_t> index = sort_target(*sort.expr, state.targets, scope, ExprPlace::kOrderBy);
    scope.items.back().columns_visible = false;
    PANDO_TRY(index.status());
    if (*index >= before) {
      const int position = location_of(state.targets[*index].expr);
      return Status(sql_state::kFeatureNotSupported, "invalid UNION/INTERSECT/EXCEPT ORDER BY clause")
          .with_detail("Only result column names can be used, not expressions or functions.")
          .with_hint("Add the expression/function to every SELECT, or move the UNION into a FROM clause.")
          .with_position(position);
    }
    PANDO_ASSIGN(SortKey key, sort_key(sort, state.targets[*index].expr));
    state.sort.emplace_back(*index, std::move(key));
  }
  return finish_core(select, ast::SelectCore(), std::move(state), scope);
}

}  // namespace pando::sql
