#include "sql/optimize/parallel.h"

#include <algorithm>

#include "sql/expr/walk.h"
#include "sql/function/function.h"

namespace pando::sql {
namespace {

// Facts about the session are not for other threads.
bool is_time(SessionValueExpr::Kind kind) {
  switch (kind) {
    case SessionValueExpr::Kind::kCurrentDate:
    case SessionValueExpr::Kind::kCurrentTime:
    case SessionValueExpr::Kind::kCurrentTimestamp:
    case SessionValueExpr::Kind::kLocalTime:
    case SessionValueExpr::Kind::kLocalTimestamp:
      return true;
    default:
      return false;
  }
}

bool is_unsafe(const ExprPtr& expr) {
  if (const auto* call = as<CallExpr>(expr)) {
    return call->function->volatility != Volatility::kImmutable;
  }
  if (const auto* value = as<SessionValueExpr>(expr)) {
    return !is_time(value->kind);
  }
  // A cast through the text form asks the catalog for the names of reg* types.
  if (const auto* cast = as<CastExpr>(expr)) {
    return cast->method == CastExpr::Method::kText;
  }
  return as<SubplanExpr>(expr) != nullptr || as<SubqueryExpr>(expr) != nullptr;
}

bool all_safe(const std::vector<ExprPtr>& exprs) { return std::ranges::all_of(exprs, is_parallel_safe); }

struct Input {
  bool operator()(const ScanPlan& scan) const {
    const auto supported = [](catalog::AttributeNumber attribute) {
      return attribute > 0 || attribute == kRowKeyAttribute || attribute == kTableOidAttribute;
    };
    return scan.table->kind == catalog::RelationKind::kTable && (scan.index == 0 || scan.index_only) && !scan.reverse &&
           scan.limit_hint == 0 && scan.rows_read >= rows_min && is_parallel_safe(scan.filter) &&
           std::ranges::all_of(scan.attributes, supported);
  }
  bool operator()(const FilterPlan& filter) const {
    return is_parallel_safe(filter.predicate) && is_parallel_input(filter.input, rows_min);
  }
  bool operator()(const ProjectPlan& project) const {
    return std::ranges::all_of(project.columns, [](const ProjectedColumn& c) { return is_parallel_safe(c.expr); }) &&
           is_parallel_input(project.input, rows_min);
  }
  bool operator()(const HashJoinPlan& join) const {
    // The others mark the rows of the shared side.
    const bool only_reads = join.kind != JoinKind::kRight && join.kind != JoinKind::kFull;
    return only_reads && all_safe(join.left_keys) && is_parallel_safe(join.condition) &&
           is_parallel_input(join.left, rows_min);
  }
  template <typename Node>
  bool operator()(const Node&) const {
    return false;
  }

  double rows_min = 0;
};

}  // namespace

bool is_parallel_safe(const ExprPtr& expr) { return expr == nullptr || !any_of(expr, is_unsafe); }

bool is_parallel_input(const PhysicalPtr& plan, double rows_min) { return std::visit(Input{rows_min}, plan->node); }

}  // namespace pando::sql
