// Join order: regions of inner joins are taken apart into relations and conditions and put together again in the
// cheapest order: by dynamic programming over sets of relations up to kExactMax of them. Above, greedily: the pair
// whose join gives the fewest rows, again and again; and up to kLinearMax, the relations in the order in which the
// greedy tree has them are split anew by dynamic programming over their intervals (linearized DP of Neumann and Radke,
// SIGMOD 2018), which costs the cube of their number and never gives a worse tree. Pairs that a condition connects come
// before cross products. Outer, semi and anti joins are relations of a region as a whole: moving across them is
// push_down's business.

#include <algorithm>
#include <bit>
#include <limits>
#include <map>
#include <memory>
#include <set>
#include <unordered_map>

#include "sql/expr/walk.h"
#include "sql/optimize/conjuncts.h"
#include "sql/optimize/rewrite.h"

namespace pando::sql {
namespace {

constexpr std::size_t kExactMax = 10;
constexpr std::size_t kLinearMax = 64;
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

// A relation of a region.
struct Part {
  LogicalPtr plan;
  ColumnSet columns;
  double rows = 0;
};

// A condition, and the relations it names.
struct Edge {
  ExprPtr condition;
  std::vector<std::size_t> parts;
  uint64_t members = 0;  // the same as bits, for regions of up to 64 relations
  double selectivity = 1;
  bool used = false;
};

double join_cost(double left, double right, double out, bool crosses) {
  if (crosses) {
    return left * right + out;
  }
  return std::max(left, right) + kBuildRow * std::min(left, right) + out;
}

// A tree of joins over the numbers of relations.
struct Tree {
  std::size_t part = 0;  // of a leaf
  std::unique_ptr<Tree> left;
  std::unique_ptr<Tree> right;
};
using TreePtr = std::unique_ptr<Tree>;

TreePtr make_leaf(std::size_t part) { return std::make_unique<Tree>(Tree{part, nullptr, nullptr}); }
TreePtr make_join(TreePtr left, TreePtr right) {
  return std::make_unique<Tree>(Tree{0, std::move(left), std::move(right)});
}

void list_leaves(const Tree& tree, std::vector<std::size_t>& leaves) {
  if (tree.left == nullptr) {
    leaves.push_back(tree.part);
    return;
  }
  list_leaves(*tree.left, leaves);
  list_leaves(*tree.right, leaves);
}

// The cheapest of the trees that were looked at for a set of relations.
struct Choice {
  double rows = 0;
  double cost = std::numeric_limits<double>::infinity();
  bool crosses = true;
  uint64_t left = 0;  // what the left side is: a set, or the length of an interval

  void offer(double new_cost, bool new_crosses, uint64_t new_left) {
    if (std::pair(new_crosses, new_cost) < std::pair(crosses, cost)) {
      cost = new_cost;
      crosses = new_crosses;
      left = new_left;
    }
  }
};

// Orders at most 64 relations.
class ExactOrder {
 public:
  using Set = uint64_t;
  ExactOrder(const std::vector<Part>& parts, const std::vector<Edge>& edges) : parts_(parts), edges_(edges) {}

  // The best tree for every set of relations.
  TreePtr best_tree() {
    choices_.assign(std::size_t{1} << parts_.size(), Choice{});
    for (std::size_t part = 0; part < parts_.size(); ++part) {
      choices_[Set{1} << part] = {parts_[part].rows, 0, false, 0};
    }
    for (Set set = 1; set < choices_.size(); ++set) {
      if (std::popcount(set) > 1) {
        choose(set);
      }
    }
    return tree_of(choices_.size() - 1);
  }

  // The best tree whose leaves stand in this order.
  TreePtr best_tree_in_order(const std::vector<std::size_t>& order) {
    const std::size_t count = order.size();
    sets_.assign(count + 1, std::vector<Set>(count, 0));
    intervals_.assign(count + 1, std::vector<Choice>(count));
    for (std::size_t start = 0; start < count; ++start) {
      intervals_[1][start] = {parts_[order[start]].rows, 0, false, 0};
      sets_[1][start] = Set{1} << order[start];
    }
    for (std::size_t length = 2; length <= count; ++length) {
      for (std::size_t start = 0; start + length <= count; ++start) {
        choose_interval(start, length);
      }
    }
    return tree_of(order, 0, count);
  }

 private:
  bool connects(Set a, Set b) const {
    return std::ranges::any_of(edges_, [&](const Edge& edge) {
      return (edge.members & a) != 0 && (edge.members & b) != 0 && (edge.members & ~(a | b)) == 0;
    });
  }

  double rows_of(Set set) const {
    double rows = 1;
    for (std::size_t part = 0; part < parts_.size(); ++part) {
      rows *= (set >> part & 1) != 0 ? parts_[part].rows : 1;
    }
    for (const Edge& edge : edges_) {
      if (edge.members != 0 && (edge.members & ~set) == 0) {
        rows *= edge.selectivity;
      }
    }
    return std::max(rows, 1.0);
  }

