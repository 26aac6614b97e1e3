// Stories of nodes and links that fail at a bad moment. Each was first told by test/cluster_sim.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "kv/commit_record.h"
#include "kv/descriptor/keys.h"
#include "test/cluster_store/simulated_cluster.h"

namespace pando::kv {
namespace {

using namespace std::chrono_literals;
using test::ClusterOptions;
using test::SimulatedCluster;
using txn::Isolation;
using txn::LockStrength;
using txn::WaitPolicy;

class ClusterFaultsTest : public testing::Test {
 protected:
  explicit ClusterFaultsTest(ClusterOptions options = {}) : cluster_(world_, std::move(options)) { cluster_.found(); }

  std::unique_ptr<txn::Transaction> begin(uint32_t gateway, Isolation isolation = Isolation::kReadCommitted) {
    auto transaction = cluster_.node(gateway).store().begin({.isolation = isolation, .executor = &world_});
    transaction->begin_statement();
    return transaction;
  }
  Status lock_and_put(txn::Transaction& transaction, const Bytes& key, const Bytes& value) {
    PANDO_TRY(cluster_.run(transaction.lock(key, LockStrength::kUpdate, WaitPolicy::kBlock)).status());
    return transaction.put(key, value);
  }
  Status write(uint32_t gateway, const Bytes& key, const Bytes& value) {
    auto transaction = begin(gateway);
    PANDO_TRY(lock_and_put(*transaction, key, value));
    return cluster_.run(transaction->commit());
  }
  template <typename T>
  static Task<void> keep(Task<T> task, std::optional<T>* outcome) {
    outcome->emplace(co_await std::move(task));
  }
  template <typename T>
  void start(Task<T> task, std::optional<T>* outcome) {
    runtime::spawn(world_, keep(std::move(task), outcome));
  }
  std::size_t owners_at(uint32_t node) { return cluster_.node(node).node().leaseholder().in_flight().lock_owners; }
  void block(uint32_t a, uint32_t b) {
    cluster_.network().block(a, b);
    cluster_.network().block(b, a);
  }
  void unblock(uint32_t a, uint32_t b) {
    cluster_.network().unblock(a, b);
    cluster_.network().unblock(b, a);
  }
  // Two shards, cut at "m": the left one led by node 1, the right one by node 2.
  void make_two_shards() {
    ASSERT_EQ(cluster_.split(ShardId(1), "m", ShardId(2)).to_string(), "OK");
    ASSERT_EQ(cluster_.transfer("a", NodeId(1)).to_string(), "OK");
    ASSERT_EQ(cluster_.transfer("x", NodeId(2)).to_string(), "OK");
    // Until commits are allowed there.
    cluster_.run_for(200ms);
  }

