#include <map>

#include "sql/expr/walk.h"
#include "sql/optimize/conjuncts.h"
#include "sql/optimize/rewrite.h"

namespace pando::sql {
namespace {

void count_in_expr(const ExprPtr& expr, std::map<CteId, int>& reads);

void count_reads(const LogicalPtr& plan, std::map<CteId, int>& reads) {
  if (const auto* scan = std::get_if<CteScanNode>(&plan->node)) {
    ++reads[scan->cte];
  }
  for_each_expr(*plan, [&](const ExprPtr& expr) { count_in_expr(expr, reads); });
  for_each_input(*plan, [&](const LogicalPtr& input) { count_reads(input, reads); });
}

void count_in_expr(const ExprPtr& expr, std::map<CteId, int>& reads) {
  if (const auto* subquery = as<SubqueryExpr>(expr)) {
    // A subquery may run many times: what it reads is not read once.
    std::map<CteId, int> inside;
    count_reads(subquery->plan, inside);
    for (const auto& [cte, count] : inside) {
      reads[cte] += 2 * count;
    }
  }
  for_each_child(expr, [&](const ExprPtr& child) { count_in_expr(child, reads); });
}

bool modifies_or_volatile(const LogicalPtr& plan) {
  bool found = std::holds_alternative<InsertNode>(plan->node) || std::holds_alternative<UpdateNode>(plan->node) ||
               std::holds_alternative<DeleteNode>(plan->node) || std::holds_alternative<LockRowsNode>(plan->node);
  for_each_expr(*plan, [&](const ExprPtr& expr) { found = found || is_volatile(expr); });
  for_each_input(*plan, [&](const LogicalPtr& input) { found = found || modifies_or_volatile(input); });
  return found;
}

// The one scan of the CTE, replaced by the definition with its columns renamed.
LogicalPtr replace_scan(const LogicalPtr& plan, const WithNode::Definition& definition) {
  const auto* scan = std::get_if<CteScanNode>(&plan->node);
  if (scan != nullptr && scan->cte == definition.id) {
    ProjectNode project;
    project.input = definition.plan;
    for (std::size_t i = 0; i < plan->outputs.size(); ++i) {
      const OutputColumn& column = plan->outputs[i];
      project.columns.push_back({column, make_expr(column.type, ColumnExpr{scan->sources[i], column.name})});
    }
    return make_logical(plan->outputs, std::move(project));
  }
  return rebuild(
      plan, [&](const LogicalPtr& input) { return replace_scan(input, definition); },
      [](const ExprPtr& expr) { return expr; });
}

}  // namespace

LogicalPtr inline_ctes(const LogicalPtr& plan) {
  const LogicalPtr rebuilt = rebuild(
      plan, [](const LogicalPtr& input) { return inline_ctes(input); }, [](const ExprPtr& expr) { return expr; });
  const auto* with = std::get_if<WithNode>(&rebuilt->node);
  if (with == nullptr) {
    return rebuilt;
  }
  WithNode kept = *with;
  for (std::size_t i = 0; i < kept.definitions.size();) {
    const WithNode::Definition definition = kept.definitions[i];
    std::map<CteId, int> reads;
    count_reads(kept.body, reads);
    for (const WithNode::Definition& other : kept.definitions) {
      count_reads(other.plan, reads);
      if (other.recursive != nullptr) {
        // Its scans run again for each step.
        count_reads(other.recursive, reads);
        count_reads(other.recursive, reads);
      }
    }
    const int count = reads[definition.id];
    const bool fixed =
        definition.recursive != nullptr || definition.materialized || modifies_or_volatile(definition.plan);
    if (fixed || count > 1) {
      ++i;
      continue;
    }
    kept.definitions.erase(kept.definitions.begin() + static_cast<std::ptrdiff_t>(i));
    for (std::size_t later = 0; count == 1 && later < kept.definitions.size(); ++later) {
      kept.definitions[later].plan = replace_scan(kept.definitions[later].plan, definition);
    }
    kept.body = count == 1 ? replace_scan(kept.body, definition) : kept.body;
  }
  return kept.definitions.empty() ? kept.body : make_logical(rebuilt->outputs, std::move(kept));
}

}  // namespace pando::sql
