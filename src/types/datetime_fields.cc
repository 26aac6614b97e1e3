#include "types/datetime_fields.h"

#include <cmath>

#include "types/datetime.h"
#include "types/datetime_parse.h"
#include "types/datetime_tokens.h"
#include "types/interval.h"
#include "types/numeric.h"

namespace pando::types {
namespace {

constexpr int32_t kMonthsPerQuarter = 3;
constexpr int64_t kMillisPerSecond = 1000;

// A field's value: an integer over a power of ten, as extract() prints it.
struct FieldValue {
  __int128 number = 0;
  int32_t scale = 0;
};

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  }
  return out;
}

Status not_recognized(std::string_view field, std::string_view type_name) {
  return {sql_state::kInvalidParameterValue, "unit \"{}\" not recognized for type {}", field, type_name};
}

Status not_supported(std::string_view field, std::string_view type_name) {
  return {sql_state::kFeatureNotSupported, "unit \"{}\" not supported for type {}", field, type_name};
}

// Fields of a clock; false for others.
bool clock_field(Unit unit, int32_t hour, int32_t minute, int32_t second, int32_t microsecond, FieldValue& value) {
  const int64_t micros = second * kMicrosPerSecond + microsecond;
  switch (unit) {
    case Unit::kMicrosecond:
      value = {micros, 0};
      return true;
    case Unit::kMillisecond:
      value = {micros, 3};
      return true;
    case Unit::kSecond:
      value = {micros, 6};
      return true;
    case Unit::kMinute:
      value = {minute, 0};
      return true;
    case Unit::kHour:
      value = {hour, 0};
      return true;
    default:
      return false;
  }
}

// Centuries and millennia count from 1, and from -1 backwards.
int64_t era_of(int64_t year, int64_t length) {
  return year > 0 ? (year + length - 1) / length : -((length - 1 - (year - 1)) / length);
}

int64_t decade_of(int64_t year) { return year >= 0 ? year / 10 : -((8 - (year - 1)) / 10); }

// Fields of a calendar date; false for others.
bool date_field(Unit unit, const CivilTime& civil, FieldValue& value) {
  const int32_t julian = julian_of(civil.year, civil.month, civil.day);
  switch (unit) {
    case Unit::kDay:
      value = {civil.day, 0};
      return true;
    case Unit::kMonth:
      value = {civil.month, 0};
      return true;
    case Unit::kQuarter:
      value = {(civil.month - 1) / kMonthsPerQuarter + 1, 0};
      return true;
    case Unit::kWeek:
      value = {iso_week(civil.year, civil.month, civil.day), 0};
      return true;
    case Unit::kYear:
      // There is no year 0: 1 BC is -1.
      value = {civil.year > 0 ? civil.year : civil.year - 1, 0};
      return true;
    case Unit::kDecade:
      value = {decade_of(civil.year), 0};
      return true;
    case Unit::kCentury:
      value = {era_of(civil.year, 100), 0};
      return true;
    case Unit::kMillennium:
      value = {era_of(civil.year, 1000), 0};
      return true;
    case Unit::kIsoYear: {
      const int32_t year = iso_year(civil.year, civil.month, civil.day);
      value = {year > 0 ? year : year - 1, 0};
      return true;
    }
    case Unit::kDayOfWeek:
      value = {day_of_week(julian), 0};
      return true;
    case Unit::kIsoDayOfWeek:
      value = {day_of_week(julian) == 0 ? 7 : day_of_week(julian), 0};
      return true;
    case Unit::kDayOfYear:
      value = {julian - julian_of(civil.year, 1, 1) + 1, 0};
      return true;
    default:
      return false;
  }
}

// Whether an infinite timestamp has an infinite value of a field; the others are NULL.
bool grows(Unit unit) {
  switch (unit) {
    case Unit::kYear:
    case Unit::kDecade:
    case Unit::kCentury:
    case Unit::kMillennium:
    case Unit::kJulian:
    case Unit::kIsoYear:
    case Unit::kEpoch:
      return true;
    default:
      return false;
  }
}

bool is_timestamp_field(Unit unit, bool zoned) {
  switch (unit) {
    case Unit::kNone:
    case Unit::kTimeOfDay:
      return false;
    case Unit::kTimezone:
    case Unit::kTimezoneHour:
    case Unit::kTimezoneMinute:
      return zoned;
    default:
      return true;
  }
}

