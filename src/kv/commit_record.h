#pragma once

// CommitRecord: what one transaction does to one shard, as an entry of the shard's log. Applying the same entries in
// the same order gives the same state on every replica and after every restart; live commits and recovery both go
// through here. The layout is in docs/formats/shard_log.md.
//
//   CommitRecordBuilder builder(transaction, shard_generation, bytes_hint);
//   builder.put(key, value); builder.erase(other);
//   Bytes payload = builder.finish();
//   set_commit_timestamp(payload, timestamp);       // when its place in the order is known
//
//   PANDO_ASSIGN(auto record, CommitRecord::decode(payload));
//   for (CommitRecord::Change change; record.next(change);) ...
//
// Pure; values.

#include <optional>

#include "base/bytes.h"
#include "base/hlc.h"
#include "base/ids.h"
#include "base/status.h"

namespace pando::kv {

class CommitRecordBuilder {
 public:
  // `bytes_hint`: about how large the payload will be.
  CommitRecordBuilder(TransactionId transaction, uint64_t shard_generation, std::size_t bytes_hint);

  void put(ByteView key, ByteView value);
  void erase(ByteView key);
  bool empty() const { return count_ == 0; }
  std::size_t bytes() const { return payload_.size(); }
  // The payload, still without a timestamp.
  Bytes finish() && { return std::move(payload_); }

 private:
  Bytes payload_;
  std::size_t count_ = 0;
};

// Writes the timestamp into its fixed place. REQUIRES: `payload` comes from a builder.
void set_commit_timestamp(Bytes& payload, HlcTimestamp timestamp);

// A decoded record; borrows the payload.
class CommitRecord {
 public:
  struct Change {
    ByteView key;
    // Nothing: the key is erased.
    std::optional<ByteView> value;
  };

  // Checks all of it. Errors: XX001.
  static Result<CommitRecord> decode(ByteView payload);

  HlcTimestamp timestamp() const { return timestamp_; }
  TransactionId transaction() const { return transaction_; }
  uint64_t shard_generation() const { return shard_generation_; }
  std::size_t bytes() const { return changes_.size(); }
  // Takes the next change off; false at the end.
  bool next(Change& change);

 private:
  HlcTimestamp timestamp_;
  TransactionId transaction_;
  uint64_t shard_generation_ = 0;
  ByteView changes_;
};

}  // namespace pando::kv
