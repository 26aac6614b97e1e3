#pragma once

// How the text of dates, times and intervals is cut into fields, and the words they may contain. Internal to
// datetime_parse.cc and interval_parse.cc.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace pando::types {

enum class DateTimeError : uint8_t {
  kNone,
  kBadFormat,
  kFieldOverflow,
  kMonthDayOverflow,  // perhaps the date order is another
  kIntervalOverflow,
  kZoneOverflow,
  kUnknownZone,
};

// The Status of an error in `text`, as PostgreSQL words it.
Status datetime_status(DateTimeError error, std::string_view text, std::string_view type_name);

struct DateTimeToken {
  enum class Kind : uint8_t { kNumber, kDate, kTime, kZone, kWord, kSignedWord } kind;
  std::string text;  // lower case
};

inline constexpr std::size_t kDateTimeTokensMax = 25;
// Text longer than this is no date.
inline constexpr std::size_t kDateTimeTextMax = 128;

DateTimeError tokenize_datetime(std::string_view text, std::vector<DateTimeToken>& tokens);

// What a word is.
enum class WordKind : uint8_t {
  kSpecial,
  kMonth,
  kWeekday,
  kMeridiem,
  kEra,
  kUnit,
  kIsoTime,
  kDaylight,
  kIgnored,
  kAgo
};
enum class Special : uint8_t { kNow, kYesterday, kToday, kTomorrow, kAllBalls, kEpoch, kInfinity, kMinusInfinity };
enum class Unit : uint8_t {
  kNone,
  kMicrosecond,
  kMillisecond,
  kSecond,
  kMinute,
  kHour,
  kDay,
  kWeek,
  kMonth,
  kQuarter,
  kYear,
  kDecade,
  kCentury,
  kMillennium,
  kJulian,
  kTimeOfDay,  // after an ISO "T"
  kTimezone,
  kTimezoneHour,
  kTimezoneMinute,
  kDayOfWeek,
  kDayOfYear,
  kIsoDayOfWeek,
  kIsoYear,
  kEpoch,
};

struct Word {
  std::string_view text;
  WordKind kind;
  int32_t value;
};

// Words of dates and of intervals; nullptr when unknown. The first ten characters count.
const Word* find_date_word(std::string_view text);
const Word* find_interval_word(std::string_view text);
// The field of extract(), date_part() and date_trunc(): words of both tables; kNone when unknown.
Unit find_field(std::string_view lower_text);

// An integer at `position`; moves it past. False on overflow; no digits give 0 and move nothing.
bool take_integer(const char*& position, int32_t& value);
bool take_integer(const char*& position, int64_t& value);
// The fraction at `position`, which is at its '.': digits to the end of the text.
bool take_fraction(const char* position, double& fraction);

}  // namespace pando::types
