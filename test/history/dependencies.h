#pragma once

// DependencyGraph: which transaction must come before which, and the cycles in it, named. See list_append.h for what
// the names mean. Pure; values.

#include <cstdint>
#include <string>
#include <vector>

#include "test/history/list_append.h"

namespace pando::test {

enum class Dependency : uint8_t { kWriteWrite, kWriteRead, kReadWrite };

class DependencyGraph {
 public:
  struct Edge {
    std::size_t to = 0;
    Dependency kind = Dependency::kWriteWrite;
    // Of the list that shows it.
    uint64_t key = 0;
  };

  // Transactions are numbered in the order in which they are added; `number` is for reports.
  void add_transaction(uint64_t number, Level level) { transactions_.push_back({.number = number, .level = level}); }
  void add_edge(std::size_t from, std::size_t to, Dependency kind, uint64_t key) {
    transactions_.at(from).edges.push_back({.to = to, .kind = kind, .key = key});
  }

  struct Transaction {
    uint64_t number = 0;
    Level level = Level::kReadCommitted;
    std::vector<Edge> edges;
  };
  const std::vector<Transaction>& transactions() const { return transactions_; }

 private:
  std::vector<Transaction> transactions_;
};

// A short cycle of each name: of those that violate the levels involved, else of those that they permit.
std::vector<Anomaly> find_cycles(const DependencyGraph& graph);

}  // namespace pando::test
