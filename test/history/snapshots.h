#pragma once

// What a single snapshot must show, whatever runs beside it. Each returns an empty text, or what is wrong. Pure.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace pando::test {

// Bank: transfers move money between accounts and never make or lose any, nor overdraw one.
std::string check_bank(const std::map<int64_t, int64_t>& balances, std::size_t accounts, int64_t total);

// Cycle ring (FoundationDB's Cycle workload): each node names its successor; transactions exchange successors so that
// all nodes stay on one ring.
std::string check_ring(const std::map<int64_t, int64_t>& successors, std::size_t nodes);

// Sequential: one client inserts 1, 2, 3, ... each after the one before was acknowledged. Whoever sees one sees all
// before it; and all up to `acknowledged`, which was acknowledged before the snapshot was asked for.
std::string check_sequence(const std::vector<int64_t>& seen, int64_t acknowledged);

}  // namespace pando::test
