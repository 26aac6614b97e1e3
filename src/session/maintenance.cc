// Session: VACUUM, ANALYZE, CHECKPOINT, LISTEN and statements that nothing here runs.

#include "session/session.h"
#include "sql/ddl/define.h"

namespace pando::session {

// Takes effect when the transaction commits.
Result<std::string> Session::run_listen(const ast::Listen& command) {
  using Kind = TransactionMessages::Listening::Kind;
  switch (command.kind) {
    case ast::Listen::Kind::kListen:
      PANDO_TRY(transaction_.change_listening({Kind::kListen, command.channel}));
      return "LISTEN";
    case ast::Listen::Kind::kUnlisten:
      PANDO_TRY(transaction_.change_listening(
          {command.channel.empty() ? Kind::kUnlistenAll : Kind::kUnlisten, command.channel}));
      return "UNLISTEN";
    case ast::Listen::Kind::kNotify:
      PANDO_TRY(transaction_.notify(command.channel, command.payload, identity_.process_id));
      return "NOTIFY";
  }
  PANDO_UNREACHABLE("a LISTEN outside its enumeration");
}

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
    co_return run_listen(*listen);
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
