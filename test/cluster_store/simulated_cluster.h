#pragma once

// SimulatedCluster: nodes with the whole replicated store each, in one sim::World: a gateway, replicas and leaseholders
// on every node, over a network and disks that fail. A node's disk and engine outlive its processes; a crash loses what
// was not synced and not flushed.
//
//   SimulatedCluster cluster(world, options);
//   cluster.found();                                    // one shard, with replicas on the first three nodes
//   auto transaction = cluster.node(2).store().begin({.executor = &world});
//   cluster.node(1).crash(); ... cluster.node(1).start();

#include <chrono>
#include <functional>
#include <memory>
#include <vector>

#include "kv/cluster/cluster_node.h"
#include "sim/clock.h"
#include "sim/disk.h"
#include "sim/network.h"
#include "sim/timer.h"
#include "sim/transport.h"
#include "sim/world.h"
#include "storage/memory/memory_engine.h"

namespace pando::test {

class SimulatedClusterNode;
struct ClusterProcess;

// What runs on a node on top of its store, for one life of its process.
class NodeService {
 public:
  virtual ~NodeService() = default;
  // The store has started; the transport already delivers.
  virtual void on_started() = 0;
  virtual void on_crash() = 0;
};

struct ClusterOptions {
  uint32_t nodes = 3;
  uint32_t replicas = 3;
  sim::NetworkOptions network;
  sim::DiskOptions disk;
  int64_t drift_ppm_max = 200;
  // Clocks are off by up to half of this from the true time, so up to this from each other.
  uint64_t clock_offset_max_ns = 50'000'000;
  kv::ClusterNodeOptions node;
  // May be empty. Called when the store is made and before it starts.
  std::function<std::unique_ptr<NodeService>(SimulatedClusterNode& node, ClusterProcess& process)> make_service;
};

class SimulatedCluster;

// One life of a node's process. After a crash it is kept, cut off from everything, for events still refer to it.
struct ClusterProcess {
  bool alive = true;
  bool started = false;
  bool start_failed = false;
  sim::SimTransport* transport = nullptr;
  std::unique_ptr<sim::SimTimer> timer;
  std::unique_ptr<storage::MemoryEngine> engine;
  std::unique_ptr<kv::ClusterNode> node;
  std::unique_ptr<NodeService> service;
};

class SimulatedClusterNode {
 public:
  SimulatedClusterNode(SimulatedCluster& cluster, NodeId id, int64_t drift_ppm, int64_t offset_ns);
  ~SimulatedClusterNode();

  void start();
  void crash();
  // Crashes and never comes back: the machine is gone, and its disk.
  void retire();
  bool retired() const { return retired_; }
  bool up() const { return process_ != nullptr; }
  bool down() const { return !up() && !retired_; }
  bool running() const { return up() && process_->started; }
  // Its store could not start, for its disk failed meanwhile: crash() and start() it again.
  bool start_failed() const { return up() && process_->start_failed; }

  NodeId id() const { return id_; }
  kv::ClusterStore& store() { return process_->node->store(); }
  kv::ClusterNode& node() { return *process_->node; }
  storage::MemoryEngine& engine() { return *process_->engine; }
  sim::MachineDisk& disk() { return disk_; }
  NodeService* service() { return up() ? process_->service.get() : nullptr; }
  // As SIGSTOP does, until SIGCONT: nothing comes in or goes out, no timer fires, no disk operation ends. What is
  // runnable at this moment still runs.
  void pause_until(uint64_t time_ns);
  sim::NodeClock& clock() { return clock_; }

 private:
  Task<void> run_start(ClusterProcess* process);

  SimulatedCluster& cluster_;
  const NodeId id_;
  sim::NodeClock clock_;
  sim::MachineDisk disk_;
  std::unique_ptr<storage::MemoryEngine> stored_;
  bool retired_ = false;
  std::unique_ptr<ClusterProcess> process_;
  std::vector<std::unique_ptr<ClusterProcess>> past_;
};

class SimulatedCluster {
 public:
  SimulatedCluster(sim::World& world, ClusterOptions options);
  ~SimulatedCluster();

  // Starts all nodes, founds the first shard on the first node and gives it replicas.
  void found();
  void run_for(std::chrono::nanoseconds time) { world_.run_until(world_.now_ns() + time.count()); }
  // Runs until `condition` holds; false when it does not within `time`.
  template <typename Condition>
  bool run_until(std::chrono::nanoseconds time, Condition&& condition) {
    const uint64_t end = world_.now_ns() + static_cast<uint64_t>(time.count());
    while (!condition() && world_.now_ns() < end && !world_.failed()) {
      run_for(std::chrono::milliseconds(1));
    }
    return condition();
  }
  // Runs a task to its end. REQUIRES: it ends within `time`.
  template <typename T>
  T run(Task<T> task, std::chrono::nanoseconds time = std::chrono::seconds(60)) {
    std::optional<T> value;
    runtime::spawn(world_, store_value(std::move(task), &value));
    run_until(time, [&] { return value.has_value(); });
    PANDO_ASSERT(value.has_value(), "a task comes to its end");
    return std::move(*value);
  }
  // The node that leads the shard of `key`; null when there is none at the moment.
  SimulatedClusterNode* leaseholder(ByteView key);
  SimulatedClusterNode* await_leaseholder(ByteView key);
  Status split(ShardId shard, Bytes key, ShardId right);
  Status transfer(ByteView key, NodeId to);

  // One line for each replica: why a test hangs.
  std::string describe();

  // A machine that was not there before. It is not started.
  SimulatedClusterNode& add_node();

  SimulatedClusterNode& node(uint32_t number) { return *nodes_.at(number - 1); }
  std::vector<std::unique_ptr<SimulatedClusterNode>>& nodes() { return nodes_; }
  std::vector<NodeId> others(NodeId self) const;
  sim::World& world() { return world_; }
  sim::Network& network() { return network_; }
  sim::TransportNetwork& transports() { return transports_; }
  const ClusterOptions& options() const { return options_; }

 private:
  template <typename T>
  static Task<void> store_value(Task<T> task, std::optional<T>* value) {
    value->emplace(co_await std::move(task));
  }

  sim::World& world_;
  const ClusterOptions options_;
  sim::Network network_;
  sim::TransportNetwork transports_;
  std::vector<std::unique_ptr<SimulatedClusterNode>> nodes_;
};

}  // namespace pando::test
