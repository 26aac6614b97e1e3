#pragma once

// What LIMIT and OFFSET evaluate to.

#include <cstdint>

#include "sql/exec/runtime.h"

namespace pando::sql::exec {

struct RowLimit {
  uint64_t skip = 0;
  uint64_t count = UINT64_MAX;
};

// Both may be null. Errors: 2201W, 2201X for negative numbers. The expressions are of type int8.
Task<Result<RowLimit>> evaluate_limit(ExprPtr limit, ExprPtr offset, Runtime& runtime);

}  // namespace pando::sql::exec
