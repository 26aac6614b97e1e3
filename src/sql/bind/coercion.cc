#include "sql/bind/coercion.h"

#include <utility>

#include <fmt/format.h>

#include "sql/bind/traverse.h"
#include "types/text_io.h"
#include "types/type.h"

namespace pando::sql {

namespace oid = types::oid;
using types::Oid;
using types::Type;

char category_of(Oid type) {
  const types::TypeInfo* info = types::find_type(type);
  return info == nullptr ? 'C' : info->category;
}

bool is_preferred(Oid type) {
  const types::TypeInfo* info = types::find_type(type);
  return info != nullptr && info->preferred;
}

std::string type_name(Oid type) { return types::format_type({type}); }

int location_of(const ExprPtr& expr) {
  int leftmost = expr->position;
  const bool spans_children = as<CallExpr>(expr) != nullptr || as<CastExpr>(expr) != nullptr ||
                              as<LogicExpr>(expr) != nullptr || as<DistinctExpr>(expr) != nullptr ||
                              as<NullIfExpr>(expr) != nullptr || as<ArrayComparisonExpr>(expr) != nullptr ||
                              as<NullTestExpr>(expr) != nullptr || as<BooleanTestExpr>(expr) != nullptr;
  if (spans_children) {
    visit_children(*expr, [&](const ExprPtr& child) {
      const int position = location_of(child);
      leftmost = position != 0 && (leftmost == 0 || position < leftmost) ? position : leftmost;
    });
  }
  return leftmost;
}

namespace {

constexpr char kStringCategory = 'S';

int strictness(CastContext context) {
  return context == CastContext::kImplicit ? 0 : context == CastContext::kAssignment ? 1 : 2;
}

bool is_reg_type(Oid type) {
  switch (type) {
    case oid::kRegclass:
    case oid::kRegtype:
    case oid::kRegproc:
    case oid::kRegprocedure:
    case oid::kRegoper:
    case oid::kRegoperator:
    case oid::kRegnamespace:
    case oid::kRegrole:
      return true;
    default:
      return false;
  }
}

Status unknown_object(Oid reg_type, std::string_view name) {
  switch (reg_type) {
    case oid::kRegclass: {
      // PostgreSQL prints the qualified name without its quotes.
      std::string plain;
      for (const char c : name) {
        if (c != '"') {
          plain += c;
        }
      }
      return {sql_state::kUndefinedTable, "relation \"{}\" does not exist", plain};
    }
    case oid::kRegtype:
      return {sql_state::kUndefinedObject, "type \"{}\" does not exist", name};
    case oid::kRegnamespace:
      return {sql_state::kInvalidSchemaName, "schema \"{}\" does not exist", name};
    case oid::kRegrole:
      return {sql_state::kUndefinedObject, "role \"{}\" does not exist", name};
    case oid::kRegoper:
    case oid::kRegoperator:
      return {sql_state::kUndefinedFunction, "operator does not exist: {}", name};
    default:
      return {sql_state::kUndefinedFunction, "function \"{}\" does not exist", name};
  }
}

Result<types::Value> parse_reg_literal(BindContext& context, Oid reg_type, std::string_view text) {
  if (text == "-") {
    return types::Value::of_uint32(0);
  }
  if (!text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos) {
    return types::parse_text({reg_type}, text, context.options.evaluation->settings);
  }
  SessionServices* services = context.options.evaluation->services;
  if (services == nullptr) {
    return Status(sql_state::kFeatureNotSupported, "names of objects cannot be looked up here");
  }
  PANDO_ASSIGN(std::optional<Oid> object, services->resolve_name(reg_type, text));
  if (!object.has_value()) {
    return unknown_object(reg_type, text);
  }
  return types::Value::of_uint32(*object);
}

// A quoted literal as a value of the type it turns out to have.
Result<ExprPtr> coerce_literal(BindContext& context, const Expr& literal, Type target, CastContext cast_context) {
  const types::Value& value = std::get<ConstantExpr>(literal.node).value;
  if (value.is_null()) {
    return make_expr(target, ConstantExpr{}, literal.position);
  }
  const auto place = [&](Status status) {
    if (status.fields().position == 0) {
      status.fields().position = literal.position;
    }
    return status;
  };
  const types::TypeInfo* info = types::find_type(target.oid);
  if (info == nullptr || !info->supported) {
    return Status(sql_state::kFeatureNotSupported, "type {} is not supported", type_name(target.oid))
        .with_position(literal.position);
  }
  // As in PostgreSQL the text is read without its length, which is applied when the cast is computed; an interval's
  // fields are part of how it is read.
  const bool modifier_in_text = target.oid == oid::kInterval;
  const Type read_type{target.oid, modifier_in_text ? target.modifier : types::kNoModifier};
  Result<types::Value> parsed = is_reg_type(target.oid)
                                    ? parse_reg_literal(context, target.oid, value.bytes())
                                    : types::parse_text(read_type, value.bytes(), context.options.evaluation->settings);
  if (!parsed.ok()) {
    return place(std::move(parsed).status());
  }
  ExprPtr constant = make_expr(read_type, ConstantExpr{*std::move(parsed)}, literal.position);
  return apply_modifier(std::move(constant), target, cast_context == CastContext::kExplicit);
}

Result<ExprPtr> coerce_array(BindContext& context, ExprPtr expr, Type target, CastContext cast_context) {
  ExprPtr element = make_expr({types::element_of(expr->type.oid)}, ColumnExpr{kElementColumn, ""});
  const Type element_target{types::element_of(target.oid), target.modifier};
  PANDO_ASSIGN(element, coerce(context, std::move(element), element_target, cast_context));
  const int position = expr->position;
  CastExpr cast{CastExpr::Method::kArrayElements, std::move(expr), std::move(element),
                cast_context == CastContext::kExplicit};
  return make_expr(target, std::move(cast), position);
}

}  // namespace

CoercionPath find_coercion(Oid source, Oid target, CastContext context) {
  using Kind = CoercionPath::Kind;
  if (source == target || (types::is_composite(source) && target == oid::kRecord)) {
    return {Kind::kRelabel};
  }
  if (const CastEntry* cast = find_cast(source, target)) {
    if (strictness(context) < strictness(cast->context)) {
      return {};
    }
    switch (cast->method) {
      case CastMethod::kFunction:
        return {Kind::kFunction, cast->function};
      case CastMethod::kBinary:
        return {Kind::kRelabel};
      case CastMethod::kText:
        return {Kind::kText};
    }
  }
  if (types::is_array(source) && types::is_array(target) && target != oid::kOidVector && target != oid::kInt2Vector) {
    const CoercionPath element = find_coercion(types::element_of(source), types::element_of(target), context);
    if (element.kind == Kind::kText) {
      return {Kind::kText};
    }
    if (element.kind != Kind::kNone) {
      return {Kind::kArray};
    }
  }
  if (strictness(context) >= strictness(CastContext::kAssignment) && category_of(target) == kStringCategory) {
    return {Kind::kText};
  }
  if (context == CastContext::kExplicit && category_of(source) == kStringCategory) {
    return {Kind::kText};
  }
  return {};
}

bool is_polymorphic(Oid type) {
  switch (type) {
    case oid::kAnyElement:
    case oid::kAnyArray:
    case oid::kAnyNonArray:
    case oid::kAnyEnum:
    case oid::kAnyCompatible:
    case oid::kAnyCompatibleArray:
    case oid::kAnyCompatibleNonArray:
      return true;
    default:
      return false;
  }
}

bool can_coerce(Oid source, Oid target, CastContext context) {
  return can_coerce(std::span(&source, 1), std::span(&target, 1), context);
}

bool can_coerce(std::span<const Oid> sources, std::span<const Oid> targets, CastContext context) {
  bool polymorphic = false;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    const Oid source = sources[i];
    const Oid target = targets[i];
    if (source == target || target == oid::kAny) {
      continue;
    }
    if (is_polymorphic(target)) {
      polymorphic = true;
      continue;
    }
    if (source == oid::kUnknown || find_coercion(source, target, context).kind != CoercionPath::Kind::kNone) {
      continue;
    }
    return false;
  }
  return !polymorphic || polymorphic_agrees(sources, targets);
}

