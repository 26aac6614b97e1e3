// What every txn::Store must do, run on the reference store and on kv's, with one shard and with several.

#include <thread>

#include <gtest/gtest.h>

#include "test/txn/store_script.h"
#include "test/txn/store_variants.h"

namespace pando::test {
namespace {

using txn::Isolation;
using txn::KeyValueBatch;
using txn::LockStrength;
using txn::Span;
using txn::Transaction;
using txn::WaitPolicy;

class StoreConformance : public testing::TestWithParam<StoreVariant> {
 protected:
  std::unique_ptr<Transaction> begin(Isolation isolation = Isolation::kReadCommitted, bool read_only = false) {
    auto transaction =
        subject_->store().begin({.isolation = isolation, .read_only = read_only, .executor = &executor_});
    transaction->begin_statement();
    return transaction;
  }
  template <typename T>
  T wait(Task<T> task) {
    return runtime::block_on(executor_, std::move(task));
  }
  std::string get(Transaction& transaction, std::string key) {
    return wait(transaction.get(std::move(key))).value().value_or("(none)");
  }
  std::string drain(txn::Cursor& cursor, std::size_t step = 2) {
    std::string found;
    KeyValueBatch batch;
    do {
      EXPECT_TRUE(wait(cursor.next(batch, step)).ok());
      for (std::size_t i = 0; i < batch.size(); ++i) {
        found += fmt::format("{}={} ", batch.key(i), batch.value(i));
      }
    } while (batch.size() > 0);
    return found;
  }
  std::string scan(Transaction& transaction, Span span = {}, bool reverse = false, std::size_t step = 2) {
    const auto cursor = transaction.scan(std::move(span), {.reverse = reverse});
    return drain(*cursor, step);
  }
  bool lock(Transaction& transaction, std::string key) {
    return wait(transaction.lock(std::move(key), LockStrength::kUpdate, WaitPolicy::kNoWait)).ok();
  }
  void put(Transaction& transaction, std::string key, std::string value) {
    EXPECT_TRUE(lock(transaction, key));
    EXPECT_EQ(transaction.put(std::move(key), std::move(value)).to_string(), "OK");
  }
  std::string commit(Transaction& transaction) { return wait(transaction.commit()).to_string(); }
  void load(const std::map<std::string, std::string>& rows) {
    const auto transaction = begin();
    for (const auto& [key, value] : rows) {
      put(*transaction, key, value);
    }
    ASSERT_EQ(commit(*transaction), "OK");
  }

