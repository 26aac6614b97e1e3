#include "session/schema_change.h"

#include <algorithm>

#include "catalog/keys.h"
#include "runtime/sleep.h"
#include "session/session.h"
#include "session/system_tables.h"
#include "sql/exec/constraint_check.h"
#include "sql/exec/index_backfill.h"
#include "sql/parse/parse.h"
#include "types/calendar.h"

namespace pando::session {
namespace {

using catalog::Job;
using catalog::JobKind;
using catalog::JobState;
using catalog::TableDescriptor;

// How a piece shrinks and grows, see JobSizes.
constexpr std::size_t kPieceShrinks = 4;
constexpr std::size_t kPieceGrows = 2;
// How long statements may queue behind a change of the descriptor that waits for a long transaction, and how long they
// are left alone then.
constexpr std::chrono::milliseconds kTableLockWait{300};
constexpr std::chrono::milliseconds kTableLockPause{700};

// What another attempt may not meet: conflicts with others, lost nodes, a full disk, the end of this process.
bool may_pass(const Status& status) {
  constexpr std::string_view kClasses[] = {"08", "40", "53", "58"};
  const auto error_class = status.code().error_class();
  return std::ranges::find(kClasses, error_class) != std::end(kClasses) || status.is(sql_state::kLockNotAvailable) ||
         status.is(sql_state::kAdminShutdown) || status.is(sql_state::kCannotConnectNow) ||
         status.is(sql::exec::kRestartStatement);
}

// What the next attempt need not wait for.
bool is_conflict(const Status& status) {
  return status.is(sql_state::kSerializationFailure) || status.is(sql_state::kDeadlockDetected) ||
         status.is(sql::exec::kRestartStatement);
}

Bytes next_key(Bytes key) {
  key.push_back('\0');
  return key;
}

Status no_table() { return Status(sql_state::kUndefinedTable, "the table was dropped while a job changed it"); }

Status no_object() {
  return Status(sql_state::kUndefinedObject, "the index or constraint was dropped while a job worked on it");
}

const catalog::ConstraintDescriptor* find_constraint(const TableDescriptor& table, types::Oid oid) {
  const auto found = std::ranges::find(table.constraints, oid, &catalog::ConstraintDescriptor::oid);
  return found == table.constraints.end() ? nullptr : &*found;
}

// What ALTER TABLE ... SET NOT NULL says, instead of what the check did that stood for it.
Status contains_nulls(const TableDescriptor& table, catalog::AttributeNumber attribute, const Status& check) {
  const std::string& column = table.column(attribute).name;
  Status status(sql_state::kNotNullViolation, "column \"{}\" of relation \"{}\" contains null values", column,
                table.name);
  status.fields().schema_name = check.fields().schema_name;
  status.fields().table_name = table.name;
  status.fields().column_name = column;
  return status;
}

void note_progress(Job& job, Bytes checkpoint, std::size_t rows) {
  job.checkpoint = std::move(checkpoint);
  job.rows_done += rows;
  job.rows_total = job.rows_total == 0 ? 0 : std::max(job.rows_total, job.rows_done);
}

// Whether what the job works on is still there.
bool has_object(const TableDescriptor& table, const Job& job) {
  return (job.index == 0 || table.find_index(job.index) != nullptr) &&
         (job.constraint == 0 || find_constraint(table, job.constraint) != nullptr);
}

}  // namespace

SchemaChange::Transaction SchemaChange::begin(txn::Isolation isolation) {
  auto transaction =
      environment_.store.begin({.isolation = isolation, .executor = &executor_, .cancellation = &stopping_});
  transaction->begin_statement();
  return transaction;
}

// The job, as long as it is this node's and nobody has cancelled it. After the locks of tables: who has one may cancel
// the job in the same transaction, and must not wait for it.
Task<Result<Job>> SchemaChange::hold(txn::Transaction& transaction) {
  PANDO_CO_ASSIGN(Job held, co_await jobs_.hold(transaction, job_));
  if (held.cancel_requested && held.state == JobState::kRunning) {
    co_return Status(sql_state::kQueryCanceled, "canceling statement due to user request");
  }
  co_return held;
}

Task<Status> SchemaChange::run() {
  if (job_.state == JobState::kRunning) {
    Status status = co_await advance();
    if (status.ok() || may_pass(status)) {
      co_return status;
    }
    PANDO_CO_TRY(co_await give_up(std::move(status)));
  }
  co_return co_await revert();
}

Task<Status> SchemaChange::advance() {
  PANDO_CO_TRY(job_.kind == JobKind::kBuildIndex ? co_await build_index() : co_await validate());
  co_return co_await publish();
}

// --- the rows from before ---

Task<Status> SchemaChange::build_index() {
  const catalog::JobSizes& sizes = environment_.job_sizes;
  PANDO_CO_TRY(co_await find_end());
  while (true) {
    auto rows = co_await next_rows();
    if (rows.ok() && rows->empty()) {
      co_return Status();
    }
    Status status = rows.ok() ? co_await fill(&*rows, /*locked=*/false) : rows.status();
    if (status.ok()) {
      piece_rows_ = std::min(piece_rows_ * kPieceGrows, sizes.piece_max);
    } else if (rows.ok() && is_conflict(status)) {
      if (rows->size() <= sizes.piece_min) {
        status = co_await fill(&*rows, /*locked=*/true);
      }
      piece_rows_ = std::max(piece_rows_ / kPieceShrinks, sizes.piece_min);
    }
    if (!is_conflict(status)) {
      PANDO_CO_TRY(status);
    }
    if (stopping_.requested()) {
      co_return stopping_.status();
    }
    co_await runtime::yield_to(executor_);
  }
}

Task<Status> SchemaChange::find_end() {
  const Bytes prefix = catalog::index_prefix(job_.place, catalog::kRowIndexId);
  const auto transaction = begin(txn::Isolation::kReadCommitted);
  {
    const auto cursor = transaction->scan({prefix, prefix_end(prefix)}, {.reverse = true, .limit_hint = 1});
    txn::KeyValueBatch batch;
    PANDO_CO_TRY(co_await cursor->next(batch, 1));
    end_ = batch.size() == 0 ? prefix : next_key(Bytes(batch.key(0)));
  }
  co_await transaction->rollback();
  co_return Status();
}

Bytes SchemaChange::start() const {
  return job_.checkpoint.empty() ? catalog::index_prefix(job_.place, catalog::kRowIndexId) : job_.checkpoint;
}

// Keys of the rows behind the checkpoint.
Task<Result<std::vector<Bytes>>> SchemaChange::next_rows() {
  std::vector<Bytes> keys;
  if (start() >= end_) {
    co_return keys;
  }
  const auto transaction = begin(txn::Isolation::kReadCommitted);
  {
    const auto cursor = transaction->scan({start(), end_}, {.limit_hint = piece_rows_});
    txn::KeyValueBatch batch;
    PANDO_CO_TRY(co_await cursor->next(batch, piece_rows_));
    for (std::size_t i = 0; i < batch.size(); ++i) {
      keys.emplace_back(batch.key(i));
    }
  }
  co_await transaction->rollback();
  co_return keys;
}

// The entries of these rows, and the note that they are there.
Task<Status> SchemaChange::fill(const std::vector<Bytes>* rows, bool locked) {
  const auto transaction = begin(locked ? txn::Isolation::kReadCommitted : txn::Isolation::kSerializable);
  catalog::CatalogTransaction view(environment_.catalog, *transaction);
  PANDO_CO_TRY(co_await view.lock_table(job_.table, txn::LockStrength::kKeyShare, txn::WaitPolicy::kBlock));
  PANDO_CO_ASSIGN(Job held, co_await hold(*transaction));
  const auto snapshot = view.snapshot();
  const auto table = snapshot->find_table(job_.table);
  if (table == nullptr) {
    co_return no_table();
  }
  if (!has_object(*table, job_)) {
    co_return no_object();
  }
  if (table->id != job_.place) {
    // All rows were written anew, by a statement that knew the index.
    job_.checkpoint = end_;
    co_return Status();
  }
  sql::EvaluationContext evaluation;
  evaluation.settings.user_types = snapshot->user_types();
  sql::exec::TransactionState state;
  TableExpressionCache expressions([&](catalog::TablePtr of) {
    return sql::bind_table_expressions(std::move(of), {.catalog = snapshot,
                                                       .text = "",
                                                       .evaluation = &evaluation,
                                                       .parse_statement = &parse::parse_statement,
                                                       .parse_expression = &parse::parse_expression,
                                                       .parse_type_name = &parse::parse_type_name});
  });
  sql::exec::IndexBackfill backfill(table, job_.index,
                                    {.transaction = *transaction,
                                     .evaluation = evaluation,
                                     .executor = executor_,
                                     .state = state,
                                     .cancellation = &stopping_,
                                     .catalog = snapshot,
                                     .table_expressions = &expressions});
  PANDO_CO_TRY(locked ? co_await backfill.fill_locked(*rows)
                      : co_await backfill.fill({rows->front(), next_key(rows->back())}));
  note_progress(held, next_key(rows->back()), rows->size());
  PANDO_CO_TRY(co_await jobs_.put(*transaction, held));
  PANDO_CO_TRY(co_await transaction->commit());
  job_ = std::move(held);
  co_return Status();
}

Task<Status> SchemaChange::validate() {
  PANDO_CO_TRY(co_await find_end());
  Session session(environment_, executor_, {});
  Status status;
  {
    const runtime::Cancellation::Registration registration(
        stopping_, [&session](const Status& reason) { session.request_termination(reason); });
    while (start() < end_ && (status.ok() || is_conflict(status))) {
      status = co_await check_rows(&session);
      co_await runtime::yield_to(executor_);
    }
  }
  co_await session.close();
  co_return status;
}

// Looks at a piece of the rows, with all that a statement has: a condition may ask for the time, or for the user.
Task<Status> SchemaChange::check_rows(Session* session) {
  Job held;
  const Status status = co_await session->run_instead(
      [&](catalog::CatalogTransaction* view, sql::exec::ExecutionContext* context) -> Task<Status> {
        PANDO_CO_TRY(co_await look_at_rows(view, context, &held));
        co_return co_await jobs_.put(context->transaction, held);
      });
  if (status.ok()) {
    const bool moved = held.place != job_.place;
    job_ = std::move(held);
    co_return moved ? co_await find_end() : Status();
  }
  co_return status;
}

Task<Status> SchemaChange::look_at_rows(catalog::CatalogTransaction* view, sql::exec::ExecutionContext* context,
                                        Job* held) {
  PANDO_CO_TRY(co_await view->lock_table(job_.table, txn::LockStrength::kKeyShare, txn::WaitPolicy::kBlock));
  const auto table = view->snapshot()->find_table(job_.table);
  const auto* constraint = table == nullptr ? nullptr : find_constraint(*table, job_.constraint);
  if (constraint == nullptr) {
    co_return table == nullptr ? no_table() : no_object();
  }
  if (constraint->referenced_table != 0) {
    PANDO_CO_TRY(
        co_await view->lock_table(constraint->referenced_table, txn::LockStrength::kKeyShare, txn::WaitPolicy::kBlock));
  }
  PANDO_CO_ASSIGN(*held, co_await hold(context->transaction));
  if (table->id != job_.place) {
    // All rows were written anew, by a statement that did not look at the constraint.
    held->place = table->id;
    held->checkpoint.clear();
    held->rows_done = 0;
    co_return Status();
  }
  // Not before the table that is referred to was locked: its rows may have been written anew until then.
  context->transaction.begin_statement();
  context->catalog = view->snapshot();
  sql::exec::ConstraintCheck check(table, job_.constraint, *context);
  auto piece = co_await check.check({start(), end_}, environment_.job_sizes.checked_max);
  if (!piece.ok()) {
    Status status = std::move(piece).status();
    const bool is_null = status.is(sql_state::kCheckViolation) && job_.not_null != 0;
    co_return is_null ? contains_nulls(*table, job_.not_null, status) : status;
  }
  note_progress(*held, piece->next.empty() ? end_ : piece->next, piece->rows);
  co_return Status();
}

// --- the end ---

Task<Status> SchemaChange::publish() {
  return change_table(
      [this](TableDescriptor& table) {
        for (catalog::IndexDescriptor& index : table.indexes) {
          if (index.oid == job_.index) {
            index.readable = true;
          }
        }
        for (catalog::ConstraintDescriptor& constraint : table.constraints) {
          if (constraint.oid == job_.constraint) {
            constraint.validated = true;
          }
        }
        if (job_.not_null != 0) {
          table.columns[static_cast<std::size_t>(job_.not_null) - 1].not_null = true;
          std::erase_if(table.constraints, [&](const auto& each) { return each.oid == job_.constraint; });
        }
      },
      JobState::kSucceeded);
}

// Notes that the job has failed. From here on it only undoes what was begun.
Task<Status> SchemaChange::give_up(Status why) {
  const auto transaction = begin(txn::Isolation::kReadCommitted);
  PANDO_CO_ASSIGN(Job held, co_await jobs_.hold(*transaction, job_));
  held.state = JobState::kReverting;
  held.set_error(why);
  PANDO_CO_TRY(co_await jobs_.put(*transaction, held));
  PANDO_CO_TRY(co_await transaction->commit());
  job_ = std::move(held);
  co_return Status();
}

Task<Status> SchemaChange::revert() {
  const JobState end = job_.error().is(sql_state::kQueryCanceled) ? JobState::kCancelled : JobState::kFailed;
  return change_table(
      [this](TableDescriptor& table) {
        if (!job_.keeps_constraint) {
          std::erase_if(table.constraints, [&](const auto& each) { return each.oid == job_.constraint; });
        }
        std::erase_if(table.indexes, [&](const auto& each) { return each.oid == job_.index; });
      },
      end);
}

Task<Status> SchemaChange::change_table(Edit edit, JobState end) {
  while (true) {
    Status status = co_await try_change_table(&edit, end);
    if (!status.is(sql_state::kLockNotAvailable)) {
      co_return status;
    }
    PANDO_CO_TRY(co_await runtime::sleep(environment_.timer, executor_, kTableLockPause, &stopping_));
  }
}

// Changes the table's descriptor and ends the job, in one transaction.
Task<Status> SchemaChange::try_change_table(const Edit* edit, JobState end) {
  const auto transaction = begin(txn::Isolation::kReadCommitted);
  transaction->set_lock_timeout(kTableLockWait);
  catalog::CatalogTransaction view(environment_.catalog, *transaction);
  PANDO_CO_TRY(co_await view.lock_table(job_.table, txn::LockStrength::kUpdate, txn::WaitPolicy::kBlock));
  PANDO_CO_ASSIGN(Job held, co_await hold(*transaction));
  const auto table = view.snapshot()->find_table(job_.table);
  const bool succeeds = end == JobState::kSucceeded;
  if (table == nullptr && succeeds) {
    co_return no_table();
  }
  if (table != nullptr) {
    if (succeeds && !has_object(*table, job_)) {
      co_return no_object();
    }
    auto changed = std::make_shared<TableDescriptor>(*table);
    (*edit)(*changed);
    ++changed->version;
    PANDO_CO_TRY(co_await view.put(std::move(changed)));
    if (const auto* index = table->find_index(job_.index); index != nullptr && !succeeds) {
      const Bytes prefix = catalog::index_prefix(table->id, index->id);
      transaction->on_commit(
          [this, span = txn::Span{prefix, prefix_end(prefix)}] { environment_.store.discard(span); });
    }
  }
  held.state = end;
  held.finished_us = types::timestamp_of_unix_ns(environment_.clock.wall_ns());
  PANDO_CO_TRY(co_await jobs_.put(*transaction, held));
  PANDO_CO_TRY(co_await transaction->commit());
  job_ = std::move(held);
  co_return Status();
}

}  // namespace pando::session
