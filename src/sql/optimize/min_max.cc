// min(x) and max(x) of a whole table become the first row of an index on x: SELECT x ... WHERE x IS NOT NULL ORDER BY x
// LIMIT 1, as in PostgreSQL's planagg.c.

#include <algorithm>

#include "sql/expr/walk.h"
#include "sql/function/function.h"
#include "sql/optimize/conjuncts.h"
#include "sql/optimize/rewrite.h"

namespace pando::sql {
namespace {

// The scan under an aggregate, and the condition above it.
struct Source {
  LogicalPtr plan;
  const ScanNode* scan = nullptr;
  ExprPtr predicate;
};

std::optional<Source> source_of(const LogicalPtr& input) {
  const auto* filter = std::get_if<FilterNode>(&input->node);
  Source source{filter == nullptr ? input : filter->input, nullptr, filter == nullptr ? nullptr : filter->predicate};
  source.scan = std::get_if<ScanNode>(&source.plan->node);
  if (source.scan == nullptr || source.scan->table->kind != catalog::RelationKind::kTable) {
    return std::nullopt;
  }
  return source;
}

std::optional<catalog::AttributeNumber> attribute_of(const Source& source, ColumnId column) {
  for (std::size_t i = 0; i < source.plan->outputs.size(); ++i) {
    if (source.plan->outputs[i].id == column) {
      return source.scan->attributes[i];
    }
  }
  return std::nullopt;
}

// Whether a full index begins with the attribute.
bool has_index_on(const catalog::TableDescriptor& table, catalog::AttributeNumber attribute) {
  return attribute > 0 && std::ranges::any_of(table.indexes, [&](const catalog::IndexDescriptor& index) {
           return index.readable && index.predicate_sql.empty() && index.method == "btree" &&
                  index.columns[0].attribute == attribute;
         });
}

// The column of min(column) or max(column) without FILTER.
const ColumnExpr* extreme_of(const ExprPtr& expr) {
  const auto* aggregate = as<AggregateExpr>(expr);
  if (aggregate == nullptr || aggregate->filter != nullptr || !aggregate->order.empty() ||
      aggregate->arguments.size() != 1 || (aggregate->function->name != "min" && aggregate->function->name != "max") ||
      aggregate->arguments[0]->type.oid != expr->type.oid) {
    return nullptr;
  }
  return as<ColumnExpr>(aggregate->arguments[0]);
}

// A walk along the index ends soon only if the condition lets the first rows through: it may only be about the column
// itself.
bool is_about(const ExprPtr& predicate, ColumnId column) {
  return predicate == nullptr ||
         (!has_subquery(predicate) && !is_volatile(predicate) &&
          std::ranges::all_of(columns_of(predicate), [&](ColumnId named) { return named == column; }));
}

ExprPtr renamed(const ExprPtr& expr, ColumnId from, ColumnId to) {
  if (const auto* column = as<ColumnExpr>(expr); column != nullptr && column->column == from) {
    return make_expr(expr->type, ColumnExpr{to, column->name}, expr->position);
  }
  return rewrite_children(expr, [&](const ExprPtr& child) { return renamed(child, from, to); });
}

// (SELECT column FROM source WHERE column IS NOT NULL ORDER BY column [DESC] LIMIT 1)
ExprPtr first_value(const Source& source, const ExprPtr& aggregate, ColumnIds& ids) {
  const auto& call = *as<AggregateExpr>(aggregate);
  const ExprPtr& old_column = call.arguments[0];
  const ColumnId old_id = as<ColumnExpr>(old_column)->column;
  OutputColumn column;
  for (const OutputColumn& output : source.plan->outputs) {
    column = output.id == old_id ? output : column;
  }
  column.id = ids.next();
  const ExprPtr named = make_expr(old_column->type, ColumnExpr{column.id, column.name});
  LogicalPtr plan =
      make_logical({column}, ScanNode{source.scan->table, source.scan->alias, {*attribute_of(source, old_id)}});
  std::vector<ExprPtr> conjuncts =
      source.predicate == nullptr ? std::vector<ExprPtr>{} : conjuncts_of(renamed(source.predicate, old_id, column.id));
  conjuncts.push_back(make_expr({types::oid::kBool}, NullTestExpr{named, true}));
  plan = make_logical({column}, FilterNode{plan, combine_conjuncts(std::move(conjuncts))});
  const bool descending = call.function->name == "max";
  plan = make_logical({column}, SortNode{plan, {{named, descending, descending}}});
  LimitNode limit;
  limit.input = plan;
  limit.limit = make_constant({types::oid::kInt8}, types::Value::of_int64(1));
  plan = make_logical({column}, std::move(limit));
  SubqueryExpr subquery;
  subquery.plan = plan;
  subquery.columns = {column.id};
  return make_expr(aggregate->type, std::move(subquery), aggregate->position);
}

LogicalPtr rewrite(const LogicalPtr& plan, const AggregateNode& node, ColumnIds& ids) {
  if (!node.groups.empty() || !node.grouping_sets.empty() || node.aggregates.empty()) {
    return nullptr;
  }
  const auto source = source_of(node.input);
  if (!source) {
    return nullptr;
  }
  for (const ProjectedColumn& column : node.aggregates) {
    const ColumnExpr* extreme = extreme_of(column.expr);
    const auto attribute = extreme == nullptr ? std::nullopt : attribute_of(*source, extreme->column);
    if (!attribute || !has_index_on(*source->scan->table, *attribute) ||
        !is_about(source->predicate, extreme->column)) {
      return nullptr;
    }
  }
  ProjectNode project;
  project.input = make_logical({}, ValuesNode{{{}}});
  for (const ProjectedColumn& column : node.aggregates) {
    project.columns.push_back({column.column, first_value(*source, column.expr, ids)});
  }
  return make_logical(plan->outputs, std::move(project));
}

}  // namespace

LogicalPtr use_first_values(const LogicalPtr& plan, ColumnIds& ids) {
  if (const auto* aggregate = std::get_if<AggregateNode>(&plan->node)) {
    if (LogicalPtr rewritten = rewrite(plan, *aggregate, ids)) {
      return rewritten;
    }
  }
  return rebuild(
      plan, [&](const LogicalPtr& input) { return use_first_values(input, ids); },
      [](const ExprPtr& expr) { return expr; });
}

}  // namespace pando::sql
