#include "consensus/raft/progress.h"

#include <algorithm>

#include "base/assert.h"

namespace pando::raft {

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
