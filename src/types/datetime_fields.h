#pragma once

// Fields of dates, times and intervals: extract(), date_part(), date_trunc(). Field names are matched without regard
// to case. Errors: 22023 'timestamp units "x" not recognized' (PostgreSQL 15's wording per type), 0A000 for a unit the
// type does not have. Pure; any thread.

#include <optional>

#include "base/bytes.h"
#include "base/status.h"
#include "types/calendar.h"
#include "types/settings.h"
#include "types/type.h"

namespace pando::types {

// extract() answers a packed numeric, date_part() a float8; nullopt is SQL NULL (infinite inputs of fields that do not
// go on for ever).
Result<std::optional<Bytes>> extract_from_date(std::string_view field, int32_t date);
Result<std::optional<Bytes>> extract_from_time(std::string_view field, int64_t time);
Result<std::optional<Bytes>> extract_from_timetz(std::string_view field, TimeTz time);
Result<std::optional<Bytes>> extract_from_timestamp(std::string_view field, int64_t timestamp);
Result<std::optional<Bytes>> extract_from_timestamptz(std::string_view field, int64_t timestamp, const TimeZone& zone);
Result<std::optional<Bytes>> extract_from_interval(std::string_view field, const Interval& interval);

Result<std::optional<double>> part_of_time(std::string_view field, int64_t time);
Result<std::optional<double>> part_of_timetz(std::string_view field, TimeTz time);
Result<std::optional<double>> part_of_timestamp(std::string_view field, int64_t timestamp);
Result<std::optional<double>> part_of_timestamptz(std::string_view field, int64_t timestamp, const TimeZone& zone);
Result<std::optional<double>> part_of_interval(std::string_view field, const Interval& interval);

Result<int64_t> trunc_timestamp(std::string_view field, int64_t timestamp);
Result<int64_t> trunc_timestamptz(std::string_view field, int64_t timestamp, const TimeZone& zone);
Result<Interval> trunc_interval(std::string_view field, const Interval& interval);

}  // namespace pando::types
