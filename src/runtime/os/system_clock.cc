#include "runtime/os/system_clock.h"

#include <ctime>

namespace pando::runtime {
namespace {

uint64_t read_clock(clockid_t id) {
  constexpr uint64_t kNanosecondsPerSecond = 1000000000;
  timespec time{};
  ::clock_gettime(id, &time);
  return static_cast<uint64_t>(time.tv_sec) * kNanosecondsPerSecond + static_cast<uint64_t>(time.tv_nsec);
}

}  // namespace

uint64_t SystemClock::wall_ns() { return read_clock(CLOCK_REALTIME); }
uint64_t SystemClock::monotonic_ns() { return read_clock(CLOCK_MONOTONIC); }

}  // namespace pando::runtime
