// Session: temporary tables, as long as the session and its transactions last.

#include "session/services.h"
#include "session/session.h"
#include "sql/function/quoting.h"
#include "sql/parse/parse.h"

namespace pando::session {

void Session::note_on_commit(const ast::Statement& statement) {
  const auto note = [this](const ast::RelationName& name, ast::OnCommit action) {
    if (action != ast::OnCommit::kDeleteRows && action != ast::OnCommit::kDrop) {
      return;
    }
    const auto view = snapshot();
    const auto schema = view->find_schema(services_->temporary_schema());
    const auto table = schema == nullptr ? nullptr : view->find_table(schema->oid, name.name);
    if (table != nullptr) {
      on_commit_[table->oid] = action;
    }
  };
  if (const auto* create = std::get_if<ast::CreateTable>(&statement.node)) {
    note(create->name, create->on_commit);
  } else if (const auto* create_as = std::get_if<ast::CreateTableAs>(&statement.node)) {
    note(create_as->name, create_as->on_commit);
  }
}

Task<Status> Session::run_on_commit() {
  // Nothing was written, so nothing is to be emptied.
  if (!transaction_.transaction().has_writes()) {
    co_return Status();
  }
  const auto actions = on_commit_;
  for (const auto& [oid, action] : actions) {
    const auto table = snapshot()->find_table(oid);
    if (table == nullptr) {
      on_commit_.erase(oid);
      continue;
    }
    const std::string name =
        sql::quote_identifier(services_->temporary_schema()) + "." + sql::quote_identifier(table->name);
    if (action == ast::OnCommit::kDeleteRows) {
      PANDO_CO_TRY((co_await internal_rows("DELETE FROM " + name)).status());
      continue;
    }
    PANDO_CO_ASSIGN(const ast::StatementPtr drop, parse::parse_statement("DROP TABLE " + name + " CASCADE"));
    PANDO_CO_TRY(co_await internal_execute(drop.get()));
    on_commit_.erase(oid);
  }
  co_return Status();
}

Task<Status> Session::drop_temporary_objects() {
  const std::string& schema = services_->temporary_schema();
  if (schema.empty() || snapshot()->find_schema(schema) == nullptr) {
    co_return Status();
  }
  on_commit_.clear();
  PANDO_CO_ASSIGN(const ast::StatementPtr drop,
                  parse::parse_statement("DROP SCHEMA " + sql::quote_identifier(schema) + " CASCADE"));
  co_return co_await internal_execute(drop.get());
}

}  // namespace pando::session
