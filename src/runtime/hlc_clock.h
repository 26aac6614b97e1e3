#pragma once

// HlcClock: the node's source of hybrid logical timestamps, on top of a Clock.
//
//   HlcClock hlc(clock, std::chrono::milliseconds(100));
//   HlcTimestamp commit = hlc.now();                  // above every earlier now() and everything observed
//   PANDO_TRY(hlc.observe(message.timestamp));        // from another node, or from the journal after a restart
//
// When the physical clock stands still or jumps back the timestamps go on one nanosecond at a time, so now() never
// needs the logical part; it is left to those who want a place directly after a timestamp. Thread-safe, lock-free.

#include <atomic>
#include <chrono>

#include "base/hlc.h"
#include "base/status.h"
#include "runtime/clock.h"

namespace pando::runtime {

class HlcClock {
 public:
  // Timestamps further ahead of the local clock than `offset_max` are refused: their sender's clock is broken.
  HlcClock(Clock& clock, std::chrono::nanoseconds offset_max) : clock_(clock), offset_max_(offset_max) {}

  HlcTimestamp now();
  // Makes later timestamps of this node follow `seen`. Errors: 22008 when it is too far in the future.
  Status observe(HlcTimestamp seen);
  // The same without the check, for timestamps that this node itself wrote down.
  void restore(HlcTimestamp seen);

 private:
  Clock& clock_;
  const std::chrono::nanoseconds offset_max_;
  std::atomic<uint64_t> last_wall_ns_{0};
};

}  // namespace pando::runtime
