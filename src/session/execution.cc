// Session: running a portal's query: locks, snapshots, restarts, delivery.

#include <algorithm>

#include <fmt/format.h>

#include "session/services.h"
#include "session/session.h"
#include "session/system_tables.h"
#include "sql/parse/parse.h"
#include "types/array.h"
#include "types/text_io.h"

namespace pando::session {
namespace {

uint64_t monotonic(void* state) { return static_cast<runtime::Clock*>(state)->monotonic_ns(); }

// As PostgreSQL names a SELECT by its first locking clause.
std::string_view locking_name(const PreparedStatement* statement) {
  const auto* select =
      statement == nullptr || statement->tree == nullptr ? nullptr : std::get_if<ast::Select>(&statement->tree->node);
  if (select == nullptr || select->locking.empty()) {
    return "SELECT FOR UPDATE";
  }
  switch (select->locking.front().strength) {
    case ast::LockingClause::Strength::kKeyShare:
      return "SELECT FOR KEY SHARE";
    case ast::LockingClause::Strength::kShare:
      return "SELECT FOR SHARE";
    case ast::LockingClause::Strength::kNoKeyUpdate:
      return "SELECT FOR NO KEY UPDATE";
    case ast::LockingClause::Strength::kUpdate:
      return "SELECT FOR UPDATE";
  }
  PANDO_UNREACHABLE("a strength outside its enumeration");
}

// "INSERT" of "INSERT 0".
std::string_view verb_of(std::string_view tag) { return tag.substr(0, tag.find(' ')); }

}  // namespace

sql::exec::ExecutionContext Session::execution_context(std::vector<types::Value> parameters) {
  return {.transaction = transaction_.transaction(),
          .evaluation = evaluation_,
          .executor = executor_,
          .state = transaction_.execution_state(),
          .cancellation = &cancellation_,
          .catalog = snapshot(),
          .parameters = std::move(parameters),
          .memory_bytes_max = settings_.values().work_mem_bytes,
          .hash_bytes_max = static_cast<std::size_t>(static_cast<double>(settings_.values().work_mem_bytes) *
                                                     settings_.values().hash_mem_multiplier),
          .temporary = environment_.temporary,
          .virtual_tables = system_tables_.get(),
          .table_expressions = table_expressions_.get(),
          .statistics = environment_.statistics,
          .wait_for_service = &Services::wait_for_service,
          .wait_state = services_.get(),
          .helpers = environment_.helpers,
          .clock_ns = &monotonic,
          .clock_state = &environment_.clock};
}

std::string Session::query_tag(const Portal& portal) const {
  const bool counts_rows = portal.plan->tag == "SELECT";
  const uint64_t rows = counts_rows               ? portal.rows_delivered
                        : portal.query == nullptr ? portal.rows_written
                                                  : portal.query->rows_affected();
  return fmt::format("{} {}", portal.plan->tag, rows);
}

// Table locks keep DDL away from what the statement writes. DDL that came first may have changed the plan's ground.
Task<Status> Session::lock_tables(Portal* portal) {
  while (true) {
    if (!try_lock_tables(*portal->plan)) {
      for (const types::Oid table : portal->plan->locked_tables) {
        PANDO_CO_TRY(
            co_await transaction_.catalog().lock_table(table, txn::LockStrength::kKeyShare, txn::WaitPolicy::kBlock));
      }
    }
    if (is_current(*portal->plan) || portal->plan->catalog_version == 0) {
      co_return Status();
    }
    PANDO_CO_TRY(renew_plan(portal));
  }
}

Status Session::renew_plan(Portal* portal) {
  if (portal->statement == nullptr) {
    // Made from the fingerprint of its text: now from the text as it stands.
    PANDO_ASSIGN(ast::StatementPtr tree, parse::parse_statement(*portal->text));
    PANDO_ASSIGN(portal->statement, analyze(portal->text, std::move(tree), {}));
    portal->parameters.clear();
  }
  PANDO_ASSIGN(portal->plan, current_plan(*portal->statement));
  return {};
}

// A read-only transaction may write to temporary tables.
bool Session::writes_only_temporary(const StatementPlan& plan) {
  return !plan.locked_tables.empty() && std::ranges::all_of(plan.locked_tables, [this](types::Oid oid) {
    const catalog::TablePtr table = snapshot()->find_table(oid);
    return table != nullptr && table->temporary;
  });
}

Task<Status> Session::begin_query(Portal* portal) {
  portal->started = true;
  portal->savepoint_depth = transaction_.savepoint_depth();
  transaction_.start();
  const bool is_refused = transaction_.read_only() && !writes_only_temporary(*portal->plan);
  if (is_refused && portal->plan->modifies()) {
    co_return Status(sql_state::kReadOnlySqlTransaction, "cannot execute {} in a read-only transaction",
                     verb_of(portal->plan->tag));
  }
  if (is_refused && !portal->plan->locked_tables.empty()) {
    co_return Status(sql_state::kReadOnlySqlTransaction, "cannot execute {} in a read-only transaction",
                     locking_name(portal->statement.get()));
  }
  if (!portal->plan->locked_tables.empty()) {
    PANDO_CO_TRY(co_await lock_tables(portal));
  }
  if (environment_.registry.exclusive_tables().any()) {
    PANDO_CO_TRY(co_await await_readable(portal->plan.get()));
  }
  transaction_.transaction().begin_statement();
  if (transaction_.read_at() != HlcTimestamp()) {
    co_return co_await check_past(*portal->plan);
  }
  if (transaction_.isolation() != txn::Isolation::kReadCommitted) {
    co_return co_await check_indexes(*portal->plan);
  }
  co_return Status();
}

Task<Status> Session::open_query(Portal* portal) {
  // A statement that starts over has a new query.
  portal->failed = false;
  portal->query = std::make_unique<sql::exec::Query>(portal->plan->query, execution_context(portal->parameters));
  return portal->query->open();
}

// Fills `pending` with rows that are not delivered yet; false at the end.
Task<Result<bool>> Session::fetch_chunk(Portal* portal) {
  portal->pending_first = 0;
  if (portal->replaying) {
    if (portal->replayed == portal->buffer->size()) {
      co_return false;
    }
    portal->pending = portal->buffer->chunk_of(portal->replayed, portal->pending_first);
    portal->replayed += portal->pending.rows - portal->pending_first;
    co_return true;
  }
  if (!portal->open_error.ok()) {
    portal->failed = true;
    co_return std::exchange(portal->open_error, Status());
  }
  if (portal->failed || portal->query == nullptr) {
    co_return Status(sql_state::kObjectNotInPrerequisiteState, "portal \"{}\" cannot be run", portal->name);
  }
  if (cancellation_.requested()) {
    co_return cancellation_.status();
  }
  auto more = co_await portal->query->next(portal->pending);
  portal->failed = !more.ok();
  if (more.ok() && *more && portal->shape != nullptr) {
    name_objects(*portal->shape, portal->pending);
  }
  co_return more;
}

namespace {

std::string name_of_object(Services& services, types::Oid type, types::Oid object) {
  return object == 0 ? "-" : services.name_of(type, object).value_or(std::to_string(object));
}

// An array's text form, with names for its elements.
Bytes names_in_array(Services& services, const types::ArrayView& array, const types::Settings& settings) {
  types::ArrayBuilder names(types::oid::kText);
  for (std::size_t i = 0; i < array.size(); ++i) {
    if (array.is_null(i)) {
      names.add_null();
    } else {
      names.add_bytes(name_of_object(services, array.element_type(), array.at<types::Oid>(i)));
    }
  }
  std::vector<types::ArrayDimension> dimensions;
  for (int i = 0; i < array.dimensions(); ++i) {
    dimensions.push_back(array.dimension(i));
  }
  auto packed = names.finish(dimensions);
  PANDO_ASSERT(packed.ok(), "the names of an array have its dimensions");
  Bytes text;
  types::print_text({types::oid::kTextArray}, types::Value::of_bytes(*std::move(packed)), settings, text);
  return text;
}

}  // namespace

// Columns of reg* types show names, which only the catalog knows; what has none shows its number.
void Session::name_objects(const RowShape& shape, types::Chunk& rows) {
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (!shape[i].named) {
      continue;
    }
    types::Vector names(types::Physical::kBytes);
    names.reset(rows.rows);
    for (std::size_t row = 0; row < rows.rows; ++row) {
      if (rows.columns[i].is_null(row)) {
        names.set_null(row);
        continue;
      }
      const types::Vector& values = rows.columns[i];
      names.set_bytes(row,
                      types::is_array(shape[i].type.oid)
                          ? names_in_array(*services_, types::ArrayView(values.bytes_at(row)), settings_.values().types)
                          : name_of_object(*services_, shape[i].type.oid, values.at<types::Oid>(row)));
    }
    rows.columns[i] = std::move(names);
  }
}

