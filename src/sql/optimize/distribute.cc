#include "sql/optimize/distribute.h"

#include <algorithm>

#include "sql/expr/walk.h"
#include "sql/function/function.h"
#include "sql/function/portable_state.h"
#include "sql/plan/columns.h"

namespace pando::sql {
namespace {

// --- expressions ---

// Whether it can be computed before the statement's first row: what a node is sent is its value.
bool has_a_value(const ExprPtr& expr) {
  return !any_of(expr, [](const ExprPtr& part) {
    if (const auto* call = as<CallExpr>(part)) {
      return call->function->volatility == Volatility::kVolatile;
    }
    if (const auto* subplan = as<SubplanExpr>(part)) {
      return !subplan->plan->correlation.empty() || !subplan->plan->outer_parameters.empty();
    }
    return as<ColumnExpr>(part) != nullptr || as<SubqueryExpr>(part) != nullptr;
  });
}

bool is_immutable(const Function* function) { return function->volatility == Volatility::kImmutable; }

// Whether a node computes the same of the same arguments, wherever it is.
struct Computes {
  bool operator()(const ColumnExpr&) const { return true; }
  bool operator()(const CallExpr& call) const {
    // Those of records are told the names of the fields, and those that no SQL name reaches have no number to be sent.
    return is_immutable(call.function) && call.function->scalar != nullptr &&
           function_by_oid(call.function->oid) == call.function;
  }
  bool operator()(const CastExpr& cast) const {
    return cast.method == CastExpr::Method::kRelabel || cast.method == CastExpr::Method::kModifier;
  }
  bool operator()(const LogicExpr&) const { return true; }
  bool operator()(const NullTestExpr&) const { return true; }
  bool operator()(const BooleanTestExpr&) const { return true; }
  bool operator()(const DistinctExpr& distinct) const { return is_immutable(distinct.equality); }
  bool operator()(const CaseExpr&) const { return true; }
  bool operator()(const CoalesceExpr&) const { return true; }
  bool operator()(const NullIfExpr& null_if) const { return is_immutable(null_if.equality); }
  bool operator()(const MinMaxExpr&) const { return true; }
  bool operator()(const ArrayComparisonExpr& comparison) const { return is_immutable(comparison.comparison); }
  template <typename Node>
  bool operator()(const Node&) const {
    return false;
  }
};

bool is_portable(const ExprPtr& expr) {
  if (expr == nullptr || has_a_value(expr)) {
    return true;
  }
  if (types::is_record(expr->type.oid) || !std::visit(Computes(), expr->node)) {
    return false;
  }
  bool all = true;
  for_each_child(expr, [&](const ExprPtr& child) { all = all && is_portable(child); });
  return all;
}

bool all_portable(const std::vector<ProjectedColumn>& columns) {
  return std::ranges::all_of(columns, [](const ProjectedColumn& column) { return is_portable(column.expr); });
}

bool is_portable_aggregate(const ProjectedColumn& column) {
  const auto* aggregate = as<AggregateExpr>(column.expr);
  const bool ordered = aggregate->distinct && !aggregate->function->distinct_insensitive;
  return portable_state_of(*aggregate->function) != nullptr && !ordered && aggregate->order.empty() &&
         is_portable(aggregate->filter) && std::ranges::all_of(aggregate->arguments, is_portable);
}

// --- plans ---

// The scan below filters and projections that can all be moved; nullptr for any other plan.
struct PortableScan {
  const ScanPlan* operator()(const ScanPlan& scan) const {
    const auto supported = [](catalog::AttributeNumber attribute) {
      return attribute > 0 || attribute == kRowKeyAttribute || attribute == kTableOidAttribute;
    };
    const bool portable = scan.table->kind == catalog::RelationKind::kTable && (scan.index == 0 || scan.index_only) &&
                          !scan.reverse && scan.limit_hint == 0 && is_portable(scan.filter) &&
                          std::ranges::all_of(scan.attributes, supported);
    return portable ? &scan : nullptr;
  }
  const ScanPlan* operator()(const FilterPlan& filter) const {
    return is_portable(filter.predicate) ? of(filter.input) : nullptr;
  }
  const ScanPlan* operator()(const ProjectPlan& project) const {
    return all_portable(project.columns) ? of(project.input) : nullptr;
  }
  template <typename Node>
  const ScanPlan* operator()(const Node&) const {
    return nullptr;
  }
  static const ScanPlan* of(const PhysicalPtr& plan) { return std::visit(PortableScan(), plan->node); }
};

// Whether less comes out of it than the rows that it reads: otherwise they may as well be decoded here.
bool reduces(const PhysicalPtr& plan, const ScanPlan& scan) {
  const auto live = std::ranges::count_if(scan.table->columns, [](const auto& column) { return !column.dropped; });
  return scan.filter != nullptr || std::holds_alternative<FilterPlan>(plan->node) ||
         static_cast<std::ptrdiff_t>(plan->outputs.size()) < live;
}

class Distributor {
 public:
  explicit Distributor(const PlanMethods& methods) : methods_(methods) {}

