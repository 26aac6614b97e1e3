#pragma once

// CopyInput: the rows of COPY FROM as chunks, for the plan that inserts them: reads what its source gives, parses it,
// turns fields into values. Errors carry the line in `where`, as PostgreSQL's CONTEXT does.
//
// Thread-safety: the session's coroutine only.

#include <string>
#include <vector>

#include "session/copy_options.h"
#include "session/copy_parser.h"
#include "session/copy_stream.h"
#include "types/settings.h"

namespace pando::session {

struct CopyColumn {
  std::string name;
  types::Type type;
};

class CopyInput {
 public:
  // REQUIRES: `source` and `settings` outlive it.
  CopyInput(std::string table, CopyOptions options, std::vector<CopyColumn> columns, const types::Settings& settings,
            CopySource& source);

  // Replaces `out` with the next rows, at most kVectorRows and at least one; false at the end of the data.
  Task<Result<bool>> next(types::Chunk& out);
  uint64_t row_count() const { return row_count_; }

 private:
  // Parses up to a chunk of rows out of what is there.
  Status take_rows(types::Chunk& out);
  Status store_field(std::size_t column, const CopyField& field, std::size_t row, types::Chunk& out);
  Result<types::Value> read_value(std::size_t column, ByteView bytes) const;
  Status in_line(Status status, std::size_t column, const CopyField* field) const;

  const std::string table_;
  const std::vector<CopyColumn> columns_;
  const bool binary_;
  const types::Settings& settings_;
  CopySource& source_;
  CopyParser parser_;
  Bytes piece_;
  bool input_ended_ = false;
  uint64_t row_count_ = 0;
};

}  // namespace pando::session
