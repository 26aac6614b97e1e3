#include "test/replica/record_machine.h"

#include <fmt/format.h>

#include "base/codec.h"
#include "base/crc32c.h"
#include "kv/descriptor/keys.h"

namespace pando::test {

namespace {

constexpr ByteView kDigest = "digest";
constexpr ByteView kHandover = "handover";

}  // namespace

Bytes encode(const RecordCommand& command) {
  Bytes bytes;
  put_varint(bytes, command.operation);
  put_length_prefixed(bytes, command.key);
  put_length_prefixed(bytes, command.value);
  return bytes;
}

Status RecordMachine::apply(std::span<const kv::CommittedEntry> entries, const storage::WriteBatch& changes) {
  if (fails && fails()) {
    return Status(sql_state::kDiskFull, "No space left on device");
  }
  storage::WriteBatch batch;
  std::map<ShardId, Bytes> digests;
  for (const kv::CommittedEntry& entry : entries) {
    auto [digest, first] = digests.try_emplace(entry.shard);
    if (first) {
      PANDO_TRY(engine_.get(kv::shard_local_key(entry.shard, kDigest), digest->second).status());
    }
    Bytes chained;
    put_varint(chained, crc32c(digest->second));
    put_varint(chained, entry.index);
    put_varint(chained, crc32c(entry.payload));
    digest->second = std::move(chained);
    if (entry.handover) {
      ++handovers_applied_;
      batch.put(kv::shard_local_key(entry.shard, kHandover), entry.payload);
      continue;
    }
    ByteReader reader(entry.payload);
    uint64_t operation = 0;
    ByteView key;
    ByteView value;
    const bool read = reader.varint(operation) && reader.length_prefixed(key) && reader.length_prefixed(value);
    PANDO_ASSERT(read, "a command of this test");
    batch.put_version(key, {operation, 0}, value);
    batch.put(kv::keyed_key(key), value);
  }
  for (const auto& [shard, digest] : digests) {
    batch.put(kv::shard_local_key(shard, kDigest), digest);
  }
  batch.append(changes);
  PANDO_TRY(engine_.write(batch));
  for (const kv::CommittedEntry& entry : entries) {
    if (on_apply) {
      on_apply(entry);
    }
  }
  return Status();
}

void RecordMachine::on_lease(ShardId shard, const kv::LeaseEvent& event) {
  if (event.kind == kv::LeaseEvent::Kind::kEnded) {
    PANDO_ASSERT(serving_.contains(shard), "a lease ends once");
    serving_.erase(shard);
    return;
  }
  PANDO_ASSERT(!serving_.contains(shard), "a lease begins once");
  PANDO_ASSERT(shards_.contains(shard), "only what is here is served");
  serving_[shard] = event.term;
  cooperative_[shard] = event.cooperative;
}

void RecordMachine::on_shard(const kv::ShardEvent& event) {
  const ShardId shard = event.descriptor.id;
  const bool known = shards_.contains(shard);
  if (event.kind != kv::ShardEvent::Kind::kReplaced) {
    PANDO_ASSERT(known == (event.kind != kv::ShardEvent::Kind::kAdded), "shards are added before anything else");
  }
  if (event.kind == kv::ShardEvent::Kind::kRemoved) {
    PANDO_ASSERT(!serving_.contains(shard), "what is removed is not served any more");
    shards_.erase(shard);
    return;
  }
  shards_[shard] = event.descriptor;
}

Bytes RecordMachine::handover(ShardId shard) { return fmt::format("from the leaseholder of {}", shard.number()); }

std::optional<uint64_t> RecordMachine::serving(ShardId shard) const {
  const auto found = serving_.find(shard);
  return found == serving_.end() ? std::nullopt : std::optional(found->second);
}

std::string contents(const storage::Reader& reader, const kv::ShardDescriptor& descriptor) {
  std::string text;
  Bytes value;
  for (const Bytes& key :
       {storage::applied_key(descriptor.id), kv::descriptor_key(descriptor.id), kv::shard_state_key(descriptor.id)}) {
    const auto found = reader.get(key, value);
    text += found.ok() && *found ? value : "(none)";
    text += '\n';
  }
  for (const storage::KeySpan& span : kv::plain_spans(descriptor)) {
    const auto iterator = reader.iterate(span);
    for (iterator->seek(span.start); iterator->valid(); iterator->next()) {
      text += fmt::format("{}={}\n", iterator->key(), iterator->value());
    }
  }
  const storage::KeySpan span = kv::version_span(descriptor);
  const auto iterator = reader.iterate_versions(span);
  for (iterator->seek(span.start, HlcTimestamp::max()); iterator->valid(); iterator->next()) {
    text += fmt::format("{}@{}={}\n", iterator->key(), iterator->timestamp().wall_ns, iterator->value());
  }
  return text;
}

}  // namespace pando::test
