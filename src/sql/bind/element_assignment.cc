// Assigning to an element or a slice of an array column: UPDATE t SET a[i] = v, INSERT INTO t (a[1], a[2]).

#include "sql/function/element_assignment.h"

#include "sql/bind/binder.h"
#include "sql/bind/coercion.h"

namespace pando::sql {

namespace oid = types::oid;

namespace {

ExprPtr boolean(bool value) { return make_constant({oid::kBool}, types::Value::of_bool(value)); }

void add_bound(std::vector<ExprPtr>& arguments, const ExprPtr& bound) {
  arguments.push_back(bound == nullptr ? make_constant({oid::kInt4}, types::Value::null()) : bound);
  arguments.push_back(boolean(bound != nullptr));
}

}  // namespace

// `container` with one field of a composite column replaced by `value`; the fields of a NULL are NULL.
Result<ExprPtr> Binder::assign_field(const ExprPtr& container, const ast::TargetColumn& target,
                                     const catalog::ColumnDescriptor& column, ExprPtr value) {
  const int position = context_.position(target.location);
  const std::string& name = target.indirection[0].field;
  if (target.indirection.size() > 1) {
    return Status(sql_state::kFeatureNotSupported, "assigning to a part of field \"{}\" is not supported", name)
        .with_position(position);
  }
  RowExpr row;
  bool found = false;
  for (const auto& [attribute, type] : context_.composite(column.type.oid)->attributes) {
    ExprPtr field;
    if (attribute == name) {
      found = true;
      PANDO_ASSIGN(field, coerce(context_, value, type, CastContext::kAssignment));
      if (field == nullptr) {
        return Status(sql_state::kDatatypeMismatch, "subfield \"{}\" is of type {} but expression is of type {}", name,
                      type_name(type.oid), type_name(value->type.oid))
            .with_hint("You will need to rewrite or cast the expression.")
            .with_position(position);
      }
    } else {
      PANDO_ASSIGN(field, this->field(container, attribute, position));
    }
    row.fields.push_back(std::move(field));
    row.names.push_back(attribute);
  }
  if (!found) {
    return Status(sql_state::kUndefinedColumn,
                  "cannot assign to field \"{}\" of column \"{}\" because there is no such column in data type {}",
                  name, column.name, type_name(column.type.oid))
        .with_position(position);
  }
  return make_expr(column.type, std::move(row), position);
}

// `container` with the element or slice that `target` names replaced by `value`.
Result<ExprPtr> Binder::assign_element(ExprPtr container, const ast::TargetColumn& target,
                                       const catalog::ColumnDescriptor& column, ExprPtr value, Scope& scope) {
  const int position = context_.position(target.location);
  std::size_t at = 0;
  const auto refuse_field = [&](const std::string& field, types::Oid type) {
    return Status(sql_state::kDatatypeMismatch,
                  "cannot assign to field \"{}\" of column \"{}\" because its type {} is not a composite type", field,
                  column.name, type_name(type))
        .with_position(position);
  };
  if (target.indirection[0].kind == ast::Indirection::Kind::kField && context_.composite(column.type.oid) != nullptr) {
    return assign_field(container, target, column, std::move(value));
  }
  if (target.indirection[0].kind == ast::Indirection::Kind::kField) {
    return refuse_field(target.indirection[0].field, column.type.oid);
  }
  if (column.type.oid == oid::kJsonb) {
    return assign_json_element(std::move(container), target, std::move(value), scope);
  }
  PANDO_ASSIGN(const ExprPtr place, subscript(container, target.indirection, at, scope, position));
  if (at < target.indirection.size()) {
    return refuse_field(target.indirection[at].field, place->type.oid);
  }
  const auto& subscripts = *as<SubscriptExpr>(place);
  const types::Oid given = value->type.oid;
  PANDO_ASSIGN(ExprPtr converted, coerce(context_, std::move(value), place->type, CastContext::kAssignment));
  if (converted == nullptr) {
    return Status(sql_state::kDatatypeMismatch,
                  "subscripted assignment to \"{}\" requires type {} but expression is of type {}", column.name,
                  type_name(place->type.oid), type_name(given))
        .with_hint("You will need to rewrite or cast the expression.")
        .with_position(position);
  }
  const bool is_slice = subscripts.bounds[0].is_slice;
  CallExpr call;
  call.function = is_slice ? &slice_assignment() : &element_assignment();
  call.spelling = std::string(call.function->name);
  call.arguments = {std::move(container), std::move(converted)};
  for (const SubscriptExpr::Bound& bound : subscripts.bounds) {
    if (is_slice) {
      add_bound(call.arguments, bound.lower);
      add_bound(call.arguments, bound.upper);
    } else {
      call.arguments.push_back(bound.upper);
    }
  }
  return make_expr(column.type, std::move(call), position);
}

}  // namespace pando::sql
