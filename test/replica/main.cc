// pando_replica_sim --seeds A..B [--twice] [--verbose]: runs chaos (test/replica/chaos.h) for each seed.

#include <charconv>
#include <cstdio>
#include <cstring>

#include <fmt/format.h>

#include "test/replica/chaos.h"

namespace {

bool parse_seeds(const char* text, uint64_t& first, uint64_t& last) {
  const char* const end = text + std::strlen(text);
  const auto [middle, error] = std::from_chars(text, end, first);
  last = first;
  if (error != std::errc()) {
    return false;
  }
  if (middle == end) {
    return true;
  }
  return std::strncmp(middle, "..", 2) == 0 && std::from_chars(middle + 2, end, last).ptr == end;
}

}  // namespace

int main(int argc, char** argv) {
  uint64_t first = 1;
  uint64_t last = 20;
  bool twice = false;
  bool verbose = false;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--twice") {
      twice = true;
    } else if (argument == "--verbose") {
      verbose = true;
    } else if (argument != "--seeds" || i + 1 == argc || !parse_seeds(argv[++i], first, last)) {
      fmt::print(stderr, "usage: pando_replica_sim --seeds A..B [--twice] [--verbose]\n");
      return 2;
    }
  }
  uint64_t acknowledged = 0;
  uint64_t failures = 0;
  std::map<std::string, uint64_t> probes;
  for (uint64_t seed = first; seed <= last; ++seed) {
    const auto result = pando::test::run_chaos(seed, verbose);
    acknowledged += result.acknowledged;
    for (const auto& [name, count] : result.probes) {
      probes[name] += count;
    }
    if (!result.violation.empty()) {
      ++failures;
      fmt::print("seed {}: {}\n  replay: pando_replica_sim --seeds {} --verbose\n", seed, result.violation, seed);
      std::fflush(stdout);
    }
    if (twice && pando::test::run_chaos(seed, false).trace_hash != result.trace_hash) {
      ++failures;
      fmt::print("seed {}: two runs differ\n", seed);
    }
  }
  fmt::print("{} seeds, {} failures, {} acknowledged writes\n", last - first + 1, failures, acknowledged);
  for (const auto& [name, count] : probes) {
    fmt::print("  {:24} {}\n", name, count);
  }
  return failures == 0 ? 0 : 1;
}
