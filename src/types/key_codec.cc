// The key half of row_codec.h.

#include <bit>
#include <cmath>

#include "base/codec.h"
#include "types/array.h"
#include "types/calendar.h"
#include "types/compare.h"
#include "types/interval.h"
#include "types/jsonb.h"
#include "types/numeric.h"
#include "types/record.h"
#include "types/row_codec.h"
#include "types/stored_type.h"

namespace pando::types {
namespace {

constexpr char kNullFirst = '\x00';
constexpr char kNotNull = '\x01';
constexpr char kNullLast = '\x02';
// Inside arrays and records: ends the elements.
constexpr char kEnd = '\x00';

enum class KeyForm : uint8_t { kFixed, kBytes, kPadded, kNumeric, kTimeTz, kOpaque };

KeyForm form_of(Oid type, Physical physical) {
  if (physical != Physical::kBytes) {
    return KeyForm::kFixed;
  }
  switch (type) {
    case oid::kNumeric:
      return KeyForm::kNumeric;
    case oid::kBpchar:
      return KeyForm::kPadded;
    case oid::kTimetz:
      return KeyForm::kTimeTz;
    case oid::kJsonb:
      return KeyForm::kOpaque;
    default:
      return is_record(type) || is_array(type) || type == oid::kRecordArray ? KeyForm::kOpaque : KeyForm::kBytes;
  }
}

template <typename T>
void append_big_endian(Bytes& key, T value) {
  char raw[sizeof(T)];
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    raw[i] = static_cast<char>(value >> (8 * (sizeof(T) - 1 - i)));
  }
  key.append(raw, sizeof(T));
}

template <typename T>
bool take_big_endian(ByteView& key, bool descending, T& value) {
  if (key.size() < sizeof(T)) {
    return false;
  }
  T read = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    read = static_cast<T>((read << 8) | static_cast<uint8_t>(key[i]));
  }
  value = descending ? static_cast<T>(~read) : read;
  key.remove_prefix(sizeof(T));
  return true;
}

template <typename Signed>
auto flip_sign(Signed value) {
  using Unsigned = std::make_unsigned_t<Signed>;
  return static_cast<Unsigned>(static_cast<Unsigned>(value) ^ (Unsigned{1} << (sizeof(Signed) * 8 - 1)));
}

// Floats in PostgreSQL's order: -0 equals 0, NaN is last.
uint32_t ordered_bits(float value) {
  value = std::isnan(value) ? std::numeric_limits<float>::quiet_NaN() : (value == 0 ? 0.0F : value);
  const auto bits = std::bit_cast<uint32_t>(value);
  return (bits >> 31) != 0 ? ~bits : bits | (1U << 31);
}

float float_of_bits(uint32_t bits) { return std::bit_cast<float>((bits >> 31) != 0 ? bits & ~(1U << 31) : ~bits); }

void append_interval(Bytes& key, const Interval& interval) {
  const __int128 length = interval_length(interval);
  append_big_endian(key, flip_sign(static_cast<int64_t>(length >> 64)));
  append_big_endian(key, static_cast<uint64_t>(length));
}

// An interval of the same length: which one it was is not in the key.
Interval interval_of_length(__int128 length) {
  const __int128 days = length / kMicrosPerDay;
  Interval interval;
  interval.microseconds = static_cast<int64_t>(length % kMicrosPerDay);
  interval.months = static_cast<int32_t>(days / kDaysPerMonth);
  interval.days = static_cast<int32_t>(days % kDaysPerMonth);
  return interval;
}

template <typename T>
void append_fixed(Bytes& key, const T& value) {
  if constexpr (std::is_same_v<T, uint8_t>) {
    key.push_back(static_cast<char>(value));
  } else if constexpr (std::is_same_v<T, uint32_t>) {
    append_big_endian(key, value);
  } else if constexpr (std::is_same_v<T, float>) {
    append_big_endian(key, ordered_bits(value));
  } else if constexpr (std::is_same_v<T, double>) {
    append_ordered_double(key, value);
  } else if constexpr (std::is_same_v<T, Interval>) {
    append_interval(key, value);
  } else if constexpr (std::is_same_v<T, Uuid>) {
    key.append(reinterpret_cast<const char*>(value.bytes), sizeof(value.bytes));
  } else {
    append_big_endian(key, flip_sign(value));
  }
}

