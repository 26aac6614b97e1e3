#include "runtime/slewed_clock.h"

#include <gtest/gtest.h>

namespace pando::runtime {
namespace {

constexpr uint64_t kSecondNs = 1'000'000'000;

class SetClock final : public Clock {
 public:
  uint64_t wall_ns() override { return static_cast<uint64_t>(static_cast<int64_t>(now_ns) + offset_ns); }
  uint64_t monotonic_ns() override { return now_ns; }
  uint64_t now_ns = 100 * kSecondNs;
  int64_t offset_ns = static_cast<int64_t>(1'700'000'000 * kSecondNs);
};

TEST(SlewedClock, GoesAsItsSource) {
  SetClock source;
  SlewedClock clock(source);
  for (int i = 0; i < 1000; ++i) {
    source.now_ns += 7'654'321;
    EXPECT_EQ(clock.wall_ns(), source.wall_ns());
    EXPECT_EQ(clock.monotonic_ns(), source.monotonic_ns());
  }
}

// Reads for `seconds` and gives how much further than the monotonic clock it went, in microseconds.
int64_t gain_us(SetClock& source, SlewedClock& clock, uint64_t seconds) {
  const uint64_t before = clock.wall_ns();
  uint64_t last = before;
  for (uint64_t i = 0; i < seconds * 100; ++i) {
    source.now_ns += kSecondNs / 100;
    EXPECT_GT(clock.wall_ns(), last);
    last = clock.wall_ns();
  }
  return static_cast<int64_t>(last - before - seconds * kSecondNs) / 1000;
}

TEST(SlewedClock, AJumpIsTakenInSlowly) {
  SetClock source;
  SlewedClock clock(source);
  source.offset_ns += 5 * static_cast<int64_t>(kSecondNs);
  EXPECT_NEAR(static_cast<double>(gain_us(source, clock, 10)), 5000, 10);
  source.offset_ns -= 10 * static_cast<int64_t>(kSecondNs);
  EXPECT_NEAR(static_cast<double>(gain_us(source, clock, 10)), -5000, 10);
}

TEST(SlewedClock, ASmallCorrectionIsMadeInFull) {
  SetClock source;
  SlewedClock clock(source);
  source.offset_ns += 2'000'000;
  EXPECT_EQ(gain_us(source, clock, 10), 2000);
  EXPECT_EQ(clock.wall_ns(), source.wall_ns());
}

// One that nobody read for an hour is corrected for an hour.
TEST(SlewedClock, UnreadItCatchesUpInTheEnd) {
  SetClock source;
  SlewedClock clock(source);
  source.offset_ns += kSecondNs;
  source.now_ns += 3600 * kSecondNs;
  EXPECT_EQ(clock.wall_ns(), source.wall_ns());
}

}  // namespace
}  // namespace pando::runtime
