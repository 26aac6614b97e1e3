#include "kv/descriptor/descriptor.h"

#include <algorithm>

#include "base/codec.h"

namespace pando::kv {
namespace {

// On disk: never renumber. Version 1 ends after the bounds, version 2 after the replicas. Version 3 is written only
// when there is a merge to tell of: until the first one, earlier programs can read the store.
constexpr uint8_t kVersionWithoutReplicas = 1;
constexpr uint8_t kVersion = 2;
constexpr uint8_t kVersionWithMerge = 3;

constexpr uint64_t kReplicasMax = 1000;

Status damaged() { return Status(sql_state::kDataCorrupted, "damaged shard descriptor"); }

bool read_replicas(ByteReader& reader, ShardDescriptor& descriptor) {
  uint64_t next = 0;
  uint64_t count = 0;
  if (!reader.varint(descriptor.bounds_generation) || descriptor.bounds_generation > descriptor.generation ||
      !reader.varint(next) || !reader.varint(count) || count > kReplicasMax) {
    return false;
  }
  descriptor.next_replica_id = ReplicaId(next);
  for (uint64_t i = 0; i < count; ++i) {
    uint64_t id = 0;
    uint64_t node = 0;
    uint8_t role = 0;
    if (!reader.varint(id) || !reader.varint(node) || node == 0 || node > UINT32_MAX || !reader.fixed8(role) ||
        role < static_cast<uint8_t>(ReplicaRole::kVoter) || role > static_cast<uint8_t>(ReplicaRole::kDemoting)) {
      return false;
    }
    const bool rises = id > (descriptor.replicas.empty() ? 0 : descriptor.replicas.back().id.number());
    if (!rises || id >= next) {
      return false;
    }
    descriptor.replicas.push_back({NodeId(static_cast<uint32_t>(node)), ReplicaId(id), static_cast<ReplicaRole>(role)});
  }
  return true;
}

bool read_merging(ByteReader& reader, ShardDescriptor& descriptor) {
  uint64_t left = 0;
  MergingInto merging;
  if (!reader.varint(left) || ShardId(left) == descriptor.id || !reader.varint(merging.left_generation)) {
    return false;
  }
  merging.left = ShardId(left);
  descriptor.merging = merging;
  return true;
}

}  // namespace

std::string_view to_string(ReplicaRole role) {
  switch (role) {
    case ReplicaRole::kVoter:
      return "voter";
    case ReplicaRole::kLearner:
      return "learner";
    case ReplicaRole::kIncoming:
      return "incoming voter";
    case ReplicaRole::kOutgoing:
      return "outgoing voter";
    case ReplicaRole::kDemoting:
      return "demoted voter";
  }
  PANDO_UNREACHABLE("a replica's role");
}

const ReplicaDescriptor* ShardDescriptor::on_node(NodeId node) const {
  const auto found = std::ranges::find(replicas, node, &ReplicaDescriptor::node);
  return found == replicas.end() ? nullptr : &*found;
}

const ReplicaDescriptor* ShardDescriptor::find(ReplicaId replica) const {
  const auto found = std::ranges::find(replicas, replica, &ReplicaDescriptor::id);
  return found == replicas.end() ? nullptr : &*found;
}

Bytes encode_descriptor(const ShardDescriptor& descriptor) {
  Bytes bytes;
  bytes.push_back(static_cast<char>(descriptor.merging.has_value() ? kVersionWithMerge : kVersion));
  put_varint(bytes, descriptor.id.number());
  put_varint(bytes, descriptor.generation);
  put_length_prefixed(bytes, descriptor.start);
  put_length_prefixed(bytes, descriptor.end);
  put_varint(bytes, descriptor.bounds_generation);
  put_varint(bytes, descriptor.next_replica_id.number());
  put_varint(bytes, descriptor.replicas.size());
  for (const ReplicaDescriptor& replica : descriptor.replicas) {
    put_varint(bytes, replica.id.number());
    put_varint(bytes, replica.node.number());
    bytes.push_back(static_cast<char>(replica.role));
  }
  if (descriptor.merging.has_value()) {
    put_varint(bytes, descriptor.merging->left.number());
    put_varint(bytes, descriptor.merging->left_generation);
  }
  return bytes;
}

Result<ShardDescriptor> decode_descriptor(ByteView bytes) {
  ByteReader reader(bytes);
  uint8_t version = 0;
  uint64_t id = 0;
  ByteView start;
  ByteView end;
  ShardDescriptor descriptor;
  if (!reader.fixed8(version) || version < kVersionWithoutReplicas || version > kVersionWithMerge ||
      !reader.varint(id) || !reader.varint(descriptor.generation) || !reader.length_prefixed(start) ||
      !reader.length_prefixed(end)) {
    return damaged();
  }
  descriptor.id = ShardId(id);
  descriptor.start = start;
  descriptor.end = end;
  descriptor.bounds_generation = descriptor.generation;
  if ((version >= kVersion && !read_replicas(reader, descriptor)) ||
      (version == kVersionWithMerge && !read_merging(reader, descriptor)) || !reader.empty()) {
    return damaged();
  }
  return descriptor;
}

}  // namespace pando::kv