// Runs the query to its end, keeping its rows for replay.
Task<Status> Session::buffer_all(Portal* portal) {
  if (portal->buffer == nullptr) {
    portal->buffer = std::make_unique<RowBuffer>();
  }
  while (true) {
    PANDO_CO_ASSIGN(const bool more, co_await fetch_chunk(portal));
    if (!more) {
      break;
    }
    portal->buffer->append(std::exchange(portal->pending, {}));
  }
  portal->pending = {};
  portal->replaying = true;
  co_return Status();
}

// Rows to the sink until the query ends or `rows_max` (0: all) are delivered; whether more may follow.
Task<Result<bool>> Session::deliver(Portal* portal, uint64_t rows_max, ResultSink* sink) {
  portal->rows_delivered = 0;
  while (true) {
    if (portal->pending_first == portal->pending.rows) {
      PANDO_CO_ASSIGN(const bool more, co_await fetch_chunk(portal));
      if (!more) {
        portal->ended = true;
        co_return false;
      }
    }
    std::size_t count = portal->pending.rows - portal->pending_first;
    if (rows_max != 0) {
      count = std::min<uint64_t>(count, rows_max - portal->rows_delivered);
    }
    if (portal->shape != nullptr) {
      PANDO_CO_TRY(sink->add_rows(portal->pending, portal->pending_first, count));
    }
    portal->pending_first += count;
    portal->rows_delivered += count;
    if (sink->wants_drain()) {
      PANDO_CO_TRY(co_await sink->drain());
    }
    if (rows_max != 0 && portal->rows_delivered == rows_max) {
      co_return true;
    }
  }
}

