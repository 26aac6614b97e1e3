#pragma once

// The entries of a shard's log that commits over several shards and housekeeping need, besides the CommitRecord of a
// commit on one shard (kv/commit_record.h). The second byte of a payload tells them apart. Layout:
// docs/formats/shard_log.md.
//
//   prepare   the writes of a transaction, its participants and the moment it prepared at: promised, not committed
//   resolve   makes what a transaction prepared committed at a moment, or nothing
//   discard   erases all versions in a span, of a table that was dropped
//   forget    erases what became of a transaction, once no participant can ask for it any more
//
// Pure; values.

#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/hlc.h"
#include "base/ids.h"
#include "base/status.h"
#include "kv/cluster/commit_requests.h"

namespace pando::kv {

// Never renumber: on disk.
// 5 is a bulk commit, which is not for several nodes.
enum class PayloadKind : uint8_t { kCommit = 1, kPrepare = 2, kResolve = 3, kDiscard = 4, kForget = 6 };

// Errors: XX001.
Result<PayloadKind> payload_kind(ByteView payload);

struct PrepareEntry {
  TransactionId transaction;
  // Of the participant that the shard is.
  Bytes key;
  HlcTimestamp at;
  std::vector<Participant> participants;
  // A CommitRecord payload; its timestamp has no meaning yet.
  Bytes commit;
  // What the transaction has read, and nobody may change before it is resolved.
  std::vector<txn::Span> reads;
  // See PrepareRequest.
  bool is_long = false;
};
// The keys that a CommitRecord payload changes; an empty payload changes none. Errors: XX001.
Result<std::vector<Bytes>> keys_of_commit(ByteView payload);
Bytes encode_entry(const PrepareEntry& entry);
Result<PrepareEntry> decode_prepare(ByteView payload);

struct ResolveEntry {
  TransactionId transaction;
  // Of the participant.
  Bytes key;
  bool committed = false;
  // Of the commit; of an abort, when that was decided.
  HlcTimestamp at;
  // All of the transaction's, as far as whoever resolves it knows.
  std::vector<Participant> participants;
};
Bytes encode_entry(const ResolveEntry& entry);
Result<ResolveEntry> decode_resolve(ByteView payload);

struct ForgetEntry {
  TransactionId transaction;
  // Of the participant.
  Bytes key;
};
Bytes encode_entry(const ForgetEntry& entry);
Result<ForgetEntry> decode_forget(ByteView payload);

Bytes encode_discard(const txn::Span& span);
Result<txn::Span> decode_discard(ByteView payload);

// --- what a shard keeps of them, under plain keys (kv/descriptor/keys.h) ---

// Of a participant that is prepared on `shard`: the payload of its prepare entry. A shard is not split while there are
// any.
Bytes prepared_key(ShardId shard, TransactionId transaction, ByteView participant);
Bytes prepared_prefix(ShardId shard);
// Of a transaction that was resolved: kept with the participant's key, wherever that goes.
Bytes outcome_key(ByteView participant, TransactionId transaction);
struct OutcomeName {
  Bytes participant;
  TransactionId transaction;
};
// None for a key that is not such a one.
std::optional<OutcomeName> outcome_name(ByteView key);
struct OutcomeRecord {
  bool committed = false;
  HlcTimestamp at;
  // Empty in records of before they were kept.
  std::vector<Participant> participants;
};
Bytes encode_outcome(const OutcomeRecord& outcome);
Result<OutcomeRecord> decode_outcome(ByteView bytes);

}  // namespace pando::kv
