#pragma once

// Progress: what a leader knows of one member, and how much it may send it.
//
//             rejected, or unreachable
//        +----------------------------------+
//        v                                  |
//     kProbe --- an append succeeds ---> kReplicate      probe: one append at a time, until a heartbeat is answered
//        |                                               replicate: pipelined within the in-flight limits
//        +-- needs what is compacted --> kSnapshot       snapshot: paused until the snapshot is in place
//
// Invariant: match < next. One thread at a time.

#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/assert.h"
#include "consensus/raft/ring.h"
#include "consensus/raft/types.h"

namespace pando::raft {

// The appends sent but not answered, bounded by count and by bytes. By Little's law the throughput to a member is at
// most bytes_max per round trip.
class InFlight {
 public:
  InFlight(std::size_t count_max, std::size_t bytes_max) : count_max_(count_max), bytes_max_(bytes_max) {}

  // `last` is the index of the append's last entry.
  void add(LogIndex last, std::size_t bytes);
  // The member has everything up to `index`.
  void free_through(LogIndex index);
  void clear();
  bool full() const { return sent_.size() >= count_max_ || (bytes_max_ != 0 && bytes_ >= bytes_max_); }
  std::size_t count() const { return sent_.size(); }
  std::size_t bytes() const { return bytes_; }

 private:
  struct Append {
    LogIndex last = 0;
    std::size_t bytes = 0;
  };
  std::size_t count_max_;
  std::size_t bytes_max_;
  std::size_t bytes_ = 0;
  Ring<Append> sent_;
};

enum class ProgressState : uint8_t { kProbe, kReplicate, kSnapshot };
std::string_view to_string(ProgressState state);

struct Progress {
  ReplicaId id;
  ProgressState state = ProgressState::kProbe;
  LogIndex match = 0;
  LogIndex next = 1;
  // The commit index the member is known to have.
  LogIndex commit = 0;
  // In kSnapshot: the index of the snapshot that was sent.
  LogIndex pending_snapshot = 0;
  // In kProbe: an append is under way. In kReplicate: the in-flight limits are reached.
  bool paused = false;
  // Whether it was heard of since the last quorum check.
  bool recently_active = false;
  // The epoch in which it is fortified to this leader; 0 for none.
  uint64_t fortified_epoch = 0;
  // The last round of heartbeats it has answered.
  uint64_t confirmed_round = 0;
  InFlight in_flight;

  Progress(ReplicaId id, LogIndex next, std::size_t in_flight_max, std::size_t in_flight_bytes_max)
      : id(id), next(next), in_flight(in_flight_max, in_flight_bytes_max) {}

  void become_probe();
  void become_replicate();
  void become_snapshot(LogIndex snapshot);

  bool is_paused() const;
  // Notes an append of entries up to `last` (of `count`, costing `bytes`; none for an empty append).
  void on_sent(LogIndex last, std::size_t count, std::size_t bytes);
  // The member has everything up to `index`. Returns whether that is news.
  bool on_accepted(LogIndex index);
  // The member rejected the append after `rejected`; `hint` is where it may agree. Returns false for a stale answer.
  bool on_rejected(LogIndex rejected, LogIndex hint);
};

inline void InFlight::add(LogIndex last, std::size_t bytes) {
  PANDO_ASSERT(!full(), "a full window takes nothing more");
  PANDO_ASSERT(sent_.empty() || sent_.back().last < last, "appends are sent in order");
  sent_.push_back({last, bytes});
  bytes_ += bytes;
}

inline void InFlight::free_through(LogIndex index) {
  while (!sent_.empty() && sent_.front().last <= index) {
    PANDO_ASSERT(bytes_ >= sent_.front().bytes, "bytes in flight are the sum over the appends in flight");
    bytes_ -= sent_.front().bytes;
    sent_.pop_front();
  }
}

inline bool Progress::is_paused() const { return state == ProgressState::kSnapshot || paused; }

[[gnu::always_inline]] inline void Progress::on_sent(LogIndex last, std::size_t count, std::size_t bytes) {
  if (state == ProgressState::kReplicate) {
    if (count > 0) {
      next = last + 1;
      in_flight.add(last, bytes);
    }
    paused = in_flight.full();
    return;
  }
  PANDO_ASSERT(state == ProgressState::kProbe, "nothing is appended to a member that waits for a snapshot");
  paused = count > 0 || paused;
}

[[gnu::always_inline]] inline bool Progress::on_accepted(LogIndex index) {
  const bool news = index > match;
  match = std::max(match, index);
  next = std::max(next, match + 1);
  if (state == ProgressState::kReplicate) {
    in_flight.free_through(index);
    paused = in_flight.full();
  } else if (news) {
    paused = false;
  }
  return news;
}

}  // namespace pando::raft