enum class FieldKind : uint8_t { kValue, kNull, kInfinity, kMinusInfinity, kJulian, kEpoch };

// A field as both answers need it. kJulian is a day plus value / kMicrosPerDay; kEpoch is for date_part() of intervals,
// which adds in floating point.
struct Extracted {
  FieldKind kind = FieldKind::kValue;
  FieldValue value;
  int32_t julian = 0;
  double epoch = 0;
};

Result<std::optional<Bytes>> to_numeric(Result<Extracted> extracted) {
  if (!extracted.ok()) {
    return std::move(extracted).status();
  }
  switch (extracted->kind) {
    case FieldKind::kNull:
      return std::optional<Bytes>();
    case FieldKind::kInfinity:
      return std::optional(numeric::from_float64(HUGE_VAL));
    case FieldKind::kMinusInfinity:
      return std::optional(numeric::from_float64(-HUGE_VAL));
    case FieldKind::kValue:
    case FieldKind::kEpoch:
      return std::optional(numeric::from_int128(extracted->value.number, extracted->value.scale));
    case FieldKind::kJulian:
      break;
  }
  Bytes fraction;
  Bytes sum;
  PANDO_TRY(
      numeric::divide(numeric::from_int128(extracted->value.number), numeric::from_int64(kMicrosPerDay), fraction));
  PANDO_TRY(numeric::add(numeric::from_int64(extracted->julian), fraction, sum));
  return std::optional(std::move(sum));
}

Result<std::optional<double>> to_double(Result<Extracted> extracted) {
  if (!extracted.ok()) {
    return std::move(extracted).status();
  }
  switch (extracted->kind) {
    case FieldKind::kNull:
      return std::optional<double>();
    case FieldKind::kInfinity:
      return std::optional(HUGE_VAL);
    case FieldKind::kMinusInfinity:
      return std::optional(-HUGE_VAL);
    case FieldKind::kJulian:
      return std::optional(extracted->julian +
                           static_cast<double>(extracted->value.number) / static_cast<double>(kMicrosPerDay));
    case FieldKind::kEpoch:
      return std::optional(extracted->epoch);
    case FieldKind::kValue:
      break;
  }
  const auto power = static_cast<int64_t>(std::pow(10.0, extracted->value.scale));
  return std::optional(static_cast<double>(extracted->value.number) / static_cast<double>(power));
}

bool zone_field(Unit unit, int32_t seconds_east, FieldValue& value) {
  switch (unit) {
    case Unit::kTimezone:
      value = {seconds_east, 0};
      return true;
    case Unit::kTimezoneHour:
      value = {seconds_east / kSecondsPerHour, 0};
      return true;
    case Unit::kTimezoneMinute:
      value = {seconds_east % kSecondsPerHour / 60, 0};
      return true;
    default:
      return false;
  }
}

Extracted infinite_field(Unit unit, bool negative) {
  const FieldKind infinity = negative ? FieldKind::kMinusInfinity : FieldKind::kInfinity;
  return {grows(unit) ? infinity : FieldKind::kNull, {}};
}

// Shared by timestamp (zone is nullptr) and timestamptz.
Result<Extracted> timestamp_field(std::string_view field, int64_t timestamp, const TimeZone* zone) {
  const std::string name = lower(field);
  const std::string_view type_name = zone != nullptr ? "timestamp with time zone" : "timestamp without time zone";
  const Unit unit = find_field(name);
  if (unit == Unit::kNone) {
    return not_recognized(name, type_name);
  }
  if (!is_timestamp_field(unit, zone != nullptr)) {
    return not_supported(name, type_name);
  }
  if (!is_finite_timestamp(timestamp)) {
    return infinite_field(unit, timestamp == kTimestampMinusInfinity);
  }
  Extracted out;
  if (unit == Unit::kEpoch) {
    out.value = {static_cast<__int128>(timestamp) + static_cast<__int128>(kUnixToPostgresSeconds) * kMicrosPerSecond,
                 6};
    return out;
  }
  int64_t local = timestamp;
  int32_t seconds_east = 0;
  if (zone != nullptr) {
    PANDO_ASSIGN(local, timestamp_of_timestamptz(timestamp, *zone));
    seconds_east = static_cast<int32_t>((local - timestamp) / kMicrosPerSecond);
  }
  const CivilTime civil = civil_of_timestamp(local);
  if (clock_field(unit, civil.hour, civil.minute, civil.second, civil.microsecond, out.value) ||
      date_field(unit, civil, out.value) || zone_field(unit, seconds_east, out.value)) {
    return out;
  }
  if (unit != Unit::kJulian) {
    return not_supported(name, type_name);
  }
  out.kind = FieldKind::kJulian;
  out.julian = julian_of(civil.year, civil.month, civil.day);
  out.value = {((civil.hour * 60LL + civil.minute) * 60 + civil.second) * kMicrosPerSecond + civil.microsecond, 0};
  return out;
}

