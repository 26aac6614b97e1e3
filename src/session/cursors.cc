// Session: cursors of SQL: DECLARE, FETCH, MOVE, CLOSE.
//
// A cursor stands before the first row (position 0), on a row (1..n) or after the last (n + 1). What it has read it
// keeps in a buffer when it may have to go back.

#include <algorithm>

#include <fmt/format.h>

#include "session/services.h"
#include "session/session.h"

namespace pando::session {
namespace {

Status undefined_cursor(std::string_view name) {
  return Status(sql_state::kInvalidCursorName, "cursor \"{}\" does not exist", name);
}

Status cannot_go_back() {
  return std::move(Status(sql_state::kObjectNotInPrerequisiteState, "cursor can only scan forward"))
      .with_hint("Declare it with SCROLL option to enable backward scan.");
}

}  // namespace

Task<Result<std::string>> Session::run_declare(const ast::DeclareCursor& command, PreparedStatementPtr holder,
                                               std::vector<types::Value> parameters) {
  if (!command.hold && !transaction_.in_block()) {
    co_return Status(sql_state::kNoActiveSqlTransaction, "DECLARE CURSOR can only be used in transaction blocks");
  }
  if (command.scroll && command.no_scroll) {
    co_return Status(sql_state::kSyntaxError, "cannot specify both SCROLL and NO SCROLL");
  }
  if (portals_.contains(command.name)) {
    co_return Status(sql_state::kDuplicateCursor, "cursor \"{}\" already exists", command.name);
  }
  std::vector<types::Oid> types;
  for (const types::Type& type : holder->parameter_types) {
    types.push_back(type.oid);
  }
  auto portal = std::make_unique<Portal>();
  PANDO_CO_ASSIGN(portal->statement, analyze(holder->text, TreePtr(holder->tree, command.query.get()), std::move(types),
                                             PlanPurpose::kCursor));
  portal->name = command.name;
  portal->plan = portal->statement->plan;
  portal->parameters = std::move(parameters);
  const ValueFormat format = command.binary ? ValueFormat::kBinary : ValueFormat::kText;
  PANDO_CO_ASSIGN(portal->shape, shape_with_formats(*portal, std::span(&format, 1)));
  portal->is_cursor = true;
  portal->binary = command.binary;
  portal->hold = command.hold;
  portal->scroll = command.scroll      ? CursorScroll::kScroll
                   : command.no_scroll ? CursorScroll::kNoScroll
                                       : CursorScroll::kUnspecified;
  if (portal->scroll != CursorScroll::kNoScroll || portal->hold) {
    portal->buffer = std::make_unique<RowBuffer>();
  }
  portal->creation_time_us = evaluation_.statement_time_us;
  // The query sees what is there now, whatever is changed before its rows are fetched.
  PANDO_CO_TRY(co_await begin_query(portal.get()));
  Status opened = co_await open_query(portal.get());
  constexpr std::string_view kDataException = "22";
  if (!opened.ok() && !opened.code().view().starts_with(kDataException)) {
    co_return opened;
  }
  portal->open_error = std::move(opened);
  portals_[command.name] = std::move(portal);
  co_return "DECLARE CURSOR";
}

// Reads the next row into `pending`, at pending_first; false at the end. Keeps it when the cursor may go back.
Task<Result<bool>> Session::advance_cursor(Portal* cursor) {
  if (cursor->ended) {
    co_return false;
  }
  if (cursor->pending_first < cursor->pending.rows) {
    ++cursor->pending_first;
  }
  if (cursor->pending_first == cursor->pending.rows) {
    PANDO_CO_ASSIGN(const bool more, co_await fetch_chunk(cursor));
    if (!more) {
      cursor->ended = true;
      cursor->pending = {};
      cursor->pending_first = 0;
      co_return false;
    }
    if (cursor->buffer != nullptr && !cursor->replaying) {
      cursor->buffer->append(cursor->pending);
      // Only what was declared SCROLL may hold on to more than a statement's memory.
      if (cursor->scroll == CursorScroll::kUnspecified && !cursor->hold &&
          cursor->buffer->memory_bytes() > settings_.values().work_mem_bytes) {
        cursor->buffer.reset();
      }
    }
  }
  ++cursor->rows_read;
  co_return true;
}

// Moves to `target` (clamped to 0 and one past the last row), giving the rows on the way to `sink` when there is one
// and `each` is set, or only the row it stops on. Returns how many rows were passed.
Task<Result<uint64_t>> Session::move_cursor(Portal* cursor, uint64_t target, bool each, ResultSink* sink) {
  uint64_t passed = 0;
  while (cursor->position < target) {
    if (cursor->position + 1 > cursor->rows_read) {
      PANDO_CO_ASSIGN(const bool more, co_await advance_cursor(cursor));
      if (!more) {
        cursor->position = cursor->rows_read + 1;
        co_return passed;
      }
    }
    ++cursor->position;
    ++passed;
    if (sink != nullptr && (each || cursor->position == target)) {
      PANDO_CO_TRY(give_cursor_row(cursor, sink));
      if (sink->wants_drain()) {
        PANDO_CO_TRY(co_await sink->drain());
      }
    }
  }
  while (cursor->position > target) {
    if (cursor->scroll == CursorScroll::kNoScroll || cursor->buffer == nullptr) {
      co_return cannot_go_back();
    }
    --cursor->position;
    if (cursor->position == 0) {
      break;
    }
    ++passed;
    if (sink != nullptr && (each || cursor->position == target)) {
      PANDO_CO_TRY(give_cursor_row(cursor, sink));
    }
  }
  co_return passed;
}

Status Session::give_cursor_row(Portal* cursor, ResultSink* sink) {
  if (cursor->position == cursor->rows_read && !cursor->ended) {
    return sink->add_rows(cursor->pending, cursor->pending_first, 1);
  }
  std::size_t row = 0;
  const types::Chunk& chunk = cursor->buffer->chunk_of(cursor->position - 1, row);
  return sink->add_rows(chunk, row, 1);
}

Result<std::optional<Bytes>> Session::current_row(std::string_view name, types::Oid table) {
  const auto found = portals_.find(name);
  if (found == portals_.end() || !found->second->is_cursor) {
    return undefined_cursor(name);
  }
  const Portal& cursor = *found->second;
  const auto refuse = [&](std::string_view what) {
    return Status(sql_state::kInvalidCursorState, "cursor \"{}\" {}", name, what);
  };
  if (cursor.held) {
    return refuse("is held from a previous transaction");
  }
  const auto of_table = [&](const sql::CursorTable& key) { return key.table == table; };
  const auto& keys = cursor.plan->cursor_tables;
  const auto key = std::ranges::find_if(keys, of_table);
  const catalog::TablePtr described = snapshot()->find_table(table);
  const std::string table_name = described == nullptr ? "" : described->name;
  const auto count = std::ranges::count_if(keys, of_table);
  if (count != 1 && cursor.plan->cursor_locks) {
    return refuse(fmt::format("{} FOR UPDATE/SHARE reference{} to table \"{}\"",
                              count == 0 ? "does not have a" : "has multiple", count == 0 ? "" : "s", table_name));
  }
  if (count != 1) {
    return refuse(fmt::format("is not a simply updatable scan of table \"{}\"", table_name));
  }
  std::size_t row = cursor.pending_first;
  const bool is_last = cursor.position == cursor.rows_read && !cursor.ended;
  if (cursor.position == 0 || cursor.position > cursor.rows_read || (!is_last && cursor.buffer == nullptr)) {
    return refuse("is not positioned on a row");
  }
  const types::Chunk& chunk = is_last ? cursor.pending : cursor.buffer->chunk_of(cursor.position - 1, row);
  const types::Vector& column = chunk.columns[key->column];
  return column.is_null(row) ? std::optional<Bytes>() : std::optional<Bytes>(column.bytes_at(row));
}

// FORWARD n and BACKWARD n give the rows they pass; n = 0 gives the current row again; ABSOLUTE and RELATIVE give one.
Task<Result<uint64_t>> Session::fetch_rows(Portal* cursor, ast::Fetch::Direction direction, int64_t count,
                                           ResultSink* sink) {
  using Direction = ast::Fetch::Direction;
  if (direction == Direction::kBackward) {
    count = count == INT64_MAX ? INT64_MIN + 1 : -count;
    direction = Direction::kForward;
  }
  const auto position = static_cast<int64_t>(cursor->position);
  if (direction == Direction::kAbsolute && count < 0) {
    // From the end: find it first.
    PANDO_CO_TRY((co_await move_cursor(cursor, UINT64_MAX, false, nullptr)).status());
    const int64_t target = std::max<int64_t>(0, static_cast<int64_t>(cursor->rows_read) + 1 + count);
    co_return co_await land_on(cursor, static_cast<uint64_t>(target), sink);
  }
  if (direction == Direction::kAbsolute || direction == Direction::kRelative) {
    const int64_t target = direction == Direction::kAbsolute ? count : position + count;
    co_return co_await land_on(cursor, static_cast<uint64_t>(std::max<int64_t>(0, target)), sink);
  }
  if (count == 0) {
    co_return co_await land_on(cursor, cursor->position, sink);
  }
  if (count > 0) {
    const uint64_t target = count == INT64_MAX ? UINT64_MAX : cursor->position + static_cast<uint64_t>(count);
    co_return co_await move_cursor(cursor, target, true, sink);
  }
  const int64_t target = count == INT64_MIN + 1 ? 0 : std::max<int64_t>(0, position + count);
  co_return co_await move_cursor(cursor, static_cast<uint64_t>(target), true, sink);
}

// Goes to one row and gives it alone. Returns 1, or 0 when there is no such row.
Task<Result<uint64_t>> Session::land_on(Portal* cursor, uint64_t target, ResultSink* sink) {
  const bool stays = cursor->position == target;
  PANDO_CO_TRY((co_await move_cursor(cursor, target, false, sink)).status());
  const bool on_row = cursor->position >= 1 && cursor->position <= cursor->rows_read && cursor->position == target;
  if (on_row && stays && sink != nullptr) {
    PANDO_CO_TRY(give_cursor_row(cursor, sink));
  }
  co_return on_row ? 1 : 0;
}

Task<Result<std::string>> Session::run_fetch(const ast::Fetch& command, Output output) {
  const auto found = portals_.find(command.cursor);
  if (found == portals_.end() || !found->second->is_cursor) {
    co_return undefined_cursor(command.cursor);
  }
  Portal* cursor = found->second.get();
  ResultSink* sink = nullptr;
  if (!command.move) {
    sink = output.sink;
    // The names of objects are in place already, so that only values have the form that is asked for.
    const bool named = std::ranges::any_of(*cursor->shape, &ResultColumn::named);
    const bool as_asked = output.shape != nullptr && output.shape->size() == cursor->shape->size() && !named;
    sink->begin_rows(as_asked ? output.shape : cursor->shape, settings_.values().types, output.describe);
  }
  PANDO_CO_ASSIGN(const uint64_t rows, co_await fetch_rows(cursor, command.direction, command.count, sink));
  co_return fmt::format("{} {}", command.move ? "MOVE" : "FETCH", rows);
}

Result<std::string> Session::run_close_cursor(const ast::CloseCursor& command) {
  if (command.name.empty()) {
    portals_.clear();
    return "CLOSE CURSOR ALL";
  }
  if (portals_.erase(command.name) == 0) {
    return undefined_cursor(command.name);
  }
  return "CLOSE CURSOR";
}

// Before commit: WITH HOLD cursors read the rest of their rows, which they give from memory afterwards.
Task<Status> Session::hold_cursors() {
  for (auto& [name, portal] : portals_) {
    if (!portal->hold || portal->held) {
      continue;
    }
    const uint64_t position = portal->position;
    while (true) {
      PANDO_CO_ASSIGN(const bool more, co_await advance_cursor(portal.get()));
      if (!more) {
        break;
      }
    }
    portal->position = position;
    portal->query.reset();
    portal->held = true;
  }
  co_return Status();
}

}  // namespace pando::session
