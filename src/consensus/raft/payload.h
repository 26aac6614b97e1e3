#pragma once

// Payload: immutable bytes shared between the log, the messages in flight and whoever applies them. Several payloads
// may lie in one block, so that a message of many entries is received with one allocation.
//
//   Payload one = Payload::copy_of(bytes);
//   PayloadBlock block(total); Payload first = block.add(bytes); Payload second = block.add(more);
//
// A null payload is not the same as an empty one. Copying is safe from any thread.

#include <atomic>
#include <cstring>
#include <new>
#include <utility>

#include "base/assert.h"
#include "base/bytes.h"

namespace pando::raft {

class Payload {
 public:
  Payload() = default;
  // NOLINTNEXTLINE(google-explicit-constructor)
  Payload(std::nullptr_t) {}
  static Payload copy_of(ByteView bytes);

  Payload(const Payload& other) : block_(other.block_), data_(other.data_), size_(other.size_) { retain(); }
  Payload(Payload&& other) noexcept
      : block_(std::exchange(other.block_, nullptr)), data_(other.data_), size_(std::exchange(other.size_, 0)) {}
  Payload& operator=(Payload other) noexcept {
    std::swap(block_, other.block_);
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~Payload() { release(); }

  std::size_t size() const { return size_; }
  // Lives as long as this payload, or a copy of it.
  ByteView view() const { return {data_, size_}; }
  ByteView operator*() const { return view(); }
  explicit operator bool() const { return block_ != nullptr; }
  friend bool operator==(const Payload& a, std::nullptr_t) { return a.block_ == nullptr; }
  friend bool operator==(const Payload& a, const Payload& b) {
    return (a == nullptr) == (b == nullptr) && a.view() == b.view();
  }

 private:
  friend class PayloadBlock;
  friend class Entries;
  friend class EntryBlock;
  // Followed by the bytes. Freed as a whole by the last owner.
  struct Block {
    std::atomic<uint32_t> owners{1};
  };

  Payload(Block* block, const char* data, std::size_t size)
      : block_(block), data_(data), size_(static_cast<uint32_t>(size)) {
    retain();
  }
  void retain() {
    if (block_ != nullptr) {
      block_->owners.fetch_add(1, std::memory_order_relaxed);
    }
  }
  // Becomes bytes in `block` without owning it, and must not be destroyed; its copies are owners. REQUIRES: null.
  void place(Block* block, const char* data, std::size_t size) {
    PANDO_ASSERT(size <= UINT32_MAX, "a payload is less than 4 GiB");
    block_ = block;
    data_ = data;
    size_ = static_cast<uint32_t>(size);
  }
  void release() { release(block_); }
  static void release(Block* block) {
    // Whoever is the only owner need not ask.
    if (block != nullptr && (block->owners.load(std::memory_order_acquire) == 1 ||
                             block->owners.fetch_sub(1, std::memory_order_acq_rel) == 1)) {
      block->~Block();
      ::operator delete(block);
    }
  }

  Block* block_ = nullptr;
  const char* data_ = nullptr;
  uint32_t size_ = 0;
};

// Room for several payloads, filled by one thread before any of them is shared.
class PayloadBlock {
 public:
  explicit PayloadBlock(std::size_t bytes)
      : block_(new(::operator new(sizeof(Payload::Block) + bytes)) Payload::Block()),
        next_(reinterpret_cast<char*>(block_ + 1)),
        end_(next_ + bytes) {}
  ~PayloadBlock() { Payload::release(block_); }
  PayloadBlock(const PayloadBlock&) = delete;
  PayloadBlock& operator=(const PayloadBlock&) = delete;

  Payload add(ByteView bytes) {
    PANDO_ASSERT(bytes.size() <= static_cast<std::size_t>(end_ - next_), "the block has room for what is added");
    PANDO_ASSERT(bytes.size() <= UINT32_MAX, "a payload is less than 4 GiB");
    if (!bytes.empty()) {
      std::memcpy(next_, bytes.data(), bytes.size());
    }
    return {block_, std::exchange(next_, next_ + bytes.size()), bytes.size()};
  }

 private:
  Payload::Block* block_;
  char* next_;
  char* end_;
};

inline Payload Payload::copy_of(ByteView bytes) { return PayloadBlock(bytes.size()).add(bytes); }

}  // namespace pando::raft
