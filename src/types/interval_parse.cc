// Text of intervals: '1 year 2 days', '1-2 3 04:05:06', 'P1Y2DT3H', with fields limited by a modifier.

#include <charconv>
#include <cmath>
#include <cstring>

#include "types/calendar.h"
#include "types/datetime_tokens.h"
#include "types/interval.h"

namespace pando::types {
namespace {

using Error = DateTimeError;
using Kind = DateTimeToken::Kind;

constexpr int32_t kDaysPerWeek = 7;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// An interval while its fields are added up; every step checks for overflow.
struct Sum {
  int64_t microseconds = 0;
  int32_t days = 0;
  int32_t months = 0;
  int32_t years = 0;

  bool add_micros(int64_t value, double fraction, int64_t unit) {
    int64_t product = 0;
    return !__builtin_mul_overflow(value, unit, &product) &&
           !__builtin_add_overflow(microseconds, product, &microseconds) && add_fraction_of_micros(fraction, unit);
  }
  bool add_fraction_of_micros(double fraction, int64_t unit) {
    if (fraction == 0) {
      return true;
    }
    fraction *= static_cast<double>(unit);
    auto whole = static_cast<int64_t>(fraction);
    fraction -= static_cast<double>(whole);
    whole += fraction > 0.5 ? 1 : (fraction < -0.5 ? -1 : 0);
    return !__builtin_add_overflow(microseconds, whole, &microseconds);
  }
  bool add_days(int64_t value, int32_t unit) { return add_scaled(days, value, unit); }
  bool add_fraction_of_days(double fraction, int32_t unit) {
    if (fraction == 0) {
      return true;
    }
    fraction *= unit;
    const auto whole = static_cast<int32_t>(fraction);
    return !__builtin_add_overflow(days, whole, &days) && add_fraction_of_micros(fraction - whole, kMicrosPerDay);
  }
  bool add_months(int64_t value) { return add_scaled(months, value, 1); }
  bool add_years(int64_t value, int32_t unit) { return add_scaled(years, value, unit); }
  bool add_fraction_of_years(double fraction, int32_t unit) {
    const auto whole = static_cast<int32_t>(std::rint(fraction * unit * kMonthsPerYear));
    return !__builtin_add_overflow(months, whole, &months);
  }
  bool negate() {
    return !__builtin_sub_overflow(int64_t{0}, microseconds, &microseconds) &&
           !__builtin_sub_overflow(0, days, &days) && !__builtin_sub_overflow(0, months, &months) &&
           !__builtin_sub_overflow(0, years, &years);
  }

 private:
  static bool add_scaled(int32_t& field, int64_t value, int32_t unit) {
    if (value < INT32_MIN || value > INT32_MAX) {
      return false;
    }
    int32_t product = 0;
    return !__builtin_mul_overflow(static_cast<int32_t>(value), unit, &product) &&
           !__builtin_add_overflow(field, product, &field);
  }
};

// The unit of a number without one, by the fields of INTERVAL '1' DAY TO HOUR.
Unit default_unit(int32_t range) {
  using namespace interval_mask;
  if ((range & kSecond) != 0 || range == kIntervalFullRange) {
    return Unit::kSecond;
  }
  if ((range & kMinute) != 0) {
    return Unit::kMinute;
  }
  if ((range & kHour) != 0) {
    return Unit::kHour;
  }
  if ((range & kDay) != 0) {
    return Unit::kDay;
  }
  if ((range & kMonth) != 0) {
    return Unit::kMonth;
  }
  return (range & kYear) != 0 ? Unit::kYear : Unit::kSecond;
}

class Decoder {
 public:
  Decoder(int32_t range, bool sql_standard, Sum& sum) : range_(range), sql_standard_(sql_standard), sum_(sum) {}

