#include "sql/exec/key_ranges.h"

#include <algorithm>
#include <limits>

#include "sql/exec/evaluator.h"

namespace pando::sql::exec {
namespace {

template <typename Integer>
ColumnValue integer_in_column(int64_t number, types::Value (*make)(Integer)) {
  if (number < std::numeric_limits<Integer>::min()) {
    return {.beyond = -1};
  }
  if (number > std::numeric_limits<Integer>::max()) {
    return {.beyond = 1};
  }
  return {make(static_cast<Integer>(number))};
}

struct Bounds {
  const KeyCondition::Bound* first = nullptr;  // in key order
  const KeyCondition::Bound* last = nullptr;
};

// The part of the next column's non-NULL values that lies between the bounds. nullopt when a bound is NULL.
Task<Result<std::optional<txn::Span>>> bounded_span(const KeyCondition& condition, Bytes prefix,
                                                    const KeyColumn& column, Runtime& runtime) {
  Bytes marked = prefix;
  types::append_key_not_null(marked, column.order);
  txn::Span span{marked, prefix_end(marked)};
  Bounds bounds;
  bounds.first = condition.lower ? &*condition.lower : nullptr;
  bounds.last = condition.upper ? &*condition.upper : nullptr;
  if (column.order.descending) {
    std::swap(bounds.first, bounds.last);
  }
  for (const KeyCondition::Bound* bound : {bounds.first, bounds.last}) {
    if (bound == nullptr) {
      continue;
    }
    PANDO_CO_ASSIGN(const types::Value value, co_await evaluate_value(bound->value, runtime));
    if (value.is_null()) {
      co_return std::optional<txn::Span>();
    }
    const ColumnValue edge_value = value_in_column(value, bound->value->type.oid, column.type.oid);
    if (edge_value.beyond != 0) {
      const bool is_lower = condition.lower && bound == &*condition.lower;
      if ((edge_value.beyond > 0) == is_lower) {
        co_return std::optional<txn::Span>();
      }
      continue;
    }
    Bytes edge = prefix;
    types::append_key(edge, column.type.oid, edge_value.value, column.order);
    if (bound == bounds.first) {
      span.start = bound->inclusive ? edge : prefix_end(edge);
    } else {
      span.end = bound->inclusive ? prefix_end(edge) : edge;
    }
  }
  co_return std::optional<txn::Span>(std::move(span));
}

Task<Result<std::optional<txn::Span>>> span_of(const KeyCondition& condition, Bytes prefix,
                                               const std::vector<KeyColumn>& columns, Runtime& runtime) {
  for (std::size_t i = 0; i < condition.equal.size(); ++i) {
    if (condition.equal[i] == nullptr) {
      types::append_key_null(prefix, columns[i].order);
      continue;
    }
    PANDO_CO_ASSIGN(const types::Value value, co_await evaluate_value(condition.equal[i], runtime));
    if (value.is_null()) {
      co_return std::optional<txn::Span>();
    }
    const ColumnValue equal = value_in_column(value, condition.equal[i]->type.oid, columns[i].type.oid);
    if (equal.beyond != 0) {
      co_return std::optional<txn::Span>();
    }
    types::append_key(prefix, columns[i].type.oid, equal.value, columns[i].order);
  }
  if (!condition.lower && !condition.upper && !condition.not_null) {
    co_return std::optional<txn::Span>(txn::Span{prefix, prefix_end(prefix)});
  }
  PANDO_ASSERT(condition.equal.size() < columns.size(), "a bound past the index's last column");
  co_return co_await bounded_span(condition, prefix, columns[condition.equal.size()], runtime);
}

}  // namespace

ColumnValue value_in_column(types::Value value, types::Oid type, types::Oid column) {
  if (type == column || (column != types::oid::kInt2 && column != types::oid::kInt4)) {
    return {std::move(value)};
  }
  const int64_t number = value.holds<int64_t>() ? value.as<int64_t>() : value.as<int32_t>();
  return column == types::oid::kInt2 ? integer_in_column<int16_t>(number, types::Value::of_int16)
                                     : integer_in_column<int32_t>(number, types::Value::of_int32);
}

Task<Result<std::vector<txn::Span>>> key_ranges(const std::vector<KeyCondition>& conditions, Bytes prefix,
                                                const std::vector<KeyColumn>& columns, Runtime& runtime) {
  std::vector<txn::Span> spans;
  if (conditions.empty()) {
    spans.push_back({prefix, prefix_end(prefix)});
    co_return spans;
  }
  for (const KeyCondition& condition : conditions) {
    PANDO_CO_ASSIGN(auto span, co_await span_of(condition, prefix, columns, runtime));
    if (span && (span->end.empty() || span->start < span->end)) {
      spans.push_back(std::move(*span));
    }
  }
  std::ranges::sort(spans, {}, &txn::Span::start);
  std::vector<txn::Span> merged;
  for (txn::Span& span : spans) {
    if (!merged.empty() && span.start <= merged.back().end) {
      merged.back().end = std::max(merged.back().end, span.end);
    } else {
      merged.push_back(std::move(span));
    }
  }
  co_return merged;
}

}  // namespace pando::sql::exec
