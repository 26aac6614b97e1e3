#include "session/copy_parser.h"

#include <algorithm>
#include <cstring>

namespace pando::session {
namespace {

constexpr ByteView kBinarySignature("PGCOPY\n\377\r\n\0", 11);
constexpr ByteView kEndMarker = "\\.";
constexpr uint32_t kCriticalFlags = 0xffff0000;

Status bad(std::string message) { return Status::from_message(sql_state::kBadCopyFileFormat, std::move(message)); }

std::vector<bool> mark_columns(const std::vector<std::string>& columns, const std::vector<std::string>& names) {
  std::vector<bool> marks;
  for (const std::string& column : columns) {
    marks.push_back(std::ranges::find(names, column) != names.end());
  }
  return marks;
}

int digit_of(char c) {
  return c >= '0' && c <= '9'   ? c - '0'
         : c >= 'a' && c <= 'f' ? c - 'a' + 10
         : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                : -1;
}

// Up to `digits_max` digits of `base` at `at`, as one byte.
char read_digits(ByteView text, std::size_t& at, int base, int digits_max) {
  int value = 0;
  for (int i = 0; i < digits_max && at < text.size(); ++i) {
    const int digit = digit_of(text[at]);
    if (digit < 0 || digit >= base) {
      break;
    }
    value = value * base + digit;
    ++at;
  }
  return static_cast<char>(value);
}

void append_unescaped(ByteView raw, Bytes& out) {
  std::size_t at = 0;
  while (at < raw.size()) {
    const char c = raw[at++];
    if (c != '\\' || at == raw.size()) {
      out.push_back(c);
      continue;
    }
    const char escaped = raw[at++];
    switch (escaped) {
      case 'b':
        out.push_back('\b');
        break;
      case 'f':
        out.push_back('\f');
        break;
      case 'n':
        out.push_back('\n');
        break;
      case 'r':
        out.push_back('\r');
        break;
      case 't':
        out.push_back('\t');
        break;
      case 'v':
        out.push_back('\v');
        break;
      case 'x':
        if (at < raw.size() && digit_of(raw[at]) >= 0) {
          out.push_back(read_digits(raw, at, 16, 2));
        } else {
          out.push_back('x');
        }
        break;
      default:
        if (escaped >= '0' && escaped <= '7') {
          --at;
          out.push_back(read_digits(raw, at, 8, 3));
        } else {
          out.push_back(escaped);
        }
        break;
    }
  }
}

bool has(ByteView text, char c) { return std::memchr(text.data(), c, text.size()) != nullptr; }

// The first newline or carriage return at or after `from`; npos for none.
std::size_t find_line_end(ByteView text, std::size_t from) {
  const std::size_t newline = text.find('\n', from);
  const std::size_t end = newline == ByteView::npos ? text.size() : newline;
  const std::size_t carriage = text.substr(0, end).find('\r', from);
  return carriage != ByteView::npos ? carriage : newline;
}

uint32_t load_big_endian(ByteView bytes) {
  uint32_t value = 0;
  for (const char c : bytes) {
    value = value << 8 | static_cast<unsigned char>(c);
  }
  return value;
}

}  // namespace

CopyParser::CopyParser(CopyOptions options, std::vector<std::string> columns)
    : options_(std::move(options)),
      columns_(std::move(columns)),
      force_not_null_(mark_columns(columns_, options_.force_not_null)),
      force_null_(mark_columns(columns_, options_.force_null)) {}

void CopyParser::feed(ByteView data) {
  // What is parsed already makes room first.
  buffer_.erase(0, at_);
  searched_ -= std::min(searched_, at_);
  at_ = 0;
  buffer_.append(data);
}

Result<bool> CopyParser::next() {
  fields_.clear();
  places_.clear();
  unescaped_.clear();
  if (ended_) {
    return false;
  }
  if (options_.format == CopyFormat::kBinary) {
    return next_binary();
  }
  while (true) {
    PANDO_ASSIGN(const bool found, options_.format == CopyFormat::kCsv ? next_csv_line(line_) : next_text_line(line_));
    if (!found) {
      return false;
    }
    if (line_ == kEndMarker) {
      ended_ = true;
      return false;
    }
    const bool is_header = options_.header != CopyHeader::kNone && !header_read_;
    if (is_header && options_.header == CopyHeader::kSkip) {
      header_read_ = true;
      continue;
    }
    PANDO_TRY(options_.format == CopyFormat::kCsv ? split_csv(line_) : split_text(line_));
    resolve_fields();
    if (is_header) {
      header_read_ = true;
      PANDO_TRY(check_header());
      fields_.clear();
      places_.clear();
      unescaped_.clear();
      continue;
    }
    PANDO_TRY(check_field_count());
    return true;
  }
}

// The line [at_, end); end is at its terminator or the end of the data.
Result<bool> CopyParser::take_line(std::size_t end, ByteView& line) {
  std::size_t after = end;
  LineEnd kind = LineEnd::kUnknown;
  if (end < buffer_.size()) {
    if (buffer_[end] == '\r' && end + 1 == buffer_.size() && !finished_) {
      return false;
    }
    const bool both = buffer_[end] == '\r' && end + 1 < buffer_.size() && buffer_[end + 1] == '\n';
    kind = both ? LineEnd::kReturnNewline : buffer_[end] == '\r' ? LineEnd::kReturn : LineEnd::kNewline;
    after = end + (both ? 2 : 1);
    if (line_end_ == LineEnd::kUnknown) {
      line_end_ = kind;
    } else if (line_end_ != kind) {
      const bool csv = options_.format == CopyFormat::kCsv;
      return std::move(bad(fmt::format("{} {} found in data", csv ? "unquoted" : "literal",
                                       kind == LineEnd::kNewline ? "newline" : "carriage return")))
          .with_hint(csv ? fmt::format("Use quoted CSV field to represent {}.",
                                       kind == LineEnd::kNewline ? "newline" : "carriage return")
                         : fmt::format("Use \"\\{}\" to represent {}.", kind == LineEnd::kNewline ? 'n' : 'r',
                                       kind == LineEnd::kNewline ? "newline" : "carriage return"));
    }
  }
  line = ByteView(buffer_).substr(at_, end - at_);
  at_ = after;
  searched_ = after;
  ++line_number_;
  return true;
}

Result<bool> CopyParser::next_text_line(ByteView& line) {
  searched_ = std::max(searched_, at_);
  while (searched_ < buffer_.size()) {
    const std::size_t end = find_line_end(buffer_, searched_);
    if (end == Bytes::npos) {
      searched_ = buffer_.size();
      break;
    }
    // A backslash before a line end makes it part of the data, unless it is escaped itself.
    std::size_t backslashes = 0;
    while (end > at_ + backslashes && buffer_[end - 1 - backslashes] == '\\') {
      ++backslashes;
    }
    if (backslashes % 2 == 0) {
      return take_line(end, line);
    }
    searched_ = end + 1;
  }
  if (buffer_.size() - at_ > kLineBytesMax) {
    return Status(sql_state::kProgramLimitExceeded, "COPY line is longer than {} bytes", kLineBytesMax);
  }
  return finished_ && at_ < buffer_.size() ? take_line(buffer_.size(), line) : false;
}

Result<bool> CopyParser::next_csv_line(ByteView& line) {
  searched_ = std::max(searched_, at_);
  if (!in_quotes_ && searched_ == at_) {
    // Most lines have no quotes at all.
    const std::size_t end = find_line_end(buffer_, at_);
    if (end != Bytes::npos && !has(ByteView(buffer_).substr(at_, end - at_), options_.quote)) {
      return take_line(end, line);
    }
  }
  for (; searched_ < buffer_.size(); ++searched_) {
    const char c = buffer_[searched_];
    if (in_quotes_ && c == options_.escape && options_.escape != options_.quote) {
      // The escaped character may be in the next piece.
      if (searched_ + 1 == buffer_.size() && !finished_) {
        return false;
      }
      const char next = searched_ + 1 < buffer_.size() ? buffer_[searched_ + 1] : '\0';
      searched_ += next == options_.quote || next == options_.escape ? 1 : 0;
    } else if (c == options_.quote) {
      in_quotes_ = !in_quotes_;
    } else if (!in_quotes_ && (c == '\n' || c == '\r')) {
      return take_line(searched_, line);
    }
  }
  if (buffer_.size() - at_ > kLineBytesMax) {
    return Status(sql_state::kProgramLimitExceeded, "COPY line is longer than {} bytes", kLineBytesMax);
  }
  if (!finished_ || at_ == buffer_.size()) {
    return false;
  }
  const bool open = in_quotes_;
  PANDO_ASSIGN(const bool taken, take_line(buffer_.size(), line));
  return open ? Result<bool>(bad("unterminated CSV quoted field")) : Result<bool>(taken);
}

void CopyParser::add_field(std::size_t start, bool is_null) {
  fields_.push_back({is_null, {}});
  places_.push_back({start, unescaped_.size() - start});
}

void CopyParser::resolve_fields() {
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    if (places_[i].start != Bytes::npos) {
      fields_[i].bytes = ByteView(unescaped_).substr(places_[i].start, places_[i].size);
    }
  }
}

