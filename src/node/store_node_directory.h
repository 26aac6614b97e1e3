#pragma once

// StoreNodeDirectory: the cluster's list of nodes, in the replicated store itself, beside the catalog. Thread-safe.

#include "cluster/node_directory.h"
#include "runtime/executor.h"
#include "txn/transaction.h"

namespace pando::node {

class StoreNodeDirectory final : public cluster::NodeDirectory {
 public:
  // Both outlive it. Waits continue on `executor`.
  StoreNodeDirectory(txn::Store& store, runtime::Executor& executor) : store_(store), executor_(executor) {}

  Task<Result<NodeId>> next_node_id() override;
  Task<Status> put(cluster::NodeRecord record) override;
  Task<Result<std::vector<cluster::NodeRecord>>> list() override;

 private:
  txn::Store& store_;
  runtime::Executor& executor_;
};

}  // namespace pando::node
