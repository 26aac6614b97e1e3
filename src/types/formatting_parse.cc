// to_date() and to_timestamp(): reads text by a template.

#include <algorithm>
#include <charconv>

#include "types/datetime.h"
#include "types/datetime_parse.h"
#include "types/datetime_tokens.h"
#include "types/formatting.h"
#include "types/utf8.h"

namespace pando::types {
namespace {

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_separator(char c) {
  return c > 0x20 && c < 0x7f && !is_digit(c) && !(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z');
}
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

constexpr std::string_view kMonths[] = {"january", "february", "march",     "april",   "may",      "june",
                                        "july",    "august",   "september", "october", "november", "december"};
constexpr std::string_view kShortMonths[] = {"jan", "feb", "mar", "apr", "may", "jun",
                                             "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::string_view kDays[] = {"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"};
constexpr std::string_view kShortDays[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
// From XII down, so that the longest match comes first.
constexpr std::string_view kRomanMonths[] = {"xii", "xi", "x", "ix", "viii", "vii", "vi", "v", "iv", "iii", "ii", "i"};
constexpr std::string_view kMeridiems[] = {"am", "pm"};
constexpr std::string_view kDottedMeridiems[] = {"a.m.", "p.m."};
constexpr std::string_view kEras[] = {"ad", "bc"};
constexpr std::string_view kDottedEras[] = {"a.d.", "b.c."};

// What the fields said; 0 is "not said", as in PostgreSQL.
struct Read {
  DateMode mode = DateMode::kNone;
  int32_t hour = 0, afternoon = 0, minute = 0, second = 0, seconds_of_day = 0, weekday = 0, day = 0, day_of_year = 0,
          month = 0, millisecond = 0, year = 0, before_christ = 0, week = 0, week_of_month = 0, century = 0, julian = 0,
          microsecond = 0, year_digits = 0, zone_sign = 0, zone_hour = 0, zone_minute = 0;
  // FF1 to FF6; kNoModifier for none.
  int32_t precision = kNoModifier;
  bool twelve_hours = false;
};

int32_t complete_year(int32_t year) {
  if (year < 70) {
    return year + 2000;
  }
  if (year < 100) {
    return year + 1900;
  }
  if (year < 520) {
    return year + 2000;
  }
  return year < 1000 ? year + 1000 : year;
}

class Reader {
 public:
  // `standard`: separators and text must match the template's, and nothing may be left over.
  Reader(std::span<const FormatNode> nodes, ByteView text, Read& read, bool standard = false)
      : nodes_(nodes), text_(text), read_(read), standard_(standard), fixed_(standard) {}

  Status run() {
    for (index_ = 0; index_ < nodes_.size() && !at_end(); ++index_) {
      const FormatNode& node = nodes_[index_];
      const bool is_fixed_mark = node.is_field() && node.date_field() == DateField::kFixed;
      if (!fixed_ && !is_fixed_mark && (node.is_field() || index_ == 0)) {
        skip_spaces();
      }
      if (!node.is_field()) {
        PANDO_TRY(standard_ ? match_text(node) : Status());
        skip_text(node);
        continue;
      }
      PANDO_TRY(set_mode(node.keyword->mode));
      PANDO_TRY(field(node));
      if (!fixed_) {
        extra_skipped_ = 0;
        skip_spaces();
      }
    }
    return standard_ ? check_end() : Status();
  }

 private:
  Status match_text(const FormatNode& node) const {
    if (text_.substr(at_).starts_with(node.text)) {
      return {};
    }
    return {sql_state::kInvalidDatetimeFormat, "unmatched format {} \"{}\"",
            node.kind == FormatNode::Kind::kText ? "character" : "separator", node.text};
  }
  Status check_end() {
    if (index_ < nodes_.size()) {
      return {sql_state::kInvalidDatetimeFormat, "input string is too short for datetime format"};
    }
    skip_spaces();
    return at_end() ? Status()
                    : Status(sql_state::kInvalidDatetimeFormat,
                             "trailing characters remain in input string after datetime format");
  }

  bool at_end() const { return at_ >= text_.size(); }
  char front() const { return at_end() ? '\0' : text_[at_]; }
  void skip_spaces() {
    while (!at_end() && is_space(text_[at_])) {
      ++at_;
      ++extra_skipped_;
    }
  }
  void skip_character() { at_ = std::min(at_ + (at_end() ? 1 : utf8_width(text_[at_])), text_.size()); }

  void skip_text(const FormatNode& node) {
    if (node.kind == FormatNode::Kind::kSpace || node.kind == FormatNode::Kind::kSeparator) {
      if (fixed_) {
        skip_character();
        return;
      }
      --extra_skipped_;
      if (is_space(front()) || is_separator(front())) {
        ++at_;
        ++extra_skipped_;
      }
      return;
    }
    if (!fixed_ && extra_skipped_ > 0) {
      --extra_skipped_;
      return;
    }
    skip_character();
  }

  Status set_mode(DateMode mode) {
    if (mode == DateMode::kNone) {
      return {};
    }
    if (read_.mode != DateMode::kNone && read_.mode != mode) {
      return Status(sql_state::kInvalidDatetimeFormat, "invalid combination of date conventions")
          .with_hint("Do not mix Gregorian and ISO week date conventions in a formatting template.");
    }
    read_.mode = mode;
    return {};
  }

  static Status set(int32_t& field, int32_t value, const FormatNode& node) {
    if (field != 0 && field != value) {
      return Status(sql_state::kInvalidDatetimeFormat, "conflicting values for \"{}\" field in formatting string",
                    node.keyword->text)
          .with_detail("This value contradicts a previous setting for the same field type.");
    }
    field = value;
    return {};
  }

  // Whether what follows the field in the template cannot be a digit, so that the number may have any width.
  bool is_delimited() const {
    if (nodes_[index_].ordinal || index_ + 1 >= nodes_.size()) {
      return true;
    }
    const FormatNode& next = nodes_[index_ + 1];
    return next.is_field() ? !next.keyword->is_digit : !is_digit(next.text[0]);
  }

  // A number of at most `width` digits, or any number where it is delimited.
  Status number(const FormatNode& node, std::size_t width, int32_t* field, std::size_t* used = nullptr) {
    const std::size_t start = at_;
    std::size_t begin = at_;
    while (begin < text_.size() && is_space(text_[begin])) {
      ++begin;
    }
    const bool delimited = node.fill || is_delimited();
    const ByteView available = text_.substr(begin, delimited ? ByteView::npos : width);
    if (!delimited && available.size() < width) {
      return Status(sql_state::kInvalidDatetimeFormat, "source string too short for \"{}\" formatting field",
                    node.keyword->text)
          .with_detail(fmt::format("Field requires {} characters, but only {} remain.", width, available.size()))
          .with_hint("If your source string is not fixed-width, try using the \"FM\" modifier.");
    }
    const char* const first = available.data() + (available.starts_with('+') ? 1 : 0);
    int64_t value = 0;
    const auto parsed = std::from_chars(first, available.data() + available.size(), value);
    const bool none = parsed.ec == std::errc::invalid_argument;
    const std::size_t taken = none ? 0 : static_cast<std::size_t>(parsed.ptr - available.data());
    if (!delimited && taken > 0 && taken < width) {
      return Status(sql_state::kInvalidDatetimeFormat, "invalid value \"{}\" for \"{}\"", available, node.keyword->text)
          .with_detail(fmt::format("Field requires {} characters, but only {} could be parsed.", width, taken))
          .with_hint("If your source string is not fixed-width, try using the \"FM\" modifier.");
    }
    if (none) {
      return Status(sql_state::kInvalidDatetimeFormat, "invalid value \"{}\" for \"{}\"", text_.substr(begin, width),
                    node.keyword->text)
          .with_detail("Value must be an integer.");
    }
    if (parsed.ec == std::errc::result_out_of_range || value < INT32_MIN || value > INT32_MAX) {
      return Status(sql_state::kDatetimeFieldOverflow, "value for \"{}\" in source string is out of range",
                    node.keyword->text)
          .with_detail(fmt::format("Value must be in the range {} to {}.", INT32_MIN, INT32_MAX));
    }
    at_ = begin + taken;
    if (used != nullptr) {
      *used = at_ - start;
    }
    if (node.ordinal) {
      at_ = std::min(at_ + 2, text_.size());
    }
    return field != nullptr ? set(*field, static_cast<int32_t>(value), node) : Status();
  }

  Status number(const FormatNode& node, int32_t* field, std::size_t* used = nullptr) {
    return number(node, node.keyword->text.size(), field, used);
  }

  // One of a list of words, without regard to case.
  Status word(const FormatNode& node, std::span<const std::string_view> words, int32_t& index) {
    for (std::size_t i = 0; i < words.size(); ++i) {
      const ByteView head = text_.substr(at_, words[i].size());
      if (std::ranges::equal(head, words[i], [](char a, char b) { return lower(a) == b; })) {
        index = static_cast<int32_t>(i);
        at_ += words[i].size();
        return {};
      }
    }
    const ByteView rest = text_.substr(at_);
    const auto end = std::ranges::find_if(rest, is_space) - rest.begin();
    return Status(sql_state::kInvalidDatetimeFormat, "invalid value \"{}\" for \"{}\"",
                  rest.substr(0, static_cast<std::size_t>(end)), node.keyword->text)
        .with_detail("The given value did not match any of the allowed values for this field.");
  }

  Status field(const FormatNode& node) {
    switch (node.date_field()) {
      case DateField::kAm:
      case DateField::kAmDotted:
      case DateField::kHour12:
      case DateField::kHour24:
      case DateField::kMinute:
      case DateField::kSecond:
      case DateField::kMillisecond:
      case DateField::kMicrosecond:
      case DateField::kFraction:
      case DateField::kSecondsOfDay:
        return clock_field(node);
      case DateField::kZoneName:
      case DateField::kOffset:
        return {sql_state::kFeatureNotSupported, "formatting field \"{}\" is only supported in to_char",
                node.keyword->text};
      case DateField::kZoneHour:
        zone_sign();
        return number(node, 2, &read_.zone_hour);
      case DateField::kZoneMinute:
        read_.zone_sign = read_.zone_sign == 0 ? 1 : read_.zone_sign;
        return number(node, 2, &read_.zone_minute);
      case DateField::kFixed:
        fixed_ = true;
        return {};
      case DateField::kYearComma:
      case DateField::kYear4:
      case DateField::kYear3:
      case DateField::kYear2:
      case DateField::kYear1:
      case DateField::kIsoYear4:
      case DateField::kIsoYear3:
      case DateField::kIsoYear2:
      case DateField::kIsoYear1:
        return year_field(node);
      default:
        return date_field(node);
    }
  }

  Status clock_field(const FormatNode& node) {
    constexpr int32_t kPowers[] = {1000000, 100000, 10000, 1000, 100, 10, 1};
    std::size_t used = 0;
    int32_t index = 0;
    switch (node.date_field()) {
      case DateField::kAm:
      case DateField::kAmDotted:
        PANDO_TRY(word(node, node.date_field() == DateField::kAm ? kMeridiems : kDottedMeridiems, index));
        read_.twelve_hours = true;
        return set(read_.afternoon, index, node);
      case DateField::kHour12:
        read_.twelve_hours = true;
        return number(node, 2, &read_.hour);
      case DateField::kHour24:
        return number(node, 2, &read_.hour);
      case DateField::kMinute:
        return number(node, 2, &read_.minute);
      case DateField::kSecond:
        return number(node, 2, &read_.second);
      case DateField::kMillisecond:
        PANDO_TRY(number(node, 3, &read_.millisecond, &used));
        read_.millisecond *= used == 1 ? 100 : (used == 2 ? 10 : 1);
        return {};
      case DateField::kMicrosecond:
      case DateField::kFraction:
        PANDO_TRY(number(node, node.date_field() == DateField::kFraction ? node.keyword->digits : 6U,
                         &read_.microsecond, &used));
        read_.microsecond *= used <= 6 ? kPowers[used] : 1;
        // Digits beyond those of FF1 to FF6 round the time.
        read_.precision = node.date_field() == DateField::kFraction ? node.keyword->digits : read_.precision;
        return {};
      default:
        return number(node, &read_.seconds_of_day);
    }
  }

  void zone_sign() {
    const char c = front();
    if (c == '+' || c == '-' || c == ' ') {
      read_.zone_sign = c == '-' ? -1 : 1;
      ++at_;
      return;
    }
    // The sign may have been taken for a separator.
    read_.zone_sign = extra_skipped_ > 0 && at_ > 0 && text_[at_ - 1] == '-' ? -1 : 1;
  }

  Status date_field(const FormatNode& node) {
    int32_t index = 0;
    switch (node.date_field()) {
      case DateField::kEra:
      case DateField::kEraDotted:
        PANDO_TRY(word(node, node.date_field() == DateField::kEra ? kEras : kDottedEras, index));
        return set(read_.before_christ, index, node);
      case DateField::kMonthName:
        PANDO_TRY(word(node, kMonths, index));
        return set(read_.month, index + 1, node);
      case DateField::kMonthShort:
        PANDO_TRY(word(node, kShortMonths, index));
        return set(read_.month, index + 1, node);
      case DateField::kRomanMonth:
        PANDO_TRY(word(node, kRomanMonths, index));
        return set(read_.month, kMonthsPerYear - index, node);
      case DateField::kMonth:
        return number(node, 2, &read_.month);
      case DateField::kDayName:
      case DateField::kDayShort:
        PANDO_TRY(node.date_field() == DateField::kDayName ? word(node, kDays, index) : word(node, kShortDays, index));
        PANDO_TRY(set(read_.weekday, index, node));
        ++read_.weekday;
        return {};
      case DateField::kDayOfYear:
        return number(node, &read_.day_of_year);
      case DateField::kIsoDayOfYear:
        return number(node, 3, &read_.day_of_year);
      case DateField::kDay:
        return number(node, 2, &read_.day);
      case DateField::kDayOfWeek:
        return number(node, &read_.weekday);
      case DateField::kIsoDayOfWeek:
        PANDO_TRY(number(node, 1, &read_.weekday));
        read_.weekday = read_.weekday + 1 > 7 ? 1 : read_.weekday + 1;
        return {};
      case DateField::kWeek:
      case DateField::kIsoWeek:
        return number(node, &read_.week);
      case DateField::kWeekOfMonth:
        return number(node, &read_.week_of_month);
      case DateField::kQuarter:
        // Which day of the quarter is unclear, so it is read and not used.
        return number(node, nullptr);
      case DateField::kCentury:
        return number(node, &read_.century);
      case DateField::kJulian:
        return number(node, &read_.julian);
      default:
        return {};
    }
  }

  Status year_field(const FormatNode& node) {
    std::size_t used = 0;
    if (node.date_field() == DateField::kYearComma) {
      return comma_year(node);
    }
    PANDO_TRY(number(node, &read_.year, &used));
    const auto wanted = static_cast<int32_t>(node.keyword->text.size());
    if (wanted < 4 && used < 4) {
      read_.year = complete_year(read_.year);
    }
    read_.year_digits = wanted;
    return {};
  }

  // Y,YYY
  Status comma_year(const FormatNode& node) {
    int32_t thousands = 0;
    int32_t years = 0;
    const char* const end = text_.data() + text_.size();
    const auto first = std::from_chars(text_.data() + at_, end, thousands);
    constexpr std::ptrdiff_t kGroupDigits = 3;
    if (first.ec == std::errc() && first.ptr < end && *first.ptr == ',') {
      const char* const limit = std::min(first.ptr + 1 + kGroupDigits, end);
      const auto second = std::from_chars(first.ptr + 1, limit, years);
      if (second.ec == std::errc()) {
        at_ = static_cast<std::size_t>(second.ptr - text_.data());
        read_.year_digits = 4;
        return set(read_.year, thousands * 1000 + years, node);
      }
    }
    return {sql_state::kInvalidDatetimeFormat, "invalid input string for \"Y,YYY\""};
  }

  std::span<const FormatNode> nodes_;
  ByteView text_;
  Read& read_;
  std::size_t index_ = 0;
  std::size_t at_ = 0;
  const bool standard_;
  bool fixed_;
  int32_t extra_skipped_ = 0;
};

// Puts the fields together.
class Assembler {
 public:
  Assembler(Read read, ByteView text) : read_(read), text_(text) {}

  Result<CivilTime> run() {
    PANDO_TRY(assemble_clock());
    assemble_year();
    assemble_day();
    PANDO_TRY(assemble_day_of_year());
    civil_.microsecond += read_.millisecond * 1000 + read_.microsecond;
    if ((has_month_ && (civil_.month < 1 || civil_.month > kMonthsPerYear)) ||
        (has_day_ && (civil_.day < 1 || civil_.day > 31)) ||
        (has_year_ && has_month_ && has_day_ && civil_.day > days_in_month(civil_.year, civil_.month))) {
      return overflow();
    }
    const bool clock = civil_.hour >= 0 && civil_.hour < 24 && civil_.minute >= 0 && civil_.minute < 60 &&
                       civil_.second >= 0 && civil_.second < 60 && civil_.microsecond >= 0 &&
                       civil_.microsecond < kMicrosPerSecond;
    if (!clock || (read_.zone_sign != 0 &&
                   (read_.zone_hour < 0 || read_.zone_hour > 15 || read_.zone_minute < 0 || read_.zone_minute >= 60))) {
      return overflow();
    }
    return civil_;
  }

 private:
  Status overflow() const { return datetime_status(DateTimeError::kFieldOverflow, text_, "timestamp"); }

  Status assemble_clock() {
    if (read_.seconds_of_day != 0) {
      civil_.hour = read_.seconds_of_day / kSecondsPerHour;
      civil_.minute = read_.seconds_of_day % kSecondsPerHour / 60;
      civil_.second = read_.seconds_of_day % 60;
    }
    civil_.second = read_.second != 0 ? read_.second : civil_.second;
    civil_.minute = read_.minute != 0 ? read_.minute : civil_.minute;
    civil_.hour = read_.hour != 0 ? read_.hour : civil_.hour;
    if (!read_.twelve_hours) {
      return {};
    }
    constexpr int32_t kNoon = 12;
    if (civil_.hour < 1 || civil_.hour > kNoon) {
      return Status(sql_state::kInvalidDatetimeFormat, "hour \"{}\" is invalid for the 12-hour clock", civil_.hour)
          .with_hint("Use the 24-hour clock, or give an hour between 1 and 12.");
    }
    if (read_.afternoon != 0 && civil_.hour < kNoon) {
      civil_.hour += kNoon;
    } else if (read_.afternoon == 0 && civil_.hour == kNoon) {
      civil_.hour = 0;
    }
    return {};
  }

  void assemble_year() {
    civil_.month = 1;
    civil_.day = 1;
    int32_t century = read_.before_christ != 0 ? -read_.century : read_.century;
    if (read_.year != 0) {
      has_year_ = true;
      if (century != 0 && read_.year_digits <= 2) {
        civil_.year = read_.year % 100;
        if (civil_.year != 0) {
          civil_.year = century >= 0 ? civil_.year + (century - 1) * 100 : (century + 1) * 100 - civil_.year + 1;
        } else {
          civil_.year = century * 100 + (century >= 0 ? 0 : 1);
        }
        return;
      }
      civil_.year = read_.before_christ != 0 ? -read_.year : read_.year;
      civil_.year += civil_.year < 0 ? 1 : 0;
    } else if (century != 0) {
      has_year_ = true;
      civil_.year = century >= 0 ? (century - 1) * 100 + 1 : century * 100 + 1;
    }
  }

  void assemble_day() {
    if (read_.julian != 0) {
      civil_of_julian(read_.julian, civil_.year, civil_.month, civil_.day);
      has_year_ = has_month_ = has_day_ = true;
    }
    if (read_.week != 0) {
      if (read_.mode == DateMode::kIsoWeek) {
        // Days count from Sunday = 1 here, ISO weeks from Monday.
        const int32_t offset = read_.weekday == 0 ? 0 : (read_.weekday == 1 ? 6 : read_.weekday - 2);
        civil_of_julian(julian_of_iso_week(civil_.year, read_.week) + offset, civil_.year, civil_.month, civil_.day);
        has_year_ = has_month_ = has_day_ = true;
      } else {
        read_.day_of_year = (read_.week - 1) * 7 + 1;
      }
    }
    if (read_.week_of_month != 0) {
      read_.day = (read_.week_of_month - 1) * 7 + 1;
    }
    if (read_.day != 0) {
      civil_.day = read_.day;
      has_day_ = true;
    }
    if (read_.month != 0) {
      civil_.month = read_.month;
      has_month_ = true;
    }
  }

  Status assemble_day_of_year() {
    if (read_.day_of_year == 0 || (civil_.month > 1 && civil_.day > 1)) {
      return {};
    }
    if (civil_.year == 0 && read_.before_christ == 0) {
      return {sql_state::kInvalidDatetimeFormat, "cannot calculate day of year without year information"};
    }
    if (read_.mode == DateMode::kIsoWeek) {
      civil_of_julian(julian_of_iso_week(civil_.year, 1) - 1 + read_.day_of_year, civil_.year, civil_.month,
                      civil_.day);
      has_year_ = has_month_ = has_day_ = true;
      return {};
    }
    int32_t month = 1;
    int32_t before = 0;
    while (month <= kMonthsPerYear && read_.day_of_year > before + days_in_month(civil_.year, month)) {
      before += days_in_month(civil_.year, month);
      ++month;
    }
    civil_.month = civil_.month <= 1 ? month : civil_.month;
    civil_.day = civil_.day <= 1 ? read_.day_of_year - before : civil_.day;
    has_month_ = has_day_ = true;
    return {};
  }

  Read read_;
  ByteView text_;
  CivilTime civil_;
  bool has_year_ = false;
  bool has_month_ = false;
  bool has_day_ = false;
};

Result<int32_t> date_of(const CivilTime& civil, ByteView text) {
  const Status overflow(sql_state::kDatetimeFieldOverflow, "date out of range: \"{}\"", text);
  if (!is_valid_julian(civil.year, civil.month, civil.day)) {
    return overflow;
  }
  const int32_t date = julian_of(civil.year, civil.month, civil.day) - kPostgresEpochJulian;
  return is_valid_date(date) ? Result<int32_t>(date) : overflow;
}

}  // namespace

Result<int32_t> DateTimeFormat::parse_date(ByteView text, const Settings&) const {
  Read read;
  PANDO_TRY(Reader(nodes_, text, read).run());
  PANDO_ASSIGN(const CivilTime civil, Assembler(read, text).run());
  return date_of(civil, text);
}

Result<int64_t> DateTimeFormat::parse_timestamptz(ByteView text, const Settings& settings) const {
  Read read;
  PANDO_TRY(Reader(nodes_, text, read).run());
  PANDO_ASSIGN(const CivilTime civil, Assembler(read, text).run());
  const int32_t seconds_west = read.zone_sign != 0
                                   ? -read.zone_sign * (read.zone_hour * kSecondsPerHour + read.zone_minute * 60)
                                   : -zone_offset_at(*settings.time_zone, civil);
  int64_t timestamp = 0;
  if (!timestamp_of_civil(civil, timestamp) || !is_valid_timestamp(timestamp + seconds_west * kMicrosPerSecond)) {
    return Status(sql_state::kDatetimeFieldOverflow, "timestamp out of range");
  }
  timestamp += seconds_west * kMicrosPerSecond;
  return read.precision == kNoModifier ? Result<int64_t>(timestamp) : round_timestamp(timestamp, read.precision);
}

namespace {

// What a template's fields are about: the type of what it reads.
struct FieldKinds {
  bool dated = false;
  bool timed = false;
  bool zoned = false;
};

FieldKinds kinds_of(std::span<const FormatNode> nodes) {
  FieldKinds kinds;
  for (const FormatNode& node : nodes) {
    if (!node.is_field()) {
      continue;
    }
    switch (node.date_field()) {
      case DateField::kFixed:
        break;
      case DateField::kAm:
      case DateField::kAmDotted:
      case DateField::kHour12:
      case DateField::kHour24:
      case DateField::kMinute:
      case DateField::kSecond:
      case DateField::kMillisecond:
      case DateField::kMicrosecond:
      case DateField::kFraction:
      case DateField::kSecondsOfDay:
        kinds.timed = true;
        break;
      case DateField::kZoneName:
      case DateField::kOffset:
      case DateField::kZoneHour:
      case DateField::kZoneMinute:
        kinds.zoned = true;
        break;
      default:
        kinds.dated = true;
    }
  }
  return kinds;
}

Result<Oid> type_of(FieldKinds kinds) {
  if (!kinds.dated && !kinds.timed) {
    return Status(sql_state::kInvalidDatetimeFormat, "datetime format is not dated and not timed");
  }
  if (!kinds.timed) {
    return kinds.zoned
               ? Result<Oid>(Status(sql_state::kInvalidDatetimeFormat, "datetime format is zoned but not timed"))
               : Result<Oid>(oid::kDate);
  }
  return kinds.dated ? (kinds.zoned ? oid::kTimestamptz : oid::kTimestamp) : (kinds.zoned ? oid::kTimetz : oid::kTime);
}

}  // namespace

Result<DateTimeFormat> DateTimeFormat::compile_standard(ByteView text) {
  PANDO_ASSIGN(DateTimeFormat format, compile(text));
  for (const FormatNode& node : format.nodes_) {
    const bool allowed = node.is_field() || node.quoted || ByteView("-./,':; ").contains(node.text);
    if (!allowed) {
      return Status(sql_state::kInvalidDatetimeFormat, "invalid datetime format separator: \"{}\"", node.text);
    }
  }
  return format;
}

Result<DateTimeFormat::Parsed> DateTimeFormat::parse_standard(ByteView text) const {
  Read read;
  PANDO_TRY(Reader(nodes_, text, read, true).run());
  PANDO_ASSIGN(const CivilTime civil, Assembler(read, text).run());
  Parsed parsed;
  PANDO_ASSIGN(parsed.type, type_of(kinds_of(nodes_)));
  parsed.seconds_west = -read.zone_sign * (read.zone_hour * kSecondsPerHour + read.zone_minute * 60);
  if (parsed.type == oid::kDate) {
    PANDO_ASSIGN(parsed.value, date_of(civil, text));
    return parsed;
  }
  if (parsed.type == oid::kTime || parsed.type == oid::kTimetz) {
    parsed.value = civil.hour * kMicrosPerHour + civil.minute * kMicrosPerMinute + civil.second * kMicrosPerSecond +
                   civil.microsecond;
    return parsed;
  }
  const int64_t west = parsed.type == oid::kTimestamptz ? parsed.seconds_west * kMicrosPerSecond : 0;
  if (!timestamp_of_civil(civil, parsed.value) || !is_valid_timestamp(parsed.value + west)) {
    return Status(sql_state::kDatetimeFieldOverflow, "timestamp out of range");
  }
  parsed.value += west;
  return parsed;
}

}  // namespace pando::types
