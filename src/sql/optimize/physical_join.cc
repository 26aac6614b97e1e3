// How joins run: as hash joins on equal keys, as lookups in an index of the right side for each left row, or as nested
// loops.

#include <algorithm>

#include "sql/optimize/conjuncts.h"
#include "sql/optimize/physical_builder.h"

namespace pando::sql {
namespace {

// Costs in units of one row of a sequential scan.
constexpr double kHashBuildRow = 1.5;
constexpr double kHashProbeRow = 0.7;
constexpr double kLoopPair = 0.05;
constexpr double kReopen = 3;
// A side this much smaller is worth exchanging the sides for.
constexpr double kSwapFactor = 1.2;

struct JoinKeys {
  std::vector<ExprPtr> left;
  std::vector<ExprPtr> right;
  std::vector<ExprPtr> rest;
};

// left = right, with each side over one input.
JoinKeys split_keys(const ExprPtr& condition, const ColumnSet& left, const ColumnSet& right) {
  JoinKeys keys;
  for (const ExprPtr& conjunct : conjuncts_of(condition)) {
    const auto comparison = as_comparison(conjunct);
    if (!comparison || comparison->op != "=" || has_subquery(conjunct) || is_volatile(conjunct)) {
      keys.rest.push_back(conjunct);
      continue;
    }
    ExprPtr a = comparison->left;
    ExprPtr b = comparison->right;
    if (overlaps(columns_of(a), right)) {
      std::swap(a, b);
    }
    const ColumnSet a_columns = columns_of(a);
    const ColumnSet b_columns = columns_of(b);
    const bool splits = overlaps(a_columns, left) && !overlaps(a_columns, right) && overlaps(b_columns, right) &&
                        !overlaps(b_columns, left);
    if (!splits || !unify_types(a, b)) {
      keys.rest.push_back(conjunct);
      continue;
    }
    keys.left.push_back(std::move(a));
    keys.right.push_back(std::move(b));
  }
  return keys;
}

}  // namespace

Result<PhysicalPtr> PhysicalBuilder::build_node(const LogicalPtr& plan, const JoinNode& node) {
  ordered_ = false;
  const ColumnSet left_columns = outputs_of(*node.left);
  if (overlaps(free_columns(node.right), left_columns)) {
    return build_lateral_join(plan, node);
  }
  PANDO_ASSIGN(PhysicalPtr left, build(node.left));
  ordered_ = false;
  PANDO_ASSIGN(PhysicalPtr lookup, build_lookup_join(plan, node, left));
  ordered_ = false;
  PANDO_ASSIGN(PhysicalPtr other, build_hash_or_loop_join(plan, node, left));
  ordered_ = false;
  return lookup != nullptr && lookup->cost < other->cost ? lookup : other;
}

Result<PhysicalPtr> PhysicalBuilder::build_lateral_join(const LogicalPtr& plan, const JoinNode& node) {
  if (node.kind == JoinKind::kRight || node.kind == JoinKind::kFull) {
    return Status(sql_state::kInvalidColumnReference, "invalid reference to FROM-clause entry");
  }
  PANDO_ASSIGN(PhysicalPtr left, build(node.left));
  const ColumnSet left_columns = outputs_of(*node.left);
  ColumnSet correlated;
  for (const ColumnId column : free_columns(node.right)) {
    if (left_columns.contains(column)) {
      correlated.insert(column);
    }
  }
  const auto correlation = bind_outer(correlated);
  auto built = build(node.right);
  unbind_outer(correlation);
  PANDO_ASSIGN(PhysicalPtr right, std::move(built));
  ColumnSet both = left_columns;
  both.merge(outputs_of(*node.right));
  PANDO_ASSIGN(ExprPtr condition, lower(node.condition, both));
  const double cost = left->cost + left->rows * (right->cost + kReopen);
  ordered_ = false;
  return finish(plan, NestedLoopJoinPlan{node.kind, left, right, std::move(condition), correlation}, cost);
}

Result<PhysicalPtr> PhysicalBuilder::build_lookup_join(const LogicalPtr& plan, const JoinNode& node,
                                                       const PhysicalPtr& left) {
  const PhysicalPtr none;
  if (node.kind == JoinKind::kRight || node.kind == JoinKind::kFull || node.condition == nullptr ||
      !options_.methods.nested_loop || !options_.methods.index_scan) {
    return none;
  }
  const auto* filter = std::get_if<FilterNode>(&node.right->node);
  const LogicalPtr& scan_plan = filter == nullptr ? node.right : filter->input;
  const auto* scan = std::get_if<ScanNode>(&scan_plan->node);
  if (scan == nullptr || scan->table->kind == catalog::RelationKind::kVirtual) {
    return none;
  }
  const ColumnSet left_columns = outputs_of(*node.left);
  const ColumnSet right_columns = outputs_of(*node.right);
  const JoinKeys keys = split_keys(node.condition, left_columns, right_columns);
  if (keys.left.empty()) {
    return none;
  }
  ColumnSet correlated;
  std::vector<ExprPtr> conjuncts = filter == nullptr ? std::vector<ExprPtr>{} : conjuncts_of(filter->predicate);
  for (std::size_t i = 0; i < keys.left.size(); ++i) {
    ExprPtr equality = make_equality(keys.right[i], keys.left[i]);
    if (equality == nullptr) {
      return none;
    }
    collect_columns(keys.left[i], correlated);
    conjuncts.push_back(std::move(equality));
  }
  for (auto column = correlated.begin(); column != correlated.end();) {
    column = left_columns.contains(*column) ? std::next(column) : correlated.erase(column);
  }
  const auto correlation = bind_outer(correlated);
  auto built = build_scan(scan_plan, *scan, combine_conjuncts(std::move(conjuncts)));
  unbind_outer(correlation);
  PANDO_ASSIGN(PhysicalPtr right, std::move(built));
  if (std::get<ScanPlan>(right->node).conditions.empty()) {
    return none;
  }
  ColumnSet both = left_columns;
  both.insert(right_columns.begin(), right_columns.end());
  PANDO_ASSIGN(ExprPtr rest, lower(combine_conjuncts(keys.rest), both));
  const double cost = left->cost + left->rows * (right->cost + kReopen);
  return finish(plan, NestedLoopJoinPlan{node.kind, left, right, std::move(rest), correlation}, cost);
}

Result<PhysicalPtr> PhysicalBuilder::build_hash_or_loop_join(const LogicalPtr& plan, const JoinNode& node,
                                                             PhysicalPtr left) {
  PANDO_ASSIGN(PhysicalPtr right, build(node.right));
  const ColumnSet left_columns = outputs_of(*node.left);
  const ColumnSet right_columns = outputs_of(*node.right);
  ColumnSet both = left_columns;
  both.insert(right_columns.begin(), right_columns.end());
  JoinKeys keys = split_keys(node.condition, left_columns, right_columns);
  for (ExprPtr& key : keys.left) {
    PANDO_ASSIGN(key, lower(key, left_columns));
  }
  for (ExprPtr& key : keys.right) {
    PANDO_ASSIGN(key, lower(key, right_columns));
  }
  // Only a hash join knows NOT IN.
  const bool loops = keys.left.empty() || (!options_.methods.hash_join && !node.null_aware);
  if (loops) {
    PANDO_ASSIGN(ExprPtr condition, lower(node.condition, both));
    const double cost = left->cost + right->cost + left->rows * right->rows * kLoopPair;
    return finish(plan, NestedLoopJoinPlan{node.kind, left, right, std::move(condition), {}}, cost);
  }
  PANDO_ASSIGN(ExprPtr rest, lower(combine_conjuncts(std::move(keys.rest)), both));
  HashJoinPlan join{node.kind,       left,           right, std::move(keys.left), std::move(keys.right),
                    std::move(rest), node.null_aware};
  const bool exchangeable = node.kind != JoinKind::kSemi && node.kind != JoinKind::kAnti;
  if (exchangeable && left->rows * kSwapFactor < right->rows) {
    std::swap(join.left, join.right);
    std::swap(join.left_keys, join.right_keys);
    join.kind = node.kind == JoinKind::kLeft    ? JoinKind::kRight
                : node.kind == JoinKind::kRight ? JoinKind::kLeft
                                                : node.kind;
  }
  const double cost = left->cost + right->cost + join.right->rows * kHashBuildRow + join.left->rows * kHashProbeRow;
  return finish(plan, std::move(join), cost);
}

}  // namespace pando::sql
