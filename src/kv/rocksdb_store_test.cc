// KvStore on real files: the RocksDB engine and the machine's disk.

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include <gtest/gtest.h>

#include "base/prng.h"
#include "kv/kv_store.h"
#include "runtime/block_on.h"
#include "runtime/os/dedicated_executor.h"
#include "runtime/os/posix_disk.h"
#include "runtime/os/system_clock.h"
#include "runtime/os/system_timer.h"
#include "storage/rocksdb/rocksdb_engine.h"

namespace pando::kv {
namespace {

using txn::LockStrength;
using txn::WaitPolicy;

class Node {
 public:
  explicit Node(const std::filesystem::path& directory, uint64_t memtable_bytes = 64_MiB) {
    auto engine = storage::open_rocksdb_engine({.directory = directory / "state",
                                                .on_flushed = relay_.callback(),
                                                .block_cache_bytes = 8_MiB,
                                                .memtable_bytes = memtable_bytes});
    EXPECT_EQ(engine.status().to_string(), "OK");
    engine_ = std::move(*engine);
    KvOptions options;
    options.journal.directory = directory / "journal";
    options.journal.segment_bytes = 256_KiB;
    options.garbage_interval = std::chrono::milliseconds(10);
    options.spill_bytes = 256_KiB;
    auto opened = runtime::block_on(executor_, KvStore::open(options,
                                                             {.engine = *engine_,
                                                              .disk = disk_,
                                                              .journal_writer = writer_,
                                                              .clock = clock_,
                                                              .timer = timer_,
                                                              .flushes = relay_,
                                                              .background = &background_,
                                                              .upkeep = &upkeep_},
                                                             executor_));
    EXPECT_EQ(opened.status().to_string(), "OK");
    store_ = std::move(*opened);
  }
  ~Node() {
    store_->stop_upkeep();
    background_.stop();
    upkeep_.stop();
    EXPECT_EQ(runtime::block_on(executor_, store_->close(executor_)).to_string(), "OK");
  }

  KvStore& store() { return *store_; }
  storage::Engine& engine() { return *engine_; }
  runtime::InlineExecutor& executor() { return executor_; }

 private:
  runtime::InlineExecutor executor_;
  runtime::PosixDisk disk_;
  runtime::DedicatedExecutor writer_{"journal"};
  runtime::DedicatedExecutor background_{"background"};
  runtime::DedicatedExecutor upkeep_{"upkeep"};
  runtime::SystemClock clock_;
  runtime::SystemTimer timer_;
  FlushRelay relay_;
  std::unique_ptr<storage::Engine> engine_;
  std::unique_ptr<KvStore> store_;
};

class RocksDbStore : public testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::remove_all(root_);
    std::filesystem::create_directories(root_ / "db");
  }
  void TearDown() override { std::filesystem::remove_all(root_); }

  const std::filesystem::path root_ =
      std::filesystem::temp_directory_path() /
      ("pando_kv_" + std::string(testing::UnitTest::GetInstance()->current_test_info()->name()));
};

Task<Status> put_one(KvStore* store, runtime::Executor* executor, Bytes key, Bytes value) {
  const auto transaction = store->begin({.executor = executor});
  transaction->begin_statement();
  PANDO_CO_TRY((co_await transaction->lock(key, LockStrength::kUpdate, WaitPolicy::kBlock)).status());
  PANDO_CO_TRY(transaction->put(std::move(key), std::move(value)));
  co_return co_await transaction->commit();
}

std::string get(KvStore& store, runtime::InlineExecutor& executor, Bytes key) {
  const auto transaction = store.begin({.executor = &executor});
  transaction->begin_statement();
  return runtime::block_on(executor, transaction->get(std::move(key))).value().value_or("(none)");
}
std::string get(Node& node, Bytes key) { return get(node.store(), node.executor(), std::move(key)); }

TEST_F(RocksDbStore, ReopensAndTheJournalIsFreedByFlushes) {
  constexpr int kRounds = 400;
  {
    Node node(root_ / "db", 256_KiB);
    for (int i = 0; i < kRounds; ++i) {
      ASSERT_EQ(runtime::block_on(node.executor(), put_one(&node.store(), &node.executor(), std::to_string(i % 100),
                                                           Bytes(5000, static_cast<char>('a' + i % 7))))
                    .to_string(),
                "OK");
    }
    // Two megabytes have gone through segments of a quarter.
    uint64_t journal_bytes = 0;
    for (const auto& file : std::filesystem::directory_iterator(root_ / "db" / "journal")) {
      journal_bytes += file.file_size();
    }
    EXPECT_LE(journal_bytes, 64 * 256_KiB);
    EXPECT_GT(node.engine().statistics().flush_count, 1);
  }
  Node node(root_ / "db");
  EXPECT_EQ(node.store().statistics().replayed_entries, 0);
  EXPECT_EQ(get(node, "99"), Bytes(5000, static_cast<char>('a' + (kRounds - 1) % 7)));
}

