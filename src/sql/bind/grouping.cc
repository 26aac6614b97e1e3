// Grouping: what may stand beside aggregates, and the Aggregate node below the select list.

#include <algorithm>
#include <numeric>
#include <set>
#include <utility>

#include "sql/bind/core_state.h"
#include "sql/bind/traverse.h"
#include "sql/plan/columns.h"

namespace pando::sql {

namespace {

// Rewrites the expressions above the aggregation to name its outputs.
class GroupRewriter {
 public:
  using Sets = std::vector<std::vector<uint32_t>>;
  GroupRewriter(std::vector<ProjectedColumn> groups, Sets sets, const LogicalPtr& input, Scope& scope)
      : groups_(std::move(groups)), sets_(std::move(sets)), scope_(scope) {
    for (const OutputColumn& column : input->outputs) {
      input_.insert(column.id.number());
    }
    for (uint32_t i = 0; i < groups_.size(); ++i) {
      if (const auto* column = as<ColumnExpr>(groups_[i].expr)) {
        grouped_.insert(column->column.number());
        if (std::ranges::all_of(sets_, [&](const auto& set) { return std::ranges::find(set, i) != set.end(); })) {
          always_grouped_.insert(column->column.number());
        }
      }
    }
  }

  // A constant of the select list that is grouped by itself is NULL in the sets without it.
  ExprPtr rewrite_target(const ExprPtr& expr) {
    const auto is_it = [&](const ProjectedColumn& group) { return same_expr(group.expr, expr); };
    const auto group = std::ranges::find_if(groups_, is_it);
    return as<ConstantExpr>(expr) == nullptr || sets_.empty() || group == groups_.end()
               ? rewrite(expr)
               : make_expr(expr->type, ColumnExpr{group->column.id, group->column.name}, expr->position);
  }

  ExprPtr rewrite(const ExprPtr& expr) {
    if (as<ConstantExpr>(expr) != nullptr) {
      return expr;
    }
    for (const ProjectedColumn& group : groups_) {
      if (same_expr(group.expr, expr)) {
        return make_expr(expr->type, ColumnExpr{group.column.id, group.column.name}, expr->position);
      }
    }
    if (const auto* column = as<ColumnExpr>(expr)) {
      if (input_.contains(column->column.number()) && !allow(*expr)) {
        fail(fmt::format("column \"{}\" must appear in the GROUP BY clause or be used in an aggregate function",
                         column->name),
             expr->position);
      }
      return expr;
    }
    return map_children(expr, [&](const ExprPtr& child) { return rewrite(child); });
  }

  // What an inner query names of this level must be grouped too.
  void check_inner(const Scope::Reference& reference) {
    if (!input_.contains(reference.column.number())) {
      return;
    }
    const ExprPtr column = make_expr(type_of(reference.column), ColumnExpr{reference.column, reference.name});
    if (!allow(*column)) {
      fail(fmt::format("subquery uses ungrouped column \"{}\" from outer query", reference.name), reference.position);
    }
  }

  const Status& status() const { return status_; }
  std::vector<ProjectedColumn> take_groups() { return std::move(groups_); }
  Sets take_sets() { return std::move(sets_); }

 private:
  types::Type type_of(ColumnId id) const {
    for (const NamespaceItem& item : scope_.items) {
      for (const OutputColumn& column : item.columns) {
        if (column.id == id) {
          return column.type;
        }
      }
    }
    return {};
  }

  // Grouped, or dependent on grouped columns: then it joins the groups, which it does not split.
  bool allow(const Expr& column) {
    const ColumnId id = std::get<ColumnExpr>(column.node).column;
    if (grouped_.contains(id.number())) {
      return true;
    }
    for (const NamespaceItem& item : scope_.items) {
      if (!item.is_table_scan || !determined(item)) {
        continue;
      }
      for (const auto* columns : {&item.columns, &item.system_columns}) {
        for (const OutputColumn& candidate : *columns) {
          if (candidate.id == id) {
            grouped_.insert(id.number());
            for (auto& set : sets_) {
              set.push_back(static_cast<uint32_t>(groups_.size()));
            }
            groups_.push_back({candidate, make_expr(candidate.type, ColumnExpr{id, candidate.name})});
            return true;
          }
        }
      }
    }
    return false;
  }

  // Whether the table's whole primary key is grouped, by every grouping set.
  bool determined(const NamespaceItem& item) const {
    const catalog::IndexDescriptor* key = item.table->primary_index();
    if (key == nullptr) {
      return false;
    }
    return std::all_of(key->columns.begin(), key->columns.end(), [&](const catalog::IndexColumn& part) {
      return std::any_of(item.columns.begin(), item.columns.end(), [&](const OutputColumn& column) {
        return column.attribute == part.attribute && column.table == item.table->oid &&
               always_grouped_.contains(column.id.number());
      });
    });
  }

  void fail(std::string message, int position) {
    if (status_.ok()) {
      status_ = Status::from_message(sql_state::kGroupingError, std::move(message)).with_position(position);
    }
  }

