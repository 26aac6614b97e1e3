#include "sql/function/json_record.h"

#include <vector>

#include "sql/function/evaluation_context.h"
#include "types/array.h"
#include "types/jsonb.h"
#include "types/record.h"
#include "types/text_io.h"

namespace pando::sql {
namespace {

using types::ArrayView;
using types::JsonbView;
using types::JsonKind;
using types::Value;
using Arguments = std::span<const types::Vector* const>;

// Reads members of JSON texts as SQL values, as json_populate_record() does.
class FieldReader {
 public:
  FieldReader(types::Type type, ByteView key, const types::Settings& settings)
      : type_(type), key_(key), settings_(settings) {}

  Result<Value> read(ByteView json) const {
    const JsonKind kind = types::json_kind(json);
    if (kind == JsonKind::kNull) {
      return Value::null();
    }
    if (type_.oid == types::oid::kJson) {
      return Value::of_bytes(Bytes(json));
    }
    if (type_.oid == types::oid::kJsonb) {
      PANDO_ASSIGN(Bytes packed, types::parse_jsonb(json));
      return Value::of_bytes(std::move(packed));
    }
    if (kind == JsonKind::kObject && types::is_composite(type_.oid)) {
      return composite(json);
    }
    if (!types::is_array(type_.oid) || kind == JsonKind::kString) {
      return scalar(json, type_);
    }
    if (kind != JsonKind::kArray) {
      return Status(sql_state::kInvalidTextRepresentation, "expected JSON array")
          .with_hint(fmt::format("See the value of key \"{}\".", key_));
    }
    types::ArrayBuilder elements(types::element_of(type_.oid));
    std::vector<types::ArrayDimension> dimensions;
    PANDO_TRY(add_elements(json, 0, elements, dimensions));
    PANDO_ASSIGN(Bytes array, dimensions.empty() ? elements.finish() : elements.finish(dimensions));
    return Value::of_bytes(std::move(array));
  }

 private:
  Result<Value> composite(ByteView json) const {
    const types::UserTypes* known = settings_.user_types.get();
    const types::CompositeType* type = known == nullptr ? nullptr : known->find_composite(type_.oid);
    if (type == nullptr) {
      return Status(sql_state::kUndefinedObject, "type with OID {} does not exist", type_.oid);
    }
    std::vector<types::RecordField> fields;
    for (const types::CompositeType::Attribute& attribute : type->attributes) {
      const std::optional<ByteView> member = types::json_member(json, attribute.name);
      fields.push_back({attribute.type, Value::null()});
      if (member) {
        PANDO_ASSIGN(fields.back().value, FieldReader(attribute.type, attribute.name, settings_).read(*member));
      }
    }
    return Value::of_bytes(types::pack_record(fields));
  }

  Result<Value> scalar(ByteView json, types::Type type) const {
    const std::optional<Bytes> text = types::json_as_text(json);
    return text ? types::parse_text(type, *text, settings_) : Result<Value>(Value::null());
  }

  // Arrays in arrays are further dimensions: all at one level are equally long.
  Status add_elements(ByteView json, std::size_t level, types::ArrayBuilder& elements,
                      std::vector<types::ArrayDimension>& dimensions) const {
    const std::size_t length = types::json_array_length(json);
    if (dimensions.size() <= level) {
      if (length == 0) {
        return {};
      }
      types::ArrayDimension& dimension = dimensions.emplace_back();
      dimension.length = static_cast<int32_t>(length);
      dimension.lower = 1;
    } else if (static_cast<std::size_t>(dimensions[level].length) != length) {
      return Status(sql_state::kInvalidTextRepresentation, "malformed JSON array")
          .with_detail("Multidimensional arrays must have sub-arrays with matching dimensions.");
    }
    for (std::size_t i = 0; i < length; ++i) {
      const ByteView element = *types::json_element(json, static_cast<int32_t>(i));
      const JsonKind kind = types::json_kind(element);
      if (kind == JsonKind::kArray) {
        PANDO_TRY(add_elements(element, level + 1, elements, dimensions));
        continue;
      }
      if (dimensions.size() > level + 1) {
        return Status(sql_state::kInvalidTextRepresentation, "expected JSON array")
            .with_hint(fmt::format("See the array element [{}] of key \"{}\".", i, key_));
      }
      if (kind == JsonKind::kNull) {
        elements.add_null();
        continue;
      }
      const FieldReader reader({types::element_of(type_.oid), type_.modifier}, key_, settings_);
      PANDO_ASSIGN(const Value value, reader.read(element));
      elements.add(value);
    }
    return {};
  }

  types::Type type_;
  ByteView key_;
  const types::Settings& settings_;
};

Status not_an_object(JsonKind kind, ByteView caller) {
  if (caller.ends_with("recordset")) {
    return {sql_state::kInvalidParameterValue, "argument of {} must be an array of objects", caller};
  }
  return {sql_state::kInvalidParameterValue, "cannot call {} on {}", caller,
          kind == JsonKind::kArray ? "an array" : "a scalar"};
}

Status read_field(EvaluationContext& context, const CallTypes& types, Arguments arguments, std::size_t rows,
                  types::Vector& out) {
  Bytes printed;
  for (std::size_t row = 0; row < rows; ++row) {
    if (arguments[0]->is_null(row)) {
      out.set(row, Value::null());
      continue;
    }
    ByteView json = arguments[0]->bytes_at(row);
    if (types.arguments[0].oid == types::oid::kJsonb) {
      printed.clear();
      types::print_jsonb(JsonbView(json), printed);
      json = printed;
    }
    if (types::json_kind(json) != JsonKind::kObject) {
      return not_an_object(types::json_kind(json), arguments[2]->bytes_at(row));
    }
    const ByteView key = arguments[1]->bytes_at(row);
    const std::optional<ByteView> member = types::json_member(json, key);
    if (!member) {
      out.set(row, Value::null());
      continue;
    }
    PANDO_ASSIGN(const Value value, FieldReader(types.result, key, context.settings).read(*member));
    out.set(row, value);
  }
  return {};
}

Status assign(EvaluationContext&, const CallTypes&, Arguments arguments, std::size_t rows, types::Vector& out) {
  types::JsonbBuilder null_builder;
  null_builder.null();
  PANDO_ASSIGN(const Bytes null, null_builder.finish());
  for (std::size_t row = 0; row < rows; ++row) {
    const ArrayView steps(arguments[2]->bytes_at(row));
    std::vector<ByteView> path;
    for (std::size_t i = 0; i < steps.size(); ++i) {
      if (steps.is_null(i)) {
        return {sql_state::kNullValueNotAllowed, "jsonb subscript in assignment must not be null"};
      }
      path.push_back(steps.bytes_at(i));
    }
    const std::optional<JsonbView> container =
        arguments[0]->is_null(row) ? std::nullopt : std::optional(JsonbView(arguments[0]->bytes_at(row)));
    const JsonbView value(arguments[1]->is_null(row) ? ByteView(null) : arguments[1]->bytes_at(row));
    PANDO_ASSIGN(const Bytes assigned, types::jsonb_assign(container, path, value));
    out.set_bytes(row, assigned);
  }
  return {};
}

}  // namespace

const Function& json_field() {
  static const Function function{.name = "json_field", .strict = false, .scalar = read_field};
  return function;
}

const Function& jsonb_assignment() {
  static const Function function{.name = "jsonb_assignment", .strict = false, .scalar = assign};
  return function;
}

}  // namespace pando::sql
