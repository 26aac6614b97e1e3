#pragma once

// NodeRecord: what the cluster knows of one of its nodes. Kept in the replicated store, by NodeDirectory.
// docs/formats/cluster.md has the encoding.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/status.h"

namespace pando::cluster {

// Never renumber: these are on disk.
enum class NodeState : uint8_t {
  kActive = 1,
  // Gives up leases and takes no new clients; ends with a restart.
  kDraining = 2,
  // Its replicas move to other nodes.
  kDecommissioning = 3,
  // It is let in no more.
  kDecommissioned = 4,
};
std::string_view to_string(NodeState state);

// Where a node is, from the widest tier to the narrowest: region=eu, zone=eu-1.
using Locality = std::vector<std::pair<std::string, std::string>>;
// "region=eu,zone=eu-1". Error: 22023.
Result<Locality> parse_locality(std::string_view text);
std::string to_string(const Locality& locality);

struct NodeRecord {
  NodeId id;
  // "HOST:PORT", where other nodes connect to it.
  std::string peer_address;
  // "HOST:PORT", where its clients connect to.
  std::string sql_address;
  Locality locality;
  // When its process started, in nanoseconds since the Unix epoch, by its own clock.
  uint64_t started_ns = 0;
  NodeState state = NodeState::kActive;
  // Of the program it runs.
  std::string version;
  friend bool operator==(const NodeRecord&, const NodeRecord&) = default;
};

Bytes encode(const NodeRecord& record);
// Errors: XX001 for what is no record, 0A000 for one of a newer format.
Result<NodeRecord> decode_node_record(ByteView bytes);

}  // namespace pando::cluster
