// Join order: regions of inner joins are taken apart into relations and conditions and put together again in the
// cheapest order.
//
// Up to kExactMax relations: dynamic programming over sets. Above: a greedy tree (the pair whose join gives the fewest
// rows, again and again), whose leaves in order are then joined in the cheapest way that keeps neighbours together, by
// dynamic programming over intervals: never worse than the greedy tree, which is one of those ways, and cubic in the
// number of relations (Neumann and Radke, "Adaptive Optimization of Very Large Join Queries", 2018).
//
// Pairs that a condition connects come before cross products. Outer, semi and anti joins are relations of a region as a
// whole: moving across them is push_down's business.

#include <algorithm>
#include <bit>
#include <limits>
#include <map>
#include <numeric>
#include <ranges>
#include <set>
#include <unordered_map>

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

// One relation of a region.
struct Part {
  LogicalPtr plan;
  double rows = 0;
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
    part.rows = cardinality_.rows(part.plan);
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
    find_relations();
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
    for (std::size_t edge = 0; edge < relations_.size(); ++edge) {
      for (const std::size_t part : relations_[edge]) {
        members_[edge] |= Set{1} << part;
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

  // --- greedy, then the best tree over the greedy one's leaves ---
  // A tree of joins: a leaf has no sides.
  struct Tree {
    std::size_t left = 0;
    std::size_t right = 0;
    double rows = 0;
    bool is_leaf = true;
  };

  LogicalPtr greedy() {
    std::vector<std::size_t> order;
    append_leaves(greedy_tree(), order);
    return Intervals(*this, order).solve();
  }

  std::size_t greedy_tree() {
    for (const Part& part : parts_) {
      trees_.push_back({.rows = part.rows});
    }
    std::vector<std::size_t> roots(parts_.size());
    std::iota(roots.begin(), roots.end(), std::size_t{0});
    // Of each relation, the tree that it is in.
    std::vector<std::size_t> root_of = roots;
    while (roots.size() > 1) {
      const auto [left, right, rows] = best_pair(roots, root_of);
      const std::size_t merged = trees_.size();
      trees_.push_back({left, right, rows, false});
      std::ranges::replace(root_of, left, merged);
      std::ranges::replace(root_of, right, merged);
      std::erase(roots, left);
      std::ranges::replace(roots, right, merged);
    }
    return roots[0];
  }

  struct Pair {
    std::size_t left = 0;
    std::size_t right = 0;
    double rows = std::numeric_limits<double>::infinity();
  };

  // The two trees whose join gives the fewest rows, of those that a condition connects; if there are none, the two
  // smallest.
  Pair best_pair(const std::vector<std::size_t>& roots, const std::vector<std::size_t>& root_of) const {
    std::map<std::pair<std::size_t, std::size_t>, double> pairs;
    for (std::size_t edge = 0; edge < relations_.size(); ++edge) {
      std::set<std::size_t> ends;
      for (const std::size_t relation : relations_[edge]) {
        ends.insert(root_of[relation]);
      }
      if (ends.size() == 2) {
        const auto found = pairs.try_emplace({*ends.begin(), *ends.rbegin()}, 1.0).first;
        found->second *= selectivities_[edge];
      }
    }
    Pair best;
    for (const auto& [pair, selectivity] : pairs) {
      const double rows = std::max(1.0, trees_[pair.first].rows * trees_[pair.second].rows * selectivity);
      if (rows < best.rows) {
        best = {pair.first, pair.second, rows};
      }
    }
    if (pairs.empty()) {
      std::vector<std::size_t> smallest = roots;
      std::ranges::partial_sort(smallest, smallest.begin() + 2, {},
                                [&](std::size_t root) { return trees_[root].rows; });
      best = {smallest[0], smallest[1], trees_[smallest[0]].rows * trees_[smallest[1]].rows};
    }
    return best;
  }

  void append_leaves(std::size_t tree, std::vector<std::size_t>& order) const {
    if (trees_[tree].is_leaf) {
      order.push_back(tree);
      return;
    }
    append_leaves(trees_[tree].left, order);
    append_leaves(trees_[tree].right, order);
  }

  // The cheapest tree whose leaves are in a given order.
  class Intervals {
   public:
    Intervals(Region& region, const std::vector<std::size_t>& order)
        : region_(region), order_(order), count_(order.size()), best_(count_ * count_) {
      std::vector<std::size_t> place(count_);
      for (std::size_t i = 0; i < count_; ++i) {
        place[order[i]] = i;
      }
      for (std::size_t edge = 0; edge < region.relations_.size(); ++edge) {
        const auto& relations = region.relations_[edge];
        if (relations.size() > 1) {
          const auto places = std::views::transform(relations, [&](std::size_t relation) { return place[relation]; });
          const auto [first, last] = std::ranges::minmax(places);
          spans_.push_back({first, last, region.selectivities_[edge]});
        }
      }
    }

    LogicalPtr solve() {
      for (std::size_t i = 0; i < count_; ++i) {
        at(i, i) = {region_.parts_[order_[i]].rows, 0, 0, false};
      }
      for (std::size_t length = 2; length <= count_; ++length) {
        for (std::size_t first = 0; first + length <= count_; ++first) {
          choose(first, first + length - 1);
        }
      }
      return assemble(0, count_ - 1);
    }

   private:
    struct Best {
      double rows = 0;
      double cost = std::numeric_limits<double>::infinity();
      // The last relation of the left side.
      std::size_t split = 0;
      bool crosses = true;
    };
    // The places of the first and the last relation of a condition.
    struct Span {
      std::size_t first;
      std::size_t last;
      double selectivity;
    };
    Best& at(std::size_t first, std::size_t last) { return best_[first * count_ + last]; }

    void choose(std::size_t first, std::size_t last) {
      Best& best = at(first, last);
      double rows = at(first, last - 1).rows * at(last, last).rows;
      // connected[i]: a condition lies on both sides of a split behind i.
      std::vector<char> connected(last + 1, 0);
      for (const Span& span : spans_) {
        if (span.first >= first && span.last <= last) {
          std::fill(connected.begin() + static_cast<std::ptrdiff_t>(span.first),
                    connected.begin() + static_cast<std::ptrdiff_t>(span.last), 1);
          rows *= span.last == last ? span.selectivity : 1;
        }
      }
      best.rows = rows;
      for (std::size_t split = first; split < last; ++split) {
        const Best& left = at(first, split);
        const Best& right = at(split + 1, last);
        const bool crosses = connected[split] == 0 || left.crosses || right.crosses;
        const double cost =
            left.cost + right.cost +
            join_cost(std::max(left.rows, 1.0), std::max(right.rows, 1.0), std::max(rows, 1.0), connected[split] == 0);
        if (std::pair(crosses, cost) < std::pair(best.crosses, best.cost) ||
            best.cost == std::numeric_limits<double>::infinity()) {
          best.cost = cost;
          best.split = split;
          best.crosses = crosses;
        }
      }
    }

    LogicalPtr assemble(std::size_t first, std::size_t last) {
      if (first == last) {
        return region_.with_conditions(region_.parts_[order_[first]].plan);
      }
      const std::size_t split = at(first, last).split;
      const LogicalPtr left = assemble(first, split);
      return region_.join(left, assemble(split + 1, last));
    }

    Region& region_;
    const std::vector<std::size_t>& order_;
    const std::size_t count_;
    std::vector<Best> best_;
    std::vector<Span> spans_;
  };

  // --- building ---
  // Which relations each condition names.
  void find_relations() {
    for (std::size_t part = 0; part < parts_.size(); ++part) {
      for (const OutputColumn& column : parts_[part].plan->outputs) {
        owners_.emplace(column.id, part);
      }
    }
    for (const ExprPtr& conjunct : conjuncts_) {
      std::set<std::size_t> relations;
      for (const ColumnId column : columns_of(conjunct)) {
        if (const auto owner = owners_.find(column); owner != owners_.end()) {
          relations.insert(owner->second);
        }
      }
      relations_.emplace_back(relations.begin(), relations.end());
      selectivities_.push_back(cardinality_.selectivity(conjunct));
    }
  }

  // The conditions not used yet whose relations all lie in `plan`, which outputs all their columns.
  std::vector<ExprPtr> take_conditions(const std::vector<OutputColumn>& outputs) {
    std::vector<bool> inside(parts_.size());
    for (const OutputColumn& column : outputs) {
      inside[owners_.at(column.id)] = true;
    }
    std::vector<ExprPtr> taken;
    for (std::size_t edge = 0; edge < relations_.size(); ++edge) {
      if (!used_[edge] && std::ranges::all_of(relations_[edge], [&](std::size_t part) { return inside[part]; })) {
        used_[edge] = true;
        taken.push_back(conjuncts_[edge]);
      }
    }
    return taken;
  }
  LogicalPtr with_conditions(const LogicalPtr& plan) {
    std::vector<ExprPtr> taken = take_conditions(plan->outputs);
    if (taken.empty()) {
      return plan;
    }
    return make_logical(plan->outputs, FilterNode{plan, combine_conjuncts(std::move(taken))});
  }
  LogicalPtr join(const LogicalPtr& left, const LogicalPtr& right) {
    JoinNode node;
    node.left = left;
    node.right = right;
    std::vector<OutputColumn> outputs = left->outputs;
    outputs.insert(outputs.end(), right->outputs.begin(), right->outputs.end());
    node.condition = combine_conjuncts(take_conditions(outputs));
    return make_logical(std::move(outputs), std::move(node));
  }

  Cardinality& cardinality_;
  std::vector<Part> parts_;
  std::vector<ExprPtr> conjuncts_;
  std::unordered_map<ColumnId, std::size_t> owners_;
  // By condition, rising.
  std::vector<std::vector<std::size_t>> relations_;
  std::vector<double> selectivities_;
  std::vector<bool> used_;
  std::vector<Set> members_;
  std::vector<Choice> choices_;
  std::vector<Tree> trees_;
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
