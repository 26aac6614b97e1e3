#pragma once

// SimulatedHosts: nodes with a ReplicaHost each, in one sim::World. A node has a disk and an engine that outlive its
// processes; a crash loses what was not synced and not flushed.
//
//   SimulatedHosts hosts(world, options);
//   hosts.start_all();
//   hosts.found(NodeId(1), ShardId(1));
//   hosts.settle(5s);
//   hosts.node(2).crash(); ... hosts.node(2).start();

#include <array>
#include <chrono>
#include <deque>
#include <map>
#include <memory>

#include "kv/replica/replica_host.h"
#include "sim/clock.h"
#include "sim/disk.h"
#include "sim/network.h"
#include "sim/timer.h"
#include "sim/world.h"
#include "storage/memory/memory_engine.h"
#include "test/replica/record_machine.h"

namespace pando::test {

struct HostsOptions {
  uint32_t nodes = 3;
  sim::NetworkOptions network;
  sim::DiskOptions disk;
  int64_t drift_ppm_max = 200;
  kv::ReplicaOptions replica;
};

// Messages of one channel between two nodes arrive in order, like on a connection; what is lost on the way comes with
// what follows it.
class HostsTransport final : public runtime::Transport {
 public:
  HostsTransport(class SimulatedHosts& hosts, NodeId self, uint64_t life) : hosts_(hosts), self_(self), life_(life) {}
  NodeId self() const override { return self_; }
  void send(NodeId to, runtime::Channel channel, Bytes message) override;
  void receive(runtime::Channel channel, Receiver receiver) override {
    receivers_[index(channel)] = std::move(receiver);
  }
  void observe(PeerObserver observer) override {}
  bool connected(NodeId peer) const override { return true; }
  void deliver(NodeId from, runtime::Channel channel, Bytes message);

 private:
  static std::size_t index(runtime::Channel channel) { return static_cast<std::size_t>(channel) - 1; }

  SimulatedHosts& hosts_;
  const NodeId self_;
  const uint64_t life_;
  std::array<Receiver, runtime::kChannelCount> receivers_;
};

class SimulatedNode {
 public:
  SimulatedNode(SimulatedHosts& hosts, NodeId id, int64_t drift_ppm);
  ~SimulatedNode();

  void start();
  void crash();
  bool up() const { return host_ != nullptr; }
  bool running() const { return up() && started_; }
  bool start_failed() const { return up() && start_failed_; }
  // A clean stop, waited for by running the world.
  void stop();

  NodeId id() const { return id_; }
  kv::ReplicaHost& host() { return *host_; }
  RecordMachine& machine() { return *machine_; }
  storage::MemoryEngine& engine() { return *engine_; }
  sim::NodeClock& clock() { return clock_; }
  sim::MachineDisk& disk() { return disk_; }
  HostsTransport* transport() { return transport_.get(); }
  uint64_t life() const { return life_; }
  // Serves `shard` now.
  bool serves(ShardId shard);
  std::vector<kv::ShardStatus> inspect();

  bool engine_fails = false;

 private:
  static Task<void> run_start(SimulatedNode* node, uint64_t life);
  static Task<void> run_stop(SimulatedNode* node, bool* done);

  SimulatedHosts& hosts_;
  const NodeId id_;
  sim::NodeClock clock_;
  sim::MachineDisk disk_;
  uint64_t life_ = 0;
  bool started_ = false;
  bool start_failed_ = false;
  std::unique_ptr<storage::MemoryEngine> engine_;
  std::unique_ptr<sim::SimTimer> timer_;
  std::unique_ptr<HostsTransport> transport_;
  std::unique_ptr<RecordMachine> machine_;
  std::unique_ptr<kv::ReplicaHost> host_;
  // What earlier lives have left may still be referred to by events under way.
  std::vector<std::unique_ptr<HostsTransport>> old_transports_;
  std::vector<std::unique_ptr<storage::MemoryEngine>> old_engines_;
  std::vector<std::unique_ptr<RecordMachine>> old_machines_;
  std::vector<std::unique_ptr<sim::SimTimer>> old_timers_;
};

class SimulatedHosts {
 public:
  SimulatedHosts(sim::World& world, HostsOptions options);
  ~SimulatedHosts();

  void start_all();
  // Makes the first replica of `shard`, over all keys, on `node`.
  void found(NodeId node, ShardId shard);
  void run_for(std::chrono::nanoseconds time) { world_.run_until(world_.now_ns() + time.count()); }
  // Runs until `condition` holds; false when it does not within `time`.
  template <typename Condition>
  bool run_until(std::chrono::nanoseconds time, Condition&& condition) {
    const uint64_t end = world_.now_ns() + static_cast<uint64_t>(time.count());
    while (!condition() && world_.now_ns() < end && !world_.failed()) {
      run_for(std::chrono::milliseconds(5));
    }
    return condition();
  }
  // The node that serves the shard; null for none.
  SimulatedNode* leaseholder(ShardId shard);
  // Waits until somebody serves.
  SimulatedNode* await_leaseholder(ShardId shard);
  Result<kv::ShardDescriptor> change(ShardId shard, kv::ReplicaChange change);
  Status transfer(ShardId shard, NodeId to);
  Result<kv::ShardDescriptor> split(ShardId shard, Bytes key, ShardId right);
  // Takes all steps of a merge; calls back with the left descriptor, or why it has not happened (yet).
  void start_merge(ShardId left, ShardId right, kv::DescriptorCallback done);
  Result<kv::ShardDescriptor> merge(ShardId left, ShardId right);
  // Gets shards out of merges that nobody goes on with.
  void recover_merges();
  kv::ProposalResult write(ShardId shard, RecordCommand command);
  // OK, or how replicas of a shard differ, or what has not come to rest.
  Status check_identical();

  SimulatedNode& node(uint32_t number) { return *nodes_.at(number - 1); }
  std::vector<std::unique_ptr<SimulatedNode>>& nodes() { return nodes_; }
  sim::World& world() { return world_; }
  sim::Network& network() { return network_; }
  const HostsOptions& options() const { return options_; }

  void send(NodeId from, NodeId to, runtime::Channel channel, Bytes message, uint64_t life);
  // Loses what is under way between nodes that do not run, or are cut off.
  void reset_flows(NodeId node);

 private:
  struct Flow {
    uint64_t sent = 0;
    std::deque<std::pair<uint64_t, Bytes>> queue;
  };
  using FlowName = std::tuple<NodeId, NodeId, runtime::Channel>;

  struct MergeUnderWay {
    ShardId left;
    ShardId right;
    kv::DescriptorCallback done;
    SimulatedNode* node = nullptr;
    uint64_t life = 0;
    kv::MergingInto into;
    kv::ShardDescriptor merging;
    std::set<NodeId> ready;
    uint64_t deadline_ns = 0;
  };
  void await_replicas(const std::shared_ptr<MergeUnderWay>& merge);
  // The node with a running replica of the shard that its consensus group follows; null for none.
  SimulatedNode* consensus_leader(ShardId shard);
  void transmit(const FlowName& name, const std::shared_ptr<Flow>& flow, uint64_t number);

  sim::World& world_;
  const HostsOptions options_;
  sim::Network network_;
  std::map<FlowName, std::shared_ptr<Flow>> flows_;
  std::vector<std::unique_ptr<SimulatedNode>> nodes_;
};

}  // namespace pando::test
