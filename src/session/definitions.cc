// Session: data definition, through sql/ddl, and the queries that it runs inside the same transaction.

#include "session/job_runner.h"
#include "session/planner_statistics.h"
#include "session/services.h"
#include "session/session.h"
#include "sql/ddl/define.h"
#include "sql/optimize/optimize.h"
#include "sql/parse/parse.h"

namespace pando::session {

// Runs queries of data definition over the session's own pipeline.
class Session::DefinitionQueries final : public sql::InternalQueries {
 public:
  DefinitionQueries(Session& session, TextPtr text, MeasuredRun* measured)
      : session_(session), text_(std::move(text)), measured_(measured) {}

  Task<Result<std::vector<std::vector<types::Value>>>> rows(std::string sql) override {
    return session_.internal_rows(std::move(sql));
  }
  Task<Result<sql::LogicalQuery>> prepared(const ast::Execute* execute) override {
    PANDO_CO_ASSIGN(const PreparedStatementPtr statement, session_.find_statement(execute->name));
    if (statement->tree == nullptr || !std::holds_alternative<ast::Select>(statement->tree->node)) {
      co_return Status(sql_state::kWrongObjectType, "prepared statement is not a SELECT");
    }
    PANDO_CO_ASSIGN(arguments_, co_await session_.execute_arguments(*execute, text_, statement));
    std::vector<types::Oid> types;
    for (const types::Type& type : statement->parameter_types) {
      types.push_back(type.oid);
    }
    co_return sql::bind_query(*statement->tree, session_.bind_options(statement->text, std::move(types)));
  }
  Task<Result<uint64_t>> run(sql::LogicalQuery query) override {
    return session_.internal_run(std::move(query), std::exchange(arguments_, {}), measured_);
  }
  Task<Status> execute(const ast::Statement* statement) override { return session_.internal_execute(statement); }

