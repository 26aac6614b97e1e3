#pragma once

// What a gateway asks of the leaseholder of a shard, and the answers. Plain data; the same structs are passed by value
// when the leaseholder is on the gateway's own node. Wire format: docs/formats/requests.md.

#include <optional>
#include <vector>

#include "base/hlc.h"
#include "base/ids.h"
#include "base/key_value_batch.h"
#include "kv/cluster/wire.h"
#include "txn/transaction.h"

namespace pando::kv {

// Never renumber: these are on the wire.
enum class Method : uint8_t {
  kGet = 1,
  kScan = 2,
  kLock = 3,
  kRelease = 4,
  kCancel = 5,
  kCommit = 6,
  kOutcome = 7,
  kPrepare = 8,
  kResolve = 9,
  kRoute = 10,
  kDiscard = 11,
  kTransferLease = 13,
  kNotice = 14,
  kWaits = 15,
  kGuardLease = 16,
  kExclude = 17,
  kAdmit = 18,
  kSplit = 19,
  kLast = kSplit,
};

// The moment a statement reads at. The first leaseholder that it reads from chooses the moment, so that a statement on
// one shard never waits and never finds anything uncertain.
struct ReadPoint {
  // Zero: not chosen yet.
  HlcTimestamp at;
  // Versions after `at` and up to here may have been acknowledged before the statement began, for clocks differ.
  HlcTimestamp limit;
  // The node that chose `at`.
  NodeId origin;
  template <typename Fields>
  void visit(Fields& fields) {
    fields(at, limit, origin);
  }
};

struct GetRequest {
  static constexpr Method kMethod = Method::kGet;
  ShardId shard;
  TransactionId transaction;
  ReadPoint point;
  // The newest committed value, whatever the read point.
  bool latest = false;
  Bytes key;
  template <typename Fields>
  void visit(Fields& fields) {
    fields(shard, transaction, point, latest, key);
  }
};

struct GetReply {
  HlcTimestamp at;
  std::optional<Bytes> value;
  template <typename Fields>
  void visit(Fields& fields) {
    fields(at, value);
  }
};

struct ScanRequest {
  static constexpr Method kMethod = Method::kScan;
  ShardId shard;
  TransactionId transaction;
  ReadPoint point;
  // Inside the shard's bounds.
  txn::Span span;
  bool reverse = false;
  uint32_t entries_max = 0;
  template <typename Fields>
  void visit(Fields& fields) {
    fields(shard, transaction, point, span, reverse, entries_max);
  }
};

struct ScanReply {
  HlcTimestamp at;
  KeyValueBatch entries;
  // Nothing of the span is left.
  bool ended = false;
  template <typename Fields>
  void visit(Fields& fields) {
    fields(at, entries, ended);
  }
};

struct LockRequest {
  static constexpr Method kMethod = Method::kLock;
  ShardId shard;
  TransactionId transaction;
  Bytes key;
  txn::LockStrength strength = txn::LockStrength::kUpdate;
  txn::WaitPolicy wait = txn::WaitPolicy::kBlock;
  uint64_t timeout_ms = 0;
  template <typename Fields>
  void visit(Fields& fields) {
    fields(shard, transaction, key, strength, wait, timeout_ms);
  }
};

// A node that may share guarded keys by itself, see guards.h.
struct GuardHolder {
  NodeId node;
  uint64_t remaining_ms = 0;
  template <typename Fields>
  void visit(Fields& fields) {
    fields(node, remaining_ms);
  }
};

struct LockReply {
  bool granted = true;
  // Of the lease under which the lock is held.
  uint64_t term = 0;
  // LockOwner::mark() before and after the lock was taken.
  uint64_t mark_before = 0;
  uint64_t mark_after = 0;
  // The newest committed version; zero when there is none.
  HlcTimestamp newest;
  bool tombstone = false;
  // Its value, unless that is large.
  std::optional<Bytes> value;
  // The newest commit to a watched key of the shard, before the lock was granted.
  HlcTimestamp watched;
  // For a guarded key that is locked exclusively: who must be excluded, and for how long nodes that the leaseholder
  // does not know may share.
  std::vector<GuardHolder> guards;
  uint64_t guards_unknown_ms = 0;
  template <typename Fields>
  void visit(Fields& fields) {
    fields(granted, term, mark_before, mark_after, newest, tombstone, value, watched, guards, guards_unknown_ms);
  }
};

// Frees the locks that the transaction took on this node after `mark`.
struct ReleaseRequest {
  static constexpr Method kMethod = Method::kRelease;
  TransactionId transaction;
  uint64_t mark = 0;
  template <typename Fields>
  void visit(Fields& fields) {
    fields(transaction, mark);
  }
};

// Ends what the transaction waits for on this node.
struct CancelRequest {
  static constexpr Method kMethod = Method::kCancel;
  TransactionId transaction;
  Status reason;
  template <typename Fields>
  void visit(Fields& fields) {
    fields(transaction, reason);
  }
};

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
  // Serializable: nothing in `reads` may have changed since `snapshot`.
  HlcTimestamp snapshot;
  std::vector<txn::Span> reads;
  // The gateway has something to do before the locks are free, and frees them itself.
  bool keeps_locks = false;
  // Not to be committed after this; zero for no limit.
  HlcTimestamp deadline;
  template <typename Fields>
  void visit(Fields& fields) {
    fields(shard, transaction, term, payload, conditions, snapshot, reads, keeps_locks, deadline);
  }
};

