#include "cli/shell.h"

#include <chrono>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <sstream>

#include <fmt/format.h>
#include <histedit.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/describe.h"

namespace pando::cli {
namespace {

constexpr int kHistoryLines = 2000;

constexpr const char* kHelp =
    "General\n"
    "  \\q                     quit\n"
    "  \\?                     this help\n"
    "  \\timing [on|off]       show how long statements take\n"
    "  \\x [on|off]            expanded output\n"
    "  \\conninfo              the connection\n"
    "Catalog (NAME may have * and ?)\n"
    "  \\d [NAME]              tables, views and sequences, or one in detail\n"
    "  \\dt \\di \\ds \\dv [NAME]  tables, indexes, sequences, views\n"
    "  \\dn \\df \\du \\l [NAME]  schemas, functions, roles, databases\n";

std::string history_path() {
  const char* home = std::getenv("HOME");
  return home == nullptr ? "" : std::string(home) + "/.pando_history";
}

void set_switch(bool& value, const std::string& argument) { value = argument == "on" || (argument != "off" && !value); }

}  // namespace

// Lines from the terminal, edited and remembered, or from a pipe as they come.
struct Shell::LineReader {
  LineReader() : interactive(::isatty(STDIN_FILENO) != 0) {
    if (!interactive) {
      return;
    }
    editor = el_init("pando", stdin, stdout, stderr);
    past = history_init();
    HistEvent event;
    history(past, &event, H_SETSIZE, kHistoryLines);
    history(past, &event, H_SETUNIQUE, 1);
    history(past, &event, H_LOAD, history_path().c_str());
    el_set(editor, EL_HIST, history, past);
    el_set(editor, EL_EDITOR, "emacs");
    el_set(editor, EL_SIGNAL, 1);
    el_set(editor, EL_CLIENTDATA, this);
    el_set(
        editor, EL_PROMPT, +[](EditLine* line_editor) {
          LineReader* self = nullptr;
          el_get(line_editor, EL_CLIENTDATA, &self);
          return self->prompt.data();
        });
  }
  ~LineReader() {
    if (editor != nullptr) {
      HistEvent event;
      history(past, &event, H_SAVE, history_path().c_str());
      history_end(past);
      el_end(editor);
    }
  }
  LineReader(const LineReader&) = delete;
  LineReader& operator=(const LineReader&) = delete;

  // False at the end of input.
  bool read(std::string& line) {
    if (!interactive) {
      return static_cast<bool>(std::getline(std::cin, line));
    }
    int size = 0;
    const char* text = el_gets(editor, &size);
    if (text == nullptr || size <= 0) {
      return false;
    }
    line.assign(text, static_cast<std::size_t>(size));
    if (!line.empty() && line.back() == '\n') {
      line.pop_back();
    }
    if (line.find_first_not_of(" \t") != std::string::npos) {
      HistEvent event;
      history(past, &event, H_ENTER, text);
    }
    return true;
  }

