// Comparison of intervals and timetz, of dates and timestamps across types, OVERLAPS, and in_range: whether a value
// lies within an offset of another, which RANGE window frames ask.

#include <limits>

#include "sql/function/errors.h"
#include "sql/function/kernel_table.h"
#include "sql/function/lift.h"
#include "sql/function/ordering.h"
#include "types/datetime.h"
#include "types/interval.h"
#include "types/numeric.h"

namespace pando::sql {
namespace {

using types::Interval;

int sign_of(std::strong_ordering order) { return order < 0 ? -1 : static_cast<int>(order > 0); }

// Each names its argument types and compares two values, with the session's zone where types differ in kind.
struct Intervals {
  using A = Interval;
  using B = Interval;
  static int compare(EvaluationContext&, const A& a, const B& b) { return sign_of(types::compare_intervals(a, b)); }
};
struct TimeTzs {
  using A = ByteView;
  using B = ByteView;
  static int compare(EvaluationContext&, A a, B b) {
    return sign_of(types::compare_timetz(types::unpack_timetz(a), types::unpack_timetz(b)));
  }
};
struct DateTimestamp {
  using A = int32_t;
  using B = int64_t;
  static int compare(EvaluationContext&, A a, B b) { return types::compare_date_timestamp(a, b); }
};
struct DateTimestamptz {
  using A = int32_t;
  using B = int64_t;
  static int compare(EvaluationContext& context, A a, B b) {
    return types::compare_date_timestamptz(a, b, *context.settings.time_zone);
  }
};
struct TimestampTimestamptz {
  using A = int64_t;
  using B = int64_t;
  static int compare(EvaluationContext& context, A a, B b) {
    return types::compare_timestamp_timestamptz(a, b, *context.settings.time_zone);
  }
};
template <typename Pair>
struct Reversed {
  using A = typename Pair::B;
  using B = typename Pair::A;
  static int compare(EvaluationContext& context, A a, B b) { return -Pair::compare(context, b, a); }
};

enum class Test : uint8_t { kEq, kNe, kLt, kLe, kGt, kGe };
template <typename Pair, Test kTest>
bool test(EvaluationContext& context, typename Pair::A a, typename Pair::B b) {
  const int order = Pair::compare(context, a, b);
  switch (kTest) {
    case Test::kEq:
      return order == 0;
    case Test::kNe:
      return order != 0;
    case Test::kLt:
      return order < 0;
    case Test::kLe:
      return order <= 0;
    case Test::kGt:
      return order > 0;
    case Test::kGe:
      return order >= 0;
  }
}
template <typename Pair>
int32_t three_way(EvaluationContext& context, typename Pair::A a, typename Pair::B b) {
  return Pair::compare(context, a, b);
}
Interval larger_interval(Interval a, Interval b) { return types::compare_intervals(a, b) > 0 ? a : b; }
Interval smaller_interval(Interval a, Interval b) { return types::compare_intervals(a, b) < 0 ? a : b; }
Borrowed larger_timetz(EvaluationContext& context, ByteView a, ByteView b) {
  return {TimeTzs::compare(context, a, b) > 0 ? a : b};
}
Borrowed smaller_timetz(EvaluationContext& context, ByteView a, ByteView b) {
  return {TimeTzs::compare(context, a, b) < 0 ? a : b};
}

// --- OVERLAPS: NULL ends are unknown ends; each period's ends may come in either order ---
template <typename T>
struct Period {
  T start;
  std::optional<T> end;
};
template <typename T>
std::optional<Period<T>> make_period(std::optional<T> start, std::optional<T> end, bool (*less)(const T&, const T&)) {
  if (!start) {
    return end ? std::optional(Period<T>{*end, std::nullopt}) : std::nullopt;
  }
  if (end && less(*end, *start)) {
    std::swap(*start, *end);
  }
  return Period<T>{*start, end};
}
template <typename T>
std::optional<bool> overlap(std::optional<T> s1, std::optional<T> e1, std::optional<T> s2, std::optional<T> e2,
                            bool (*less)(const T&, const T&)) {
  auto first = make_period(s1, e1, less);
  auto second = make_period(s2, e2, less);
  if (!first || !second) {
    return std::nullopt;
  }
  if (!less(first->start, second->start) && !less(second->start, first->start)) {
    // Periods that start together overlap, whatever their ends are, as long as these are known.
    return first->end && second->end ? std::optional(true) : std::nullopt;
  }
  if (less(second->start, first->start)) {
    std::swap(first, second);
  }
  if (!first->end) {
    return std::nullopt;
  }
  if (less(second->start, *first->end)) {
    return true;
  }
  return second->end ? std::optional(false) : std::nullopt;
}
bool less_int64(const int64_t& a, const int64_t& b) { return a < b; }
bool less_timetz(const ByteView& a, const ByteView& b) {
  return types::compare_timetz(types::unpack_timetz(a), types::unpack_timetz(b)) < 0;
}

using Instant = std::optional<int64_t>;
using Length = std::optional<Interval>;
std::optional<bool> overlaps_instants(Instant s1, Instant e1, Instant s2, Instant e2) {
  return overlap(s1, e1, s2, e2, less_int64);
}
std::optional<bool> overlaps_timetz(std::optional<ByteView> s1, std::optional<ByteView> e1, std::optional<ByteView> s2,
                                    std::optional<ByteView> e2) {
  return overlap(s1, e1, s2, e2, less_timetz);
}
struct TimestampPlus {
  static Result<int64_t> apply(EvaluationContext&, int64_t start, Interval length) {
    return types::timestamp_plus(start, length);
  }
};
struct TimestamptzPlus {
  static Result<int64_t> apply(EvaluationContext& context, int64_t start, Interval length) {
    return types::timestamptz_plus(start, length, *context.settings.time_zone);
  }
};
struct TimePlus {
  static Result<int64_t> apply(EvaluationContext&, int64_t start, Interval length) {
    return types::time_plus(start, length);
  }
};
template <typename Plus>
Result<Instant> end_of(EvaluationContext& context, Instant start, Length length) {
  if (!start || !length) {
    return Instant();
  }
  PANDO_ASSIGN(const int64_t end, Plus::apply(context, *start, *length));
  return Instant(end);
}
template <typename Plus>
Result<std::optional<bool>> overlaps_lengths(EvaluationContext& context, Instant s1, Length l1, Instant s2, Length l2) {
  PANDO_ASSIGN(const Instant e1, end_of<Plus>(context, s1, l1));
  PANDO_ASSIGN(const Instant e2, end_of<Plus>(context, s2, l2));
  return overlaps_instants(s1, e1, s2, e2);
}
template <typename Plus>
Result<std::optional<bool>> overlaps_end_length(EvaluationContext& context, Instant s1, Instant e1, Instant s2,
                                                Length l2) {
  PANDO_ASSIGN(const Instant e2, end_of<Plus>(context, s2, l2));
  return overlaps_instants(s1, e1, s2, e2);
}
template <typename Plus>
Result<std::optional<bool>> overlaps_length_end(EvaluationContext& context, Instant s1, Length l1, Instant s2,
                                                Instant e2) {
  PANDO_ASSIGN(const Instant e1, end_of<Plus>(context, s1, l1));
  return overlaps_instants(s1, e1, s2, e2);
}

// --- in_range(value, base, offset, subtract, less): value <= or >= base -/+ offset ---
Status bad_offset() { return {SqlState("22013"), "invalid preceding or following size in window function"}; }
template <typename Value, typename Offset>
Result<bool> in_range_integer(Value value, Value base, Offset offset, bool subtract, bool less) {
  if (offset < 0) {
    return bad_offset();
  }
  using Wide = __int128;
  const Wide bound = subtract ? static_cast<Wide>(base) - offset : static_cast<Wide>(base) + offset;
  return less ? value <= bound : value >= bound;
}
template <typename Value>
Result<bool> in_range_float(Value value, Value base, double offset, bool subtract, bool less) {
  if (std::isnan(offset) || offset < 0) {
    return bad_offset();
  }
  if (std::isnan(value)) {
    return std::isnan(base) ? true : !less;
  }
  if (std::isnan(base)) {
    return less;
  }
  if (std::isinf(offset) && std::isinf(base) && (subtract ? base > 0 : base < 0)) {
    return true;
  }
  const double bound = subtract ? base - offset : base + offset;
  return less ? value <= bound : value >= bound;
}
Result<bool> in_range_numeric(ByteView value, ByteView base, ByteView offset, bool subtract, bool less) {
  namespace numeric = types::numeric;
  if (numeric::is_nan(offset) || numeric::sign_of(offset) < 0) {
    return bad_offset();
  }
  if (numeric::is_nan(value)) {
    return numeric::is_nan(base) ? true : !less;
  }
  if (numeric::is_nan(base)) {
    return less;
  }
  if (numeric::is_infinite(offset) && numeric::is_infinite(base) &&
      (subtract ? numeric::sign_of(base) > 0 : numeric::sign_of(base) < 0)) {
    return true;
  }
  Bytes bound;
  PANDO_TRY(subtract ? numeric::subtract(base, offset, bound) : numeric::add(base, offset, bound));
  const auto order = numeric::compare(value, bound);
  return less ? order <= 0 : order >= 0;
}
Status check_offset(const Interval& offset) {
  return types::compare_intervals(offset, Interval()) < 0 ? bad_offset() : Status();
}
template <typename Plus, typename Minus>
Result<bool> in_range_instant(EvaluationContext& context, int64_t value, int64_t base, Interval offset, bool subtract,
                              bool less) {
  PANDO_TRY(check_offset(offset));
  PANDO_ASSIGN(const int64_t bound,
               subtract ? Minus::apply(context, base, offset) : Plus::apply(context, base, offset));
  return less ? value <= bound : value >= bound;
}
struct TimestampMinus {
  static Result<int64_t> apply(EvaluationContext&, int64_t start, Interval length) {
    return types::timestamp_minus(start, length);
  }
};
struct TimestamptzMinus {
  static Result<int64_t> apply(EvaluationContext& context, int64_t start, Interval length) {
    return types::timestamptz_minus(start, length, *context.settings.time_zone);
  }
};
Result<bool> in_range_date(EvaluationContext& context, int32_t value, int32_t base, Interval offset, bool subtract,
                           bool less) {
  PANDO_ASSIGN(const int64_t value_time, types::timestamp_of_date(value));
  PANDO_ASSIGN(const int64_t base_time, types::timestamp_of_date(base));
  return in_range_instant<TimestampPlus, TimestampMinus>(context, value_time, base_time, offset, subtract, less);
}
Result<bool> in_range_interval(Interval value, Interval base, Interval offset, bool subtract, bool less) {
  PANDO_TRY(check_offset(offset));
  PANDO_ASSIGN(const Interval bound,
               subtract ? types::interval_minus(base, offset) : types::interval_plus(base, offset));
  const auto order = types::compare_intervals(value, bound);
  return less ? order <= 0 : order >= 0;
}
// A time of day does not wrap around here; only the offset's part below a day counts.
Result<bool> in_range_time(int64_t value, int64_t base, Interval offset, bool subtract, bool less) {
  if (offset.microseconds < 0) {
    return bad_offset();
  }
  int64_t bound = 0;
  if (__builtin_add_overflow(base, subtract ? -offset.microseconds : offset.microseconds, &bound)) {
    return less;
  }
  return less ? value <= bound : value >= bound;
}
Result<bool> in_range_timetz(ByteView value, ByteView base, Interval offset, bool subtract, bool less) {
  if (offset.microseconds < 0) {
    return bad_offset();
  }
  types::TimeTz bound = types::unpack_timetz(base);
  if (__builtin_add_overflow(bound.microseconds, subtract ? -offset.microseconds : offset.microseconds,
                             &bound.microseconds)) {
    return less;
  }
  const auto order = types::compare_timetz(types::unpack_timetz(value), bound);
  return less ? order <= 0 : order >= 0;
}

}  // namespace

#define PANDO_TESTS(prefix, suffix, Pair)                                                                     \
  {prefix "eq" suffix, lift<test<Pair, Test::kEq>>}, {prefix "ne" suffix, lift<test<Pair, Test::kNe>>},       \
      {prefix "lt" suffix, lift<test<Pair, Test::kLt>>}, {prefix "le" suffix, lift<test<Pair, Test::kLe>>},   \
      {prefix "gt" suffix, lift<test<Pair, Test::kGt>>}, {prefix "ge" suffix, lift<test<Pair, Test::kGe>>}, { \
    prefix "cmp" suffix, lift<three_way<Pair>>                                                                \
  }

KernelTable datetime_comparison_kernels() {
  static constexpr KernelEntry kTable[] = {
      PANDO_TESTS("interval_", "", Intervals),
      PANDO_TESTS("timetz_", "", TimeTzs),
      PANDO_TESTS("date_", "_timestamp", DateTimestamp),
      PANDO_TESTS("date_", "_timestamptz", DateTimestamptz),
      PANDO_TESTS("timestamp_", "_date", Reversed<DateTimestamp>),
      PANDO_TESTS("timestamptz_", "_date", Reversed<DateTimestamptz>),
      PANDO_TESTS("timestamp_", "_timestamptz", TimestampTimestamptz),
      PANDO_TESTS("timestamptz_", "_timestamp", Reversed<TimestampTimestamptz>),
      {"interval_larger", lift<larger_interval>},
      {"interval_smaller", lift<smaller_interval>},
      {"timetz_larger", lift<larger_timetz>},
      {"timetz_smaller", lift<smaller_timetz>},
      {"overlaps_timestamp", lift<overlaps_instants>},
      {"overlaps_time", lift<overlaps_instants>},
      {"overlaps_timetz", lift<overlaps_timetz>},
      {"overlaps(timestamp,interval,timestamp,interval)", lift<overlaps_lengths<TimestampPlus>>},
      {"overlaps(timestamp,timestamp,timestamp,interval)", lift<overlaps_end_length<TimestampPlus>>},
      {"overlaps(timestamp,interval,timestamp,timestamp)", lift<overlaps_length_end<TimestampPlus>>},
      {"overlaps(timestamptz,interval,timestamptz,interval)", lift<overlaps_lengths<TimestamptzPlus>>},
      {"overlaps(timestamptz,timestamptz,timestamptz,interval)", lift<overlaps_end_length<TimestamptzPlus>>},
      {"overlaps(timestamptz,interval,timestamptz,timestamptz)", lift<overlaps_length_end<TimestamptzPlus>>},
      {"overlaps(time,interval,time,interval)", lift<overlaps_lengths<TimePlus>>},
      {"overlaps(time,time,time,interval)", lift<overlaps_end_length<TimePlus>>},
      {"overlaps(time,interval,time,time)", lift<overlaps_length_end<TimePlus>>},
      {"in_range_int2_int2", lift<in_range_integer<int16_t, int16_t>>},
      {"in_range_int2_int4", lift<in_range_integer<int16_t, int32_t>>},
      {"in_range_int2_int8", lift<in_range_integer<int16_t, int64_t>>},
      {"in_range_int4_int2", lift<in_range_integer<int32_t, int16_t>>},
      {"in_range_int4_int4", lift<in_range_integer<int32_t, int32_t>>},
      {"in_range_int4_int8", lift<in_range_integer<int32_t, int64_t>>},
      {"in_range_int8_int8", lift<in_range_integer<int64_t, int64_t>>},
      {"in_range_float4_float8", lift<in_range_float<float>>},
      {"in_range_float8_float8", lift<in_range_float<double>>},
      {"in_range_numeric_numeric", lift<in_range_numeric>},
      {"in_range_date_interval", lift<in_range_date>},
      {"in_range_timestamp_interval", lift<in_range_instant<TimestampPlus, TimestampMinus>>},
      {"in_range_timestamptz_interval", lift<in_range_instant<TimestamptzPlus, TimestamptzMinus>>},
      {"in_range_interval_interval", lift<in_range_interval>},
      {"in_range_time_interval", lift<in_range_time>},
      {"in_range_timetz_interval", lift<in_range_timetz>},
  };
  return kTable;
}

#undef PANDO_TESTS

}  // namespace pando::sql
