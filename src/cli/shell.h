#pragma once

// Shell: the interactive part of `pando sql`: reads lines, runs statements and backslash commands, prints answers.
//
// Thread-safety: the main thread; interrupt() from a signal's thread.

#include <atomic>
#include <string>

#include "cli/client.h"
#include "cli/statement_splitter.h"
#include "cli/table_printer.h"

namespace pando::cli {

class Shell {
 public:
  // REQUIRES: `client` outlives the shell.
  explicit Shell(Client& client) : client_(client) {}

  // Reads from the terminal with line editing and history until \q or the end of input; from a pipe without prompts.
  // Returns the exit code.
  int run_interactive();
  // Runs one text (-c); false when a statement failed or the connection broke.
  bool run_text(const std::string& text);
  TableStyle& style() { return style_; }

 private:
  struct LineReader;

  // False: leave the shell.
  bool run_line(const std::string& line);
  bool run_command(const std::string& line);
  bool run_statement(const std::string& sql);
  void describe(const std::string& command, const std::string& pattern);
  void describe_relation(const std::string& pattern);
  // The rows of a query of the shell's own; errors are printed.
  ResultTable fetch(const std::string& sql);
  void print(const std::string& text) const;
  static void print_report(std::string_view severity, const ErrorFields& fields);
  std::string prompt() const;

  Client& client_;
  StatementSplitter splitter_;
  TableStyle style_;
  bool timing_ = false;
  bool failed_ = false;
  bool broken_ = false;
  LineReader* reader_ = nullptr;
};

}  // namespace pando::cli
