// The row half of row_codec.h: see docs/formats/rows.md.

#include "types/row_codec.h"

#include <array>
#include <bit>

#include "base/codec.h"
#include "types/record.h"
#include "types/stored_type.h"

namespace pando::types {
namespace {

// The first byte of a row. Never renumber: rows outlive the program.
constexpr uint8_t kOffsetWidthMask = 0x03;  // 0, 1, 2: offsets of 1, 2, 4 bytes
constexpr uint8_t kHasNulls = 0x04;
constexpr uint8_t kKnownFlags = kOffsetWidthMask | kHasNulls;

constexpr std::size_t kIntegerLoad = sizeof(uint64_t);

Status malformed() { return {sql_state::kDataCorrupted, "a malformed row"}; }

// A row's parts, found once per row. Without initializers: thousands lie on the stack and are all written.
struct RowHead {
  const char* ends;   // one end offset per attribute, from 1
  const char* nulls;  // nullptr when the row has none
  const char* data;
  uint32_t data_size;
  // Bytes of the row before `data`: how far a load may reach back.
  uint32_t lead;
  uint16_t attributes;
  uint8_t width_shift;

  uint32_t end_of(uint32_t attribute) const {
    switch (width_shift) {
      case 0:
        return static_cast<uint8_t>(ends[attribute - 1]);
      case 1: {
        uint16_t end = 0;
        std::memcpy(&end, ends + (attribute - 1) * sizeof(end), sizeof(end));
        return end;
      }
      default: {
        uint32_t end = 0;
        std::memcpy(&end, ends + (attribute - 1) * sizeof(end), sizeof(end));
        return end;
      }
    }
  }
  uint32_t start_of(uint32_t attribute) const { return attribute == 1 ? 0 : end_of(attribute - 1); }
  bool is_null(uint32_t attribute) const {
    return nulls != nullptr && ((static_cast<uint8_t>(nulls[(attribute - 1) / 8]) >> ((attribute - 1) % 8)) & 1) != 0;
  }
};

bool read_head(ByteView row, RowHead& head) {
  if (row.size() < 3) {
    return false;
  }
  const auto flags = static_cast<uint8_t>(row[0]);
  std::size_t at = 1;
  // Schema version and attribute count are nearly always below 128.
  if (static_cast<uint8_t>(row[1]) < 0x80 && static_cast<uint8_t>(row[2]) < 0x80) [[likely]] {
    head.attributes = static_cast<uint8_t>(row[2]);
    at = 3;
  } else {
    ByteReader reader(row.substr(1));
    uint64_t version = 0;
    uint64_t attributes = 0;
    if (!reader.varint(version) || !reader.varint(attributes) || attributes > UINT16_MAX) {
      return false;
    }
    head.attributes = static_cast<uint16_t>(attributes);
    at = row.size() - reader.rest().size();
  }
  head.width_shift = flags & kOffsetWidthMask;
  if ((flags & ~kKnownFlags) != 0 || head.width_shift > 2) {
    return false;
  }
  const std::size_t table = std::size_t{head.attributes} << head.width_shift;
  const std::size_t bitmap = (flags & kHasNulls) != 0 ? (std::size_t{head.attributes} + 7) / 8 : 0;
  if (row.size() < at + table + bitmap) {
    return false;
  }
  head.ends = row.data() + at;
  head.nulls = bitmap != 0 ? head.ends + table : nullptr;
  head.data = head.ends + table + bitmap;
  head.lead = static_cast<uint32_t>(at + table + bitmap);
  head.data_size = static_cast<uint32_t>(row.size() - head.lead);
  return true;
}

// Bytes an integer needs: at least one.
std::size_t integer_width(int64_t value) {
  const auto size = static_cast<uint64_t>(value < 0 ? ~value : value);
  return static_cast<std::size_t>(64 - std::countl_zero(size)) / 8 + 1;
}

// An integer of `size` bytes that ends at `end`; `reach` bytes before `end` may be read.
int64_t load_integer(const char* end, std::size_t size, std::size_t reach) {
  uint64_t raw = 0;
  if (reach >= kIntegerLoad) [[likely]] {
    std::memcpy(&raw, end - kIntegerLoad, kIntegerLoad);
  } else {
    std::memcpy(reinterpret_cast<char*>(&raw) + kIntegerLoad - size, end - size, size);
  }
  return static_cast<int64_t>(raw) >> (8 * (kIntegerLoad - size));
}

template <typename T>
constexpr bool kTrimmed = std::is_integral_v<T> && !std::is_same_v<T, uint8_t>;

// One fixed-width value; false when its bytes have the wrong size.
template <typename T>
bool load_fixed(const RowHead& head, uint32_t start, uint32_t end, T& value) {
  const std::size_t size = end - start;
  if constexpr (kTrimmed<T>) {
    if (size == 0 || size > sizeof(int64_t)) [[unlikely]] {
      return false;
    }
    value = static_cast<T>(load_integer(head.data + end, size, head.lead + end));
    return true;
  } else {
    if (size != sizeof(T)) [[unlikely]] {
      return false;
    }
    std::memcpy(&value, head.data + start, sizeof(T));
    return true;
  }
}

// Where a column's bytes lie in a row, or that there are none.
enum class Place : uint8_t { kValue, kNull, kMissing, kMalformed };

Place locate(const RowHead& head, uint32_t attribute, uint32_t& start, uint32_t& end) {
  if (attribute > head.attributes) [[unlikely]] {
    return Place::kMissing;
  }
  if (head.is_null(attribute)) {
    return Place::kNull;
  }
  start = head.start_of(attribute);
  end = head.end_of(attribute);
  return start <= end && end <= head.data_size ? Place::kValue : Place::kMalformed;
}

// One column of many rows.
template <typename T>
bool decode_column(const RowColumn& column, std::span<const RowHead> heads, Vector& out) {
  const auto attribute = static_cast<uint32_t>(column.attribute);
  T* values = out.data<T>();
  uint32_t start = 0;
  uint32_t end = 0;
  for (std::size_t i = 0; i < heads.size(); ++i) {
    switch (locate(heads[i], attribute, start, end)) {
      case Place::kValue:
        if (!load_fixed(heads[i], start, end, values[i])) {
          return false;
        }
        break;
      case Place::kNull:
        out.set_null(i);
        break;
      case Place::kMissing:
        out.set(i, column.missing);
        break;
      case Place::kMalformed:
        return false;
    }
  }
  return true;
}

// The same for byte strings: found first, then copied into one block.
template <>
bool decode_column<StringRef>(const RowColumn& column, std::span<const RowHead> heads, Vector& out) {
  const auto attribute = static_cast<uint32_t>(column.attribute);
  auto* values = out.data<StringRef>();
  std::size_t total = 0;
  for (std::size_t i = 0; i < heads.size(); ++i) {
    uint32_t start = 0;
    uint32_t end = 0;
    switch (locate(heads[i], attribute, start, end)) {
      case Place::kValue:
        values[i] = {heads[i].data + start, end - start};
        total += end - start;
        break;
      case Place::kNull:
        out.set_null(i);
        break;
      case Place::kMissing:
        out.set(i, column.missing);
        break;
      case Place::kMalformed:
        return false;
    }
  }
  if (total == 0) {
    return true;
  }
  char* place = out.allocate_bytes(total);
  for (std::size_t i = 0; i < heads.size(); ++i) {
    if (attribute <= heads[i].attributes && values[i].size != 0) {
      std::memcpy(place, values[i].data, values[i].size);
      values[i].data = place;
      place += values[i].size;
    }
  }
  return true;
}

// What the encoder needs of a value, from a Value or a vector's row.
struct ValueSource {
  std::span<const Value> values;
  bool is_null(std::size_t i) const { return values[i].is_null(); }
  template <typename T>
  T at(std::size_t i) const {
    if constexpr (std::is_same_v<T, uint8_t>) {
      return values[i].as<bool>() ? 1 : 0;
    } else {
      return values[i].as<T>();
    }
  }
  ByteView bytes(std::size_t i) const { return values[i].bytes(); }
};

struct RowSource {
  std::span<const Vector* const> columns;
  std::size_t row;
  bool is_null(std::size_t i) const { return columns[i]->is_null(row); }
  template <typename T>
  T at(std::size_t i) const {
    return columns[i]->at<T>(row);
  }
  ByteView bytes(std::size_t i) const { return columns[i]->bytes_at(row); }
};

template <typename Source>
std::size_t encoded_size(const Source& source, std::size_t i, Physical physical) {
  switch (physical) {
    case Physical::kInt16:
      return integer_width(source.template at<int16_t>(i));
    case Physical::kInt32:
      return integer_width(source.template at<int32_t>(i));
    case Physical::kUint32:
      return integer_width(source.template at<uint32_t>(i));
    case Physical::kInt64:
      return integer_width(source.template at<int64_t>(i));
    case Physical::kBytes:
      return source.bytes(i).size();
    default:
      return physical_size(physical);
  }
}

template <typename Source>
void append_encoded(const Source& source, std::size_t i, Physical physical, Bytes& out) {
  if (physical == Physical::kBytes) {
    out.append(source.bytes(i));
    return;
  }
  with_stored_type(physical, [&]<typename T>() {
    if constexpr (!std::is_same_v<T, StringRef>) {
      const T value = source.template at<T>(i);
      if constexpr (kTrimmed<T>) {
        const auto wide = static_cast<int64_t>(value);
        out.append(reinterpret_cast<const char*>(&wide), integer_width(wide));
      } else {
        out.append(reinterpret_cast<const char*>(&value), sizeof(value));
      }
    }
  });
}

void append_offset(Bytes& out, uint32_t offset, uint8_t width_shift) {
  out.append(reinterpret_cast<const char*>(&offset), std::size_t{1} << width_shift);
}

}  // namespace

RowEncoder::RowEncoder(std::vector<RowColumn> columns, uint32_t schema_version)
    : columns_(std::move(columns)), schema_version_(schema_version) {
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    PANDO_ASSERT(columns_[i].attribute > (i == 0 ? 0 : columns_[i - 1].attribute), "columns out of order");
    physicals_.push_back(physical_of(columns_[i].type.oid));
  }
}

