#include "types/record.h"

#include <algorithm>
#include <optional>

#include "base/codec.h"
#include "types/compare.h"
#include "types/text_io.h"

namespace pando::types {
namespace {

constexpr uint32_t kNullSize = UINT32_MAX;
constexpr uint16_t kHasNames = 0x8000;

template <typename T>
Value fixed(ByteView bytes, Value (*make)(T)) {
  T value;
  std::memcpy(&value, bytes.data(), sizeof(T));
  return make(value);
}

template <typename T>
void append_fixed(T value, Bytes& out) {
  out.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

bool needs_quotes(ByteView text) {
  return text.empty() || std::ranges::any_of(text, [](char c) {
           return c == '"' || c == '\\' || c == '(' || c == ')' || c == ',' || c == ' ' || (c >= '\t' && c <= '\r');
         });
}

}  // namespace

void append_raw(const Value& value, Bytes& out) {
  if (value.holds<Bytes>()) {
    out.append(value.bytes());
  } else if (value.holds<bool>()) {
    out.push_back(value.as<bool>() ? 1 : 0);
  } else if (value.holds<int16_t>()) {
    append_fixed(value.as<int16_t>(), out);
  } else if (value.holds<int32_t>()) {
    append_fixed(value.as<int32_t>(), out);
  } else if (value.holds<uint32_t>()) {
    append_fixed(value.as<uint32_t>(), out);
  } else if (value.holds<int64_t>()) {
    append_fixed(value.as<int64_t>(), out);
  } else if (value.holds<float>()) {
    append_fixed(value.as<float>(), out);
  } else if (value.holds<double>()) {
    append_fixed(value.as<double>(), out);
  } else if (value.holds<Interval>()) {
    append_fixed(value.as<Interval>(), out);
  } else if (value.holds<Uuid>()) {
    append_fixed(value.as<Uuid>(), out);
  }
}

Value value_of_raw(Physical physical, ByteView bytes) {
  if (physical == Physical::kBytes) {
    return Value::of_bytes(Bytes(bytes));
  }
  PANDO_ASSERT(bytes.size() == physical_size(physical), "raw bytes of another width");
  switch (physical) {
    case Physical::kBool:
      return Value::of_bool(bytes[0] != 0);
    case Physical::kInt16:
      return fixed<int16_t>(bytes, Value::of_int16);
    case Physical::kInt32:
      return fixed<int32_t>(bytes, Value::of_int32);
    case Physical::kUint32:
      return fixed<uint32_t>(bytes, Value::of_uint32);
    case Physical::kInt64:
      return fixed<int64_t>(bytes, Value::of_int64);
    case Physical::kFloat32:
      return fixed<float>(bytes, Value::of_float32);
    case Physical::kFloat64:
      return fixed<double>(bytes, Value::of_float64);
    case Physical::kInterval:
      return fixed<Interval>(bytes, Value::of_interval);
    case Physical::kUuid:
      return fixed<Uuid>(bytes, Value::of_uuid);
    case Physical::kBytes:
      break;
  }
  PANDO_UNREACHABLE("a physical form out of range");
}

Bytes pack_record(std::span<const RecordField> fields) {
  Bytes out;
  const bool named = !fields.empty() && !fields.front().name.empty();
  put_fixed16(out, static_cast<uint16_t>(fields.size() | (named ? kHasNames : 0)));
  for (const RecordField& field : fields) {
    put_fixed32(out, field.type.oid);
    put_fixed32(out, static_cast<uint32_t>(field.type.modifier));
    if (field.value.is_null()) {
      put_fixed32(out, kNullSize);
      continue;
    }
    Bytes raw;
    append_raw(field.value, raw);
    put_fixed32(out, static_cast<uint32_t>(raw.size()));
    out.append(raw);
  }
  for (std::size_t i = 0; named && i < fields.size(); ++i) {
    put_fixed16(out, static_cast<uint16_t>(fields[i].name.size()));
    out.append(fields[i].name);
  }
  return out;
}

bool unpack_record(ByteView packed, std::vector<RecordField>& fields) {
  ByteReader reader(packed);
  uint16_t header = 0;
  if (!reader.fixed16(header)) {
    return false;
  }
  fields.clear();
  const auto count = static_cast<uint16_t>(header & ~kHasNames);
  for (uint16_t i = 0; i < count; ++i) {
    uint32_t oid = 0;
    uint32_t modifier = 0;
    uint32_t size = 0;
    if (!reader.fixed32(oid) || !reader.fixed32(modifier) || !reader.fixed32(size)) {
      return false;
    }
    RecordField field{{oid, static_cast<int32_t>(modifier)}, Value::null()};
    if (size != kNullSize) {
      ByteView raw;
      const Physical physical = physical_of(oid);
      if (!reader.raw(size, raw) || (physical != Physical::kBytes && size != physical_size(physical))) {
        return false;
      }
      field.value = value_of_raw(physical, raw);
    }
    fields.push_back(std::move(field));
  }
  for (uint16_t i = 0; (header & kHasNames) != 0 && i < count; ++i) {
    uint16_t size = 0;
    ByteView name;
    if (!reader.fixed16(size) || !reader.raw(size, name)) {
      return false;
    }
    fields[i].name = name;
  }
  return reader.empty();
}

void print_record(ByteView packed, const Settings& settings, Bytes& out) {
  std::vector<RecordField> fields;
  const bool valid = unpack_record(packed, fields);
  PANDO_ASSERT(valid, "a malformed packed record");
  out.push_back('(');
  Bytes text;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (i > 0) {
      out.push_back(',');
    }
    if (fields[i].value.is_null()) {
      continue;
    }
    text.clear();
    print_text(fields[i].type, fields[i].value, settings, text);
    if (!needs_quotes(text)) {
      out.append(text);
      continue;
    }
    out.push_back('"');
    for (const char c : text) {
      if (c == '"' || c == '\\') {
        out.push_back(c);
      }
      out.push_back(c);
    }
    out.push_back('"');
  }
  out.push_back(')');
}

namespace {

// Takes apart the text form of a record.
class RecordText {
 public:
  explicit RecordText(ByteView text) : text_(text), rest_(text) {}

