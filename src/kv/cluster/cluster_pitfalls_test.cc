// Mistakes that other distributed databases have made, each as a story that would show it here. Which of them are told
// elsewhere, and where: docs/specs/pitfalls.md.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "runtime/sleep.h"
#include "test/cluster_store/simulated_cluster.h"

namespace pando::kv {
namespace {

using namespace std::chrono_literals;
using test::ClusterOptions;
using test::SimulatedCluster;
using txn::Isolation;
using txn::LockStrength;
using txn::WaitPolicy;

// How far clocks may differ here, and so how long a moment can stay uncertain.
constexpr std::chrono::milliseconds kOffsetMax{100};

ClusterOptions with_wide_offsets() {
  ClusterOptions options;
  options.clock_offset_max_ns = std::chrono::nanoseconds(kOffsetMax).count();
  return options;
}

class ClusterPitfallsTest : public testing::Test {
 protected:
  ClusterPitfallsTest() : cluster_(world_, with_wide_offsets()) { cluster_.found(); }

  std::unique_ptr<txn::Transaction> begin(uint32_t gateway, Isolation isolation = Isolation::kReadCommitted) {
    auto transaction = cluster_.node(gateway).store().begin({.isolation = isolation, .executor = &world_});
    transaction->begin_statement();
    return transaction;
  }
  Task<Status> write_all(uint32_t gateway, std::vector<std::pair<Bytes, Bytes>> pairs) {
    auto transaction = begin(gateway);
    for (const auto& [key, value] : pairs) {
      PANDO_CO_TRY((co_await transaction->lock(key, LockStrength::kUpdate, WaitPolicy::kBlock)).status());
      PANDO_CO_TRY(transaction->put(key, value));
    }
    co_return co_await transaction->commit();
  }
  std::string write(uint32_t gateway, std::vector<std::pair<Bytes, Bytes>> pairs) {
    return cluster_.run(write_all(gateway, std::move(pairs))).to_string();
  }
  Status lock_and_put(txn::Transaction& transaction, const Bytes& key, const Bytes& value) {
    PANDO_TRY(cluster_.run(transaction.lock(key, LockStrength::kUpdate, WaitPolicy::kBlock)).status());
    return transaction.put(key, value);
  }
  std::string get(txn::Transaction& transaction, const Bytes& key) {
    const auto value = cluster_.run(transaction.get(key));
    return value.ok() ? value->value_or("-") : value.status().to_string();
  }
  std::string read(uint32_t gateway, const Bytes& key) { return get(*begin(gateway), key); }
  std::string read_past(uint32_t gateway, const Bytes& key, HlcTimestamp at) {
    auto transaction = cluster_.node(gateway).store().begin({.executor = &world_, .read_at = at});
    transaction->begin_statement();
    return get(*transaction, key);
  }
  std::string merge(uint32_t gateway, const Bytes& boundary) {
    NodeId node;
    const auto answer = cluster_.run(cluster_.node(gateway).store().send(boundary, MergeRequest{.boundary = boundary},
                                                                         {.executor = &world_, .before = true}, &node));
    return answer.ok() ? "OK" : answer.status.to_string();
  }
  // Two shards, cut at "m": the left one led by node 1, the right one by node 2.
  void make_two_shards() {
    ASSERT_EQ(cluster_.split(ShardId(1), "m", ShardId(2)).to_string(), "OK");
    lead("a", 1);
    lead("x", 2);
  }
  void lead(const Bytes& key, uint32_t node) {
    ASSERT_EQ(cluster_.transfer(key, NodeId(node)).to_string(), "OK");
    // Until commits are allowed there.
    cluster_.run_for(2 * kOffsetMax);
  }
  // Moves what the node takes for now ahead of everybody else's clock, as far as is permitted.
  HlcTimestamp hurry(uint32_t node) {
    auto& oracle = cluster_.node(node).store().parts().oracle;
    const HlcTimestamp ahead{
        oracle.next().wall_ns + static_cast<uint64_t>(std::chrono::nanoseconds(kOffsetMax).count()) / 2, 0};
    oracle.observe(ahead);
    return ahead;
  }

