#pragma once

// Functions that no name reaches: what the binder makes of UPDATE SET a[i] = v.
//
//   element_assignment(container, value, subscript, ...)                 the array with one element replaced
//   slice_assignment(container, array, lower, has lower, upper, has upper, ...)    with a slice replaced
//
// A NULL container is an empty array. Subscripts are int4, has_* are boolean. Thread-safety: immutable.

#include "sql/function/function.h"

namespace pando::sql {

const Function& element_assignment();
const Function& slice_assignment();

}  // namespace pando::sql
