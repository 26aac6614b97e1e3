// What became of a commit over several shards is written on each of them later, when that costs least: nobody waits for
// it who does not meet what was written.

#include <gtest/gtest.h>

#include "test/cluster_store/two_shards.h"

namespace pando::kv {
namespace {

using namespace std::chrono_literals;
using txn::LockStrength;
using txn::WaitPolicy;

class ResolutionTest : public test::TwoShardsTest {
 protected:
  std::string write(const std::vector<Bytes>& keys, uint32_t gateway = 1) {
    const auto transaction = begin(gateway);
    for (const Bytes& key : keys) {
      const auto locked = cluster_.run(transaction->lock(key, LockStrength::kUpdate, WaitPolicy::kBlock));
      if (!locked.ok()) {
        return locked.status().to_string();
      }
      transaction->put(key, "v").ignore("the commit tells");
    }
    return cluster_.run(transaction->commit()).to_string();
  }
  std::size_t prepared(uint32_t node) { return cluster_.node(node).node().leaseholder().in_flight().prepared; }
  // Of virtual time.
  template <typename Action>
  std::chrono::nanoseconds time(Action action) {
    const uint64_t began_ns = world_.now_ns();
    action();
    return std::chrono::nanoseconds(world_.now_ns() - began_ns);
  }
};

TEST_F(ResolutionTest, GoesAlongWithTheNextEntry) {
  ASSERT_EQ(write({"a", "x"}), "OK");
  ASSERT_EQ(prepared(1), 1U);
  EXPECT_EQ(write({"b"}), "OK");
  EXPECT_EQ(prepared(1), 0U);
  EXPECT_EQ(prepared(2), 1U) << "no entry was written there since";
}

TEST_F(ResolutionTest, DoesNotWaitForLong) {
  ASSERT_EQ(write({"a", "x"}), "OK");
  cluster_.run_for(2ms);
  EXPECT_EQ(prepared(1) + prepared(2), 2U);
  cluster_.run_for(10ms);
  EXPECT_EQ(prepared(1) + prepared(2), 0U);
}

TEST_F(ResolutionTest, HurriesWhenItsRowIsRead) {
  ASSERT_EQ(write({"a", "x"}), "OK");
  EXPECT_LT(time([&] {
              const auto reader = begin(2);
              EXPECT_EQ(cluster_.run(reader->get("x")).value(), "v");
            }),
            4ms);
}

TEST_F(ResolutionTest, HurriesWhenItsRowIsToBeLocked) {
  ASSERT_EQ(write({"a", "x"}), "OK");
  EXPECT_LT(time([&] { EXPECT_EQ(write({"x"}, 2), "OK"); }), 5ms);
}

TEST_F(ResolutionTest, IsAtOnceWhenSomebodyWaitsAlready) {
  const auto transaction = begin(1);
  for (const Bytes& key : {Bytes("a"), Bytes("x")}) {
    ASSERT_TRUE(cluster_.run(transaction->lock(key, LockStrength::kUpdate, WaitPolicy::kBlock)).ok());
    ASSERT_TRUE(transaction->put(key, "v").ok());
  }
  const auto next = begin(2);
  std::optional<bool> locked;
  const auto waiter = [&]() -> Task<void> {
    locked = (co_await next->lock("x", LockStrength::kUpdate, WaitPolicy::kBlock)).ok();
  };
  runtime::spawn(world_, waiter());
  cluster_.run_for(100ms);
  ASSERT_EQ(cluster_.run(transaction->commit()).to_string(), "OK");
  EXPECT_LT(time([&] { cluster_.run_until(1s, [&] { return locked.has_value(); }); }), 4ms);
  EXPECT_EQ(locked, true);
  EXPECT_EQ(cluster_.run(next->get_latest("x")).value(), "v");
}

}  // namespace
}  // namespace pando::kv
