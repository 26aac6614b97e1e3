// Runs sqllogictest files against a server that speaks PostgreSQL's protocol.
//
//   pando_slt --connect "host=127.0.0.1 port=5433 user=postgres" [--verbose] [--failures FILE] file.test ...
//
// The schema public is emptied before each file. Records guarded for another engine than "postgresql" are skipped. The
// last line is "N passed, N failed, N skipped"; with --failures, each failed record is written as "file:line".
// Format: https://www.sqlite.org/sqllogictest/doc/trunk/about.wiki.

#include <libpq-fe.h>
#include <openssl/evp.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

namespace {

constexpr const char* kEngine = "postgresql";
constexpr std::size_t kDefaultHashThreshold = 8;

struct Record {
  enum class Kind { kStatementOk, kStatementError, kQuery, kHashThreshold, kHalt };
  Kind kind = Kind::kHalt;
  bool skip = false;
  int line = 0;
  std::string sql;
  std::string column_types;
  std::string sort_mode = "nosort";
  std::size_t hash_threshold = 0;
  std::vector<std::string> expected;
};

std::vector<std::string> split_words(const std::string& line) {
  std::istringstream in(line);
  std::vector<std::string> words;
  for (std::string word; in >> word;) {
    words.push_back(word);
  }
  return words;
}

class FileReader {
 public:
  explicit FileReader(const std::string& path) : in_(path) {}

  bool next(Record& record) {
    record = Record();
    while (next_line()) {
      const auto words = split_words(text_);
      if (words.empty() || words[0][0] == '#') {
        continue;
      }
      if (words[0] == "skipif") {
        record.skip |= words.size() > 1 && words[1] == kEngine;
      } else if (words[0] == "onlyif") {
        record.skip |= words.size() > 1 && words[1] != kEngine;
      } else {
        return read_record(words, record);
      }
    }
    return false;
  }

 private:
  bool next_line() {
    if (!std::getline(in_, text_)) {
      return false;
    }
    ++line_;
    if (!text_.empty() && text_.back() == '\r') {
      text_.pop_back();
    }
    return true;
  }

  bool read_record(const std::vector<std::string>& words, Record& record) {
    record.line = line_;
    if (words[0] == "hash-threshold") {
      record.kind = Record::Kind::kHashThreshold;
      record.hash_threshold = std::strtoul(words[1].c_str(), nullptr, 10);
      return true;
    }
    if (words[0] == "halt") {
      record.kind = Record::Kind::kHalt;
      return true;
    }
    if (words[0] == "statement") {
      record.kind = words[1] == "ok" ? Record::Kind::kStatementOk : Record::Kind::kStatementError;
    } else {
      record.kind = Record::Kind::kQuery;
      record.column_types = words.size() > 1 ? words[1] : "";
      record.sort_mode = words.size() > 2 ? words[2] : "nosort";
    }
    while (next_line() && !text_.empty() && text_ != "----") {
      record.sql += text_ + "\n";
    }
    if (text_ == "----") {
      while (next_line() && !text_.empty()) {
        record.expected.push_back(text_);
      }
    }
    return true;
  }

  std::ifstream in_;
  std::string text_;
  int line_ = 0;
};

std::string format_value(const char* text, bool is_null, char type) {
  if (is_null) {
    return "NULL";
  }
  char buffer[64];
  if (type == 'I') {
    std::snprintf(buffer, sizeof(buffer), "%lld", static_cast<long long>(std::strtod(text, nullptr)));
    return buffer;
  }
  if (type == 'R') {
    std::snprintf(buffer, sizeof(buffer), "%.3f", std::strtod(text, nullptr));
    return buffer;
  }
  if (*text == '\0') {
    return "(empty)";
  }
  std::string shown = text;
  std::ranges::replace_if(shown, [](char c) { return c < ' ' || c > '~'; }, '@');
  return shown;
}

std::string md5_of_lines(const std::vector<std::string>& values) {
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  EVP_DigestInit_ex(context.get(), EVP_md5(), nullptr);
  for (const auto& value : values) {
    EVP_DigestUpdate(context.get(), value.data(), value.size());
    EVP_DigestUpdate(context.get(), "\n", 1);
  }
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  EVP_DigestFinal_ex(context.get(), digest, &size);
  std::string hex;
  for (unsigned int i = 0; i < size; ++i) {
    char byte[3];
    std::snprintf(byte, sizeof(byte), "%02x", digest[i]);
    hex += byte;
  }
  return hex;
}

struct ResultDeleter {
  void operator()(PGresult* result) const { PQclear(result); }
};
using ResultPtr = std::unique_ptr<PGresult, ResultDeleter>;

class Runner {
 public:
  Runner(PGconn* connection, bool verbose, const std::string& failures_path)
      : connection_(connection), verbose_(verbose) {
    if (!failures_path.empty()) {
      failures_.open(failures_path);
    }
  }