  // Units follow their numbers, so the fields are read from the last to the first.
  Error run(const std::vector<DateTimeToken>& tokens) {
    force_negative_ = sql_standard_ && only_first_is_signed(tokens);
    for (std::size_t i = tokens.size(); i-- > 0;) {
      uint32_t mask = 0;
      if (const Error error = take(tokens[i], mask); error != Error::kNone) {
        return error;
      }
      if ((mask & seen_) != 0) {
        return Error::kBadFormat;
      }
      seen_ |= mask;
    }
    if (seen_ == 0) {
      return Error::kBadFormat;
    }
    return before_ && !sum_.negate() ? Error::kFieldOverflow : Error::kNone;
  }

 private:
  static uint32_t bit(Unit unit) { return 1U << static_cast<uint32_t>(unit); }
  static uint32_t seconds_bits() { return bit(Unit::kSecond) | bit(Unit::kMillisecond) | bit(Unit::kMicrosecond); }
  static uint32_t time_bits() { return seconds_bits() | bit(Unit::kMinute) | bit(Unit::kHour); }

  // '-1 2:03' of SQL is negative throughout unless another sign says otherwise.
  static bool only_first_is_signed(const std::vector<DateTimeToken>& tokens) {
    if (tokens.empty() || tokens[0].text[0] != '-') {
      return false;
    }
    for (std::size_t i = 1; i < tokens.size(); ++i) {
      if (tokens[i].text[0] == '-' || tokens[i].text[0] == '+') {
        return false;
      }
    }
    return true;
  }

  Error take(const DateTimeToken& token, uint32_t& mask) {
    switch (token.kind) {
      case Kind::kTime:
        return take_clock(token.text.c_str(), force_negative_, mask);
      case Kind::kZone: {
        const char* const digits = token.text.c_str() + 1;
        if (token.text.find(':') != std::string::npos) {
          const Sum before = sum_;
          if (take_clock(digits, token.text[0] == '-' || force_negative_, mask) == Error::kNone) {
            return Error::kNone;
          }
          sum_ = before;
        }
        return take_number(token.text, mask);
      }
      case Kind::kNumber:
      case Kind::kDate:
        return take_number(token.text, mask);
      case Kind::kWord:
      case Kind::kSignedWord:
        return take_word(token.text);
    }
    return Error::kBadFormat;
  }

  Error take_word(const std::string& text) {
    const Word* word = find_interval_word(text);
    if (word == nullptr) {
      const Word* date_word = find_date_word(text);
      const bool ignored = date_word != nullptr && date_word->kind == WordKind::kIgnored;
      return ignored ? Error::kNone : Error::kBadFormat;
    }
    if (word->kind == WordKind::kAgo) {
      before_ = true;
      unit_ = Unit::kTimezone;  // a number right before "ago" has no unit
      return Error::kNone;
    }
    unit_ = static_cast<Unit>(word->value);
    return Error::kNone;
  }

  // [hours:]minutes[:seconds[.fraction]]
  Error take_clock(const char* position, bool negative, uint32_t& mask) {
    int64_t hours = 0;
    int32_t minutes = 0;
    int32_t seconds = 0;
    double fraction = 0;
    if (!take_integer(position, hours)) {
      return Error::kFieldOverflow;
    }
    if (*position++ != ':') {
      return Error::kBadFormat;
    }
    if (!take_integer(position, minutes)) {
      return Error::kFieldOverflow;
    }
    const bool minute_to_second = range_ == (interval_mask::kMinute | interval_mask::kSecond);
    if (*position == '.' || (*position == '\0' && minute_to_second)) {
      if (*position == '.' && !take_fraction(position, fraction)) {
        return Error::kBadFormat;
      }
      if (hours > INT32_MAX || hours < INT32_MIN) {
        return Error::kFieldOverflow;
      }
      seconds = minutes;
      minutes = static_cast<int32_t>(hours);
      hours = 0;
    } else if (*position == ':') {
      ++position;
      if (!take_integer(position, seconds)) {
        return Error::kFieldOverflow;
      }
    }
    if (*position == '.' ? !take_fraction(position, fraction) : *position != '\0') {
      return Error::kBadFormat;
    }
    const double micros = std::rint(fraction * kMicrosPerSecond);
    if (hours < 0 || minutes < 0 || minutes > 59 || seconds < 0 || seconds > 60) {
      return Error::kFieldOverflow;
    }
    int64_t total = 0;
    const int64_t rest = (minutes * 60LL + seconds) * kMicrosPerSecond + static_cast<int64_t>(micros);
    if (__builtin_mul_overflow(hours, kMicrosPerHour, &total) || __builtin_add_overflow(total, rest, &total) ||
        __builtin_add_overflow(sum_.microseconds, negative ? -total : total, &sum_.microseconds)) {
      return Error::kFieldOverflow;
    }
    mask = time_bits();
    unit_ = Unit::kDay;
    return Error::kNone;
  }

