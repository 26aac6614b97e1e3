#include "kv/cluster/deadlocks.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

namespace pando::kv {
namespace {

using Graph = std::map<TransactionId, std::vector<TransactionId>>;

// Depth-first from `start`; the path back to it, or nothing.
std::vector<WaitEdge> find_cycle_through(const Graph& graph, TransactionId start) {
  struct Level {
    TransactionId transaction;
    std::size_t at = 0;
  };
  std::vector<Level> path{{start}};
  std::set<TransactionId> visited{start};
  while (!path.empty()) {
    Level& level = path.back();
    const auto blockers = graph.find(level.transaction);
    if (blockers == graph.end() || level.at == blockers->second.size()) {
      path.pop_back();
      continue;
    }
    const TransactionId blocker = blockers->second[level.at++];
    if (blocker == start) {
      std::vector<WaitEdge> cycle;
      for (std::size_t i = 0; i < path.size(); ++i) {
        cycle.push_back(
            {.waiter = path[i].transaction, .blocker = i + 1 < path.size() ? path[i + 1].transaction : start});
      }
      return cycle;
    }
    if (visited.insert(blocker).second) {
      path.push_back({blocker});
    }
  }
  return {};
}

}  // namespace

std::vector<std::vector<WaitEdge>> find_wait_cycles(const std::vector<WaitEdge>& edges) {
  Graph graph;
  for (const WaitEdge& edge : edges) {
    graph[edge.waiter].push_back(edge.blocker);
  }
  std::vector<std::vector<WaitEdge>> cycles;
  std::vector<TransactionId> starts;
  for (const auto& [waiter, blockers] : graph) {
    starts.push_back(waiter);
  }
  for (const TransactionId start : starts) {
    auto cycle = find_cycle_through(graph, start);
    for (const WaitEdge& edge : cycle) {
      graph.erase(edge.waiter);
    }
    if (!cycle.empty()) {
      cycles.push_back(std::move(cycle));
    }
  }
  return cycles;
}

std::vector<DeadlockVictim> DeadlockDetector::round(const std::vector<WaitEdge>& edges) {
  std::vector<DeadlockVictim> victims;
  std::set<TransactionId> suspects;
  for (const auto& cycle : find_wait_cycles(edges)) {
    const auto youngest = std::ranges::max_element(cycle, {}, &WaitEdge::waiter);
    suspects.insert(youngest->waiter);
    if (!suspects_.contains(youngest->waiter)) {
      continue;
    }
    DeadlockVictim victim{.transaction = youngest->waiter};
    for (const WaitEdge& edge : cycle) {
      victim.detail += fmt::format("{}Transaction {} waits for transaction {}.", victim.detail.empty() ? "" : "\n",
                                   edge.waiter.number(), edge.blocker.number());
    }
    victims.push_back(std::move(victim));
  }
  suspects_ = std::move(suspects);
  return victims;
}

}  // namespace pando::kv