  sim::World world_{1};
  SimulatedCluster cluster_;
};

// P1: what a serializable transaction has read is validated against commits whose versions are not in place yet.
TEST_F(ClusterPitfallsTest, ARefreshSeesACommitThatIsBeingResolved) {
  ASSERT_EQ(write(1, {{"a", "0"}, {"x", "0"}}), "OK");
  make_two_shards();
  for (int round = 0; round < 10; ++round) {
    auto refreshed = begin(3, Isolation::kSerializable);
    const std::string before = get(*refreshed, "x");
    // Acknowledged, and resolved in the background from here on.
    ASSERT_EQ(write(1, {{"b", std::to_string(round)}, {"x", std::to_string(round + 1)}}), "OK");
    ASSERT_TRUE(lock_and_put(*refreshed, "c", before).ok());
    EXPECT_EQ(cluster_.run(refreshed->commit()).code().view(), "40001") << round;
  }
}

// P2: whoever leads a shard next does not know what was read there, and commits above all of it.
TEST_F(ClusterPitfallsTest, AReadHoldsAgainstWhoeverLeadsNext) {
  ASSERT_EQ(write(1, {{"a", "0"}}), "OK");
  for (const bool crash : {false, true}) {
    lead("a", 1);
    hurry(2);
    auto reader = begin(2, Isolation::kRepeatableRead);
    const std::string seen = get(*reader, "a");
    if (crash) {
      cluster_.node(1).crash();
    } else {
      ASSERT_EQ(cluster_.transfer("a", NodeId(3)).to_string(), "OK");
    }
    ASSERT_EQ(write(3, {{"a", crash ? "2" : "1"}}), "OK");
    EXPECT_EQ(read_past(3, "a", reader->read_timestamp()), seen);
    EXPECT_EQ(read(3, "a"), crash ? "2" : "1");
  }
}

// P5: what was refused leaves nothing behind that a second attempt, with other values, could meet.
TEST_F(ClusterPitfallsTest, ASecondAttemptMayWriteSomethingElse) {
  ASSERT_EQ(write(1, {{"a", "0"}, {"x", "0"}}), "OK");
  make_two_shards();
  auto refused = begin(3, Isolation::kRepeatableRead);
  ASSERT_EQ(get(*refused, "a"), "0");
  ASSERT_TRUE(lock_and_put(*refused, "b", "first").ok());
  ASSERT_TRUE(lock_and_put(*refused, "x", "first").ok());
  lead("x", 3);
  ASSERT_EQ(write(1, {{"x", "between"}}), "OK");
  ASSERT_EQ(cluster_.run(refused->commit()).code().view(), "40001");
  ASSERT_EQ(write(3, {{"x", "second"}, {"z", "second"}}), "OK");
  cluster_.run_for(2s);
  EXPECT_EQ(read(1, "b") + read(2, "x") + read(1, "z"), "-secondsecond");
}

// P7: of several writes to one key the last one counts, also when others were undone.
TEST_F(ClusterPitfallsTest, TheLastOfSeveralWritesToAKeyCounts) {
  make_two_shards();
  auto transaction = begin(3);
  ASSERT_TRUE(lock_and_put(*transaction, "a", "1").ok());
  ASSERT_TRUE(lock_and_put(*transaction, "x", "1").ok());
  const auto savepoint = transaction->savepoint();
  ASSERT_TRUE(transaction->put("a", "undone").ok());
  ASSERT_TRUE(transaction->erase("x").ok());
  transaction->rollback_to(savepoint);
  ASSERT_TRUE(transaction->put("x", "2").ok());
  ASSERT_TRUE(transaction->put("x", "3").ok());
  ASSERT_EQ(cluster_.run(transaction->commit()).to_string(), "OK");
  EXPECT_EQ(read(1, "a") + read(2, "x"), "13");
}

// P8 (CockroachDB #36431): a version is put in place at the moment of its commit, by a node whose clock is another's.
// Whoever read before that moment does not see it appear, whoever begins after its acknowledgement does.
TEST_F(ClusterPitfallsTest, ResolutionMovesNothingUnderAReader) {
  ASSERT_EQ(write(1, {{"a", "0"}, {"x", "0"}}), "OK");
  make_two_shards();
  for (int round = 1; round <= 60; ++round) {
    auto before = begin(1 + round % 3, Isolation::kRepeatableRead);
    const std::string seen = get(*before, "a");
    const uint32_t writer = 1 + (round + 1) % 3;
    if (round % 2 == 0) {
      hurry(writer);
    }
    ASSERT_EQ(write(writer, {{"a", std::to_string(round)}, {"x", std::to_string(round)}}), "OK");
    auto after = begin(1 + (round + 2) % 3, Isolation::kRepeatableRead);
    EXPECT_EQ(get(*after, "x"), std::to_string(round));
    cluster_.run_for(std::chrono::milliseconds(round % 7));
    EXPECT_EQ(read_past(1, "x", before->read_timestamp()), seen) << round;
    EXPECT_EQ(get(*after, "a"), std::to_string(round));
  }
}

// P9: a leaseholder that nobody hears any more answers nothing that others may have overwritten.
TEST_F(ClusterPitfallsTest, ALeaseholderThatIsCutOffDoesNotAnswerFromThePast) {
  ASSERT_EQ(write(1, {{"a", "old"}}), "OK");
  lead("a", 1);
  ASSERT_EQ(read(1, "a"), "old");
  for (const uint32_t other : {2U, 3U}) {
    cluster_.network().block(1, other);
    cluster_.network().block(other, 1);
  }
  std::vector<std::string> answers;
  bool written = false;
  const auto reader = [&]() -> Task<void> {
    while (answers.size() < 1000) {
      auto transaction = begin(1);
      const bool began_after = written;
      const auto value = co_await transaction->get("a");
      if (value.ok() && began_after) {
        answers.push_back(value->value_or("-"));
      }
      co_await runtime::sleep(cluster_.node(1).store().parts().timer, world_, 1ms);
    }
  };
  runtime::spawn(world_, reader());
  ASSERT_EQ(write(2, {{"a", "new"}}), "OK");
  written = true;
  cluster_.run_for(3s);
  EXPECT_TRUE(answers.empty());
  for (const uint32_t other : {2U, 3U}) {
    cluster_.network().unblock(1, other);
    cluster_.network().unblock(other, 1);
  }
  cluster_.run_until(30s, [&] { return answers.size() >= 1000; });
  EXPECT_EQ(std::ranges::count(answers, "new"), 1000);
}

// P13: a follower that has answered of a closed moment does not commit below it when it leads.
TEST_F(ClusterPitfallsTest, AFollowerThatComesToLeadCommitsAboveWhatItHasClosed) {
  ASSERT_EQ(write(1, {{"a", "0"}}), "OK");
  for (int round = 1; round <= 6; ++round) {
    auto* const leader = cluster_.await_leaseholder("a");
    const uint32_t follower = leader->id().number() % 3 + 1;
    hurry(leader->id().number());
    cluster_.run_for(1500ms);
    const HlcTimestamp moment{cluster_.node(follower).store().parts().oracle.last().wall_ns - 900'000'000, 0};
    const std::string seen = read_past(follower, "a", moment);
    leader->crash();
    ASSERT_EQ(write(follower, {{"a", std::to_string(round)}}), "OK");
    EXPECT_EQ(read_past(follower, "a", moment), seen) << round;
    EXPECT_EQ(read(follower, "a"), std::to_string(round));
    leader->start();
    cluster_.run_until(10s, [&] { return leader->running(); });
  }
}

// P18: the same keys have belonged to other shards since a gateway last asked, led by the same nodes and by others.
TEST_F(ClusterPitfallsTest, AGatewayThatMissedSplitsAndMergesFindsItsWay) {
  ASSERT_EQ(write(3, {{"a", "0"}, {"x", "0"}}), "OK");
  uint64_t next = 2;
  for (int round = 1; round <= 8; ++round) {
    ASSERT_EQ(cluster_.split(ShardId(1), "m", ShardId(next++)).to_string(), "OK");
    lead("x", 1 + round % 3);
    ASSERT_EQ(merge(1, "m"), "OK");
    ASSERT_EQ(cluster_.split(ShardId(1), "b", ShardId(next++)).to_string(), "OK");
    lead("x", 1 + (round + 1) % 3);
    // Node 3 was not asked for anything meanwhile.
    EXPECT_EQ(read(3, "x"), std::to_string(round - 1));
    ASSERT_EQ(write(3, {{"a", std::to_string(round)}, {"x", std::to_string(round)}}), "OK");
    EXPECT_EQ(read(1, "x") + read(2, "a"), std::to_string(round) + std::to_string(round));
    ASSERT_EQ(merge(2, "b"), "OK");
  }
}

// P19: a node that was down when two shards became one has the rows of both when it leads them.
TEST_F(ClusterPitfallsTest, ANodeThatMissedAMergeHasTheRowsOfTheRightSide) {
  ASSERT_EQ(write(1, {{"a", "0"}, {"x", "0"}}), "OK");
  make_two_shards();
  ASSERT_EQ(write(1, {{"b", "1"}, {"y", "1"}}), "OK");
  cluster_.node(3).crash();
  // The right side cannot be frozen on all its replicas before node 3 is back.
  std::string merged;
  const auto merging = [&]() -> Task<void> {
    while (merged != "OK") {
      NodeId node;
      const Bytes boundary = "m";
      const auto answer = co_await cluster_.node(1).store().send(boundary, MergeRequest{.boundary = boundary},
                                                                 {.executor = &world_, .before = true}, &node);
      merged = answer.ok() ? "OK" : answer.status.to_string();
      co_await runtime::sleep(cluster_.node(1).store().parts().timer, world_, 50ms);
    }
  };
  runtime::spawn(world_, merging());
  cluster_.run_for(1s);
  cluster_.node(3).start();
  ASSERT_TRUE(cluster_.run_until(20s, [&] { return merged == "OK"; })) << merged;
  cluster_.node(3).crash();
  ASSERT_EQ(write(2, {{"c", "2"}, {"z", "2"}}), "OK");
  cluster_.node(3).start();
  ASSERT_TRUE(cluster_.run_until(10s, [&] { return cluster_.node(3).running(); }));
  cluster_.run_for(2s);
  lead("a", 3);
  EXPECT_EQ(read(3, "a") + read(3, "x") + read(3, "b") + read(3, "y") + read(3, "c") + read(3, "z"), "001122");
}

}  // namespace
}  // namespace pando::kv
