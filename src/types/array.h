#pragma once

// Arrays: any number of dimensions up to 6, lower bounds, NULL elements. The packed form lies in kBytes values:
//
//   u32 element oid | u8 dimensions | u8 has nulls | per dimension: i32 length, i32 lower bound
//   null bitmap (when has nulls): one bit per element, 1 for NULL
//   elements: fixed-width ones side by side (NULL as zeros); byte strings as u32 end offsets, then the bytes
//
// all little-endian, unaligned. An empty array has no dimensions. Equal arrays of equal elements are equal bytes.
// Thread-safety: ArrayView borrows immutable bytes.

#include <compare>
#include <optional>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"
#include "types/type.h"
#include "types/value.h"
#include "types/vector.h"

namespace pando::types {

inline constexpr int kArrayDimensionsMax = 6;
inline constexpr std::size_t kArrayElementsMax = 134217727;

struct ArrayDimension {
  int32_t length = 0;
  int32_t lower = 1;
  int32_t upper() const { return lower + length - 1; }
  friend bool operator==(const ArrayDimension&, const ArrayDimension&) = default;
};

// Reads a packed array in place. Every element is reachable in constant time.
class ArrayView {
 public:
  // REQUIRES: `packed` was made by ArrayBuilder or passed check().
  explicit ArrayView(ByteView packed);
  // Whether foreign bytes are a well-formed packed array.
  static bool check(ByteView packed);

  Oid element_type() const { return element_; }
  Physical element_physical() const { return physical_; }
  int dimensions() const { return dimensions_; }
  ArrayDimension dimension(int i) const;
  std::size_t size() const { return size_; }
  bool has_nulls() const { return nulls_ != nullptr; }

  bool is_null(std::size_t i) const {
    return nulls_ != nullptr && ((static_cast<uint8_t>(nulls_[i / 8]) >> (i % 8)) & 1) != 0;
  }
  // REQUIRES: not NULL and T is the element's stored form; not for byte strings.
  template <typename T>
  T at(std::size_t i) const {
    T value;
    std::memcpy(&value, elements_ + i * sizeof(T), sizeof(T));
    return value;
  }
  ByteView bytes_at(std::size_t i) const;
  Value get(std::size_t i) const;
  // Stores element i at `row` of a vector of the element's physical form.
  void copy_to(std::size_t i, Vector& out, std::size_t row) const;

 private:
  Oid element_ = 0;
  Physical physical_ = Physical::kBytes;
  int dimensions_ = 0;
  std::size_t size_ = 0;
  const char* bounds_ = nullptr;
  const char* nulls_ = nullptr;
  const char* elements_ = nullptr;
};

// Collects elements in row-major order.
class ArrayBuilder {
 public:
  explicit ArrayBuilder(Oid element);

  void add_null();
  void add(const Value& value);  // NULL or of the element's physical form
  void add_bytes(ByteView bytes);
  void add_from(const Vector& vector, std::size_t row);
  void add_from(const ArrayView& array, std::size_t i);
  std::size_t size() const { return size_; }

  // One dimension from 1, or no dimension when there is nothing. 54000 when too large.
  Result<Bytes> finish();
  // REQUIRES: the lengths multiply to size().
  Result<Bytes> finish(std::span<const ArrayDimension> dimensions);

 private:
  template <typename T>
  void add_fixed(T value);
  void mark_null(bool null);

  Oid element_;
  Physical physical_;
  std::size_t size_ = 0;
  bool has_nulls_ = false;
  std::vector<uint8_t> nulls_;
  std::vector<uint32_t> ends_;
  Bytes elements_;
};

Bytes empty_array(Oid element);

// ARRAY[a, b] of arrays: one more dimension. 2202E when the dimensions of the parts differ. NULL parts are allowed
// only when all are... they make no sub-array (PostgreSQL: 2202E).
Result<Bytes> stack_arrays(Oid element, std::span<const std::optional<ByteView>> parts);

// a[i], a[i][j]: nullopt (SQL NULL) outside the bounds or with a wrong number of subscripts.
std::optional<std::size_t> array_position_of(const ArrayView& array, std::span<const int32_t> subscripts);
// a[l:u]...: absent bounds are the array's own. Gives an empty array outside.
struct ArraySliceBound {
  std::optional<int32_t> lower;
  std::optional<int32_t> upper;
};
Result<Bytes> array_slice(const ArrayView& array, std::span<const ArraySliceBound> bounds);
// UPDATE SET a[i] = v: extends one-dimensional arrays, filling with NULL.
Result<Bytes> array_assign(const ArrayView& array, std::span<const int32_t> subscripts, const Value& value);
// UPDATE SET a[l:u] = b.
Result<Bytes> array_assign_slice(const ArrayView& array, std::span<const ArraySliceBound> bounds,
                                 const ArrayView& source);

Result<Bytes> array_append(const ArrayView& array, const Value& element);
Result<Bytes> array_prepend(const Value& element, const ArrayView& array);
Result<Bytes> array_concat(const ArrayView& a, const ArrayView& b);
// removes or replaces elements equal (NULL equal to NULL) to `from`.
Result<Bytes> array_remove(const ArrayView& array, const Value& element);
Result<Bytes> array_replace(const ArrayView& array, const Value& from, const Value& to);
// 0-based position of the first element equal to `element` at or after `start`.
std::optional<std::size_t> array_find(const ArrayView& array, const Value& element, std::size_t start = 0);

// Element by element, then number of elements, dimensions, bounds: PostgreSQL's btree order of arrays.
std::strong_ordering compare_arrays(const ArrayView& a, const ArrayView& b);
bool array_contains(const ArrayView& container, const ArrayView& contained);
bool arrays_overlap(const ArrayView& a, const ArrayView& b);
uint64_t hash_array(const ArrayView& array);

}  // namespace pando::types
