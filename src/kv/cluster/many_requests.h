#pragma once

// Requests about many keys of one shard at once, in rising order. An answer is about the first of them: as many as the
// shard holds, and the answer has room for. Wire format: docs/formats/requests.md.

#include <vector>

#include "kv/cluster/requests.h"

namespace pando::kv {

// How many keys one request may have: the leaseholder's worker does nothing else meanwhile.
inline constexpr std::size_t kKeysAtOnceMax = 1024;

// What GetRequest is for one.
struct GetManyRequest {
  static constexpr Method kMethod = Method::kGetMany;
  using Reply = struct GetManyReply;
  ShardId shard;
  TransactionId transaction;
  ReadPoint point;
  std::vector<Bytes> keys;
  template <typename Fields>
  void visit(Fields& fields) {
    fields(shard, transaction, point, keys);
  }
};

struct GetManyReply {
  HlcTimestamp at;
  // Of the first keys, one each.
  std::vector<std::optional<Bytes>> values;
  template <typename Fields>
  void visit(Fields& fields) {
    fields(at, values);
  }
};

// Of keys that nobody guards: as many, from the first on, as can be locked without waiting. For the next one who asks
// has to wait, with LockRequest.
struct LockManyRequest {
  static constexpr Method kMethod = Method::kLockMany;
  using Reply = struct LockManyReply;
  ShardId shard;
  TransactionId transaction;
  std::vector<Bytes> keys;
  txn::LockStrength strength = txn::LockStrength::kUpdate;
  template <typename Fields>
  void visit(Fields& fields) {
    fields(shard, transaction, keys, strength);
  }
};

// As LockReply.
struct LockManyReply {
  uint64_t term = 0;
  uint64_t mark_before = 0;
  uint64_t mark_after = 0;
  HlcTimestamp watched;
  // Of the keys that are locked now.
  std::vector<LockedVersion> locked;
  template <typename Fields>
  void visit(Fields& fields) {
    fields(term, mark_before, mark_after, watched, locked);
  }
};

}  // namespace pando::kv
