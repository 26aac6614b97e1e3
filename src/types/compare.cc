#include "types/compare.h"

#include <bit>
#include <cmath>

#include "types/array.h"
#include "types/calendar.h"
#include "types/interval.h"
#include "types/jsonb.h"
#include "types/numeric.h"
#include "types/record.h"
#include "types/stored_type.h"

namespace pando::types {
namespace {

constexpr uint64_t kNullHash = 0x6e756c6c6e756c6c;
constexpr uint64_t kMultiplier = 0x9e3779b97f4a7c15;

// Byte-string types whose order is not that of their bytes.
enum class BytesOrder : uint8_t { kPlain, kPadded, kNumeric, kJsonb, kArray, kRecord, kTimeTz };

BytesOrder bytes_order(Oid type) {
  switch (type) {
    case oid::kBpchar:
      return BytesOrder::kPadded;
    case oid::kNumeric:
      return BytesOrder::kNumeric;
    case oid::kJsonb:
      return BytesOrder::kJsonb;
    case oid::kTimetz:
      return BytesOrder::kTimeTz;
    case oid::kText:
    case oid::kVarchar:
    case oid::kBytea:
    case oid::kName:
      return BytesOrder::kPlain;
    default:
      break;
  }
  if (is_array(type)) {
    return BytesOrder::kArray;
  }
  return is_record(type) ? BytesOrder::kRecord : BytesOrder::kPlain;
}

std::strong_ordering order_bytes(ByteView a, ByteView b) { return a.compare(b) <=> 0; }

template <typename T>
std::strong_ordering order_floats(T a, T b) {
  if (std::isnan(a) || std::isnan(b)) {
    return static_cast<int>(std::isnan(a)) <=> static_cast<int>(std::isnan(b));
  }
  return a < b ? std::strong_ordering::less : (a > b ? std::strong_ordering::greater : std::strong_ordering::equal);
}

uint64_t hash_float(double value) {
  if (std::isnan(value)) {
    value = std::numeric_limits<double>::quiet_NaN();
  } else if (value == 0) {
    value = 0;
  }
  return mix_hash(std::bit_cast<uint64_t>(value));
}

uint64_t hash_uuid(const Uuid& uuid) {
  return hash_of_bytes({reinterpret_cast<const char*>(uuid.bytes), sizeof(uuid.bytes)});
}

std::strong_ordering order_uuids(const Uuid& a, const Uuid& b) {
  return std::memcmp(a.bytes, b.bytes, sizeof(a.bytes)) <=> 0;
}

// Calls `visit` with the value's C++ type: one place that maps physical forms to types.
template <typename T>
uint64_t hash_fixed(T value) {
  if constexpr (std::is_floating_point_v<T>) {
    return hash_float(value);
  } else if constexpr (std::is_same_v<T, Interval>) {
    return hash_interval(value);
  } else if constexpr (std::is_same_v<T, Uuid>) {
    return hash_uuid(value);
  } else {
    return mix_hash(static_cast<uint64_t>(static_cast<int64_t>(value)));
  }
}

template <typename T>
std::strong_ordering order_fixed(const T& a, const T& b) {
  if constexpr (std::is_floating_point_v<T>) {
    return order_floats(a, b);
  } else if constexpr (std::is_same_v<T, Interval>) {
    return compare_intervals(a, b);
  } else if constexpr (std::is_same_v<T, Uuid>) {
    return order_uuids(a, b);
  } else {
    return a <=> b;
  }
}

template <typename T>
decltype(auto) value_as(const Value& value) {
  if constexpr (std::is_same_v<T, uint8_t>) {
    return static_cast<uint8_t>(value.as<bool>());
  } else {
    return value.as<T>();
  }
}

template <typename T>
void hash_fixed_column(const Vector& column, std::size_t rows, uint64_t* hashes) {
  const T* values = column.data<T>();
  for (std::size_t i = 0; i < rows; ++i) {
    const uint64_t hash = column.is_null(i) ? kNullHash : hash_fixed(values[column.slot(i)]);
    hashes[i] = mix_hash(hashes[i] * kMultiplier + hash);
  }
}

}  // namespace

uint64_t mix_hash(uint64_t value) {
  // The finalizer of MurmurHash3 (public domain): every input bit affects every output bit.
  value ^= value >> 33;
  value *= 0xff51afd7ed558ccd;
  value ^= value >> 33;
  value *= 0xc4ceb9fe1a85ec53;
  value ^= value >> 33;
  return value;
}

uint64_t hash_of_bytes(ByteView bytes) {
  uint64_t hash = bytes.size() * kMultiplier;
  while (bytes.size() >= sizeof(uint64_t)) {
    uint64_t word = 0;
    std::memcpy(&word, bytes.data(), sizeof(word));
    hash = (std::rotl(hash, 29) ^ word) * kMultiplier;
    hash ^= hash >> 32;
    bytes.remove_prefix(sizeof(word));
  }
  uint64_t tail = 0;
  std::memcpy(&tail, bytes.data(), bytes.size());
  return mix_hash((std::rotl(hash, 29) ^ tail) * kMultiplier);
}

ByteView trim_padding(ByteView text) {
  const auto end = text.find_last_not_of(' ');
  return end == ByteView::npos ? ByteView() : text.substr(0, end + 1);
}

bool is_orderable(Oid type) {
  switch (type) {
    case oid::kJson:
    case oid::kJsonpath:
    case oid::kXid:
    case oid::kCid:
    case oid::kAclItem:
    case oid::kPgNodeTree:
    case oid::kRefcursor:
    case oid::kUnknown:
      return false;
    default:
      break;
  }
  const Oid element = element_of(type);
  return element == oid::kInvalid || is_orderable(element);
}

bool is_hashable(Oid type) {
  if (const Oid element = element_of(type); element != oid::kInvalid) {
    return is_hashable(element);
  }
  return is_orderable(type) || type == oid::kXid || type == oid::kCid;
}

std::strong_ordering compare_bytes(Oid type, ByteView a, ByteView b) {
  switch (bytes_order(type)) {
    case BytesOrder::kPlain:
      return order_bytes(a, b);
    case BytesOrder::kPadded:
      return order_bytes(trim_padding(a), trim_padding(b));
    case BytesOrder::kNumeric:
      return numeric::compare(a, b);
    case BytesOrder::kJsonb:
      return compare_jsonb(JsonbView(a), JsonbView(b));
    case BytesOrder::kArray:
      return compare_arrays(ArrayView(a), ArrayView(b));
    case BytesOrder::kTimeTz:
      return compare_timetz(unpack_timetz(a), unpack_timetz(b));
    case BytesOrder::kRecord: {
      const auto order = compare_records(a, b);
      return order.ok() ? *order : order_bytes(a, b);
    }
  }
  PANDO_UNREACHABLE("an order out of range");
}

bool equal_bytes(Oid type, ByteView a, ByteView b) {
  switch (bytes_order(type)) {
    case BytesOrder::kPlain:
    case BytesOrder::kTimeTz:
      return a == b;
    case BytesOrder::kPadded:
      return trim_padding(a) == trim_padding(b);
    default:
      return a == b || compare_bytes(type, a, b) == 0;
  }
}

uint64_t hash_bytes(Oid type, ByteView value) {
  switch (bytes_order(type)) {
    case BytesOrder::kPlain:
    case BytesOrder::kTimeTz:
      return hash_of_bytes(value);
    case BytesOrder::kPadded:
      return hash_of_bytes(trim_padding(value));
    case BytesOrder::kNumeric:
      return numeric::hash(value);
    case BytesOrder::kJsonb:
      return hash_jsonb(JsonbView(value));
    case BytesOrder::kArray:
      return hash_array(ArrayView(value));
    case BytesOrder::kRecord:
      return hash_record(value);
  }
  PANDO_UNREACHABLE("an order out of range");
}

std::strong_ordering compare_values(Oid type, const Value& a, const Value& b) {
  const Physical physical = physical_of(type);
  if (physical == Physical::kBytes) {
    return compare_bytes(type, a.bytes(), b.bytes());
  }
  return with_fixed_type(physical, [&]<typename T>() { return order_fixed<T>(value_as<T>(a), value_as<T>(b)); });
}

std::strong_ordering compare_rows(Oid type, const Vector& a, std::size_t row_a, const Vector& b, std::size_t row_b) {
  if (a.physical() == Physical::kBytes) {
    return compare_bytes(type, a.bytes_at(row_a), b.bytes_at(row_b));
  }
  return with_fixed_type(a.physical(), [&]<typename T>() { return order_fixed<T>(a.at<T>(row_a), b.at<T>(row_b)); });
}

bool equal_values(Oid type, const Value& a, const Value& b) {
  return a.holds<Bytes>() ? equal_bytes(type, a.bytes(), b.bytes()) : compare_values(type, a, b) == 0;
}

bool equal_rows(Oid type, const Vector& a, std::size_t row_a, const Vector& b, std::size_t row_b) {
  if (a.physical() == Physical::kBytes) {
    return equal_bytes(type, a.bytes_at(row_a), b.bytes_at(row_b));
  }
  return compare_rows(type, a, row_a, b, row_b) == 0;
}

uint64_t hash_value(Oid type, const Value& value) {
  if (value.holds<Bytes>()) {
    return hash_bytes(type, value.bytes());
  }
  return with_fixed_type(physical_of(type), [&]<typename T>() { return hash_fixed<T>(value_as<T>(value)); });
}

uint64_t hash_row(Oid type, const Vector& vector, std::size_t row) {
  if (vector.physical() == Physical::kBytes) {
    return hash_bytes(type, vector.bytes_at(row));
  }
  return with_fixed_type(vector.physical(), [&]<typename T>() { return hash_fixed<T>(vector.at<T>(row)); });
}

void hash_column(Oid type, const Vector& column, std::size_t rows, uint64_t* hashes) {
  if (column.physical() != Physical::kBytes) {
    with_fixed_type(column.physical(), [&]<typename T>() { hash_fixed_column<T>(column, rows, hashes); });
    return;
  }
  for (std::size_t i = 0; i < rows; ++i) {
    const uint64_t hash = column.is_null(i) ? kNullHash : hash_bytes(type, column.bytes_at(i));
    hashes[i] = mix_hash(hashes[i] * kMultiplier + hash);
  }
}

}  // namespace pando::types
