#pragma once

// Decodes the fields of a date, time or timestamp, in any order PostgreSQL accepts. Internal to datetime*.cc.

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "types/calendar.h"
#include "types/datetime_tokens.h"
#include "types/settings.h"

namespace pando::types {

struct DecodedDateTime {
  CivilTime civil;
  // Set when the text is a word such as 'infinity' or 'epoch', and civil means nothing.
  std::optional<Special> special;
  int32_t seconds_west = 0;
  // For kUnknownZone.
  std::string unknown_zone;
};

enum class DecodeMode : uint8_t { kDateTime, kTimeOnly };

// `zone` of the session applies when the text names none.
DateTimeError decode_datetime(std::string_view text, DecodeMode mode, const Settings& settings,
                              DecodedDateTime& decoded);

// The civil time at `settings.now_us` in the session's zone.
CivilTime current_civil(const Settings& settings);
// Seconds east that `zone` has at a local time, and east of an abbreviation in its own zone.
int32_t zone_offset_at(const TimeZone& zone, const CivilTime& civil);
// Seconds of a civil time read as UTC, since 1970.
int64_t local_unix_seconds(const CivilTime& civil);
// Whether the parts are within 24:00:00.
bool is_valid_time(int32_t hour, int32_t minute, int32_t second, int32_t microsecond);
// "+05:30" to seconds west.
DateTimeError decode_zone_offset(const char* text, int32_t& seconds_west);

}  // namespace pando::types
