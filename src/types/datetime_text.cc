// Text forms of date, time, timetz, timestamp and timestamptz.

#include <cmath>
#include <cstring>

#include "types/datetime.h"
#include "types/datetime_parse.h"

namespace pando::types {
namespace {

constexpr std::string_view kMonthNames[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::string_view kDayNames[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::size_t kZoneNameMax = 10;

void put_two(int32_t value, Bytes& out) {
  out.push_back(static_cast<char>('0' + value / 10));
  out.push_back(static_cast<char>('0' + value % 10));
}

// At least four digits; `year` is positive.
void put_year(int32_t year, Bytes& out) {
  if (year < 10000) {
    put_two(year / 100, out);
    put_two(year % 100, out);
    return;
  }
  out.append(std::to_string(year));
}

int32_t printed_year(int32_t year) { return year > 0 ? year : 1 - year; }

void put_clock(int32_t hour, int32_t minute, int32_t second, int32_t microsecond, Bytes& out) {
  put_two(hour, out);
  out.push_back(':');
  put_two(minute, out);
  out.push_back(':');
  put_two(second, out);
  if (microsecond == 0) {
    return;
  }
  char digits[7] = {'.'};
  for (int i = 6; i > 0; --i) {
    digits[i] = static_cast<char>('0' + microsecond % 10);
    microsecond /= 10;
  }
  std::size_t size = sizeof(digits);
  while (digits[size - 1] == '0') {
    --size;
  }
  out.append(digits, size);
}

// Month and day in DateStyle's order with a separator.
void put_month_day(const CivilTime& civil, const Settings& settings, char separator, Bytes& out) {
  const bool day_first = settings.date_order == DateOrder::kDmy;
  put_two(day_first ? civil.day : civil.month, out);
  out.push_back(separator);
  put_two(day_first ? civil.month : civil.day, out);
}

void put_civil_date(const CivilTime& civil, const Settings& settings, Bytes& out) {
  switch (settings.date_style) {
    case DateStyle::kIso:
      put_year(printed_year(civil.year), out);
      out.push_back('-');
      put_two(civil.month, out);
      out.push_back('-');
      put_two(civil.day, out);
      return;
    case DateStyle::kSql:
      put_month_day(civil, settings, '/', out);
      out.push_back('/');
      break;
    case DateStyle::kGerman:
      put_two(civil.day, out);
      out.push_back('.');
      put_two(civil.month, out);
      out.push_back('.');
      break;
    case DateStyle::kPostgres:
      put_month_day(civil, settings, '-', out);
      out.push_back('-');
      break;
  }
  put_year(printed_year(civil.year), out);
}

// "Wed Dec 17 07:37:16 1997"
void put_postgres_style(const CivilTime& civil, const Settings& settings, Bytes& out) {
  const int32_t weekday = day_of_week(julian_of(civil.year, civil.month, civil.day));
  out.append(kDayNames[weekday]);
  out.push_back(' ');
  if (settings.date_order == DateOrder::kDmy) {
    put_two(civil.day, out);
    out.push_back(' ');
    out.append(kMonthNames[civil.month - 1]);
  } else {
    out.append(kMonthNames[civil.month - 1]);
    out.push_back(' ');
    put_two(civil.day, out);
  }
  out.push_back(' ');
  put_clock(civil.hour, civil.minute, civil.second, civil.microsecond, out);
  out.push_back(' ');
  put_year(printed_year(civil.year), out);
}

void put_civil_time(const CivilTime& civil, const Settings& settings, Bytes& out) {
  if (settings.date_style == DateStyle::kPostgres) {
    put_postgres_style(civil, settings, out);
    return;
  }
  put_civil_date(civil, settings, out);
  out.push_back(' ');
  put_clock(civil.hour, civil.minute, civil.second, civil.microsecond, out);
}

void put_era(const CivilTime& civil, Bytes& out) {
  if (civil.year <= 0) {
    out.append(" BC");
  }
}

void put_infinity(bool negative, Bytes& out) { out.append(negative ? "-infinity" : "infinity"); }

bool two_digits(const char* text, int32_t& value) {
  const unsigned high = static_cast<unsigned char>(text[0]) - '0';
  const unsigned low = static_cast<unsigned char>(text[1]) - '0';
  value = static_cast<int32_t>(high * 10 + low);
  return high <= 9 && low <= 9;
}

// Exactly YYYY-MM-DD of the common era, the form that programs write. False sends the text to the full decoder.
bool parse_iso_date(ByteView text, CivilTime& civil) {
  constexpr std::size_t kWidth = 10;
  int32_t century = 0;
  if (text.size() < kWidth || text[4] != '-' || text[7] != '-' || !two_digits(text.data(), century) ||
      !two_digits(text.data() + 2, civil.year) || !two_digits(text.data() + 5, civil.month) ||
      !two_digits(text.data() + 8, civil.day)) {
    return false;
  }
  civil.year += century * 100;
  return civil.year > 0 && civil.month >= 1 && civil.month <= 12 && civil.day >= 1 &&
         civil.day <= days_in_month(civil.year, civil.month);
}

// HH:MM:SS and up to six digits of a fraction, to the end.
bool parse_iso_clock(ByteView text, CivilTime& civil) {
  constexpr std::size_t kWidth = 8;
  constexpr std::size_t kFractionDigits = 6;
  if (text.size() < kWidth || text[2] != ':' || text[5] != ':' || !two_digits(text.data(), civil.hour) ||
      !two_digits(text.data() + 3, civil.minute) || !two_digits(text.data() + 6, civil.second) || civil.hour > 23 ||
      civil.minute > 59 || civil.second > 59) {
    return false;
  }
  if (text.size() == kWidth) {
    return true;
  }
  const ByteView fraction = text.substr(kWidth + 1);
  if (text[kWidth] != '.' || fraction.empty() || fraction.size() > kFractionDigits) {
    return false;
  }
  for (std::size_t i = 0; i < kFractionDigits; ++i) {
    const char c = i < fraction.size() ? fraction[i] : '0';
    if (c < '0' || c > '9') {
      return false;
    }
    civil.microsecond = civil.microsecond * 10 + (c - '0');
  }
  return true;
}

bool parse_iso_timestamp(ByteView text, CivilTime& civil) {
  constexpr std::size_t kDateWidth = 10;
  if (!parse_iso_date(text, civil)) {
    return false;
  }
  if (text.size() == kDateWidth) {
    return true;
  }
  return (text[kDateWidth] == ' ' || text[kDateWidth] == 'T') && parse_iso_clock(text.substr(kDateWidth + 1), civil);
}

Status failed(DateTimeError error, const DecodedDateTime& decoded, ByteView text, std::string_view type_name) {
  if (error == DateTimeError::kUnknownZone) {
    return {sql_state::kInvalidParameterValue, "time zone \"{}\" not recognized", decoded.unknown_zone};
  }
  return datetime_status(error, text, type_name);
}

int64_t micros_of_day(const CivilTime& civil) {
  return ((civil.hour * 60LL + civil.minute) * 60 + civil.second) * kMicrosPerSecond + civil.microsecond;
}

constexpr int64_t kUnixEpochTimestamp = -kUnixToPostgresSeconds * kMicrosPerSecond;

int64_t special_timestamp(Special special) {
  return special == Special::kInfinity        ? kTimestampInfinity
         : special == Special::kMinusInfinity ? kTimestampMinusInfinity
                                              : kUnixEpochTimestamp;
}

}  // namespace

Result<int32_t> parse_date(ByteView text, const Settings& settings) {
  DecodedDateTime decoded;
  if (text.size() == 10 && parse_iso_date(text, decoded.civil)) {
    return julian_of(decoded.civil.year, decoded.civil.month, decoded.civil.day) - kPostgresEpochJulian;
  }
  decoded.civil = {};
  if (const auto error = decode_datetime(text, DecodeMode::kDateTime, settings, decoded);
      error != DateTimeError::kNone) {
    return failed(error, decoded, text, "date");
  }
  if (decoded.special) {
    switch (*decoded.special) {
      case Special::kInfinity:
        return kDateInfinity;
      case Special::kMinusInfinity:
        return kDateMinusInfinity;
      default:
        return kUnixEpochJulian - kPostgresEpochJulian;
    }
  }
  const CivilTime& civil = decoded.civil;
  if (!is_valid_julian(civil.year, civil.month, civil.day)) {
    return Status(sql_state::kDatetimeFieldOverflow, "date out of range: \"{}\"", text);
  }
  const int32_t date = julian_of(civil.year, civil.month, civil.day) - kPostgresEpochJulian;
  if (!is_valid_date(date)) {
    return Status(sql_state::kDatetimeFieldOverflow, "date out of range: \"{}\"", text);
  }
  return date;
}

Result<int64_t> parse_time(ByteView text, const Settings& settings) {
  DecodedDateTime decoded;
  if (parse_iso_clock(text, decoded.civil)) {
    return micros_of_day(decoded.civil);
  }
  decoded.civil = {};
  if (const auto error = decode_datetime(text, DecodeMode::kTimeOnly, settings, decoded);
      error != DateTimeError::kNone) {
    return failed(error, decoded, text, "time");
  }
  return micros_of_day(decoded.civil);
}

Result<TimeTz> parse_timetz(ByteView text, const Settings& settings) {
  DecodedDateTime decoded;
  if (const auto error = decode_datetime(text, DecodeMode::kTimeOnly, settings, decoded);
      error != DateTimeError::kNone) {
    return failed(error, decoded, text, "time with time zone");
  }
  return TimeTz{micros_of_day(decoded.civil), decoded.seconds_west};
}

Result<int64_t> parse_timestamp(ByteView text, const Settings& settings) {
  DecodedDateTime decoded;
  if (!parse_iso_timestamp(text, decoded.civil)) {
    decoded.civil = {};
    if (const auto error = decode_datetime(text, DecodeMode::kDateTime, settings, decoded);
        error != DateTimeError::kNone) {
      return failed(error, decoded, text, "timestamp");
    }
    if (decoded.special) {
      return special_timestamp(*decoded.special);
    }
  }
  int64_t timestamp = 0;
  if (!timestamp_of_civil(decoded.civil, timestamp)) {
    return Status(sql_state::kDatetimeFieldOverflow, "timestamp out of range: \"{}\"", text);
  }
  return timestamp;
}

Result<int64_t> parse_timestamptz(ByteView text, const Settings& settings) {
  DecodedDateTime decoded;
  if (parse_iso_timestamp(text, decoded.civil)) {
    decoded.seconds_west = -zone_offset_at(*settings.time_zone, decoded.civil);
  } else {
    decoded.civil = {};
    if (const auto error = decode_datetime(text, DecodeMode::kDateTime, settings, decoded);
        error != DateTimeError::kNone) {
      return failed(error, decoded, text, "timestamp with time zone");
    }
    if (decoded.special) {
      return special_timestamp(*decoded.special);
    }
  }
  int64_t local = 0;
  if (!timestamp_of_civil(decoded.civil, local) ||
      !is_valid_timestamp(local + decoded.seconds_west * kMicrosPerSecond)) {
    return Status(sql_state::kDatetimeFieldOverflow, "timestamp out of range: \"{}\"", text);
  }
  return local + decoded.seconds_west * kMicrosPerSecond;
}

void print_zone_offset(int32_t seconds_east, bool always_minutes, Bytes& out) {
  const int32_t size = std::abs(seconds_east);
  const int32_t minutes = size / 60 % 60;
  const int32_t seconds = size % 60;
  out.push_back(seconds_east >= 0 ? '+' : '-');
  put_two(size / kSecondsPerHour, out);
  if (minutes != 0 || seconds != 0 || always_minutes) {
    out.push_back(':');
    put_two(minutes, out);
  }
  if (seconds != 0) {
    out.push_back(':');
    put_two(seconds, out);
  }
}

void print_date(int32_t date, const Settings& settings, Bytes& out) {
  if (!is_finite_date(date)) {
    put_infinity(date == kDateMinusInfinity, out);
    return;
  }
  const CivilTime civil = civil_of_date(date);
  put_civil_date(civil, settings, out);
  put_era(civil, out);
}

void print_time(int64_t time, Bytes& out) {
  CivilTime civil;
  time_parts(time, civil.hour, civil.minute, civil.second, civil.microsecond);
  put_clock(civil.hour, civil.minute, civil.second, civil.microsecond, out);
}

void print_timetz(TimeTz time, Bytes& out) {
  print_time(time.microseconds, out);
  print_zone_offset(-time.seconds_west, false, out);
}

void print_timestamp(int64_t timestamp, const Settings& settings, Bytes& out) {
  if (!is_finite_timestamp(timestamp)) {
    put_infinity(timestamp == kTimestampMinusInfinity, out);
    return;
  }
  const CivilTime civil = civil_of_timestamp(timestamp);
  put_civil_time(civil, settings, out);
  put_era(civil, out);
}

void print_timestamptz(int64_t timestamp, const Settings& settings, Bytes& out) {
  if (!is_finite_timestamp(timestamp)) {
    put_infinity(timestamp == kTimestampMinusInfinity, out);
    return;
  }
  const int64_t seconds =
      timestamp >= 0 ? timestamp / kMicrosPerSecond : -((-timestamp + kMicrosPerSecond - 1) / kMicrosPerSecond);
  const TimeZone::Offset offset = settings.time_zone->offset_at(seconds + kUnixToPostgresSeconds);
  const CivilTime civil = civil_of_timestamp(timestamp + offset.seconds_east * kMicrosPerSecond);
  put_civil_time(civil, settings, out);
  if (settings.date_style == DateStyle::kIso || offset.abbreviation.empty()) {
    if (settings.date_style == DateStyle::kPostgres) {
      out.push_back(' ');
    }
    print_zone_offset(offset.seconds_east, false, out);
  } else {
    out.push_back(' ');
    out.append(offset.abbreviation.substr(0, kZoneNameMax));
  }
  put_era(civil, out);
}

}  // namespace pando::types
