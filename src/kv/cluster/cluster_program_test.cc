// Stories of programs over many shards.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "kv/cluster/cluster_store.h"
#include "test/cluster_store/simulated_cluster.h"
#include "txn/program.h"

namespace pando::kv {
namespace {

using namespace std::chrono_literals;
using test::SimulatedCluster;
using txn::Isolation;
using txn::LockStrength;
using txn::WaitPolicy;

// Gives the keys whose value is the program, and stops after so many entries.
class MatchingRunner final : public txn::ProgramRunner {
 public:
  Task<Status> run(ByteView program, txn::ProgramInput& input, runtime::Executor& executor, Bytes& output) override {
    ++runs;
    if (program == "unknown") {
      co_return Status(txn::kUnknownProgram, "not known here");
    }
    if (program == "fails") {
      co_return Status(sql_state::kDivisionByZero, "division by zero");
    }
    KeyValueBatch batch;
    std::size_t entries = 0;
    while (true) {
      PANDO_CO_TRY(co_await input.next(batch, 64));
      if (batch.size() == 0) {
        co_return Status();
      }
      entries += batch.size();
      for (std::size_t i = 0; i < batch.size(); ++i) {
        if (batch.value(i) == program) {
          output.append(batch.key(i));
          output.push_back(' ');
        }
      }
      co_await runtime::yield_to(executor);
      if (entries >= entries_max) {
        input.stop();
      }
    }
  }
  int runs = 0;
  std::size_t entries_max = 100;
};

class ClusterProgramTest : public testing::Test {
 protected:
  static constexpr int kShards = 8;
  static constexpr int kRows = 2'000;

  static Bytes key_of(int row) { return fmt::format("k{:05}", row); }
  static Bytes boundary(int shard) { return key_of(shard * kRows / kShards); }

  void SetUp() override {
    cluster_.found();
    for (const auto& node : cluster_.nodes()) {
      node->store().use_programs(&runner_);
    }
    ASSERT_EQ(cluster_.run(write(1, "v", 1)).to_string(), "OK");
    for (int shard = 1; shard < kShards; ++shard) {
      ASSERT_EQ(cluster_.split(ShardId(shard), boundary(shard), ShardId(shard + 1)).to_string(), "OK");
    }
    for (int shard = 0; shard < kShards; ++shard) {
      ASSERT_EQ(cluster_.transfer(boundary(shard), NodeId(static_cast<uint32_t>(shard % 3 + 1))).to_string(), "OK");
    }
  }
  std::unique_ptr<txn::Transaction> begin(uint32_t gateway, Isolation isolation = Isolation::kReadCommitted) {
    auto transaction = cluster_.node(gateway).store().begin({.isolation = isolation, .executor = &world_});
    transaction->begin_statement();
    return transaction;
  }
  Task<Status> write(uint32_t gateway, Bytes value, int step) {
    auto transaction = begin(gateway);
    for (int row = 0; row < kRows; row += step) {
      PANDO_CO_TRY((co_await transaction->lock(key_of(row), LockStrength::kUpdate, WaitPolicy::kBlock)).status());
      PANDO_CO_TRY(transaction->put(key_of(row), value));
    }
    co_return co_await transaction->commit();
  }
  static std::unique_ptr<txn::ProgramResults> run_program(txn::Transaction& transaction, txn::Span span, Bytes program,
                                                          const txn::ProgramOptions& options) {
    return txn::ProgramAccess::of(&transaction)->run_program(std::move(span), std::move(program), options);
  }
  static Task<Status> read(txn::ProgramResults& results, std::string& found) {
    while (true) {
      PANDO_CO_ASSIGN(const auto page, co_await results.next());
      if (!page.has_value()) {
        co_return Status();
      }
      found += *page;
    }
  }
  static std::string every(int step) {
    std::string keys;
    for (int row = 0; row < kRows; row += step) {
      keys += key_of(row) + " ";
    }
    return keys;
  }
  static std::string sorted(const std::string& keys) {
    std::vector<std::string> words;
    for (std::size_t at = 0; at < keys.size(); at += key_of(0).size() + 1) {
      words.push_back(keys.substr(at, key_of(0).size() + 1));
    }
    std::ranges::sort(words);
    std::string all;
    for (const std::string& word : words) {
      all += word;
    }
    return all;
  }

