// The pando command.

#include <algorithm>
#include <array>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "cli/commands.h"

namespace {

struct Command {
  std::string_view name;
  int (*run)(pando::cli::Words);
};
constexpr auto kCommands = std::to_array<Command>({
    {"start", pando::cli::run_start},
    {"sql", pando::cli::run_sql},
    {"init", pando::cli::run_init},
    {"node", pando::cli::run_node},
    {"cert", pando::cli::run_cert},
    {"check", pando::cli::run_check},
    {"version", pando::cli::run_version},
    {"--version", pando::cli::run_version},
});

}  // namespace

int main(int count, char** arguments) {
  const std::vector<std::string> words(arguments + 1, arguments + count);
  if (words.empty() || words[0] == "help" || words[0] == "--help" || words[0] == "-h") {
    return pando::cli::print_usage(words.empty() ? pando::cli::kExitUsage : pando::cli::kExitOk);
  }
  const pando::cli::Words rest(words.data() + 1, words.size() - 1);
  const auto found = std::ranges::find(kCommands, words[0], &Command::name);
  if (found == kCommands.end()) {
    std::fprintf(stderr, "pando: unknown command \"%s\"\n", words[0].c_str());
    return pando::cli::print_usage(pando::cli::kExitUsage);
  }
  return found->run(rest);
}
