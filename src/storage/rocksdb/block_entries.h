#pragma once

// BlockEntries: walks the entries of a data block of RocksDB's table files, each of which is stored as the bytes it
// does not share with the key before.
//
//   BlockEntries entries;
//   if (!entries.start(block)) ...                 // damaged
//   while (!entries.at_end()) {
//     if (!entries.next()) ...                     // damaged
//     use(entries.key(), entries.value());
//   }
//
// Pure. The block outlives the walk; views last until the next step.

#include <algorithm>
#include <cstring>

#include "base/bytes.h"
#include "storage/mvcc.h"

namespace pando::storage {

class BlockEntries {
 public:
  // False when it is no block; then there are no entries.
  bool start(ByteView block);
  bool at_end() const { return at_ == end_; }
  // REQUIRES: !at_end(). False when the entry cannot be decoded.
  bool next() {
    uint32_t shared = 0;
    uint32_t added = 0;
    uint32_t value_size = 0;
    if (!take_varint(shared) || !take_varint(added) || !take_varint(value_size) || shared > key_size_ ||
        static_cast<uint64_t>(end_ - at_) < uint64_t{added} + value_size ||
        uint64_t{shared} + added <= kSuffixBytes + kVersionSuffixBytes) {
      return false;
    }
    key_size_ = shared + added;
    if (key_.size() < key_size_) {
      key_.resize(std::max<std::size_t>(key_size_, 2 * key_.size()));
    }
    std::memcpy(key_.data() + shared, at_, added);
    value_ = {at_ + added, value_size};
    at_ += added + value_size;
    return true;
  }
  // With timestamp, without RocksDB's suffix. REQUIRES: next() has returned true, for all below.
  ByteView key() const { return {key_.data(), key_size_ - kSuffixBytes}; }
  ByteView value() const { return value_; }
  // RocksDB's suffix: the sequence number, and in the lowest byte the type.
  uint64_t suffix() const {
    uint64_t suffix = 0;
    std::memcpy(&suffix, key_.data() + (key_size_ - kSuffixBytes), sizeof(suffix));
    return suffix;
  }

 private:
  static constexpr std::size_t kSuffixBytes = 8;

  // Reads a varint32 of one byte without a loop.
  bool take_varint(uint32_t& value) {
    if (at_ < end_ && static_cast<unsigned char>(*at_) < 0x80) {
      value = static_cast<unsigned char>(*at_++);
      return true;
    }
    return take_long_varint(value);
  }
  bool take_long_varint(uint32_t& value);

  const char* at_ = nullptr;
  const char* end_ = nullptr;
  // Room for the key; longer, so that it is seldom resized.
  Bytes key_;
  std::size_t key_size_ = 0;
  ByteView value_;
};

}  // namespace pando::storage