ExprPtr apply_modifier(ExprPtr expr, Type target, bool is_explicit) {
  if (target.modifier == types::kNoModifier || expr->type.modifier == target.modifier) {
    return expr;
  }
  const int position = expr->position;
  if (types::is_array(target.oid)) {
    const Type element_type{types::element_of(target.oid), target.modifier};
    ExprPtr element = make_expr({element_type.oid}, ColumnExpr{kElementColumn, ""});
    element = apply_modifier(std::move(element), element_type, is_explicit);
    return make_expr(
        target, CastExpr{CastExpr::Method::kArrayElements, std::move(expr), std::move(element), is_explicit}, position);
  }
  return make_expr(target, CastExpr{CastExpr::Method::kModifier, std::move(expr), nullptr, is_explicit}, position);
}

namespace {

// A row that is written out as one of a composite type, field by field.
Result<ExprPtr> coerce_row(BindContext& context, const Expr& row, Type target, CastContext cast_context, int position) {
  const auto& given = std::get<RowExpr>(row.node).fields;
  const types::CompositeType* composite = context.composite(target.oid);
  if (composite == nullptr) {
    return ExprPtr();
  }
  const auto refuse = [&](std::string detail) {
    return Status(sql_state::kCannotCoerce, "cannot cast type record to {}", type_name(target.oid))
        .with_detail(std::move(detail))
        .with_position(position);
  };
  if (given.size() != composite->attributes.size()) {
    return refuse(given.size() < composite->attributes.size() ? "Input has too few columns."
                                                              : "Input has too many columns.");
  }
  RowExpr result;
  for (std::size_t i = 0; i < given.size(); ++i) {
    const types::CompositeType::Attribute& attribute = composite->attributes[i];
    PANDO_ASSIGN(ExprPtr field, coerce(context, given[i], attribute.type, cast_context));
    if (field == nullptr) {
      return refuse(fmt::format("Cannot cast type {} to {} in column {}.", type_name(given[i]->type.oid),
                                type_name(attribute.type.oid), i + 1));
    }
    result.fields.push_back(std::move(field));
    result.names.push_back(attribute.name);
  }
  return make_expr(target, std::move(result), position);
}

}  // namespace

