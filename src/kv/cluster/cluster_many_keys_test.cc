// Many keys at once: reads, and locks of keys that are about to be inserted.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "test/cluster_store/two_shards.h"

namespace pando::kv {
namespace {

using namespace std::chrono_literals;
using txn::LockStrength;
using txn::WaitPolicy;

class ManyKeysTest : public test::TwoShardsTest {
 protected:
  void SetUp() override {
    TwoShardsTest::SetUp();
    ASSERT_EQ(insert(1, {"a0"}), "OK");
  }
  // Which of the keys have a value, as "10".
  Task<std::string> lock_all(txn::Transaction* transaction, std::vector<Bytes> keys) {
    std::vector<uint8_t> taken;
    const Status status = co_await transaction->lock_for_insert(keys, taken);
    std::string text;
    for (const uint8_t each : taken) {
      text += each != 0 ? '1' : '0';
    }
    co_return status.ok() ? text : std::string(status.code().view());
  }
  std::string lock(txn::Transaction& transaction, std::vector<Bytes> keys) {
    return cluster_.run(lock_all(&transaction, std::move(keys)));
  }
  std::string try_lock(txn::Transaction& transaction, const Bytes& key) {
    const auto outcome = cluster_.run(transaction.lock(key, LockStrength::kNoKeyUpdate, WaitPolicy::kNoWait));
    return outcome.ok() ? "OK" : std::string(outcome.status().code().view());
  }
  // "position=value" of those that have one.
  Task<std::string> get_all(txn::Transaction* transaction, std::vector<Bytes> keys) {
    txn::KeyValueBatch found;
    std::vector<uint32_t> positions;
    const Status status = co_await transaction->get_many(keys, found, positions);
    std::string text;
    for (std::size_t i = 0; i < found.size(); ++i) {
      EXPECT_EQ(found.key(i), keys.at(positions.at(i)));
      text += fmt::format("{}={} ", positions[i], found.value(i));
    }
    co_return status.ok() ? text : std::string(status.code().view());
  }
  std::string get(txn::Transaction& transaction, std::vector<Bytes> keys) {
    return cluster_.run(get_all(&transaction, std::move(keys)));
  }
  Task<std::string> insert_all(uint32_t gateway, std::vector<Bytes> keys) {
    const auto transaction = begin(gateway);
    co_await lock_all(transaction.get(), keys);
    for (const Bytes& key : keys) {
      transaction->put(key, "v").ignore("the commit tells");
    }
    co_return (co_await transaction->commit()).to_string();
  }
  std::string insert(uint32_t gateway, std::vector<Bytes> keys) {
    return cluster_.run(insert_all(gateway, std::move(keys)));
  }
};

std::vector<Bytes> many_keys(int count) {
  std::vector<Bytes> keys;
  for (int i = 0; i < count; ++i) {
    keys.push_back(fmt::format("{}{:04}", i % 2 == 0 ? 'a' : 'x', i));
  }
  return keys;
}

TEST_F(ManyKeysTest, AreReadWithOneRequestToEachLeaseholder) {
  ASSERT_EQ(insert(1, many_keys(600)), "OK");
  const auto transaction = begin(3);
  // Chooses the moment.
  ASSERT_EQ(get(*transaction, {"a0000"}), "0=v ");
  const uint64_t began_ns = world_.now_ns();
  std::string all;
  for (int i = 0; i < 600; ++i) {
    all += fmt::format("{}=v ", i);
  }
  EXPECT_EQ(get(*transaction, many_keys(600)), all);
  EXPECT_LT(world_.now_ns() - began_ns, uint64_t{20'000'000});
}

TEST_F(ManyKeysTest, AreReadInOneSnapshotBeneathWhatTheTransactionWrote) {
  ASSERT_EQ(insert(1, {"b", "c", "y"}), "OK");
  const auto transaction = begin(3);
  EXPECT_EQ(get(*transaction, {"z", "y", "b", "b", "d"}), "1=v 2=v 3=v ");
  // What is committed sooner may have been before it, by the clocks.
  cluster_.run_for(1s);
  ASSERT_EQ(insert(2, {"d", "z"}), "OK");
  EXPECT_EQ(get(*transaction, {"z", "y", "d"}), "1=v ");
  ASSERT_EQ(lock(*transaction, {"b", "e"}), "10");
  ASSERT_TRUE(transaction->erase("b").ok());
  ASSERT_TRUE(transaction->put("e", "own").ok());
  EXPECT_EQ(get(*transaction, {"e", "b"}), "1=v ");
  transaction->begin_statement();
  EXPECT_EQ(get(*transaction, {"z", "e", "c", "b"}), "0=v 1=own 2=v ");
  EXPECT_EQ(get(*transaction, {}), "");
}

TEST_F(ManyKeysTest, ReadingThemFollowsAShardThatIsSplitAndMoved) {
  ASSERT_EQ(insert(3, many_keys(600)), "OK");
  const auto transaction = begin(3);
  const std::string before = get(*transaction, many_keys(600));
  ASSERT_EQ(cluster_.split(ShardId(1), "a0300", ShardId(3)).to_string(), "OK");
  ASSERT_EQ(cluster_.transfer("b", NodeId(2)).to_string(), "OK");
  const auto next = begin(3);
  EXPECT_EQ(get(*next, many_keys(600)), before);
}

TEST_F(ManyKeysTest, ALeaseholderIsAskedOnceForManyLocks) {
  const auto transaction = begin(3);
  const uint64_t began_ns = world_.now_ns();
  EXPECT_EQ(lock(*transaction, many_keys(600)), std::string(600, '0'));
  // A request for each key would take 600 times 0.4 ms at the least.
  EXPECT_LT(world_.now_ns() - began_ns, uint64_t{20'000'000});
  for (const Bytes& key : many_keys(600)) {
    ASSERT_TRUE(transaction->put(key, "v").ok());
  }
  EXPECT_EQ(cluster_.run(transaction->commit()).to_string(), "OK");
  const auto next = begin(1);
  EXPECT_EQ(lock(*next, {"a0000", "a0001", "x0001", "x0599"}), "1011");
}

TEST_F(ManyKeysTest, WhatIsTakenCountsOwnWritesAndNotWhatWasErased) {
  ASSERT_EQ(insert(1, {"b", "c", "y"}), "OK");
  const auto eraser = begin(2);
  ASSERT_TRUE(cluster_.run(eraser->lock("c", LockStrength::kUpdate, WaitPolicy::kBlock)).ok());
  ASSERT_TRUE(eraser->erase("c").ok());
  ASSERT_EQ(cluster_.run(eraser->commit()).to_string(), "OK");
  const auto transaction = begin(3);
  EXPECT_EQ(lock(*transaction, {"z", "y", "c", "b", "d", "b"}), "010101");
  ASSERT_TRUE(transaction->erase("b").ok());
  ASSERT_TRUE(transaction->put("d", "v").ok());
  EXPECT_EQ(lock(*transaction, {"y", "b", "d", "e"}), "1010");
}

TEST_F(ManyKeysTest, WaitsForWhoeverHasOneOfTheKeysAndSeesWhatItLeft) {
  const auto holder = begin(1);
  ASSERT_TRUE(cluster_.run(holder->lock("a0002", LockStrength::kUpdate, WaitPolicy::kBlock)).ok());
  ASSERT_TRUE(holder->put("a0002", "first").ok());
  const auto transaction = begin(3);
  std::optional<std::string> taken;
  const auto waiter = [&]() -> Task<void> { taken = co_await lock_all(transaction.get(), many_keys(6)); };
  runtime::spawn(world_, waiter());
  cluster_.run_for(1s);
  EXPECT_FALSE(taken.has_value());
  EXPECT_EQ(cluster_.run(holder->commit()).to_string(), "OK");
  cluster_.run_until(5s, [&] { return taken.has_value(); });
  EXPECT_EQ(taken, "001000");
}

TEST_F(ManyKeysTest, AreTakenAheadWhereNobodyHasThem) {
  const auto holder = begin(1);
  ASSERT_TRUE(cluster_.run(holder->lock("a2", LockStrength::kUpdate, WaitPolicy::kBlock)).ok());
  const auto transaction = begin(3);
  const std::vector<Bytes> keys{"x1", "a4", "a2", "a1", "x2"};
  const uint64_t began_ns = world_.now_ns();
  ASSERT_EQ(cluster_.run(transaction->lock_ahead(keys, LockStrength::kNoKeyUpdate)).to_string(), "OK");
  EXPECT_LT(world_.now_ns() - began_ns, uint64_t{5'000'000}) << "both leaseholders are asked at once";
  for (const uint32_t leaseholder : {1U, 2U}) {
    cluster_.network().block(3, leaseholder);
  }
  for (const Bytes& key : {Bytes("a1"), Bytes("x1"), Bytes("x2")}) {
    EXPECT_EQ(try_lock(*transaction, key), "OK") << "nobody is asked for what is held: " << key;
  }
  for (const uint32_t leaseholder : {1U, 2U}) {
    cluster_.network().unblock(3, leaseholder);
  }
  EXPECT_EQ(try_lock(*transaction, "a2"), "55P03");
  EXPECT_EQ(try_lock(*holder, "x2"), "55P03");
  // Behind the one that was not to be had.
  EXPECT_EQ(try_lock(*holder, "a4"), "OK");
}

TEST_F(ManyKeysTest, AWeakerLockIsAskedForAgain) {
  const auto transaction = begin(3);
  const auto other = begin(2);
  ASSERT_TRUE(cluster_.run(transaction->lock("x1", LockStrength::kKeyShare, WaitPolicy::kNoWait)).ok());
  ASSERT_TRUE(cluster_.run(other->lock("x1", LockStrength::kNoKeyUpdate, WaitPolicy::kNoWait)).ok());
  ASSERT_TRUE(other->put("x1", "v").ok());
  EXPECT_EQ(try_lock(*transaction, "x1"), "55P03");
  ASSERT_EQ(cluster_.run(other->commit()).to_string(), "OK");
  transaction->begin_statement();
  ASSERT_TRUE(cluster_.run(transaction->lock("x1", LockStrength::kKeyShare, WaitPolicy::kNoWait)).ok());
  EXPECT_EQ(cluster_.run(transaction->get_latest("x1")).value(), "v");
  EXPECT_EQ(try_lock(*transaction, "x1"), "OK");
}

TEST_F(ManyKeysTest, ASavepointAndTheEndFreeThem) {
  const auto transaction = begin(3);
  ASSERT_EQ(lock(*transaction, {"a", "x"}), "00");
  const auto savepoint = transaction->savepoint();
  ASSERT_EQ(lock(*transaction, {"a", "b", "c", "x", "y"}), "00000");
  transaction->rollback_to(savepoint);
  cluster_.run_for(1s);
  const auto other = begin(1);
  EXPECT_EQ(lock(*other, {"b", "c", "y"}), "000");
  EXPECT_EQ(cluster_.run(other->lock("x", LockStrength::kUpdate, WaitPolicy::kNoWait)).status().code().view(), "55P03");
  runtime::spawn(world_, transaction->rollback());
  runtime::spawn(world_, other->rollback());
  cluster_.run_for(1s);
  for (uint32_t node = 1; node <= 3; ++node) {
    EXPECT_EQ(cluster_.node(node).node().leaseholder().in_flight().locked_keys, 0u) << node;
  }
}

TEST_F(ManyKeysTest, AreNotTrustedOnceTheirLeaseholderIsLost) {
  const auto transaction = begin(3);
  ASSERT_EQ(lock(*transaction, {"a", "x", "y"}), "000");
  ASSERT_TRUE(transaction->put("y", "lost").ok());
  cluster_.node(2).crash();
  ASSERT_EQ(insert(1, {"y"}), "OK");
  EXPECT_EQ(cluster_.run(transaction->commit()).code().view(), "40001");
}

TEST_F(ManyKeysTest, TakesUpTheKeysOfAShardThatWasSplitMeanwhile) {
  const auto before = begin(3);
  ASSERT_EQ(lock(*before, {"b", "c"}), "00");
  runtime::spawn(world_, before->rollback());
  ASSERT_EQ(cluster_.split(ShardId(1), "a0300", ShardId(3)).to_string(), "OK");
  ASSERT_EQ(cluster_.transfer("b", NodeId(2)).to_string(), "OK");
  EXPECT_EQ(insert(3, many_keys(600)), "OK");
  const auto next = begin(1);
  EXPECT_EQ(lock(*next, {"a0298", "a0300", "x0301"}), "111");
}

}  // namespace
}  // namespace pando::kv
