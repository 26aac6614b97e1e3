#pragma once

// Operator: one node of a running plan. Pull-based: next() gives the next vector of rows, so that a portal can stop
// between two calls and LIMIT stops early by not calling (docs/decisions/040-the-executor-pulls.md).
//
// Columns of the rows are in the order of the plan node's outputs.
// Thread-safety: one coroutine at a time.

#include <memory>

#include "base/status.h"
#include "runtime/task.h"
#include "sql/exec/runtime.h"
#include "sql/plan/physical.h"
#include "types/vector.h"

namespace pando::sql::exec {

class Operator {
 public:
  virtual ~Operator() = default;
  // Starts, or starts again from the first row with the parameter slots as they are now.
  virtual Task<Status> open() = 0;
  // Replaces `out` with the next rows: at least one, at most kVectorRows. False means the end.
  // REQUIRES: open() succeeded and next() has not returned false since.
  virtual Task<Result<bool>> next(types::Chunk& out) = 0;
  // Rows written by a data-changing statement at the root of the plan.
  virtual uint64_t rows_affected() const { return 0; }
};
using OperatorPtr = std::unique_ptr<Operator>;

// Builds the operators of a plan. Errors: 0A000 for what is not supported.
Result<OperatorPtr> build(const PhysicalPtr& plan, Runtime& runtime);

}  // namespace pando::sql::exec
