#include "cluster/clock_comparison.h"

#include <gtest/gtest.h>

namespace pando::cluster {
namespace {

constexpr uint64_t kMs = 1'000'000;
constexpr uint64_t kNow = 1'700'000'000'000 * kMs;

// A clock that is `ahead_ms` ahead, read in the middle of a round trip.
ClockComparison::Reading reading(int64_t ahead_ms, uint64_t round_trip_ms = 2) {
  return {.sent_ns = kNow,
          .received_ns = kNow + round_trip_ms * kMs,
          .theirs_ns = kNow + round_trip_ms * kMs / 2 + static_cast<uint64_t>(ahead_ms) * kMs};
}

class ClockComparisonTest : public testing::Test {
 protected:
  void note(uint32_t peer, int64_t ahead_ms, uint64_t round_trip_ms = 2) {
    comparison_.note(NodeId(peer), reading(ahead_ms, round_trip_ms));
  }
  bool fine() const { return comparison_.verdict().ok(); }
  ClockComparison comparison_{std::chrono::milliseconds(100)};
};

TEST_F(ClockComparisonTest, AloneEveryClockIsRight) { EXPECT_TRUE(fine()); }

TEST_F(ClockComparisonTest, FourFifthsOfTheOffsetAreTolerated) {
  note(2, 80);
  EXPECT_TRUE(fine());
  note(2, -80);
  EXPECT_TRUE(fine());
  note(2, 82);
  EXPECT_EQ(comparison_.verdict().to_string(),
            "55000: this node's clock is 81 ms behind those of 1 of 1 other nodes; 80 ms are permitted");
  note(2, -5000);
  EXPECT_EQ(comparison_.verdict().to_string(),
            "55000: this node's clock is 4999 ms ahead of those of 1 of 1 other nodes; 80 ms are permitted");
}

TEST_F(ClockComparisonTest, TheMajorityIsRight) {
  note(2, 5000);
  note(3, 3);
  EXPECT_TRUE(fine());
  note(3, 5000);
  EXPECT_FALSE(fine());
  // Five nodes of which two are off.
  note(4, 1);
  note(5, 0);
  EXPECT_TRUE(fine());
  note(5, 5000);
  EXPECT_FALSE(fine());
}

TEST_F(ClockComparisonTest, HalfIsNoMajority) {
  note(2, 500);
  note(3, 500);
  note(4, 0);
  EXPECT_FALSE(fine());
}

TEST_F(ClockComparisonTest, ASlowNetworkProvesNothing) {
  note(2, 300, 600);
  EXPECT_TRUE(fine());
  note(2, 400, 600);
  EXPECT_FALSE(fine());
}

TEST_F(ClockComparisonTest, WhoDoesNotAnswerDoesNotCount) {
  note(2, 5000);
  EXPECT_FALSE(fine());
  comparison_.forget(NodeId(2));
  EXPECT_TRUE(fine());
}

}  // namespace
}  // namespace pando::cluster