  static void consider(Choice& best, const Choice& left, const Choice& right, bool connected, uint64_t split) {
    const double cost = left.cost + right.cost + join_cost(left.rows, right.rows, best.rows, !connected);
    best.offer(cost, !connected || left.crosses || right.crosses, split);
  }

  void choose(Set set) {
    Choice& best = choices_[set];
    best.rows = rows_of(set);
    // Each split once: the left part has the lowest relation.
    const Set lowest = set & (~set + 1);
    for (Set left = (set - 1) & set; left != 0; left = (left - 1) & set) {
      if ((left & lowest) != 0) {
        consider(best, choices_[left], choices_[set & ~left], connects(left, set & ~left), left);
      }
    }
  }

  void choose_interval(std::size_t start, std::size_t length) {
    Choice& best = intervals_[length][start];
    const Set set = sets_[length - 1][start] | sets_[1][start + length - 1];
    sets_[length][start] = set;
    best.rows = rows_of(set);
    for (std::size_t left = 1; left < length; ++left) {
      const std::size_t right = length - left;
      consider(best, intervals_[left][start], intervals_[right][start + left],
               connects(sets_[left][start], sets_[right][start + left]), left);
    }
  }

  TreePtr tree_of(Set set) const {
    if (std::popcount(set) == 1) {
      return make_leaf(static_cast<std::size_t>(std::countr_zero(set)));
    }
    return make_join(tree_of(choices_[set].left), tree_of(set & ~choices_[set].left));
  }
  TreePtr tree_of(const std::vector<std::size_t>& order, std::size_t start, std::size_t length) const {
    if (length == 1) {
      return make_leaf(order[start]);
    }
    const std::size_t left = intervals_[length][start].left;
    return make_join(tree_of(order, start, left), tree_of(order, start + left, length - left));
  }

  const std::vector<Part>& parts_;
  const std::vector<Edge>& edges_;
  std::vector<Choice> choices_;                 // by set
  std::vector<std::vector<Set>> sets_;          // by length and start
  std::vector<std::vector<Choice>> intervals_;  // by length and start
};

// Orders any number of relations.
class GreedyOrder {
 public:
  GreedyOrder(const std::vector<Part>& parts, const std::vector<Edge>& edges) : edges_(edges) {
    for (std::size_t part = 0; part < parts.size(); ++part) {
      group_of_.push_back(part);
      groups_.push_back({make_leaf(part), parts[part].rows});
    }
    joined_.assign(edges.size(), false);
  }

  TreePtr tree() {
    for (std::size_t joins = 1; joins < groups_.size(); ++joins) {
      const auto [left, right, rows] = best_pair();
      groups_[left].tree = make_join(std::move(groups_[left].tree), std::move(groups_[right].tree));
      groups_[left].rows = std::max(rows, 1.0);
      std::ranges::replace(group_of_, right, left);
    }
    return std::move(groups_[group_of_[0]].tree);
  }

 private:
  struct Group {
    TreePtr tree;  // null once it is part of another
    double rows = 0;
  };
  struct Pair {
    std::size_t left = 0;
    std::size_t right = 0;
    double rows = std::numeric_limits<double>::infinity();
  };

  Pair best_pair() {
    std::map<std::pair<std::size_t, std::size_t>, double> connected;
    std::set<std::size_t> needed;  // groups that a condition over several of them waits for
    for (std::size_t i = 0; i < edges_.size(); ++i) {
      if (joined_[i]) {
        continue;
      }
      std::set<std::size_t> touched;
      for (const std::size_t part : edges_[i].parts) {
        touched.insert(group_of_[part]);
      }
      if (touched.size() < 2) {
        joined_[i] = true;
      } else if (touched.size() == 2) {
        connected.try_emplace({*touched.begin(), *touched.rbegin()}, 1.0).first->second *= edges_[i].selectivity;
      } else {
        needed.merge(touched);
      }
    }
    Pair best;
    for (const auto& [pair, selectivity] : connected) {
      const double rows = groups_[pair.first].rows * groups_[pair.second].rows * selectivity;
      if (rows < best.rows) {
        best = {pair.first, pair.second, rows};
      }
    }
    return connected.empty() ? smallest_product(needed) : best;
  }

  // A cross product: of the two smallest groups, among those a condition waits for when there are some.
  Pair smallest_product(const std::set<std::size_t>& among) const {
    std::vector<std::size_t> candidates(among.begin(), among.end());
    for (std::size_t group = 0; among.empty() && group < groups_.size(); ++group) {
      if (groups_[group].tree != nullptr) {
        candidates.push_back(group);
      }
    }
    std::ranges::sort(candidates, {}, [&](std::size_t group) { return std::pair(groups_[group].rows, group); });
    const auto [left, right] = std::minmax(candidates[0], candidates[1]);
    return {left, right, groups_[left].rows * groups_[right].rows};
  }

