// jsonb: operators, functions and casts. SQL/JSON paths are in jsonpath.cc.

#include "sql/function/errors.h"
#include "sql/function/kernel_table.h"
#include "sql/function/lift.h"
#include "sql/function/set_rows.h"
#include "types/array.h"
#include "types/jsonb.h"
#include "types/numeric.h"

namespace pando::sql {
namespace {

using types::ArrayView;
using types::JsonbView;
using types::JsonKind;
using types::Value;
using OptionalBytes = std::optional<Bytes>;
using Rows = Result<std::unique_ptr<SetRows>>;

OptionalBytes copy(std::optional<JsonbView> view) { return view ? std::optional(Bytes(view->packed())) : std::nullopt; }
OptionalBytes as_text(std::optional<JsonbView> view) { return view ? types::jsonb_as_text(*view) : std::nullopt; }
std::optional<JsonbView> find_member(ByteView json, ByteView name) { return JsonbView(json).find(name); }
// A scalar is its own only element, as it lies in an array of one.
std::optional<JsonbView> find_element(ByteView json, int32_t index) {
  const JsonbView view(json);
  if (view.is_scalar()) {
    return index == 0 || index == -1 ? std::optional(view) : std::nullopt;
  }
  return view.at(index);
}

OptionalBytes member(ByteView json, ByteView name) { return copy(find_member(json, name)); }
OptionalBytes element(ByteView json, int32_t index) { return copy(find_element(json, index)); }
OptionalBytes member_text(ByteView json, ByteView name) { return as_text(find_member(json, name)); }
OptionalBytes element_text(ByteView json, int32_t index) { return as_text(find_element(json, index)); }

std::optional<JsonbView> at_path(ByteView json, ByteView packed_path) {
  const ArrayView array(packed_path);
  std::vector<ByteView> path;
  for (std::size_t i = 0; i < array.size(); ++i) {
    if (array.is_null(i)) {
      return std::nullopt;
    }
    path.push_back(array.bytes_at(i));
  }
  return JsonbView(json).path(path);
}
OptionalBytes path(ByteView json, ByteView packed_path) { return copy(at_path(json, packed_path)); }
OptionalBytes path_text(ByteView json, ByteView packed_path) { return as_text(at_path(json, packed_path)); }

// The keys in a text array that are not NULL.
std::vector<ByteView> keys_in(ByteView packed) {
  const ArrayView array(packed);
  std::vector<ByteView> keys;
  for (std::size_t i = 0; i < array.size(); ++i) {
    if (!array.is_null(i)) {
      keys.push_back(array.bytes_at(i));
    }
  }
  return keys;
}
bool contains(ByteView a, ByteView b) { return types::jsonb_contains(JsonbView(a), JsonbView(b)); }
bool is_contained(ByteView a, ByteView b) { return contains(b, a); }
bool exists(ByteView json, ByteView key) { return types::jsonb_exists(JsonbView(json), key); }
bool exists_any(ByteView json, ByteView packed) {
  return std::ranges::any_of(keys_in(packed), [&](ByteView key) { return exists(json, key); });
}
bool exists_all(ByteView json, ByteView packed) {
  return std::ranges::all_of(keys_in(packed), [&](ByteView key) { return exists(json, key); });
}
Result<Bytes> concatenate(ByteView a, ByteView b) { return types::jsonb_concat(JsonbView(a), JsonbView(b)); }

// --- change ---
Status check_path(ByteView packed) {
  return ArrayView(packed).dimensions() > 1
             ? Status(sql_state::kArraySubscriptError, "wrong number of array subscripts")
             : Status();
}
Result<std::vector<ByteView>> steps_in(ByteView packed) {
  const ArrayView array(packed);
  std::vector<ByteView> steps;
  for (std::size_t i = 0; i < array.size(); ++i) {
    if (array.is_null(i)) {
      return Status(sql_state::kNullValueNotAllowed, "path element at position {} is null", i + 1);
    }
    steps.push_back(array.bytes_at(i));
  }
  return steps;
}
Result<Bytes> delete_key(ByteView json, ByteView key) { return types::jsonb_delete_key(JsonbView(json), key); }
Result<Bytes> delete_index(ByteView json, int32_t index) { return types::jsonb_delete_index(JsonbView(json), index); }
Result<Bytes> delete_keys(ByteView json, ByteView packed) {
  PANDO_TRY(check_path(packed));
  return types::jsonb_delete_keys(JsonbView(json), keys_in(packed));
}
Result<Bytes> delete_path(ByteView json, ByteView packed) {
  PANDO_TRY(check_path(packed));
  const JsonbView target(json);
  if (target.is_scalar()) {
    return Status(sql_state::kInvalidParameterValue, "cannot delete path in scalar");
  }
  if (target.size() == 0) {
    return Bytes(json);
  }
  PANDO_ASSIGN(const auto steps, steps_in(packed));
  return types::jsonb_delete_path(JsonbView(json), steps);
}
Result<Bytes> set(ByteView json, ByteView packed, ByteView replacement, bool create) {
  PANDO_TRY(check_path(packed));
  const JsonbView target(json);
  if (target.is_scalar()) {
    return Status(sql_state::kInvalidParameterValue, "cannot set path in scalar");
  }
  if (target.size() == 0 && !create) {
    return Bytes(json);
  }
  PANDO_ASSIGN(const auto steps, steps_in(packed));
  return types::jsonb_set(JsonbView(json), steps, JsonbView(replacement), create);
}
Result<Bytes> insert(ByteView json, ByteView packed, ByteView inserted, bool after) {
  PANDO_TRY(check_path(packed));
  if (JsonbView(json).is_scalar()) {
    return Status(sql_state::kInvalidParameterValue, "cannot set path in scalar");
  }
  PANDO_ASSIGN(const auto steps, steps_in(packed));
  return types::jsonb_insert(JsonbView(json), steps, JsonbView(inserted), after);
}
// jsonb_set that says what an SQL NULL as the new value means.
Result<OptionalBytes> set_lax(std::optional<ByteView> json, std::optional<ByteView> path,
                              std::optional<ByteView> replacement, std::optional<bool> create,
                              std::optional<ByteView> treatment) {
  if (!json || !path || !create) {
    return OptionalBytes();
  }
  if (!treatment) {
    return Status(sql_state::kInvalidParameterValue,
                  "null_value_treatment must be \"delete_key\", \"return_target\", \"use_json_null\", or "
                  "\"raise_exception\"");
  }
  Result<Bytes> changed = Bytes(*json);
  if (replacement) {
    changed = set(*json, *path, *replacement, *create);
  } else if (*treatment == "raise_exception") {
    return Status(sql_state::kNullValueNotAllowed, "JSON value must not be null")
        .with_detail("Exception was raised because null_value_treatment is \"raise_exception\".")
        .with_hint(
            "To avoid, either change the null_value_treatment argument or ensure that an SQL NULL is not passed.");
  } else if (*treatment == "use_json_null") {
    types::JsonbBuilder builder;
    builder.null();
    PANDO_ASSIGN(const Bytes null, builder.finish());
    changed = set(*json, *path, null, *create);
  } else if (*treatment == "delete_key") {
    changed = delete_path(*json, *path);
  } else if (*treatment != "return_target") {
    return Status(sql_state::kInvalidParameterValue,
                  "null_value_treatment must be \"delete_key\", \"return_target\", \"use_json_null\", or "
                  "\"raise_exception\"");
  }
  PANDO_ASSIGN(Bytes result, std::move(changed));
  return OptionalBytes(std::move(result));
}
Result<Bytes> strip_nulls(ByteView json) { return types::jsonb_strip_nulls(JsonbView(json)); }
Bytes pretty(ByteView json) {
  Bytes out;
  types::print_jsonb_pretty(JsonbView(json), out);
  return out;
}

// --- facts ---
Bytes type_of(ByteView json) {
  switch (JsonbView(json).kind()) {
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
Result<int32_t> array_length(ByteView json) {
  const JsonbView view(json);
  if (view.kind() != JsonKind::kArray) {
    return Status(sql_state::kInvalidParameterValue, "cannot get array length of a {}",
                  view.is_scalar() ? "scalar" : "non-array");
  }
  return static_cast<int32_t>(view.size());
}

// --- casts ---
Result<bool> to_bool(ByteView json) { return types::jsonb_to_bool(JsonbView(json)); }
Result<Bytes> to_numeric(ByteView json) { return types::jsonb_to_numeric(JsonbView(json), "numeric"); }
Result<int16_t> to_int2(ByteView json) {
  PANDO_ASSIGN(const Bytes number, types::jsonb_to_numeric(JsonbView(json), "smallint"));
  return types::numeric::to_int16(number);
}
Result<int32_t> to_int4(ByteView json) {
  PANDO_ASSIGN(const Bytes number, types::jsonb_to_numeric(JsonbView(json), "integer"));
  return types::numeric::to_int32(number);
}
Result<int64_t> to_int8(ByteView json) {
  PANDO_ASSIGN(const Bytes number, types::jsonb_to_numeric(JsonbView(json), "bigint"));
  return types::numeric::to_int64(number);
}
Result<float> to_float4(ByteView json) {
  PANDO_ASSIGN(const Bytes number, types::jsonb_to_numeric(JsonbView(json), "real"));
  return types::numeric::to_float32(number);
}
Result<double> to_float8(ByteView json) {
  PANDO_ASSIGN(const Bytes number, types::jsonb_to_numeric(JsonbView(json), "double precision"));
  return types::numeric::to_float64(number);
}

// --- rows ---
Value value_of(JsonbView view, bool text) {
  if (!text) {
    return Value::of_bytes(Bytes(view.packed()));
  }
  auto form = types::jsonb_as_text(view);
  return form ? Value::of_bytes(*std::move(form)) : Value::null();
}
template <bool kText>
Rows elements(EvaluationContext&, const CallTypes&, std::span<const Value> arguments) {
  const JsonbView json(arguments[0].bytes());
  if (json.kind() != JsonKind::kArray) {
    return json.is_scalar() ? Status(sql_state::kInvalidParameterValue, "cannot extract elements from a scalar")
                            : Status(sql_state::kInvalidParameterValue, "cannot extract elements from an object");
  }
  std::vector<std::vector<Value>> rows;
  for (std::size_t i = 0; i < json.size(); ++i) {
    rows.push_back({value_of(json.element(i), kText)});
  }
  return rows_of_values(std::move(rows));
}
template <bool kText>
Rows members(EvaluationContext&, const CallTypes&, std::span<const Value> arguments) {
  const JsonbView json(arguments[0].bytes());
  if (json.kind() != JsonKind::kObject) {
    return Status(sql_state::kInvalidParameterValue, "cannot call {} on a non-object",
                  kText ? "jsonb_each_text" : "jsonb_each");
  }
  std::vector<std::vector<Value>> rows;
  for (std::size_t i = 0; i < json.size(); ++i) {
    rows.push_back({Value::of_bytes(Bytes(json.key(i))), value_of(json.value(i), kText)});
  }
  return rows_of_values(std::move(rows));
}
Rows keys(EvaluationContext&, const CallTypes&, std::span<const Value> arguments) {
  const JsonbView json(arguments[0].bytes());
  if (json.kind() != JsonKind::kObject) {
    return Status(sql_state::kInvalidParameterValue, "cannot call jsonb_object_keys on {}",
                  json.is_scalar() ? "a scalar" : "an array");
  }
  std::vector<std::vector<Value>> rows;
  for (std::size_t i = 0; i < json.size(); ++i) {
    rows.push_back({Value::of_bytes(Bytes(json.key(i)))});
  }
  return rows_of_values(std::move(rows));
}

}  // namespace

KernelTable jsonb_access_kernels() {
  static constexpr KernelEntry kTable[] = {
      {"jsonb_object_field", lift<member>},
      {"jsonb_object_field_text", lift<member_text>},
      {"jsonb_array_element", lift<element>},
      {"jsonb_array_element_text", lift<element_text>},
      {"jsonb_extract_path", lift<path>},
      {"jsonb_extract_path_text", lift<path_text>},
      {"jsonb_contains", lift<contains>},
      {"jsonb_contained", lift<is_contained>},
      {"jsonb_exists", lift<exists>},
      {"jsonb_exists_any", lift<exists_any>},
      {"jsonb_exists_all", lift<exists_all>},
      {"jsonb_concat", lift<concatenate>},
      {"jsonb_delete", lift<delete_key>},
      {"jsonb_delete_idx", lift<delete_index>},
      {"jsonb_delete_array", lift<delete_keys>},
      {"jsonb_delete_path", lift<delete_path>},
      {"jsonb_set", lift<set>},
      {"jsonb_set_lax", lift<set_lax>},
      {"jsonb_insert", lift<insert>},
      {"jsonb_strip_nulls", lift<strip_nulls>},
      {"jsonb_pretty", lift<pretty>},
      {"jsonb_typeof", lift<type_of>},
      {"jsonb_array_length", lift<array_length>},
      {"jsonb_bool", lift<to_bool>},
      {"jsonb_numeric", lift<to_numeric>},
      {"jsonb_int2", lift<to_int2>},
      {"jsonb_int4", lift<to_int4>},
      {"jsonb_int8", lift<to_int8>},
      {"jsonb_float4", lift<to_float4>},
      {"jsonb_float8", lift<to_float8>},
      {"jsonb_array_elements", elements<false>},
      {"jsonb_array_elements_text", elements<true>},
      {"jsonb_each", members<false>},
      {"jsonb_each_text", members<true>},
      {"jsonb_object_keys", keys},
  };
  return kTable;
}

}  // namespace pando::sql
