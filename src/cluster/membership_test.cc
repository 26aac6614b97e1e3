#include "cluster/membership.h"

#include <filesystem>
#include <fstream>
#include <future>

#include <gtest/gtest.h>

#include "cluster/memory_node_directory.h"
#include "runtime/os/dedicated_executor.h"
#include "runtime/os/grpc_transport.h"
#include "runtime/os/posix_disk.h"
#include "runtime/os/system_clock.h"
#include "runtime/os/system_timer.h"
#include "test/support/temporary_directory.h"

namespace pando::cluster {
namespace {

using std::chrono::milliseconds;

// --- formats ---

NodeRecord sample_record() {
  return {.id = NodeId(3),
          .peer_address = "db3:6433",
          .sql_address = "db3:5433",
          .locality = {{"region", "eu"}, {"zone", "eu-1"}},
          .started_ns = 17,
          .state = NodeState::kDraining,
          .version = "0.1.0"};
}

TEST(ClusterFormatTest, NodeRecordsComeBack) {
  const NodeRecord record = sample_record();
  EXPECT_EQ(decode_node_record(encode(record)).value_or({}), record);
  Bytes newer = encode(record);
  newer[0] = 2;
  EXPECT_TRUE(decode_node_record(newer).status().is(sql_state::kFeatureNotSupported));
  for (std::size_t size = 0; size < encode(record).size(); ++size) {
    EXPECT_TRUE(decode_node_record(encode(record).substr(0, size)).status().is(sql_state::kDataCorrupted));
  }
}

TEST(ClusterFormatTest, LocalitiesAreParsed) {
  EXPECT_EQ(to_string(*parse_locality("region=eu,zone=eu-1")), "region=eu,zone=eu-1");
  EXPECT_TRUE(parse_locality("")->empty());
  for (const char* bad : {"eu", "=eu", "region=", "region=eu,region=us", "region=a b", ",", "a=b,,c=d"}) {
    EXPECT_TRUE(parse_locality(bad).status().is(sql_state::kInvalidParameterValue)) << bad;
  }
}

TEST(ClusterFormatTest, EveryByteOfTheIdentityFileIsChecked) {
  std::array<uint8_t, ClusterId::kBytes> bytes{7};
  const StoredIdentity identity{.cluster = ClusterId::from_random(bytes),
                                .node = NodeId(2),
                                .incarnation = 5,
                                .peers = {{NodeId(1), "db1:6433"}, {NodeId(3), "db3:6433"}}};
  const Bytes encoded = encode(identity);
  EXPECT_EQ(decode_identity(encoded).value_or({}), identity);
  for (std::size_t at = 0; at < encoded.size(); ++at) {
    Bytes damaged = encoded;
    damaged[at] ^= 1;
    EXPECT_FALSE(decode_identity(damaged).ok()) << at;
    EXPECT_FALSE(decode_identity(encoded.substr(0, at)).ok()) << at;
  }
  Bytes newer = encoded;
  newer[9] = 2;
  EXPECT_EQ(decode_identity(newer).status().to_string(),
            "0A000: the data directory was written by a newer Pando: its file NODE has format 2, this program knows 1");
}

TEST(ClusterFormatTest, CallsComeBack) {
  const Introduction introduction{.node = NodeId(4), .address = "a:1", .peers = {{NodeId(1), "b:2"}}};
  EXPECT_EQ(decode_introduction(encode(introduction)).value_or({}), introduction);
  const std::vector<NodeStatus> nodes{{.record = sample_record(), .connected = true}, {.record = sample_record()}};
  EXPECT_EQ(decode_node_list(encode(nodes)).value_or({}), nodes);
  const NodeCommand command{.node = NodeId(4), .state = NodeState::kDecommissioning};
  EXPECT_EQ(decode_node_command(encode(command)).value_or({}), command);
  EXPECT_FALSE(decode_introduction("short").ok());
  EXPECT_FALSE(decode_node_list("\x05").ok());
  EXPECT_FALSE(decode_node_command(Bytes(5, '\0')).ok());
}

// --- nodes ---

// A machine's clock that somebody may have set wrongly.
class SetClock final : public runtime::Clock {
 public:
  uint64_t wall_ns() override { return system_.wall_ns() + static_cast<uint64_t>(ahead_ns.load()); }
  uint64_t monotonic_ns() override { return system_.monotonic_ns(); }
  std::atomic<int64_t> ahead_ns{0};

