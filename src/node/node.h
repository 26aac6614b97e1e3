#pragma once

// Node: one running Pando: every part of it, assembled. The only place that knows each concrete type; the server and
// the embedded library stand on it.
//
//   PANDO_ASSIGN(auto node, Node::open({.directory = "/data"}));
//   session::Session session(node->environment(), executor, identity);
//   ...
//   PANDO_TRY(node->close());                // durable; the next open has nothing to replay
//
// One node per directory at a time, in this process or another (F0001). Thread-safe after open(), except close().

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/status.h"
#include "cluster/administration.h"
#include "runtime/executor.h"
#include "runtime/transport.h"
#include "session/database_check.h"
#include "session/environment.h"

namespace pando::runtime {
class WorkerPool;
}
namespace pando::kv {
class ClusterNode;
class KvStore;
}  // namespace pando::kv

namespace pando::node {

// What makes a node a member of a cluster. All of it outlives the node.
struct ClusterMembership {
  NodeId self;
  // Not started; start_transport does that, once the node can take messages.
  runtime::Transport* transport = nullptr;
  // What timestamps are made from: the clock that is compared with those of the other nodes.
  runtime::Clock* clock = nullptr;
  std::function<Status()> start_transport;
  // The other nodes.
  std::function<std::vector<NodeId>()> peers;
  // All nodes, as far as known: for pando.nodes.
  std::function<std::vector<cluster::NodeStatus>()> nodes;
  // It is the cluster's first node, and new: it founds the shard that holds everything.
  bool founds = false;
};

struct NodeOptions {
  // Created when missing. Empty: everything is kept in memory and gone at close().
  std::string directory;
  // Worker threads; 0: one for each core of the machine.
  std::size_t workers = 0;
  std::size_t sessions_max = 20'000;
  // Of pages, and of rows that were read or written lately; 0: an eighth of the machine's memory each, as far as the
  // data needs it.
  std::size_t block_cache_bytes = 0;
  std::size_t record_cache_bytes = 0;
  // Nothing: a node of its own.
  std::optional<ClusterMembership> cluster;
  // What the writes of a single transaction may take in memory, beyond which they fail; far below it they move to disk.
  std::size_t transaction_bytes_max = 448_MiB;
};

class Node {
 public:
  // Blocks until the node can serve. Errors: F0001 the directory is in use, 58030/53100/58P01 the disk, XX001 damaged
  // files, 0A000 files of a newer Pando.
  static Result<std::unique_ptr<Node>> open(NodeOptions options);
  // REQUIRES: close() has returned.
  ~Node();
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  // Verifies everything: the checksums of the engine's files, then all tables (session/database_check.h). The journal
  // was verified by open(). Blocks; no session is open. Errors: XX001 a damaged file, and what keeps the check from
  // going on.
  Result<session::DatabaseCheckCounts> check(session::DatabaseCheckObserver& observer);

  session::SessionEnvironment& environment();
  runtime::WorkerPool& workers();
  // Null for a node of its own.
  kv::ClusterNode* cluster();
  // Null for a member of a cluster, and for one in memory.
  kv::KvStore* store_of_its_own();

  // Ends the node: all sessions must be closed. Blocks until everything is durable.
  Status close();

 private:
  struct Parts;
  explicit Node(std::unique_ptr<Parts> parts);

  std::unique_ptr<Parts> parts_;
};

}  // namespace pando::node