Result<ExprPtr> coerce(BindContext& context, ExprPtr expr, Type target, CastContext cast_context, int position) {
  const bool is_explicit = cast_context == CastContext::kExplicit;
  if (expr->type.oid == target.oid) {
    return apply_modifier(std::move(expr), target, is_explicit);
  }
  if (types::is_composite(expr->type.oid) && target.oid == oid::kRecord) {
    // Its values are records, and the type knows what their fields are called.
    return expr;
  }
  if (types::is_composite(target.oid) && as<RowExpr>(expr) != nullptr) {
    return coerce_row(context, *expr, target, cast_context, position == 0 ? expr->position : position);
  }
  if (expr->type.oid == oid::kUnknown) {
    if (as<ParameterExpr>(expr) != nullptr) {
      PANDO_ASSIGN(ExprPtr parameter, context.parameters.coerce(expr, target));
      return apply_modifier(std::move(parameter), target, is_explicit);
    }
    if (as<ConstantExpr>(expr) != nullptr) {
      return coerce_literal(context, *expr, target, cast_context);
    }
  }
  const CoercionPath path = find_coercion(expr->type.oid, target.oid, cast_context);
  const Type bare{target.oid};
  if (position == 0) {
    position = expr->position;
  }
  switch (path.kind) {
    case CoercionPath::Kind::kNone:
      if (expr->type.oid != oid::kUnknown) {
        return ExprPtr();
      }
      [[fallthrough]];
    case CoercionPath::Kind::kText:
      return apply_modifier(
          make_expr(bare, CastExpr{CastExpr::Method::kText, std::move(expr), nullptr, is_explicit}, position), target,
          is_explicit);
    case CoercionPath::Kind::kRelabel:
      return apply_modifier(
          make_expr(bare, CastExpr{CastExpr::Method::kRelabel, std::move(expr), nullptr, is_explicit}, position),
          target, is_explicit);
    case CoercionPath::Kind::kFunction:
      if (path.function == nullptr) {
        return Status(sql_state::kFeatureNotSupported, "the cast from {} to {} is not supported",
                      type_name(expr->type.oid), type_name(target.oid))
            .with_position(position);
      }
      return apply_modifier(make_expr(bare, CallExpr{path.function, {std::move(expr)}, "", false}, position), target,
                            is_explicit);
    case CoercionPath::Kind::kArray:
      return coerce_array(context, std::move(expr), target, cast_context);
  }
  PANDO_UNREACHABLE("a coercion path without a case");
}

