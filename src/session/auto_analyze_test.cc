// Automatic ANALYZE of nodes that share a store.

#include "session/auto_analyze.h"

#include <thread>
#include <utility>

#include <gtest/gtest.h>

#include "catalog/keys.h"
#include "catalog/system_relations.h"
#include "runtime/block_on.h"
#include "session/session.h"
#include "session/testing_text_sink.h"
#include "test/support/memory_disk.h"
#include "txn/memory/memory_store.h"

namespace pando::session {
namespace {

using namespace std::chrono_literals;

// Whoever looks at the time has worked for 1 ms; who sleeps is woken at once.
class WorkingClock final : public runtime::Clock, public runtime::Timer {
 public:
  uint64_t wall_ns() override { return 1'700'000'000'000'000'000 + now_ns_; }
  uint64_t monotonic_ns() override { return now_ns_ += 1'000'000; }
  runtime::TimerId schedule(std::chrono::nanoseconds delay, std::function<void()> callback) override {
    rested += delay;
    now_ns_ += static_cast<uint64_t>(delay.count());
    if (const auto does = std::exchange(at_next_rest, nullptr)) {
      does();
    }
    callback();
    return 1;
  }
  void cancel(runtime::TimerId) override {}

  std::chrono::nanoseconds rested{0};
  std::function<void()> at_next_rest;

 private:
  uint64_t now_ns_ = 0;
};

struct Member {
  explicit Member(txn::Store& store) : store(store) {
    EXPECT_TRUE(runtime::block_on(executor, catalog.open(executor)).ok());
    EXPECT_TRUE(runtime::block_on(executor, statistics.open(executor)).ok());
  }
  catalog::TablePtr table(std::string_view name = "t") {
    return catalog.current()->find_table(catalog.current()->find_schema("public")->oid, name);
  }
  void note_changes(uint64_t rows, std::string_view name = "t") {
    const auto changed = table(name);
    statistics.activity(changed->oid).count_changes({.table = changed->oid, .id = changed->id, .updated = rows}, true);
  }
  uint64_t auto_analyzes(std::string_view name = "t") {
    return statistics.activity(table(name)->oid).maintenance().auto_analyzes;
  }
  void run_round(AutoAnalyzeOptions options = {}) {
    AutoAnalyze automatic(environment, executor, options);
    EXPECT_EQ(runtime::block_on(executor, automatic.run_round()).to_string(), "OK");
  }

  txn::Store& store;
  WorkingClock clock;
  runtime::InlineExecutor executor;
  catalog::Catalog catalog{store, catalog::CatalogOptions{.system_relations = catalog::system_relations()}};
  catalog::Sequences sequences{store};
  catalog::Statistics statistics{store, catalog.options().database};
  SessionRegistry registry{10};
  test::MemoryDisk files;
  SessionEnvironment environment{.store = store,
                                 .catalog = catalog,
                                 .sequences = sequences,
                                 .clock = clock,
                                 .timer = clock,
                                 .registry = registry,
                                 .files = &files,
                                 .statistics = &statistics,
                                 .random = [] { return uint64_t{42}; }};
};

class AutoAnalyzeTest : public testing::Test {
 protected:
  static constexpr uint64_t kRows = 10'000;

  AutoAnalyzeTest() {
    run("CREATE TABLE t (a int PRIMARY KEY, b int)");
    run(fmt::format("INSERT INTO t SELECT i, i % 10 FROM generate_series(1, {}) AS i", kRows));
    there_ = std::make_unique<Member>(store_);
  }
  void run(std::string_view text) {
    TestingTextSink sink;
    Session session(here_.environment, here_.executor, SessionIdentity{});
    EXPECT_EQ(runtime::block_on(here_.executor, session.run(Bytes(text), &sink)).to_string(), "OK");
    runtime::block_on(here_.executor, session.close());
  }