Result<Extracted> date_only_field(std::string_view field, int32_t date) {
  const std::string name = lower(field);
  const Unit unit = find_field(name);
  if (unit == Unit::kNone) {
    return not_recognized(name, "date");
  }
  FieldValue ignored;
  const bool epoch = unit == Unit::kEpoch;
  const bool julian = unit == Unit::kJulian;
  if (!epoch && !julian && !date_field(unit, civil_of_date(0), ignored)) {
    return not_supported(name, "date");
  }
  if (!is_finite_date(date)) {
    return infinite_field(unit, date == kDateMinusInfinity);
  }
  Extracted out;
  if (epoch) {
    out.value = {(int64_t{date} + kPostgresEpochJulian - kUnixEpochJulian) * kSecondsPerDay, 0};
  } else if (julian) {
    out.value = {int64_t{date} + kPostgresEpochJulian, 0};
  } else {
    date_field(unit, civil_of_date(date), out.value);
  }
  return out;
}

// time (zoned is false) and timetz.
Result<Extracted> time_field(std::string_view field, TimeTz time, bool zoned) {
  const std::string name = lower(field);
  const std::string_view type_name = zoned ? "time with time zone" : "time without time zone";
  const Unit unit = find_field(name);
  if (unit == Unit::kNone) {
    return not_recognized(name, type_name);
  }
  Extracted out;
  if (unit == Unit::kEpoch) {
    out.value = {time.microseconds + time.seconds_west * kMicrosPerSecond, 6};
    return out;
  }
  CivilTime civil;
  time_parts(time.microseconds, civil.hour, civil.minute, civil.second, civil.microsecond);
  if (clock_field(unit, civil.hour, civil.minute, civil.second, civil.microsecond, out.value) ||
      (zoned && zone_field(unit, -time.seconds_west, out.value))) {
    return out;
  }
  return not_supported(name, type_name);
}

Result<Extracted> interval_field(std::string_view field, const Interval& interval) {
  const std::string name = lower(field);
  const Unit unit = find_field(name);
  if (unit == Unit::kNone) {
    return not_recognized(name, "interval");
  }
  const int32_t years = interval.months / kMonthsPerYear;
  const int32_t months = interval.months % kMonthsPerYear;
  const int64_t clock = interval.microseconds;
  Extracted out;
  switch (unit) {
    case Unit::kMicrosecond:
      out.value = {clock % kMicrosPerMinute, 0};
      return out;
    case Unit::kMillisecond:
      out.value = {clock % kMicrosPerMinute, 3};
      return out;
    case Unit::kSecond:
      out.value = {clock % kMicrosPerMinute, 6};
      return out;
    case Unit::kMinute:
      out.value = {clock % kMicrosPerHour / kMicrosPerMinute, 0};
      return out;
    case Unit::kHour:
      out.value = {clock / kMicrosPerHour, 0};
      return out;
    case Unit::kDay:
      out.value = {interval.days, 0};
      return out;
    case Unit::kMonth:
      out.value = {months, 0};
      return out;
    case Unit::kQuarter:
      out.value = {months / kMonthsPerQuarter + 1, 0};
      return out;
    case Unit::kYear:
      out.value = {years, 0};
      return out;
    case Unit::kDecade:
      out.value = {years / 10, 0};
      return out;
    case Unit::kCentury:
      out.value = {years / 100, 0};
      return out;
    case Unit::kMillennium:
      out.value = {years / 1000, 0};
      return out;
    case Unit::kEpoch: {
      // In quarters of a day a year of 365.25 days is a whole number.
      const int64_t quarter_days = int64_t{1461} * years + int64_t{120} * months + int64_t{4} * interval.days;
      const __int128 seconds = static_cast<__int128>(quarter_days) * (kSecondsPerDay / 4);
      out.kind = FieldKind::kEpoch;
      out.value = {seconds * kMicrosPerSecond + clock, 6};
      out.epoch = static_cast<double>(clock) / static_cast<double>(kMicrosPerSecond);
      out.epoch += kDaysPerYear * kSecondsPerDay * years;
      out.epoch += static_cast<double>(kDaysPerMonth) * kSecondsPerDay * months;
      out.epoch += static_cast<double>(kSecondsPerDay) * interval.days;
      return out;
    }
    default:
      return not_supported(name, "interval");
  }
}

