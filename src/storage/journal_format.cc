#include "storage/journal_format.h"

#include "base/codec.h"
#include "base/crc32c.h"

namespace pando::storage {
namespace {

constexpr std::size_t kChecksumOffset = 4;
constexpr std::size_t kCheckedOffset = 8;

struct GroupHeader {
  uint32_t magic = 0;
  uint32_t checksum = 0;
  uint32_t payload_size = 0;
  uint32_t zero = 0;
  uint64_t segment = 0;
  uint64_t sequence = 0;
};

bool read_header(ByteView contents, uint64_t offset, GroupHeader& header) {
  if (offset + kGroupHeaderBytes > contents.size()) {
    return false;
  }
  ByteReader reader(contents.substr(offset, kGroupHeaderBytes));
  return reader.fixed32(header.magic) && header.magic == kGroupMagic && reader.fixed32(header.checksum) &&
         reader.fixed32(header.payload_size) && reader.fixed32(header.zero) && reader.fixed64(header.segment) &&
         reader.fixed64(header.sequence);
}

uint64_t aligned(uint64_t size) { return (size + kGroupAlignment - 1) / kGroupAlignment * kGroupAlignment; }

void put_hard_state(Bytes& out, const HardState& state) { put_length_prefixed(out, state.bytes); }

bool read_hard_state(ByteReader& reader, HardState& state) {
  ByteView bytes;
  if (!reader.length_prefixed(bytes)) {
    return false;
  }
  state.bytes = Bytes(bytes);
  return true;
}

void put_position(Bytes& out, const LogPosition& position) {
  put_varint(out, position.index);
  put_varint(out, position.term);
}

bool read_position(ByteReader& reader, LogPosition& position) {
  return reader.varint(position.index) && reader.varint(position.term);
}

bool read_promise(ByteReader& reader, LivenessPromise& promise) {
  uint64_t node = 0;
  if (!(reader.varint(node) && reader.varint(promise.epoch) && reader.varint(promise.until_ns)) || node > UINT32_MAX) {
    return false;
  }
  promise.node = NodeId(static_cast<uint32_t>(node));
  return true;
}

bool read_body(ByteReader& reader, JournalRecord& record) {
  switch (record.kind) {
    case RecordKind::kEntry:
      return reader.varint(record.entry.index) && record.entry.index != 0 && reader.varint(record.entry.term) &&
             reader.length_prefixed(record.entry.payload);
    case RecordKind::kHardState:
      return read_hard_state(reader, record.hard_state);
    case RecordKind::kPromise:
      return read_promise(reader, record.promise);
    case RecordKind::kTruncate:
      return read_position(reader, record.start);
    case RecordKind::kCheckpoint:
      return read_hard_state(reader, record.hard_state) && read_position(reader, record.start) &&
             read_position(reader, record.last);
    case RecordKind::kRemove:
    case RecordKind::kClosed:
      return true;
  }
  return false;
}

bool names_shard(RecordKind kind) { return kind != RecordKind::kPromise && kind != RecordKind::kClosed; }

}  // namespace

void append_record(Bytes& out, const JournalRecord& record) {
  out.push_back(static_cast<char>(record.kind));
  if (names_shard(record.kind)) {
    put_varint(out, record.shard.number());
  }
  switch (record.kind) {
    case RecordKind::kEntry:
      put_varint(out, record.entry.index);
      put_varint(out, record.entry.term);
      put_length_prefixed(out, record.entry.payload);
      break;
    case RecordKind::kHardState:
      put_hard_state(out, record.hard_state);
      break;
    case RecordKind::kPromise:
      put_varint(out, record.promise.node.number());
      put_varint(out, record.promise.epoch);
      put_varint(out, record.promise.until_ns);
      break;
    case RecordKind::kTruncate:
      put_position(out, record.start);
      break;
    case RecordKind::kCheckpoint:
      put_hard_state(out, record.hard_state);
      put_position(out, record.start);
      put_position(out, record.last);
      break;
    case RecordKind::kRemove:
    case RecordKind::kClosed:
      break;
  }
}

bool next_record(ByteView& rest, JournalRecord& record) {
  ByteReader reader(rest);
  uint8_t kind = 0;
  uint64_t shard = 0;
  record = {};
  if (!reader.fixed8(kind) || kind < static_cast<uint8_t>(RecordKind::kEntry) ||
      kind > static_cast<uint8_t>(RecordKind::kClosed)) {
    return false;
  }
  record.kind = static_cast<RecordKind>(kind);
  if (names_shard(record.kind) && !reader.varint(shard)) {
    return false;
  }
  record.shard = ShardId(shard);
  if (!read_body(reader, record)) {
    return false;
  }
  rest = reader.rest();
  return true;
}

void seal_group(Bytes& group, uint64_t segment, uint64_t sequence) {
  PANDO_ASSERT(group.size() >= kGroupHeaderBytes, "a group begins with room for its header");
  const std::size_t payload_size = group.size() - kGroupHeaderBytes;
  PANDO_ASSERT(payload_size <= kGroupPayloadBytesMax, "a payload over its limit");
  Bytes header;
  put_fixed32(header, kGroupMagic);
  put_fixed32(header, 0);
  put_fixed32(header, static_cast<uint32_t>(payload_size));
  put_fixed32(header, 0);
  put_fixed64(header, segment);
  put_fixed64(header, sequence);
  group.replace(0, header.size(), header);
  Bytes checksum;
  put_fixed32(checksum, crc32c(ByteView(group).substr(kCheckedOffset)));
  group.replace(kChecksumOffset, checksum.size(), checksum);
  group.resize(aligned(group.size()), '\0');
}

uint64_t group_bytes(ByteView header) {
  GroupHeader parsed;
  return read_header(header, 0, parsed) ? aligned(kGroupHeaderBytes + uint64_t{parsed.payload_size})
                                        : kGroupHeaderBytes;
}

bool read_group(ByteView contents, uint64_t offset, uint64_t segment, GroupView& group) {
  GroupHeader header;
  if (!read_header(contents, offset, header) || header.segment != segment) {
    return false;
  }
  const uint64_t checked = kGroupHeaderBytes - kCheckedOffset + header.payload_size;
  if (header.payload_size > kGroupPayloadBytesMax || offset + kCheckedOffset + checked > contents.size() ||
      crc32c(contents.substr(offset + kCheckedOffset, checked)) != header.checksum) {
    return false;
  }
  group.sequence = header.sequence;
  group.payload = contents.substr(offset + kGroupHeaderBytes, header.payload_size);
  group.size = aligned(kGroupHeaderBytes + header.payload_size);
  return true;
}

uint64_t find_group(ByteView contents, uint64_t offset, uint64_t segment, uint64_t sequence_min) {
  GroupView group;
  for (offset = aligned(offset); offset < contents.size(); offset += kGroupAlignment) {
    if (read_group(contents, offset, segment, group) && group.sequence >= sequence_min) {
      return offset;
    }
  }
  return contents.size();
}

// --- JournalBatch ---

void JournalBatch::entry(ShardId shard, uint64_t index, uint64_t term, ByteView payload) {
  PANDO_ASSERT(index >= 1, "logs begin at index 1");
  append_record(records_, {.kind = RecordKind::kEntry, .shard = shard, .entry = {index, term, payload}});
}

void JournalBatch::hard_state(ShardId shard, const HardState& state) {
  append_record(records_, {.kind = RecordKind::kHardState, .shard = shard, .hard_state = state});
}

void JournalBatch::promise(const LivenessPromise& promise) {
  append_record(records_, {.kind = RecordKind::kPromise, .promise = promise});
}

void JournalBatch::truncate(ShardId shard, uint64_t index, uint64_t term) {
  append_record(records_, {.kind = RecordKind::kTruncate, .shard = shard, .start = {index, term}});
}

void JournalBatch::remove(ShardId shard) { append_record(records_, {.kind = RecordKind::kRemove, .shard = shard}); }

}  // namespace pando::storage
