// Session: VACUUM, ANALYZE, CHECKPOINT, LISTEN and statements that nothing here runs.

#include "session/session.h"
#include "sql/ddl/define.h"

namespace pando::session {

Task<Result<std::string>> Session::run_maintenance_or_definition(PreparedStatementPtr statement, Output output) {
  const auto& node = statement->tree->node;
  if (const auto* vacuum = std::get_if<ast::Vacuum>(&node)) {
    if (vacuum->vacuum && !output.alone) {
      co_return Status(sql_state::kActiveSqlTransaction, "VACUUM cannot run inside a transaction block");
    }
    co_return vacuum->vacuum ? "VACUUM" : "ANALYZE";
  }
  if (std::holds_alternative<ast::Checkpoint>(node)) {
    co_return "CHECKPOINT";
  }
  if (const auto* listen = std::get_if<ast::Listen>(&node)) {
    if (listen->kind == ast::Listen::Kind::kUnlisten) {
      co_return "UNLISTEN";
    }
    co_return Status(sql_state::kFeatureNotSupported, "{} is not supported",
                     listen->kind == ast::Listen::Kind::kListen ? "LISTEN" : "NOTIFY");
  }
  if (const auto* unsupported = std::get_if<ast::UnsupportedStatement>(&node)) {
    co_return Status(sql_state::kFeatureNotSupported, "{} is not supported", unsupported->feature);
  }
  if (sql::is_definition(*statement->tree)) {
    co_return co_await run_definition(statement->tree.get(), statement->text, output);
  }
  co_return Status(sql_state::kFeatureNotSupported, "this statement is not supported");
}

}  // namespace pando::session
