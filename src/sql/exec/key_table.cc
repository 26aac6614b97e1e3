#include "sql/exec/key_table.h"

#include <algorithm>

namespace pando::sql::exec {
namespace {

constexpr std::size_t kFirstSlots = 64;
constexpr std::size_t kFirstBlockBytes = 1_KiB;
constexpr std::size_t kBlockBytesMax = 256_KiB;

uint32_t tag_of(uint64_t hash) { return static_cast<uint32_t>(hash >> 32); }

}  // namespace

void KeyTable::clear() {
  slots_.assign(kFirstSlots, Slot{});
  keys_.clear();
  hashes_.clear();
  blocks_.clear();
  block_used_ = 0;
  block_size_ = 0;
  arena_bytes_ = 0;
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
  const auto number = static_cast<uint32_t>(keys_.size());
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
