#include "kv/replica/replica_messages.h"

#include "base/codec.h"
#include "base/crc32c.h"

namespace pando::kv {
namespace {

constexpr uint64_t kNamesMax = 1 << 20;

bool read_begin(ByteReader& reader, SnapshotMessage& message) {
  uint64_t shard = 0;
  ByteView raft;
  ByteView descriptor;
  if (!reader.varint(shard) || !reader.length_prefixed(raft) || !reader.length_prefixed(descriptor) ||
      !raft::decode(raft, message.raft) || message.raft.type != raft::MessageType::kSnapshot ||
      message.raft.snapshot == nullptr) {
    return false;
  }
  auto decoded = decode_descriptor(descriptor);
  if (!decoded.ok() || decoded->id.number() != shard) {
    return false;
  }
  message.shard = ShardId(shard);
  message.descriptor = *std::move(decoded);
  return true;
}

bool read_chunk(ByteReader& reader, SnapshotMessage& message) {
  uint32_t checksum = 0;
  if (!reader.varint(message.sequence) || !reader.fixed32(checksum) || crc32c(reader.rest()) != checksum) {
    return false;
  }
  ByteView records;
  const bool read = reader.raw(reader.rest().size(), records);
  message.records = Bytes(records);
  return read;
}

}  // namespace

Bytes encode_envelope(const multiraft::Envelope& envelope) {
  Bytes bytes;
  bytes.push_back(static_cast<char>(ConsensusFrame::kEnvelope));
  multiraft::encode(envelope, bytes);
  return bytes;
}

Bytes encode_replicas(ConsensusFrame frame, const std::vector<ReplicaName>& replicas) {
  Bytes bytes;
  bytes.push_back(static_cast<char>(frame));
  put_varint(bytes, replicas.size());
  for (const ReplicaName& name : replicas) {
    put_varint(bytes, name.shard.number());
    put_varint(bytes, name.replica.number());
  }
  return bytes;
}

bool decode(ByteView bytes, ConsensusMessage& message) {
  ByteReader reader(bytes);
  uint8_t frame = 0;
  if (!reader.fixed8(frame) || frame < 1 || frame > 3) {
    return false;
  }
  message.frame = static_cast<ConsensusFrame>(frame);
  message.replicas.clear();
  if (message.frame == ConsensusFrame::kEnvelope) {
    return multiraft::decode(reader.rest(), message.envelope);
  }
  uint64_t count = 0;
  if (!reader.varint(count) || count > kNamesMax) {
    return false;
  }
  for (uint64_t i = 0; i < count; ++i) {
    uint64_t shard = 0;
    uint64_t replica = 0;
    if (!reader.varint(shard) || !reader.varint(replica)) {
      return false;
    }
    message.replicas.push_back({ShardId(shard), ReplicaId(replica)});
  }
  return reader.empty();
}

Bytes encode(const SnapshotMessage& message) {
  Bytes bytes;
  bytes.push_back(static_cast<char>(message.kind));
  put_varint(bytes, message.stream);
  switch (message.kind) {
    case SnapshotMessage::Kind::kBegin: {
      Bytes raft;
      raft::encode(message.raft, raft);
      put_varint(bytes, message.shard.number());
      put_length_prefixed(bytes, raft);
      put_length_prefixed(bytes, encode_descriptor(message.descriptor));
      break;
    }
    case SnapshotMessage::Kind::kChunk:
      put_varint(bytes, message.sequence);
      put_fixed32(bytes, crc32c(message.records));
      bytes.append(message.records);
      break;
    case SnapshotMessage::Kind::kEnd:
    case SnapshotMessage::Kind::kAck:
      put_varint(bytes, message.sequence);
      break;
    case SnapshotMessage::Kind::kDone:
      bytes.push_back(message.installed ? 1 : 0);
      break;
  }
  return bytes;
}

bool decode(ByteView bytes, SnapshotMessage& message) {
  ByteReader reader(bytes);
  uint8_t kind = 0;
  if (!reader.fixed8(kind) || kind < 1 || kind > 5 || !reader.varint(message.stream)) {
    return false;
  }
  message.kind = static_cast<SnapshotMessage::Kind>(kind);
  switch (message.kind) {
    case SnapshotMessage::Kind::kBegin:
      return read_begin(reader, message) && reader.empty();
    case SnapshotMessage::Kind::kChunk:
      return read_chunk(reader, message);
    case SnapshotMessage::Kind::kEnd:
    case SnapshotMessage::Kind::kAck:
      return reader.varint(message.sequence) && reader.empty();
    case SnapshotMessage::Kind::kDone: {
      uint8_t installed = 0;
      const bool read = reader.fixed8(installed) && installed <= 1 && reader.empty();
      message.installed = installed == 1;
      return read;
    }
  }
  return false;
}

void append_record(Bytes& out, const SnapshotRecord& record) {
  out.push_back(static_cast<char>(record.kind));
  put_length_prefixed(out, record.key);
  if (record.kind != SnapshotRecord::Kind::kPlain) {
    put_fixed64(out, record.timestamp.wall_ns);
    put_fixed32(out, record.timestamp.logical);
  }
  if (record.kind != SnapshotRecord::Kind::kTombstone) {
    put_length_prefixed(out, record.value);
  }
}

bool next_record(ByteView& rest, SnapshotRecord& record) {
  ByteReader reader(rest);
  uint8_t kind = 0;
  if (!reader.fixed8(kind) || kind < 1 || kind > 3 || !reader.length_prefixed(record.key)) {
    return false;
  }
  record.kind = static_cast<SnapshotRecord::Kind>(kind);
  record.value = {};
  if (record.kind != SnapshotRecord::Kind::kPlain &&
      (!reader.fixed64(record.timestamp.wall_ns) || !reader.fixed32(record.timestamp.logical))) {
    return false;
  }
  if (record.kind != SnapshotRecord::Kind::kTombstone && !reader.length_prefixed(record.value)) {
    return false;
  }
  rest = reader.rest();
  return true;
}

}  // namespace pando::kv