  sim::World world_{1};
  SimulatedCluster cluster_;
};

TEST_F(ClusterFaultsTest, ALockThatADeadGatewayLeavesIsNotGivenBeforeItsCommitIsDecided) {
  ASSERT_EQ(cluster_.transfer("a", NodeId(1)).to_string(), "OK");
  ASSERT_EQ(write(1, "a", "old").to_string(), "OK");
  auto first = begin(2);
  ASSERT_EQ(lock_and_put(*first, "a", "new").to_string(), "OK");
  std::optional<Status> committed;
  start(first->commit(), &committed);
  auto& leaseholder = cluster_.node(1).node().leaseholder();
  ASSERT_TRUE(cluster_.run_until(1s, [&] { return leaseholder.in_flight().pending_writes == 1; }));
  block(1, 3);
  cluster_.node(2).crash();
  auto second = begin(1);
  std::optional<Result<txn::LockOutcome>> locked;
  start(second->lock("a", LockStrength::kUpdate, WaitPolicy::kBlock), &locked);
  cluster_.run_for(100ms);
  EXPECT_FALSE(locked.has_value());
  unblock(1, 3);
  ASSERT_TRUE(cluster_.run_until(20s, [&] { return locked.has_value(); }));
  if (locked->ok()) {
    EXPECT_EQ(*cluster_.run(second->get_latest("a")), "new");
  }
}

TEST_F(ClusterFaultsTest, ANodeThatWasAskedForALockInVainForgetsTheTransaction) {
  ASSERT_EQ(cluster_.transfer("a", NodeId(1)).to_string(), "OK");
  auto holder = begin(3);
  ASSERT_EQ(lock_and_put(*holder, "a", "1").to_string(), "OK");
  auto waiter = begin(1);
  std::optional<Result<txn::LockOutcome>> locked;
  start(waiter->lock("a", LockStrength::kUpdate, WaitPolicy::kBlock), &locked);
  cluster_.run_for(10ms);
  ASSERT_EQ(cluster_.transfer("a", NodeId(2)).to_string(), "OK");
  holder.reset();
  ASSERT_TRUE(cluster_.run_until(5s, [&] { return locked.has_value(); }));
  waiter.reset();
  cluster_.run_for(1s);
  EXPECT_EQ(owners_at(1), 0U);
  EXPECT_EQ(owners_at(2), 0U);
}

// The prepare of a leaseholder is applied when it leads no more.
TEST_F(ClusterFaultsTest, APrepareThatOutlivesItsLeaseIsNotTakenForPrevented) {
  make_two_shards();
  auto transaction = begin(1);
  ASSERT_EQ(lock_and_put(*transaction, "a", "new").to_string(), "OK");
  ASSERT_EQ(lock_and_put(*transaction, "x", "new").to_string(), "OK");
  cluster_.network().block(2, 1);
  cluster_.network().block(3, 1);
  std::optional<Status> committed;
  start(transaction->commit(), &committed);
  cluster_.run_for(1500ms);
  cluster_.network().unblock(2, 1);
  cluster_.network().unblock(3, 1);
  ASSERT_TRUE(cluster_.run_until(20s, [&] { return committed.has_value(); }));
  for (const Bytes& key : {Bytes("a"), Bytes("x")}) {
    const auto value = cluster_.run(begin(2)->get(key));
    ASSERT_TRUE(value.ok());
    EXPECT_EQ(value->has_value(), committed->ok()) << committed->to_string();
  }
}

// Each is checked on the shard that it has read before the other's write comes there.
TEST_F(ClusterFaultsTest, OneOfTwoThatReadWhatTheOtherWritesIsRefused) {
  make_two_shards();
  ASSERT_EQ(write(1, "a", "old").to_string(), "OK");
  ASSERT_EQ(write(2, "x", "old").to_string(), "OK");
  cluster_.run_for(1s);
  auto left = begin(1, Isolation::kSerializable);
  auto right = begin(2, Isolation::kSerializable);
  ASSERT_EQ(*cluster_.run(left->get("a")), "old");
  ASSERT_EQ(*cluster_.run(right->get("x")), "old");
  ASSERT_EQ(lock_and_put(*left, "x", "new").to_string(), "OK");
  ASSERT_EQ(lock_and_put(*right, "a", "new").to_string(), "OK");
  std::optional<Status> left_ended;
  std::optional<Status> right_ended;
  start(left->commit(), &left_ended);
  start(right->commit(), &right_ended);
  ASSERT_TRUE(cluster_.run_until(20s, [&] { return left_ended.has_value() && right_ended.has_value(); }));
  EXPECT_FALSE(left_ended->ok() && right_ended->ok());
  for (const Status& ended : {*left_ended, *right_ended}) {
    EXPECT_TRUE(ended.ok() || ended.is(sql_state::kSerializationFailure)) << ended.to_string();
  }
}

// The left side would keep what is prepared of rows that are the right side's by then.
TEST_F(ClusterFaultsTest, AShardIsNotSplitWhileAPrepareIsOnItsWay) {
  make_two_shards();
  auto transaction = begin(3);
  ASSERT_EQ(lock_and_put(*transaction, "f", "new").to_string(), "OK");
  ASSERT_EQ(lock_and_put(*transaction, "x", "new").to_string(), "OK");
  std::optional<Status> committed;
  start(transaction->commit(), &committed);
  auto& leaseholder = cluster_.node(1).node().leaseholder();
  ASSERT_TRUE(cluster_.run_until(1s, [&] { return leaseholder.in_flight().pending_writes == 1; }));
  std::optional<AnswerTo<SplitRequest>> split;
  start(leaseholder.split({.shard = ShardId(1), .key = "f", .right = ShardId(7)}, world_), &split);
  ASSERT_TRUE(cluster_.run_until(20s, [&] { return committed.has_value(); }));
  EXPECT_EQ(committed->to_string(), "OK");
  // Nobody is told the outcome by the gateway.
  cluster_.node(3).crash();
  cluster_.run_for(20s);
  EXPECT_TRUE(split.has_value() && split->ok());
  for (const Bytes& key : {Bytes("f"), Bytes("x")}) {
    const auto value = cluster_.run(begin(2)->get(key));
    ASSERT_TRUE(value.ok());
    EXPECT_EQ(value->value_or("-"), "new");
  }
}

TEST_F(ClusterFaultsTest, ALeaseholderThatHandsOverBeforeATransactionIsResolvedFreesItsLocks) {
  make_two_shards();
  auto transaction = begin(3);
  ASSERT_EQ(lock_and_put(*transaction, "a", "new").to_string(), "OK");
  ASSERT_EQ(lock_and_put(*transaction, "x", "new").to_string(), "OK");
  std::optional<Status> committed;
  start(transaction->commit(), &committed);
  auto& leaseholder = cluster_.node(1).node().leaseholder();
  ASSERT_TRUE(cluster_.run_until(1s, [&] { return leaseholder.in_flight().prepared == 1; }));
  cluster_.network().clog(3, 1, world_.now_ns() + 300'000'000);
  cluster_.network().clog(3, 2, world_.now_ns() + 300'000'000);
  ASSERT_EQ(cluster_.transfer("a", NodeId(2)).to_string(), "OK");
  ASSERT_TRUE(cluster_.run_until(5s, [&] { return committed.has_value(); }));
  EXPECT_EQ(committed->to_string(), "OK");
  cluster_.run_for(5s);
  EXPECT_EQ(owners_at(1), 0U);
  EXPECT_EQ(owners_at(2), 0U);
}

TEST_F(ClusterFaultsTest, AShardIsNotSplitUnderAPrepareThatIsOnItsWay) {
  make_two_shards();
  auto transaction = begin(1);
  ASSERT_EQ(lock_and_put(*transaction, "a", "new").to_string(), "OK");
  ASSERT_EQ(lock_and_put(*transaction, "x", "new").to_string(), "OK");
  cluster_.network().clog(2, 1, world_.now_ns() + 100'000'000);
  cluster_.network().clog(3, 1, world_.now_ns() + 100'000'000);
  std::optional<Status> committed;
  start(transaction->commit(), &committed);
  cluster_.run_for(5ms);
  std::optional<AnswerTo<SplitRequest>> split;
  start(cluster_.node(1).node().leaseholder().split({.shard = ShardId(1), .key = "0", .right = ShardId(9)}, world_),
        &split);
  ASSERT_TRUE(cluster_.run_until(20s, [&] { return committed.has_value() && split.has_value(); }));
  EXPECT_EQ(committed->to_string(), "OK");
  EXPECT_EQ(*cluster_.run(begin(2)->get("a")), "new");
}

// What is recorded of a key goes where the key goes: on the wrong shard it would be found by the replicas that have
// both.
TEST_F(ClusterFaultsTest, AnOutcomeIsNotRecordedOnAShardThatHasNotTheKey) {
  make_two_shards();
  auto& leaseholder = cluster_.node(1).node().leaseholder();
  const TransactionId transaction(uint64_t{3} << 48 | 1);
  const auto resolved = cluster_.run(
      leaseholder.resolve({.shard = ShardId(1), .transaction = transaction, .key = "x", .committed = true}, world_));
  EXPECT_EQ(resolved.verdict, Verdict::kNotLeaseholder);
  const auto asked = cluster_.run(
      leaseholder.outcome({.shard = ShardId(1), .transaction = transaction, .key = "x", .prepares = true}, world_));
  EXPECT_EQ(asked.verdict, Verdict::kNotLeaseholder);
}

TEST_F(ClusterFaultsTest, ALockThatIsAskedForAgainIsHeldOnce) {
  ASSERT_EQ(cluster_.transfer("a", NodeId(1)).to_string(), "OK");
  auto holder = begin(1);
  ASSERT_EQ(lock_and_put(*holder, "a", "1").to_string(), "OK");
  auto& leaseholder = cluster_.node(1).node().leaseholder();
  const LockRequest request{.shard = ShardId(1), .transaction = TransactionId(uint64_t{2} << 48 | 1), .key = "a"};
  std::optional<AnswerTo<LockRequest>> first;
  std::optional<AnswerTo<LockRequest>> second;
  start(leaseholder.lock(request, NodeId(2), world_), &first);
  cluster_.run_for(10ms);
  start(leaseholder.lock(request, NodeId(2), world_), &second);
  cluster_.run_for(10ms);
  EXPECT_EQ(second->verdict, Verdict::kNotLeaseholder);
  EXPECT_EQ(first->verdict, Verdict::kError);
  holder.reset();
  EXPECT_TRUE(cluster_.run(leaseholder.lock(request, NodeId(2), world_)).ok());
  leaseholder.release({.transaction = request.transaction});
  EXPECT_EQ(owners_at(1), 0U);
}

PrepareRequest prepare_request(ShardId shard, TransactionId transaction, const Bytes& key) {
  CommitRecordBuilder builder(transaction, 1, 100);
  builder.put(key, "new");
  return {.part = {.shard = shard, .transaction = transaction, .payload = std::move(builder).finish()},
          .key = key,
          .participants = {{.key = "a"}, {.key = "x"}}};
}

// A gateway that has missed a merge takes one shard for two; and of what is large a shard has several parts.
TEST_F(ClusterFaultsTest, AShardTakesPartOnceForEachParticipant) {
  ASSERT_EQ(cluster_.transfer("a", NodeId(1)).to_string(), "OK");
  cluster_.run_for(200ms);
  auto& leaseholder = cluster_.node(1).node().leaseholder();
  const TransactionId transaction(uint64_t{3} << 48 | 1);
  std::optional<AnswerTo<PrepareRequest>> first;
  std::optional<AnswerTo<PrepareRequest>> repeated;
  std::optional<AnswerTo<PrepareRequest>> second;
  start(leaseholder.prepare(prepare_request(ShardId(1), transaction, "a"), world_), &first);
  start(leaseholder.prepare(prepare_request(ShardId(1), transaction, "a"), world_), &repeated);
  start(leaseholder.prepare(prepare_request(ShardId(1), transaction, "x"), world_), &second);
  ASSERT_TRUE(cluster_.run_until(5s, [&] { return first.has_value() && second.has_value(); }));
  EXPECT_TRUE(first->ok());
  EXPECT_EQ(repeated->verdict, Verdict::kError);
  EXPECT_TRUE(second->ok());
  // Its gateway says nothing more: both are prepared, so it is committed.
  cluster_.run_for(10s);
  EXPECT_EQ(*cluster_.run(begin(2)->get("a")), "new");
  EXPECT_EQ(*cluster_.run(begin(2)->get("x")), "new");
}

TEST_F(ClusterFaultsTest, ACommitGoesToNoOtherShardThanItWasMadeFor) {
  make_two_shards();
  NodeId node;
  const auto answer = cluster_.run(cluster_.node(1).store().send(Bytes("x"), CommitShardRequest(),
                                                                 {.executor = &world_, .shard = ShardId(1)}, &node));
  EXPECT_EQ(answer.verdict, Verdict::kNotLeaseholder);
}

// A split of the right side lets transactions in again that the merge had kept out.
TEST_F(ClusterFaultsTest, AMergeDoesNotLoseWhatIsPreparedMeanwhile) {
  make_two_shards();
  ASSERT_EQ(cluster_.transfer("x", NodeId(1)).to_string(), "OK");
  cluster_.run_for(200ms);
  auto& leaseholder = cluster_.node(1).node().leaseholder();
  block(1, 3);
  std::optional<Answer<Empty>> merged;
  NodeId node;
  start(cluster_.node(1).store().send(Bytes("m"), MergeRequest{.boundary = "m"}, {.executor = &world_, .before = true},
                                      &node),
        &merged);
  cluster_.run_for(50ms);
  ASSERT_TRUE(cluster_.run(leaseholder.split({.shard = ShardId(2), .key = "z", .right = ShardId(3)}, world_)).ok());
  const TransactionId transaction(uint64_t{3} << 48 | 1);
  ASSERT_TRUE(cluster_.run(leaseholder.prepare(prepare_request(ShardId(1), transaction, "a"), world_)).ok());
  ASSERT_TRUE(cluster_.run(leaseholder.prepare(prepare_request(ShardId(2), transaction, "x"), world_)).ok());
  unblock(1, 3);
  ASSERT_TRUE(cluster_.run_until(20s, [&] { return merged.has_value(); }));
  // Whoever leads finds that it was committed.
  cluster_.run_for(10s);
  EXPECT_EQ(*cluster_.run(begin(2)->get("a")), "new");
  EXPECT_EQ(*cluster_.run(begin(2)->get("x")), "new");
}

// It is kept until none of them is prepared.
TEST_F(ClusterFaultsTest, WhatBecameOfATransactionIsKeptWithAllItsParticipants) {
  make_two_shards();
  auto transaction = begin(3);
  ASSERT_EQ(lock_and_put(*transaction, "a", "new").to_string(), "OK");
  ASSERT_EQ(lock_and_put(*transaction, "x", "new").to_string(), "OK");
  ASSERT_EQ(cluster_.run(transaction->commit()).to_string(), "OK");
  cluster_.run_for(1s);
  int records = 0;
  auto walk = cluster_.node(1).engine().iterate({Bytes(kKeyedPrefix), prefix_end(kKeyedPrefix)});
  for (walk->seek(kKeyedPrefix); walk->valid(); walk->next()) {
    const auto outcome = decode_outcome(walk->value());
    EXPECT_TRUE(outcome.ok() && outcome->committed && outcome->participants.size() == 2);
    ++records;
  }
  EXPECT_EQ(records, 2);
}

// As it was stored when a shard had one promise of a transaction at most: without the participant in its key.
TEST_F(ClusterFaultsTest, APromiseOfAnOlderVersionIsKept) {
  make_two_shards();
  auto transaction = begin(3);
  ASSERT_EQ(lock_and_put(*transaction, "a", "new").to_string(), "OK");
  ASSERT_EQ(lock_and_put(*transaction, "x", "new").to_string(), "OK");
  ASSERT_EQ(cluster_.run(transaction->commit()).to_string(), "OK");
  const TransactionId id = transaction->id();
  cluster_.node(3).crash();
  cluster_.run_for(100ms);
  for (uint32_t node = 1; node <= 2; ++node) {
    storage::Engine& engine = cluster_.node(node).engine();
    const Bytes key = prepared_key(ShardId(1), id, "a");
    Bytes promise;
    ASSERT_TRUE(*engine.get(key, promise));
    storage::WriteBatch batch;
    batch.erase(key);
    batch.put(prepared_key(ShardId(1), id, {}), promise);
    ASSERT_TRUE(engine.write(batch).ok());
  }
  // Recovered by those who are left.
  cluster_.run_for(10s);
  EXPECT_EQ(*cluster_.run(begin(2)->get("a")), "new");
  EXPECT_EQ(*cluster_.run(begin(1)->get("x")), "new");
  Bytes promise;
  EXPECT_FALSE(*cluster_.node(1).engine().get(prepared_key(ShardId(1), id, {}), promise));
}

class FiveNodesTest : public ClusterFaultsTest {
 protected:
  FiveNodesTest() : ClusterFaultsTest({.nodes = 5}) {}
};

// A moment that lies before a commit on its way must not lie before what the same node has acknowledged on another
// shard.
TEST_F(FiveNodesTest, AReadSeesWhatAnotherShardOfItsNodeHasAcknowledged) {
  ASSERT_EQ(cluster_.split(ShardId(1), "m", ShardId(2)).to_string(), "OK");
  ASSERT_EQ(cluster_.transfer("a", NodeId(1)).to_string(), "OK");
  ASSERT_EQ(cluster_.transfer("x", NodeId(1)).to_string(), "OK");
  std::optional<Status> moved;
  cluster_.node(1).node().host().change_replicas(
      ShardId(2), {.add = {NodeId(4), NodeId(5)}, .remove = {NodeId(2), NodeId(3)}},
      [&](const Result<ShardDescriptor>& result) { moved = result.ok() ? Status() : result.status(); });
  ASSERT_TRUE(cluster_.run_until(20s, [&] { return moved.has_value(); }));
  ASSERT_EQ(moved->to_string(), "OK");
  cluster_.run_for(500ms);
  cluster_.network().clog(2, 1, world_.now_ns() + 150'000'000);
  cluster_.network().clog(3, 1, world_.now_ns() + 150'000'000);
  auto slow = begin(1);
  ASSERT_EQ(lock_and_put(*slow, "a", "new").to_string(), "OK");
  std::optional<Status> committed;
  start(slow->commit(), &committed);
  cluster_.run_for(10ms);
  ASSERT_EQ(write(1, "x", "new").to_string(), "OK");
  ASSERT_FALSE(committed.has_value());
  auto reader = begin(1);
  EXPECT_EQ(*cluster_.run(reader->get("b")), std::nullopt);
  EXPECT_EQ(*cluster_.run(reader->get("x")), "new");
  cluster_.run_until(5s, [&] { return committed.has_value(); });
}

// Gateways without a replica learn of a split when a key is not where they look for it. A commit is refused as well
// when what it has only read, or only locked, is not there any more.
TEST_F(FiveNodesTest, ACommitAlongAnOldRouteDoesNotPrepareWhereWhatItReadHasGone) {
  make_two_shards();
  auto transaction = begin(5, Isolation::kSerializable);
  ASSERT_EQ(*cluster_.run(transaction->get("x")), std::nullopt);
  ASSERT_EQ(lock_and_put(*transaction, "a", "new").to_string(), "OK");
  ASSERT_EQ(cluster_.split(ShardId(2), "p", ShardId(3)).to_string(), "OK");
  ASSERT_NE(cluster_.await_leaseholder("x"), nullptr);
  cluster_.run(transaction->commit()).ignore("it may have to be tried again");
  cluster_.run_for(5s);
  for (uint32_t node = 1; node <= 3; ++node) {
    EXPECT_EQ(cluster_.node(node).node().leaseholder().in_flight().prepared, 0U);
  }
}

TEST_F(FiveNodesTest, ALockWhoseKeyHasGoneToAnotherShardIsLost) {
  ASSERT_EQ(cluster_.transfer("a", NodeId(1)).to_string(), "OK");
  ASSERT_EQ(write(1, "x", "old").to_string(), "OK");
  auto transaction = begin(5);
  ASSERT_TRUE(cluster_.run(transaction->lock("x", LockStrength::kShare, WaitPolicy::kBlock)).ok());
  ASSERT_EQ(lock_and_put(*transaction, "a", "while x is old").to_string(), "OK");
  make_two_shards();
  ASSERT_EQ(write(2, "x", "new").to_string(), "OK");
  EXPECT_TRUE(cluster_.run(transaction->commit()).is(sql_state::kSerializationFailure));
}

TEST_F(FiveNodesTest, WhatWasReadIsNotLookedForWhereItHasGone) {
  ASSERT_EQ(cluster_.transfer("a", NodeId(1)).to_string(), "OK");
  ASSERT_EQ(write(1, "x", "old").to_string(), "OK");
  auto transaction = begin(5, Isolation::kSerializable);
  ASSERT_EQ(*cluster_.run(transaction->get("x")), "old");
  ASSERT_EQ(lock_and_put(*transaction, "a", "while x is old").to_string(), "OK");
  make_two_shards();
  // Node 1 does not hear of the new value.
  cluster_.network().block(2, 1);
  ASSERT_EQ(write(2, "x", "new").to_string(), "OK");
  std::optional<Status> committed;
  start(transaction->commit(), &committed);
  cluster_.run_for(100ms);
  cluster_.network().unblock(2, 1);
  ASSERT_TRUE(cluster_.run_until(20s, [&] { return committed.has_value(); }));
  EXPECT_TRUE(committed->is(sql_state::kSerializationFailure)) << committed->to_string();
}

class MovingReplicasTest : public FiveNodesTest {
 protected:
  Status change(const ReplicaChange& change) {
    std::optional<Status> changed;
    cluster_.await_leaseholder("a")->node().host().change_replicas(
        ShardId(1), change, [&](const Result<ShardDescriptor>& result) { changed = result.status(); });
    cluster_.run_until(20s, [&] { return changed.has_value(); });
    return changed.value_or(Status(sql_state::kInternalError, "it does not end"));
  }
};

TEST_F(MovingReplicasTest, WaitsForNoNodeThatIsGone) {
  ASSERT_EQ(cluster_.transfer("a", NodeId(1)).to_string(), "OK");
  cluster_.node(4).crash();
  EXPECT_TRUE(change({.add = {NodeId(4)}, .remove = {NodeId(3)}}).is(sql_state::kQueryCanceled));
  EXPECT_EQ(change({.add = {NodeId(5)}, .remove = {NodeId(3), NodeId(4)}}).to_string(), "OK");
}

// What a node remembers of keys ends with its replica.
TEST_F(MovingReplicasTest, DoesNotServeWhatItKnewBefore) {
  ASSERT_EQ(cluster_.transfer("a", NodeId(1)).to_string(), "OK");
  ASSERT_EQ(write(1, "a", "old").to_string(), "OK");
  ASSERT_EQ(*cluster_.run(begin(1)->get("a")), "old");
  ASSERT_EQ(cluster_.transfer("a", NodeId(2)).to_string(), "OK");
  ASSERT_EQ(change({.add = {NodeId(4)}, .remove = {NodeId(1)}}).to_string(), "OK");
  cluster_.run_for(1s);
  ASSERT_EQ(write(2, "a", "new").to_string(), "OK");
  ASSERT_EQ(change({.add = {NodeId(1)}, .remove = {NodeId(4)}}).to_string(), "OK");
  ASSERT_EQ(cluster_.transfer("a", NodeId(1)).to_string(), "OK");
  EXPECT_EQ(*cluster_.run(begin(1)->get("a")), "new");
  EXPECT_EQ(*cluster_.run(begin(3)->get_latest("a")), "new");
}

// It has not applied what came with its first snapshot: that it does not know a commit says nothing.
TEST_F(MovingReplicasTest, DoesNotTakeACommitThatCameWithItsSnapshotForAborted) {
  ASSERT_EQ(cluster_.transfer("a", NodeId(1)).to_string(), "OK");
  cluster_.run_for(1s);
  const HlcTimestamp since{cluster_.node(4).clock().wall_ns(), 0};
  cluster_.run_for(1s);
  auto transaction = begin(1);
  ASSERT_EQ(lock_and_put(*transaction, "a", "new").to_string(), "OK");
  ASSERT_EQ(cluster_.run(transaction->commit()).to_string(), "OK");
  ASSERT_EQ(change({.add = {NodeId(4)}}).to_string(), "OK");
  ASSERT_EQ(cluster_.transfer("a", NodeId(4)).to_string(), "OK");
  ASSERT_EQ(cluster_.await_leaseholder("a"), &cluster_.node(4));
  const auto answer = cluster_.run(cluster_.node(4).node().leaseholder().outcome(
      {.shard = ShardId(1), .transaction = transaction->id(), .key = "a", .since = since}, world_));
  ASSERT_TRUE(answer.ok());
  EXPECT_NE(answer.reply.outcome, Outcome::kAborted);
}

class ClusterGuardsTest : public ClusterFaultsTest {
 protected:
  ClusterGuardsTest() {
    for (const auto& node : cluster_.nodes()) {
      node->store().watch("g");
      node->store().guard("g");
    }
    EXPECT_EQ(cluster_.transfer("g", NodeId(1)).to_string(), "OK");
    // Until guard leases of an earlier leaseholder cannot matter, and all nodes have theirs.
    cluster_.run_for(10s);
  }
};

TEST_F(ClusterGuardsTest, AGatewayThatDiesDoesNotKeepOthersFromSharing) {
  auto definer = begin(2);
  ASSERT_EQ(lock_and_put(*definer, "g1", "x").to_string(), "OK");
  EXPECT_EQ(cluster_.node(1).node().leaseholder().in_flight().excluders, 1U);
  cluster_.node(2).crash();
  cluster_.run_for(5s);
  EXPECT_EQ(cluster_.node(1).node().leaseholder().in_flight().excluders, 0U);
  EXPECT_NE(cluster_.node(3).store().guards().epoch(), 0U);
}

TEST_F(ClusterGuardsTest, ADeadlockOverGuardsAndLocksEndsWithOneVictim) {
  auto sharer = begin(2);
  ASSERT_TRUE(cluster_.run(sharer->lock("g1", LockStrength::kKeyShare, WaitPolicy::kBlock)).ok());
  auto definer = begin(3);
  ASSERT_EQ(lock_and_put(*definer, "g2", "x").to_string(), "OK");
  std::optional<Result<txn::LockOutcome>> sharer_end;
  std::optional<Result<txn::LockOutcome>> definer_end;
  start(definer->lock("g1", LockStrength::kUpdate, WaitPolicy::kBlock), &definer_end);
  start(sharer->lock("g2", LockStrength::kUpdate, WaitPolicy::kBlock), &sharer_end);
  ASSERT_TRUE(cluster_.run_until(5s, [&] { return definer_end.has_value() || sharer_end.has_value(); }));
  ASSERT_TRUE(definer_end.has_value());
  EXPECT_EQ(definer_end->status().code().view(), "40P01");
  definer.reset();
  ASSERT_TRUE(cluster_.run_until(5s, [&] { return sharer_end.has_value(); }));
  EXPECT_TRUE(sharer_end->ok());
}

TEST_F(ClusterGuardsTest, ADeadlockOfSomebodyWhoExcludesIsFound) {
  auto sharer = begin(1);
  ASSERT_TRUE(cluster_.run(sharer->lock("g1", LockStrength::kKeyShare, WaitPolicy::kBlock)).ok());
  // The younger one waits for the sharer on its node.
  auto definer = begin(2);
  std::optional<Result<txn::LockOutcome>> defined;
  start(definer->lock("g1", LockStrength::kUpdate, WaitPolicy::kBlock), &defined);
  cluster_.run_for(100ms);
  ASSERT_FALSE(defined.has_value());
  std::optional<Result<txn::LockOutcome>> raised;
  start(sharer->lock("g1", LockStrength::kUpdate, WaitPolicy::kBlock), &raised);
  ASSERT_TRUE(cluster_.run_until(10s, [&] { return defined.has_value(); }));
  EXPECT_EQ(defined->status().code().view(), "40P01");
  definer.reset();
  ASSERT_TRUE(cluster_.run_until(10s, [&] { return raised.has_value(); }));
  EXPECT_TRUE(raised->ok()) << raised->status().to_string();
}

TEST_F(ClusterGuardsTest, AnExclusionWhoseEndWasLostEndsAllTheSame) {
  auto definer = begin(2);
  ASSERT_EQ(lock_and_put(*definer, "g1", "x").to_string(), "OK");
  EXPECT_EQ(cluster_.node(3).store().guards().owner_count(), 1U);
  block(2, 3);
  definer.reset();
  cluster_.run_for(400ms);
  unblock(2, 3);
  cluster_.run_for(6s);
  EXPECT_EQ(cluster_.node(3).store().guards().owner_count(), 0U);
}

TEST_F(ClusterGuardsTest, ACommitWhoseExclusionsMayBeGoneIsRefused) {
  auto definer = begin(2);
  ASSERT_EQ(lock_and_put(*definer, "g1", "x").to_string(), "OK");
  block(2, 3);
  cluster_.run_for(4s);
  unblock(2, 3);
  cluster_.run_for(2s);
  EXPECT_EQ(cluster_.run(definer->commit()).code().view(), "40001");
}

TEST_F(ClusterGuardsTest, ANodeThatMissedTheNoticeOfAChangeHearsOfItSoon) {
  int refreshed = 0;
  const auto refresh = [&](runtime::Executor&) -> Task<Status> {
    ++refreshed;
    co_return Status();
  };
  cluster_.node(3).store().on_watched_change(refresh);
  block(2, 3);
  ASSERT_EQ(write(2, "g1", "x").to_string(), "OK");
  unblock(2, 3);
  cluster_.run_for(2s);
  EXPECT_GE(refreshed, 1);
}

TEST_F(ClusterGuardsTest, WhatIsSaidToANodeThatIsCutOffIsHeardOnceAndInOrderWhenItIsBack) {
  std::vector<Bytes> heard;
  cluster_.node(3).store().channels().on_messages([&](std::vector<ChannelMessage> messages) {
    for (ChannelMessage& message : messages) {
      heard.push_back(std::move(message.payload));
    }
  });
  std::vector<Bytes> said;
  for (int i = 0; i < 60; ++i) {
    if (i == 20) {
      block(2, 3);
    } else if (i == 40) {
      unblock(2, 3);
    }
    said.push_back(fmt::format("{}", i));
    cluster_.node(2).store().channels().say({{.process_id = 1, .channel = "c", .payload = said.back()}});
    cluster_.run_for(200ms);
  }
  cluster_.run_for(2s);
  EXPECT_EQ(heard, said);
  // For longer than it is kept.
  block(2, 3);
  cluster_.node(2).store().channels().say({{.process_id = 1, .channel = "c", .payload = "too old"}});
  cluster_.run_for(60s);
  unblock(2, 3);
  cluster_.run_for(10s);
  EXPECT_EQ(heard, said);
}

// Between two prepares of a serializable transaction nobody may change what it has read: another could see that change
// and not yet the transaction, and be over before it commits.
TEST_F(ClusterFaultsTest, WhatAPreparedTransactionHasReadDoesNotChangeBeforeItCommits) {
  make_two_shards();
  ASSERT_EQ(write(1, "a", "old").to_string(), "OK");
  ASSERT_EQ(write(1, "x", "old").to_string(), "OK");
  auto slow = begin(3, Isolation::kSerializable);
  ASSERT_EQ(*cluster_.run(slow->get("x")), "old");
  ASSERT_EQ(lock_and_put(*slow, "a", "new").to_string(), "OK");
  cluster_.network().clog(3, 1, world_.now_ns() + 300'000'000);
  std::optional<Status> slow_end;
  start(slow->commit(), &slow_end);
  cluster_.run_for(50ms);
  std::optional<Status> writer_end;
  auto writer = begin(2);
  ASSERT_EQ(lock_and_put(*writer, "x", "new").to_string(), "OK");
  start(writer->commit(), &writer_end);
  cluster_.run_for(50ms);
  auto reader = begin(2, Isolation::kSerializable);
  std::optional<Result<std::optional<Bytes>>> a;
  std::optional<Result<std::optional<Bytes>>> x;
  start(reader->get("x"), &x);
  cluster_.run_until(5s, [&] { return x.has_value(); });
  start(reader->get("a"), &a);
  cluster_.run_until(5s, [&] { return a.has_value(); });
  Status reader_end = lock_and_put(*reader, "z", "1");
  if (reader_end.ok()) {
    reader_end = cluster_.run(reader->commit());
  }
  ASSERT_TRUE(cluster_.run_until(10s, [&] { return slow_end.has_value() && writer_end.has_value(); }));
  EXPECT_EQ(writer_end->to_string(), "OK");
  ASSERT_TRUE(a->ok() && x->ok());
  const bool between = **a == "old" && **x == "new";
  EXPECT_FALSE(slow_end->ok() && reader_end.ok() && between) << "slow before writer before reader before slow";
}

// Node 1 leads all three shards. A commit in the first is stuck, for its followers cannot be reached; the others', on
// other nodes, can. The moment that the first chooses for a statement is not before what this node has acknowledged, so
// that nothing is uncertain in the others: the statement would start over, at the same moment, again and again.
class ClusterStuckCommitTest : public ClusterFaultsTest {
 protected:
  ClusterStuckCommitTest() : ClusterFaultsTest({.nodes = 5}) {
    for (const auto& [key, shard] : {std::pair<Bytes, ShardId>{"m", ShardId(2)}, {"t", ShardId(3)}}) {
      PANDO_ASSERT(cluster_.split(ShardId(shard.number() - 1), key, shard).ok(), "a shard is split");
      PANDO_ASSERT(cluster_.transfer(key, NodeId(1)).ok(), "a lease is transferred");
      std::optional<bool> moved;
      cluster_.node(1).node().host().change_replicas(
          shard, {.add = {NodeId(4), NodeId(5)}, .remove = {NodeId(2), NodeId(3)}},
          [&moved](const Result<ShardDescriptor>& result) { moved = result.ok(); });
      PANDO_ASSERT(cluster_.run_until(30s, [&] { return moved.has_value(); }) && *moved, "replicas are moved");
    }
    PANDO_ASSERT(cluster_.transfer("a", NodeId(1)).ok(), "a lease is transferred");
    cluster_.run_for(1s);
  }
  void get_stuck() {
    for (const uint32_t follower : {2U, 3U}) {
      block(1, follower);
    }
    stuck_ = begin(1);
    ASSERT_EQ(lock_and_put(*stuck_, "b", "2").to_string(), "OK");
    start(stuck_->commit(), &stuck_end_);
    cluster_.run_for(1ms);
    ASSERT_EQ(cluster_.node(1).node().leaseholder().in_flight().pending_writes, 1U);
  }
  std::string read_both(uint32_t gateway) {
    auto reader = begin(gateway);
    for (const Bytes& key : {Bytes("a"), Bytes("n")}) {
      const auto value = cluster_.run(reader->get(key));
      if (!value.ok() || key == "n") {
        return value.ok() ? value->value_or("-") : value.status().to_string();
      }
    }
    return {};
  }

