#include "storage/journal_recovery.h"

#include <charconv>
#include <optional>

namespace pando::storage {
namespace {

constexpr ByteView kSegmentSuffix = ".segment";
constexpr ByteView kSpareSuffix = ".spare";
constexpr std::size_t kNumberDigits = 16;

std::optional<uint64_t> parse_name(ByteView name, ByteView suffix) {
  if (name.size() != kNumberDigits + suffix.size() || !name.ends_with(suffix)) {
    return std::nullopt;
  }
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + kNumberDigits, number, 16);
  if (error != std::errc() || end != name.data() + kNumberDigits) {
    return std::nullopt;
  }
  return number;
}

struct SegmentContents {
  uint64_t segment = 0;
  Bytes bytes;
  // Of its first group; none when it has no group at all.
  std::optional<uint64_t> first_sequence;
};

Status damaged(const Bytes& directory, uint64_t segment, uint64_t offset, ByteView what) {
  return Status(sql_state::kDataCorrupted, "journal file \"{}\" is damaged at offset {}: {}",
                segment_path(directory, segment), offset, what);
}

// Reads one segment and looks at its first group.
Task<Result<SegmentContents>> load_segment(Bytes directory, uint64_t segment, runtime::Disk* disk) {
  PANDO_CO_ASSIGN(auto file, co_await disk->open(segment_path(directory, segment), runtime::OpenMode::kExisting));
  PANDO_CO_ASSIGN(const uint64_t size, co_await file->size());
  SegmentContents contents{.segment = segment};
  PANDO_CO_ASSIGN(contents.bytes, co_await file->read(0, size));
  GroupView group;
  if (read_group(contents.bytes, 0, segment, group)) {
    contents.first_sequence = group.sequence;
  } else if (const uint64_t found = find_group(contents.bytes, 0, segment, 0); found != contents.bytes.size()) {
    co_return damaged(directory, segment, 0, fmt::format("no valid group, but one follows at offset {}", found));
  }
  co_return contents;
}

class Recovery {
 public:
  Recovery(Bytes directory, JournalVisitor* visitor) : directory_(std::move(directory)), visitor_(visitor) {}

  // Takes the groups of one used segment in; `next` is the used segment after it, if there is one.
  Status take_segment(const SegmentContents& contents, const SegmentContents* next) {
    const uint64_t segment = contents.segment;
    if (journal_.segments.empty()) {
      journal_.next_sequence = *contents.first_sequence;
    }
    // Groups from here on were abandoned after a failed write: the next segment took their place.
    const uint64_t limit = next == nullptr ? UINT64_MAX : *next->first_sequence;
    uint64_t offset = 0;
    GroupView group;
    while (journal_.next_sequence < limit && read_group(contents.bytes, offset, segment, group)) {
      if (group.sequence != journal_.next_sequence) {
        return damaged(directory_, segment, offset,
                       fmt::format("expected group {}, found group {}", journal_.next_sequence, group.sequence));
      }
      PANDO_TRY(take_group(group, {segment, offset}));
      ++journal_.next_sequence;
      offset += group.size;
    }
    if (next != nullptr && journal_.next_sequence != limit) {
      return damaged(
          directory_, segment, offset,
          fmt::format("expected group {}, but the next segment begins with group {}", journal_.next_sequence, limit));
    }
    if (next == nullptr) {
      PANDO_TRY(check_tail(contents, offset));
    }
    journal_.segments.push_back({segment, contents.bytes.size(), offset});
    return Status();
  }

  RecoveredJournal& journal() { return journal_; }

 private:
  Status take_group(const GroupView& group, GroupPlace place) {
    JournalRecord record;
    for (ByteView rest = group.payload; !rest.empty();) {
      if (!next_record(rest, record)) {
        return damaged(directory_, place.segment, place.offset, "a record that cannot be decoded");
      }
      PANDO_TRY(take_record(record, place));
    }
    return Status();
  }

  Status take_record(const JournalRecord& record, GroupPlace place) {
    journal_.closed = record.kind == RecordKind::kClosed;
    JournalIndex::Preview preview;
    if (const Status status = journal_.index.check(record, preview); !status.ok()) {
      return damaged(directory_, place.segment, place.offset, status.message());
    }
    if (record.kind == RecordKind::kCheckpoint && !journal_.segments.empty()) {
      const bool known = journal_.index.last(record.shard) == record.last;
      return known ? Status() : damaged(directory_, place.segment, place.offset, "a checkpoint that does not fit");
    }
    journal_.index.apply(record, place);
    return visitor_ == nullptr ? Status() : visit(record);
  }

