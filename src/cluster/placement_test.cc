#include "cluster/placement.h"

#include <algorithm>

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

TEST(PlacementTest, LearnersThatAChangeLeftGoWhenAllElseIsWell) {
  const PlacementShard shard{.voters = ids({1, 2, 3}), .leader = NodeId(1), .learners = ids({4})};
  EXPECT_EQ(next_step(kOptions, nodes(5), shard), (PlacementStep{.remove = ids({4})}));
  auto without = nodes(5);
  without[2] = {.id = NodeId(3), .away_ns = 2000};
  EXPECT_EQ(next_step(kOptions, without, shard), (PlacementStep{.add = ids({4}), .remove = ids({3})}));
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

// A leader cannot leave, and here nobody may lead instead: the first to be replaced is another, or else it is one more.
TEST(PlacementTest, ALeaderThatLeavesAndCannotHandOverGetsAPeerThatCanLead) {
  auto four = nodes(4);
  four[0].state = NodeState::kDecommissioning;
  four[1].state = four[2].state = NodeState::kDraining;
  EXPECT_EQ(step(four, {1, 2}), (PlacementStep{.add = ids({4})}));
  EXPECT_EQ(step(four, {1, 2, 3}), (PlacementStep{.add = ids({4})}));
  EXPECT_EQ(step(four, {1, 2, 3, 4}), (PlacementStep{.transfer_to = NodeId(4)}));
  four[1].state = NodeState::kDecommissioning;
  EXPECT_EQ(step(four, {1, 2, 3}), (PlacementStep{.add = ids({4}), .remove = ids({2})}));
  EXPECT_EQ(step(four, {2, 1, 3}), (PlacementStep{.add = ids({4}), .remove = ids({2})}));
}

TEST(PlacementTest, TooManyBecomeFewer) {
  EXPECT_EQ(step(nodes(5), {1, 2, 3, 4}), (PlacementStep{.remove = ids({4})}));
  EXPECT_EQ(step(nodes(5), {1, 2, 3, 4}, 4), (PlacementStep{.remove = ids({3})}));
}

TEST(LeaseBalance, LeasesGoToWhoLeadsLeast) {
  std::vector<PlacementNode> nodes;
  for (uint32_t i = 1; i <= 3; ++i) {
    nodes.push_back({.id = NodeId(i), .connected = true});
  }
  const std::vector<NodeId> all{NodeId(1), NodeId(2), NodeId(3)};
  std::vector<LedShardLoad> shards;
  const auto lead = [&](uint64_t shard, uint32_t node, uint64_t rate) {
    shards.push_back({.shard = ShardId(shard), .leader = NodeId(node), .voters = all, .rate = rate});
  };
  // One shard is nowhere better off.
  lead(1, 1, 5000);
  EXPECT_EQ(balance_leases(nodes, shards, NodeId(1)), std::nullopt);
  // Two are on two nodes; and only whoever leads them moves them.
  lead(2, 1, 4000);
  EXPECT_EQ(balance_leases(nodes, shards, NodeId(2)), std::nullopt);
  const auto move = balance_leases(nodes, shards, NodeId(1));
  ASSERT_TRUE(move.has_value());
  EXPECT_EQ(move->to, NodeId(2));
  shards[move->shard.number() - 1].leader = move->to;
  EXPECT_EQ(balance_leases(nodes, shards, NodeId(1)), std::nullopt);
  EXPECT_EQ(balance_leases(nodes, shards, NodeId(2)), std::nullopt);
  // Idle ones count too, but little.
  for (uint64_t i = 3; i < 9; ++i) {
    lead(i, 1, 0);
  }
  for (int i = 0; i < 20; ++i) {
    for (uint32_t node = 1; node <= 3; ++node) {
      if (const auto next = balance_leases(nodes, shards, NodeId(node))) {
        shards[next->shard.number() - 1].leader = next->to;
      }
    }
  }
  const auto led_by = [&](uint32_t node) {
    return std::ranges::count_if(shards, [&](const LedShardLoad& shard) { return shard.leader == NodeId(node); });
  };
  EXPECT_GE(led_by(3), 4);
  EXPECT_LE(led_by(1), 3);
  // One that stays counts for where the others go.
  shards = {{.shard = ShardId(1), .leader = NodeId(1), .voters = all, .rate = 5000, .stays = true},
            {.shard = ShardId(2), .leader = NodeId(1), .voters = all, .rate = 4000, .stays = true}};
  EXPECT_EQ(balance_leases(nodes, shards, NodeId(1)), std::nullopt);
  shards[1].stays = false;
  EXPECT_EQ(balance_leases(nodes, shards, NodeId(1))->shard, ShardId(2));
  // Not to a node that is away, or leaves.
  shards = {{.shard = ShardId(1), .leader = NodeId(1), .voters = all},
            {.shard = ShardId(2), .leader = NodeId(1), .voters = all}};
  nodes[1].connected = false;
  nodes[2].state = NodeState::kDraining;
  EXPECT_EQ(balance_leases(nodes, shards, NodeId(1)), std::nullopt);
}

}  // namespace
}  // namespace pando::cluster
