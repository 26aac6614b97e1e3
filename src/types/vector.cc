#include "types/vector.h"

#include <algorithm>

namespace pando::types {
namespace {

constexpr std::size_t kFirstBlockBytes = 1_KiB;
constexpr std::size_t kBlockBytesMax = 256_KiB;

// Calls `visit` with a null pointer of the C++ type that stores a value of `physical`.
template <typename Visit>
decltype(auto) with_stored_type(Physical physical, Visit visit) {
  switch (physical) {
    case Physical::kBool:
      return visit(static_cast<uint8_t*>(nullptr));
    case Physical::kInt16:
      return visit(static_cast<int16_t*>(nullptr));
    case Physical::kInt32:
      return visit(static_cast<int32_t*>(nullptr));
    case Physical::kUint32:
      return visit(static_cast<uint32_t*>(nullptr));
    case Physical::kInt64:
      return visit(static_cast<int64_t*>(nullptr));
    case Physical::kFloat32:
      return visit(static_cast<float*>(nullptr));
    case Physical::kFloat64:
      return visit(static_cast<double*>(nullptr));
    case Physical::kInterval:
      return visit(static_cast<Interval*>(nullptr));
    case Physical::kUuid:
      return visit(static_cast<Uuid*>(nullptr));
    case Physical::kBytes:
      return visit(static_cast<StringRef*>(nullptr));
  }
  PANDO_UNREACHABLE("a physical form out of range");
}

template <typename T>
void gather_values(const T* from, const uint32_t* rows, std::size_t count, T* to) {
  for (std::size_t i = 0; i < count; ++i) {
    to[i] = from[rows[i]];
  }
}

}  // namespace

std::size_t physical_size(Physical physical) {
  return with_stored_type(physical, [](auto* type) { return sizeof(*type); });
}

void Vector::reset(std::size_t size) {
  PANDO_ASSERT(size <= kVectorRows, "a vector of too many rows");
  const std::size_t bytes_needed = std::max<std::size_t>(size, 1) * physical_size(physical_);
  if (values_ == nullptr || values_.use_count() > 1) {
    values_ = std::make_shared<Buffer>();
  }
  if (values_->bytes.size() < bytes_needed) {
    values_->bytes.resize(bytes_needed);
  }
  if (physical_ == Physical::kBytes) {
    std::memset(values_->bytes.data(), 0, bytes_needed);
    if (blocks_ != nullptr && blocks_.use_count() == 1) {
      blocks_->shared.clear();
      if (blocks_->owned.size() > 1) {
        // Keep the last block: it is the largest.
        blocks_->owned.erase(blocks_->owned.begin(), blocks_->owned.end() - 1);
        blocks_->total = blocks_->capacity;
      }
      blocks_->used = 0;
    } else {
      blocks_ = nullptr;
    }
  } else {
    blocks_ = nullptr;
  }
  constant_ = false;
  has_nulls_ = false;
  size_ = static_cast<uint32_t>(size);
}

void Vector::reset_constant(const Value& value, std::size_t size) {
  reset(1);
  set(0, value);
  constant_ = true;
  size_ = static_cast<uint32_t>(size);
}

void Vector::resize(std::size_t size) {
  PANDO_ASSERT(constant_ || size <= size_, "a flat vector cannot grow");
  size_ = static_cast<uint32_t>(size);
}

void Vector::set_null(std::size_t row) {
  if (!has_nulls_) {
    if (nulls_ == nullptr || nulls_.use_count() > 1) {
      nulls_ = std::make_shared<Buffer>();
    }
    nulls_->bytes.assign(std::max<std::size_t>(constant_ ? 1 : size_, 1), 0);
    has_nulls_ = true;
  }
  nulls_->bytes[slot(row)] = 1;
}

char* Vector::allocate_bytes(std::size_t size) {
  if (blocks_ == nullptr) {
    blocks_ = std::make_shared<Blocks>();
  }
  Blocks& blocks = *blocks_;
  if (blocks.owned.empty() || blocks.capacity - blocks.used < size) {
    const std::size_t grown = blocks.capacity == 0 ? kFirstBlockBytes : std::min(blocks.capacity * 2, kBlockBytesMax);
    blocks.capacity = std::max(grown, size);
    blocks.owned.push_back(std::make_unique_for_overwrite<char[]>(blocks.capacity));
    blocks.total += blocks.capacity;
    blocks.used = 0;
  }
  char* place = blocks.owned.back().get() + blocks.used;
  blocks.used += size;
  return place;
}

void Vector::set_bytes(std::size_t row, ByteView bytes) {
  PANDO_ASSERT(physical_ == Physical::kBytes, "bytes for a vector of another form");
  char* place = nullptr;
  if (!bytes.empty()) {
    place = allocate_bytes(bytes.size());
    std::memcpy(place, bytes.data(), bytes.size());
  }
  data<StringRef>()[slot(row)] = {place, static_cast<uint32_t>(bytes.size())};
}

void Vector::share_blocks(const Vector& other) {
  if (other.blocks_ == nullptr || other.blocks_ == blocks_) {
    return;
  }
  if (blocks_ == nullptr) {
    blocks_ = std::make_shared<Blocks>();
  }
  if (other.blocks_->owned.empty()) {
    // Take what it borrows rather than itself, so that chains of gathers stay one deep.
    blocks_->shared.insert(blocks_->shared.end(), other.blocks_->shared.begin(), other.blocks_->shared.end());
    return;
  }
  if (blocks_->shared.empty() || blocks_->shared.back() != other.blocks_) {
    blocks_->shared.push_back(other.blocks_);
  }
}

Value Vector::get(std::size_t row) const {
  if (is_null(row)) {
    return Value::null();
  }
  switch (physical_) {
    case Physical::kBool:
      return Value::of_bool(at<uint8_t>(row) != 0);
    case Physical::kInt16:
      return Value::of_int16(at<int16_t>(row));
    case Physical::kInt32:
      return Value::of_int32(at<int32_t>(row));
    case Physical::kUint32:
      return Value::of_uint32(at<uint32_t>(row));
    case Physical::kInt64:
      return Value::of_int64(at<int64_t>(row));
    case Physical::kFloat32:
      return Value::of_float32(at<float>(row));
    case Physical::kFloat64:
      return Value::of_float64(at<double>(row));
    case Physical::kInterval:
      return Value::of_interval(at<Interval>(row));
    case Physical::kUuid:
      return Value::of_uuid(at<Uuid>(row));
    case Physical::kBytes:
      return Value::of_bytes(Bytes(bytes_at(row)));
  }
  PANDO_UNREACHABLE("a physical form out of range");
}

void Vector::set(std::size_t row, const Value& value) {
  PANDO_ASSERT(!constant_, "writing a row of a constant vector");
  if (value.is_null()) {
    set_null(row);
    return;
  }
  if (physical_ == Physical::kBytes) {
    set_bytes(row, value.bytes());
    return;
  }
  with_stored_type(physical_, [&]<typename T>(T*) {
    if constexpr (std::is_same_v<T, uint8_t>) {
      data<uint8_t>()[row] = value.as<bool>() ? 1 : 0;
    } else if constexpr (!std::is_same_v<T, StringRef>) {
      data<T>()[row] = value.as<T>();
    }
  });
}

void Vector::set_from(std::size_t row, const Vector& other, std::size_t from) {
  PANDO_ASSERT(physical_ == other.physical_, "copying between physical forms");
  if (other.is_null(from)) {
    set_null(row);
    return;
  }
  if (physical_ == Physical::kBytes) {
    set_bytes(row, other.bytes_at(from));
    return;
  }
  const std::size_t width = physical_size(physical_);
  std::memcpy(values_->bytes.data() + row * width, other.values_->bytes.data() + other.slot(from) * width, width);
}

void Vector::gather(const Vector& source, const uint32_t* rows, std::size_t count) {
  if (source.constant_) {
    *this = source;
    size_ = static_cast<uint32_t>(count);
    return;
  }
  if (&source == this || values_ == source.values_) {
    const Vector kept = source;
    values_ = nullptr;
    nulls_ = nullptr;
    blocks_ = nullptr;
    gather(kept, rows, count);
    return;
  }
  physical_ = source.physical_;
  reset(count);
  with_stored_type(physical_, [&]<typename T>(T*) { gather_values(source.data<T>(), rows, count, data<T>()); });
  share_blocks(source);
  if (!source.has_nulls_) {
    return;
  }
  const uint8_t* nulls = source.nulls();
  for (std::size_t i = 0; i < count; ++i) {
    if (nulls[rows[i]] != 0) {
      set_null(i);
    }
  }
}

void Vector::flatten() {
  if (!constant_) {
    return;
  }
  const std::size_t rows = size_;
  PANDO_ASSERT(rows <= kVectorRows, "a vector of too many rows");
  const bool null = is_null(0);
  const std::size_t width = physical_size(physical_);
  auto values = std::make_shared<Buffer>();
  values->bytes.resize(std::max<std::size_t>(rows, 1) * width);
  for (std::size_t i = 0; i < rows; ++i) {
    std::memcpy(values->bytes.data() + i * width, values_->bytes.data(), width);
  }
  values_ = std::move(values);
  constant_ = false;
  if (null) {
    nulls_ = std::make_shared<Buffer>();
    nulls_->bytes.assign(std::max<std::size_t>(rows, 1), 1);
  }
}

std::size_t Vector::memory_bytes() const {
  std::size_t total = sizeof(*this);
  total += values_ != nullptr ? values_->bytes.capacity() : 0;
  total += nulls_ != nullptr ? nulls_->bytes.capacity() : 0;
  if (blocks_ != nullptr) {
    total += blocks_->total;
    for (const auto& shared : blocks_->shared) {
      total += shared->total;
    }
  }
  return total;
}

}  // namespace pando::types
