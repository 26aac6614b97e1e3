#include "types/jsonpath_datetime.h"

#include <utility>

#include "types/datetime.h"
#include "types/formatting.h"

namespace pando::types {
namespace {

constexpr SqlState kInvalidSqlJsonDatetime{"22031"};

constexpr std::string_view kIsoFormats[] = {
    "yyyy-mm-dd",
    "HH24:MI:SSTZH:TZM",
    "HH24:MI:SSTZH",
    "HH24:MI:SS",
    "yyyy-mm-dd HH24:MI:SSTZH:TZM",
    "yyyy-mm-dd HH24:MI:SSTZH",
    "yyyy-mm-dd HH24:MI:SS",
    "yyyy-mm-dd\"T\"HH24:MI:SSTZH:TZM",
    "yyyy-mm-dd\"T\"HH24:MI:SSTZH",
    "yyyy-mm-dd\"T\"HH24:MI:SS",
};

Result<PathDateTime> parse_by(ByteView text, ByteView format) {
  PANDO_ASSIGN(const DateTimeFormat compiled, DateTimeFormat::compile_standard(format));
  PANDO_ASSIGN(const DateTimeFormat::Parsed parsed, compiled.parse_standard(text));
  return PathDateTime{parsed.type, parsed.value, parsed.seconds_west};
}

bool is_of_day(Oid type) { return type == oid::kTime || type == oid::kTimetz; }
bool is_zoned(Oid type) { return type == oid::kTimetz || type == oid::kTimestamptz; }

std::strong_ordering order_of(int comparison) { return comparison <=> 0; }

// REQUIRES: a's type is not after b's in the order date, timestamp, timestamptz.
std::strong_ordering compare_moments(const PathDateTime& a, const PathDateTime& b, const TimeZone& zone) {
  if (a.type == b.type) {
    return a.value <=> b.value;
  }
  if (a.type == oid::kTimestamp) {
    return order_of(compare_timestamp_timestamptz(a.value, b.value, zone));
  }
  const auto date = static_cast<int32_t>(a.value);
  return order_of(b.type == oid::kTimestamp ? compare_date_timestamp(date, b.value)
                                            : compare_date_timestamptz(date, b.value, zone));
}

TimeTz zoned_time(const PathDateTime& value, const Settings& settings) {
  return value.type == oid::kTimetz ? TimeTz{value.value, value.seconds_west} : timetz_of_time(value.value, settings);
}

// date before timestamp before timestamptz.
int rank_of(Oid type) { return type == oid::kDate ? 0 : (type == oid::kTimestamp ? 1 : 2); }

}  // namespace

Result<PathDateTime> parse_path_datetime(ByteView text, std::optional<ByteView> format) {
  if (format.has_value()) {
    return parse_by(text, *format);
  }
  for (const std::string_view candidate : kIsoFormats) {
    if (auto parsed = parse_by(text, candidate); parsed.ok()) {
      return parsed;
    }
  }
  return Status(kInvalidSqlJsonDatetime, "datetime format is not recognized: \"{}\"", text)
      .with_hint("Use a datetime template argument to specify the input data format.");
}

Bytes print_path_datetime(const PathDateTime& value) {
  const Settings iso;
  Bytes out;
  switch (value.type) {
    case oid::kDate:
      print_date(static_cast<int32_t>(value.value), iso, out);
      return out;
    case oid::kTime:
      print_time(value.value, out);
      return out;
    case oid::kTimetz:
      print_time(value.value, out);
      print_zone_offset(-value.seconds_west, true, out);
      return out;
    default:
      break;
  }
  const bool zoned = value.type == oid::kTimestamptz;
  print_timestamp(value.value - (zoned ? value.seconds_west * kMicrosPerSecond : 0), iso, out);
  out[out.find(' ')] = 'T';
  if (zoned) {
    Bytes zone;
    print_zone_offset(-value.seconds_west, true, zone);
    // Before " BC", if that is there.
    out.insert(std::min(out.find(' '), out.size()), zone);
  }
  return out;
}

Result<std::optional<std::strong_ordering>> compare_path_datetimes(const PathDateTime& a, const PathDateTime& b,
                                                                   bool use_time_zone, const Settings& settings) {
  using Order = std::optional<std::strong_ordering>;
  if (is_of_day(a.type) != is_of_day(b.type)) {
    return Order();
  }
  if (is_zoned(a.type) != is_zoned(b.type) && !use_time_zone) {
    const PathDateTime& plain = is_zoned(a.type) ? b : a;
    const PathDateTime& zoned = is_zoned(a.type) ? a : b;
    constexpr auto kName = [](Oid type) { return find_type(type)->name; };
    return Status(sql_state::kFeatureNotSupported, "cannot convert value from {} to {} without time zone usage",
                  kName(plain.type), kName(zoned.type))
        .with_hint("Use *_tz() function for time zone support.");
  }
  if (is_of_day(a.type)) {
    return Order(a.type == oid::kTime && b.type == oid::kTime
                     ? a.value <=> b.value
                     : compare_timetz(zoned_time(a, settings), zoned_time(b, settings)));
  }
  if (rank_of(a.type) <= rank_of(b.type)) {
    return Order(compare_moments(a, b, *settings.time_zone));
  }
  return Order(0 <=> compare_moments(b, a, *settings.time_zone));
}

}  // namespace pando::types
