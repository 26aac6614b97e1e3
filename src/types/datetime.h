#pragma once

// date, time, timetz, timestamp and timestamptz: text forms, conversions and arithmetic. calendar.h has the
// representations; intervals are in interval.h, fields (extract, date_trunc) in datetime_fields.h.
// Errors: 22007 for what is no date or time, 22008 for one out of range. Pure; any thread.

#include "base/bytes.h"
#include "base/status.h"
#include "types/calendar.h"
#include "types/settings.h"
#include "types/time_zone.h"
#include "types/type.h"

namespace pando::types {

// --- text ---
Result<int32_t> parse_date(ByteView text, const Settings& settings);
Result<int64_t> parse_time(ByteView text, const Settings& settings);
Result<TimeTz> parse_timetz(ByteView text, const Settings& settings);
Result<int64_t> parse_timestamp(ByteView text, const Settings& settings);
Result<int64_t> parse_timestamptz(ByteView text, const Settings& settings);

void print_date(int32_t date, const Settings& settings, Bytes& out);
void print_time(int64_t time, Bytes& out);
void print_timetz(TimeTz time, Bytes& out);
void print_timestamp(int64_t timestamp, const Settings& settings, Bytes& out);
void print_timestamptz(int64_t timestamp, const Settings& settings, Bytes& out);
// "+05:30", as times print their zone.
void print_zone_offset(int32_t seconds_east, bool always_minutes, Bytes& out);

// --- precision: time(p), timestamp(p); kNoModifier changes nothing ---
int64_t round_time(int64_t time, int32_t precision);
Result<int64_t> round_timestamp(int64_t timestamp, int32_t precision);

// --- conversions ---
Result<int64_t> timestamp_of_date(int32_t date);
Result<int64_t> timestamptz_of_date(int32_t date, const TimeZone& zone);
int32_t date_of_timestamp(int64_t timestamp);
Result<int32_t> date_of_timestamptz(int64_t timestamp, const TimeZone& zone);
Result<int64_t> timestamptz_of_timestamp(int64_t timestamp, const TimeZone& zone);
Result<int64_t> timestamp_of_timestamptz(int64_t timestamp, const TimeZone& zone);
// nullopt: an infinite timestamp has no time of day (SQL NULL).
std::optional<int64_t> time_of_timestamp(int64_t timestamp);
Result<std::optional<int64_t>> time_of_timestamptz(int64_t timestamp, const TimeZone& zone);
Result<std::optional<TimeTz>> timetz_of_timestamptz(int64_t timestamp, const TimeZone& zone);
// time::timetz takes today's offset of the session's zone.
TimeTz timetz_of_time(int64_t time, const Settings& settings);
Interval interval_of_time(int64_t time);
int64_t time_of_interval(Interval interval);
Result<int64_t> timestamp_of_date_and_time(int32_t date, int64_t time);
Result<int64_t> timestamptz_of_date_and_timetz(int32_t date, TimeTz time);
// to_timestamp(double precision).
Result<int64_t> timestamptz_of_unix_seconds(double seconds);
// Compares without an overflow error, as PostgreSQL's cross-type operators do.
int compare_date_timestamp(int32_t date, int64_t timestamp);
int compare_date_timestamptz(int32_t date, int64_t timestamp, const TimeZone& zone);
int compare_timestamp_timestamptz(int64_t timestamp, int64_t timestamptz, const TimeZone& zone);

// --- arithmetic ---
Result<int32_t> date_plus_days(int32_t date, int32_t days);  // 22008 'date out of range'
Result<int32_t> date_minus_days(int32_t date, int32_t days);
Result<int32_t> date_minus_date(int32_t a, int32_t b);  // 22008 'cannot subtract infinite dates'
Result<int64_t> timestamp_plus(int64_t timestamp, Interval interval);
Result<int64_t> timestamp_minus(int64_t timestamp, Interval interval);
Result<int64_t> timestamptz_plus(int64_t timestamp, Interval interval, const TimeZone& zone);
Result<int64_t> timestamptz_minus(int64_t timestamp, Interval interval, const TimeZone& zone);
// For both timestamp kinds.
Result<Interval> timestamp_minus_timestamp(int64_t a, int64_t b);
int64_t time_plus(int64_t time, Interval interval);
int64_t time_minus(int64_t time, Interval interval);
TimeTz timetz_plus(TimeTz time, Interval interval);
TimeTz timetz_minus(TimeTz time, Interval interval);
Result<Interval> age(int64_t a, int64_t b);
Result<Interval> age_with_zone(int64_t a, int64_t b, const TimeZone& zone);
Result<int64_t> date_bin(Interval stride, int64_t source, int64_t origin);
// (a, a_end) OVERLAPS (b, b_end) is in sql/function: it is defined on comparisons alone.

// --- AT TIME ZONE ---
// timestamp AT TIME ZONE zone gives a timestamptz and the other way round; timetz moves.
Result<int64_t> timestamp_at_zone(int64_t timestamp, std::string_view zone, TimeZoneSource* zones);
Result<int64_t> timestamptz_at_zone(int64_t timestamp, std::string_view zone, TimeZoneSource* zones);
Result<TimeTz> timetz_at_zone(TimeTz time, std::string_view zone, const Settings& settings);
Result<int64_t> timestamp_at_offset(int64_t timestamp, Interval zone);
Result<int64_t> timestamptz_at_offset(int64_t timestamp, Interval zone);
Result<TimeTz> timetz_at_offset(TimeTz time, Interval zone);

// --- construction ---
Result<int32_t> make_date(int32_t year, int32_t month, int32_t day);
Result<int64_t> make_time(int32_t hour, int32_t minute, double second);
Result<int64_t> make_timestamp(int32_t year, int32_t month, int32_t day, int32_t hour, int32_t minute, double second);
Result<int64_t> make_timestamptz(int32_t year, int32_t month, int32_t day, int32_t hour, int32_t minute, double second,
                                 std::string_view zone, const Settings& settings);
// In the session's zone.
Result<int64_t> make_timestamptz(int32_t year, int32_t month, int32_t day, int32_t hour, int32_t minute, double second,
                                 const Settings& settings);

}  // namespace pando::types
