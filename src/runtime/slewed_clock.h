#pragma once

// SlewedClock: a clock of day that follows another one, and never jumps when that one does.
//
//   SlewedClock clock(system);          // now as `system`
//   clock.wall_ns();                    // goes on as the monotonic clock does, at most kSlewPpm faster or slower
//
// Timestamps of a cluster rest on clocks that differ by little. A clock of day that somebody sets would break that at
// once; this one drifts away so slowly that whoever compares the nodes' clocks notices in time
// (cluster/clock_comparison.h).
// Thread-safe, without locks.

#include <atomic>

#include "runtime/clock.h"

namespace pando::runtime {

class SlewedClock final : public Clock {
 public:
  // Parts per million; the most that NTP changes a clock's pace by.
  static constexpr uint64_t kSlewPpm = 500;

  // `source` must outlive it.
  explicit SlewedClock(Clock& source);

  uint64_t wall_ns() override;
  uint64_t monotonic_ns() override { return source_.monotonic_ns(); }

 private:
  void follow(uint64_t monotonic_ns);

  Clock& source_;
  // When the offset was last corrected.
  std::atomic<uint64_t> corrected_at_ns_;
  // From the monotonic clock to the clock of day.
  std::atomic<int64_t> offset_ns_;
};

}  // namespace pando::runtime
