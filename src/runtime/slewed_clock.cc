#include "runtime/slewed_clock.h"

#include <algorithm>

namespace pando::runtime {
namespace {

constexpr uint64_t kCorrectionIntervalNs = 10'000'000;
constexpr uint64_t kMillion = 1'000'000;

}  // namespace

SlewedClock::SlewedClock(Clock& source)
    : source_(source),
      corrected_at_ns_(source.monotonic_ns()),
      offset_ns_(static_cast<int64_t>(source.wall_ns()) - static_cast<int64_t>(corrected_at_ns_.load())) {}

uint64_t SlewedClock::wall_ns() {
  const uint64_t now_ns = source_.monotonic_ns();
  if (now_ns >= corrected_at_ns_.load(std::memory_order_relaxed) + kCorrectionIntervalNs) {
    follow(now_ns);
  }
  return static_cast<uint64_t>(static_cast<int64_t>(now_ns) + offset_ns_.load(std::memory_order_relaxed));
}

void SlewedClock::follow(uint64_t now_ns) {
  uint64_t before_ns = corrected_at_ns_.load(std::memory_order_relaxed);
  // One thread corrects for all.
  if (now_ns < before_ns + kCorrectionIntervalNs ||
      !corrected_at_ns_.compare_exchange_strong(before_ns, now_ns, std::memory_order_relaxed)) {
    return;
  }
  const int64_t wanted = static_cast<int64_t>(source_.wall_ns()) - static_cast<int64_t>(now_ns);
  const auto most = static_cast<int64_t>((now_ns - before_ns) / kMillion * kSlewPpm);
  const int64_t offset = offset_ns_.load(std::memory_order_relaxed);
  offset_ns_.store(offset + std::clamp(wanted - offset, -most, most), std::memory_order_relaxed);
}

}  // namespace pando::runtime
