#include "consensus/liveness/fabric.h"

#include <gtest/gtest.h>

namespace pando::liveness {
namespace {

constexpr NodeId kA{1};
constexpr NodeId kB{2};
constexpr uint64_t kMs = 1'000'000;
constexpr uint64_t kStart = 1000 * kMs;

Options options(NodeId self) { return {.self = self, .support_ns_min = 600 * kMs, .support_ns_max = 3000 * kMs}; }

Fabric started(NodeId self, const Identity& before = {}, uint64_t now = kStart) {
  Fabric fabric(options(self), before, now);
  EXPECT_TRUE(fabric.take_ready().persist.has_value());
  fabric.persisted();
  return fabric;
}

// Sends what `from` has for `to`, taking `delay` on the way.
void carry(Fabric& from, Fabric& to, uint64_t arrival) {
  for (const Message& message : from.take_ready().send) {
    to.step(message, arrival);
  }
}

class FabricTest : public testing::Test {
 protected:
  FabricTest() : a_(started(kA)), b_(started(kB)) { a_.watch(kB); }
  // A asks at `now`; request and answer each take `delay`.
  void ask(uint64_t now, uint64_t delay) {
    a_.tick(now);
    carry(a_, b_, now + delay);
    carry(b_, a_, now + 2 * delay);
  }
  Fabric a_;
  Fabric b_;
};

TEST_F(FabricTest, TrustEndsBeforeThePromiseDoes) {
  ask(kStart, 10 * kMs);
  const Support trusted = a_.from(kB);
  ASSERT_NE(trusted.epoch, 0U);
  EXPECT_EQ(trusted.epoch, b_.epoch_for(kA));
  // B promised from receipt, A counts from sending, less the margin for drift.
  EXPECT_EQ(b_.given(kA).until_ns, kStart + 610 * kMs);
  EXPECT_LT(trusted.until_ns, kStart + 600 * kMs);
  EXPECT_GT(trusted.until_ns, kStart + 595 * kMs);
}

TEST_F(FabricTest, AnEpochThatLapsedNeverComesBack) {
  ask(kStart, kMs);
  const Epoch first = b_.epoch_for(kA);
  b_.tick(kStart + 700 * kMs);
  EXPECT_EQ(b_.epoch_for(kA), 0U);
  EXPECT_FALSE(b_.supports(kA, first));
  ask(kStart + 800 * kMs, kMs);
  EXPECT_GT(b_.epoch_for(kA), first);
  EXPECT_FALSE(b_.supports(kA, first));
  EXPECT_EQ(a_.from(kB).epoch, b_.epoch_for(kA));
}

TEST_F(FabricTest, ASupporterThatRestartsHonoursWhatItPromised) {
  ask(kStart, kMs);
  const Epoch promised = b_.epoch_for(kA);
  const uint64_t restart = kStart + 100 * kMs;
  b_ = started(kB, {.incarnation = b_.incarnation(), .support_ns_max = 3000 * kMs}, restart);
  EXPECT_TRUE(b_.supports(kA, promised));
  b_.tick(restart + 2999 * kMs);
  EXPECT_TRUE(b_.supports(kA, promised));
  b_.tick(restart + 3000 * kMs);
  EXPECT_FALSE(b_.supports(kA, promised));
}

TEST_F(FabricTest, ARestartedSupporterGivesNewEpochs) {
  ask(kStart, kMs);
  const Epoch before = b_.epoch_for(kA);
  b_ = started(kB, {.incarnation = b_.incarnation(), .support_ns_max = 3000 * kMs}, kStart + 50 * kMs);
  ask(kStart + 300 * kMs, kMs);
  EXPECT_GT(b_.epoch_for(kA), before);
}

TEST_F(FabricTest, ARequesterThatRestartsBeginsANewEpoch) {
  ask(kStart, kMs);
  const Epoch before = b_.epoch_for(kA);
  a_ = started(kA, {.incarnation = a_.incarnation(), .support_ns_max = 3000 * kMs}, kStart + 50 * kMs);
  a_.watch(kB);
  ask(kStart + 50 * kMs, kMs);
  EXPECT_GT(b_.epoch_for(kA), before);
  EXPECT_FALSE(b_.supports(kA, before));
}

TEST_F(FabricTest, GivesNothingBeforeItsIncarnationIsDurable) {
  Fabric young(options(kB), {}, kStart);
  a_.tick(kStart);
  for (const Message& message : a_.take_ready().send) {
    young.step(message, kStart);
  }
  EXPECT_EQ(young.epoch_for(kA), 0U);
  EXPECT_TRUE(young.take_ready().send.empty());
}

TEST_F(FabricTest, AStalledDiskAsksForNothing) {
  a_.set_stalled(true);
  ask(kStart, kMs);
  EXPECT_EQ(a_.from(kB).until_ns, 0U);
  a_.set_stalled(false);
  ask(kStart + 10 * kMs, kMs);
  EXPECT_NE(a_.from(kB).until_ns, 0U);
}

TEST_F(FabricTest, AsksForLongerSupportOverSlowLinksWithinItsBound) {
  const uint64_t fast = a_.support_ns(kB);
  for (uint64_t i = 0; i < 20; ++i) {
    ask(kStart + i * 1000 * kMs, 150 * kMs);
  }
  EXPECT_GT(a_.support_ns(kB), fast + 2 * 300 * kMs - kMs);
  EXPECT_LE(a_.support_ns(kB), 3000 * kMs);
  for (uint64_t i = 20; i < 40; ++i) {
    ask(kStart + i * 10'000 * kMs, 4000 * kMs);
  }
  EXPECT_EQ(a_.support_ns(kB), 3000 * kMs);
}

TEST_F(FabricTest, ReportsWhatChanged) {
  ask(kStart, kMs);
  EXPECT_EQ(a_.take_ready().changed, std::vector<NodeId>{kB});
  a_.tick(kStart + 100 * kMs);
  a_.take_ready();
  a_.tick(kStart + 700 * kMs);
  EXPECT_EQ(a_.take_ready().changed, std::vector<NodeId>{kB});
}

TEST(FabricCodec, RoundTripsAndRefusesGarbage) {
  const Message message{Message::Type::kGrant, kA, kB, 3, 1234567890123, 600 * kMs, (3ULL << 32) + 7};
  Bytes bytes;
  encode(message, bytes);
  Message decoded;
  ASSERT_TRUE(decode(bytes, decoded));
  EXPECT_EQ(decoded, message);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(decode(ByteView(bytes).substr(0, size), decoded));
  }
  EXPECT_FALSE(decode(bytes + "x", decoded));
  Identity identity{7, 600 * kMs};
  Identity read;
  EXPECT_TRUE(decode(encode(identity), read));
  EXPECT_EQ(read, identity);
}

}  // namespace
}  // namespace pando::liveness
