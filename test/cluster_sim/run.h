#pragma once

// One run of a simulated cluster with SQL clients, from one seed: set-up, then clients under faults, then rest, then
// checks. See README.md.

#include <map>
#include <string>

#include "test/cluster_sim/options.h"

namespace pando::test {

struct RunResult {
  // Empty, or the violated invariant and what happened.
  std::string invariant;
  std::string violation;
  uint64_t trace_hash = 0;
  uint64_t simulated_ns = 0;
  uint64_t events = 0;
  uint64_t statements = 0;
  uint64_t commits = 0;
  std::map<std::string, uint64_t> probes;
};

// Leaves behind what a crashed node's coroutines hold: meant for a process of its own.
RunResult run_cluster(const RunOptions& options, bool verbose);

}  // namespace pando::test
