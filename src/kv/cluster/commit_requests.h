#pragma once

// What ends a transaction at the leaseholders of what it wrote, locked and, serializable, read: commits on one shard,
// and on several, prepares and what becomes of them. As requests.h otherwise.

#include <vector>

#include "kv/cluster/requests.h"

namespace pando::kv {

// A key's newest version must still be this one when the commit takes its place in the order.
struct Condition {
  Bytes key;
  HlcTimestamp newest;
  template <typename Fields>
  void visit(Fields& fields) {
    fields(key, newest);
  }
};

// What a transaction does to one shard.
struct CommitPart {
  ShardId shard;
  TransactionId transaction;
  // The lease under which it took its locks; 0 when it took none here.
  uint64_t term = 0;
  // A CommitRecord payload, still without a timestamp. Empty: only conditions and reads are checked.
  Bytes payload;
  std::vector<Condition> conditions;
  // Serializable: nothing in `reads` may have changed since `snapshot`. Zero for all others.
  HlcTimestamp snapshot;
  std::vector<txn::Span> reads;
  // Around the keys that it has locked and does not write; empty for none.
  txn::Span locked;
  // The gateway has something to do before the locks are free, and frees them itself.
  bool keeps_locks = false;
  // Not to be committed after this; zero for no limit.
  HlcTimestamp deadline;
  // Its one key is not locked, and whatever version it has is replaced. Refused with kTryAgain while anybody else has
  // it locked.
  bool replaces = false;
  template <typename Fields>
  void visit(Fields& fields) {
    fields(shard, transaction, term, payload, conditions, snapshot, reads, locked, keeps_locks, deadline, replaces);
  }
};

struct CommitShardRequest {
  static constexpr Method kMethod = Method::kCommit;
  using Reply = struct CommitReply;
  CommitPart part;
  template <typename Fields>
  void visit(Fields& fields) {
    fields(part);
  }
};

// The moment of the commit.
struct CommitReply {
  HlcTimestamp at;
  template <typename Fields>
  void visit(Fields& fields) {
    fields(at);
  }
};

// A shard that takes part in a commit over several, by a key inside it, for the shard may split; or one of the parts of
// what a large commit does to a shard.
struct Participant {
  Bytes key;
  template <typename Fields>
  void visit(Fields& fields) {
    fields(key);
  }
};

struct PrepareRequest {
  static constexpr Method kMethod = Method::kPrepare;
  using Reply = struct CommitReply;
  CommitPart part;
  // Of the participant that this part is.
  Bytes key;
  std::vector<Participant> participants;
  // Shards have several parts: it may take long, and who wants to know whether its gateway is gone asks it first.
  bool is_long = false;
  template <typename Fields>
  void visit(Fields& fields) {
    fields(part, key, participants, is_long);
  }
};

enum class Outcome : uint8_t { kUnknown, kPending, kPrepared, kCommitted, kAborted, kLast = kAborted };

// What became of a transaction, on one shard. After the answer, what was not committed or prepared there never will be.
struct OutcomeRequest {
  static constexpr Method kMethod = Method::kOutcome;
  using Reply = struct OutcomeReply;
  ShardId shard;
  TransactionId transaction;
  // A key of the shard; for one that prepares, its participant's.
  Bytes key;
  // The gateway's clock before it asked for the commit; zero when that is not known.
  HlcTimestamp since;
  // It was to be prepared here, with others; else to be committed at once.
  bool prepares = false;
  // The others, as far as known.
  std::vector<Participant> participants;
  // Only asks: what was not prepared may be later.
  bool looks_only = false;
  template <typename Fields>
  void visit(Fields& fields) {
    fields(shard, transaction, key, since, prepares, participants, looks_only);
  }
};

struct OutcomeReply {
  Outcome outcome = Outcome::kUnknown;
  HlcTimestamp at;
  template <typename Fields>
  void visit(Fields& fields) {
    fields(outcome, at);
  }
};

// Whether the transaction, whose gateway the node asked is, commits in parts that are prepared or resolved yet.
struct CommittingRequest {
  static constexpr Method kMethod = Method::kCommitting;
  using Reply = struct CommittingReply;
  TransactionId transaction;
  template <typename Fields>
  void visit(Fields& fields) {
    fields(transaction);
  }
};

struct CommittingReply {
  bool committing = false;
  template <typename Fields>
  void visit(Fields& fields) {
    fields(committing);
  }
};

// Makes a prepared transaction's writes committed at `at`, or nothing.
struct ResolveRequest {
  static constexpr Method kMethod = Method::kResolve;
  using Reply = struct Empty;
  ShardId shard;
  TransactionId transaction;
  // Of the participant.
  Bytes key;
  bool committed = false;
  HlcTimestamp at;
  std::vector<Participant> participants;
  template <typename Fields>
  void visit(Fields& fields) {
    fields(shard, transaction, key, committed, at, participants);
  }
};

}  // namespace pando::kv
