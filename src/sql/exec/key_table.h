#pragma once

// KeyTable: numbers distinct keys 0, 1, 2, ... in the order they first come: the hash table of joins, aggregation,
// DISTINCT and set operations. Open addressing. Keys are byte strings, which lie in an arena, or the words of RowKeys,
// which lie in the slots: one table has one form, that of its first key.
// Thread-safety: one thread at a time; const members from any number of threads while nobody adds.

#include <memory>
#include <vector>

#include "base/bytes.h"
#include "sql/exec/row_keys.h"
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
  uint32_t find_or_add(const RowKeys& keys, std::size_t row, bool& added) {
    return keys.is_word() ? find_or_add_word(keys.word(row), keys.null_mask(row), added)
                          : find_or_add(keys.key(row), added);
  }
  // kNone when it is not there.
  uint32_t find(ByteView key) const { return find(key, types::hash_of_bytes(key)); }
  uint32_t find(ByteView key, uint64_t hash) const;
  uint32_t find(const RowKeys& keys, std::size_t row) const {
    return keys.is_word() ? find_word(keys.word(row), keys.null_mask(row)) : find(keys.key(row));
  }

  // For all rows of `keys`: sets numbers[row], and appends the rows that brought new keys to `fresh`.
  void find_or_add_all(const RowKeys& keys, uint32_t* numbers, std::vector<uint32_t>& fresh);
  void find_all(const RowKeys& keys, uint32_t* numbers) const;
  // The number here of key `number` of another table of the same form.
  uint32_t find_or_add_from(const KeyTable& other, uint32_t number, bool& added);

  std::size_t size() const { return size_; }
  std::size_t memory_bytes() const {
    return arena_bytes_ + slots_.size() * sizeof(Slot) + keys_.capacity() * (sizeof(ByteView) + sizeof(uint64_t)) +
           word_slots_.size() * sizeof(WordSlot) + words_.capacity() * (sizeof(uint64_t) + 1);
  }

 private:
  struct Slot {
    uint32_t tag = 0;  // high bits of the hash, to skip most comparisons
    uint32_t number = kNone;
  };
  struct WordSlot {
    uint64_t word = 0;
    uint32_t number = kNone;
    uint8_t null_mask = 0;
  };
  uint32_t find_or_add_word(uint64_t word, uint8_t null_mask, bool& added) {
    return find_or_add_word(word, null_mask, RowKeys::hash_of_word(word, null_mask), added);
  }
  uint32_t find_or_add_word(uint64_t word, uint8_t null_mask, uint64_t hash, bool& added);
  uint32_t find_word(uint64_t word, uint8_t null_mask) const {
    return find_word(word, null_mask, RowKeys::hash_of_word(word, null_mask));
  }
  uint32_t find_word(uint64_t word, uint8_t null_mask, uint64_t hash) const;
  // Hashes keys [first, first + count) and asks for their slots.
  void prepare_hashes(const RowKeys& keys, std::size_t first, std::size_t count, uint64_t* hashes) const;
  void grow();
  void grow_words();
  ByteView store(ByteView key);

  uint32_t size_ = 0;
  std::vector<Slot> slots_;
  std::vector<ByteView> keys_;
  std::vector<uint64_t> hashes_;
  std::vector<std::unique_ptr<char[]>> blocks_;
  std::size_t block_used_ = 0;
  std::size_t block_size_ = 0;
  std::size_t arena_bytes_ = 0;
  std::vector<WordSlot> word_slots_;
  // By number.
  std::vector<uint64_t> words_;
  std::vector<uint8_t> null_masks_;
};

}  // namespace pando::sql::exec
