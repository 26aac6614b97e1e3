#include <algorithm>
#include <map>

#include "sql/expr/walk.h"
#include "sql/function/function.h"
#include "sql/optimize/conjuncts.h"
#include "sql/optimize/rewrite.h"

namespace pando::sql {
namespace {

ExprPtr column_expr(const OutputColumn& column) { return make_expr(column.type, ColumnExpr{column.id, column.name}); }

// A subquery's plan without the conditions that name outer columns, and those conditions.
struct Pulled {
  LogicalPtr plan;
  std::vector<ExprPtr> conditions;
};

class Decorrelator {
 public:
  explicit Decorrelator(ColumnIds& ids) : ids_(ids) {}

  LogicalPtr rewrite(const LogicalPtr& plan) {
    const LogicalPtr rebuilt = rebuild(
        plan, [&](const LogicalPtr& input) { return rewrite(input); },
        [&](const ExprPtr& expr) { return rewrite_expr(expr); });
    const auto* filter = std::get_if<FilterNode>(&rebuilt->node);
    return filter == nullptr ? rebuilt : rewrite_filter(rebuilt, *filter);
  }

 private:
  // Inside the plans of subqueries that stay.
  ExprPtr rewrite_expr(const ExprPtr& expr) {
    if (expr == nullptr || !has_subquery(expr)) {
      return expr;
    }
    const ExprPtr entered = rewrite_children(expr, [&](const ExprPtr& child) { return rewrite_expr(child); });
    const auto* subquery = as<SubqueryExpr>(entered);
    if (subquery == nullptr) {
      return entered;
    }
    SubqueryExpr copy = *subquery;
    copy.plan = rewrite(subquery->plan);
    return make_expr(entered->type, std::move(copy), entered->position);
  }

  LogicalPtr rewrite_filter(const LogicalPtr& plan, const FilterNode& node) {
    LogicalPtr input = node.input;
    std::vector<ExprPtr> kept;
    // Plain conditions first, so that fewer rows reach the joins.
    std::vector<ExprPtr> plain;
    std::vector<ExprPtr> nested;
    for (const ExprPtr& conjunct : conjuncts_of(node.predicate)) {
      (has_subquery(conjunct) ? nested : plain).push_back(conjunct);
    }
    if (nested.empty()) {
      return plan;
    }
    if (!plain.empty()) {
      input = make_logical(input->outputs, FilterNode{input, combine_conjuncts(plain)});
    }
    const LogicalPtr before = input;
    for (const ExprPtr& conjunct : nested) {
      if (LogicalPtr joined = join_subquery(input, conjunct)) {
        input = std::move(joined);
      } else {
        kept.push_back(join_scalars(conjunct, input));
      }
    }
    if (kept.empty()) {
      return restore_outputs(plan, input);
    }
    const bool changed = input != before;
    LogicalPtr filtered = make_logical(input->outputs, FilterNode{input, combine_conjuncts(std::move(kept))});
    return changed ? restore_outputs(plan, filtered) : filtered;
  }

  // Joins may have added columns.
  static LogicalPtr restore_outputs(const LogicalPtr& plan, const LogicalPtr& rewritten) {
    if (rewritten->outputs.size() == plan->outputs.size()) {
      return rewritten;
    }
    ProjectNode project;
    project.input = rewritten;
    for (const OutputColumn& column : plan->outputs) {
      project.columns.push_back({column, column_expr(column)});
    }
    return make_logical(plan->outputs, std::move(project));
  }

  // A semi or anti join for [NOT] EXISTS, [NOT] IN; nullptr when the conjunct is something else.
  LogicalPtr join_subquery(const LogicalPtr& input, const ExprPtr& conjunct) {
    const auto* logic = as<LogicExpr>(conjunct);
    const bool negated = logic != nullptr && logic->kind == LogicExpr::Kind::kNot;
    const auto* subquery = as<SubqueryExpr>(negated ? logic->arguments[0] : conjunct);
    if (subquery == nullptr) {
      return nullptr;
    }
    if (subquery->kind == SubqueryExpr::Kind::kExists) {
      return join_exists(input, *subquery, negated);
    }
    const bool is_in = subquery->kind == SubqueryExpr::Kind::kAny && subquery->spelling == "=";
    const bool is_not_in = subquery->kind == SubqueryExpr::Kind::kAll && subquery->spelling == "<>";
    if ((is_in && !negated) || (is_in && negated) || (is_not_in && !negated)) {
      return join_in(input, *subquery, is_not_in || negated);
    }
    return nullptr;
  }

