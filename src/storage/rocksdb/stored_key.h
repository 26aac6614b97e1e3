#pragma once

// Keys as RocksDB holds them: both key spaces of an engine in one column family, so that a memtable, and with it every
// flush, holds whole write batches.
//
//   space byte ('p' plain, 'v' versions) ++ key ++ timestamp suffix (12 bytes; zeroes for plain keys)

#include "base/bytes.h"
#include "base/hlc.h"
#include "storage/engine.h"
#include "storage/mvcc.h"

namespace pando::storage {

// On disk: never change.
inline constexpr char kPlainSpace = 'p';
inline constexpr char kVersionSpace = 'v';
// Behind both, and always empty; see version_memtable.h.
inline constexpr char kMomentSpace = 'x';

inline Bytes stored_key(char space, ByteView key, HlcTimestamp timestamp) {
  Bytes stored;
  stored.reserve(1 + key.size() + kVersionSuffixBytes);
  stored.push_back(space);
  stored.append(key);
  append_version_suffix(stored, timestamp);
  return stored;
}

// Before every stored form of `key`.
inline Bytes stored_bound(char space, ByteView key) { return stored_key(space, key, HlcTimestamp::max()); }
inline Bytes stored_plain_key(ByteView key) { return stored_bound(kPlainSpace, key); }

// After every key of the space that is below `end`; an empty `end` is the end of the space.
inline Bytes stored_end(char space, ByteView end) {
  return end.empty() ? stored_bound(static_cast<char>(space + 1), {}) : stored_bound(space, end);
}

// A stored version apart; views into it. False when it is not a version.
inline bool split_version_key(ByteView stored, ByteView& key, HlcTimestamp& timestamp) {
  if (stored.empty() || stored.front() != kVersionSpace) {
    return false;
  }
  return decode_versioned_key(stored.substr(1), key, timestamp);
}

}  // namespace pando::storage
