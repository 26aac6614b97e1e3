#pragma once

// Builds our syntax tree from libpg_query's. Internal to sql/parse.
//
// An error (nesting too deep, a node the grammar should not give) is kept in status() and reading goes on with empty
// nodes, so that the readers stay simple; the caller checks status() once at the end.
// Thread-safety: none. Lifetime: for one parse.

#include <optional>
#include <string>
#include <vector>

#include <pg_query/pg_query.pb-c.h>

#include "base/status.h"
#include "sql/ast/statement.h"

namespace pando::parse {

class TreeReader {
 public:
  const Status& status() const { return status_; }

  ast::StatementPtr statement(const PgQuery__Node* node);
  // nullptr for a null node.
  ast::ExprPtr expr(const PgQuery__Node* node);

 private:
  class Nested;

  friend class RecursionReader;

  void fail_unexpected(const char* where, int node_case);

  // Expressions: expression_reader.cc.
  ast::ExprPtr expr_of_kind(const PgQuery__Node* node);
  ast::ExprPtr expr_of_other_kind(const PgQuery__Node* node);
  ast::ExprList exprs(std::size_t count, PgQuery__Node** nodes);
  ast::ExprPtr constant(const PgQuery__AConst& node);
  ast::ExprPtr operation(const PgQuery__AExpr& node);
  ast::ExprPtr operation_on_list(const PgQuery__AExpr& node);
  ast::ExprPtr column_ref(const PgQuery__ColumnRef& node);
  ast::ExprPtr function_call(const PgQuery__FuncCall& node);
  ast::ExprPtr case_expr(const PgQuery__CaseExpr& node);
  ast::ExprPtr subquery(const PgQuery__SubLink& node);
  ast::ExprPtr sql_value_function(const PgQuery__SQLValueFunction& node);
  ast::ExprPtr grouping_set(const PgQuery__GroupingSet& node);
  std::vector<ast::Indirection> indirection(std::size_t count, PgQuery__Node** nodes);
  ast::WindowDefinition window(const PgQuery__WindowDef& node);
  ast::SortBy sort_by(const PgQuery__Node* node);
  std::vector<ast::SortBy> sort_list(std::size_t count, PgQuery__Node** nodes);
  ast::TypeName type_name(const PgQuery__TypeName* node);

  // Queries: query_reader.cc.
  ast::Select select(const PgQuery__SelectStmt& node);
  std::unique_ptr<ast::Select> select_node(const PgQuery__Node* node);
  ast::SelectCore select_core(const PgQuery__SelectStmt& node);
  ast::FromItemPtr from_item(const PgQuery__Node* node);
  ast::FromItemPtr from_join(const PgQuery__JoinExpr& node);
  ast::FromItemPtr from_sample(const PgQuery__RangeTableSample& node);
  ast::FromItemPtr from_function(const PgQuery__RangeFunction& node);
  std::vector<ast::FromItemPtr> from_list(std::size_t count, PgQuery__Node** nodes);
  std::vector<ast::SelectItem> select_items(std::size_t count, PgQuery__Node** nodes);
  std::unique_ptr<ast::WithClause> with(const PgQuery__WithClause* node);
  ast::LockingClause locking(const PgQuery__LockingClause& node);
  ast::RelationName relation(const PgQuery__RangeVar* node);
  std::optional<ast::Alias> alias(const PgQuery__Alias* node);
  ast::ColumnDefinitionItem column_item(const PgQuery__Node* node);
  std::vector<ast::Assignment> assignments(std::size_t count, PgQuery__Node** nodes);
  ast::TargetColumn target_column(const PgQuery__ResTarget& node);
  ast::OnConflict on_conflict(const PgQuery__OnConflictClause& node);
  ast::Insert insert(const PgQuery__InsertStmt& node);
  ast::Update update(const PgQuery__UpdateStmt& node);
  ast::Delete delete_from(const PgQuery__DeleteStmt& node);
  ast::Merge merge(const PgQuery__MergeStmt& node);
  // SEARCH and CYCLE, as columns of the two terms of the recursive query.
  void add_search(const PgQuery__CommonTableExpr& node, ast::CommonTable& table);
  void add_cycle(const PgQuery__CommonTableExpr& node, ast::CommonTable& table);
  void fail_recursion(const char* clause);