  Error take_number(const std::string& text, uint32_t& mask) {
    if (unit_ == Unit::kNone) {
      unit_ = default_unit(range_);
    }
    const char* position = text.c_str();
    int64_t value = 0;
    double fraction = 0;
    if (!take_integer(position, value)) {
      return Error::kFieldOverflow;
    }
    const bool negative = text[0] == '-';
    if (*position == '-') {
      // "years-months"
      ++position;
      int32_t months = 0;
      if (!take_integer(position, months) || months < 0 || months >= kMonthsPerYear) {
        return Error::kFieldOverflow;
      }
      if (*position != '\0') {
        return Error::kBadFormat;
      }
      unit_ = Unit::kMonth;
      if (__builtin_mul_overflow(value, kMonthsPerYear, &value) ||
          __builtin_add_overflow(value, negative ? -months : months, &value)) {
        return Error::kFieldOverflow;
      }
    } else if (*position == '.') {
      if (!take_fraction(position, fraction)) {
        return Error::kBadFormat;
      }
      fraction = negative ? -fraction : fraction;
    } else if (*position != '\0') {
      return Error::kBadFormat;
    }
    if (force_negative_) {
      value = value > 0 ? -value : value;
      fraction = fraction > 0 ? -fraction : fraction;
    }
    return add(value, fraction, mask);
  }

  Error add(int64_t value, double fraction, uint32_t& mask) {
    mask = bit(unit_);
    bool fits = true;
    switch (unit_) {
      case Unit::kMicrosecond:
        fits = sum_.add_micros(value, fraction, 1);
        break;
      case Unit::kMillisecond:
        fits = sum_.add_micros(value, fraction, 1000);
        break;
      case Unit::kSecond:
        fits = sum_.add_micros(value, fraction, kMicrosPerSecond);
        mask = fraction == 0 ? mask : seconds_bits();
        break;
      case Unit::kMinute:
        fits = sum_.add_micros(value, fraction, kMicrosPerMinute);
        break;
      case Unit::kHour:
        fits = sum_.add_micros(value, fraction, kMicrosPerHour);
        unit_ = Unit::kDay;
        break;
      case Unit::kDay:
        fits = sum_.add_days(value, 1) && sum_.add_fraction_of_micros(fraction, kMicrosPerDay);
        break;
      case Unit::kWeek:
        fits = sum_.add_days(value, kDaysPerWeek) && sum_.add_fraction_of_days(fraction, kDaysPerWeek);
        break;
      case Unit::kMonth:
        fits = sum_.add_months(value) && sum_.add_fraction_of_days(fraction, kDaysPerMonth);
        break;
      case Unit::kYear:
        fits = add_years(value, fraction, 1);
        break;
      case Unit::kDecade:
        fits = add_years(value, fraction, 10);
        break;
      case Unit::kCentury:
        fits = add_years(value, fraction, 100);
        break;
      case Unit::kMillennium:
        fits = add_years(value, fraction, 1000);
        break;
      default:
        return Error::kBadFormat;
    }
    return fits ? Error::kNone : Error::kFieldOverflow;
  }

  bool add_years(int64_t value, double fraction, int32_t unit) {
    return sum_.add_years(value, unit) && sum_.add_fraction_of_years(fraction, unit);
  }