// The directory is copied while threads commit, as a power cut would leave it: every commit that was acknowledged
// before the copy began is in the copy. (The state first, then the journal: files that a flush replaces in between
// are still covered by the journal, which is copied later.)
TEST_F(RocksDbStore, ACopyTakenWhileRunningHasEveryAcknowledgedCommit) {
  constexpr int kThreads = 3;
  constexpr int kCopies = 3;
  std::array<std::atomic<int>, kThreads> acknowledged{};
  std::array<std::array<int, kThreads>, kCopies> expected{};
  {
    Node node(root_ / "db");
    std::atomic<bool> stop{false};
    std::vector<std::thread> threads;
    for (std::size_t thread = 0; thread < kThreads; ++thread) {
      threads.emplace_back([&, thread] {
        runtime::InlineExecutor executor;
        for (int i = 1; !stop; ++i) {
          const auto status = runtime::block_on(
              executor, put_one(&node.store(), &executor, "counter" + std::to_string(thread), std::to_string(i)));
          ASSERT_EQ(status.to_string(), "OK");
          acknowledged[thread] = i;
        }
      });
    }
    for (std::size_t copy = 0; copy < kCopies; ++copy) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      for (std::size_t thread = 0; thread < kThreads; ++thread) {
        expected[copy][thread] = acknowledged[thread];
      }
      std::filesystem::copy(root_ / "db", root_ / ("copy" + std::to_string(copy)),
                            std::filesystem::copy_options::recursive);
    }
    stop = true;
    for (std::thread& thread : threads) {
      thread.join();
    }
  }
  for (std::size_t copy = 0; copy < kCopies; ++copy) {
    Node node(root_ / ("copy" + std::to_string(copy)));
    EXPECT_GT(node.store().statistics().replayed_entries, 0);
    for (std::size_t thread = 0; thread < kThreads; ++thread) {
      const std::string value = get(node, "counter" + std::to_string(thread));
      ASSERT_NE(value, "(none)");
      EXPECT_GE(std::stoi(value), expected[copy][thread]);
    }
  }
}

constexpr int kBulkRows = 40'000;

// Writes kBulkRows rows with this value in one transaction, every fourth of them twice.
Task<Status> put_many(KvStore* store, runtime::Executor* executor, Bytes value, bool commits) {
  const auto transaction = store->begin({.executor = executor});
  transaction->begin_statement();
  for (int i = 0; i < kBulkRows; ++i) {
    for (int times = i % 4 == 0 ? 2 : 1; times > 0; --times) {
      // Rising, and then all over the place.
      const Bytes key = fmt::format("table 1 {:06}", i < kBulkRows / 2 ? i : i * 7919 % kBulkRows / 2 + kBulkRows / 2);
      PANDO_CO_TRY((co_await transaction->lock(key, LockStrength::kUpdate, WaitPolicy::kBlock)).status());
      PANDO_CO_TRY(transaction->put(key, times == 2 ? Bytes("overwritten") : value));
    }
  }
  if (!commits) {
    co_await transaction->rollback();
    co_return Status();
  }
  co_return co_await transaction->commit();
}

// How many rows of the table there are, by value.
std::map<Bytes, int> count_rows(Node& node) {
  const auto transaction = node.store().begin({.executor = &node.executor()});
  transaction->begin_statement();
  const auto cursor = transaction->scan({"table 1 ", "table 2 "}, {});
  std::map<Bytes, int> counts;
  KeyValueBatch batch;
  do {
    EXPECT_TRUE(runtime::block_on(node.executor(), cursor->next(batch, 1000)).ok());
    for (std::size_t i = 0; i < batch.size(); ++i) {
      ++counts[Bytes(batch.value(i))];
    }
  } while (batch.size() > 0);
  return counts;
}

std::size_t count_files(const std::filesystem::path& directory) {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(directory), {}));
}

