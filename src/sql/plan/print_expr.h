#pragma once

// Bound expressions as SQL text, in the form PostgreSQL's own catalog functions print them: every operator in
// parentheses, every cast as (x)::type, constants with their type where it matters. For pg_get_expr and its family, for
// what the catalog stores (defaults, checks), for views (sql/deparse) and for EXPLAIN.
//
//   print_expr(check, {}) == "((a > 0) AND (b = 'x'::text))"
//   print_expr(check, {.pretty = true}) == "a > 0 AND b = 'x'::text"
//
// The text parses back to an equal expression when the same names are visible.

#include <functional>
#include <optional>
#include <string>

#include "sql/expr/expr.h"
#include "sql/function/quoting.h"
#include "types/settings.h"

namespace pando::sql {

struct PrintOptions {
  // How a column is written; by default the last part of its name.
  std::function<std::string(const ColumnExpr&)> column;
  // How the value of a reg* type is written (a relation's name); by default its number.
  std::function<std::string(types::Oid type, types::Oid object)> object_name;
  // How a type is written; by default format_type(), which knows no user types.
  std::function<std::string(types::Type)> type_name;
  // A subquery's query, without its parentheses; by default its name in EXPLAIN.
  std::function<std::string(const ExprPtr&)> subquery;
  // What is written otherwise than this header says: a whole row, say. Nullopt for the rest.
  std::function<std::optional<std::string>(const ExprPtr&)> special;
  // Starts a line with the keyword, indented by `before` more than what is around it; `after` is for what follows.
  // By default all is on one line.
  std::function<std::string(std::string_view keyword, int before, int after)> line;
  // For constants.
  types::Settings settings;
  // An implicit cast at the top is left out, as in a column's DEFAULT.
  bool show_outer_implicit_cast = false;
  // Without the parentheses that precedence makes superfluous.
  bool pretty = false;
};

std::string print_expr(const ExprPtr& expr, const PrintOptions& options = {});
// As an item of ORDER BY or GROUP BY: nothing there may be taken for a column's number or for CUBE and ROLLUP.
std::string print_sort_operand(const ExprPtr& expr, const PrintOptions& options = {});

}  // namespace pando::sql
