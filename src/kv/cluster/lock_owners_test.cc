#include "kv/cluster/lock_owners.h"

#include <gtest/gtest.h>

namespace pando::kv {
namespace {

// Nothing here waits.
class IdleTimer final : public runtime::Timer {
 public:
  runtime::TimerId schedule(std::chrono::nanoseconds, std::function<void()>) override { return 1; }
  void cancel(runtime::TimerId) override {}
};

class SetClock final : public runtime::Clock {
 public:
  uint64_t monotonic_ns() override { return now_ns; }
  uint64_t wall_ns() override { return now_ns; }
  uint64_t now_ns = 0;
};

TEST(LockOwnersTest, TheTransactionsOfAGatewayThatIsGoneHoldAndGetNothing) {
  IdleTimer timer;
  txn::LockTable locks(&timer);
  SetClock clock;
  LockOwners owners(locks, clock);
  const TransactionId lost{7};
  const TransactionId other{8};
  const auto lock = [&](TransactionId transaction, NodeId gateway, ByteView key) {
    const LockOwners::Use use(owners, transaction, gateway);
    ASSERT_TRUE(locks.try_lock(use->owner, key, txn::LockStrength::kUpdate));
  };
  lock(lost, NodeId(2), "a");
  lock(other, NodeId(3), "b");
  EXPECT_TRUE(owners.knows(lost));
  owners.release_gateway(NodeId(2));
  EXPECT_FALSE(owners.knows(lost));
  EXPECT_TRUE(owners.knows(other));
  // It comes back, and goes on with the transaction whose locks were given to others.
  {
    const LockOwners::Use use(owners, lost, NodeId(2));
    EXPECT_TRUE(use.over());
    EXPECT_FALSE(owners.knows(lost));
  }
  EXPECT_FALSE(owners.knows(lost));
  EXPECT_EQ(owners.count(), 1);
  lock(TransactionId(9), NodeId(2), "a");
}

TEST(LockOwnersTest, WhoHasNoLockIsNotKept) {
  IdleTimer timer;
  txn::LockTable locks(&timer);
  SetClock clock;
  LockOwners owners(locks, clock);
  {
    const LockOwners::Use use(owners, TransactionId(7), NodeId(2));
  }
  EXPECT_EQ(owners.count(), 0);
}

TEST(LockOwnersTest, WhoIsRefusedGetsNothing) {
  IdleTimer timer;
  txn::LockTable locks(&timer);
  SetClock clock;
  LockOwners owners(locks, clock);
  EXPECT_FALSE(owners.refuses(TransactionId(7)));
  owners.refuse(TransactionId(7));
  EXPECT_TRUE(owners.refuses(TransactionId(7)));
  const LockOwners::Use use(owners, TransactionId(7), NodeId(2));
  EXPECT_TRUE(use.over());
}

TEST(LockOwnersTest, KnowsWhoHasBeenHereForLong) {
  IdleTimer timer;
  txn::LockTable locks(&timer);
  SetClock clock;
  LockOwners owners(locks, clock);
  const auto lock = [&](TransactionId transaction, ByteView key) {
    const LockOwners::Use use(owners, transaction, NodeId(2));
    ASSERT_TRUE(locks.try_lock(use->owner, key, txn::LockStrength::kUpdate));
  };
  clock.now_ns = 10;
  lock(TransactionId(7), "b");
  clock.now_ns = 20;
  lock(TransactionId(7), "d");
  lock(TransactionId(8), "c");
  EXPECT_TRUE(owners.any_since(locks.holders_in({"c", "e"}), 11));
  EXPECT_FALSE(owners.any_since(locks.holders_in({"c", "e"}), 10));
  EXPECT_FALSE(owners.any_since(locks.holders_in({"c", "d"}), 11));
  EXPECT_TRUE(owners.any_since(locks.holders_in({"c", "d"}), 21));
  owners.release(TransactionId(7), 0);
  EXPECT_FALSE(owners.any_since(locks.holders_in({"", ""}), 11));
}

}  // namespace
}  // namespace pando::kv
