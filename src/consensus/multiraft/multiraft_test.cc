#include "consensus/multiraft/multiraft.h"

#include <gtest/gtest.h>

namespace pando::multiraft {
namespace {

constexpr uint64_t kMs = 1'000'000;
constexpr uint64_t kTickNs = 10 * kMs;

class OneNode : public Directory {
 public:
  NodeId node_of(ShardId, ReplicaId replica) const override {
    return NodeId(static_cast<NodeId::Number>(replica.number()));
  }
};

// A node that leads a group of its own, and asks another one for support of its leases.
class StallTest : public testing::Test {
 protected:
  void SetUp() override {
    node_.watch(NodeId(2));
    node_.add(ShardId(1), {.self = ReplicaId(1)}, {.config = raft::Config::of({1})});
    node_.campaign(ShardId(1));
    while (node_.has_ready()) {
      const Ready ready = node_.take_ready();
      if (ready.write.has_value()) {
        node_.persisted(ready.write->sequence);
      }
      for (const GroupApply& apply : ready.apply) {
        node_.applied(apply.group, apply.entries.back().index);
      }
    }
  }
  // A write that does not come to an end by itself.
  uint64_t write(std::size_t bytes) {
    EXPECT_TRUE(node_.propose(ShardId(1), Bytes(bytes, 'x')).has_value());
    const Ready ready = node_.take_ready();
    EXPECT_TRUE(ready.write.has_value());
    for (const GroupApply& apply : ready.apply) {
      node_.applied(apply.group, apply.entries.back().index);
    }
    return ready.write.has_value() ? ready.write->sequence : 0;
  }
  int requests_within(uint64_t time_ns) {
    int requests = 0;
    for (const uint64_t end_ns = now_ns_ + time_ns; now_ns_ < end_ns; now_ns_ += kTickNs) {
      node_.tick(now_ns_);
      for (const Envelope& envelope : node_.take_ready().send) {
        requests += static_cast<int>(envelope.liveness.size());
      }
    }
    return requests;
  }

  OneNode directory_;
  uint64_t now_ns_ = 1000 * kMs;
  MultiRaft node_{{.liveness = {.self = NodeId(1)}}, directory_, liveness::Identity(), 1, now_ns_};
};

TEST_F(StallTest, AsksForSupportUntilAWriteHasStalled) {
  write(100);
  EXPECT_GT(requests_within(400 * kMs), 0);
  requests_within(20 * kMs);
  EXPECT_EQ(requests_within(2000 * kMs), 0);
}

TEST_F(StallTest, ALargeWriteMayTakeLonger) {
  write(8'000'000);
  requests_within(420 * kMs);
  EXPECT_GT(requests_within(400 * kMs), 0);
  requests_within(200 * kMs);
  EXPECT_EQ(requests_within(2000 * kMs), 0);
}

TEST_F(StallTest, WhatHasComeToAnEndCountsNoMore) {
  // One is always on its way.
  uint64_t last = write(1'000'000);
  for (int i = 0; i < 20; ++i) {
    const uint64_t next = write(1'000'000);
    node_.persisted(last);
    last = next;
  }
  requests_within(550 * kMs);
  EXPECT_EQ(requests_within(2000 * kMs), 0);
}

}  // namespace
}  // namespace pando::multiraft
