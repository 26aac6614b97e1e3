#pragma once

// CopyPrinter: rows to COPY data, in PostgreSQL's text, csv and binary formats. Pure apart from the settings it reads.
// Thread-safety: none.

#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"
#include "session/copy_options.h"
#include "session/result_sink.h"
#include "types/settings.h"
#include "types/vector.h"

namespace pando::session {

class CopyPrinter {
 public:
  // REQUIRES: `settings` outlives it. 42703 for a FORCE_QUOTE column that is not there.
  static Result<CopyPrinter> make(CopyOptions options, RowShapePtr shape, const types::Settings& settings);

  // What comes before the rows (the header line, the binary signature) and after them.
  void print_start(Bytes& out) const;
  void print_end(Bytes& out) const;
  // One row with its line end.
  Status print_row(const types::Chunk& chunk, std::size_t row, Bytes& out);

 private:
  CopyPrinter(CopyOptions options, RowShapePtr shape, const types::Settings& settings)
      : options_(std::move(options)), shape_(std::move(shape)), settings_(&settings) {}

  void print_text_field(ByteView value, Bytes& out) const;
  void print_csv_field(ByteView value, bool force_quote, Bytes& out) const;
  Status print_binary_row(const types::Chunk& chunk, std::size_t row, Bytes& out);

  CopyOptions options_;
  RowShapePtr shape_;
  const types::Settings* settings_;
  std::vector<bool> force_quote_;
  Bytes field_;
};

}  // namespace pando::session
