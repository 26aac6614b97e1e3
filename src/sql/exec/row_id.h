#pragma once

// The hidden row ids of tables without a primary key: the transaction's number and the row's within it, so that no
// other transaction ever makes the same.

#include "base/codec.h"
#include "sql/exec/context.h"

namespace pando::sql::exec {

inline void append_row_id(Bytes& key, ExecutionContext& context) {
  append_ordered_uint64(key, context.transaction.id().number());
  append_ordered_uint64(key, context.state.next_row_number++);
}

}  // namespace pando::sql::exec