Status CopyParser::add_text_field(ByteView raw) {
  if (raw == options_.null_text) {
    fields_.push_back({true, {}});
    places_.push_back({Bytes::npos, 0});
    return {};
  }
  if (raw.find('\\') == ByteView::npos) {
    fields_.push_back({false, raw});
    places_.push_back({Bytes::npos, 0});
    return {};
  }
  const std::size_t start = unescaped_.size();
  append_unescaped(raw, unescaped_);
  add_field(start, false);
  return {};
}

Status CopyParser::split_text(ByteView line) {
  if (columns_.empty()) {
    return line.empty() ? Status() : bad("extra data after last expected column");
  }
  std::size_t start = 0;
  for (std::size_t at = 0; at <= line.size(); ++at) {
    if (at < line.size() && line[at] == '\\') {
      ++at;
    } else if (at == line.size() || line[at] == options_.delimiter) {
      PANDO_TRY(add_text_field(line.substr(start, at - start)));
      start = at + 1;
    }
  }
  // A backslash at the very end leaves the last field open.
  return start <= line.size() ? add_text_field(line.substr(start)) : Status();
}

Status CopyParser::split_csv(ByteView line) {
  if (columns_.empty()) {
    return line.empty() ? Status() : bad("extra data after last expected column");
  }
  if (!has(line, options_.quote) && !has(line, options_.escape)) {
    split_unquoted(line);
    return {};
  }
  std::size_t at = 0;
  while (true) {
    const std::size_t start = unescaped_.size();
    bool quoted = false;
    bool in_quotes = false;
    for (; at < line.size() && (in_quotes || line[at] != options_.delimiter); ++at) {
      const char c = line[at];
      const char next = at + 1 < line.size() ? line[at + 1] : '\0';
      if (in_quotes && c == options_.escape && at + 1 < line.size() &&
          (next == options_.quote || next == options_.escape)) {
        unescaped_.push_back(next);
        ++at;
      } else if (c == options_.quote) {
        in_quotes = !in_quotes;
        quoted = true;
      } else {
        unescaped_.push_back(c);
      }
    }
    const std::size_t column = fields_.size();
    const bool is_null_text = ByteView(unescaped_).substr(start) == options_.null_text;
    const bool forced_not_null = column < columns_.size() && force_not_null_[column];
    const bool forced_null = column < columns_.size() && force_null_[column];
    add_field(start, is_null_text && (quoted ? forced_null : !forced_not_null));
    if (at >= line.size()) {
      return {};
    }
    ++at;
  }
}

