#include "storage/journal_index.h"

#include <algorithm>

namespace pando::storage {
namespace {

// A run is not begun for every group, but when the last one begins at least this far before.
constexpr uint64_t kRunBytesMin = 64_KiB;

}  // namespace

Status JournalIndex::check(const JournalRecord& record, Preview& preview) const {
  Ends& ends = preview.try_emplace(record.shard, Ends{start(record.shard), last(record.shard)}).first->second;
  switch (record.kind) {
    case RecordKind::kEntry:
      if (record.entry.index > ends.last.index + 1 || record.entry.index <= ends.start.index) {
        return Status(sql_state::kInternalError, "entry {} of shard {} does not follow its log, which holds {} to {}",
                      record.entry.index, record.shard.number(), ends.start.index + 1, ends.last.index);
      }
      ends.last = {record.entry.index, record.entry.term};
      return Status();
    case RecordKind::kTruncate:
      ends.start = record.start;
      ends.last = std::max(ends.last, record.start, [](const auto& a, const auto& b) { return a.index < b.index; });
      return Status();
    case RecordKind::kRemove:
      ends = {};
      return Status();
    case RecordKind::kHardState:
    case RecordKind::kPromise:
    case RecordKind::kCheckpoint:
    case RecordKind::kClosed:
      return Status();
  }
  PANDO_UNREACHABLE("a record kind");
}

void JournalIndex::apply(const JournalRecord& record, GroupPlace place) {
  switch (record.kind) {
    case RecordKind::kEntry:
      apply_entry(shards_[record.shard], record, place);
      return;
    case RecordKind::kHardState:
      shards_[record.shard].hard_state = record.hard_state;
      return;
    case RecordKind::kPromise:
      promises_[record.promise.node] = record.promise;
      return;
    case RecordKind::kTruncate: {
      ShardLog& log = shards_[record.shard];
      log.start = record.start;
      if (log.last.index <= record.start.index) {
        log.last = record.start;
        log.runs.clear();
      }
      release(record.shard, record.start.index);
      return;
    }
    case RecordKind::kRemove:
      shards_.erase(record.shard);
      return;
    case RecordKind::kCheckpoint:
      apply_checkpoint(shards_[record.shard], record);
      return;
    case RecordKind::kClosed:
      return;
  }
}

void JournalIndex::apply_entry(ShardLog& log, const JournalRecord& record, GroupPlace place) {
  const uint64_t index = record.entry.index;
  const bool replaces = index <= log.last.index;
  while (!log.runs.empty() && log.runs.back().first >= index) {
    log.runs.pop_back();
  }
  const bool far = log.runs.empty() || log.runs.back().place.segment != place.segment ||
                   log.runs.back().place.offset + kRunBytesMin <= place.offset;
  if (far || replaces) {
    log.runs.push_back({index, place});
  }
  log.last = {index, record.entry.term};
  uint64_t& highest = segments_[place.segment][record.shard];
  highest = std::max(highest, index);
}

// A checkpoint repeats what is known, except at the first segment that is left: there the entries before it are gone.
void JournalIndex::apply_checkpoint(ShardLog& log, const JournalRecord& record) {
  log.hard_state = record.hard_state;
  if (log.last == record.last) {
    log.start = record.start;
    return;
  }
  // Where the log begins stays as it was: entries behind the checkpoint may replace some that are gone.
  log.last = record.last;
  log.start = record.start;
  log.released = record.last.index;
  log.runs.clear();
}

void JournalIndex::append_checkpoint(Bytes& out) const {
  for (const auto& [shard, log] : shards_) {
    append_record(out, {.kind = RecordKind::kCheckpoint,
                        .shard = shard,
                        .hard_state = log.hard_state,
                        .start = log.start,
                        .last = log.last});
  }
  for (const auto& [node, promise] : promises_) {
    append_record(out, {.kind = RecordKind::kPromise, .promise = promise});
  }
}

void JournalIndex::release(ShardId shard, uint64_t index) {
  if (const auto found = shards_.find(shard); found != shards_.end()) {
    found->second.released = std::max(found->second.released, std::min(index, found->second.last.index));
  }
}

bool JournalIndex::is_free(uint64_t segment) const {
  const auto found = segments_.find(segment);
  if (found == segments_.end()) {
    return true;
  }
  return std::ranges::all_of(found->second, [&](const auto& highest) {
    const auto log = shards_.find(highest.first);
    return log == shards_.end() || highest.second <= log->second.released;
  });
}

void JournalIndex::forget(uint64_t segment) {
  segments_.erase(segment);
  for (auto& [shard, log] : shards_) {
    const auto kept = std::ranges::find_if(log.runs, [&](const Run& run) { return run.place.segment > segment; });
    log.runs.erase(log.runs.begin(), kept);
  }
}

LogPosition JournalIndex::last(ShardId shard) const {
  const auto found = shards_.find(shard);
  return found == shards_.end() ? LogPosition() : found->second.last;
}

LogPosition JournalIndex::start(ShardId shard) const {
  const auto found = shards_.find(shard);
  return found == shards_.end() ? LogPosition() : found->second.start;
}

HardState JournalIndex::hard_state(ShardId shard) const {
  const auto found = shards_.find(shard);
  return found == shards_.end() ? HardState() : found->second.hard_state;
}

std::vector<LivenessPromise> JournalIndex::promises() const {
  std::vector<LivenessPromise> all;
  for (const auto& [node, promise] : promises_) {
    all.push_back(promise);
  }
  return all;
}

bool JournalIndex::find(ShardId shard, uint64_t index, Run& run, uint64_t& end) const {
  const auto found = shards_.find(shard);
  if (found == shards_.end() || index > found->second.last.index || index <= found->second.start.index) {
    return false;
  }
  const ShardLog& log = found->second;
  const auto after = std::ranges::upper_bound(log.runs, index, {}, &Run::first);
  if (after == log.runs.begin()) {
    return false;
  }
  run = *std::prev(after);
  end = after == log.runs.end() ? log.last.index + 1 : after->first;
  return true;
}

}  // namespace pando::storage
