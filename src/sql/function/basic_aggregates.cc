// count, sum, avg, min, max, bool_and, bit_and and their kin. Statistics are in statistics_aggregates.cc.

#include <algorithm>
#include <cmath>
#include <limits>

#include "sql/function/aggregate.h"
#include "sql/function/errors.h"
#include "sql/function/kernel_table.h"
#include "sql/function/ordering.h"
#include "sql/function/state_codec.h"
#include "types/calendar.h"
#include "types/compare.h"
#include "types/interval.h"
#include "types/numeric.h"

namespace pando::sql {
namespace {

namespace numeric = types::numeric;

// --- count ---
struct CountState {
  int64_t count = 0;
  template <typename Fields>
  void visit(Fields& fields) {
    fields(count);
  }
};
void create_count(void* state) { std::construct_at(static_cast<CountState*>(state)); }
// count(*) has no argument, count(x) any one: both look at nothing but NULLs.
Status update_count(EvaluationContext&, const CallTypes&, void* const* states,
                    std::span<const types::Vector* const> arguments, std::size_t rows) {
  const bool nulls = !arguments.empty() && arguments[0]->has_nulls();
  for (std::size_t row = 0; row < rows; ++row) {
    static_cast<CountState*>(states[row])->count += static_cast<int64_t>(!(nulls && arguments[0]->is_null(row)));
  }
  return {};
}
Status update_count_one(EvaluationContext&, const CallTypes&, void* state,
                        std::span<const types::Vector* const> arguments, std::size_t rows) {
  std::size_t count = rows;
  if (!arguments.empty() && arguments[0]->has_nulls()) {
    for (std::size_t row = 0; row < rows; ++row) {
      count -= static_cast<std::size_t>(arguments[0]->is_null(row));
    }
  }
  static_cast<CountState*>(state)->count += static_cast<int64_t>(count);
  return {};
}
Status combine_count(EvaluationContext&, const CallTypes&, void* into, const void* from) {
  static_cast<CountState*>(into)->count += static_cast<const CountState*>(from)->count;
  return {};
}
Status finalize_count(EvaluationContext&, const CallTypes&, void* const* states, std::size_t count,
                      types::Vector& out) {
  for (std::size_t i = 0; i < count; ++i) {
    out.data<int64_t>()[i] = static_cast<const CountState*>(states[i])->count;
  }
  return {};
}
constexpr AggregateKernels kCount = {.state_size = sizeof(CountState),
                                     .create = create_count,
                                     .update = update_count,
                                     .update_one = update_count_one,
                                     .combine = combine_count,
                                     .finalize = finalize_count};

// --- sums of integers: int2 and int4 into bigint, bigint into numeric ---
template <typename T, typename Total>
struct IntegerSum {
  using Arguments = std::tuple<T>;
  Total sum = 0;
  int64_t count = 0;
  void add(T value) {
    sum += value;
    ++count;
  }
  void add_all(const T* values, std::size_t n) {
    if constexpr (sizeof(T) < sizeof(int64_t)) {
      int64_t total = 0;
      for (std::size_t i = 0; i < n; ++i) {
        total += values[i];
      }
      sum += total;
    } else {
      for (std::size_t i = 0; i < n; ++i) {
        sum += values[i];
      }
    }
    count += static_cast<int64_t>(n);
  }
  void combine(const IntegerSum& other) {
    sum += other.sum;
    count += other.count;
  }
  template <typename Fields>
  void visit(Fields& fields) {
    fields(sum, count);
  }
};
template <typename T>
struct SumToInt8 : IntegerSum<T, int64_t> {
  std::optional<int64_t> result() const { return this->count == 0 ? std::nullopt : std::optional(this->sum); }
};
struct SumInt8 : IntegerSum<int64_t, numeric::Int128> {
  std::optional<Bytes> result() const { return count == 0 ? std::nullopt : std::optional(numeric::from_int128(sum)); }
};
template <typename T>
struct AverageInteger : IntegerSum<T, std::conditional_t<sizeof(T) == 8, numeric::Int128, int64_t>> {
  Result<std::optional<Bytes>> result() const {
    if (this->count == 0) {
      return std::optional<Bytes>();
    }
    Bytes quotient;
    PANDO_TRY(numeric::divide(numeric::from_int128(this->sum), numeric::from_int64(this->count), quotient));
    return std::optional(std::move(quotient));
  }
};

// --- numeric ---
struct NumericSum {
  using Arguments = std::tuple<ByteView>;
  numeric::Sum sum;
  void add(ByteView value) { sum.add(value); }
  void combine(const NumericSum& other) { sum.combine(other.sum); }
  template <typename Fields>
  void visit(Fields& fields) {
    fields(sum);
  }
  Result<std::optional<Bytes>> result() const {
    if (sum.count() == 0) {
      return std::optional<Bytes>();
    }
    Bytes total;
    PANDO_TRY(sum.sum(total));
    return std::optional(std::move(total));
  }
  std::size_t memory_bytes() const { return sum.memory_bytes(); }
};
struct NumericAverage : NumericSum {
  void combine(const NumericAverage& other) { sum.combine(other.sum); }
  Result<std::optional<Bytes>> result() const {
    if (sum.count() == 0) {
      return std::optional<Bytes>();
    }
    Bytes average;
    PANDO_TRY(sum.average(average));
    return std::optional(std::move(average));
  }
  std::size_t memory_bytes() const { return sum.memory_bytes(); }
};

// --- floats: added one after the other, as the sum depends on the order ---
template <typename T>
struct FloatSum {
  using Arguments = std::tuple<T>;
  T sum = 0;
  bool any = false;
  Status add(T value) {
    const T total = any ? sum + value : value;
    if (std::isinf(total) && !std::isinf(sum) && !std::isinf(value)) {
      return float_overflow();
    }
    sum = total;
    any = true;
    return {};
  }
  Status add_all(const T* values, std::size_t n) {
    T total = sum;
    bool infinite_input = std::isinf(sum);
    for (std::size_t i = 0; i < n; ++i) {
      total += values[i];
    }
    if (!any && n > 0 && total == 0) {
      // -0 alone stays -0.
      total = values[0];
      for (std::size_t i = 1; i < n; ++i) {
        total += values[i];
      }
    }
    if (std::isinf(total)) {
      for (std::size_t i = 0; i < n && !infinite_input; ++i) {
        infinite_input = std::isinf(values[i]);
      }
      if (!infinite_input) {
        return float_overflow();
      }
    }
    sum = total;
    any = any || n > 0;
    return {};
  }
  template <typename Fields>
  void visit(Fields& fields) {
    fields(sum, any);
  }
  Status combine(const FloatSum& other) { return other.any ? add(other.sum) : Status(); }
  std::optional<T> result() const { return any ? std::optional(sum) : std::nullopt; }
};

struct IntervalSum {
  using Arguments = std::tuple<types::Interval>;
  types::Interval sum;
  int64_t count = 0;
  Status add(const types::Interval& value) {
    PANDO_ASSIGN(sum, types::interval_plus(sum, value));
    ++count;
    return {};
  }
  Status combine(const IntervalSum& other) {
    PANDO_ASSIGN(sum, types::interval_plus(sum, other.sum));
    count += other.count;
    return {};
  }
  template <typename Fields>
  void visit(Fields& fields) {
    fields(sum, count);
  }
  std::optional<types::Interval> result() const { return count == 0 ? std::nullopt : std::optional(sum); }
};
struct IntervalAverage : IntervalSum {
  Status combine(const IntervalAverage& other) { return IntervalSum::combine(other); }
  Result<std::optional<types::Interval>> result() const {
    if (count == 0) {
      return std::optional<types::Interval>();
    }
    PANDO_ASSIGN(const types::Interval average, types::interval_divide(sum, static_cast<double>(count)));
    return std::optional(average);
  }
};

// --- min, max ---
template <typename T, bool kMax>
struct Extreme {
  using Arguments = std::tuple<T>;
  T best{};
  bool any = false;
  void add(T value) {
    if (!any || (kMax ? is_less(best, value) : is_less(value, best))) {
      best = value;
      any = true;
    }
  }
  void add_all(const T* values, std::size_t n) {
    if (n == 0) {
      return;
    }
    T found = any ? best : values[0];
    for (std::size_t i = 0; i < n; ++i) {
      found = (kMax ? is_less(found, values[i]) : is_less(values[i], found)) ? values[i] : found;
    }
    best = found;
    any = true;
  }
  template <typename Fields>
  void visit(Fields& fields) {
    fields(best, any);
  }
  void combine(const Extreme& other) {
    if (other.any) {
      add(other.best);
    }
  }
  std::optional<T> result() const { return any ? std::optional(best) : std::nullopt; }
};
template <bool kMax>
struct IntervalExtreme {
  using Arguments = std::tuple<types::Interval>;
  types::Interval best;
  bool any = false;
  void add(const types::Interval& value) {
    if (!any || (kMax ? types::compare_intervals(value, best) > 0 : types::compare_intervals(value, best) < 0)) {
      best = value;
      any = true;
    }
  }
  template <typename Fields>
  void visit(Fields& fields) {
    fields(best, any);
  }
  void combine(const IntervalExtreme& other) {
    if (other.any) {
      add(other.best);
    }
  }
  std::optional<types::Interval> result() const { return any ? std::optional(best) : std::nullopt; }
};
// Of anything that is a byte string inside.
template <bool kMax>
struct BytesExtreme {
  using Arguments = std::tuple<ByteView>;
  std::optional<Bytes> best;
  void add(const CallTypes& types, ByteView value) {
    if (!best || is_better(types.arguments[0].oid, value)) {
      best.emplace(value);
    }
  }
  bool is_better(types::Oid type, ByteView value) const {
    if (type == types::oid::kText) {
      return kMax ? value > *best : value < *best;
    }
    const auto order = types::compare_bytes(type, value, *best);
    return kMax ? order > 0 : order < 0;
  }
  template <typename Fields>
  void visit(Fields& fields) {
    fields(best);
  }
  void combine(const CallTypes& types, const BytesExtreme& other) {
    if (other.best) {
      add(types, *other.best);
    }
  }
  std::optional<Bytes> result() const { return best; }
  std::size_t memory_bytes() const { return best ? best->capacity() : 0; }
};

// --- bits and booleans ---
enum class Fold : uint8_t { kAnd, kOr, kXor };
template <typename T, Fold kFold>
struct Folded {
  using Arguments = std::tuple<T>;
  T value{};
  bool any = false;
  void add(T next) {
    if (!any) {
      value = next;
    } else if constexpr (kFold == Fold::kAnd) {
      value = static_cast<T>(value & next);
    } else if constexpr (kFold == Fold::kOr) {
      value = static_cast<T>(value | next);
    } else {
      value = static_cast<T>(value ^ next);
    }
    any = true;
  }
  template <typename Fields>
  void visit(Fields& fields) {
    fields(value, any);
  }
  void combine(const Folded& other) {
    if (other.any) {
      add(other.value);
    }
  }
  std::optional<T> result() const { return any ? std::optional(value) : std::nullopt; }
};

}  // namespace

#define PANDO_EXTREMES(type, T) \
  {"max(" type ")", aggregate_of<Extreme<T, true>>()}, { "min(" type ")", aggregate_of<Extreme<T, false>>() }
#define PANDO_BYTES_EXTREMES(type) \
  {"max(" type ")", aggregate_of<BytesExtreme<true>>()}, { "min(" type ")", aggregate_of<BytesExtreme<false>>() }
#define PANDO_BITS(type, T)                                         \
  {"bit_and(" type ")", aggregate_of<Folded<T, Fold::kAnd>>()},     \
      {"bit_or(" type ")", aggregate_of<Folded<T, Fold::kOr>>()}, { \
    "bit_xor(" type ")", aggregate_of<Folded<T, Fold::kXor>>()      \
  }

KernelTable basic_aggregate_kernels() {
  static constexpr KernelEntry kTable[] = {
      {"count()", &kCount},
      {"count(any)", &kCount},
      {"sum(int2)", aggregate_of<SumToInt8<int16_t>>()},
      {"sum(int4)", aggregate_of<SumToInt8<int32_t>>()},
      {"sum(int8)", aggregate_of<SumInt8>()},
      {"sum(numeric)", aggregate_of<NumericSum>()},
      {"sum(float4)", aggregate_of<FloatSum<float>>()},
      {"sum(float8)", aggregate_of<FloatSum<double>>()},
      {"sum(interval)", aggregate_of<IntervalSum>()},
      {"avg(int2)", aggregate_of<AverageInteger<int16_t>>()},
      {"avg(int4)", aggregate_of<AverageInteger<int32_t>>()},
      {"avg(int8)", aggregate_of<AverageInteger<int64_t>>()},
      {"avg(numeric)", aggregate_of<NumericAverage>()},
      {"avg(interval)", aggregate_of<IntervalAverage>()},
      PANDO_EXTREMES("int2", int16_t),
      PANDO_EXTREMES("int4", int32_t),
      PANDO_EXTREMES("int8", int64_t),
      PANDO_EXTREMES("oid", uint32_t),
      PANDO_EXTREMES("tid", int64_t),
      PANDO_EXTREMES("xid8", int64_t),
      PANDO_EXTREMES("anyenum", int64_t),
      PANDO_EXTREMES("float4", float),
      PANDO_EXTREMES("float8", double),
      PANDO_EXTREMES("date", int32_t),
      PANDO_EXTREMES("time", int64_t),
      PANDO_EXTREMES("timestamp", int64_t),
      PANDO_EXTREMES("timestamptz", int64_t),
      {"max(interval)", aggregate_of<IntervalExtreme<true>>()},
      {"min(interval)", aggregate_of<IntervalExtreme<false>>()},
      PANDO_BYTES_EXTREMES("text"),
      PANDO_BYTES_EXTREMES("bpchar"),
      PANDO_BYTES_EXTREMES("numeric"),
      PANDO_BYTES_EXTREMES("timetz"),
      PANDO_BYTES_EXTREMES("anyarray"),
      PANDO_BITS("int2", int16_t),
      PANDO_BITS("int4", int32_t),
      PANDO_BITS("int8", int64_t),
      {"bool_and(bool)", aggregate_of<Folded<bool, Fold::kAnd>>()},
      {"bool_or(bool)", aggregate_of<Folded<bool, Fold::kOr>>()},
      {"every(bool)", aggregate_of<Folded<bool, Fold::kAnd>>()},
  };
  return kTable;
}

const PortableState* portable_state_of(const Function& aggregate) {
  using aggregating::portable;
#define PANDO_PORTABLE_EXTREMES(T) portable<Extreme<T, true>>(), portable<Extreme<T, false>>()
#define PANDO_PORTABLE_BITS(T) \
  portable<Folded<T, Fold::kAnd>>(), portable<Folded<T, Fold::kOr>>(), portable<Folded<T, Fold::kXor>>()
  static constexpr aggregating::PortableEntry kPortable[] = {
      portable<CountState>(&kCount),
      portable<SumToInt8<int16_t>>(),
      portable<SumToInt8<int32_t>>(),
      portable<SumInt8>(),
      portable<NumericSum>(),
      portable<FloatSum<float>>(),
      portable<FloatSum<double>>(),
      portable<IntervalSum>(),
      portable<AverageInteger<int16_t>>(),
      portable<AverageInteger<int32_t>>(),
      portable<AverageInteger<int64_t>>(),
      portable<NumericAverage>(),
      portable<IntervalAverage>(),
      PANDO_PORTABLE_EXTREMES(int16_t),
      PANDO_PORTABLE_EXTREMES(int32_t),
      PANDO_PORTABLE_EXTREMES(int64_t),
      PANDO_PORTABLE_EXTREMES(uint32_t),
      PANDO_PORTABLE_EXTREMES(float),
      PANDO_PORTABLE_EXTREMES(double),
      portable<IntervalExtreme<true>>(),
      portable<IntervalExtreme<false>>(),
      portable<BytesExtreme<true>>(),
      portable<BytesExtreme<false>>(),
      PANDO_PORTABLE_BITS(int16_t),
      PANDO_PORTABLE_BITS(int32_t),
      PANDO_PORTABLE_BITS(int64_t),
      portable<Folded<bool, Fold::kAnd>>(),
      portable<Folded<bool, Fold::kOr>>(),
  };
#undef PANDO_PORTABLE_EXTREMES
#undef PANDO_PORTABLE_BITS
  const auto found = std::ranges::find(kPortable, aggregate.aggregate, &aggregating::PortableEntry::kernels);
  return found == std::end(kPortable) ? nullptr : &found->state;
}

#undef PANDO_EXTREMES
#undef PANDO_BYTES_EXTREMES
#undef PANDO_BITS

}  // namespace pando::sql
