#pragma once

// What is drawn for one seed: the shape of the cluster, the knobs of the product, and which faults may happen. Drawing
// a different subset each time finds more than turning everything on (Groce et al., "Swarm Testing", 2012).

#include <array>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "consensus/multiraft/multiraft.h"
#include "sim/disk.h"
#include "sim/network.h"

namespace pando::test {

// The faults that can be turned off one by one, by name.
inline constexpr std::array<std::string_view, 23> kFaultClasses = {
    "loss",  "duplicate", "spike",    "partition", "one-way", "clog",  "reset", "crash",
    "pause", "wipe",      "stall",    "error",     "full",    "flip",  "drift", "drift-beyond",
    "jump",  "member",    "transfer", "forget",    "compact", "sites", "strand"};

struct RunOptions {
  uint64_t seed = 0;
  uint32_t machine_count = 5;
  uint32_t voter_count = 3;
  // At first; as machines allow.
  uint32_t learner_count = 0;
  uint32_t group_count = 1;
  uint32_t client_count = 4;
  uint64_t safety_ns = 0;
  // Between two faults, on average.
  uint64_t fault_interval_ns = 0;
  // After the faults have stopped, every group must have come to rest within this.
  uint64_t liveness_ns_max = 0;
  // Whether messages go through their encoding.
  bool encode = false;
  double flush_chance = 0.1;
  // Between two operations of a client, at most.
  uint64_t think_ns = 20'000'000;
  // How many newcomers are learners at first.
  double learner_chance = 0.5;
  uint64_t apply_delay_ns = 0;
  sim::NetworkOptions network;
  sim::DiskOptions disk;
  multiraft::Options host;
  raft::Options raft;
  std::set<std::string, std::less<>> faults;

  bool may(std::string_view fault) const { return faults.contains(fault); }
  // Whether clocks keep to what leases assume.
  bool clocks_good() const { return !may("drift-beyond"); }
  std::string to_string() const;
};

// `disabled` faults are not used, and their absence changes no other draw. `wild`: most faults at once, and often.
RunOptions draw_options(uint64_t seed, const std::set<std::string, std::less<>>& disabled, bool wild = false);

}  // namespace pando::test
