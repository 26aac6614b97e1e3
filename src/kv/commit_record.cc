#include "kv/commit_record.h"

#include "base/codec.h"

namespace pando::kv {
namespace {

// On disk: never renumber.
constexpr char kFormatVersion = 1;
constexpr char kKindCommit = 1;
// 2 to 4 are those of cluster/log_entry.h.
constexpr char kKindBulk = 5;
constexpr uint8_t kChangeErase = 0;
constexpr uint8_t kChangePut = 1;
// After the version and the kind.
constexpr std::size_t kTimestampOffset = 2;
constexpr std::size_t kTimestampBytes = sizeof(uint64_t) + sizeof(uint32_t);

Status damaged(const char* what) {
  return Status(sql_state::kDataCorrupted, "damaged commit record in a shard's log: {}", what);
}

void append_header(Bytes& payload, char kind, TransactionId transaction, uint64_t shard_generation) {
  payload.push_back(kFormatVersion);
  payload.push_back(kind);
  payload.append(kTimestampBytes, '\0');
  put_varint(payload, transaction.number());
  put_varint(payload, shard_generation);
}

bool read_parts(ByteReader& reader, std::vector<RunPart>& parts) {
  uint64_t count = 0;
  if (!reader.varint(count) || count == 0) {
    return false;
  }
  for (uint64_t i = 0; i < count; ++i) {
    uint64_t run = 0;
    uint64_t limit = 0;
    if (!reader.varint(run) || !reader.varint(limit) || limit > UINT32_MAX) {
      return false;
    }
    parts.push_back({storage::RunId(run), static_cast<uint32_t>(limit)});
  }
  return reader.empty();
}

bool read_change(ByteReader& reader, CommitRecord::Change& change) {
  uint8_t kind = 0;
  ByteView value;
  if (!reader.fixed8(kind) || kind > kChangePut || !reader.length_prefixed(change.key)) {
    return false;
  }
  change.value.reset();
  if (kind == kChangePut) {
    if (!reader.length_prefixed(value)) {
      return false;
    }
    change.value = value;
  }
  return true;
}

}  // namespace

CommitRecordBuilder::CommitRecordBuilder(TransactionId transaction, uint64_t shard_generation, std::size_t bytes_hint) {
  payload_.reserve(bytes_hint);
  append_header(payload_, kKindCommit, transaction, shard_generation);
}

void CommitRecordBuilder::put(ByteView key, ByteView value) {
  payload_.push_back(kChangePut);
  put_length_prefixed(payload_, key);
  put_length_prefixed(payload_, value);
  ++count_;
}

void CommitRecordBuilder::erase(ByteView key) {
  payload_.push_back(kChangeErase);
  put_length_prefixed(payload_, key);
  ++count_;
}

Bytes encode_bulk_record(TransactionId transaction, uint64_t shard_generation, const std::vector<RunPart>& parts) {
  Bytes payload;
  append_header(payload, kKindBulk, transaction, shard_generation);
  put_varint(payload, parts.size());
  for (const RunPart& part : parts) {
    put_varint(payload, part.run.number());
    put_varint(payload, part.limit);
  }
  return payload;
}

void set_commit_timestamp(Bytes& payload, HlcTimestamp timestamp) {
  PANDO_ASSERT(payload.size() >= kTimestampOffset + kTimestampBytes, "a payload comes from a builder");
  Bytes encoded;
  put_fixed64(encoded, timestamp.wall_ns);
  put_fixed32(encoded, timestamp.logical);
  payload.replace(kTimestampOffset, kTimestampBytes, encoded);
}

Result<CommitRecord> CommitRecord::decode(ByteView payload) {
  ByteReader reader(payload);
  CommitRecord record;
  uint8_t version = 0;
  uint8_t kind = 0;
  uint64_t transaction = 0;
  if (!reader.fixed8(version) || version != kFormatVersion) {
    return damaged("unknown version");
  }
  if (!reader.fixed8(kind) || (kind != kKindCommit && kind != kKindBulk)) {
    return damaged("unknown kind");
  }
  if (!reader.fixed64(record.timestamp_.wall_ns) || !reader.fixed32(record.timestamp_.logical) ||
      !reader.varint(transaction) || !reader.varint(record.shard_generation_)) {
    return damaged("unfinished header");
  }
  record.transaction_ = TransactionId(transaction);
  record.bulk_ = kind == kKindBulk;
  if (record.bulk_) {
    return read_parts(reader, record.parts_) ? Result<CommitRecord>(std::move(record)) : damaged("unfinished parts");
  }
  record.changes_ = reader.rest();
  Change change;
  while (!reader.empty()) {
    if (!read_change(reader, change)) {
      return damaged("unfinished change");
    }
  }
  return record;
}

bool CommitRecord::next(Change& change) {
  if (changes_.empty()) {
    return false;
  }
  ByteReader reader(changes_);
  const bool complete = read_change(reader, change);
  PANDO_ASSERT(complete, "decode has checked every change");
  changes_ = reader.rest();
  return true;
}

}  // namespace pando::kv
