#pragma once

// The errors that many kernels raise, with PostgreSQL's codes and words.

#include <cstdint>
#include <type_traits>

#include "base/status.h"

namespace pando::sql {

template <typename Int>
Status out_of_range() {
  constexpr std::string_view kName = std::is_same_v<Int, int16_t>   ? "smallint out of range"
                                     : std::is_same_v<Int, int32_t> ? "integer out of range"
                                                                    : "bigint out of range";
  return Status::from_message(sql_state::kNumericValueOutOfRange, std::string(kName));
}
inline Status division_by_zero() { return {sql_state::kDivisionByZero, "division by zero"}; }
inline Status float_overflow() { return {sql_state::kNumericValueOutOfRange, "value out of range: overflow"}; }
inline Status float_underflow() { return {sql_state::kNumericValueOutOfRange, "value out of range: underflow"}; }
inline Status input_out_of_range() { return {sql_state::kNumericValueOutOfRange, "input is out of range"}; }
inline Status interval_out_of_range() { return {sql_state::kDatetimeFieldOverflow, "interval out of range"}; }
inline Status timestamp_out_of_range() { return {sql_state::kDatetimeFieldOverflow, "timestamp out of range"}; }
inline Status date_out_of_range() { return {sql_state::kDatetimeFieldOverflow, "date out of range"}; }

}  // namespace pando::sql
