#include "kv/replica/replica_format.h"

#include <algorithm>

#include "base/codec.h"

namespace pando::kv {
namespace {

constexpr uint8_t kVersion = 1;
constexpr uint64_t kNewReplicasMax = 1000;

bool read_descriptor(ByteReader& reader, ShardDescriptor& descriptor) {
  ByteView bytes;
  if (!reader.length_prefixed(bytes)) {
    return false;
  }
  auto decoded = decode_descriptor(bytes);
  if (!decoded.ok()) {
    return false;
  }
  descriptor = *std::move(decoded);
  return true;
}

ReplicaRole role_in(const raft::Config& config, ReplicaId id) {
  const bool incoming = config.voters.incoming.contains(id);
  if (config.joint() && incoming && !config.voters.outgoing.contains(id)) {
    return ReplicaRole::kIncoming;
  }
  if (incoming) {
    return ReplicaRole::kVoter;
  }
  if (config.voters.outgoing.contains(id)) {
    return config.learners_next.contains(id) ? ReplicaRole::kDemoting : ReplicaRole::kOutgoing;
  }
  return ReplicaRole::kLearner;
}

}  // namespace

Bytes entry_payload(EntryKind kind, Bytes body) {
  body.push_back(static_cast<char>(kind));
  return body;
}

std::optional<EntryKind> entry_kind(ByteView payload) {
  if (payload.empty()) {
    return std::nullopt;
  }
  const auto kind = static_cast<EntryKind>(payload.back());
  switch (kind) {
    case EntryKind::kCommand:
    case EntryKind::kHandover:
    case EntryKind::kSplit:
    case EntryKind::kNothing:
    case EntryKind::kDescriptor:
    case EntryKind::kMerge:
      return kind;
    case EntryKind::kConfigChange:
      break;
  }
  return std::nullopt;
}

Bytes encode(const Split& split) {
  Bytes bytes;
  put_length_prefixed(bytes, encode_descriptor(split.left));
  put_length_prefixed(bytes, encode_descriptor(split.right));
  return bytes;
}

bool decode(ByteView bytes, Split& split) {
  ByteReader reader(bytes);
  return read_descriptor(reader, split.left) && read_descriptor(reader, split.right) && reader.empty() &&
         split.left.id != split.right.id && split.left.end == split.right.start && split.left.start < split.left.end;
}

Bytes encode(const Merge& merge) {
  Bytes bytes;
  put_varint(bytes, merge.left_generation);
  put_length_prefixed(bytes, encode_descriptor(merge.left));
  put_length_prefixed(bytes, encode_descriptor(merge.right));
  put_length_prefixed(bytes, merge.handover);
  return bytes;
}

bool decode(ByteView bytes, Merge& merge) {
  ByteReader reader(bytes);
  ByteView handover;
  if (!reader.varint(merge.left_generation) || !read_descriptor(reader, merge.left) ||
      !read_descriptor(reader, merge.right) || !reader.length_prefixed(handover)) {
    return false;
  }
  merge.handover = handover;
  return reader.empty() && merge.left.id != merge.right.id && merge.left.contains(merge.right.start) &&
         merge.left.end == merge.right.end && merge.left.generation > merge.left_generation &&
         merge.left.generation > merge.right.generation;
}

ByteView journal_payload(const raft::Entry& entry, Bytes& scratch) {
  if (entry.type == raft::EntryType::kNormal) {
    PANDO_ASSERT(!entry.payload || entry.payload.size() > 0, "the payload of an entry ends with its kind");
    return *entry.payload;
  }
  scratch = entry_payload(EntryKind::kConfigChange, Bytes(*entry.payload));
  return scratch;
}

raft::Entry entry_of(const storage::JournalEntry& stored) {
  raft::Entry entry{.term = stored.term, .index = stored.index};
  if (stored.payload.empty()) {
    return entry;
  }
  if (static_cast<EntryKind>(stored.payload.back()) == EntryKind::kConfigChange) {
    entry.type = raft::EntryType::kConfigChange;
    entry.payload = raft::Payload::copy_of(entry_body(stored.payload));
  } else {
    entry.payload = raft::Payload::copy_of(stored.payload);
  }
  return entry;
}

Bytes encode(const NewReplicas& added) {
  Bytes bytes;
  put_varint(bytes, added.next_replica_id.number());
  put_varint(bytes, added.replicas.size());
  for (const auto& [replica, node] : added.replicas) {
    put_varint(bytes, replica.number());
    put_varint(bytes, node.number());
  }
  return bytes;
}

bool decode(ByteView bytes, NewReplicas& added) {
  ByteReader reader(bytes);
  uint64_t next = 0;
  uint64_t count = 0;
  added = {};
  if (!reader.varint(next) || !reader.varint(count) || count > kNewReplicasMax) {
    return false;
  }
  added.next_replica_id = ReplicaId(next);
  for (uint64_t i = 0; i < count; ++i) {
    uint64_t replica = 0;
    uint64_t node = 0;
    if (!reader.varint(replica) || replica >= next || !reader.varint(node) || node == 0 || node > UINT32_MAX) {
      return false;
    }
    added.replicas.emplace_back(replica, static_cast<uint32_t>(node));
  }
  return reader.empty();
}

ShardDescriptor with_config(ShardDescriptor descriptor, const raft::Config& config, const NewReplicas& added) {
  std::vector<ReplicaDescriptor> replicas;
  for (const ReplicaId id : config.members()) {
    const ReplicaDescriptor* const known = descriptor.find(id);
    NodeId node = known == nullptr ? NodeId() : known->node;
    for (const auto& [replica, on] : added.replicas) {
      node = replica == id ? on : node;
    }
    replicas.push_back({node, id, role_in(config, id)});
  }
  descriptor.replicas = std::move(replicas);
  descriptor.next_replica_id = std::max(descriptor.next_replica_id, added.next_replica_id);
  ++descriptor.generation;
  return descriptor;
}

raft::Config config_of(const ShardDescriptor& descriptor) {
  raft::Config config;
  bool joint = false;
  for (const ReplicaDescriptor& replica : descriptor.replicas) {
    joint = joint || (replica.role != ReplicaRole::kVoter && replica.role != ReplicaRole::kLearner);
  }
  for (const ReplicaDescriptor& replica : descriptor.replicas) {
    switch (replica.role) {
      case ReplicaRole::kVoter:
        config.voters.incoming.insert(replica.id);
        if (joint) {
          config.voters.outgoing.insert(replica.id);
        }
        break;
      case ReplicaRole::kLearner:
        config.learners.insert(replica.id);
        break;
      case ReplicaRole::kIncoming:
        config.voters.incoming.insert(replica.id);
        break;
      case ReplicaRole::kDemoting:
        config.learners_next.insert(replica.id);
        config.voters.outgoing.insert(replica.id);
        break;
      case ReplicaRole::kOutgoing:
        config.voters.outgoing.insert(replica.id);
        break;
    }
  }
  config.auto_leave = joint;
  return config;
}

Bytes encode(const ReplicaRecord& record) {
  Bytes bytes;
  bytes.push_back(static_cast<char>(record.kind));
  put_varint(bytes, record.replica.number());
  if (record.kind == ReplicaRecord::Kind::kReplica) {
    bytes.append(raft::encode(record.hard_state));
  }
  return bytes;
}

bool decode(ByteView bytes, ReplicaRecord& record) {
  ByteReader reader(bytes);
  uint8_t kind = 0;
  uint64_t replica = 0;
  if (!reader.fixed8(kind) || kind < 1 || kind > 2 || !reader.varint(replica)) {
    return false;
  }
  record.kind = static_cast<ReplicaRecord::Kind>(kind);
  record.replica = ReplicaId(replica);
  record.hard_state = {};
  return record.kind == ReplicaRecord::Kind::kTombstone ? reader.empty()
                                                        : raft::decode(reader.rest(), record.hard_state);
}

Bytes encode(const ShardState& state) {
  Bytes bytes;
  bytes.push_back(static_cast<char>(kVersion));
  put_varint(bytes, state.applied_term);
  bytes.append(raft::encode(state.config));
  return bytes;
}

bool decode(ByteView bytes, ShardState& state) {
  ByteReader reader(bytes);
  uint8_t version = 0;
  return reader.fixed8(version) && version == kVersion && reader.varint(state.applied_term) &&
         raft::decode(reader.rest(), state.config);
}

Bytes encode(const LocalReplica& local) {
  Bytes bytes;
  bytes.push_back(static_cast<char>(kVersion));
  bytes.push_back(local.tombstone ? 1 : 0);
  put_varint(bytes, local.replica.number());
  return bytes;
}

bool decode(ByteView bytes, LocalReplica& local) {
  ByteReader reader(bytes);
  uint8_t version = 0;
  uint8_t tombstone = 0;
  uint64_t replica = 0;
  if (!reader.fixed8(version) || version != kVersion || !reader.fixed8(tombstone) || tombstone > 1 ||
      !reader.varint(replica) || !reader.empty()) {
    return false;
  }
  local.tombstone = tombstone == 1;
  local.replica = ReplicaId(replica);
  return true;
}

}  // namespace pando::kv
