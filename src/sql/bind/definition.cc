// What a table's definition adds to statements: defaults, checks, generated columns, kept as SQL text.

#include <algorithm>
#include <utility>

#include "catalog/relation_forms.h"
#include "sql/bind/binder.h"
#include "sql/bind/place_guard.h"
#include "sql/function/domain_failure.h"

namespace pando::sql {

namespace oid = types::oid;

NamespaceItem Binder::table_row(const catalog::TablePtr& table, std::string name) {
  NamespaceItem item;
  item.name = std::move(name);
  item.table = table;
  item.is_table_scan = true;
  for (const catalog::ColumnDescriptor& column : table->columns) {
    if (!column.dropped) {
      item.columns.push_back({context_.new_column(), column.name, column.type, table->oid, column.number});
    }
  }
  return item;
}

Result<ExprPtr> Binder::stored_expr(std::string_view sql, const NamespaceItem* row, ExprPlace place, types::Type target,
                                    std::string_view column) {
  PANDO_ASSIGN(const ast::ExprPtr node, context_.options.parse_expression(sql));
  const Restore<std::string_view> no_text(context_.text, {});
  Scope scope(nullptr);
  if (row != nullptr) {
    scope.items.push_back(*row);
  }
  PANDO_ASSIGN(ExprPtr value, expr_in(*node, scope, place));
  if (target.oid == oid::kInvalid) {
    return value;
  }
  PANDO_ASSIGN(ExprPtr cast, coerce(context_, value, target, CastContext::kAssignment));
  if (cast == nullptr) {
    return Status(sql_state::kDatatypeMismatch, "column \"{}\" is of type {} but {} expression is of type {}", column,
                  types::format_type(target), place == ExprPlace::kGenerated ? "generation" : "default",
                  type_name(value->type.oid))
        .with_hint("You will need to rewrite or cast the expression.");
  }
  return cast;
}

Result<std::vector<BoundCheck>> Binder::checks(const catalog::TablePtr& table, const NamespaceItem& row) {
  std::vector<BoundCheck> checks;
  for (const catalog::ConstraintDescriptor& constraint : table->constraints) {
    if (constraint.kind == catalog::ConstraintKind::kCheck) {
      PANDO_ASSIGN(ExprPtr condition, stored_expr(constraint.check_sql, &row, ExprPlace::kCheck, {oid::kBool}, ""));
      checks.push_back({constraint.name, std::move(condition), BoundCheck::Kind::kConstraint, {}});
    }
  }
  std::ranges::sort(checks, {}, &BoundCheck::name);
  for (const OutputColumn& column : row.columns) {
    if (column.attribute > 0 && table->column(column.attribute).domain != 0) {
      PANDO_TRY(add_domain_checks(table->column(column.attribute).domain, column, checks));
    }
  }
  return checks;
}

Status Binder::add_domain_checks(types::Oid domain, const OutputColumn& value, std::vector<BoundCheck>& checks) {
  const catalog::TypePtr type = context_.options.catalog->find_type(domain);
  if (type == nullptr) {
    return {};
  }
  if (type->domain != 0) {
    const std::size_t first = checks.size();
    PANDO_TRY(add_domain_checks(type->domain, value, checks));
    // Errors name the domain that was asked for.
    for (std::size_t i = first; i < checks.size(); ++i) {
      checks[i].domain = type->name;
    }
  }
  if (type->not_null) {
    NullTestExpr test{make_expr(value.type, ColumnExpr{value.id, value.name}), true};
    checks.push_back({"", make_expr({oid::kBool}, std::move(test)), BoundCheck::Kind::kDomainNotNull, type->name});
  }
  NamespaceItem item;
  item.columns.push_back(value);
  item.columns[0].name = "value";
  for (const catalog::TypeDescriptor::Check& check : type->checks) {
    PANDO_ASSIGN(ExprPtr condition, stored_expr(check.sql, &item, ExprPlace::kCheck, {oid::kBool}, ""));
    checks.push_back({check.name, std::move(condition), BoundCheck::Kind::kDomain, type->name});
  }
  return {};
}

// CASE value WHEN a check says no THEN an error ... ELSE value END.
Result<ExprPtr> Binder::checked_by_domain(ExprPtr value, types::Oid domain) {
  const types::Type type = value->type;
  const int position = value->position;
  const OutputColumn column{context_.new_column(), "value", type};
  std::vector<BoundCheck> checks;
  PANDO_TRY(add_domain_checks(domain, column, checks));
  if (checks.empty()) {
    return value;
  }
  CaseExpr result;
  result.operand = std::move(value);
  result.operand_column = column.id;
  for (BoundCheck& check : checks) {
    BooleanTestExpr fails;
    fails.kind = BooleanTestExpr::Kind::kFalse;
    fails.argument = std::move(check.condition);
    const auto text = [](const std::string& word) {
      return make_constant({oid::kText}, types::Value::of_bytes(Bytes(word)));
    };
    CallExpr failure{&domain_failure(), {text(check.domain), text(check.name)}, "domain_failure", false};
    result.branches.push_back({make_expr({oid::kBool}, std::move(fails)), make_expr(type, std::move(failure))});
  }
  result.otherwise = make_expr(type, ColumnExpr{column.id, column.name});
  return make_expr(type, std::move(result), position);
}

Result<ExprPtr> Binder::column_default(const catalog::TablePtr& /*table*/, const catalog::ColumnDescriptor& column) {
  if (column.identity != catalog::Identity::kNone && column.owned_sequence != 0) {
    constexpr types::Oid kNextvalFunction = 1574;
    const Function* nextval = function_by_oid(kNextvalFunction);
    PANDO_ASSERT(nextval != nullptr, "no nextval among the functions");
    ExprPtr sequence = make_constant({oid::kRegclass}, types::Value::of_uint32(column.owned_sequence));
    ExprPtr value = make_expr({oid::kInt8}, CallExpr{nextval, {std::move(sequence)}, "nextval", false});
    return coerce(context_, std::move(value), column.type, CastContext::kAssignment);
  }
  if (column.default_sql.empty() && column.domain != 0) {
    for (catalog::TypePtr type = context_.options.catalog->find_type(column.domain); type != nullptr;
         type = type->domain == 0 ? nullptr : context_.options.catalog->find_type(type->domain)) {
      if (!type->default_sql.empty()) {
        return stored_expr(type->default_sql, nullptr, ExprPlace::kDefault, column.type, column.name);
      }
    }
  }
  if (column.default_sql.empty() || column.generated) {
    return make_constant(column.type, {});
  }
  return stored_expr(column.default_sql, nullptr, ExprPlace::kDefault, column.type, column.name);
}

Result<ExprPtr> Binder::assign(ExprPtr value, const catalog::ColumnDescriptor& column, int position) {
  PANDO_ASSIGN(ExprPtr cast, coerce(context_, value, column.type, CastContext::kAssignment));
  if (cast == nullptr) {
    return Status(sql_state::kDatatypeMismatch, "column \"{}\" is of type {} but expression is of type {}", column.name,
                  type_name(column.type.oid), type_name(value->type.oid))
        .with_hint("You will need to rewrite or cast the expression.")
        .with_position(location_of(value) != 0 ? location_of(value) : position);
  }
  return cast;
}

Status Binder::check_changeable(const catalog::TableDescriptor& table) const {
  if (table.kind == catalog::RelationKind::kTable) {
    return {};
  }
  if (table.kind == catalog::kMaterializedView) {
    return {sql_state::kWrongObjectType, "cannot change materialized view \"{}\"", table.name};
  }
  if (context_.options.catalog->find_sequence(table.oid) != nullptr) {
    return {sql_state::kWrongObjectType, "cannot change sequence \"{}\"", table.name};
  }
  return {sql_state::kInsufficientPrivilege, "permission denied: \"{}\" is a system catalog", table.name};
}

Status Binder::bind_returning(const std::vector<ast::SelectItem>& items, Scope& scope,
                              std::vector<ProjectedColumn>& returning, std::vector<OutputColumn>& columns) {
  PANDO_ASSIGN(std::vector<Target> bound, targets(items, scope, ExprPlace::kReturning));
  for (Target& target : bound) {
    PANDO_ASSIGN(target.expr, resolve_unknown(context_, std::move(target.expr)));
    OutputColumn output = output_of(target, scope);
    if (auto fields = record_fields(target.expr); fields.has_value()) {
      record_columns_[output.id.number()] = *std::move(fields);
    }
    columns.push_back(output);
    returning.push_back({std::move(output), std::move(target.expr)});
  }
  return {};
}

Result<std::vector<Assignment>> Binder::generated_values(const catalog::TablePtr& table, const NamespaceItem& row) {
  std::vector<Assignment> values;
  for (const catalog::ColumnDescriptor& column : table->columns) {
    if (!column.dropped && column.generated) {
      PANDO_ASSIGN(ExprPtr value,
                   stored_expr(column.default_sql, &row, ExprPlace::kGenerated, column.type, column.name));
      values.push_back({column.number, std::move(value)});
    }
  }
  return values;
}

}  // namespace pando::sql
