#include "kv/cluster/deadlocks.h"

#include <gtest/gtest.h>

namespace pando::kv {
namespace {

WaitEdge wait(uint64_t waiter, uint64_t blocker) { return {TransactionId(waiter), TransactionId(blocker)}; }

TEST(Deadlocks, AChainOfWaitsIsNone) {
  EXPECT_TRUE(find_wait_cycles({wait(1, 2), wait(2, 3), wait(4, 3), wait(1, 3)}).empty());
}

TEST(Deadlocks, ACycleIsFoundWhateverHangsOnIt) {
  const auto cycles = find_wait_cycles({wait(9, 1), wait(1, 2), wait(2, 8), wait(2, 3), wait(3, 1)});
  ASSERT_EQ(cycles.size(), 1u);
  EXPECT_EQ(cycles[0].size(), 3u);
}

TEST(Deadlocks, SeparateCyclesAreAllFound) {
  EXPECT_EQ(find_wait_cycles({wait(1, 2), wait(2, 1), wait(5, 6), wait(6, 5)}).size(), 2u);
}

TEST(Deadlocks, TheYoungestDiesWhenTheCycleIsSeenTwice) {
  DeadlockDetector detector;
  EXPECT_TRUE(detector.round({wait(1, 2), wait(2, 1)}).empty());
  const auto victims = detector.round({wait(1, 2), wait(2, 1)});
  ASSERT_EQ(victims.size(), 1u);
  EXPECT_EQ(victims[0].transaction, TransactionId(2));
  EXPECT_EQ(victims[0].detail, "Transaction 1 waits for transaction 2.\nTransaction 2 waits for transaction 1.");
}

TEST(Deadlocks, ACycleThatWasGoneInBetweenStartsAnew) {
  DeadlockDetector detector;
  EXPECT_TRUE(detector.round({wait(1, 2), wait(2, 1)}).empty());
  EXPECT_TRUE(detector.round({wait(1, 2)}).empty());
  EXPECT_TRUE(detector.round({wait(1, 2), wait(2, 1)}).empty());
}

}  // namespace
}  // namespace pando::kv
