#pragma once

// ClusterControl: the cluster as SQL shows and steers it: pando.nodes, pando.shards, CALL pando.split(...),
// CALL pando.merge(...), CALL pando.transfer_lease(...), NOTIFY to the sessions of other nodes. A node of its own has
// none. Thread-safe.

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"
#include "runtime/executor.h"
#include "runtime/task.h"
#include "session/notifications.h"

namespace pando::session {

// A row of pando.nodes.
struct ClusterNodeRow {
  uint32_t id = 0;
  std::string sql_address;
  std::string peer_address;
  std::string locality;
  // "active", "draining", "decommissioning", "decommissioned".
  std::string state;
  bool is_live = false;
  // Microseconds since 2000-01-01 UTC.
  int64_t started_us = 0;
  std::string version;
};

// A row of pando.shards: what this node's replica of it knows, or else other nodes have told some seconds ago.
struct ClusterShardRow {
  uint64_t id = 0;
  uint64_t generation = 0;
  Bytes start;
  // Empty: no upper bound.
  Bytes end;
  // 0: nobody known.
  uint32_t leaseholder = 0;
  std::vector<uint32_t> replicas;
};

class ClusterControl {
 public:
  virtual ~ClusterControl() = default;
  virtual std::vector<ClusterNodeRow> nodes() = 0;
  virtual std::vector<ClusterShardRow> shards() = 0;
  // Cuts the shard that holds `key` before it. OK as well when there is a boundary already.
  virtual Task<Status> split(Bytes key, runtime::Executor& executor) = 0;
  // Makes the shards before and from `key` on one. OK as well when there is no boundary. Errors: 55000 while one of
  // them changes, or replicas cannot be reached.
  virtual Task<Status> merge(Bytes key, runtime::Executor& executor) = 0;
  // Errors: 42704 when there is no such shard, 55000 when the node cannot lead it.
  virtual Task<Status> transfer_lease(uint64_t shard, uint32_t node, runtime::Executor& executor) = 0;
  // Tells the sessions on all other nodes, after the commit. Does not wait. Nodes out of reach hear it later, or never.
  virtual void notify(const std::vector<Notification>& notifications) = 0;
};

}  // namespace pando::session
