// The casts that apply varchar(n) and char(n), and those of "char", PostgreSQL's one-byte type.

#include "sql/function/errors.h"
#include "sql/function/kernel_table.h"
#include "sql/function/lift.h"
#include "sql/function/quoting.h"
#include "sql/function/text_form.h"
#include "types/text_io.h"
#include "types/utf8.h"

namespace pando::sql {
namespace {

using types::Value;
namespace oid = types::oid;

template <types::Oid kType>
Result<Value> apply_length(Value value, int32_t modifier, bool is_explicit) {
  return types::apply_modifier({kType, modifier}, std::move(value), is_explicit);
}

// A byte above 127 is kept by its number; its text form is an octal escape.
int32_t char_to_int4(ByteView value) { return value.empty() ? 0 : static_cast<int8_t>(value.front()); }
Result<Bytes> int4_to_char(int32_t value) {
  if (value < INT8_MIN || value > INT8_MAX) {
    return Status(sql_state::kNumericValueOutOfRange, "\"char\" out of range");
  }
  return value == 0 ? Bytes() : Bytes(1, static_cast<char>(value));
}
Bytes char_to_text(EvaluationContext& context, ByteView value) {
  Bytes out;
  print_value(context, {oid::kChar}, Value::of_bytes(Bytes(value)), out);
  return out;
}
Result<Value> text_to_char(EvaluationContext& context, ByteView text) {
  return parse_value(context, {oid::kChar}, text);
}

Bytes literal_of(EvaluationContext& context, const CallTypes& types, Value value) {
  Bytes text;
  print_value(context, types.arguments[0], value, text);
  return quote_literal(text);
}
Bytes literal_or_null(EvaluationContext& context, const CallTypes& types, Value value) {
  return value.is_null() ? Bytes("NULL") : literal_of(context, types, std::move(value));
}

}  // namespace

KernelTable length_kernels() {
  static constexpr KernelEntry kTable[] = {
      {"varchar", lift<apply_length<oid::kVarchar>>},
      {"bpchar", lift<apply_length<oid::kBpchar>>},
      {"chartoi4", lift<char_to_int4>},
      {"i4tochar", lift<int4_to_char>},
      {"char_text", lift<char_to_text>},
      {"char_bpchar", lift<char_to_text>},
      {"text_char", lift<text_to_char>},
      {"quote_literal(anyelement)", lift<literal_of>},
      {"quote_nullable(anyelement)", lift<literal_or_null>},
  };
  return kTable;
}

}  // namespace pando::sql
