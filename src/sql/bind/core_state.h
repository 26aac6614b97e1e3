#pragma once

// The clauses of one SELECT, bound, before they become a plan. Internal to sql/bind.

#include <utility>
#include <vector>

#include "sql/bind/binder.h"

namespace pando::sql {

struct Binder::CoreState {
  LogicalPtr plan;
  std::vector<Target> targets;
  ExprPtr having;
  std::vector<ExprPtr> groups;
  // Indexes into `groups`; empty without GROUPING SETS, ROLLUP and CUBE.
  std::vector<std::vector<uint32_t>> grouping_sets;
  // Indexes into `targets`.
  std::vector<std::pair<std::size_t, SortKey>> sort;
  std::vector<std::size_t> distinct_on;
  bool aggregated = false;
};

// txn::WaitPolicy, which bind may not include.
inline constexpr uint8_t kWaitBlock = 0;
inline constexpr uint8_t kWaitFail = 1;
inline constexpr uint8_t kWaitSkip = 2;

}  // namespace pando::sql