int32_t trunc_era(int32_t year, int32_t length) {
  return year > 0 ? (year + length - 1) / length * length - (length - 1)
                  : -((length - 1 - (year - 1)) / length) * length + 1;
}

int32_t trunc_decade(int32_t year) { return year > 0 ? year / 10 * 10 : -((8 - (year - 1)) / 10) * 10; }

// Cuts a calendar time to a unit; false when the unit cannot be cut to. `day_or_more` tells that the offset of the
// result's zone may be another.
bool trunc_civil(Unit unit, CivilTime& civil, bool& day_or_more) {
  day_or_more = true;
  switch (unit) {
    case Unit::kWeek: {
      const int32_t julian = julian_of(civil.year, civil.month, civil.day);
      const int32_t since_monday = (day_of_week(julian) + 6) % 7;
      civil_of_julian(julian - since_monday, civil.year, civil.month, civil.day);
      break;
    }
    case Unit::kMillennium:
      civil = {trunc_era(civil.year, 1000), 1, 1};
      break;
    case Unit::kCentury:
      civil = {trunc_era(civil.year, 100), 1, 1};
      break;
    case Unit::kDecade:
      civil = {trunc_decade(civil.year), 1, 1};
      break;
    case Unit::kYear:
      civil = {civil.year, 1, 1};
      break;
    case Unit::kQuarter:
      civil = {civil.year, (civil.month - 1) / kMonthsPerQuarter * kMonthsPerQuarter + 1, 1};
      break;
    case Unit::kMonth:
      civil.day = 1;
      break;
    case Unit::kDay:
      break;
    default:
      day_or_more = false;
  }
  if (day_or_more) {
    civil.hour = civil.minute = civil.second = civil.microsecond = 0;
    return true;
  }
  switch (unit) {
    case Unit::kHour:
      civil.minute = civil.second = civil.microsecond = 0;
      return true;
    case Unit::kMinute:
      civil.second = civil.microsecond = 0;
      return true;
    case Unit::kSecond:
      civil.microsecond = 0;
      return true;
    case Unit::kMillisecond:
      civil.microsecond -= civil.microsecond % static_cast<int32_t>(kMillisPerSecond);
      return true;
    case Unit::kMicrosecond:
      return true;
    default:
      return false;
  }
}

Result<Unit> trunc_unit(const std::string& name, std::string_view type_name) {
  const Word* word = find_interval_word(name);
  if (word == nullptr || word->kind != WordKind::kUnit) {
    return not_recognized(name, type_name);
  }
  return static_cast<Unit>(word->value);
}

Status timestamp_overflow() { return {sql_state::kDatetimeFieldOverflow, "timestamp out of range"}; }

}  // namespace

Result<std::optional<Bytes>> extract_from_date(std::string_view field, int32_t date) {
  return to_numeric(date_only_field(field, date));
}
Result<std::optional<Bytes>> extract_from_time(std::string_view field, int64_t time) {
  return to_numeric(time_field(field, {time, 0}, false));
}
Result<std::optional<Bytes>> extract_from_timetz(std::string_view field, TimeTz time) {
  return to_numeric(time_field(field, time, true));
}
Result<std::optional<Bytes>> extract_from_timestamp(std::string_view field, int64_t timestamp) {
  return to_numeric(timestamp_field(field, timestamp, nullptr));
}
Result<std::optional<Bytes>> extract_from_timestamptz(std::string_view field, int64_t timestamp, const TimeZone& zone) {
  return to_numeric(timestamp_field(field, timestamp, &zone));
}
Result<std::optional<Bytes>> extract_from_interval(std::string_view field, const Interval& interval) {
  return to_numeric(interval_field(field, interval));
}

