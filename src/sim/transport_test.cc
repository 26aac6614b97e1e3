#include "sim/transport.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace pando::sim {
namespace {

using runtime::Channel;

constexpr NodeId kOne{1};
constexpr NodeId kTwo{2};
constexpr uint64_t kSecond = 1'000'000'000;

struct Fixture {
  explicit Fixture(const NetworkOptions& options = {}, uint64_t seed = 1) : world(seed), network(world, options) {}

  SimTransport& boot(NodeId node) {
    SimTransport& transport = transports.boot(node);
    for (const Channel channel : runtime::kChannels) {
      transport.receive(channel, [this, node, channel](NodeId from, Bytes message) {
        received[{node, channel}].push_back(fmt::format("{}:{}", from.number(), message));
      });
    }
    transport.observe(
        [this, node](NodeId peer, bool connected) { told[{node, peer}].push_back(connected ? 'u' : 'd'); });
    return transport;
  }
  void run(uint64_t for_ns) { world.run_until(world.now_ns() + for_ns); }

  World world;
  Network network;
  TransportNetwork transports{world, network};
  std::map<std::pair<NodeId, Channel>, std::vector<std::string>> received;
  std::map<std::pair<NodeId, NodeId>, std::string> told;
};

TEST(SimTransportTest, DeliversInOrderOnEveryChannelAndToItself) {
  Fixture fixture;
  SimTransport& one = fixture.boot(kOne);
  fixture.boot(kTwo);
  one.send(kTwo, Channel::kConsensus, "before the connection");
  fixture.run(kSecond);
  ASSERT_TRUE(one.connected(kTwo));
  std::vector<std::string> expected;
  for (int i = 0; i < 200; ++i) {
    for (const Channel channel : runtime::kChannels) {
      one.send(kTwo, channel, std::to_string(i));
      one.send(kOne, channel, std::to_string(i));
    }
    expected.push_back(fmt::format("1:{}", i));
  }
  fixture.run(kSecond);
  for (const Channel channel : runtime::kChannels) {
    EXPECT_EQ((fixture.received[{kTwo, channel}]), expected);
    EXPECT_EQ((fixture.received[{kOne, channel}]), expected);
  }
}

// Whatever the network does, what one connection delivers is a prefix of what was sent on it, each message once.
TEST(SimTransportTest, LossBreaksTheConnectionAndNeverTheOrder) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    Fixture fixture({.loss = 0.01, .duplicate = 0.2, .spike = 0.05}, seed);
    SimTransport& one = fixture.boot(kOne);
    fixture.boot(kTwo);
    for (int i = 0; i < 2000; ++i) {
      one.send(kTwo, Channel::kRequests, std::to_string(i));
      fixture.run(5'000'000);
    }
    fixture.run(10 * kSecond);
    int last = -1;
    for (const std::string& message : fixture.received[{kTwo, Channel::kRequests}]) {
      const int number = std::stoi(message.substr(2));
      ASSERT_GT(number, last) << "seed " << seed;
      last = number;
    }
    EXPECT_GT(last, 1000) << "seed " << seed;
    EXPECT_NE((fixture.told[{kOne, kTwo}].find("ud")), std::string::npos) << "seed " << seed;
  }
}

// A message that nothing follows is missed all the same: the sender is told that the connection broke.
TEST(SimTransportTest, ALostLastMessageBreaksTheConnection) {
  Fixture fixture;
  SimTransport& one = fixture.boot(kOne);
  fixture.boot(kTwo);
  fixture.run(kSecond);
  fixture.network.block(kOne.number(), kTwo.number());
  one.send(kTwo, Channel::kRequests, "lost");
  fixture.run(10'000'000);
  fixture.network.unblock(kOne.number(), kTwo.number());
  fixture.run(3 * kSecond);
  EXPECT_EQ((fixture.told[{kOne, kTwo}]), "udu");
  EXPECT_TRUE((fixture.received[{kTwo, Channel::kRequests}].empty()));
}

TEST(SimTransportTest, SilenceInOneDirectionIsNoticedAndHeals) {
  Fixture fixture;
  SimTransport& one = fixture.boot(kOne);
  fixture.boot(kTwo);
  fixture.run(kSecond);
  fixture.network.block(kTwo.number(), kOne.number());
  fixture.run(5 * kSecond);
  EXPECT_FALSE(one.connected(kTwo));
  fixture.network.heal();
  fixture.run(2 * kSecond);
  EXPECT_TRUE(one.connected(kTwo));
  EXPECT_EQ((fixture.told[{kOne, kTwo}]), "udu");
  EXPECT_EQ((fixture.told[{kTwo, kOne}]), "udu");
}

TEST(SimTransportTest, ACrashBreaksAndABootConnects) {
  Fixture fixture;
  SimTransport& one = fixture.boot(kOne);
  fixture.boot(kTwo);
  fixture.run(kSecond);
  one.send(kTwo, Channel::kConsensus, "to a process that crashes");
  fixture.transports.crash(kTwo);
  fixture.run(kSecond);
  EXPECT_FALSE(one.connected(kTwo));
  fixture.boot(kTwo);
  fixture.run(kSecond);
  EXPECT_TRUE(one.connected(kTwo));
  EXPECT_TRUE((fixture.received[{kTwo, Channel::kConsensus}].empty()));
  EXPECT_EQ((fixture.told[{kOne, kTwo}]), "udu");
  EXPECT_EQ((fixture.told[{kTwo, kOne}]), "uu");
}

}  // namespace
}  // namespace pando::sim
