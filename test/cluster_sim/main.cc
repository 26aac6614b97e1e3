// pando_cluster_sim: runs seeds of a simulated cluster with SQL clients.
//
//   pando_cluster_sim --seeds A..B [--twice] [--disable name,name] [--minutes N] [--until-failure] [--no-shrink]
//                     [--probes] [--verbose]
//
// Each seed runs in a process of its own, so that an assertion ends one seed and nothing is left behind. A failing seed
// is printed with the commit, its workloads and faults, the violated invariant or anomaly, and the command that replays
// it, after turning off the faults and workloads that it does not need. Exit status 1 when any seed failed.

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <sstream>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/cluster_sim/run.h"
#include "test/support/checkout.h"

namespace pando::test {
namespace {

// A seed takes a fraction of a second of the processor. One that takes this long goes round in circles.
constexpr rlim_t kCpuSecondsMax = 90;
constexpr char kFieldEnd = '\x1f';

struct Arguments {
  uint64_t first = 1;
  uint64_t last = 100;
  uint64_t minutes = 0;
  bool twice = false;
  bool probes = false;
  bool until_failure = false;
  bool shrink = true;
  bool verbose = false;
  Names disabled;
};

// --- a seed in a process of its own ---

std::string encode(const RunResult& result) {
  std::string text =
      fmt::format("{}{}{}{}{} {} {} {} {}{}", result.invariant, kFieldEnd, result.violation, kFieldEnd,
                  result.trace_hash, result.simulated_ns, result.events, result.statements, result.commits, kFieldEnd);
  for (const auto& [name, count] : result.probes) {
    text += fmt::format("{}{}{}{}", name, kFieldEnd, count, kFieldEnd);
  }
  return text;
}

std::optional<RunResult> decode(const std::string& text) {
  RunResult result;
  std::stringstream fields(text);
  std::string numbers;
  if (!std::getline(fields, result.invariant, kFieldEnd) || !std::getline(fields, result.violation, kFieldEnd) ||
      !std::getline(fields, numbers, kFieldEnd)) {
    return std::nullopt;
  }
  std::stringstream(numbers) >> result.trace_hash >> result.simulated_ns >> result.events >> result.statements >>
      result.commits;
  for (std::string name, count; std::getline(fields, name, kFieldEnd) && std::getline(fields, count, kFieldEnd);) {
    result.probes[name] = std::strtoull(count.c_str(), nullptr, 10);
  }
  return result;
}

[[noreturn]] void run_child(const RunOptions& options, int out) {
  const rlimit limit{kCpuSecondsMax, kCpuSecondsMax + 1};
  setrlimit(RLIMIT_CPU, &limit);
  const std::string text = encode(run_cluster(options, false));
  std::size_t written = 0;
  while (written < text.size()) {
    const ssize_t count = write(out, text.data() + written, text.size() - written);
    if (count <= 0) {
      _exit(1);
    }
    written += static_cast<std::size_t>(count);
  }
  _exit(0);
}

std::string read_all(int from) {
  std::string text;
  std::array<char, 4096> buffer{};
  for (ssize_t count = 0; (count = read(from, buffer.data(), buffer.size())) > 0;) {
    text.append(buffer.data(), static_cast<std::size_t>(count));
  }
  return text;
}

RunResult run_seed(uint64_t seed, const Names& disabled) {
  const RunOptions options = draw_options(seed, disabled);
  std::fflush(stdout);
  std::array<int, 2> ends{};
  PANDO_ASSERT(pipe(ends.data()) == 0, "a pipe");
  const pid_t child = fork();
  if (child == 0) {
    close(ends[0]);
    run_child(options, ends[1]);
  }
  close(ends[1]);
  const std::string text = read_all(ends[0]);
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  if (auto result = decode(text); result.has_value() && WIFEXITED(status)) {
    return *std::move(result);
  }
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU) {
    return {.invariant = "progress", .violation = "progress: the run does not come to an end"};
  }
  return {.invariant = "assertion", .violation = fmt::format("assertion: the process ended with status {}", status)};
}

RunResult run_seed_twice(uint64_t seed, const Names& disabled) {
  RunResult result = run_seed(seed, disabled);
  if (result.invariant.empty() && run_seed(seed, disabled).trace_hash != result.trace_hash) {
    result.invariant = "determinism";
    result.violation = "determinism: the second run has another trace";
  }
  return result;
}

// --- reports ---

// The most that can be turned off with the same invariant still violated.
Names shrink(uint64_t seed, Names disabled, const std::string& invariant) {
  const RunOptions options = draw_options(seed, disabled);
  std::vector<std::string> used(options.faults.begin(), options.faults.end());
  used.insert(used.end(), options.workloads.begin(), options.workloads.end());
  for (const std::string& name : used) {
    Names more = disabled;
    more.insert(name);
    if (draw_options(seed, more).workloads.empty()) {
      continue;
    }
    if (run_seed(seed, more).invariant == invariant) {
      disabled = std::move(more);
    }
  }
  return disabled;
}

void report(uint64_t seed, const Arguments& arguments, const RunResult& result) {
  fmt::print("FAILED seed {} at commit {}\n  {}\n  {}\n", seed, describe_checkout(), result.violation,
             draw_options(seed, arguments.disabled).to_string());
  std::fflush(stdout);
  const bool shrinks = arguments.shrink && result.invariant != "determinism";
  const Names disabled = shrinks ? shrink(seed, arguments.disabled, result.invariant) : arguments.disabled;
  fmt::print("  shrunk: {}\n", draw_options(seed, disabled).to_string());
  fmt::print("  replay: pando_cluster_sim --seeds {}..{}{}{} --verbose\n", seed, seed,
             disabled.empty() ? "" : " --disable ", fmt::join(disabled, ","));
  std::fflush(stdout);
}

int run_verbosely(const Arguments& arguments) {
  const RunOptions options = draw_options(arguments.first, arguments.disabled);
  fmt::print("{}\n", options.to_string());
  std::fflush(stdout);
  const RunResult result = run_cluster(options, true);
  fmt::print("{}\n", result.violation.empty() ? "no violation" : result.violation);
  std::fflush(stdout);
  _exit(result.violation.empty() ? 0 : 1);
}

struct Totals {
  uint64_t seeds = 0;
  uint64_t failures = 0;
  RunResult sum;
  void add(const RunResult& result) {
    ++seeds;
    failures += result.invariant.empty() ? 0 : 1;
    sum.simulated_ns += result.simulated_ns;
    sum.events += result.events;
    sum.statements += result.statements;
    sum.commits += result.commits;
    for (const auto& [name, count] : result.probes) {
      ++sum.probes[name];
    }
  }
  void print(double seconds, bool with_probes) const {
    const double hours = static_cast<double>(sum.simulated_ns) / 3.6e12;
    fmt::print("{} seeds, {} failed; {:.2f} simulated hours in {:.1f} s; {} events, {} statements, {} commits\n", seeds,
               failures, hours, seconds, sum.events, sum.statements, sum.commits);
    for (const auto& [name, count] : sum.probes) {
      if (with_probes) {
        fmt::print("  {:>7} {}\n", count, name);
      }
    }
  }
};

int run(const Arguments& arguments) {
  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  const auto elapsed = [&] { return std::chrono::duration<double>(Clock::now() - start).count(); };
  Totals totals;
  for (uint64_t seed = arguments.first; arguments.minutes > 0 || seed <= arguments.last; ++seed) {
    if (arguments.minutes > 0 && elapsed() > 60.0 * static_cast<double>(arguments.minutes)) {
      break;
    }
    const RunResult result =
        arguments.twice ? run_seed_twice(seed, arguments.disabled) : run_seed(seed, arguments.disabled);
    totals.add(result);
    if (!result.invariant.empty()) {
      report(seed, arguments, result);
      if (arguments.until_failure) {
        break;
      }
    }
  }
  totals.print(elapsed(), arguments.probes);
  return totals.failures == 0 ? 0 : 1;
}

bool parse(int argc, char** argv, Arguments& arguments) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view option = argv[i];
    const char* const value = i + 1 < argc ? argv[i + 1] : nullptr;
    if (option == "--seeds" && value != nullptr) {
      if (std::sscanf(value, "%lu..%lu", &arguments.first, &arguments.last) != 2) {
        return false;
      }
      ++i;
    } else if (option == "--disable" && value != nullptr) {
      std::stringstream list(value);
      for (std::string name; std::getline(list, name, ',');) {
        arguments.disabled.insert(name);
      }
      ++i;
    } else if (option == "--minutes" && value != nullptr) {
      arguments.minutes = std::strtoull(value, nullptr, 10);
      ++i;
    } else if (option == "--twice") {
      arguments.twice = true;
    } else if (option == "--probes") {
      arguments.probes = true;
    } else if (option == "--until-failure") {
      arguments.until_failure = true;
    } else if (option == "--no-shrink") {
      arguments.shrink = false;
    } else if (option == "--verbose") {
      arguments.verbose = true;
    } else {
      return false;
    }
  }
  return true;
}

}  // namespace
}  // namespace pando::test

int main(int argc, char** argv) {
  pando::test::Arguments arguments;
  if (!pando::test::parse(argc, argv, arguments)) {
    std::fprintf(stderr,
                 "usage: pando_cluster_sim --seeds A..B [--twice] [--disable name,name] [--minutes N] "
                 "[--until-failure] [--no-shrink] [--probes] [--verbose]\n");
    return 2;
  }
  return arguments.verbose ? pando::test::run_verbosely(arguments) : pando::test::run(arguments);
}
