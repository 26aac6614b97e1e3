#include "runtime/os/grpc_transport.h"

#include <condition_variable>
#include <mutex>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace pando::runtime {
namespace {

using std::chrono::milliseconds;

ClusterId cluster_of(uint8_t number) {
  std::array<uint8_t, ClusterId::kBytes> bytes{};
  bytes.fill(number);
  return ClusterId::from_random(bytes);
}

// A node, and what it has seen.
class Node {
 public:
  explicit Node(GrpcTransportOptions options = {}) {
    if (options.listen.empty()) {
      options.listen = "127.0.0.1:0";
    }
    options.log = [this](const std::string& line) { note([&] { log_.push_back(line); }); };
    auto opened = GrpcTransport::open(std::move(options));
    EXPECT_TRUE(opened.ok()) << opened.status().to_string();
    transport_ = *std::move(opened);
    for (const Channel channel : kChannels) {
      transport_->receive(channel, [this, channel](NodeId from, Bytes message) {
        note([&] { received_[channel].emplace_back(from, std::move(message)); });
      });
    }
    transport_->observe([this](NodeId peer, bool connected) { note([&] { told_[peer] += connected ? 'u' : 'd'; }); });
    transport_->serve([](const std::string& method, Bytes request, Administration::Reply reply) {
      if (method == "echo") {
        reply(std::move(request));
      } else if (method == "fail") {
        reply(Status(sql_state::kUndefinedTable, "no {}", request).with_detail("detail").with_hint("hint"));
      }
      // Anything else drops its reply.
    });
  }
  ~Node() { transport_->stop(); }
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  Node& listen() {
    const Status status = transport_->listen();
    EXPECT_TRUE(status.ok()) << status.to_string();
    return *this;
  }
  Node& join(uint32_t node, ClusterId cluster = cluster_of(1)) {
    transport_->join({.cluster = cluster, .node = NodeId(node), .incarnation = 1});
    transport_->start();
    return *this;
  }
  GrpcTransport& operator*() { return *transport_; }
  GrpcTransport* operator->() { return transport_.get(); }
  std::string address() { return transport_->advertised_address(); }

  template <typename Predicate>
  bool wait(Predicate predicate, milliseconds timeout = milliseconds(10000)) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, timeout, predicate);
  }
  bool wait_told(uint32_t peer, const std::string& sequence) {
    return wait([&] { return told_[NodeId(peer)] == sequence; });
  }
  bool wait_log(const std::string& part) {
    return wait([&] {
      return std::any_of(log_.begin(), log_.end(),
                         [&](const std::string& line) { return line.find(part) != std::string::npos; });
    });
  }
  bool wait_received(Channel channel, std::size_t count) {
    return wait([&] { return received_[channel].size() >= count; });
  }
  std::vector<std::pair<NodeId, Bytes>> received(Channel channel) {
    std::scoped_lock lock(mutex_);
    return received_[channel];
  }

  Result<Bytes> call(const std::string& address, const std::string& method, Bytes request,
                     milliseconds timeout = milliseconds(5000)) {
    std::optional<Result<Bytes>> result;
    transport_->call(address, method, std::move(request), timeout,
                     [&](Result<Bytes> reply) { note([&] { result.emplace(std::move(reply)); }); });
    EXPECT_TRUE(wait([&] { return result.has_value(); }));
    return *result;
  }

  template <typename Change>
  void note(Change change) {
    std::scoped_lock lock(mutex_);
    change();
    changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<Channel, std::vector<std::pair<NodeId, Bytes>>> received_;
  std::map<NodeId, std::string> told_;
  std::vector<std::string> log_;
  std::unique_ptr<GrpcTransport> transport_;
};

void connect(Node& one, Node& two) {
  one->set_peer(two->self(), two.address());
  ASSERT_TRUE(one.wait_told(two->self().number(), "u"));
  ASSERT_TRUE(two.wait_told(one->self().number(), "u"));
}

