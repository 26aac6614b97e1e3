// Join order: regions of inner joins are taken apart into relations and conditions and put together again in the
// cheapest order: by dynamic programming over sets of relations up to kExactMax of them, greedily above. Pairs that a
// condition connects come before cross products. Outer, semi and anti joins are relations of a region as a whole:
// moving across them is push_down's business.

#include <algorithm>
#include <bit>
#include <limits>

#include "sql/expr/walk.h"
#include "sql/optimize/conjuncts.h"
#include "sql/optimize/rewrite.h"

namespace pando::sql {
namespace {

constexpr std::size_t kExactMax = 10;
constexpr double kBuildRow = 1.5;

ExprPtr order_in_subqueries(const ExprPtr& expr, Cardinality& cardinality) {
  if (expr == nullptr || !has_subquery(expr)) {
    return expr;
  }
  const ExprPtr entered =
      rewrite_children(expr, [&](const ExprPtr& child) { return order_in_subqueries(child, cardinality); });
  const auto* subquery = as<SubqueryExpr>(entered);
  if (subquery == nullptr) {
    return entered;
  }
  SubqueryExpr copy = *subquery;
  copy.plan = order_joins(subquery->plan, cardinality);
  return make_expr(entered->type, std::move(copy), entered->position);
}

// A part of a region already put together.
struct Part {
  LogicalPtr plan;
  ColumnSet columns;
  double rows = 0;
  double cost = std::numeric_limits<double>::infinity();
};

class Region {
 public:
  Region(Cardinality& cardinality) : cardinality_(cardinality) {}

  // Takes a tree of inner joins apart.
  void add(const LogicalPtr& plan) {
    const auto* join = std::get_if<JoinNode>(&plan->node);
    const auto* filter = std::get_if<FilterNode>(&plan->node);
    if (join != nullptr && join->kind == JoinKind::kInner && !is_lateral(*join)) {
      add(join->left);
      add(join->right);
      split_conjuncts(order_in_subqueries(join->condition, cardinality_), conjuncts_);
      return;
    }
    if (filter != nullptr && is_inner_join(filter->input)) {
      add(filter->input);
      split_conjuncts(order_in_subqueries(filter->predicate, cardinality_), conjuncts_);
      return;
    }
    Part part;
    part.plan = order_joins(plan, cardinality_);
    part.columns = outputs_of(*part.plan);
    part.rows = cardinality_.rows(part.plan);
    part.cost = 0;
    parts_.push_back(std::move(part));
  }

  static bool is_lateral(const JoinNode& join) {
    return overlaps(free_columns(join.right), outputs_of(*join.left)) ||
           overlaps(free_columns(join.left), outputs_of(*join.right));
  }
  static bool is_inner_join(const LogicalPtr& plan) {
    const auto* join = std::get_if<JoinNode>(&plan->node);
    return join != nullptr && join->kind == JoinKind::kInner && !is_lateral(*join);
  }

  LogicalPtr solve() {
    for (const ExprPtr& conjunct : conjuncts_) {
      edges_.push_back(columns_of(conjunct));
      selectivities_.push_back(cardinality_.selectivity(conjunct));
    }
    used_.assign(conjuncts_.size(), false);
    return parts_.size() <= kExactMax ? exact() : greedy();
  }

 private:
  using Set = uint32_t;

  // --- exact: the best plan for every set of relations ---
  struct Choice {
    double rows = 0;
    double cost = std::numeric_limits<double>::infinity();
    Set left = 0;
    bool crosses = true;
  };

  LogicalPtr exact() {
    const std::size_t count = parts_.size();
    members_.assign(conjuncts_.size(), 0);
    for (std::size_t edge = 0; edge < edges_.size(); ++edge) {
      for (std::size_t part = 0; part < count; ++part) {
        members_[edge] |= overlaps(edges_[edge], parts_[part].columns) ? Set{1} << part : 0;
      }
    }
    choices_.assign(std::size_t{1} << count, Choice{});
    for (std::size_t part = 0; part < count; ++part) {
      choices_[Set{1} << part] = {parts_[part].rows, 0, 0, false};
    }
    for (Set set = 1; set < choices_.size(); ++set) {
      if (std::popcount(set) > 1) {
        choose(set);
      }
    }
    return assemble(static_cast<Set>(choices_.size() - 1));
  }

  bool connects(Set a, Set b) const {
    return std::ranges::any_of(
        members_, [&](Set members) { return (members & a) != 0 && (members & b) != 0 && (members & ~(a | b)) == 0; });
  }

  double rows_of(Set set) const {
    double rows = 1;
    for (std::size_t part = 0; part < parts_.size(); ++part) {
      rows *= (set >> part & 1) != 0 ? parts_[part].rows : 1;
    }
    for (std::size_t edge = 0; edge < members_.size(); ++edge) {
      if (members_[edge] != 0 && (members_[edge] & ~set) == 0) {
        rows *= selectivities_[edge];
      }
    }
    return std::max(rows, 1.0);
  }

