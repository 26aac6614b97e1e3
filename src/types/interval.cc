#include "types/interval.h"

#include <cmath>
#include <cstdlib>

#include "types/calendar.h"
#include "types/compare.h"

namespace pando::types {
namespace {

constexpr int32_t kPrecisionMax = 6;
constexpr int64_t kPowers[] = {1000000, 100000, 10000, 1000, 100, 10, 1};

Status overflow() { return {sql_state::kDatetimeFieldOverflow, "interval out of range"}; }

// An interval's fields as they print. All have the sign of their part.
struct Parts {
  int64_t year, month, day, hour, minute, second, microsecond;
};

Parts parts_of(const Interval& interval) {
  int64_t rest = interval.microseconds;
  Parts parts{};
  parts.year = interval.months / kMonthsPerYear;
  parts.month = interval.months % kMonthsPerYear;
  parts.day = interval.days;
  parts.hour = rest / kMicrosPerHour;
  rest %= kMicrosPerHour;
  parts.minute = rest / kMicrosPerMinute;
  rest %= kMicrosPerMinute;
  parts.second = rest / kMicrosPerSecond;
  parts.microsecond = rest % kMicrosPerSecond;
  return parts;
}

uint64_t size_of(int64_t value) { return value < 0 ? uint64_t{0} - static_cast<uint64_t>(value) : uint64_t(value); }

void put_number(int64_t value, Bytes& out) { out.append(std::to_string(value)); }

// Seconds without sign; `two_digits` pads to "05".
void put_seconds(const Parts& parts, bool two_digits, Bytes& out) {
  const uint64_t seconds = size_of(parts.second);
  if (two_digits) {
    out.append(fmt::format("{:02}", seconds));
  } else {
    out.append(fmt::format("{}", seconds));
  }
  if (parts.microsecond != 0) {
    out.append(fmt::format(".{:06}", size_of(parts.microsecond)));
    out.resize(out.find_last_not_of('0') + 1);
  }
}

void put_clock(const Parts& parts, bool pad_hour, Bytes& out) {
  if (pad_hour) {
    out.append(fmt::format("{:02}:{:02}:", size_of(parts.hour), size_of(parts.minute)));
  } else {
    out.append(fmt::format("{}:{:02}:", size_of(parts.hour), size_of(parts.minute)));
  }
  put_seconds(parts, true, out);
}

bool has_clock(const Parts& parts) {
  return parts.hour != 0 || parts.minute != 0 || parts.second != 0 || parts.microsecond != 0;
}

bool has_negative_clock(const Parts& parts) {
  return parts.hour < 0 || parts.minute < 0 || parts.second < 0 || parts.microsecond < 0;
}

// 1 year 2 mons -3 days +04:05:06
void print_postgres(const Parts& parts, Bytes& out) {
  bool empty = true;
  bool negative_before = false;
  const auto put = [&](int64_t value, std::string_view unit) {
    if (value == 0) {
      return;
    }
    out.append(empty ? "" : " ");
    out.append(negative_before && value > 0 ? "+" : "");
    put_number(value, out);
    out.push_back(' ');
    out.append(unit);
    out.append(value != 1 ? "s" : "");
    negative_before = value < 0;
    empty = false;
  };
  put(parts.year, "year");
  put(parts.month, "mon");
  put(parts.day, "day");
  if (empty || has_clock(parts)) {
    out.append(empty ? "" : " ");
    out.append(has_negative_clock(parts) ? "-" : (negative_before ? "+" : ""));
    put_clock(parts, true, out);
  }
}

// @ 1 year 2 mons 3 days 4 hours 5 mins 6 secs ago
void print_verbose(const Parts& parts, Bytes& out) {
  bool empty = true;
  bool ago = false;
  out.push_back('@');
  const auto put = [&](int64_t value, std::string_view unit) {
    if (value == 0) {
      return;
    }
    if (empty) {
      ago = value < 0;
      value = std::abs(value);
    } else if (ago) {
      value = -value;
    }
    out.push_back(' ');
    put_number(value, out);
    out.push_back(' ');
    out.append(unit);
    out.append(value != 1 ? "s" : "");
    empty = false;
  };
  put(parts.year, "year");
  put(parts.month, "mon");
  put(parts.day, "day");
  put(parts.hour, "hour");
  put(parts.minute, "min");
  if (parts.second != 0 || parts.microsecond != 0) {
    out.push_back(' ');
    if (parts.second < 0 || parts.microsecond < 0) {
      if (empty) {
        ago = true;
      } else if (!ago) {
        out.push_back('-');
      }
    } else if (ago) {
      out.push_back('-');
    }
    put_seconds(parts, false, out);
    out.append(std::abs(parts.second) != 1 || parts.microsecond != 0 ? " secs" : " sec");
    empty = false;
  }
  out.append(empty ? " 0" : "");
  out.append(ago ? " ago" : "");
}

// P1Y2M3DT4H5M6S
void print_iso8601(const Parts& parts, Bytes& out) {
  const auto put = [&out](int64_t value, char unit) {
    if (value != 0) {
      put_number(value, out);
      out.push_back(unit);
    }
  };
  if (parts.year == 0 && parts.month == 0 && parts.day == 0 && !has_clock(parts)) {
    out.append("PT0S");
    return;
  }
  out.push_back('P');
  put(parts.year, 'Y');
  put(parts.month, 'M');
  put(parts.day, 'D');
  if (!has_clock(parts)) {
    return;
  }
  out.push_back('T');
  put(parts.hour, 'H');
  put(parts.minute, 'M');
  if (parts.second != 0 || parts.microsecond != 0) {
    out.append(parts.second < 0 || parts.microsecond < 0 ? "-" : "");
    put_seconds(parts, false, out);
    out.push_back('S');
  }
}

// 1-2, 3 4:05:06, or +1-2 -3 +4:05:06 when signs or kinds are mixed
void print_sql_standard(const Parts& parts, Bytes& out) {
  const bool negative_date = parts.year < 0 || parts.month < 0;
  const bool has_year_month = parts.year != 0 || parts.month != 0;
  const bool has_day_time = parts.day != 0 || has_clock(parts);
  const bool has_negative = negative_date || parts.day < 0 || has_negative_clock(parts);
  const bool has_positive = parts.year > 0 || parts.month > 0 || parts.day > 0 || parts.hour > 0 || parts.minute > 0 ||
                            parts.second > 0 || parts.microsecond > 0;
  const bool standard = !(has_negative && has_positive) && !(has_year_month && has_day_time);
  if (!has_negative && !has_positive) {
    out.push_back('0');
    return;
  }
  if (!standard) {
    out.append(fmt::format("{}{}-{} {}{} {}", negative_date ? '-' : '+', size_of(parts.year), size_of(parts.month),
                           parts.day < 0 ? '-' : '+', size_of(parts.day), has_negative_clock(parts) ? '-' : '+'));
    put_clock(parts, false, out);
    return;
  }
  out.append(has_negative ? "-" : "");
  if (has_year_month) {
    out.append(fmt::format("{}-{}", size_of(parts.year), size_of(parts.month)));
    return;
  }
  if (parts.day != 0) {
    out.append(fmt::format("{} ", size_of(parts.day)));
  }
  put_clock(parts, false, out);
}

bool to_int32(double value, int32_t& out) {
  if (std::isnan(value) || value >= 2147483648.0 || value < -2147483648.0) {
    return false;
  }
  out = static_cast<int32_t>(value);
  return true;
}

double round_to_micros(double value) { return std::rint(value * 1000000.0) / 1000000.0; }

// Scales each part; what months and days leave cascades down.
Result<Interval> scale(double months, double days, double microseconds) {
  Interval result;
  if (!to_int32(months, result.months) || !to_int32(days, result.days)) {
    return overflow();
  }
  const double month_days = round_to_micros((months - result.months) * kDaysPerMonth);
  double seconds =
      round_to_micros((days - result.days + month_days - static_cast<int32_t>(month_days)) * kSecondsPerDay);
  if (std::fabs(seconds) >= kSecondsPerDay) {
    const auto carry = static_cast<int32_t>(seconds / kSecondsPerDay);
    if (__builtin_add_overflow(result.days, carry, &result.days)) {
      return overflow();
    }
    seconds -= static_cast<double>(carry) * kSecondsPerDay;
  }
  if (__builtin_add_overflow(result.days, static_cast<int32_t>(month_days), &result.days)) {
    return overflow();
  }
  const double total = std::rint(microseconds + seconds * kMicrosPerSecond);
  if (std::isnan(total) || total >= 9223372036854775808.0 || total < -9223372036854775808.0) {
    return overflow();
  }
  result.microseconds = static_cast<int64_t>(total);
  return result;
}

// Moves whole `unit`s from `small` up; false on overflow.
template <typename T>
bool carry(T& small, T unit, int32_t& large) {
  const auto whole = static_cast<int64_t>(small / unit);
  small -= static_cast<T>(whole * unit);
  return !__builtin_add_overflow(large, whole, &large);
}

// Gives both parts the same sign.
template <typename T>
void align_signs(T& small, T unit, int32_t& large) {
  if (large > 0 && small < 0) {
    small += unit;
    --large;
  } else if (large < 0 && small > 0) {
    small -= unit;
    ++large;
  }
}

}  // namespace

void print_interval(const Interval& interval, const Settings& settings, Bytes& out) {
  const Parts parts = parts_of(interval);
  switch (settings.interval_style) {
    case IntervalStyle::kPostgres:
      return print_postgres(parts, out);
    case IntervalStyle::kPostgresVerbose:
      return print_verbose(parts, out);
    case IntervalStyle::kSqlStandard:
      return print_sql_standard(parts, out);
    case IntervalStyle::kIso8601:
      return print_iso8601(parts, out);
  }
}

Result<Interval> apply_interval_modifier(Interval interval, int32_t modifier) {
  using namespace interval_mask;
  if (modifier < 0) {
    return interval;
  }
  const int32_t range = (modifier >> 16) & kIntervalFullRange;
  const int32_t precision = modifier & kIntervalFullPrecision;
  if (range != kIntervalFullRange) {
    if ((range & (kDay | kHour | kMinute | kSecond)) == 0) {
      interval.microseconds = 0;
      interval.days = 0;
      if (range == kYear) {
        interval.months = interval.months / kMonthsPerYear * kMonthsPerYear;
      }
    } else if (range == kDay) {
      interval.microseconds = 0;
    } else if ((range & (kMinute | kSecond)) == 0) {
      interval.microseconds = interval.microseconds / kMicrosPerHour * kMicrosPerHour;
    } else if ((range & kSecond) == 0) {
      interval.microseconds = interval.microseconds / kMicrosPerMinute * kMicrosPerMinute;
    }
  }
  if (precision < kPrecisionMax) {
    const int64_t step = kPowers[precision];
    const int64_t half = interval.microseconds >= 0 ? step / 2 : -(step / 2);
    if (__builtin_add_overflow(interval.microseconds, half, &interval.microseconds)) {
      return overflow();
    }
    interval.microseconds -= interval.microseconds % step;
  }
  return interval;
}

__int128 interval_length(const Interval& interval) {
  const __int128 days = static_cast<__int128>(interval.months) * kDaysPerMonth + interval.days;
  return days * kMicrosPerDay + interval.microseconds;
}

std::strong_ordering compare_intervals(const Interval& a, const Interval& b) {
  return interval_length(a) <=> interval_length(b);
}

uint64_t hash_interval(const Interval& interval) {
  const __int128 length = interval_length(interval);
  return mix_hash(static_cast<uint64_t>(length) ^ (static_cast<uint64_t>(length >> 64) * 0x9e3779b97f4a7c15));
}

Result<Interval> interval_plus(const Interval& a, const Interval& b) {
  Interval sum;
  if (__builtin_add_overflow(a.months, b.months, &sum.months) || __builtin_add_overflow(a.days, b.days, &sum.days) ||
      __builtin_add_overflow(a.microseconds, b.microseconds, &sum.microseconds)) {
    return overflow();
  }
  return sum;
}

Result<Interval> interval_minus(const Interval& a, const Interval& b) {
  Interval difference;
  if (__builtin_sub_overflow(a.months, b.months, &difference.months) ||
      __builtin_sub_overflow(a.days, b.days, &difference.days) ||
      __builtin_sub_overflow(a.microseconds, b.microseconds, &difference.microseconds)) {
    return overflow();
  }
  return difference;
}

Result<Interval> interval_negate(const Interval& interval) { return interval_minus({}, interval); }

Result<Interval> interval_multiply(const Interval& interval, double factor) {
  return scale(interval.months * factor, interval.days * factor, static_cast<double>(interval.microseconds) * factor);
}

Result<Interval> interval_divide(const Interval& interval, double divisor) {
  if (divisor == 0) {
    return Status(sql_state::kDivisionByZero, "division by zero");
  }
  return scale(interval.months / divisor, interval.days / divisor,
               static_cast<double>(interval.microseconds) / divisor);
}

Result<Interval> justify_hours(const Interval& interval) {
  Interval result = interval;
  if (!carry(result.microseconds, kMicrosPerDay, result.days)) {
    return overflow();
  }
  align_signs(result.microseconds, kMicrosPerDay, result.days);
  return result;
}

Result<Interval> justify_days(const Interval& interval) {
  Interval result = interval;
  if (!carry(result.days, kDaysPerMonth, result.months)) {
    return overflow();
  }
  align_signs(result.days, kDaysPerMonth, result.months);
  return result;
}

Result<Interval> justify_interval(const Interval& interval) {
  Interval result = interval;
  // Carrying days first keeps them in range when both parts push the same way.
  const bool same_sign = (result.days > 0 && result.microseconds > 0) || (result.days < 0 && result.microseconds < 0);
  if (same_sign && !carry(result.days, kDaysPerMonth, result.months)) {
    return overflow();
  }
  if (!carry(result.microseconds, kMicrosPerDay, result.days) || !carry(result.days, kDaysPerMonth, result.months)) {
    return overflow();
  }
  if (result.months > 0 && (result.days < 0 || (result.days == 0 && result.microseconds < 0))) {
    result.days += kDaysPerMonth;
    --result.months;
  } else if (result.months < 0 && (result.days > 0 || (result.days == 0 && result.microseconds > 0))) {
    result.days -= kDaysPerMonth;
    ++result.months;
  }
  align_signs(result.microseconds, kMicrosPerDay, result.days);
  return result;
}

Result<Interval> make_interval(int32_t years, int32_t months, int32_t weeks, int32_t days, int32_t hours,
                               int32_t minutes, double seconds) {
  Interval result;
  const double micros = std::rint(seconds * kMicrosPerSecond);
  if (std::isnan(micros) || std::fabs(micros) >= 9223372036854775808.0) {
    return overflow();
  }
  if (__builtin_mul_overflow(years, kMonthsPerYear, &result.months) ||
      __builtin_add_overflow(result.months, months, &result.months) || __builtin_mul_overflow(weeks, 7, &result.days) ||
      __builtin_add_overflow(result.days, days, &result.days)) {
    return overflow();
  }
  const int64_t clock = hours * kMicrosPerHour + minutes * kMicrosPerMinute;
  if (__builtin_add_overflow(clock, static_cast<int64_t>(micros), &result.microseconds)) {
    return overflow();
  }
  return result;
}

}  // namespace pando::types
