#pragma once

// What is drawn for one seed: the shape of the cluster, the knobs of the product, which workloads run and which faults
// may happen. A different subset each time finds more than everything at once (Groce et al., "Swarm Testing", 2012).

#include <array>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "test/cluster_store/simulated_cluster.h"

namespace pando::test {

// What can be turned off one by one, by name.
inline constexpr std::array<std::string_view, 20> kFaultClasses = {
    "loss",  "duplicate", "spike", "partition", "one-way", "clog",    "crash", "power", "pause",      "stall",
    "flush", "split",     "merge", "transfer",  "move",    "members", "clock", "drift", "disk error", "disk full"};
inline constexpr std::array<std::string_view, 7> kWorkloads = {"bank",     "append", "register", "ring",
                                                               "sequence", "ddl",    "past"};

using Names = std::set<std::string, std::less<>>;

struct RunOptions {
  uint64_t seed = 0;
  ClusterOptions cluster;
  Names workloads;
  Names faults;
  // Of each workload.
  uint32_t clients = 2;
  // Of the tables that workloads make.
  uint32_t shards_at_start = 1;
  uint64_t disturbed_ns = 0;
  // How long a node may be away before its replicas are made anew elsewhere, where there are placers.
  uint64_t grace_ns = 0;
  // Between two faults, on average.
  uint64_t fault_interval_ns = 0;
  // After the faults have stopped, everything must have come to rest within this.
  uint64_t settle_ns_max = 120'000'000'000;

  bool may(std::string_view fault) const { return faults.contains(fault); }
  std::string to_string() const;
};

// Faults and workloads that are `disabled` are not used, and their absence changes no other draw.
RunOptions draw_options(uint64_t seed, const Names& disabled);

}  // namespace pando::test