 private:
  runtime::SystemClock system_;
};

class Node {
 public:
  Node(Bytes directory, const std::vector<std::string>& join, std::chrono::nanoseconds ahead = {}) {
    clock_.ahead_ns = ahead.count();
    transport_ = *runtime::GrpcTransport::open({.listen = "127.0.0.1:0"});
    // Its own address is known only once it listens, so the membership is made after that and served by this.
    transport_->serve([this](const std::string& method, Bytes request, runtime::Administration::Reply reply) {
      while (membership_ == nullptr) {
        std::this_thread::yield();
      }
      (*membership_).handler()(method, std::move(request), std::move(reply));
    });
    transport_->set_admission([this](NodeId node, const std::string&) { return (*membership_).admit(node); });
    EXPECT_TRUE(transport_->listen().ok());
    MembershipServices services{.network = *transport_,
                                .administration = *transport_,
                                .disk = disk_,
                                .clock = clock_,
                                .timer = timer_,
                                .executor = executor_,
                                .random = [] { return std::array<uint8_t, ClusterId::kBytes>{42}; },
                                .log = [](const std::string&) {},
                                .on_state = [this](NodeState state) { own_state_ = state; },
                                .on_wrong_clock = [this](const Status&) { wrong_clock_ = true; }};
    owned_ = std::make_unique<Membership>(MembershipOptions{.directory = std::move(directory),
                                                            .join = join,
                                                            .peer_address = address(),
                                                            .sql_address = "127.0.0.1:1",
                                                            .version = "test",
                                                            .retry_interval = milliseconds(20),
                                                            .refresh_interval = milliseconds(20),
                                                            .clock_interval = milliseconds(200)},
                                          std::move(services));
    membership_ = owned_.get();
  }
  ~Node() {
    stop();
    transport_->stop();
    executor_.stop();
  }
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  std::string address() { return transport_->advertised_address(); }
  Membership& membership() { return *owned_; }
  runtime::GrpcTransport& transport() { return *transport_; }
  NodeState own_state() const { return own_state_; }
  void set_ahead(std::chrono::nanoseconds ahead) { clock_.ahead_ns = ahead.count(); }
  bool wrong_clock() const { return wrong_clock_; }

  // Runs a coroutine on the membership's executor to its end.
  template <typename Coroutine>
  auto run(Coroutine coroutine) {
    auto ended = start(std::move(coroutine));
    return ended.get();
  }
  template <typename Coroutine>
  auto start(Coroutine coroutine) {
    using Value = std::decay_t<decltype(std::declval<decltype(coroutine())>().operator co_await().await_resume())>;
    auto promise = std::make_shared<std::promise<Value>>();
    auto future = promise->get_future();
    runtime::spawn(executor_, fulfil<Value>(std::move(coroutine), promise));
    return future;
  }
  void stop() {
    run([this]() -> Task<Status> {
      co_await owned_->stop();
      co_return Status();
    }).ignore("stop() has none");
  }
  Result<Established> establish() {
    return run([this] { return owned_->establish(); });
  }
  Status attach(NodeDirectory& directory) {
    transport_->start();

    return run([this, &directory] { return owned_->attach(directory); });
  }
  Result<Bytes> call(const std::string& to, const std::string& method, Bytes request = {}) {
    return run([this, to, method, request] {
      return cluster::call(*transport_, executor_, to, method, request, milliseconds(5000));
    });
  }

