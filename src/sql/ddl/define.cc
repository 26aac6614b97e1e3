#include "sql/ddl/define.h"

#include <fmt/format.h>

#include "sql/ddl/definition.h"

namespace pando::sql {
namespace {

// The function that runs each kind of statement; nullptr for statements that define nothing.
using Runner = Task<Result<std::string>> (*)(const ast::Statement*, ddl::Definition*);

template <typename Node, Task<Result<std::string>> (*run)(const Node*, ddl::Definition*)>
Task<Result<std::string>> run_as(const ast::Statement* statement, ddl::Definition* definition) {
  return run(&std::get<Node>(statement->node), definition);
}

struct RunnerOf {
  template <typename Node>
  Runner operator()(const Node&) const {
    return nullptr;
  }
  Runner operator()(const ast::CreateTable&) const { return run_as<ast::CreateTable, ddl::create_table>; }
  Runner operator()(const ast::AlterTable&) const { return run_as<ast::AlterTable, ddl::alter_table>; }
  Runner operator()(const ast::CreateTableAs&) const { return run_as<ast::CreateTableAs, ddl::create_table_as>; }
  Runner operator()(const ast::RefreshMaterializedView&) const {
    return run_as<ast::RefreshMaterializedView, ddl::refresh_materialized_view>;
  }
  Runner operator()(const ast::CreateIndex&) const { return run_as<ast::CreateIndex, ddl::create_index>; }
  Runner operator()(const ast::CreateSchema&) const { return run_as<ast::CreateSchema, ddl::create_schema>; }
  Runner operator()(const ast::CreateSequence&) const { return run_as<ast::CreateSequence, ddl::create_sequence>; }
  Runner operator()(const ast::AlterSequence&) const { return run_as<ast::AlterSequence, ddl::alter_sequence>; }
  Runner operator()(const ast::CreateView&) const { return run_as<ast::CreateView, ddl::create_view>; }
  Runner operator()(const ast::CreateEnum&) const { return run_as<ast::CreateEnum, ddl::create_enum>; }
  Runner operator()(const ast::CreateComposite&) const { return run_as<ast::CreateComposite, ddl::create_composite>; }
  Runner operator()(const ast::AlterEnum&) const { return run_as<ast::AlterEnum, ddl::alter_enum>; }
  Runner operator()(const ast::CreateDomain&) const { return run_as<ast::CreateDomain, ddl::create_domain>; }
  Runner operator()(const ast::AlterDomain&) const { return run_as<ast::AlterDomain, ddl::alter_domain>; }
  Runner operator()(const ast::CreateExtension&) const { return run_as<ast::CreateExtension, ddl::create_extension>; }
  Runner operator()(const ast::DropObjects&) const { return run_as<ast::DropObjects, ddl::drop_objects>; }
  Runner operator()(const ast::Rename&) const { return run_as<ast::Rename, ddl::rename_object>; }
  Runner operator()(const ast::AlterSchema&) const { return run_as<ast::AlterSchema, ddl::alter_schema>; }
  Runner operator()(const ast::AlterOwner&) const { return run_as<ast::AlterOwner, ddl::alter_owner>; }
  Runner operator()(const ast::Comment&) const { return run_as<ast::Comment, ddl::comment_on>; }
  Runner operator()(const ast::CreateRole&) const { return run_as<ast::CreateRole, ddl::create_role>; }
  Runner operator()(const ast::AlterRole&) const { return run_as<ast::AlterRole, ddl::alter_role>; }
  Runner operator()(const ast::DropRole&) const { return run_as<ast::DropRole, ddl::drop_role>; }
  Runner operator()(const ast::Grant&) const { return run_as<ast::Grant, ddl::grant>; }
  Runner operator()(const ast::GrantRole&) const { return run_as<ast::GrantRole, ddl::grant_role>; }
  Runner operator()(const ast::Truncate&) const { return run_as<ast::Truncate, ddl::truncate>; }
};

struct NameOf {
  template <typename Node>
  std::string operator()(const Node& node) const {
    if constexpr (requires { node.kind_name; }) {
      return fmt::format("ALTER {}", node.kind_name);
    }
    return "data definition";
  }
  std::string operator()(const ast::CreateTable&) const { return "CREATE TABLE"; }
  std::string operator()(const ast::AlterTable&) const { return "ALTER TABLE"; }
  std::string operator()(const ast::CreateTableAs& node) const {
    return node.materialized_view ? "CREATE MATERIALIZED VIEW" : "CREATE TABLE AS";
  }
  std::string operator()(const ast::RefreshMaterializedView&) const { return "REFRESH MATERIALIZED VIEW"; }
  std::string operator()(const ast::CreateIndex&) const { return "CREATE INDEX"; }
  std::string operator()(const ast::CreateSchema&) const { return "CREATE SCHEMA"; }
  std::string operator()(const ast::CreateSequence&) const { return "CREATE SEQUENCE"; }
  std::string operator()(const ast::AlterSequence&) const { return "ALTER SEQUENCE"; }
  std::string operator()(const ast::CreateView&) const { return "CREATE VIEW"; }
  std::string operator()(const ast::CreateEnum&) const { return "CREATE TYPE"; }
  std::string operator()(const ast::CreateComposite&) const { return "CREATE TYPE"; }
  std::string operator()(const ast::AlterEnum&) const { return "ALTER TYPE"; }
  std::string operator()(const ast::CreateDomain&) const { return "CREATE DOMAIN"; }
  std::string operator()(const ast::AlterDomain&) const { return "ALTER DOMAIN"; }
  std::string operator()(const ast::CreateExtension&) const { return "CREATE EXTENSION"; }
  std::string operator()(const ast::DropObjects& node) const { return "DROP " + node.kind_name; }
  std::string operator()(const ast::Comment&) const { return "COMMENT"; }
  std::string operator()(const ast::CreateRole&) const { return "CREATE ROLE"; }
  std::string operator()(const ast::AlterRole&) const { return "ALTER ROLE"; }
  std::string operator()(const ast::DropRole&) const { return "DROP ROLE"; }
  std::string operator()(const ast::Grant& node) const { return node.grant ? "GRANT" : "REVOKE"; }
  std::string operator()(const ast::GrantRole&) const { return "GRANT ROLE"; }
  std::string operator()(const ast::Truncate&) const { return "TRUNCATE TABLE"; }
};

}  // namespace

std::string definition_name(const ast::Statement& statement) { return std::visit(NameOf(), statement.node); }

bool is_definition(const ast::Statement& statement) { return std::visit(RunnerOf(), statement.node) != nullptr; }

Task<Result<std::string>> define(const ast::Statement* statement, DefineContext* context) {
  ddl::Definition definition(*context);
  const Runner run = std::visit(RunnerOf(), statement->node);
  PANDO_ASSERT(run != nullptr, "a statement that defines nothing");
  co_return co_await run(statement, &definition);
}

}  // namespace pando::sql