struct CommitShardRequest {
  static constexpr Method kMethod = Method::kCommit;
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

// A shard that takes part in a commit over several, by a key inside it, for the shard may split.
struct Participant {
  Bytes key;
  template <typename Fields>
  void visit(Fields& fields) {
    fields(key);
  }
};

struct PrepareRequest {
  static constexpr Method kMethod = Method::kPrepare;
  CommitPart part;
  // Of the participant that this shard is.
  Bytes key;
  std::vector<Participant> participants;
  template <typename Fields>
  void visit(Fields& fields) {
    fields(part, key, participants);
  }
};

enum class Outcome : uint8_t { kUnknown, kPending, kPrepared, kCommitted, kAborted, kLast = kAborted };

// What became of a transaction, on one shard. After the answer, what was not committed or prepared there never will be.
struct OutcomeRequest {
  static constexpr Method kMethod = Method::kOutcome;
  ShardId shard;
  TransactionId transaction;
  // A key of the shard; for one that prepares, its participant's.
  Bytes key;
  // The gateway's clock before it asked for the commit; zero when that is not known.
  HlcTimestamp since;
  // It was to be prepared here, with others; else to be committed at once.
  bool prepares = false;
  template <typename Fields>
  void visit(Fields& fields) {
    fields(shard, transaction, key, since, prepares);
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

// Makes a prepared transaction's writes committed at `at`, or nothing.
struct ResolveRequest {
  static constexpr Method kMethod = Method::kResolve;
  ShardId shard;
  TransactionId transaction;
  // Of the participant.
  Bytes key;
  bool committed = false;
  HlcTimestamp at;
  template <typename Fields>
  void visit(Fields& fields) {
    fields(shard, transaction, key, committed, at);
  }
};

struct RouteRequest {
  static constexpr Method kMethod = Method::kRoute;
  Bytes key;
  // What comes just before the key is meant; an empty key then is the end of everything.
  bool before = false;
  template <typename Fields>
  void visit(Fields& fields) {
    fields(key, before);
  }
};

// Where a key lies, as far as the node asked knows.
struct RouteReply {
  bool known = false;
  ShardId shard;
  uint64_t generation = 0;
  txn::Span span;
  // 0: nobody known.
  NodeId leaseholder;
  std::vector<NodeId> replicas;
  template <typename Fields>
  void visit(Fields& fields) {
    fields(known, shard, generation, span, leaseholder, replicas);
  }
};

// Whether a span holds a key, or what comes just before it.
inline bool covers(const txn::Span& span, ByteView key, bool before) {
  if (!before) {
    return key >= span.start && (span.end.empty() || key < span.end);
  }
  return (key.empty() || key > span.start) && (span.end.empty() || (!key.empty() && key <= span.end));
}

struct DiscardRequest {
  static constexpr Method kMethod = Method::kDiscard;
  ShardId shard;
  txn::Span span;
  template <typename Fields>
  void visit(Fields& fields) {
    fields(shard, span);
  }
};

// A watched key was committed at `at`: answered when this node has taken note.
struct NoticeRequest {
  static constexpr Method kMethod = Method::kNotice;
  HlcTimestamp at;
  template <typename Fields>
  void visit(Fields& fields) {
    fields(at);
  }
};

// Asks the leaseholder of the guarded prefix for the right to share its keys, or to do so longer.
struct GuardLeaseRequest {
  static constexpr Method kMethod = Method::kGuardLease;
  ShardId shard;
  NodeId node;
  template <typename Fields>
  void visit(Fields& fields) {
    fields(shard, node);
  }
};

struct GuardLeaseReply {
  bool granted = false;
  // The newest commit to a watched key.
  HlcTimestamp watched;
  template <typename Fields>
  void visit(Fields& fields) {
    fields(granted, watched);
  }
};

// Locks a guarded key exclusively on the node asked, for a transaction that has it at the leaseholder.
struct ExcludeRequest {
  static constexpr Method kMethod = Method::kExclude;
  TransactionId transaction;
  Bytes key;
  txn::WaitPolicy wait = txn::WaitPolicy::kBlock;
  uint64_t timeout_ms = 0;
  template <typename Fields>
  void visit(Fields& fields) {
    fields(transaction, key, wait, timeout_ms);
  }
};

// Ends a transaction's exclusions on a node.
struct AdmitRequest {
  static constexpr Method kMethod = Method::kAdmit;
  TransactionId transaction;
  template <typename Fields>
  void visit(Fields& fields) {
    fields(transaction);
  }
};

// Cuts the shard before the key; the right part becomes shard `right`, a number that no shard has had.
struct SplitRequest {
  static constexpr Method kMethod = Method::kSplit;
  ShardId shard;
  Bytes key;
  ShardId right;
  template <typename Fields>
  void visit(Fields& fields) {
    fields(shard, key, right);
  }
};

struct TransferRequest {
  static constexpr Method kMethod = Method::kTransferLease;
  ShardId shard;
  NodeId target;
  template <typename Fields>
  void visit(Fields& fields) {
    fields(shard, target);
  }
};

// Who waits for whom on the node asked.
struct WaitsRequest {
  static constexpr Method kMethod = Method::kWaits;
  template <typename Fields>
  void visit(Fields& fields) {
    fields();
  }
};

struct WaitEdge {
  TransactionId waiter;
  TransactionId blocker;
  template <typename Fields>
  void visit(Fields& fields) {
    fields(waiter, blocker);
  }
  friend auto operator<=>(const WaitEdge&, const WaitEdge&) = default;
};

struct WaitsReply {
  std::vector<WaitEdge> edges;
  template <typename Fields>
  void visit(Fields& fields) {
    fields(edges);
  }
};

struct Empty {
  template <typename Fields>
  void visit(Fields& fields) {
    fields();
  }
};

// How a request ended. Never renumber: on the wire.
enum class Verdict : uint8_t {
  kOk = 0,
  kError = 1,
  // Ask the node in `hint`, or look the shard up again when that is 0.
  kNotLeaseholder = 2,
  // A version at `uncertain` may have been acknowledged before the statement began: read again at or above it.
  kUncertain = 3,
  // No answer came. Whether the request was carried out is not known.
  kUnreachable = 4,
  // The request was not carried out, and may be tried again.
  kTryAgain = 5,
  kLast = kTryAgain,
};

template <typename Reply>
struct Answer {
  Verdict verdict = Verdict::kOk;
  Status status;
  NodeId hint;
  HlcTimestamp uncertain;
  Reply reply;

  bool ok() const { return verdict == Verdict::kOk; }
  template <typename Fields>
  void visit(Fields& fields) {
    fields(verdict, status, hint, uncertain, reply);
  }

  static Answer error(Status why) { return {.verdict = Verdict::kError, .status = std::move(why)}; }
  static Answer not_leaseholder(NodeId hint) { return {.verdict = Verdict::kNotLeaseholder, .hint = hint}; }
  static Answer uncertain_at(HlcTimestamp at) { return {.verdict = Verdict::kUncertain, .uncertain = at}; }
  static Answer unreachable() { return {.verdict = Verdict::kUnreachable}; }
  static Answer try_again() { return {.verdict = Verdict::kTryAgain}; }
};

template <typename Request>
struct ReplyOf;
template <>
struct ReplyOf<GuardLeaseRequest> {
  using Type = GuardLeaseReply;
};
template <>
struct ReplyOf<ExcludeRequest> {
  using Type = Empty;
};
template <>
struct ReplyOf<SplitRequest> {
  using Type = Empty;
};
template <>
struct ReplyOf<TransferRequest> {
  using Type = Empty;
};
template <>
struct ReplyOf<WaitsRequest> {
  using Type = WaitsReply;
};
template <>
struct ReplyOf<NoticeRequest> {
  using Type = Empty;
};
template <>
struct ReplyOf<GetRequest> {
  using Type = GetReply;
};
template <>
struct ReplyOf<ScanRequest> {
  using Type = ScanReply;
};
template <>
struct ReplyOf<LockRequest> {
  using Type = LockReply;
};
template <>
struct ReplyOf<CommitShardRequest> {
  using Type = CommitReply;
};
template <>
struct ReplyOf<PrepareRequest> {
  using Type = CommitReply;
};
template <>
struct ReplyOf<OutcomeRequest> {
  using Type = OutcomeReply;
};
template <>
struct ReplyOf<ResolveRequest> {
  using Type = Empty;
};
template <>
struct ReplyOf<RouteRequest> {
  using Type = RouteReply;
};
template <>
struct ReplyOf<DiscardRequest> {
  using Type = Empty;
};
// The shard a request is for, and the transaction whose requests it must not overtake.
template <typename Request>
ShardId shard_of(const Request& request) {
  if constexpr (requires { request.part; }) {
    return request.part.shard;
  } else if constexpr (requires { request.shard; }) {
    return request.shard;
  } else {
    return {};
  }
}
template <typename Request>
void set_shard(Request& request, ShardId shard) {
  if constexpr (requires { request.part; }) {
    request.part.shard = shard;
  } else {
    request.shard = shard;
  }
}
template <typename Request>
TransactionId transaction_of(const Request& request) {
  if constexpr (requires { request.part; }) {
    return request.part.transaction;
  } else if constexpr (requires { request.transaction; }) {
    return request.transaction;
  } else {
    return {};
  }
}

template <typename Request>
using AnswerTo = Answer<typename ReplyOf<Request>::Type>;

}  // namespace pando::kv
