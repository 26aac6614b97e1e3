// Replicated writes: three ReplicaHosts in one process, their journals synced to a real disk, their engines RocksDB,
// and messages handed over in memory. Closed-loop clients of the leader, one shard.
//
//   replica_bench DIRECTORY [seconds]
//
// The raw speed of the disk is measured first: one fdatasync after another, which is the least a write can take.

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <map>
#include <memory>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "base/mutex.h"
#include "kv/replica/replica_host.h"
#include "runtime/block_on.h"
#include "runtime/os/dedicated_executor.h"
#include "runtime/os/posix_disk.h"
#include "runtime/os/system_clock.h"
#include "runtime/os/system_timer.h"
#include "storage/rocksdb/rocksdb_engine.h"
#include "test/replica/record_machine.h"

namespace pando::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr ShardId kShard{1};
constexpr std::size_t kValueBytes = 100;

class Mesh;

class MeshTransport final : public runtime::Transport {
 public:
  MeshTransport(Mesh& mesh, NodeId self) : mesh_(mesh), self_(self) {}
  NodeId self() const override { return self_; }
  void send(NodeId to, runtime::Channel channel, Bytes message) override;
  void receive(runtime::Channel channel, Receiver receiver) override {
    receivers_[static_cast<std::size_t>(channel)] = std::move(receiver);
  }
  void observe(PeerObserver observer) override {}
  bool connected(NodeId peer) const override { return true; }
  void deliver(NodeId from, runtime::Channel channel, Bytes message) {
    receivers_[static_cast<std::size_t>(channel)](from, std::move(message));
  }

 private:
  Mesh& mesh_;
  const NodeId self_;
  std::array<Receiver, 4> receivers_;
};

class Mesh {
 public:
  MeshTransport& node(NodeId id) {
    auto& transport = transports_[id];
    if (transport == nullptr) {
      transport = std::make_unique<MeshTransport>(*this, id);
    }
    return *transport;
  }

 private:
  std::map<NodeId, std::unique_ptr<MeshTransport>> transports_;
};

// Receivers only queue, so they may run on the sender's thread.
void MeshTransport::send(NodeId to, runtime::Channel channel, Bytes message) {
  mesh_.node(to).deliver(self_, channel, std::move(message));
}

struct Node {
  Node(Mesh& mesh, uint32_t number, const std::string& directory)
      : actor(fmt::format("raft{}", number)),
        journal(fmt::format("journal{}", number)),
        bulk(fmt::format("bulk{}", number)) {
    std::filesystem::create_directories(directory);
    auto opened = storage::open_rocksdb_engine(
        {.directory = directory + "/state", .on_flushed = [this](const std::vector<storage::AppliedIndex>& flushed) {
           if (host != nullptr) {
             host->on_flushed(flushed);
           }
         }});
    engine = *std::move(opened);
    machine = std::make_unique<test::RecordMachine>(*engine);
    host = std::make_unique<kv::ReplicaHost>(
        kv::ReplicaOptions{.journal = {.directory = directory + "/journal", .preparer = &bulk}, .seed = number},
        kv::ReplicaEnvironment{.self = NodeId(number),
                               .engine = *engine,
                               .disk = disk,
                               .actor = actor,
                               .journal_writer = journal,
                               .bulk = bulk,
                               .clock = clock,
                               .timer = timer,
                               .transport = mesh.node(NodeId(number)),
                               .state_machine = *machine});
  }

  runtime::DedicatedExecutor actor;
  runtime::DedicatedExecutor journal;
  runtime::DedicatedExecutor bulk;
  runtime::PosixDisk disk;
  runtime::SystemClock clock;
  runtime::SystemTimer timer;
  std::unique_ptr<storage::Engine> engine;
  std::unique_ptr<test::RecordMachine> machine;
  std::unique_ptr<kv::ReplicaHost> host;
};

void check(const Status& status) {
  if (!status.ok()) {
    fmt::print(stderr, "{}\n", status.to_string());
    std::exit(1);
  }
}

double sync_microseconds(const std::string& directory) {
  constexpr int kSyncs = 500;
  const std::string path = directory + "/sync";
  const int file = ::open(path.c_str(), O_CREAT | O_RDWR, 0600);
  std::string block(4096, 'x');
  for (int i = 0; i < kSyncs; ++i) {
    if (::pwrite(file, block.data(), block.size(), static_cast<off_t>(i) * 4096) < 0) {
      std::exit(1);
    }
  }
  ::fsync(file);
  const auto start = Clock::now();
  for (int i = 0; i < kSyncs; ++i) {
    if (::pwrite(file, block.data(), block.size(), static_cast<off_t>(i) * 4096) < 0) {
      std::exit(1);
    }
    ::fdatasync(file);
  }
  ::close(file);
  return std::chrono::duration<double, std::micro>(Clock::now() - start).count() / kSyncs;
}

