#pragma once

// current_row(cursor, table): the key of the table's row that a cursor of the session is on, for WHERE CURRENT OF. No
// name reaches it; the binder makes calls of it. Thread-safety: immutable.

#include "sql/function/function.h"

namespace pando::sql {

const Function& current_row();

}  // namespace pando::sql
