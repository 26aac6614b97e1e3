// Stories of scans over many shards.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "kv/cluster/cluster_store.h"
#include "test/cluster_store/simulated_cluster.h"

namespace pando::kv {
namespace {

using namespace std::chrono_literals;
using test::SimulatedCluster;
using txn::Isolation;
using txn::LockStrength;
using txn::WaitPolicy;

class ClusterScanTest : public testing::Test {
 protected:
  static constexpr int kShards = 8;
  static constexpr int kRows = 2'000;

  static Bytes key_of(int row) { return fmt::format("k{:05}", row); }

  // The rows lie in kShards shards, which the nodes lead in turn.
  void SetUp() override {
    cluster_.found();
    ASSERT_EQ(cluster_.run(write(1, 0, kRows, "v")).to_string(), "OK");
    for (int shard = 1; shard < kShards; ++shard) {
      ASSERT_EQ(cluster_.split(ShardId(shard), boundary(shard), ShardId(shard + 1)).to_string(), "OK");
    }
    for (int shard = 0; shard < kShards; ++shard) {
      ASSERT_EQ(cluster_.transfer(boundary(shard), leader(shard)).to_string(), "OK");
    }
  }
  static Bytes boundary(int shard) { return key_of(shard * kRows / kShards); }
  static NodeId leader(int shard) { return NodeId(static_cast<uint32_t>(shard % 3 + 1)); }

  std::unique_ptr<txn::Transaction> begin(uint32_t gateway, Isolation isolation = Isolation::kReadCommitted,
                                          runtime::Cancellation* cancellation = nullptr) {
    auto transaction = cluster_.node(gateway).store().begin(
        {.isolation = isolation, .executor = &world_, .cancellation = cancellation});
    transaction->begin_statement();
    return transaction;
  }
  // Every `step`th row from `from` on.
  Task<Status> write(uint32_t gateway, int from, int to, Bytes value, int step = 1) {
    auto transaction = begin(gateway);
    for (int row = from; row < to; row += step) {
      PANDO_CO_TRY((co_await transaction->lock(key_of(row), LockStrength::kUpdate, WaitPolicy::kBlock)).status());
      PANDO_CO_TRY(transaction->put(key_of(row), value));
    }
    co_return co_await transaction->commit();
  }
  // Adds what is left of `cursor` to `found`, as it comes.
  static Task<Status> read(txn::Cursor& cursor, std::vector<std::pair<Bytes, Bytes>>& found,
                           std::size_t entries_max = SIZE_MAX) {
    txn::KeyValueBatch batch;
    while (found.size() < entries_max) {
      PANDO_CO_TRY(co_await cursor.next(batch, 128));
      if (batch.size() == 0) {
        break;
      }
      for (std::size_t i = 0; i < batch.size(); ++i) {
        found.emplace_back(batch.key(i), batch.value(i));
      }
    }
    co_return Status();
  }
  static void expect_all(std::vector<std::pair<Bytes, Bytes>> found, ByteView value, bool reverse = false) {
    if (reverse) {
      std::ranges::reverse(found);
    }
    ASSERT_EQ(found.size(), kRows);
    for (int row = 0; row < kRows; ++row) {
      ASSERT_EQ(found[row].first, key_of(row));
      ASSERT_EQ(found[row].second, value);
    }
  }

