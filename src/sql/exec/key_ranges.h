#pragma once

// From the KeyConditions of a plan to the spans of keys that a scan reads.

#include <vector>

#include "sql/exec/runtime.h"
#include "sql/exec/table_layout.h"

namespace pando::sql::exec {

// An integer that is compared with a column of another integer type, as a value of that; -1 or 1 when it is below or
// above all of them. Any other value is given back.
struct ColumnValue {
  types::Value value;
  int beyond = 0;
};
ColumnValue value_in_column(types::Value value, types::Oid type, types::Oid column);

// The spans that `conditions` select in an index with this prefix and these columns: in key order, not overlapping,
// none empty. No conditions select the whole index. Evaluates the bounds with the parameter slots as they are now.
Task<Result<std::vector<txn::Span>>> key_ranges(const std::vector<KeyCondition>& conditions, Bytes prefix,
                                                const std::vector<KeyColumn>& columns, Runtime& runtime);

}  // namespace pando::sql::exec
