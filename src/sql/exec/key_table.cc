#include "sql/exec/key_table.h"

#include <algorithm>
#include <array>

namespace pando::sql::exec {
namespace {

constexpr std::size_t kFirstSlots = 64;
constexpr std::size_t kFirstBlockBytes = 1_KiB;
constexpr std::size_t kBlockBytesMax = 256_KiB;
// Slots are asked for this many rows ahead, so that waiting for memory overlaps.
constexpr std::size_t kGroupRows = 64;

// clear() would keep the capacity.
template <typename T>
void free_memory(std::vector<T>& values) {
  std::vector<T>().swap(values);
}

uint32_t tag_of(uint64_t hash) { return static_cast<uint32_t>(hash >> 32); }

}  // namespace

void KeyTable::clear() {
  // Memory is given back: what a budget counts must fall to nothing.
  size_ = 0;
  slots_ = std::vector<Slot>(kFirstSlots);
  free_memory(keys_);
  free_memory(hashes_);
  blocks_.clear();
  block_used_ = 0;
  block_size_ = 0;
  arena_bytes_ = 0;
  free_memory(word_slots_);
  free_memory(words_);
  free_memory(null_masks_);
}

uint32_t KeyTable::find_or_add(ByteView key, uint64_t hash, bool& added) {
  std::size_t at = hash & (slots_.size() - 1);
  while (slots_[at].number != kNone) {
    const Slot slot = slots_[at];
    if (slot.tag == tag_of(hash) && keys_[slot.number] == key) {
      added = false;
      return slot.number;
    }
    at = (at + 1) & (slots_.size() - 1);
  }
  added = true;
  const uint32_t number = size_++;
  slots_[at] = {tag_of(hash), number};
  keys_.push_back(store(key));
  hashes_.push_back(hash);
  if (keys_.size() * 2 > slots_.size()) {
    grow();
  }
  return number;
}

uint32_t KeyTable::find(ByteView key, uint64_t hash) const {
  std::size_t at = hash & (slots_.size() - 1);
  while (slots_[at].number != kNone) {
    const Slot slot = slots_[at];
    if (slot.tag == tag_of(hash) && keys_[slot.number] == key) {
      return slot.number;
    }
    at = (at + 1) & (slots_.size() - 1);
  }
  return kNone;
}

void KeyTable::grow() {
  slots_.assign(slots_.size() * 2, Slot{});
  for (uint32_t number = 0; number < keys_.size(); ++number) {
    std::size_t at = hashes_[number] & (slots_.size() - 1);
    while (slots_[at].number != kNone) {
      at = (at + 1) & (slots_.size() - 1);
    }
    slots_[at] = {tag_of(hashes_[number]), number};
  }
}

uint32_t KeyTable::find_or_add_word(uint64_t word, uint8_t null_mask, uint64_t hash, bool& added) {
  if (word_slots_.size() <= std::size_t{size_} * 2) {
    grow_words();
  }
  const std::size_t mask = word_slots_.size() - 1;
  std::size_t at = hash & mask;
  while (word_slots_[at].number != kNone) {
    if (word_slots_[at].word == word && word_slots_[at].null_mask == null_mask) {
      added = false;
      return word_slots_[at].number;
    }
    at = (at + 1) & mask;
  }
  added = true;
  word_slots_[at] = {word, size_, null_mask};
  words_.push_back(word);
  null_masks_.push_back(null_mask);
  return size_++;
}

uint32_t KeyTable::find_word(uint64_t word, uint8_t null_mask, uint64_t hash) const {
  if (word_slots_.empty()) {
    return kNone;
  }
  const std::size_t mask = word_slots_.size() - 1;
  std::size_t at = hash & mask;
  while (word_slots_[at].number != kNone) {
    if (word_slots_[at].word == word && word_slots_[at].null_mask == null_mask) {
      return word_slots_[at].number;
    }
    at = (at + 1) & mask;
  }
  return kNone;
}

void KeyTable::grow_words() {
  word_slots_.assign(std::max(kFirstSlots, word_slots_.size() * 2), WordSlot{});
  const std::size_t mask = word_slots_.size() - 1;
  for (uint32_t number = 0; number < size_; ++number) {
    std::size_t at = RowKeys::hash_of_word(words_[number], null_masks_[number]) & mask;
    while (word_slots_[at].number != kNone) {
      at = (at + 1) & mask;
    }
    word_slots_[at] = {words_[number], number, null_masks_[number]};
  }
}

void KeyTable::prepare_hashes(const RowKeys& keys, std::size_t first, std::size_t count, uint64_t* hashes) const {
  for (std::size_t i = 0; i < count; ++i) {
    hashes[i] = keys.hash(first + i);
  }
  if (keys.is_word()) {
    for (std::size_t i = 0; !word_slots_.empty() && i < count; ++i) {
      __builtin_prefetch(&word_slots_[hashes[i] & (word_slots_.size() - 1)]);
    }
    return;
  }
  for (std::size_t i = 0; i < count; ++i) {
    __builtin_prefetch(&slots_[hashes[i] & (slots_.size() - 1)]);
  }
}

void KeyTable::find_or_add_all(const RowKeys& keys, uint32_t* numbers, std::vector<uint32_t>& fresh) {
  std::array<uint64_t, kGroupRows> hashes;
  for (std::size_t first = 0; first < keys.rows(); first += kGroupRows) {
    const std::size_t count = std::min(keys.rows() - first, kGroupRows);
    prepare_hashes(keys, first, count, hashes.data());
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t row = first + i;
      bool added = false;
      numbers[row] = keys.is_word() ? find_or_add_word(keys.word(row), keys.null_mask(row), hashes[i], added)
                                    : find_or_add(keys.key(row), hashes[i], added);
      if (added) {
        fresh.push_back(static_cast<uint32_t>(row));
      }
    }
  }
}

void KeyTable::find_all(const RowKeys& keys, uint32_t* numbers) const {
  std::array<uint64_t, kGroupRows> hashes;
  for (std::size_t first = 0; first < keys.rows(); first += kGroupRows) {
    const std::size_t count = std::min(keys.rows() - first, kGroupRows);
    prepare_hashes(keys, first, count, hashes.data());
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t row = first + i;
      numbers[row] =
          keys.is_word() ? find_word(keys.word(row), keys.null_mask(row), hashes[i]) : find(keys.key(row), hashes[i]);
    }
  }
}

uint32_t KeyTable::find_or_add_from(const KeyTable& other, uint32_t number, bool& added) {
  return other.words_.empty() ? find_or_add(other.keys_[number], other.hashes_[number], added)
                              : find_or_add_word(other.words_[number], other.null_masks_[number], added);
}

ByteView KeyTable::store(ByteView key) {
  if (blocks_.empty() || block_size_ - block_used_ < key.size()) {
    block_size_ = std::max(key.size(), std::min(std::max(block_size_ * 2, kFirstBlockBytes), kBlockBytesMax));
    blocks_.push_back(std::make_unique_for_overwrite<char[]>(block_size_));
    block_used_ = 0;
    arena_bytes_ += block_size_;
  }
  char* place = blocks_.back().get() + block_used_;
  std::memcpy(place, key.data(), key.size());
  block_used_ += key.size();
  return {place, key.size()};
}

}  // namespace pando::sql::exec
