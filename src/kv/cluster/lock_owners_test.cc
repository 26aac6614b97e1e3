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
  {
    const LockOwners::Use use(owners, lost, NodeId(2));
  }
  {
    const LockOwners::Use use(owners, other, NodeId(3));
  }
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
}

}  // namespace
}  // namespace pando::kv
