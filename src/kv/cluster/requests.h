#pragma once

// What the gateway of a transaction asks of the leaseholder of a shard, and the answers. Plain data; the same structs
// are passed by value when the leaseholder is on the gateway's own node. Wire format: docs/formats/requests.md.

#include <optional>
#include <vector>

#include "base/hlc.h"
#include "base/ids.h"
#include "base/key_value_batch.h"
#include "kv/cluster/answer.h"
#include "kv/cluster/wire.h"
#include "txn/transaction.h"

namespace pando::kv {

// The moment a statement reads at. The first leaseholder that it reads from chooses the moment, so that a statement on
// one shard never waits and never finds anything uncertain.
struct ReadPoint {
  // Zero: not chosen yet.
  HlcTimestamp at;
  // Versions after `at` and up to here may have been acknowledged before the statement began, for clocks differ. Of a
  // statement that may read what is stale: before the oldest moment that it may read at.
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
  using Reply = struct GetReply;
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
  using Reply = struct ScanReply;
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
  using Reply = struct LockReply;
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

// The newest committed version of a locked key.
struct LockedVersion {
  // Zero when there is none.
  HlcTimestamp newest;
  bool tombstone = false;
  // Unless it is large.
  std::optional<Bytes> value;
  template <typename Fields>
  void visit(Fields& fields) {
    fields(newest, tombstone, value);
  }
};

struct LockReply {
  bool granted = true;
  // Of the lease under which the lock is held.
  uint64_t term = 0;
  // LockOwner::mark() before and after the lock was taken.
  uint64_t mark_before = 0;
  uint64_t mark_after = 0;
  LockedVersion version;
  // The newest commit to a watched key of the shard, before the lock was granted.
  HlcTimestamp watched;
  // For a guarded key that is locked exclusively: who must be excluded, and for how long nodes that the leaseholder
  // does not know may share.
  std::vector<GuardHolder> guards;
  uint64_t guards_unknown_ms = 0;
  template <typename Fields>
  void visit(Fields& fields) {
    fields(granted, term, mark_before, mark_after, version, watched, guards, guards_unknown_ms);
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

}  // namespace pando::kv
