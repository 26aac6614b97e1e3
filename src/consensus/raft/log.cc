#include "consensus/raft/log.h"

#include <algorithm>

#include "base/assert.h"

namespace pando::raft {

Log::Log(LogPosition compacted, std::vector<Entry> entries, LogIndex committed, LogIndex applied)
    : compacted_(compacted), committed_(committed), applying_(applied), applied_(applied) {
  append(entries);
  written_ = last_index();
  durable_ = last_index();
  PANDO_ASSERT(compacted_.index <= applied_, "what was compacted has been applied");
  PANDO_ASSERT(applied_ <= committed_, "only committed entries are applied");
  PANDO_ASSERT(committed_ <= last_index(), "only entries that are durable are committed on restart");
}

std::optional<Term> Log::term(LogIndex index) const {
  if (index == compacted_.index) {
    return compacted_.term;
  }
  if (index < compacted_.index || index > last_index()) {
    return std::nullopt;
  }
  return entries_[index - compacted_.index - 1].term;
}

const Entry& Log::at(LogIndex index) const {
  PANDO_ASSERT(index > compacted_.index && index <= last_index(), "an index within the log");
  return entries_[index - compacted_.index - 1];
}

std::vector<Entry> Log::slice(LogIndex from, LogIndex through, std::size_t bytes_max) const {
  PANDO_ASSERT(from > compacted_.index, "a slice begins after the compaction point");
  PANDO_ASSERT(through <= last_index(), "a slice ends within the log");
  LogIndex end = from;
  for (std::size_t bytes = 0; end <= through; ++end) {
    bytes += cost_bytes(at(end));
    if (bytes > bytes_max && end > from) {
      break;
    }
  }
  std::vector<Entry> entries;
  entries.reserve(end - from);
  for (LogIndex index = from; index < end; ++index) {
    entries.push_back(at(index));
  }
  return entries;
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

void Log::append(std::span<const Entry> entries) {
  for (const Entry& entry : entries) {
    PANDO_ASSERT(entry.index == last_index() + 1, "entries follow the last one without a gap");
    PANDO_ASSERT(entry.term >= last_term(), "terms never fall along a log");
    entries_.push_back(entry);
  }
}

void Log::merge(std::span<const Entry> entries) {
  std::size_t known = 0;
  while (known < entries.size() &&
         (entries[known].index <= compacted_.index || matches({entries[known].index, entries[known].term}))) {
    ++known;
  }
  if (known == entries.size()) {
    return;
  }
  const LogIndex conflict = entries[known].index;
  PANDO_ASSERT(conflict > committed_, "a committed entry is never replaced");
  if (conflict <= last_index()) {
    truncate_after(conflict - 1);
  }
  append(entries.subspan(known));
}

void Log::truncate_after(LogIndex index) {
  entries_.drop_back(last_index() - index);
  written_ = std::min(written_, index);
  durable_ = std::min(durable_, index);
  for (std::size_t i = 0; i < in_flight_.size(); ++i) {
    in_flight_[i].through = std::min(in_flight_[i].through, index);
  }
}

void Log::commit_to(LogIndex index) {
  PANDO_ASSERT(index <= last_index(), "an entry that is not there cannot be committed");
  committed_ = std::max(committed_, index);
}

void Log::restore(LogPosition position) {
  PANDO_ASSERT(position.index > committed_, "a snapshot that brings nothing new is not restored");
  entries_.clear();
  compacted_ = position;
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
  const Term term = at(index).term;
  entries_.drop_front(index - compacted_.index);
  compacted_ = {index, term};
}

std::vector<Entry> Log::take_unwritten(uint64_t sequence) {
  if (!has_unwritten()) {
    return {};
  }
  std::vector<Entry> entries = slice(written_ + 1, last_index(), SIZE_MAX);
  written_ = last_index();
  in_flight_.push_back({sequence, written_});
  return entries;
}

void Log::note_snapshot_written(uint64_t sequence) { in_flight_.push_back({sequence, compacted_.index}); }

bool Log::on_durable(uint64_t sequence) {
  const LogIndex before = durable_;
  while (!in_flight_.empty() && in_flight_.front().sequence <= sequence) {
    durable_ = std::max(durable_, in_flight_.front().through);
    in_flight_.pop_front();
  }
  PANDO_ASSERT(durable_ <= written_, "only what was written is durable");
  // A restored snapshot counts as applied once it is in place.
  if (durable_ >= compacted_.index && applied_ < compacted_.index) {
    applied_ = compacted_.index;
    applying_ = std::max(applying_, compacted_.index);
  }
  return durable_ > before;
}

std::vector<Entry> Log::take_applicable(std::size_t bytes_max) {
  if (applying_ >= applicable()) {
    return {};
  }
  std::vector<Entry> entries = slice(applying_ + 1, applicable(), bytes_max);
  applying_ = entries.back().index;
  return entries;
}

void Log::applied_to(LogIndex index) {
  PANDO_ASSERT(index >= applied_, "applying never goes back");
  PANDO_ASSERT(index <= applying_, "only what was handed out is applied");
  applied_ = index;
}

}  // namespace pando::raft