  sim::World world_{1};
  SimulatedCluster cluster_{world_, {}};
};

TEST_F(ClusterScanTest, EveryGatewayFindsAllRowsInOrder) {
  for (uint32_t gateway = 1; gateway <= 3; ++gateway) {
    for (const bool reverse : {false, true}) {
      auto transaction = begin(gateway);
      const auto cursor = transaction->scan({"k", "l"}, {.reverse = reverse});
      std::vector<std::pair<Bytes, Bytes>> found;
      ASSERT_EQ(cluster_.run(read(*cursor, found)).to_string(), "OK");
      expect_all(std::move(found), "v", reverse);
    }
  }
}

TEST_F(ClusterScanTest, ShardsAreReadAtTheSameTime) {
  cluster_.network().set_options({.delay_min_ns = 50'000'000, .delay_mean_ns = 1});
  auto transaction = begin(1);
  const auto cursor = transaction->scan({"k", "l"}, {});
  std::vector<std::pair<Bytes, Bytes>> found;
  const uint64_t start_ns = world_.now_ns();
  ASSERT_EQ(cluster_.run(read(*cursor, found)).to_string(), "OK");
  expect_all(std::move(found), "v");
  // Five shards are led elsewhere: one after the other they would take ten times the delay, and more with their pages.
  EXPECT_LT(world_.now_ns() - start_ns, 450'000'000U);
}

TEST_F(ClusterScanTest, AScanOfFewRowsAsksNobodyElse) {
  auto transaction = begin(1);
  const auto cursor = transaction->scan({boundary(1), {}}, {.limit_hint = 3});
  txn::KeyValueBatch batch;
  ASSERT_EQ(cluster_.run(cursor->next(batch, 3)).to_string(), "OK");
  EXPECT_EQ(batch.size(), 3U);
  EXPECT_EQ(cluster_.node(1).store().background_count(), 0U);
}

TEST_F(ClusterScanTest, OwnWritesAreSeenInTheirPlaces) {
  auto transaction = begin(2);
  const auto run = [&]() -> Task<Status> {
    for (int row = 0; row < kRows; row += 100) {
      for (const Bytes& key : {key_of(row), key_of(row) + "+"}) {
        PANDO_CO_TRY((co_await transaction->lock(key, LockStrength::kUpdate, WaitPolicy::kBlock)).status());
      }
      PANDO_CO_TRY(transaction->erase(key_of(row)));
      PANDO_CO_TRY(transaction->put(key_of(row) + "+", "own"));
    }
    transaction->begin_statement();
    std::vector<std::pair<Bytes, Bytes>> found;
    const auto cursor = transaction->scan({"k", "l"}, {});
    PANDO_CO_TRY(co_await read(*cursor, found));
    EXPECT_EQ(found.size(), kRows);
    EXPECT_TRUE(std::ranges::is_sorted(found));
    for (int row = 0; row < static_cast<int>(found.size()); ++row) {
      const bool own = row % 100 == 0;
      EXPECT_EQ(found[row].first, own ? key_of(row) + "+" : key_of(row));
      EXPECT_EQ(found[row].second, own ? "own" : "v");
    }
    co_return Status();
  };
  EXPECT_EQ(cluster_.run(run()).to_string(), "OK");
}

// A portal is read while the transaction's other statements begin, each with a moment of its own.
TEST_F(ClusterScanTest, ACursorStaysAtTheMomentOfItsStatement) {
  for (uint32_t gateway = 1; gateway <= 3; ++gateway) {
    ASSERT_EQ(cluster_.run(write(1, 0, kRows, "before")).to_string(), "OK");
    auto transaction = begin(gateway);
    const auto cursor = transaction->scan({"k", "l"}, {});
    std::vector<std::pair<Bytes, Bytes>> found;
    ASSERT_EQ(cluster_.run(read(*cursor, found, 1)).to_string(), "OK");
    ASSERT_EQ(cluster_.run(write(2, 0, kRows, "after", 7)).to_string(), "OK");
    transaction->begin_statement();
    ASSERT_EQ(cluster_.run(transaction->get(key_of(7)))->value(), "after");
    ASSERT_EQ(cluster_.run(read(*cursor, found)).to_string(), "OK");
    expect_all(std::move(found), "before");
  }
}

TEST_F(ClusterScanTest, ShardsSplitAndLeasesMoveUnderAScan) {
  for (const bool reverse : {false, true}) {
    const int first_new = kShards + 1 + (reverse ? 2 : 0);
    auto transaction = begin(1);
    const auto cursor = transaction->scan({"k", "l"}, {.reverse = reverse});
    std::vector<std::pair<Bytes, Bytes>> found;
    ASSERT_EQ(cluster_.run(read(*cursor, found, 1)).to_string(), "OK");
    for (int i = 0; i < 2; ++i) {
      const int shard = 3 + i;
      const Bytes middle = key_of((2 * shard + 1) * kRows / kShards / 2 + (reverse ? 10 : 0));
      const ShardId left(reverse ? kShards + 1 + i : shard + 1);
      ASSERT_EQ(cluster_.split(left, middle, ShardId(first_new + i)).to_string(), "OK");
      ASSERT_EQ(cluster_.transfer(middle, NodeId(static_cast<uint32_t>(i + 1))).to_string(), "OK");
      ASSERT_EQ(cluster_.transfer(boundary(7 - i), NodeId(static_cast<uint32_t>(3 - i))).to_string(), "OK");
    }
    ASSERT_EQ(cluster_.run(read(*cursor, found)).to_string(), "OK");
    expect_all(std::move(found), "v", reverse);
  }
}

TEST_F(ClusterScanTest, ALostLeaseholderDelaysAScanAndDoesNotEndIt) {
  auto transaction = begin(1);
  const auto cursor = transaction->scan({"k", "l"}, {});
  std::vector<std::pair<Bytes, Bytes>> found;
  ASSERT_EQ(cluster_.run(read(*cursor, found, 1)).to_string(), "OK");
  cluster_.node(3).crash();
  ASSERT_EQ(cluster_.run(read(*cursor, found)).to_string(), "OK");
  expect_all(std::move(found), "v");
}

TEST_F(ClusterScanTest, ACursorMayEndBeforeWhatItAskedForComes) {
  for (int rows = 1; rows < kRows; rows += 400) {
    auto transaction = begin(1);
    auto cursor = transaction->scan({"k", "l"}, {});
    std::vector<std::pair<Bytes, Bytes>> found;
    ASSERT_EQ(cluster_.run(read(*cursor, found, rows)).to_string(), "OK");
    EXPECT_TRUE(rows > 1 || cluster_.node(1).store().background_count() > 0);
    cursor.reset();
    transaction.reset();
  }
  EXPECT_TRUE(cluster_.run_until(1s, [&] { return cluster_.node(1).store().background_count() == 0; }));
}

TEST_F(ClusterScanTest, ACancelledScanDoesNotWaitForItsPages) {
  cluster_.network().set_options({.delay_min_ns = 50'000'000, .delay_mean_ns = 1});
  runtime::Cancellation cancellation;
  auto transaction = begin(1, Isolation::kReadCommitted, &cancellation);
  const auto cursor = transaction->scan({"k", "l"}, {});
  std::vector<std::pair<Bytes, Bytes>> found;
  ASSERT_EQ(cluster_.run(read(*cursor, found, 1)).to_string(), "OK");
  std::optional<Status> ended;
  const auto rest = [&]() -> Task<void> { ended = co_await read(*cursor, found); };
  runtime::spawn(world_, rest());
  cluster_.run_for(20ms);
  ASSERT_FALSE(ended.has_value());
  cancellation.request(Status(sql_state::kQueryCanceled, "canceling statement due to user request"));
  cluster_.run_for(10ms);
  ASSERT_TRUE(ended.has_value());
  EXPECT_EQ(ended->code().view(), "57014");
}

// What one gateway has acknowledged another sees, wherever it lies and whatever their clocks say.
TEST_F(ClusterScanTest, AScanSeesAllThatWasAcknowledgedBeforeIt) {
  for (int round = 0; round < 12; ++round) {
    const auto writer = static_cast<uint32_t>(round % 3 + 1);
    const auto reader = static_cast<uint32_t>((round + 1 + round / 3) % 3 + 1);
    const Bytes value = fmt::format("round {}", round);
    ASSERT_EQ(cluster_.run(write(writer, 0, kRows, value)).to_string(), "OK");
    // A statement that meets something uncertain begins anew.
    std::vector<std::pair<Bytes, Bytes>> found;
    Status status;
    for (int attempt = 0; attempt < 5; ++attempt) {
      found.clear();
      auto transaction = begin(reader);
      const auto cursor = transaction->scan({"k", "l"}, {});
      status = cluster_.run(read(*cursor, found));
      if (status.code().view() != "RESTA") {
        break;
      }
    }
    ASSERT_EQ(status.to_string(), "OK");
    expect_all(std::move(found), value);
  }
}

// Whatever is written meanwhile: a statement that starts over must see no more than it had to see at first.
TEST_F(ClusterScanTest, AStatementThatStartsOverComesToItsEndUnderAnyLoad) {
  bool stop = false;
  int writes = 0;
  const auto write_on = [&](uint32_t gateway, int row) -> Task<void> {
    while (!stop) {
      EXPECT_EQ((co_await write(gateway, row, row + 1, fmt::format("{}", ++writes))).to_string(), "OK");
    }
  };
  for (int shard = 0; shard < kShards; ++shard) {
    runtime::spawn(world_, write_on(static_cast<uint32_t>(shard % 3 + 1), shard * kRows / kShards + 200));
  }
  int restarts = 0;
  for (int round = 0; round < 5; ++round) {
    const uint64_t start_ns = world_.now_ns();
    auto transaction = begin(static_cast<uint32_t>(round % 3 + 1));
    const auto mark = transaction->savepoint();
    std::vector<std::pair<Bytes, Bytes>> found;
    Status status;
    for (int attempt = 0; attempt < 200; ++attempt) {
      found.clear();
      const auto cursor = transaction->scan({"k", "l"}, {});
      status = cluster_.run(read(*cursor, found));
      if (status.code().view() != "RESTA") {
        break;
      }
      ++restarts;
      transaction->undo_writes_to(mark);
      transaction->begin_statement();
    }
    EXPECT_EQ(status.to_string(), "OK");
    EXPECT_EQ(found.size(), kRows);
    // As long as clocks may differ, and the time of the last attempt.
    EXPECT_LT(world_.now_ns() - start_ns, 300'000'000U);
  }
  EXPECT_GT(restarts, 0);
  stop = true;
  cluster_.run_for(1s);
}

}  // namespace
}  // namespace pando::kv
