#pragma once

// The request that runs a program (txn/program.h) at the leaseholder of a shard. Wire format: docs/formats/requests.md.

#include <optional>

#include "kv/cluster/requests.h"

namespace pando::kv {

struct EvaluateRequest {
  static constexpr Method kMethod = Method::kEvaluate;
  using Reply = struct EvaluateReply;
  // Requests of one transaction may overtake each other: shards are worked on at the same time.
  static constexpr bool kLaneOfShard = true;
  ShardId shard;
  TransactionId transaction;
  ReadPoint point;
  // Inside the shard's bounds.
  txn::Span span;
  Bytes program;
  // How much one answer may be about. The leaseholder has a limit of its own.
  uint64_t bytes_max = 0;
  template <typename Fields>
  void visit(Fields& fields) {
    fields(shard, transaction, point, span, program, bytes_max);
  }
};

struct EvaluateReply {
  HlcTimestamp at;
  Bytes output;
  // Where what is left of the span begins; nothing: it was read to its end.
  std::optional<Bytes> rest;
  template <typename Fields>
  void visit(Fields& fields) {
    fields(at, output, rest);
  }
};

}  // namespace pando::kv
