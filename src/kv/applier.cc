#include "kv/applier.h"

#include <algorithm>

#include "base/codec.h"

namespace pando::kv {
namespace {

// The plain key of the high-water marks.
constexpr ByteView kMarksKey{"\x03marks", 6};
// The keys of larger commits do not push others out of the cache: bulk loads are seldom read back at once.
constexpr std::size_t kCachedCommitBytesMax = 64_KiB;
// How far the stored high-water marks run ahead. A restart begins above them: it skips some transaction numbers, and
// finds its clock past the time anyway.
constexpr uint64_t kMarksLeadNs = 10'000'000;
constexpr uint64_t kMarksLeadTransactions = 4096;

Bytes encode_marks(const HighWaterMarks& marks) {
  Bytes bytes;
  put_fixed64(bytes, marks.timestamp.wall_ns);
  put_fixed32(bytes, marks.timestamp.logical);
  put_fixed64(bytes, marks.transaction.number());
  return bytes;
}

}  // namespace

Result<HighWaterMarks> load_high_water_marks(const storage::Reader& reader) {
  HighWaterMarks marks;
  Bytes value;
  PANDO_ASSIGN(const bool found, reader.get(kMarksKey, value));
  if (!found) {
    return marks;
  }
  uint64_t transaction = 0;
  ByteReader bytes(value);
  if (!bytes.fixed64(marks.timestamp.wall_ns) || !bytes.fixed32(marks.timestamp.logical) ||
      !bytes.fixed64(transaction)) {
    return Status(sql_state::kDataCorrupted, "damaged high-water marks");
  }
  marks.transaction = TransactionId(transaction);
  return marks;
}

Applier::Applier(storage::Engine& engine, RecordCache* cache, HighWaterMarks marks)
    : engine_(engine), cache_(cache), marks_(marks), stored_marks_(marks) {}

Status Applier::add(ShardId shard, uint64_t index, ByteView payload) {
  PANDO_ASSERT(!finished_, "a batch that failed to be written takes no more entries");
  PANDO_ASSIGN(CommitRecord record, CommitRecord::decode(payload));
  const bool enters_cache = record.bytes() <= kCachedCommitBytesMax;
  for (CommitRecord::Change change; record.next(change);) {
    if (change.value.has_value()) {
      batch_.put_version(change.key, record.timestamp(), *change.value);
    } else {
      batch_.put_tombstone(change.key, record.timestamp());
    }
  }
  marks_.timestamp = std::max(marks_.timestamp, record.timestamp());
  marks_.transaction = std::max(marks_.transaction, record.transaction());
  sections_.push_back({batch_.bytes().size(), enters_cache});
  note_applied(shard, index);
  return {};
}

void Applier::note_applied(ShardId shard, uint64_t index) {
  const auto place = std::ranges::find(applied_, shard, &storage::AppliedIndex::shard);
  if (place == applied_.end()) {
    applied_.push_back({shard, index});
  } else {
    place->index = index;
  }
}

void Applier::note_marks() {
  if (marks_.timestamp <= stored_marks_.timestamp && marks_.transaction <= stored_marks_.transaction) {
    return;
  }
  stored_marks_ = {.timestamp = {marks_.timestamp.wall_ns + kMarksLeadNs, 0},
                   .transaction = TransactionId(marks_.transaction.number() + kMarksLeadTransactions)};
  batch_.put(kMarksKey, encode_marks(stored_marks_));
}

Status Applier::write() {
  if (!finished_) {
    for (const storage::AppliedIndex& applied : applied_) {
      batch_.set_applied(applied.shard, applied.index);
    }
    note_marks();
    finished_ = true;
  }
  PANDO_TRY(engine_.write(batch_));
  if (cache_ != nullptr) {
    update_cache();
  }
  batch_.clear();
  sections_.clear();
  applied_.clear();
  finished_ = false;
  return {};
}

void Applier::update_cache() {
  const ByteView all = batch_.bytes();
  ByteView rest = all;
  storage::WriteBatch::Change change;
  for (const Section& section : sections_) {
    while (all.size() - rest.size() < section.end && storage::WriteBatch::next(rest, change)) {
      const bool tombstone = change.operation == storage::WriteBatch::Operation::kPutTombstone;
      cache_->apply(change.key, change.timestamp, tombstone, change.value, section.enters_cache);
    }
  }
}

}  // namespace pando::kv
