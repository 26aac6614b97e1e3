// Where SQL meets the parts of JSON values: json_to_record() and its kin, whose columns the query defines, and
// assignments to parts of jsonb columns.

#include "sql/function/json_record.h"

#include <algorithm>
#include <array>
#include <utility>

#include "sql/bind/binder.h"
#include "sql/bind/place_guard.h"
#include "sql/bind/row_value.h"

namespace pando::sql {

namespace oid = types::oid;

namespace {

struct RecordFunction {
  std::string_view name;
  types::Oid argument;
  // What gives the records of a set; empty for a single record.
  std::string_view elements;
  // The first argument is a row, which says what the fields are and gives those that the JSON lacks.
  bool has_base = false;
};
constexpr std::array kRecordFunctions = {
    RecordFunction{"json_to_record", oid::kJson, ""},
    RecordFunction{"jsonb_to_record", oid::kJsonb, ""},
    RecordFunction{"json_to_recordset", oid::kJson, "json_array_elements"},
    RecordFunction{"jsonb_to_recordset", oid::kJsonb, "jsonb_array_elements"},
    RecordFunction{"json_populate_record", oid::kJson, "", true},
    RecordFunction{"jsonb_populate_record", oid::kJsonb, "", true},
    RecordFunction{"json_populate_recordset", oid::kJson, "json_array_elements", true},
    RecordFunction{"jsonb_populate_recordset", oid::kJsonb, "jsonb_array_elements", true},
};

ExprPtr text_constant(std::string_view text) {
  return make_constant({oid::kText}, types::Value::of_bytes(Bytes(text)));
}

// nullptr for other functions.
const RecordFunction* record_function(const ast::FunctionCall& call) {
  if ((call.name.size() > 1 && call.name[0] != "pg_catalog") || call.over != nullptr) {
    return nullptr;
  }
  const auto* found = std::ranges::find(kRecordFunctions, call.name.back(), &RecordFunction::name);
  return found == kRecordFunctions.end() || call.arguments.size() != (found->has_base ? 2 : 1) ? nullptr : found;
}

}  // namespace

// A call that makes rows of JSON objects.
struct Binder::JsonRecord {
  struct Field {
    std::string name;
    types::Type type;
    // What it is where the object lacks it; null for NULL.
    ExprPtr base;
  };
  const RecordFunction* function = nullptr;
  ExprPtr json;
  // Its value is a row, of which the fields are not known.
  bool is_record = true;
  std::vector<Field> fields;
  types::Type type{oid::kRecord};
};

Result<Binder::JsonRecord> Binder::json_record_call(const ast::FunctionCall& call, Scope& scope) {
  JsonRecord record;
  record.function = record_function(call);
  if (record.function->has_base) {
    PANDO_ASSIGN(const ExprPtr base, expr(*call.arguments[0], scope));
    record.is_record = types::is_record(base->type.oid);
    record.type = record.is_record ? base->type : record.type;
    const auto fields = record.is_record ? record_fields(base) : std::nullopt;
    const auto* constant = as<ConstantExpr>(base);
    const bool is_null = constant != nullptr && constant->value.is_null();
    for (std::size_t i = 0; fields.has_value() && i < fields->size(); ++i) {
      const auto& [name, type] = (*fields)[i];
      record.fields.push_back({name, type, nullptr});
      if (!is_null) {
        PANDO_ASSIGN(record.fields.back().base, field(base, name, 0));
      }
    }
  }
  PANDO_ASSIGN(record.json, expr(*call.arguments.back(), scope));
  PANDO_ASSIGN(record.json, coerce_argument(context_, std::move(record.json), record.function->argument));
  return record;
}

Status Binder::define_fields(const std::vector<ast::ColumnDefinitionItem>& columns, JsonRecord& record, int position) {
  if (!record.is_record) {
    return Status(sql_state::kDatatypeMismatch, "first argument of {} must be a row type", record.function->name);
  }
  if (!columns.empty() && record.fields.empty()) {
    for (const ast::ColumnDefinitionItem& column : columns) {
      PANDO_ASSIGN(const types::Type column_type, type(column.type));
      record.fields.push_back({column.name, column_type, nullptr});
    }
    return {};
  }
  if (!record.fields.empty()) {
    return columns.empty() ? Status()
                           : Status(sql_state::kSyntaxError,
                                    "a column definition list is redundant for a function returning a named composite "
                                    "type")
                                 .with_position(position);
  }
  return Status(sql_state::kSyntaxError, "a column definition list is required for functions returning \"record\"")
      .with_position(position);
}

// A field as the object has it, or else as the base has it.
Result<ExprPtr> Binder::json_member(const JsonRecord& record, std::size_t index, const ExprPtr& object) {
  const JsonRecord::Field& field = record.fields[index];
  const RecordFunction& function = *record.function;
  // The name that PostgreSQL's errors give.
  const std::string_view caller = function.elements.empty() ? std::string_view("populate_composite") : function.name;
  CallExpr call{&json_field(), {object, text_constant(field.name), text_constant(caller)}, "json_field", false};
  ExprPtr value = make_expr(field.type, std::move(call));
  if (field.base == nullptr) {
    return value;
  }
  PANDO_ASSIGN(ExprPtr binary, coerce(context_, object, {oid::kJsonb}, CastContext::kExplicit));
  CaseExpr choice;
  PANDO_ASSIGN(ExprPtr has_it, apply_operator(context_, {"?"}, std::move(binary), text_constant(field.name), 0));
  choice.branches.push_back({std::move(has_it), std::move(value)});
  choice.otherwise = field.base;
  return make_expr(field.type, std::move(choice));
}

Result<std::optional<ExprPtr>> Binder::json_record_value(const ast::FunctionCall& call, Scope& scope, int position) {
  const RecordFunction* found = record_function(call);
  if (found == nullptr || !found->has_base) {
    return std::optional<ExprPtr>();
  }
  PANDO_ASSIGN(const JsonRecord record, json_record_call(call, scope));
  if (record.fields.empty()) {
    return Status(sql_state::kDatatypeMismatch, "could not determine row type for result of {}", found->name)
        .with_hint(
            "Provide a non-null record argument, or call the function in the FROM clause using a column definition "
            "list.")
        .with_position(position);
  }
  ExprPtr object = record.json;
  if (!found->elements.empty()) {
    PANDO_ASSIGN(object, json_elements(record));
    PANDO_ASSIGN(object, set_call(std::move(object), scope, position));
  }
  RowExpr row;
  for (std::size_t i = 0; i < record.fields.size(); ++i) {
    row.names.push_back(record.fields[i].name);
    PANDO_ASSIGN(ExprPtr value, json_member(record, i, object));
    row.fields.push_back(std::move(value));
  }
  return std::optional(make_expr(record.type, std::move(row), position));
}

// The call that gives the objects of a set one by one.
Result<ExprPtr> Binder::json_elements(const JsonRecord& record) {
  const std::vector<types::Oid> argument{record.function->argument};
  const ast::QualifiedName elements{std::string(record.function->elements)};
  const CallShape shape{elements, argument, {}, false, false, 0};
  PANDO_ASSIGN(const FunctionChoice choice, choose_function(context_, shape));
  return make_expr({choice.result}, CallExpr{choice.function, {record.json}, elements.back(), false});
}

Result<std::optional<Binder::FromResult>> Binder::json_record(const ast::FromFunction& function, Scope& scope) {
  const auto* call = std::get_if<ast::FunctionCall>(&function.functions[0].call->node);
  const auto& columns = function.functions[0].columns.empty() ? function.columns : function.functions[0].columns;
  if (function.functions.size() != 1 || call == nullptr || record_function(*call) == nullptr) {
    return std::optional<FromResult>();
  }
  JsonRecord record;
  {
    const PlaceChange place(scope, ExprPlace::kFromFunction);
    PANDO_ASSIGN(record, json_record_call(*call, scope));
  }
  PANDO_TRY(define_fields(columns, record, context_.position(function.functions[0].call->location)));
  const bool is_set = !record.function->elements.empty();
  const OutputColumn object{context_.new_column(), "value", {record.function->argument}};
  std::vector<OutputColumn> inputs{object};
  LogicalPtr plan;
  if (!is_set && !function.ordinality) {
    plan = make_logical(inputs, ValuesNode{{{record.json}}});
  } else {
    FunctionScanNode scan;
    scan.ordinality = function.ordinality;
    FunctionScanNode::Call rows;
    rows.columns = {object};
    rows.call = record.json;
    if (is_set) {
      PANDO_ASSIGN(rows.call, json_elements(record));
    }
    scan.calls.push_back(std::move(rows));
    if (function.ordinality) {
      inputs.push_back({context_.new_column(), "ordinality", {oid::kInt8}});
    }
    plan = make_logical(inputs, std::move(scan));
  }
  return finish_json_record(function, record, std::move(plan), inputs);
}

// The fields of each object as columns.
Result<std::optional<Binder::FromResult>> Binder::finish_json_record(const ast::FromFunction& function,
                                                                     const JsonRecord& record, LogicalPtr plan,
                                                                     const std::vector<OutputColumn>& inputs) {
  ProjectNode project;
  NamespaceItem item;
  item.name = record.function->name;
  const ExprPtr object = make_expr(inputs[0].type, ColumnExpr{inputs[0].id, inputs[0].name});
  for (std::size_t i = 0; i < record.fields.size(); ++i) {
    const OutputColumn output{context_.new_column(), record.fields[i].name, record.fields[i].type};
    PANDO_ASSIGN(ExprPtr value, json_member(record, i, object));
    project.columns.push_back({output, std::move(value)});
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
