#pragma once

// Statements that call sequence functions in several places: PostgreSQL makes one row after the other, so what a row
// takes or sees depends on the rows before it, and vectors must not be longer than a row.
//
//   if (call_sequences_together(exprs)) { ... evaluate row by row ... }

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "sql/expr/walk.h"
#include "sql/function/function.h"
#include "types/vector.h"

namespace pando::sql::exec {

inline bool calls_sequence(const ExprPtr& expr) {
  constexpr std::array<std::string_view, 4> kFunctions = {"nextval", "currval", "lastval", "setval"};
  return any_of(expr, [&](const ExprPtr& part) {
    const auto* call = as<CallExpr>(part);
    return call != nullptr && std::ranges::find(kFunctions, call->function->name) != kFunctions.end();
  });
}

// Whether more than one of the expressions does.
inline bool call_sequences_together(const std::vector<ExprPtr>& exprs) {
  return std::ranges::count_if(exprs, calls_sequence) > 1;
}

// Makes `row` the one row of `input`.
inline void take_row(const types::Chunk& input, uint32_t index, types::Chunk& row) {
  row.rows = 1;
  row.columns.resize(input.columns.size());
  for (std::size_t i = 0; i < input.columns.size(); ++i) {
    row.columns[i].gather(input.columns[i], &index, 1);
  }
}

}  // namespace pando::sql::exec
