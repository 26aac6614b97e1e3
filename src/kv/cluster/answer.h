#pragma once

// How requests between nodes are named and answered, see requests.h. Plain data.

#include "base/hlc.h"
#include "base/ids.h"
#include "kv/cluster/wire.h"

namespace pando::kv {

// Never renumber: these are on the wire. From 40 on: the shape of shards, and what followers may answer.
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
  kLockMany = 20,
  kGetMany = 21,
  kCommitting = 22,
  kClose = 40,
  kMerge = 41,
  kAwaitMerging = 42,
  kAbandonMerge = 43,
  kShards = 44,
  kEvaluate = 45,
  kNotify = 46,
  kLast = kNotify,
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

  // NOLINTNEXTLINE(performance-unnecessary-value-param): it is moved, which is not seen in a template.
  static Answer error(Status why) { return {.verdict = Verdict::kError, .status = std::move(why)}; }
  static Answer not_leaseholder(NodeId hint) { return {.verdict = Verdict::kNotLeaseholder, .hint = hint}; }
  static Answer uncertain_at(HlcTimestamp at) { return {.verdict = Verdict::kUncertain, .uncertain = at}; }
  static Answer unreachable() { return {.verdict = Verdict::kUnreachable}; }
  static Answer try_again() { return {.verdict = Verdict::kTryAgain}; }
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

// Requests of one lane to one node start in the order in which they were sent.
template <typename Request>
uint64_t lane_of(const Request& request) {
  if constexpr (requires { Request::kLaneOfShard; }) {
    return request.shard.number();
  } else {
    return transaction_of(request).number();
  }
}

template <typename Request>
using AnswerTo = Answer<typename Request::Reply>;

}  // namespace pando::kv
