#include "sql/optimize/cardinality.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "sql/expr/walk.h"
#include "sql/optimize/conjuncts.h"
#include "types/array.h"
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
constexpr double kDefaultListSize = 10;

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
  if (statistics_ == nullptr || table.kind == catalog::RelationKind::kVirtual) {
    return kDefaultTableRows;
  }
  const auto [place, added] = table_rows_.try_emplace(table.oid, 0);
  if (added) {
    const double rows = statistics_->rows(table);
    place->second = rows < 0 ? kDefaultTableRows : std::max(rows, 1.0);
  }
  return place->second;
}

const catalog::TableStatistics* Cardinality::table_statistics(const catalog::TableDescriptor& table) const {
  if (statistics_ == nullptr || table.kind == catalog::RelationKind::kVirtual) {
    return nullptr;
  }
  const auto [place, added] = tables_.try_emplace(table.oid);
  if (added) {
    place->second = statistics_->find(table);
  }
  return place->second.get();
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
  if (origin == origins_.end()) {
    return nullptr;
  }
  const catalog::TableStatistics* table = table_statistics(*origin->second.table);
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
  if (const auto* logic = as<LogicExpr>(condition); logic != nullptr && logic->kind == LogicExpr::Kind::kAnd) {
    return conjunction_selectivity(logic->arguments);
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
    const auto* constant = as<ConstantExpr>(list->array);
    double count = kDefaultListSize;
    if (elements != nullptr) {
      count = static_cast<double>(elements->elements.size());
    } else if (constant != nullptr && !constant->value.is_null()) {
      count = static_cast<double>(types::ArrayView(constant->value.bytes()).size());
    }
    const bool equal = list->spelling == "=";
    double share = 0;
    for (const ExprPtr& element : elements == nullptr ? std::vector<ExprPtr>{} : elements->elements) {
      share += equality_selectivity(list->left, element);
    }
    share = elements == nullptr ? equality_selectivity(list->left, nullptr) * count : share;
    if (!equal && list->spelling != "<>") {
      return kDefaultInequality;
    }
    return clamp_share(equal ? share : 1 - share);
  }
  if (const auto* call = as<CallExpr>(condition);
      call != nullptr && (call->spelling == "~~" || call->spelling == "~")) {
    return kDefaultMatch;
  }
  if (const auto* call = as<CallExpr>(condition);
      call != nullptr && (call->spelling == "!~~" || call->spelling == "!~")) {
    return 1 - kDefaultMatch;
  }
  if (const auto* column = as<ColumnExpr>(condition)) {
    // A boolean column by itself.
    const auto* statistics = statistics_of(column->column);
    for (std::size_t i = 0; statistics != nullptr && i < statistics->most_common.size(); ++i) {
      if (statistics->most_common[i] == types::Value::of_bool(true)) {
        return statistics->most_common_frequencies[i];
      }
    }
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
      double listed = 0;
      for (std::size_t i = 0; i < statistics->most_common.size(); ++i) {
        if (statistics->most_common[i] == constant->value) {
          return statistics->most_common_frequencies[i];
        }
        listed += statistics->most_common_frequencies[i];
      }
      // The values that are not listed share what is left.
      const double others = most - static_cast<double>(statistics->most_common.size());
      const double rest = clamp_share(1 - listed - statistics->null_fraction);
      return others > 1 ? rest / others : std::min(rest, most == 0 ? kDefaultEquality : 1 / most);
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
  if (statistics == nullptr || constant == nullptr || constant->value.is_null() ||
      (statistics->histogram.size() < 2 && statistics->most_common.empty())) {
    return kDefaultInequality;
  }
  const auto origin = origins_.find(column->column);
  const types::Oid type = origin->second.table->column(origin->second.attribute).type.oid;
  const ExprPtr& other = as<ConstantExpr>(right) != nullptr ? right : left;
  if (other->type.oid != type) {
    return kDefaultInequality;
  }
  return clamp_share(range_share(*statistics, type, constant->value, below));
}

namespace {

// As a number that rises with the value, for interpolation; none for types that have no such number.
std::optional<double> position_of(const types::Value& value) {
  if (value.holds<int16_t>()) {
    return value.as<int16_t>();
  }
  if (value.holds<int32_t>()) {
    return value.as<int32_t>();
  }
  if (value.holds<int64_t>()) {
    return static_cast<double>(value.as<int64_t>());
  }
  if (value.holds<float>()) {
    return value.as<float>();
  }
  return value.holds<double>() ? std::optional(value.as<double>()) : std::nullopt;
}

}  // namespace

// The share of all rows whose value lies below (or above) `value`: of the most common ones exactly, of the others by
// the histogram.
double Cardinality::range_share(const catalog::ColumnStatistics& statistics, types::Oid type, const types::Value& value,
                                bool below) {
  double common = 0;
  double listed = 0;
  for (std::size_t i = 0; i < statistics.most_common.size(); ++i) {
    const bool is_below = types::compare_values(type, statistics.most_common[i], value) < 0;
    listed += statistics.most_common_frequencies[i];
    common += is_below == below ? statistics.most_common_frequencies[i] : 0;
  }
  const auto& bounds = statistics.histogram;
  if (bounds.size() < 2) {
    return common;
  }
  const auto place = std::ranges::lower_bound(bounds, value, [&](const types::Value& a, const types::Value& b) {
    return types::compare_values(type, a, b) < 0;
  });
  double share = 0;
  if (place == bounds.end()) {
    share = 1;
  } else if (place != bounds.begin()) {
    const auto low = position_of(*std::prev(place));
    const auto high = position_of(*place);
    const auto at = position_of(value);
    const double part = low && high && at && *high > *low ? (*at - *low) / (*high - *low) : 0.5;
    share =
        (static_cast<double>(place - bounds.begin()) - 1 + clamp_share(part)) / static_cast<double>(bounds.size() - 1);
  }
  const double rest = clamp_share(1 - listed - statistics.null_fraction);
  return common + rest * (below ? share : 1 - share);
}

// Two bounds of one column are not independent: what lies between them is what both leave.
double Cardinality::conjunction_selectivity(const std::vector<ExprPtr>& conjuncts) {
  struct Range {
    std::optional<double> lower;
    std::optional<double> upper;
  };
  std::map<ColumnId, Range> ranges;
  double result = 1;
  for (const ExprPtr& conjunct : conjuncts) {
    const double share = selectivity(conjunct);
    const auto comparison = as_comparison(conjunct);
    const ColumnExpr* column = comparison ? column_of(comparison->left) : nullptr;
    const bool bounds = column != nullptr && as<ConstantExpr>(comparison->right) != nullptr && comparison->op != "=" &&
                        comparison->op != "<>";
    if (!bounds) {
      result *= share;
      continue;
    }
    Range& range = ranges[column->column];
    auto& bound = comparison->op[0] == '<' ? range.upper : range.lower;
    bound = std::min(bound.value_or(1), share);
  }
  for (const auto& [column, range] : ranges) {
    if (range.lower && range.upper) {
      const auto* statistics = statistics_of(column);
      // Without statistics: PostgreSQL's DEFAULT_RANGE_INEQ_SEL.
      result *= statistics == nullptr || statistics->histogram.size() < 2
                    ? kDefaultEquality
                    : std::max(*range.lower + *range.upper - 1 + statistics->null_fraction, 1e-6);
    } else {
      result *= range.lower.value_or(1) * range.upper.value_or(1);
    }
  }
  return clamp_share(result);
}

}  // namespace pando::sql