  // Definition: definition_reader.cc, alter_reader.cc.
  ast::Option option(const PgQuery__Node* node);
  void option_value(const PgQuery__Node* arg, ast::Option& option);
  ast::OptionList options(std::size_t count, PgQuery__Node** nodes);
  ast::Constraint constraint(const PgQuery__Constraint& node);
  ast::CreateComposite create_composite(const PgQuery__CompositeTypeStmt& node);
  ast::AlterEnum alter_enum(const PgQuery__AlterEnumStmt& node);
  ast::CreateDomain create_domain(const PgQuery__CreateDomainStmt& node);
  ast::AlterDomain alter_domain(const PgQuery__AlterDomainStmt& node);
  void foreign_key(const PgQuery__Constraint& node, ast::Constraint& constraint);
  ast::ColumnDefinition column(const PgQuery__ColumnDef& node);
  ast::CreateTable create_table(const PgQuery__CreateStmt& node);
  ast::CreateTableAs create_table_as(const PgQuery__CreateTableAsStmt& node);
  ast::StatementPtr select_statement(const PgQuery__SelectStmt& node);
  ast::CreateView create_view(const PgQuery__ViewStmt& node);
  ast::CreateIndex create_index(const PgQuery__IndexStmt& node);
  std::vector<ast::IndexElement> index_elements(std::size_t count, PgQuery__Node** nodes);
  ast::PartitionBy partition_by(const PgQuery__PartitionSpec& node);
  ast::CreateSchema create_schema(const PgQuery__CreateSchemaStmt& node);
  ast::DropObjects drop(const PgQuery__DropStmt& node);
  ast::AlterTable alter_table(const PgQuery__AlterTableStmt& node);
  ast::AlterTable::Command alter_command(const PgQuery__AlterTableCmd& node);
  ast::Rename rename(const PgQuery__RenameStmt& node);
  ast::AlterSchema alter_schema(const PgQuery__AlterObjectSchemaStmt& node);
  ast::AlterOwner alter_owner(const PgQuery__AlterOwnerStmt& node);
  ast::RoleName role(const PgQuery__RoleSpec* node);
  std::vector<ast::RoleName> roles(std::size_t count, PgQuery__Node** nodes);
  // The name of an object in a list of objects: String, List of String, TypeName, RangeVar or ObjectWithArgs.
  ast::QualifiedName object_name(const PgQuery__Node* node);

  // Commands: command_reader.cc.
  ast::StatementPtr definition(const PgQuery__Node* node);
  ast::StatementPtr command(const PgQuery__Node* node);
  ast::StatementPtr role_command(const PgQuery__Node* node);
  ast::TransactionCommand transaction(const PgQuery__TransactionStmt& node);
  ast::SetVariable set_variable(const PgQuery__VariableSetStmt& node);
  ast::Copy copy(const PgQuery__CopyStmt& node);
  ast::DeclareCursor declare_cursor(const PgQuery__DeclareCursorStmt& node);
  ast::Fetch fetch(const PgQuery__FetchStmt& node);
  ast::Vacuum vacuum(const PgQuery__VacuumStmt& node);
  ast::Grant grant(const PgQuery__GrantStmt& node);
  ast::GrantRole grant_role(const PgQuery__GrantRoleStmt& node);
  ast::Prepare prepare(const PgQuery__PrepareStmt& node);
  ast::Reindex reindex(const PgQuery__ReindexStmt& node);
  std::vector<ast::RelationName> relations(std::size_t count, PgQuery__Node** nodes);

  Status status_;
  int32_t depth_ = 0;
};

// Strings of a list of String nodes; other nodes are skipped.
std::vector<std::string> string_list(std::size_t count, PgQuery__Node** nodes);
ast::ObjectKind object_kind(PgQuery__ObjectType type);
// PostgreSQL's word: "TRIGGER".
const char* object_kind_name(PgQuery__ObjectType type);
// "CREATE TRIGGER": the statement for the refusal; nullptr for a node that is not a statement.
const char* statement_name(PgQuery__Node__NodeCase node_case);

}  // namespace pando::parse
