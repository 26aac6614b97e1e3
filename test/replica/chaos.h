#pragma once

// Chaos: one random run of nodes with replicas under faults, from one seed. Clients write and read through whoever
// holds the lease; shards are split, replicas moved, leases handed over; nodes crash, links break, disks fill up. Then
// the faults stop and everything must come to rest.
//
// Checked: what was acknowledged is there, what was refused or lost is not, on every replica; no two nodes hold a lease
// of a shard at a time; a read under a lease sees every write that was acknowledged before it began; replicas are
// identical; shards cover the keys.

#include <cstdint>
#include <map>
#include <string>

namespace pando::test {

struct ChaosResult {
  // Empty, or the violated invariant and what happened.
  std::string violation;
  uint64_t trace_hash = 0;
  uint64_t acknowledged = 0;
  std::map<std::string, uint64_t> probes;
};

ChaosResult run_chaos(uint64_t seed, bool verbose);

}  // namespace pando::test
