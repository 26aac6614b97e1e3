#include "sql/function/json_value.h"

#include <algorithm>
#include <cmath>

#include "sql/function/text_form.h"
#include "types/array.h"
#include "types/datetime.h"
#include "types/json.h"
#include "types/numeric.h"
#include "types/record.h"

namespace pando::sql {
namespace {

using types::JsonKind;
using types::Value;
namespace oid = types::oid;

// Dates and times in ISO 8601, whatever DateStyle says.
Bytes iso_text(EvaluationContext& context, types::Oid type, const Value& value) {
  types::Settings settings = context.settings;
  settings.date_style = types::DateStyle::kIso;
  Bytes out;
  if (type == oid::kDate) {
    types::print_date(value.as<int32_t>(), settings, out);
    return out;
  }
  const int64_t instant = value.as<int64_t>();
  int64_t local = instant;
  int32_t offset = 0;
  if (type == oid::kTimestamptz && types::is_finite_timestamp(instant)) {
    int64_t seconds = instant / types::kMicrosPerSecond;
    seconds -= static_cast<int64_t>(instant % types::kMicrosPerSecond < 0);
    offset = settings.time_zone->offset_at(seconds + types::kUnixToPostgresSeconds).seconds_east;
    local = instant + int64_t{offset} * types::kMicrosPerSecond;
  }
  types::print_timestamp(local, settings, out);
  if (!types::is_finite_timestamp(instant)) {
    return out;
  }
  const std::size_t gap = out.find(' ');
  out[gap] = 'T';
  if (type == oid::kTimestamptz) {
    Bytes zone;
    types::print_zone_offset(offset, true, zone);
    // Before " BC", if that is there.
    out.insert(std::min(out.find(' '), out.size()), zone);
  }
  return out;
}

// JSON has no NaN and no infinities: those become strings.
bool is_json_number(ByteView text) {
  const std::size_t digit = text.starts_with('-') ? 1 : 0;
  return digit < text.size() && text[digit] >= '0' && text[digit] <= '9';
}

void append_line(bool pretty, Bytes& out) { out += pretty ? ",\n " : ","; }

void append_array(EvaluationContext& context, const types::ArrayView& array, bool pretty, Bytes& out) {
  std::size_t next = 0;
  const auto level = [&](auto&& self, int dimension) -> void {
    out += '[';
    for (int32_t i = 0; i < array.dimension(dimension).length; ++i) {
      if (i > 0) {
        append_line(pretty && dimension == 0, out);
      }
      if (dimension + 1 < array.dimensions()) {
        self(self, dimension + 1);
      } else if (array.is_null(next)) {
        out += "null";
        ++next;
      } else {
        append_json(context, {array.element_type()}, array.get(next), {}, false, out);
        ++next;
      }
    }
    out += ']';
  };
  if (array.dimensions() == 0) {
    out += "[]";
  } else {
    level(level, 0);
  }
}

// A composite type knows the names of its fields; those of another record are in sight or with it.
std::string field_name(const EvaluationContext& context, types::Type type, std::span<const std::string> names,
                       const types::RecordField& field, std::size_t i) {
  const types::UserTypes* known = context.settings.user_types.get();
  const types::CompositeType* composite = known == nullptr ? nullptr : known->find_composite(type.oid);
  if (composite != nullptr && i < composite->attributes.size()) {
    return composite->attributes[i].name;
  }
  if (i < names.size()) {
    return names[i];
  }
  return field.name.empty() ? fmt::format("f{}", i + 1) : field.name;
}

void append_record(EvaluationContext& context, types::Type type, ByteView packed, std::span<const std::string> names,
                   bool pretty, Bytes& out) {
  std::vector<types::RecordField> fields;
  types::unpack_record(packed, fields);
  out += '{';
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (i > 0) {
      append_line(pretty, out);
    }
    types::append_json_string(out, field_name(context, type, names, fields[i], i));
    out += ':';
    if (fields[i].value.is_null()) {
      out += "null";
    } else {
      append_json(context, fields[i].type, fields[i].value, {}, false, out);
    }
  }
  out += '}';
}

// Feeds JSON text into a jsonb under construction.
class JsonbEvents final : public types::JsonEvents {
 public:
  explicit JsonbEvents(types::JsonbBuilder& builder) : builder_(builder) {}
  Status begin_object() override { return builder_.begin_object(), Status(); }
  Status end_object() override { return builder_.end_object(), Status(); }
  Status begin_array() override { return builder_.begin_array(), Status(); }
  Status end_array() override { return builder_.end_array(), Status(); }
  Status key(ByteView name) override { return builder_.key(name), Status(); }
  Status scalar(JsonKind kind, ByteView text) override {
    if (kind == JsonKind::kString) {
      builder_.string(text);
    } else if (kind == JsonKind::kNumber) {
      PANDO_ASSIGN(const Bytes number, types::numeric::parse(text));
      builder_.number(number);
    } else if (kind == JsonKind::kNull) {
      builder_.null();
    } else {
      builder_.boolean(kind == JsonKind::kTrue);
    }
    return {};
  }

