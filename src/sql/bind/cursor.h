#pragma once

// A cursor's query, bound so that WHERE CURRENT OF can find the row that the cursor is on.
// Pure apart from BindOptions::evaluation.

#include <vector>

#include "sql/bind/bind.h"

namespace pando::sql {

// A table whose rows a cursor's rows are made of.
struct CursorTable {
  types::Oid table = 0;
  // Where the key of its row is among the query's results, behind those that the query shows.
  std::size_t column = 0;
};

struct BoundCursor {
  LogicalQuery query;
  // How many of the results the query shows.
  std::size_t shown = 0;
  // Empty where rows of the result are not rows of tables (grouped ones, say).
  std::vector<CursorTable> tables;
  // Only what FOR UPDATE and its kin name.
  bool locks = false;
};

Result<BoundCursor> bind_cursor(const ast::Statement& statement, const BindOptions& options);

}  // namespace pando::sql