  PhysicalPtr rewrite(const PhysicalPtr& plan, bool in_order) {
    if (const auto* aggregate = std::get_if<AggregatePlan>(&plan->node)) {
      if (is_in_two_steps(*plan, *aggregate)) {
        return in_two_steps(*plan, *aggregate);
      }
    }
    if (const auto* limit = std::get_if<LimitPlan>(&plan->node)) {
      if (!limit->with_ties && is_worth_moving(limit->input)) {
        return limited(*plan, *limit);
      }
    }
    if (is_worth_moving(plan)) {
      return gather(plan, in_order);
    }
    return rewrite_inputs(plan, in_order);
  }

 private:
  const ScanPlan* large_scan(const PhysicalPtr& plan) const {
    const ScanPlan* scan = PortableScan::of(plan);
    return scan != nullptr && scan->rows_read >= methods_.distributed_rows_min ? scan : nullptr;
  }
  bool is_worth_moving(const PhysicalPtr& plan) const {
    const ScanPlan* scan = large_scan(plan);
    return scan != nullptr && reduces(plan, *scan);
  }
  static PhysicalPtr gather(const PhysicalPtr& plan, bool in_order) {
    return make_physical(plan->outputs, GatherPlan{.input = plan, .in_order = in_order}, plan->rows, plan->cost);
  }
  static PhysicalPtr limited(const PhysicalNode& node, const LimitPlan& limit) {
    LimitPlan changed = limit;
    changed.input =
        make_physical(limit.input->outputs,
                      GatherPlan{.input = limit.input, .in_order = true, .limit = limit.limit, .offset = limit.offset},
                      limit.input->rows, limit.input->cost);
    return with(node, std::move(changed));
  }

  // States are as large as rows: many groups are better made of rows here.
  bool is_in_two_steps(const PhysicalNode& node, const AggregatePlan& aggregate) const {
    return aggregate.grouping_sets.empty() && large_scan(aggregate.input) != nullptr &&
           all_portable(aggregate.groups) && std::ranges::all_of(aggregate.aggregates, is_portable_aggregate) &&
           node.rows * 2 <= aggregate.input->rows;
  }
  static PhysicalPtr in_two_steps(const PhysicalNode& node, const AggregatePlan& aggregate) {
    AggregatePlan partial = aggregate;
    partial.parallel = false;
    partial.partial = true;
    AggregatePlan final_step = aggregate;
    final_step.parallel = false;
    std::vector<OutputColumn> outputs;
    for (ProjectedColumn& group : final_step.groups) {
      outputs.push_back(group.column);
      group.expr = column_of(group.column);
    }
    for (const ProjectedColumn& column : final_step.aggregates) {
      OutputColumn states = column.column;
      states.type = {types::oid::kBytea};
      final_step.states.push_back(column_of(states));
      outputs.push_back(std::move(states));
    }
    const PhysicalPtr below = make_physical(std::move(outputs), std::move(partial), node.rows, node.cost);
    final_step.input = gather(below, false);
    return with(node, std::move(final_step));
  }
  static ExprPtr column_of(const OutputColumn& column) {
    return make_expr(column.type, ColumnExpr{column.id, column.name});
  }

  PhysicalPtr rewrite_inputs(const PhysicalPtr& plan, bool in_order) {
    return std::visit([&](const auto& node) { return rewrite_inputs(plan, node, in_order); }, plan->node);
  }
  template <typename Node>
  PhysicalPtr rewrite_inputs(const PhysicalPtr& plan, const Node& node, bool in_order) {
    Node changed = node;
    if constexpr (requires { changed.input; }) {
      // Aggregates that are not in two steps may show the order of their input, as array_agg does.
      changed.input = rewrite(node.input, in_order && !std::is_same_v<Node, SortPlan>);
      return changed.input == node.input ? plan : with(*plan, std::move(changed));
    } else if constexpr (requires { changed.left; }) {
      changed.left = rewrite(node.left, in_order);
      if constexpr (requires { changed.correlation; }) {
        // Opened again for every row of the left side, it would be asked for as often.
        if (node.correlation.empty()) {
          changed.right = rewrite(node.right, in_order);
        }
      } else {
        changed.right = rewrite(node.right, in_order);
      }
      return changed.left == node.left && changed.right == node.right ? plan : with(*plan, std::move(changed));
    } else if constexpr (requires { changed.body; }) {
      for (WithPlan::Definition& definition : changed.definitions) {
        definition.plan = rewrite(definition.plan, true);
      }
      changed.body = rewrite(node.body, in_order);
      return with(*plan, std::move(changed));
    } else {
      return plan;
    }
  }
  template <typename Node>
  static PhysicalPtr with(const PhysicalNode& like, Node node) {
    return std::make_shared<const PhysicalNode>(
        PhysicalNode{like.outputs, like.rows, like.startup_cost, like.cost, std::move(node)});
  }

  const PlanMethods& methods_;
};

}  // namespace

PhysicalPtr distribute(const PhysicalPtr& plan, const PlanMethods& methods) {
  return methods.distributed && methods.parallel ? Distributor(methods).rewrite(plan, true) : plan;
}

}  // namespace pando::sql
