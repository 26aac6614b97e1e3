#pragma once

// ShardDescriptor: a contiguous piece of the key space, and who has replicas of it. It is part of the shard's
// replicated state: it changes through entries of the shard's log and lies in the engine beside the applied index, so
// every replica has the one that belongs to what it has applied. Encoding: docs/formats/shard_log.md. Values.

#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/status.h"

namespace pando::kv {

// Never renumber: on disk and on the wire.
enum class ReplicaRole : uint8_t {
  kVoter = 1,
  // Receives the log and does not vote.
  kLearner = 2,
  // While a change of voters is under way: votes in the new half only; votes in the old half only and leaves; votes in
  // the old half only and becomes a learner.
  kIncoming = 3,
  kOutgoing = 4,
  kDemoting = 5,
};
std::string_view to_string(ReplicaRole role);

struct ReplicaDescriptor {
  NodeId node;
  ReplicaId id;
  ReplicaRole role = ReplicaRole::kVoter;
  friend bool operator==(const ReplicaDescriptor&, const ReplicaDescriptor&) = default;
};

// A shard that waits to become a part of its left neighbour. Nobody serves it, and its data does not change.
struct MergingInto {
  ShardId left;
  // Of the neighbour's descriptor: once the neighbour has another one, the merge will not happen.
  uint64_t left_generation = 0;
  friend bool operator==(const MergingInto&, const MergingInto&) = default;
};

struct ShardDescriptor {
  ShardId id;
  // Rises with every change of bounds or replicas, so that a route made for an older shape is recognized.
  uint64_t generation = 1;
  Bytes start;
  // Empty: no upper bound.
  Bytes end;
  // The generation in which the bounds last changed: what was evaluated in that one or a later one still fits.
  uint64_t bounds_generation = 1;
  // In rising order of id. Empty in stores of versions without replication.
  std::vector<ReplicaDescriptor> replicas;
  // Ids below this were given out, and are never given out again.
  ReplicaId next_replica_id{1};
  std::optional<MergingInto> merging;

  bool contains(ByteView key) const { return key >= start && (end.empty() || key < end); }
  // Null when the node has no replica.
  const ReplicaDescriptor* on_node(NodeId node) const;
  const ReplicaDescriptor* find(ReplicaId replica) const;
  friend bool operator==(const ShardDescriptor&, const ShardDescriptor&) = default;
};

Bytes encode_descriptor(const ShardDescriptor& descriptor);
// Errors: XX001.
Result<ShardDescriptor> decode_descriptor(ByteView bytes);

}  // namespace pando::kv
