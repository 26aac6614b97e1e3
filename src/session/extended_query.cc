// Session: the extended protocol: prepared statements and portals.

#include <fmt/format.h>

#include "session/services.h"
#include "session/session.h"
#include "sql/function/text_form.h"
#include "sql/parse/parse.h"
#include "types/binary_io.h"
#include "types/text_io.h"
#include "types/utf8.h"

namespace pando::session {
namespace {

Status undefined_statement(std::string_view name) {
  return name.empty() ? Status(sql_state::kInvalidSqlStatementName, "unnamed prepared statement does not exist")
                      : Status(sql_state::kInvalidSqlStatementName, "prepared statement \"{}\" does not exist", name);
}

Result<types::Value> read_parameter(const BoundParameter& parameter, types::Type type,
                                    sql::EvaluationContext& context) {
  if (parameter.value != nullptr) {
    return *parameter.value;
  }
  if (parameter.is_null) {
    return types::Value::null();
  }
  if (parameter.format == ValueFormat::kBinary) {
    return types::parse_binary(type, parameter.bytes, context.settings);
  }
  PANDO_TRY(types::validate_utf8(parameter.bytes));
  return sql::parse_value(context, type, parameter.bytes);
}

// Where a parameter's error was found, as PostgreSQL says it.
Status in_parameter(Status status, std::size_t index, std::string_view portal) {
  if (status.fields().where.empty()) {
    status.fields().where = portal.empty() ? fmt::format("unnamed portal parameter ${}", index + 1)
                                           : fmt::format("portal \"{}\" parameter ${}", portal, index + 1);
  }
  return status;
}

}  // namespace

Status Session::prepare(std::string name, Bytes sql, std::vector<types::Oid> types) {
  auto text = std::make_shared<const std::string>(std::move(sql));
  begin_message(*text);
  if (!name.empty() && statements_.contains(name)) {
    return Status(sql_state::kDuplicatePreparedStatement, "prepared statement \"{}\" already exists", name);
  }
  PANDO_ASSIGN(std::vector<parse::ParsedStatement> parsed, parse::parse_statements(*text));
  if (parsed.size() > 1) {
    return Status(sql_state::kSyntaxError, "cannot insert multiple commands into a prepared statement");
  }
  TreePtr tree = parsed.empty() ? nullptr : TreePtr(std::move(parsed.front().statement));
  if (tree != nullptr) {
    PANDO_TRY(check_not_failed(*tree));
  }
  transaction_.begin_implicit();
  PANDO_ASSIGN(PreparedStatementPtr statement,
               analyze(std::move(text), std::move(tree), std::move(types), PlanPurpose::kLater));
  statement->name = name;
  statements_.insert_or_assign(std::move(name), std::move(statement));
  return {};
}

Status Session::bind(const BindRequest& request) {
  const auto found = statements_.find(request.statement);
  if (found == statements_.end()) {
    return undefined_statement(request.statement);
  }
  const PreparedStatementPtr& statement = found->second;
  begin_message(*statement->text);
  if (request.parameters.size() != statement->parameter_types.size()) {
    return Status(sql_state::kProtocolViolation,
                  "bind message supplies {} parameters, but prepared statement \"{}\" requires {}",
                  request.parameters.size(), request.statement, statement->parameter_types.size());
  }
  if (statement->tree != nullptr) {
    PANDO_TRY(check_not_failed(*statement->tree));
  }
  if (!request.portal.empty() && portals_.contains(request.portal)) {
    return Status(sql_state::kDuplicateCursor, "cursor \"{}\" already exists", request.portal);
  }
  transaction_.begin_implicit();
  auto portal = take_portal(request.portal);
  portal->statement = statement;
  PANDO_ASSIGN(portal->plan, current_plan(*statement));
  portal->parameters.resize(request.parameters.size());
  for (std::size_t i = 0; i < request.parameters.size(); ++i) {
    auto value = read_parameter(request.parameters[i], statement->parameter_types[i], evaluation_);
    if (!value.ok()) {
      return in_parameter(std::move(value).status(), i, request.portal);
    }
    portal->parameters[i] = *std::move(value);
  }
  PANDO_ASSIGN(portal->shape, shape_with_formats(*portal, request.result_formats));
  portal->savepoint_depth = transaction_.savepoint_depth();
  keep_portal(request.portal, std::move(portal));
  return {};
}

// A new portal; the unnamed one's object is used again.
std::unique_ptr<Portal> Session::take_portal(std::string_view name) {
  if (name.empty()) {
    if (const auto found = portals_.find(name); found != portals_.end()) {
      spare_portal_ = portals_.extract(found);
      spare_portal_.mapped()->clear();
    }
    if (spare_portal_ && spare_portal_.mapped() != nullptr) {
      return std::move(spare_portal_.mapped());
    }
  }
  auto portal = std::make_unique<Portal>();
  portal->name = name;
  return portal;
}

void Session::keep_portal(std::string_view name, std::unique_ptr<Portal> portal) {
  if (name.empty() && spare_portal_) {
    spare_portal_.mapped() = std::move(portal);
    portals_.insert(std::move(spare_portal_));
  } else {
    portals_.insert_or_assign(std::string(name), std::move(portal));
  }
}

Result<RowShapePtr> Session::shape_with_formats(const Portal& portal, std::span<const ValueFormat> formats) {
  if (portal.plan == nullptr || portal.plan->shape == nullptr) {
    return RowShapePtr();
  }
  const RowShapePtr& shape = portal.plan->shape;
  if (formats.size() > 1 && formats.size() != shape->size()) {
    return Status(sql_state::kProtocolViolation, "bind message has {} result formats but query has {} columns",
                  formats.size(), shape->size());
  }
  const auto format_of = [formats](std::size_t i) { return formats.size() == 1 ? formats[0] : formats[i]; };
  bool all_text = true;
  bool all_binary = !formats.empty();
  for (std::size_t i = 0; i < shape->size() && !formats.empty(); ++i) {
    all_text = all_text && format_of(i) == ValueFormat::kText;
    all_binary = all_binary && format_of(i) == ValueFormat::kBinary;
  }
  if (all_text) {
    return shape;
  }
  auto changed = std::make_shared<RowShape>(*shape);
  for (std::size_t i = 0; i < changed->size(); ++i) {
    (*changed)[i].format = format_of(i);
    (*changed)[i].named = (*changed)[i].named && format_of(i) == ValueFormat::kText;
  }
  return RowShapePtr(std::move(changed));
}

Result<const PreparedStatement*> Session::describe_statement(std::string_view name) {
  const auto found = statements_.find(name);
  if (found == statements_.end()) {
    return undefined_statement(name);
  }
  if (found->second->tree != nullptr) {
    if (transaction_.failed() && found->second->plan->shape != nullptr) {
      return Status(sql_state::kInFailedSqlTransaction,
                    "current transaction is aborted, commands ignored until end of transaction block");
    }
    transaction_.begin_implicit();
    PANDO_TRY(current_plan(*found->second).status());
  }
  return found->second.get();
}

Result<const Portal*> Session::describe_portal(std::string_view name) {
  const auto found = portals_.find(name);
  if (found == portals_.end()) {
    return Status(sql_state::kInvalidCursorName, "portal \"{}\" does not exist", name);
  }
  return found->second.get();
}

Task<Result<ExecuteOutcome>> Session::execute(std::string_view name, uint64_t rows_max, ResultSink* sink) {
  const auto found = portals_.find(name);
  if (found == portals_.end()) {
    co_return Status(sql_state::kInvalidCursorName, "portal \"{}\" does not exist", name);
  }
  Portal* portal = found->second.get();
  if (portal->statement->tree != nullptr) {
    PANDO_CO_TRY(check_not_failed(*portal->statement->tree));
  }
  if (!running_.load(std::memory_order_relaxed)) {
    // A suspended portal goes on in a message of its own.
    begin_message(*portal->statement->text);
  }
  transaction_.begin_implicit();
  services_->begin_statement();
  // The command may close its own portal (COMMIT, CLOSE ALL): keep it until the answer is out.
  const bool is_command = portal->plan == nullptr || portal->plan->query == nullptr;
  std::unique_ptr<Portal> kept;
  if (is_command) {
    kept = std::move(found->second);
    portals_.erase(found);
  }
  const Output output{sink, /*describe=*/false, /*alone=*/!transaction_.in_block()};
  note_execution(name, rows_max, {sink, sink->mark()});
  auto outcome = co_await run_portal(portal, rows_max, output);
  for (int attempt = 0; !outcome.ok() && executions_.count == 1 && !is_command &&
                        co_await may_repeat(outcome.status(), executions_.beginning, attempt);
       ++attempt) {
    if (Status begun = begin_again(portal); !begun.ok()) {
      outcome = std::move(begun);
      break;
    }
    outcome = co_await run_portal(portal, rows_max, output);
  }
  if (!outcome.ok()) {
    co_return for_client(std::move(outcome).status());
  }
  if (*outcome == ExecuteOutcome::kCompleted) {
    stop_statement_timer();
    sink->complete(portal->tag);
  }
  co_return outcome;
}

void Session::close_statement(std::string_view name) {
  if (const auto found = statements_.find(name); found != statements_.end()) {
    statements_.erase(found);
  }
}

void Session::close_portal(std::string_view name) {
  if (const auto found = portals_.find(name); found != portals_.end()) {
    portals_.erase(found);
  }
}

Task<Status> Session::sync() {
  Status status;
  if (transaction_.state() == BlockState::kImplicit) {
    set_aside_only_execution();
    status = co_await commit_or_repeat();
  }
  end_message();
  co_return status;
}

}  // namespace pando::session
