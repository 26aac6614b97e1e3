#pragma once

// Templates of to_char() and its kin, cut into fields and text. Internal to formatting_*.cc.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace pando::types {

enum class DateField : uint8_t {
  kAmDotted,
  kAm,
  kEraDotted,
  kEra,
  kCentury,
  kDayName,
  kDayOfYear,
  kDay,
  kDayShort,
  kDayOfWeek,
  kFraction,
  kFixed,
  kHour24,
  kHour12,
  kIsoDayOfYear,
  kIsoDayOfWeek,
  kIsoWeek,
  kIsoYear4,
  kIsoYear3,
  kIsoYear2,
  kIsoYear1,
  kJulian,
  kMinute,
  kMonth,
  kMonthName,
  kMonthShort,
  kMillisecond,
  kOffset,
  kQuarter,
  kRomanMonth,
  kSecondsOfDay,
  kSecond,
  kZoneHour,
  kZoneMinute,
  kZoneName,
  kMicrosecond,
  kWeek,
  kWeekOfMonth,
  kYearComma,
  kYear4,
  kYear3,
  kYear2,
  kYear1,
};

enum class NumberField : uint8_t {
  kComma,
  kPoint,
  kZero,
  kNine,
  kBlank,
  kCurrencyName,
  kLocalePoint,
  kExponent,
  kFill,
  kGroup,
  kCurrency,
  kMinus,
  kPlus,
  kBracket,
  kRoman,
  kSign,
  kSpell,
  kLocaleSign,
  kOrdinal,
  kShift,
};

// How a name is written, by the case of its keyword.
enum class LetterCase : uint8_t { kUpper, kCapital, kLower };
// Which calendar a field belongs to; the two cannot be mixed on input.
enum class DateMode : uint8_t { kNone, kGregorian, kIsoWeek };

struct FormatKeyword {
  std::string_view text;
  uint8_t field;  // DateField or NumberField
  bool is_digit = false;
  DateMode mode = DateMode::kNone;
  LetterCase letters = LetterCase::kUpper;
  uint8_t digits = 0;  // of kFraction
};

struct FormatNode {
  enum class Kind : uint8_t { kField, kText, kSeparator, kSpace } kind = Kind::kText;
  const FormatKeyword* keyword = nullptr;
  bool fill = false;           // FM
  bool translate = false;      // TM
  bool ordinal = false;        // TH or th
  bool ordinal_lower = false;  // th
  bool quoted = false;         // text that stood in quotes
  Bytes text;                  // one character

  DateField date_field() const { return static_cast<DateField>(keyword->field); }
  NumberField number_field() const { return static_cast<NumberField>(keyword->field); }
  bool is_field() const { return kind == Kind::kField; }
};

std::vector<FormatNode> parse_date_template(ByteView text);
std::vector<FormatNode> parse_number_template(ByteView text);

// "st", "nd", "rd" or "th" after the last digits of `number`.
std::string_view ordinal_suffix(ByteView number, bool lower);

}  // namespace pando::types
