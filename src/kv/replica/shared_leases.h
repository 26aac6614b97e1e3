#pragma once

// SharedLeases: the leases of idle shards, renewed together.
//
// A lease rests on promises between nodes. Leases of shards that have as many voters, on the same nodes, and fortified
// in the same epochs, end at the same moment, and what prolongs one of them prolongs all. So ten thousand idle shards
// cost a look at one consensus group for each set of nodes, and a store into each view.
//
// A replica is here only while nothing happens to its group: whoever looks at it takes it out (ReplicaCore::refresh).
// Data of the host's actor.

#include <compare>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "base/ids.h"

namespace pando::kv {

struct Replica;

// What a lease rests on.
struct LeaseBasis {
  // The leader among them.
  std::size_t voters = 0;
  // Of the others: their nodes, in rising order, each with the epoch in which the voter is fortified.
  std::vector<std::pair<NodeId, uint64_t>> promises;
  friend auto operator<=>(const LeaseBasis&, const LeaseBasis&) = default;
};

struct SharedLease {
  LeaseBasis basis;
  // The least that any of the views shows.
  uint64_t until_ns = 0;
  // Never empty.
  std::vector<Replica*> replicas;
};

class SharedLeases {
 public:
  // The view shows `until_ns`. REQUIRES: it is not here.
  void add(Replica& replica, LeaseBasis basis, uint64_t until_ns);
  // Returns whether it was here.
  bool remove(Replica& replica);
  // Shows the new end in all views.
  static void prolong(SharedLease& lease, uint64_t until_ns);

  std::map<LeaseBasis, SharedLease>::iterator begin() { return leases_.begin(); }
  std::map<LeaseBasis, SharedLease>::iterator end() { return leases_.end(); }

 private:
  std::map<LeaseBasis, SharedLease> leases_;
};

}  // namespace pando::kv
