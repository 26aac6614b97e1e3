#pragma once

// Placement: where the replicas and the leadership of a shard belong. Pure: what is known goes in, one step comes out;
// whoever leads the shard takes it, and asks again when it is done.
//
// In order of urgency: leadership leaves a draining node; replicas that are missing are added, those of nodes that are
// gone or leave are replaced by others on nodes that are not, those too many are removed, and so are learners. A new
// replica goes where the localities of the others are least alike, then where the fewest replicas are. Never more than
// one step at a time, none that would leave a shard without a connected majority, and none that makes an odd number of
// voters an even one.

#include <cstdint>
#include <optional>
#include <vector>

#include "cluster/node_record.h"

namespace pando::cluster {

struct PlacementOptions {
  std::size_t replicas = 3;
  // A node that is away longer is replaced.
  uint64_t grace_ns = 300'000'000'000;
};

struct PlacementNode {
  NodeId id;
  Locality locality;
  NodeState state = NodeState::kActive;
  // As the leader sees it; itself is connected.
  bool connected = false;
  // How long it has not been; 0 while it is.
  uint64_t away_ns = 0;
  // Of all shards, as far as known.
  std::size_t replicas = 0;
};

struct PlacementShard {
  std::vector<NodeId> voters;
  NodeId leader;
  // Left by changes that came to nothing.
  std::vector<NodeId> learners;
};

struct PlacementStep {
  std::vector<NodeId> add;
  std::vector<NodeId> remove;
  // Set: hand over leadership, and nothing else.
  std::optional<NodeId> transfer_to;
  friend bool operator==(const PlacementStep&, const PlacementStep&) = default;
};

// A shard as whoever balances leases sees it.
struct LedShardLoad {
  ShardId shard;
  NodeId leader;
  std::vector<NodeId> voters;
  // Requests per second.
  uint64_t rate = 0;
  // It is not to be moved now.
  bool stays = false;
};

struct LeaseMove {
  ShardId shard;
  NodeId to;
  friend bool operator==(const LeaseMove&, const LeaseMove&) = default;
};

// One lease of `self` that another node should have, so that all lead about as much: each shard weighs its requests,
// and a little by itself. Nothing when the difference is not worth a move.
std::optional<LeaseMove> balance_leases(const std::vector<PlacementNode>& nodes,
                                        const std::vector<LedShardLoad>& shards, NodeId self);

// Nothing when all is well, or when nothing can be done now.
std::optional<PlacementStep> next_step(const PlacementOptions& options, const std::vector<PlacementNode>& nodes,
                                       const PlacementShard& shard);

}  // namespace pando::cluster
