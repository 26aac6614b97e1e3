#pragma once

// The plain keys of the engine that belong to shards. What of them a snapshot of a shard carries, and what a split
// gives to the right side, follows from their prefix. Layouts: docs/formats/shard_log.md. Never renumber: on disk.

#include <vector>

#include "kv/descriptor/descriptor.h"
#include "storage/engine.h"

namespace pando::kv {

// 01 is the applied index (storage), 03 the node's own marks (kv).
//
// `02` shard: its descriptor. Replicated.
inline constexpr ByteView kDescriptorKeyPrefix{"\x02", 1};
// `04` shard: the term of the applied index and the consensus configuration. Replicated.
inline constexpr ByteView kShardStateKeyPrefix{"\x04", 1};
// `05` shard: which replica this node has, or had. Not replicated.
inline constexpr ByteView kLocalReplicaKeyPrefix{"\x05", 1};
// `06` shard ...: what a state machine keeps per shard. Replicated; stays with the left side of a split.
inline constexpr ByteView kShardLocalPrefix{"\x06", 1};
// `07` key ...: what a state machine keeps per key, such as transaction records. Replicated; goes where the key goes.
inline constexpr ByteView kKeyedPrefix{"\x07", 1};

Bytes descriptor_key(ShardId shard);
Bytes shard_state_key(ShardId shard);
Bytes local_replica_key(ShardId shard);
Bytes shard_local_key(ShardId shard, ByteView suffix);
Bytes keyed_key(ByteView key);

// The plain keys a state machine keeps for a shard: its local ones and those of its keys.
std::vector<storage::KeySpan> plain_spans(const ShardDescriptor& descriptor);
// Its versioned keys.
storage::KeySpan version_span(const ShardDescriptor& descriptor);

}  // namespace pando::kv
