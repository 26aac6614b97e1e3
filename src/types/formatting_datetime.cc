// to_char() of timestamps and intervals.

#include "types/datetime.h"
#include "types/format_template.h"
#include "types/formatting.h"

namespace pando::types {
namespace {

constexpr std::string_view kMonths[] = {"January", "February", "March",     "April",   "May",      "June",
                                        "July",    "August",   "September", "October", "November", "December"};
constexpr std::string_view kDays[] = {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};
constexpr std::string_view kRomanMonths[] = {"I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII"};
constexpr std::size_t kNameWidth = 9;
constexpr std::size_t kRomanWidth = 4;

// What a template prints: a point in time or an interval taken apart.
struct Printed {
  int64_t year = 0;  // astronomical
  int32_t month = 0;
  int32_t day = 0;
  int64_t hour = 0;
  int32_t minute = 0;
  int32_t second = 0;
  int32_t microsecond = 0;
  int64_t day_of_year = 0;
  int32_t weekday = 0;
  bool interval = false;
  bool zoned = false;
  TimeZone::Offset offset;
};

Bytes cased(std::string_view name, LetterCase letters) {
  Bytes out(name);
  for (std::size_t i = 0; i < out.size(); ++i) {
    char& c = out[i];
    if (letters == LetterCase::kUpper && c >= 'a' && c <= 'z') {
      c = static_cast<char>(c - 32);
    } else if (letters == LetterCase::kLower && c >= 'A' && c <= 'Z') {
      c = static_cast<char>(c + 32);
    }
  }
  return out;
}

class Printer {
 public:
  Printer(const Printed& time, Bytes& out) : time_(time), out_(out) {}

  Status run(std::span<const FormatNode> nodes) {
    for (const FormatNode& node : nodes) {
      if (node.is_field()) {
        PANDO_TRY(field(node));
      } else {
        out_.append(node.text);
      }
    }
    return {};
  }

 private:
  // A zero-padded number, one wider when negative, and its ordinal ending.
  void number(const FormatNode& node, int64_t value, int width) {
    Bytes text =
        node.fill || width == 0 ? std::to_string(value) : fmt::format("{:0{}}", value, value >= 0 ? width : width + 1);
    if (node.ordinal) {
      text.append(ordinal_suffix(text, node.ordinal_lower));
    }
    out_.append(text);
  }

  void name(const FormatNode& node, std::string_view text, std::size_t width) {
    Bytes printed = cased(text, node.keyword->letters);
    if (!node.fill && !node.translate && printed.size() < width) {
      printed.append(width - printed.size(), ' ');
    }
    out_.append(printed);
  }

  static Status not_for_intervals() {
    return Status(sql_state::kInvalidDatetimeFormat, "invalid format specification for an interval value")
        .with_hint("Intervals are not tied to specific calendar dates.");
  }

  int64_t shown_year(int64_t year) const { return time_.interval || year > 0 ? year : -(year - 1); }
  int64_t iso_year_of() const {
    if (time_.interval) {
      return time_.year;
    }
    return iso_year(static_cast<int32_t>(time_.year), time_.month, time_.day);
  }
  int32_t julian() const { return julian_of(static_cast<int32_t>(time_.year), time_.month, time_.day); }

  static bool needs_date(DateField field) {
    switch (field) {
      case DateField::kEra:
      case DateField::kEraDotted:
      case DateField::kMonthName:
      case DateField::kMonthShort:
      case DateField::kDayName:
      case DateField::kDayShort:
      case DateField::kDayOfWeek:
      case DateField::kIsoDayOfWeek:
      case DateField::kZoneName:
      case DateField::kOffset:
      case DateField::kZoneHour:
      case DateField::kZoneMinute:
        return true;
      default:
        return false;
    }
  }

  Status field(const FormatNode& node) {
    const DateField field = node.date_field();
    if (time_.interval && needs_date(field)) {
      return not_for_intervals();
    }
    if (!clock_field(node, field) && !date_field(node, field) && !zone_field(node, field)) {
      year_field(node, field);
    }
    return {};
  }

  bool clock_field(const FormatNode& node, DateField field) {
    constexpr int64_t kPowers[] = {1000000, 100000, 10000, 1000, 100, 10, 1};
    const bool afternoon = time_.hour % 24 >= 12;
    switch (field) {
      case DateField::kAmDotted:
        out_.append(cased(afternoon ? "P.M." : "A.M.", node.keyword->letters));
        return true;
      case DateField::kAm:
        out_.append(cased(afternoon ? "PM" : "AM", node.keyword->letters));
        return true;
      case DateField::kHour12:
        number(node, time_.hour % 12 == 0 ? 12 : time_.hour % 12, 2);
        return true;
      case DateField::kHour24:
        number(node, time_.hour, 2);
        return true;
      case DateField::kMinute:
        number(node, time_.minute, 2);
        return true;
      case DateField::kSecond:
        number(node, time_.second, 2);
        return true;
      case DateField::kFraction:
        fraction(node, time_.microsecond / kPowers[node.keyword->digits], node.keyword->digits);
        return true;
      case DateField::kMillisecond:
        fraction(node, time_.microsecond / 1000, 3);
        return true;
      case DateField::kMicrosecond:
        fraction(node, time_.microsecond, 6);
        return true;
      case DateField::kSecondsOfDay:
        number(node, time_.hour * 3600 + time_.minute * 60 + time_.second, 0);
        return true;
      default:
        return false;
    }
  }

