#include "storage/journal_reader.h"

#include <algorithm>

#include "storage/journal_recovery.h"

namespace pando::storage {
namespace {

constexpr std::size_t kArenaBytesMin = 4_KiB;

// The bytes of the group at `offset`, as long as its header says.
Task<Result<Bytes>> load_group(runtime::File* file, uint64_t offset, uint64_t used_bytes) {
  PANDO_CO_ASSIGN(const Bytes header, co_await file->read(offset, kGroupHeaderBytes));
  const uint64_t size = std::min(group_bytes(header), used_bytes - offset);
  co_return co_await file->read(offset, size);
}

}  // namespace

// Reserved at once: a string short enough to lie in its own object would move its bytes when it is moved, and the views
// into it would dangle.
EntryCollector::EntryCollector(ShardId shard, uint64_t first, uint64_t last, std::size_t bytes_max)
    : shard_(shard), next_(first), last_(last), bytes_max_(bytes_max) {
  entries_.arena.reserve(kArenaBytesMin);
}

void EntryCollector::offer(const JournalRecord& record) {
  if (done() || record.kind != RecordKind::kEntry || record.shard != shard_ || record.entry.index != next_) {
    return;
  }
  const ByteView payload = record.entry.payload;
  if (!entries_.entries.empty() && entries_.arena.size() + payload.size() > bytes_max_) {
    full_ = true;
    return;
  }
  entries_.arena.append(payload);
  entries_.entries.push_back(record.entry);
  ++next_;
}

Journal::Entries EntryCollector::take() && {
  // The arena has stopped moving, so views into it can be made.
  std::size_t offset = 0;
  for (JournalEntry& entry : entries_.entries) {
    const std::size_t size = entry.payload.size();
    entry.payload = ByteView(entries_.arena).substr(offset, size);
    offset += size;
  }
  return std::move(entries_);
}

Task<Status> read_run(Bytes directory, runtime::Disk* disk, RunPlace place, EntryCollector* collector) {
  const Bytes path = segment_path(directory, place.group.segment);
  PANDO_CO_ASSIGN(auto file, co_await disk->open(path, runtime::OpenMode::kExisting));
  uint64_t offset = place.group.offset;
  while (!collector->done() && collector->next() < place.end && offset < place.used_bytes) {
    PANDO_CO_ASSIGN(const Bytes contents, co_await load_group(file.get(), offset, place.used_bytes));
    GroupView group;
    if (!read_group(contents, 0, place.group.segment, group)) {
      co_return Status(sql_state::kDataCorrupted, "journal file \"{}\" is damaged at offset {}: no valid group", path,
                       offset);
    }
    offset += group.size;
    JournalRecord record;
    for (ByteView rest = group.payload; collector->next() < place.end && next_record(rest, record);) {
      collector->offer(record);
    }
  }
  if (!collector->done() && collector->next() < place.end) {
    co_return Status(sql_state::kDataCorrupted, "journal file \"{}\" lacks entry {}", path, collector->next());
  }
  co_return Status();
}

}  // namespace pando::storage
