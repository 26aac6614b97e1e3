// What every txn::Store promises to many threads at once. Each thread runs its transactions on an executor of its own.

#include <atomic>
#include <thread>

#include <gtest/gtest.h>

#include "base/prng.h"
#include "test/txn/store_variants.h"

namespace pando::test {
namespace {

using txn::Isolation;
using txn::LockStrength;
using txn::WaitPolicy;

constexpr int kThreads = 4;

class StoreConcurrency : public testing::TestWithParam<StoreVariant> {
 protected:
  // Runs `work(thread, executor, prng)` on every thread.
  template <typename Work>
  void run_threads(Work work) {
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&, i] {
        runtime::InlineExecutor executor;
        Prng prng(static_cast<uint64_t>(i) + 1);
        work(i, executor, prng);
      });
    }
    for (std::thread& thread : threads) {
      thread.join();
    }
  }
  std::unique_ptr<txn::Transaction> begin(runtime::Executor& executor, Isolation isolation) {
    auto transaction = subject_->store().begin({.isolation = isolation, .executor = &executor});
    transaction->begin_statement();
    return transaction;
  }

  std::unique_ptr<StoreSubject> subject_ = GetParam().make();
};

INSTANTIATE_TEST_SUITE_P(Stores, StoreConcurrency, testing::ValuesIn(store_variants()),
                         [](const auto& info) { return info.param.name; });

std::string account(uint64_t number) {
  return std::string(1, static_cast<char>('a' + number % 4)) + std::to_string(number);
}

Task<Result<int>> read_number(txn::Transaction* transaction, std::string key, bool latest) {
  PANDO_CO_ASSIGN(const auto value, latest ? co_await transaction->get_latest(key) : co_await transaction->get(key));
  co_return value.has_value() ? std::stoi(*value) : 0;
}

Task<Status> add(txn::Transaction* transaction, std::string key, int by) {
  transaction->begin_statement();
  PANDO_CO_TRY((co_await transaction->lock(key, LockStrength::kNoKeyUpdate, WaitPolicy::kBlock)).status());
  PANDO_CO_ASSIGN(const int before, co_await read_number(transaction, key, true));
  co_return transaction->put(key, std::to_string(before + by));
}

Task<Status> transfer(txn::Transaction* transaction, std::string from, std::string to, int amount) {
  PANDO_CO_TRY(co_await add(transaction, from, -amount));
  PANDO_CO_TRY(co_await add(transaction, to, amount));
  co_return co_await transaction->commit();
}

Task<Result<std::pair<int, int>>> sum_all(txn::Transaction* transaction) {
  auto cursor = transaction->scan({}, {});
  KeyValueBatch batch;
  std::pair<int, int> sum;
  do {
    PANDO_CO_TRY(co_await cursor->next(batch, 3));
    for (std::size_t i = 0; i < batch.size(); ++i) {
      sum.first += std::stoi(std::string(batch.value(i)));
      ++sum.second;
    }
  } while (batch.size() > 0);
  co_return sum;
}

// Money moves between accounts and none is made or lost, in any snapshot. Accounts are locked in any order, so
// deadlocks come too; each has one victim and everybody else gets through.
TEST_P(StoreConcurrency, TransfersKeepTheSum) {
  constexpr uint64_t kAccounts = 8;
  constexpr int kTransfers = 150;
  std::atomic<int> committed{0};
  std::atomic<int> conflicts{0};
  run_threads([&](int thread, runtime::InlineExecutor& executor, Prng& prng) {
    const auto isolation = thread % 2 == 0 ? Isolation::kReadCommitted : Isolation::kRepeatableRead;
    for (int i = 0; i < kTransfers; ++i) {
      const auto transaction = begin(executor, isolation);
      const uint64_t from = prng.below(kAccounts);
      const auto status =
          runtime::block_on(executor, transfer(transaction.get(), account(from), account(from + 1 + prng.below(7)), 1));
      if (status.ok()) {
        ++committed;
      } else {
        ASSERT_TRUE(status.is(sql_state::kDeadlockDetected) || status.is(sql_state::kSerializationFailure))
            << status.to_string();
        ++conflicts;
      }
      const auto reader = begin(executor, Isolation::kRepeatableRead);
      const auto sum = runtime::block_on(executor, sum_all(reader.get()));
      ASSERT_TRUE(sum.ok());
      ASSERT_EQ(sum->first, 0);
    }
  });
  EXPECT_EQ(committed + conflicts, kThreads * kTransfers);
  EXPECT_GT(committed, 0);
  EXPECT_EQ(subject_->locks().counts().keys, 0);
}

