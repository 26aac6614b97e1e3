#pragma once

// Nemesis: breaks nodes, links, disks and clocks, and moves shards about, until it is told to stop. Whatever it breaks
// it mends after a while; heal() mends everything at once.

#include <memory>
#include <vector>

#include "test/cluster_sim/options.h"
#include "test/cluster_sim/workload.h"

namespace pando::test {

class Nemesis {
 public:
  Nemesis(Scene& scene, const RunOptions& options, std::vector<std::unique_ptr<Workload>>& workloads);

  void start();
  // Starts what is down as well.
  void heal();

 private:
  void step();
  void apply(std::string_view fault);
  SimulatedClusterNode& some_node();
  // A shard and the node that leads it; null when there is none at the moment.
  SimulatedClusterNode* some_holder(kv::ShardDescriptor& descriptor);

  void crash(SimulatedClusterNode& node);
  void lose_power();
  void partition();
  void cut_one_way();
  void clog();
  void pause();
  void stall();
  void break_disk(bool full);
  void transfer();
  void move();
  void set_clock();
  // Nodes come, leave, and are lost for ever.
  void change_members();
  void lose_for_ever(SimulatedClusterNode& node);
  void decommission(SimulatedClusterNode& node);
  void watch_leaving(SimulatedClusterNode& node);
  // Whether no shard has a replica on such a node, as all nodes that are left see it. False while one of them is down.
  template <typename Predicate>
  bool nothing_is_on(Predicate&& predicate);
  std::size_t count_staying() const;
  Task<void> split();
  Task<void> merge(SqlProcess* gateway, Bytes boundary);
  void start_merge();

  Scene& scene_;
  sim::World& world_;
  Prng& prng_;
  SimulatedCluster& cluster_;
  const RunOptions& options_;
  std::vector<std::unique_ptr<Workload>>& workloads_;
  std::vector<std::string> usable_;
  Client client_;
  bool splitting_ = false;
  uint32_t splits_ = 0;
  bool merging_ = false;
};

}  // namespace pando::test
