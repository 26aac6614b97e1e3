#pragma once

// PostgreSQL's system columns of stored rows.
//
// ctid is a number that no other row of the table has and that the row keeps for its life: of a table without a primary
// key its hidden row id, of one whose primary key is one integer that integer. Other tables have none (0A000), and
// neither have rows whose id does not fit the 48 bits. xmin is not a transaction: it is another number (in all
// likelihood) when the row has been written anew. xmax, cmin and cmax are 0. Pure.

#include <span>

#include "sql/exec/table_layout.h"
#include "types/vector.h"

namespace pando::sql::exec {

// 0A000 when rows of the table do not have it.
Status check_system_column(const TableLayout& layout, catalog::AttributeNumber attribute);
// REQUIRES: check_system_column() was content. `keys` have the prefix.
Status read_system_column(const TableLayout& layout, catalog::AttributeNumber attribute, std::span<const ByteView> keys,
                          std::span<const ByteView> values, types::Vector& out);

}  // namespace pando::sql::exec