// A counter read by anybody is never below what was acknowledged before the read began, and never above what was
// begun before it ended: committed is visible, and visible is committed.
TEST_P(StoreConcurrency, CountersAreLinearizable) {
  constexpr int kKeys = 3;
  constexpr int kRounds = 200;
  std::array<std::atomic<int>, kKeys> begun{};
  std::array<std::atomic<int>, kKeys> acknowledged{};
  run_threads([&](int thread, runtime::InlineExecutor& executor, Prng& prng) {
    for (int i = 0; i < kRounds; ++i) {
      const auto k = prng.below(kKeys);
      const std::string key(1, static_cast<char>('a' + k));
      const auto transaction = begin(executor, Isolation::kReadCommitted);
      if (thread % 2 == 0) {
        ++begun[k];
        ASSERT_TRUE(runtime::block_on(executor, add(transaction.get(), key, 1)).ok());
        ASSERT_TRUE(runtime::block_on(executor, transaction->commit()).ok());
        ++acknowledged[k];
      } else {
        const int at_least = acknowledged[k];
        transaction->begin_statement();
        const int value = *runtime::block_on(executor, read_number(transaction.get(), key, false));
        ASSERT_GE(value, at_least);
        ASSERT_LE(value, begun[k]);
      }
    }
  });
}

Task<Status> go_off_call(txn::Transaction* transaction, std::string mine, std::string other) {
  PANDO_CO_ASSIGN(const int other_off, co_await read_number(transaction, other, false));
  PANDO_CO_ASSIGN(const int mine_off, co_await read_number(transaction, mine, false));
  if (other_off == 0 && mine_off == 0) {
    PANDO_CO_TRY((co_await transaction->lock(mine, LockStrength::kUpdate, WaitPolicy::kBlock)).status());
    PANDO_CO_TRY(transaction->put(mine, "1"));
  }
  co_return co_await transaction->commit();
}

// Each pair's doctors may go off call one at a time; only serializable validation sees to it.
TEST_P(StoreConcurrency, SerializableTransactionsDoNotSkewWrites) {
  constexpr int kPairs = 60;
  run_threads([&](int thread, runtime::InlineExecutor& executor, Prng& prng) {
    for (int pair = 0; pair < kPairs; ++pair) {
      const std::string one = "a" + std::to_string(pair);
      const std::string two = "c" + std::to_string(pair);
      const auto transaction = begin(executor, Isolation::kSerializable);
      const auto status = runtime::block_on(
          executor, go_off_call(transaction.get(), thread % 2 == 0 ? one : two, thread % 2 == 0 ? two : one));
      ASSERT_TRUE(status.ok() || status.is(sql_state::kSerializationFailure)) << status.to_string();
    }
  });
  runtime::InlineExecutor executor;
  const auto reader = begin(executor, Isolation::kSerializable);
  const auto sum = runtime::block_on(executor, sum_all(reader.get()));
  EXPECT_EQ(sum->first, sum->second);
  EXPECT_LE(sum->first, kPairs);
  EXPECT_GT(sum->first, 0);
}

// Each insert of a key succeeds once, whoever else tries.
TEST_P(StoreConcurrency, AKeyIsInsertedOnce) {
  constexpr int kKeys = 100;
  std::atomic<int> inserted{0};
  run_threads([&](int, runtime::InlineExecutor& executor, Prng&) {
    for (int i = 0; i < kKeys; ++i) {
      const std::string key = account(static_cast<uint64_t>(i));
      const auto transaction = begin(executor, Isolation::kReadCommitted);
      ASSERT_TRUE(runtime::block_on(executor, transaction->lock(key, LockStrength::kUpdate, WaitPolicy::kBlock)).ok());
      const auto existing = runtime::block_on(executor, transaction->get_latest(key));
      ASSERT_TRUE(existing.ok());
      if (!existing->has_value()) {
        ASSERT_TRUE(transaction->put(key, "1").ok());
        ASSERT_TRUE(runtime::block_on(executor, transaction->commit()).ok());
        ++inserted;
      }
    }
  });
  EXPECT_EQ(inserted, kKeys);
}

}  // namespace
}  // namespace pando::test
