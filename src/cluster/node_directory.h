#pragma once

// NodeDirectory: the durable list of the cluster's nodes, as an interface that the replicated store implements.
// Thread-safe. Errors: 08006 or 57P03 while the store has no quorum.

#include <vector>

#include "cluster/node_record.h"
#include "runtime/task.h"

namespace pando::cluster {

class NodeDirectory {
 public:
  virtual ~NodeDirectory() = default;
  // A number that no node has had or will be given again. The node that made the cluster is 1, the next one 2.
  virtual Task<Result<NodeId>> next_node_id() = 0;
  // Inserts or replaces.
  virtual Task<Status> put(NodeRecord record) = 0;
  // In rising order of id; decommissioned nodes too.
  virtual Task<Result<std::vector<NodeRecord>>> list() = 0;
};

}  // namespace pando::cluster
