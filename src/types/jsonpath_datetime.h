#pragma once

// Dates and times among the items of a jsonpath: what .datetime() makes of strings, and how they compare. Internal to
// jsonpath.cc. Pure.

#include <compare>
#include <optional>

#include "types/calendar.h"
#include "types/settings.h"

namespace pando::types {

struct PathDateTime {
  // date, time, timetz, timestamp or timestamptz.
  Oid type = oid::kInvalid;
  // Days of a date, else microseconds.
  int64_t value = 0;
  // How a timetz or timestamptz was written; PostgreSQL's sign.
  int32_t seconds_west = 0;
};

// 22007, 22008 and 22031 as PostgreSQL words them. Without a template ISO 8601's forms are read.
Result<PathDateTime> parse_path_datetime(ByteView text, std::optional<ByteView> format);
// ISO 8601, as JSON has it.
Bytes print_path_datetime(const PathDateTime& value);
// nullopt when the two cannot be compared: a date with a time of day. 0A000 when it takes a time zone and
// `use_time_zone` is false.
Result<std::optional<std::strong_ordering>> compare_path_datetimes(const PathDateTime& a, const PathDateTime& b,
                                                                   bool use_time_zone, const Settings& settings);

}  // namespace pando::types
