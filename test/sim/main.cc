// pando_sim: runs seeds of the Raft workload.
//
//   pando_sim --seeds A..B [--twice] [--wild] [--disable fault,fault] [--minutes N] [--until-failure] [--no-shrink]
//             [--probes] [--verbose]
//
// Every failing seed is printed with the commit and the invariant it violates, shrunk by turning fault classes off, and
// with the command that replays it. --probes also tells which interesting states were never reached. Exit status 1 when
// any seed failed.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <sstream>

#include <fmt/format.h>

#include "base/assert.h"
#include "test/sim/cluster.h"
#include "test/sim/probes.h"
#include "test/support/checkout.h"

namespace pando::test {
namespace {

using Faults = std::set<std::string, std::less<>>;

struct Outcome {
  bool ok = false;
  std::string violation;
  std::string invariant;
  uint64_t trace_hash = 0;
  uint64_t simulated_ns = 0;
  uint64_t events = 0;
  uint64_t entries = 0;
  uint64_t operations = 0;
  std::map<std::string, uint64_t> probes;
};

// How seeds are run, besides their number.
struct Mode {
  Faults disabled;
  bool wild = false;
  bool verbose = false;
};

Outcome run_seed(uint64_t seed, const Mode& mode) {
  Cluster cluster(draw_options(seed, mode.disabled, mode.wild));
  cluster.world().set_verbose(mode.verbose);
  Outcome outcome;
  outcome.ok = cluster.run();
  outcome.violation = cluster.world().violation();
  outcome.invariant = cluster.world().invariant();
  outcome.trace_hash = cluster.world().trace_hash();
  outcome.simulated_ns = cluster.world().now_ns();
  outcome.events = cluster.world().event_count();
  outcome.entries = cluster.checker().entry_count();
  outcome.operations = cluster.checker().write_count() + cluster.checker().read_count();
  outcome.probes = cluster.world().probes();
  return outcome;
}

std::string join(const Faults& faults) {
  std::string text;
  for (const std::string& fault : faults) {
    text += (text.empty() ? "" : ",") + fault;
  }
  return text;
}

// The most faults that can be turned off with the same invariant still violated.
Mode shrink(uint64_t seed, Mode mode, const std::string& invariant) {
  mode.verbose = false;
  for (const std::string_view fault : kFaultClasses) {
    Mode less = mode;
    if (!less.disabled.emplace(fault).second) {
      continue;
    }
    if (run_seed(seed, less).invariant == invariant) {
      mode = std::move(less);
    }
  }
  return mode;
}

void report(uint64_t seed, const Mode& mode, const Outcome& outcome, bool with_shrink) {
  fmt::print("FAILED seed {} at commit {}\n  {}\n  {}\n", seed, describe_checkout(), outcome.violation,
             draw_options(seed, mode.disabled, mode.wild).to_string());
  std::fflush(stdout);
  const Mode least = with_shrink ? shrink(seed, mode, outcome.invariant) : mode;
  fmt::print("  shrunk: {}\n", draw_options(seed, least.disabled, least.wild).to_string());
  fmt::print("  replay: pando_sim --seeds {}..{}{}{}{} --verbose\n", seed, seed, least.wild ? " --wild" : "",
             least.disabled.empty() ? "" : " --disable ", join(least.disabled));
  std::fflush(stdout);
}

struct Arguments {
  uint64_t first = 1;
  uint64_t last = 100;
  bool twice = false;
  bool probes = false;
  bool until_failure = false;
  bool shrink = true;
  uint64_t minutes = 0;
  Mode mode;
};

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
      for (std::string fault; std::getline(list, fault, ',');) {
        arguments.mode.disabled.insert(fault);
      }
      ++i;
    } else if (option == "--minutes" && value != nullptr) {
      arguments.minutes = std::strtoull(value, nullptr, 10);
      ++i;
    } else if (option == "--twice") {
      arguments.twice = true;
    } else if (option == "--wild") {
      arguments.mode.wild = true;
    } else if (option == "--probes") {
      arguments.probes = true;
    } else if (option == "--until-failure") {
      arguments.until_failure = true;
    } else if (option == "--no-shrink") {
      arguments.shrink = false;
    } else if (option == "--verbose") {
      arguments.mode.verbose = true;
    } else {
      return false;
    }
  }
  return true;
}

struct Totals {
  uint64_t seeds = 0;
  uint64_t failures = 0;
  uint64_t simulated_ns = 0;
  uint64_t events = 0;
  uint64_t entries = 0;
  uint64_t operations = 0;
  std::map<std::string, uint64_t> probes;
};

void print_totals(const Totals& totals, double seconds, bool with_probes) {
  const double hours = static_cast<double>(totals.simulated_ns) / 3.6e12;
  fmt::print(
      "{} seeds, {} failed; {:.2f} simulated hours in {:.1f} s ({:.0f} simulated hours per hour); {} events, "
      "{} entries committed, {} operations checked\n",
      totals.seeds, totals.failures, hours, seconds, hours * 3600 / seconds, totals.events, totals.entries,
      totals.operations);
  if (with_probes) {
    fmt::print("probes, by the number of seeds that reached them:\n");
    for (const auto& [name, count] : totals.probes) {
      fmt::print("  {:>7} {}\n", count, name);
      PANDO_ASSERT(std::ranges::find(kProbes, name) != kProbes.end(), "every probe is in the list");
    }
    for (const std::string_view name : kProbes) {
      if (!totals.probes.contains(std::string(name))) {
        fmt::print("  NEVER   {}\n", name);
      }
    }
  }
}

int run(const Arguments& arguments) {
  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  const auto elapsed = [&] { return std::chrono::duration<double>(Clock::now() - start).count(); };
  Totals totals;
  for (uint64_t seed = arguments.first; arguments.minutes > 0 || seed <= arguments.last; ++seed) {
    if (arguments.minutes > 0 && elapsed() > 60.0 * static_cast<double>(arguments.minutes)) {
      break;
    }
    Outcome outcome = run_seed(seed, arguments.mode);
    if (outcome.ok && arguments.twice) {
      const Outcome again = run_seed(seed, {arguments.mode.disabled, arguments.mode.wild});
      if (again.trace_hash != outcome.trace_hash) {
        outcome.ok = false;
        outcome.violation = "determinism: the second run has another trace";
        outcome.invariant = "determinism";
      }
    }
    ++totals.seeds;
    totals.simulated_ns += outcome.simulated_ns;
    totals.events += outcome.events;
    totals.entries += outcome.entries;
    totals.operations += outcome.operations;
    for (const auto& [name, count] : outcome.probes) {
      ++totals.probes[name];
    }
    if (!outcome.ok) {
      ++totals.failures;
      report(seed, arguments.mode, outcome, arguments.shrink);
      if (arguments.until_failure) {
        break;
      }
    }
  }
  print_totals(totals, elapsed(), arguments.probes);
  return totals.failures == 0 ? 0 : 1;
}

}  // namespace
}  // namespace pando::test

int main(int argc, char** argv) {
  pando::test::Arguments arguments;
  if (!pando::test::parse(argc, argv, arguments)) {
    std::fprintf(stderr,
                 "usage: pando_sim --seeds A..B [--twice] [--wild] [--disable fault,fault] [--minutes N] "
                 "[--until-failure] "
                 "[--no-shrink] [--probes] [--verbose]\n");
    return 2;
  }
  return pando::test::run(arguments);
}
