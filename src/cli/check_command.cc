// pando check: verifies a database directory that no server has open.

#include <algorithm>
#include <cstdio>
#include <map>

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/commands.h"
#include "node/node.h"
#include "server/server.h"

namespace pando::cli {
namespace {

// Of one table or file; the rest is counted.
constexpr uint64_t kShownProblemsMax = 20;
constexpr uint64_t kEntriesPerUpdate = 20'000;

// Problems go to standard output, one a line. On a terminal a line at the bottom says how far the check is.
class TerminalObserver final : public session::DatabaseCheckObserver {
 public:
  TerminalObserver() : is_terminal_(::isatty(STDERR_FILENO) != 0) {}
  ~TerminalObserver() override { erase_line(); }
  TerminalObserver(const TerminalObserver&) = delete;
  TerminalObserver& operator=(const TerminalObserver&) = delete;

  void stage(const std::string& what, std::size_t number, std::size_t count) override {
    stage_ = what;
    number_ = number;
    count_ = count;
    done_ = 0;
    shown_ = 0;
    draw();
  }
  void progress(uint64_t entries) override {
    done_ += entries;
    if (done_ - shown_ >= kEntriesPerUpdate) {
      shown_ = done_;
      draw();
    }
  }
  void problem(const std::string& where, const std::string& what) override {
    const uint64_t number = ++problems_[where];
    if (number > kShownProblemsMax) {
      return;
    }
    erase_line();
    std::printf("%s: %s\n", where.c_str(), what.c_str());
    if (number == kShownProblemsMax) {
      std::printf("%s: more problems of this table are only counted\n", where.c_str());
    }
    std::fflush(stdout);
  }

 private:
  void draw() {
    if (!is_terminal_) {
      return;
    }
    constexpr std::size_t kWidth = 20;
    const std::size_t filled = count_ == 0 ? 0 : kWidth * number_ / count_;
    const std::string bar = std::string(filled, '#') + std::string(kWidth - filled, ' ');
    std::fprintf(stderr, "\r\033[K[%s] checking %s: %llu", bar.c_str(), stage_.c_str(),
                 static_cast<unsigned long long>(done_));
    std::fflush(stderr);
  }
  void erase_line() const {
    if (is_terminal_) {
      std::fputs("\r\033[K", stderr);
    }
  }

  const bool is_terminal_;
  std::string stage_;
  std::size_t number_ = 0;
  std::size_t count_ = 0;
  uint64_t done_ = 0;
  uint64_t shown_ = 0;
  std::map<std::string, uint64_t> problems_;
};

Result<session::DatabaseCheckCounts> check_directory(const std::string& directory) {
  struct stat info{};
  if (::stat((directory + "/state").c_str(), &info) != 0) {
    return Status(sql_state::kUndefinedFile, "\"{}\" holds no database", directory);
  }
  PANDO_TRY(server::check_no_cluster(directory));
  PANDO_ASSIGN(const auto node, node::Node::open({.directory = directory, .workers = 1}));
  auto counts = [&] {
    TerminalObserver observer;
    return node->check(observer);
  }();
  const Status closed = node->close();
  PANDO_TRY(counts.status());
  PANDO_TRY(closed);
  return counts;
}

}  // namespace

int run_check(Words words) {
  std::string directory;
  for (std::size_t at = 0; at < words.size();) {
    if (!take_flag(words, at, "--dir", directory)) {
      std::fprintf(stderr, "pando: unknown argument \"%s\"\n", words[at].c_str());
      return print_usage(kExitUsage);
    }
  }
  if (directory.empty()) {
    std::fputs("pando: --dir is missing: the directory that holds the database\n", stderr);
    return print_usage(kExitUsage);
  }
  const auto counts = check_directory(directory);
  if (!counts.ok()) {
    return print_error(counts.status());
  }
  fmt::print("{} tables, {} rows, {} index entries, {} constraints checked: {}\n", counts->tables, counts->rows,
             counts->entries, counts->constraints,
             counts->problems == 0 ? "no problems" : fmt::format("{} problems", counts->problems));
  return counts->problems == 0 ? kExitOk : kExitFailure;
}

}  // namespace pando::cli
