#include "consensus/raft/progress.h"

#include <algorithm>

#include "base/assert.h"

namespace pando::raft {

void InFlight::add(LogIndex last, std::size_t bytes) {
  PANDO_ASSERT(!full(), "a full window takes nothing more");
  PANDO_ASSERT(sent_.empty() || sent_.back().last < last, "appends are sent in order");
  sent_.push_back({last, bytes});
  bytes_ += bytes;
}

void InFlight::free_through(LogIndex index) {
  while (!sent_.empty() && sent_.front().last <= index) {
    PANDO_ASSERT(bytes_ >= sent_.front().bytes, "bytes in flight are the sum over the appends in flight");
    bytes_ -= sent_.front().bytes;
    sent_.pop_front();
  }
}

void InFlight::clear() {
  sent_.clear();
  bytes_ = 0;
}

std::string_view to_string(ProgressState state) {
  switch (state) {
    case ProgressState::kProbe:
      return "probe";
    case ProgressState::kReplicate:
      return "replicate";
    case ProgressState::kSnapshot:
      return "snapshot";
  }
  PANDO_UNREACHABLE("every state has a name");
}

void Progress::become_probe() {
  // After a snapshot the member has at least that; before, only what it has acknowledged.
  next = state == ProgressState::kSnapshot ? std::max(match + 1, pending_snapshot + 1) : match + 1;
  state = ProgressState::kProbe;
  pending_snapshot = 0;
  paused = false;
  in_flight.clear();
}

void Progress::become_replicate() {
  state = ProgressState::kReplicate;
  pending_snapshot = 0;
  paused = false;
  in_flight.clear();
  next = match + 1;
}

void Progress::become_snapshot(LogIndex snapshot) {
  state = ProgressState::kSnapshot;
  pending_snapshot = snapshot;
  paused = false;
  in_flight.clear();
  next = snapshot + 1;
}

bool Progress::is_paused() const { return state == ProgressState::kSnapshot || paused; }

void Progress::on_sent(LogIndex last, std::size_t count, std::size_t bytes) {
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

bool Progress::on_accepted(LogIndex index) {
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

bool Progress::on_rejected(LogIndex rejected, LogIndex hint) {
  if (state == ProgressState::kReplicate) {
    if (rejected <= match) {
      return false;
    }
    next = match + 1;
    return true;
  }
  // A probe is answered for the entry before `next`, and for no other.
  if (next - 1 != rejected) {
    return false;
  }
  next = std::max(std::min(rejected, hint + 1), match + 1);
  paused = false;
  return true;
}

}  // namespace pando::raft