 private:
  Session& session_;
  const TextPtr text_;
  MeasuredRun* const measured_;
  // Of the prepared statement whose query run() gets next.
  std::vector<types::Value> arguments_;
};

Task<Result<std::vector<std::vector<types::Value>>>> Session::internal_rows(std::string sql) {
  auto text = std::make_shared<const std::string>(std::move(sql));
  PANDO_CO_ASSIGN(ast::StatementPtr tree, parse::parse_statement(*text));
  PANDO_CO_ASSIGN(const StatementPlanPtr plan, make_query_plan(text, *tree, {}, {}));
  std::vector<std::vector<types::Value>> rows;
  transaction_.transaction().begin_statement();
  sql::exec::Query query(plan->query, execution_context({}));
  PANDO_CO_TRY(co_await query.open());
  types::Chunk chunk;
  while (true) {
    PANDO_CO_ASSIGN(const bool more, co_await query.next(chunk));
    if (!more) {
      co_return rows;
    }
    for (std::size_t row = 0; row < chunk.rows; ++row) {
      auto& values = rows.emplace_back();
      for (const types::Vector& column : chunk.columns) {
        values.push_back(column.get(row));
      }
    }
  }
}

Task<Result<uint64_t>> Session::internal_run(sql::LogicalQuery query, std::vector<types::Value> parameters,
                                             MeasuredRun* measured) {
  const PlannerStatistics statistics(environment_.statistics);
  const sql::OptimizeOptions options{
      .catalog = snapshot(), .statistics = &statistics, .methods = plan_methods(), .evaluation = &evaluation_};
  PANDO_CO_ASSIGN(sql::PhysicalQuery plan, sql::optimize(std::move(query), options));
  transaction_.transaction().begin_statement();
  const auto shared = std::make_shared<const sql::PhysicalQuery>(std::move(plan));
  auto context = execution_context(parameters);
  context.instrument = measured != nullptr;
  auto run = std::make_unique<sql::exec::Query>(shared, std::move(context));
  PANDO_CO_TRY(co_await run->open());
  types::Chunk chunk;
  bool more = true;
  while (more) {
    PANDO_CO_ASSIGN(more, co_await run->next(chunk));
  }
  const uint64_t rows = run->rows_affected();
  if (measured != nullptr) {
    *measured = {shared, std::move(run)};
  }
  co_return rows;
}

Task<Status> Session::internal_execute(const ast::Statement* statement) {
  if (sql::is_definition(*statement)) {
    const auto text = std::make_shared<const std::string>();
    co_return (co_await run_definition(statement, text, {})).status();
  }
  co_return Status(sql_state::kFeatureNotSupported, "this element of CREATE SCHEMA is not supported");
}

Task<Result<std::string>> Session::run_definition(const ast::Statement* statement, TextPtr text, Output output,
                                                  MeasuredRun* measured) {
  const auto* create_index = std::get_if<ast::CreateIndex>(&statement->node);
  const bool concurrently = create_index != nullptr && create_index->concurrently;
  if (concurrently && !output.alone) {
    co_return Status(sql_state::kActiveSqlTransaction,
                     "CREATE INDEX CONCURRENTLY cannot run inside a transaction block");
  }
  // On a node of its own a statement is faster than a job, and only keeps writers away.
  const bool wants_job = environment_.cluster != nullptr || concurrently;
  const bool may_have_job = wants_job && environment_.jobs != nullptr && output.alone && !transaction_.started();
  catalog::Job job;
  transaction_.start();
  if (transaction_.read_only()) {
    co_return Status(sql_state::kReadOnlySqlTransaction, "cannot execute {} in a read-only transaction",
                     sql::definition_name(*statement));
  }
  transaction_.transaction().begin_statement();
  DefinitionQueries queries(*this, text, measured);
  sql::DefineContext context{.catalog = transaction_.catalog(),
                             .sequences = environment_.sequences,
                             .executor = executor_,
                             .bind = bind_options(text, {}),
                             .queries = queries,
                             .notice = [this, output](Status status) { notice(output, status); },
                             .temporary_schema = &services_->temporary_schema(),
                             .job = may_have_job ? &job : nullptr,
                             .job_sizes = environment_.job_sizes};
  auto tag = co_await sql::define(statement, &context);
  if (tag.ok()) {
    note_on_commit(*statement);
    user_types_version_ = 0;
    refresh_user_types();
    evaluation_.settings.user_types = settings_.values().types.user_types;
  }
  if (tag.ok() && job.table != 0) {
    job.statement = *text;
    PANDO_CO_TRY(co_await run_job(std::move(job)));
  }
  co_return tag;
}

Task<Status> Session::run_job(catalog::Job job) {
  JobRunner& runner = *environment_.jobs;
  PANDO_CO_ASSIGN(job.id, co_await environment_.catalog.allocate_oid(executor_));
  const uint32_t id = job.id;
  job.created_us = now_us();
  const auto table = snapshot()->find_table(job.table);
  if (environment_.statistics != nullptr) {
    job.rows_total = static_cast<uint64_t>(std::max(0.0, environment_.statistics->live_rows(*table)));
  }
  PANDO_CO_TRY(co_await runner.jobs().put(transaction_.transaction(), std::move(job)));
  PANDO_CO_TRY(co_await commit_transaction());
  runner.wake();
  PANDO_CO_ASSIGN(const catalog::Job ended, co_await runner.wait(id, executor_, cancellation_));
  if (ended.state == catalog::JobState::kCancelled && cancellation_.requested()) {
    co_return cancellation_.status();
  }
  co_return ended.error();
}

Task<Status> Session::run_instead(Work work) {
  begin_message("");
  if (termination_requested()) {
    end_message();
    co_return termination_reason();
  }
  transaction_.begin_implicit();
  transaction_.start();
  auto context = execution_context({});
  Status status = co_await work(&transaction_.catalog(), &context);
  if (status.ok()) {
    status = co_await commit_transaction();
  } else {
    co_await transaction_.rollback();
  }
  end_message();
  co_return status;
}

void Session::notice(const Output& output, const Status& status) {
  constexpr int kNoticeRank = 6;
  if (output.sink != nullptr && settings_.values().client_min_rank <= kNoticeRank) {
    output.sink->notice(NoticeSeverity::kNotice, status.fields());
  }
}

}  // namespace pando::session
