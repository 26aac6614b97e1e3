#include "kv/descriptor/keys.h"

#include "base/codec.h"

namespace pando::kv {
namespace {

Bytes with_shard(ByteView prefix, ShardId shard) {
  Bytes key(prefix);
  append_ordered_uint64(key, shard.number());
  return key;
}

}  // namespace

Bytes descriptor_key(ShardId shard) { return with_shard(kDescriptorKeyPrefix, shard); }
Bytes shard_state_key(ShardId shard) { return with_shard(kShardStateKeyPrefix, shard); }
Bytes local_replica_key(ShardId shard) { return with_shard(kLocalReplicaKeyPrefix, shard); }
Bytes shard_local_key(ShardId shard, ByteView suffix) { return with_shard(kShardLocalPrefix, shard).append(suffix); }
Bytes keyed_key(ByteView key) { return Bytes(kKeyedPrefix).append(key); }

std::vector<storage::KeySpan> plain_spans(const ShardDescriptor& descriptor) {
  const Bytes local = with_shard(kShardLocalPrefix, descriptor.id);
  return {{local, prefix_end(local)},
          {keyed_key(descriptor.start), descriptor.end.empty() ? prefix_end(kKeyedPrefix) : keyed_key(descriptor.end)}};
}

storage::KeySpan version_span(const ShardDescriptor& descriptor) { return {descriptor.start, descriptor.end}; }

}  // namespace pando::kv
