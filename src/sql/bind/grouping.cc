// Grouping: what may stand beside aggregates, and the Aggregate node below the select list.

#include <algorithm>
#include <set>
#include <utility>

#include "sql/bind/binder.h"
#include "sql/bind/traverse.h"

namespace pando::sql {

namespace {

// Rewrites the expressions above the aggregation to name its outputs.
class GroupRewriter {
 public:
  GroupRewriter(std::vector<ProjectedColumn> groups, const LogicalPtr& input, Scope& scope)
      : groups_(std::move(groups)), scope_(scope) {
    for (const OutputColumn& column : input->outputs) {
      input_.insert(column.id.number());
    }
    for (const ProjectedColumn& group : groups_) {
      if (const auto* column = as<ColumnExpr>(group.expr)) {
        grouped_.insert(column->column.number());
      }
    }
  }

  ExprPtr rewrite(const ExprPtr& expr) {
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
            groups_.push_back({candidate, make_expr(candidate.type, ColumnExpr{id, candidate.name})});
            return true;
          }
        }
      }
    }
    return false;
  }

  // Whether the table's whole primary key is grouped.
  bool determined(const NamespaceItem& item) const {
    const catalog::IndexDescriptor* key = item.table->primary_index();
    if (key == nullptr) {
      return false;
    }
    return std::all_of(key->columns.begin(), key->columns.end(), [&](const catalog::IndexColumn& part) {
      return std::any_of(item.columns.begin(), item.columns.end(), [&](const OutputColumn& column) {
        return column.attribute == part.attribute && column.table == item.table->oid &&
               grouped_.contains(column.id.number());
      });
    });
  }

  void fail(std::string message, int position) {
    if (status_.ok()) {
      status_ = Status::from_message(sql_state::kGroupingError, std::move(message)).with_position(position);
    }
  }

  std::vector<ProjectedColumn> groups_;
  Scope& scope_;
  // Ids below the aggregation, and those of them that are grouped.
  std::set<uint32_t> input_;
  std::set<uint32_t> grouped_;
  Status status_;
};

}  // namespace

Result<LogicalPtr> Binder::aggregate(LogicalPtr input, std::vector<ExprPtr> group_exprs, std::vector<Target>& targets,
                                     ExprPtr& having, Scope& scope) {
  std::vector<ProjectedColumn> groups;
  for (ExprPtr& expr : group_exprs) {
    OutputColumn output;
    if (const auto* column = as<ColumnExpr>(expr)) {
      Target target;
      target.expr = expr;
      target.name = column->name;
      output = output_of(target, scope);
      output.id = column->column;
    } else {
      output = {context_.new_column(), "group", expr->type};
    }
    groups.push_back({std::move(output), std::move(expr)});
  }
  GroupRewriter rewriter(std::move(groups), input, scope);
  for (Target& target : targets) {
    target.expr = rewriter.rewrite(target.expr);
  }
  if (having != nullptr) {
    having = rewriter.rewrite(having);
  }
  for (auto* columns : {&scope.windows, &scope.set_functions}) {
    for (ProjectedColumn& column : *columns) {
      column.expr = map_children(column.expr, [&](const ExprPtr& child) { return rewriter.rewrite(child); });
    }
  }
  for (const Scope::Reference& reference : scope.inner_references) {
    rewriter.check_inner(reference);
  }
  PANDO_TRY(rewriter.status());
  AggregateNode node;
  node.input = std::move(input);
  node.groups = rewriter.take_groups();
  node.aggregates = scope.aggregates;
  std::vector<OutputColumn> outputs;
  for (const auto* columns : {&node.groups, &node.aggregates}) {
    for (const ProjectedColumn& column : *columns) {
      outputs.push_back(column.column);
    }
  }
  LogicalPtr plan = make_logical(outputs, std::move(node));
  if (having != nullptr) {
    plan = make_logical(std::move(outputs), FilterNode{std::move(plan), having});
  }
  return plan;
}

}  // namespace pando::sql
