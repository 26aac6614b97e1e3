// json: operators and functions that take it apart. jsonb has jsonb_access.cc.

#include "sql/function/errors.h"
#include "sql/function/kernel_table.h"
#include "sql/function/lift.h"
#include "sql/function/set_rows.h"
#include "types/array.h"
#include "types/json.h"

namespace pando::sql {
namespace {

using types::ArrayView;
using types::JsonKind;
using types::Value;
using Piece = std::optional<Borrowed>;
using Rows = Result<std::unique_ptr<SetRows>>;

Piece borrow(std::optional<ByteView> view) { return view ? std::optional(Borrowed{*view}) : std::nullopt; }
std::optional<Bytes> as_text(std::optional<ByteView> view) { return view ? types::json_as_text(*view) : std::nullopt; }

// A json may hold escapes that no text can: whoever takes it apart learns of them, wherever they stand.
Status check_escapes(ByteView json) {
  types::JsonEvents ignored;
  return json.find("\\u") == ByteView::npos ? Status() : types::parse_json(json, ignored);
}

Result<Piece> member(ByteView json, ByteView name) {
  PANDO_TRY(check_escapes(json));
  return borrow(types::json_member(json, name));
}
Result<Piece> element(ByteView json, int32_t index) {
  PANDO_TRY(check_escapes(json));
  return borrow(types::json_element(json, index));
}
Result<std::optional<Bytes>> member_text(ByteView json, ByteView name) {
  PANDO_TRY(check_escapes(json));
  return as_text(types::json_member(json, name));
}
Result<std::optional<Bytes>> element_text(ByteView json, int32_t index) {
  PANDO_TRY(check_escapes(json));
  return as_text(types::json_element(json, index));
}

// A path with a NULL step leads nowhere.
Result<std::optional<ByteView>> at_path(ByteView json, ByteView packed_path) {
  PANDO_TRY(check_escapes(json));
  const ArrayView array(packed_path);
  std::vector<ByteView> path;
  for (std::size_t i = 0; i < array.size(); ++i) {
    if (array.is_null(i)) {
      return std::optional<ByteView>();
    }
    path.push_back(array.bytes_at(i));
  }
  return types::json_path(json, path);
}
Result<Piece> path(ByteView json, ByteView packed_path) {
  PANDO_ASSIGN(const auto found, at_path(json, packed_path));
  return borrow(found);
}
Result<std::optional<Bytes>> path_text(ByteView json, ByteView packed_path) {
  PANDO_ASSIGN(const auto found, at_path(json, packed_path));
  return as_text(found);
}

ByteView type_name(JsonKind kind) {
  switch (kind) {
    case JsonKind::kNull:
      return "null";
    case JsonKind::kFalse:
    case JsonKind::kTrue:
      return "boolean";
    case JsonKind::kNumber:
      return "number";
    case JsonKind::kString:
      return "string";
    case JsonKind::kArray:
      return "array";
    case JsonKind::kObject:
      return "object";
  }
}
Bytes type_of(ByteView json) { return Bytes(type_name(types::json_kind(json))); }

Result<int32_t> array_length(ByteView json) {
  const JsonKind kind = types::json_kind(json);
  if (kind == JsonKind::kArray) {
    return static_cast<int32_t>(types::json_array_length(json));
  }
  return Status(sql_state::kInvalidParameterValue, "cannot get array length of a {}",
                kind == JsonKind::kObject ? "non-array" : "scalar");
}
Bytes strip_nulls(ByteView json) { return types::json_strip_nulls(json); }

Value text_value(ByteView json) {
  auto text = types::json_as_text(json);
  return text ? Value::of_bytes(*std::move(text)) : Value::null();
}

template <bool kText>
Rows elements(EvaluationContext&, const CallTypes&, std::span<const Value> arguments) {
  const ByteView json = arguments[0].bytes();
  PANDO_TRY(check_escapes(json));
  const JsonKind kind = types::json_kind(json);
  if (kind != JsonKind::kArray) {
    return Status(sql_state::kInvalidParameterValue, "cannot call {} on a {}",
                  kText ? "json_array_elements_text" : "json_array_elements",
                  kind == JsonKind::kObject ? "non-array" : "scalar");
  }
  std::vector<std::vector<Value>> rows;
  for (const ByteView item : types::json_elements(json)) {
    rows.push_back({kText ? text_value(item) : Value::of_bytes(Bytes(item))});
  }
  return rows_of_values(std::move(rows));
}
template <bool kText>
Rows members(EvaluationContext&, const CallTypes&, std::span<const Value> arguments) {
  const ByteView json = arguments[0].bytes();
  PANDO_TRY(check_escapes(json));
  const JsonKind kind = types::json_kind(json);
  if (kind != JsonKind::kObject) {
    return kind == JsonKind::kArray
               ? Status(sql_state::kInvalidParameterValue, "cannot deconstruct an array as an object")
               : Status(sql_state::kInvalidParameterValue, "cannot deconstruct a scalar");
  }
  std::vector<std::vector<Value>> rows;
  for (types::JsonMember& item : types::json_members(json)) {
    rows.push_back(
        {Value::of_bytes(std::move(item.name)), kText ? text_value(item.value) : Value::of_bytes(Bytes(item.value))});
  }
  return rows_of_values(std::move(rows));
}
Rows keys(EvaluationContext&, const CallTypes&, std::span<const Value> arguments) {
  const ByteView json = arguments[0].bytes();
  PANDO_TRY(check_escapes(json));
  const JsonKind kind = types::json_kind(json);
  if (kind != JsonKind::kObject) {
    return Status(sql_state::kInvalidParameterValue, "cannot call json_object_keys on {}",
                  kind == JsonKind::kArray ? "an array" : "a scalar");
  }
  std::vector<std::vector<Value>> rows;
  for (types::JsonMember& item : types::json_members(json)) {
    rows.push_back({Value::of_bytes(std::move(item.name))});
  }
  return rows_of_values(std::move(rows));
}

}  // namespace

KernelTable json_access_kernels() {
  static constexpr KernelEntry kTable[] = {
      {"json_object_field", lift<member>},
      {"json_object_field_text", lift<member_text>},
      {"json_array_element", lift<element>},
      {"json_array_element_text", lift<element_text>},
      {"json_extract_path", lift<path>},
      {"json_extract_path_text", lift<path_text>},
      {"json_typeof", lift<type_of>},
      {"json_array_length", lift<array_length>},
      {"json_strip_nulls", lift<strip_nulls>},
      {"json_array_elements", elements<false>},
      {"json_array_elements_text", elements<true>},
      {"json_each", members<false>},
      {"json_each_text", members<true>},
      {"json_object_keys", keys},
  };
  return kTable;
}

}  // namespace pando::sql
