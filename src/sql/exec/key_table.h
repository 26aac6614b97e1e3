#pragma once

// KeyTable: numbers distinct keys 0, 1, 2, ... in the order they first come: the hash table of joins, aggregation,
// DISTINCT and set operations. Open addressing; keys lie in an arena.
// Thread-safety: one thread at a time.

#include <memory>
#include <vector>

#include "base/bytes.h"
#include "types/compare.h"

namespace pando::sql::exec {

class KeyTable {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;

  KeyTable() { clear(); }
  void clear();

  // The number of `key`, adding it when it is new.
  uint32_t find_or_add(ByteView key, bool& added) { return find_or_add(key, types::hash_of_bytes(key), added); }
  uint32_t find_or_add(ByteView key, uint64_t hash, bool& added);
  // kNone when it is not there.
  uint32_t find(ByteView key) const { return find(key, types::hash_of_bytes(key)); }
  uint32_t find(ByteView key, uint64_t hash) const;
  ByteView key(uint32_t number) const { return keys_[number]; }

  std::size_t size() const { return keys_.size(); }
  std::size_t memory_bytes() const {
    return arena_bytes_ + slots_.size() * sizeof(Slot) + keys_.capacity() * sizeof(ByteView);
  }

 private:
  struct Slot {
    uint32_t tag = 0;  // high bits of the hash, to skip most comparisons
    uint32_t number = kNone;
  };
  void grow();
  ByteView store(ByteView key);

  std::vector<Slot> slots_;
  std::vector<ByteView> keys_;
  std::vector<uint64_t> hashes_;
  std::vector<std::unique_ptr<char[]>> blocks_;
  std::size_t block_used_ = 0;
  std::size_t block_size_ = 0;
  std::size_t arena_bytes_ = 0;
};

}  // namespace pando::sql::exec
