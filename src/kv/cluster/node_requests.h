#pragma once

// What nodes ask each other that belongs to no single transaction's reads and writes: where keys lie, what changed, who
// waits for whom, the shape of shards, guards. As requests.h otherwise.

#include <vector>

#include "kv/cluster/answer.h"
#include "txn/transaction.h"

namespace pando::kv {

struct RouteRequest {
  static constexpr Method kMethod = Method::kRoute;
  using Reply = struct RouteReply;
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
  using Reply = struct Empty;
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
  using Reply = struct Empty;
  HlcTimestamp at;
  template <typename Fields>
  void visit(Fields& fields) {
    fields(at);
  }
};

// What a session says on a channel to whoever listens there.
struct ChannelMessage {
  // The session's.
  uint32_t process_id = 0;
  Bytes channel;
  Bytes payload;
  friend bool operator==(const ChannelMessage&, const ChannelMessage&) = default;
  template <typename Fields>
  void visit(Fields& fields) {
    fields(process_id, channel, payload);
  }
};

// Told to all other nodes (channels.h).
struct NotifyRequest {
  static constexpr Method kMethod = Method::kNotify;
  using Reply = struct Empty;
  // Which process of the sending node says it, and how many it has said.
  uint64_t process = 0;
  uint64_t number = 0;
  std::vector<ChannelMessage> messages;
  template <typename Fields>
  void visit(Fields& fields) {
    fields(process, number, messages);
  }
};

// A promise of a shard's leaseholder: whoever has applied the shard's log up to `index`, in that generation of its
// descriptor, has everything that was or will be committed there up to `at`.
struct ClosedMoment {
  ShardId shard;
  uint64_t generation = 0;
  uint64_t index = 0;
  HlcTimestamp at;
  // Requests per second, for whoever balances leases.
  uint64_t rate = 0;
  template <typename Fields>
  void visit(Fields& fields) {
    fields(shard, generation, index, at, rate);
  }
};

// Told to the nodes with replicas of the shards, see closed_moments.h.
struct CloseRequest {
  static constexpr Method kMethod = Method::kClose;
  std::vector<ClosedMoment> shards;
  template <typename Fields>
  void visit(Fields& fields) {
    fields(shards);
  }
};

// Asks the leaseholder of the guarded prefix for the right to share its keys, or to do so longer.
struct GuardLeaseRequest {
  static constexpr Method kMethod = Method::kGuardLease;
  using Reply = struct GuardLeaseReply;
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
  using Reply = struct Empty;
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
  using Reply = struct Empty;
  ShardId shard;
  Bytes key;
  ShardId right;
  template <typename Fields>
  void visit(Fields& fields) {
    fields(shard, key, right);
  }
};

// Asks the leaseholder of the shard that ends at the key to take in the one that begins there.
struct MergeRequest {
  static constexpr Method kMethod = Method::kMerge;
  using Reply = struct Empty;
  ShardId shard;
  Bytes boundary;
  template <typename Fields>
  void visit(Fields& fields) {
    fields(shard, boundary);
  }
};

// Answered when the replica on the node asked has durably applied that the shard is merged into its left neighbour;
// with no neighbour, when the node has made durable what it has.
struct AwaitMergingRequest {
  static constexpr Method kMethod = Method::kAwaitMerging;
  using Reply = struct Empty;
  ShardId shard;
  ShardId left;
  uint64_t left_generation = 0;
  template <typename Fields>
  void visit(Fields& fields) {
    fields(shard, left, left_generation);
  }
};

// Asks the leaseholder of what comes just before the boundary. After the answer the merge has happened, or never will.
struct AbandonMergeRequest {
  static constexpr Method kMethod = Method::kAbandonMerge;
  using Reply = struct AbandonMergeReply;
  ShardId shard;
  Bytes boundary;
  ShardId left;
  uint64_t left_generation = 0;
  template <typename Fields>
  void visit(Fields& fields) {
    fields(shard, boundary, left, left_generation);
  }
};

struct AbandonMergeReply {
  bool merged = false;
  template <typename Fields>
  void visit(Fields& fields) {
    fields(merged);
  }
};

struct TransferRequest {
  static constexpr Method kMethod = Method::kTransferLease;
  using Reply = struct Empty;
  ShardId shard;
  NodeId target;
  template <typename Fields>
  void visit(Fields& fields) {
    fields(shard, target);
  }
};

// The shards that the node asked has replicas of.
struct ShardsRequest {
  static constexpr Method kMethod = Method::kShards;
  using Reply = struct ShardsReply;
  template <typename Fields>
  void visit(Fields& fields) {
    fields();
  }
};

struct ShardsReply {
  struct Shard {
    // As encode_descriptor() makes it.
    Bytes descriptor;
    // As the node knows it; 0: nobody.
    NodeId leaseholder;
    template <typename Fields>
    void visit(Fields& fields) {
      fields(descriptor, leaseholder);
    }
  };
  std::vector<Shard> shards;
  template <typename Fields>
  void visit(Fields& fields) {
    fields(shards);
  }
};

// Who waits for whom on the node asked.
struct WaitsRequest {
  static constexpr Method kMethod = Method::kWaits;
  using Reply = struct WaitsReply;
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

}  // namespace pando::kv