TEST(GrpcTransportTest, DeliversInOrderOnEveryChannelBothWaysAndToItself) {
  Node one;
  Node two;
  one.listen().join(1);
  two.listen().join(2);
  connect(one, two);
  constexpr int kCount = 5000;
  for (int i = 0; i < kCount; ++i) {
    for (const Channel channel : kChannels) {
      one->send(NodeId(2), channel, std::to_string(i));
      two->send(NodeId(1), channel, std::to_string(i));
    }
    one->send(NodeId(1), Channel::kConsensus, fmt::format("self {}", i));
  }
  for (const Channel channel : kChannels) {
    ASSERT_TRUE(two.wait_received(channel, kCount));
    ASSERT_TRUE(one.wait_received(channel, channel == Channel::kConsensus ? 2 * kCount : kCount));
    const auto received = two.received(channel);
    ASSERT_EQ(received.size(), kCount);
    for (int i = 0; i < kCount; ++i) {
      ASSERT_EQ(received[i], std::make_pair(NodeId(1), std::to_string(i)));
    }
  }
  int own = 0;
  for (const auto& [from, message] : one.received(Channel::kConsensus)) {
    if (from == NodeId(1)) {
      ASSERT_EQ(message, fmt::format("self {}", own++));
    }
  }
  EXPECT_EQ(own, kCount);
}

TEST(GrpcTransportTest, CarriesMessagesOfEverySize) {
  Node one;
  Node two;
  one.listen().join(1);
  two.listen().join(2);
  connect(one, two);
  std::vector<Bytes> sent;
  for (const std::size_t size : {0UL, 1UL, 255UL, 256UL, 257UL, 16_KiB - 1, 16_KiB, 16_KiB + 1, 1_MiB, 3_MiB, 64_MiB}) {
    Bytes message(size, static_cast<char>('a' + sent.size()));
    sent.push_back(message);
    one->send(NodeId(2), Channel::kBulk, message);
    // Queued behind it, in the same frame or the next.
    sent.emplace_back("small");
    one->send(NodeId(2), Channel::kBulk, "small");
  }
  ASSERT_TRUE(two.wait_received(Channel::kBulk, sent.size()));
  const auto received = two.received(Channel::kBulk);
  for (std::size_t i = 0; i < sent.size(); ++i) {
    EXPECT_TRUE(received[i].second == sent[i]) << "message " << i << " of " << sent[i].size() << " bytes";
  }
}

TEST(GrpcTransportTest, DropsForUnknownPeersAndOverTheLimit) {
  Node one({.queue_bytes_max = 1_MiB});
  Node two;
  one.listen().join(1);
  two.listen().join(2);
  one->send(NodeId(7), Channel::kRequests, "nobody");
  EXPECT_EQ(one->counters().messages_dropped, 1);
  connect(one, two);
  for (int i = 0; i < 2000; ++i) {
    one->send(NodeId(2), Channel::kBulk, Bytes(256_KiB, 'x'));
  }
  const uint64_t dropped = one->counters().messages_dropped - 1;
  EXPECT_GT(dropped, 0);
  EXPECT_TRUE(two.wait_received(Channel::kBulk, 2000 - dropped));
}

TEST(GrpcTransportTest, NoticesTheEndOfAPeerAndItsReturnOnAnotherAddress) {
  Node one;
  one.listen().join(1);
  {
    Node two;
    two.listen().join(2);
    connect(one, two);
    EXPECT_TRUE(one->connected(NodeId(2)));
  }
  ASSERT_TRUE(one.wait_told(2, "ud"));
  EXPECT_FALSE(one->connected(NodeId(2)));
  Node again;
  again.listen().join(2);
  // It knows where node 1 is; node 1 learns from it where it is now.
  again->set_peer(NodeId(1), one.address());
  ASSERT_TRUE(one.wait_told(2, "udu"));
  one->send(NodeId(2), Channel::kConsensus, "welcome back");
  EXPECT_TRUE(again.wait_received(Channel::kConsensus, 1));
}

TEST(GrpcTransportTest, AForgottenPeerIsDisconnectedAndKeptOut) {
  Node one;
  Node two;
  std::atomic<bool> gone = false;
  two->set_admission([&](NodeId, const std::string&) {
    return gone ? Status(sql_state::kInsufficientPrivilege, "it was decommissioned") : Status();
  });
  one.listen().join(1);
  two.listen().join(2);
  connect(one, two);
  gone = true;
  two->remove_peer(NodeId(1));
  EXPECT_TRUE(one.wait_told(2, "ud"));
  EXPECT_TRUE(two.wait_told(1, "ud"));
  EXPECT_TRUE(one.wait_log("refused: it was decommissioned"));
}