  sim::World world_{1};
  MatchingRunner runner_;
  SimulatedCluster cluster_{world_, {}};
};

TEST_F(ClusterProgramTest, EveryGatewayGetsTheResultsOfAllShards) {
  ASSERT_EQ(cluster_.run(write(1, "x", 3)).to_string(), "OK");
  for (uint32_t gateway = 1; gateway <= 3; ++gateway) {
    for (const bool in_order : {true, false}) {
      auto transaction = begin(gateway);
      const auto results = run_program(*transaction, {"k", "l"}, "x", {.in_order = in_order});
      std::string found;
      ASSERT_EQ(cluster_.run(read(*results, found)).to_string(), "OK");
      EXPECT_EQ(in_order ? found : sorted(found), every(3));
    }
  }
}

TEST_F(ClusterProgramTest, ShardsAreWorkedOnAtTheSameTime) {
  cluster_.network().set_options({.delay_min_ns = 50'000'000, .delay_mean_ns = 1});
  auto transaction = begin(1);
  const auto results = run_program(*transaction, {"k", "l"}, "v", {.in_order = false});
  std::string found;
  const uint64_t start_ns = world_.now_ns();
  ASSERT_EQ(cluster_.run(read(*results, found)).to_string(), "OK");
  EXPECT_EQ(sorted(found), every(1));
  // Of 250 rows each shard does a hundred at a time: three turns of 100 ms each, after the first page, which is alone.
  EXPECT_LT(world_.now_ns() - start_ns, 550'000'000U);
}

TEST_F(ClusterProgramTest, AFewResultsAreAskedForOneAfterTheOther) {
  auto transaction = begin(2);
  const auto results = run_program(*transaction, {"k", "l"}, "v", {.in_order = true, .limited = true});
  const auto page = cluster_.run(results->next());
  ASSERT_TRUE(page.ok() && page->has_value());
  EXPECT_TRUE(every(1).starts_with(**page));
  cluster_.run_for(100ms);
  EXPECT_LE(runner_.runs, 2);
}

TEST_F(ClusterProgramTest, ATransactionThatHasWrittenDoesItItself) {
  auto transaction = begin(2);
  ASSERT_TRUE(cluster_.run(transaction->lock(key_of(7), LockStrength::kUpdate, WaitPolicy::kBlock)).ok());
  ASSERT_TRUE(transaction->put(key_of(7), "own").ok());
  // It does not see yet what its own statement has written.
  EXPECT_NE(run_program(*transaction, {"k", "l"}, "own", {}), nullptr);
  transaction->begin_statement();
  EXPECT_EQ(run_program(*transaction, {"k", "l"}, "own", {}), nullptr);
  EXPECT_NE(run_program(*transaction, {key_of(8), "l"}, "own", {}), nullptr);
}

TEST_F(ClusterProgramTest, ResultsAreOfTheMomentOfTheirStatement) {
  auto transaction = begin(3);
  const auto results = run_program(*transaction, {"k", "l"}, "v", {});
  auto page = cluster_.run(results->next());
  ASSERT_TRUE(page.ok() && page->has_value());
  std::string found = **page;
  ASSERT_EQ(cluster_.run(write(1, "later", 2)).to_string(), "OK");
  transaction->begin_statement();
  ASSERT_EQ(cluster_.run(read(*results, found)).to_string(), "OK");
  EXPECT_EQ(found, every(1));
}

TEST_F(ClusterProgramTest, ShardsSplitAndLeasesMoveMeanwhile) {
  auto transaction = begin(1);
  const auto results = run_program(*transaction, {"k", "l"}, "v", {.in_order = false});
  auto page = cluster_.run(results->next());
  ASSERT_TRUE(page.ok() && page->has_value());
  std::string found = **page;
  for (int i = 0; i < 3; ++i) {
    const int shard = 2 + 2 * i;
    const Bytes middle = key_of((2 * shard + 1) * kRows / kShards / 2);
    ASSERT_EQ(cluster_.split(ShardId(shard + 1), middle, ShardId(kShards + 1 + i)).to_string(), "OK");
    ASSERT_EQ(cluster_.transfer(middle, NodeId(static_cast<uint32_t>(i + 1))).to_string(), "OK");
    ASSERT_EQ(cluster_.transfer(boundary(shard + 1), NodeId(static_cast<uint32_t>(3 - i))).to_string(), "OK");
  }
  ASSERT_EQ(cluster_.run(read(*results, found)).to_string(), "OK");
  EXPECT_EQ(sorted(found), every(1));
}

TEST_F(ClusterProgramTest, ALostLeaseholderDelaysResultsAndDoesNotEndThem) {
  auto transaction = begin(1);
  const auto results = run_program(*transaction, {"k", "l"}, "v", {});
  cluster_.node(3).crash();
  std::string found;
  ASSERT_EQ(cluster_.run(read(*results, found)).to_string(), "OK");
  EXPECT_EQ(found, every(1));
}

TEST_F(ClusterProgramTest, ErrorsComeBackWithTheirCode) {
  for (const auto& [program, code] : {std::pair("fails", "22012"), {"unknown", "UNKPR"}}) {
    auto transaction = begin(1);
    const auto results = run_program(*transaction, {boundary(1), "l"}, program, {});
    EXPECT_EQ(cluster_.run(results->next()).status().code().view(), code);
  }
  // As where no layer above has said who runs programs.
  cluster_.node(2).store().use_programs(nullptr);
  EXPECT_EQ(run_program(*begin(2), {"k", "l"}, "v", {}), nullptr);
  auto transaction = begin(1);
  const auto results = run_program(*transaction, {boundary(1), boundary(2)}, "v", {});
  EXPECT_EQ(cluster_.run(results->next()).status().code().view(), "UNKPR");
}

TEST_F(ClusterProgramTest, AllThatWasAcknowledgedBeforeIsSeen) {
  for (int round = 0; round < 12; ++round) {
    const Bytes value = fmt::format("round {}", round);
    ASSERT_EQ(cluster_.run(write(static_cast<uint32_t>(round % 3 + 1), value, 1)).to_string(), "OK");
    std::string found;
    Status status;
    // A statement that meets something uncertain begins anew.
    for (int attempt = 0; attempt < 5; ++attempt) {
      found.clear();
      auto transaction = begin(static_cast<uint32_t>((round + 1 + round / 3) % 3 + 1));
      const auto results = run_program(*transaction, {"k", "l"}, value, {});
      status = cluster_.run(read(*results, found));
      if (status.code().view() != "RESTA") {
        break;
      }
    }
    ASSERT_EQ(status.to_string(), "OK");
    EXPECT_EQ(found, every(1));
  }
}

TEST_F(ClusterProgramTest, WhatASerializableTransactionHasReadByAProgramMayNotChange) {
  auto reader = begin(1, Isolation::kSerializable);
  const auto results = run_program(*reader, {"k", "l"}, "none", {});
  std::string found;
  ASSERT_EQ(cluster_.run(read(*results, found)).to_string(), "OK");
  EXPECT_EQ(found, "");
  ASSERT_EQ(cluster_.run(write(2, "none", 500)).to_string(), "OK");
  ASSERT_TRUE(cluster_.run(reader->lock("a", LockStrength::kUpdate, WaitPolicy::kBlock)).ok());
  ASSERT_TRUE(reader->put("a", "decided by what was read").ok());
  EXPECT_EQ(cluster_.run(reader->commit()).code().view(), "40001");
}

}  // namespace
}  // namespace pando::kv
