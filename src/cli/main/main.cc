// The pando command.

#include <string>
#include <vector>

#include "cli/commands.h"

int main(int count, char** arguments) {
  const std::vector<std::string> words(arguments + 1, arguments + count);
  if (words.empty() || words[0] == "help" || words[0] == "--help" || words[0] == "-h") {
    return pando::cli::print_usage(words.empty() ? pando::cli::kExitUsage : pando::cli::kExitOk);
  }
  const pando::cli::Words rest(words.data() + 1, words.size() - 1);
  if (words[0] == "start") {
    return pando::cli::run_start(rest);
  }
  if (words[0] == "sql") {
    return pando::cli::run_sql(rest);
  }
  if (words[0] == "init") {
    return pando::cli::run_init(rest);
  }
  if (words[0] == "node") {
    return pando::cli::run_node(rest);
  }
  if (words[0] == "cert") {
    return pando::cli::run_cert(rest);
  }
  if (words[0] == "check") {
    return pando::cli::run_check(rest);
  }
  if (words[0] == "version" || words[0] == "--version") {
    return pando::cli::run_version(rest);
  }
  return pando::cli::print_usage(pando::cli::kExitUsage);
}
