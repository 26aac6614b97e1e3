#pragma once

// Entries: a run of log entries, shared and not copied between the log, the messages and writes in flight, and whoever
// applies them. What is shared never changes.
//
//   EntryBlock block(count, bytes);                       // one allocation for entries and their payloads
//   block.add(term, index, type, payload_bytes);          // as often as there is room
//   Entries all = std::move(block).take();
//   Entries tail = all.part(1, all.size() - 1);           // shares
//
// A run keeps the whole block alive that it is part of. Copying and destroying is safe from any thread.

#include <algorithm>
#include <atomic>
#include <cstring>
#include <vector>

#include "consensus/raft/types.h"

namespace pando::raft {

class Entries {
 public:
  using value_type = Entry;
  using const_iterator = const Entry*;

  Entries() = default;
  // NOLINTNEXTLINE(google-explicit-constructor)
  Entries(std::vector<Entry> entries);
  Entries(std::initializer_list<Entry> entries) : Entries(std::vector<Entry>(entries)) {}

  Entries(const Entries& other) : block_(other.block_), data_(other.data_), size_(other.size_) {
    if (block_ != nullptr) {
      block_->owners.fetch_add(1, std::memory_order_relaxed);
    }
  }
  Entries(Entries&& other) noexcept
      : block_(std::exchange(other.block_, nullptr)), data_(other.data_), size_(std::exchange(other.size_, 0)) {}
  Entries& operator=(const Entries& other) { return *this = Entries(other); }
  Entries& operator=(Entries&& other) noexcept {
    release(std::exchange(block_, std::exchange(other.block_, nullptr)));
    data_ = other.data_;
    size_ = std::exchange(other.size_, 0);
    return *this;
  }
  ~Entries() { release(block_); }

  void reset() {
    release(std::exchange(block_, nullptr));
    size_ = 0;
  }
  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }
  const Entry* data() const { return data_; }
  const Entry* begin() const { return data_; }
  const Entry* end() const { return data_ + size_; }
  const Entry& operator[](std::size_t i) const { return data_[i]; }
  const Entry& front() const { return checked(0); }
  const Entry& back() const { return checked(size_ - 1); }
  // `count` of them from place `from` on.
  Entries part(std::size_t from, std::size_t count) const {
    PANDO_ASSERT(from <= size_ && count <= size_ - from, "a part of the run");
    if (count == 0) {
      return {};
    }
    block_->owners.fetch_add(1, std::memory_order_relaxed);
    return {block_, data_ + from, count};
  }

  friend bool operator==(const Entries& a, const Entries& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end());
  }

 private:
  friend class EntryBlock;
  friend class Log;

  // Followed by room for `capacity` entries, and then by payloads. The entries live as long as `owners`; the memory as
  // long as `memory`, which is owned by the entries together, and by every copy that was made of a payload in it.
  struct alignas(Entry) Block {
    Payload::Block memory;
    std::atomic<uint32_t> owners{1};
    uint32_t capacity = 0;
    uint32_t count = 0;
    // Whether the payload of any entry lies outside of this block.
    bool outer = false;

    Entry* entries() { return reinterpret_cast<Entry*>(this + 1); }
  };

  Entries(Block* owned, const Entry* data, std::size_t size)
      : block_(owned), data_(data), size_(static_cast<uint32_t>(size)) {}
  static void release(Block* block, uint32_t shares = 1) {
    // Whoever is the only owner need not ask.
    if (block != nullptr && (block->owners.load(std::memory_order_acquire) == shares ||
                             block->owners.fetch_sub(shares, std::memory_order_acq_rel) == shares)) {
      destroy(block);
    }
  }
  static void destroy(Block* block);
  const Entry& checked(std::size_t i) const {
    PANDO_ASSERT(i < size_, "an entry of the run");
    return data_[i];
  }

  Block* block_ = nullptr;
  const Entry* data_ = nullptr;
  uint32_t size_ = 0;
};

// The sum over the entries.
inline std::size_t payload_bytes(const Entries& entries) {
  std::size_t bytes = 0;
  for (const Entry& entry : entries) {
    bytes += entry.payload_bytes();
  }
  return bytes;
}

// Fills a block. One thread; what is added lies behind what may be shared already.
//
// Whoever hands out many runs of the block takes `shares` of it in advance and lends them: that, and taking them back,
// then costs no atomic operation.
class EntryBlock {
 public:
  // Holds nothing, and has room for nothing.
  EntryBlock() = default;
  EntryBlock(std::size_t entries_max, std::size_t bytes_max, uint32_t shares = 0);
  ~EntryBlock() { Entries::release(block_, 1 + shares_); }
  EntryBlock(EntryBlock&& other) noexcept
      : block_(std::exchange(other.block_, nullptr)),
        next_byte_(other.next_byte_),
        end_(other.end_),
        shares_(other.shares_) {}
  EntryBlock& operator=(EntryBlock&& other) noexcept {
    std::swap(block_, other.block_);
    std::swap(next_byte_, other.next_byte_);
    std::swap(end_, other.end_);
    std::swap(shares_, other.shares_);
    return *this;
  }
  EntryBlock(const EntryBlock&) = delete;
  EntryBlock& operator=(const EntryBlock&) = delete;

  std::size_t size() const { return block_ == nullptr ? 0 : block_->count; }
  std::size_t room() const { return block_ == nullptr ? 0 : block_->capacity - block_->count; }
  std::size_t room_bytes() const { return static_cast<std::size_t>(end_ - next_byte_); }
  // REQUIRES: room() > 0.
  void add(Entry entry) {
    PANDO_ASSERT(room() > 0, "the block has room for what is added");
    block_->outer = block_->outer || entry.payload != nullptr;
    new (block_->entries() + block_->count) Entry(std::move(entry));
    ++block_->count;
  }
  // Copies `payload` into the block. REQUIRES: room() > 0; room_bytes() >= payload.size().
  void add(Term term, LogIndex index, EntryType type, ByteView payload) {
    PANDO_ASSERT(room() > 0 && payload.size() <= room_bytes(), "the block has room for what is added");
    if (!payload.empty()) {
      std::memcpy(next_byte_, payload.data(), payload.size());
    }
    Entry* const added = new (block_->entries() + block_->count) Entry{.term = term, .index = index, .type = type};
    added->payload.place(&block_->memory, next_byte_, payload.size());
    next_byte_ += payload.size();
    ++block_->count;
  }
  // REQUIRES: no shares.
  Entries take() &&;

  bool holds(const Entries& run) const { return block_ != nullptr && run.block_ == block_; }
  // As Entries::part. REQUIRES: holds(run); count > 0.
  [[gnu::always_inline]] Entries lend(const Entries& run, std::size_t from, std::size_t count) {
    if (shares_ == 0) {
      return run.part(from, count);
    }
    --shares_;
    return {block_, run.data_ + from, count};
  }
  // REQUIRES: holds(run).
  void take_back(Entries&& run) {
    run.block_ = nullptr;
    run.size_ = 0;
    ++shares_;
  }

 private:
  friend class Log;
  Entries::Block* block_ = nullptr;
  char* next_byte_ = nullptr;
  char* end_ = nullptr;
  uint32_t shares_ = 0;
};

}  // namespace pando::raft
