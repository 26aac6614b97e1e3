#pragma once

// Log: a replica's entries from the compaction point on, with what is durable, committed and applied of them.
//
//   compacted            applied   applying       committed          last
//       |  ...   entries   |   ...    |     ...       |      ...      |
//                                        durable may be anywhere from committed-1 on; only durable entries are applied
//
// Durability is tracked by the sequence number of the write that carries an entry, not by (index, term): when a tail is
// overwritten while its write is in flight, the completion of that write no longer vouches for anything above the cut
// (the ABA race of asynchronous appends).
//
// Entries lie in runs. A follower keeps a long run as a message brought it; single entries, and a leader's own, are
// added to a block of the log, with their payloads if those are small. What leaves the log shares the runs; only what
// spans several is copied together. One thread at a time.

#include <algorithm>
#include <optional>
#include <span>
#include <vector>

#include "consensus/raft/entries.h"
#include "consensus/raft/ring.h"

namespace pando::raft {

class Log {
 public:
  // REQUIRES: `entries` follow `compacted` without a gap; compacted.index <= applied <= the last index. All are
  // durable.
  Log(LogPosition compacted, std::vector<Entry> entries, LogIndex committed, LogIndex applied);

  LogPosition compacted() const { return compacted_; }
  LogIndex last_index() const { return last_.index; }
  Term last_term() const { return last_.term; }
  LogPosition last() const { return last_; }
  LogIndex committed() const { return committed_; }
  LogIndex applying() const { return applying_; }
  LogIndex applied() const { return applied_; }
  LogIndex durable() const { return durable_; }

  // The term of the entry at `index`; none when it is compacted away or past the end.
  std::optional<Term> term(LogIndex index) const;
  bool matches(LogPosition position) const { return term(position.index) == position.term; }
  // REQUIRES: compacted().index < index <= last_index().
  const Entry& at(LogIndex index) const;
  // Entries from `from` on that cost up to `bytes_max`, at least one if there is one. REQUIRES: from >
  // compacted().index.
  Entries slice(LogIndex from, LogIndex through, std::size_t bytes_max);
  // What slice, take_unwritten or take_applicable gave, no longer needed: cheaper than to destroy it.
  void take_back(Entries&& entries) {
    if (open_.holds(entries)) {
      open_.take_back(std::move(entries));
    } else {
      entries.reset();
    }
  }
  // Calls visit(entry) for each of them in order. REQUIRES: from > compacted().index; through <= last_index().
  template <typename Visit>
  void for_each(LogIndex from, LogIndex through, Visit&& visit) const;
  // No entry above this is a configuration change.
  LogIndex changes_through() const { return changes_through_; }
  // Raft 5.4.1: whether a log that ends at `other` has everything this one may have committed.
  bool up_to_date(LogPosition other) const;
  // The last position at or below `index` whose term is at most `term`: where a leader and a follower that disagree may
  // agree at the earliest. Its term is none when it is compacted away.
  std::pair<LogIndex, std::optional<Term>> conflict_hint(LogIndex index, Term term) const;

  // A leader's append: new entries of `term` at the end. REQUIRES: term >= last_term().
  void append(Term term, EntryType type, ByteView payload);
  void append(Term term, EntryType type, std::span<const Payload> payloads);
  // A follower's append: replaces from the first conflict on. REQUIRES: the entry before the first matches; no conflict
  // at or below committed().
  void merge(const Entries& entries);
  void commit_to(LogIndex index);
  // Forgets all and begins after `position`, which is committed, applied and (once written) durable.
  void restore(LogPosition position);
  // Drops entries up to `index`. No effect below compacted(). REQUIRES: index <= applied().
  void compact(LogIndex index);

  // --- writing ---
  // Whether there are entries that no write carries yet.
  bool has_unwritten() const { return written_ < last_index(); }
  // The entries that no write carries yet, now carried by write `sequence`.
  Entries take_unwritten(uint64_t sequence);
  // Notes that write `sequence` carries a snapshot restored at last_index().
  void note_snapshot_written(uint64_t sequence);
  // Write `sequence`, and all before it, are durable. Returns whether durable() rose.
  bool on_durable(uint64_t sequence);

  // --- applying ---
  LogIndex applicable() const { return std::min(committed_, durable_); }
  // The next entries to apply, costing up to `bytes_max`.
  Entries take_applicable(std::size_t bytes_max);
  // REQUIRES: applied() <= index <= applying().
  void applied_to(LogIndex index);

