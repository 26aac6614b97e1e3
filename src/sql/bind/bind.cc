#include "sql/bind/bind.h"

#include <algorithm>
#include <utility>

#include "sql/bind/binder.h"
#include "sql/bind/cursor.h"

namespace pando::sql {

namespace {

Status not_a_query(const ast::Statement& statement) {
  if (const auto* unsupported = std::get_if<ast::UnsupportedStatement>(&statement.node)) {
    return {sql_state::kFeatureNotSupported, "{} is not supported", unsupported->feature};
  }
  return {sql_state::kInternalError, "a statement of kind {} has no plan", statement.node.index()};
}

bool is_query(const ast::Statement& statement) {
  return std::holds_alternative<ast::Select>(statement.node) || std::holds_alternative<ast::Insert>(statement.node) ||
         std::holds_alternative<ast::Update>(statement.node) || std::holds_alternative<ast::Delete>(statement.node) ||
         std::holds_alternative<ast::Merge>(statement.node);
}

Result<LogicalQuery> try_bind(const ast::Statement& statement, Binder& binder, SelectUse use) {
  PANDO_ASSIGN(BoundQuery bound, binder.statement(statement, nullptr, use));
  LogicalQuery query;
  query.root = std::move(bound.plan);
  query.result = std::move(bound.columns);
  PANDO_TRY(binder.context().parameters.finish(query.parameters));
  query.next_column_id = binder.context().next_column;
  query.tables = binder.read_tables();
  return query;
}

}  // namespace

Result<LogicalQuery> bind_query(const ast::Statement& statement, const BindOptions& options) {
  if (!is_query(statement)) {
    return not_a_query(statement);
  }
  Binder binder(options);
  Result<LogicalQuery> query = try_bind(statement, binder, {});
  if (!query.ok() && query.status().is(kNeedSystemColumns)) {
    Binder again(options);
    again.use_system_columns();
    query = try_bind(statement, again, {});
  }
  if (!query.ok() && !options.lifted.empty()) {
    return Status(kCannotLift, "{}", query.status().message());
  }
  return query;
}

Result<BoundCursor> bind_cursor(const ast::Statement& statement, const BindOptions& options) {
  const auto* select = std::get_if<ast::Select>(&statement.node);
  if (select == nullptr) {
    return not_a_query(statement);
  }
  BoundCursor cursor;
  cursor.locks = !select->locking.empty();
  const auto bind = [&](Binder& binder) -> Status {
    PANDO_ASSIGN(cursor.query, try_bind(statement, binder, {.keep_row_keys = true}));
    cursor.shown = cursor.query.result.size();
    for (const Binder::RowKey& key : binder.row_keys()) {
      const auto found = std::ranges::find(cursor.query.root->outputs, key.column, &OutputColumn::id);
      if (found != cursor.query.root->outputs.end()) {
        cursor.tables.push_back({key.table, cursor.query.result.size()});
        cursor.query.result.push_back(*found);
      }
    }
    return {};
  };
  Binder binder(options);
  Status bound = bind(binder);
  if (bound.is(kNeedSystemColumns)) {
    Binder again(options);
    again.use_system_columns();
    bound = bind(again);
  }
  return bound.ok() ? Result<BoundCursor>(std::move(cursor)) : std::move(bound);
}

Result<TableExpressionsPtr> bind_table_expressions(catalog::TablePtr table, const BindOptions& options) {
  Binder binder(options);
  binder.context().text = {};
  auto result = std::make_shared<TableExpressions>();
  const NamespaceItem row = binder.table_row(table, table->name);
  result->row = row.columns;
  for (const catalog::IndexDescriptor& index : table->indexes) {
    TableExpressions::Index expressions;
    expressions.index = index.oid;
    bool any = !index.predicate_sql.empty();
    for (const catalog::IndexColumn& column : index.columns) {
      ExprPtr expr;
      if (column.attribute == 0) {
        PANDO_ASSIGN(expr, binder.stored_expr(column.expression_sql, &row, ExprPlace::kIndexExpression, {}, ""));
        any = true;
      }
      expressions.columns.push_back(std::move(expr));
    }
    if (!index.predicate_sql.empty()) {
      PANDO_ASSIGN(expressions.predicate,
                   binder.stored_expr(index.predicate_sql, &row, ExprPlace::kIndexPredicate, {types::oid::kBool}, ""));
    }
    if (any) {
      result->indexes.push_back(std::move(expressions));
    }
  }
  PANDO_ASSIGN(result->checks, binder.checks(table, row));
  for (const catalog::ColumnDescriptor& column : table->columns) {
    if (!column.dropped && !column.default_sql.empty() && !column.generated) {
      PANDO_ASSIGN(ExprPtr value, binder.column_default(table, column));
      result->defaults.push_back({column.number, std::move(value)});
    }
  }
  PANDO_ASSIGN(result->generated, binder.generated_values(table, row));
  return TableExpressionsPtr(std::move(result));
}

Result<ExprPtr> bind_value(const ast::Expr& expr, types::Type target, const BindOptions& options) {
  Binder binder(options);
  Scope scope(nullptr);
  PANDO_ASSIGN(ExprPtr value, binder.expr_in(expr, scope, ExprPlace::kExecuteParameter));
  if (target.oid == types::oid::kInvalid) {
    return resolve_unknown(binder.context(), std::move(value));
  }
  PANDO_ASSIGN(ExprPtr cast, coerce(binder.context(), value, target, CastContext::kAssignment));
  if (cast == nullptr) {
    return Status(sql_state::kDatatypeMismatch, "expression of type {} cannot be converted to type {}",
                  type_name(value->type.oid), types::format_type(target))
        .with_hint("You will need to rewrite or cast the expression.")
        .with_position(value->position);
  }
  return cast;
}

Result<ExprPtr> bind_default(const ast::Expr& expr, std::string_view column, types::Type target,
                             const BindOptions& options) {
  Binder binder(options);
  Scope scope(nullptr);
  PANDO_ASSIGN(ExprPtr value, binder.expr_in(expr, scope, ExprPlace::kDefault));
  PANDO_ASSIGN(ExprPtr cast, coerce(binder.context(), value, target, CastContext::kAssignment));
  if (cast == nullptr) {
    return Status(sql_state::kDatatypeMismatch, "column \"{}\" is of type {} but default expression is of type {}",
                  column, types::format_type(target), type_name(value->type.oid))
        .with_hint("You will need to rewrite or cast the expression.");
  }
  return cast;
}

namespace {

ExprPlace place_of(std::string_view clause) {
  for (const ExprPlace place : {ExprPlace::kCheck, ExprPlace::kDefault, ExprPlace::kIndexExpression,
                                ExprPlace::kIndexPredicate, ExprPlace::kGenerated}) {
    if (place_name(place) == clause) {
      return place;
    }
  }
  return ExprPlace::kNone;
}

// The table's row with its attribute numbers as ids.
NamespaceItem numbered_row(const catalog::TablePtr& table) {
  NamespaceItem item;
  item.name = table->name;
  item.table = table;
  for (const catalog::ColumnDescriptor& column : table->columns) {
    if (!column.dropped) {
      item.columns.push_back(
          {ColumnId(static_cast<uint32_t>(column.number)), column.name, column.type, table->oid, column.number});
    }
  }
  return item;
}

}  // namespace

Result<ExprPtr> bind_table_expression(const ast::Expr& expr, catalog::TablePtr table, types::Type target,
                                      std::string_view clause, const BindOptions& options) {
  Binder binder(options);
  binder.context().next_column = static_cast<uint32_t>(table->columns.size()) + 1;
  Scope scope(nullptr);
  scope.items.push_back(numbered_row(table));
  PANDO_ASSIGN(ExprPtr value, binder.expr_in(expr, scope, place_of(clause)));
  std::vector<types::Type> parameters;
  PANDO_TRY(binder.context().parameters.finish(parameters));
  if (!parameters.empty()) {
    return Status(sql_state::kUndefinedParameter, "there is no parameter $1");
  }
  if (target.oid == types::oid::kInvalid) {
    return resolve_unknown(binder.context(), std::move(value));
  }
  PANDO_ASSIGN(ExprPtr cast, coerce(binder.context(), value, target, CastContext::kAssignment));
  if (cast == nullptr && target.oid == types::oid::kBool) {
    return Status(sql_state::kDatatypeMismatch, "argument of {} must be type boolean, not type {}",
                  place_of(clause) == ExprPlace::kCheck ? "CHECK" : "WHERE", type_name(value->type.oid))
        .with_position(value->position);
  }
  if (cast == nullptr) {
    return Status(sql_state::kDatatypeMismatch, "expression of type {} cannot be converted to type {}",
                  type_name(value->type.oid), types::format_type(target))
        .with_hint("You will need to rewrite or cast the expression.")
        .with_position(value->position);
  }
  return cast;
}

Result<ExprPtr> bind_stored_default(catalog::TablePtr table, catalog::AttributeNumber attribute,
                                    const BindOptions& options) {
  Binder binder(options);
  binder.context().next_column = static_cast<uint32_t>(table->columns.size()) + 1;
  const catalog::ColumnDescriptor& column = table->column(attribute);
  if (!column.generated) {
    return binder.column_default(table, column);
  }
  const NamespaceItem row = numbered_row(table);
  return binder.stored_expr(column.default_sql, &row, ExprPlace::kGenerated, column.type, column.name);
}

Result<ExprPtr> bind_column_cast(catalog::TablePtr table, catalog::AttributeNumber attribute, types::Type target,
                                 const BindOptions& options) {
  Binder binder(options);
  const catalog::ColumnDescriptor& column = table->column(attribute);
  ExprPtr value = make_expr(column.type, ColumnExpr{ColumnId(static_cast<uint32_t>(attribute)), column.name});
  PANDO_ASSIGN(ExprPtr cast, coerce(binder.context(), value, target, CastContext::kAssignment));
  if (cast == nullptr) {
    return Status(sql_state::kDatatypeMismatch, "column \"{}\" cannot be cast automatically to type {}", column.name,
                  types::format_type(target))
        .with_hint(fmt::format("You might need to specify \"USING {}::{}\".", column.name, types::format_type(target)));
  }
  return cast;
}

Result<types::Type> bind_type(const ast::TypeName& name, const BindOptions& options) {
  Binder binder(options);
  return binder.type(name);
}

catalog::TypePtr bind_domain(const ast::TypeName& name, const BindOptions& options) {
  Binder binder(options);
  return binder.domain(name);
}

Result<ExprPtr> bind_domain_check(const ast::Expr& expr, types::Type base, const BindOptions& options) {
  Binder binder(options);
  NamespaceItem item;
  item.columns.push_back({binder.context().new_column(), "value", base});
  Scope scope(nullptr);
  scope.items.push_back(std::move(item));
  return binder.boolean_in(expr, scope, ExprPlace::kCheck);
}

Result<std::string> why_not_updatable(const ast::Statement& query, const BindOptions& options) {
  Binder binder(options);
  binder.use_system_columns();
  return binder.why_not_updatable(query);
}

Result<std::vector<types::Oid>> bind_dependencies(const ast::Statement& statement, const BindOptions& options) {
  Binder binder(options);
  binder.use_system_columns();
  PANDO_ASSIGN(const BoundQuery query, binder.statement(statement, nullptr, {}));
  std::vector<types::Oid> relations = binder.used_relations();
  std::sort(relations.begin(), relations.end());
  relations.erase(std::unique(relations.begin(), relations.end()), relations.end());
  return relations;
}

}  // namespace pando::sql