  std::unique_ptr<txn::Transaction> stuck_;
  std::optional<Status> stuck_end_;
};

TEST_F(ClusterStuckCommitTest, WhatWasCommittedOverSeveralShardsIsNotUncertain) {
  get_stuck();
  auto writer = begin(1);
  ASSERT_EQ(lock_and_put(*writer, "n", "2").to_string(), "OK");
  ASSERT_EQ(lock_and_put(*writer, "x", "2").to_string(), "OK");
  ASSERT_EQ(cluster_.run(writer->commit()).to_string(), "OK");
  cluster_.run_for(20ms);
  EXPECT_EQ(read_both(1), "2");
}

TEST_F(ClusterStuckCommitTest, WhatAnEarlierLeaseholderCommittedIsNotUncertain) {
  ASSERT_EQ(cluster_.transfer("n", NodeId(4)).to_string(), "OK");
  cluster_.run_for(200ms);
  get_stuck();
  ASSERT_EQ(write(5, "n", "2").to_string(), "OK");
  ASSERT_EQ(cluster_.transfer("n", NodeId(1)).to_string(), "OK");
  ASSERT_TRUE(cluster_.run_until(100ms, [&] { return cluster_.node(1).node().leaseholder().leads(ShardId(2)); }));
  EXPECT_EQ(read_both(1), "2");
}

}  // namespace
}  // namespace pando::kv