  std::vector<ProjectedColumn> groups_;
  Sets sets_;
  Scope& scope_;
  // Ids below the aggregation, and those of them that are grouped.
  std::set<uint32_t> input_;
  std::set<uint32_t> grouped_;
  std::set<uint32_t> always_grouped_;
  Status status_;
};

// Which groups each GROUPING() asks of.
Result<std::vector<GroupingColumn>> grouping_columns(const std::vector<ProjectedColumn>& groups, const Scope& scope) {
  std::vector<GroupingColumn> columns;
  for (const Scope::Grouping& call : scope.groupings) {
    GroupingColumn& grouping = columns.emplace_back(GroupingColumn{call.column, {}});
    for (const ExprPtr& argument : call.arguments) {
      const auto group = std::ranges::find_if(
          groups, [&](const ProjectedColumn& candidate) { return same_expr(candidate.expr, argument); });
      if (group == groups.end()) {
        return Status(sql_state::kGroupingError,
                      "arguments to GROUPING must be grouping expressions of the associated query level")
            .with_position(argument->position);
      }
      grouping.arguments.push_back(static_cast<uint32_t>(group - groups.begin()));
    }
  }
  return columns;
}

bool names_column(const ExprPtr& expr, ColumnId column) {
  const auto* named = as<ColumnExpr>(expr);
  bool found = named != nullptr && named->column == column;
  visit_children(*expr, [&](const ExprPtr& child) { found = found || names_column(child, column); });
  return found;
}

// Takes the set-returning functions that are grouped by out of the scope, with those inside them: they run below the
// grouping.
Scope take_grouped_set_functions(std::vector<ExprPtr> grouped, Scope& scope) {
  Scope below(nullptr);
  for (std::size_t i = scope.set_functions.size(); i-- > 0;) {
    const ProjectedColumn function = scope.set_functions[i];
    const auto names_it = [&](const ExprPtr& expr) { return names_column(expr, function.column.id); };
    if (std::ranges::none_of(grouped, names_it)) {
      continue;
    }
    grouped.push_back(function.expr);
    below.set_functions.insert(below.set_functions.begin(), function);
    below.set_function_levels.insert(below.set_function_levels.begin(), scope.set_function_levels[i]);
    scope.set_functions.erase(scope.set_functions.begin() + static_cast<std::ptrdiff_t>(i));
    scope.set_function_levels.erase(scope.set_function_levels.begin() + static_cast<std::ptrdiff_t>(i));
  }
  return below;
}

}  // namespace

Result<LogicalPtr> Binder::aggregate(CoreState& state, Scope& scope) {
  Scope below = take_grouped_set_functions(state.groups, scope);
  LogicalPtr input = add_set_functions(std::move(state.plan), below);
  std::vector<Target>& targets = state.targets;
  ExprPtr& having = state.having;
  std::vector<ProjectedColumn> groups;
  for (ExprPtr& expr : state.groups) {
    OutputColumn output;
    if (const auto* column = as<ColumnExpr>(expr)) {
      Target target;
      target.expr = expr;
      target.name = column->name;
      output = output_of(target, scope);
      const bool own = std::ranges::find(input->outputs, column->column, &OutputColumn::id) != input->outputs.end();
      output.id = own ? column->column : context_.new_column();
    } else {
      output = {context_.new_column(), "group", expr->type};
    }
    groups.push_back({std::move(output), std::move(expr)});
  }
  PANDO_ASSIGN(std::vector<GroupingColumn> groupings, grouping_columns(groups, scope));
  if (!groupings.empty() && state.grouping_sets.empty()) {
    std::vector<uint32_t>& all = state.grouping_sets.emplace_back(groups.size());
    std::iota(all.begin(), all.end(), 0);
  }
  GroupRewriter rewriter(std::move(groups), std::move(state.grouping_sets), input, scope);
  for (Target& target : targets) {
    target.expr = rewriter.rewrite_target(target.expr);
  }
  if (having != nullptr) {
    having = rewriter.rewrite(having);
  }
  for (auto* columns : {&scope.windows, &scope.set_functions}) {
    for (ProjectedColumn& column : *columns) {
      column.expr = map_children(column.expr, [&](const ExprPtr& child) { return rewriter.rewrite(child); });
    }
  }
  // What an inner query names matters where it is not grouped itself.
  ColumnSet named = columns_of(having);
  for (const Target& target : targets) {
    collect_columns(target.expr, named);
  }
  for (const auto* columns : {&scope.windows, &scope.set_functions}) {
    for (const ProjectedColumn& column : *columns) {
      collect_columns(column.expr, named);
    }
  }
  for (const Scope::Reference& reference : scope.inner_references) {
    if (named.contains(reference.column)) {
      rewriter.check_inner(reference);
    }
  }
  PANDO_TRY(rewriter.status());
  AggregateNode node;
  node.input = std::move(input);
  node.groups = rewriter.take_groups();
  node.aggregates = scope.aggregates;
  const GroupingSets sets = rewriter.take_sets();
  if (node.groups.empty() && node.aggregates.empty() && sets.empty()) {
    // Only a HAVING: one row, whatever the input holds.
    node.input = make_logical({}, ValuesNode{{{}}});
  }
  LogicalPtr plan =
      sets.empty() ? aggregate_once(std::move(node)) : aggregate_sets(context_, std::move(node), sets, groupings);
  std::vector<OutputColumn> outputs = plan->outputs;
  if (having != nullptr) {
    plan = make_logical(std::move(outputs), FilterNode{std::move(plan), having});
  }
  return plan;
}

}  // namespace pando::sql
