#include "runtime/hlc_clock.h"

#include <algorithm>

namespace pando::runtime {

HlcTimestamp HlcClock::now() {
  const uint64_t physical = clock_.wall_ns();
  uint64_t last = last_wall_ns_.load(std::memory_order_relaxed);
  uint64_t next = 0;
  do {
    next = std::max(physical, last + 1);
  } while (!last_wall_ns_.compare_exchange_weak(last, next, std::memory_order_acq_rel, std::memory_order_relaxed));
  return {next, 0};
}

Status HlcClock::observe(HlcTimestamp seen) {
  const uint64_t physical = clock_.wall_ns();
  if (seen.wall_ns > physical && seen.wall_ns - physical > static_cast<uint64_t>(offset_max_.count())) {
    return Status(sql_state::kDatetimeFieldOverflow,
                  "timestamp {} is {} ms ahead of the local clock, at most {} ms are allowed", seen.wall_ns,
                  (seen.wall_ns - physical) / 1000000,
                  std::chrono::duration_cast<std::chrono::milliseconds>(offset_max_).count());
  }
  restore(seen);
  return Status();
}

void HlcClock::restore(HlcTimestamp seen) {
  uint64_t last = last_wall_ns_.load(std::memory_order_relaxed);
  while (last < seen.wall_ns && !last_wall_ns_.compare_exchange_weak(last, seen.wall_ns, std::memory_order_acq_rel,
                                                                     std::memory_order_relaxed)) {
  }
}

}  // namespace pando::runtime
