#pragma once

// The proleptic Gregorian calendar and the ranges of the date and time types, as PostgreSQL has them.
//
//   date         int32_t days since 2000-01-01; INT32_MIN and INT32_MAX are -infinity and infinity
//   time         int64_t microseconds since midnight, 24:00:00 included
//   timestamp    int64_t microseconds since 2000-01-01 (timestamptz: UTC); INT64_MIN/MAX are -infinity and infinity
//   timetz       TimeTz; packed as 12 bytes in kBytes vectors
// Pure; any thread.

#include <compare>
#include <cstdint>

#include "base/bytes.h"
#include "types/type.h"

namespace pando::types {

inline constexpr int64_t kMicrosPerSecond = 1'000'000;
inline constexpr int64_t kMicrosPerMinute = 60 * kMicrosPerSecond;
inline constexpr int64_t kMicrosPerHour = 60 * kMicrosPerMinute;
inline constexpr int64_t kMicrosPerDay = 24 * kMicrosPerHour;
inline constexpr int32_t kSecondsPerHour = 3600;
inline constexpr int32_t kSecondsPerDay = 86400;
inline constexpr int32_t kMonthsPerYear = 12;
inline constexpr int32_t kDaysPerMonth = 30;  // what intervals assume
inline constexpr double kDaysPerYear = 365.25;

// Julian day numbers of 2000-01-01 and 1970-01-01.
inline constexpr int32_t kPostgresEpochJulian = 2451545;
inline constexpr int32_t kUnixEpochJulian = 2440588;
inline constexpr int64_t kUnixToPostgresSeconds = int64_t{kPostgresEpochJulian - kUnixEpochJulian} * kSecondsPerDay;

// What a clock says, nanoseconds since 1970-01-01 UTC, as a timestamp: microseconds since 2000-01-01.
constexpr int64_t timestamp_of_unix_ns(uint64_t unix_ns) {
  return static_cast<int64_t>(unix_ns / 1000) - kUnixToPostgresSeconds * kMicrosPerSecond;
}

inline constexpr int32_t kDateInfinity = INT32_MAX;
inline constexpr int32_t kDateMinusInfinity = INT32_MIN;
inline constexpr int64_t kTimestampInfinity = INT64_MAX;
inline constexpr int64_t kTimestampMinusInfinity = INT64_MIN;
// 4713-11-24 BC and 294277-01-01, exclusive.
inline constexpr int64_t kTimestampMin = -211813488000000000;
inline constexpr int64_t kTimestampEnd = 9223371331200000000;
inline constexpr int32_t kDateMin = -kPostgresEpochJulian;
inline constexpr int32_t kDateEnd = 2147483494 - kPostgresEpochJulian;

constexpr bool is_finite_date(int32_t date) { return date != kDateInfinity && date != kDateMinusInfinity; }
constexpr bool is_finite_timestamp(int64_t timestamp) {
  return timestamp != kTimestampInfinity && timestamp != kTimestampMinusInfinity;
}
constexpr bool is_valid_date(int32_t date) { return date >= kDateMin && date < kDateEnd; }
constexpr bool is_valid_timestamp(int64_t timestamp) { return timestamp >= kTimestampMin && timestamp < kTimestampEnd; }

struct TimeTz {
  int64_t microseconds = 0;
  int32_t seconds_west = 0;  // of Greenwich: PostgreSQL's sign
  // Representation equality; order is by the instant, then the zone.
  friend bool operator==(const TimeTz&, const TimeTz&) = default;
};
inline constexpr std::size_t kTimeTzBytes = 12;
Bytes pack_timetz(TimeTz value);
// REQUIRES: `packed` has kTimeTzBytes.
TimeTz unpack_timetz(ByteView packed);
std::strong_ordering compare_timetz(TimeTz a, TimeTz b);

// A point of the local calendar, taken apart. `year` is astronomical: 0 is 1 BC.
struct CivilTime {
  int32_t year = 0;
  int32_t month = 0;  // 1..12
  int32_t day = 0;    // 1..31
  int32_t hour = 0;
  int32_t minute = 0;
  int32_t second = 0;
  int32_t microsecond = 0;
};

constexpr bool is_leap_year(int64_t year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }
int32_t days_in_month(int32_t year, int32_t month);
// Julian day number of a date; months and days outside their range carry over.
int32_t julian_of(int32_t year, int32_t month, int32_t day);
void civil_of_julian(int32_t julian, int32_t& year, int32_t& month, int32_t& day);
// Whether the date has a Julian day at all: 4714-11-24 BC to 5874898-06-03.
bool is_valid_julian(int32_t year, int32_t month, int32_t day);
// 0 is Sunday.
int32_t day_of_week(int32_t julian);
int32_t iso_week(int32_t year, int32_t month, int32_t day);
int32_t iso_year(int32_t year, int32_t month, int32_t day);
// Julian day of the Monday of an ISO week.
int32_t julian_of_iso_week(int32_t iso_year, int32_t week);

// REQUIRES: finite.
CivilTime civil_of_timestamp(int64_t timestamp);
CivilTime civil_of_date(int32_t date);
// False when outside the range of timestamp.
bool timestamp_of_civil(const CivilTime& civil, int64_t& timestamp);
void time_parts(int64_t microseconds, int32_t& hour, int32_t& minute, int32_t& second, int32_t& microsecond);

}  // namespace pando::types