 private:
  struct Write {
    uint64_t sequence = 0;
    // What it vouches for, cut back when that is overwritten.
    LogIndex through = 0;
  };
  void adopt(Entries run);
  void truncate_after(LogIndex index);
  // The place of the run that holds `index`. REQUIRES: compacted().index < index <= last_index().
  std::size_t run_of(LogIndex index) const;
  [[gnu::always_inline]] Entries lend(const Entries& run, std::size_t from, std::size_t count) {
    return open_.holds(run) ? open_.lend(run, from, count) : run.part(from, count);
  }
  // Whether `index` lies in the last run, as nearly always.
  bool in_last_run(LogIndex index) const { return !runs_.empty() && last_.index - index < runs_.back().size(); }
  Entries slice_any(LogIndex from, LogIndex through, std::size_t bytes_max);
  Entries slice_runs(LogIndex from, LogIndex through, std::size_t bytes_max) const;
  // REQUIRES: room in `open_`.
  void append_one(Term term, EntryType type, const Payload& payload);
  void append_copy(Term term, EntryType type, ByteView payload);
  void append_shared(Term term, EntryType type, Payload payload);
  void note_added(EntryType type);
  void make_room(std::size_t count, std::size_t bytes);

  LogPosition compacted_;
  LogPosition last_;
  // None is empty; each follows the one before.
  Ring<Entries> runs_;
  // The block that entries are added to.
  EntryBlock open_;
  // Payload bytes that `open_` keeps alive outside of itself.
  std::size_t open_bytes_ = 0;
  LogIndex changes_through_ = 0;
  LogIndex committed_ = 0;
  LogIndex applying_ = 0;
  LogIndex applied_ = 0;
  LogIndex written_ = 0;
  LogIndex durable_ = 0;
  Ring<Write> in_flight_;
};

inline std::size_t Log::run_of(LogIndex index) const {
  // Nearly always one of the last few.
  constexpr std::size_t kTried = 4;
  std::size_t end = runs_.size();
  for (std::size_t tried = 0; tried < kTried && end > 0; ++tried) {
    --end;
    if (runs_[end].data_->index <= index) {
      return end;
    }
  }
  std::size_t begin = 0;
  while (end - begin > 1) {
    const std::size_t middle = begin + (end - begin) / 2;
    (runs_[middle].data_->index <= index ? begin : end) = middle;
  }
  return begin;
}

[[gnu::always_inline]] inline Entries Log::slice(LogIndex from, LogIndex through, std::size_t bytes_max) {
  if (from == through && in_last_run(from)) {
    const Entries& run = runs_.back();
    return lend(run, run.size() - 1 - (last_.index - from), 1);
  }
  return slice_any(from, through, bytes_max);
}

inline std::optional<Term> Log::term(LogIndex index) const {
  if (index == last_.index) {
    return last_.term;
  }
  if (index == compacted_.index) {
    return compacted_.term;
  }
  if (index < compacted_.index || index > last_.index) {
    return std::nullopt;
  }
  return at(index).term;
}

inline const Entry& Log::at(LogIndex index) const {
  PANDO_ASSERT(index > compacted_.index && index <= last_.index, "an index within the log");
  if (in_last_run(index)) {
    return *(runs_.back().end() - 1 - (last_.index - index));
  }
  const Entries& run = runs_[run_of(index)];
  return run[index - run.data_->index];
}

inline void Log::commit_to(LogIndex index) {
  PANDO_ASSERT(index <= last_index(), "an entry that is not there cannot be committed");
  committed_ = std::max(committed_, index);
}

[[gnu::always_inline]] inline Entries Log::take_unwritten(uint64_t sequence) {
  if (!has_unwritten()) {
    return {};
  }
  Entries entries = slice(written_ + 1, last_index(), SIZE_MAX);
  written_ = last_index();
  in_flight_.push_back({sequence, written_});
  return entries;
}

inline bool Log::on_durable(uint64_t sequence) {
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

[[gnu::always_inline]] inline Entries Log::take_applicable(std::size_t bytes_max) {
  if (applying_ >= applicable()) {
    return {};
  }
  Entries entries = slice(applying_ + 1, applicable(), bytes_max);
  applying_ = entries.back().index;
  return entries;
}

inline void Log::applied_to(LogIndex index) {
  PANDO_ASSERT(index >= applied_, "applying never goes back");
  PANDO_ASSERT(index <= applying_, "only what was handed out is applied");
  applied_ = index;
}

template <typename Visit>
void Log::for_each(LogIndex from, LogIndex through, Visit&& visit) const {
  if (from > through) {
    return;
  }
  LogIndex next = from;
  for (std::size_t i = run_of(from); next <= through; ++i) {
    const Entries& run = runs_[i];
    const LogIndex first = run.data_->index;
    const LogIndex last = std::min(through, first + run.size() - 1);
    for (; next <= last; ++next) {
      visit(run[next - first]);
    }
  }
}

}  // namespace pando::raft
