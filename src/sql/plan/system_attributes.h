#pragma once

// System columns beside those of sql/plan/logical.h, with PostgreSQL's numbers. sql/exec/row_system_columns.h says what
// they are here. Pure.

#include "catalog/descriptor.h"

namespace pando::sql {

inline constexpr catalog::AttributeNumber kCminAttribute = -3;
inline constexpr catalog::AttributeNumber kXmaxAttribute = -4;
inline constexpr catalog::AttributeNumber kCmaxAttribute = -5;

}  // namespace pando::sql
