// Session: statements that read or write one row by its primary key, run on the spot: no coroutine, no operators, and
// for reads no allocation once the session has run one. When the row is on another node they wait for it alone. What
// they cannot do here, the general way does.

#include <algorithm>

#include "catalog/keys.h"
#include "session/plan_cache.h"
#include "session/services.h"
#include "session/session.h"

namespace pando::session {

bool Session::may_read_point(const StatementPlan& plan) {
  return plan.point_read != nullptr && !transaction_.failed() && !cancellation_.requested() && is_current(plan);
}

// False when it must wait; then nothing was done. `rows`: how many there were.
Result<bool> Session::read_point(const StatementPlan& plan, std::span<const types::Value> parameters,
                                 const RowShapePtr& shape, Output output, uint64_t& rows) {
  transaction_.start();
  const bool may_wait = environment_.registry.exclusive_tables().any();
  if (may_wait || transaction_.point_access() == nullptr || transaction_.reads_past()) {
    return false;
  }
  transaction_.transaction().begin_statement();
  PANDO_ASSIGN(const txn::ReadOutcome outcome, plan.point_read->run(*transaction_.point_access(), parameters));
  if (outcome == txn::ReadOutcome::kMustWait) {
    return false;
  }
  rows = outcome == txn::ReadOutcome::kFound ? 1 : 0;
  output.sink->begin_rows(shape, settings_.values().types, output.describe);
  if (rows != 0) {
    PANDO_TRY(output.sink->add_rows(plan.point_read->rows(), 0, rows));
  }
  return true;
}

bool Session::try_lock_tables(const StatementPlan& plan) {
  txn::PointAccess* const access = transaction_.point_access();
  return access != nullptr &&
         std::ranges::all_of(plan.locked_tables,
                             [access](types::Oid table) {
                               return access->try_hold(catalog::table_lock_key(table), txn::LockStrength::kKeyShare);
                             }) &&
         !environment_.catalog.is_stale();
}

bool Session::execute_read(Portal& portal, ResultSink* sink, Status& status) {
  if (!may_read_point(*portal.plan)) {
    return false;
  }
  transaction_.begin_implicit();
  const Output output{.sink = sink};
  const auto done = read_point(*portal.plan, portal.parameters, portal.shape, output, portal.rows_delivered);
  if (done.ok() && !*done) {
    return false;
  }
  portal.started = true;
  portal.ended = true;
  portal.savepoint_depth = transaction_.savepoint_depth();
  status = done.status();
  if (status.ok()) {
    sink->complete(portal.rows_delivered != 0 ? "SELECT 1" : "SELECT 0");
  }
  return true;
}

bool Session::execute_write(Portal& portal, ResultSink* sink, Status& status) {
  const StatementPlan& plan = *portal.plan;
  if (transaction_.failed() || transaction_.read_only() || cancellation_.requested()) {
    return false;
  }
  transaction_.begin_implicit();
  if (!may_write_point(plan)) {
    return false;
  }
  transaction_.start();
  if (!try_lock_tables(plan)) {
    return false;
  }
  // What DDL had to change it has changed by now.
  if (!is_current(plan)) {
    return false;
  }
  transaction_.transaction().begin_statement();
  const auto outcome = plan.point_write->run(*transaction_.point_access(), execution_context(portal.parameters));
  if (outcome.ok() && *outcome != sql::exec::PointWrite::Outcome::kDone) {
    return false;
  }
  portal.started = true;
  portal.ended = true;
  portal.savepoint_depth = transaction_.savepoint_depth();
  portal.rows_written = plan.point_write->rows_affected();
  status = outcome.status();
  if (status.ok()) {
    count_point_write(plan);
    portal.tag.assign(plan.tag);
    portal.tag.append(portal.rows_written != 0 ? " 1" : " 0");
    sink->complete(portal.tag);
  }
  return true;
}

// For the table's statistics, as TableWriter does for statements on many rows.
void Session::count_point_write(const StatementPlan& plan) {
  const catalog::TablePtr table =
      plan.point_write->rows_affected() == 0 ? nullptr : snapshot()->find_table(plan.locked_tables.front());
  if (table != nullptr) {
    const bool inserts = plan.tag.starts_with("INSERT") && !plan.point_write->replaces();
    transaction_.execution_state().changes.push_back(
        {.table = table->oid, .id = table->id, .inserted = inserts ? 1U : 0U, .updated = inserts ? 0U : 1U});
  }
}

bool Session::may_write_point(const StatementPlan& plan) {
  return plan.point_write != nullptr &&
         (transaction_.state() == BlockState::kImplicit || !plan.point_write->replaces());
}

Task<Result<bool>> Session::write_point(Portal* portal) {
  using Outcome = sql::exec::PointWrite::Outcome;
  PANDO_CO_TRY(co_await begin_query(portal));
  // Waiting for the table may have brought another plan.
  if (!may_write_point(*portal->plan) || transaction_.point_access() == nullptr) {
    co_return false;
  }
  sql::exec::PointWrite& point = *portal->plan->point_write;
  PANDO_CO_ASSIGN(Outcome outcome, point.run(*transaction_.point_access(), execution_context(portal->parameters)));
  if (outcome == Outcome::kMustLock) {
    const txn::SavepointId before = transaction_.transaction().savepoint();
    PANDO_CO_TRY(co_await lock_point(&point));
    PANDO_CO_ASSIGN(outcome, point.run(*transaction_.point_access(), execution_context(portal->parameters)));
    if (outcome == Outcome::kDone && point.rows_affected() == 0) {
      // The lock of a row that is not there would keep others from inserting it.
      transaction_.transaction().rollback_to(before);
    }
    transaction_.transaction().release(before);
  }
  if (outcome != Outcome::kDone) {
    co_return false;
  }
  portal->ended = true;
  portal->rows_written = point.rows_affected();
  count_point_write(*portal->plan);
  co_return true;
}

Task<Status> Session::lock_point(sql::exec::PointWrite* point) {
  txn::Transaction& transaction = transaction_.transaction();
  PANDO_CO_TRY((co_await transaction.lock(point->key(), point->strength(), txn::WaitPolicy::kBlock)).status());
  transaction.begin_statement();
  co_return Status();
}

// The row that a point read could not have on the spot. False: the general way must run, from the beginning.
Task<Result<bool>> Session::await_point(Portal* portal, Output output) {
  PANDO_CO_TRY(co_await begin_query(portal));
  sql::exec::PointRead* const point = portal->plan->point_read.get();
  if (point == nullptr || transaction_.point_access() == nullptr) {
    co_return false;
  }
  PANDO_CO_ASSIGN(txn::ReadOutcome outcome, point->run(*transaction_.point_access(), portal->parameters));
  if (outcome == txn::ReadOutcome::kMustWait) {
    const auto row = co_await transaction_.transaction().get(point->key());
    if (!row.ok()) {
      co_return false;
    }
    outcome = row->has_value() ? txn::ReadOutcome::kFound : txn::ReadOutcome::kAbsent;
    if (row->has_value()) {
      PANDO_CO_TRY(point->take(**row));
    }
  }
  output.sink->begin_rows(portal->shape, settings_.values().types, output.describe);
  portal->ended = true;
  portal->rows_delivered = outcome == txn::ReadOutcome::kFound ? 1 : 0;
  if (portal->rows_delivered != 0) {
    PANDO_CO_TRY(output.sink->add_rows(point->rows(), 0, 1));
  }
  co_return true;
}

bool Session::try_execute(std::string_view name, uint64_t rows_max, ResultSink* sink, Status& status) {
  const auto found = portals_.find(name);
  // A portal that is to stop after one row does not know yet that there is no other.
  if (found == portals_.end() || rows_max == 1) {
    return false;
  }
  Portal& portal = *found->second;
  if (portal.started || portal.plan == nullptr) {
    return false;
  }
  const Beginning beginning{sink, sink->mark()};
  const bool executed = portal.plan->point_read != nullptr
                            ? execute_read(portal, sink, status)
                            : portal.plan->point_write != nullptr && execute_write(portal, sink, status);
  if (executed && status.is(sql_state::kSerializationFailure) && !transaction_.in_block()) {
    // The other way may begin the transaction again.
    portal.restart();
    return false;
  }
  if (executed) {
    note_execution(name, rows_max, beginning);
  }
  return executed;
}

bool Session::try_sync() {
  if (transaction_.state() == BlockState::kImplicit) {
    // A cursor may have to outlive the transaction.
    const bool only_unnamed = portals_.empty() || (portals_.size() == 1 && portals_.begin()->first.empty());
    if (!only_unnamed || !on_commit_.empty()) {
      return false;
    }
    set_aside_only_execution();
    close_portals_of_transaction();
    if (!transaction_.try_commit()) {
      return false;
    }
    close_only_portal();
  }
  end_message();
  return true;
}

bool Session::try_run(std::string_view sql, ResultSink* sink, Status& status) {
  // In an implicit transaction of earlier messages there may be more to commit than a read.
  const bool alone = transaction_.state() == BlockState::kIdle;
  if ((!alone && transaction_.state() != BlockState::kInBlock) || !parse::make_fingerprint(sql, fingerprint_)) {
    return false;
  }
  const StatementPlanPtr plan = plan_cache_->find(fingerprint_.key);
  if (plan == nullptr || plan->point_read == nullptr || !is_current(*plan) || !take_constants(sql, *plan, constants_)) {
    return false;
  }
  begin_message(sql);
  transaction_.begin_implicit();
  uint64_t rows = 0;
  const auto done = read_point(*plan, constants_, plan->shape, {.sink = sink, .describe = true}, rows);
  if (done.ok() && !*done) {
    // The general way begins the message again.
    return false;
  }
  status = done.status();
  if (status.ok()) {
    const bool over = !alone || transaction_.try_commit();
    PANDO_ASSERT(over, "a transaction that did nothing but a read without waiting ends without waiting");
    sink->complete(rows != 0 ? "SELECT 1" : "SELECT 0");
    end_message();
  }
  return true;
}

}  // namespace pando::session
