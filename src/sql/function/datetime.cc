// Dates and times: casts, arithmetic, zones, construction, the clock. extract() and date_trunc() are in
// datetime_fields.cc; comparison across types, OVERLAPS and in_range in datetime_comparison.cc.

#include "types/datetime.h"

#include "sql/function/errors.h"
#include "sql/function/kernel_table.h"
#include "sql/function/lift.h"
#include "types/interval.h"

namespace pando::sql {
namespace {

using types::Interval;
using types::TimeTz;

const types::TimeZone& zone_of(EvaluationContext& context) { return *context.settings.time_zone; }

// Adapts a function of types/ that ends in the session's time zone or settings.
template <auto kFunction, typename... Args>
auto zoned(EvaluationContext& context, Args... arguments) {
  return kFunction(arguments..., zone_of(context));
}
// Swaps the arguments of a commutative operator's other form.
template <auto kFunction, typename A, typename B>
auto swapped(B b, A a) {
  return kFunction(a, b);
}
template <auto kFunction, typename A, typename B>
auto swapped_zoned(EvaluationContext& context, B b, A a) {
  return kFunction(a, b, zone_of(context));
}

// --- casts ---
int64_t time_of_timetz(ByteView time) { return types::unpack_timetz(time).microseconds; }
Bytes timetz_of_time(EvaluationContext& context, int64_t time) {
  return types::pack_timetz(types::timetz_of_time(time, context.settings));
}
Result<std::optional<Bytes>> timetz_of_timestamptz(EvaluationContext& context, int64_t timestamp) {
  PANDO_ASSIGN(const auto time, types::timetz_of_timestamptz(timestamp, zone_of(context)));
  return time ? std::optional(types::pack_timetz(*time)) : std::nullopt;
}
Bytes round_timetz(ByteView time, int32_t precision) {
  TimeTz value = types::unpack_timetz(time);
  value.microseconds = types::round_time(value.microseconds, precision);
  return types::pack_timetz(value);
}
Result<int64_t> timestamptz_of_date_and_time(EvaluationContext& context, int32_t date, int64_t time) {
  PANDO_ASSIGN(const int64_t local, types::timestamp_of_date_and_time(date, time));
  return types::timestamptz_of_timestamp(local, zone_of(context));
}
Result<int64_t> timestamptz_of_date_and_timetz(int32_t date, ByteView time) {
  return types::timestamptz_of_date_and_timetz(date, types::unpack_timetz(time));
}
Result<int64_t> timestamptz_of_timetz_and_date(ByteView time, int32_t date) {
  return timestamptz_of_date_and_timetz(date, time);
}

// --- arithmetic ---
Result<int64_t> date_plus(int32_t date, Interval interval) {
  PANDO_ASSIGN(const int64_t timestamp, types::timestamp_of_date(date));
  return types::timestamp_plus(timestamp, interval);
}
Result<int64_t> date_minus(int32_t date, Interval interval) {
  PANDO_ASSIGN(const int64_t timestamp, types::timestamp_of_date(date));
  return types::timestamp_minus(timestamp, interval);
}
Result<Interval> time_minus_time(int64_t a, int64_t b) { return Interval{.microseconds = a - b}; }
Bytes timetz_plus(ByteView time, Interval interval) {
  return types::pack_timetz(types::timetz_plus(types::unpack_timetz(time), interval));
}
Bytes timetz_minus(ByteView time, Interval interval) {
  return types::pack_timetz(types::timetz_minus(types::unpack_timetz(time), interval));
}
Bytes interval_plus_timetz(Interval interval, ByteView time) { return timetz_plus(time, interval); }
Result<Interval> interval_times(Interval interval, double factor) { return types::interval_multiply(interval, factor); }
Result<Interval> times_interval(double factor, Interval interval) { return types::interval_multiply(interval, factor); }

// The start of the transaction's day in the session's zone, as a local timestamp: what age(x) counts from.
Result<int64_t> midnight_today(EvaluationContext& context) {
  PANDO_ASSIGN(const int32_t today, types::date_of_timestamptz(context.transaction_time_us, zone_of(context)));
  return types::timestamp_of_date(today);
}
Result<Interval> age_today(EvaluationContext& context, int64_t timestamp) {
  PANDO_ASSIGN(const int64_t today, midnight_today(context));
  return types::age(today, timestamp);
}
Result<Interval> age_today_with_zone(EvaluationContext& context, int64_t timestamp) {
  PANDO_ASSIGN(const int64_t today, midnight_today(context));
  PANDO_ASSIGN(const int64_t instant, types::timestamptz_of_timestamp(today, zone_of(context)));
  return types::age_with_zone(instant, timestamp, zone_of(context));
}
Result<Interval> age_of_timestamptz(EvaluationContext& context, int64_t a, int64_t b) {
  return types::age_with_zone(a, b, zone_of(context));
}

bool is_finite_date(int32_t date) { return types::is_finite_date(date); }
bool is_finite_timestamp(int64_t timestamp) { return types::is_finite_timestamp(timestamp); }
bool is_finite_interval(Interval) { return true; }

// --- AT TIME ZONE: the zone comes first ---
Result<int64_t> timestamp_at_zone(EvaluationContext& context, ByteView zone, int64_t timestamp) {
  return types::timestamp_at_zone(timestamp, zone, context.settings.time_zones);
}
Result<int64_t> timestamptz_at_zone(EvaluationContext& context, ByteView zone, int64_t timestamp) {
  return types::timestamptz_at_zone(timestamp, zone, context.settings.time_zones);
}
Result<Bytes> timetz_at_zone(EvaluationContext& context, ByteView zone, ByteView time) {
  PANDO_ASSIGN(const TimeTz moved, types::timetz_at_zone(types::unpack_timetz(time), zone, context.settings));
  return types::pack_timetz(moved);
}
Result<int64_t> timestamp_at_offset(Interval zone, int64_t timestamp) {
  return types::timestamp_at_offset(timestamp, zone);
}
Result<int64_t> timestamptz_at_offset(Interval zone, int64_t timestamp) {
  return types::timestamptz_at_offset(timestamp, zone);
}
Result<Bytes> timetz_at_offset(Interval zone, ByteView time) {
  PANDO_ASSIGN(const TimeTz moved, types::timetz_at_offset(types::unpack_timetz(time), zone));
  return types::pack_timetz(moved);
}

// --- construction ---
Result<int64_t> make_timestamptz(EvaluationContext& context, int32_t year, int32_t month, int32_t day, int32_t hour,
                                 int32_t minute, double second) {
  return types::make_timestamptz(year, month, day, hour, minute, second, context.settings);
}
Result<int64_t> make_timestamptz_at(EvaluationContext& context, int32_t year, int32_t month, int32_t day, int32_t hour,
                                    int32_t minute, double second, ByteView zone) {
  return types::make_timestamptz(year, month, day, hour, minute, second, zone, context.settings);
}

// --- the clock ---
int64_t transaction_time(EvaluationContext& context) { return context.transaction_time_us; }
int64_t statement_time(EvaluationContext& context) { return context.statement_time_us; }
int64_t wall_clock(EvaluationContext& context) {
  return context.wall_clock_us == nullptr ? context.statement_time_us : context.wall_clock_us(context.wall_clock_state);
}
// "Wed Feb 26 14:01:26.123456 2025 UTC".
Result<Bytes> time_of_day(EvaluationContext& context) {
  static constexpr std::string_view kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::string_view kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const int64_t now = wall_clock(context);
  PANDO_ASSIGN(const int64_t local, types::timestamp_of_timestamptz(now, zone_of(context)));
  const types::CivilTime civil = types::civil_of_timestamp(local);
  const int32_t weekday = types::day_of_week(types::julian_of(civil.year, civil.month, civil.day));
  const auto offset = zone_of(context).offset_at(now / types::kMicrosPerSecond + types::kUnixToPostgresSeconds);
  return fmt::format("{} {} {:02} {:02}:{:02}:{:02}.{:06} {} {}", kDays[weekday], kMonths[civil.month - 1], civil.day,
                     civil.hour, civil.minute, civil.second, civil.microsecond, civil.year, offset.abbreviation);
}

}  // namespace

KernelTable datetime_kernels() {
  static constexpr KernelEntry kTable[] = {
      // Casts.
      {"date_timestamp", lift<types::timestamp_of_date>},
      {"date_timestamptz", lift<zoned<types::timestamptz_of_date, int32_t>>},
      {"timestamp_date", lift<types::date_of_timestamp>},
      {"timestamptz_date", lift<zoned<types::date_of_timestamptz, int64_t>>},
      {"timestamp_timestamptz", lift<zoned<types::timestamptz_of_timestamp, int64_t>>},
      {"timestamptz_timestamp", lift<zoned<types::timestamp_of_timestamptz, int64_t>>},
      {"timestamp_time", lift<types::time_of_timestamp>},
      {"timestamptz_time", lift<zoned<types::time_of_timestamptz, int64_t>>},
      {"timestamptz_timetz", lift<timetz_of_timestamptz>},
      {"timetz_time", lift<time_of_timetz>},
      {"time_timetz", lift<timetz_of_time>},
      {"time_interval", lift<types::interval_of_time>},
      {"interval_time", lift<types::time_of_interval>},
      {"datetime_timestamp", lift<types::timestamp_of_date_and_time>},
      {"timedate_pl(time,date)", lift<swapped<types::timestamp_of_date_and_time, int32_t, int64_t>>},
      {"timestamptz(date,time)", lift<timestamptz_of_date_and_time>},
      {"datetimetz_timestamptz", lift<timestamptz_of_date_and_timetz>},
      {"timetzdate_pl(timetz,date)", lift<timestamptz_of_timetz_and_date>},
      {"float8_timestamptz", lift<types::timestamptz_of_unix_seconds>},
      {"time_scale", lift<types::round_time>},
      {"timetz_scale", lift<round_timetz>},
      {"timestamp_scale", lift<types::round_timestamp>},
      {"timestamptz_scale", lift<types::round_timestamp>},
      {"interval_scale", lift<types::apply_interval_modifier>},
      // Arithmetic.
      {"date_mi", lift<types::date_minus_date>},
      {"date_pli", lift<types::date_plus_days>},
      {"date_mii", lift<types::date_minus_days>},
      {"integer_pl_date(int4,date)", lift<swapped<types::date_plus_days, int32_t, int32_t>>},
      {"date_pl_interval", lift<date_plus>},
      {"date_mi_interval", lift<date_minus>},
      {"interval_pl_date(interval,date)", lift<swapped<date_plus, int32_t, Interval>>},
      {"timestamp_mi", lift<types::timestamp_minus_timestamp>},
      {"timestamp_pl_interval", lift<types::timestamp_plus>},
      {"timestamp_mi_interval", lift<types::timestamp_minus>},
      {"interval_pl_timestamp(interval,timestamp)", lift<swapped<types::timestamp_plus, int64_t, Interval>>},
      {"timestamptz_pl_interval", lift<zoned<types::timestamptz_plus, int64_t, Interval>>},
      {"timestamptz_mi_interval", lift<zoned<types::timestamptz_minus, int64_t, Interval>>},
      {"interval_pl_timestamptz(interval,timestamptz)",
       lift<swapped_zoned<types::timestamptz_plus, int64_t, Interval>>},
      {"time_mi_time", lift<time_minus_time>},
      {"time_pl_interval", lift<types::time_plus>},
      {"time_mi_interval", lift<types::time_minus>},
      {"interval_pl_time(interval,time)", lift<swapped<types::time_plus, int64_t, Interval>>},
      {"timetz_pl_interval", lift<timetz_plus>},
      {"timetz_mi_interval", lift<timetz_minus>},
      {"interval_pl_timetz(interval,timetz)", lift<interval_plus_timetz>},
      {"interval_um", lift<types::interval_negate>},
      {"interval_pl", lift<types::interval_plus>},
      {"interval_mi", lift<types::interval_minus>},
      {"interval_mul", lift<interval_times>},
      {"mul_d_interval", lift<times_interval>},
      {"interval_div", lift<types::interval_divide>},
      {"interval_justify_hours", lift<types::justify_hours>},
      {"interval_justify_days", lift<types::justify_days>},
      {"interval_justify_interval", lift<types::justify_interval>},
      {"timestamp_age", lift<types::age>},
      {"timestamptz_age", lift<age_of_timestamptz>},
      {"age(timestamp)", lift<age_today>},
      {"age(timestamptz)", lift<age_today_with_zone>},
      {"timestamp_bin", lift<types::date_bin>},
      {"timestamptz_bin", lift<types::date_bin>},
      {"date_finite", lift<is_finite_date>},
      {"timestamp_finite", lift<is_finite_timestamp>},
      {"interval_finite", lift<is_finite_interval>},
      // Zones.
      {"timestamp_zone", lift<timestamp_at_zone>},
      {"timestamptz_zone", lift<timestamptz_at_zone>},
      {"timetz_zone", lift<timetz_at_zone>},
      {"timestamp_izone", lift<timestamp_at_offset>},
      {"timestamptz_izone", lift<timestamptz_at_offset>},
      {"timetz_izone", lift<timetz_at_offset>},
      // Construction.
      {"make_date", lift<types::make_date>},
      {"make_time", lift<types::make_time>},
      {"make_timestamp", lift<types::make_timestamp>},
      {"make_timestamptz", lift<make_timestamptz>},
      {"make_timestamptz_at_timezone", lift<make_timestamptz_at>},
      {"make_interval", lift<types::make_interval>},
      // The clock.
      {"now", lift<transaction_time>},
      {"statement_timestamp", lift<statement_time>},
      {"clock_timestamp", lift<wall_clock>},
      {"timeofday", lift<time_of_day>},
  };
  return kTable;
}

}  // namespace pando::sql
