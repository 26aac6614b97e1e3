#include "types/datetime.h"

#include <cmath>

#include "types/datetime_parse.h"
#include "types/interval.h"

namespace pando::types {
namespace {

constexpr int32_t kTimestampEndDate = 109203528 - kPostgresEpochJulian;
constexpr int64_t kPowers[] = {1000000, 100000, 10000, 1000, 100, 10, 1};
constexpr int32_t kPrecisionMax = 6;

Status timestamp_overflow() { return {sql_state::kDatetimeFieldOverflow, "timestamp out of range"}; }
Status date_overflow() { return {sql_state::kDatetimeFieldOverflow, "date out of range"}; }

int64_t floor_seconds(int64_t microseconds) {
  return microseconds >= 0 ? microseconds / kMicrosPerSecond
                           : -((-microseconds + kMicrosPerSecond - 1) / kMicrosPerSecond);
}

int64_t unix_seconds_of(int64_t timestamp) { return floor_seconds(timestamp) + kUnixToPostgresSeconds; }

int64_t round_micros(int64_t value, int32_t precision) {
  if (precision < 0 || precision >= kPrecisionMax) {
    return value;
  }
  const int64_t step = kPowers[precision];
  const int64_t half = step / 2;
  return value >= 0 ? (value + half) / step * step : -((-value + half) / step * step);
}

int64_t wrap_day(int64_t time) {
  time %= kMicrosPerDay;
  return time < 0 ? time + kMicrosPerDay : time;
}

// Adds months to a calendar date: the last day of a shorter month when the day does not exist.
bool add_months(CivilTime& civil, int32_t months) {
  const int64_t total = int64_t{civil.year} * kMonthsPerYear + (civil.month - 1) + months;
  const int64_t year = total >= 0 ? total / kMonthsPerYear : -((-total + kMonthsPerYear - 1) / kMonthsPerYear);
  if (year > INT32_MAX / 2 || year < INT32_MIN / 2) {
    return false;
  }
  civil.year = static_cast<int32_t>(year);
  civil.month = static_cast<int32_t>(total - year * kMonthsPerYear) + 1;
  civil.day = std::min(civil.day, days_in_month(civil.year, civil.month));
  return true;
}

bool add_days(CivilTime& civil, int32_t days) {
  const int64_t julian = int64_t{julian_of(civil.year, civil.month, civil.day)} + days;
  if (julian < 0 || julian > INT32_MAX) {
    return false;
  }
  civil_of_julian(static_cast<int32_t>(julian), civil.year, civil.month, civil.day);
  return true;
}

bool add_time(int64_t& timestamp, int64_t microseconds) {
  return !__builtin_add_overflow(timestamp, microseconds, &timestamp) && is_valid_timestamp(timestamp);
}

bool local_civil(int64_t timestamp, const TimeZone& zone, CivilTime& civil) {
  int64_t local = timestamp;
  const int32_t east = zone.offset_at(unix_seconds_of(timestamp)).seconds_east;
  if (__builtin_add_overflow(timestamp, east * kMicrosPerSecond, &local)) {
    return false;
  }
  civil = civil_of_timestamp(local);
  return true;
}

bool timestamptz_of_civil(const CivilTime& civil, const TimeZone& zone, int64_t& timestamp) {
  if (!timestamp_of_civil(civil, timestamp)) {
    return false;
  }
  timestamp -= zone_offset_at(zone, civil) * kMicrosPerSecond;
  return is_valid_timestamp(timestamp);
}

// What AT TIME ZONE's text names: a zone, or an abbreviation with one offset or with a zone's history.
struct NamedZone {
  std::shared_ptr<const TimeZone> zone;
  std::string_view abbreviation;
};

Result<NamedZone> find_named_zone(std::string_view name, TimeZoneSource* zones) {
  std::string key(name);
  for (char& c : key) {
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  }
  const Abbreviation* abbreviation = find_abbreviation(key);
  if (abbreviation != nullptr && !abbreviation->zone.empty()) {
    PANDO_ASSIGN(auto zone, resolve_time_zone(zones, abbreviation->zone));
    return NamedZone{std::move(zone), abbreviation->name};
  }
  PANDO_ASSIGN(auto zone, resolve_time_zone(zones, name));
  return NamedZone{std::move(zone), {}};
}

int32_t offset_at_instant(const NamedZone& named, int64_t unix_seconds) {
  if (!named.abbreviation.empty()) {
    if (const auto offset = named.zone->offset_of_abbreviation(named.abbreviation, unix_seconds)) {
      return offset->seconds_east;
    }
  }
  return named.zone->offset_at(unix_seconds).seconds_east;
}

int32_t offset_at_local(const NamedZone& named, const CivilTime& civil) {
  const int32_t plain = zone_offset_at(*named.zone, civil);
  return named.abbreviation.empty() ? plain : offset_at_instant(named, local_unix_seconds(civil) - plain);
}

Result<int32_t> zone_interval_seconds(const Interval& zone) {
  if (zone.months != 0 || zone.days != 0) {
    Bytes text;
    print_interval(zone, {}, text);
    return Status(sql_state::kInvalidParameterValue, "interval time zone \"{}\" must not include months or days", text);
  }
  return static_cast<int32_t>(zone.microseconds / kMicrosPerSecond);
}

TimeTz move_timetz(TimeTz time, int32_t seconds_west) {
  const int64_t moved = time.microseconds + (time.seconds_west - seconds_west) * kMicrosPerSecond;
  return {wrap_day(moved), seconds_west};
}

bool is_valid_civil_date(int32_t& year, int32_t month, int32_t day) {
  if (year == 0) {
    return false;
  }
  if (year < 0) {
    year = year == INT32_MIN ? INT32_MIN : year + 1;
  }
  return month >= 1 && month <= kMonthsPerYear && day >= 1 && day <= days_in_month(year, month);
}

bool time_of_parts(int32_t hour, int32_t minute, double second, int64_t& time) {
  if (hour < 0 || hour > 24 || minute < 0 || minute > 59 || std::isnan(second)) {
    return false;
  }
  const double micros = std::rint(second * kMicrosPerSecond);
  if (micros < 0 || micros > 60.0 * kMicrosPerSecond) {
    return false;
  }
  time = (hour * 60LL + minute) * kMicrosPerMinute + static_cast<int64_t>(micros);
  return time <= kMicrosPerDay;
}

// A date of timestamps' range joined with infinities.
bool widen_date(int32_t date, int64_t& timestamp) {
  if (!is_finite_date(date)) {
    timestamp = date == kDateInfinity ? kTimestampInfinity : kTimestampMinusInfinity;
    return true;
  }
  if (date >= kTimestampEndDate) {
    return false;
  }
  timestamp = date * kMicrosPerDay;
  return true;
}

// Zone of make_timestamptz().
Result<int32_t> seconds_west_of(std::string_view zone, const CivilTime& civil, const Settings& settings) {
  const std::string text(zone);
  if (!zone.empty() && zone[0] >= '0' && zone[0] <= '9') {
    return Status(sql_state::kInvalidParameterValue, "invalid input syntax for type {}: \"{}\"", "numeric time zone",
                  zone)
        .with_hint("Numeric time zones must have \"-\" or \"+\" as first character.");
  }
  int32_t seconds_west = 0;
  const DateTimeError error = decode_zone_offset(text.c_str(), seconds_west);
  if (error == DateTimeError::kNone) {
    return seconds_west;
  }
  if (error == DateTimeError::kZoneOverflow) {
    return Status(sql_state::kInvalidParameterValue, "numeric time zone \"{}\" out of range", zone);
  }
  PANDO_ASSIGN(const NamedZone named, find_named_zone(zone, settings.time_zones));
  return -offset_at_local(named, civil);
}

Result<CivilTime> make_civil(int32_t year, int32_t month, int32_t day, int32_t hour, int32_t minute, double second) {
  CivilTime civil{year, month, day};
  if (!is_valid_civil_date(civil.year, month, day)) {
    return Status(sql_state::kDatetimeFieldOverflow, "date field value out of range: {}-{:02}-{:02}", year, month, day);
  }
  if (!is_valid_julian(civil.year, month, day)) {
    return Status(sql_state::kDatetimeFieldOverflow, "date out of range: {}-{:02}-{:02}", year, month, day);
  }
  int64_t time = 0;
  if (!time_of_parts(hour, minute, second, time)) {
    return Status(sql_state::kDatetimeFieldOverflow, "time field value out of range: {}:{:02}:{:02g}", hour, minute,
                  second);
  }
  time_parts(time, civil.hour, civil.minute, civil.second, civil.microsecond);
  return civil;
}

Status make_overflow(int32_t year, int32_t month, int32_t day, int32_t hour, int32_t minute, double second) {
  return {sql_state::kDatetimeFieldOverflow,
          "timestamp out of range: {}-{:02}-{:02} {}:{:02}:{:02g}",
          year,
          month,
          day,
          hour,
          minute,
          second};
}

// The symbolic difference of two calendar times, field by field.
Interval civil_difference(const CivilTime& a, const CivilTime& b, bool negative) {
  int64_t micros =
      (((a.hour - b.hour) * 60LL + (a.minute - b.minute)) * 60 + (a.second - b.second)) * kMicrosPerSecond +
      (a.microsecond - b.microsecond);
  int64_t days = a.day - b.day;
  int64_t months = (int64_t{a.year} - b.year) * kMonthsPerYear + (a.month - b.month);
  if (negative) {
    micros = -micros;
    days = -days;
    months = -months;
  }
  if (micros < 0) {
    micros += kMicrosPerDay;
    --days;
  }
  while (days < 0) {
    days += negative ? days_in_month(a.year, a.month) : days_in_month(b.year, b.month);
    --months;
  }
  const int64_t sign = negative ? -1 : 1;
  return {sign * micros, static_cast<int32_t>(sign * days), static_cast<int32_t>(sign * months)};
}

}  // namespace

int64_t round_time(int64_t time, int32_t precision) { return round_micros(time, precision); }

Result<int64_t> round_timestamp(int64_t timestamp, int32_t precision) {
  return is_finite_timestamp(timestamp) ? round_micros(timestamp, precision) : timestamp;
}

Result<int64_t> timestamp_of_date(int32_t date) {
  int64_t timestamp = 0;
  if (!widen_date(date, timestamp)) {
    return Status(sql_state::kDatetimeFieldOverflow, "date out of range for timestamp");
  }
  return timestamp;
}

Result<int64_t> timestamptz_of_date(int32_t date, const TimeZone& zone) {
  PANDO_ASSIGN(const int64_t local, timestamp_of_date(date));
  if (!is_finite_timestamp(local)) {
    return local;
  }
  const int64_t timestamp = local - zone_offset_at(zone, civil_of_date(date)) * kMicrosPerSecond;
  if (!is_valid_timestamp(timestamp)) {
    return Status(sql_state::kDatetimeFieldOverflow, "date out of range for timestamp");
  }
  return timestamp;
}

int32_t date_of_timestamp(int64_t timestamp) {
  if (!is_finite_timestamp(timestamp)) {
    return timestamp == kTimestampInfinity ? kDateInfinity : kDateMinusInfinity;
  }
  const int64_t days = timestamp >= 0 ? timestamp / kMicrosPerDay : -((-timestamp + kMicrosPerDay - 1) / kMicrosPerDay);
  return static_cast<int32_t>(days);
}

Result<int64_t> timestamptz_of_timestamp(int64_t timestamp, const TimeZone& zone) {
  if (!is_finite_timestamp(timestamp)) {
    return timestamp;
  }
  int64_t result = 0;
  if (!timestamptz_of_civil(civil_of_timestamp(timestamp), zone, result)) {
    return timestamp_overflow();
  }
  return result;
}

Result<int64_t> timestamp_of_timestamptz(int64_t timestamp, const TimeZone& zone) {
  if (!is_finite_timestamp(timestamp)) {
    return timestamp;
  }
  int64_t local = timestamp;
  const int32_t east = zone.offset_at(unix_seconds_of(timestamp)).seconds_east;
  if (!add_time(local, east * kMicrosPerSecond)) {
    return timestamp_overflow();
  }
  return local;
}

Result<int32_t> date_of_timestamptz(int64_t timestamp, const TimeZone& zone) {
  PANDO_ASSIGN(const int64_t local, timestamp_of_timestamptz(timestamp, zone));
  return date_of_timestamp(local);
}

std::optional<int64_t> time_of_timestamp(int64_t timestamp) {
  if (!is_finite_timestamp(timestamp)) {
    return std::nullopt;
  }
  return wrap_day(timestamp);
}

Result<std::optional<int64_t>> time_of_timestamptz(int64_t timestamp, const TimeZone& zone) {
  PANDO_ASSIGN(const int64_t local, timestamp_of_timestamptz(timestamp, zone));
  return time_of_timestamp(local);
}

Result<std::optional<TimeTz>> timetz_of_timestamptz(int64_t timestamp, const TimeZone& zone) {
  if (!is_finite_timestamp(timestamp)) {
    return std::optional<TimeTz>();
  }
  PANDO_ASSIGN(const int64_t local, timestamp_of_timestamptz(timestamp, zone));
  const int32_t east = zone.offset_at(unix_seconds_of(timestamp)).seconds_east;
  return std::optional(TimeTz{wrap_day(local), -east});
}

TimeTz timetz_of_time(int64_t time, const Settings& settings) {
  CivilTime civil = current_civil(settings);
  time_parts(time, civil.hour, civil.minute, civil.second, civil.microsecond);
  return {time, -zone_offset_at(*settings.time_zone, civil)};
}

Interval interval_of_time(int64_t time) { return {time, 0, 0}; }
int64_t time_of_interval(Interval interval) { return wrap_day(interval.microseconds); }

Result<int64_t> timestamp_of_date_and_time(int32_t date, int64_t time) {
  PANDO_ASSIGN(int64_t timestamp, timestamp_of_date(date));
  if (is_finite_timestamp(timestamp) && !add_time(timestamp, time)) {
    return timestamp_overflow();
  }
  return timestamp;
}

Result<int64_t> timestamptz_of_date_and_timetz(int32_t date, TimeTz time) {
  int64_t timestamp = 0;
  if (!widen_date(date, timestamp)) {
    return Status(sql_state::kDatetimeFieldOverflow, "date out of range for timestamp");
  }
  if (is_finite_timestamp(timestamp) &&
      !add_time(timestamp, time.microseconds + time.seconds_west * kMicrosPerSecond)) {
    return Status(sql_state::kDatetimeFieldOverflow, "date out of range for timestamp");
  }
  return timestamp;
}

Result<int64_t> timestamptz_of_unix_seconds(double seconds) {
  if (std::isnan(seconds)) {
    return Status(sql_state::kDatetimeFieldOverflow, "timestamp cannot be NaN");
  }
  if (std::isinf(seconds)) {
    return seconds > 0 ? kTimestampInfinity : kTimestampMinusInfinity;
  }
  constexpr double kMin = -static_cast<double>(kUnixEpochJulian) * kSecondsPerDay;
  constexpr double kEnd = (109203528.0 - kUnixEpochJulian) * kSecondsPerDay;
  const Status overflow(sql_state::kDatetimeFieldOverflow, "timestamp out of range: \"{:g}\"", seconds);
  if (seconds < kMin || seconds >= kEnd) {
    return overflow;
  }
  const double micros = std::rint((seconds - static_cast<double>(kUnixToPostgresSeconds)) * kMicrosPerSecond);
  const auto timestamp = static_cast<int64_t>(micros);
  if (!is_valid_timestamp(timestamp)) {
    return overflow;
  }
  return timestamp;
}

int compare_date_timestamp(int32_t date, int64_t timestamp) {
  int64_t widened = 0;
  if (!widen_date(date, widened)) {
    return timestamp == kTimestampInfinity ? -1 : 1;
  }
  return widened < timestamp ? -1 : (widened > timestamp ? 1 : 0);
}

int compare_date_timestamptz(int32_t date, int64_t timestamp, const TimeZone& zone) {
  int64_t widened = 0;
  if (!widen_date(date, widened)) {
    return timestamp == kTimestampInfinity ? -1 : 1;
  }
  return compare_timestamp_timestamptz(widened, timestamp, zone);
}

int compare_timestamp_timestamptz(int64_t timestamp, int64_t timestamptz, const TimeZone& zone) {
  int64_t instant = timestamp;
  if (is_finite_timestamp(timestamp)) {
    instant -= zone_offset_at(zone, civil_of_timestamp(timestamp)) * kMicrosPerSecond;
  }
  return instant < timestamptz ? -1 : (instant > timestamptz ? 1 : 0);
}

Result<int32_t> date_plus_days(int32_t date, int32_t days) {
  if (!is_finite_date(date)) {
    return date;
  }
  int32_t sum = 0;
  if (__builtin_add_overflow(date, days, &sum) || !is_valid_date(sum)) {
    return date_overflow();
  }
  return sum;
}

Result<int32_t> date_minus_days(int32_t date, int32_t days) {
  if (!is_finite_date(date)) {
    return date;
  }
  int32_t difference = 0;
  if (__builtin_sub_overflow(date, days, &difference) || !is_valid_date(difference)) {
    return date_overflow();
  }
  return difference;
}

Result<int32_t> date_minus_date(int32_t a, int32_t b) {
  if (!is_finite_date(a) || !is_finite_date(b)) {
    return Status(sql_state::kDatetimeFieldOverflow, "cannot subtract infinite dates");
  }
  return static_cast<int32_t>(int64_t{a} - b);
}

Result<int64_t> timestamp_plus(int64_t timestamp, Interval interval) {
  if (!is_finite_timestamp(timestamp)) {
    return timestamp;
  }
  if (interval.months != 0) {
    CivilTime civil = civil_of_timestamp(timestamp);
    if (!add_months(civil, interval.months) || !timestamp_of_civil(civil, timestamp)) {
      return timestamp_overflow();
    }
  }
  if (interval.days != 0) {
    CivilTime civil = civil_of_timestamp(timestamp);
    if (!add_days(civil, interval.days) || !timestamp_of_civil(civil, timestamp)) {
      return timestamp_overflow();
    }
  }
  if (!add_time(timestamp, interval.microseconds)) {
    return timestamp_overflow();
  }
  return timestamp;
}

Result<int64_t> timestamptz_plus(int64_t timestamp, Interval interval, const TimeZone& zone) {
  if (!is_finite_timestamp(timestamp)) {
    return timestamp;
  }
  CivilTime civil;
  if (interval.months != 0) {
    if (!local_civil(timestamp, zone, civil) || !add_months(civil, interval.months) ||
        !timestamptz_of_civil(civil, zone, timestamp)) {
      return timestamp_overflow();
    }
  }
  if (interval.days != 0) {
    if (!local_civil(timestamp, zone, civil) || !add_days(civil, interval.days) ||
        !timestamptz_of_civil(civil, zone, timestamp)) {
      return timestamp_overflow();
    }
  }
  if (!add_time(timestamp, interval.microseconds)) {
    return timestamp_overflow();
  }
  return timestamp;
}

Result<int64_t> timestamp_minus(int64_t timestamp, Interval interval) {
  PANDO_ASSIGN(const Interval negated, interval_negate(interval));
  return timestamp_plus(timestamp, negated);
}

Result<int64_t> timestamptz_minus(int64_t timestamp, Interval interval, const TimeZone& zone) {
  PANDO_ASSIGN(const Interval negated, interval_negate(interval));
  return timestamptz_plus(timestamp, negated, zone);
}

Result<Interval> timestamp_minus_timestamp(int64_t a, int64_t b) {
  if (!is_finite_timestamp(a) || !is_finite_timestamp(b)) {
    return Status(sql_state::kDatetimeFieldOverflow, "cannot subtract infinite timestamps");
  }
  Interval interval;
  if (__builtin_sub_overflow(a, b, &interval.microseconds)) {
    return Status(sql_state::kDatetimeFieldOverflow, "interval out of range");
  }
  return justify_hours(interval);
}

int64_t time_plus(int64_t time, Interval interval) { return wrap_day(time + interval.microseconds % kMicrosPerDay); }
int64_t time_minus(int64_t time, Interval interval) { return wrap_day(time - interval.microseconds % kMicrosPerDay); }
TimeTz timetz_plus(TimeTz time, Interval interval) {
  return {time_plus(time.microseconds, interval), time.seconds_west};
}
TimeTz timetz_minus(TimeTz time, Interval interval) {
  return {time_minus(time.microseconds, interval), time.seconds_west};
}

Result<Interval> age(int64_t a, int64_t b) {
  // PostgreSQL 15 takes infinity for the last moment that 64 bits can hold; the first one has no date.
  if (a == kTimestampMinusInfinity || b == kTimestampMinusInfinity) {
    return timestamp_overflow();
  }
  return civil_difference(civil_of_timestamp(a), civil_of_timestamp(b), a < b);
}

Result<Interval> age_with_zone(int64_t a, int64_t b, const TimeZone& zone) {
  CivilTime left;
  CivilTime right;
  if (a == kTimestampMinusInfinity || b == kTimestampMinusInfinity || !local_civil(a, zone, left) ||
      !local_civil(b, zone, right)) {
    return timestamp_overflow();
  }
  return civil_difference(left, right, a < b);
}

Result<int64_t> date_bin(Interval stride, int64_t source, int64_t origin) {
  if (!is_finite_timestamp(source)) {
    return source;
  }
  if (!is_finite_timestamp(origin)) {
    return Status(sql_state::kDatetimeFieldOverflow, "origin out of range");
  }
  if (stride.months != 0) {
    return Status(sql_state::kFeatureNotSupported,
                  "timestamps cannot be binned into intervals containing months or years");
  }
  int64_t step = 0;
  if (__builtin_mul_overflow(stride.days, kMicrosPerDay, &step) ||
      __builtin_add_overflow(step, stride.microseconds, &step)) {
    return Status(sql_state::kDatetimeFieldOverflow, "interval out of range");
  }
  if (step <= 0) {
    return Status(sql_state::kDatetimeFieldOverflow, "stride must be greater than zero");
  }
  int64_t difference = 0;
  if (__builtin_sub_overflow(source, origin, &difference)) {
    return Status(sql_state::kDatetimeFieldOverflow, "interval out of range");
  }
  const int64_t rest = difference % step;
  int64_t result = origin + (difference - rest);
  if (rest < 0 && !add_time(result, -step)) {
    return timestamp_overflow();
  }
  return result;
}

Result<int64_t> timestamp_at_zone(int64_t timestamp, std::string_view zone, TimeZoneSource* zones) {
  if (!is_finite_timestamp(timestamp)) {
    return timestamp;
  }
  PANDO_ASSIGN(const NamedZone named, find_named_zone(zone, zones));
  int64_t result = timestamp;
  if (!add_time(result, -offset_at_local(named, civil_of_timestamp(timestamp)) * kMicrosPerSecond)) {
    return timestamp_overflow();
  }
  return result;
}

Result<int64_t> timestamptz_at_zone(int64_t timestamp, std::string_view zone, TimeZoneSource* zones) {
  if (!is_finite_timestamp(timestamp)) {
    return timestamp;
  }
  PANDO_ASSIGN(const NamedZone named, find_named_zone(zone, zones));
  int64_t result = timestamp;
  if (!add_time(result, offset_at_instant(named, unix_seconds_of(timestamp)) * kMicrosPerSecond)) {
    return timestamp_overflow();
  }
  return result;
}

Result<TimeTz> timetz_at_zone(TimeTz time, std::string_view zone, const Settings& settings) {
  PANDO_ASSIGN(const NamedZone named, find_named_zone(zone, settings.time_zones));
  return move_timetz(time, -offset_at_instant(named, unix_seconds_of(settings.now_us)));
}

Result<int64_t> timestamp_at_offset(int64_t timestamp, Interval zone) {
  if (!is_finite_timestamp(timestamp)) {
    return timestamp;
  }
  PANDO_ASSIGN(const int32_t east, zone_interval_seconds(zone));
  if (!add_time(timestamp, -east * kMicrosPerSecond)) {
    return timestamp_overflow();
  }
  return timestamp;
}

Result<int64_t> timestamptz_at_offset(int64_t timestamp, Interval zone) {
  if (!is_finite_timestamp(timestamp)) {
    return timestamp;
  }
  PANDO_ASSIGN(const int32_t east, zone_interval_seconds(zone));
  if (!add_time(timestamp, east * kMicrosPerSecond)) {
    return timestamp_overflow();
  }
  return timestamp;
}

Result<TimeTz> timetz_at_offset(TimeTz time, Interval zone) {
  PANDO_ASSIGN(const int32_t east, zone_interval_seconds(zone));
  return move_timetz(time, -east);
}

Result<int32_t> make_date(int32_t year, int32_t month, int32_t day) {
  PANDO_ASSIGN(const CivilTime civil, make_civil(year, month, day, 0, 0, 0));
  const int32_t date = julian_of(civil.year, month, day) - kPostgresEpochJulian;
  if (!is_valid_date(date)) {
    return Status(sql_state::kDatetimeFieldOverflow, "date out of range: {}-{:02}-{:02}", year, month, day);
  }
  return date;
}

Result<int64_t> make_time(int32_t hour, int32_t minute, double second) {
  int64_t time = 0;
  if (!time_of_parts(hour, minute, second, time)) {
    return Status(sql_state::kDatetimeFieldOverflow, "time field value out of range: {}:{:02}:{:02g}", hour, minute,
                  second);
  }
  return time;
}

Result<int64_t> make_timestamp(int32_t year, int32_t month, int32_t day, int32_t hour, int32_t minute, double second) {
  PANDO_ASSIGN(const CivilTime civil, make_civil(year, month, day, hour, minute, second));
  int64_t timestamp = 0;
  if (!timestamp_of_civil(civil, timestamp)) {
    return make_overflow(year, month, day, hour, minute, second);
  }
  return timestamp;
}

Result<int64_t> make_timestamptz(int32_t year, int32_t month, int32_t day, int32_t hour, int32_t minute, double second,
                                 std::string_view zone, const Settings& settings) {
  PANDO_ASSIGN(const CivilTime civil, make_civil(year, month, day, hour, minute, second));
  int64_t timestamp = 0;
  if (!timestamp_of_civil(civil, timestamp)) {
    return make_overflow(year, month, day, hour, minute, second);
  }
  PANDO_ASSIGN(const int32_t seconds_west, seconds_west_of(zone, civil, settings));
  if (!add_time(timestamp, seconds_west * kMicrosPerSecond)) {
    return timestamp_overflow();
  }
  return timestamp;
}

Result<int64_t> make_timestamptz(int32_t year, int32_t month, int32_t day, int32_t hour, int32_t minute, double second,
                                 const Settings& settings) {
  PANDO_ASSIGN(const int64_t local, make_timestamp(year, month, day, hour, minute, second));
  return timestamptz_of_timestamp(local, *settings.time_zone);
}

}  // namespace pando::types