template <typename Source>
void RowEncoder::encode_from(const Source& source, Bytes& out) const {
  std::size_t total = 0;
  bool has_nulls = false;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (source.is_null(i)) {
      has_nulls = true;
    } else {
      total += encoded_size(source, i, physicals_[i]);
    }
  }
  const uint8_t width_shift = total <= UINT8_MAX ? 0 : (total <= UINT16_MAX ? 1 : 2);
  const std::size_t attributes = columns_.empty() ? 0 : static_cast<std::size_t>(columns_.back().attribute);
  out.reserve(out.size() + total + (attributes << width_shift) + attributes / 8 + 8);
  out.push_back(static_cast<char>(width_shift | (has_nulls ? kHasNulls : 0)));
  put_varint(out, schema_version_);
  put_varint(out, attributes);
  uint32_t end = 0;
  std::size_t next = 0;
  for (std::size_t attribute = 1; attribute <= attributes; ++attribute) {
    if (static_cast<std::size_t>(columns_[next].attribute) == attribute) {
      end += source.is_null(next) ? 0 : static_cast<uint32_t>(encoded_size(source, next, physicals_[next]));
      ++next;
    }
    append_offset(out, end, width_shift);
  }
  if (has_nulls) {
    const std::size_t bitmap = out.size();
    out.append((attributes + 7) / 8, '\0');
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      if (source.is_null(i)) {
        const auto bit = static_cast<std::size_t>(columns_[i].attribute - 1);
        out[bitmap + bit / 8] = static_cast<char>(out[bitmap + bit / 8] | (1 << (bit % 8)));
      }
    }
  }
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (!source.is_null(i)) {
      append_encoded(source, i, physicals_[i], out);
    }
  }
}

