// Session: the simple protocol. All statements of a text run in one implicit transaction, except where they open and
// close blocks themselves.

#include "session/plan_cache.h"
#include "session/services.h"
#include "session/session.h"
#include "sql/parse/fingerprint.h"
#include "sql/parse/parse.h"
#include "types/text_io.h"

namespace pando::session {
namespace {

// A number must reach the plan as the type its literal has; one that was made into another type cannot be lifted.
bool keeps_its_type(parse::LiftedConstant::Kind kind, types::Oid type) {
  using Kind = parse::LiftedConstant::Kind;
  switch (kind) {
    case Kind::kInt4:
      return type == types::oid::kInt4;
    case Kind::kInt8:
      return type == types::oid::kInt8;
    case Kind::kNumeric:
      return type == types::oid::kNumeric;
    case Kind::kString:
      return true;
  }
  PANDO_UNREACHABLE("a kind of constant outside its enumeration");
}

}  // namespace

Task<Status> Session::run(Bytes sql, ResultSink* sink) {
  const auto text = std::make_shared<const std::string>(std::move(sql));
  const bool opens = transaction_.state() == BlockState::kIdle;
  const Beginning beginning{sink, sink->mark()};
  Status status;
  int attempt = 0;
  do {
    status = co_await run_text(text, sink);
  } while (!status.ok() && opens && repeatable_ && co_await may_repeat(status, beginning, attempt++));
  if (!status.ok()) {
    co_await fail();
  }
  end_message();
  co_return for_client(std::move(status));
}

Status Session::for_client(Status status) {
  if (status.is(sql::exec::kRestartStatement)) {
    return Status(sql_state::kSerializationFailure, "could not serialize access due to concurrent update");
  }
  if (!status.ok()) {
    const auto name = [this](types::Oid type) {
      return services_->name_of(types::oid::kRegtype, type).value_or("???");
    };
    ErrorFields& fields = status.fields();
    for (std::string* text : {&fields.message, &fields.detail, &fields.hint}) {
      *text = types::name_user_types(*text, name);
    }
  }
  return status;
}

Task<Status> Session::run_text(TextPtr text, ResultSink* sink) {
  begin_message(*text);
  repeatable_ = false;
  if (Portal portal; find_cached(text, &portal)) {
    co_return co_await run_cached(&portal, sink);
  }
  PANDO_CO_ASSIGN(std::vector<parse::ParsedStatement> statements, parse::parse_statements(*text));
  if (statements.empty()) {
    sink->empty_query();
    co_return Status();
  }
  const bool alone = statements.size() == 1;
  for (std::size_t i = 0; i < statements.size(); ++i) {
    if (i > 0) {
      stop_statement_timer();
      start_statement_timer();
    }
    TreePtr tree = std::move(statements[i].statement);
    const Output output{sink, /*describe=*/true, alone && !transaction_.in_block()};
    PANDO_CO_ASSIGN(const std::string tag, co_await run_statement(text, std::move(tree), output));
    // The answer to the last statement says that all of them are durable.
    if (i + 1 == statements.size() && transaction_.state() == BlockState::kImplicit) {
      PANDO_CO_TRY(co_await commit_transaction());
    }
    sink->complete(tag);
  }
  co_return Status();
}

// A statement seen before, up to its constants: fills in a portal that runs its plan. False: it takes the long way,
// which also words the errors.
bool Session::find_cached(const TextPtr& text, Portal* portal) {
  if (transaction_.failed() || !parse::make_fingerprint(*text, fingerprint_) ||
      plan_cache_->is_refused(fingerprint_.key)) {
    return false;
  }
  transaction_.begin_implicit();
  StatementPlanPtr plan = plan_cache_->find(fingerprint_.key);
  if (plan == nullptr || !is_current(*plan)) {
    auto made = plan_lifted(text);
    if (!made.ok()) {
      if (made.status().is(sql::kCannotLift)) {
        plan_cache_->refuse(fingerprint_.key);
      }
      return false;
    }
    plan = *std::move(made);
    plan_cache_->put(fingerprint_.key, plan);
  }
  if (!take_constants(*text, *plan, portal->parameters)) {
    return false;
  }
  portal->plan = std::move(plan);
  portal->shape = portal->plan->shape;
  portal->text = text;
  return true;
}

// The constants of the fingerprint as the plan's parameters. False: it cannot be run so, or a constant is malformed.
bool Session::take_constants(std::string_view text, const StatementPlan& plan, std::vector<types::Value>& values) {
  values.clear();
  for (std::size_t i = 0; i < fingerprint_.constants.size(); ++i) {
    const types::Type type = plan.parameter_types[i];
    if (!keeps_its_type(fingerprint_.constants[i].kind, type.oid)) {
      plan_cache_->refuse(fingerprint_.key);
      return false;
    }
    auto value = types::parse_text(type, parse::constant_text(text, fingerprint_.constants[i]), evaluation_.settings);
    if (!value.ok()) {
      return false;
    }
    values.push_back(*std::move(value));
  }
  return true;
}

Result<StatementPlanPtr> Session::plan_lifted(const TextPtr& text) {
  PANDO_ASSIGN(const ast::StatementPtr tree, parse::parse_statement(*text));
  PANDO_ASSIGN(StatementPlanPtr plan, make_query_plan(text, *tree, {}, fingerprint_.locations));
  if (plan->parameter_types.size() != fingerprint_.constants.size()) {
    return Status(sql::kCannotLift, "a constant without a parameter");
  }
  return plan;
}

Task<Status> Session::run_cached(Portal* portal, ResultSink* sink) {
  services_->begin_statement();
  repeatable_ = true;
  PANDO_CO_TRY((co_await run_query(portal, 0, {.sink = sink, .describe = true})).status());
  const std::string tag = query_tag(*portal);
  portal->query.reset();
  if (transaction_.state() == BlockState::kImplicit) {
    PANDO_CO_TRY(co_await commit_transaction());
  }
  sink->complete(tag);
  co_return Status();
}

Task<Result<std::string>> Session::run_statement(TextPtr text, TreePtr tree, Output output) {
  PANDO_CO_TRY(check_not_failed(*tree));
  transaction_.begin_implicit();
  services_->begin_statement();
  PANDO_CO_ASSIGN(const PreparedStatementPtr statement, analyze(std::move(text), std::move(tree), {}));
  if (!statement->parameter_types.empty()) {
    co_return Status(sql_state::kUndefinedParameter, "there is no parameter $1");
  }
  Portal portal;
  portal.statement = statement;
  portal.plan = statement->plan;
  portal.shape = statement->plan->shape;
  repeatable_ = output.alone && portal.plan->query != nullptr;
  PANDO_CO_TRY((co_await run_portal(&portal, 0, output)).status());
  co_return std::move(portal.tag);
}

}  // namespace pando::session