  static bool depends_on(const LogicalPtr& plan, const LogicalPtr& input) {
    return overlaps(free_columns(plan), outputs_of(*input));
  }

  LogicalPtr join_exists(const LogicalPtr& input, const SubqueryExpr& subquery, bool negated) {
    // An uncorrelated EXISTS runs once: no join beats that.
    if (!depends_on(subquery.plan, input)) {
      return nullptr;
    }
    auto pulled = pull(subquery.plan, input, true);
    if (!pulled || pulled->conditions.empty() || depends_on(pulled->plan, input)) {
      return nullptr;
    }
    return make_join(input, std::move(*pulled), negated ? JoinKind::kAnti : JoinKind::kSemi, false);
  }

  LogicalPtr join_in(const LogicalPtr& input, const SubqueryExpr& subquery, bool negated) {
    if (std::ranges::any_of(subquery.left, has_subquery)) {
      return nullptr;
    }
    const bool correlated = depends_on(subquery.plan, input);
    // NOT IN is an anti join only for one comparison and nothing else: NULLs decide otherwise.
    // Only a left side over the input can be the key of a hash join, which knows what NOT IN makes of NULL.
    if (negated && (correlated || subquery.left.size() != 1 || is_volatile(subquery.left[0]) ||
                    !overlaps(columns_of(subquery.left[0]), outputs_of(*input)))) {
      return nullptr;
    }
    Pulled pulled{subquery.plan, {}};
    if (correlated) {
      auto found = pull(subquery.plan, input, false);
      if (!found || depends_on(found->plan, input)) {
        return nullptr;
      }
      pulled = std::move(*found);
    }
    const ColumnSet available = outputs_of(*pulled.plan);
    for (std::size_t i = 0; i < subquery.left.size(); ++i) {
      const auto column = std::ranges::find(pulled.plan->outputs, subquery.columns[i], &OutputColumn::id);
      if (column == pulled.plan->outputs.end()) {
        return nullptr;
      }
      const Function* comparison = subquery.comparisons[i];
      if (negated) {
        comparison = find_operator("=", subquery.left[i]->type.oid, column->type.oid);
        ExprPtr left = subquery.left[i];
        ExprPtr right = column_expr(*column);
        if (comparison == nullptr || !unify_types(left, right)) {
          return nullptr;
        }
      }
      pulled.conditions.push_back(
          make_expr({types::oid::kBool}, CallExpr{comparison, {subquery.left[i], column_expr(*column)}, "=", false}));
    }
    return make_join(input, std::move(pulled), negated ? JoinKind::kAnti : JoinKind::kSemi, negated);
  }

  static LogicalPtr make_join(const LogicalPtr& input, Pulled pulled, JoinKind kind, bool null_aware) {
    JoinNode join;
    join.kind = kind;
    join.left = input;
    join.right = std::move(pulled.plan);
    join.condition = combine_conjuncts(std::move(pulled.conditions));
    join.null_aware = null_aware;
    return make_logical(input->outputs, std::move(join));
  }

