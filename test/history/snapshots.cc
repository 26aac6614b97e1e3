#include "test/history/snapshots.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace pando::test {

std::string check_bank(const std::map<int64_t, int64_t>& balances, std::size_t accounts, int64_t total) {
  if (balances.size() != accounts) {
    return fmt::format("{} accounts of {}: {}", balances.size(), accounts, balances);
  }
  int64_t sum = 0;
  for (const auto& [account, balance] : balances) {
    if (balance < 0) {
      return fmt::format("account {} is overdrawn: {}", account, balances);
    }
    sum += balance;
  }
  return sum == total ? "" : fmt::format("{} in total, not {}: {}", sum, total, balances);
}

std::string check_ring(const std::map<int64_t, int64_t>& successors, std::size_t nodes) {
  if (successors.size() != nodes) {
    return fmt::format("{} nodes of {}: {}", successors.size(), nodes, successors);
  }
  if (successors.empty()) {
    return {};
  }
  std::set<int64_t> visited;
  int64_t at = successors.begin()->first;
  while (visited.insert(at).second) {
    const auto next = successors.find(at);
    if (next == successors.end()) {
      return fmt::format("{} is no node: {}", at, successors);
    }
    at = next->second;
  }
  const bool whole = visited.size() == nodes && at == successors.begin()->first;
  return whole ? "" : fmt::format("the ring is broken after {} nodes, at {}: {}", visited.size(), at, successors);
}

std::string check_sequence(const std::vector<int64_t>& seen, int64_t acknowledged) {
  std::vector<int64_t> sorted = seen;
  std::ranges::sort(sorted);
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    if (sorted[i] != static_cast<int64_t>(i) + 1) {
      return fmt::format("{} is there, and {} before it is not: {}", sorted[i], i + 1, sorted);
    }
  }
  if (static_cast<int64_t>(sorted.size()) < acknowledged) {
    return fmt::format("{} were acknowledged, {} are there", acknowledged, sorted.size());
  }
  return {};
}

}  // namespace pando::test
