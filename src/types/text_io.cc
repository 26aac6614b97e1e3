#include "types/text_io.h"

#include <algorithm>
#include <charconv>

#include "types/array_text.h"
#include "types/compare.h"
#include "types/datetime.h"
#include "types/interval.h"
#include "types/json.h"
#include "types/jsonb.h"
#include "types/jsonpath.h"
#include "types/numeric.h"
#include "types/record.h"
#include "types/utf8.h"

namespace pando::types {
namespace {

constexpr int kTidBlockShift = 16;

// A Result<T> turned into a Result<Value>.
template <typename T, typename Make>
Result<Value> wrap(Result<T> result, Make make) {
  if (!result.ok()) {
    return std::move(result).status();
  }
  return make(*std::move(result));
}

Result<Value> parse_tid(ByteView text) {
  const Status invalid(sql_state::kInvalidTextRepresentation, "invalid input syntax for type {}: \"{}\"", "tid", text);
  const auto comma = text.find(',');
  if (text.size() < 5 || text.front() != '(' || text.back() != ')' || comma == ByteView::npos) {
    return invalid;
  }
  uint32_t block = 0;
  uint16_t offset = 0;
  const char* const comma_place = text.data() + comma;
  const char* const end = text.data() + text.size() - 1;
  const auto block_end = std::from_chars(text.data() + 1, comma_place, block);
  const auto offset_end = std::from_chars(comma_place + 1, end, offset);
  if (block_end.ec != std::errc() || block_end.ptr != comma_place || offset_end.ec != std::errc() ||
      offset_end.ptr != end) {
    return invalid;
  }
  return Value::of_int64((int64_t{block} << kTidBlockShift) | offset);
}

// Names are the catalog's: here only numbers, and "-" for none.
Result<Value> parse_reg(const TypeInfo& info, ByteView text) {
  if (text == "-") {
    return Value::of_uint32(0);
  }
  if (text.empty() || text[0] < '0' || text[0] > '9') {
    return Status(sql_state::kFeatureNotSupported, "the name \"{}\" of type {} needs the catalog", text, info.sql_name);
  }
  return wrap(parse_oid(text), Value::of_uint32);
}

Status too_long(Type type) {
  return {sql_state::kStringDataRightTruncation, "value too long for type {}", format_type(type)};
}

// varchar(n) and char(n): cuts spaces, refuses to cut more unless asked to, pads char(n).
Result<Bytes> fit_text(Type type, Bytes text, bool is_explicit) {
  if (type.modifier < kModifierHeader) {
    return text;
  }
  const auto length_max = static_cast<std::size_t>(type.modifier - kModifierHeader);
  if (text.size() <= length_max && type.oid == oid::kVarchar) {
    return text;
  }
  const std::size_t length = utf8_length(text);
  if (length > length_max) {
    const std::size_t end = utf8_offset(text, length_max);
    if (!is_explicit && text.find_first_not_of(' ', end) != Bytes::npos) {
      return too_long(type);
    }
    text.resize(end);
  } else if (type.oid == oid::kBpchar) {
    text.append(length_max - length, ' ');
  }
  return text;
}

Result<Value> parse_jsonpath(ByteView text) {
  PANDO_ASSIGN(const JsonPath path, JsonPath::parse(text));
  Bytes canonical;
  path.print(canonical);
  return Value::of_bytes(std::move(canonical));
}

Result<Value> parse_pseudo(const TypeInfo& info, ByteView text) {
  switch (info.oid) {
    case oid::kUnknown:
    case oid::kCstring:
      return Value::of_bytes(Bytes(text));
    case oid::kVoid:
      return Value::of_int32(0);
    case oid::kRecord:
      return Status(sql_state::kFeatureNotSupported, "input of anonymous composite types is not implemented");
    default:
      return Status(sql_state::kFeatureNotSupported, "cannot accept a value of type {}", info.name);
  }
}

Result<Value> parse_time_kind(Type type, ByteView text, const Settings& settings) {
  switch (type.oid) {
    case oid::kDate:
      return wrap(parse_date(text, settings), Value::of_int32);
    case oid::kTime: {
      PANDO_ASSIGN(const int64_t time, parse_time(text, settings));
      return Value::of_int64(round_time(time, type.modifier));
    }
    case oid::kTimetz: {
      PANDO_ASSIGN(TimeTz time, parse_timetz(text, settings));
      time.microseconds = round_time(time.microseconds, type.modifier);
      return Value::of_bytes(pack_timetz(time));
    }
    case oid::kTimestamp: {
      PANDO_ASSIGN(const int64_t timestamp, parse_timestamp(text, settings));
      return wrap(round_timestamp(timestamp, type.modifier), Value::of_int64);
    }
    case oid::kTimestamptz: {
      PANDO_ASSIGN(const int64_t timestamp, parse_timestamptz(text, settings));
      return wrap(round_timestamp(timestamp, type.modifier), Value::of_int64);
    }
    default:
      return wrap(parse_interval(text, type.modifier, settings), Value::of_interval);
  }
}

Result<Value> parse_numeric(Type type, ByteView text) {
  PANDO_ASSIGN(Bytes value, numeric::parse(text));
  if (type.modifier >= kModifierHeader) {
    PANDO_TRY(numeric::apply_modifier(value, type.modifier, value));
  }
  return Value::of_bytes(std::move(value));
}

Result<Value> parse_xid8(ByteView text) {
  const auto parsed = parse_int64(text);
  if (!parsed.ok()) {
    return Status(sql_state::kInvalidTextRepresentation, "invalid input syntax for type {}: \"{}\"", "xid8", text);
  }
  return Value::of_int64(*parsed);
}

Result<Value> parse_by_name(const TypeInfo& info, Type type, ByteView text, const Settings& settings) {
  if (info.kind == 'p' && info.element == oid::kInvalid) {
    return parse_pseudo(info, text);
  }
  if (!info.supported) {
    return Status(sql_state::kFeatureNotSupported, "type {} is not supported", info.sql_name);
  }
  if (type.oid == oid::kInt2Vector || type.oid == oid::kOidVector) {
    return wrap(parse_vector_type(info.element, text), Value::of_bytes);
  }
  if (info.element != oid::kInvalid) {
    return wrap(parse_array(type, text, settings), Value::of_bytes);
  }
  if (info.physical == Physical::kUint32) {
    return parse_reg(info, text);
  }
  return Value::of_bytes(Bytes(text));
}

const EnumType* find_enum(Oid type, const Settings& settings) {
  return settings.user_types == nullptr ? nullptr : settings.user_types->find_enum(type);
}

Result<Value> parse_enum(Oid type, ByteView text, const Settings& settings) {
  const EnumType* found = find_enum(type, settings);
  if (found == nullptr) {
    return Status(sql_state::kUndefinedObject, "type with OID {} does not exist", type);
  }
  return wrap(found->parse(text), Value::of_int64);
}

Result<Value> parse_composite(Oid type, ByteView text, const Settings& settings) {
  const CompositeType* found = settings.user_types == nullptr ? nullptr : settings.user_types->find_composite(type);
  if (found == nullptr) {
    return Status(sql_state::kUndefinedObject, "type with OID {} does not exist", type);
  }
  return wrap(parse_record(*found, text, settings), Value::of_bytes);
}

void print_enum(Oid type, int64_t place, const Settings& settings, Bytes& out) {
  if (const EnumType* found = find_enum(type, settings)) {
    out.append(found->label_at(place));
  }
}

void print_reg(uint32_t value, Oid type, Bytes& out) {
  if (value == 0 && type != oid::kOid && type != oid::kXid && type != oid::kCid) {
    out.push_back('-');
    return;
  }
  print_int64(value, out);
}

void print_int64_kind(Oid type, int64_t value, const Settings& settings, Bytes& out) {
  switch (type) {
    case oid::kTimestamp:
      return print_timestamp(value, settings, out);
    case oid::kTimestamptz:
      return print_timestamptz(value, settings, out);
    case oid::kTime:
      return print_time(value, out);
    case oid::kTid:
      out.append(fmt::format("({},{})", value >> kTidBlockShift, value & 0xffff));
      return;
    case oid::kXid8:
      out.append(fmt::format("{}", static_cast<uint64_t>(value)));
      return;
    default:
      return is_enum(type) ? print_enum(type, value, settings, out) : print_int64(value, out);
  }
}

// A value of "char", a byte: those that are no ASCII are written \ooo, and 0 as nothing.
Bytes parse_char(ByteView text) {
  const auto is_octal = [](char c) { return c >= '0' && c <= '7'; };
  if (text.size() == 4 && text[0] == '\\' && std::ranges::all_of(text.substr(1), is_octal)) {
    const int code = (text[1] - '0') * 64 + (text[2] - '0') * 8 + (text[3] - '0');
    return code == 0 ? Bytes() : Bytes(1, static_cast<char>(code));
  }
  return Bytes(text.substr(0, 1));
}
void print_char(ByteView value, Bytes& out) {
  if (!value.empty() && (value[0] & 0x80) != 0) {
    out += fmt::format("\\{:03o}", static_cast<uint8_t>(value[0]));
  } else {
    out += value;
  }
}

void print_bytes(Type type, ByteView value, const Settings& settings, Bytes& out) {
  switch (type.oid) {
    case oid::kText:
    case oid::kVarchar:
    case oid::kBpchar:
    case oid::kName:
    case oid::kJson:
      out.append(value);
      return;
    case oid::kNumeric:
      return numeric::print(value, out);
    case oid::kChar:
      print_char(value, out);
      return;
    case oid::kBytea:
      return print_bytea(value, settings.bytea_output, out);
    case oid::kJsonb:
      return print_jsonb(JsonbView(value), out);
    case oid::kTimetz:
      return print_timetz(unpack_timetz(value), out);
    case oid::kInt2Vector:
    case oid::kOidVector:
      return print_vector_type(value, out);
    default:
      break;
  }
  if (is_record(type.oid)) {
    return print_record(value, settings, out);
  }
  if (is_array(type.oid) || type.oid == oid::kRecordArray) {
    return print_array(type, value, settings, out);
  }
  out.append(value);
}

// `Source` gives the value as its stored type: at<T>() or bytes().
template <typename Source>
void print_from(Type type, Physical physical, const Source& source, const Settings& settings, Bytes& out) {
  switch (physical) {
    case Physical::kBool:
      out.push_back(source.template at<uint8_t>() != 0 ? 't' : 'f');
      return;
    case Physical::kInt16:
      return print_int16(source.template at<int16_t>(), out);
    case Physical::kInt32:
      if (type.oid == oid::kDate) {
        return print_date(source.template at<int32_t>(), settings, out);
      }
      if (type.oid != oid::kVoid) {
        print_int32(source.template at<int32_t>(), out);
      }
      return;
    case Physical::kUint32:
      return print_reg(source.template at<uint32_t>(), type.oid, out);
    case Physical::kInt64:
      return print_int64_kind(type.oid, source.template at<int64_t>(), settings, out);
    case Physical::kFloat32:
      return print_float32(source.template at<float>(), settings.extra_float_digits, out);
    case Physical::kFloat64:
      return print_float64(source.template at<double>(), settings.extra_float_digits, out);
    case Physical::kInterval:
      return print_interval(source.template at<Interval>(), settings, out);
    case Physical::kUuid:
      return print_uuid(source.template at<Uuid>(), out);
    case Physical::kBytes:
      return print_bytes(type, source.bytes(), settings, out);
  }
}

struct ValueSource {
  const Value& value;
  template <typename T>
  auto at() const {
    if constexpr (std::is_same_v<T, uint8_t>) {
      return static_cast<uint8_t>(value.as<bool>());
    } else {
      return value.as<T>();
    }
  }
  ByteView bytes() const { return value.bytes(); }
};

struct RowSource {
  const Vector& vector;
  std::size_t row;
  template <typename T>
  T at() const {
    return vector.at<T>(row);
  }
  ByteView bytes() const { return vector.bytes_at(row); }
};

}  // namespace

Result<Value> parse_text(Type type, ByteView text, const Settings& settings) {
  switch (type.oid) {
    case oid::kInt4:
      return wrap(parse_int32(text), Value::of_int32);
    case oid::kInt8:
      return wrap(parse_int64(text), Value::of_int64);
    case oid::kInt2:
      return wrap(parse_int16(text), Value::of_int16);
    case oid::kText:
    case oid::kRefcursor:
      return Value::of_bytes(Bytes(text));
    case oid::kVarchar:
    case oid::kBpchar:
      return wrap(fit_text(type, Bytes(text), false), Value::of_bytes);
    case oid::kBool:
      return wrap(parse_bool(text), Value::of_bool);
    case oid::kFloat8:
      return wrap(parse_float64(text), Value::of_float64);
    case oid::kFloat4:
      return wrap(parse_float32(text), Value::of_float32);
    case oid::kNumeric:
      return parse_numeric(type, text);
    case oid::kDate:
    case oid::kTime:
    case oid::kTimetz:
    case oid::kTimestamp:
    case oid::kTimestamptz:
    case oid::kInterval:
      return parse_time_kind(type, text, settings);
    case oid::kBytea:
      return wrap(parse_bytea(text), Value::of_bytes);
    case oid::kUuid:
      return wrap(parse_uuid(text), Value::of_uuid);
    case oid::kName:
      return Value::of_bytes(Bytes(truncate_name(text)));
    case oid::kChar:
      return Value::of_bytes(parse_char(text));
    case oid::kJson:
      PANDO_TRY(validate_json(text));
      return Value::of_bytes(Bytes(text));
    case oid::kJsonb:
      return wrap(parse_jsonb(text), Value::of_bytes);
    case oid::kJsonpath:
      return parse_jsonpath(text);
    case oid::kOid:
    case oid::kXid:
    case oid::kCid:
      return wrap(parse_oid(text, find_type(type.oid)->name), Value::of_uint32);
    case oid::kXid8:
      return parse_xid8(text);
    case oid::kTid:
      return parse_tid(text);
    default:
      break;
  }
  if (is_enum(type.oid)) {
    return parse_enum(type.oid, text, settings);
  }
  if (is_composite(type.oid)) {
    return parse_composite(type.oid, text, settings);
  }
  const TypeInfo* info = find_type(type.oid);
  if (info == nullptr) {
    return Status(sql_state::kFeatureNotSupported, "a value of the user-defined type {} cannot be read here", type.oid);
  }
  return parse_by_name(*info, type, text, settings);
}

void print_text(Type type, const Value& value, const Settings& settings, Bytes& out) {
  print_from(type, physical_of(type.oid), ValueSource{value}, settings, out);
}

void print_text(Type type, const Vector& vector, std::size_t row, const Settings& settings, Bytes& out) {
  print_from(type, vector.physical(), RowSource{vector, row}, settings, out);
}

Result<Value> apply_modifier(Type type, Value value, bool is_explicit) {
  if (type.modifier == kNoModifier || value.is_null()) {
    return value;
  }
  switch (type.oid) {
    case oid::kVarchar:
    case oid::kBpchar:
      return wrap(fit_text(type, value.as<Bytes>(), is_explicit), Value::of_bytes);
    case oid::kNumeric: {
      Bytes out;
      PANDO_TRY(numeric::apply_modifier(value.bytes(), type.modifier, out));
      return Value::of_bytes(std::move(out));
    }
    case oid::kTime:
      return Value::of_int64(round_time(value.as<int64_t>(), type.modifier));
    case oid::kTimetz: {
      TimeTz time = unpack_timetz(value.bytes());
      time.microseconds = round_time(time.microseconds, type.modifier);
      return Value::of_bytes(pack_timetz(time));
    }
    case oid::kTimestamp:
    case oid::kTimestamptz:
      return wrap(round_timestamp(value.as<int64_t>(), type.modifier), Value::of_int64);
    case oid::kInterval:
      return wrap(apply_interval_modifier(value.as<Interval>(), type.modifier), Value::of_interval);
    default:
      return value;
  }
}

}  // namespace pando::types