void RowEncoder::encode(std::span<const Value> values, Bytes& out) const {
  PANDO_ASSERT(values.size() == columns_.size(), "a value per column");
  encode_from(ValueSource{values}, out);
}

void RowEncoder::encode(std::span<const Vector* const> columns, std::size_t row, Bytes& out) const {
  PANDO_ASSERT(columns.size() == columns_.size(), "a vector per column");
  encode_from(RowSource{columns, row}, out);
}

RowDecoder::RowDecoder(std::vector<RowColumn> columns) : columns_(std::move(columns)) {
  for (const RowColumn& column : columns_) {
    PANDO_ASSERT(column.attribute > 0, "attributes are numbered from 1");
    physicals_.push_back(physical_of(column.type.oid));
  }
}

Status RowDecoder::decode(std::span<const ByteView> rows, std::span<Vector* const> outs) const {
  PANDO_ASSERT(rows.size() <= kVectorRows, "more rows than a vector holds");
  PANDO_ASSERT(outs.size() == columns_.size(), "a vector per column");
  std::array<RowHead, kVectorRows> heads;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (!read_head(rows[i], heads[i])) [[unlikely]] {
      return malformed();
    }
  }
  const std::span<const RowHead> used(heads.data(), rows.size());
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    Vector& out = *outs[c];
    out.reset_physical(physicals_[c]);
    out.reset(rows.size());
    const bool decoded =
        with_stored_type(physicals_[c], [&]<typename T>() { return decode_column<T>(columns_[c], used, out); });
    if (!decoded) {
      return malformed();
    }
  }
  return {};
}