  const int32_t range_;
  const bool sql_standard_;
  Sum& sum_;
  bool force_negative_ = false;
  bool before_ = false;
  Unit unit_ = Unit::kNone;
  uint32_t seen_ = 0;
};

// ISO 8601 durations, with designators (P1Y2DT3H) or without (P0001-02-03T04:05:06, P00010203T040506).
class Iso8601Decoder {
 public:
  Iso8601Decoder(const char* text, Sum& sum) : position_(text), sum_(sum) {}

  Error run() {
    if (*position_ != 'P' || position_[1] == '\0') {
      return Error::kBadFormat;
    }
    ++position_;
    while (*position_ != '\0') {
      if (*position_ == 'T') {
        start_time();
        ++position_;
        continue;
      }
      bool done = false;
      if (const Error error = date_part_ ? take_date_field(done) : take_time_field(done);
          error != Error::kNone || done) {
        return error;
      }
    }
    return Error::kNone;
  }

 private:
  void start_time() {
    date_part_ = false;
    has_field_ = false;
  }

  // Reads a number, with an exponent perhaps; `width` is how many digits its integer part has. Its fraction has what a
  // double leaves of it, as in PostgreSQL.
  Error number(std::size_t* width = nullptr) {
    // Below it a double has every integer.
    constexpr double kMagnitudeMax = 1e15;
    const char* const start = position_;
    if (!is_digit(*start) && *start != '-' && *start != '.') {
      return Error::kBadFormat;
    }
    double value = 0;
    const auto parsed = std::from_chars(start, start + std::strlen(start), value);
    if (parsed.ec != std::errc()) {
      return Error::kBadFormat;
    }
    if (!(std::abs(value) <= kMagnitudeMax)) {
      return Error::kFieldOverflow;
    }
    if (width != nullptr) {
      const char* const digits = *start == '-' ? start + 1 : start;
      const char* end = digits;
      while (is_digit(*end)) {
        ++end;
      }
      *width = static_cast<std::size_t>(end - digits);
    }
    value_ = static_cast<int64_t>(value);
    fraction_ = value - static_cast<double>(value_);
    position_ = parsed.ptr;
    return Error::kNone;
  }

  static Error checked(bool fits) { return fits ? Error::kNone : Error::kFieldOverflow; }
  bool years() { return sum_.add_years(value_, 1) && sum_.add_fraction_of_years(fraction_, 1); }
  bool months() { return sum_.add_months(value_) && sum_.add_fraction_of_days(fraction_, kDaysPerMonth); }
  bool days() { return sum_.add_days(value_, 1) && sum_.add_fraction_of_micros(fraction_, kMicrosPerDay); }

  Error take_date_field(bool& done) {
    std::size_t width = 0;
    if (const Error error = number(&width); error != Error::kNone) {
      return error;
    }
    const char unit = *position_;
    position_ += unit != '\0' ? 1 : 0;
    done = unit == '\0';
    Error error = Error::kNone;
    switch (unit) {
      case 'Y':
        error = checked(years());
        break;
      case 'M':
        error = checked(months());
        break;
      case 'W':
        error = checked(sum_.add_days(value_, kDaysPerWeek) && sum_.add_fraction_of_days(fraction_, kDaysPerWeek));
        break;
      case 'D':
        error = checked(days());
        break;
      case 'T':
      case '\0':
        if (width == 8 && !has_field_) {
          const bool fits = sum_.add_years(value_ / 10000, 1) && sum_.add_months(value_ / 100 % 100) &&
                            sum_.add_days(value_ % 100, 1) && sum_.add_fraction_of_micros(fraction_, kMicrosPerDay);
          if (unit == 'T') {
            start_time();
          }
          return checked(fits);
        }
        return take_extended_date(unit, done);
      case '-':
        return take_extended_date(unit, done);
      default:
        return Error::kBadFormat;
    }
    has_field_ = true;
    return error;
  }