 private:
  template <typename Value, typename Coroutine>
  static Task<void> fulfil(Coroutine coroutine, std::shared_ptr<std::promise<Value>> promise) {
    promise->set_value(co_await coroutine());
  }

  runtime::PosixDisk disk_;
  SetClock clock_;
  runtime::SystemTimer timer_;
  runtime::DedicatedExecutor executor_{"membership"};
  std::atomic<NodeState> own_state_{NodeState::kActive};
  std::atomic<bool> wrong_clock_{false};
  std::atomic<Membership*> membership_{nullptr};
  std::unique_ptr<runtime::GrpcTransport> transport_;
  std::unique_ptr<Membership> owned_;
};

template <typename Predicate>
bool eventually(Predicate predicate) {
  for (int i = 0; i < 1000; ++i) {
    if (predicate()) {
      return true;
    }
    std::this_thread::sleep_for(milliseconds(10));
  }
  return false;
}

struct Directories {
  std::string operator[](int number) {
    std::string path = root.path() + "/" + std::to_string(number);
    std::filesystem::create_directories(path);
    return path;
  }
  test::TemporaryDirectory root;
};

TEST(MembershipTest, InitializeJoinRestartAndLeave) {
  Directories directories;
  MemoryNodeDirectory directory;
  auto one = std::make_unique<Node>(directories[1], std::vector<std::string>{"127.0.0.1:1"});
  Node two(directories[2], {"127.0.0.1:1", one->address()});
  auto joining = two.start([&] { return two.membership().establish(); });
  auto waiting = one->start([&] { return one->membership().establish(); });

  // Nothing is made by itself.
  EXPECT_EQ(waiting.wait_for(milliseconds(200)), std::future_status::timeout);
  ASSERT_TRUE(two.call(one->address(), method::kInitialize).ok());
  EXPECT_TRUE(two.call(one->address(), method::kInitialize).status().is(sql_state::kObjectNotInPrerequisiteState));
  const Result<Established> made = waiting.get();
  ASSERT_TRUE(made.ok()) << made.status().to_string();
  EXPECT_TRUE(made->founding && made->fresh);
  EXPECT_EQ(made->node, NodeId(1));

  // Nobody joins before the store is there.
  EXPECT_EQ(joining.wait_for(milliseconds(200)), std::future_status::timeout);
  ASSERT_TRUE(one->attach(directory).ok());
  const Result<Established> joined = joining.get();
  ASSERT_TRUE(joined.ok()) << joined.status().to_string();
  EXPECT_EQ(joined->node, NodeId(2));
  EXPECT_EQ(joined->cluster, made->cluster);
  EXPECT_TRUE(!joined->founding && joined->fresh);
  ASSERT_TRUE(two.attach(directory).ok());
  EXPECT_TRUE(eventually([&] { return one->transport().connected(NodeId(2)); }));
  EXPECT_TRUE(eventually([&] { return one->membership().nodes().size() == 2; }));

  // Node 1 comes back elsewhere, and finds the others.
  one.reset();
  one = std::make_unique<Node>(directories[1], std::vector<std::string>{two.address()});
  const Result<Established> back = one->establish();
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(back->node, NodeId(1));
  EXPECT_EQ(back->incarnation, 2);
  EXPECT_TRUE(!back->founding && !back->fresh);
  ASSERT_TRUE(one->attach(directory).ok());
  EXPECT_TRUE(eventually([&] { return two.transport().connected(NodeId(1)); }));

  // Draining and leaving.
  ASSERT_TRUE(one->call(two.address(), method::kSetState, encode(NodeCommand{.state = NodeState::kDraining})).ok());
  EXPECT_TRUE(eventually([&] { return two.own_state() == NodeState::kDraining; }));
  EXPECT_TRUE(
      one->call(two.address(), method::kSetState, encode(NodeCommand{.node = NodeId(9), .state = NodeState::kDraining}))
          .status()
          .is(sql_state::kUndefinedObject));
  ASSERT_TRUE(one->call(one->address(), method::kSetState,
                        encode(NodeCommand{.node = NodeId(2), .state = NodeState::kDecommissioned}))
                  .ok());
  EXPECT_TRUE(eventually([&] { return !one->transport().connected(NodeId(2)); }));
  const Result<Bytes> nodes = two.call(one->address(), method::kNodes);
  ASSERT_TRUE(nodes.ok());
  const auto list = decode_node_list(*nodes);
  ASSERT_TRUE(list.ok());
  ASSERT_EQ(list->size(), 2);
  EXPECT_EQ((*list)[1].record.state, NodeState::kDecommissioned);
}

TEST(MembershipTest, ADecommissionedNodeDoesNotComeBack) {
  Directories directories;
  MemoryNodeDirectory directory;
  {
    Node one(directories[1], {});
    auto waiting = one.start([&] { return one.membership().establish(); });
    ASSERT_TRUE(one.call(one.address(), method::kInitialize).ok());
    ASSERT_TRUE(waiting.get().ok());
    ASSERT_TRUE(one.attach(directory).ok());
    ASSERT_TRUE(
        one.call(one.address(), method::kSetState, encode(NodeCommand{.state = NodeState::kDecommissioned})).ok());
  }
  Node again(directories[1], {});
  ASSERT_TRUE(again.establish().ok());
  EXPECT_EQ(again.attach(directory).to_string(), "55000: node 1 was decommissioned");
}

TEST(MembershipTest, ANodeWhoseClockIsWrongMayNotStay) {
  Directories directories;
  MemoryNodeDirectory directory;
  Node one(directories[1], {});
  auto waiting = one.start([&] { return one.membership().establish(); });
  ASSERT_TRUE(one.call(one.address(), method::kInitialize).ok());
  ASSERT_TRUE(waiting.get().ok());
  ASSERT_TRUE(one.attach(directory).ok());
  Node two(directories[2], {one.address()});
  ASSERT_TRUE(two.establish().ok());
  ASSERT_TRUE(two.attach(directory).ok());
  {
    Node three(directories[3], {one.address()}, std::chrono::seconds(5));
    const Status refused = three.establish().status();
    EXPECT_TRUE(refused.is(sql_state::kObjectNotInPrerequisiteState)) << refused.to_string();
    EXPECT_TRUE(refused.message().starts_with("this node's clock is ")) << refused.to_string();
  }
  // The same node, with the right time; then its clock goes wrong while it runs.
  Node three(directories[3], {one.address()});
  ASSERT_TRUE(three.establish().ok());
  ASSERT_TRUE(three.attach(directory).ok());
  ASSERT_TRUE(eventually([&] { return one.membership().nodes().size() == 3; }));
  std::this_thread::sleep_for(milliseconds(500));
  EXPECT_FALSE(three.wrong_clock());
  three.set_ahead(std::chrono::seconds(-5));
  EXPECT_TRUE(eventually([&] { return three.wrong_clock(); }));
  EXPECT_FALSE(one.wrong_clock() || two.wrong_clock());
}

TEST(MembershipTest, AForeignOrDamagedDirectoryIsRefused) {
  Directories directories;
  std::ofstream(directories[1] + "/NODE") << "not an identity";
  Node one(directories[1], {});
  EXPECT_EQ(one.establish().status().to_string(),
            "XX001: the file NODE of the data directory is damaged: it does not begin as one");
}

TEST(MembershipTest, WaitingEndsWhenInterrupted) {
  Directories directories;
  Node one(directories[1], {"127.0.0.1:1"});
  auto waiting = one.start([&] { return one.membership().establish(); });
  EXPECT_EQ(waiting.wait_for(milliseconds(100)), std::future_status::timeout);
  one.membership().interrupt();
  EXPECT_TRUE(waiting.get().status().is(sql_state::kAdminShutdown));
}

}  // namespace
}  // namespace pando::cluster
