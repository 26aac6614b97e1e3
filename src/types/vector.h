#pragma once

// Vector: up to kVectorRows values of one physical form, with NULLs: the unit of execution. Chunk: the columns of some
// rows.
//
//   Vector sums(Physical::kInt64);
//   sums.reset(rows);
//   auto* out = sums.data<int64_t>();
//   for (size_t i = 0; i < rows; ++i) out[i] = a[i] + b[i];
//
// A vector is flat (a value per row) or constant (one value for every row: size() rows, but only index 0 is stored).
// Buffers are shared between copies, so passing a column on costs no copying; reset() gives the vector buffers of its
// own when they are shared, and reuses them when they are not, so a loop that resets and fills allocates nothing. Byte
// strings lie in blocks that the vector keeps alive; a copied StringRef is valid while any vector shares them.
// Thread-safety: as a value type whose copies share immutable data. Do not write to a vector that has been copied
// before reset().

#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

#include "base/assert.h"
#include "base/bytes.h"
#include "types/type.h"
#include "types/value.h"

namespace pando::types {

inline constexpr std::size_t kVectorRows = 2048;

// A borrowed byte string inside a Vector.
struct StringRef {
  const char* data = nullptr;
  uint32_t size = 0;
  ByteView view() const { return {data, size}; }
};

std::size_t physical_size(Physical physical);

class Vector {
 public:
  explicit Vector(Physical physical = Physical::kInt32) : physical_(physical) {}

  Physical physical() const { return physical_; }
  std::size_t size() const { return size_; }
  bool is_constant() const { return constant_; }

  // Makes it a flat vector of `size` rows, not null, with unspecified values, ready to be written.
  // REQUIRES: size <= kVectorRows.
  void reset(std::size_t size);
  // Makes it constant: `value` for each of `size` rows.
  void reset_constant(const Value& value, std::size_t size);
  void reset_physical(Physical physical) { physical_ = physical; }
  // Changes the row count of a constant vector, or drops rows from the end of a flat one.
  void resize(std::size_t size);

  // The stored values; for kBytes T is StringRef. Index with slot(row).
  template <typename T>
  T* data() {
    return reinterpret_cast<T*>(values_->bytes.data());
  }
  template <typename T>
  const T* data() const {
    return reinterpret_cast<const T*>(values_->bytes.data());
  }
  std::size_t slot(std::size_t row) const { return constant_ ? 0 : row; }

  bool has_nulls() const { return has_nulls_; }
  bool is_null(std::size_t row) const { return has_nulls_ && nulls_->bytes[slot(row)] != 0; }
  // One byte per row, 1 for NULL; nullptr when there are none.
  const uint8_t* nulls() const { return has_nulls_ ? reinterpret_cast<const uint8_t*>(nulls_->bytes.data()) : nullptr; }
  void set_null(std::size_t row);

  template <typename T>
  const T& at(std::size_t row) const {
    return data<T>()[slot(row)];
  }
  ByteView bytes_at(std::size_t row) const { return data<StringRef>()[slot(row)].view(); }

  // Copies `bytes` into the vector's own blocks and stores the reference at `row`.
  void set_bytes(std::size_t row, ByteView bytes);
  // Reserves `size` bytes in the vector's own blocks for the caller to fill.
  char* allocate_bytes(std::size_t size);
  // Keeps the blocks that `other`'s byte strings lie in alive, so that its StringRefs may be stored here.
  void share_blocks(const Vector& other);

  Value get(std::size_t row) const;
  // REQUIRES: flat; `value` is NULL or of this physical form.
  void set(std::size_t row, const Value& value);
  // Copies row `from` of `other` to row `row` of this, byte strings included. REQUIRES: the same physical form.
  void set_from(std::size_t row, const Vector& other, std::size_t from);

  // Makes this the rows of `source` at `rows` (of `count`), sharing byte strings.
  void gather(const Vector& source, const uint32_t* rows, std::size_t count);
  // Makes a constant vector flat; nothing for a flat one.
  void flatten();
  // Bytes held, shared or not: for memory budgets.
  std::size_t memory_bytes() const;

 private:
  struct Buffer {
    alignas(16) std::vector<char> bytes;
  };
  struct Blocks {
    std::vector<std::unique_ptr<char[]>> owned;
    std::vector<std::shared_ptr<const Blocks>> shared;
    std::size_t used = 0;
    std::size_t capacity = 0;
    std::size_t total = 0;
  };

  Physical physical_;
  bool constant_ = false;
  bool has_nulls_ = false;
  uint32_t size_ = 0;
  std::shared_ptr<Buffer> values_;
  std::shared_ptr<Buffer> nulls_;
  std::shared_ptr<Blocks> blocks_;
};

// Columns of the same number of rows. A chunk without columns still counts rows.
struct Chunk {
  std::vector<Vector> columns;
  std::size_t rows = 0;
};

}  // namespace pando::types
