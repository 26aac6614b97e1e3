#include <algorithm>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "kv/descriptor/keys.h"
#include "test/replica/simulated_hosts.h"

namespace pando::kv {
namespace {

using namespace std::chrono_literals;
using test::RecordCommand;
using test::SimulatedHosts;
using test::SimulatedNode;

constexpr ShardId kShard{1};

class ReplicaHostTest : public testing::Test {
 protected:
  void make(uint32_t nodes) {
    options_.nodes = nodes;
    hosts_ = std::make_unique<SimulatedHosts>(world_, options_);
    hosts_->start_all();
    hosts_->found(NodeId(1), kShard);
  }
  // One shard with a voter on each of `nodes` nodes.
  void make_group(uint32_t nodes) {
    make(nodes);
    kv::ReplicaChange change;
    for (uint32_t i = 2; i <= nodes; ++i) {
      change.add.emplace_back(i);
    }
    const auto changed = hosts_->change(kShard, change);
    ASSERT_TRUE(changed.ok()) << changed.status().to_string();
    ASSERT_EQ(changed->replicas.size(), nodes);
  }
  // Writes operations `first` to `last`, one after the other.
  void write(uint64_t first, uint64_t last, ShardId shard = kShard, ByteView prefix = "k") {
    for (uint64_t i = first; i <= last; ++i) {
      const auto result = hosts_->write(shard, {i, fmt::format("{}{:04}", prefix, i % 50), fmt::format("value {}", i)});
      ASSERT_EQ(result.outcome, ProposalOutcome::kApplied) << "operation " << i;
    }
  }
  bool has(SimulatedNode& node, uint64_t operation, ByteView prefix = "k") {
    storage::Version version;
    const auto found =
        node.engine().get_version(fmt::format("{}{:04}", prefix, operation % 50), {operation, 0}, version);
    return found.ok() && *found && version.timestamp.wall_ns == operation;
  }
  void expect_identical() {
    Status status;
    EXPECT_TRUE(hosts_->run_until(30s, [&] {
      status = hosts_->check_identical();
      return status.ok();
    })) << status.message();
    EXPECT_FALSE(world_.failed()) << world_.violation();
  }

  void merge_and_crash(std::chrono::nanoseconds later) {
    make_group(3);
    write(1, 60);
    ASSERT_TRUE(hosts_->split(kShard, "k0025", ShardId(2)).ok());
    ASSERT_NE(hosts_->await_leaseholder(ShardId(2)), nullptr);
    write(61, 80, ShardId(2), "x");
    const auto merged = hosts_->merge(kShard, ShardId(2));
    ASSERT_TRUE(merged.ok()) << merged.status().to_string();
    write(81, 90, kShard, "y");
    hosts_->run_for(later);
    for (const auto& node : hosts_->nodes()) {
      node->crash();
    }
    for (const auto& node : hosts_->nodes()) {
      node->start();
    }
    ASSERT_NE(hosts_->await_leaseholder(kShard), nullptr);
    hosts_->run_for(2s);
    for (const auto& node : hosts_->nodes()) {
      EXPECT_EQ(node->machine().shards().size(), 1U);
      EXPECT_TRUE(has(*node, 70, "x"));
      EXPECT_TRUE(has(*node, 85, "y"));
    }
    write(91, 95, kShard, "z");
    expect_identical();
  }

