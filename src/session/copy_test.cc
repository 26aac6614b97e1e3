// Runs testdata/copy_*.txt: "parse" feeds its input to a CopyParser and prints each row's fields; every input is fed
// whole and byte by byte, and both must agree. Options: format, delimiter, null, header, quote, escape, columns=(a,b).

#include <gtest/gtest.h>

#include "session/copy_parser.h"
#include "test/support/datadriven.h"

namespace pando::session {
namespace {

CopyOptions options_of(const test::Command& command) {
  CopyOptions options;
  if (command.value("format") == "csv") {
    options.format = CopyFormat::kCsv;
    options.delimiter = ',';
    options.null_text = "";
  }
  if (command.has("delimiter")) {
    options.delimiter = command.value("delimiter")[0];
  }
  if (command.has("null")) {
    options.null_text = command.value("null");
  }
  if (command.has("quote")) {
    options.quote = command.value("quote")[0];
    options.escape = options.quote;
  }
  if (command.has("escape")) {
    options.escape = command.value("escape")[0];
  }
  options.header = command.value("header") == "match"  ? CopyHeader::kMatch
                   : command.value("header") == "skip" ? CopyHeader::kSkip
                                                       : CopyHeader::kNone;
  options.force_null = command.values("force_null");
  options.force_not_null = command.values("force_not_null");
  return options;
}

// {R} and {N} stand for line ends that a text file cannot show.
std::string unescape(std::string text) {
  for (const auto& [mark, with] : {std::pair{"{R}", "\r"}, std::pair{"{N}\n", ""}}) {
    for (std::size_t at = text.find(mark); at != std::string::npos; at = text.find(mark, at)) {
      text.replace(at, std::string_view(mark).size(), with);
    }
  }
  return text;
}

std::string quoted(ByteView bytes) {
  std::string out;
  for (const char c : bytes) {
    out += c == '\n' ? "<newline>" : c == '\r' ? "<return>" : c == '\t' ? "<tab>" : std::string(1, c);
  }
  return "[" + out + "]";
}

std::string drain(CopyParser& parser, bool& failed) {
  std::string out;
  while (!failed) {
    const auto row = parser.next();
    if (!row.ok()) {
      failed = true;
      out += "line " + std::to_string(parser.line_number()) + ": " + row.status().to_string() + "\n";
      if (!row.status().fields().hint.empty()) {
        out += "HINT: " + row.status().fields().hint + "\n";
      }
    } else if (!*row) {
      break;
    } else {
      for (const CopyField& field : parser.fields()) {
        out += field.is_null ? "NULL " : quoted(field.bytes) + " ";
      }
      out.back() = '\n';
    }
  }
  return out;
}

std::string parse(const test::Command& command, std::size_t piece) {
  CopyParser parser(options_of(command), command.values("columns"));
  const std::string input = unescape(command.input);
  std::string out;
  bool failed = false;
  for (std::size_t at = 0; at < input.size() && !failed; at += piece) {
    parser.feed(ByteView(input).substr(at, piece));
    out += drain(parser, failed);
  }
  parser.finish();
  return out + drain(parser, failed);
}

TEST(CopyParser, Datadriven) {
  for (const auto& file : {"src/session/testdata/copy_text.txt", "src/session/testdata/copy_csv.txt"}) {
    test::run_datadriven(file, [](const test::Command& command) {
      std::string whole = parse(command, command.input.size() + 1);
      EXPECT_EQ(whole, parse(command, 1)) << command.file << ":" << command.line;
      return whole;
    });
  }
}

Bytes binary_header() { return Bytes("PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19); }

TEST(CopyParser, Binary) {
  Bytes data = binary_header() + Bytes("\0\2\0\0\0\1a\377\377\377\377", 11) + Bytes("\0\2\0\0\0\0\0\0\0\2xy", 12);
  const Bytes end("\377\377", 2);
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, data.size() + end.size()}) {
    CopyParser parser({.format = CopyFormat::kBinary}, {"a", "b"});
    std::string out;
    bool failed = false;
    const Bytes all = data + end;
    for (std::size_t at = 0; at < all.size(); at += piece) {
      parser.feed(ByteView(all).substr(at, piece));
      out += drain(parser, failed);
    }
    parser.finish();
    EXPECT_EQ(out + drain(parser, failed), "[a] NULL\n[] [xy]\n");
  }
}

TEST(CopyParser, BinaryCutAnywhereIsAnErrorOrAPrefix) {
  const Bytes all = binary_header() + Bytes("\0\1\0\0\0\3abc", 9);
  for (std::size_t size = 0; size < all.size(); ++size) {
    CopyParser parser({.format = CopyFormat::kBinary}, {"a"});
    parser.feed(ByteView(all).substr(0, size));
    parser.finish();
    bool failed = false;
    drain(parser, failed);
    EXPECT_EQ(failed, size != binary_header().size()) << size;
  }
}

TEST(CopyParser, BinaryRefusesWhatIsNotCopyData) {
  for (const Bytes& data : {Bytes("1\t2\n3\t4\n5\t6\n7\t8\n9\t10\n"), binary_header() + Bytes("\0\5", 2),
                            binary_header() + Bytes("\0\1\377\377\377\376", 6)}) {
    CopyParser parser({.format = CopyFormat::kBinary}, {"a"});
    parser.feed(data);
    EXPECT_EQ(parser.next().status().code(), sql_state::kBadCopyFileFormat);
  }
}

}  // namespace
}  // namespace pando::session