template <typename T>
bool take_fixed(ByteView& key, bool descending, T& value) {
  if constexpr (std::is_same_v<T, uint8_t> || std::is_same_v<T, uint32_t>) {
    return take_big_endian(key, descending, value);
  } else if constexpr (std::is_same_v<T, float>) {
    uint32_t bits = 0;
    const bool taken = take_big_endian(key, descending, bits);
    value = float_of_bits(bits);
    return taken;
  } else if constexpr (std::is_same_v<T, double>) {
    OrderedReader reader(key);
    const bool taken = reader.ordered_double(value, descending);
    key = reader.rest();
    return taken;
  } else if constexpr (std::is_same_v<T, Interval>) {
    uint64_t high = 0;
    uint64_t low = 0;
    if (!take_big_endian(key, descending, high) || !take_big_endian(key, descending, low)) {
      return false;
    }
    const auto signed_high = static_cast<int64_t>(flip_sign(static_cast<int64_t>(high)));
    value = interval_of_length((static_cast<__int128>(signed_high) << 64) | low);
    return true;
  } else if constexpr (std::is_same_v<T, Uuid>) {
    if (key.size() < sizeof(value.bytes)) {
      return false;
    }
    for (std::size_t i = 0; i < sizeof(value.bytes); ++i) {
      value.bytes[i] = static_cast<uint8_t>(descending ? ~key[i] : key[i]);
    }
    key.remove_prefix(sizeof(value.bytes));
    return true;
  } else {
    std::make_unsigned_t<T> raw = 0;
    const bool taken = take_big_endian(key, descending, raw);
    value = static_cast<T>(flip_sign(static_cast<T>(raw)));
    return taken;
  }
}

void append_value(Bytes& key, Oid type, const Value& value);

void append_array(Bytes& key, ByteView packed) {
  const ArrayView array(packed);
  for (std::size_t i = 0; i < array.size(); ++i) {
    if (array.is_null(i)) {
      key.push_back(kNullLast);
    } else {
      key.push_back(kNotNull);
      append_value(key, array.element_type(), array.get(i));
    }
  }
  key.push_back(kEnd);
  append_big_endian(key, static_cast<uint32_t>(array.dimensions()));
  for (int i = 0; i < array.dimensions(); ++i) {
    append_big_endian(key, static_cast<uint32_t>(array.dimension(i).length));
  }
  for (int i = 0; i < array.dimensions(); ++i) {
    append_big_endian(key, flip_sign(array.dimension(i).lower));
  }
}

void append_record(Bytes& key, ByteView packed) {
  std::vector<RecordField> fields;
  const bool valid = unpack_record(packed, fields);
  PANDO_ASSERT(valid, "a malformed packed record");
  for (const RecordField& field : fields) {
    key.push_back(field.value.is_null() ? kNullLast : kNotNull);
    if (!field.value.is_null()) {
      append_value(key, field.type.oid, field.value);
    }
  }
}

void append_bytes_value(Bytes& key, Oid type, KeyForm form, ByteView value) {
  switch (form) {
    case KeyForm::kBytes:
      return append_ordered_bytes(key, value);
    case KeyForm::kPadded:
      return append_ordered_bytes(key, trim_padding(value));
    case KeyForm::kNumeric:
      return numeric::append_ordered(key, value);
    case KeyForm::kTimeTz: {
      const TimeTz time = unpack_timetz(value);
      append_big_endian(key, flip_sign(time.microseconds + time.seconds_west * kMicrosPerSecond));
      append_big_endian(key, flip_sign(time.seconds_west));
      return;
    }
    case KeyForm::kOpaque:
    case KeyForm::kFixed:
      break;
  }
  // Wrapped as one byte string, so that it can be skipped without knowing what is inside.
  Bytes inner;
  if (type == oid::kJsonb) {
    append_jsonb_key(inner, JsonbView(value));
  } else if (is_record(type)) {
    append_record(inner, value);
  } else {
    append_array(inner, value);
  }
  append_ordered_bytes(key, inner);
}

void append_value(Bytes& key, Oid type, const Value& value) {
  const Physical physical = physical_of(type);
  if (physical == Physical::kBytes) {
    append_bytes_value(key, type, form_of(type, physical), value.bytes());
    return;
  }
  with_fixed_type(physical, [&]<typename T>() {
    if constexpr (std::is_same_v<T, uint8_t>) {
      append_fixed<uint8_t>(key, value.as<bool>() ? 1 : 0);
    } else {
      append_fixed<T>(key, value.as<T>());
    }
  });
}

Status malformed() { return {sql_state::kDataCorrupted, "a malformed index key"}; }

// Takes the marker. `null` tells what it was.
Status take_marker(ByteView& key, KeyOrder order, bool& null) {
  if (key.empty()) {
    return malformed();
  }
  const char marker = key[0];
  key.remove_prefix(1);
  null = marker == (order.nulls_first ? kNullFirst : kNullLast);
  return null || marker == kNotNull ? Status() : malformed();
}

// The end of what append_ordered_bytes() wrote, or npos.
std::size_t find_bytes_end(ByteView key, bool descending) {
  const char zero = descending ? '\xff' : '\x00';
  const char terminator = descending ? '\xfe' : '\x01';
  for (std::size_t at = key.find(zero); at != ByteView::npos && at + 1 < key.size(); at = key.find(zero, at + 2)) {
    if (key[at + 1] == terminator) {
      return at + 2;
    }
  }
  return ByteView::npos;
}

