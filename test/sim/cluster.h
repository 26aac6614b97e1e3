#pragma once

// Cluster: machines, a network, clients and a nemesis in one World, and the run from beginning to end:
//
//   safety     all faults drawn for the seed; nothing may ever be wrong
//   liveness   the faults stop; within a stated time every group must have a leader and come to rest
//   end        replicas are identical, nothing acknowledged is missing

#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "sim/network.h"
#include "sim/world.h"
#include "test/sim/checker.h"
#include "test/sim/node.h"
#include "test/sim/options.h"

namespace pando::test {

class Cluster final : public multiraft::Directory {
 public:
  explicit Cluster(const RunOptions& options);
  ~Cluster() override;

  // Whether nothing was violated; see world().violation().
  bool run();

  sim::World& world() { return world_; }
  const RunOptions& options() const { return options_; }
  Checker& checker() { return checker_; }
  NodeId node_of(ShardId group, ReplicaId replica) const override { return NodeId(machine_of(replica)); }
  void transmit(multiraft::Envelope envelope, std::shared_ptr<const State> snapshot);
  // Whether a majority of the group knows for good that `replica` is removed. Before that it must not be destroyed:
  // those who do not know may need its vote. In production this is a question to the members.
  bool may_retire(ShardId group, ReplicaId replica) const;
  // The node has just committed something: the best moment to take it away.
  void tempt(Node& node);
  void tempt_leader(ShardId group);
  // The node is about to give its word to a leader.
  void tempt_follower(Node& node, ShardId group);
  void tempt_candidate(Node& node, ShardId group);
  // The leader has just committed a change of the configuration.
  void tempt_change(ShardId group);

  // checks.cc: what must hold across machines, asked when one of them has changed. A replica that is not running now
  // may be as it should be.
  //
  // Whoever has won has the votes of a majority, in both halves of a joint configuration.
  void check_votes(ShardId group, const raft::Raft& leader);
  // What a leader commits is of its own term, and durable on such a majority. `has_led`: for a while.
  void check_commit(ShardId group, const raft::Raft& leader, bool has_led);
  // Nobody else holds it, and such a majority is held to the holder.
  void check_lease(ShardId group, Node& holder, const raft::Raft& leader);

 private:
  void found_groups();
  // clients.cc
  void start_clients();
  void schedule_client(uint32_t client, uint64_t delay_ns);
  void act(uint32_t client);
  void write(uint32_t client, Node& node, ShardId group);
  void write_burst(Node& node, ShardId group, uint64_t count);
  // Checks what comes of it, then calls `done`.
  void read(Node& node, ShardId group, bool by_lease, std::function<void()> done);
  // nemesis.cc
  void schedule_fault();
  void inject();
  void inject_network(uint64_t choice);
  void inject_machine(Node& node, uint64_t choice);
  void inject_group(ShardId group, uint64_t choice);
  void isolate(const Node& node, uint64_t for_ns);
  void separate(const std::vector<bool>& side, uint64_t for_ns);
  void strand(ShardId group);
  void cut_off(Node& leader, ShardId group, const raft::Config& config);
  void lose_leader(ShardId group);
  void change_members(ShardId group);
  bool may_wipe(const Node& node) const;
  void heal();
  // the liveness phase and the end
  bool come_to_rest();
  bool group_at_rest(ShardId group, std::string& why);
  // checks.cc
  void check_promises();
  void schedule_promise_check();
  const raft::Raft* running(ShardId group, ReplicaId replica);

  uint64_t election_ns() const { return options_.raft.election_ticks * options_.host.tick_ns; }
  Node& machine(uint32_t number) { return *nodes_[number - 1]; }
  Node& any_machine() { return *nodes_[world_.prng().below(nodes_.size())]; }
  ShardId any_group() { return ShardId(1 + world_.prng().below(options_.group_count)); }
  Node* leader_of(ShardId group);
  // Any that takes itself for the leader; null when none does.
  Node* any_leader_of(ShardId group);
  // The latest configuration any state machine has applied.
  const State* newest(ShardId group) const;

  RunOptions options_;
  sim::World world_;
  sim::Network network_;
  Checker checker_;
  std::vector<std::unique_ptr<Node>> nodes_;
  bool safety_phase_ = true;
  uint64_t serial_ = 0;
  uint64_t payload_serial_ = 0;
  // Operations by client that have not come back; an answer to an older one is ignored.
  std::vector<uint64_t> turns_;
};

}  // namespace pando::test
