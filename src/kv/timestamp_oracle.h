#pragma once

// TimestampOracle: the node's hybrid logical clock (Kulkarni et al., 2014).
//
// Timestamps it makes itself keep the logical part at zero and take the next nanosecond instead: a node makes far fewer
// than 1e9 a second, so its clock never runs away, and a timestamp of this node fits into 64 bits, which readers can
// load atomically (docs/decisions/030-node-timestamps.md). Thread-safe.

#include <atomic>

#include "base/hlc.h"
#include "runtime/clock.h"

namespace pando::kv {

class TimestampOracle {
 public:
  // `clock` must outlive the oracle.
  explicit TimestampOracle(runtime::Clock& clock) : clock_(clock) {}

  // A timestamp above all made or observed before.
  HlcTimestamp next() {
    const uint64_t now = clock_.wall_ns();
    uint64_t last = last_.load(std::memory_order_relaxed);
    uint64_t made = 0;
    do {
      made = now > last ? now : last + 1;
    } while (!last_.compare_exchange_weak(last, made, std::memory_order_relaxed));
    return {made, 0};
  }
  // The newest made or observed.
  HlcTimestamp last() const { return {last_.load(std::memory_order_relaxed), 0}; }
  // Makes all later timestamps larger than `seen`, which comes from a disk or another node.
  void observe(HlcTimestamp seen) {
    const uint64_t floor = seen.logical == 0 ? seen.wall_ns : seen.wall_ns + 1;
    uint64_t last = last_.load(std::memory_order_relaxed);
    while (last < floor && !last_.compare_exchange_weak(last, floor, std::memory_order_relaxed)) {
    }
  }

 private:
  runtime::Clock& clock_;
  std::atomic<uint64_t> last_{0};
};

}  // namespace pando::kv