  const bool interactive;
  EditLine* editor = nullptr;
  History* past = nullptr;
  std::string prompt;
};

void Shell::print(const std::string& text) const {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

void Shell::print_report(std::string_view severity, const ErrorFields& fields) {
  std::string out = fmt::format("{}:  {}\n", severity, fields.message);
  out += fields.detail.empty() ? "" : "DETAIL:  " + fields.detail + "\n";
  out += fields.hint.empty() ? "" : "HINT:  " + fields.hint + "\n";
  out += fields.where.empty() ? "" : "CONTEXT:  " + fields.where + "\n";
  std::fflush(stdout);
  std::fputs(out.c_str(), stderr);
}

std::string Shell::prompt() const {
  const char transaction = client_.transaction_status();
  return fmt::format("postgres{}{}# ", splitter_.state(), transaction == 'T' ? "*" : transaction == 'E' ? "!" : "");
}

int Shell::run_interactive() {
  LineReader reader;
  reader_ = &reader;
  if (reader.interactive) {
    print(fmt::format("pando {} (server {})\nType \\? for help.\n\n", "0.1.0", client_.server_version()));
  }
  std::string line;
  while (!broken_) {
    reader.prompt = prompt();
    if (!reader.read(line)) {
      break;
    }
    if (!run_line(line)) {
      reader_ = nullptr;
      return failed_ && !reader.interactive ? kExitFailure : kExitOk;
    }
  }
  if (reader.interactive) {
    print("\n");
  } else if (!splitter_.empty()) {
    run_statement(splitter_.take_rest());
  }
  reader_ = nullptr;
  return broken_ || (failed_ && !reader.interactive) ? kExitFailure : kExitOk;
}

bool Shell::run_line(const std::string& line) {
  const auto start = line.find_first_not_of(" \t");
  if (splitter_.empty() && start != std::string::npos && line[start] == '\\') {
    splitter_.clear();
    return run_command(line.substr(start));
  }
  splitter_.feed(line + "\n");
  while (const auto statement = splitter_.take()) {
    run_statement(*statement);
  }
  return true;
}

bool Shell::run_text(const std::string& text) {
  if (text.starts_with("\\")) {
    run_command(text);
  } else {
    run_statement(text);
  }
  return !failed_ && !broken_;
}

bool Shell::run_statement(const std::string& sql) {
  AnswerEvents events;
  events.on_table = [this](const ResultTable& table) { print(print_table(table, style_)); };
  events.on_complete = [this](std::string_view tag) {
    const bool counts_rows =
        tag.starts_with("SELECT") || tag.starts_with("SHOW") || tag.starts_with("FETCH") || tag.starts_with("EXPLAIN");
    if (!counts_rows && !style_.plain) {
      print(std::string(tag) + "\n");
    }
  };
  events.on_report = [](std::string_view severity, const ErrorFields& fields) { print_report(severity, fields); };
  events.on_copy_data = [this](ByteView data) { print(std::string(data)); };
  events.read_copy_data = [this](Bytes& piece) {
    std::string line;
    if (reader_ == nullptr || !reader_->read(line) || line == "\\.") {
      return false;
    }
    piece = line + "\n";
    return true;
  };
  const auto begin = std::chrono::steady_clock::now();
  const auto answer = client_.query(sql, events);
  const std::chrono::duration<double, std::milli> elapsed = std::chrono::steady_clock::now() - begin;
  if (!answer.ok()) {
    print_report("FATAL", answer.status().fields());
    broken_ = true;
    return false;
  }
  failed_ = failed_ || !*answer;
  if (timing_) {
    print(fmt::format("Time: {:.3f} ms\n", elapsed.count()));
  }
  return *answer;
}

bool Shell::run_command(const std::string& line) {
  std::istringstream words(line.substr(1));
  std::string command;
  std::string argument;
  words >> command >> argument;
  while (!argument.empty() && argument.back() == ';') {
    argument.pop_back();
  }
  if (command == "q") {
    return false;
  }
  if (command == "?") {
    print(kHelp);
  } else if (command == "timing") {
    set_switch(timing_, argument);
    print(fmt::format("Timing is {}.\n", timing_ ? "on" : "off"));
  } else if (command == "x") {
    set_switch(style_.expanded, argument);
    print(fmt::format("Expanded display is {}.\n", style_.expanded ? "on" : "off"));
  } else if (command == "conninfo") {
    print(fmt::format("You are connected to database \"postgres\" as user \"postgres\" of server {}.\n",
                      client_.server_version()));
  } else {
    while (!command.empty() && (command.back() == '+' || command.back() == 'S')) {
      command.pop_back();
    }
    describe(command, argument);
  }
  return true;
}

ResultTable Shell::fetch(const std::string& sql) {
  ResultTable found;
  AnswerEvents events;
  events.on_table = [&found](const ResultTable& table) { found = table; };
  events.on_report = [](std::string_view severity, const ErrorFields& fields) { print_report(severity, fields); };
  if (const auto answer = client_.query(sql, events); !answer.ok()) {
    print_report("FATAL", answer.status().fields());
    broken_ = true;
  }
  return found;
}

void Shell::describe(const std::string& command, const std::string& pattern) {
  if (command == "d" && !pattern.empty()) {
    describe_relation(pattern);
    return;
  }
  const DescribeQuery query = list_query(command, pattern);
  if (query.sql.empty()) {
    print_report("ERROR",
                 ErrorFields{.message = fmt::format("invalid command \\{}", command), .hint = "Try \\? for help."});
    failed_ = true;
    return;
  }
  const ResultTable table = fetch(query.sql);
  if (!table.columns.empty()) {
    TableStyle style = style_;
    style.title = query.title;
    print(print_table(table, style));
  }
}

void Shell::describe_relation(const std::string& pattern) {
  const ResultTable relations = fetch(find_relations_sql(pattern));
  if (relations.rows.empty()) {
    std::fprintf(stderr, "Did not find any relation named \"%s\".\n", pattern.c_str());
    failed_ = true;
    return;
  }
  for (const auto& relation : relations.rows) {
    const DescribeQuery query = relation_query(*relation[0], *relation[1], *relation[2]);
    TableStyle style = style_;
    style.title = query.title;
    std::string out = print_table(fetch(query.sql), style);
    // The row count says nothing here; what belongs to the relation follows the columns directly.
    out.erase(out.rfind("("));
    for (const DescribeQuery::Footer& footer : query.footers) {
      const ResultTable lines = fetch(footer.sql);
      out += lines.rows.empty() ? "" : footer.heading + "\n";
      for (const auto& line : lines.rows) {
        out += line[0].value_or("") + "\n";
      }
    }
    print(out + "\n");
  }
}

}  // namespace pando::cli
