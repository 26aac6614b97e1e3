// Session: CALL. Procedures are those of the schema pando; there are no others.

#include <fmt/format.h>

#include "catalog/keys.h"
#include "runtime/sleep.h"
#include "session/cluster_control.h"
#include "session/job_runner.h"
#include "session/session.h"
#include "sql/ast/print.h"
#include "sql/exec/table_layout.h"
#include "types/row_codec.h"

namespace pando::session {
namespace {

// Five seconds, while replicas come and go: as after a node has joined, a shard is being changed now and then.
constexpr int kSplitAttemptsMax = 50;
constexpr std::chrono::milliseconds kSplitPause{100};

Status no_cluster() {
  return Status(sql_state::kObjectNotInPrerequisiteState, "this node does not belong to a cluster")
      .with_hint("Start it with --cluster, or with --join and the addresses of other nodes.");
}

Status wrong_arguments(std::string_view signature) {
  return Status(sql_state::kUndefinedFunction, "the procedure's arguments do not fit")
      .with_hint(fmt::format("It is called as {}.", signature));
}

}  // namespace

Task<Result<std::string>> Session::run_call(const ast::Call& command) {
  const auto* call = std::get_if<ast::FunctionCall>(&command.call->node);
  PANDO_ASSERT(call != nullptr, "CALL names a procedure");
  const std::string& name = call->name.back();
  const bool is_pando = call->name.size() == 2 && call->name.front() == "pando";
  if (!is_pando || (name != "split" && name != "merge" && name != "transfer_lease" && name != "cancel_job")) {
    co_return Status(sql_state::kUndefinedFunction, "procedure {} does not exist",
                     ast::print_expression(*command.call));
  }
  if (name == "cancel_job") {
    PANDO_CO_TRY(co_await run_cancel_job(*call));
    co_return "CALL";
  }
  if (environment_.cluster == nullptr) {
    co_return no_cluster();
  }
  transaction_.start();
  if (name == "transfer_lease") {
    PANDO_CO_TRY(co_await run_transfer_lease(*call));
    co_return "CALL";
  }
  PANDO_CO_ASSIGN(Bytes key, co_await boundary_of(*call));
  PANDO_CO_TRY(name == "split"
                   ? co_await split_shard(key)
                   : co_await environment_.cluster->merge(std::move(key), transaction_.transaction().executor()));
  co_return "CALL";
}

Task<Status> Session::split_shard(const Bytes& key) {
  runtime::Executor& executor = transaction_.transaction().executor();
  for (int attempt = 1;; ++attempt) {
    Status status = co_await environment_.cluster->split(key, executor);
    if (!status.is(sql_state::kObjectNotInPrerequisiteState) || attempt == kSplitAttemptsMax) {
      co_return status;
    }
    PANDO_CO_TRY(co_await runtime::sleep(environment_.timer, executor, kSplitPause, &cancellation_));
  }
}

// CALL pando.split('table', value, ...): the shard of the table's rows is cut before the row whose primary key begins
// with the values; without values, before the table. CALL pando.merge(...) undoes that.
Task<Result<Bytes>> Session::boundary_of(const ast::FunctionCall& call) {
  const std::string signature =
      fmt::format("pando.{}('table', first column of the primary key, ...)", call.name.back());
  if (call.arguments.empty()) {
    co_return wrong_arguments(signature);
  }
  PANDO_CO_ASSIGN(const auto names,
                  co_await internal_rows(fmt::format("SELECT CAST(CAST({} AS regclass) AS oid)",
                                                     ast::print_expression(*call.arguments.front()))));
  const auto table =
      names.front().front().is_null() ? nullptr : snapshot()->find_table(names.front().front().as<uint32_t>());
  if (table == nullptr || table->kind != catalog::RelationKind::kTable) {
    co_return Status(sql_state::kWrongObjectType, "pando.{} is for tables", call.name.back());
  }
  const sql::exec::TableLayout layout(table);
  const auto& columns = layout.primary_key();
  if (call.arguments.size() - 1 > columns.size()) {
    co_return wrong_arguments(signature);
  }
  Bytes key = catalog::index_prefix(table->id, catalog::kRowIndexId);
  for (std::size_t i = 1; i < call.arguments.size(); ++i) {
    const auto& column = columns[i - 1];
    PANDO_CO_ASSIGN(const auto values, co_await internal_rows(fmt::format("SELECT CAST({} AS {})",
                                                                          ast::print_expression(*call.arguments[i]),
                                                                          types::format_type(column.type))));
    types::append_key(key, column.type.oid, values.front().front(), column.order);
  }
  co_return key;
}

// CALL pando.cancel_job(job): asks whoever does it to undo it. Does not wait for that.
Task<Status> Session::run_cancel_job(const ast::FunctionCall& call) {
  if (call.arguments.size() != 1) {
    co_return wrong_arguments("pando.cancel_job(job)");
  }
  transaction_.start();
  PANDO_CO_ASSIGN(const auto rows, co_await internal_rows(fmt::format("SELECT CAST({} AS int8)",
                                                                      ast::print_expression(*call.arguments[0]))));
  const auto& job = rows.front().front();
  if (job.is_null()) {
    co_return wrong_arguments("pando.cancel_job(job)");
  }
  const int64_t id = job.as<int64_t>();
  if (environment_.jobs == nullptr || id < 0 || id > UINT32_MAX) {
    co_return Status(sql_state::kUndefinedObject, "job {} does not exist", id);
  }
  co_return co_await environment_.jobs->cancel(static_cast<uint32_t>(id), executor_, &cancellation_);
}

// CALL pando.transfer_lease(shard, node).
Task<Status> Session::run_transfer_lease(const ast::FunctionCall& call) {
  if (call.arguments.size() != 2) {
    co_return wrong_arguments("pando.transfer_lease(shard, node)");
  }
  PANDO_CO_ASSIGN(const auto rows, co_await internal_rows(fmt::format("SELECT CAST({} AS int8), CAST({} AS int4)",
                                                                      ast::print_expression(*call.arguments[0]),
                                                                      ast::print_expression(*call.arguments[1]))));
  const auto& row = rows.front();
  if (row[0].is_null() || row[1].is_null()) {
    co_return wrong_arguments("pando.transfer_lease(shard, node)");
  }
  co_return co_await environment_.cluster->transfer_lease(static_cast<uint64_t>(row[0].as<int64_t>()),
                                                          static_cast<uint32_t>(row[1].as<int32_t>()),
                                                          transaction_.transaction().executor());
}

}  // namespace pando::session