// A client that proposes again as soon as it is answered.
struct Load {
  kv::ReplicaHost& host;
  const uint64_t term;
  const uint64_t generation;
  std::atomic<bool> stopping{false};
  std::atomic<uint64_t> operations{0};
  std::atomic<int> running{0};
  std::atomic<uint64_t> failed{0};
  Mutex mutex{};
  std::vector<double> microseconds PANDO_GUARDED_BY(mutex){};

  void propose() {
    const uint64_t operation = ++operations;
    const auto start = Clock::now();
    host.propose({.shard = kShard,
                  .term = term,
                  .generation = generation,
                  .payload = encode(test::RecordCommand{operation, fmt::format("key {:010}", operation % 100'000),
                                                        Bytes(kValueBytes, 'v')}),
                  .done = [this, start](kv::ProposalResult result) {
                    failed += result.outcome == kv::ProposalOutcome::kApplied ? 0 : 1;
                    {
                      MutexLock lock(mutex);
                      microseconds.push_back(std::chrono::duration<double, std::micro>(Clock::now() - start).count());
                    }
                    if (stopping || result.outcome != kv::ProposalOutcome::kApplied) {
                      --running;
                    } else {
                      propose();
                    }
                  }});
  }
};

void run(std::vector<std::unique_ptr<Node>>& nodes, int clients, int seconds) {
  Node& leader = *nodes.front();
  const auto view = leader.host->view(kShard);
  while (!view->holds_lease(leader.clock.monotonic_ns())) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  const auto before = leader.host->statistics();
  Load load{.host = *leader.host, .term = view->term(), .generation = 1000};
  load.running = clients;
  const auto start = Clock::now();
  for (int i = 0; i < clients; ++i) {
    load.propose();
  }
  std::this_thread::sleep_for(std::chrono::seconds(seconds));
  load.stopping = true;
  while (load.running > 0) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  const double elapsed = std::chrono::duration<double>(Clock::now() - start).count();
  const auto after = leader.host->statistics();
  MutexLock lock(load.mutex);
  std::ranges::sort(load.microseconds);
  const std::size_t count = load.microseconds.size();
  fmt::print(
      "{:4} clients: {:8.0f} writes/s  p50 {:7.0f} us  p99 {:7.0f} us  {:.1f} writes per journal append, {} failed\n",
      clients, static_cast<double>(count) / elapsed, load.microseconds[count / 2], load.microseconds[count * 99 / 100],
      static_cast<double>(count) / static_cast<double>(after.journal_appends - before.journal_appends),
      load.failed.load());
}

int main_with(const std::string& directory, int seconds) {
  std::filesystem::remove_all(directory);
  std::filesystem::create_directories(directory);
  fmt::print("fdatasync alone: {:.0f} us\n", sync_microseconds(directory));
  Mesh mesh;
  std::vector<std::unique_ptr<Node>> nodes;
  for (uint32_t i = 1; i <= 3; ++i) {
    nodes.push_back(std::make_unique<Node>(mesh, i, fmt::format("{}/{}", directory, i)));
  }
  runtime::InlineExecutor executor;
  for (const auto& node : nodes) {
    check(runtime::block_on(executor, node->host->start(executor)));
  }
  std::promise<Status> founded;
  nodes[0]->host->bootstrap({{.id = kShard}}, [&](Status status) { founded.set_value(std::move(status)); });
  check(founded.get_future().get());
  while (!nodes[0]->host->view(kShard)->holds_lease(nodes[0]->clock.monotonic_ns())) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  std::promise<Status> grown;
  nodes[0]->host->change_replicas(kShard, {.add = {NodeId(2), NodeId(3)}},
                                  [&](const Result<kv::ShardDescriptor>& result) { grown.set_value(result.status()); });
  check(grown.get_future().get());
  for (const int clients : {1, 8, 32, 256}) {
    run(nodes, clients, seconds);
  }
  for (const auto& node : nodes) {
    check(runtime::block_on(executor, node->host->stop(executor)));
    node->host.reset();
  }
  for (const auto& node : nodes) {
    node->actor.stop();
    node->journal.stop();
    node->bulk.stop();
    node->engine.reset();
  }
  return 0;
}

}  // namespace
}  // namespace pando::bench

int main(int argc, char** argv) {
  if (argc < 2) {
    fmt::print(stderr, "usage: replica_bench DIRECTORY [seconds]\n");
    return 2;
  }
  return pando::bench::main_with(argv[1], argc > 2 ? std::atoi(argv[2]) : 5);
}
