#include "consensus/raft/log.h"

#include <algorithm>

#include "base/assert.h"

namespace pando::raft {

namespace {

// The log's own blocks grow with their use: an idle group keeps a small one.
constexpr std::size_t kBlockEntriesMin = 4;
constexpr std::size_t kBlockEntriesMax = 64;
// Room for payloads, for each entry that there is room for.
constexpr std::size_t kBlockBytesPerEntry = 128;
// A payload up to this size is copied into the block: that costs less than to keep a piece of memory for it alone.
constexpr std::size_t kCopiedBytesMax = 512;
// A block that keeps more than this alive takes no more: it is freed as a whole.
constexpr std::size_t kBlockBytesMax = 64_KiB;
// An entry is written, applied and sent to a few members.
constexpr uint32_t kSharesPerEntry = 8;
// A run of more entries than this is kept as it came.
constexpr std::size_t kCopiedEntriesMax = 4;

}  // namespace

Log::Log(LogPosition compacted, std::vector<Entry> entries, LogIndex committed, LogIndex applied)
    : compacted_(compacted), last_(compacted), committed_(committed), applying_(applied), applied_(applied) {
  adopt(std::move(entries));
  written_ = last_index();
  durable_ = last_index();
  PANDO_ASSERT(compacted_.index <= applied_, "what was compacted has been applied");
  PANDO_ASSERT(applied_ <= committed_, "only committed entries are applied");
  PANDO_ASSERT(committed_ <= last_index(), "only entries that are durable are committed on restart");
}

Entries Log::slice_any(LogIndex from, LogIndex through, std::size_t bytes_max) {
  PANDO_ASSERT(from > compacted_.index && through <= last_.index, "a slice lies within the log");
  if (from > through) {
    return {};
  }
  const Entries& run = runs_[run_of(from)];
  const std::size_t place = from - run.data_->index;
  const std::size_t wanted = through - from + 1;
  const std::size_t end = std::min(place + wanted, run.size());
  std::size_t next = place;
  for (std::size_t bytes = 0; next < end; ++next) {
    bytes += cost_bytes(run[next]);
    if (bytes > bytes_max && next > place) {
      break;
    }
  }
  if (next < end || end == place + wanted) {
    return lend(run, place, next - place);
  }
  return slice_runs(from, through, bytes_max);
}

Entries Log::slice_runs(LogIndex from, LogIndex through, std::size_t bytes_max) const {
  std::size_t count = 0;
  std::size_t bytes = 0;
  bool full = false;
  for_each(from, through, [&](const Entry& entry) {
    bytes += cost_bytes(entry);
    full = full || (bytes > bytes_max && count > 0);
    count += full ? 0 : 1;
  });
  EntryBlock block(count, 0);
  for_each(from, from + count - 1, [&](const Entry& entry) { block.add(entry); });
  return std::move(block).take();
}

bool Log::up_to_date(LogPosition other) const {
  return other.term > last_term() || (other.term == last_term() && other.index >= last_index());
}

std::pair<LogIndex, std::optional<Term>> Log::conflict_hint(LogIndex index, Term term) const {
  index = std::min(index, last_index());
  while (index > compacted_.index && *this->term(index) > term) {
    --index;
  }
  return {index, this->term(index)};
}

void Log::adopt(Entries run) {
  for (const Entry& entry : run) {
    PANDO_ASSERT(entry.index == last_.index + 1, "entries follow the last one without a gap");
    PANDO_ASSERT(entry.term >= last_.term, "terms never fall along a log");
    last_ = {entry.index, entry.term};
    changes_through_ = entry.type == EntryType::kConfigChange ? entry.index : changes_through_;
  }
  if (!run.empty()) {
    runs_.push_back(std::move(run));
  }
}

void Log::make_room(std::size_t count, std::size_t bytes) {
  if (open_.room() >= count && open_.room_bytes() >= bytes && open_bytes_ < kBlockBytesMax) {
    return;
  }
  const std::size_t entries = std::max(count, std::clamp(2 * open_.size(), kBlockEntriesMin, kBlockEntriesMax));
  open_ = EntryBlock(entries, std::max(bytes, entries * kBlockBytesPerEntry), kSharesPerEntry * entries);
  open_bytes_ = 0;
}

void Log::append(Term term, EntryType type, ByteView payload) {
  PANDO_ASSERT(term >= last_.term, "terms never fall along a log");
  if (payload.size() > kCopiedBytesMax) {
    make_room(1, 0);
    append_shared(term, type, Payload::copy_of(payload));
    return;
  }
  make_room(1, payload.size());
  append_copy(term, type, payload);
}

void Log::append(Term term, EntryType type, std::span<const Payload> payloads) {
  PANDO_ASSERT(term >= last_.term, "terms never fall along a log");
  std::size_t bytes = 0;
  for (const Payload& payload : payloads) {
    bytes += payload.size() <= kCopiedBytesMax ? payload.size() : 0;
  }
  make_room(payloads.size(), bytes);
  for (const Payload& payload : payloads) {
    append_one(term, type, payload);
  }
}

void Log::append_one(Term term, EntryType type, const Payload& payload) {
  if (payload != nullptr && payload.size() <= kCopiedBytesMax) {
    append_copy(term, type, *payload);
  } else {
    append_shared(term, type, payload);
  }
}

[[gnu::always_inline]] inline void Log::append_copy(Term term, EntryType type, ByteView payload) {
  open_.add(term, last_.index + 1, type, payload);
  note_added(type);
}

void Log::append_shared(Term term, EntryType type, Payload payload) {
  open_bytes_ += payload.size();
  open_.add({.term = term, .index = last_.index + 1, .type = type, .payload = std::move(payload)});
  note_added(type);
}

// The last entry of the open block is the log's last now.
[[gnu::always_inline]] inline void Log::note_added(EntryType type) {
  Entries::Block* const block = open_.block_;
  const Entry* const added = block->entries() + open_.size() - 1;
  last_ = {added->index, added->term};
  changes_through_ = type == EntryType::kConfigChange ? last_.index : changes_through_;
  if (!runs_.empty() && runs_.back().end() == added) {
    ++runs_.back().size_;
    return;
  }
  block->owners.fetch_add(1, std::memory_order_relaxed);
  runs_.push_back(Entries(block, added, 1));
}

void Log::merge(const Entries& entries) {
  std::size_t known = 0;
  while (known < entries.size() && entries[known].index <= last_.index &&
         (entries[known].index <= compacted_.index || matches({entries[known].index, entries[known].term}))) {
    ++known;
  }
  if (known == entries.size()) {
    return;
  }
  const LogIndex conflict = entries[known].index;
  PANDO_ASSERT(conflict > committed_, "a committed entry is never replaced");
  if (conflict <= last_.index) {
    truncate_after(conflict - 1);
  }
  if (entries.size() - known > kCopiedEntriesMax) {
    adopt(entries.part(known, entries.size() - known));
    return;
  }
  for (; known < entries.size(); ++known) {
    const Entry& entry = entries[known];
    PANDO_ASSERT(entry.index == last_.index + 1, "entries follow the last one without a gap");
    PANDO_ASSERT(entry.term >= last_.term, "terms never fall along a log");
    make_room(1, entry.payload.size() <= kCopiedBytesMax ? entry.payload.size() : 0);
    append_one(entry.term, entry.type, entry.payload);
  }
}

void Log::truncate_after(LogIndex index) {
  last_ = {index, term(index).value()};
  while (!runs_.empty() && runs_.back().front().index > index) {
    runs_.drop_back(1);
  }
  if (!runs_.empty()) {
    runs_.back().size_ = static_cast<uint32_t>(index - runs_.back().front().index + 1);
  }
  written_ = std::min(written_, index);
  durable_ = std::min(durable_, index);
  for (std::size_t i = 0; i < in_flight_.size(); ++i) {
    in_flight_[i].through = std::min(in_flight_[i].through, index);
  }
}

void Log::restore(LogPosition position) {
  PANDO_ASSERT(position.index > committed_, "a snapshot that brings nothing new is not restored");
  runs_.clear();
  open_ = EntryBlock();
  compacted_ = position;
  last_ = position;
  committed_ = position.index;
  written_ = position.index;
  // Writes in flight concern the log that was given up.
  for (std::size_t i = 0; i < in_flight_.size(); ++i) {
    in_flight_[i].through = 0;
  }
  durable_ = 0;
}

void Log::compact(LogIndex index) {
  if (index <= compacted_.index) {
    return;
  }
  PANDO_ASSERT(index <= applied_, "only what has been applied is compacted");
  const std::size_t place = run_of(index);
  const std::size_t count = index - runs_[place].front().index + 1;
  compacted_ = {index, runs_[place][count - 1].term};
  const bool whole = count == runs_[place].size();
  if (!whole) {
    runs_[place] = runs_[place].part(count, runs_[place].size() - count);
  }
  runs_.drop_front(place + (whole ? 1 : 0));
  if (runs_.empty()) {
    // It would keep alive what was compacted.
    open_ = EntryBlock();
  }
}

void Log::note_snapshot_written(uint64_t sequence) { in_flight_.push_back({sequence, compacted_.index}); }

}  // namespace pando::raft
