#include "types/calendar.h"

#include "base/codec.h"

namespace pando::types {
namespace {

constexpr int32_t kMonthDays[2][12] = {{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31},
                                       {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}};
constexpr int32_t kDaysPerWeek = 7;
constexpr int64_t kDaysPerEra = 146097;  // 400 years
constexpr int64_t kYearsPerEra = 400;
// Julian day number of 0000-03-01, where the eras of the algorithm below start.
constexpr int64_t kEraStartJulian = 1721120;
constexpr int32_t kJulianYearMin = -4713;
constexpr int32_t kJulianYearEnd = 5874898;

int64_t floor_divide(int64_t a, int64_t b) { return a >= 0 ? a / b : -((-a + b - 1) / b); }

// Julian day of the Monday of ISO week 1.
int32_t first_iso_monday(int32_t year) {
  const int32_t fourth = julian_of(year, 1, 4);
  const int32_t weekday = day_of_week(fourth - 1);
  return fourth - weekday;
}

}  // namespace

Bytes pack_timetz(TimeTz value) {
  Bytes packed;
  put_fixed64(packed, static_cast<uint64_t>(value.microseconds));
  put_fixed32(packed, static_cast<uint32_t>(value.seconds_west));
  return packed;
}

TimeTz unpack_timetz(ByteView packed) {
  PANDO_ASSERT(packed.size() == kTimeTzBytes, "a packed timetz of another size");
  TimeTz value;
  std::memcpy(&value.microseconds, packed.data(), sizeof(value.microseconds));
  std::memcpy(&value.seconds_west, packed.data() + sizeof(value.microseconds), sizeof(value.seconds_west));
  return value;
}

std::strong_ordering compare_timetz(TimeTz a, TimeTz b) {
  const int64_t utc_a = a.microseconds + a.seconds_west * kMicrosPerSecond;
  const int64_t utc_b = b.microseconds + b.seconds_west * kMicrosPerSecond;
  return utc_a != utc_b ? utc_a <=> utc_b : a.seconds_west <=> b.seconds_west;
}

int32_t days_in_month(int32_t year, int32_t month) { return kMonthDays[is_leap_year(year) ? 1 : 0][month - 1]; }

// Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms": years start in March, so leap days come last.
int32_t julian_of(int32_t year, int32_t month, int32_t day) {
  const int64_t shifted_year = int64_t{year} - (month <= 2 ? 1 : 0);
  const int64_t era = floor_divide(shifted_year, kYearsPerEra);
  const int64_t year_of_era = shifted_year - era * kYearsPerEra;
  const int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  const int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return static_cast<int32_t>(era * kDaysPerEra + day_of_era + kEraStartJulian);
}

void civil_of_julian(int32_t julian, int32_t& year, int32_t& month, int32_t& day) {
  const int64_t days = int64_t{julian} - kEraStartJulian;
  const int64_t era = floor_divide(days, kDaysPerEra);
  const int64_t day_of_era = days - era * kDaysPerEra;
  const int64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / (kDaysPerEra - 1)) / 365;
  const int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int64_t month_from_march = (5 * day_of_year + 2) / 153;
  day = static_cast<int32_t>(day_of_year - (153 * month_from_march + 2) / 5 + 1);
  month = static_cast<int32_t>(month_from_march < 10 ? month_from_march + 3 : month_from_march - 9);
  year = static_cast<int32_t>(year_of_era + era * kYearsPerEra + (month <= 2 ? 1 : 0));
}

bool is_valid_julian(int32_t year, int32_t month, int32_t /*day*/) {
  const bool after_start = year > kJulianYearMin || (year == kJulianYearMin && month >= 11);
  const bool before_end = year < kJulianYearEnd || (year == kJulianYearEnd && month < 6);
  return after_start && before_end;
}

int32_t day_of_week(int32_t julian) {
  const auto weekday = static_cast<int32_t>((int64_t{julian} + 1) % kDaysPerWeek);
  return weekday < 0 ? weekday + kDaysPerWeek : weekday;
}

int32_t iso_week(int32_t year, int32_t month, int32_t day) {
  const int32_t julian = julian_of(year, month, day);
  int32_t monday = first_iso_monday(year);
  if (julian < monday) {
    monday = first_iso_monday(year - 1);
  } else if (const int32_t next = first_iso_monday(year + 1); julian >= next) {
    monday = next;
  }
  return (julian - monday) / kDaysPerWeek + 1;
}

int32_t iso_year(int32_t year, int32_t month, int32_t day) {
  const int32_t julian = julian_of(year, month, day);
  if (julian < first_iso_monday(year)) {
    return year - 1;
  }
  return julian >= first_iso_monday(year + 1) ? year + 1 : year;
}

int32_t julian_of_iso_week(int32_t iso_year, int32_t week) {
  return first_iso_monday(iso_year) + (week - 1) * kDaysPerWeek;
}

void time_parts(int64_t microseconds, int32_t& hour, int32_t& minute, int32_t& second, int32_t& microsecond) {
  hour = static_cast<int32_t>(microseconds / kMicrosPerHour);
  microseconds -= hour * kMicrosPerHour;
  minute = static_cast<int32_t>(microseconds / kMicrosPerMinute);
  microseconds -= minute * kMicrosPerMinute;
  second = static_cast<int32_t>(microseconds / kMicrosPerSecond);
  microsecond = static_cast<int32_t>(microseconds - second * kMicrosPerSecond);
}

CivilTime civil_of_timestamp(int64_t timestamp) {
  const int64_t days = floor_divide(timestamp, kMicrosPerDay);
  CivilTime civil = civil_of_date(static_cast<int32_t>(days));
  time_parts(timestamp - days * kMicrosPerDay, civil.hour, civil.minute, civil.second, civil.microsecond);
  return civil;
}

CivilTime civil_of_date(int32_t date) {
  CivilTime civil;
  civil_of_julian(date + kPostgresEpochJulian, civil.year, civil.month, civil.day);
  return civil;
}

bool timestamp_of_civil(const CivilTime& civil, int64_t& timestamp) {
  if (!is_valid_julian(civil.year, civil.month, civil.day)) {
    return false;
  }
  const int64_t days = julian_of(civil.year, civil.month, civil.day) - kPostgresEpochJulian;
  const int64_t time = ((civil.hour * 60LL + civil.minute) * 60 + civil.second) * kMicrosPerSecond + civil.microsecond;
  int64_t midnight = 0;
  if (__builtin_mul_overflow(days, kMicrosPerDay, &midnight) || __builtin_add_overflow(midnight, time, &timestamp)) {
    return false;
  }
  return is_valid_timestamp(timestamp);
}

}  // namespace pando::types
