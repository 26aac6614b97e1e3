// What dates and times need of zones and clocks: offsets, validity, the present.

#include "types/datetime_parse.h"

namespace pando::types {
namespace {

using Error = DateTimeError;

constexpr int32_t kZoneHoursMax = 15;

}  // namespace

DateTimeError decode_zone_offset(const char* text, int32_t& seconds_west) {
  if (*text != '+' && *text != '-') {
    return Error::kBadFormat;
  }
  const char* position = text + 1;
  const char* const digits = position;
  int32_t hours = 0;
  int32_t minutes = 0;
  int32_t seconds = 0;
  if (*position == '-' || !take_integer(position, hours)) {
    return *position == '-' ? Error::kBadFormat : Error::kZoneOverflow;
  }
  if (*position == ':') {
    ++position;
    if (!take_integer(position, minutes)) {
      return Error::kZoneOverflow;
    }
    if (*position == ':') {
      ++position;
      if (!take_integer(position, seconds)) {
        return Error::kZoneOverflow;
      }
    }
  } else if (*position == '\0' && position - digits > 2) {
    minutes = hours % 100;
    hours /= 100;
  }
  const bool in_range =
      hours >= 0 && hours <= kZoneHoursMax && minutes >= 0 && minutes < 60 && seconds >= 0 && seconds < 60;
  if (!in_range) {
    return Error::kZoneOverflow;
  }
  const int32_t total = (hours * 60 + minutes) * 60 + seconds;
  seconds_west = *text == '-' ? total : -total;
  return *position == '\0' ? Error::kNone : Error::kBadFormat;
}

bool is_valid_time(int32_t hour, int32_t minute, int32_t second, int32_t microsecond) {
  if (hour < 0 || hour > 24 || minute < 0 || minute > 59 || second < 0 || second > 60 || microsecond < 0 ||
      microsecond > kMicrosPerSecond) {
    return false;
  }
  return ((hour * 60LL + minute) * 60 + second) * kMicrosPerSecond + microsecond <= kMicrosPerDay;
}

int64_t local_unix_seconds(const CivilTime& civil) {
  const int64_t days = int64_t{julian_of(civil.year, civil.month, civil.day)} - kUnixEpochJulian;
  return ((days * 24 + civil.hour) * 60 + civil.minute) * 60 + civil.second;
}

int32_t zone_offset_at(const TimeZone& zone, const CivilTime& civil) {
  if (!is_valid_julian(civil.year, civil.month, civil.day)) {
    return 0;
  }
  return zone.offset_of_local(local_unix_seconds(civil)).seconds_east;
}

CivilTime current_civil(const Settings& settings) {
  const int64_t seconds = settings.now_us >= 0 ? settings.now_us / kMicrosPerSecond
                                               : -((-settings.now_us + kMicrosPerSecond - 1) / kMicrosPerSecond);
  const int32_t east = settings.time_zone->offset_at(seconds + kUnixToPostgresSeconds).seconds_east;
  return civil_of_timestamp(settings.now_us + east * kMicrosPerSecond);
}

}  // namespace pando::types
