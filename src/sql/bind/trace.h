#pragma once

// What the binder made of the parts of a query, for whoever prints the query again (sql/deparse). Plain data; the keys
// are nodes of the tree that was bound, which must outlive the trace.
//
//   QueryTrace trace;
//   options.trace = &trace;
//   PANDO_TRY(bind_query(*statement, options).status());
//   const ExprPtr& where = trace.exprs.at(core.where.get());

#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "sql/ast/query.h"
#include "sql/plan/logical.h"

namespace pando::sql {

struct QueryTrace {
  // An aggregate, a window function or a set-returning function, for which a column stands.
  struct Call {
    ExprPtr expr;
    const ast::FunctionCall* node = nullptr;
  };
  struct Item {
    catalog::TablePtr table;  // null for what is no relation
    bool is_cte = false;
    std::vector<std::string> columns;  // as the query names them
  };

  // As bound, before grouping; an item of ORDER BY or GROUP BY is what it means.
  std::unordered_map<const ast::Expr*, ExprPtr> exprs;
  // What stars of select lists stand for.
  std::unordered_map<const ast::Expr*, std::vector<ExprPtr>> stars;
  std::unordered_map<const ast::FromItem*, Item> items;
  std::map<ColumnId, Call> calls;
  std::map<ColumnId, std::vector<ExprPtr>> groupings;
  std::unordered_map<ExprPtr, const ast::Subquery*> subqueries;
  // Whole rows, and the names of their items.
  std::unordered_map<ExprPtr, std::string> rows;
  std::unordered_map<const ast::FromJoin*, std::vector<std::string>> natural_columns;
  std::unordered_map<const ast::ValuesLists*, std::vector<std::vector<ExprPtr>>> values;
  // The names of a query's columns.
  std::unordered_map<const ast::Select*, std::vector<std::string>> outputs;
};

}  // namespace pando::sql
