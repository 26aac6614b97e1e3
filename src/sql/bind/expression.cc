// Expressions: the dispatch over syntax nodes, literals, casts, arrays, rows, CASE.

#include <algorithm>
#include <charconv>
#include <utility>

#include "sql/bind/binder.h"
#include "sql/bind/place_guard.h"
#include "sql/bind/row_value.h"
#include "types/array.h"
#include "types/text_io.h"

namespace pando::sql {

namespace oid = types::oid;
using types::Type;

// One syntax node to one bound expression.
struct ExprVisitor {
  Binder& binder;
  Scope& scope;
  ast::Location location;

  Result<ExprPtr> operator()(const ast::Constant& node) { return binder.constant(node, location); }
  Result<ExprPtr> operator()(const ast::ColumnRef& node) { return binder.column_ref(node, scope, location); }
  Result<ExprPtr> operator()(const ast::ParameterRef& node) {
    return binder.context_.parameters.reference(node.number, binder.context_.position(location));
  }
  Result<ExprPtr> operator()(const ast::Operation& node) { return binder.operation(node, scope, location); }
  Result<ExprPtr> operator()(const ast::ArrayComparison& node) {
    PANDO_ASSIGN(ExprPtr left, binder.expr(*node.left, scope));
    PANDO_ASSIGN(ExprPtr right, binder.expr(*node.right, scope));
    return binder.array_comparison(node.name, std::move(left), std::move(right), node.all,
                                   binder.context_.position(location));
  }
  Result<ExprPtr> operator()(const ast::DistinctTest& node) { return binder.distinct_test(node, scope, location); }
  Result<ExprPtr> operator()(const ast::NullIf& node) { return binder.null_if(node, scope, location); }
  Result<ExprPtr> operator()(const ast::InList& node) { return binder.in_list(node, scope, location); }
  Result<ExprPtr> operator()(const ast::Between& node) { return binder.between(node, scope, location); }
  Result<ExprPtr> operator()(const ast::Logical& node) { return binder.logical(node, scope, location); }
  Result<ExprPtr> operator()(const ast::IndirectionExpr& node) { return binder.indirection(node, scope, location); }
  Result<ExprPtr> operator()(const ast::ArrayConstructor& node) {
    return binder.array(node, scope, std::nullopt, binder.context_.position(location));
  }
  Result<ExprPtr> operator()(const ast::FunctionCall& node) { return binder.call(node, scope, location); }
  Result<ExprPtr> operator()(const ast::NamedArgument& node) { return binder.expr(*node.value, scope); }
  Result<ExprPtr> operator()(const ast::Cast& node) { return binder.cast(node, scope, location); }
  Result<ExprPtr> operator()(const ast::Collate& node) { return binder.collate(node, scope, location); }
  Result<ExprPtr> operator()(const ast::CaseExpr& node) { return binder.case_expr(node, scope, location); }
  Result<ExprPtr> operator()(const ast::Coalesce& node) {
    CoalesceExpr result;
    Type type;
    NoSetFunctions guard(scope, "COALESCE");
    PANDO_ASSIGN(ExprPtr unused, binder.common_type_list(node.arguments, scope, "COALESCE", result.arguments, type));
    return make_expr(type, std::move(result), binder.context_.position(location));
  }
  Result<ExprPtr> operator()(const ast::MinMax& node) {
    MinMaxExpr result{node.greatest, {}};
    Type type;
    PANDO_ASSIGN(ExprPtr unused, binder.common_type_list(node.arguments, scope, node.greatest ? "GREATEST" : "LEAST",
                                                         result.arguments, type));
    return make_expr(type, std::move(result), binder.context_.position(location));
  }
  Result<ExprPtr> operator()(const ast::Subquery& node) { return binder.subquery(node, scope, location); }
  Result<ExprPtr> operator()(const ast::NullTest& node) { return binder.null_test(node, scope, location); }
  Result<ExprPtr> operator()(const ast::BooleanTest& node) { return binder.boolean_test(node, scope, location); }
  Result<ExprPtr> operator()(const ast::RowConstructor& node) { return binder.row(node, scope, location); }
  Result<ExprPtr> operator()(const ast::SqlValueFunction& node) { return binder.session_value(node, location); }
  Result<ExprPtr> operator()(const ast::GroupingCall& node) { return binder.grouping_call(node, scope, location); }
  Result<ExprPtr> operator()(const ast::GroupingSet& /*node*/) { return unsupported("GROUPING SETS"); }
  Result<ExprPtr> operator()(const ast::DefaultMarker& /*node*/) {
    return Status(sql_state::kSyntaxError, "DEFAULT is not allowed in this context")
        .with_position(binder.context_.position(location));
  }
  // Alone it is what UPDATE and DELETE look for; the grammar has it nowhere else.
  Result<ExprPtr> operator()(const ast::CurrentOf& /*node*/) { return unsupported("WHERE CURRENT OF here"); }
  Result<ExprPtr> operator()(const ast::UnsupportedExpr& node) { return unsupported(node.feature); }