Status take_bytes_value(ByteView& key, Oid type, KeyForm form, bool descending, Bytes& value) {
  switch (form) {
    case KeyForm::kBytes:
    case KeyForm::kPadded: {
      OrderedReader reader(key);
      if (!reader.ordered_bytes(value, descending)) {
        return malformed();
      }
      key = reader.rest();
      return {};
    }
    case KeyForm::kNumeric:
      return numeric::take_ordered(key, descending, value) ? Status() : malformed();
    case KeyForm::kTimeTz: {
      uint64_t instant = 0;
      uint32_t west = 0;
      if (!take_big_endian(key, descending, instant) || !take_big_endian(key, descending, west)) {
        return malformed();
      }
      TimeTz time;
      time.seconds_west = static_cast<int32_t>(flip_sign(static_cast<int32_t>(west)));
      time.microseconds =
          static_cast<int64_t>(flip_sign(static_cast<int64_t>(instant))) - time.seconds_west * kMicrosPerSecond;
      value = pack_timetz(time);
      return {};
    }
    default:
      return {sql_state::kFeatureNotSupported, "a value of type {} cannot be read from a key", format_type({type})};
  }
}

}  // namespace

void append_key_null(Bytes& key, KeyOrder order) { key.push_back(order.nulls_first ? kNullFirst : kNullLast); }
void append_key_not_null(Bytes& key, KeyOrder) { key.push_back(kNotNull); }

void append_key(Bytes& key, Oid type, const Value& value, KeyOrder order) {
  if (value.is_null()) {
    append_key_null(key, order);
    return;
  }
  key.push_back(kNotNull);
  const std::size_t start = key.size();
  append_value(key, type, value);
  if (order.descending) {
    complement_from(key, start);
  }
}

void append_key(Bytes& key, Oid type, const Vector& vector, std::size_t row, KeyOrder order) {
  if (vector.is_null(row)) {
    append_key_null(key, order);
    return;
  }
  key.push_back(kNotNull);
  const std::size_t start = key.size();
  if (vector.physical() == Physical::kBytes) {
    append_bytes_value(key, type, form_of(type, Physical::kBytes), vector.bytes_at(row));
  } else {
    with_fixed_type(vector.physical(), [&]<typename T>() { append_fixed<T>(key, vector.at<T>(row)); });
  }
  if (order.descending) {
    complement_from(key, start);
  }
}

Status take_key(ByteView& key, Oid type, KeyOrder order, Value& value) {
  bool null = false;
  PANDO_TRY(take_marker(key, order, null));
  if (null) {
    value = Value::null();
    return {};
  }
  const Physical physical = physical_of(type);
  if (physical == Physical::kBytes) {
    Bytes bytes;
    PANDO_TRY(take_bytes_value(key, type, form_of(type, physical), order.descending, bytes));
    value = Value::of_bytes(std::move(bytes));
    return {};
  }
  return with_fixed_type(physical, [&]<typename T>() -> Status {
    T read{};
    if (!take_fixed(key, order.descending, read)) {
      return malformed();
    }
    value = value_of_raw(physical, {reinterpret_cast<const char*>(&read), sizeof(read)});
    return {};
  });
}

Status take_key(ByteView& key, Oid type, KeyOrder order, Vector& out, std::size_t row) {
  bool null = false;
  PANDO_TRY(take_marker(key, order, null));
  if (null) {
    out.set_null(row);
    return {};
  }
  if (out.physical() == Physical::kBytes) {
    Bytes bytes;
    PANDO_TRY(take_bytes_value(key, type, form_of(type, Physical::kBytes), order.descending, bytes));
    out.set_bytes(row, bytes);
    return {};
  }
  return with_fixed_type(out.physical(), [&]<typename T>() -> Status {
    return take_fixed(key, order.descending, out.data<T>()[row]) ? Status() : malformed();
  });
}

Status skip_key(ByteView& key, Oid type, KeyOrder order) {
  bool null = false;
  PANDO_TRY(take_marker(key, order, null));
  if (null) {
    return {};
  }
  const Physical physical = physical_of(type);
  std::size_t width = 0;
  switch (form_of(type, physical)) {
    case KeyForm::kFixed:
      // In keys every fixed-width form has its width in memory, intervals included.
      width = physical_size(physical);
      break;
    case KeyForm::kTimeTz:
      width = kTimeTzBytes;
      break;
    case KeyForm::kNumeric: {
      Bytes skipped;
      return numeric::take_ordered(key, order.descending, skipped) ? Status() : malformed();
    }
    default:
      width = find_bytes_end(key, order.descending);
  }
  if (width > key.size()) {
    return malformed();
  }
  key.remove_prefix(width);
  return {};
}

bool is_key_exact(Oid type) {
  switch (type) {
    case oid::kNumeric:
    case oid::kFloat4:
    case oid::kFloat8:
    case oid::kInterval:
    case oid::kBpchar:
      return false;
    default:
      return form_of(type, physical_of(type)) != KeyForm::kOpaque;
  }
}

}  // namespace pando::types
