// Advisory locks of three nodes on one store, in virtual time.

#include "node/store_advisory_authority.h"

#include <gtest/gtest.h>

#include "catalog/keys.h"
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
  Task<void> take_later(uint32_t node, uint64_t owner, std::string* outcome, std::chrono::milliseconds timeout = 0ms) {
    const auto taken = co_await members_[node].locks.take(request(owner, true), true, wait(node, timeout));
    *outcome = taken.ok() ? "taken" : taken.status().code().view();
  }
  Task<void> unlock_later(uint32_t node, uint64_t owner, bool* ended, bool exclusive = true) {
    *ended = co_await members_[node].locks.unlock(owner, kKey, exclusive, world_);
  }
  Task<void> hold_later(uint32_t node, AdvisoryKey key, runtime::Cancellation& cancellation, bool* ended) {
    const auto held =
        co_await members_[node].authority->hold(key, session::AdvisoryMode::kExclusive, true, {world_, cancellation});
    held.status().ignore("held, or not");
    *ended = true;
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
  members_[1].locks.forget(11);
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
  members_[1].locks.forget(11);
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
  members_[1].locks.forget(11);
  open(1);
  EXPECT_EQ(take(1, 12, true), "taken") << "its own, from an earlier life";
  EXPECT_EQ(take(2, 21, true), "not taken");
}

TEST_F(StoreAdvisoryAuthorityTest, WhoWaitsForAnotherNodeIsShownToWait) {
  ASSERT_EQ(take(1, 11, true), "taken");
  std::string outcome;
  runtime::spawn(world_, take_later(2, 21, &outcome));
  cluster_.run_for(1s);
  auto rows = members_[2].locks.rows();
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_FALSE(rows[0].granted);
  EXPECT_TRUE(unlock(1, 11, true));
  cluster_.run_for(1s);
  ASSERT_EQ(outcome, "taken");
  rows = members_[2].locks.rows();
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_TRUE(rows[0].granted);
}

TEST_F(StoreAdvisoryAuthorityTest, AHolderOutlivesTheLeaseholderOfItsRows) {
  ASSERT_EQ(take(1, 11, true), "taken");
  cluster_.node(2).crash();
  std::string outcome;
  runtime::spawn(world_, take_later(3, 31, &outcome));
  cluster_.run_for(30s);
  EXPECT_EQ(members_[1].lost, 0);
  EXPECT_EQ(outcome, "");
  EXPECT_TRUE(unlock(1, 11, true));
  cluster_.run_for(300ms);
  EXPECT_EQ(outcome, "taken");
}

TEST_F(StoreAdvisoryAuthorityTest, LettingGoEndsWithTheLeaseOfANodeThatIsCutOff) {
  ASSERT_EQ(take(1, 11, true), "taken");
  cut_off(1);
  bool ended = false;
  runtime::spawn(world_, unlock_later(1, 11, &ended));
  EXPECT_TRUE(cluster_.run_until(8s, [&] { return ended; }));
  cluster_.network().heal();
  EXPECT_EQ(take(2, 21, true, 8s), "taken");
  EXPECT_EQ(take(1, 12, true), "not taken");
  EXPECT_TRUE(unlock(2, 21, true));
  EXPECT_EQ(take(1, 12, true), "taken");
}

TEST_F(StoreAdvisoryAuthorityTest, AHolderThatSleptKnowsItBeforeItDoesAnything) {
  ASSERT_EQ(take(1, 11, true), "taken");
  cluster_.node(1).pause_until(world_.now_ns() + 20'000'000'000U);
  EXPECT_EQ(take(2, 21, true, 15s), "taken");
  EXPECT_EQ(members_[1].lost, 0) << "its timers sleep too";
  members_[1].locks.expire();
  EXPECT_EQ(members_[1].lost, 1);
}

TEST_F(StoreAdvisoryAuthorityTest, AWaitBehindAnotherOfTheSameNodeEndsInTime) {
  ASSERT_EQ(take(1, 11, false), "taken");
  cut_off(1);
  bool ended = false;
  runtime::spawn(world_, unlock_later(1, 11, &ended, /*exclusive=*/false));
  cluster_.run_for(10ms);
  const uint64_t began_ns = world_.now_ns();
  EXPECT_EQ(take(1, 12, false, 500ms), "55P03");
  EXPECT_LT(world_.now_ns() - began_ns, 1'000'000'000U);
}

TEST_F(StoreAdvisoryAuthorityTest, WaitingHereAndThereIsOneWait) {
  ASSERT_EQ(take(2, 21, true), "taken");
  ASSERT_EQ(take(1, 11, true, 200ms), "55P03");
  std::string outcome;
  runtime::spawn(world_, take_later(1, 12, &outcome, 700ms));
  cluster_.run_for(100ms);
  // It waits for the one before it first.
  const uint64_t began_ns = world_.now_ns();
  EXPECT_EQ(take(1, 13, true, 1000ms), "55P03");
  EXPECT_LT(world_.now_ns() - began_ns, 1'050'000'000U);
  EXPECT_EQ(outcome, "55P03");
}

// Its node keeps its lease, but not the connection to the leaseholder of the key's row, from whatever moment on.
TEST_F(StoreAdvisoryAuthorityTest, WhatMayHaveBeenLetGoIsNotHeld) {
  const Bytes leases = catalog::index_prefix(catalog::kAdvisoryLeaseTable, catalog::kRowIndexId);
  ASSERT_EQ(cluster_.split(ShardId(1), leases, ShardId(2)).to_string(), "OK");
  ASSERT_EQ(cluster_.transfer(leases, NodeId(1)).to_string(), "OK");
  cluster_.run_for(1s);
  int let_go = 0;
  for (uint32_t step = 0; step < 16; ++step) {
    const AdvisoryKey key{.database = 5, .object_id = 100 + step};
    ASSERT_TRUE(*cluster_.run(members_[1].locks.take({.owner = 11, .key = key}, true, wait(1))));
    // Long enough for others to have their turn.
    cluster_.run_for(600ms);
    runtime::Cancellation cancellation;
    bool ended = false;
    runtime::spawn(world_, hold_later(1, key, cancellation, &ended));
    cluster_.run_for(step * 250us);
    cluster_.network().block(2, 1);
    cluster_.run_for(300ms);
    const bool taken_there = *cluster_.run(members_[3].locks.take({.owner = 31, .key = key}, false, wait(3)));
    cancellation.request({sql_state::kQueryCanceled, "canceled"});
    ASSERT_TRUE(cluster_.run_until(20s, [&] { return ended; }));
    cluster_.network().heal();
    const auto held_here =
        cluster_.run(members_[1].authority->hold(key, session::AdvisoryMode::kShared, false, {world_, cancellation_}));
    EXPECT_FALSE(taken_there && held_here.ok() && *held_here) << "step " << step;
    let_go += taken_there ? 1 : 0;
    members_[1].locks.forget(11);
    members_[3].locks.forget(31);
    cluster_.run_for(1s);
  }
  EXPECT_GT(let_go, 0);
  EXPECT_EQ(members_[1].lost, 0);
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
    members_[1].locks.forget(owner);
    cluster_.run_until(2s, [&] { return !next.empty() || !outcome.empty(); });
    ++owner;
  }
  EXPECT_EQ(outcome, "taken");
}

}  // namespace
}  // namespace pando::node
