// txn::PointAccess: what it says must be what Transaction's own methods say, on every store.

#include "txn/point_access.h"

#include <gtest/gtest.h>

#include "runtime/block_on.h"
#include "test/txn/store_variants.h"

namespace pando::test {
namespace {

using txn::Isolation;
using txn::LockStrength;
using txn::PointAccess;
using txn::ReadOutcome;
using txn::Transaction;

class PointAccessTest : public testing::TestWithParam<StoreVariant> {
 protected:
  std::unique_ptr<Transaction> begin(Isolation isolation = Isolation::kReadCommitted) {
    auto transaction = subject_->store().begin({.isolation = isolation, .executor = &executor_});
    transaction->begin_statement();
    return transaction;
  }
  static PointAccess& access(const std::unique_ptr<Transaction>& transaction) {
    return *PointAccess::of(transaction.get());
  }
  static std::string look(const std::unique_ptr<Transaction>& transaction, ByteView key, bool latest = false) {
    Bytes value = "left over";
    const auto outcome =
        latest ? access(transaction).try_get_latest(key, value) : access(transaction).try_get(key, value);
    return outcome.value() == ReadOutcome::kFound ? value : "(none)";
  }
  void commit(const std::unique_ptr<Transaction>& transaction) {
    EXPECT_EQ(runtime::block_on(executor_, transaction->commit()).to_string(), "OK");
  }
  void load(const std::string& key, const std::string& value) {
    const auto transaction = begin();
    ASSERT_TRUE(access(transaction).try_lock(key, LockStrength::kUpdate).value().has_value());
    ASSERT_TRUE(transaction->put(key, value).ok());
    commit(transaction);
  }

  std::unique_ptr<StoreSubject> subject_ = GetParam().make();
  runtime::InlineExecutor executor_;
};

INSTANTIATE_TEST_SUITE_P(Stores, PointAccessTest, testing::ValuesIn(store_variants()),
                         [](const auto& info) { return info.param.name; });

TEST_P(PointAccessTest, ReadsTheSnapshotAndItsOwnWrites) {
  load("a", "1");
  load("b", "");
  const auto reader = begin(Isolation::kRepeatableRead);
  load("a", "2");
  EXPECT_EQ(look(reader, "a"), "1");
  EXPECT_EQ(look(reader, "a", true), "2");
  EXPECT_EQ(look(reader, "b"), "");
  EXPECT_EQ(look(reader, "c"), "(none)");
  const auto writer = begin();
  ASSERT_TRUE(access(writer).try_lock("a", LockStrength::kUpdate).value().has_value());
  ASSERT_TRUE(writer->put("a", "3").ok());
  EXPECT_EQ(look(writer, "a"), "2") << "a statement does not see what it writes";
  EXPECT_EQ(look(writer, "a", true), "3");
  writer->begin_statement();
  EXPECT_EQ(look(writer, "a"), "3");
  ASSERT_TRUE(writer->erase("a").ok());
  writer->begin_statement();
  EXPECT_EQ(look(writer, "a"), "(none)");
}

TEST_P(PointAccessTest, ReadsWhatLiesBehindAKeyThatIsRead) {
  for (int i = 0; i < 100; ++i) {
    load(fmt::format("k{:03}", i), std::to_string(i));
  }
  load("k010", "changed");
  {
    const auto eraser = begin();
    ASSERT_TRUE(access(eraser).try_lock("k011", LockStrength::kUpdate).value().has_value());
    ASSERT_TRUE(eraser->erase("k011").ok());
    commit(eraser);
  }
  const auto reader = begin();
  EXPECT_EQ(look(reader, "k005"), "5");
  EXPECT_EQ(look(reader, "k010"), "changed");
  EXPECT_EQ(look(reader, "k011"), "(none)");
  EXPECT_EQ(look(reader, "k012"), "12");
}

TEST_P(PointAccessTest, LocksOnlyWhatIsFree) {
  load("a", "1");
  const auto first = begin();
  const auto second = begin();
  EXPECT_TRUE(access(first).try_hold("table", LockStrength::kKeyShare));
  EXPECT_TRUE(access(second).try_hold("table", LockStrength::kKeyShare));
  const auto mine = access(first).try_lock("a", LockStrength::kNoKeyUpdate).value();
  ASSERT_TRUE(mine.has_value());
  EXPECT_FALSE(mine->changed_since_snapshot);
  EXPECT_FALSE(access(second).try_lock("a", LockStrength::kNoKeyUpdate).value().has_value());
  EXPECT_FALSE(access(second).try_hold("a", LockStrength::kUpdate));
  ASSERT_TRUE(first->put("a", "2").ok());
  commit(first);
  const auto changed = access(second).try_lock("a", LockStrength::kNoKeyUpdate).value();
  ASSERT_TRUE(changed.has_value());
  EXPECT_TRUE(changed->changed_since_snapshot);
}

TEST_P(PointAccessTest, EndsWithoutWaitingOnlyWhatHasNothingToCommit) {
  load("a", "1");
  auto reader = begin();
  EXPECT_EQ(look(reader, "a"), "1");
  EXPECT_TRUE(access(reader).try_hold("lock", LockStrength::kUpdate));
  EXPECT_TRUE(access(reader).try_commit());
  const auto writer = begin();
  EXPECT_TRUE(access(writer).try_hold("lock", LockStrength::kUpdate)) << "its locks are free";
  ASSERT_TRUE(access(writer).try_lock("a", LockStrength::kUpdate).value().has_value());
  ASSERT_TRUE(writer->put("a", "2").ok());
  EXPECT_FALSE(access(writer).try_commit());
  commit(writer);
  const auto hooked = begin();
  bool ran = false;
  hooked->on_commit([&ran] { ran = true; });
  EXPECT_FALSE(access(hooked).try_commit());
  commit(hooked);
  EXPECT_TRUE(ran);
}

TEST_P(PointAccessTest, AnotherTransactionBeginsInTheSameObject) {
  load("a", "1");
  auto transaction = begin();
  const TransactionId id = transaction->id();
  EXPECT_EQ(look(transaction, "a"), "1");
  EXPECT_TRUE(access(transaction).try_hold("lock", LockStrength::kUpdate));
  ASSERT_TRUE(access(transaction).try_commit());
  load("a", "2");
  if (!access(transaction).renew({.isolation = Isolation::kRepeatableRead, .executor = &executor_})) {
    GTEST_SKIP() << "this store makes a new object each time";
  }
  EXPECT_NE(transaction->id(), id);
  transaction->begin_statement();
  EXPECT_EQ(transaction->isolation(), Isolation::kRepeatableRead);
  EXPECT_EQ(look(transaction, "a"), "2");
  load("a", "3");
  EXPECT_EQ(look(transaction, "a"), "2");
  EXPECT_FALSE(transaction->has_writes());
  ASSERT_TRUE(access(transaction).try_commit());
  EXPECT_EQ(subject_->locks().counts().keys, 0U);
}

}  // namespace
}  // namespace pando::test