  std::unique_ptr<StoreSubject> subject_ = GetParam().make();
  runtime::InlineExecutor executor_;
};

INSTANTIATE_TEST_SUITE_P(Stores, StoreConformance, testing::ValuesIn(store_variants()),
                         [](const auto& info) { return info.param.name; });

TEST_P(StoreConformance, Scripts) {
  for (const auto& file : testdata_files("src/kv/testdata/isolation")) {
    SCOPED_TRACE(file);
    StoreScript script(subject_->store(), subject_->locks(), subject_->timer());
    run_datadriven(file, [&](const Command& command) { return script.handle(command); });
  }
}

TEST_P(StoreConformance, ReadsBackWhatItCommitted) {
  load({{"a", "1"}, {"b", ""}, {"c", "3"}});
  const auto transaction = begin();
  EXPECT_EQ(scan(*transaction), "a=1 b= c=3 ");
  EXPECT_EQ(get(*transaction, "a"), "1");
  EXPECT_EQ(get(*transaction, "b"), "");
  EXPECT_EQ(get(*transaction, "z"), "(none)");
  EXPECT_FALSE(transaction->has_writes());
  EXPECT_EQ(commit(*transaction), "OK");
}

// The reference store remembers nothing, and says so; kv's remembers what `history` promises.
TEST_P(StoreConformance, ReadsThePastOrSaysThatItIsForgotten) {
  load({{"a", "1"}, {"b", "1"}});
  const auto first = begin();
  const HlcTimestamp before = first->read_timestamp();
  EXPECT_EQ(commit(*first), "OK");
  load({{"a", "2"}, {"c", "2"}});
  for (const Isolation isolation : {Isolation::kReadCommitted, Isolation::kRepeatableRead, Isolation::kSerializable}) {
    const auto past = subject_->store().begin({.isolation = isolation, .executor = &executor_, .read_at = before});
    past->begin_statement();
    const auto read = wait(past->get("a"));
    if (!read.ok()) {
      EXPECT_EQ(read.status().code().view(), "72000");
      KeyValueBatch batch;
      EXPECT_EQ(wait(past->scan({}, {})->next(batch, 10)).code().view(), "72000");
      EXPECT_EQ(past->snapshot_for({}), nullptr);
      continue;
    }
    EXPECT_EQ(read->value(), "1");
    EXPECT_EQ(scan(*past), "a=1 b=1 ");
    EXPECT_EQ(drain(*past->snapshot_for({})->scan({}, {})), "a=1 b=1 ");
    EXPECT_EQ(past->put("a", "3").code().view(), "25006");
    EXPECT_EQ(commit(*past), "OK");
  }
}

TEST_P(StoreConformance, ScansSpansInBothDirections) {
  load({{"a", "1"}, {"b", "2"}, {"c", "3"}, {"d", "4"}});
  const auto transaction = begin();
  for (const std::size_t step : {1, 2, 3, 4, 100}) {
    EXPECT_EQ(scan(*transaction, {}, false, step), "a=1 b=2 c=3 d=4 ");
    EXPECT_EQ(scan(*transaction, {}, true, step), "d=4 c=3 b=2 a=1 ");
    EXPECT_EQ(scan(*transaction, {"b", "d"}, false, step), "b=2 c=3 ");
    EXPECT_EQ(scan(*transaction, {"b", "d"}, true, step), "c=3 b=2 ");
    EXPECT_EQ(scan(*transaction, {"bb", ""}, false, step), "c=3 d=4 ");
    EXPECT_EQ(scan(*transaction, {"x", ""}, true, step), "");
    EXPECT_EQ(scan(*transaction, {"c", "b"}, false, step), "");
  }
}

TEST_P(StoreConformance, AStatementDoesNotSeeWhatItWrites) {
  load({{"a", "1"}, {"b", "1"}, {"c", "1"}, {"d", "1"}});
  const auto transaction = begin();
  const auto cursor = transaction->scan({}, {});
  put(*transaction, "b", "2");
  put(*transaction, "bb", "2");
  ASSERT_TRUE(transaction->erase("d").ok());
  EXPECT_EQ(drain(*cursor), "a=1 b=1 c=1 d=1 ");
  EXPECT_EQ(scan(*transaction), "a=1 b=1 c=1 d=1 ");
  EXPECT_EQ(get(*transaction, "b"), "1");
  EXPECT_EQ(wait(transaction->get_latest("b")).value().value(), "2");

  transaction->begin_statement();
  for (const std::size_t step : {1, 2, 3, 100}) {
    EXPECT_EQ(scan(*transaction, {}, false, step), "a=1 b=2 bb=2 c=1 ");
    EXPECT_EQ(scan(*transaction, {}, true, step), "c=1 bb=2 b=2 a=1 ");
    EXPECT_EQ(scan(*transaction, {"b", "c"}, true, step), "bb=2 b=2 ");
  }
  EXPECT_EQ(transaction->snapshot_for({"b", "c"}), nullptr);
  const auto snapshot = transaction->snapshot_for({"c", "d"});
  ASSERT_NE(snapshot, nullptr);
  EXPECT_EQ(drain(*snapshot->scan({"c", "d"}, {})), "c=1 ");
  EXPECT_EQ(snapshot->timestamp(), transaction->read_timestamp());
}

TEST_P(StoreConformance, ACursorLivesThroughLaterWritesOfItsTransaction) {
  std::map<std::string, std::string> rows;
  for (int i = 100; i < 200; ++i) {
    rows[std::to_string(i)] = "0";
  }
  load(rows);
  const auto transaction = begin();
  put(*transaction, "150x", "own");
  transaction->begin_statement();
  const auto cursor = transaction->scan({}, {});
  KeyValueBatch batch;
  std::size_t seen = 0;
  do {
    ASSERT_TRUE(wait(cursor->next(batch, 3)).ok());
    for (std::size_t i = 0; i < batch.size(); ++i) {
      ++seen;
      EXPECT_EQ(batch.value(i), batch.key(i) == "150x" ? "own" : "0");
      put(*transaction, std::string(batch.key(i)), "1");
      put(*transaction, std::string(batch.key(i)) + "y", "1");
    }
  } while (batch.size() > 0);
  EXPECT_EQ(seen, 101);
  EXPECT_EQ(commit(*transaction), "OK");
}

TEST_P(StoreConformance, SavepointsUndoWritesAndFreeLocks) {
  const auto one = begin();
  put(*one, "a", "1");
  const auto outer = one->savepoint();
  put(*one, "a", "2");
  put(*one, "b", "2");
  const auto inner = one->savepoint();
  put(*one, "c", "3");
  one->undo_writes_to(inner);
  const auto two = begin();
  EXPECT_FALSE(lock(*two, "c"));
  one->release(inner);
  one->rollback_to(outer);
  one->rollback_to(outer);
  one->begin_statement();
  EXPECT_EQ(scan(*one), "a=1 ");
  EXPECT_FALSE(lock(*two, "a"));
  put(*two, "b", "4");
  EXPECT_EQ(commit(*two), "OK");
  EXPECT_EQ(commit(*one), "OK");
  EXPECT_EQ(scan(*begin()), "a=1 b=4 ");
}

TEST_P(StoreConformance, RollingBackLeavesNothing) {
  load({{"a", "1"}});
  {
    const auto dropped = begin();
    put(*dropped, "a", "2");
  }
  const auto transaction = begin();
  put(*transaction, "a", "3");
  wait(transaction->rollback());
  const auto after = begin();
  EXPECT_TRUE(lock(*after, "a"));
  EXPECT_EQ(scan(*after), "a=1 ");
  wait(after->rollback());
  EXPECT_EQ(subject_->locks().counts().keys, 0);
}

TEST_P(StoreConformance, CommitHooksRunBeforeLocksAreFreed) {
  std::string order;
  const auto one = begin();
  put(*one, "a", "1");
  one->on_commit([&] { order += subject_->locks().counts().keys == 1 ? "locked" : "free"; });
  EXPECT_EQ(commit(*one), "OK");
  EXPECT_EQ(order, "locked");
  const auto two = begin();
  two->on_commit([&] { order += " never"; });
  wait(two->rollback());
  EXPECT_EQ(order, "locked");
}

TEST_P(StoreConformance, ReadOnlyTransactionsDoNotWrite) {
  const auto transaction = begin(Isolation::kReadCommitted, true);
  EXPECT_EQ(transaction->put("a", "1").code(), sql_state::kReadOnlySqlTransaction);
  EXPECT_EQ(transaction->erase("a").code(), sql_state::kReadOnlySqlTransaction);
}

TEST_P(StoreConformance, TransactionsHaveASizeLimit) {
  const auto transaction = begin();
  Status status;
  for (int i = 0; i < 100 && status.ok(); ++i) {
    status = transaction->put(fmt::format("{:03}", i), Bytes(64_KiB, 'x'));
  }
  EXPECT_EQ(status.code(), sql_state::kProgramLimitExceeded);
  wait(transaction->rollback());
  EXPECT_EQ(scan(*begin()), "");
}

TEST_P(StoreConformance, OldSnapshotsKeepTheirVersions) {
  load({{"a", "0"}, {"b", "0"}, {"c", "0"}});
  const auto old = begin(Isolation::kRepeatableRead);
  for (int i = 1; i <= 20; ++i) {
    load({{"a", std::to_string(i)}, {"c", std::to_string(i)}});
    subject_->timer().advance(std::chrono::seconds(2));
    const auto eraser = begin();
    EXPECT_TRUE(lock(*eraser, "b"));
    ASSERT_TRUE(eraser->erase("b").ok());
    EXPECT_EQ(commit(*eraser), "OK");
  }
  EXPECT_EQ(scan(*old), "a=0 b=0 c=0 ");
  EXPECT_EQ(get(*old, "a"), "0");
  EXPECT_EQ(get(*old, "b"), "0");
  EXPECT_EQ(wait(old->get_latest("a")).value().value(), "20");
  EXPECT_EQ(scan(*begin()), "a=20 c=20 ");
}

// A write that changes nothing is a write: who has not seen it must not overwrite it (distsql pitfall P4).
TEST_P(StoreConformance, AWriteOfTheSameValueConflictsToo) {
  load({{"a", "1"}});
  const auto late = begin(Isolation::kRepeatableRead);
  load({{"a", "1"}});
  const auto outcome = wait(late->lock("a", LockStrength::kUpdate, WaitPolicy::kBlock));
  EXPECT_TRUE(outcome->changed_since_snapshot);
  EXPECT_EQ(late->put("a", "2").to_string(), "40001: could not serialize access due to concurrent update");
}

// Of several writes of one key the last counts, also across statements and savepoints (P7).
TEST_P(StoreConformance, TheLastWriteOfAKeyCounts) {
  const auto transaction = begin();
  put(*transaction, "a", "1");
  put(*transaction, "a", "2");
  transaction->begin_statement();
  ASSERT_TRUE(transaction->erase("a").ok());
  transaction->savepoint();
  transaction->begin_statement();
  EXPECT_EQ(get(*transaction, "a"), "(none)");
  put(*transaction, "a", "3");
  put(*transaction, "b", "1");
  ASSERT_TRUE(transaction->erase("b").ok());
  EXPECT_EQ(commit(*transaction), "OK");
  EXPECT_EQ(scan(*begin()), "a=3 ");
}

// A lock that was not got in time is an error, never a success (P12), whatever the transaction was begun with.
TEST_P(StoreConformance, LockTimeoutsCanBeChanged) {
  const auto holder = begin();
  ASSERT_TRUE(lock(*holder, "a"));
  const auto waiter = begin();
  waiter->set_lock_timeout(std::chrono::milliseconds(20));
  std::thread clock([&] {
    while (subject_->locks().counts().waiters == 0) {
      std::this_thread::yield();
    }
    // The timeout is set after the queue is entered.
    while (subject_->locks().counts().waiters > 0) {
      subject_->timer().advance(std::chrono::milliseconds(20));
      std::this_thread::yield();
    }
  });
  const auto outcome = wait(waiter->lock("a", LockStrength::kKeyShare, WaitPolicy::kBlock));
  clock.join();
  EXPECT_EQ(outcome.status().to_string(), "55P03: canceling statement due to lock timeout");
}

TEST_P(StoreConformance, SerializableTransactionsInLargeNumbersAreValidated) {
  load({{"a", "0"}});
  for (const bool conflicts : {false, true}) {
    const auto reader = begin(Isolation::kSerializable);
    // More reads than a read set keeps apart.
    for (int key = 0; key < 5000; ++key) {
      EXPECT_EQ(get(*reader, fmt::format("k{:05}", key)), "(none)");
    }
    put(*reader, "mine", "1");
    load({{conflicts ? "k00007" : "z", "1"}});
    EXPECT_EQ(commit(*reader),
              conflicts ? "40001: could not serialize access due to read/write dependencies among transactions" : "OK");
  }
}

}  // namespace
}  // namespace pando::test
