#pragma once

// ClockComparison: what other nodes' clocks say of this node's.
//
//   comparison.note(peer, {.sent_ns = s, .theirs_ns = t, .received_ns = r});
//   PANDO_TRY(comparison.verdict());
//
// A peer's clock was read between two readings of the own one, so how far it is ahead lies between `theirs - received`
// and `theirs - sent`: what is surely more than tolerated is counted, however slow the network. A node whose clock is
// off from so many that it and those who agree with it are no majority of the nodes compared may not go on: what it
// reads could miss what was acknowledged elsewhere (Kulkarni et al. 2014, section 4; docs/decisions/035-clocks.md).
// Pure: no clock, no I/O. One thread at a time.

#include <chrono>
#include <cstdint>
#include <map>

#include "base/ids.h"
#include "base/status.h"

namespace pando::cluster {

class ClockComparison {
 public:
  struct Reading {
    // By the own clock, before and after.
    uint64_t sent_ns = 0;
    uint64_t received_ns = 0;
    uint64_t theirs_ns = 0;
  };

  explicit ClockComparison(std::chrono::nanoseconds offset_max) : tolerated_(offset_max * 4 / 5) {}

  // The newest of each peer counts.
  void note(NodeId peer, const Reading& reading) { readings_[peer] = reading; }
  // It does not answer: what it said is not known to be true any more.
  void forget(NodeId peer) { readings_.erase(peer); }
  // Error 55000: this node's clock is the one that is wrong, or nobody can tell which is.
  Status verdict() const;

 private:
  // How far the peer's clock is surely ahead of the own one; negative: behind.
  static std::chrono::nanoseconds sure_offset(const Reading& reading);

  // Four fifths of what the cluster stands, so that there is time to notice.
  const std::chrono::nanoseconds tolerated_;
  std::map<NodeId, Reading> readings_;
};

}  // namespace pando::cluster
