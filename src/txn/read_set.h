#pragma once

// What a SERIALIZABLE transaction has read, and what others have committed meanwhile.
//
// A serializable transaction that writes commits only if nothing it read has changed between its snapshot and its
// commit: it could then as well have run at its commit's timestamp (backward validation: Haerder, "Observations on
// Optimistic Concurrency Control Schemes", 1984). One that writes nothing is serializable at its snapshot.

#include <list>
#include <map>
#include <vector>

#include "base/hlc.h"
#include "txn/transaction.h"

namespace pando::txn {

// The keys and spans that one transaction has read. Bounded: past kSpansMax, neighbours are merged into spans that
// cover both, which can only make validation stricter. Not thread-safe.
class ReadSet {
 public:
  static constexpr std::size_t kSpansMax = 4096;

  // A span that a cursor still extends as it walks.
  using OpenSpan = std::list<Span>::iterator;

  void add_key(ByteView key);
  void add_span(Span span);
  OpenSpan open(Span span) { return open_.insert(open_.end(), std::move(span)); }
  void close(OpenSpan span);

  bool empty() const { return spans_.empty() && open_.empty(); }
  // Calls `visit(const Span&)` for each span until it returns false; returns whether it never did.
  template <typename Visit>
  bool all_of(Visit visit) const {
    for (const Span& span : spans_) {
      if (!visit(span)) {
        return false;
      }
    }
    for (const Span& span : open_) {
      if (!visit(span)) {
        return false;
      }
    }
    return true;
  }

 private:
  void shrink();
  std::vector<Span> spans_;
  std::list<Span> open_;
};

// The keys committed lately, each with its newest commit's timestamp: kept while serializable transactions run, from
// the oldest one's snapshot on. Bounded: when it would grow past its budget it forgets, and transactions with older
// snapshots can no longer be validated. Not thread-safe; the committer's lock guards it.
class RecentWrites {
 public:
  explicit RecentWrites(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  // Whether writes must be recorded.
  bool needed() const { return !snapshots_.empty(); }
  // Brackets the life of a serializable transaction. REQUIRES: everything committed after `snapshot` has been or will
  // be recorded.
  void enter(HlcTimestamp snapshot) { ++snapshots_[snapshot]; }
  void leave(HlcTimestamp snapshot);

  void record(ByteView key, HlcTimestamp committed);
  // For a commit of too many keys to be recorded one by one: whoever read anything before it cannot be validated.
  void record_all(HlcTimestamp committed);
  // Whether nothing in `reads` was committed after `snapshot`.
  bool unchanged_since(const ReadSet& reads, HlcTimestamp snapshot) const;

  std::size_t size() const { return newest_.size(); }

 private:
  std::size_t bytes_max_;
  std::size_t bytes_ = 0;
  // Snapshots before this one cannot be validated.
  HlcTimestamp forgotten_;
  std::map<HlcTimestamp, int> snapshots_;
  std::map<Bytes, HlcTimestamp, std::less<>> newest_;
};

}  // namespace pando::txn
