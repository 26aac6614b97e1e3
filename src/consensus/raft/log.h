#pragma once

// Log: a replica's entries from the compaction point on, with what is durable, committed and applied of them.
//
//   compacted            applied   applying       committed          last
//       |  ...   entries   |   ...    |     ...       |      ...      |
//                                        durable may be anywhere from committed-1 on; only durable entries are applied
//
// Durability is tracked by the sequence number of the write that carries an entry, not by (index, term): when a tail is
// overwritten while its write is in flight, the completion of that write no longer vouches for anything above the cut
// (the ABA race of asynchronous appends). One thread at a time.

#include <algorithm>
#include <optional>
#include <span>
#include <vector>

#include "consensus/raft/ring.h"
#include "consensus/raft/types.h"

namespace pando::raft {

class Log {
 public:
  // REQUIRES: `entries` follow `compacted` without a gap; compacted.index <= applied <= the last index. All are
  // durable.
  Log(LogPosition compacted, std::vector<Entry> entries, LogIndex committed, LogIndex applied);

  LogPosition compacted() const { return compacted_; }
  LogIndex last_index() const { return compacted_.index + entries_.size(); }
  Term last_term() const { return entries_.empty() ? compacted_.term : entries_.back().term; }
  LogPosition last() const { return {last_index(), last_term()}; }
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
  std::vector<Entry> slice(LogIndex from, LogIndex through, std::size_t bytes_max) const;
  // Raft 5.4.1: whether a log that ends at `other` has everything this one may have committed.
  bool up_to_date(LogPosition other) const;
  // The last position at or below `index` whose term is at most `term`: where a leader and a follower that disagree may
  // agree at the earliest. Its term is none when it is compacted away.
  std::pair<LogIndex, std::optional<Term>> conflict_hint(LogIndex index, Term term) const;

  // Appends to the end. REQUIRES: they follow the last entry.
  void append(std::span<const Entry> entries);
  // A follower's append: replaces from the first conflict on. REQUIRES: the entry before the first matches; no conflict
  // at or below committed().
  void merge(std::span<const Entry> entries);
  void commit_to(LogIndex index);
  // Forgets all and begins after `position`, which is committed, applied and (once written) durable.
  void restore(LogPosition position);
  // Drops entries up to `index`. No effect below compacted(). REQUIRES: index <= applied().
  void compact(LogIndex index);

  // --- writing ---
  // Whether there are entries that no write carries yet.
  bool has_unwritten() const { return written_ < last_index(); }
  // The entries that no write carries yet, now carried by write `sequence`.
  std::vector<Entry> take_unwritten(uint64_t sequence);
  // Notes that write `sequence` carries a snapshot restored at last_index().
  void note_snapshot_written(uint64_t sequence);
  // Write `sequence`, and all before it, are durable. Returns whether durable() rose.
  bool on_durable(uint64_t sequence);

  // --- applying ---
  LogIndex applicable() const { return std::min(committed_, durable_); }
  // The next entries to apply, costing up to `bytes_max`.
  std::vector<Entry> take_applicable(std::size_t bytes_max);
  // REQUIRES: applied() <= index <= applying().
  void applied_to(LogIndex index);

 private:
  struct Write {
    uint64_t sequence = 0;
    // What it vouches for, cut back when that is overwritten.
    LogIndex through = 0;
  };
  void truncate_after(LogIndex index);

  LogPosition compacted_;
  Ring<Entry> entries_;
  LogIndex committed_ = 0;
  LogIndex applying_ = 0;
  LogIndex applied_ = 0;
  LogIndex written_ = 0;
  LogIndex durable_ = 0;
  Ring<Write> in_flight_;
};

}  // namespace pando::raft