  // Takes conditions that name outer columns out of filters at the top of a plan. Columns that they need are added to
  // projections on the way. `only_existence`: the select list does not matter.
  std::optional<Pulled> pull(const LogicalPtr& plan, const LogicalPtr& outer, bool only_existence) {
    const ColumnSet outer_columns = outputs_of(*outer);
    if (const auto* filter = std::get_if<FilterNode>(&plan->node)) {
      auto below = pull(filter->input, outer, only_existence);
      if (!below) {
        return std::nullopt;
      }
      std::vector<ExprPtr> inner;
      for (const ExprPtr& conjunct : conjuncts_of(filter->predicate)) {
        const bool correlated = overlaps(columns_of(conjunct), outer_columns);
        if (correlated && (has_subquery(conjunct) || is_volatile(conjunct))) {
          return std::nullopt;
        }
        (correlated ? below->conditions : inner).push_back(conjunct);
      }
      if (!inner.empty()) {
        below->plan = make_logical(below->plan->outputs, FilterNode{below->plan, combine_conjuncts(std::move(inner))});
      }
      return below;
    }
    if (const auto* project = std::get_if<ProjectNode>(&plan->node)) {
      return pull_project(plan, *project, outer, only_existence);
    }
    if (const auto* join = std::get_if<JoinNode>(&plan->node); join != nullptr && join->kind == JoinKind::kInner) {
      return pull_join(plan, *join, outer);
    }
    if (const auto* sort = std::get_if<SortNode>(&plan->node)) {
      return pull(sort->input, outer, only_existence);
    }
    if (const auto* distinct = std::get_if<DistinctNode>(&plan->node);
        distinct != nullptr && distinct->on.empty() && only_existence) {
      return pull(distinct->input, outer, only_existence);
    }
    return depends_on(plan, outer) ? std::nullopt : std::optional(Pulled{plan, {}});
  }

  std::optional<Pulled> pull_project(const LogicalPtr& plan, const ProjectNode& node, const LogicalPtr& outer,
                                     bool only_existence) {
    auto below = pull(node.input, outer, only_existence);
    if (!below) {
      return std::nullopt;
    }
    if (only_existence) {
      return below;
    }
    ProjectNode project = node;
    project.input = below->plan;
    std::vector<OutputColumn> outputs = plan->outputs;
    ColumnSet passed;
    for (const ProjectedColumn& column : project.columns) {
      if (overlaps(columns_of(column.expr), outputs_of(*outer))) {
        return std::nullopt;
      }
      passed.insert(column.column.id);
    }
    ColumnSet needed;
    for (const ExprPtr& condition : below->conditions) {
      collect_columns(condition, needed);
    }
    for (const OutputColumn& column : below->plan->outputs) {
      if (needed.contains(column.id) && !passed.contains(column.id)) {
        project.columns.push_back({column, column_expr(column)});
        outputs.push_back(column);
      }
    }
    below->plan = make_logical(std::move(outputs), std::move(project));
    return below;
  }

  std::optional<Pulled> pull_join(const LogicalPtr& plan, const JoinNode& node, const LogicalPtr& outer) {
    auto left = pull(node.left, outer, false);
    auto right = pull(node.right, outer, false);
    if (!left || !right) {
      return std::nullopt;
    }
    const ColumnSet outer_columns = outputs_of(*outer);
    Pulled result;
    JoinNode join = node;
    std::vector<ExprPtr> on;
    for (const ExprPtr& conjunct : conjuncts_of(node.condition)) {
      const bool correlated = overlaps(columns_of(conjunct), outer_columns);
      if (correlated && has_subquery(conjunct)) {
        return std::nullopt;
      }
      (correlated ? result.conditions : on).push_back(conjunct);
    }
    std::ranges::move(left->conditions, std::back_inserter(result.conditions));
    std::ranges::move(right->conditions, std::back_inserter(result.conditions));
    join.left = left->plan;
    join.right = right->plan;
    join.condition = combine_conjuncts(std::move(on));
    std::vector<OutputColumn> outputs = join.left->outputs;
    outputs.insert(outputs.end(), join.right->outputs.begin(), join.right->outputs.end());
    result.plan = make_logical(std::move(outputs), std::move(join));
    return result;
  }

  // --- scalar subqueries ---

  // Replaces scalar subqueries over an aggregate without GROUP BY, correlated by equalities only, with a column of a
  // left join to the aggregate grouped by the equalities' inner sides.
  ExprPtr join_scalars(const ExprPtr& expr, LogicalPtr& input) {
    const auto* subquery = as<SubqueryExpr>(expr);
    if (subquery != nullptr && subquery->kind == SubqueryExpr::Kind::kScalar && depends_on(subquery->plan, input)) {
      if (ExprPtr column = join_scalar(*subquery, input)) {
        return column;
      }
      return expr;
    }
    // Conditional parts may never be evaluated: joins would compute them always, and only errors would tell. The
    // aggregates below raise none of their own, so only top-level comparisons are rewritten.
    const auto comparison = as_comparison(expr);
    if (!comparison) {
      return expr;
    }
    return rewrite_children(expr, [&](const ExprPtr& child) { return join_scalars(child, input); });
  }