  Status open() {
    skip_spaces();
    return take('(') ? Status() : malformed("Missing left parenthesis.");
  }
  // The next field; nullopt for NULL, which is nothing at all.
  Result<std::optional<Bytes>> field(bool first) {
    if (!first && !take(',')) {
      return malformed("Too few columns.");
    }
    if (rest_.starts_with(',') || rest_.starts_with(')')) {
      return std::optional<Bytes>();
    }
    Bytes value;
    bool quoted = false;
    while (quoted || !(rest_.starts_with(',') || rest_.starts_with(')'))) {
      if (rest_.empty()) {
        return malformed("Unexpected end of input.");
      }
      const char c = next();
      if (c == '\\') {
        if (rest_.empty()) {
          return malformed("Unexpected end of input.");
        }
        value.push_back(next());
      } else if (c != '"') {
        value.push_back(c);
      } else if (quoted && take('"')) {
        value.push_back('"');
      } else {
        quoted = !quoted;
      }
    }
    return std::optional(std::move(value));
  }
  Status close() {
    if (!take(')')) {
      return malformed("Too many columns.");
    }
    skip_spaces();
    return rest_.empty() ? Status() : malformed("Junk after right parenthesis.");
  }

 private:
  Status malformed(const char* detail) const {
    return Status(sql_state::kInvalidTextRepresentation, "malformed record literal: \"{}\"", text_).with_detail(detail);
  }
  char next() {
    const char c = rest_[0];
    rest_.remove_prefix(1);
    return c;
  }
  bool take(char c) {
    const bool is_next = rest_.starts_with(c);
    rest_.remove_prefix(is_next ? 1 : 0);
    return is_next;
  }
  void skip_spaces() {
    while (!rest_.empty() && (rest_[0] == ' ' || (rest_[0] >= '\t' && rest_[0] <= '\r'))) {
      rest_.remove_prefix(1);
    }
  }

  const ByteView text_;
  ByteView rest_;
};

}  // namespace

Result<Bytes> parse_record(const CompositeType& type, ByteView text, const Settings& settings) {
  RecordText reader(text);
  PANDO_TRY(reader.open());
  std::vector<RecordField> fields;
  for (const CompositeType::Attribute& attribute : type.attributes) {
    PANDO_ASSIGN(const std::optional<Bytes> field, reader.field(fields.empty()));
    fields.push_back({attribute.type, Value::null()});
    if (field.has_value()) {
      PANDO_ASSIGN(fields.back().value, parse_text(attribute.type, *field, settings));
    }
  }
  PANDO_TRY(reader.close());
  return pack_record(fields);
}

Result<std::strong_ordering> compare_records(ByteView a, ByteView b) {
  std::vector<RecordField> left;
  std::vector<RecordField> right;
  if (!unpack_record(a, left) || !unpack_record(b, right)) {
    return Status(sql_state::kDataCorrupted, "a malformed record");
  }
  for (std::size_t i = 0; i < std::min(left.size(), right.size()); ++i) {
    const RecordField& x = left[i];
    const RecordField& y = right[i];
    if (x.type.oid != y.type.oid) {
      return Status(sql_state::kDatatypeMismatch,
                    "cannot compare dissimilar column types {} and {} at record column {}", format_type({x.type.oid}),
                    format_type({y.type.oid}), i + 1);
    }
    if (x.value.is_null() || y.value.is_null()) {
      if (x.value.is_null() != y.value.is_null()) {
        return x.value.is_null() ? std::strong_ordering::greater : std::strong_ordering::less;
      }
      continue;
    }
    if (!is_orderable(x.type.oid)) {
      return Status(sql_state::kUndefinedFunction, "could not identify a comparison function for type {}",
                    format_type({x.type.oid}));
    }
    if (const auto order = compare_values(x.type.oid, x.value, y.value); order != 0) {
      return order;
    }
  }
  if (left.size() != right.size()) {
    return Status(sql_state::kDatatypeMismatch, "cannot compare record types with different numbers of columns");
  }
  return std::strong_ordering::equal;
}

uint64_t hash_record(ByteView packed) {
  std::vector<RecordField> fields;
  uint64_t hash = 0;
  if (!unpack_record(packed, fields)) {
    return hash_of_bytes(packed);
  }
  for (const RecordField& field : fields) {
    hash = hash * 31 + (field.value.is_null() ? 0 : hash_value(field.type.oid, field.value));
  }
  return mix_hash(hash);
}

}  // namespace pando::types
