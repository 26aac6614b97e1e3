#include "types/array.h"

#include <algorithm>
#include <limits>

#include "base/codec.h"
#include "types/compare.h"
#include "types/record.h"

namespace pando::types {
namespace {

constexpr std::size_t kHeaderBytes = 6;
constexpr std::size_t kDimensionBytes = 8;

template <typename T>
T load(const char* from) {
  T value;
  std::memcpy(&value, from, sizeof(value));
  return value;
}

std::size_t bitmap_bytes(std::size_t size) { return (size + 7) / 8; }

// Number of elements by the header alone; nullopt when it cannot be right.
std::optional<std::size_t> element_count(ByteView packed, int dimensions) {
  if (dimensions == 0) {
    return 0;
  }
  std::size_t count = 1;
  for (int i = 0; i < dimensions; ++i) {
    const auto length = load<int32_t>(packed.data() + kHeaderBytes + static_cast<std::size_t>(i) * kDimensionBytes);
    if (length <= 0 || static_cast<std::size_t>(length) > kArrayElementsMax / count) {
      return std::nullopt;
    }
    count *= static_cast<std::size_t>(length);
  }
  return count;
}

}  // namespace

ArrayView::ArrayView(ByteView packed) {
  PANDO_ASSERT(packed.size() >= kHeaderBytes, "a packed array without its header");
  element_ = load<uint32_t>(packed.data());
  physical_ = physical_of(element_);
  dimensions_ = static_cast<uint8_t>(packed[4]);
  bounds_ = packed.data() + kHeaderBytes;
  size_ = dimensions_ == 0 ? 0 : 1;
  for (int i = 0; i < dimensions_; ++i) {
    size_ *= static_cast<std::size_t>(dimension(i).length);
  }
  const char* next = bounds_ + static_cast<std::size_t>(dimensions_) * kDimensionBytes;
  if (packed[5] != 0) {
    nulls_ = next;
    next += bitmap_bytes(size_);
  }
  elements_ = next;
}

bool ArrayView::check(ByteView packed) {
  if (packed.size() < kHeaderBytes) {
    return false;
  }
  const auto dimensions = static_cast<uint8_t>(packed[4]);
  const std::size_t bounds_end = kHeaderBytes + dimensions * kDimensionBytes;
  if (dimensions > kArrayDimensionsMax || packed.size() < bounds_end) {
    return false;
  }
  const auto count = element_count(packed, dimensions);
  if (!count) {
    return false;
  }
  const bool has_nulls = packed[5] != 0;
  const std::size_t elements_start = bounds_end + (has_nulls ? bitmap_bytes(*count) : 0);
  if (packed.size() < elements_start) {
    return false;
  }
  const std::size_t rest = packed.size() - elements_start;
  const Physical physical = physical_of(load<uint32_t>(packed.data()));
  if (physical != Physical::kBytes) {
    return rest == *count * physical_size(physical);
  }
  if (rest < *count * sizeof(uint32_t)) {
    return false;
  }
  uint32_t before = 0;
  for (std::size_t i = 0; i < *count; ++i) {
    const auto end = load<uint32_t>(packed.data() + elements_start + i * sizeof(uint32_t));
    if (end < before) {
      return false;
    }
    before = end;
  }
  return rest == *count * sizeof(uint32_t) + before;
}

ArrayDimension ArrayView::dimension(int i) const {
  const char* place = bounds_ + static_cast<std::size_t>(i) * kDimensionBytes;
  return {load<int32_t>(place), load<int32_t>(place + sizeof(int32_t))};
}

ByteView ArrayView::bytes_at(std::size_t i) const {
  const uint32_t start = i == 0 ? 0 : load<uint32_t>(elements_ + (i - 1) * sizeof(uint32_t));
  const auto end = load<uint32_t>(elements_ + i * sizeof(uint32_t));
  return {elements_ + size_ * sizeof(uint32_t) + start, end - start};
}

Value ArrayView::get(std::size_t i) const {
  if (is_null(i)) {
    return Value::null();
  }
  if (physical_ == Physical::kBytes) {
    return Value::of_bytes(Bytes(bytes_at(i)));
  }
  const std::size_t width = physical_size(physical_);
  return value_of_raw(physical_, {elements_ + i * width, width});
}

void ArrayView::copy_to(std::size_t i, Vector& out, std::size_t row) const {
  if (is_null(i)) {
    out.set_null(row);
  } else if (physical_ == Physical::kBytes) {
    out.set_bytes(row, bytes_at(i));
  } else {
    const std::size_t width = physical_size(physical_);
    std::memcpy(out.data<char>() + row * width, elements_ + i * width, width);
  }
}

ArrayBuilder::ArrayBuilder(Oid element) : element_(element), physical_(physical_of(element)) {}

void ArrayBuilder::mark_null(bool null) {
  if (null && !has_nulls_) {
    has_nulls_ = true;
    nulls_.assign(size_, 0);
  }
  if (has_nulls_) {
    nulls_.push_back(null ? 1 : 0);
  }
  ++size_;
}

void ArrayBuilder::add_null() {
  if (physical_ == Physical::kBytes) {
    ends_.push_back(static_cast<uint32_t>(elements_.size()));
  } else {
    elements_.append(physical_size(physical_), '\0');
  }
  mark_null(true);
}

void ArrayBuilder::add_bytes(ByteView bytes) {
  elements_.append(bytes);
  ends_.push_back(static_cast<uint32_t>(elements_.size()));
  mark_null(false);
}

void ArrayBuilder::add(const Value& value) {
  if (value.is_null()) {
    add_null();
  } else if (physical_ == Physical::kBytes) {
    add_bytes(value.bytes());
  } else {
    append_raw(value, elements_);
    mark_null(false);
  }
}

void ArrayBuilder::add_from(const Vector& vector, std::size_t row) {
  if (vector.is_null(row)) {
    add_null();
  } else if (physical_ == Physical::kBytes) {
    add_bytes(vector.bytes_at(row));
  } else {
    const std::size_t width = physical_size(physical_);
    elements_.append(vector.data<char>() + vector.slot(row) * width, width);
    mark_null(false);
  }
}

void ArrayBuilder::add_from(const ArrayView& array, std::size_t i) {
  if (array.is_null(i)) {
    add_null();
  } else if (physical_ == Physical::kBytes) {
    add_bytes(array.bytes_at(i));
  } else {
    add(array.get(i));
  }
}

Result<Bytes> ArrayBuilder::finish() {
  if (size_ == 0) {
    return finish({});
  }
  const ArrayDimension dimension{static_cast<int32_t>(size_), 1};
  return finish({&dimension, 1});
}

Result<Bytes> ArrayBuilder::finish(std::span<const ArrayDimension> dimensions) {
  if (size_ > kArrayElementsMax || elements_.size() > std::numeric_limits<int32_t>::max() / 2) {
    return Status(sql_state::kProgramLimitExceeded, "array size exceeds the maximum allowed ({})", kArrayElementsMax);
  }
  Bytes out;
  out.reserve(kHeaderBytes + dimensions.size() * kDimensionBytes + size_ * sizeof(uint32_t) + elements_.size());
  put_fixed32(out, element_);
  out.push_back(static_cast<char>(size_ == 0 ? 0 : dimensions.size()));
  out.push_back(has_nulls_ ? 1 : 0);
  if (size_ == 0) {
    return out;
  }
  for (const ArrayDimension& dimension : dimensions) {
    put_fixed32(out, static_cast<uint32_t>(dimension.length));
    put_fixed32(out, static_cast<uint32_t>(dimension.lower));
  }
  if (has_nulls_) {
    const std::size_t start = out.size();
    out.append(bitmap_bytes(size_), '\0');
    for (std::size_t i = 0; i < size_; ++i) {
      if (nulls_[i] != 0) {
        out[start + i / 8] = static_cast<char>(out[start + i / 8] | (1 << (i % 8)));
      }
    }
  }
  for (const uint32_t end : ends_) {
    put_fixed32(out, end);
  }
  out.append(elements_);
  return out;
}

Bytes empty_array(Oid element) {
  Bytes out;
  put_fixed32(out, element);
  out.push_back(0);
  out.push_back(0);
  return out;
}

std::strong_ordering compare_arrays(const ArrayView& a, const ArrayView& b) {
  const std::size_t common = std::min(a.size(), b.size());
  for (std::size_t i = 0; i < common; ++i) {
    if (a.is_null(i) || b.is_null(i)) {
      if (a.is_null(i) != b.is_null(i)) {
        return a.is_null(i) ? std::strong_ordering::greater : std::strong_ordering::less;
      }
      continue;
    }
    const auto order = a.element_physical() == Physical::kBytes
                           ? compare_bytes(a.element_type(), a.bytes_at(i), b.bytes_at(i))
                           : compare_values(a.element_type(), a.get(i), b.get(i));
    if (order != 0) {
      return order;
    }
  }
  if (a.size() != b.size()) {
    return a.size() <=> b.size();
  }
  if (a.dimensions() != b.dimensions()) {
    return a.dimensions() <=> b.dimensions();
  }
  for (int i = 0; i < a.dimensions(); ++i) {
    if (a.dimension(i).length != b.dimension(i).length) {
      return a.dimension(i).length <=> b.dimension(i).length;
    }
  }
  for (int i = 0; i < a.dimensions(); ++i) {
    if (a.dimension(i).lower != b.dimension(i).lower) {
      return a.dimension(i).lower <=> b.dimension(i).lower;
    }
  }
  return std::strong_ordering::equal;
}

bool array_contains(const ArrayView& container, const ArrayView& contained) {
  for (std::size_t i = 0; i < contained.size(); ++i) {
    // NULL is contained in nothing.
    if (contained.is_null(i) || !array_find(container, contained.get(i))) {
      return false;
    }
  }
  return true;
}

bool arrays_overlap(const ArrayView& a, const ArrayView& b) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!a.is_null(i) && array_find(b, a.get(i))) {
      return true;
    }
  }
  return false;
}

uint64_t hash_array(const ArrayView& array) {
  uint64_t hash = 1;
  for (std::size_t i = 0; i < array.size(); ++i) {
    const uint64_t element = array.is_null(i) ? 0 : hash_value(array.element_type(), array.get(i));
    hash = hash * 31 + element;
  }
  return mix_hash(hash);
}

std::optional<std::size_t> array_find(const ArrayView& array, const Value& element, std::size_t start) {
  for (std::size_t i = start; i < array.size(); ++i) {
    if (element.is_null() || array.is_null(i)) {
      if (element.is_null() && array.is_null(i)) {
        return i;
      }
      continue;
    }
    const bool equal = array.element_physical() == Physical::kBytes
                           ? equal_bytes(array.element_type(), array.bytes_at(i), element.bytes())
                           : equal_values(array.element_type(), array.get(i), element);
    if (equal) {
      return i;
    }
  }
  return std::nullopt;
}

}  // namespace pando::types
