// Session: commands that are run from their tree: transactions, settings, prepared statements, locks.

#include <algorithm>

#include <fmt/format.h>

#include "catalog/keys.h"
#include "session/option_values.h"
#include "session/plan_cache.h"
#include "session/services.h"
#include "session/session.h"
#include "sql/parse/parse.h"
#include "types/text_io.h"

namespace pando::session {
namespace {

using TransactionKind = ast::TransactionCommand::Kind;

bool is_transaction_mode(std::string_view name) {
  return name == "transaction_isolation" || name == "transaction_read_only" || name == "transaction_deferrable";
}

Result<TransactionModes> read_modes(const ast::OptionList& options) {
  TransactionModes modes;
  for (const ast::Option& option : options) {
    const std::string value = option_text(option).value_or("");
    if (option.name == "transaction_isolation") {
      const SettingDefinition* definition = find_setting("transaction_isolation");
      PANDO_ASSIGN(const std::string level, check_setting(*definition, value));
      modes.isolation = parse_isolation(level);
      continue;
    }
    bool on = false;
    if (!parse_setting_bool(value, on)) {
      return Status(sql_state::kInvalidParameterValue, "parameter \"{}\" requires a Boolean value", option.name);
    }
    (option.name == "transaction_read_only" ? modes.read_only : modes.deferrable) = on;
  }
  return modes;
}

Status not_supported(std::string_view what) {
  return Status(sql_state::kFeatureNotSupported, "{} is not supported", what);
}

}  // namespace

void Session::warn(const Output& output, SqlState code, std::string message) {
  constexpr int kWarningRank = 7;
  if (settings_.values().client_min_rank <= kWarningRank) {
    output.sink->notice(NoticeSeverity::kWarning, ErrorFields{.code = code, .message = std::move(message)});
  }
}

Status Session::emit_text_rows(const Output& output, const RowShapePtr& shape,
                               const std::vector<std::vector<std::optional<std::string>>>& rows) {
  output.sink->begin_rows(shape, settings_.values().types, output.describe);
  for (std::size_t first = 0; first < rows.size(); first += types::kVectorRows) {
    types::Chunk chunk;
    chunk.rows = std::min(types::kVectorRows, rows.size() - first);
    for (std::size_t column = 0; column < shape->size(); ++column) {
      types::Vector vector(types::Physical::kBytes);
      vector.reset(chunk.rows);
      for (std::size_t row = 0; row < chunk.rows; ++row) {
        const auto& cell = rows[first + row][column];
        vector.set(row, cell ? types::Value::of_bytes(*cell) : types::Value::null());
      }
      chunk.columns.push_back(std::move(vector));
    }
    PANDO_TRY(output.sink->add_rows(chunk, 0, chunk.rows));
  }
  return {};
}

// --- transactions ---

Task<Result<std::string>> Session::run_transaction_command(const ast::TransactionCommand& command, Output output) {
  switch (command.kind) {
    case TransactionKind::kBegin:
    case TransactionKind::kStart: {
      PANDO_CO_ASSIGN(TransactionModes modes, read_modes(command.options));
      PANDO_CO_ASSIGN(const bool opened, transaction_.begin_block(modes));
      if (!opened) {
        warn(output, sql_state::kActiveSqlTransaction, "there is already a transaction in progress");
      }
      co_return command.kind == TransactionKind::kBegin ? "BEGIN" : "START TRANSACTION";
    }
    case TransactionKind::kCommit:
    case TransactionKind::kRollback:
      co_return co_await end_block(command, output);
    case TransactionKind::kSavepoint:
      PANDO_CO_TRY(transaction_.define_savepoint(command.savepoint));
      co_return "SAVEPOINT";
    case TransactionKind::kRelease:
      PANDO_CO_TRY(transaction_.release_savepoint(command.savepoint));
      co_return "RELEASE";
    case TransactionKind::kRollbackTo: {
      PANDO_CO_ASSIGN(const std::size_t index, transaction_.find_savepoint(command.savepoint, "ROLLBACK TO SAVEPOINT"));
      // Queries hold on to the transaction, part of which is about to go.
      close_portals_deeper_than(index);
      co_await transaction_.rollback_to_savepoint(index);
      co_return "ROLLBACK";
    }
    case TransactionKind::kPrepare:
    case TransactionKind::kCommitPrepared:
    case TransactionKind::kRollbackPrepared:
      co_return not_supported("two-phase commit");
  }
  PANDO_UNREACHABLE("a transaction command outside its enumeration");
}

Task<Result<std::string>> Session::end_block(const ast::TransactionCommand& command, Output output) {
  const bool commit = command.kind == TransactionKind::kCommit;
  const bool in_block = transaction_.in_block();
  if (!in_block) {
    if (command.chain) {
      co_return Status(sql_state::kNoActiveSqlTransaction, "{} AND CHAIN can only be used in transaction blocks",
                       commit ? "COMMIT" : "ROLLBACK");
    }
    warn(output, sql_state::kNoActiveSqlTransaction, "there is no transaction in progress");
  }
  const bool commits = commit && !transaction_.failed();
  if (commits) {
    PANDO_CO_TRY(co_await commit_transaction());
  } else {
    close_portals_of_transaction();
    co_await transaction_.rollback();
  }
  if (command.chain) {
    transaction_.chain_block();
  }
  co_return commits ? "COMMIT" : "ROLLBACK";
}

Result<std::string> Session::set_transaction_modes(const ast::OptionList& options, bool session_default,
                                                   Output output) {
  PANDO_ASSIGN(const TransactionModes modes, read_modes(options));
  if (!session_default) {
    if (!transaction_.in_block() && output.alone) {
      warn(output, sql_state::kNoActiveSqlTransaction, "SET TRANSACTION can only be used in transaction blocks");
    }
    PANDO_TRY(transaction_.set_modes(modes));
    return "SET";
  }
  if (modes.isolation) {
    PANDO_TRY(settings_.set("default_transaction_isolation", isolation_name(*modes.isolation), SettingScope::kSession));
  }
  if (modes.read_only) {
    PANDO_TRY(settings_.set("default_transaction_read_only", *modes.read_only ? "on" : "off", SettingScope::kSession));
  }
  if (modes.deferrable) {
    PANDO_TRY(
        settings_.set("default_transaction_deferrable", *modes.deferrable ? "on" : "off", SettingScope::kSession));
  }
  return "SET";
}

// --- settings ---

Result<std::string> Session::run_set(const ast::SetVariable& command, Output output) {
  using Kind = ast::SetVariable::Kind;
  if (command.local && output.alone && !transaction_.in_block()) {
    warn(output, sql_state::kNoActiveSqlTransaction, "SET LOCAL can only be used in transaction blocks");
  }
  const SettingScope scope = command.local ? SettingScope::kTransaction : SettingScope::kSession;
  switch (command.kind) {
    case Kind::kTransaction:
      if (command.name == "TRANSACTION SNAPSHOT") {
        return not_supported("SET TRANSACTION SNAPSHOT");
      }
      return set_transaction_modes(command.options, command.name == "SESSION CHARACTERISTICS", output);
    case Kind::kResetAll:
      settings_.reset_all();
      return "RESET";
    case Kind::kReset:
    case Kind::kDefault:
      if (is_transaction_mode(command.name)) {
        return command.kind == Kind::kReset ? "RESET" : "SET";
      }
      PANDO_TRY(settings_.reset(command.name, scope));
      return command.kind == Kind::kReset ? "RESET" : "SET";
    case Kind::kCurrent:
      if (!settings_.show(command.name)) {
        return Status(sql_state::kUndefinedObject, "unrecognized configuration parameter \"{}\"", command.name);
      }
      return "SET";
    case Kind::kValue:
      return set_value(command, scope);
  }
  PANDO_UNREACHABLE("a SET outside its enumeration");
}

Result<std::string> Session::set_value(const ast::SetVariable& command, SettingScope scope) {
  std::vector<std::string> values;
  for (const ast::ExprPtr& expr : command.values) {
    const auto text = literal_text(*expr);
    if (!text) {
      return invalid_setting_value(command.name, "?");
    }
    const auto* cast = std::get_if<ast::Cast>(&expr->node);
    values.push_back(cast != nullptr ? zone_of_interval(*text) : *text);
  }
  PANDO_ASSIGN(const std::string value, SessionSettings::join_values(command.name, values));
  if (is_transaction_mode(command.name)) {
    ast::OptionList options(1);
    options[0].name = command.name;
    options[0].value = value;
    PANDO_ASSIGN(const TransactionModes modes, read_modes(options));
    PANDO_TRY(transaction_.set_modes(modes));
    return "SET";
  }
  if (command.name == "role" || command.name == "session_authorization") {
    const auto& roles = snapshot()->roles();
    const bool exists = std::ranges::any_of(roles, [&](const auto& role) { return role.second->name == value; });
    if (!exists && value != identity_.user && (value != "none" || command.name != "role")) {
      return Status(sql_state::kInvalidParameterValue, "role \"{}\" does not exist", value);
    }
  }
  PANDO_TRY(settings_.set(command.name, value, scope));
  MutexLock lock(activity_mutex_);
  if (command.name == "application_name") {
    application_name_ = settings_.show("application_name").value_or("");
  }
  return "SET";
}

// SET TIME ZONE INTERVAL '-03:30' HOUR TO MINUTE: POSIX counts west of Greenwich, so the sign turns.
std::string Session::zone_of_interval(const std::string& interval) {
  const bool negative = interval.starts_with('-');
  const std::string digits = interval.starts_with('-') || interval.starts_with('+') ? interval.substr(1) : interval;
  return fmt::format("<{}{}>{}{}", negative ? '-' : '+', digits, negative ? '+' : '-', digits);
}

Result<std::string> Session::run_show(const ast::ShowVariable& command, Output output) {
  const RowShapePtr shape = show_shape(command.name);
  std::vector<std::vector<std::optional<std::string>>> rows;
  if (command.name == "all") {
    for (const ShownSetting& setting : settings_.show_all()) {
      rows.push_back({setting.name, setting.shown, std::string(setting.definition->description)});
    }
  } else {
    PANDO_ASSIGN(const auto shown, services_->current_setting(command.name, /*missing_ok=*/false));
    rows.push_back({shown});
  }
  PANDO_TRY(emit_text_rows(output, shape, rows));
  return "SHOW";
}

// --- prepared statements ---

Result<std::string> Session::run_prepare(const ast::Prepare& command, PreparedStatementPtr holder) {
  if (statements_.contains(command.name)) {
    return Status(sql_state::kDuplicatePreparedStatement, "prepared statement \"{}\" already exists", command.name);
  }
  std::vector<types::Oid> types;
  const sql::BindOptions options = bind_options(holder->text, {});
  for (const ast::TypeName& name : command.types) {
    PANDO_ASSIGN(const types::Type type, sql::bind_type(name, options));
    types.push_back(type.oid);
  }
  PANDO_ASSIGN(PreparedStatementPtr statement, analyze(holder->text, TreePtr(holder->tree, command.statement.get()),
                                                       std::move(types), PlanPurpose::kLater));
  statement->name = command.name;
  statement->from_sql = true;
  statements_[command.name] = std::move(statement);
  return "PREPARE";
}

Task<Result<std::vector<types::Value>>> Session::execute_arguments(const ast::Execute& command, TextPtr text,
                                                                   PreparedStatementPtr statement) {
  const std::size_t count = statement->parameter_types.size();
  if (command.arguments.size() != count) {
    co_return std::move(
        Status(sql_state::kSyntaxError, "wrong number of parameters for prepared statement \"{}\"", command.name))
        .with_detail(fmt::format("Expected {} parameters but got {}.", count, command.arguments.size()));
  }
  std::vector<types::Value> values;
  if (count == 0) {
    co_return values;
  }
  // The arguments are a row of VALUES, computed as any other.
  sql::ValuesPlan row;
  std::vector<sql::OutputColumn> columns;
  row.rows.emplace_back();
  const sql::BindOptions options = bind_options(text, {});
  for (std::size_t i = 0; i < count; ++i) {
    const types::Type type = statement->parameter_types[i];
    PANDO_CO_ASSIGN(sql::ExprPtr expr, sql::bind_value(*command.arguments[i], type, options));
    row.rows.front().push_back(std::move(expr));
    columns.push_back({.id = sql::ColumnId(static_cast<uint32_t>(i)), .name = "", .type = type});
  }
  auto plan = std::make_shared<sql::PhysicalQuery>();
  plan->root = sql::make_physical(columns, std::move(row));
  plan->result = columns;
  transaction_.start();
  transaction_.transaction().begin_statement();
  sql::exec::Query query(plan, execution_context({}));
  PANDO_CO_TRY(co_await query.open());
  types::Chunk chunk;
  PANDO_CO_TRY((co_await query.next(chunk)).status());
  for (const types::Vector& column : chunk.columns) {
    values.push_back(column.get(0));
  }
  co_return values;
}

Result<PreparedStatementPtr> Session::find_statement(const std::string& name) const {
  const auto found = statements_.find(name);
  if (found == statements_.end()) {
    return Status(sql_state::kInvalidSqlStatementName, "prepared statement \"{}\" does not exist", name);
  }
  return found->second;
}

Task<Result<std::string>> Session::run_execute(const ast::Execute& command, TextPtr text, Output output) {
  Portal portal;
  PANDO_CO_ASSIGN(portal.statement, find_statement(command.name));
  PANDO_CO_ASSIGN(portal.plan, current_plan(*portal.statement));
  PANDO_CO_ASSIGN(portal.parameters, co_await execute_arguments(command, text, portal.statement));
  portal.shape = portal.plan->shape;
  PANDO_CO_TRY((co_await run_portal(&portal, 0, output)).status());
  co_return std::move(portal.tag);
}

Result<std::string> Session::run_deallocate(const ast::Deallocate& command) {
  if (command.name.empty()) {
    statements_.clear();
    return "DEALLOCATE ALL";
  }
  if (statements_.erase(command.name) == 0) {
    return Status(sql_state::kInvalidSqlStatementName, "prepared statement \"{}\" does not exist", command.name);
  }
  return "DEALLOCATE";
}

Task<Result<std::string>> Session::run_discard(const ast::Discard& command, Output output) {
  using Target = ast::Discard::Target;
  switch (command.target) {
    case Target::kPlans:
      plan_cache_->clear();
      co_return "DISCARD PLANS";
    case Target::kSequences:
      services_->forget_sequences();
      co_return "DISCARD SEQUENCES";
    case Target::kTemporary:
      PANDO_CO_TRY(co_await drop_temporary_objects());
      co_return "DISCARD TEMP";
    case Target::kAll:
      break;
  }
  if (!output.alone) {
    co_return Status(sql_state::kActiveSqlTransaction, "DISCARD ALL cannot run inside a transaction block");
  }
  portals_.clear();
  statements_.clear();
  plan_cache_->clear();
  services_->forget_sequences();
  settings_.reset_all();
  PANDO_CO_TRY(co_await drop_temporary_objects());
  co_await environment_.registry.advisory_locks().unlock_all(transaction_.lock_owner(), executor_);
  PANDO_CO_TRY(transaction_.change_listening({TransactionMessages::Listening::Kind::kUnlistenAll, ""}));
  co_return "DISCARD ALL";
}

// --- locks and constraints ---

Task<Status> Session::lock_table(types::Oid table, TableLockMode mode, txn::WaitPolicy wait) {
  if (mode == TableLockMode::kAccessExclusive) {
    // Readers that come from now on queue up behind it.
    transaction_.keep_exclusive_table({environment_.registry.exclusive_tables(), table});
  }
  for (const TableLockStep& step : table_lock_steps(table, mode)) {
    if (step.key == catalog::table_lock_key(table)) {
      PANDO_CO_TRY(co_await transaction_.catalog().lock_table(table, step.strength, wait));
    } else {
      PANDO_CO_TRY((co_await transaction_.transaction().lock(step.key, step.strength, wait)).status());
    }
  }
  co_return Status();
}

// Waits where somebody has the table, or waits for it, in ACCESS EXCLUSIVE mode.
Task<Status> Session::await_readable(const StatementPlan* plan) {
  for (const types::Oid table : plan->read_tables) {
    if (environment_.registry.exclusive_tables().contains(table)) {
      PANDO_CO_TRY(co_await lock_table(table, TableLockMode::kAccessShare, txn::WaitPolicy::kBlock));
    }
  }
  co_return Status();
}

Task<Result<std::string>> Session::run_lock(const ast::Lock& command) {
  if (!transaction_.in_block()) {
    co_return Status(sql_state::kNoActiveSqlTransaction, "LOCK TABLE can only be used in transaction blocks");
  }
  transaction_.start();
  for (const ast::RelationName& name : command.tables) {
    const auto table = snapshot()->resolve_table(search_path(), name.schema, name.name);
    if (table == nullptr) {
      co_return Status(sql_state::kUndefinedTable, "relation \"{}\" does not exist",
                       name.schema.empty() ? name.name : name.schema + "." + name.name);
    }
    if (table->kind == catalog::RelationKind::kTable) {
      const auto wait = command.nowait ? txn::WaitPolicy::kNoWait : txn::WaitPolicy::kBlock;
      PANDO_CO_TRY(co_await lock_table(table->oid, static_cast<TableLockMode>(command.mode), wait));
    }
  }
  co_return "LOCK TABLE";
}

Task<Result<std::string>> Session::run_set_constraints(const ast::SetConstraints& command) {
  transaction_.start();
  auto& state = transaction_.execution_state();
  auto context = execution_context({});
  if (command.constraints.empty()) {
    state.constraint_deferred.clear();
    state.all_deferred = command.deferred;
    if (!command.deferred) {
      PANDO_CO_TRY(co_await sql::exec::check_deferred(context));
    }
    co_return "SET CONSTRAINTS";
  }
  for (const ast::RelationName& name : command.constraints) {
    bool found = false;
    for (const auto& [oid, table] : snapshot()->tables()) {
      const auto* constraint = table->find_constraint(name.name);
      if (constraint == nullptr) {
        continue;
      }
      if (!constraint->deferrable) {
        co_return Status(sql_state::kWrongObjectType, "constraint \"{}\" is not deferrable", name.name);
      }
      found = true;
      state.constraint_deferred.emplace_back(constraint->oid, command.deferred);
      if (!command.deferred) {
        PANDO_CO_TRY(co_await sql::exec::check_deferred(context, constraint->oid));
      }
    }
    if (!found) {
      co_return Status(sql_state::kUndefinedObject, "constraint \"{}\" does not exist", name.name);
    }
  }
  co_return "SET CONSTRAINTS";
}

// --- dispatch ---

Task<Result<std::string>> Session::run_command(PreparedStatementPtr statement, std::vector<types::Value> parameters,
                                               Output output) {
  const auto& node = statement->tree->node;
  if (const auto* transaction = std::get_if<ast::TransactionCommand>(&node)) {
    co_return co_await run_transaction_command(*transaction, output);
  }
  if (const auto* set = std::get_if<ast::SetVariable>(&node)) {
    co_return run_set(*set, output);
  }
  if (const auto* show = std::get_if<ast::ShowVariable>(&node)) {
    co_return run_show(*show, output);
  }
  if (const auto* prepare = std::get_if<ast::Prepare>(&node)) {
    co_return run_prepare(*prepare, statement);
  }
  if (const auto* execute = std::get_if<ast::Execute>(&node)) {
    co_return co_await run_execute(*execute, statement->text, output);
  }
  if (const auto* deallocate = std::get_if<ast::Deallocate>(&node)) {
    co_return run_deallocate(*deallocate);
  }
  if (const auto* declare = std::get_if<ast::DeclareCursor>(&node)) {
    co_return co_await run_declare(*declare, statement, std::move(parameters));
  }
  if (const auto* fetch = std::get_if<ast::Fetch>(&node)) {
    co_return co_await run_fetch(*fetch, output);
  }
  if (const auto* close = std::get_if<ast::CloseCursor>(&node)) {
    co_return run_close_cursor(*close);
  }
  if (const auto* discard = std::get_if<ast::Discard>(&node)) {
    co_return co_await run_discard(*discard, output);
  }
  if (const auto* lock = std::get_if<ast::Lock>(&node)) {
    co_return co_await run_lock(*lock);
  }
  if (const auto* call = std::get_if<ast::Call>(&node)) {
    co_return co_await run_call(*call);
  }
  if (const auto* constraints = std::get_if<ast::SetConstraints>(&node)) {
    co_return co_await run_set_constraints(*constraints);
  }
  if (const auto* explain = std::get_if<ast::Explain>(&node)) {
    co_return co_await run_explain(*explain, statement, std::move(parameters), output);
  }
  if (const auto* copy = std::get_if<ast::Copy>(&node)) {
    co_return co_await run_copy(*copy, statement, output);
  }
  co_return co_await run_maintenance_or_definition(statement, output);
}

}  // namespace pando::session
