#pragma once

// read_rows(): all rows of a span that is not large, one after another.
//
//   PANDO_CO_TRY(co_await read_rows(*transaction, {prefix, prefix_end(prefix)}, [&](ByteView key, ByteView value) {
//     return add(key, value);
//   }));
//
// The transaction's current statement sees them; `use` gets views that last until it returns, and ends the walk with
// an error. Thread-safety: the transaction's.

#include <functional>

#include "runtime/task.h"
#include "txn/transaction.h"

namespace pando::txn {

using RowUse = std::function<Status(ByteView key, ByteView value)>;
// REQUIRES: what `use` refers to outlives the task.
Task<Status> read_rows(Transaction& transaction, Span span, RowUse use);

}  // namespace pando::txn