  Status visit(const JournalRecord& record) {
    switch (record.kind) {
      case RecordKind::kEntry:
        return visitor_->on_entry(record.shard, record.entry);
      case RecordKind::kHardState:
        return visitor_->on_hard_state(record.shard, record.hard_state);
      case RecordKind::kPromise:
        return visitor_->on_promise(record.promise);
      case RecordKind::kTruncate:
        return visitor_->on_truncate(record.shard, record.start.index, record.start.term);
      case RecordKind::kRemove:
        return visitor_->on_remove(record.shard);
      case RecordKind::kCheckpoint:
        PANDO_TRY(visitor_->on_hard_state(record.shard, record.hard_state));
        return record.last.index == 0 ? Status()
                                      : visitor_->on_truncate(record.shard, record.last.index, record.last.term);
      case RecordKind::kClosed:
        return Status();
    }
    PANDO_UNREACHABLE("a record kind");
  }

  // What is behind the last group must be an unfinished one: had a later group been written, this one was durable.
  Status check_tail(const SegmentContents& contents, uint64_t offset) {
    const uint64_t later = find_group(contents.bytes, offset, contents.segment, journal_.next_sequence);
    if (later != contents.bytes.size()) {
      return damaged(directory_, contents.segment, offset,
                     fmt::format("group {} fails its checksum, but a later group follows at offset {}",
                                 journal_.next_sequence, later));
    }
    const ByteView rest = ByteView(contents.bytes).substr(offset, kGroupHeaderBytes);
    Bytes magic;
    magic.assign(rest.substr(0, sizeof(kGroupMagic)));
    uint32_t found = 0;
    if (magic.size() == sizeof(found)) {
      std::memcpy(&found, magic.data(), sizeof(found));
    }
    journal_.torn_bytes =
        found == kGroupMagic && names_segment(rest, contents.segment) ? contents.bytes.size() - offset : 0;
    return Status();
  }

  // Whether an unfinished header belongs to this life of the file.
  static bool names_segment(ByteView header, uint64_t segment) {
    constexpr std::size_t kSegmentOffset = 16;
    uint64_t found = 0;
    if (header.size() < kSegmentOffset + sizeof(found)) {
      return false;
    }
    std::memcpy(&found, header.data() + kSegmentOffset, sizeof(found));
    return found == segment;
  }

  const Bytes directory_;
  JournalVisitor* const visitor_;
  RecoveredJournal journal_;
};

}  // namespace

Bytes segment_path(const Bytes& directory, uint64_t segment) {
  return fmt::format("{}/{:016x}{}", directory, segment, kSegmentSuffix);
}

Bytes spare_path(const Bytes& directory, uint64_t number) {
  return fmt::format("{}/{:016x}{}", directory, number, kSpareSuffix);
}

Task<Result<RecoveredJournal>> recover_journal(Bytes directory, runtime::Disk* disk, JournalVisitor* visitor) {
  Recovery recovery(directory, visitor);
  RecoveredJournal& journal = recovery.journal();
  PANDO_CO_ASSIGN(const auto names, co_await disk->list(directory));
  std::optional<SegmentContents> current;
  for (const Bytes& name : names) {
    if (const auto spare = parse_name(name, kSpareSuffix)) {
      journal.spares.push_back(spare_path(directory, *spare));
      journal.next_segment = std::max(journal.next_segment, *spare + 1);
      continue;
    }
    const auto segment = parse_name(name, kSegmentSuffix);
    if (!segment) {
      continue;
    }
    journal.next_segment = std::max(journal.next_segment, *segment + 1);
    PANDO_CO_ASSIGN(SegmentContents contents, co_await load_segment(directory, *segment, disk));
    if (!contents.first_sequence) {
      journal.spares.push_back(segment_path(directory, *segment));
      continue;
    }
    if (current) {
      PANDO_CO_TRY(recovery.take_segment(*current, &contents));
    }
    current = std::move(contents);
  }
  if (current) {
    PANDO_CO_TRY(recovery.take_segment(*current, nullptr));
  }
  co_return std::move(journal);
}

}  // namespace pando::storage