  void run_file(const std::string& path) {
    file_ = path;
    hash_threshold_ = kDefaultHashThreshold;
    execute("DROP SCHEMA IF EXISTS public CASCADE");
    execute("CREATE SCHEMA public");
    FileReader reader(path);
    for (Record record; reader.next(record);) {
      if (record.skip) {
        ++skipped_;
        continue;
      }
      if (record.kind == Record::Kind::kHalt) {
        break;
      }
      run_record(record);
    }
  }

  int finish() const {
    std::printf("%d passed, %d failed, %d skipped\n", passed_, failed_, skipped_);
    return failed_ == 0 && passed_ > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
  }

 private:
  ResultPtr execute(const std::string& sql) { return ResultPtr(PQexec(connection_, sql.c_str())); }

  void run_record(const Record& record) {
    switch (record.kind) {
      case Record::Kind::kHashThreshold:
        hash_threshold_ = record.hash_threshold;
        return;
      case Record::Kind::kHalt:
        return;
      case Record::Kind::kQuery:
        run_query(record);
        return;
      case Record::Kind::kStatementOk:
      case Record::Kind::kStatementError:
        run_statement(record);
    }
  }

  void run_statement(const Record& record) {
    const ResultPtr result = execute(record.sql);
    const auto status = PQresultStatus(result.get());
    const bool ok = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
    const bool wants_ok = record.kind == Record::Kind::kStatementOk;
    judge(record, ok == wants_ok, wants_ok ? PQresultErrorMessage(result.get()) : "expected an error");
  }

  void run_query(const Record& record) {
    const ResultPtr result = execute(record.sql);
    if (PQresultStatus(result.get()) != PGRES_TUPLES_OK) {
      judge(record, false, PQresultErrorMessage(result.get()));
      return;
    }
    const int columns = PQnfields(result.get());
    if (columns != static_cast<int>(record.column_types.size())) {
      judge(record, false, "expected " + record.column_types + ", got " + std::to_string(columns) + " columns");
      return;
    }
    const auto values = sorted_values(record, result.get());
    if (hash_threshold_ > 0 && values.size() > hash_threshold_) {
      const std::string summary = std::to_string(values.size()) + " values hashing to " + md5_of_lines(values);
      const bool expects_hash =
          record.expected.size() == 1 && record.expected[0].find("values hashing to") != std::string::npos;
      judge(record, expects_hash ? record.expected[0] == summary : record.expected == values, "got " + summary);
      return;
    }
    std::string shown = "got";
    for (std::size_t i = 0; i < values.size() && i < 20; ++i) {
      shown += " " + values[i];
    }
    judge(record, record.expected == values, shown);
  }

  static std::vector<std::string> sorted_values(const Record& record, const PGresult* result) {
    std::vector<std::vector<std::string>> rows;
    for (int row = 0; row < PQntuples(result); ++row) {
      auto& cells = rows.emplace_back();
      for (int column = 0; column < PQnfields(result); ++column) {
        cells.push_back(format_value(PQgetvalue(result, row, column), PQgetisnull(result, row, column) != 0,
                                     record.column_types[static_cast<std::size_t>(column)]));
      }
    }
    if (record.sort_mode == "rowsort") {
      std::ranges::sort(rows);
    }
    std::vector<std::string> values;
    for (const auto& row : rows) {
      values.insert(values.end(), row.begin(), row.end());
    }
    if (record.sort_mode == "valuesort") {
      std::ranges::sort(values);
    }
    return values;
  }

  void judge(const Record& record, bool passed, const std::string& why) {
    ++(passed ? passed_ : failed_);
    if (passed) {
      return;
    }
    if (failures_.is_open()) {
      failures_ << file_ << ":" << record.line << "\n";
    }
    if (verbose_) {
      std::printf("%s:%d: %s\n%s", file_.c_str(), record.line, why.c_str(), record.sql.c_str());
    }
  }

  PGconn* connection_;
  bool verbose_;
  std::ofstream failures_;
  std::string file_;
  std::size_t hash_threshold_ = kDefaultHashThreshold;
  int passed_ = 0;
  int failed_ = 0;
  int skipped_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  std::string connect;
  std::string failures;
  bool verbose = false;
  std::vector<std::string> files;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--connect" && i + 1 < argc) {
      connect = argv[++i];
    } else if (argument == "--failures" && i + 1 < argc) {
      failures = argv[++i];
    } else if (argument == "--verbose") {
      verbose = true;
    } else {
      files.push_back(argument);
    }
  }
  std::unique_ptr<PGconn, decltype(&PQfinish)> connection(PQconnectdb(connect.c_str()), PQfinish);
  if (PQstatus(connection.get()) != CONNECTION_OK) {
    std::fprintf(stderr, "%s", PQerrorMessage(connection.get()));
    return EXIT_FAILURE;
  }
  PQsetNoticeProcessor(connection.get(), [](void*, const char*) {}, nullptr);
  Runner runner(connection.get(), verbose, failures);
  for (const auto& file : files) {
    runner.run_file(file);
  }
  return runner.finish();
}