Task<Result<bool>> Session::open_and_deliver(Portal* portal, uint64_t rows_max, ResultSink* sink) {
  PANDO_CO_TRY(co_await open_query(portal));
  // A change happens whole, whatever part of what it returns the client reads.
  if (portal->plan->modifies() && rows_max != 0 && portal->shape != nullptr) {
    PANDO_CO_TRY(co_await buffer_all(portal));
  }
  co_return co_await deliver(portal, rows_max, sink);
}

// A statement that read what others have changed since runs again on a new snapshot, if nothing of it has left.
Task<Result<bool>> Session::run_from_start(Portal* portal, uint64_t rows_max, Output output) {
  PANDO_CO_TRY(co_await begin_query(portal));
  const uint64_t sink_mark = output.sink->mark();
  while (true) {
    if (portal->shape != nullptr) {
      output.sink->begin_rows(portal->shape, settings_.values().types, output.describe);
    }
    // On a node of its own what only reads never meets anything newer than its snapshot.
    if (portal->plan->locked_tables.empty() && environment_.cluster == nullptr) {
      co_return co_await open_and_deliver(portal, rows_max, output.sink);
    }
    const auto mark = transaction_.mark_statement();
    auto more = co_await open_and_deliver(portal, rows_max, output.sink);
    if (more.ok() || !more.status().is(sql::exec::kRestartStatement)) {
      if (more.ok() && portal->plan->locked_tables.empty()) {
        transaction_.forget_statement(mark);
      }
      co_return more;
    }
    if (transaction_.isolation() != txn::Isolation::kReadCommitted || !output.sink->rewind(sink_mark)) {
      co_return Status(sql_state::kSerializationFailure, "could not serialize access due to concurrent update");
    }
    portal->query.reset();
    portal->buffer.reset();
    portal->pending = {};
    portal->pending_first = 0;
    transaction_.undo_statement(mark);
    transaction_.transaction().begin_statement();
  }
}

Task<Result<ExecuteOutcome>> Session::run_query(Portal* portal, uint64_t rows_max, Output output) {
  if (portal->ended) {
    // A portal at its end gives no more rows.
    portal->rows_delivered = 0;
    co_return ExecuteOutcome::kCompleted;
  }
  if (!portal->started) {
    if (portal->plan->point_write != nullptr) {
      PANDO_CO_ASSIGN(const bool written, co_await write_point(portal));
      if (written) {
        co_return ExecuteOutcome::kCompleted;
      }
    }
    // A portal that is to stop after one row does not know yet that there is no other.
    if (portal->plan->point_read != nullptr && rows_max != 1) {
      PANDO_CO_ASSIGN(const bool read, co_await await_point(portal, output));
      if (read) {
        co_return ExecuteOutcome::kCompleted;
      }
    }
    PANDO_CO_ASSIGN(const bool more, co_await run_from_start(portal, rows_max, output));
    co_return more ? ExecuteOutcome::kSuspended : ExecuteOutcome::kCompleted;
  }
  if (portal->shape != nullptr) {
    output.sink->begin_rows(portal->shape, settings_.values().types, output.describe);
  }
  PANDO_CO_ASSIGN(const bool more, co_await deliver(portal, rows_max, output.sink));
  co_return more ? ExecuteOutcome::kSuspended : ExecuteOutcome::kCompleted;
}

Task<Result<ExecuteOutcome>> Session::run_portal(Portal* portal, uint64_t rows_max, Output output) {
  if (portal->statement->tree == nullptr) {
    output.sink->empty_query();
    co_return ExecuteOutcome::kEmpty;
  }
  if (portal->plan->query != nullptr) {
    PANDO_CO_ASSIGN(const ExecuteOutcome outcome, co_await run_query(portal, rows_max, output));
    if (outcome == ExecuteOutcome::kCompleted) {
      portal->tag = query_tag(*portal);
    }
    co_return outcome;
  }
  if (portal->ended) {
    co_return Status(sql_state::kObjectNotInPrerequisiteState, "portal \"{}\" cannot be run", portal->name);
  }
  portal->ended = true;
  output.shape = portal->shape;
  PANDO_CO_ASSIGN(portal->tag, co_await run_command(portal->statement, portal->parameters, output));
  co_return ExecuteOutcome::kCompleted;
}

}  // namespace pando::session
