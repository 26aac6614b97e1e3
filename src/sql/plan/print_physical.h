#pragma once

// EXPLAIN: a physical plan as text in PostgreSQL's style, or as JSON. Pure.

#include <functional>
#include <optional>
#include <string>

#include "sql/plan/physical.h"
#include "sql/plan/print_expr.h"

namespace pando::sql {

// What EXPLAIN ANALYZE measured of one node, over all its loops.
struct MeasuredNode {
  uint64_t rows = 0;
  uint64_t loops = 0;
  uint64_t elapsed_ns = 0;
};

struct PrintPhysicalOptions {
  bool costs = false;
  // EXPLAIN ANALYZE; nullopt for a node that never ran.
  std::function<std::optional<MeasuredNode>(const PhysicalNode&)> measured;
  bool timing = true;
  PrintOptions expressions;
};

// One node a line; details below it. Every line ends in a newline.
std::string print_physical(const PhysicalPtr& plan, const PrintPhysicalOptions& options = {});
// PostgreSQL's FORMAT JSON: an array of one object with "Plan".
std::string print_physical_json(const PhysicalPtr& plan, const PrintPhysicalOptions& options = {});

}  // namespace pando::sql