Status RowDecoder::decode_row(ByteView row, std::vector<Value>& values) const {
  RowHead head;
  if (!read_head(row, head)) {
    return malformed();
  }
  values.clear();
  values.reserve(columns_.size());
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    uint32_t start = 0;
    uint32_t end = 0;
    switch (locate(head, static_cast<uint32_t>(columns_[c].attribute), start, end)) {
      case Place::kNull:
        values.push_back(Value::null());
        continue;
      case Place::kMissing:
        values.push_back(columns_[c].missing);
        continue;
      case Place::kMalformed:
        return malformed();
      case Place::kValue:
        break;
    }
    const bool decoded = with_stored_type(physicals_[c], [&]<typename T>() {
      if constexpr (std::is_same_v<T, StringRef>) {
        values.push_back(Value::of_bytes(Bytes(head.data + start, end - start)));
        return true;
      } else {
        T value{};
        if (!load_fixed(head, start, end, value)) {
          return false;
        }
        values.push_back(value_of_raw(physicals_[c], {reinterpret_cast<const char*>(&value), sizeof(value)}));
        return true;
      }
    });
    if (!decoded) {
      return malformed();
    }
  }
  return {};
}

Status RowDecoder::decode_into(ByteView row, std::span<Vector* const> outs, std::size_t index) const {
  RowHead head;
  if (!read_head(row, head)) {
    return malformed();
  }
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    Vector& out = *outs[c];
    uint32_t start = 0;
    uint32_t end = 0;
    switch (locate(head, static_cast<uint32_t>(columns_[c].attribute), start, end)) {
      case Place::kNull:
        out.set_null(index);
        continue;
      case Place::kMissing:
        out.set(index, columns_[c].missing);
        continue;
      case Place::kMalformed:
        return malformed();
      case Place::kValue:
        break;
    }
    const bool decoded = with_stored_type(physicals_[c], [&]<typename T>() {
      if constexpr (std::is_same_v<T, StringRef>) {
        out.set_bytes(index, {head.data + start, end - start});
        return true;
      } else {
        return load_fixed(head, start, end, out.data<T>()[index]);
      }
    });
    if (!decoded) {
      return malformed();
    }
  }
  return {};
}

Result<uint32_t> row_schema_version(ByteView row) {
  uint64_t version = 0;
  if (row.empty()) {
    return malformed();
  }
  ByteReader reader(row.substr(1));
  if (!reader.varint(version) || version > UINT32_MAX) {
    return malformed();
  }
  return static_cast<uint32_t>(version);
}

}  // namespace pando::types