Result<ExprPtr> coerce_argument(BindContext& context, ExprPtr expr, Oid target) {
  if (target == oid::kAny || is_polymorphic(target)) {
    return resolve_unknown(context, std::move(expr));
  }
  PANDO_ASSIGN(ExprPtr coerced, coerce(context, expr, {target}, CastContext::kImplicit));
  if (coerced == nullptr) {
    return Status(sql_state::kCannotCoerce, "cannot cast type {} to {}", type_name(expr->type.oid), type_name(target))
        .with_position(location_of(expr));
  }
  return coerced;
}

Result<ExprPtr> coerce_to_boolean(BindContext& context, ExprPtr expr, std::string_view construct) {
  PANDO_ASSIGN(ExprPtr coerced, coerce(context, expr, {oid::kBool}, CastContext::kAssignment));
  if (coerced == nullptr) {
    return Status(sql_state::kDatatypeMismatch, "argument of {} must be type boolean, not type {}", construct,
                  type_name(expr->type.oid))
        .with_position(location_of(expr));
  }
  return coerced;
}

Result<ExprPtr> resolve_unknown(BindContext& context, ExprPtr expr) {
  if (const auto* given = as<RowExpr>(expr); given != nullptr && given->names.empty()) {
    RowExpr row = *given;
    for (ExprPtr& field : row.fields) {
      PANDO_ASSIGN(field, resolve_unknown(context, std::move(field)));
      row.names.push_back(fmt::format("f{}", row.names.size() + 1));
    }
    return make_expr(expr->type, std::move(row), expr->position);
  }
  if (expr->type.oid != oid::kUnknown) {
    return expr;
  }
  return coerce(context, std::move(expr), {oid::kText}, CastContext::kImplicit);
}

namespace {

struct TypedPlace {
  Oid type = 0;
  int position = 0;
};

// One step of PostgreSQL's rule: which of the two is the common type so far.
Result<Oid> common_of(Oid current, TypedPlace next, std::string_view construct) {
  if (next.type == oid::kUnknown || next.type == current) {
    return current;
  }
  if (current == oid::kUnknown) {
    return next.type;
  }
  if (category_of(current) != category_of(next.type)) {
    return Status(sql_state::kDatatypeMismatch, "{} types {} and {} cannot be matched", construct, type_name(current),
                  type_name(next.type))
        .with_position(next.position);
  }
  const bool replaces = !is_preferred(current) && can_coerce(current, next.type, CastContext::kImplicit) &&
                        !can_coerce(next.type, current, CastContext::kImplicit);
  return replaces ? next.type : current;
}

}  // namespace

Result<Oid> select_common_type(std::span<const ExprPtr> exprs, std::string_view construct) {
  Oid common = oid::kUnknown;
  for (const ExprPtr& expr : exprs) {
    PANDO_ASSIGN(common, common_of(common, {expr->type.oid, location_of(expr)}, construct));
  }
  return common == oid::kUnknown ? oid::kText : common;
}

int32_t common_modifier(std::span<const ExprPtr> exprs, Oid type) {
  if (exprs.empty()) {
    return types::kNoModifier;
  }
  const int32_t modifier = exprs[0]->type.modifier;
  for (const ExprPtr& expr : exprs) {
    if (expr->type.oid != type || expr->type.modifier != modifier) {
      return types::kNoModifier;
    }
  }
  return modifier;
}

Result<ExprPtr> coerce_to_common(BindContext& context, ExprPtr expr, Oid type, std::string_view construct) {
  PANDO_ASSIGN(ExprPtr coerced, coerce(context, expr, {type}, CastContext::kImplicit));
  if (coerced == nullptr) {
    return Status(sql_state::kCannotCoerce, "{} could not convert type {} to {}", construct, type_name(expr->type.oid),
                  type_name(type))
        .with_position(location_of(expr));
  }
  return coerced;
}

}  // namespace pando::sql