  ExprPtr join_scalar(const SubqueryExpr& subquery, LogicalPtr& input) {
    const auto* project = std::get_if<ProjectNode>(&subquery.plan->node);
    const LogicalPtr& top = project == nullptr ? subquery.plan : project->input;
    const auto* aggregate = std::get_if<AggregateNode>(&top->node);
    if (aggregate == nullptr || !aggregate->groups.empty() || !aggregate->grouping_sets.empty() ||
        !gives_null_for_nothing(*aggregate)) {
      return nullptr;
    }
    auto pulled = pull(aggregate->input, input, false);
    if (!pulled || pulled->conditions.empty() || depends_on(pulled->plan, input)) {
      return nullptr;
    }
    const ColumnSet outer = outputs_of(*input);
    const ColumnSet inner = outputs_of(*pulled->plan);
    AggregateNode grouped = *aggregate;
    grouped.input = pulled->plan;
    std::vector<OutputColumn> outputs;
    std::vector<ExprPtr> on;
    for (const ExprPtr& condition : pulled->conditions) {
      const auto equality = as_comparison(condition);
      if (!equality || equality->op != "=") {
        return nullptr;
      }
      const bool flipped = overlaps(columns_of(equality->left), inner);
      const ExprPtr& inner_side = flipped ? equality->left : equality->right;
      const ExprPtr& outer_side = flipped ? equality->right : equality->left;
      if (overlaps(columns_of(inner_side), outer) || overlaps(columns_of(outer_side), inner)) {
        return nullptr;
      }
      OutputColumn column{ids_.next(), "key", inner_side->type};
      const ExprPtr key = column_expr(column);
      on.push_back(
          make_expr(condition->type,
                    CallExpr{equality->function, flipped ? std::vector{key, outer_side} : std::vector{outer_side, key},
                             "=", false}));
      grouped.groups.push_back({column, inner_side});
      outputs.push_back(column);
    }
    for (const ProjectedColumn& column : grouped.aggregates) {
      if (overlaps(columns_of(column.expr), outer)) {
        return nullptr;
      }
      outputs.push_back(column.column);
    }
    return join_grouped(subquery, project, std::move(grouped), std::move(outputs), std::move(on), input);
  }

  ExprPtr join_grouped(const SubqueryExpr& subquery, const ProjectNode* project, AggregateNode grouped,
                       std::vector<OutputColumn> outputs, std::vector<ExprPtr> on, LogicalPtr& input) {
    ExprPtr result;
    for (const OutputColumn& column : outputs) {
      if (column.id == subquery.columns[0]) {
        result = column_expr(column);
      }
    }
    if (project != nullptr) {
      // The select list over the aggregate is computed above the join; NULL aggregates give what no row would.
      for (const ProjectedColumn& column : project->columns) {
        if (column.column.id == subquery.columns[0]) {
          result = column.expr;
        }
      }
      if (result == nullptr || has_subquery(result) || overlaps(columns_of(result), outputs_of(*input))) {
        return nullptr;
      }
    }
    if (result == nullptr) {
      return nullptr;
    }
    JoinNode join;
    join.kind = JoinKind::kLeft;
    join.left = input;
    join.right = make_logical(outputs, std::move(grouped));
    join.condition = combine_conjuncts(std::move(on));
    std::vector<OutputColumn> all = input->outputs;
    all.insert(all.end(), outputs.begin(), outputs.end());
    input = make_logical(std::move(all), std::move(join));
    return result;
  }

  // Not count(): it gives 0 where the left join gives NULL.
  static bool gives_null_for_nothing(const AggregateNode& node) {
    return std::ranges::all_of(node.aggregates, [](const ProjectedColumn& column) {
      const auto* aggregate = as<AggregateExpr>(column.expr);
      return aggregate != nullptr && aggregate->function->name != "count" &&
             !aggregate->function->name.starts_with("regr_count");
    });
  }

  ColumnIds& ids_;
};

}  // namespace

LogicalPtr decorrelate(const LogicalPtr& plan, ColumnIds& ids) { return Decorrelator(ids).rewrite(plan); }

}  // namespace pando::sql
