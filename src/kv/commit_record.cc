#include "kv/commit_record.h"

#include "base/codec.h"

namespace pando::kv {
namespace {

// On disk: never renumber.
constexpr char kFormatVersion = 1;
constexpr char kKindCommit = 1;
constexpr uint8_t kChangeErase = 0;
constexpr uint8_t kChangePut = 1;
// After the version and the kind.
constexpr std::size_t kTimestampOffset = 2;
constexpr std::size_t kTimestampBytes = sizeof(uint64_t) + sizeof(uint32_t);

Status damaged(const char* what) {
  return Status(sql_state::kDataCorrupted, "damaged commit record in a shard's log: {}", what);
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
  payload_.push_back(kFormatVersion);
  payload_.push_back(kKindCommit);
  payload_.append(kTimestampBytes, '\0');
  put_varint(payload_, transaction.number());
  put_varint(payload_, shard_generation);
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
  if (!reader.fixed8(kind) || kind != kKindCommit) {
    return damaged("unknown kind");
  }
  if (!reader.fixed64(record.timestamp_.wall_ns) || !reader.fixed32(record.timestamp_.logical) ||
      !reader.varint(transaction) || !reader.varint(record.shard_generation_)) {
    return damaged("unfinished header");
  }
  record.transaction_ = TransactionId(transaction);
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
