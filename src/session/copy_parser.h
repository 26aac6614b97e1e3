#pragma once

// CopyParser: a stream of COPY data to rows of fields, in PostgreSQL's text, csv and binary formats. Pure: bytes are
// fed in pieces of any size.
//
//   CopyParser parser(options, columns);
//   parser.feed(piece);
//   while (true) {
//     PANDO_ASSIGN(bool row, parser.next());
//     if (!row) break;                      // more input is needed, or the data ended
//     use(parser.fields());                 // valid until the next call
//   }
//   parser.finish();                        // no more input: call next() until false
//
// Errors are 22P04 with PostgreSQL's wording. Thread-safety: none.

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"
#include "session/copy_options.h"

namespace pando::session {

struct CopyField {
  bool is_null = false;
  ByteView bytes;
};

class CopyParser {
 public:
  // A line longer than this is refused (54000).
  static constexpr std::size_t kLineBytesMax = 256_MiB;

  CopyParser(CopyOptions options, std::vector<std::string> columns);

  void feed(ByteView data);
  void finish() { finished_ = true; }
  // Parses the next row; false when there is none (yet). After an end marker everything else is ignored.
  Result<bool> next();
  const std::vector<CopyField>& fields() const { return fields_; }

  // For messages: 1-based number and text of the line of the last row.
  uint64_t line_number() const { return line_number_; }
  ByteView line() const { return line_; }

 private:
  enum class LineEnd : uint8_t { kUnknown, kNewline, kReturn, kReturnNewline };

  Result<bool> next_text_line(ByteView& line);
  Result<bool> next_csv_line(ByteView& line);
  Result<bool> take_line(std::size_t end, ByteView& line);
  Status split_text(ByteView line);
  Status split_csv(ByteView line);
  void split_unquoted(ByteView line);
  Status add_text_field(ByteView raw);
  Status check_field_count() const;
  Status check_header();
  Result<bool> next_binary();
  Result<bool> read_binary_header();
  void add_field(std::size_t start, bool is_null);
  void resolve_fields();

  CopyOptions options_;
  std::vector<std::string> columns_;
  std::vector<bool> force_not_null_;
  std::vector<bool> force_null_;

  Bytes buffer_;
  std::size_t at_ = 0;
  // How far the current line was searched for its end, and whether that place is inside quotes.
  std::size_t searched_ = 0;
  bool in_quotes_ = false;
  LineEnd line_end_ = LineEnd::kUnknown;
  bool finished_ = false;
  bool ended_ = false;
  bool header_read_ = false;
  uint64_t line_number_ = 0;
  ByteView line_;
  std::vector<CopyField> fields_;
  // Fields that had escapes, one after the other; entries of fields_ point here once the row is complete.
  Bytes unescaped_;
  struct Place {
    std::size_t start;
    std::size_t size;
  };
  std::vector<Place> places_;  // parallel to fields_; start is npos for a field that points into the line
};

}  // namespace pando::session
