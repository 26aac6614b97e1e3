#include "sql/optimize/cardinality.h"

#include <algorithm>
#include <cmath>

#include "sql/expr/walk.h"
#include "sql/optimize/conjuncts.h"
#include "types/compare.h"

namespace pando::sql {
namespace {

// Of a table that was never analyzed.
constexpr double kDefaultTableRows = 1000;
constexpr double kDefaultFunctionRows = 100;
// PostgreSQL's defaults (selfuncs.h).
constexpr double kDefaultEquality = 0.005;
constexpr double kDefaultInequality = 1.0 / 3;
constexpr double kDefaultMatch = 0.02;
constexpr double kDefaultUnknown = 0.5;
constexpr double kDefaultNull = 0.005;
constexpr double kDefaultDistinct = 200;

double clamp_share(double share) { return std::clamp(share, 0.0, 1.0); }

const ColumnExpr* column_of(const ExprPtr& expr) {
  if (const auto* column = as<ColumnExpr>(expr)) {
    return column;
  }
  // A cast keeps the number of different values.
  if (const auto* call = as<CallExpr>(expr); call != nullptr && call->spelling.empty() && call->arguments.size() == 1) {
    return column_of(call->arguments[0]);
  }
  const auto* cast = as<CastExpr>(expr);
  return cast == nullptr ? nullptr : column_of(cast->argument);
}

bool is_unique_column(const catalog::TableDescriptor& table, catalog::AttributeNumber attribute) {
  return std::ranges::any_of(table.indexes, [&](const catalog::IndexDescriptor& index) {
    return index.unique && index.columns.size() == 1 && index.columns[0].attribute == attribute &&
           index.predicate_sql.empty();
  });
}

}  // namespace

double Cardinality::table_rows(const catalog::TableDescriptor& table) const {
  const catalog::TableStatistics* found = statistics_ == nullptr ? nullptr : statistics_->find(table.oid);
  return found == nullptr || found->rows < 0 ? kDefaultTableRows : std::max(found->rows, 1.0);
}

void Cardinality::learn(const LogicalPtr& plan) { rows(plan); }

double Cardinality::rows(const LogicalPtr& plan) {
  if (const auto known = rows_.find(plan.get()); known != rows_.end()) {
    return known->second;
  }
  const double estimated = std::max(estimate(*plan), 1.0);
  rows_[plan.get()] = estimated;
  return estimated;
}

double Cardinality::estimate(const LogicalNode& plan) {
  if (const auto* scan = std::get_if<ScanNode>(&plan.node)) {
    const double count = table_rows(*scan->table);
    for (std::size_t i = 0; i < plan.outputs.size(); ++i) {
      origins_[plan.outputs[i].id] = {scan->table, scan->attributes[i],
                                      is_unique_column(*scan->table, scan->attributes[i]), count};
    }
    return count;
  }
  double input_rows = 1;
  std::vector<double> inputs;
  for_each_input(plan, [&](const LogicalPtr& input) { inputs.push_back(rows(input)); });
  if (!inputs.empty()) {
    input_rows = inputs.front();
  }
  if (const auto* values = std::get_if<ValuesNode>(&plan.node)) {
    return static_cast<double>(values->rows.size());
  }
  if (const auto* filter = std::get_if<FilterNode>(&plan.node)) {
    return input_rows * selectivity(filter->predicate);
  }
  if (const auto* join = std::get_if<JoinNode>(&plan.node)) {
    const double selected = join->condition == nullptr ? 1 : join_selectivity(join->condition);
    const double matches = inputs[0] * inputs[1] * selected;
    switch (join->kind) {
      case JoinKind::kInner:
        return matches;
      case JoinKind::kLeft:
        return std::max(matches, inputs[0]);
      case JoinKind::kRight:
        return std::max(matches, inputs[1]);
      case JoinKind::kFull:
        return std::max(matches, inputs[0] + inputs[1]);
      case JoinKind::kSemi:
        return inputs[0] * clamp_share(inputs[1] * selected);
      case JoinKind::kAnti:
        return inputs[0] * (1 - clamp_share(inputs[1] * selected) * 0.9);
    }
  }
  if (const auto* aggregate = std::get_if<AggregateNode>(&plan.node)) {
    double groups = 1;
    for (const ProjectedColumn& group : aggregate->groups) {
      groups *= distinct_values(group.expr, input_rows);
    }
    return std::min(groups, input_rows);
  }
  if (const auto* limit = std::get_if<LimitNode>(&plan.node)) {
    const auto* count = as<ConstantExpr>(limit->limit);
    const bool known = count != nullptr && count->value.holds<int64_t>();
    return known ? std::min(input_rows, static_cast<double>(count->value.as<int64_t>())) : input_rows;
  }
  if (const auto* operation = std::get_if<SetOperationNode>(&plan.node)) {
    return operation->kind == SetOperationKind::kUnion ? inputs[0] + inputs[1] : inputs[0];
  }
  if (std::holds_alternative<FunctionScanNode>(plan.node) || std::holds_alternative<CteScanNode>(plan.node)) {
    return kDefaultFunctionRows;
  }
  if (std::holds_alternative<WithNode>(plan.node)) {
    return inputs.back();
  }
  return input_rows;
}

const catalog::ColumnStatistics* Cardinality::statistics_of(ColumnId column) const {
  const auto origin = origins_.find(column);
  if (origin == origins_.end() || statistics_ == nullptr) {
    return nullptr;
  }
  const catalog::TableStatistics* table = statistics_->find(origin->second.table->oid);
  if (table == nullptr) {
    return nullptr;
  }
  const auto found = std::ranges::find(table->columns, origin->second.attribute, &catalog::ColumnStatistics::attribute);
  return found == table->columns.end() ? nullptr : &*found;
}

double Cardinality::distinct_values(const ExprPtr& expr, double rows) {
  const ColumnExpr* column = column_of(expr);
  if (column == nullptr) {
    return std::min(rows, kDefaultDistinct);
  }
  const auto origin = origins_.find(column->column);
  if (origin != origins_.end() && origin->second.unique) {
    return std::min(rows, origin->second.rows);
  }
  if (const auto* statistics = statistics_of(column->column); statistics != nullptr && statistics->distinct != 0) {
    const double distinct =
        statistics->distinct > 0 ? statistics->distinct : -statistics->distinct * origin->second.rows;
    return std::clamp(distinct, 1.0, std::max(rows, 1.0));
  }
  return std::min(rows, kDefaultDistinct);
}

double Cardinality::selectivity(const ExprPtr& condition) {
  if (condition == nullptr || is_true_constant(condition)) {
    return 1;
  }
  if (is_false_or_null_constant(condition)) {
    return 0;
  }
  if (const auto* logic = as<LogicExpr>(condition)) {
    double result = logic->kind == LogicExpr::Kind::kAnd ? 1 : 0;
    for (const ExprPtr& argument : logic->arguments) {
      const double share = selectivity(argument);
      result = logic->kind == LogicExpr::Kind::kAnd ? result * share : result + share - result * share;
      if (logic->kind == LogicExpr::Kind::kNot) {
        return 1 - share;
      }
    }
    return clamp_share(result);
  }
  if (const auto comparison = as_comparison(condition)) {
    return comparison_selectivity(comparison->op, comparison->left, comparison->right);
  }
  if (const auto* test = as<NullTestExpr>(condition)) {
    const ColumnExpr* column = column_of(test->argument);
    const auto* statistics = column == nullptr ? nullptr : statistics_of(column->column);
    const double share = statistics == nullptr ? kDefaultNull : statistics->null_fraction;
    return test->is_not ? 1 - share : share;
  }
  if (const auto* list = as<ArrayComparisonExpr>(condition)) {
    const auto* elements = as<ArrayExpr>(list->array);
    const double count = elements == nullptr ? 10 : static_cast<double>(elements->elements.size());
    const double one = equality_selectivity(list->left, nullptr);
    return clamp_share(list->all ? std::pow(1 - one, count) : one * count);
  }
  if (const auto* call = as<CallExpr>(condition);
      call != nullptr && (call->spelling == "~~" || call->spelling == "~")) {
    return kDefaultMatch;
  }
  return kDefaultUnknown;
}

double Cardinality::equality_selectivity(const ExprPtr& left, const ExprPtr& right) {
  const ColumnExpr* a = column_of(left);
  const ColumnExpr* b = right == nullptr ? nullptr : column_of(right);
  if (a == nullptr && b == nullptr) {
    return kDefaultEquality;
  }
  double most = 0;
  for (const ColumnExpr* side : {a, b}) {
    if (side == nullptr) {
      continue;
    }
    const auto origin = origins_.find(side->column);
    if (origin == origins_.end()) {
      continue;
    }
    const double distinct = distinct_values(side == a ? left : right, origin->second.rows);
    most = std::max(most, distinct);
  }
  const ColumnExpr* only = a == nullptr ? b : a;
  const ExprPtr& other = a == nullptr ? left : right;
  if (const auto* constant = as<ConstantExpr>(other); constant != nullptr && (a == nullptr || b == nullptr)) {
    if (const auto* statistics = statistics_of(only->column)) {
      for (std::size_t i = 0; i < statistics->most_common.size(); ++i) {
        if (statistics->most_common[i] == constant->value) {
          return statistics->most_common_frequencies[i];
        }
      }
    }
  }
  return most == 0 ? kDefaultEquality : 1 / most;
}

double Cardinality::comparison_selectivity(std::string_view op, const ExprPtr& left, const ExprPtr& right) {
  if (op == "=") {
    return equality_selectivity(left, right);
  }
  if (op == "<>") {
    return 1 - equality_selectivity(left, right);
  }
  const ColumnExpr* column = column_of(left);
  const auto* constant = as<ConstantExpr>(right);
  bool below = op == "<" || op == "<=";
  if (column == nullptr) {
    column = column_of(right);
    constant = as<ConstantExpr>(left);
    below = !below;
  }
  const auto* statistics = column == nullptr ? nullptr : statistics_of(column->column);
  if (statistics == nullptr || constant == nullptr || constant->value.is_null() || statistics->histogram.size() < 2) {
    return kDefaultInequality;
  }
  const auto origin = origins_.find(column->column);
  const types::Oid type = origin->second.table->column(origin->second.attribute).type.oid;
  const ExprPtr& other = as<ConstantExpr>(right) != nullptr ? right : left;
  if (other->type.oid != type) {
    return kDefaultInequality;
  }
  const auto& bounds = statistics->histogram;
  const auto place = std::ranges::lower_bound(
      bounds, constant->value,
      [&](const types::Value& a, const types::Value& b) { return types::compare_values(type, a, b) < 0; });
  const double share = static_cast<double>(place - bounds.begin()) / static_cast<double>(bounds.size());
  return clamp_share((below ? share : 1 - share) * (1 - statistics->null_fraction));
}

}  // namespace pando::sql