TEST_F(RocksDbStore, ATransactionMayBeLargerThanItsBuffer) {
  const auto write = [](Node& node, const Bytes& value, bool commits = true) {
    return runtime::block_on(node.executor(), put_many(&node.store(), &node.executor(), value, commits)).to_string();
  };
  int rows = 0;
  {
    Node node(root_ / "db");
    ASSERT_EQ(write(node, "one"), "OK");
    rows = count_rows(node)["one"];
    EXPECT_GT(rows, kBulkRows / 2);
    // In the cache, so that it would be seen if it were not told of the next commit.
    EXPECT_EQ(get(node, "table 1 000001"), "one");
    ASSERT_EQ(write(node, "rolled back", false), "OK");
    EXPECT_EQ(count_rows(node), (std::map<Bytes, int>{{"one", rows}}));
    ASSERT_EQ(write(node, "two"), "OK");
    EXPECT_EQ(count_rows(node), (std::map<Bytes, int>{{"two", rows}}));
    EXPECT_EQ(get(node, "table 1 000001"), "two");
    ASSERT_TRUE(
        runtime::block_on(node.executor(), put_one(&node.store(), &node.executor(), "table 1 000001", "3")).ok());
    EXPECT_EQ(get(node, "table 1 000001"), "3");
    EXPECT_EQ(node.store().statistics().locks.keys, 0);
  }
  EXPECT_EQ(count_files(root_ / "db" / "state" / "runs"), 0);
  Node node(root_ / "db");
  EXPECT_EQ(node.store().statistics().replayed_entries, 0);
  EXPECT_EQ(count_rows(node), (std::map<Bytes, int>{{"two", rows - 1}, {"3", 1}}));
}

TEST_F(RocksDbStore, WhatABulkCommitBringsIsSoonInTheCache) {
  Node node(root_ / "db");
  ASSERT_TRUE(
      runtime::block_on(node.executor(), put_many(&node.store(), &node.executor(), "loaded", /*commits=*/true)).ok());
  const auto rows = static_cast<std::size_t>(count_rows(node)["loaded"]);
  constexpr auto kPatience = std::chrono::seconds(30);
  const auto give_up = std::chrono::steady_clock::now() + kPatience;
  while (node.store().statistics().cache.records < rows && std::chrono::steady_clock::now() < give_up) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_EQ(node.store().statistics().cache.records, rows);
  const uint64_t misses = node.store().statistics().cache.misses;
  EXPECT_EQ(get(node, "table 1 000001"), "loaded");
  EXPECT_EQ(node.store().statistics().cache.misses, misses);
}

// The rows of a first bulk commit come into the cache while they are written, those of a second have to replace them.
TEST_F(RocksDbStore, TheCacheNeverHidesABulkCommit) {
  Node node(root_ / "db");
  std::atomic<bool> done{false};
  std::atomic<int> committed{0};
  std::thread reader([&] {
    runtime::InlineExecutor executor;
    for (int i = 0; !done; ++i) {
      const int at_least = committed;
      const std::string value = get(node.store(), executor, fmt::format("table 1 {:06}", i % kBulkRows));
      ASSERT_TRUE(value == "(none)" || std::stoi(value) >= at_least) << value << " after " << at_least;
    }
  });
  for (int round = 1; round <= 4; ++round) {
    ASSERT_TRUE(runtime::block_on(node.executor(), put_many(&node.store(), &node.executor(), std::to_string(round),
                                                            /*commits=*/true))
                    .ok());
    committed = round;
    for (int i = 0; i < kBulkRows; i += 7) {
      const std::string value = get(node, fmt::format("table 1 {:06}", i));
      ASSERT_TRUE(value == "(none)" || value == std::to_string(round)) << value << " in round " << round;
    }
  }
  done = true;
  reader.join();
  EXPECT_GT(node.store().statistics().cache.hits, 0);
}

TEST_F(RocksDbStore, VersionsThatNobodySeesAreCollected) {
  Node node(root_ / "db");
  const auto count_versions = [&] {
    std::size_t count = 0;
    const auto versions = node.engine().iterate_versions({});
    for (versions->seek("", HlcTimestamp::max()); versions->valid(); versions->next()) {
      ++count;
    }
    return count;
  };
  const auto write = [&](int from, int to) {
    for (int i = from; i < to; ++i) {
      ASSERT_TRUE(
          runtime::block_on(node.executor(), put_one(&node.store(), &node.executor(), "k", std::to_string(i))).ok());
    }
  };
  write(0, 10);
  auto old = node.store().begin({.isolation = txn::Isolation::kRepeatableRead, .executor = &node.executor()});
  old->begin_statement();
  write(10, 30);
  node.store().advance_garbage_threshold();
  ASSERT_TRUE(node.engine().flush().ok());
  ASSERT_TRUE(node.engine().collect_garbage({}).ok());
  EXPECT_EQ(runtime::block_on(node.executor(), old->get("k")).value(), "9");
  EXPECT_LE(count_versions(), 21);
  EXPECT_GE(count_versions(), 2);
  old.reset();
  node.store().advance_garbage_threshold();
  ASSERT_TRUE(node.engine().collect_garbage({}).ok());
  EXPECT_EQ(count_versions(), 1);
  EXPECT_EQ(get(node, "k"), "29");
}

}  // namespace
}  // namespace pando::kv