 private:
  types::JsonbBuilder& builder_;
};

Status build_array(EvaluationContext& context, const types::ArrayView& array, types::JsonbBuilder& builder) {
  std::size_t next = 0;
  const auto level = [&](auto&& self, int dimension) -> Status {
    builder.begin_array();
    for (int32_t i = 0; i < array.dimension(dimension).length; ++i) {
      if (dimension + 1 < array.dimensions()) {
        PANDO_TRY(self(self, dimension + 1));
      } else {
        const std::size_t at = next++;
        PANDO_TRY(build_jsonb(context, {array.element_type()}, array.get(at), {}, builder));
      }
    }
    builder.end_array();
    return {};
  };
  if (array.dimensions() == 0) {
    builder.begin_array();
    builder.end_array();
    return {};
  }
  return level(level, 0);
}

}  // namespace

JsonCategory json_category(types::Oid type) {
  switch (type) {
    case oid::kBool:
      return JsonCategory::kBool;
    case oid::kInt2:
    case oid::kInt4:
    case oid::kInt8:
    case oid::kFloat4:
    case oid::kFloat8:
    case oid::kNumeric:
      return JsonCategory::kNumber;
    case oid::kDate:
    case oid::kTimestamp:
    case oid::kTimestamptz:
      return JsonCategory::kDate;
    case oid::kJson:
      return JsonCategory::kJson;
    case oid::kJsonb:
      return JsonCategory::kJsonb;
    case oid::kRecordArray:
    case oid::kAnyArray:
      return JsonCategory::kArray;
    default:
      return types::is_record(type)  ? JsonCategory::kRecord
             : types::is_array(type) ? JsonCategory::kArray
                                     : JsonCategory::kOther;
  }
}

void append_json(EvaluationContext& context, types::Type type, const Value& value,
                 std::span<const std::string> field_names, bool pretty, Bytes& out) {
  if (value.is_null()) {
    out += "null";
    return;
  }
  const JsonCategory category = json_category(type.oid);
  switch (category) {
    case JsonCategory::kBool:
      out += value.as<bool>() ? "true" : "false";
      return;
    case JsonCategory::kDate:
      types::append_json_string(out, iso_text(context, type.oid, value));
      return;
    case JsonCategory::kJson:
      out += value.bytes();
      return;
    case JsonCategory::kJsonb:
      types::print_jsonb(types::JsonbView(value.bytes()), out);
      return;
    case JsonCategory::kArray:
      append_array(context, types::ArrayView(value.bytes()), pretty, out);
      return;
    case JsonCategory::kRecord:
      append_record(context, type, value.bytes(), field_names, pretty, out);
      return;
    case JsonCategory::kNumber:
    case JsonCategory::kOther:
      break;
  }
  Bytes text;
  print_value(context, type, value, text);
  if (category == JsonCategory::kNumber && is_json_number(text)) {
    out += text;
  } else {
    types::append_json_string(out, text);
  }
}

Status build_jsonb(EvaluationContext& context, types::Type type, const Value& value,
                   std::span<const std::string> field_names, types::JsonbBuilder& builder) {
  if (value.is_null()) {
    builder.null();
    return {};
  }
  const JsonCategory category = json_category(type.oid);
  switch (category) {
    case JsonCategory::kBool:
      builder.boolean(value.as<bool>());
      return {};
    case JsonCategory::kDate:
      builder.string(iso_text(context, type.oid, value));
      return {};
    case JsonCategory::kJson: {
      JsonbEvents events(builder);
      return types::parse_json(value.bytes(), events);
    }
    case JsonCategory::kJsonb:
      builder.copy(types::JsonbView(value.bytes()));
      return {};
    case JsonCategory::kArray:
      return build_array(context, types::ArrayView(value.bytes()), builder);
    case JsonCategory::kRecord: {
      std::vector<types::RecordField> fields;
      types::unpack_record(value.bytes(), fields);
      builder.begin_object();
      for (std::size_t i = 0; i < fields.size(); ++i) {
        builder.key(field_name(context, type, field_names, fields[i], i));
        PANDO_TRY(build_jsonb(context, fields[i].type, fields[i].value, {}, builder));
      }
      builder.end_object();
      return {};
    }
    case JsonCategory::kNumber:
    case JsonCategory::kOther:
      break;
  }
  Bytes text;
  print_value(context, type, value, text);
  if (category == JsonCategory::kNumber && is_json_number(text)) {
    PANDO_ASSIGN(const Bytes number, types::numeric::parse(text));
    builder.number(number);
  } else {
    builder.string(text);
  }
  return {};
}

Result<Bytes> json_key(EvaluationContext& context, types::Type type, const Value& value) {
  const JsonCategory category = json_category(type.oid);
  if (is_structured(category) || category == JsonCategory::kJson || category == JsonCategory::kJsonb) {
    return Status(sql_state::kInvalidParameterValue, "key value must be scalar, not array, composite, or json");
  }
  if (category == JsonCategory::kBool) {
    return Bytes(value.as<bool>() ? "true" : "false");
  }
  if (category == JsonCategory::kDate) {
    return iso_text(context, type.oid, value);
  }
  Bytes text;
  print_value(context, type, value, text);
  return text;
}

}  // namespace pando::sql
