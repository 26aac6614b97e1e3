#pragma once

// Data-driven tests: a text file of commands and their expected output, which reads as a story.
//
//   # Why this case exists.
//   command arg key=value list=(a,b)
//   input lines
//   ----
//   expected output
//   (blank line ends it; output that has blank lines is wrapped in a second pair of ---- lines)
//
// run_datadriven calls the handler for each stanza and compares; with PANDO_REWRITE=1 in the environment it writes the
// actual output into the file instead, to be reviewed as code.

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace pando::test {

struct Command {
  std::string name;
  // Arguments in order: "key=value" and "key=(a,b)" under their key, bare words with no values.
  struct Argument {
    std::string key;
    std::vector<std::string> values;
  };
  std::vector<Argument> arguments;
  std::string input;
  std::string file;
  int line = 0;

  bool has(const std::string& key) const;
  // The single value of `key`, or `fallback`.
  std::string value(const std::string& key, const std::string& fallback = "") const;
  std::vector<std::string> values(const std::string& key) const;
};

using CommandHandler = std::function<std::string(const Command&)>;

// Runs one file. Failures are reported through GoogleTest with file and line.
void run_datadriven(const std::string& path, const CommandHandler& handler);

// The .txt files below `directory`, sorted.
std::vector<std::string> testdata_files(const std::string& directory);

}  // namespace pando::test
