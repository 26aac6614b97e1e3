#include "storage/write_batch.h"

#include "base/codec.h"

namespace pando::storage {
namespace {

using Operation = WriteBatch::Operation;

bool has_value(Operation operation) { return operation == Operation::kPut || operation == Operation::kPutVersion; }

bool has_end(Operation operation) {
  return operation == Operation::kEraseRange || operation == Operation::kEraseVersionRange;
}

bool has_timestamp(Operation operation) {
  return operation == Operation::kPutVersion || operation == Operation::kPutTombstone ||
         operation == Operation::kEraseVersion;
}

bool read_change(ByteReader& reader, WriteBatch::Change& change) {
  uint8_t operation = 0;
  if (!reader.fixed8(operation) || operation < static_cast<uint8_t>(Operation::kPut) ||
      operation > static_cast<uint8_t>(Operation::kEraseVersionRange)) {
    return false;
  }
  change = {};
  change.operation = static_cast<Operation>(operation);
  if (!reader.length_prefixed(change.key)) {
    return false;
  }
  if (has_timestamp(change.operation) &&
      !(reader.fixed64(change.timestamp.wall_ns) && reader.fixed32(change.timestamp.logical))) {
    return false;
  }
  if (has_end(change.operation) && !reader.length_prefixed(change.end)) {
    return false;
  }
  return !has_value(change.operation) || reader.length_prefixed(change.value);
}

void put_timestamp(Bytes& out, HlcTimestamp timestamp) {
  put_fixed64(out, timestamp.wall_ns);
  put_fixed32(out, timestamp.logical);
}

}  // namespace

void WriteBatch::add(Operation operation, ByteView key) {
  bytes_.push_back(static_cast<char>(operation));
  put_length_prefixed(bytes_, key);
  ++count_;
}

void WriteBatch::put(ByteView key, ByteView value) {
  add(Operation::kPut, key);
  put_length_prefixed(bytes_, value);
}

void WriteBatch::erase(ByteView key) { add(Operation::kErase, key); }

void WriteBatch::erase_range(ByteView start, ByteView end) {
  add(Operation::kEraseRange, start);
  put_length_prefixed(bytes_, end);
}

void WriteBatch::put_version(ByteView key, HlcTimestamp timestamp, ByteView value) {
  add(Operation::kPutVersion, key);
  put_timestamp(bytes_, timestamp);
  put_length_prefixed(bytes_, value);
}

void WriteBatch::put_tombstone(ByteView key, HlcTimestamp timestamp) {
  add(Operation::kPutTombstone, key);
  put_timestamp(bytes_, timestamp);
}

void WriteBatch::erase_version(ByteView key, HlcTimestamp timestamp) {
  add(Operation::kEraseVersion, key);
  put_timestamp(bytes_, timestamp);
}

void WriteBatch::erase_version_range(ByteView start, ByteView end) {
  add(Operation::kEraseVersionRange, start);
  put_length_prefixed(bytes_, end);
}

void WriteBatch::set_applied(ShardId shard, uint64_t index) { put(applied_key(shard), encode_applied(index)); }

void WriteBatch::clear() {
  bytes_.clear();
  count_ = 0;
}

void WriteBatch::append(const WriteBatch& other) {
  bytes_.append(other.bytes_);
  count_ += other.count_;
}

Result<WriteBatch> WriteBatch::decode(ByteView bytes) {
  WriteBatch batch;
  ByteReader reader(bytes);
  for (Change change; !reader.empty(); ++batch.count_) {
    const std::size_t offset = bytes.size() - reader.rest().size();
    if (!read_change(reader, change)) {
      return Status(sql_state::kDataCorrupted, "a write batch of {} bytes is malformed at offset {}", bytes.size(),
                    offset);
    }
  }
  batch.bytes_ = Bytes(bytes);
  return batch;
}

bool WriteBatch::next(ByteView& rest, Change& change) {
  if (rest.empty()) {
    return false;
  }
  ByteReader reader(rest);
  const bool read = read_change(reader, change);
  PANDO_ASSERT(read, "a write batch that was not decoded first");
  rest = reader.rest();
  return true;
}

Bytes applied_key(ShardId shard) {
  Bytes key(kAppliedKeyPrefix);
  append_ordered_uint64(key, shard.number());
  return key;
}

Bytes encode_applied(uint64_t index) {
  Bytes value;
  put_fixed64(value, index);
  return value;
}

Result<uint64_t> decode_applied(ByteView value) {
  ByteReader reader(value);
  uint64_t index = 0;
  if (!reader.fixed64(index) || !reader.empty()) {
    return Status(sql_state::kDataCorrupted, "an applied index of {} bytes", value.size());
  }
  return index;
}

}  // namespace pando::storage
