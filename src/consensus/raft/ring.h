#pragma once

// Ring<T>: a queue in one block of memory that takes none while it is empty. A node keeps several per consensus group
// and tens of thousands of groups, so what an idle queue costs matters. T is default-constructible and movable.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>

#include "base/assert.h"

namespace pando::raft {

template <typename T>
class Ring {
 public:
  Ring() = default;
  Ring(const Ring& other) : capacity_(other.capacity_), size_(other.size_) {
    slots_ = capacity_ == 0 ? nullptr : std::make_unique<T[]>(capacity_);
    for (std::size_t i = 0; i < size_; ++i) {
      slots_[i] = other[i];
    }
  }
  Ring(Ring&& other) noexcept { swap(other); }
  Ring& operator=(Ring other) noexcept {
    swap(other);
    return *this;
  }

  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }

  T& operator[](std::size_t i) { return slots_[(begin_ + i) & (capacity_ - 1)]; }
  const T& operator[](std::size_t i) const { return slots_[(begin_ + i) & (capacity_ - 1)]; }
  T& front() { return checked(0); }
  const T& front() const { return const_cast<Ring*>(this)->checked(0); }
  T& back() { return checked(size_ - std::size_t{1}); }
  const T& back() const { return const_cast<Ring*>(this)->checked(size_ - std::size_t{1}); }

  void push_back(T value) {
    if (size_ == capacity_) {
      grow();
    }
    ++size_;
    (*this)[size_ - 1] = std::move(value);
  }
  void pop_front() {
    PANDO_ASSERT(size_ > 0, "an element of the queue");
    forget(0, 1);
    begin_ = (begin_ + 1) & (capacity_ - 1);
    --size_;
    release_if_empty();
  }
  void drop_front(std::size_t count) {
    PANDO_ASSERT(count <= size_, "no more is dropped than there is");
    forget(0, count);
    begin_ = capacity_ == 0 ? 0 : static_cast<uint32_t>((begin_ + count) & (capacity_ - 1));
    size_ -= static_cast<uint32_t>(count);
    release_if_empty();
  }
  void drop_back(std::size_t count) {
    PANDO_ASSERT(count <= size_, "no more is dropped than there is");
    forget(size_ - count, size_);
    size_ -= static_cast<uint32_t>(count);
    release_if_empty();
  }
  void clear() { drop_front(size_); }

 private:
  static constexpr uint32_t kSlotsMin = 4;
  // An empty queue keeps a block up to this size for the next use.
  static constexpr uint32_t kSlotsKept = 16;

  void swap(Ring& other) noexcept {
    std::swap(slots_, other.slots_);
    std::swap(capacity_, other.capacity_);
    std::swap(begin_, other.begin_);
    std::swap(size_, other.size_);
  }
  T& checked(std::size_t i) {
    PANDO_ASSERT(i < size_, "an element of the queue");
    return (*this)[i];
  }
  // What an element holds must not outlive its place in the queue.
  void forget(std::size_t from, std::size_t end) {
    if constexpr (!std::is_trivially_destructible_v<T>) {
      for (std::size_t i = from; i < end; ++i) {
        (*this)[i] = T();
      }
    }
  }
  void grow() {
    PANDO_ASSERT(capacity_ <= UINT32_MAX / 2, "a queue that fits into its counters");
    const uint32_t capacity = capacity_ == 0 ? kSlotsMin : capacity_ * 2;
    auto bigger = std::make_unique<T[]>(capacity);
    for (std::size_t i = 0; i < size_; ++i) {
      bigger[i] = std::move((*this)[i]);
    }
    slots_ = std::move(bigger);
    capacity_ = capacity;
    begin_ = 0;
  }
  void release_if_empty() {
    if (size_ == 0 && capacity_ > kSlotsKept) {
      slots_ = nullptr;
      capacity_ = 0;
      begin_ = 0;
    }
  }

  std::unique_ptr<T[]> slots_;
  // A power of two, or 0.
  uint32_t capacity_ = 0;
  uint32_t begin_ = 0;
  uint32_t size_ = 0;
};

}  // namespace pando::raft
