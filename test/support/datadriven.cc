#include "test/support/datadriven.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

namespace pando::test {
namespace {

constexpr const char* kSeparator = "----";

std::vector<std::string> read_lines(const std::string& path) {
  std::ifstream in(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) {
    lines.push_back(line);
  }
  return lines;
}

// Splits on spaces outside parentheses.
std::vector<std::string> split_words(const std::string& line) {
  std::vector<std::string> words;
  std::string word;
  int depth = 0;
  for (const char c : line + " ") {
    depth += c == '(' ? 1 : c == ')' ? -1 : 0;
    if (c == ' ' && depth == 0) {
      if (!word.empty()) {
        words.push_back(word);
      }
      word.clear();
    } else {
      word += c;
    }
  }
  return words;
}

Command::Argument parse_argument(const std::string& word) {
  const auto equals = word.find('=');
  if (equals == std::string::npos) {
    return {word, {}};
  }
  Command::Argument argument{word.substr(0, equals), {}};
  std::string values = word.substr(equals + 1);
  if (values.empty() || values.front() != '(') {
    argument.values.push_back(values);
    return argument;
  }
  std::stringstream list(values.substr(1, values.size() - 2));
  for (std::string value; std::getline(list, value, ',');) {
    value.erase(0, value.find_first_not_of(' '));
    argument.values.push_back(value);
  }
  return argument;
}

Command parse_command(const std::string& path, int line_number, const std::string& line) {
  Command command;
  command.file = path;
  command.line = line_number;
  for (const auto& word : split_words(line)) {
    if (command.name.empty()) {
      command.name = word;
    } else {
      command.arguments.push_back(parse_argument(word));
    }
  }
  return command;
}

std::string with_newline(std::string text) {
  if (!text.empty() && text.back() != '\n') {
    text += '\n';
  }
  return text;
}

std::string format_output(const std::string& output) {
  const bool has_blank_line = output.starts_with("\n") || output.find("\n\n") != std::string::npos;
  if (!has_blank_line) {
    return std::string(kSeparator) + "\n" + output;
  }
  return std::string(kSeparator) + "\n" + kSeparator + "\n" + output + kSeparator + "\n" + kSeparator + "\n";
}

// Reads the expected output that starts at `at` (just past ----) and leaves `at` past it.
std::string take_expected(const std::vector<std::string>& lines, std::size_t& at) {
  std::string expected;
  if (at < lines.size() && lines[at] == kSeparator) {
    for (++at; at < lines.size(); ++at) {
      if (lines[at] == kSeparator && at + 1 < lines.size() && lines[at + 1] == kSeparator) {
        at += 2;
        break;
      }
      expected += lines[at] + "\n";
    }
    return expected;
  }
  for (; at < lines.size() && !lines[at].empty(); ++at) {
    expected += lines[at] + "\n";
  }
  return expected;
}

}  // namespace

bool Command::has(const std::string& key) const {
  return std::ranges::any_of(arguments, [&](const Argument& argument) { return argument.key == key; });
}

std::string Command::value(const std::string& key, const std::string& fallback) const {
  const auto all = values(key);
  return all.empty() ? fallback : all.front();
}

std::vector<std::string> Command::values(const std::string& key) const {
  for (const auto& argument : arguments) {
    if (argument.key == key) {
      return argument.values;
    }
  }
  return {};
}

void run_datadriven(const std::string& path, const CommandHandler& handler) {
  const bool rewrite = std::getenv("PANDO_REWRITE") != nullptr;
  const auto lines = read_lines(path);
  ASSERT_FALSE(lines.empty()) << "no test file " << path;
  std::string rewritten;
  for (std::size_t at = 0; at < lines.size();) {
    if (lines[at].empty() || lines[at].front() == '#') {
      rewritten += lines[at++] + "\n";
      continue;
    }
    Command command = parse_command(path, static_cast<int>(at) + 1, lines[at]);
    rewritten += lines[at++] + "\n";
    for (; at < lines.size() && lines[at] != kSeparator; ++at) {
      command.input += lines[at] + "\n";
    }
    rewritten += command.input;
    ++at;
    const std::string expected = take_expected(lines, at);
    const std::string actual = with_newline(handler(command));
    rewritten += format_output(actual);
    if (!rewrite) {
      EXPECT_EQ(actual, expected) << path << ":" << command.line << ": " << command.name;
    }
  }
  if (rewrite) {
    std::ofstream(path) << rewritten;
  }
}

std::vector<std::string> testdata_files(const std::string& directory) {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    if (entry.path().extension() == ".txt") {
      files.push_back(entry.path().string());
    }
  }
  std::ranges::sort(files);
  return files;
}

}  // namespace pando::test
