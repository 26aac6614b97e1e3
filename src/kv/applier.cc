#include "kv/applier.h"

#include <algorithm>
#include <deque>
#include <iterator>

#include "base/codec.h"
#include "kv/bulk_writes.h"
#include "kv/ingested_walk.h"

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

Status Applier::ingest(const ShardDescriptor& shard, uint64_t index, const CommitRecord& record,
                       std::span<const txn::Span> expected_reads) {
  if (!empty()) {
    PANDO_TRY(write());
  }
  PANDO_ASSIGN(const BulkContents contents, BulkContents::open(*engine_.runs(), record.parts()));
  std::deque<IngestedWalk> walks;
  std::vector<storage::IngestSource*> sources;
  for (const txn::Span& span : contents.split({shard.start, shard.end}, engine_.ingest_threads())) {
    sources.push_back(&walks.emplace_back(contents.walk(span), engine_, cache_, record.timestamp(), expected_reads));
  }
  PANDO_TRY(engine_.ingest(sources, record.timestamp()));
  for (const IngestedWalk& walk : walks) {
    PANDO_TRY(walk.status());
  }
  for (IngestedWalk& walk : walks) {
    for (KeyRange& range : walk.take_replaced()) {
      cache_->forget(range.first, range.last);
      ingested_.push_back(std::move(range));
    }
    std::ranges::move(walk.take_left(), std::back_inserter(ingested_));
  }
  note_record(record);
  note_applied(shard.id, index);
  return write();
}

void Applier::note_record(const CommitRecord& record) {
  marks_.timestamp = std::max(marks_.timestamp, record.timestamp());
  marks_.transaction = std::max(marks_.transaction, record.transaction());
}

void Applier::add(ShardId shard, uint64_t index, CommitRecord record) {
  PANDO_ASSERT(!finished_, "a batch that failed to be written takes no more entries");
  const bool enters_cache = record.bytes() <= kCachedCommitBytesMax;
  for (CommitRecord::Change change; record.next(change);) {
    if (change.value.has_value()) {
      batch_.put_version(change.key, record.timestamp(), *change.value);
    } else {
      batch_.put_tombstone(change.key, record.timestamp());
    }
  }
  note_record(record);
  sections_.push_back({batch_.bytes().size(), enters_cache});
  note_applied(shard, index);
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