  // Digits after the point keep their zeros even with FM.
  void fraction(const FormatNode& node, int64_t value, int digits) {
    Bytes text = fmt::format("{:0{}}", value, digits);
    if (node.ordinal) {
      text.append(ordinal_suffix(text, node.ordinal_lower));
    }
    out_.append(text);
  }

  bool zone_field(const FormatNode& node, DateField field) {
    const int32_t east = time_.offset.seconds_east;
    const int32_t size = east < 0 ? -east : east;
    const char sign = east >= 0 ? '+' : '-';
    switch (field) {
      case DateField::kZoneName:
        if (time_.zoned) {
          out_.append(cased(time_.offset.abbreviation, node.keyword->letters));
        }
        return true;
      case DateField::kOffset:
        out_.append(node.fill ? fmt::format("{}{}", sign, size / 3600) : fmt::format("{}{:02}", sign, size / 3600));
        if (size % 3600 != 0) {
          out_.append(fmt::format(":{:02}", size % 3600 / 60));
        }
        return true;
      case DateField::kZoneHour:
        out_.append(fmt::format("{}{:02}", sign, size / 3600));
        return true;
      case DateField::kZoneMinute:
        out_.append(fmt::format("{:02}", size % 3600 / 60));
        return true;
      default:
        return false;
    }
  }

  bool date_field(const FormatNode& node, DateField field) {
    const auto year = static_cast<int32_t>(time_.year);
    switch (field) {
      case DateField::kEraDotted:
        out_.append(cased(time_.year <= 0 ? "B.C." : "A.D.", node.keyword->letters));
        return true;
      case DateField::kEra:
        out_.append(cased(time_.year <= 0 ? "BC" : "AD", node.keyword->letters));
        return true;
      case DateField::kMonthName:
        name(node, kMonths[time_.month - 1], kNameWidth);
        return true;
      case DateField::kMonthShort:
        name(node, kMonths[time_.month - 1].substr(0, 3), 0);
        return true;
      case DateField::kMonth:
        number(node, time_.month, 2);
        return true;
      case DateField::kRomanMonth:
        roman_month(node);
        return true;
      case DateField::kDayName:
        name(node, kDays[time_.weekday], kNameWidth);
        return true;
      case DateField::kDayShort:
        name(node, kDays[time_.weekday].substr(0, 3), 0);
        return true;
      case DateField::kDayOfYear:
        number(node, time_.day_of_year, 3);
        return true;
      case DateField::kIsoDayOfYear:
        number(node, julian() - julian_of_iso_week(iso_year(year, time_.month, time_.day), 1) + 1, 3);
        return true;
      case DateField::kDay:
        number(node, time_.day, 2);
        return true;
      case DateField::kDayOfWeek:
        number(node, time_.weekday + 1, 0);
        return true;
      case DateField::kIsoDayOfWeek:
        number(node, time_.weekday == 0 ? 7 : time_.weekday, 0);
        return true;
      case DateField::kWeek:
        number(node, (time_.day_of_year - 1) / 7 + 1, 2);
        return true;
      case DateField::kIsoWeek:
        number(node, iso_week(year, time_.month, time_.day), 2);
        return true;
      case DateField::kWeekOfMonth:
        number(node, (time_.day - 1) / 7 + 1, 0);
        return true;
      case DateField::kQuarter:
        if (time_.month != 0) {
          number(node, (time_.month - 1) / 3 + 1, 0);
        }
        return true;
      case DateField::kJulian:
        number(node, julian(), 0);
        return true;
      case DateField::kFixed:
        return true;
      default:
        return false;
    }
  }

  void roman_month(const FormatNode& node) {
    if (time_.month == 0 && time_.year == 0) {
      return;
    }
    // Intervals count months within a year, backwards when negative; whole years are the twelfth, or the first before
    // none.
    const int32_t month =
        time_.month > 0 ? time_.month - 1 : (time_.month == 0 ? (time_.year < 0 ? 0 : 11) : 12 + time_.month);
    name(node, kRomanMonths[month % 12], kRomanWidth);
  }

