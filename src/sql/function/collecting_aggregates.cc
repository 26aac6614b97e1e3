// Aggregates that keep their input: array_agg, string_agg, and the ordered-set aggregates percentile_cont,
// percentile_disc and mode.

#include <cmath>

#include "sql/function/aggregate.h"
#include "sql/function/errors.h"
#include "sql/function/kernel_table.h"
#include "types/array_stack.h"
#include "types/compare.h"
#include "types/interval.h"

namespace pando::sql {
namespace {

using types::ArrayView;
using types::Value;

std::size_t heap_bytes(const Value& value) { return value.holds<Bytes>() ? value.bytes().size() : 0; }

// --- array_agg ---
struct ArrayOfElements {
  using Arguments = std::tuple<std::optional<Value>>;
  std::vector<Value> elements;
  std::size_t bytes = 0;
  void add(const std::optional<Value>& value) {
    elements.push_back(value.value_or(Value::null()));
    bytes += sizeof(Value) + heap_bytes(elements.back());
  }
  void combine(const ArrayOfElements& other) {
    elements.insert(elements.end(), other.elements.begin(), other.elements.end());
    bytes += other.bytes;
  }
  Result<std::optional<Bytes>> result(const CallTypes& types) const {
    if (elements.empty()) {
      return std::optional<Bytes>();
    }
    types::ArrayBuilder builder(types::element_of(types.result.oid));
    for (const Value& element : elements) {
      builder.add(element);
    }
    PANDO_ASSIGN(Bytes array, builder.finish());
    return std::optional(std::move(array));
  }
  std::size_t memory_bytes() const { return bytes; }
};

// Of arrays: one more dimension.
struct ArrayOfArrays {
  using Arguments = std::tuple<std::optional<ByteView>>;
  types::ArrayStack stack;
  Status add(std::optional<ByteView> part) { return stack.add(part); }
  Status combine(const ArrayOfArrays& other) { return stack.add_all(other.stack); }
  Result<std::optional<Bytes>> result(const CallTypes& types) const {
    if (stack.empty()) {
      return std::optional<Bytes>();
    }
    PANDO_ASSIGN(Bytes array, stack.finish(types::element_of(types.result.oid)));
    return std::optional(std::move(array));
  }
  std::size_t memory_bytes() const { return stack.memory_bytes(); }
};

// --- string_agg: each value but the first is preceded by the separator of its own row ---
struct JoinedText {
  using Arguments = std::tuple<ByteView, std::optional<ByteView>>;
  Bytes joined;
  // The separator before the first value, which only a merge needs.
  Bytes first_separator;
  bool any = false;
  void add(ByteView value, std::optional<ByteView> separator) {
    if (any) {
      joined += separator.value_or(ByteView());
    } else {
      first_separator = separator.value_or(ByteView());
    }
    joined += value;
    any = true;
  }
  void combine(const JoinedText& other) {
    if (other.any) {
      add(other.joined, other.first_separator);
    }
  }
  std::optional<Bytes> result() const { return any ? std::optional(joined) : std::nullopt; }
  std::size_t memory_bytes() const { return joined.capacity() + first_separator.capacity(); }
};

// --- ordered-set aggregates: the values come sorted; the fraction is the same for all rows of a group ---
Status check_percentile(double fraction) {
  if (std::isnan(fraction) || fraction < 0 || fraction > 1) {
    return {sql_state::kNumericValueOutOfRange, "percentile value {:g} is not between 0 and 1", fraction};
  }
  return {};
}

struct SortedValues {
  std::vector<Value> values;
  std::size_t bytes = 0;
  void keep(Value value) {
    bytes += sizeof(Value) + heap_bytes(value);
    values.push_back(std::move(value));
  }
  std::size_t memory_bytes() const { return bytes; }
};

// The first value whose rank is at least the fraction of all.
struct Discrete {
  static Result<Value> pick(const std::vector<Value>& values, double fraction) {
    const double rank = std::ceil(fraction * static_cast<double>(values.size()));
    return values[rank <= 1 ? 0 : static_cast<std::size_t>(rank) - 1];
  }
};
// Interpolated between the two values next to the fraction's place.
template <typename T>
struct Continuous {
  static Result<Value> pick(const std::vector<Value>& values, double fraction) {
    const double place = fraction * static_cast<double>(values.size() - 1);
    const auto first = static_cast<std::size_t>(std::floor(place));
    const auto second = static_cast<std::size_t>(std::ceil(place));
    if (first == second) {
      return values[first];
    }
    const double part = place - static_cast<double>(first);
    const T low = values[first].as<T>();
    const T high = values[second].as<T>();
    if constexpr (std::is_same_v<T, double>) {
      return Value::of_float64(low + part * (high - low));
    } else {
      PANDO_ASSIGN(const types::Interval difference, types::interval_minus(high, low));
      PANDO_ASSIGN(const types::Interval step, types::interval_multiply(difference, part));
      PANDO_ASSIGN(const types::Interval between, types::interval_plus(step, low));
      return Value::of_interval(between);
    }
  }
};

template <typename Pick>
struct Percentile : SortedValues {
  using Arguments = std::tuple<std::optional<double>, Value>;
  std::optional<double> fraction;
  void add(std::optional<double> wanted, Value value) {
    fraction = wanted;
    keep(std::move(value));
  }
  Result<std::optional<Value>> result() const {
    if (fraction) {
      PANDO_TRY(check_percentile(*fraction));
    }
    if (!fraction || values.empty()) {
      return std::optional<Value>();
    }
    PANDO_ASSIGN(Value found, Pick::pick(values, *fraction));
    return std::optional(std::move(found));
  }
};
// An array of fractions gives an array of the same shape.
template <typename Pick>
struct Percentiles : SortedValues {
  using Arguments = std::tuple<std::optional<ByteView>, Value>;
  std::optional<Bytes> fractions;
  void add(std::optional<ByteView> wanted, Value value) {
    if (!fractions && wanted) {
      fractions.emplace(*wanted);
    }
    keep(std::move(value));
  }
  Result<std::optional<Bytes>> result(const CallTypes& types) const {
    if (!fractions || values.empty()) {
      return std::optional<Bytes>();
    }
    const ArrayView wanted(*fractions);
    types::ArrayBuilder builder(types::element_of(types.result.oid));
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      if (wanted.is_null(i)) {
        builder.add_null();
        continue;
      }
      PANDO_TRY(check_percentile(wanted.at<double>(i)));
      PANDO_ASSIGN(const Value found, Pick::pick(values, wanted.at<double>(i)));
      builder.add(found);
    }
    std::vector<types::ArrayDimension> dimensions;
    for (int i = 0; i < wanted.dimensions(); ++i) {
      dimensions.push_back(wanted.dimension(i));
    }
    PANDO_ASSIGN(Bytes array, dimensions.empty() ? builder.finish() : builder.finish(dimensions));
    return std::optional(std::move(array));
  }
};

// The most frequent value, the first of those in sort order.
struct Mode {
  using Arguments = std::tuple<Value>;
  std::optional<Value> current;
  int64_t current_count = 0;
  std::optional<Value> best;
  int64_t best_count = 0;
  void add(const CallTypes& types, Value value) {
    if (!current || !types::equal_values(types.arguments.back().oid, *current, value)) {
      current = std::move(value);
      current_count = 0;
    }
    if (++current_count > best_count) {
      best_count = current_count;
      if (current_count == 1 || !types::equal_values(types.arguments.back().oid, *best, *current)) {
        best = current;
      }
    }
  }
  std::optional<Value> result() const { return best; }
  std::size_t memory_bytes() const { return (current ? heap_bytes(*current) : 0) + (best ? heap_bytes(*best) : 0); }
};

}  // namespace

KernelTable collecting_aggregate_kernels() {
  using types::Interval;
  static constexpr KernelEntry kTable[] = {
      {"array_agg(anynonarray)", aggregate_of<ArrayOfElements>()},
      {"array_agg(anyarray)", aggregate_of<ArrayOfArrays>()},
      {"string_agg(text,text)", aggregate_of<JoinedText>()},
      {"string_agg(bytea,bytea)", aggregate_of<JoinedText>()},
      {"percentile_disc(float8,anyelement)", aggregate_of<Percentile<Discrete>>()},
      {"percentile_cont(float8,float8)", aggregate_of<Percentile<Continuous<double>>>()},
      {"percentile_cont(float8,interval)", aggregate_of<Percentile<Continuous<Interval>>>()},
      {"percentile_disc(_float8,anyelement)", aggregate_of<Percentiles<Discrete>>()},
      {"percentile_cont(_float8,float8)", aggregate_of<Percentiles<Continuous<double>>>()},
      {"percentile_cont(_float8,interval)", aggregate_of<Percentiles<Continuous<Interval>>>()},
      {"mode(anyelement)", aggregate_of<Mode>()},
  };
  return kTable;
}

}  // namespace pando::sql
