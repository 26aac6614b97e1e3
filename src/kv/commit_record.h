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
// A transaction that has outgrown memory is a bulk record instead: it names the sorted runs that hold the changes.
//
//   Bytes payload = encode_bulk_record(transaction, shard_generation, parts);
//
// Pure; values.

#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/hlc.h"
#include "base/ids.h"
#include "base/status.h"
#include "storage/sorted_run.h"

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

// A sorted run's part in a commit: the writes numbered at most `limit`; later ones were rolled back.
struct RunPart {
  storage::RunId run;
  uint32_t limit = 0;
  friend bool operator==(const RunPart&, const RunPart&) = default;
};

// `parts` from the oldest: of a key that several have, the last one's write counts. Still without a timestamp.
Bytes encode_bulk_record(TransactionId transaction, uint64_t shard_generation, const std::vector<RunPart>& parts);

// Writes the timestamp into its fixed place. REQUIRES: `payload` comes from a builder or encode_bulk_record.
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
  // Takes the next change off; false at the end, and for a bulk record.
  bool next(Change& change);
  bool is_bulk() const { return bulk_; }
  // Of a bulk record, the oldest first.
  const std::vector<RunPart>& parts() const { return parts_; }

 private:
  HlcTimestamp timestamp_;
  TransactionId transaction_;
  uint64_t shard_generation_ = 0;
  ByteView changes_;
  bool bulk_ = false;
  std::vector<RunPart> parts_;
};

}  // namespace pando::kv