  void choose(Set set) {
    Choice& best = choices_[set];
    best.rows = rows_of(set);
    // Each split once: the left part has the lowest relation.
    const Set lowest = set & (~set + 1);
    for (Set left = (set - 1) & set; left != 0; left = (left - 1) & set) {
      if ((left & lowest) == 0) {
        continue;
      }
      const Set right = set & ~left;
      const bool crosses = !connects(left, right) || choices_[left].crosses || choices_[right].crosses;
      const double cost = choices_[left].cost + choices_[right].cost +
                          join_cost(choices_[left].rows, choices_[right].rows, best.rows, !connects(left, right));
      if (std::pair(crosses, cost) < std::pair(best.crosses, best.cost) ||
          best.cost == std::numeric_limits<double>::infinity()) {
        best.cost = cost;
        best.left = left;
        best.crosses = crosses;
      }
    }
  }

  static double join_cost(double left, double right, double out, bool crosses) {
    if (crosses) {
      return left * right + out;
    }
    return std::max(left, right) + kBuildRow * std::min(left, right) + out;
  }

  LogicalPtr assemble(Set set) {
    if (std::popcount(set) == 1) {
      return with_conditions(parts_[static_cast<std::size_t>(std::countr_zero(set))].plan);
    }
    const Set left = choices_[set].left;
    const Set right = set & ~left;
    return join(assemble(left), assemble(right));
  }

  // --- greedy: the pair whose join gives the fewest rows, again and again ---
  LogicalPtr greedy() {
    for (Part& part : parts_) {
      part.plan = with_conditions(part.plan);
    }
    while (parts_.size() > 1) {
      std::size_t best_left = 0;
      std::size_t best_right = 1;
      std::pair<bool, double> best{true, std::numeric_limits<double>::infinity()};
      for (std::size_t left = 0; left < parts_.size(); ++left) {
        for (std::size_t right = left + 1; right < parts_.size(); ++right) {
          const auto score = pair_score(parts_[left], parts_[right]);
          if (score < best) {
            best = score;
            best_left = left;
            best_right = right;
          }
        }
      }
      Part merged;
      merged.rows = std::max(1.0, best.second);
      merged.plan = join(parts_[best_left].plan, parts_[best_right].plan);
      merged.columns = outputs_of(*merged.plan);
      parts_.erase(parts_.begin() + static_cast<std::ptrdiff_t>(best_right));
      parts_[best_left] = std::move(merged);
    }
    return parts_[0].plan;
  }

  // Whether it is a cross product, and how many rows the join gives.
  std::pair<bool, double> pair_score(const Part& left, const Part& right) const {
    double rows = left.rows * right.rows;
    bool connected = false;
    for (std::size_t edge = 0; edge < edges_.size(); ++edge) {
      if (!used_[edge] && overlaps(edges_[edge], left.columns) && overlaps(edges_[edge], right.columns) &&
          covered(edges_[edge], left.columns, right.columns)) {
        connected = true;
        rows *= selectivities_[edge];
      }
    }
    return {!connected, rows};
  }

  // Whether all columns that belong to this region are in one of the sides.
  bool covered(const ColumnSet& edge, const ColumnSet& left, const ColumnSet& right) const {
    return std::ranges::all_of(
        edge, [&](ColumnId column) { return left.contains(column) || right.contains(column) || !is_local(column); });
  }
  bool is_local(ColumnId column) const {
    return std::ranges::any_of(parts_, [&](const Part& part) { return part.columns.contains(column); });
  }

  // --- building ---
  std::vector<ExprPtr> take_conditions(const ColumnSet& columns, const ColumnSet& more) {
    std::vector<ExprPtr> taken;
    for (std::size_t edge = 0; edge < edges_.size(); ++edge) {
      if (!used_[edge] && covered(edges_[edge], columns, more)) {
        used_[edge] = true;
        taken.push_back(conjuncts_[edge]);
      }
    }
    return taken;
  }
  LogicalPtr with_conditions(const LogicalPtr& plan) {
    std::vector<ExprPtr> taken = take_conditions(outputs_of(*plan), {});
    if (taken.empty()) {
      return plan;
    }
    return make_logical(plan->outputs, FilterNode{plan, combine_conjuncts(std::move(taken))});
  }
  LogicalPtr join(const LogicalPtr& left, const LogicalPtr& right) {
    JoinNode node;
    node.left = left;
    node.right = right;
    node.condition = combine_conjuncts(take_conditions(outputs_of(*left), outputs_of(*right)));
    std::vector<OutputColumn> outputs = left->outputs;
    outputs.insert(outputs.end(), right->outputs.begin(), right->outputs.end());
    return make_logical(std::move(outputs), std::move(node));
  }

  Cardinality& cardinality_;
  std::vector<Part> parts_;
  std::vector<ExprPtr> conjuncts_;
  std::vector<ColumnSet> edges_;
  std::vector<double> selectivities_;
  std::vector<bool> used_;
  std::vector<Set> members_;
  std::vector<Choice> choices_;
};

}  // namespace

LogicalPtr order_joins(const LogicalPtr& plan, Cardinality& cardinality) {
  const auto* filter = std::get_if<FilterNode>(&plan->node);
  if (Region::is_inner_join(plan) || (filter != nullptr && Region::is_inner_join(filter->input))) {
    Region region(cardinality);
    region.add(plan);
    return region.solve();
  }
  return rebuild(
      plan, [&](const LogicalPtr& input) { return order_joins(input, cardinality); },
      [&](const ExprPtr& expr) { return order_in_subqueries(expr, cardinality); });
}

}  // namespace pando::sql