  WorkingClock clock_;
  txn::MemoryStore store_{&clock_};
  Member here_{store_};
  std::unique_ptr<Member> there_;
};

TEST_F(AutoAnalyzeTest, RestsForWhatItHasWorked) {
  here_.clock.rested = 0ns;
  here_.run_round({.rest_factor = 0});
  EXPECT_EQ(here_.auto_analyzes(), 1U);
  EXPECT_EQ(here_.clock.rested, 0ns);
  here_.note_changes(kRows);
  here_.run_round({.rest_factor = 4});
  EXPECT_EQ(here_.auto_analyzes(), 2U);
  constexpr auto kVectors = kRows / types::kVectorRows;
  EXPECT_GE(here_.clock.rested, kVectors * 4ms);
  EXPECT_LE(here_.clock.rested, 10 * kVectors * 4ms);
}

TEST_F(AutoAnalyzeTest, DoesNotRestForEver) {
  here_.run_round({.rest_factor = 4, .rests_for = 10ms});
  EXPECT_EQ(here_.auto_analyzes(), 1U);
  EXPECT_LE(here_.clock.rested, 40ms);
}

TEST_F(AutoAnalyzeTest, LearnsWhatOthersFoundAndDoesNotDoItAgain) {
  there_->note_changes(kRows);
  EXPECT_EQ(there_->statistics.find(*there_->table()), nullptr);
  here_.run_round();
  EXPECT_EQ(here_.auto_analyzes(), 1U);
  there_->run_round();
  EXPECT_EQ(there_->auto_analyzes(), 0U);
  ASSERT_NE(there_->statistics.find(*there_->table()), nullptr);
  EXPECT_EQ(there_->statistics.find(*there_->table())->rows, kRows);
}

TEST_F(AutoAnalyzeTest, LeavesATableThatAnotherIsAnalyzing) {
  auto transaction = store_.begin({.executor = &here_.executor});
  const auto claimed = runtime::block_on(here_.executor, here_.statistics.claim(*transaction, here_.table()->oid));
  ASSERT_TRUE(claimed.ok() && *claimed);
  there_->note_changes(kRows);
  there_->run_round();
  EXPECT_EQ(there_->auto_analyzes(), 0U);
  runtime::block_on(here_.executor, transaction->rollback());
  there_->run_round();
  EXPECT_EQ(there_->auto_analyzes(), 1U);
}

TEST_F(AutoAnalyzeTest, LeavesATableThatAnotherHasAnalyzedSinceItsRoundBegan) {
  run("CREATE TABLE u (a int PRIMARY KEY)");
  run(fmt::format("INSERT INTO u SELECT generate_series(1, {})", kRows));
  there_ = std::make_unique<Member>(store_);
  there_->note_changes(kRows);
  there_->note_changes(kRows, "u");
  there_->clock.at_next_rest = [this] { here_.run_round(); };
  there_->run_round();
  EXPECT_EQ(there_->auto_analyzes(), 1U);
  EXPECT_EQ(here_.auto_analyzes("u"), 1U);
  EXPECT_EQ(there_->auto_analyzes("u"), 0U);
}

TEST_F(AutoAnalyzeTest, StopsWhenItWaits) {
  auto blocker = store_.begin({.executor = &here_.executor});
  const Bytes key = catalog::statistics_key(catalog::kRowIndexId, here_.catalog.options().database, here_.table()->oid);
  ASSERT_TRUE(
      runtime::block_on(here_.executor, blocker->lock(key, txn::LockStrength::kUpdate, txn::WaitPolicy::kBlock)).ok());
  AutoAnalyze automatic(here_.environment, here_.executor);
  std::thread stopper([&automatic] {
    std::this_thread::sleep_for(100ms);
    automatic.stop();
  });
  EXPECT_EQ(runtime::block_on(here_.executor, automatic.run_round()).code().view(), "57P01");
  stopper.join();
  runtime::block_on(here_.executor, blocker->rollback());
}

TEST_F(AutoAnalyzeTest, WhatWasFoundGoesWithItsTable) {
  here_.run_round();
  run("DROP TABLE t");
  auto transaction = store_.begin({.read_only = true, .executor = &here_.executor});
  transaction->begin_statement();
  const Bytes all = catalog::table_prefix(catalog::kStatisticsTable);
  auto cursor = transaction->scan({all, prefix_end(all)}, {});
  txn::KeyValueBatch batch;
  ASSERT_TRUE(runtime::block_on(here_.executor, cursor->next(batch, 10)).ok());
  EXPECT_EQ(batch.size(), 0U);
  cursor.reset();
  runtime::block_on(here_.executor, transaction->rollback());
}

}  // namespace
}  // namespace pando::session
