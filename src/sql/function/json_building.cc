// Builders and aggregates of json and jsonb: to_json, json_build_object, json_object, json_agg and their kin.

#include "sql/function/aggregate.h"
#include "sql/function/errors.h"
#include "sql/function/json_value.h"
#include "sql/function/kernel_table.h"
#include "sql/function/lift.h"
#include "types/array.h"
#include "types/json.h"

namespace pando::sql {
namespace {

using types::ArrayView;
using types::JsonbBuilder;
using types::Value;

// --- to_json ---
template <bool kPretty>
Bytes to_json(EvaluationContext& context, const CallTypes& types, Value value) {
  Bytes out;
  append_json(context, types.arguments[0], value, types.field_names, kPretty, out);
  return out;
}
Bytes to_json_maybe_pretty(EvaluationContext& context, const CallTypes& types, Value value, bool pretty) {
  return pretty ? to_json<true>(context, types, std::move(value)) : to_json<false>(context, types, std::move(value));
}
Result<Bytes> to_jsonb(EvaluationContext& context, const CallTypes& types, Value value) {
  JsonbBuilder builder;
  PANDO_TRY(build_jsonb(context, types.arguments[0], value, types.field_names, builder));
  return builder.finish();
}

// --- json[b]_build_array, json[b]_build_object ---
struct TypedValue {
  types::Type type;
  Value value;
};
// nullopt when the VARIADIC array is NULL.
std::optional<std::vector<TypedValue>> row_values(const CallTypes& types,
                                                  std::span<const types::Vector* const> arguments, std::size_t row) {
  std::vector<TypedValue> values;
  if (!types.variadic_array) {
    for (std::size_t i = 0; i < arguments.size(); ++i) {
      values.push_back({types.arguments[i], arguments[i]->get(row)});
    }
    return values;
  }
  if (arguments.back()->is_null(row)) {
    return std::nullopt;
  }
  const ArrayView array(arguments.back()->bytes_at(row));
  for (std::size_t i = 0; i < array.size(); ++i) {
    values.push_back({{array.element_type()}, array.get(i)});
  }
  return values;
}

Result<Bytes> object_key(EvaluationContext& context, const std::vector<TypedValue>& values, std::size_t i, bool jsonb) {
  if (values[i].value.is_null()) {
    if (jsonb) {
      return Status(sql_state::kInvalidParameterValue, "argument {}: key must not be null", i + 1);
    }
    return Status(sql_state::kInvalidParameterValue, "argument {} cannot be null", i + 1)
        .with_hint("Object keys should be text.");
  }
  return json_key(context, values[i].type, values[i].value);
}
Status odd_arguments(std::string_view function) {
  return Status(sql_state::kInvalidParameterValue, "argument list must have even number of elements")
      .with_hint(fmt::format("The arguments of {}() must consist of alternating keys and values.", function));
}

struct BuildArray {
  static Result<Bytes> json(EvaluationContext& context, const std::vector<TypedValue>& values) {
    Bytes out = "[";
    for (std::size_t i = 0; i < values.size(); ++i) {
      out += i == 0 ? "" : ", ";
      append_json(context, values[i].type, values[i].value, {}, false, out);
    }
    return out += ']';
  }
  static Result<Bytes> jsonb(EvaluationContext& context, const std::vector<TypedValue>& values) {
    JsonbBuilder builder;
    builder.begin_array();
    for (const TypedValue& value : values) {
      PANDO_TRY(build_jsonb(context, value.type, value.value, {}, builder));
    }
    builder.end_array();
    return builder.finish();
  }
};
struct BuildObject {
  static Result<Bytes> json(EvaluationContext& context, const std::vector<TypedValue>& values) {
    if (values.size() % 2 != 0) {
      return odd_arguments("json_build_object");
    }
    Bytes out = "{";
    for (std::size_t i = 0; i < values.size(); i += 2) {
      PANDO_ASSIGN(const Bytes key, object_key(context, values, i, false));
      out += i == 0 ? "" : ", ";
      types::append_json_string(out, key);
      out += " : ";
      append_json(context, values[i + 1].type, values[i + 1].value, {}, false, out);
    }
    return out += '}';
  }
  static Result<Bytes> jsonb(EvaluationContext& context, const std::vector<TypedValue>& values) {
    if (values.size() % 2 != 0) {
      return odd_arguments("jsonb_build_object");
    }
    JsonbBuilder builder;
    builder.begin_object();
    for (std::size_t i = 0; i < values.size(); i += 2) {
      PANDO_ASSIGN(const Bytes key, object_key(context, values, i, true));
      builder.key(key);
      PANDO_TRY(build_jsonb(context, values[i + 1].type, values[i + 1].value, {}, builder));
    }
    builder.end_object();
    return builder.finish();
  }
};
template <typename Build, bool kJsonb>
Status build(EvaluationContext& context, const CallTypes& types, std::span<const types::Vector* const> arguments,
             std::size_t rows, types::Vector& out) {
  for (std::size_t row = 0; row < rows; ++row) {
    const auto values = row_values(types, arguments, row);
    if (!values) {
      out.set_null(row);
      continue;
    }
    PANDO_ASSIGN(const Bytes built, kJsonb ? Build::jsonb(context, *values) : Build::json(context, *values));
    out.set_bytes(row, built);
  }
  return {};
}

// --- json[b]_object of text arrays ---
using Pairs = std::vector<std::pair<Bytes, std::optional<Bytes>>>;
Status add_pair(Pairs& pairs, const ArrayView& keys, std::size_t key, const ArrayView& values, std::size_t value) {
  if (keys.is_null(key)) {
    return {sql_state::kNullValueNotAllowed, "null value not allowed for object key"};
  }
  pairs.emplace_back(Bytes(keys.bytes_at(key)), std::nullopt);
  if (!values.is_null(value)) {
    pairs.back().second = Bytes(values.bytes_at(value));
  }
  return {};
}
Status shape_error(std::string_view message) {
  return Status::from_message(sql_state::kArraySubscriptError, std::string(message));
}
Result<Pairs> pairs_of_one(const ArrayView& array) {
  Pairs pairs;
  if (array.dimensions() == 1 && array.size() % 2 != 0) {
    return shape_error("array must have even number of elements");
  }
  if (array.dimensions() == 2 && array.dimension(1).length != 2) {
    return shape_error("array must have two columns");
  }
  if (array.dimensions() > 2) {
    return shape_error("wrong number of array subscripts");
  }
  for (std::size_t i = 0; i + 1 < array.size(); i += 2) {
    PANDO_TRY(add_pair(pairs, array, i, array, i + 1));
  }
  return pairs;
}
Result<Pairs> pairs_of_two(const ArrayView& keys, const ArrayView& values) {
  Pairs pairs;
  if (keys.dimensions() > 1 || keys.dimensions() != values.dimensions()) {
    return shape_error("wrong number of array subscripts");
  }
  if (keys.size() != values.size()) {
    return shape_error("mismatched array dimensions");
  }
  for (std::size_t i = 0; i < keys.size(); ++i) {
    PANDO_TRY(add_pair(pairs, keys, i, values, i));
  }
  return pairs;
}
template <bool kJsonb>
Result<Bytes> object_of_pairs(const Pairs& pairs) {
  if constexpr (kJsonb) {
    JsonbBuilder builder;
    builder.begin_object();
    for (const auto& [key, value] : pairs) {
      builder.key(key);
      if (value) {
        builder.string(*value);
      } else {
        builder.null();
      }
    }
    builder.end_object();
    return builder.finish();
  } else {
    Bytes out = "{";
    for (const auto& [key, value] : pairs) {
      out += out.size() == 1 ? "" : ", ";
      types::append_json_string(out, key);
      out += " : ";
      if (value) {
        types::append_json_string(out, *value);
      } else {
        out += "null";
      }
    }
    return out += '}';
  }
}
template <bool kJsonb>
Result<Bytes> object_of_array(ByteView array) {
  PANDO_ASSIGN(const Pairs pairs, pairs_of_one(ArrayView(array)));
  return object_of_pairs<kJsonb>(pairs);
}
template <bool kJsonb>
Result<Bytes> object_of_arrays(ByteView keys, ByteView values) {
  PANDO_ASSIGN(const Pairs pairs, pairs_of_two(ArrayView(keys), ArrayView(values)));
  return object_of_pairs<kJsonb>(pairs);
}

// --- aggregates: the text, or the elements, so far ---
struct JsonArrayAggregate {
  using Arguments = std::tuple<std::optional<Value>>;
  Bytes text;
  void add(EvaluationContext& context, const CallTypes& types, const std::optional<Value>& value) {
    const JsonCategory category = json_category(types.arguments[0].oid);
    text += text.empty() ? "[" : ", ";
    if (text.size() > 1 && is_structured(category) && !value->is_null()) {
      text += "\n ";
    }
    append_json(context, types.arguments[0], *value, types.field_names, false, text);
  }
  std::optional<Bytes> result() const { return text.empty() ? std::nullopt : std::optional(text + "]"); }
  std::size_t memory_bytes() const { return text.capacity(); }
};
struct JsonObjectAggregate {
  using Arguments = std::tuple<std::optional<Value>, std::optional<Value>>;
  Bytes text;
  Status add(EvaluationContext& context, const CallTypes& types, const std::optional<Value>& key,
             const std::optional<Value>& value) {
    if (key->is_null()) {
      return {sql_state::kInvalidParameterValue, "field name must not be null"};
    }
    text += text.empty() ? "{ " : ", ";
    PANDO_ASSIGN(const Bytes name, json_key(context, types.arguments[0], *key));
    types::append_json_string(text, name);
    text += " : ";
    append_json(context, types.arguments[1], *value, {}, false, text);
    return {};
  }
  std::optional<Bytes> result() const { return text.empty() ? std::nullopt : std::optional(text + " }"); }
  std::size_t memory_bytes() const { return text.capacity(); }
};
// Each element is packed on its own and copied at the end.
struct JsonbArrayAggregate {
  using Arguments = std::tuple<std::optional<Value>>;
  std::vector<Bytes> elements;
  std::size_t bytes = 0;
  Status add(EvaluationContext& context, const CallTypes& types, const std::optional<Value>& value) {
    JsonbBuilder builder;
    PANDO_TRY(build_jsonb(context, types.arguments[0], *value, types.field_names, builder));
    PANDO_ASSIGN(Bytes packed, builder.finish());
    bytes += sizeof(Bytes) + packed.size();
    elements.push_back(std::move(packed));
    return {};
  }
  void combine(const JsonbArrayAggregate& other) {
    elements.insert(elements.end(), other.elements.begin(), other.elements.end());
    bytes += other.bytes;
  }
  Result<std::optional<Bytes>> result() const {
    if (elements.empty()) {
      return std::optional<Bytes>();
    }
    JsonbBuilder builder;
    builder.begin_array();
    for (const Bytes& element : elements) {
      builder.copy(types::JsonbView(element));
    }
    builder.end_array();
    PANDO_ASSIGN(Bytes array, builder.finish());
    return std::optional(std::move(array));
  }
  std::size_t memory_bytes() const { return bytes; }
};
struct JsonbObjectAggregate {
  using Arguments = std::tuple<std::optional<Value>, std::optional<Value>>;
  std::vector<std::pair<Bytes, Bytes>> members;
  std::size_t bytes = 0;
  Status add(EvaluationContext& context, const CallTypes& types, const std::optional<Value>& key,
             const std::optional<Value>& value) {
    if (key->is_null()) {
      return {sql_state::kInvalidParameterValue, "field name must not be null"};
    }
    PANDO_ASSIGN(Bytes name, json_key(context, types.arguments[0], *key));
    JsonbBuilder builder;
    PANDO_TRY(build_jsonb(context, types.arguments[1], *value, {}, builder));
    PANDO_ASSIGN(Bytes packed, builder.finish());
    bytes += 2 * sizeof(Bytes) + name.size() + packed.size();
    members.emplace_back(std::move(name), std::move(packed));
    return {};
  }
  void combine(const JsonbObjectAggregate& other) {
    members.insert(members.end(), other.members.begin(), other.members.end());
    bytes += other.bytes;
  }
  Result<std::optional<Bytes>> result() const {
    if (members.empty()) {
      return std::optional<Bytes>();
    }
    JsonbBuilder builder;
    builder.begin_object();
    for (const auto& [name, value] : members) {
      builder.key(name);
      builder.copy(types::JsonbView(value));
    }
    builder.end_object();
    PANDO_ASSIGN(Bytes object, builder.finish());
    return std::optional(std::move(object));
  }
  std::size_t memory_bytes() const { return bytes; }
};

}  // namespace

KernelTable json_building_kernels() {
  static constexpr KernelEntry kTable[] = {
      {"to_json", lift<to_json<false>>},
      {"to_jsonb", lift<to_jsonb>},
      {"array_to_json", lift<to_json<false>>},
      {"array_to_json_pretty", lift<to_json_maybe_pretty>},
      {"row_to_json", lift<to_json<false>>},
      {"row_to_json_pretty", lift<to_json_maybe_pretty>},
      {"json_build_array", build<BuildArray, false>},
      {"json_build_array_noargs", build<BuildArray, false>},
      {"json_build_object", build<BuildObject, false>},
      {"json_build_object_noargs", build<BuildObject, false>},
      {"jsonb_build_array", build<BuildArray, true>},
      {"jsonb_build_array_noargs", build<BuildArray, true>},
      {"jsonb_build_object", build<BuildObject, true>},
      {"jsonb_build_object_noargs", build<BuildObject, true>},
      {"json_object", lift<object_of_array<false>>},
      {"json_object_two_arg", lift<object_of_arrays<false>>},
      {"jsonb_object", lift<object_of_array<true>>},
      {"jsonb_object_two_arg", lift<object_of_arrays<true>>},
      {"json_agg(anyelement)", aggregate_of<JsonArrayAggregate>()},
      {"json_object_agg(any,any)", aggregate_of<JsonObjectAggregate>()},
      {"jsonb_agg(anyelement)", aggregate_of<JsonbArrayAggregate>()},
      {"jsonb_object_agg(any,any)", aggregate_of<JsonbObjectAggregate>()},
  };
  return kTable;
}

}  // namespace pando::sql
