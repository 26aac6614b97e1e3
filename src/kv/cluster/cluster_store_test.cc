#include "kv/cluster/cluster_store.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "kv/cluster/shard_sizer.h"
#include "kv/descriptor/keys.h"
#include "runtime/sleep.h"
#include "test/cluster_store/simulated_cluster.h"
#include "txn/point_access.h"

namespace pando::kv {
namespace {

using namespace std::chrono_literals;
using test::ClusterOptions;
using test::SimulatedCluster;
using txn::Isolation;
using txn::LockStrength;
using txn::WaitPolicy;

class ClusterStoreTest : public testing::Test {
 protected:
  void make(ClusterOptions options = {}) {
    cluster_ = std::make_unique<SimulatedCluster>(world_, std::move(options));
    cluster_->found();
  }
  std::unique_ptr<txn::Transaction> begin(uint32_t gateway, Isolation isolation = Isolation::kReadCommitted) {
    auto transaction = cluster_->node(gateway).store().begin({.isolation = isolation, .executor = &world_});
    transaction->begin_statement();
    return transaction;
  }
  // Locks and writes all pairs, and commits.
  Task<Status> write_all(uint32_t gateway, std::vector<std::pair<Bytes, Bytes>> pairs) {
    auto transaction = begin(gateway);
    for (const auto& [key, value] : pairs) {
      PANDO_CO_TRY((co_await transaction->lock(key, LockStrength::kUpdate, WaitPolicy::kBlock)).status());
      PANDO_CO_TRY(transaction->put(key, value));
    }
    co_return co_await transaction->commit();
  }
  Status write(uint32_t gateway, std::vector<std::pair<Bytes, Bytes>> pairs) {
    return cluster_->run(write_all(gateway, std::move(pairs)));
  }
  // Locks nothing, of the moment or as old as allowed.
  std::unique_ptr<txn::Transaction> begin_past(uint32_t gateway, HlcTimestamp at, std::chrono::nanoseconds staleness) {
    auto transaction =
        cluster_->node(gateway).store().begin({.executor = &world_, .read_at = at, .staleness_max = staleness});
    transaction->begin_statement();
    return transaction;
  }
  std::string read_past(uint32_t gateway, Bytes key, HlcTimestamp at, std::chrono::nanoseconds staleness = 0ns) {
    auto transaction = begin_past(gateway, at, staleness);
    const auto value = cluster_->run(transaction->get(std::move(key)));
    return value.ok() ? value->value_or("-") : std::string(value.status().code().view());
  }
  Task<Status> merge_at(uint32_t gateway, Bytes boundary) {
    NodeId node;
    const auto answer = co_await cluster_->node(gateway).store().send(boundary, MergeRequest{.boundary = boundary},
                                                                      {.executor = &world_, .before = true}, &node);
    co_return answer.ok() || !answer.status.ok() ? answer.status : Status(sql_state::kQueryCanceled, "not now");
  }
  std::size_t shards(uint32_t node) { return cluster_->node(node).node().leaseholder().shards().size(); }
  HlcTimestamp now(uint32_t node) { return cluster_->node(node).store().parts().oracle.next(); }
  std::string read(uint32_t gateway, Bytes key) {
    auto transaction = begin(gateway);
    const auto value = cluster_->run(transaction->get(std::move(key)));
    return value.ok() ? value->value_or("-") : value.status().to_string();
  }
  Task<Result<std::string>> scan_all(uint32_t gateway, bool reverse, std::size_t step) {
    auto transaction = begin(gateway);
    auto cursor = transaction->scan({"a", "z"}, {.reverse = reverse});
    std::string found;
    txn::KeyValueBatch batch;
    while (true) {
      PANDO_CO_TRY(co_await cursor->next(batch, step));
      if (batch.size() == 0) {
        co_return found;
      }
      for (std::size_t i = 0; i < batch.size(); ++i) {
        found += fmt::format("{}={} ", batch.key(i), batch.value(i));
      }
    }
  }

