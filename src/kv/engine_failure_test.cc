// What happens to commits that are durable in the journal when the engine does not take writes.

#include <algorithm>
#include <deque>

#include <gtest/gtest.h>

#include "test/txn/kv_node.h"
#include "test/txn/step_executor.h"

namespace pando::kv {
namespace {

using txn::LockStrength;
using txn::WaitPolicy;

// Passes everything on, except writes while it fails.
class FailingEngine final : public storage::Engine {
 public:
  explicit FailingEngine(storage::Engine& engine) : engine_(engine) {}

  void fail_with(Status failure) {
    MutexLock lock(mutex_);
    failure_ = std::move(failure);
  }
  Status write(const storage::WriteBatch& batch) override {
    MutexLock lock(mutex_);
    return failure_.ok() ? engine_.write(batch) : failure_;
  }

  Result<bool> get(ByteView key, Bytes& value) const override { return engine_.get(key, value); }
  std::unique_ptr<storage::Iterator> iterate(storage::KeySpan span) const override { return engine_.iterate(span); }
  Result<bool> get_version(ByteView key, HlcTimestamp at, storage::Version& version) const override {
    return engine_.get_version(key, at, version);
  }
  std::unique_ptr<storage::VersionIterator> iterate_versions(storage::KeySpan span) const override {
    return engine_.iterate_versions(span);
  }
  std::unique_ptr<storage::VersionScan> scan_versions(storage::VersionScanOptions options) const override {
    return engine_.scan_versions(std::move(options));
  }
  std::unique_ptr<storage::Snapshot> snapshot() const override { return engine_.snapshot(); }
  Result<uint64_t> applied(ShardId shard) const override { return engine_.applied(shard); }
  Status flush() override { return engine_.flush(); }
  Result<std::unique_ptr<storage::SpanImport>> start_import() override { return engine_.start_import(); }
  void set_garbage_threshold(HlcTimestamp threshold) override { engine_.set_garbage_threshold(threshold); }
  Status collect_garbage(storage::KeySpan span) override { return engine_.collect_garbage(span); }
  Result<uint64_t> approximate_bytes(storage::KeySpan span) const override { return engine_.approximate_bytes(span); }
  storage::EngineStatistics statistics() const override { return engine_.statistics(); }

 private:
  storage::Engine& engine_;
  Mutex mutex_;
  Status failure_ PANDO_GUARDED_BY(mutex_);
};

class EngineFailure : public testing::Test {
 protected:
  struct Write {
    std::unique_ptr<txn::Transaction> transaction;
    std::optional<Status> outcome;
  };

  void SetUp() override { ASSERT_EQ(node_.open(&engine_).to_string(), "OK"); }

  static Task<void> write_and_commit(Write* write, Bytes key, Bytes value) {
    write->transaction->begin_statement();
    const auto locked = co_await write->transaction->lock(key, LockStrength::kUpdate, WaitPolicy::kBlock);
    EXPECT_TRUE(locked.ok());
    EXPECT_TRUE(write->transaction->put(std::move(key), std::move(value)).ok());
    write->outcome = co_await write->transaction->commit();
  }
  void start(Write& write, Bytes key, Bytes value) {
    write.transaction = node_.store().begin({.executor = &executor_});
    runtime::spawn(executor_, write_and_commit(&write, std::move(key), std::move(value)));
    executor_.run_ready();
  }
  void wait_for(const std::function<bool()>& done) {
    while (!done()) {
      executor_.wait_for_post(std::chrono::milliseconds(5));
      executor_.run_ready();
    }
  }
  std::string get(Bytes key) {
    const auto transaction = node_.store().begin({.executor = &node_.executor()});
    transaction->begin_statement();
    return runtime::block_on(node_.executor(), transaction->get(std::move(key))).value().value_or("(none)");
  }

  test::KvNode node_;
  FailingEngine engine_{node_.engine()};
  test::StepExecutor executor_;
};

TEST_F(EngineFailure, ADurableCommitWaitsAndNewOnesAreRefused) {
  engine_.fail_with(Status(sql_state::kDiskFull, "could not write: No space left on device"));
  Write first;
  start(first, "a", "1");
  // Once the engine has refused, so are others.
  std::deque<Write> refused;
  wait_for([&] {
    start(refused.emplace_back(), "b" + std::to_string(refused.size()), "1");
    return refused.back().outcome.has_value();
  });
  EXPECT_EQ(refused.back().outcome->code(), sql_state::kDiskFull);
  EXPECT_FALSE(first.outcome.has_value());
  // Reads go on, and see nothing of what is not applied.
  EXPECT_EQ(get("a"), "(none)");

  // A retry while the cause lasts changes nothing.
  node_.timer().advance(std::chrono::milliseconds(100));
  wait_for([&] { return node_.timer().scheduled() >= 2; });
  EXPECT_FALSE(first.outcome.has_value());

  engine_.fail_with(Status());
  node_.timer().advance(std::chrono::milliseconds(100));
  wait_for([&] { return first.outcome.has_value(); });
  EXPECT_EQ(first.outcome->to_string(), "OK");
  EXPECT_EQ(get("a"), "1");
  // All but the last were sequenced before the engine had refused the first.
  wait_for([&] { return std::ranges::all_of(refused, [](const Write& write) { return write.outcome.has_value(); }); });
  for (std::size_t i = 0; i + 1 < refused.size(); ++i) {
    EXPECT_EQ(refused[i].outcome->to_string(), "OK");
  }
  Write later;
  start(later, "c", "1");
  wait_for([&] { return later.outcome.has_value(); });
  EXPECT_EQ(later.outcome->to_string(), "OK");
  EXPECT_EQ(get("b" + std::to_string(refused.size())), "(none)");
}

}  // namespace
}  // namespace pando::kv
