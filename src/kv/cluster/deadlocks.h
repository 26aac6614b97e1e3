#pragma once

// Deadlocks that span nodes: a cycle in the union of all nodes' waits. Each node's lock table finds its own at once
// (txn/lock_table.h); this finds the rest within a second. The nodes' waits are not collected at one moment, so a cycle
// counts only when it is seen twice in a row. The youngest transaction of a cycle is the victim, by its id, so that
// every node that looks picks the same; the one where it waits ends the wait with 40P01.
//
//   auto victims = detector.round(edges_of_all_nodes);
//
// Pure. One thread at a time.

#include <set>
#include <vector>

#include "base/ids.h"
#include "kv/cluster/node_requests.h"

namespace pando::kv {

struct DeadlockVictim {
  TransactionId transaction;
  // PostgreSQL's detail: who waits for whom.
  std::string detail;
};

class DeadlockDetector {
 public:
  std::vector<DeadlockVictim> round(const std::vector<WaitEdge>& edges);

 private:
  std::set<TransactionId> suspects_;
};

// The cycles of a graph of waits, none of which shares a transaction with another.
std::vector<std::vector<WaitEdge>> find_wait_cycles(const std::vector<WaitEdge>& edges);

}  // namespace pando::kv
