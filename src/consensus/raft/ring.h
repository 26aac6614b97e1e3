#pragma once

// Ring<T>: a queue in one block of memory that takes none while it is empty. A node keeps several per consensus group
// and tens of thousands of groups, so what an idle queue costs matters. T is default-constructible and movable.

#include <cstddef>
#include <utility>
#include <vector>

#include "base/assert.h"

namespace pando::raft {

template <typename T>
class Ring {
 public:
  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }

  T& operator[](std::size_t i) { return slots_[(begin_ + i) & (slots_.size() - 1)]; }
  const T& operator[](std::size_t i) const { return slots_[(begin_ + i) & (slots_.size() - 1)]; }
  T& front() { return checked(0); }
  const T& front() const { return const_cast<Ring*>(this)->checked(0); }
  T& back() { return checked(size_ - 1); }
  const T& back() const { return const_cast<Ring*>(this)->checked(size_ - 1); }

  void push_back(T value) {
    if (size_ == slots_.size()) {
      grow();
    }
    ++size_;
    (*this)[size_ - 1] = std::move(value);
  }
  void pop_front() { drop_front(1); }
  void drop_front(std::size_t count) {
    PANDO_ASSERT(count <= size_, "no more is dropped than there is");
    for (std::size_t i = 0; i < count; ++i) {
      (*this)[i] = T();
    }
    begin_ = slots_.empty() ? 0 : (begin_ + count) & (slots_.size() - 1);
    size_ -= count;
    release_if_empty();
  }
  void drop_back(std::size_t count) {
    PANDO_ASSERT(count <= size_, "no more is dropped than there is");
    for (std::size_t i = 0; i < count; ++i) {
      (*this)[size_ - 1 - i] = T();
    }
    size_ -= count;
    release_if_empty();
  }
  void clear() { drop_front(size_); }

 private:
  static constexpr std::size_t kSlotsMin = 4;
  // An empty queue keeps a block up to this size for the next use.
  static constexpr std::size_t kSlotsKept = 16;

  T& checked(std::size_t i) {
    PANDO_ASSERT(i < size_, "an element of the queue");
    return (*this)[i];
  }
  void grow() {
    std::vector<T> bigger(slots_.empty() ? kSlotsMin : slots_.size() * 2);
    for (std::size_t i = 0; i < size_; ++i) {
      bigger[i] = std::move((*this)[i]);
    }
    slots_ = std::move(bigger);
    begin_ = 0;
  }
  void release_if_empty() {
    if (size_ == 0 && slots_.size() > kSlotsKept) {
      slots_ = {};
      begin_ = 0;
    }
  }

  // A power of two of them.
  std::vector<T> slots_;
  std::size_t begin_ = 0;
  std::size_t size_ = 0;
};

}  // namespace pando::raft
