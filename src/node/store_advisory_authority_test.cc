// Advisory locks of three nodes on one store, in virtual time.

#include "node/store_advisory_authority.h"

#include <gtest/gtest.h>

#include "test/cluster_store/simulated_cluster.h"

namespace pando::node {
namespace {

using namespace std::chrono_literals;
using session::AdvisoryKey;
using session::AdvisoryRequest;

constexpr AdvisoryKey kKey{.database = 5, .object_id = 7};

class StoreAdvisoryAuthorityTest : public testing::Test {
 protected:
  struct Member {
    session::AdvisoryLocks locks;
    std::unique_ptr<StoreAdvisoryAuthority> authority;
    int lost = 0;
  };

  void SetUp() override {
    cluster_.found();
    ASSERT_EQ(cluster_.transfer("a", NodeId(2)).to_string(), "OK");
    cluster_.run_for(1s);
    for (uint32_t node = 1; node <= 3; ++node) {
      open(node);
    }
  }
  void open(uint32_t node) {
    Member& member = members_[node];
    auto& parts = cluster_.node(node).store().parts();
    member.authority =
        std::make_unique<StoreAdvisoryAuthority>(StoreAdvisoryAuthority::Parts{.store = cluster_.node(node).store(),
                                                                               .clock = parts.clock,
                                                                               .timer = parts.timer,
                                                                               .executor = world_,
                                                                               .locks = member.locks},
                                                 NodeId(node), [&member] { ++member.lost; });
    member.locks.set_authority(member.authority.get());
  }
  session::AdvisoryWait wait(uint32_t node, std::chrono::milliseconds timeout = 0ms) {
    return {.executor = world_,
            .timer = cluster_.node(node).store().parts().timer,
            .cancellation = cancellation_,
            .timeout = timeout};
  }
  static AdvisoryRequest request(uint64_t owner, bool exclusive) {
    return {.owner = owner, .key = kKey, .exclusive = exclusive};
  }
  std::string take(uint32_t node, uint64_t owner, bool exclusive, std::chrono::milliseconds timeout = 0ms) {
    const auto taken =
        cluster_.run(members_[node].locks.take(request(owner, exclusive), timeout > 0ms, wait(node, timeout)));
    return !taken.ok() ? std::string(taken.status().code().view()) : *taken ? "taken" : "not taken";
  }
  bool unlock(uint32_t node, uint64_t owner, bool exclusive) {
    return cluster_.run(members_[node].locks.unlock(owner, kKey, exclusive, world_));
  }
  Task<void> take_later(uint32_t node, uint64_t owner, std::string* outcome) {
    const auto taken = co_await members_[node].locks.take(request(owner, true), true, wait(node));
    *outcome = taken.ok() ? "taken" : taken.status().code().view();
  }
  void cut_off(uint32_t node) {
    for (const NodeId other : cluster_.others(NodeId(node))) {
      cluster_.network().block(node, other.number());
      cluster_.network().block(other.number(), node);
    }
  }