Result<std::optional<double>> part_of_time(std::string_view field, int64_t time) {
  return to_double(time_field(field, {time, 0}, false));
}
Result<std::optional<double>> part_of_timetz(std::string_view field, TimeTz time) {
  return to_double(time_field(field, time, true));
}
Result<std::optional<double>> part_of_timestamp(std::string_view field, int64_t timestamp) {
  return to_double(timestamp_field(field, timestamp, nullptr));
}
Result<std::optional<double>> part_of_timestamptz(std::string_view field, int64_t timestamp, const TimeZone& zone) {
  return to_double(timestamp_field(field, timestamp, &zone));
}
Result<std::optional<double>> part_of_interval(std::string_view field, const Interval& interval) {
  return to_double(interval_field(field, interval));
}

Result<int64_t> trunc_timestamp(std::string_view field, int64_t timestamp) {
  if (!is_finite_timestamp(timestamp)) {
    return timestamp;
  }
  constexpr std::string_view kTypeName = "timestamp without time zone";
  const std::string name = lower(field);
  PANDO_ASSIGN(const Unit unit, trunc_unit(name, kTypeName));
  CivilTime civil = civil_of_timestamp(timestamp);
  bool day_or_more = false;
  if (!trunc_civil(unit, civil, day_or_more)) {
    return not_supported(name, kTypeName);
  }
  int64_t result = 0;
  return timestamp_of_civil(civil, result) ? Result<int64_t>(result) : timestamp_overflow();
}

Result<int64_t> trunc_timestamptz(std::string_view field, int64_t timestamp, const TimeZone& zone) {
  if (!is_finite_timestamp(timestamp)) {
    return timestamp;
  }
  constexpr std::string_view kTypeName = "timestamp with time zone";
  const std::string name = lower(field);
  PANDO_ASSIGN(const Unit unit, trunc_unit(name, kTypeName));
  PANDO_ASSIGN(const int64_t local, timestamp_of_timestamptz(timestamp, zone));
  CivilTime civil = civil_of_timestamp(local);
  bool day_or_more = false;
  if (!trunc_civil(unit, civil, day_or_more)) {
    return not_supported(name, kTypeName);
  }
  int64_t result = 0;
  if (!timestamp_of_civil(civil, result)) {
    return timestamp_overflow();
  }
  const int64_t offset = day_or_more ? zone_offset_at(zone, civil) * kMicrosPerSecond : local - timestamp;
  return is_valid_timestamp(result - offset) ? Result<int64_t>(result - offset) : timestamp_overflow();
}

Result<Interval> trunc_interval(std::string_view field, const Interval& interval) {
  const std::string name = lower(field);
  PANDO_ASSIGN(const Unit unit, trunc_unit(name, "interval"));
  const auto months_to = [&interval](int32_t step) { return Interval{0, 0, interval.months / step * step}; };
  const auto clock_to = [&interval](int64_t step) {
    return Interval{interval.microseconds / step * step, interval.days, interval.months};
  };
  switch (unit) {
    case Unit::kMillennium:
      return months_to(1000 * kMonthsPerYear);
    case Unit::kCentury:
      return months_to(100 * kMonthsPerYear);
    case Unit::kDecade:
      return months_to(10 * kMonthsPerYear);
    case Unit::kYear:
      return months_to(kMonthsPerYear);
    case Unit::kQuarter:
      return months_to(kMonthsPerQuarter);
    case Unit::kMonth:
      return months_to(1);
    case Unit::kDay:
      return Interval{0, interval.days, interval.months};
    case Unit::kHour:
      return clock_to(kMicrosPerHour);
    case Unit::kMinute:
      return clock_to(kMicrosPerMinute);
    case Unit::kSecond:
      return clock_to(kMicrosPerSecond);
    case Unit::kMillisecond:
      return clock_to(kMillisPerSecond);
    case Unit::kMicrosecond:
      return interval;
    case Unit::kWeek:
      return not_supported(name, "interval").with_detail("Months usually have fractional weeks.");
    default:
      return not_supported(name, "interval");
  }
}

}  // namespace pando::types