// The fields are the line's own bytes.
void CopyParser::split_unquoted(ByteView line) {
  while (true) {
    const std::size_t end = std::min(line.find(options_.delimiter), line.size());
    const ByteView field = line.substr(0, end);
    const bool forced_not_null = fields_.size() < columns_.size() && force_not_null_[fields_.size()];
    fields_.push_back({field == options_.null_text && !forced_not_null, field});
    places_.push_back({Bytes::npos, 0});
    if (end == line.size()) {
      return;
    }
    line.remove_prefix(end + 1);
  }
}

Status CopyParser::check_field_count() const {
  if (fields_.size() > columns_.size()) {
    return bad("extra data after last expected column");
  }
  if (fields_.size() < columns_.size()) {
    return bad(fmt::format("missing data for column \"{}\"", columns_[fields_.size()]));
  }
  return {};
}

Status CopyParser::check_header() {
  if (fields_.size() != columns_.size()) {
    return bad(
        fmt::format("wrong number of fields in header line: got {}, expected {}", fields_.size(), columns_.size()));
  }
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (fields_[i].is_null) {
      return bad(fmt::format("column name mismatch in header line field {}: got null value (\"{}\"), expected \"{}\"",
                             i + 1, options_.null_text, columns_[i]));
    }
    if (fields_[i].bytes != columns_[i]) {
      return bad(fmt::format("column name mismatch in header line field {}: got \"{}\", expected \"{}\"", i + 1,
                             fields_[i].bytes, columns_[i]));
    }
  }
  return {};
}