TEST(GrpcTransportTest, RefusesANodeOfAnotherClusterOnBothSides) {
  Node one;
  Node stranger;
  one.listen().join(1);
  stranger.listen().join(2, cluster_of(2));
  stranger->set_peer(NodeId(1), one.address());
  const std::string reason = fmt::format("the connecting node belongs to cluster {}, this one to {}",
                                         cluster_of(2).to_string(), cluster_of(1).to_string());
  EXPECT_TRUE(one.wait_log(reason));
  EXPECT_TRUE(stranger.wait_log("refused: " + reason));
  EXPECT_TRUE(one.wait([&] { return one.told_[NodeId(2)].empty(); }));
}

TEST(GrpcTransportTest, RefusesWhoIsMistakenForAnother) {
  Node one;
  Node two;
  one.listen().join(1);
  two.listen().join(2);
  two->set_peer(NodeId(3), one.address());
  EXPECT_TRUE(two.wait_log("this is node 1, not node 3"));
  two->remove_peer(NodeId(3));
  // Two processes of one identity: the later takes the place of the earlier, as after a restart.
  connect(two, one);
  Node twin;
  twin.listen().join(1);
  twin->set_peer(NodeId(2), two.address());
  ASSERT_TRUE(two.wait([&] { return two.told_[NodeId(1)].starts_with("ud"); }));
}

TEST(GrpcTransportTest, RefusesBeforeItJoinsAndByAdmission) {
  Node one;
  Node two;
  one->set_admission([](NodeId node, const std::string&) {
    return Status(sql_state::kInsufficientPrivilege, "node {} was decommissioned", node.number());
  });
  one.listen();
  two.listen().join(2);
  two->set_peer(NodeId(1), one.address());
  EXPECT_TRUE(two.wait_log("does not belong to a cluster yet"));
  one.join(1);
  EXPECT_TRUE(two.wait_log("node 2 was decommissioned"));
}

TEST(GrpcTransportTest, Administration) {
  Node one;
  Node two;
  one.listen();
  two.listen();
  EXPECT_EQ(two.call(one.address(), "echo", Bytes(3_MiB, 'x')).value_or("failed"), Bytes(3_MiB, 'x'));
  const Result<Bytes> failed = two.call(one.address(), "fail", "table");
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.status().to_string(), "42P01: no table");
  EXPECT_EQ(failed.status().fields().detail, "detail");
  EXPECT_EQ(failed.status().fields().hint, "hint");
  EXPECT_TRUE(two.call(one.address(), "dropped", "").status().is(sql_state::kAdminShutdown));
  EXPECT_TRUE(two.call("127.0.0.1:1", "echo", "").status().is(sql_state::kConnectionFailure));
  EXPECT_TRUE(two.call("nonsense", "echo", "").status().is(sql_state::kInvalidParameterValue));
  EXPECT_TRUE(two.call("192.0.2.1:26257", "echo", "").status().is(sql_state::kConfigFileError));
}

TEST(GrpcTransportTest, RefusesToListenBeyondLoopbackInPlaintext) {
  EXPECT_TRUE(GrpcTransport::open({.listen = "0.0.0.0:0"}).status().is(sql_state::kConfigFileError));
  EXPECT_TRUE(GrpcTransport::open({.listen = "127.example.com:0"}).status().is(sql_state::kConfigFileError));
  EXPECT_TRUE(GrpcTransport::open({.listen = "127.0.0.1:0", .advertise = "db.example.com:1"})
                  .status()
                  .is(sql_state::kConfigFileError));
  EXPECT_TRUE(GrpcTransport::open({.listen = "0.0.0.0:0", .insecure = true}).ok());
  EXPECT_TRUE(GrpcTransport::open({.listen = "127.0.0.1"}).status().is(sql_state::kInvalidParameterValue));
  Node one;
  one.listen();
  auto second = GrpcTransport::open({.listen = one.address()});
  ASSERT_TRUE(second.ok());
  EXPECT_TRUE((*second)->listen().is(sql_state::kConnectionFailure));
}

}  // namespace
}  // namespace pando::runtime
