#include "kv/recovery.h"

#include <algorithm>

namespace pando::kv {
namespace {

// Entries are applied in batches of this size.
constexpr std::size_t kReplayBatchBytes = 1_MiB;

}  // namespace

Result<Recovery> Recovery::start(storage::Engine& engine, Router& router) {
  PANDO_ASSIGN(const HighWaterMarks marks, load_high_water_marks(engine));
  Recovery recovery(engine, router, marks);
  for (const auto& shard : router.shards()) {
    PANDO_ASSIGN(const uint64_t applied, engine.applied(shard->descriptor.id));
    recovery.applied_.emplace(shard->descriptor.id, applied);
  }
  return recovery;
}

Status Recovery::on_entry(ShardId shard, const storage::JournalEntry& entry) {
  const auto place = applied_.find(shard);
  if (place == applied_.end()) {
    return Status(sql_state::kDataCorrupted, "the journal has an entry of shard {}, which does not exist",
                  shard.number());
  }
  uint64_t& applied = place->second;
  if (entry.index <= applied) {
    return {};
  }
  if (entry.index != applied + 1) {
    return Status(sql_state::kDataCorrupted, "the journal goes on with entry {} of shard {} after entry {}",
                  entry.index, shard.number(), applied);
  }
  applied = entry.index;
  ++replayed_entries_;
  PANDO_ASSIGN(CommitRecord record, CommitRecord::decode(entry.payload));
  if (record.is_bulk()) {
    return apply_bulk(shard, entry.index, record);
  }
  applier_.add(shard, entry.index, std::move(record));
  return applier_.bytes() >= kReplayBatchBytes ? applier_.write() : Status();
}

Status Recovery::apply_bulk(ShardId shard, uint64_t index, const CommitRecord& record) {
  if (engine_.runs() == nullptr) {
    return Status(sql_state::kDataCorrupted, "the journal has a bulk commit, but the storage engine takes none in");
  }
  const auto place = std::ranges::find(router_.shards(), shard, [](const auto& s) { return s->descriptor.id; });
  PANDO_ASSERT(place != router_.shards().end(), "shards without a descriptor were refused before");
  Status status = applier_.ingest((*place)->descriptor, index, record, {});
  if (status.is(sql_state::kUndefinedFile)) {
    return Status(sql_state::kDataCorrupted, "a bulk commit of the journal cannot be replayed: {}", status.message());
  }
  return status;
}

Status Recovery::finish() { return applier_.empty() ? Status() : applier_.write(); }

}  // namespace pando::kv
