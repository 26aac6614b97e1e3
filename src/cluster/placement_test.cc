#include "cluster/placement.h"

#include <gtest/gtest.h>

namespace pando::cluster {
namespace {

const PlacementOptions kOptions{.replicas = 3, .grace_ns = 1000};

std::vector<NodeId> ids(std::initializer_list<uint32_t> numbers) {
  std::vector<NodeId> result;
  for (const uint32_t number : numbers) {
    result.emplace_back(number);
  }
  return result;
}

std::vector<PlacementNode> nodes(std::size_t count) {
  std::vector<PlacementNode> result;
  for (uint32_t number = 1; number <= count; ++number) {
    result.push_back({.id = NodeId(number), .connected = true});
  }
  return result;
}

std::optional<PlacementStep> step(const std::vector<PlacementNode>& nodes, std::initializer_list<uint32_t> voters,
                                  uint32_t leader = 1) {
  return next_step(kOptions, nodes, {.voters = ids(voters), .leader = NodeId(leader)});
}

TEST(PlacementTest, GrowsToThree) {
  EXPECT_EQ(step(nodes(1), {1}), std::nullopt);
  EXPECT_EQ(step(nodes(2), {1}), std::nullopt);
  EXPECT_EQ(step(nodes(3), {1}), (PlacementStep{.add = ids({2, 3})}));
  EXPECT_EQ(step(nodes(3), {1, 2}), (PlacementStep{.add = ids({3})}));
  EXPECT_EQ(step(nodes(5), {1, 2, 3}), std::nullopt);
}

TEST(PlacementTest, PrefersOtherLocalitiesThenFewerReplicas) {
  auto five = nodes(5);
  five[0].locality = five[1].locality = five[2].locality = {{"region", "eu"}, {"zone", "1"}};
  five[3].locality = {{"region", "eu"}, {"zone", "2"}};
  five[4].locality = {{"region", "us"}, {"zone", "1"}};
  EXPECT_EQ(step(five, {1}), (PlacementStep{.add = ids({5, 4})}));
  auto alike = nodes(4);
  alike[1].replicas = 5;
  EXPECT_EQ(step(alike, {1}), (PlacementStep{.add = ids({3, 4})}));
}

TEST(PlacementTest, ReplacesWhoIsGoneOnlyAfterTheGracePeriod) {
  auto four = nodes(4);
  four[2].connected = false;
  four[2].away_ns = 999;
  EXPECT_EQ(step(four, {1, 2, 3}), std::nullopt);
  four[2].away_ns = 1001;
  EXPECT_EQ(step(four, {1, 2, 3}), (PlacementStep{.add = ids({4}), .remove = ids({3})}));
  // Nobody to take its place: it stays.
  EXPECT_EQ(step(std::vector(four.begin(), four.begin() + 3), {1, 2, 3}), std::nullopt);
}

TEST(PlacementTest, DoesNothingWithoutAConnectedMajority) {
  auto four = nodes(4);
  four[1].connected = four[2].connected = false;
  four[1].away_ns = four[2].away_ns = 5000;
  EXPECT_EQ(step(four, {1, 2, 3}), std::nullopt);
}

TEST(PlacementTest, LeadershipLeavesADrainingNode) {
  auto three = nodes(3);
  three[0].state = NodeState::kDraining;
  EXPECT_EQ(step(three, {1, 2, 3}), (PlacementStep{.transfer_to = NodeId(2)}));
  three[1].connected = false;
  EXPECT_EQ(step(three, {1, 2, 3}), (PlacementStep{.transfer_to = NodeId(3)}));
  three[2].state = NodeState::kDraining;
  EXPECT_EQ(step(three, {1, 2, 3}), std::nullopt);
}

TEST(PlacementTest, ReplicasLeaveADecommissioningNode) {
  auto four = nodes(4);
  four[1].state = NodeState::kDecommissioning;
  EXPECT_EQ(step(four, {1, 2, 3}), (PlacementStep{.add = ids({4}), .remove = ids({2})}));
  EXPECT_EQ(step(four, {1, 2, 3, 4}), (PlacementStep{.remove = ids({2})}));
  // One that leads hands over first.
  four[1].state = NodeState::kActive;
  four[0].state = NodeState::kDecommissioning;
  EXPECT_EQ(step(four, {1, 2, 3}), (PlacementStep{.transfer_to = NodeId(2)}));
}

TEST(PlacementTest, TooManyBecomeFewer) {
  EXPECT_EQ(step(nodes(5), {1, 2, 3, 4}), (PlacementStep{.remove = ids({4})}));
  EXPECT_EQ(step(nodes(5), {1, 2, 3, 4}, 4), (PlacementStep{.remove = ids({3})}));
}

}  // namespace
}  // namespace pando::cluster