  // years-months-days, of which the years were read.
  Error take_extended_date(char unit, bool& done) {
    if (has_field_) {
      return Error::kBadFormat;
    }
    if (!years()) {
      return Error::kFieldOverflow;
    }
    for (const bool is_month : {true, false}) {
      done = unit == '\0';
      if (done) {
        return Error::kNone;
      }
      if (unit == 'T') {
        start_time();
        return Error::kNone;
      }
      if (unit != '-') {
        return Error::kBadFormat;
      }
      if (const Error error = number(); error != Error::kNone) {
        return error;
      }
      if (!(is_month ? months() : days())) {
        return Error::kFieldOverflow;
      }
      unit = *position_;
      position_ += unit != '\0' ? 1 : 0;
    }
    done = unit == '\0';
    if (unit == 'T') {
      start_time();
      return Error::kNone;
    }
    return done ? Error::kNone : Error::kBadFormat;
  }

  Error take_time_field(bool& done) {
    std::size_t width = 0;
    if (const Error error = number(&width); error != Error::kNone) {
      return error;
    }
    const char unit = *position_;
    position_ += unit != '\0' ? 1 : 0;
    switch (unit) {
      case 'H':
        has_field_ = true;
        return checked(sum_.add_micros(value_, fraction_, kMicrosPerHour));
      case 'M':
        has_field_ = true;
        return checked(sum_.add_micros(value_, fraction_, kMicrosPerMinute));
      case 'S':
        has_field_ = true;
        return checked(sum_.add_micros(value_, fraction_, kMicrosPerSecond));
      case '\0':
        done = true;
        if (width == 6 && !has_field_) {
          return checked(sum_.add_micros(value_ / 10000, 0, kMicrosPerHour) &&
                         sum_.add_micros(value_ / 100 % 100, 0, kMicrosPerMinute) &&
                         sum_.add_micros(value_ % 100, fraction_, kMicrosPerSecond));
        }
        return take_extended_time(unit);
      case ':':
        done = true;
        return take_extended_time(unit);
      default:
        return Error::kBadFormat;
    }
  }

  // hours:minutes:seconds, of which the hours were read; always the end of the text.
  Error take_extended_time(char unit) {
    if (has_field_) {
      return Error::kBadFormat;
    }
    for (const int64_t micros : {kMicrosPerHour, kMicrosPerMinute, kMicrosPerSecond}) {
      if (!sum_.add_micros(value_, fraction_, micros)) {
        return Error::kFieldOverflow;
      }
      if (unit == '\0') {
        return Error::kNone;
      }
      if (unit != ':' || micros == kMicrosPerSecond) {
        return Error::kBadFormat;
      }
      if (const Error error = number(); error != Error::kNone) {
        return error;
      }
      unit = *position_;
      position_ += unit != '\0' ? 1 : 0;
    }
    return Error::kBadFormat;
  }

  const char* position_;
  Sum& sum_;
  bool date_part_ = true;
  bool has_field_ = false;
  int64_t value_ = 0;
  double fraction_ = 0;
};

}  // namespace

Result<Interval> parse_interval(ByteView text, int32_t modifier, const Settings& settings) {
  const int32_t range = modifier < 0 ? kIntervalFullRange : (modifier >> 16) & kIntervalFullRange;
  Sum sum;
  std::vector<DateTimeToken> tokens;
  DateTimeError error = tokenize_datetime(text, tokens);
  if (error == Error::kNone) {
    error = Decoder(range, settings.interval_style == IntervalStyle::kSqlStandard, sum).run(tokens);
  }
  if (error == Error::kBadFormat) {
    sum = {};
    const std::string copy(text);
    error = Iso8601Decoder(copy.c_str(), sum).run();
  }
  if (error != Error::kNone) {
    error = error == Error::kFieldOverflow ? Error::kIntervalOverflow : error;
    return datetime_status(error, text, "interval");
  }
  Interval interval{sum.microseconds, sum.days, 0};
  if (__builtin_mul_overflow(sum.years, kMonthsPerYear, &interval.months) ||
      __builtin_add_overflow(interval.months, sum.months, &interval.months)) {
    return Status(sql_state::kDatetimeFieldOverflow, "interval out of range");
  }
  return apply_interval_modifier(interval, modifier);
}

}  // namespace pando::types