  sim::World world_{1};
  std::unique_ptr<SimulatedCluster> cluster_;
};

TEST_F(ClusterStoreTest, EveryNodeIsAGateway) {
  make();
  EXPECT_EQ(write(1, {{"a", "1"}}).to_string(), "OK");
  EXPECT_EQ(write(2, {{"b", "2"}}).to_string(), "OK");
  EXPECT_EQ(write(3, {{"c", "3"}}).to_string(), "OK");
  for (uint32_t gateway = 1; gateway <= 3; ++gateway) {
    EXPECT_EQ(read(gateway, "a") + read(gateway, "b") + read(gateway, "c") + read(gateway, "d"), "123-");
  }
}

TEST_F(ClusterStoreTest, WhatIsAcknowledgedAtOneGatewayIsSeenAtOnceAtTheOthers) {
  make();
  for (int i = 1; i <= 30; ++i) {
    const auto writer = static_cast<uint32_t>(i % 3 + 1);
    ASSERT_EQ(write(writer, {{"k", std::to_string(i)}}).to_string(), "OK");
    EXPECT_EQ(read(static_cast<uint32_t>((i + 1) % 3 + 1), "k"), std::to_string(i));
  }
}

TEST_F(ClusterStoreTest, ScansSeeAllShardsInOrderAndInReverse) {
  make();
  std::string forward;
  std::string backward;
  for (char c = 'a'; c < 'm'; ++c) {
    ASSERT_EQ(write(1, {{Bytes(1, c), "v"}}).to_string(), "OK");
    forward += fmt::format("{}=v ", c);
    backward = fmt::format("{}=v ", c) + backward;
  }
  ASSERT_EQ(cluster_->split(ShardId(1), "e", ShardId(2)).to_string(), "OK");
  ASSERT_EQ(cluster_->split(ShardId(2), "i", ShardId(3)).to_string(), "OK");
  ASSERT_EQ(cluster_->transfer("f", NodeId(2)).to_string(), "OK");
  ASSERT_EQ(cluster_->transfer("j", NodeId(3)).to_string(), "OK");
  for (uint32_t gateway = 1; gateway <= 3; ++gateway) {
    for (const std::size_t step : {1U, 3U, 100U}) {
      EXPECT_EQ(*cluster_->run(scan_all(gateway, false, step)), forward);
      EXPECT_EQ(*cluster_->run(scan_all(gateway, true, step)), backward);
    }
  }
}

TEST_F(ClusterStoreTest, ATransactionSeesItsOwnWritesInScans) {
  make();
  ASSERT_EQ(write(1, {{"b", "1"}, {"d", "1"}}).to_string(), "OK");
  auto transaction = begin(2);
  const auto run = [&]() -> Task<Result<std::string>> {
    for (const Bytes& key : {Bytes("a"), Bytes("b"), Bytes("c")}) {
      PANDO_CO_TRY((co_await transaction->lock(key, LockStrength::kUpdate, WaitPolicy::kBlock)).status());
    }
    PANDO_CO_TRY(transaction->put("a", "own"));
    PANDO_CO_TRY(transaction->erase("b"));
    PANDO_CO_TRY(transaction->put("c", "own"));
    transaction->begin_statement();
    auto cursor = transaction->scan({"a", "z"}, {});
    txn::KeyValueBatch batch;
    PANDO_CO_TRY(co_await cursor->next(batch, 10));
    std::string found;
    for (std::size_t i = 0; i < batch.size(); ++i) {
      found += fmt::format("{}={} ", batch.key(i), batch.value(i));
    }
    co_return found;
  };
  EXPECT_EQ(*cluster_->run(run()), "a=own c=own d=1 ");
}

TEST_F(ClusterStoreTest, ACommitOverSeveralShardsIsAtomicAndSeenAtOnce) {
  make();
  ASSERT_EQ(cluster_->split(ShardId(1), "m", ShardId(2)).to_string(), "OK");
  ASSERT_EQ(cluster_->transfer("x", NodeId(2)).to_string(), "OK");
  ASSERT_EQ(cluster_->transfer("a", NodeId(3)).to_string(), "OK");
  for (int i = 1; i <= 20; ++i) {
    const std::string value = std::to_string(i);
    ASSERT_EQ(write(static_cast<uint32_t>(i % 3 + 1), {{"a", value}, {"x", value}}).to_string(), "OK");
    for (uint32_t gateway = 1; gateway <= 3; ++gateway) {
      EXPECT_EQ(read(gateway, "x"), value);
      EXPECT_EQ(read(gateway, "a"), value);
    }
  }
}

TEST_F(ClusterStoreTest, AnotherLeaderTakesOverAndNothingIsLost) {
  make();
  ASSERT_EQ(write(1, {{"a", "1"}}).to_string(), "OK");
  auto* const first = cluster_->await_leaseholder("a");
  first->crash();
  const uint64_t crashed_ns = world_.now_ns();
  const uint32_t gateway = first->id().number() % 3 + 1;
  EXPECT_EQ(write(gateway, {{"b", "2"}}).to_string(), "OK");
  EXPECT_LT(world_.now_ns() - crashed_ns, 1'000'000'000U);
  EXPECT_EQ(read(gateway, "a"), "1");
  first->start();
  cluster_->run_until(10s, [&] { return first->running(); });
  EXPECT_EQ(read(first->id().number(), "b"), "2");
}

TEST_F(ClusterStoreTest, LocksOfALostLeaseholderAreNotTrusted) {
  make();
  ASSERT_EQ(write(1, {{"a", "1"}}).to_string(), "OK");
  auto* const first = cluster_->await_leaseholder("a");
  const uint32_t gateway = first->id().number() % 3 + 1;
  auto transaction = begin(gateway);
  ASSERT_TRUE(cluster_->run(transaction->lock("a", LockStrength::kUpdate, WaitPolicy::kBlock)).ok());
  ASSERT_TRUE(transaction->put("a", "lost").ok());
  first->crash();
  ASSERT_EQ(write(gateway, {{"a", "2"}}).to_string(), "OK");
  EXPECT_EQ(cluster_->run(transaction->commit()).code().view(), "40001");
  EXPECT_EQ(read(gateway, "a"), "2");
}

TEST_F(ClusterStoreTest, TellsWhichShardsHaveLocksThatLast) {
  make();
  ASSERT_EQ(cluster_->split(ShardId(1), "m", ShardId(2)).to_string(), "OK");
  ASSERT_EQ(cluster_->transfer("x", NodeId(2)).to_string(), "OK");
  auto transaction = begin(3);
  ASSERT_TRUE(cluster_->run(transaction->lock("x", LockStrength::kUpdate, WaitPolicy::kBlock)).ok());
  ClusterStore& leaseholder = cluster_->node(2).store();
  EXPECT_FALSE(leaseholder.has_lasting_locks(ShardId(2)));
  cluster_->run_for(3s);
  EXPECT_TRUE(leaseholder.has_lasting_locks(ShardId(2)));
  EXPECT_FALSE(leaseholder.has_lasting_locks(ShardId(1)));
  transaction.reset();
  cluster_->run_for(100ms);
  EXPECT_FALSE(leaseholder.has_lasting_locks(ShardId(2)));
}

// A foreign key's check locks the parent's row, which may lie in another shard, and writes nothing there.
TEST_F(ClusterStoreTest, LocksThatOnlyReadAreNotTrustedAfterTheirLeaseholderWasLost) {
  make();
  ASSERT_EQ(write(1, {{"a", "parent"}, {"x", "-"}}).to_string(), "OK");
  ASSERT_EQ(cluster_->split(ShardId(1), "m", ShardId(2)).to_string(), "OK");
  ASSERT_EQ(cluster_->transfer("x", NodeId(2)).to_string(), "OK");
  ASSERT_EQ(cluster_->transfer("a", NodeId(1)).to_string(), "OK");
  for (const bool lost : {false, true}) {
    auto child = begin(3);
    ASSERT_TRUE(cluster_->run(child->lock("a", LockStrength::kKeyShare, WaitPolicy::kBlock)).ok());
    ASSERT_TRUE(cluster_->run(child->lock("x", LockStrength::kUpdate, WaitPolicy::kBlock)).ok());
    ASSERT_TRUE(child->put("x", "child").ok());
    if (lost) {
      ASSERT_EQ(cluster_->transfer("a", NodeId(3)).to_string(), "OK");
      auto killer = begin(1);
      ASSERT_TRUE(cluster_->run(killer->lock("a", LockStrength::kUpdate, WaitPolicy::kBlock)).ok());
      ASSERT_TRUE(killer->erase("a").ok());
      ASSERT_EQ(cluster_->run(killer->commit()).to_string(), "OK");
    }
    EXPECT_EQ(cluster_->run(child->commit()).code().view(), lost ? "40001" : "00000");
    cluster_->run_for(1s);
  }
  EXPECT_EQ(read(2, "a"), "-");
}

TEST_F(ClusterStoreTest, ALockWaitsForItsHolderOnAnotherGateway) {
  make();
  auto holder = begin(1);
  ASSERT_TRUE(cluster_->run(holder->lock("a", LockStrength::kUpdate, WaitPolicy::kBlock)).ok());
  ASSERT_TRUE(holder->put("a", "first").ok());
  std::optional<Status> second;
  const auto waiter = [&]() -> Task<void> { second = co_await write_all(2, {{"a", "second"}}); };
  runtime::spawn(world_, waiter());
  cluster_->run_for(1s);
  EXPECT_FALSE(second.has_value());
  auto refused = begin(3);
  EXPECT_EQ(cluster_->run(refused->lock("a", LockStrength::kUpdate, WaitPolicy::kNoWait)).status().code().view(),
            "55P03");
  EXPECT_EQ(cluster_->run(holder->commit()).to_string(), "OK");
  cluster_->run_until(5s, [&] { return second.has_value(); });
  EXPECT_EQ(second->to_string(), "OK");
  EXPECT_EQ(read(1, "a"), "second");
}

// --- what a transaction can do with one key without waiting (txn/point_access.h) ---

Task<Status> replace(std::unique_ptr<txn::Transaction> transaction, Bytes key, Bytes value) {
  PANDO_CO_ASSIGN(const bool replaced, txn::PointAccess::of(transaction.get())->try_replace(key, std::move(value)));
  co_return replaced ? co_await transaction->commit() : Status(sql_state::kInternalError, "not replaced");
}

TEST_F(ClusterStoreTest, ReplacesARowInOneRequestFromEveryGateway) {
  make();
  ASSERT_EQ(write(1, {{"a", "0"}}).to_string(), "OK");
  for (uint32_t gateway = 1; gateway <= 3; ++gateway) {
    const std::string value = std::to_string(gateway);
    EXPECT_EQ(cluster_->run(replace(begin(gateway), "a", value)).to_string(), "OK");
    EXPECT_EQ(cluster_->run(replace(begin(gateway), "new" + value, value)).to_string(), "OK");
    for (uint32_t reader = 1; reader <= 3; ++reader) {
      EXPECT_EQ(read(reader, "a") + read(reader, "new" + value), value + value);
    }
  }
}

TEST_F(ClusterStoreTest, ReplacingWaitsForWhoeverHasTheRowLocked) {
  make();
  for (uint32_t gateway = 1; gateway <= 3; ++gateway) {
    auto holder = begin(1);
    ASSERT_TRUE(cluster_->run(holder->lock("a", LockStrength::kNoKeyUpdate, WaitPolicy::kBlock)).ok());
    ASSERT_TRUE(holder->put("a", "holder").ok());
    std::optional<Status> replaced;
    const auto waiter = [&]() -> Task<void> { replaced = co_await replace(begin(gateway), "a", "replaced"); };
    runtime::spawn(world_, waiter());
    cluster_->run_for(1s);
    EXPECT_FALSE(replaced.has_value());
    EXPECT_EQ(cluster_->run(holder->commit()).to_string(), "OK");
    cluster_->run_until(5s, [&] { return replaced.has_value(); });
    EXPECT_EQ(replaced->to_string(), "OK");
    EXPECT_EQ(read(2, "a"), "replaced");
  }
}

// Nobody holds a lock while a replaced row is on its way: those who lock it then must find it, or lose it.
TEST_F(ClusterStoreTest, NobodyOverlooksARowThatIsBeingReplaced) {
  make();
  constexpr int kRounds = 40;
  int ended = 0;
  const auto replacing = [&](uint32_t gateway) -> Task<void> {
    for (int i = 0; i < kRounds; ++i) {
      EXPECT_EQ((co_await replace(begin(gateway), "a", "r")).to_string(), "OK");
    }
    ++ended;
  };
  const auto appending = [&](uint32_t gateway) -> Task<void> {
    for (int i = 0; i < kRounds; ++i) {
      auto transaction = begin(gateway);
      EXPECT_TRUE((co_await transaction->lock("a", LockStrength::kUpdate, WaitPolicy::kBlock)).ok());
      const auto value = co_await transaction->get_latest("a");
      EXPECT_TRUE(transaction->put("a", value->value_or("") + "+").ok());
      EXPECT_EQ((co_await transaction->commit()).to_string(), "OK");
    }
    ++ended;
  };
  for (uint32_t gateway = 1; gateway <= 3; ++gateway) {
    runtime::spawn(world_, replacing(gateway));
    runtime::spawn(world_, appending(gateway));
  }
  ASSERT_TRUE(cluster_->run_until(60s, [&] { return ended == 6; }));
}

TEST_F(ClusterStoreTest, ReadsAndLocksWithoutWaitingOnlyWhatIsLedHere) {
  make();
  ASSERT_EQ(write(1, {{"a", "1"}, {"b", "1"}}).to_string(), "OK");
  const uint32_t here = cluster_->await_leaseholder("a")->id().number();
  for (uint32_t gateway = 1; gateway <= 3; ++gateway) {
    auto transaction = begin(gateway);
    txn::PointAccess& access = *txn::PointAccess::of(transaction.get());
    Bytes value;
    const bool led = gateway == here;
    EXPECT_EQ(*access.try_get("a", value), led ? txn::ReadOutcome::kFound : txn::ReadOutcome::kMustWait);
    EXPECT_EQ(*access.try_get("none", value), led ? txn::ReadOutcome::kAbsent : txn::ReadOutcome::kMustWait);
    EXPECT_EQ(access.try_lock("a", LockStrength::kUpdate)->has_value(), led);
    ASSERT_TRUE(cluster_->run(transaction->lock("b", LockStrength::kNoKeyUpdate, WaitPolicy::kBlock)).ok());
    transaction->begin_statement();
    // What came along with the lock.
    EXPECT_EQ(*access.try_get("b", value), txn::ReadOutcome::kFound);
    EXPECT_EQ(value, "1");
    EXPECT_TRUE(access.try_lock("b", LockStrength::kNoKeyUpdate)->has_value());
    EXPECT_EQ(access.try_lock("b", LockStrength::kUpdate)->has_value(), led);
    EXPECT_TRUE(access.try_commit());
    ASSERT_TRUE(access.renew({.executor = &world_}));
    transaction->begin_statement();
    EXPECT_EQ(*access.try_get("b", value), led ? txn::ReadOutcome::kFound : txn::ReadOutcome::kMustWait);
  }
  EXPECT_EQ(write(1, {{"a", "2"}, {"b", "2"}}).to_string(), "OK") << "all locks are free";
}

TEST_F(ClusterStoreTest, ADeadlockOverTwoNodesEndsWithOneVictim) {
  make();
  ASSERT_EQ(cluster_->split(ShardId(1), "m", ShardId(2)).to_string(), "OK");
  ASSERT_EQ(cluster_->transfer("x", NodeId(2)).to_string(), "OK");
  ASSERT_EQ(cluster_->transfer("a", NodeId(1)).to_string(), "OK");
  std::vector<Status> outcomes;
  const auto session = [&](uint32_t gateway, Bytes first, Bytes second) -> Task<void> {
    auto transaction = begin(gateway);
    Status status = (co_await transaction->lock(first, LockStrength::kUpdate, WaitPolicy::kBlock)).status();
    co_await runtime::sleep(cluster_->node(gateway).store().parts().timer, world_, 100ms);
    if (status.ok()) {
      status = (co_await transaction->lock(second, LockStrength::kUpdate, WaitPolicy::kBlock)).status();
    }
    outcomes.push_back(status);
  };
  runtime::spawn(world_, session(1, "a", "x"));
  runtime::spawn(world_, session(3, "x", "a"));
  cluster_->run_until(10s, [&] { return outcomes.size() == 2; });
  ASSERT_EQ(outcomes.size(), 2u);
  EXPECT_EQ(outcomes[0].code().view(), "40P01");
  EXPECT_TRUE(outcomes[1].ok()) << outcomes[1].to_string();
}

TEST_F(ClusterStoreTest, AGatewayThatDiesLeavesNoLocksBehind) {
  make();
  auto* const leader = cluster_->await_leaseholder("a");
  const uint32_t gateway = leader->id().number() % 3 + 1;
  auto transaction = begin(gateway);
  ASSERT_TRUE(cluster_->run(transaction->lock("a", LockStrength::kUpdate, WaitPolicy::kBlock)).ok());
  cluster_->node(gateway).crash();
  EXPECT_EQ(write(leader->id().number(), {{"a", "1"}}).to_string(), "OK");
}

TEST_F(ClusterStoreTest, AGatewayThatDiesWhileItCommitsLeavesAllOrNothing) {
  ClusterOptions options;
  options.nodes = 4;
  make(options);
  ASSERT_EQ(cluster_->split(ShardId(1), "m", ShardId(2)).to_string(), "OK");
  ASSERT_EQ(cluster_->transfer("x", NodeId(2)).to_string(), "OK");
  ASSERT_EQ(cluster_->transfer("a", NodeId(1)).to_string(), "OK");
  for (int round = 1; round <= 25; ++round) {
    const std::string value = std::to_string(round);
    const auto commit = [&]() -> Task<void> {
      (co_await write_all(4, {{"a", value}, {"x", value}})).ignore("nobody is left to hear of it");
    };
    runtime::spawn(world_, commit());
    cluster_->run_for(std::chrono::microseconds(300 * round));
    cluster_->node(4).crash();
    std::string a;
    std::string x;
    ASSERT_TRUE(cluster_->run_until(20s,
                                    [&] {
                                      a = read(1, "a");
                                      x = read(2, "x");
                                      return a == x;
                                    }))
        << a << " and " << x;
    cluster_->node(4).start();
    ASSERT_TRUE(cluster_->run_until(10s, [&] { return cluster_->node(4).running(); }));
  }
}

TEST_F(ClusterStoreTest, ASnapshotDoesNotMove) {
  make();
  ASSERT_EQ(write(1, {{"a", "1"}, {"b", "1"}}).to_string(), "OK");
  auto reader = begin(2, Isolation::kRepeatableRead);
  EXPECT_EQ(*cluster_->run(reader->get("a")), "1");
  ASSERT_EQ(write(3, {{"a", "2"}, {"b", "2"}}).to_string(), "OK");
  reader->begin_statement();
  EXPECT_EQ(*cluster_->run(reader->get("b")), "1");
  ASSERT_TRUE(cluster_->run(reader->lock("a", LockStrength::kUpdate, WaitPolicy::kBlock))->changed_since_snapshot);
  EXPECT_EQ(reader->put("a", "3").code().view(), "40001");
}

TEST_F(ClusterStoreTest, ThePastIsReadAtEveryGateway) {
  make();
  ASSERT_EQ(write(1, {{"a", "1"}, {"x", "1"}}).to_string(), "OK");
  ASSERT_EQ(cluster_->split(ShardId(1), "m", ShardId(2)).to_string(), "OK");
  ASSERT_EQ(cluster_->transfer("x", NodeId(2)).to_string(), "OK");
  ASSERT_EQ(cluster_->transfer("a", NodeId(1)).to_string(), "OK");
  cluster_->run_for(200ms);
  const HlcTimestamp then = now(1);
  cluster_->run_for(200ms);
  ASSERT_EQ(write(3, {{"a", "2"}, {"b", "2"}, {"x", "2"}}).to_string(), "OK");
  for (const auto later : {0ms, 3000ms}) {
    cluster_->run_for(later);
    for (uint32_t gateway = 1; gateway <= 3; ++gateway) {
      EXPECT_EQ(read_past(gateway, "a", then) + read_past(gateway, "b", then) + read_past(gateway, "x", then), "1-1");
      auto past = begin_past(gateway, then, 0ns);
      for (const bool reverse : {false, true}) {
        auto cursor = past->scan({}, {.reverse = reverse});
        txn::KeyValueBatch batch;
        ASSERT_TRUE(cluster_->run(cursor->next(batch, 10)).ok());
        ASSERT_EQ(batch.size(), 2u);
        EXPECT_EQ(batch.key(0), reverse ? "x" : "a");
        EXPECT_EQ(batch.value(1), "1");
      }
      EXPECT_EQ(past->put("a", "3").code().view(), "25006");
    }
  }
  EXPECT_EQ(read(2, "x"), "2");
}

TEST_F(ClusterStoreTest, WhatIsOlderThanTheHistoryIsNotRead) {
  ClusterOptions options;
  options.node.history = 10s;
  make(options);
  ASSERT_EQ(write(1, {{"a", "1"}}).to_string(), "OK");
  const HlcTimestamp then = now(1);
  auto snapshot = begin(2, Isolation::kRepeatableRead);
  EXPECT_EQ(*cluster_->run(snapshot->get("a")), "1");
  cluster_->run_for(200ms);
  ASSERT_EQ(write(1, {{"a", "2"}}).to_string(), "OK");
  cluster_->run_for(5s);
  EXPECT_EQ(read_past(2, "a", then), "1");
  cluster_->run_for(8s);
  for (uint32_t gateway = 1; gateway <= 3; ++gateway) {
    EXPECT_EQ(read_past(gateway, "a", then), "72000");
  }
  snapshot->begin_statement();
  EXPECT_EQ(cluster_->run(snapshot->get("a")).status().code().view(), "72000");
}

TEST_F(ClusterStoreTest, StaleReadsNeedNoLeaseholder) {
  make();
  ASSERT_EQ(write(1, {{"a", "1"}}).to_string(), "OK");
  auto* const leader = cluster_->await_leaseholder("a");
  const uint32_t follower = leader->id().number() % 3 + 1;
  const uint32_t other = follower % 3 + 1;
  cluster_->run_for(2s);
  const uint64_t views = cluster_->node(follower).store().past_views();
  EXPECT_EQ(read_past(follower, "a", {}, 5s), "1");
  EXPECT_EQ(cluster_->node(follower).store().past_views(), views + 1);
  // Too old for what is allowed: the leaseholder is asked.
  ASSERT_EQ(write(1, {{"a", "2"}}).to_string(), "OK");
  EXPECT_EQ(read_past(follower, "a", {}, 1us), "2");
  ASSERT_EQ(cluster_->split(ShardId(1), "m", ShardId(2)).to_string(), "OK");
  ASSERT_EQ(cluster_->transfer("x", NodeId(other)).to_string(), "OK");
  ASSERT_EQ(cluster_->transfer("a", leader->id()).to_string(), "OK");
  cluster_->run_for(2s);
  leader->crash();
  cluster_->node(other).crash();
  for (const auto later : {0s, 10s}) {
    cluster_->run_for(later);
    EXPECT_EQ(read_past(follower, "a", {}, 30s), "2");
    // Over both shards, whose leaseholders have closed them at different moments.
    auto past = begin_past(follower, {}, 30s);
    EXPECT_EQ(cluster_->run(past->get("a"))->value_or("-"), "2");
    EXPECT_EQ(cluster_->run(past->get("x"))->value_or("-"), "-");
  }
}

// What is prepared may be committed at a moment that its leaseholder would otherwise have closed.
TEST_F(ClusterStoreTest, AStaleReadSeesAllOfACommitOverSeveralShardsOrNothing) {
  make();
  ASSERT_EQ(cluster_->split(ShardId(1), "m", ShardId(2)).to_string(), "OK");
  ASSERT_EQ(cluster_->transfer("x", NodeId(2)).to_string(), "OK");
  ASSERT_EQ(cluster_->transfer("a", NodeId(1)).to_string(), "OK");
  bool stop = false;
  int commits = 0;
  const auto writer = [&]() -> Task<void> {
    while (!stop) {
      const std::string value = std::to_string(commits);
      if ((co_await write_all(1, {{"a", value}, {"x", value}})).ok()) {
        ++commits;
      }
    }
  };
  runtime::spawn(world_, writer());
  int moments = 0;
  std::string last;
  for (int round = 0; round < 400; ++round) {
    cluster_->run_for(7ms);
    auto past = begin_past(3, {}, 2s);
    const auto a = cluster_->run(past->get("a"));
    const auto x = cluster_->run(past->get("x"));
    ASSERT_TRUE(a.ok());
    ASSERT_TRUE(x.ok());
    ASSERT_EQ(a->value_or("-"), x->value_or("-")) << round;
    moments += a->value_or("-") != last ? 1 : 0;
    last = a->value_or("-");
  }
  stop = true;
  cluster_->run_for(2s);
  EXPECT_GT(moments, 3);
  EXPECT_GT(commits, 50);
  EXPECT_GT(cluster_->node(3).store().past_views(), 100u);
}

// The leaseholder that chooses the moment has a commit that is stuck, and so nothing newer to show of its own; another
// shard of the statement goes on meanwhile.
TEST_F(ClusterStoreTest, AStaleReadIsNotOlderThanAllowedWhereACommitIsStuck) {
  ClusterOptions options;
  options.nodes = 4;
  make(options);
  ASSERT_EQ(write(1, {{"a", "1"}, {"x", "1"}}).to_string(), "OK");
  ASSERT_EQ(cluster_->split(ShardId(1), "m", ShardId(2)).to_string(), "OK");
  ASSERT_EQ(cluster_->transfer("a", NodeId(1)).to_string(), "OK");
  ASSERT_EQ(cluster_->transfer("x", NodeId(2)).to_string(), "OK");
  cluster_->run_for(1s);
  for (const uint32_t follower : {2U, 3U}) {
    cluster_->network().block(1, follower);
    cluster_->network().block(follower, 1);
  }
  runtime::spawn(world_, [&]() -> Task<void> {
    (co_await write_all(1, {{"b", "2"}})).ignore("whether it commits does not matter here");
  }());
  cluster_->run_for(20ms);
  ASSERT_EQ(write(4, {{"x", "2"}}).to_string(), "OK");
  cluster_->run_for(300ms);
  auto past = begin_past(4, {}, 100ms);
  EXPECT_EQ(cluster_->run(past->get("a"))->value_or("-"), "1");
  ASSERT_EQ(cluster_->node(1).node().leaseholder().in_flight().pending_writes, 1u);
  EXPECT_EQ(cluster_->run(past->get("x"))->value_or("-"), "2");
  cluster_->network().heal();
  cluster_->run_for(5s);
}

TEST_F(ClusterStoreTest, TwoShardsBecomeOneUnderLoad) {
  make();
  ASSERT_EQ(write(1, {{"a", "0"}, {"x", "0"}}).to_string(), "OK");
  bool stop = false;
  int commits = 0;
  std::vector<Status> failures;
  const auto writer = [&](uint32_t gateway, Bytes key) -> Task<void> {
    while (!stop) {
      auto transaction = begin(gateway);
      Status status = (co_await transaction->lock(key, LockStrength::kUpdate, WaitPolicy::kBlock)).status();
      const auto value = co_await transaction->get_latest(key);
      if (status.ok() && value.ok()) {
        transaction->put(key, std::to_string(std::stoi(value->value_or("0")) + 1)).ignore("it has the lock");
        status = co_await transaction->commit();
      }
      if (status.ok()) {
        ++commits;
      } else if (!status.is(sql_state::kSerializationFailure)) {
        failures.push_back(status);
      }
      co_await runtime::sleep(cluster_->node(gateway).store().parts().timer, world_, 1ms);
    }
  };
  for (const auto& [gateway, key] : std::vector<std::pair<uint32_t, Bytes>>{{1, "a"}, {2, "x"}, {3, "x"}}) {
    runtime::spawn(world_, writer(gateway, key));
  }
  for (uint64_t round = 2; round < 12; ++round) {
    ASSERT_EQ(cluster_->split(ShardId(1), "m", ShardId(round)).to_string(), "OK");
    ASSERT_EQ(cluster_->transfer("x", NodeId(static_cast<uint32_t>(round % 3 + 1))).to_string(), "OK");
    cluster_->run_for(500ms);
    ASSERT_EQ(cluster_->run(merge_at(static_cast<uint32_t>(round % 2 + 1), "m")).to_string(), "OK");
    cluster_->run_for(300ms);
    for (uint32_t node = 1; node <= 3; ++node) {
      EXPECT_EQ(shards(node), 1U);
    }
  }
  EXPECT_EQ(cluster_->run(merge_at(1, "m")).to_string(), "OK") << "there is no boundary";
  stop = true;
  cluster_->run_for(2s);
  EXPECT_TRUE(failures.empty()) << failures.front().to_string();
  EXPECT_EQ(std::stoi(read(1, "a")) + std::stoi(read(2, "x")), commits);
  EXPECT_GT(commits, 500);
}

// The research's P17: what was read on the right side, at a moment ahead of the clock of whoever leads both then, is
// not committed below.
TEST_F(ClusterStoreTest, AMergeDoesNotLetWritesUnderReadsOfTheRightSide) {
  make();
  ASSERT_EQ(write(1, {{"a", "0"}, {"x", "0"}}).to_string(), "OK");
  ASSERT_EQ(cluster_->split(ShardId(1), "m", ShardId(2)).to_string(), "OK");
  ASSERT_EQ(cluster_->transfer("x", NodeId(2)).to_string(), "OK");
  ASSERT_EQ(cluster_->transfer("a", NodeId(1)).to_string(), "OK");
  auto reader = begin(2, Isolation::kRepeatableRead);
  EXPECT_EQ(*cluster_->run(reader->get("x")), "0");
  ASSERT_EQ(cluster_->run(merge_at(3, "m")).to_string(), "OK");
  // Past what is uncertain for the reader.
  cluster_->run_for(200ms);
  ASSERT_EQ(write(1, {{"x", "1"}}).to_string(), "OK");
  EXPECT_EQ(*cluster_->run(reader->get("x")), "0");
  EXPECT_EQ(read(3, "x"), "1");
}

TEST_F(ClusterStoreTest, AMergeWhoseCoordinatorDiesIsUndoneOrDone) {
  make();
  ASSERT_EQ(write(1, {{"a", "0"}, {"x", "0"}}).to_string(), "OK");
  uint64_t next = 2;
  int merged = 0;
  for (int round = 0; round < 24; ++round) {
    const auto* const whole = cluster_->await_leaseholder("x");
    ASSERT_NE(whole, nullptr);
    if (shards(whole->id().number()) == 1) {
      ASSERT_EQ(cluster_->split(ShardId(1), "m", ShardId(next++)).to_string(), "OK");
    }
    auto* const leader = cluster_->await_leaseholder("a");
    ASSERT_EQ(cluster_->transfer("x", leader->id()).to_string(), "OK");
    const uint32_t gateway = leader->id().number() % 3 + 1;
    runtime::spawn(world_, [](Task<Status> task) -> Task<void> {
      (co_await std::move(task)).ignore("nobody is left to hear of it");
    }(merge_at(gateway, "m")));
    cluster_->run_for(std::chrono::milliseconds(2 * round));
    leader->crash();
    const std::string value = std::to_string(round);
    for (const Bytes& key : {Bytes("a"), Bytes("x")}) {
      Status written(sql_state::kSerializationFailure, "not tried");
      for (int attempt = 0; attempt < 3 && written.is(sql_state::kSerializationFailure); ++attempt) {
        written = write(gateway, {{key, value}});
      }
      ASSERT_EQ(written.to_string(), "OK") << round << "\n" << cluster_->describe();
    }
    leader->start();
    ASSERT_TRUE(cluster_->run_until(10s, [&] { return leader->running(); }));
    cluster_->run_for(1s);
    EXPECT_EQ(read(gateway, "a") + read(leader->id().number(), "x"), value + value);
    merged += shards(gateway) == 1 ? 1 : 0;
  }
  cluster_->run_for(6s);
  EXPECT_GT(merged, 0);
  EXPECT_LT(merged, 24);
}

TEST_F(ClusterStoreTest, ShardsAreCutWhenTheyGrowAndJoinedWhenTheyShrink) {
  ClusterOptions options;
  options.node.history = 2s;
  make(options);
  uint64_t last_shard = 1;
  const auto sizer_of = [&](uint32_t node) {
    return ShardSizer(
        {.split_bytes = 8_KiB, .merge_bytes = 4_KiB, .merge_after = 5s, .first_key = "b"},
        {.store = cluster_->node(node).store(),
         .next_shard = [&](runtime::Executor&) -> Task<Result<ShardId>> { co_return ShardId(++last_shard); },
         .marks = "_marks"});
  };
  std::vector<ShardSizer> sizers{sizer_of(1), sizer_of(2), sizer_of(3)};
  const auto look = [&] {
    int steps = 0;
    for (ShardSizer& sizer : sizers) {
      const auto step = cluster_->run(sizer.look(world_));
      EXPECT_TRUE(step.ok()) << step.status().to_string();
      steps += step.ok() && *step != ShardSizer::Step::kNone ? 1 : 0;
    }
    cluster_->run_for(1s);
    return steps;
  };
  EXPECT_EQ(look(), 0);
  for (int i = 0; i < 40; ++i) {
    ASSERT_EQ(write(1, {{fmt::format("c{:02}", i), Bytes(1000, 'x')}}).to_string(), "OK");
  }
  for (int i = 0; i < 12; ++i) {
    look();
  }
  const std::size_t grown = shards(1);
  EXPECT_GE(grown, 5U);
  EXPECT_EQ(look(), 0) << "no shard is cut for ever";
  // One that a user has made stays.
  ASSERT_EQ(cluster_->split(cluster_->node(1).node().leaseholder().route("d", false).shard, "d", ShardId(++last_shard))
                .to_string(),
            "OK");
  for (int i = 0; i < 40; ++i) {
    ASSERT_EQ(write(2, {{fmt::format("c{:02}", i), "y"}}).to_string(), "OK");
  }
  cluster_->run_for(4s);
  for (uint32_t node = 1; node <= 3; ++node) {
    ASSERT_TRUE(cluster_->node(node).engine().collect_garbage({}).ok());
  }
  for (int i = 0; i < 30; ++i) {
    look();
  }
  EXPECT_EQ(shards(1), 2U);
  EXPECT_EQ(*cluster_->run(scan_all(3, false, 7)), *cluster_->run(scan_all(1, false, 100)));
}

TEST(ShardLoad, FindsTheMiddleUnlessOneKeyTakesItAll) {
  ShardLoad load;
  EXPECT_EQ(load.update(1'000'000'000), 0U);
  for (int i = 0; i < 64 * 64; ++i) {
    load.note(fmt::format("k{:04}", i));
  }
  EXPECT_GT(load.update(2'000'000'000), 500U);
  const Bytes middle = load.middle();
  EXPECT_GT(middle, "k1000");
  EXPECT_LT(middle, "k3000");
  for (int i = 0; i < 64 * 64; ++i) {
    load.note("hot");
  }
  EXPECT_EQ(load.middle(), "");
}

TEST_F(ClusterStoreTest, WhatBecameOfATransactionIsForgottenOnceNobodyCanAsk) {
  ClusterOptions options;
  options.node.store.keep_outcomes = 30s;
  make(options);
  ASSERT_EQ(cluster_->split(ShardId(1), "m", ShardId(2)).to_string(), "OK");
  ASSERT_EQ(cluster_->transfer("x", NodeId(2)).to_string(), "OK");
  ASSERT_EQ(cluster_->transfer("a", NodeId(1)).to_string(), "OK");
  const auto records = [&](uint32_t node) {
    std::size_t count = 0;
    auto walk = cluster_->node(node).engine().iterate({Bytes(kKeyedPrefix), prefix_end(kKeyedPrefix)});
    for (walk->seek(kKeyedPrefix); walk->valid(); walk->next()) {
      ++count;
    }
    return count;
  };
  for (int i = 0; i < 20; ++i) {
    ASSERT_EQ(write(3, {{"a", std::to_string(i)}, {"x", std::to_string(i)}}).to_string(), "OK");
  }
  cluster_->run_for(5s);
  EXPECT_EQ(records(1), 40U);
  cluster_->run_for(60s);
  for (uint32_t node = 1; node <= 3; ++node) {
    EXPECT_EQ(records(node), 0U) << node;
  }
  EXPECT_EQ(read(1, "a") + read(2, "x"), "1919");
}

TEST_F(ClusterStoreTest, WhatIsSaidOnAChannelReachesAllOtherNodesInOrder) {
  make();
  std::vector<std::vector<ChannelMessage>> heard(4);
  for (uint32_t node = 1; node <= 3; ++node) {
    cluster_->node(node).store().channels().on_messages([&, node](std::vector<ChannelMessage> messages) {
      std::ranges::move(messages, std::back_inserter(heard[node]));
    });
  }
  std::vector<ChannelMessage> said;
  for (uint32_t i = 0; i < 10; ++i) {
    // Together more than one request holds.
    std::vector<ChannelMessage> messages(7, {.process_id = i, .channel = "c", .payload = Bytes(50'000, 'x')});
    std::ranges::copy(messages, std::back_inserter(said));
    cluster_->node(2).store().channels().say(std::move(messages));
  }
  cluster_->run_for(2s);
  EXPECT_TRUE(heard[1] == said);
  EXPECT_TRUE(heard[2].empty());
  EXPECT_TRUE(heard[3] == said);
}

TEST_F(ClusterStoreTest, WriteSkewIsRefusedWhenSerializable) {
  make();
  ASSERT_EQ(write(1, {{"a", "1"}, {"b", "1"}}).to_string(), "OK");
  auto one = begin(1, Isolation::kSerializable);
  auto two = begin(2, Isolation::kSerializable);
  EXPECT_EQ(*cluster_->run(one->get("a")), "1");
  EXPECT_EQ(*cluster_->run(two->get("b")), "1");
  ASSERT_TRUE(cluster_->run(one->lock("b", LockStrength::kUpdate, WaitPolicy::kBlock)).ok());
  ASSERT_TRUE(cluster_->run(two->lock("a", LockStrength::kUpdate, WaitPolicy::kBlock)).ok());
  ASSERT_TRUE(one->put("b", "0").ok());
  ASSERT_TRUE(two->put("a", "0").ok());
  EXPECT_EQ(cluster_->run(one->commit()).to_string(), "OK");
  EXPECT_EQ(cluster_->run(two->commit()).code().view(), "40001");
}

}  // namespace
}  // namespace pando::kv
