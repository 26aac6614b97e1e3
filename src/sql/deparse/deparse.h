#pragma once

// A view's query as PostgreSQL's ruleutils.c lays it out: line breaks, indentation, qualified columns, casts.
//
//   DeparseOptions options{.view_columns = names};
//   auto text = deparse_query(*select, trace, options);   // " SELECT t.a,\n    t.b\n   FROM t"
//
// Pure.

#include <optional>
#include <string>
#include <vector>

#include "sql/ast/query.h"
#include "sql/bind/trace.h"
#include "sql/plan/print_expr.h"

namespace pando::sql {

struct DeparseOptions {
  // The names of the view's columns, which may differ from its query's.
  std::vector<std::string> view_columns;
  // A relation's name as the search path asks for it.
  std::function<std::string(const catalog::TableDescriptor&)> relation;
  std::function<std::string(const ast::TypeName&)> type;
  // What relations and their columns are called in the text, where that is not what the query calls them. May be empty.
  std::function<std::string(const catalog::TableDescriptor&)> relation_name;
  std::function<std::string(const catalog::TableDescriptor&, const std::string&)> column_name;
  // object_name, type_name, settings and pretty count; the rest is the deparser's.
  PrintOptions print;
  // For the catalog rather than for people: nothing is written that the binder does not take.
  bool stored = false;
  // A list goes on a new line when it would pass this column.
  int wrap_column = 0;
};

// Nullopt for a query that the trace does not explain in full.
std::optional<std::string> deparse_query(const ast::Select& select, const QueryTrace& trace,
                                         const DeparseOptions& options);

}  // namespace pando::sql
