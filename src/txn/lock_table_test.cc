#include "txn/lock_table.h"

#include <atomic>
#include <thread>

#include <gtest/gtest.h>

#include "base/prng.h"
#include "runtime/block_on.h"
#include "test/txn/manual_timer.h"

namespace pando::txn {
namespace {

// The stories of single locks are in src/kv/testdata/isolation/locks.txt; here is what needs many of them.

class LockTableTest : public testing::Test {
 protected:
  test::ManualTimer timer_;
  LockTable locks_{&timer_};
};

TEST_F(LockTableTest, ConflictsAreThoseOfPostgreSql) {
  // Rows and columns: key share, share, no key update, update (documentation, table 13.3).
  const std::array<std::string, 4> conflicting{"0001", "0011", "0111", "1111"};
  for (int held = 0; held < 4; ++held) {
    for (int wanted = 0; wanted < 4; ++wanted) {
      LockOwner one(locks_, TransactionId(1));
      LockOwner two(locks_, TransactionId(2));
      ASSERT_TRUE(locks_.try_lock(one, "k", static_cast<LockStrength>(held)));
      EXPECT_EQ(locks_.try_lock(two, "k", static_cast<LockStrength>(wanted)),
                conflicting[static_cast<std::size_t>(held)][static_cast<std::size_t>(wanted)] == '0');
    }
  }
}

TEST_F(LockTableTest, HoldsManyAndForgetsThemAll) {
  constexpr int kKeys = 100'000;
  {
    LockOwner owner(locks_, TransactionId(1));
    for (int i = 0; i < kKeys; ++i) {
      ASSERT_TRUE(locks_.try_lock(owner, std::to_string(i), LockStrength::kKeyShare));
      ASSERT_TRUE(locks_.try_lock(owner, std::to_string(i), LockStrength::kUpdate));
      // Weaker than what is held: nothing changes.
      ASSERT_TRUE(locks_.try_lock(owner, std::to_string(i), LockStrength::kShare));
    }
    EXPECT_EQ(locks_.counts().keys, kKeys);
    EXPECT_EQ(locks_.held(owner, "7"), LockStrength::kUpdate);
    EXPECT_EQ(owner.mark(), 2 * kKeys);
    owner.release_to(2 * 10 - 1);
    EXPECT_EQ(locks_.counts().keys, 10);
    EXPECT_EQ(locks_.held(owner, "9"), LockStrength::kKeyShare);
  }
  EXPECT_EQ(locks_.counts().keys, 0);
}

// Many holders of one key, so that holders do not fit where few do.
TEST_F(LockTableTest, AKeyHasAnyNumberOfHolders) {
  std::vector<std::unique_ptr<LockOwner>> owners;
  for (uint64_t i = 0; i < 50; ++i) {
    owners.push_back(std::make_unique<LockOwner>(locks_, TransactionId(i)));
    ASSERT_TRUE(locks_.try_lock(*owners.back(), "k", LockStrength::kShare));
  }
  LockOwner writer(locks_, TransactionId(99));
  while (!owners.empty()) {
    EXPECT_FALSE(locks_.try_lock(writer, "k", LockStrength::kUpdate));
    owners.erase(owners.begin() + static_cast<std::ptrdiff_t>(owners.size() / 2));
  }
  EXPECT_TRUE(locks_.try_lock(writer, "k", LockStrength::kUpdate));
}

Task<Status> lock_all(LockTable* locks, LockOwner* owner, std::vector<Bytes> keys, LockWait how,
                      LockStrength strength) {
  for (const Bytes& key : keys) {
    PANDO_CO_TRY((co_await locks->lock(owner, key, strength, how)).status());
  }
  co_return Status();
}

// Threads take random locks in random order and strength. Nobody waits for ever, writers are alone, and no lock is
// left behind.
TEST_F(LockTableTest, ManyThreadsWithDeadlocks) {
  constexpr int kThreads = 4;
  constexpr int kRounds = 400;
  constexpr std::size_t kKeys = 6;
  std::atomic<uint64_t> ids{0};
  std::atomic<int> done{0};
  std::atomic<int> victims{0};
  std::array<std::atomic<int>, kKeys> writers{};
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      runtime::InlineExecutor executor;
      Prng prng(static_cast<uint64_t>(thread) + 1);
      for (int round = 0; round < kRounds; ++round) {
        LockOwner owner(locks_, TransactionId(++ids));
        std::vector<Bytes> keys;
        for (int i = 0; i < 3; ++i) {
          keys.emplace_back(1, static_cast<char>('a' + prng.below(kKeys)));
        }
        const auto strength = static_cast<LockStrength>(prng.below(4));
        const auto status =
            runtime::block_on(executor, lock_all(&locks_, &owner, keys, {.executor = &executor}, strength));
        if (!status.ok()) {
          ASSERT_EQ(status.code(), sql_state::kDeadlockDetected);
          ASSERT_FALSE(status.fields().detail.empty());
          ++victims;
          continue;
        }
        ++done;
        if (strength == LockStrength::kUpdate) {
          for (const Bytes& key : keys) {
            ASSERT_EQ(locks_.held(owner, key), LockStrength::kUpdate);
          }
          const auto alone = static_cast<std::size_t>(keys[0][0] - 'a');
          ASSERT_EQ(++writers[alone], 1);
          std::this_thread::yield();
          --writers[alone];
        }
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(done + victims, kThreads * kRounds);
  EXPECT_GT(done, 0);
  const auto counts = locks_.counts();
  EXPECT_EQ(counts.keys, 0);
  EXPECT_EQ(counts.waiters, 0);
  EXPECT_EQ(counts.deadlocks_total, static_cast<uint64_t>(victims));
}

Task<void> lock_once(LockTable* locks, LockOwner* owner, LockWait how, std::atomic<int>* timed_out) {
  const auto granted = co_await locks->lock(owner, "k", LockStrength::kUpdate, how);
  *timed_out += granted.status().is(sql_state::kLockNotAvailable) ? 1 : 0;
}

// Timeouts race with grants; each wait ends exactly one way and nothing is granted to who has given up.
TEST_F(LockTableTest, TimeoutsRaceWithGrants) {
  std::atomic<int> timed_out{0};
  std::atomic<bool> stop{false};
  std::thread ticker([&] {
    while (!stop) {
      timer_.advance(std::chrono::milliseconds(1));
      std::this_thread::yield();
    }
  });
  std::vector<std::thread> threads;
  for (uint64_t thread = 1; thread <= 3; ++thread) {
    threads.emplace_back([&, thread] {
      runtime::InlineExecutor executor;
      for (int round = 0; round < 300; ++round) {
        LockOwner owner(locks_, TransactionId(thread));
        runtime::block_on(
            executor,
            lock_once(&locks_, &owner, {.executor = &executor, .timeout = std::chrono::milliseconds(1)}, &timed_out));
        std::this_thread::yield();
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  stop = true;
  ticker.join();
  EXPECT_EQ(locks_.counts().keys, 0);
}

// With many locks on keys that begin alike, one on the prefix takes their place, and nobody can tell.
class LockPrefixTest : public testing::Test {
 protected:
  static constexpr std::size_t kEscalation = 100;

  void lock_many(LockOwner& owner, const std::string& prefix, LockStrength strength = LockStrength::kUpdate) {
    for (std::size_t i = 0; i < 2 * kEscalation; ++i) {
      ASSERT_TRUE(locks_.try_lock(owner, prefix + std::to_string(i), strength));
    }
  }
  test::ManualTimer timer_;
  LockTable locks_{&timer_, kEscalation};
  runtime::InlineExecutor executor_;
};

TEST_F(LockPrefixTest, ManyLocksBecomeOne) {
  LockOwner owner(locks_, TransactionId(1));
  LockOwner other(locks_, TransactionId(2));
  lock_many(owner, "table 1 ");
  EXPECT_EQ(owner.locked_prefix("table 1 anything"), "table 1 ");
  EXPECT_EQ(owner.locked_prefix("table 2 anything"), "");
  EXPECT_EQ(locks_.counts().keys, 0);
  EXPECT_EQ(locks_.held(owner, "table 1 never locked"), LockStrength::kUpdate);
  EXPECT_FALSE(locks_.try_lock(other, "table 1 5", LockStrength::kKeyShare));
  EXPECT_FALSE(locks_.try_lock(other, "table 1 never locked", LockStrength::kKeyShare));
  EXPECT_TRUE(locks_.try_lock(other, "table 2 5", LockStrength::kUpdate));
  EXPECT_TRUE(locks_.try_lock(owner, "table 1 5", LockStrength::kUpdate));
  owner.release_to(10);
  EXPECT_FALSE(locks_.try_lock(other, "table 1 150", LockStrength::kKeyShare));
  owner.release_all();
  EXPECT_TRUE(locks_.try_lock(other, "table 1 5", LockStrength::kUpdate));
  EXPECT_EQ(locks_.counts().keys, 2);
}

TEST_F(LockPrefixTest, OnlyWhenNobodyElseIsInTheWay) {
  LockOwner owner(locks_, TransactionId(1));
  LockOwner other(locks_, TransactionId(2));
  ASSERT_TRUE(locks_.try_lock(other, "table 1 other", LockStrength::kKeyShare));
  lock_many(owner, "table 1 ");
  EXPECT_EQ(owner.locked_prefix("table 1 1"), "");
  EXPECT_TRUE(locks_.try_lock(other, "table 1 more", LockStrength::kUpdate));
  other.release_all();
  for (std::size_t i = 0; i < kEscalation; ++i) {
    ASSERT_TRUE(locks_.try_lock(owner, "table 1 later" + std::to_string(i), LockStrength::kUpdate));
  }
  EXPECT_EQ(owner.locked_prefix("table 1 1"), "table 1 ");
}

TEST_F(LockPrefixTest, KeepsTheStrengthOfItsLocks) {
  LockOwner owner(locks_, TransactionId(1));
  LockOwner other(locks_, TransactionId(2));
  lock_many(owner, "table 1 ", LockStrength::kNoKeyUpdate);
  EXPECT_EQ(owner.locked_prefix("table 1 1"), "table 1 ");
  // As foreign keys' checks do.
  EXPECT_TRUE(locks_.try_lock(other, "table 1 1", LockStrength::kKeyShare));
  EXPECT_FALSE(locks_.try_lock(other, "table 1 1", LockStrength::kShare));
  // A stronger lock is one of its own again.
  EXPECT_FALSE(locks_.try_lock(owner, "table 1 1", LockStrength::kUpdate));
  EXPECT_TRUE(locks_.try_lock(owner, "table 1 2", LockStrength::kUpdate));
  EXPECT_FALSE(locks_.try_lock(other, "table 1 2", LockStrength::kKeyShare));
  owner.release_all();
  EXPECT_TRUE(locks_.try_lock(other, "table 1 2", LockStrength::kUpdate));
}

TEST_F(LockPrefixTest, HoldersOfASpanAreToldByKeyAndByPrefix) {
  LockOwner owner(locks_, TransactionId(1));
  LockOwner other(locks_, TransactionId(2));
  lock_many(owner, "table 1 ", LockStrength::kUpdate);
  ASSERT_EQ(owner.locked_prefix("table 1 1"), "table 1 ");
  ASSERT_TRUE(locks_.try_lock(other, "table 2 1", LockStrength::kShare));
  const auto holders = [&](Bytes start, Bytes end) { return locks_.holders_in({std::move(start), std::move(end)}); };
  using Ids = std::vector<TransactionId>;
  EXPECT_EQ(holders("", ""), (Ids{TransactionId(1), TransactionId(2)}));
  EXPECT_EQ(holders("table 1 5", "table 1 6"), Ids{TransactionId(1)});
  EXPECT_EQ(holders("table 1", "table 2"), Ids{TransactionId(1)});
  EXPECT_EQ(holders("table 2", "table 2 1"), Ids{});
  EXPECT_EQ(holders("table 2 1", ""), Ids{TransactionId(2)});
}

TEST_F(LockPrefixTest, SharedLocksStayApart) {
  LockOwner owner(locks_, TransactionId(1));
  LockOwner other(locks_, TransactionId(2));
  lock_many(owner, "table 1 ", LockStrength::kKeyShare);
  lock_many(other, "table 1 ", LockStrength::kKeyShare);
  EXPECT_EQ(owner.locked_prefix("table 1 1"), "");
}

TEST_F(LockPrefixTest, WaitersAreGrantedWhenItGoes) {
  auto owner = std::make_unique<LockOwner>(locks_, TransactionId(1));
  LockOwner other(locks_, TransactionId(2));
  lock_many(*owner, "table 1 ");
  std::thread waiter([&] {
    runtime::InlineExecutor executor;
    const auto granted =
        runtime::block_on(executor, locks_.lock(&other, "table 1 never locked", LockStrength::kShare,
                                                {.policy = WaitPolicy::kBlock, .executor = &executor}));
    EXPECT_TRUE(granted.ok() && *granted);
  });
  while (locks_.counts().waiters == 0) {
    std::this_thread::yield();
  }
  EXPECT_EQ(locks_.describe(), (std::vector<std::string>{"table 1 never locked: 1=update <- 2=share"}));
  owner.reset();
  waiter.join();
  EXPECT_EQ(locks_.held(other, "table 1 never locked"), LockStrength::kShare);
}

}  // namespace
}  // namespace pando::txn
