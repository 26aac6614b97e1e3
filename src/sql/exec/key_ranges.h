#pragma once

// From the KeyConditions of a plan to the spans of keys that a scan reads.

#include <vector>

#include "sql/exec/runtime.h"
#include "sql/exec/table_layout.h"

namespace pando::sql::exec {

// The spans that `conditions` select in an index with this prefix and these columns: in key order, not overlapping,
// none empty. No conditions select the whole index. Evaluates the bounds with the parameter slots as they are now.
Task<Result<std::vector<txn::Span>>> key_ranges(const std::vector<KeyCondition>& conditions, Bytes prefix,
                                                const std::vector<KeyColumn>& columns, Runtime& runtime);

}  // namespace pando::sql::exec