  sim::World world_{1};
  test::SimulatedCluster cluster_{world_, {}};
  runtime::Cancellation cancellation_;
  std::map<uint32_t, Member> members_;
};

TEST_F(StoreAdvisoryAuthorityTest, NodesExcludeEachOther) {
  EXPECT_EQ(take(1, 11, true), "taken");
  EXPECT_EQ(take(2, 21, true), "not taken");
  EXPECT_EQ(take(2, 21, false), "not taken");
  EXPECT_EQ(take(3, 31, true, 300ms), "55P03");
  EXPECT_EQ(take(1, 11, true), "taken") << "twice, by who has it";
  EXPECT_TRUE(unlock(1, 11, true));
  EXPECT_EQ(take(2, 21, true), "not taken");
  EXPECT_TRUE(unlock(1, 11, true));
  EXPECT_FALSE(unlock(1, 11, true));
  EXPECT_EQ(take(2, 21, true), "taken") << "at once, for the unlock has waited";
}

TEST_F(StoreAdvisoryAuthorityTest, SharesBetweenNodes) {
  EXPECT_EQ(take(1, 11, false), "taken");
  EXPECT_EQ(take(1, 12, false), "taken");
  EXPECT_EQ(take(2, 21, false), "taken");
  EXPECT_EQ(take(3, 31, true), "not taken");
  EXPECT_TRUE(unlock(1, 11, false));
  EXPECT_TRUE(unlock(2, 21, false));
  EXPECT_EQ(take(3, 31, true), "not taken") << "12 still has it";
  EXPECT_TRUE(unlock(1, 12, false));
  EXPECT_EQ(take(3, 31, true), "taken");
}

TEST_F(StoreAdvisoryAuthorityTest, WhoWaitsGetsItWhenItIsFreedWithoutWaiting) {
  ASSERT_EQ(take(1, 11, true), "taken");
  std::string outcome;
  runtime::spawn(world_, take_later(2, 21, &outcome));
  cluster_.run_for(2s);
  EXPECT_EQ(outcome, "");
  members_[1].locks.unlock_all(11);
  cluster_.run_for(300ms);
  EXPECT_EQ(outcome, "taken");
}

TEST_F(StoreAdvisoryAuthorityTest, KeepsWhatItHoldsForAnyTime) {
  ASSERT_EQ(take(1, 11, true), "taken");
  ASSERT_EQ(cluster_.split(ShardId(1), "m", ShardId(2)).to_string(), "OK");
  ASSERT_EQ(cluster_.transfer("a", NodeId(3)).to_string(), "OK");
  cluster_.run_for(60s);
  EXPECT_EQ(take(2, 21, true), "not taken");
  EXPECT_EQ(members_[1].lost, 0);
}

TEST_F(StoreAdvisoryAuthorityTest, ANodeThatIsCutOffKnowsThatItHasLostThemBeforeAnybodyHasThem) {
  ASSERT_EQ(take(1, 11, true), "taken");
  cluster_.run_for(10s);
  cut_off(1);
  std::string outcome;
  runtime::spawn(world_, take_later(2, 21, &outcome));
  cluster_.run_until(4s, [&] { return !outcome.empty() || members_[1].lost > 0; });
  EXPECT_EQ(outcome, "");
  EXPECT_EQ(members_[1].lost, 0);
  cluster_.run_until(20s, [&] { return !outcome.empty(); });
  EXPECT_EQ(outcome, "taken");
  EXPECT_EQ(members_[1].lost, 1);
  EXPECT_EQ(members_[2].lost, 0);
  // It is back; its sessions end, and others may begin.
  cluster_.network().heal();
  members_[1].locks.unlock_all(11);
  cluster_.run_for(10s);
  EXPECT_EQ(take(1, 12, true), "not taken");
  EXPECT_EQ(members_[2].lost, 0);
  EXPECT_TRUE(unlock(2, 21, true));
  EXPECT_EQ(take(1, 12, true), "taken");
}

TEST_F(StoreAdvisoryAuthorityTest, IsNotGivenUpForAnotherHoldOfTheSameSession) {
  ASSERT_EQ(take(1, 11, true), "taken");
  cluster_.run_for(2s);
  std::string outcome;
  runtime::spawn(world_, take_later(2, 21, &outcome));
  EXPECT_EQ(take(1, 11, true), "taken");
  EXPECT_EQ(take(1, 11, false), "taken");
  EXPECT_TRUE(unlock(1, 11, true));
  EXPECT_TRUE(unlock(1, 11, true));
  cluster_.run_for(2s);
  EXPECT_EQ(outcome, "") << "it still has it shared";
  EXPECT_EQ(take(2, 22, false), "not taken") << "behind who waits there";
  EXPECT_TRUE(unlock(1, 11, false));
  cluster_.run_for(500ms);
  EXPECT_EQ(outcome, "taken");
}

TEST_F(StoreAdvisoryAuthorityTest, WhatANodeHeldBeforeItStartedAnewIsFree) {
  ASSERT_EQ(take(1, 11, true), "taken");
  std::unique_ptr<StoreAdvisoryAuthority> before = std::move(members_[1].authority);
  members_[1].locks.set_authority(nullptr);
  members_[1].locks.unlock_all(11);
  open(1);
  EXPECT_EQ(take(1, 12, true), "taken") << "its own, from an earlier life";
  EXPECT_EQ(take(2, 21, true), "not taken");
}

TEST_F(StoreAdvisoryAuthorityTest, SessionsOfOneNodeDoNotKeepOthersOutForEver) {
  ASSERT_EQ(take(1, 11, true), "taken");
  std::string outcome;
  runtime::spawn(world_, take_later(2, 21, &outcome));
  uint64_t owner = 11;
  // One of them always waits when another lets go.
  for (int i = 0; i < 100 && outcome.empty(); ++i) {
    std::string next;
    runtime::spawn(world_, take_later(1, owner + 1, &next));
    cluster_.run_for(20ms);
    members_[1].locks.unlock_all(owner);
    cluster_.run_until(2s, [&] { return !next.empty() || !outcome.empty(); });
    ++owner;
  }
  EXPECT_EQ(outcome, "taken");
}

}  // namespace
}  // namespace pando::node
