#include "cluster/placement.h"

#include <algorithm>
#include <map>

namespace pando::cluster {
namespace {

const PlacementNode* find(const std::vector<PlacementNode>& nodes, NodeId id) {
  const auto found = std::find_if(nodes.begin(), nodes.end(), [&](const PlacementNode& node) { return node.id == id; });
  return found == nodes.end() ? nullptr : &*found;
}

bool contains(const std::vector<NodeId>& ids, NodeId id) { return std::find(ids.begin(), ids.end(), id) != ids.end(); }

bool is_connected(const std::vector<PlacementNode>& nodes, NodeId id) {
  const PlacementNode* node = find(nodes, id);
  return node != nullptr && node->connected;
}

// How many tiers, from the widest on, two localities share.
std::size_t likeness(const Locality& a, const Locality& b) {
  std::size_t tiers = 0;
  while (tiers < a.size() && tiers < b.size() && a[tiers] == b[tiers]) {
    ++tiers;
  }
  return tiers;
}

bool takes_replicas(const PlacementNode& node) { return node.state == NodeState::kActive && node.connected; }

// A node that keeps no replicas: gone for good, or on its way out.
bool loses_replicas(const PlacementOptions& options, const PlacementNode* node) {
  return node == nullptr || node->state == NodeState::kDecommissioning || node->state == NodeState::kDecommissioned ||
         node->away_ns > options.grace_ns;
}

// The best node for one more replica beside those on `kept`; nothing when none can take one.
std::optional<NodeId> choose_target(const std::vector<PlacementNode>& nodes, const PlacementShard& shard,
                                    const std::vector<NodeId>& kept) {
  struct Choice {
    std::size_t alike = 0;
    std::size_t replicas = 0;
    NodeId id;
    auto operator<=>(const Choice&) const = default;
  };
  std::optional<Choice> best;
  for (const PlacementNode& node : nodes) {
    if (!takes_replicas(node) || contains(shard.voters, node.id)) {
      continue;
    }
    Choice choice{.replicas = node.replicas, .id = node.id};
    for (const NodeId other : kept) {
      if (const PlacementNode* record = find(nodes, other)) {
        choice.alike = std::max(choice.alike, likeness(node.locality, record->locality));
      }
    }
    if (!best || choice < *best) {
      best = choice;
    }
  }
  return best ? std::optional(best->id) : std::nullopt;
}

std::optional<PlacementStep> step_off_draining(const std::vector<PlacementNode>& nodes, const PlacementShard& shard) {
  const PlacementNode* leader = find(nodes, shard.leader);
  if (leader == nullptr || leader->state == NodeState::kActive) {
    return std::nullopt;
  }
  for (const NodeId voter : shard.voters) {
    const PlacementNode* node = find(nodes, voter);
    if (voter != shard.leader && node != nullptr && takes_replicas(*node)) {
      return PlacementStep{.transfer_to = voter};
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<LeaseMove> balance_leases(const std::vector<PlacementNode>& nodes,
                                        const std::vector<LedShardLoad>& shards, NodeId self) {
  // A shard that nobody asks weighs as much as this many requests per second.
  constexpr uint64_t kIdleWeight = 10;
  // The gap is worth a move when it is more than this part of what is led.
  constexpr uint64_t kWorthPart = 5;
  const auto weight_of = [](const LedShardLoad& shard) { return kIdleWeight + shard.rate; };
  std::map<NodeId, uint64_t> led;
  for (const PlacementNode& node : nodes) {
    if (takes_replicas(node)) {
      led[node.id] = 0;
    }
  }
  for (const LedShardLoad& shard : shards) {
    if (const auto node = led.find(shard.leader); node != led.end()) {
      node->second += weight_of(shard);
    }
  }
  if (!led.contains(self)) {
    return std::nullopt;
  }
  std::optional<LeaseMove> best;
  std::pair<uint64_t, uint64_t> best_rank;
  for (const LedShardLoad& shard : shards) {
    for (const NodeId voter : shard.voters) {
      const auto to = led.find(voter);
      if (shard.leader != self || shard.stays || voter == self || to == led.end() || to->second >= led[self]) {
        continue;
      }
      const uint64_t gap = led[self] - to->second;
      const uint64_t moved = 2 * weight_of(shard);
      const uint64_t gap_after = moved > gap ? moved - gap : gap - moved;
      const bool is_worth = gap > led[self] / kWorthPart && gap_after + weight_of(shard) <= gap;
      const std::pair rank{to->second, gap_after};
      if (is_worth && (!best || rank < best_rank)) {
        best = LeaseMove{.shard = shard.shard, .to = voter};
        best_rank = rank;
      }
    }
  }
  return best;
}

std::optional<PlacementStep> next_step(const PlacementOptions& options, const std::vector<PlacementNode>& nodes,
                                       const PlacementShard& shard) {
  if (auto step = step_off_draining(nodes, shard)) {
    return step;
  }
  const auto connected = static_cast<std::size_t>(std::count_if(
      shard.voters.begin(), shard.voters.end(), [&](NodeId voter) { return is_connected(nodes, voter); }));
  if (connected * 2 <= shard.voters.size()) {
    return std::nullopt;
  }
  std::vector<NodeId> kept;
  std::vector<NodeId> lost;
  for (const NodeId voter : shard.voters) {
    (loses_replicas(options, find(nodes, voter)) ? lost : kept).push_back(voter);
  }
  PlacementStep step;
  while (kept.size() < options.replicas) {
    PlacementShard with = shard;
    with.voters.insert(with.voters.end(), step.add.begin(), step.add.end());
    const auto target = choose_target(nodes, with, kept);
    if (!target) {
      break;
    }
    step.add.push_back(*target);
    kept.push_back(*target);
    if (!lost.empty()) {
      // One for one: the shard never has fewer than it had. When nobody but the leader is lost, it cannot go before
      // there is somebody to lead instead.
      const auto replaced = std::ranges::find_if(lost, [&](NodeId voter) { return voter != shard.leader; });
      if (replaced != lost.end()) {
        step.remove.push_back(*replaced);
      }
      return step;
    }
  }
  // An even number of voters tolerates no more failures than one less, and needs more of them.
  if (kept.size() % 2 == 0 && !step.add.empty()) {
    step.add.pop_back();
  }
  if (!step.add.empty()) {
    return step;
  }
  // No more than there shall be; leadership does not move for it.
  if (!lost.empty() && kept.size() >= options.replicas) {
    return lost.front() == shard.leader ? std::nullopt : std::optional(PlacementStep{.remove = {lost.front()}});
  }
  if (kept.size() > options.replicas) {
    const auto surplus = std::find_if(kept.rbegin(), kept.rend(), [&](NodeId voter) { return voter != shard.leader; });
    return PlacementStep{.remove = {*surplus}};
  }
  return shard.learners.empty() ? std::nullopt : std::optional(PlacementStep{.remove = shard.learners});
}

}  // namespace pando::cluster