  void year_field(const FormatNode& node, DateField field) {
    const int64_t year = shown_year(time_.year);
    const bool iso = field == DateField::kIsoYear4 || field == DateField::kIsoYear3 || field == DateField::kIsoYear2 ||
                     field == DateField::kIsoYear1;
    const int64_t value = iso ? shown_year(iso_year_of()) : year;
    switch (field) {
      case DateField::kCentury: {
        int64_t century = time_.year / 100;
        if (!time_.interval) {
          century = time_.year > 0 ? (time_.year - 1) / 100 + 1 : time_.year / 100 - 1;
        }
        number(node, century, century <= 99 && century >= -99 ? 2 : 0);
        return;
      }
      case DateField::kYearComma: {
        Bytes text = fmt::format("{},{:03}", year / 1000, year % 1000);
        if (node.ordinal) {
          text.append(ordinal_suffix(text, node.ordinal_lower));
        }
        out_.append(text);
        return;
      }
      case DateField::kYear4:
      case DateField::kIsoYear4:
        return number(node, value, 4);
      case DateField::kYear3:
      case DateField::kIsoYear3:
        return number(node, value % 1000, 3);
      case DateField::kYear2:
      case DateField::kIsoYear2:
        return number(node, value % 100, 2);
      case DateField::kYear1:
      case DateField::kIsoYear1:
        return number(node, value % 10, 0);
      default:
        return;
    }
  }

  const Printed& time_;
  Bytes& out_;
};

Printed printed_of(int64_t local) {
  const CivilTime civil = civil_of_timestamp(local);
  Printed printed;
  printed.year = civil.year;
  printed.month = civil.month;
  printed.day = civil.day;
  printed.hour = civil.hour;
  printed.minute = civil.minute;
  printed.second = civil.second;
  printed.microsecond = civil.microsecond;
  const int32_t julian = julian_of(civil.year, civil.month, civil.day);
  printed.weekday = day_of_week(julian);
  printed.day_of_year = julian - julian_of(civil.year, 1, 1) + 1;
  return printed;
}

}  // namespace

Result<DateTimeFormat> DateTimeFormat::compile(ByteView text) {
  DateTimeFormat format;
  format.nodes_ = parse_date_template(text);
  return format;
}
DateTimeFormat::~DateTimeFormat() = default;
DateTimeFormat::DateTimeFormat(const DateTimeFormat&) = default;
DateTimeFormat& DateTimeFormat::operator=(const DateTimeFormat&) = default;
DateTimeFormat::DateTimeFormat(DateTimeFormat&&) noexcept = default;
DateTimeFormat& DateTimeFormat::operator=(DateTimeFormat&&) noexcept = default;

Result<std::optional<Bytes>> DateTimeFormat::print_timestamp(int64_t timestamp) const {
  if (!is_finite_timestamp(timestamp) || nodes_.empty()) {
    return std::optional<Bytes>();
  }
  Bytes out;
  PANDO_TRY(Printer(printed_of(timestamp), out).run(nodes_));
  return std::optional(std::move(out));
}

Result<std::optional<Bytes>> DateTimeFormat::print_timestamptz(int64_t timestamp, const TimeZone& zone) const {
  if (!is_finite_timestamp(timestamp) || nodes_.empty()) {
    return std::optional<Bytes>();
  }
  PANDO_ASSIGN(const int64_t local, timestamp_of_timestamptz(timestamp, zone));
  Printed printed = printed_of(local);
  const int64_t seconds =
      timestamp >= 0 ? timestamp / kMicrosPerSecond : -((-timestamp + kMicrosPerSecond - 1) / kMicrosPerSecond);
  printed.zoned = true;
  printed.offset = zone.offset_at(seconds + kUnixToPostgresSeconds);
  Bytes out;
  PANDO_TRY(Printer(printed, out).run(nodes_));
  return std::optional(std::move(out));
}

Result<Bytes> DateTimeFormat::print_interval(const Interval& interval) const {
  Printed printed;
  printed.interval = true;
  printed.year = interval.months / kMonthsPerYear;
  printed.month = interval.months % kMonthsPerYear;
  printed.day = interval.days;
  int64_t rest = interval.microseconds;
  printed.hour = rest / kMicrosPerHour;
  rest %= kMicrosPerHour;
  printed.minute = static_cast<int32_t>(rest / kMicrosPerMinute);
  rest %= kMicrosPerMinute;
  printed.second = static_cast<int32_t>(rest / kMicrosPerSecond);
  printed.microsecond = static_cast<int32_t>(rest % kMicrosPerSecond);
  printed.day_of_year = (printed.year * kMonthsPerYear + printed.month) * kDaysPerMonth + printed.day;
  Bytes out;
  PANDO_TRY(Printer(printed, out).run(nodes_));
  return out;
}

}  // namespace pando::types