Result<bool> CopyParser::read_binary_header() {
  constexpr std::size_t kFixedBytes = kBinarySignature.size() + 8;
  const ByteView rest = ByteView(buffer_).substr(at_);
  if (rest.substr(0, kBinarySignature.size()) != kBinarySignature.substr(0, rest.size())) {
    return bad("COPY file signature not recognized");
  }
  if (rest.size() < kFixedBytes) {
    return finished_ ? Result<bool>(bad("COPY file signature not recognized")) : Result<bool>(false);
  }
  const uint32_t flags = load_big_endian(rest.substr(kBinarySignature.size(), 4));
  if ((flags & kCriticalFlags) != 0) {
    return bad("unrecognized critical flags in COPY file header");
  }
  const std::size_t extension = load_big_endian(rest.substr(kBinarySignature.size() + 4, 4));
  if (extension > kLineBytesMax) {
    return bad("invalid COPY file header (missing length)");
  }
  if (rest.size() < kFixedBytes + extension) {
    return finished_ ? Result<bool>(bad("invalid COPY file header (wrong length)")) : Result<bool>(false);
  }
  at_ += kFixedBytes + extension;
  header_read_ = true;
  return true;
}

Result<bool> CopyParser::next_binary() {
  if (!header_read_) {
    PANDO_ASSIGN(const bool read, read_binary_header());
    if (!read) {
      return false;
    }
  }
  const auto incomplete = [this]() -> Result<bool> {
    return finished_ ? Result<bool>(bad("unexpected EOF in COPY data")) : Result<bool>(false);
  };
  const ByteView rest = ByteView(buffer_).substr(at_);
  if (rest.empty() && finished_) {
    return false;
  }
  if (rest.size() < 2) {
    return incomplete();
  }
  const auto count = static_cast<int16_t>(load_big_endian(rest.substr(0, 2)));
  if (count == -1) {
    ended_ = true;
    return rest.size() > 2 ? Result<bool>(bad("received copy data after EOF marker")) : Result<bool>(false);
  }
  if (count < 0 || static_cast<std::size_t>(count) != columns_.size()) {
    return bad(fmt::format("row field count is {}, expected {}", count, columns_.size()));
  }
  std::size_t position = 2;
  for (int16_t i = 0; i < count; ++i) {
    if (rest.size() < position + 4) {
      fields_.clear();
      return incomplete();
    }
    const auto size = static_cast<int32_t>(load_big_endian(rest.substr(position, 4)));
    position += 4;
    if (size == -1) {
      fields_.push_back({true, {}});
      continue;
    }
    if (size < 0) {
      return bad("invalid field size");
    }
    if (rest.size() < position + static_cast<std::size_t>(size)) {
      fields_.clear();
      return incomplete();
    }
    fields_.push_back({false, rest.substr(position, static_cast<std::size_t>(size))});
    position += static_cast<std::size_t>(size);
  }
  at_ += position;
  ++line_number_;
  return true;
}

}  // namespace pando::session
