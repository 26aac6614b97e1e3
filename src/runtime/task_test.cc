#include "runtime/task.h"

#include <thread>

#include <gtest/gtest.h>

#include "base/status.h"
#include "runtime/block_on.h"
#include "runtime/cancellation.h"
#include "runtime/event.h"

namespace pando::runtime {
namespace {

Task<int> add(int a, int b) { co_return a + b; }

Task<Result<int>> fail_when_negative(int n) {
  if (n < 0) {
    co_return Status(sql_state::kNumericValueOutOfRange, "{} is negative", n);
  }
  co_return n;
}

Task<Result<int>> twice(int n) {
  PANDO_CO_ASSIGN(const int checked, co_await fail_when_negative(n));
  co_return co_await add(checked, checked);
}

Task<int> wait_for(Event& event) { co_return co_await event.wait(); }

TEST(Task, ReturnsValuesAndErrors) {
  InlineExecutor executor;
  EXPECT_EQ(block_on(executor, add(1, 2)), 3);
  EXPECT_EQ(*block_on(executor, twice(4)), 8);
  EXPECT_EQ(block_on(executor, twice(-1)).status().to_string(), "22003: -1 is negative");
}

Task<int64_t> sum_of_many(int n) {
  int64_t sum = 0;
  for (int i = 0; i < n; ++i) {
    sum += co_await add(i, 0);
  }
  co_return sum;
}

TEST(Task, AMillionAwaitsUseNoStack) {
  InlineExecutor executor;
  EXPECT_EQ(block_on(executor, sum_of_many(1000000)), 499999500000);
}

TEST(Event, WakesAcrossThreadsAndFirstSetWins) {
  InlineExecutor executor;
  Event event(executor);
  std::thread other([&] {
    EXPECT_TRUE(event.set(7));
    EXPECT_FALSE(event.set(8));
  });
  EXPECT_EQ(block_on(executor, wait_for(event)), 7);
  other.join();
}

TEST(Cancellation, WakesRegisteredWaitersOnce) {
  Cancellation cancellation;
  int calls = 0;
  {
    Cancellation::Registration registration(cancellation, [&](const Status& reason) {
      EXPECT_EQ(reason.message(), "first");
      ++calls;
    });
    cancellation.request(Status(sql_state::kQueryCanceled, "first"));
    cancellation.request(Status(sql_state::kAdminShutdown, "second"));
    EXPECT_EQ(calls, 1);
  }
  EXPECT_EQ(cancellation.status().message(), "first");
  Cancellation::Registration late(cancellation, [&](const Status&) { ++calls; });
  EXPECT_EQ(calls, 2);
  cancellation.reset();
  EXPECT_TRUE(cancellation.status().ok());
}

}  // namespace
}  // namespace pando::runtime
