#pragma once

// Access paths: which index a scan walks, and which parts of it, for the conditions above it.
//
//   AccessPath path = choose_access_path(request, cardinality);
//
// Pure.

#include "sql/optimize/cardinality.h"
#include "sql/plan/physical.h"

namespace pando::sql {

struct ScanRequest {
  const LogicalNode* plan = nullptr;
  const ScanNode* scan = nullptr;
  // Lowered for execution: columns of the scan, parameters and constants only.
  std::vector<ExprPtr> conjuncts;
  // The order the rows are wanted in; empty for any. Only whole prefixes of index columns satisfy it.
  std::vector<SortKey> order;
  // No more rows than this are wanted, when the order is right; 0 for all.
  double limit = 0;
  PlanMethods methods;
};

struct AccessPath {
  types::Oid index = 0;
  std::vector<KeyCondition> conditions;
  // Conjuncts that the conditions do not make sure of.
  std::vector<ExprPtr> rest;
  bool reverse = false;
  bool ordered = false;
  // The index's entries have all attributes of the scan.
  bool index_only = false;
  // How many leading columns are fixed by equality.
  std::size_t equal_columns = 0;
  double rows = 0;  // read, before `rest`
  double cost = 0;
};

AccessPath choose_access_path(const ScanRequest& request, Cardinality& cardinality);

// Costs in units of one row of a sequential scan.
inline constexpr double kSeekCost = 3;
inline constexpr double kFetchCost = 4;
// An index entry is narrower than its row.
inline constexpr double kEntryCost = 0.8;
// Of a method that a setting has turned off.
inline constexpr double kDisabledCost = 1e10;

}  // namespace pando::sql
