#include "txn/memory/memory_store.h"

#include <gtest/gtest.h>

#include "runtime/block_on.h"
#include "runtime/executor.h"

namespace pando::txn {
namespace {

class NoTimer final : public runtime::Timer {
 public:
  runtime::TimerId schedule(std::chrono::nanoseconds, std::function<void()>) override { return 1; }
  void cancel(runtime::TimerId) override {}
};

class MemoryStoreTest : public testing::Test {
 protected:
  std::unique_ptr<Transaction> begin(Isolation isolation = Isolation::kReadCommitted) {
    auto transaction = store_.begin({.isolation = isolation, .executor = &executor_});
    transaction->begin_statement();
    return transaction;
  }
  std::string get(Transaction& transaction, std::string key) {
    return block_on(executor_, transaction.get(std::move(key))).value().value_or("(none)");
  }
  std::string scan(Transaction& transaction, Span span, bool reverse = false) {
    auto cursor = transaction.scan(std::move(span), {.reverse = reverse});
    return drain(*cursor);
  }
  std::string drain(Cursor& cursor) {
    std::string found;
    KeyValueBatch batch;
    do {
      EXPECT_TRUE(block_on(executor_, cursor.next(batch, 2)).ok());
      for (std::size_t i = 0; i < batch.size(); ++i) {
        found += fmt::format("{}={} ", batch.key(i), batch.value(i));
      }
    } while (batch.size() > 0);
    return found;
  }
  void write(Transaction& transaction, std::string key, std::string value) {
    EXPECT_TRUE(block_on(executor_, transaction.lock(key, LockStrength::kUpdate, WaitPolicy::kNoWait)).ok());
    EXPECT_TRUE(transaction.put(std::move(key), std::move(value)).ok());
  }
  Status commit(Transaction& transaction) { return block_on(executor_, transaction.commit()); }

  runtime::InlineExecutor executor_;
  NoTimer timer_;
  MemoryStore store_{&timer_};
};

TEST_F(MemoryStoreTest, AStatementDoesNotSeeWhatItWrites) {
  auto setup = begin();
  for (const char* key : {"a", "b", "c", "d"}) {
    write(*setup, key, "1");
  }
  ASSERT_TRUE(commit(*setup).ok());

  auto transaction = begin();
  auto cursor = transaction->scan({}, {});
  write(*transaction, "b", "2");
  write(*transaction, "bb", "2");
  ASSERT_TRUE(transaction->erase("d").ok());
  EXPECT_EQ(drain(*cursor), "a=1 b=1 c=1 d=1 ");
  EXPECT_EQ(scan(*transaction, {}), "a=1 b=1 c=1 d=1 ");
  cursor.reset();
  transaction->begin_statement();
  EXPECT_EQ(scan(*transaction, {}), "a=1 b=2 bb=2 c=1 ");
  EXPECT_EQ(scan(*transaction, {}, true), "c=1 bb=2 b=2 a=1 ");
  EXPECT_EQ(scan(*transaction, {.start = "b", .end = "c"}, true), "bb=2 b=2 ");
  EXPECT_EQ(transaction->snapshot_for({.start = "b", .end = "c"}), nullptr);
  EXPECT_NE(transaction->snapshot_for({.start = "c", .end = "d"}), nullptr);
  EXPECT_EQ(get(*transaction, "d"), "(none)");
}

TEST_F(MemoryStoreTest, RepeatableReadRefusesToReplaceWhatItDoesNotSee) {
  auto late = begin(Isolation::kRepeatableRead);
  auto first = begin();
  write(*first, "k", "1");
  ASSERT_TRUE(commit(*first).ok());
  EXPECT_EQ(get(*late, "k"), "(none)");
  const auto outcome = block_on(executor_, late->lock("k", LockStrength::kUpdate, WaitPolicy::kBlock));
  EXPECT_TRUE(outcome->changed_since_snapshot);
  EXPECT_EQ(late->put("k", "2").to_string(), "40001: could not serialize access due to concurrent update");
}

TEST_F(MemoryStoreTest, SerializableRefusesWriteSkew) {
  auto one = begin(Isolation::kSerializable);
  auto two = begin(Isolation::kSerializable);
  EXPECT_EQ(scan(*one, {}), "");
  EXPECT_EQ(scan(*two, {}), "");
  write(*one, "x", "1");
  write(*two, "y", "1");
  EXPECT_TRUE(commit(*one).ok());
  EXPECT_EQ(commit(*two).to_string(),
            "40001: could not serialize access due to read/write dependencies among transactions");
}

TEST_F(MemoryStoreTest, SavepointsUndoWritesAndFreeLocks) {
  auto one = begin();
  write(*one, "a", "1");
  const auto savepoint = one->savepoint();
  write(*one, "a", "2");
  write(*one, "b", "2");
  one->rollback_to(savepoint);
  one->begin_statement();
  EXPECT_EQ(scan(*one, {}), "a=1 ");
  auto two = begin();
  write(*two, "b", "3");
  EXPECT_TRUE(commit(*two).ok());
  EXPECT_TRUE(commit(*one).ok());
  EXPECT_EQ(scan(*begin(), {}), "a=1 b=3 ");
}

TEST_F(MemoryStoreTest, VersionsThatNobodySeesAreDropped) {
  for (int i = 0; i < 10; ++i) {
    auto transaction = begin();
    write(*transaction, "k", std::to_string(i));
    ASSERT_TRUE(commit(*transaction).ok());
  }
  EXPECT_LE(store_.versions(), 2);
}

}  // namespace
}  // namespace pando::txn
