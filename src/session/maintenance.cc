// Session: VACUUM, ANALYZE, CHECKPOINT, LISTEN and statements that nothing here runs.

#include <algorithm>

#include "catalog/keys.h"
#include "session/option_values.h"
#include "session/services.h"
#include "session/session.h"
#include "session/table_sample.h"
#include "sql/ddl/define.h"

namespace pando::session {
namespace {

// VACUUM lets others run between this many parts of a table.
constexpr std::size_t kVacuumParts = 64;

struct VacuumOptions {
  bool analyze = false;
};

Result<VacuumOptions> read_vacuum_options(const ast::Vacuum& command) {
  constexpr std::string_view kVacuumOnly[] = {"full",     "freeze",   "disable_page_skipping", "index_cleanup",
                                              "truncate", "parallel", "process_toast"};
  VacuumOptions options{.analyze = !command.vacuum};
  for (const ast::Option& option : command.options) {
    if (option.name == "analyze" && command.vacuum) {
      PANDO_ASSIGN(options.analyze, option_bool(option));
    } else if (option.name != "verbose" && option.name != "skip_locked" &&
               !(command.vacuum && std::ranges::find(kVacuumOnly, option.name) != std::end(kVacuumOnly))) {
      return Status(sql_state::kSyntaxError, "unrecognized {} option \"{}\"", command.vacuum ? "VACUUM" : "ANALYZE",
                    option.name);
    }
  }
  return options;
}

}  // namespace

// The tables a VACUUM or ANALYZE names, or all of the users'.
Result<std::vector<catalog::TablePtr>> Session::maintained_tables(const ast::Vacuum& command, Output output) {
  std::vector<catalog::TablePtr> tables;
  if (command.targets.empty()) {
    for (const auto& [oid, table] : snapshot()->tables()) {
      if (table->kind == catalog::RelationKind::kTable) {
        tables.push_back(table);
      }
    }
    return tables;
  }
  for (const auto& target : command.targets) {
    const auto table = snapshot()->resolve_table(search_path(), target.table.schema, target.table.name);
    if (table == nullptr) {
      const std::string name =
          target.table.schema.empty() ? target.table.name : target.table.schema + "." + target.table.name;
      return Status(sql_state::kUndefinedTable, "relation \"{}\" does not exist", name);
    }
    for (const std::string& column : target.columns) {
      if (table->find_column(column) == nullptr) {
        return Status(sql_state::kUndefinedColumn, "column \"{}\" of relation \"{}\" does not exist", column,
                      table->name);
      }
    }
    if (table->kind == catalog::RelationKind::kTable) {
      tables.push_back(table);
    } else {
      tables.push_back(nullptr);
      warn(output, sql_state::kWarning,
           fmt::format("skipping \"{}\" --- cannot {} non-tables or special system tables", table->name,
                       command.vacuum ? "vacuum" : "analyze"));
    }
  }
  return tables;
}

Task<Result<std::string>> Session::run_vacuum(const ast::Vacuum& command, Output output) {
  PANDO_CO_ASSIGN(const VacuumOptions options, read_vacuum_options(command));
  if (command.vacuum && !output.alone) {
    co_return Status(sql_state::kActiveSqlTransaction, "VACUUM cannot run inside a transaction block");
  }
  PANDO_CO_ASSIGN(const auto tables, maintained_tables(command, output));
  transaction_.start();
  for (std::size_t i = 0; i < tables.size(); ++i) {
    if (tables[i] == nullptr || environment_.statistics == nullptr) {
      continue;
    }
    if (command.vacuum) {
      PANDO_CO_TRY(co_await collect_garbage(tables[i]));
    }
    if (options.analyze) {
      PANDO_CO_TRY(co_await collect_statistics(
          tables[i], command.targets.empty() ? std::vector<std::string>{} : command.targets[i].columns));
    }
  }
  co_return command.vacuum ? "VACUUM" : "ANALYZE";
}

// Drops the versions that no transaction can see any more, part by part.
Task<Status> Session::collect_garbage(catalog::TablePtr table) {
  transaction_.transaction().begin_statement();
  const Bytes start = catalog::table_prefix(table->id);
  const txn::Span span{start, prefix_end(start)};
  const auto snapshot = transaction_.transaction().snapshot_for(span);
  const std::vector<txn::Span> parts =
      snapshot == nullptr ? std::vector<txn::Span>{span} : snapshot->split(span, kVacuumParts);
  for (const txn::Span& part : parts) {
    if (cancellation_.requested()) {
      co_return cancellation_.status();
    }
    PANDO_CO_TRY(environment_.store.collect_garbage(part));
    co_await runtime::yield_to(executor_);
  }
  environment_.statistics->activity(table->oid).vacuumed(now_us());
  co_return Status();
}

Task<Status> Session::collect_statistics(catalog::TablePtr table, std::vector<std::string> columns) {
  PANDO_CO_TRY(
      co_await transaction_.catalog().lock_table(table->oid, txn::LockStrength::kKeyShare, txn::WaitPolicy::kBlock));
  transaction_.transaction().begin_statement();
  const std::size_t target = std::max<std::size_t>(settings_.values().default_statistics_target, 1);
  SampleOptions options{.target = target, .seed = prng_.next(), .pause = [this]() -> Task<Status> {
                          if (cancellation_.requested()) {
                            co_return cancellation_.status();
                          }
                          co_await runtime::yield_to(executor_);
                          co_return Status();
                        }};
  PANDO_CO_ASSIGN(const TableSample sample, co_await sample_table(table, &transaction_.transaction(), options));
  PANDO_CO_ASSIGN(catalog::TableStatistics found, co_await sample.statistics(options));
  const auto before = environment_.statistics->find(*table);
  for (catalog::ColumnStatistics& column : found.columns) {
    const bool named =
        columns.empty() || std::ranges::find(columns, table->column(column.attribute).name) != columns.end();
    const auto* old = before == nullptr ? nullptr : before->find(column.attribute);
    if (!named && old != nullptr) {
      column = *old;
    }
  }
  std::erase_if(found.columns, [&](const catalog::ColumnStatistics& column) {
    const bool named =
        columns.empty() || std::ranges::find(columns, table->column(column.attribute).name) != columns.end();
    return !named && (before == nullptr || before->find(column.attribute) == nullptr);
  });
  PANDO_CO_TRY(co_await environment_.statistics->put(transaction_.transaction(), table->oid, std::move(found), now_us(),
                                                     /*automatic=*/false));
  transaction_.transaction().on_commit([this] { environment_.catalog.renew(); });
  co_return Status();
}

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

// An index is never broken by itself: whoever asks for a new one has it.
Result<std::string> Session::run_reindex(const ast::Reindex& command) {
  const auto view = snapshot();
  switch (command.kind) {
    case ast::Reindex::Kind::kIndex:
    case ast::Reindex::Kind::kTable: {
      const ast::RelationName& name = *command.relation;
      const types::Oid relation = services_->find_relation(name.schema, name.name);
      if (relation == 0) {
        return Status(sql_state::kUndefinedTable, "relation \"{}\" does not exist", name.name);
      }
      const bool is_index = view->find_index_table(relation) != nullptr;
      if (is_index != (command.kind == ast::Reindex::Kind::kIndex)) {
        return Status(sql_state::kWrongObjectType, "\"{}\" is not {}", name.name,
                      is_index ? "a table or materialized view" : "an index");
      }
      break;
    }
    case ast::Reindex::Kind::kSchema:
      if (view->find_schema(command.name) == nullptr) {
        return Status(sql_state::kInvalidSchemaName, "schema \"{}\" does not exist", command.name);
      }
      break;
    default:
      if (!command.name.empty() && command.name != identity_.database) {
        return Status(sql_state::kFeatureNotSupported, "can only reindex the currently open database");
      }
      break;
  }
  return std::string("REINDEX");
}

Task<Result<std::string>> Session::run_maintenance_or_definition(PreparedStatementPtr statement, Output output) {
  const auto& node = statement->tree->node;
  if (const auto* vacuum = std::get_if<ast::Vacuum>(&node)) {
    co_return co_await run_vacuum(*vacuum, output);
  }
  if (std::holds_alternative<ast::Checkpoint>(node)) {
    co_return "CHECKPOINT";
  }
  if (const auto* listen = std::get_if<ast::Listen>(&node)) {
    co_return run_listen(*listen);
  }
  if (const auto* create = std::get_if<ast::CreateDatabase>(&node)) {
    co_return co_await run_create_database(*create, output);
  }
  if (const auto* drop = std::get_if<ast::DropDatabase>(&node)) {
    co_return co_await run_drop_database(*drop, output);
  }
  if (const auto* reindex = std::get_if<ast::Reindex>(&node)) {
    co_return run_reindex(*reindex);
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