  sim::World world_{1};
  test::HostsOptions options_;
  std::unique_ptr<SimulatedHosts> hosts_;
};

TEST_F(ReplicaHostTest, ALoneVoterServesAtOnceAndComesBack) {
  make(1);
  ASSERT_NE(hosts_->await_leaseholder(kShard), nullptr);
  EXPECT_EQ(hosts_->node(1).host().view(kShard)->lease_until_ns(), UINT64_MAX);
  write(1, 20);
  hosts_->node(1).engine().flush().ignore("a memory engine flushes");
  write(21, 40);
  hosts_->node(1).crash();
  hosts_->node(1).start();
  const uint64_t before = world_.now_ns();
  ASSERT_NE(hosts_->await_leaseholder(kShard), nullptr);
  EXPECT_LT(world_.now_ns() - before, 100'000'000U);
  for (uint64_t i = 1; i <= 40; ++i) {
    EXPECT_TRUE(has(hosts_->node(1), i)) << i;
  }
  write(41, 50);
  hosts_->node(1).stop();
  hosts_->node(1).start();
  ASSERT_NE(hosts_->await_leaseholder(kShard), nullptr);
  EXPECT_TRUE(has(hosts_->node(1), 50));
}

TEST_F(ReplicaHostTest, ProposalsInAnotherTermAreRefused) {
  make(1);
  SimulatedNode& node = *hosts_->await_leaseholder(kShard);
  std::vector<ProposalOutcome> outcomes;
  const auto propose = [&](uint64_t term, uint64_t generation, ShardId shard) {
    node.host().propose({.shard = shard,
                         .term = term,
                         .generation = generation,
                         .payload = encode(RecordCommand{1, "k", "v"}),
                         .done = [&](ProposalResult result) { outcomes.push_back(result.outcome); }});
  };
  const uint64_t term = node.host().view(kShard)->term();
  propose(term - 1, 1, kShard);
  propose(term + 1, 1, kShard);
  propose(term, 0, kShard);
  propose(term, 1, ShardId(77));
  propose(term, 1, kShard);
  hosts_->run_for(1s);
  EXPECT_EQ(outcomes, (std::vector<ProposalOutcome>{ProposalOutcome::kRefused, ProposalOutcome::kRefused,
                                                    ProposalOutcome::kRefused, ProposalOutcome::kRefused,
                                                    ProposalOutcome::kApplied}));
}

TEST_F(ReplicaHostTest, ReplicasAreAddedBySnapshot) {
  make(3);
  write(1, 120);
  const auto changed = hosts_->change(kShard, {.add = {NodeId(2), NodeId(3)}});
  ASSERT_TRUE(changed.ok()) << changed.status().to_string();
  ASSERT_EQ(changed->replicas.size(), 3U);
  for (const ReplicaDescriptor& replica : changed->replicas) {
    EXPECT_EQ(replica.role, ReplicaRole::kVoter);
  }
  EXPECT_EQ(changed->next_replica_id, ReplicaId(4));
  EXPECT_EQ(hosts_->node(2).host().statistics().snapshots_installed, 1U);
  write(121, 140);
  expect_identical();
  EXPECT_TRUE(has(hosts_->node(3), 5));
  EXPECT_TRUE(has(hosts_->node(2), 140));
}

TEST_F(ReplicaHostTest, NewVotersDoNotInterruptTheLease) {
  make(3);
  write(1, 10);
  SimulatedNode& leader = *hosts_->await_leaseholder(kShard);
  bool done = false;
  leader.host().change_replicas(kShard, {.add = {NodeId(2), NodeId(3)}},
                                [&](const Result<ShardDescriptor>& result) { done = result.ok(); });
  EXPECT_TRUE(hosts_->run_until(30s, [&] {
    EXPECT_TRUE(leader.serves(kShard));
    return done;
  }));
}

TEST_F(ReplicaHostTest, AnotherLeaderTakesOverWithinASecond) {
  make_group(3);
  write(1, 30);
  SimulatedNode& first = *hosts_->await_leaseholder(kShard);
  const uint64_t term = first.host().view(kShard)->term();
  first.crash();
  const uint64_t crashed_ns = world_.now_ns();
  SimulatedNode* const second = hosts_->await_leaseholder(kShard);
  ASSERT_NE(second, nullptr);
  EXPECT_LT(world_.now_ns() - crashed_ns, 1'000'000'000U);
  EXPECT_GT(second->host().view(kShard)->term(), term);
  EXPECT_FALSE(second->machine().last_lease_was_cooperative(kShard));
  write(31, 60);
  first.start();
  hosts_->run_for(2s);
  for (uint64_t i = 1; i <= 60; ++i) {
    EXPECT_TRUE(has(first, i)) << i;
  }
  expect_identical();
}

TEST_F(ReplicaHostTest, ALeaseIsHandedOver) {
  make_group(3);
  write(1, 10);
  SimulatedNode& first = *hosts_->await_leaseholder(kShard);
  const NodeId target(first.id().number() % 3 + 1);
  const uint64_t before = world_.now_ns();
  const Status status = hosts_->transfer(kShard, target);
  ASSERT_TRUE(status.ok()) << status.message();
  SimulatedNode& second = *hosts_->await_leaseholder(kShard);
  EXPECT_EQ(second.id(), target);
  EXPECT_LT(world_.now_ns() - before, 50'000'000U);
  EXPECT_TRUE(second.machine().last_lease_was_cooperative(kShard));
  EXPECT_EQ(second.machine().handovers_applied(), 1U);
  EXPECT_EQ(first.host().view(kShard)->leader(), target);
  EXPECT_EQ(first.host().view(kShard)->term(), 0U);
  write(11, 20);
  EXPECT_FALSE(hosts_->transfer(kShard, NodeId(9)).ok());
  expect_identical();
}

TEST_F(ReplicaHostTest, AHandoverThatFailsIsNoHandover) {
  make_group(3);
  write(1, 10);
  SimulatedNode& first = *hosts_->await_leaseholder(kShard);
  const uint32_t target = first.id().number() % 3 + 1;
  // The target gets what it needs and is cut off before it can be elected.
  for (uint32_t other = 1; other <= 3; ++other) {
    if (other != target) {
      hosts_->network().block(target, other);
      hosts_->network().block(other, target);
    }
  }
  EXPECT_FALSE(hosts_->transfer(kShard, NodeId(target)).ok());
  hosts_->network().heal();
  SimulatedNode& again = *hosts_->await_leaseholder(kShard);
  write(11, 20);
  again.crash();
  SimulatedNode& next = *hosts_->await_leaseholder(kShard);
  EXPECT_FALSE(next.machine().last_lease_was_cooperative(kShard));
  EXPECT_TRUE(has(next, 20));
}

TEST_F(ReplicaHostTest, ALaggingFollowerGetsASnapshotWhileWritesGoOn) {
  options_.replica.log_bytes_max = 8_KiB;
  make_group(3);
  write(1, 10);
  SimulatedNode& leader = *hosts_->await_leaseholder(kShard);
  const uint32_t lagging = leader.id().number() % 3 + 1;
  hosts_->node(lagging).crash();
  for (uint64_t i = 11; i <= 400; ++i) {
    write(i, i);
  }
  hosts_->node(lagging).start();
  write(401, 450);
  expect_identical();
  EXPECT_GE(hosts_->node(lagging).host().statistics().snapshots_installed, 1U);
  EXPECT_TRUE(has(hosts_->node(lagging), 300));
  EXPECT_TRUE(has(hosts_->node(lagging), 450));
}

// A pause between two chunks ends by a timer, and whether it is over is seen on a clock that may be a little behind.
TEST_F(ReplicaHostTest, ASnapshotIsSentToItsEndByASlowClock) {
  options_.replica.log_bytes_max = 8_KiB;
  options_.replica.snapshot_chunk_bytes = 100;
  options_.replica.snapshot_bytes_per_second = 5000;
  make_group(3);
  SimulatedNode& leader = *hosts_->await_leaseholder(kShard);
  leader.clock().set_drift_ppm(-200);
  const uint32_t lagging = leader.id().number() % 3 + 1;
  hosts_->node(lagging).crash();
  write(1, 400);
  hosts_->node(lagging).start();
  EXPECT_TRUE(hosts_->run_until(9s, [&] {
    return hosts_->node(lagging).running() && hosts_->node(lagging).host().statistics().snapshots_installed > 0;
  }));
  expect_identical();
}

TEST_F(ReplicaHostTest, ReplicasMoveAndTheOldOneIsDestroyed) {
  make(4);
  write(1, 50);
  ASSERT_TRUE(hosts_->change(kShard, {.add = {NodeId(2), NodeId(3)}}).ok());
  ASSERT_TRUE(hosts_->transfer(kShard, NodeId(1)).ok());
  const auto moved = hosts_->change(kShard, {.add = {NodeId(4)}, .remove = {NodeId(2)}});
  ASSERT_TRUE(moved.ok()) << moved.status().to_string();
  EXPECT_EQ(moved->on_node(NodeId(2)), nullptr);
  EXPECT_EQ(moved->on_node(NodeId(4))->id, ReplicaId(4));
  EXPECT_TRUE(hosts_->run_until(60s, [&] { return hosts_->node(2).machine().shards().empty(); }));
  EXPECT_FALSE(has(hosts_->node(2), 10));
  EXPECT_TRUE(has(hosts_->node(4), 10));
  // It comes back as somebody else.
  const auto back = hosts_->change(kShard, {.add = {NodeId(2)}, .remove = {NodeId(3)}});
  ASSERT_TRUE(back.ok()) << back.status().to_string();
  EXPECT_EQ(back->on_node(NodeId(2))->id, ReplicaId(5));
  write(51, 60);
  EXPECT_TRUE(hosts_->run_until(60s, [&] { return hosts_->node(3).machine().shards().empty(); }));
  expect_identical();
  EXPECT_FALSE(hosts_->change(kShard, {.remove = {NodeId(1)}}).ok()) << "a leader cannot leave";
}

TEST_F(ReplicaHostTest, AReplicaThatMissedItsRemovalIsDestroyed) {
  make_group(4);
  write(1, 50);
  ASSERT_TRUE(hosts_->transfer(kShard, NodeId(1)).ok());
  hosts_->node(4).crash();
  ASSERT_TRUE(hosts_->change(kShard, {.remove = {NodeId(4)}}).ok());
  write(51, 60);
  hosts_->node(4).start();
  EXPECT_TRUE(hosts_->run_until(60s, [&] {
    return hosts_->node(4).running() && hosts_->node(4).machine().shards().empty() && !has(hosts_->node(4), 10);
  }));
  // Also after a crash that loses what the engine was told.
  hosts_->node(4).crash();
  hosts_->node(4).start();
  hosts_->run_for(1s);
  EXPECT_TRUE(hosts_->node(4).machine().shards().empty());
  EXPECT_FALSE(has(hosts_->node(4), 10));
  expect_identical();
}

// Between the commit of a change and the news of it the old configuration decides, and the replica that goes is a part
// of it: here it hears the news before those that stay do, and then the leader is lost.
TEST_F(ReplicaHostTest, AReplicaThatGoesStaysUntilThoseThatStayKnow) {
  make(4);
  write(1, 50);
  ASSERT_TRUE(hosts_->change(kShard, {.add = {NodeId(2), NodeId(3)}}).ok());
  ASSERT_TRUE(hosts_->transfer(kShard, NodeId(1)).ok());
  bool changed = false;
  hosts_->node(1).host().change_replicas(kShard, {.add = {NodeId(4)}, .remove = {NodeId(2)}},
                                         [&](const Result<ShardDescriptor>& result) { changed = result.ok(); });
  while (!changed) {
    hosts_->run_for(20us);
  }
  for (const uint32_t stays : {3U, 4U}) {
    for (uint32_t other = 1; other <= 4; ++other) {
      hosts_->network().reset(other, stays);
      hosts_->network().block(other, stays);
      hosts_->network().block(stays, other);
    }
  }
  hosts_->run_for(30s);
  hosts_->node(1).crash();
  hosts_->network().heal();
  const auto leads = [&] { return hosts_->node(3).serves(kShard) || hosts_->node(4).serves(kShard); };
  EXPECT_TRUE(hosts_->run_until(30s, leads));
  EXPECT_TRUE(hosts_->run_until(30s, [&] { return hosts_->node(2).machine().shards().empty(); }));
  write(51, 60);
}

// The engine knows that a replica is gone, and a crash has lost that its log is: the next replica must not take it
// over.
TEST_F(ReplicaHostTest, ALogThatACrashLeftIsNotThatOfTheNextReplica) {
  options_.replica.snapshot_chunk_bytes = 100;
  make(4);
  ASSERT_TRUE(hosts_->change(kShard, {.add = {NodeId(2), NodeId(3)}}).ok());
  ASSERT_TRUE(hosts_->transfer(kShard, NodeId(1)).ok());
  write(1, 20);
  SimulatedNode& node = hosts_->node(2);
  hosts_->run_for(1s);
  ASSERT_TRUE(hosts_->change(kShard, {.add = {NodeId(4)}, .remove = {NodeId(2)}}).ok());
  node.disk().stall_until(world_.now_ns() + 100'000'000'000);
  ASSERT_TRUE(hosts_->run_until(60s, [&] { return node.machine().shards().empty(); }));
  ASSERT_TRUE(node.engine().flush().ok());
  node.crash();
  node.disk().heal();
  node.start();
  ASSERT_TRUE(hosts_->run_until(5s, [&] { return node.running(); }));
  bool back = false;
  hosts_->node(1).host().change_replicas(kShard, {.add = {NodeId(2)}, .remove = {NodeId(3)}},
                                         [&](const Result<ShardDescriptor>& result) { back = result.ok(); });
  // Also between its first message and its snapshot.
  for (int i = 1; i <= 40; ++i) {
    hosts_->run_for(i * 100us);
    node.crash();
    node.start();
    while (!node.running()) {
      ASSERT_FALSE(node.start_failed()) << i;
      hosts_->run_for(20us);
    }
  }
  EXPECT_TRUE(hosts_->run_until(60s, [&] { return back; }));
  write(21, 30);
  expect_identical();
}

TEST_F(ReplicaHostTest, AShardIsSplit) {
  make_group(3);
  write(1, 100);
  const uint64_t generation = hosts_->node(1).machine().shards().at(kShard).generation;
  const auto left = hosts_->split(kShard, "k0025", ShardId(2));
  ASSERT_TRUE(left.ok()) << left.status().to_string();
  EXPECT_EQ(left->end, "k0025");
  EXPECT_EQ(left->generation, generation + 1);
  SimulatedNode* const holder = hosts_->await_leaseholder(kShard);
  const uint64_t before = world_.now_ns();
  SimulatedNode* const right = hosts_->await_leaseholder(ShardId(2));
  ASSERT_EQ(right, holder) << "the leader of the whole leads both parts";
  EXPECT_LT(world_.now_ns() - before, 100'000'000U);
  EXPECT_EQ(hosts_->write(kShard, {101, "a", "left"}).outcome, ProposalOutcome::kApplied);
  EXPECT_EQ(hosts_->write(ShardId(2), {102, "z", "right"}).outcome, ProposalOutcome::kApplied);
  // What was evaluated before the split is refused.
  std::optional<ProposalOutcome> stale;
  holder->host().propose({.shard = kShard,
                          .term = *holder->machine().serving(kShard),
                          .generation = generation,
                          .payload = encode(RecordCommand{103, "zz", "too late"}),
                          .done = [&](ProposalResult result) { stale = result.outcome; }});
  hosts_->run_for(100ms);
  EXPECT_EQ(stale, ProposalOutcome::kRefused);
  expect_identical();
  EXPECT_FALSE(hosts_->split(kShard, "z", ShardId(3)).ok());
  EXPECT_FALSE(hosts_->split(kShard, "b", ShardId(2)).ok());
}

TEST_F(ReplicaHostTest, ASplitSurvivesCrashes) {
  make_group(3);
  write(1, 60);
  for (const auto& node : hosts_->nodes()) {
    node->engine().flush().ignore("a memory engine flushes");
  }
  ASSERT_TRUE(hosts_->split(kShard, "k0025", ShardId(2)).ok());
  ASSERT_NE(hosts_->await_leaseholder(ShardId(2)), nullptr);
  write(61, 80, ShardId(2), "x");
  hosts_->run_for(1s);
  for (const auto& node : hosts_->nodes()) {
    node->crash();
  }
  for (const auto& node : hosts_->nodes()) {
    node->start();
  }
  ASSERT_NE(hosts_->await_leaseholder(ShardId(2)), nullptr);
  ASSERT_NE(hosts_->await_leaseholder(kShard), nullptr);
  hosts_->run_for(2s);
  for (const auto& node : hosts_->nodes()) {
    EXPECT_TRUE(has(*node, 70, "x"));
    EXPECT_TRUE(has(*node, 30));
  }
  write(81, 90, ShardId(2), "x");
  expect_identical();
}

TEST_F(ReplicaHostTest, TwoShardsBecomeOne) {
  make_group(3);
  write(1, 100);
  ASSERT_TRUE(hosts_->split(kShard, "k0025", ShardId(2)).ok());
  ASSERT_NE(hosts_->await_leaseholder(ShardId(2)), nullptr);
  write(101, 150, ShardId(2), "x");
  const uint64_t right_generation = hosts_->node(1).machine().shards().at(ShardId(2)).generation;
  const auto whole = hosts_->merge(kShard, ShardId(2));
  ASSERT_TRUE(whole.ok()) << whole.status().to_string();
  EXPECT_EQ(whole->end, "");
  EXPECT_GT(whole->generation, right_generation);
  // Nothing is served meanwhile but the left side, which goes on.
  EXPECT_EQ(hosts_->write(kShard, {151, "z", "right"}).outcome, ProposalOutcome::kApplied);
  ASSERT_TRUE(hosts_->run_until(5s, [&] {
    return std::ranges::all_of(hosts_->nodes(), [](const auto& node) { return node->machine().shards().size() == 1; });
  }));
  for (const auto& node : hosts_->nodes()) {
    EXPECT_TRUE(has(*node, 120, "x"));
    EXPECT_GE(node->machine().handovers_applied(), 1U);
  }
  expect_identical();
  // Its number is used up.
  EXPECT_FALSE(hosts_->split(kShard, "m", ShardId(2)).ok());
  ASSERT_TRUE(hosts_->split(kShard, "m", ShardId(3)).ok());
  ASSERT_NE(hosts_->await_leaseholder(ShardId(3)), nullptr);
  expect_identical();
}

TEST_F(ReplicaHostTest, AMergeThatIsNotFlushedSurvivesACrash) { merge_and_crash(0s); }
TEST_F(ReplicaHostTest, AMergeThatIsFlushedSurvivesACrash) { merge_and_crash(2s); }

// The research's P19: a replica of the right side is not collected before its left side has taken it over; and a left
// side that gets there by a snapshot takes it over with that.
TEST_F(ReplicaHostTest, AReplicaThatWasAwayTakesAMergeOverWithItsSnapshot) {
  options_.replica.log_bytes_max = 2_KiB;
  make_group(3);
  write(1, 60);
  ASSERT_TRUE(hosts_->split(kShard, "k0025", ShardId(2)).ok());
  SimulatedNode* const holder = hosts_->await_leaseholder(ShardId(2));
  ASSERT_NE(holder, nullptr);
  write(61, 80, ShardId(2), "x");
  SimulatedNode& away = hosts_->node(holder->id().number() % 3 + 1);
  auto outcome = std::make_shared<std::optional<Status>>();
  hosts_->start_merge(kShard, ShardId(2), [outcome](const auto& result) { *outcome = result.status(); });
  // It has heard that the right side is merged, and goes before it hears that it was.
  ASSERT_TRUE(hosts_->run_until(2s, [&] { return away.machine().shards().at(ShardId(2)).merging.has_value(); }));
  hosts_->run_until(2s, [&] { return outcome->has_value() || away.engine().statistics().flush_count > 3; });
  for (uint32_t other = 1; other <= 3; ++other) {
    hosts_->network().block(other, away.id().number());
    hosts_->network().block(away.id().number(), other);
  }
  hosts_->run_until(5s, [&] { return outcome->has_value(); });
  ASSERT_TRUE(outcome->has_value());
  ASSERT_EQ((*outcome)->to_string(), "OK");
  write(81, 200, kShard, "y");
  for (const auto& node : hosts_->nodes()) {
    node->engine().flush().ignore("a memory engine flushes");
  }
  hosts_->run_for(5s);
  hosts_->network().heal();
  ASSERT_TRUE(hosts_->run_until(20s, [&] { return away.machine().shards().size() == 1; }));
  EXPECT_TRUE(has(away, 70, "x"));
  expect_identical();
  away.crash();
  away.start();
  ASSERT_TRUE(hosts_->run_until(5s, [&] { return away.running(); }));
  expect_identical();
}

// Whoever finds that it was removed asks other nodes, and meanwhile the merge that they speak of may have begun here.
TEST_F(ReplicaHostTest, AReplicaThatHasHeardOfItsMergeSinceItWasJudgedIsNotCollected) {
  make_group(3);
  write(1, 60);
  ASSERT_TRUE(hosts_->split(kShard, "k0025", ShardId(2)).ok());
  SimulatedNode* const holder = hosts_->await_leaseholder(ShardId(2));
  ASSERT_NE(holder, nullptr);
  SimulatedNode& judged = hosts_->node(holder->id().number() % 3 + 1);
  const ShardDescriptor then = judged.machine().shards().at(ShardId(2));
  std::optional<Status> merged;
  hosts_->start_merge(kShard, ShardId(2), [&](const auto& result) { merged = result.status(); });
  ASSERT_TRUE(hosts_->run_until(2s, [&] { return judged.machine().shards().at(ShardId(2)).merging.has_value(); }));
  std::optional<Status> removed;
  judged.host().remove_replica(ShardId(2), then.on_node(judged.id())->id, then.generation,
                               [&](const Status& status) { removed = status; });
  ASSERT_TRUE(hosts_->run_until(1s, [&] { return removed.has_value(); }));
  EXPECT_EQ(removed->code().view(), "55000");
  ASSERT_TRUE(hosts_->run_until(5s, [&] { return merged.has_value(); }));
  EXPECT_EQ(merged->to_string(), "OK");
  expect_identical();
}

TEST_F(ReplicaHostTest, AMergeThatIsGivenUpLetsTheRightSideGoOn) {
  make_group(3);
  write(1, 60);
  ASSERT_TRUE(hosts_->split(kShard, "k0025", ShardId(2)).ok());
  ASSERT_NE(hosts_->await_leaseholder(ShardId(2)), nullptr);
  SimulatedNode& holder = *hosts_->leaseholder(kShard);
  const MergingInto into{.left = kShard, .left_generation = holder.machine().shards().at(kShard).generation};
  std::optional<Result<ShardDescriptor>> begun;
  holder.host().begin_merging(ShardId(2), into, [&](Result<ShardDescriptor> result) { begun = std::move(result); });
  ASSERT_TRUE(hosts_->run_until(2s, [&] { return begun.has_value(); }));
  ASSERT_TRUE(begun->ok()) << begun->status().to_string();
  holder.crash();
  hosts_->run_for(5s);
  EXPECT_EQ(hosts_->leaseholder(ShardId(2)), nullptr);
  // The neighbour's new generation comes first.
  ASSERT_TRUE(hosts_->run_until(10s, [&] {
    hosts_->recover_merges();
    return hosts_->leaseholder(ShardId(2)) != nullptr;
  }));
  EXPECT_GT(hosts_->await_leaseholder(kShard)->machine().shards().at(kShard).generation, into.left_generation);
  write(61, 70, ShardId(2), "x");
  holder.start();
  expect_identical();
}

TEST_F(ReplicaHostTest, AFullDiskStopsNothingForGood) {
  make_group(3);
  write(1, 10);
  SimulatedNode& leader = *hosts_->await_leaseholder(kShard);
  // The engine takes nothing.
  leader.engine_fails = true;
  std::optional<ProposalOutcome> outcome;
  leader.host().propose({.shard = kShard,
                         .term = *leader.machine().serving(kShard),
                         .generation = 100,
                         .payload = encode(RecordCommand{11, "k0011", "value 11"}),
                         .done = [&](ProposalResult result) { outcome = result.outcome; }});
  hosts_->run_for(300ms);
  EXPECT_FALSE(outcome.has_value());
  EXPECT_FALSE(leader.host().statistics().write_error.ok());
  leader.engine_fails = false;
  EXPECT_TRUE(hosts_->run_until(2s, [&] { return outcome.has_value(); }));
  EXPECT_EQ(outcome, ProposalOutcome::kApplied);
  // The journal takes nothing: another node leads after a while.
  leader.disk().set_full(true);
  outcome.reset();
  leader.host().propose({.shard = kShard,
                         .term = *leader.machine().serving(kShard),
                         .generation = 100,
                         .payload = encode(RecordCommand{12, "k0012", "value 12"}),
                         .done = [&](ProposalResult result) { outcome = result.outcome; }});
  EXPECT_TRUE(hosts_->run_until(10s, [&] {
    SimulatedNode* const now = hosts_->leaseholder(kShard);
    return now != nullptr && now != &leader;
  }));
  leader.disk().heal();
  write(13, 30);
  EXPECT_TRUE(hosts_->run_until(5s, [&] { return outcome.has_value(); }));
  expect_identical();
  EXPECT_EQ(has(hosts_->node(1), 12), outcome == ProposalOutcome::kApplied);
}

// Its unconfirmed tail was replaced in the segment behind; then all was flushed, and the segments before went.
TEST_F(ReplicaHostTest, AReplacedTailWhoseSegmentsAreGoneIsNotMissed) {
  options_.replica.journal_keep_bytes = 0;
  options_.replica.log_bytes_max = 2_KiB;
  make_group(3);
  write(1, 10);
  SimulatedNode& old = *hosts_->await_leaseholder(kShard);
  for (uint32_t other = 1; other <= 3; ++other) {
    hosts_->network().block(other, old.id().number());
    hosts_->network().block(old.id().number(), other);
  }
  const uint64_t term = *old.machine().serving(kShard);
  // More than half of a segment each: the last one begins the next.
  const Bytes large(40_KiB, 'x');
  for (uint64_t i = 100; i < 120; ++i) {
    const Bytes value = i == 100 || i == 119 ? large : Bytes("small");
    old.host().propose({.shard = kShard,
                        .term = term,
                        .generation = 100,
                        .payload = encode(RecordCommand{i, "unconfirmed", value}),
                        .done = [](ProposalResult) {}});
    hosts_->run_for(2ms);
  }
  ASSERT_TRUE(hosts_->run_until(10s, [&] {
    SimulatedNode* const now = hosts_->leaseholder(kShard);
    return now != nullptr && now != &old;
  }));
  write(11, 40);
  hosts_->network().heal();
  expect_identical();
  const uint64_t segments = old.host().statistics().journal.segment_count;
  for (const auto& node : hosts_->nodes()) {
    node->engine().flush().ignore("a memory engine flushes");
  }
  write(41, 42);
  hosts_->run_for(1s);
  EXPECT_LT(old.host().statistics().journal.segment_count, segments) << "nothing was freed: nothing is tested";
  old.crash();
  old.start();
  ASSERT_TRUE(hosts_->run_until(5s, [&] { return old.running(); }));
  expect_identical();
}

// A sync that failed may have forgotten what it was to write, and the next one succeeds: what is written again must not
// rest on it.
TEST_F(ReplicaHostTest, WhatIsWrittenAgainAfterAFailedSyncIsDurable) {
  make(1);
  SimulatedNode& node = hosts_->node(1);
  for (uint64_t i = 1; i <= 48; ++i) {
    ASSERT_NE(hosts_->await_leaseholder(kShard), nullptr);
    std::optional<ProposalOutcome> outcome;
    node.host().propose({.shard = kShard,
                         .term = *node.machine().serving(kShard),
                         .generation = 100,
                         .payload = encode(RecordCommand{i, fmt::format("k{:04}", i), "value"}),
                         .done = [&](ProposalResult result) { outcome = result.outcome; }});
    // The write takes up to 50 us, the sync after it up to 500.
    hosts_->run_for(40us * (i % 12));
    node.disk().set_error(true);
    hosts_->run_for(1ms);
    node.disk().heal();
    ASSERT_TRUE(hosts_->run_until(5s, [&] { return outcome.has_value(); }));
    EXPECT_EQ(outcome, ProposalOutcome::kApplied);
    node.crash();
    node.start();
    ASSERT_NE(hosts_->await_leaseholder(kShard), nullptr);
    storage::Version version;
    for (uint64_t k = 1; k <= i; ++k) {
      const auto found = node.engine().get_version(fmt::format("k{:04}", k), {k, 0}, version);
      ASSERT_TRUE(found.ok() && *found) << k << " of " << i;
    }
  }
  EXPECT_GT(world_.probes().at("disk forgot what a sync failed to write"), 0U);
}

// Four shards with the same voters and leader, idle for a while.
TEST_F(ReplicaHostTest, LeasesOfIdleShardsGoOnTogetherAndEndTogether) {
  make_group(3);
  for (uint64_t id = 2; id <= 4; ++id) {
    ASSERT_TRUE(hosts_->split(ShardId(id - 1), fmt::format("k{:04}", 10 * id), ShardId(id)).ok());
    ASSERT_NE(hosts_->await_leaseholder(ShardId(id)), nullptr);
  }
  SimulatedNode& holder = *hosts_->await_leaseholder(kShard);
  const auto until = [&](uint64_t id) { return holder.host().view(ShardId(id))->lease_until_ns(); };
  hosts_->run_for(3s);
  for (int i = 0; i < 200; ++i) {
    hosts_->run_for(10ms);
    for (uint64_t id = 1; id <= 4; ++id) {
      ASSERT_TRUE(holder.serves(ShardId(id))) << "shard " << id << " after " << i;
      EXPECT_EQ(until(id), until(1)) << "shard " << id << " after " << i;
    }
    // Who is written to is looked at alone, and comes back.
    if (i == 50) {
      write(1, 3, ShardId(2));
      hosts_->run_for(1s);
    }
  }
  // Shard 3 moves away from the node whose promise all of them count on first.
  ASSERT_TRUE(hosts_->transfer(ShardId(3), NodeId(holder.id() == NodeId(2) ? 3 : 2)).ok());
  EXPECT_EQ(until(3), 0U);
  hosts_->run_for(1s);
  EXPECT_FALSE(holder.serves(ShardId(3)));
  // The others lose it when the promises have lapsed, though nothing tells them.
  for (uint32_t other = 1; other <= 3; ++other) {
    if (NodeId(other) != holder.id()) {
      hosts_->network().block(holder.id().number(), other);
      hosts_->network().block(other, holder.id().number());
    }
  }
  hosts_->run_for(700ms);
  for (uint64_t id = 1; id <= 4; ++id) {
    EXPECT_FALSE(holder.serves(ShardId(id))) << "shard " << id;
    SimulatedNode* const next = hosts_->await_leaseholder(ShardId(id));
    ASSERT_NE(next, nullptr);
    EXPECT_NE(next->id(), holder.id());
  }
}

// A promise of a node without a voter prolongs nothing, though another shard counts on it.
TEST_F(ReplicaHostTest, SharedLeasesRestOnTheVotersOfTheShardAlone) {
  make_group(4);
  ASSERT_TRUE(hosts_->split(kShard, "k0010", ShardId(2)).ok());
  SimulatedNode& holder = *hosts_->await_leaseholder(kShard);
  ASSERT_EQ(hosts_->await_leaseholder(ShardId(2)), &holder);
  std::vector<uint32_t> others;
  for (uint32_t i = 1; i <= 4; ++i) {
    if (NodeId(i) != holder.id()) {
      others.push_back(i);
    }
  }
  // Besides the holder, shard 1 is on the first and the last of the others, shard 2 on the first two.
  ASSERT_TRUE(hosts_->change(kShard, {.remove = {NodeId(others[1])}}).ok());
  ASSERT_TRUE(hosts_->change(ShardId(2), {.remove = {NodeId(others[2])}}).ok());
  hosts_->run_for(3s);
  ASSERT_TRUE(holder.serves(kShard));
  ASSERT_TRUE(holder.serves(ShardId(2)));
  for (const uint32_t gone : {others[0], others[1]}) {
    hosts_->network().block(holder.id().number(), gone);
    hosts_->network().block(gone, holder.id().number());
  }
  hosts_->run_for(700ms);
  EXPECT_FALSE(holder.serves(ShardId(2)));
  EXPECT_TRUE(holder.serves(kShard));
}

TEST_F(ReplicaHostTest, AnIdleGroupIsSilent) {
  make_group(3);
  write(1, 10);
  hosts_->run_for(5s);
  std::array<uint64_t, 3> sent{};
  for (uint32_t i = 0; i < 3; ++i) {
    sent[i] = hosts_->node(i + 1).host().statistics().envelopes_sent;
    EXPECT_EQ(hosts_->node(i + 1).host().statistics().awake_groups, 0U);
  }
  hosts_->run_for(10s);
  for (uint32_t i = 0; i < 3; ++i) {
    // Requests and grants of support to two peers, about seven times a second each.
    EXPECT_LT(hosts_->node(i + 1).host().statistics().envelopes_sent - sent[i], 10 * 4 * 8U);
  }
}

}  // namespace
}  // namespace pando::kv
