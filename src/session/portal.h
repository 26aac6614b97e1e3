#pragma once

// Portal: a statement bound to its parameters, and how far it has run. Made by Bind, EXECUTE and DECLARE CURSOR.
//
// Thread-safety: the session's coroutine only.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "session/result_sink.h"
#include "session/statement.h"
#include "sql/exec/query.h"
#include "types/value.h"
#include "types/vector.h"

namespace pando::session {

// Rows kept for going back, for WITH HOLD, and for statements that run to their end before the client has read all.
class RowBuffer {
 public:
  void append(types::Chunk chunk);
  std::size_t size() const { return size_; }
  std::size_t memory_bytes() const { return memory_bytes_; }
  // The chunk that holds row `position`, and the row's place in it. REQUIRES: position < size().
  const types::Chunk& chunk_of(std::size_t position, std::size_t& row) const;

 private:
  std::vector<types::Chunk> chunks_;
  std::vector<std::size_t> starts_;
  std::size_t size_ = 0;
  std::size_t memory_bytes_ = 0;
};

enum class CursorScroll : uint8_t { kUnspecified, kScroll, kNoScroll };

struct Portal {
  // Makes it as new, and keeps what memory it has.
  void clear();
  // Makes it as it was before it ran.
  void restart();

  std::string name;
  // Null for a cached plan of the simple protocol, whose text is here.
  PreparedStatementPtr statement;
  TextPtr text;
  StatementPlanPtr plan;
  std::vector<types::Value> parameters;
  // The plan's shape with the formats asked for; null when it returns no rows.
  RowShapePtr shape;

  // --- running ---
  bool started = false;
  // A command's tag, once it has run.
  std::string tag;
  // The query has no more rows.
  bool ended = false;
  // Its query ended with an error: it cannot go on, even where a savepoint lets the transaction do so.
  bool failed = false;
  // Opening a cursor's query may compute rows already: what that met is told when the first one is asked for.
  Status open_error;
  std::unique_ptr<sql::exec::Query> query;
  // Rows of the query's last chunk that are not delivered yet.
  types::Chunk pending;
  std::size_t pending_first = 0;
  // By the last run.
  uint64_t rows_delivered = 0;
  // By a point write, which has no query.
  uint64_t rows_written = 0;
  // Rows come from the buffer, from row `replayed` on: the query has ended.
  bool replaying = false;
  std::size_t replayed = 0;
  // How many savepoints were open when it was made: rolling back past them closes it.
  std::size_t savepoint_depth = 0;

  // --- cursors ---
  bool is_cursor = false;
  bool binary = false;
  bool hold = false;
  // Survived its transaction: all its rows are in the buffer.
  bool held = false;
  CursorScroll scroll = CursorScroll::kUnspecified;
  // Rows read so far; null when they are not kept.
  std::unique_ptr<RowBuffer> buffer;
  // How many rows its query has given.
  uint64_t rows_read = 0;
  // 0 before the first row, n on row n, rows + 1 after the last.
  uint64_t position = 0;
  int64_t creation_time_us = 0;
};

}  // namespace pando::session