  Result<ExprPtr> unsupported(std::string_view feature) {
    return Status(sql_state::kFeatureNotSupported, "{} is not supported", feature)
        .with_position(binder.context_.position(location));
  }
};

Result<ExprPtr> Binder::expr(const ast::Expr& node, Scope& scope) {
  Result<ExprPtr> bound = std::visit(ExprVisitor{*this, scope, node.location}, node.node);
  if (QueryTrace* trace = context_.options.trace; trace != nullptr && bound.ok()) {
    trace->exprs[&node] = *bound;
    if (const auto* subquery = std::get_if<ast::Subquery>(&node.node)) {
      trace->subqueries[*bound] = subquery;
    }
  }
  return bound;
}

Result<ExprPtr> Binder::expr_in(const ast::Expr& node, Scope& scope, ExprPlace place) {
  PlaceChange change(scope, place);
  return expr(node, scope);
}

Result<ExprPtr> Binder::boolean_in(const ast::Expr& node, Scope& scope, ExprPlace place) {
  PANDO_ASSIGN(ExprPtr condition, expr_in(node, scope, place));
  const std::string_view construct = place == ExprPlace::kJoinCondition ? "JOIN/ON" : place_name(place);
  return coerce_to_boolean(context_, std::move(condition), construct);
}

namespace {

// The smallest of int4, int8 and numeric that holds the literal, as PostgreSQL types numbers.
Result<ExprPtr> number(const ast::DecimalLiteral& literal, const types::Settings& settings, int position) {
  int64_t integer = 0;
  const char* end = literal.digits.data() + literal.digits.size();
  const auto [stop, error] = std::from_chars(literal.digits.data(), end, integer);
  if (error == std::errc() && stop == end && std::in_range<int32_t>(integer)) {
    // -2147483648, whose digits without the sign do not fit.
    return make_expr({oid::kInt4}, ConstantExpr{types::Value::of_int32(static_cast<int32_t>(integer))}, position);
  }
  if (error == std::errc() && stop == end) {
    return make_expr({oid::kInt8}, ConstantExpr{types::Value::of_int64(integer)}, position);
  }
  Result<types::Value> value = types::parse_text({oid::kNumeric}, literal.digits, settings);
  if (!value.ok()) {
    return std::move(value).status().with_position(position);
  }
  return make_expr({oid::kNumeric}, ConstantExpr{*std::move(value)}, position);
}

}  // namespace

Result<ExprPtr> Binder::constant(const ast::Constant& node, ast::Location location) {
  const int position = context_.position(location);
  ExprPtr result;
  if (const auto* integer = std::get_if<ast::IntegerLiteral>(&node.value)) {
    result = make_expr({oid::kInt4}, ConstantExpr{types::Value::of_int32(integer->value)}, position);
  } else if (const auto* decimal = std::get_if<ast::DecimalLiteral>(&node.value)) {
    PANDO_ASSIGN(result, number(*decimal, context_.options.evaluation->settings, position));
  } else if (const auto* text = std::get_if<ast::StringLiteral>(&node.value)) {
    result = make_expr({oid::kUnknown}, ConstantExpr{types::Value::of_bytes(text->value)}, position);
  } else if (const auto* boolean = std::get_if<ast::BooleanLiteral>(&node.value)) {
    return make_expr({oid::kBool}, ConstantExpr{types::Value::of_bool(boolean->value)}, position);
  } else if (std::holds_alternative<ast::NullLiteral>(node.value)) {
    return make_expr({oid::kUnknown}, ConstantExpr{}, position);
  } else {
    return Status(sql_state::kFeatureNotSupported, "bit string constants are not supported").with_position(position);
  }
  const auto& lifted = context_.options.lifted;
  const auto found = context_.text.empty() ? lifted.end() : std::find(lifted.begin(), lifted.end(), location);
  if (found != lifted.end()) {
    return context_.parameters.lifted(static_cast<std::size_t>(found - lifted.begin()), result->type.oid, position);
  }
  return result;
}

Result<ExprPtr> Binder::cast(const ast::Cast& node, Scope& scope, ast::Location location) {
  const int position = context_.position(location);
  PANDO_ASSIGN(const Type target, type(node.type));
  ExprPtr operand;
  const auto* constructor = std::get_if<ast::ArrayConstructor>(&node.operand->node);
  if (constructor != nullptr && types::is_array(target.oid)) {
    PANDO_ASSIGN(operand, array(*constructor, scope, target, context_.position(node.operand->location)));
  } else if (types::is_composite(target.oid)) {
    PANDO_ASSIGN(operand, compared(*node.operand, scope));
  } else {
    PANDO_ASSIGN(operand, expr(*node.operand, scope));
  }
  PANDO_ASSIGN(ExprPtr result, coerce(context_, operand, target, CastContext::kExplicit, position));
  if (result == nullptr) {
    return Status(sql_state::kCannotCoerce, "cannot cast type {} to {}", type_name(operand->type.oid),
                  type_name(target.oid))
        .with_position(position);
  }
  const catalog::TypePtr checks = domain(node.type);
  return checks == nullptr ? std::move(result) : checked_by_domain(std::move(result), checks->oid);
}

Result<ExprPtr> Binder::value_for(const ast::Expr& node, Type type, Scope& scope, ExprPlace place) {
  if (!types::is_composite(type.oid)) {
    return expr_in(node, scope, place);
  }
  const PlaceChange change(scope, place);
  return compared(node, scope);
}

Result<ExprPtr> Binder::collate(const ast::Collate& node, Scope& scope, ast::Location location) {
  PANDO_ASSIGN(ExprPtr operand, expr(*node.operand, scope));
  const int position = context_.position(location);
  const std::string& name = node.collation.back();
  const bool known = name == "C" || name == "POSIX" || name == "default" || name == "ucs_basic" || name == "C.UTF-8" ||
                     name == "C.utf8" || name == "und-x-icu";
  if (!known) {
    return Status(sql_state::kUndefinedObject, "collation \"{}\" for encoding \"UTF8\" does not exist",
                  name_text(node.collation))
        .with_position(position);
  }
  PANDO_ASSIGN(operand, resolve_unknown(context_, std::move(operand)));
  if (category_of(operand->type.oid) != 'S' && !types::is_array(operand->type.oid)) {
    return Status(sql_state::kDatatypeMismatch, "collations are not supported by type {}", type_name(operand->type.oid))
        .with_position(position);
  }
  return operand;
}

Result<ExprPtr> Binder::common_type_list(const ast::ExprList& list, Scope& scope, std::string_view construct,
                                         std::vector<ExprPtr>& out, Type& type) {
  for (const ast::ExprPtr& item : list) {
    PANDO_ASSIGN(ExprPtr bound, expr(*item, scope));
    out.push_back(std::move(bound));
  }
  PANDO_ASSIGN(type.oid, select_common_type(out, construct));
  for (ExprPtr& item : out) {
    PANDO_ASSIGN(item, coerce_to_common(context_, std::move(item), type.oid, construct));
  }
  type.modifier = common_modifier(out, type.oid);
  return ExprPtr();
}

Result<ExprPtr> Binder::array(const ast::ArrayConstructor& node, Scope& scope, std::optional<Type> target,
                              int position) {
  ArrayExpr result;
  for (const ast::ExprPtr& item : node.elements) {
    ExprPtr element;
    if (const auto* inner = std::get_if<ast::ArrayConstructor>(&item->node)) {
      PANDO_ASSIGN(element, array(*inner, scope, target, context_.position(item->location)));
      result.nested = true;
    } else if (target.has_value() && types::is_composite_array(target->oid)) {
      PANDO_ASSIGN(element, compared(*item, scope));
    } else {
      PANDO_ASSIGN(element, expr(*item, scope));
      result.nested = result.nested || types::is_array(element->type.oid);
    }
    result.elements.push_back(std::move(element));
  }
  if (result.elements.empty() && !target.has_value()) {
    return Status(sql_state::kIndeterminateDatatype, "cannot determine type of empty array")
        .with_hint("Explicitly cast to the desired type, for example ARRAY[]::integer[].")
        .with_position(position);
  }
  Type element_type;
  if (target.has_value()) {
    element_type = result.nested ? *target : Type{types::element_of(target->oid), target->modifier};
  } else {
    PANDO_ASSIGN(element_type.oid, select_common_type(result.elements, "ARRAY"));
    element_type.modifier = common_modifier(result.elements, element_type.oid);
  }
  for (ExprPtr& element : result.elements) {
    const int element_position = element->position;
    const types::Oid source = element->type.oid;
    PANDO_ASSIGN(element, coerce(context_, std::move(element), element_type,
                                 target.has_value() ? CastContext::kExplicit : CastContext::kImplicit));
    if (element == nullptr) {
      return Status(sql_state::kCannotCoerce, "ARRAY could not convert type {} to {}", type_name(source),
                    type_name(element_type.oid))
          .with_position(element_position);
    }
  }
  const types::Oid array_type = result.nested ? element_type.oid : types::array_of(element_type.oid);
  if (array_type == oid::kInvalid) {
    return Status(sql_state::kUndefinedObject, "could not find array type for data type {}",
                  type_name(element_type.oid))
        .with_position(position);
  }
  return make_expr({array_type, element_type.modifier}, std::move(result), position);
}

Result<ExprPtr> Binder::case_expr(const ast::CaseExpr& node, Scope& scope, ast::Location location) {
  NoSetFunctions guard(scope, "CASE");
  CaseExpr result;
  if (node.operand != nullptr) {
    PANDO_ASSIGN(ExprPtr operand, expr(*node.operand, scope));
    PANDO_ASSIGN(result.operand, resolve_unknown(context_, std::move(operand)));
    result.operand_column = context_.new_column();
  }
  // ELSE comes first when the common type is chosen, as in PostgreSQL.
  std::vector<ExprPtr> results(1);
  if (node.otherwise != nullptr) {
    PANDO_ASSIGN(results[0], expr(*node.otherwise, scope));
  } else {
    results[0] = make_expr({oid::kUnknown}, ConstantExpr{});
  }
  for (const ast::CaseExpr::When& when : node.whens) {
    PANDO_ASSIGN(ExprPtr condition, expr(*when.condition, scope));
    if (result.operand != nullptr) {
      ExprPtr operand = make_expr(result.operand->type, ColumnExpr{result.operand_column, "case"});
      PANDO_ASSIGN(condition, apply_operator(context_, {"="}, std::move(operand), std::move(condition),
                                             context_.position(when.location)));
    }
    PANDO_ASSIGN(condition, coerce_to_boolean(context_, std::move(condition), "CASE/WHEN"));
    PANDO_ASSIGN(ExprPtr value, expr(*when.result, scope));
    result.branches.push_back({std::move(condition), nullptr});
    results.push_back(std::move(value));
  }
  Type type;
  PANDO_ASSIGN(type.oid, select_common_type(results, "CASE"));
  for (std::size_t i = 0; i < results.size(); ++i) {
    PANDO_ASSIGN(results[i],
                 coerce_to_common(context_, std::move(results[i]), type.oid, i == 0 ? "CASE/ELSE" : "CASE/WHEN"));
  }
  type.modifier = common_modifier(results, type.oid);
  result.otherwise = results[0];
  for (std::size_t i = 0; i < result.branches.size(); ++i) {
    result.branches[i].result = results[i + 1];
  }
  return make_expr(type, std::move(result), context_.position(location));
}

Result<std::vector<ExprPtr>> Binder::row_fields(const ast::RowConstructor& node, Scope& scope) {
  std::vector<ExprPtr> fields;
  for (const ast::ExprPtr& item : node.fields) {
    const auto* ref = std::get_if<ast::ColumnRef>(&item->node);
    if (ref != nullptr && ref->star) {
      std::vector<Target> expanded;
      PANDO_TRY(star(*ref, scope, item->location, expanded));
      for (Target& target : expanded) {
        fields.push_back(std::move(target.expr));
      }
      continue;
    }
    PANDO_ASSIGN(ExprPtr value, compared(*item, scope));
    fields.push_back(std::move(value));
  }
  return fields;
}

Result<ExprPtr> Binder::row(const ast::RowConstructor& node, Scope& scope, ast::Location location) {
  RowExpr result;
  PANDO_ASSIGN(result.fields, row_fields(node, scope));
  return resolve_unknown(context_, make_expr({oid::kRecord}, std::move(result), context_.position(location)));
}

Result<ExprPtr> Binder::session_value(const ast::SqlValueFunction& node, ast::Location location) {
  using Source = ast::SqlValueFunction::Kind;
  using Kind = SessionValueExpr::Kind;
  const int position = context_.position(location);
  constexpr int32_t kPrecisionMax = 6;
  const auto timed = [&](types::Oid type, Kind kind) {
    const int32_t precision = std::min(node.precision, kPrecisionMax);
    ExprPtr value = make_expr({type}, SessionValueExpr{kind}, position);
    return apply_modifier(std::move(value), {type, precision < 0 ? types::kNoModifier : precision}, true);
  };
  switch (node.kind) {
    case Source::kCurrentDate:
      return make_expr({oid::kDate}, SessionValueExpr{Kind::kCurrentDate}, position);
    case Source::kCurrentTime:
      return timed(oid::kTimetz, Kind::kCurrentTime);
    case Source::kCurrentTimestamp:
      return timed(oid::kTimestamptz, Kind::kCurrentTimestamp);
    case Source::kLocalTime:
      return timed(oid::kTime, Kind::kLocalTime);
    case Source::kLocalTimestamp:
      return timed(oid::kTimestamp, Kind::kLocalTimestamp);
    case Source::kCurrentRole:
    case Source::kCurrentUser:
    case Source::kUser:
      return make_expr({oid::kName}, SessionValueExpr{Kind::kCurrentUser}, position);
    case Source::kSessionUser:
      return make_expr({oid::kName}, SessionValueExpr{Kind::kSessionUser}, position);
    case Source::kCurrentCatalog:
      return make_expr({oid::kName}, SessionValueExpr{Kind::kCurrentCatalog}, position);
    case Source::kCurrentSchema:
      return make_expr({oid::kName}, SessionValueExpr{Kind::kCurrentSchema}, position);
  }
  PANDO_UNREACHABLE("a session value without a case");
}

std::optional<std::vector<std::pair<std::string, Type>>> Binder::record_fields(const ExprPtr& record) const {
  std::vector<std::pair<std::string, Type>> fields;
  if (const auto* row = row_in(record)) {
    for (std::size_t i = 0; i < row->fields.size(); ++i) {
      fields.emplace_back(row->names[i], row->fields[i]->type);
    }
    return fields;
  }
  if (const auto* call = as<CallExpr>(record); call != nullptr && !call->function->out_columns.empty()) {
    std::vector<types::Oid> actual;
    for (const ExprPtr& argument : call->arguments) {
      actual.push_back(argument->type.oid);
    }
    for (const OutColumn& column : call->function->out_columns) {
      std::vector<types::Oid> declared(call->function->arguments.begin(), call->function->arguments.end());
      const auto resolved = resolve_polymorphic(actual, declared, column.type);
      fields.emplace_back(std::string(column.name), Type{resolved.ok() ? *resolved : column.type});
    }
    return fields;
  }
  if (const auto* column = as<ColumnExpr>(record)) {
    if (const auto found = record_columns_.find(column->column.number()); found != record_columns_.end()) {
      return found->second;
    }
  }
  if (const types::CompositeType* composite = context_.composite(record->type.oid)) {
    for (const auto& [name, type] : composite->attributes) {
      fields.emplace_back(name, type);
    }
    return fields;
  }
  return std::nullopt;
}

Result<ExprPtr> Binder::field(ExprPtr record, const std::string& name, int position) {
  const auto fields = record_fields(record);
  if (!types::is_record(record->type.oid)) {
    return Status(sql_state::kDatatypeMismatch, "column notation .{} applied to type {}, which is not a composite type",
                  name, type_name(record->type.oid))
        .with_position(position);
  }
  for (std::size_t i = 0; fields.has_value() && i < fields->size(); ++i) {
    if ((*fields)[i].first != name) {
      continue;
    }
    if (const auto* row = row_in(record); row != nullptr && as<ColumnExpr>(row->fields[i]) != nullptr) {
      return row->fields[i];
    }
    if (const auto* row = as<RowExpr>(record)) {
      return row->fields[i];
    }
    return make_expr((*fields)[i].second, FieldExpr{std::move(record), static_cast<uint32_t>(i)}, position);
  }
  if (types::is_composite(record->type.oid)) {
    return Status(sql_state::kUndefinedColumn, "column \"{}\" not found in data type {}", name,
                  type_name(record->type.oid))
        .with_position(position);
  }
  return Status(sql_state::kUndefinedColumn, "could not identify column \"{}\" in record data type", name)
      .with_position(position);
}

Result<ExprPtr> Binder::indirection(const ast::IndirectionExpr& node, Scope& scope, ast::Location location) {
  const int position = context_.position(location);
  PANDO_ASSIGN(ExprPtr value, expr(*node.operand, scope));
  std::size_t at = 0;
  while (at < node.steps.size()) {
    const ast::Indirection& step = node.steps[at];
    switch (step.kind) {
      case ast::Indirection::Kind::kField: {
        PANDO_ASSIGN(value, field(std::move(value), step.field, position));
        ++at;
        break;
      }
      case ast::Indirection::Kind::kStar:
        return Status(sql_state::kFeatureNotSupported, "row expansion via \"*\" is not supported here")
            .with_position(position);
      default: {
        PANDO_ASSIGN(value, subscript(std::move(value), node.steps, at, scope, position));
        break;
      }
    }
  }
  return value;
}

namespace {

// A name is an array of "char" that counts from 0.
Result<ExprPtr> letter_of_name(BindContext& context, ExprPtr name, ExprPtr index, int position) {
  constexpr types::Oid kSubstr = 877;  // substr(text, integer, integer)
  constexpr types::Oid kPlus = 177;    // integer + integer
  PANDO_ASSIGN(index, coerce(context, index, {oid::kInt4}, CastContext::kAssignment));
  if (index == nullptr) {
    return Status(sql_state::kDatatypeMismatch, "array subscript must have type integer").with_position(position);
  }
  const ExprPtr one = make_constant({oid::kInt4}, types::Value::of_int32(1));
  index = make_expr({oid::kInt4}, CallExpr{function_by_oid(kPlus), {std::move(index), one}, "+", false});
  PANDO_ASSIGN(ExprPtr text, coerce(context, std::move(name), {oid::kText}, CastContext::kImplicit));
  ExprPtr letter = make_expr(
      {oid::kText}, CallExpr{function_by_oid(kSubstr), {std::move(text), std::move(index), one}, "substr", false});
  return coerce(context, std::move(letter), {oid::kChar}, CastContext::kAssignment);
}

}  // namespace

Result<ExprPtr> Binder::subscript(ExprPtr container, const std::vector<ast::Indirection>& steps, std::size_t& at,
                                  Scope& scope, int position) {
  const types::Oid type = container->type.oid;
  const bool is_jsonb = type == oid::kJsonb;
  if (type == oid::kName && steps[at].kind == ast::Indirection::Kind::kSubscript) {
    PANDO_ASSIGN(ExprPtr index, expr(*steps[at++].upper, scope));
    return letter_of_name(context_, std::move(container), std::move(index), position);
  }
  if (!is_jsonb && !types::is_array(type)) {
    return Status(sql_state::kDatatypeMismatch, "cannot subscript type {} because it does not support subscripting",
                  type_name(type))
        .with_position(position);
  }
  SubscriptExpr result;
  bool any_slice = false;
  const auto bound_value = [&](const ast::ExprPtr& node) -> Result<ExprPtr> {
    if (node == nullptr) {
      return ExprPtr();
    }
    PANDO_ASSIGN(ExprPtr value, expr(*node, scope));
    if (is_jsonb) {
      const bool is_integer = value->type.oid == oid::kInt4;
      PANDO_ASSIGN(ExprPtr key,
                   coerce(context_, value, {is_integer ? oid::kInt4 : oid::kText}, CastContext::kImplicit));
      if (key == nullptr) {
        return Status(sql_state::kDatatypeMismatch, "subscript type {} is not supported", type_name(value->type.oid))
            .with_hint("jsonb subscript must be coercible to either integer or text.")
            .with_position(location_of(value));
      }
      return key;
    }
    PANDO_ASSIGN(ExprPtr index, coerce(context_, value, {oid::kInt4}, CastContext::kAssignment));
    if (index == nullptr) {
      return Status(sql_state::kDatatypeMismatch, "array subscript must have type integer")
          .with_position(location_of(value));
    }
    return index;
  };
  while (at < steps.size() &&
         (steps[at].kind == ast::Indirection::Kind::kSubscript || steps[at].kind == ast::Indirection::Kind::kSlice)) {
    const ast::Indirection& step = steps[at++];
    SubscriptExpr::Bound bound;
    bound.is_slice = step.kind == ast::Indirection::Kind::kSlice;
    if (bound.is_slice && is_jsonb) {
      return Status(sql_state::kFeatureNotSupported, "jsonb subscript does not support slices").with_position(position);
    }
    any_slice = any_slice || bound.is_slice;
    PANDO_ASSIGN(bound.lower, bound_value(step.lower));
    PANDO_ASSIGN(bound.upper, bound_value(step.upper));
    result.bounds.push_back(std::move(bound));
  }
  if (result.bounds.size() > static_cast<std::size_t>(types::kArrayDimensionsMax) && !is_jsonb) {
    return Status(sql_state::kProgramLimitExceeded, "number of array dimensions ({}) exceeds the maximum allowed ({})",
                  result.bounds.size(), types::kArrayDimensionsMax);
  }
  if (any_slice) {
    // A plain index beside slices means 1 to that index.
    for (SubscriptExpr::Bound& bound : result.bounds) {
      if (!bound.is_slice) {
        bound.is_slice = true;
        bound.lower = make_constant({oid::kInt4}, types::Value::of_int32(1));
      }
    }
  }
  Type result_type = is_jsonb || any_slice ? Type{type} : Type{types::element_of(type)};
  result_type.modifier = container->type.modifier;
  result.container = std::move(container);
  return make_expr(result_type, std::move(result), position);
}

}  // namespace pando::sql
