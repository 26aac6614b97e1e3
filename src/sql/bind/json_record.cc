// Where SQL meets the parts of JSON values: json_to_record() and its kin, whose columns the query defines, and
// assignments to parts of jsonb columns.

#include "sql/function/json_record.h"

#include <algorithm>
#include <array>
#include <utility>

#include "sql/bind/binder.h"
#include "sql/bind/place_guard.h"

namespace pando::sql {

namespace oid = types::oid;

namespace {

struct RecordFunction {
  std::string_view name;
  types::Oid argument;
  // What gives the records of a set; empty for a single record.
  std::string_view elements;
};
constexpr std::array kRecordFunctions = {
    RecordFunction{"json_to_record", oid::kJson, ""},
    RecordFunction{"jsonb_to_record", oid::kJsonb, ""},
    RecordFunction{"json_to_recordset", oid::kJson, "json_array_elements"},
    RecordFunction{"jsonb_to_recordset", oid::kJsonb, "jsonb_array_elements"},
};

ExprPtr text_constant(std::string_view text) {
  return make_constant({oid::kText}, types::Value::of_bytes(Bytes(text)));
}

}  // namespace

Result<std::optional<Binder::FromResult>> Binder::json_record(const ast::FromFunction& function, Scope& scope) {
  const auto* call = std::get_if<ast::FunctionCall>(&function.functions[0].call->node);
  const auto& columns = function.functions[0].columns.empty() ? function.columns : function.functions[0].columns;
  if (function.functions.size() != 1 || call == nullptr || call->arguments.size() != 1 ||
      (call->name.size() > 1 && call->name[0] != "pg_catalog")) {
    return std::optional<FromResult>();
  }
  const auto* found = std::ranges::find(kRecordFunctions, call->name.back(), &RecordFunction::name);
  if (found == kRecordFunctions.end()) {
    return std::optional<FromResult>();
  }
  if (columns.empty()) {
    return Status(sql_state::kSyntaxError, "a column definition list is required for functions returning \"record\"")
        .with_position(context_.position(function.functions[0].call->location));
  }
  PANDO_ASSIGN(ExprPtr json, expr_in(*call->arguments[0], scope, ExprPlace::kFromFunction));
  PANDO_ASSIGN(json, coerce_argument(context_, std::move(json), found->argument));
  const OutputColumn record{context_.new_column(), "value", {found->argument}};
  std::vector<OutputColumn> inputs{record};
  LogicalPtr plan;
  if (found->elements.empty()) {
    plan = make_logical(inputs, ValuesNode{{{std::move(json)}}});
  }
  if (!found->elements.empty() || function.ordinality) {
    FunctionScanNode scan;
    scan.ordinality = function.ordinality;
    FunctionScanNode::Call rows;
    rows.columns = {record};
    if (found->elements.empty()) {
      rows.call = std::get<ValuesNode>(plan->node).rows[0][0];
    } else {
      const std::vector<types::Oid> argument{found->argument};
      const ast::QualifiedName elements{std::string(found->elements)};
      const CallShape shape{elements, argument, {}, false, false, 0};
      PANDO_ASSIGN(const FunctionChoice choice, choose_function(context_, shape));
      rows.call =
          make_expr({choice.result}, CallExpr{choice.function, {std::move(json)}, std::string(found->elements), false});
    }
    scan.calls.push_back(std::move(rows));
    if (function.ordinality) {
      inputs.push_back({context_.new_column(), "ordinality", {oid::kInt8}});
    }
    plan = make_logical(inputs, std::move(scan));
  }
  // The name that PostgreSQL's errors give.
  const std::string_view caller = found->elements.empty() ? std::string_view("populate_composite") : found->name;
  ProjectNode project;
  NamespaceItem item;
  item.name = call->name.back();
  for (const ast::ColumnDefinitionItem& column : columns) {
    PANDO_ASSIGN(const types::Type column_type, type(column.type));
    CallExpr field{
        &json_field(),
        {make_expr(record.type, ColumnExpr{record.id, record.name}), text_constant(column.name), text_constant(caller)},
        "json_field",
        false};
    const OutputColumn output{context_.new_column(), column.name, column_type};
    project.columns.push_back({output, make_expr(column_type, std::move(field))});
    item.columns.push_back(output);
  }
  if (function.ordinality) {
    const OutputColumn output{context_.new_column(), "ordinality", {oid::kInt8}};
    project.columns.push_back({output, make_expr(output.type, ColumnExpr{inputs[1].id, "ordinality"})});
    item.columns.push_back(output);
  }
  project.input = std::move(plan);
  FromResult result;
  result.plan = make_logical(item.columns, std::move(project));
  PANDO_TRY(rename_columns(item, function.alias));
  result.items.push_back(std::move(item));
  return std::optional(std::move(result));
}

// `container` with the value put where the subscripts lead.
Result<ExprPtr> Binder::assign_json_element(ExprPtr container, const ast::TargetColumn& target, ExprPtr value,
                                            Scope& scope) {
  const int position = context_.position(target.location);
  std::size_t at = 0;
  PANDO_ASSIGN(const ExprPtr place, subscript(container, target.indirection, at, scope, position));
  const types::Oid given = value->type.oid;
  PANDO_ASSIGN(ExprPtr json, coerce(context_, std::move(value), {oid::kJsonb}, CastContext::kAssignment));
  if (json == nullptr) {
    return Status(sql_state::kDatatypeMismatch,
                  "subscripted assignment to \"{}\" requires type {} but expression is of type {}", target.name,
                  type_name(oid::kJsonb), type_name(given))
        .with_hint("You will need to rewrite or cast the expression.")
        .with_position(position);
  }
  ArrayExpr path;
  for (const SubscriptExpr::Bound& bound : as<SubscriptExpr>(place)->bounds) {
    PANDO_ASSIGN(ExprPtr step, coerce(context_, bound.upper, {oid::kText}, CastContext::kExplicit));
    path.elements.push_back(std::move(step));
  }
  CallExpr call{&jsonb_assignment(), {}, "jsonb_assignment", false};
  call.arguments = {std::move(container), std::move(json), make_expr({oid::kTextArray}, std::move(path))};
  return make_expr({oid::kJsonb}, std::move(call), position);
}

}  // namespace pando::sql
