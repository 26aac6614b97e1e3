#pragma once

// WriteBatch: changes that an Engine makes in one atomic step, in order, as bytes that can travel in a journal entry.
//
//   WriteBatch batch;
//   batch.put_version(key, commit_timestamp, value);
//   batch.set_applied(shard, index);
//   PANDO_TRY(engine.write(batch));
//
// bytes() may be stored and decoded later: WriteBatch::decode checks all of it, so that an engine need not. The layout
// is in docs/formats/mvcc.md. One thread at a time.

#include <cstdint>

#include "base/bytes.h"
#include "base/hlc.h"
#include "base/ids.h"
#include "base/status.h"

namespace pando::storage {

class WriteBatch {
 public:
  // Never renumber: these are on disk.
  enum class Operation : uint8_t {
    kPut = 1,
    kErase = 2,
    kEraseRange = 3,
    kPutVersion = 4,
    kPutTombstone = 5,
    kEraseVersion = 6,
    kEraseVersionRange = 7,
  };

  // One change, borrowed from the batch. `end` is set for ranges, `timestamp` for versions, `value` for puts.
  struct Change {
    Operation operation;
    ByteView key;
    ByteView value;
    ByteView end;
    HlcTimestamp timestamp;
  };

  // --- plain keys ---
  void put(ByteView key, ByteView value);
  void erase(ByteView key);
  // Erases [start, end); an empty end means all keys from start on.
  void erase_range(ByteView start, ByteView end);

  // --- versioned keys ---
  // Adds (or replaces) the version of `key` at `timestamp`.
  void put_version(ByteView key, HlcTimestamp timestamp, ByteView value);
  // Adds a version that says: no row from here on.
  void put_tombstone(ByteView key, HlcTimestamp timestamp);
  // Removes one version without a trace, for housekeeping. REQUIRES: when it is at or below the garbage threshold, all
  // older versions of the key go in the same batch, for some of them may be gone already.
  void erase_version(ByteView key, HlcTimestamp timestamp);
  // Removes all versions of the keys in [start, end) without a trace: for tables that were dropped.
  void erase_version_range(ByteView start, ByteView end);

  // Records that `shard` has applied its log up to `index`; read back with Engine::applied.
  void set_applied(ShardId shard, uint64_t index);

  bool empty() const { return count_ == 0; }
  std::size_t count() const { return count_; }
  const Bytes& bytes() const { return bytes_; }
  void clear();

  // Appends the changes of `other`.
  void append(const WriteBatch& other);

  // Errors: XX001 when the bytes are not those of a batch.
  static Result<WriteBatch> decode(ByteView bytes);

  // Takes the change at the front of `rest` off; false at the end. REQUIRES: `rest` began as bytes() of a batch.
  static bool next(ByteView& rest, Change& change);

 private:
  void add(Operation operation, ByteView key);

  Bytes bytes_;
  std::size_t count_ = 0;
};

// The plain key under which the applied index of `shard` is kept, and the prefix of all of them.
Bytes applied_key(ShardId shard);
inline constexpr ByteView kAppliedKeyPrefix{"\x01", 1};
Bytes encode_applied(uint64_t index);
// Errors: XX001.
Result<uint64_t> decode_applied(ByteView value);

}  // namespace pando::storage
