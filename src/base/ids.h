#pragma once

// Identifiers that more than one layer speaks of.

#include "base/strong_id.h"

namespace pando {

struct NodeIdTag;
struct ShardIdTag;
struct TransactionIdTag;
struct ReplicaIdTag;

using NodeId = StrongId<NodeIdTag, uint32_t>;
using ShardId = StrongId<ShardIdTag, uint64_t>;
// Unique within a node's data directory, rising; doubles as the value of txid_current().
using TransactionId = StrongId<TransactionIdTag, uint64_t>;

// A member of one consensus group. Never reused within its group: a replica that lost its disk, or that comes back to a
// node it had left, is a new replica. 0 is nobody.
using ReplicaId = StrongId<ReplicaIdTag, uint64_t>;

}  // namespace pando
