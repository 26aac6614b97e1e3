#pragma once

// What TABLESAMPLE makes of a row: functions that no name reaches.
//
//   is_sampled(key, percent, number)               other rows in every statement; `number` tells its samples apart
//   is_sampled_repeatably(key, percent, seed)      the same rows for the same seed
//
// The key is the row's (bytea), percent a float4, number an int4, seed a float8. NULL and percentages beyond 0 to 100
// are errors. Thread-safety: immutable.

#include "base/status.h"
#include "sql/function/function.h"

namespace pando::sql {

inline constexpr SqlState kInvalidTablesampleArgument{"2202H"};
inline constexpr SqlState kInvalidTablesampleRepeat{"2202G"};

const Function& is_sampled();
const Function& is_sampled_repeatably();

}  // namespace pando::sql
