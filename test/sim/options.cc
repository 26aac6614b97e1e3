#include "test/sim/options.h"

#include <algorithm>

#include <fmt/format.h>

namespace pando::test {

namespace {

constexpr uint64_t kMs = 1'000'000;
constexpr double kFaultUsed = 0.4;
constexpr double kFaultless = 0.05;
constexpr double kFaultUsedOften = 0.7;
constexpr uint64_t kWilderInterval = 4;

void draw_network(Prng& prng, RunOptions& options) {
  constexpr std::array<uint64_t, 4> kMeans = {100'000, 500'000, 3 * kMs, 15 * kMs};
  options.network.delay_mean_ns = kMeans[prng.below(kMeans.size())];
  options.network.loss = prng.fraction() * 0.2;
  options.network.duplicate = prng.fraction() * 0.2;
  options.network.late_ns = prng.below(1500 * kMs);
  options.network.spike = prng.fraction() * 0.05;
  options.network.spike_ns = 20 * kMs + prng.below(600 * kMs);
  // A journal that cannot be read must not be taken for a short one.
  options.disk.reads_fail = true;
  options.disk.sync_ns = 50'000 + prng.below(prng.chance(0.4) ? 20 * kMs : kMs);
}

void draw_product(Prng& prng, RunOptions& options) {
  raft::Options& raft = options.raft;
  raft.election_ticks = 5 + static_cast<uint32_t>(prng.below(8));
  raft.heartbeat_ticks = 1 + static_cast<uint32_t>(prng.below(2));
  raft.pre_vote = prng.chance(0.85);
  raft.check_quorum = prng.chance(0.8);
  raft.eager_commit = prng.chance(0.5);
  raft.append_bytes_max = prng.chance(0.3) ? 1 + prng.below(200) : 64_KiB;
  raft.in_flight_max = prng.chance(0.3) ? 1 + prng.below(3) : 64;
  raft.in_flight_bytes_max = prng.chance(0.2) ? 1 + prng.below(300) : 1_MiB;
  raft.uncommitted_bytes_max = prng.chance(0.2) ? 100 + prng.below(500) : 1_MiB;
  raft.apply_bytes_max = prng.chance(0.3) ? 1 + prng.below(200) : 64_KiB;
  options.host.fabric = prng.chance(0.75);
  options.host.tick_ns = (10 + prng.below(30)) * kMs;
  options.host.stall_ns = (100 + prng.below(400)) * kMs;
  // A long support leaves a long time in which a broken promise shows.
  options.host.liveness.support_ns_min = (prng.chance(0.3) ? 800 + prng.below(2000) : 150 + prng.below(600)) * kMs;
  constexpr std::array<uint64_t, 3> kDrifts = {1000, 50'000, 150'000};
  options.host.liveness.drift_ppm_max = kDrifts[prng.below(kDrifts.size())];
  const uint64_t adaptive_ns = prng.chance(0.3) ? 0 : prng.below(2000) * kMs;
  options.host.liveness.support_ns_max = options.host.liveness.support_ns_min + adaptive_ns;
}

}  // namespace

RunOptions draw_options(uint64_t seed, const std::set<std::string, std::less<>>& disabled, bool wild) {
  Prng prng(seed ^ 0x5eed);
  RunOptions options;
  options.seed = seed;
  options.machine_count = 3 + static_cast<uint32_t>(prng.below(5));
  options.voter_count = prng.chance(0.1) ? 1 : prng.chance(0.6) || options.machine_count < 5 ? 3 : 5;
  options.learner_count = static_cast<uint32_t>(prng.chance(0.4) ? prng.below(3) : 0);
  options.group_count = 1 + static_cast<uint32_t>(prng.below(3));
  options.client_count = 1 + static_cast<uint32_t>(prng.below(6));
  options.safety_ns = (4000 + prng.below(12000)) * kMs;
  options.fault_interval_ns = (50 + prng.below(1000)) * kMs;
  options.encode = prng.chance(0.3);
  options.flush_chance = prng.fraction() * 0.4;
  // Some clients leave a group time to fall silent.
  options.think_ns = prng.chance(0.3) ? 1000 * kMs : 20 * kMs;
  options.learner_chance = 0.2 + prng.fraction() * 0.7;
  options.apply_delay_ns = prng.chance(0.3) ? prng.below(100 * kMs) : prng.below(kMs);
  draw_network(prng, options);
  draw_product(prng, options);
  const bool faultless = prng.chance(kFaultless) && !wild;
  options.fault_interval_ns /= wild ? kWilderInterval : 1;
  for (const std::string_view fault : kFaultClasses) {
    const bool often = fault == "compact" || fault == "sites" || fault == "strand";
    const double chance = fault == "drift-beyond" ? 0.1 : wild || often ? kFaultUsedOften : kFaultUsed;
    const bool used = prng.chance(chance) && !faultless;
    if (used && !disabled.contains(fault)) {
      options.faults.emplace(fault);
    }
  }
  // Timeouts must leave room for a write and a round trip, or no election can be won.
  const uint64_t turn_ns = options.disk.sync_ns * (1 + options.disk.variation) + 4 * options.network.delay_mean_ns;
  options.host.tick_ns = std::max(options.host.tick_ns, 3 * turn_ns / options.raft.election_ticks);
  options.network.loss *= options.may("loss") ? 1 : 0;
  options.network.duplicate *= options.may("duplicate") ? 1 : 0;
  options.network.spike *= options.may("spike") ? 1 : 0;
  // Several elections, each of which may fail, and a promise of a dead node that must lapse first.
  options.liveness_ns_max = 60 * options.raft.election_ticks * options.host.tick_ns +
                            6 * options.host.liveness.support_ns_max + 400 * options.network.delay_mean_ns +
                            100 * options.disk.sync_ns + 20 * options.apply_delay_ns + 3000 * kMs;
  return options;
}

std::string RunOptions::to_string() const {
  std::string text = fmt::format(
      "machines={} voters={} learners={} groups={} clients={} safety={}ms tick={}ms election={} pre-vote={} "
      "check-quorum={} "
      "eager={} fabric={} support={}..{}ms delay={}us sync={}us faults:",
      machine_count, voter_count, learner_count, group_count, client_count, safety_ns / kMs, host.tick_ns / kMs,
      raft.election_ticks, raft.pre_vote, raft.check_quorum, raft.eager_commit, host.fabric,
      host.liveness.support_ns_min / kMs, host.liveness.support_ns_max / kMs, network.delay_mean_ns / 1000,
      disk.sync_ns / 1000);
  for (const std::string& fault : faults) {
    text += " " + fault;
  }
  return text;
}

}  // namespace pando::test
