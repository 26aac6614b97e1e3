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

TEST(LockOwnersTest, TheTransactionsOfAGatewayThatIsGoneHoldAndGetNothing) {
  IdleTimer timer;
  txn::LockTable locks(&timer);
  LockOwners owners(locks);
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
  LockOwners owners(locks);
  {
    const LockOwners::Use use(owners, TransactionId(7), NodeId(2));
  }
  EXPECT_EQ(owners.count(), 0);
}

TEST(LockOwnersTest, WhoIsRefusedGetsNothing) {
  IdleTimer timer;
  txn::LockTable locks(&timer);
  LockOwners owners(locks);
  EXPECT_FALSE(owners.refuses(TransactionId(7)));
  owners.refuse(TransactionId(7));
  EXPECT_TRUE(owners.refuses(TransactionId(7)));
  const LockOwners::Use use(owners, TransactionId(7), NodeId(2));
  EXPECT_TRUE(use.over());
}

}  // namespace
}  // namespace pando::kv
