#include "test/history/snapshots.h"

#include <gtest/gtest.h>

namespace pando::test {
namespace {

TEST(SnapshotsTest, ABankKeepsItsMoney) {
  EXPECT_EQ(check_bank({{1, 5}, {2, 5}}, 2, 10), "");
  EXPECT_NE(check_bank({{1, 5}, {2, 6}}, 2, 10), "");
  EXPECT_NE(check_bank({{1, 12}, {2, -2}}, 2, 10), "");
  EXPECT_NE(check_bank({{1, 10}}, 2, 10), "");
}

TEST(SnapshotsTest, ARingIsOne) {
  EXPECT_EQ(check_ring({{0, 1}, {1, 2}, {2, 0}}, 3), "");
  EXPECT_EQ(check_ring({{0, 2}, {1, 0}, {2, 1}}, 3), "");
  EXPECT_NE(check_ring({{0, 0}, {1, 2}, {2, 1}}, 3), "") << "two rings";
  EXPECT_NE(check_ring({{0, 1}, {1, 2}, {2, 1}}, 3), "") << "a tail";
  EXPECT_NE(check_ring({{0, 1}, {1, 5}, {2, 0}}, 3), "") << "out of the ring";
  EXPECT_NE(check_ring({{0, 1}, {1, 0}}, 3), "") << "a node is lost";
}

TEST(SnapshotsTest, ASequenceHasNoGaps) {
  EXPECT_EQ(check_sequence({}, 0), "");
  EXPECT_EQ(check_sequence({2, 1, 3}, 2), "");
  EXPECT_NE(check_sequence({1, 3}, 1), "");
  EXPECT_NE(check_sequence({2}, 0), "");
  EXPECT_NE(check_sequence({1}, 2), "") << "an acknowledged one is missing";
}

}  // namespace
}  // namespace pando::test
