#pragma once

// interval: text forms in all IntervalStyles, arithmetic, justification and SQL's order (a month is 30 days, a day 24
// hours). Errors: 22007, 22008 'interval out of range', 22015. Pure; any thread.

#include <compare>

#include "base/bytes.h"
#include "base/status.h"
#include "types/settings.h"
#include "types/type.h"

namespace pando::types {

// `modifier` limits fields and precision, as INTERVAL '1' DAY does; kNoModifier for none.
Result<Interval> parse_interval(ByteView text, int32_t modifier, const Settings& settings);
void print_interval(const Interval& interval, const Settings& settings, Bytes& out);
Result<Interval> apply_interval_modifier(Interval interval, int32_t modifier);

std::strong_ordering compare_intervals(const Interval& a, const Interval& b);
uint64_t hash_interval(const Interval& interval);
// The length that order and hash go by, in microseconds.
__int128 interval_length(const Interval& interval);

Result<Interval> interval_plus(const Interval& a, const Interval& b);
Result<Interval> interval_minus(const Interval& a, const Interval& b);
Result<Interval> interval_negate(const Interval& interval);
Result<Interval> interval_multiply(const Interval& interval, double factor);
Result<Interval> interval_divide(const Interval& interval, double divisor);  // 22012
Result<Interval> justify_hours(const Interval& interval);
Result<Interval> justify_days(const Interval& interval);
Result<Interval> justify_interval(const Interval& interval);
Result<Interval> make_interval(int32_t years, int32_t months, int32_t weeks, int32_t days, int32_t hours,
                               int32_t minutes, double seconds);

}  // namespace pando::types
