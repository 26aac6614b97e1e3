#include "sql/function/text_form.h"

#include <algorithm>

#include "types/text_io.h"

namespace pando::sql {
namespace {

using types::Oid;
namespace oid = types::oid;

void print_reg(EvaluationContext& context, Oid type, uint32_t object, Bytes& out) {
  if (object == 0) {
    out += '-';
    return;
  }
  const auto name = context.services != nullptr ? context.services->name_of(type, object) : std::nullopt;
  if (name) {
    out += *name;
  } else {
    types::print_int64(object, out);
  }
}

Status no_such_object(Oid type, ByteView text) {
  switch (type) {
    case oid::kRegclass:
      return {sql_state::kUndefinedTable, "relation \"{}\" does not exist", text};
    case oid::kRegtype:
      return {sql_state::kUndefinedObject, "type \"{}\" does not exist", text};
    case oid::kRegnamespace:
      return {sql_state::kInvalidSchemaName, "schema \"{}\" does not exist", text};
    case oid::kRegrole:
      return {sql_state::kUndefinedObject, "role \"{}\" does not exist", text};
    case oid::kRegoper:
    case oid::kRegoperator:
      return {sql_state::kUndefinedFunction, "operator does not exist: {}", text};
    default:
      return {sql_state::kUndefinedFunction, "function \"{}\" does not exist", text};
  }
}

}  // namespace

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

void print_value(EvaluationContext& context, types::Type type, const types::Value& value, Bytes& out) {
  if (is_reg_type(type.oid)) {
    print_reg(context, type.oid, value.as<uint32_t>(), out);
  } else {
    types::print_text(type, value, context.settings, out);
  }
}

void print_value(EvaluationContext& context, types::Type type, const types::Vector& vector, std::size_t row,
                 Bytes& out) {
  if (is_reg_type(type.oid)) {
    print_reg(context, type.oid, vector.at<uint32_t>(row), out);
  } else {
    types::print_text(type, vector, row, context.settings, out);
  }
}

Result<uint32_t> parse_reg(EvaluationContext& context, Oid type, ByteView text) {
  if (text == "-") {
    return uint32_t{0};
  }
  if (!text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; })) {
    return types::parse_oid(text);
  }
  if (context.services == nullptr) {
    return no_such_object(type, text);
  }
  PANDO_ASSIGN(const auto object, context.services->resolve_name(type, text));
  if (!object) {
    return no_such_object(type, text);
  }
  return *object;
}

Result<types::Value> parse_value(EvaluationContext& context, types::Type type, ByteView text) {
  if (is_reg_type(type.oid)) {
    PANDO_ASSIGN(const uint32_t object, parse_reg(context, type.oid, text));
    return types::Value::of_uint32(object);
  }
  return types::parse_text(type, text, context.settings);
}

}  // namespace pando::sql
