#include "runtime/hlc_clock.h"

#include <gtest/gtest.h>

namespace pando::runtime {
namespace {

class ManualClock final : public Clock {
 public:
  uint64_t wall_ns() override { return wall; }
  uint64_t monotonic_ns() override { return wall; }
  uint64_t wall = 1000;
};

TEST(HlcClock, FollowsTheClockAndNeverGoesBack) {
  ManualClock clock;
  HlcClock hlc(clock, std::chrono::nanoseconds(50));
  EXPECT_EQ(hlc.now(), (HlcTimestamp{1000, 0}));
  EXPECT_EQ(hlc.now(), (HlcTimestamp{1001, 0}));
  clock.wall = 500;
  EXPECT_EQ(hlc.now(), (HlcTimestamp{1002, 0}));
  clock.wall = 2000;
  EXPECT_EQ(hlc.now(), (HlcTimestamp{2000, 0}));
}

TEST(HlcClock, FollowsWhatItObservesWithinTheOffset) {
  ManualClock clock;
  HlcClock hlc(clock, std::chrono::nanoseconds(50));
  EXPECT_TRUE(hlc.observe({1050, 9}).ok());
  EXPECT_GT(hlc.now(), (HlcTimestamp{1050, 9}));
  EXPECT_EQ(hlc.observe({1051, 0}).code(), sql_state::kDatetimeFieldOverflow);
  EXPECT_EQ(hlc.now(), (HlcTimestamp{1052, 0}));
  hlc.restore({9000, 0});
  EXPECT_EQ(hlc.now(), (HlcTimestamp{9001, 0}));
  EXPECT_TRUE(hlc.observe({10, 0}).ok());
  EXPECT_EQ(hlc.now(), (HlcTimestamp{9002, 0}));
}

}  // namespace
}  // namespace pando::runtime