  const std::vector<Edge>& edges_;
  std::vector<bool> joined_;  // edges within one group
  std::vector<std::size_t> group_of_;
  std::vector<Group> groups_;
};

class Region {
 public:
  Region(Cardinality& cardinality) : cardinality_(cardinality) {}

  // Takes a tree of inner joins apart.
  void add(const LogicalPtr& plan) {
    const auto* join = std::get_if<JoinNode>(&plan->node);
    const auto* filter = std::get_if<FilterNode>(&plan->node);
    if (is_inner_join(plan)) {
      add(join->left);
      add(join->right);
      add_conditions(join->condition);
      return;
    }
    if (filter != nullptr && is_inner_join(filter->input)) {
      add(filter->input);
      add_conditions(filter->predicate);
      return;
    }
    Part part;
    part.plan = order_joins(plan, cardinality_);
    part.columns = outputs_of(*part.plan);
    part.rows = cardinality_.rows(part.plan);
    for (const ColumnId column : part.columns) {
      part_of_[column] = parts_.size();
    }
    parts_.push_back(std::move(part));
  }

  static bool is_inner_join(const LogicalPtr& plan) {
    const auto* join = std::get_if<JoinNode>(&plan->node);
    return join != nullptr && join->kind == JoinKind::kInner && !is_lateral(*join);
  }

  LogicalPtr solve() {
    for (Edge& edge : edges_) {
      edge.parts = parts_named(edge.condition);
      edge.selectivity = cardinality_.selectivity(edge.condition);
      for (const std::size_t part : edge.parts) {
        edge.members |= parts_.size() <= kLinearMax ? uint64_t{1} << part : 0;
      }
    }
    const TreePtr tree = best_tree();
    std::vector<bool> leaves;
    return build(*tree, leaves);
  }

 private:
  static bool is_lateral(const JoinNode& join) {
    // Only a join that says so can be; looking for free columns at every level would cost the square of their number.
    return join.lateral && (overlaps(free_columns(join.right), outputs_of(*join.left)) ||
                            overlaps(free_columns(join.left), outputs_of(*join.right)));
  }

  void add_conditions(const ExprPtr& condition) {
    for (ExprPtr& conjunct : conjuncts_of(order_in_subqueries(condition, cardinality_))) {
      edges_.push_back({.condition = std::move(conjunct), .parts = {}});
    }
  }

  std::vector<std::size_t> parts_named(const ExprPtr& condition) const {
    std::set<std::size_t> named;
    for (const ColumnId column : columns_of(condition)) {
      if (const auto part = part_of_.find(column); part != part_of_.end()) {
        named.insert(part->second);
      }
    }
    return {named.begin(), named.end()};
  }

  TreePtr best_tree() {
    if (parts_.size() <= kExactMax) {
      return ExactOrder(parts_, edges_).best_tree();
    }
    TreePtr greedy = GreedyOrder(parts_, edges_).tree();
    if (parts_.size() > kLinearMax) {
      return greedy;
    }
    std::vector<std::size_t> order;
    list_leaves(*greedy, order);
    return ExactOrder(parts_, edges_).best_tree_in_order(order);
  }

  // Each condition goes where the last of its relations comes in. `leaves` becomes the tree's relations.
  LogicalPtr build(const Tree& tree, std::vector<bool>& leaves) {
    leaves.assign(parts_.size(), false);
    if (tree.left == nullptr) {
      leaves[tree.part] = true;
      const LogicalPtr& plan = parts_[tree.part].plan;
      ExprPtr condition = take_conditions(leaves);
      return condition == nullptr ? plan : make_logical(plan->outputs, FilterNode{plan, std::move(condition)});
    }
    JoinNode node;
    std::vector<bool> right_leaves;
    node.left = build(*tree.left, leaves);
    node.right = build(*tree.right, right_leaves);
    for (std::size_t part = 0; part < parts_.size(); ++part) {
      leaves[part] = leaves[part] || right_leaves[part];
    }
    node.condition = take_conditions(leaves);
    std::vector<OutputColumn> outputs = node.left->outputs;
    outputs.insert(outputs.end(), node.right->outputs.begin(), node.right->outputs.end());
    return make_logical(std::move(outputs), std::move(node));
  }

  ExprPtr take_conditions(const std::vector<bool>& leaves) {
    std::vector<ExprPtr> taken;
    for (Edge& edge : edges_) {
      if (!edge.used && std::ranges::all_of(edge.parts, [&](std::size_t part) { return leaves[part]; })) {
        edge.used = true;
        taken.push_back(edge.condition);
      }
    }
    return combine_conjuncts(std::move(taken));
  }

  Cardinality& cardinality_;
  std::vector<Part> parts_;
  std::vector<Edge> edges_;
  std::unordered_map<ColumnId, std::size_t> part_of_;
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
