// Commits of more than one part for a shard: each part is a participant.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "test/cluster_store/two_shards.h"
#include "txn/conflict_errors.h"

namespace pando::kv {
namespace {

using namespace std::chrono_literals;
using test::ClusterOptions;
using txn::LockStrength;
using txn::WaitPolicy;

constexpr int kKeys = 60;

class LongCommitsTest : public test::TwoShardsTest {
 protected:
  LongCommitsTest() : TwoShardsTest(options()) {}
  static ClusterOptions options() {
    ClusterOptions options;
    // Three keys.
    options.node.store.part_bytes_max = 16;
    options.node.store.recover_after = 300ms;
    return options;
  }
  // Keys under each prefix.
  std::unique_ptr<txn::Transaction> write(uint32_t gateway, const std::vector<Bytes>& prefixes, const Bytes& value,
                                          bool locks = true) {
    auto transaction = begin(gateway);
    for (const Bytes& prefix : prefixes) {
      for (int i = 0; i < kKeys; ++i) {
        const Bytes key = fmt::format("{}{:04}", prefix, i);
        if (locks) {
          EXPECT_TRUE(cluster_.run(transaction->lock(key, LockStrength::kUpdate, WaitPolicy::kBlock)).ok());
        }
        EXPECT_TRUE(transaction->put(key, value).ok());
      }
    }
    return transaction;
  }
  template <typename T>
  static Task<void> keep(Task<T> task, std::optional<T>* outcome) {
    outcome->emplace(co_await std::move(task));
  }
  template <typename T>
  void start(Task<T> task, std::optional<T>* outcome) {
    runtime::spawn(world_, keep(std::move(task), outcome));
  }
  Result<int> try_count(txn::Transaction& reader, const std::vector<Bytes>& prefixes, const Bytes& value) {
    int found = 0;
    for (const Bytes& prefix : prefixes) {
      for (int i = 0; i < kKeys; ++i) {
        PANDO_ASSIGN(const auto read, cluster_.run(reader.get(fmt::format("{}{:04}", prefix, i))));
        found += read == value ? 1 : 0;
      }
    }
    return found;
  }
  // How many keys under each prefix have the value.
  int count(uint32_t gateway, const std::vector<Bytes>& prefixes, const Bytes& value) {
    auto reader = begin(gateway);
    while (true) {
      const auto found = try_count(*reader, prefixes, value);
      if (found.ok()) {
        return *found;
      }
      EXPECT_TRUE(found.status().is(txn::kRestartStatement)) << found.status().to_string();
      reader->begin_statement();
    }
  }
  std::size_t prepared() {
    std::size_t count = 0;
    for (uint32_t node = 1; node <= 3; ++node) {
      count += cluster_.node(node).running() ? cluster_.node(node).node().leaseholder().in_flight().prepared : 0;
    }
    return count;
  }
};

TEST_F(LongCommitsTest, OneShardTakesSeveralParts) {
  ASSERT_EQ(cluster_.run(write(1, {"a"}, "v")->commit()).to_string(), "OK");
  EXPECT_GT(prepared(), 5U);
  EXPECT_EQ(count(3, {"a"}, "v"), kKeys);
  cluster_.run_for(1s);
  EXPECT_EQ(prepared(), 0U);
}

// What memory takes is more than what is sent.
TEST_F(LongCommitsTest, OnePartMayBeEnough) {
  auto writer = begin(1);
  ASSERT_TRUE(writer->put("a", "v").ok());
  EXPECT_EQ(cluster_.run(writer->commit()).to_string(), "OK");
  EXPECT_EQ(*cluster_.run(begin(2)->get("a")), "v");
}

TEST_F(LongCommitsTest, SoDoSeveral) {
  ASSERT_EQ(cluster_.run(write(3, {"a", "x"}, "v")->commit()).to_string(), "OK");
  EXPECT_EQ(count(1, {"a", "x"}, "v"), 2 * kKeys);
}

TEST_F(LongCommitsTest, AReaderSeesAllOfItOrNothing) {
  ASSERT_EQ(cluster_.run(write(1, {"a", "x"}, "old")->commit()).to_string(), "OK");
  cluster_.run_for(1s);
  auto writer = write(1, {"a", "x"}, "new");
  std::optional<Status> committed;
  start(writer->commit(), &committed);
  while (!committed.has_value()) {
    const int seen = count(2, {"a", "x"}, "new");
    EXPECT_TRUE(seen == 0 || seen == 2 * kKeys) << seen;
    cluster_.run_for(1ms);
  }
  EXPECT_EQ(count(2, {"a", "x"}, "new"), 2 * kKeys);
}

TEST_F(LongCommitsTest, OnePartThatIsRefusedUndoesAll) {
  auto writer = write(3, {"a", "x"}, "v");
  std::optional<Status> committed;
  start(writer->commit(), &committed);
  ASSERT_TRUE(cluster_.run_until(5s, [&] { return prepared() > 2; }));
  // The locks are lost with the lease.
  EXPECT_EQ(cluster_.transfer("x", NodeId(1)).to_string(), "OK");
  ASSERT_TRUE(cluster_.run_until(20s, [&] { return committed.has_value(); }));
  EXPECT_EQ(committed->code().view(), "40001");
  cluster_.run_for(2s);
  EXPECT_EQ(count(1, {"a", "x"}, "v"), 0);
  EXPECT_EQ(prepared(), 0U);
}

TEST_F(LongCommitsTest, IsNotTakenForAbandonedWhileItsGatewayIsAtIt) {
  cluster_.network().set_options({.delay_min_ns = 40'000'000});
  auto writer = write(3, {"a", "x"}, "v", /*locks=*/false);
  const uint64_t began_ns = world_.now_ns();
  const auto committed = cluster_.run(writer->commit());
  EXPECT_EQ(committed.to_string(), "OK");
  EXPECT_GT(world_.now_ns() - began_ns, 600'000'000U) << "it was to take longer than what is abandoned may";
}

TEST_F(LongCommitsTest, IsUndoneWhenItsGatewayIsLost) {
  auto writer = write(3, {"a", "x"}, "v");
  std::optional<Status> committed;
  start(writer->commit(), &committed);
  ASSERT_TRUE(cluster_.run_until(5s, [&] { return prepared() > 3; }));
  ASSERT_FALSE(committed.has_value());
  cluster_.node(3).crash();
  cluster_.run_for(10s);
  EXPECT_EQ(prepared(), 0U);
  EXPECT_EQ(count(1, {"a", "x"}, "v"), 0);
}

TEST_F(LongCommitsTest, IsCommittedWhenItsGatewayIsLostAfterwards) {
  auto writer = write(3, {"a", "x"}, "v");
  ASSERT_EQ(cluster_.run(writer->commit()).to_string(), "OK");
  cluster_.node(3).crash();
  cluster_.run_for(10s);
  EXPECT_EQ(prepared(), 0U);
  EXPECT_EQ(count(1, {"a", "x"}, "v"), 2 * kKeys);
}

TEST_F(LongCommitsTest, SurvivesALeaseThatMovesWhenItHasNoLocks) {
  auto writer = write(3, {"a"}, "v", /*locks=*/false);
  std::optional<Status> committed;
  start(writer->commit(), &committed);
  ASSERT_TRUE(cluster_.run_until(5s, [&] { return prepared() > 2; }));
  EXPECT_EQ(cluster_.transfer("a", NodeId(2)).to_string(), "OK");
  ASSERT_TRUE(cluster_.run_until(20s, [&] { return committed.has_value(); }));
  EXPECT_EQ(committed->to_string(), "OK");
  EXPECT_EQ(count(1, {"a"}, "v"), kKeys);
}

TEST_F(LongCommitsTest, ASplitWaitsForAllOfIt) {
  auto writer = write(3, {"a"}, "v");
  std::optional<Status> committed;
  start(writer->commit(), &committed);
  ASSERT_TRUE(cluster_.run_until(5s, [&] { return prepared() > 2; }));
  auto& leaseholder = cluster_.node(1).node().leaseholder();
  EXPECT_TRUE(cluster_.run(leaseholder.split({.shard = ShardId(1), .key = "a0030", .right = ShardId(7)}, world_)).ok());
  ASSERT_TRUE(committed.has_value());
  EXPECT_EQ(committed->to_string(), "OK");
  EXPECT_EQ(count(1, {"a"}, "v"), kKeys);
}

TEST_F(LongCommitsTest, ReplicasAgreeAfterARestart) {
  ASSERT_EQ(cluster_.run(write(1, {"a", "x"}, "v")->commit()).to_string(), "OK");
  for (uint32_t node = 1; node <= 3; ++node) {
    cluster_.node(node).crash();
  }
  for (uint32_t node = 1; node <= 3; ++node) {
    cluster_.node(node).start();
  }
  cluster_.run_for(10s);
  EXPECT_EQ(count(2, {"a", "x"}, "v"), 2 * kKeys);
  EXPECT_EQ(prepared(), 0U);
}

TEST_F(LongCommitsTest, ARowMayNotBeLargerThanAMessage) {
  auto writer = begin(1);
  EXPECT_EQ(writer->put("a", Bytes(61_MiB, 'x')).to_string(), "54000: row is too large");
  EXPECT_EQ(writer->put("a", Bytes(1_MiB, 'x')).to_string(), "OK");
}

}  // namespace
}  // namespace pando::kv
