#include "types/binary_io.h"

#include <bit>

#include "types/array.h"
#include "types/binary_numeric.h"
#include "types/datetime.h"
#include "types/json.h"
#include "types/jsonb.h"
#include "types/numeric.h"
#include "types/record.h"
#include "types/text_io.h"
#include "types/utf8.h"
#include "types/wire_reader.h"

namespace pando::types {
namespace {

constexpr uint8_t kJsonbVersion = 1;
constexpr int32_t kNullLength = -1;
constexpr int32_t kZoneSecondsMax = 16 * kSecondsPerHour;
constexpr int kTidBlockShift = 16;

template <typename T>
Result<Value> read_number(ByteView bytes, Value (*make)(T)) {
  WireReader reader(bytes);
  T value = 0;
  PANDO_TRY(reader.number(value));
  PANDO_TRY(reader.finish());
  return make(value);
}

template <typename Bits, typename Float>
Result<Value> read_float(ByteView bytes, Value (*make)(Float)) {
  WireReader reader(bytes);
  Bits bits = 0;
  PANDO_TRY(reader.number(bits));
  PANDO_TRY(reader.finish());
  return make(std::bit_cast<Float>(bits));
}

Status out_of_range(std::string_view what) { return {sql_state::kDatetimeFieldOverflow, "{} out of range", what}; }

Result<Value> read_date(ByteView bytes) {
  PANDO_ASSIGN(const Value value, read_number<int32_t>(bytes, Value::of_int32));
  const auto date = value.as<int32_t>();
  return is_finite_date(date) && !is_valid_date(date) ? Result<Value>(out_of_range("date")) : value;
}

Result<Value> read_timestamp(Type type, ByteView bytes) {
  PANDO_ASSIGN(const Value value, read_number<int64_t>(bytes, Value::of_int64));
  const auto timestamp = value.as<int64_t>();
  if (is_finite_timestamp(timestamp) && !is_valid_timestamp(timestamp)) {
    return out_of_range("timestamp");
  }
  return apply_modifier(type, value, false);
}

Result<Value> read_time(Type type, ByteView bytes) {
  PANDO_ASSIGN(const Value value, read_number<int64_t>(bytes, Value::of_int64));
  if (value.as<int64_t>() < 0 || value.as<int64_t>() > kMicrosPerDay) {
    return out_of_range("time");
  }
  return apply_modifier(type, value, false);
}

Result<Value> read_timetz(Type type, ByteView bytes) {
  WireReader reader(bytes);
  TimeTz time;
  PANDO_TRY(reader.number(time.microseconds));
  PANDO_TRY(reader.number(time.seconds_west));
  PANDO_TRY(reader.finish());
  if (time.microseconds < 0 || time.microseconds > kMicrosPerDay) {
    return out_of_range("time");
  }
  if (time.seconds_west <= -kZoneSecondsMax || time.seconds_west >= kZoneSecondsMax) {
    return Status(sql_state::kInvalidTimeZoneDisplacement, "time zone displacement out of range");
  }
  return apply_modifier(type, Value::of_bytes(pack_timetz(time)), false);
}

Result<Value> read_interval(Type type, ByteView bytes) {
  WireReader reader(bytes);
  Interval interval;
  PANDO_TRY(reader.number(interval.microseconds));
  PANDO_TRY(reader.number(interval.days));
  PANDO_TRY(reader.number(interval.months));
  PANDO_TRY(reader.finish());
  return apply_modifier(type, Value::of_interval(interval), false);
}

Result<Value> read_uuid(ByteView bytes) {
  WireReader reader(bytes);
  ByteView raw;
  Uuid uuid;
  PANDO_TRY(reader.bytes(sizeof(uuid.bytes), raw));
  PANDO_TRY(reader.finish());
  std::memcpy(uuid.bytes, raw.data(), raw.size());
  return Value::of_uuid(uuid);
}

// Kinds whose binary form is their text.
Result<Value> read_text(Type type, ByteView bytes, const Settings& settings) {
  PANDO_TRY(validate_utf8(bytes));
  return parse_text(type, bytes, settings);
}

Result<Value> read_versioned(Type type, ByteView bytes, const Settings& settings) {
  WireReader reader(bytes);
  uint8_t version = 0;
  PANDO_TRY(reader.number(version));
  if (version != kJsonbVersion) {
    return Status(sql_state::kInternalError, "unsupported {} version number {}", find_type(type.oid)->name, version);
  }
  return read_text(type, reader.rest(), settings);
}

Result<Value> read_tid(ByteView bytes) {
  WireReader reader(bytes);
  uint32_t block = 0;
  uint16_t offset = 0;
  PANDO_TRY(reader.number(block));
  PANDO_TRY(reader.number(offset));
  PANDO_TRY(reader.finish());
  return Value::of_int64((int64_t{block} << kTidBlockShift) | offset);
}

Status read_dimensions(WireReader& reader, std::vector<ArrayDimension>& dimensions, std::size_t& count) {
  int32_t number = 0;
  PANDO_TRY(reader.number(number));
  if (number < 0) {
    return {sql_state::kInvalidBinaryRepresentation, "invalid number of dimensions: {}", number};
  }
  if (number > kArrayDimensionsMax) {
    return {sql_state::kProgramLimitExceeded, "number of array dimensions ({}) exceeds the maximum allowed ({})",
            number, kArrayDimensionsMax};
  }
  dimensions.resize(static_cast<std::size_t>(number));
  return {};
}

Result<Value> read_array(Type type, ByteView bytes, const Settings& settings) {
  WireReader reader(bytes);
  std::vector<ArrayDimension> dimensions;
  std::size_t count = 0;
  PANDO_TRY(read_dimensions(reader, dimensions, count));
  int32_t flags = 0;
  uint32_t element = 0;
  PANDO_TRY(reader.number(flags));
  if (flags != 0 && flags != 1) {
    return Status(sql_state::kInvalidBinaryRepresentation, "invalid array flags");
  }
  PANDO_TRY(reader.number(element));
  if (element != element_of(type.oid)) {
    return Status(sql_state::kDatatypeMismatch,
                  "binary data has array element type {} ({}) instead of expected {} ({})", element,
                  format_type({element}), element_of(type.oid), format_type({element_of(type.oid)}));
  }
  count = dimensions.empty() ? 0 : 1;
  for (ArrayDimension& dimension : dimensions) {
    PANDO_TRY(reader.number(dimension.length));
    PANDO_TRY(reader.number(dimension.lower));
    int32_t upper = 0;
    if (dimension.length < 0 || __builtin_add_overflow(dimension.lower, dimension.length, &upper)) {
      return Status(sql_state::kProgramLimitExceeded, "array lower bound is too large: {}", dimension.lower);
    }
    const auto length = static_cast<std::size_t>(dimension.length);
    if (length != 0 && count > kArrayElementsMax / length) {
      return Status(sql_state::kProgramLimitExceeded, "array size exceeds the maximum allowed ({})", kArrayElementsMax);
    }
    count *= length;
  }
  ArrayBuilder builder(element);
  for (std::size_t i = 0; i < count; ++i) {
    int32_t length = 0;
    PANDO_TRY(reader.number(length));
    if (length == kNullLength) {
      builder.add_null();
      continue;
    }
    ByteView item;
    if (length < 0 || static_cast<std::size_t>(length) > reader.rest().size()) {
      return Status(sql_state::kInvalidBinaryRepresentation, "insufficient data left in message");
    }
    PANDO_TRY(reader.bytes(static_cast<std::size_t>(length), item));
    PANDO_ASSIGN(const Value value, parse_binary({element, type.modifier}, item, settings));
    builder.add(value);
  }
  PANDO_TRY(reader.finish());
  PANDO_ASSIGN(Bytes packed, builder.finish(dimensions));
  return Value::of_bytes(std::move(packed));
}

Result<Value> read_composite(Oid type, ByteView bytes, const Settings& settings) {
  const CompositeType* composite = settings.user_types == nullptr ? nullptr : settings.user_types->find_composite(type);
  if (composite == nullptr) {
    return Status(sql_state::kUndefinedObject, "type with OID {} does not exist", type);
  }
  WireReader reader(bytes);
  int32_t count = 0;
  PANDO_TRY(reader.number(count));
  if (count < 0 || static_cast<std::size_t>(count) != composite->attributes.size()) {
    return Status(sql_state::kDatatypeMismatch, "wrong number of columns: {}, expected {}", count,
                  composite->attributes.size());
  }
  std::vector<RecordField> fields;
  for (const CompositeType::Attribute& attribute : composite->attributes) {
    uint32_t given = 0;
    int32_t length = 0;
    PANDO_TRY(reader.number(given));
    PANDO_TRY(reader.number(length));
    fields.push_back({attribute.type, Value::null()});
    if (given != attribute.type.oid) {
      return Status(sql_state::kDatatypeMismatch,
                    "binary data has type {} ({}) instead of expected {} ({}) in record column {}", given,
                    format_type({given}), attribute.type.oid, format_type({attribute.type.oid}), fields.size());
    }
    if (length == kNullLength) {
      continue;
    }
    ByteView item;
    if (length < 0 || static_cast<std::size_t>(length) > reader.rest().size()) {
      return Status(sql_state::kInvalidBinaryRepresentation, "insufficient data left in message");
    }
    PANDO_TRY(reader.bytes(static_cast<std::size_t>(length), item));
    PANDO_ASSIGN(fields.back().value, parse_binary(attribute.type, item, settings));
  }
  PANDO_TRY(reader.finish());
  return Value::of_bytes(pack_record(fields));
}

Status no_output(Oid type) {
  return {sql_state::kUndefinedFunction, "no binary output function available for type {}", format_type({type})};
}

Status write_array(ByteView packed, const Settings& settings, Bytes& out) {
  const ArrayView array(packed);
  put_wire(static_cast<int32_t>(array.dimensions()), out);
  put_wire<int32_t>(array.has_nulls() ? 1 : 0, out);
  put_wire(array.element_type(), out);
  for (int i = 0; i < array.dimensions(); ++i) {
    put_wire(array.dimension(i).length, out);
    put_wire(array.dimension(i).lower, out);
  }
  Bytes item;
  for (std::size_t i = 0; i < array.size(); ++i) {
    if (array.is_null(i)) {
      put_wire(kNullLength, out);
      continue;
    }
    item.clear();
    PANDO_TRY(print_binary({array.element_type()}, array.get(i), settings, item));
    put_wire(static_cast<int32_t>(item.size()), out);
    out.append(item);
  }
  return {};
}

Status write_record(ByteView packed, const Settings& settings, Bytes& out) {
  std::vector<RecordField> fields;
  if (!unpack_record(packed, fields)) {
    return {sql_state::kDataCorrupted, "a malformed record"};
  }
  put_wire(static_cast<int32_t>(fields.size()), out);
  for (const RecordField& field : fields) {
    put_wire(field.type.oid, out);
    if (field.value.is_null()) {
      put_wire(kNullLength, out);
      continue;
    }
    Bytes item;
    PANDO_TRY(print_binary(field.type, field.value, settings, item));
    put_wire(static_cast<int32_t>(item.size()), out);
    out.append(item);
  }
  return {};
}

Status write_bytes(Type type, ByteView value, const Settings& settings, Bytes& out) {
  switch (type.oid) {
    case oid::kNumeric:
      print_binary_numeric(value, out);
      return {};
    case oid::kJsonb:
      out.push_back(static_cast<char>(kJsonbVersion));
      print_jsonb(JsonbView(value), out);
      return {};
    case oid::kJsonpath:
      out.push_back(static_cast<char>(kJsonbVersion));
      out.append(value);
      return {};
    case oid::kTimetz: {
      const TimeTz time = unpack_timetz(value);
      put_wire(time.microseconds, out);
      put_wire(time.seconds_west, out);
      return {};
    }
    case oid::kChar:
      out.push_back(value.empty() ? '\0' : value[0]);
      return {};
    case oid::kAclItem:
      return no_output(type.oid);
    default:
      break;
  }
  if (is_record(type.oid)) {
    return write_record(value, settings, out);
  }
  if (element_of(type.oid) != oid::kInvalid) {
    return write_array(value, settings, out);
  }
  out.append(value);
  return {};
}

template <typename Source>
Status write_from(Type type, Physical physical, const Source& source, const Settings& settings, Bytes& out) {
  switch (physical) {
    case Physical::kBool:
      out.push_back(static_cast<char>(source.template at<uint8_t>()));
      return {};
    case Physical::kInt16:
      put_wire(source.template at<int16_t>(), out);
      return {};
    case Physical::kInt32:
      if (type.oid != oid::kVoid) {
        put_wire(source.template at<int32_t>(), out);
      }
      return {};
    case Physical::kUint32:
      put_wire(source.template at<uint32_t>(), out);
      return {};
    case Physical::kInt64: {
      const auto value = source.template at<int64_t>();
      if (is_enum(type.oid)) {
        print_text(type, Value::of_int64(value), settings, out);
      } else if (type.oid == oid::kTid) {
        put_wire(static_cast<uint32_t>(value >> kTidBlockShift), out);
        put_wire(static_cast<uint16_t>(value), out);
      } else {
        put_wire(value, out);
      }
      return {};
    }
    case Physical::kFloat32:
      put_wire(std::bit_cast<uint32_t>(source.template at<float>()), out);
      return {};
    case Physical::kFloat64:
      put_wire(std::bit_cast<uint64_t>(source.template at<double>()), out);
      return {};
    case Physical::kInterval: {
      const auto interval = source.template at<Interval>();
      put_wire(interval.microseconds, out);
      put_wire(interval.days, out);
      put_wire(interval.months, out);
      return {};
    }
    case Physical::kUuid: {
      const auto uuid = source.template at<Uuid>();
      out.append(reinterpret_cast<const char*>(uuid.bytes), sizeof(uuid.bytes));
      return {};
    }
    case Physical::kBytes:
      return write_bytes(type, source.bytes(), settings, out);
  }
  return {};
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

Result<Value> read_bool(ByteView bytes) {
  PANDO_ASSIGN(const Value value, read_number<int16_t>(Bytes(1, '\0') + Bytes(bytes), Value::of_int16));
  return Value::of_bool(value.as<int16_t>() != 0);
}

Result<Value> read_numeric(Type type, ByteView bytes) {
  PANDO_ASSIGN(Bytes packed, parse_binary_numeric(bytes));
  return apply_modifier(type, Value::of_bytes(std::move(packed)), false);
}

}  // namespace

Result<Value> parse_binary(Type type, ByteView bytes, const Settings& settings) {
  switch (type.oid) {
    case oid::kBool:
      return read_bool(bytes);
    case oid::kInt2:
      return read_number<int16_t>(bytes, Value::of_int16);
    case oid::kInt4:
      return read_number<int32_t>(bytes, Value::of_int32);
    case oid::kInt8:
    case oid::kXid8:
      return read_number<int64_t>(bytes, Value::of_int64);
    case oid::kFloat4:
      return read_float<uint32_t>(bytes, Value::of_float32);
    case oid::kFloat8:
      return read_float<uint64_t>(bytes, Value::of_float64);
    case oid::kNumeric:
      return read_numeric(type, bytes);
    case oid::kBytea:
      return Value::of_bytes(Bytes(bytes));
    case oid::kChar:
      return Value::of_bytes(Bytes(bytes.substr(0, !bytes.empty() && bytes[0] != '\0' ? 1 : 0)));
    case oid::kDate:
      return read_date(bytes);
    case oid::kTime:
      return read_time(type, bytes);
    case oid::kTimetz:
      return read_timetz(type, bytes);
    case oid::kTimestamp:
    case oid::kTimestamptz:
      return read_timestamp(type, bytes);
    case oid::kInterval:
      return read_interval(type, bytes);
    case oid::kUuid:
      return read_uuid(bytes);
    case oid::kJsonb:
    case oid::kJsonpath:
      return read_versioned(type, bytes, settings);
    case oid::kTid:
      return read_tid(bytes);
    default:
      break;
  }
  if (is_composite(type.oid)) {
    return read_composite(type.oid, bytes, settings);
  }
  const TypeInfo* info = find_type(type.oid);
  if (info != nullptr && info->supported && info->element != oid::kInvalid && type.oid != oid::kRecordArray) {
    return read_array(type, bytes, settings);
  }
  if (info != nullptr && info->physical == Physical::kUint32) {
    return read_number<uint32_t>(bytes, Value::of_uint32);
  }
  return read_text(type, bytes, settings);
}

Status print_binary(Type type, const Value& value, const Settings& settings, Bytes& out) {
  return write_from(type, physical_of(type.oid), ValueSource{value}, settings, out);
}

Status print_binary(Type type, const Vector& vector, std::size_t row, const Settings& settings, Bytes& out) {
  return write_from(type, vector.physical(), RowSource{vector, row}, settings, out);
}

}  // namespace pando::types
