#pragma once

// bind: from a syntax tree and the catalog to what it means. Names, types, operators and functions resolve as in
// PostgreSQL 15; errors carry its SQLSTATE, wording, hint and position.
//
//   BindOptions options{.catalog = snapshot, .search_path = {"public"}, .text = sql, .evaluation = &context,
//                       .parse_statement = &parse::parse_statement, .parse_expression = &parse::parse_expression};
//   PANDO_ASSIGN(LogicalQuery query, bind_query(*statement, options));
//
// What parses but is not supported is refused with 0A000 naming the feature.
// Pure apart from BindOptions::evaluation; thread-safety: none for one BindOptions, everything else is immutable.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "catalog/snapshot.h"
#include "sql/ast/statement.h"
#include "sql/function/evaluation_context.h"
#include "sql/plan/logical.h"

namespace pando::sql {

struct QueryTrace;

struct BindOptions {
  catalog::SnapshotPtr catalog;
  // The schemas of search_path that exist, in order, without the implied pg_catalog.
  std::vector<std::string> search_path;
  // The text the tree was parsed from: locations become error positions in it.
  std::string_view text;
  // Settings for literals of dates and so on, and services for 'name'::regclass literals. Never null.
  EvaluationContext* evaluation = nullptr;
  // For views, defaults and checks, which the catalog keeps as SQL text: sql/parse's functions of these names.
  Result<ast::StatementPtr> (*parse_statement)(std::string_view text) = nullptr;
  Result<ast::ExprPtr> (*parse_expression)(std::string_view text) = nullptr;
  Result<ast::TypeName> (*parse_type_name)(std::string_view text) = nullptr;
  // Types of $1, $2, ... as the client gave them; 0 and missing ones are inferred.
  std::span<const types::Oid> parameter_types;
  // Constants to turn into parameters, after the $n, by their locations in `text` (the fingerprint lifts them). Numbers
  // keep their type; strings take the type their context gives them, as unknown literals do.
  std::span<const ast::Location> lifted;
  std::string database = "postgres";
  std::string user = "postgres";
  // Told what became of the query's parts, when there is one.
  QueryTrace* trace = nullptr;
};

// SELECT, VALUES, INSERT, UPDATE, DELETE.
// LogicalQuery::parameters has the types of the $n and then of the lifted constants. 42P18 for a $n whose type nothing
// determines. With `lifted`, an error or a constant that had to be known while binding (ORDER BY 1, a type modifier)
// fails with kCannotLift; bind again without.
Result<LogicalQuery> bind_query(const ast::Statement& statement, const BindOptions& options);
// The internal code of that failure. Never reaches a client.
inline constexpr SqlState kCannotLift{"LIFT0"};

// The expressions of a table's definition, for the writer and for constraint checks.
Result<TableExpressionsPtr> bind_table_expressions(catalog::TablePtr table, const BindOptions& options);

// --- for data definition: expressions over the live columns of `table`, whose ColumnIds are its attribute numbers ---

// A CHECK, an index expression or predicate, a generation expression: no subqueries, aggregates or parameters. Cast as
// an assignment to `target`; any type when target.oid is 0. `clause` is PostgreSQL's plural for messages: "check
// constraints".
Result<ExprPtr> bind_table_expression(const ast::Expr& expr, catalog::TablePtr table, types::Type target,
                                      std::string_view clause, const BindOptions& options);
// The stored default or generation expression of a column, cast to its type; a typed NULL when it has none; nextval()
// of its sequence for an identity column.
Result<ExprPtr> bind_stored_default(catalog::TablePtr table, catalog::AttributeNumber attribute,
                                    const BindOptions& options);
// The column's value, cast as an assignment to `target`; 42804 when there is no such cast.
Result<ExprPtr> bind_column_cast(catalog::TablePtr table, catalog::AttributeNumber attribute, types::Type target,
                                 const BindOptions& options);

// An expression without columns, cast as an assignment to `target` (an EXECUTE argument, a setting); any type when
// target.oid is 0. Parameters resolve against options.parameter_types.
Result<ExprPtr> bind_value(const ast::Expr& expr, types::Type target, const BindOptions& options);

// A DEFAULT of a column, or of a domain: as bind_value, in the words for defaults.
Result<ExprPtr> bind_default(const ast::Expr& expr, std::string_view column, types::Type target,
                             const BindOptions& options);

// A type name: 42704 'type "x" does not exist'. A domain's is the type below it.
Result<types::Type> bind_type(const ast::TypeName& name, const BindOptions& options);
// The domain that a type name means; nullptr when it means another type.
catalog::TypePtr bind_domain(const ast::TypeName& name, const BindOptions& options);
// A domain's CHECK over VALUE, which is of type `base`.
Result<ExprPtr> bind_domain_check(const ast::Expr& expr, types::Type base, const BindOptions& options);

// Why a view of this query cannot be changed through, in the words of PostgreSQL's details; empty when it can.
Result<std::string> why_not_updatable(const ast::Statement& query, const BindOptions& options);

// The relations a query reads, views not looked through: what a view depends on.
Result<std::vector<types::Oid>> bind_dependencies(const ast::Statement& statement, const BindOptions& options);

}  // namespace pando::sql
