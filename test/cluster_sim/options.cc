#include "test/cluster_sim/options.h"

#include <fmt/format.h>

#include "base/prng.h"

namespace pando::test {
namespace {

constexpr uint64_t kMs = 1'000'000;
constexpr double kFaultless = 0.05;
constexpr double kFaultUsed = 0.45;
constexpr double kWorkloadUsed = 0.4;

void draw_network(Prng& prng, ClusterOptions& cluster) {
  cluster.network.delay_min_ns = 50'000 + prng.below(200'000);
  cluster.network.delay_mean_ns = 50'000 + prng.below(prng.chance(0.2) ? 5 * kMs : kMs);
  cluster.network.loss = prng.fraction() * 0.02;
  cluster.network.duplicate = prng.fraction() * 0.05;
  cluster.network.spike = prng.fraction() * 0.02;
  cluster.network.spike_ns = prng.below(300 * kMs);
  cluster.disk.sync_ns = 50'000 + prng.below(2 * kMs);
}

void draw_store(Prng& prng, kv::ClusterNodeOptions& node) {
  node.replicas.log_bytes_max = prng.chance(0.4) ? 8_KiB : 1_MiB;
  node.replicas.journal_keep_bytes = prng.chance(0.4) ? 256_KiB : 4_MiB;
  node.replicas.snapshot_chunk_bytes = 1000 + prng.below(60'000);
  node.record_cache_bytes = prng.chance(0.3) ? 64_KiB : 4_MiB;
  node.gateway_lost_after = std::chrono::milliseconds(500 + prng.below(2500));
  node.store.unavailable_after = std::chrono::milliseconds(3000 + prng.below(7000));
  node.store.recover_after = std::chrono::milliseconds(200 + prng.below(1800));
  // Then many a commit has parts.
  if (prng.chance(0.4)) {
    node.store.part_bytes_max = 1 + prng.below(500);
  }
}

}  // namespace

RunOptions draw_options(uint64_t seed, const Names& disabled) {
  Prng prng(seed ^ 0x5ca1ab1e);
  RunOptions options;
  options.seed = seed;
  ClusterOptions& cluster = options.cluster;
  cluster.nodes = 3 + static_cast<uint32_t>(prng.chance(0.5) ? 0 : prng.below(5));
  cluster.replicas = cluster.nodes >= 5 && prng.chance(0.3) ? 5 : 3;
  options.clients = 1 + static_cast<uint32_t>(prng.below(4));
  options.shards_at_start = 1 + static_cast<uint32_t>(prng.below(4));
  options.disturbed_ns = (2000 + prng.below(6000)) * kMs;
  options.fault_interval_ns = (50 + prng.below(500)) * kMs;
  draw_network(prng, cluster);
  draw_store(prng, cluster.node);
  constexpr std::array<uint64_t, 3> kOffsetsMs = {0, 10, 60};
  cluster.clock_offset_max_ns = kOffsetsMs[prng.below(kOffsetsMs.size())] * kMs;
  options.grace_ns = (500 + prng.below(3000)) * kMs;
  const bool faultless = prng.chance(kFaultless);
  for (const std::string_view fault : kFaultClasses) {
    if (prng.chance(kFaultUsed) && !faultless && !disabled.contains(fault)) {
      options.faults.emplace(fault);
    }
  }
  const auto always = kWorkloads[prng.below(kWorkloads.size())];
  for (const std::string_view workload : kWorkloads) {
    if ((prng.chance(kWorkloadUsed) || workload == always) && !disabled.contains(workload)) {
      options.workloads.emplace(workload);
    }
  }
  cluster.network.loss *= options.may("loss") ? 1 : 0;
  cluster.network.duplicate *= options.may("duplicate") ? 1 : 0;
  cluster.network.spike *= options.may("spike") ? 1 : 0;
  cluster.drift_ppm_max = options.may("drift") ? 200 : 0;
  return options;
}

std::string RunOptions::to_string() const {
  std::string text = fmt::format(
      "nodes={} replicas={} clients={} shards={} disturbed={}ms interval={}ms delay={}us sync={}us offset={}ms "
      "recover={}ms part={} log={}KiB workloads:",
      cluster.nodes, cluster.replicas, clients, shards_at_start, disturbed_ns / kMs, fault_interval_ns / kMs,
      cluster.network.delay_mean_ns / 1000, cluster.disk.sync_ns / 1000, cluster.clock_offset_max_ns / kMs,
      cluster.node.store.recover_after.count(), cluster.node.store.part_bytes_max,
      cluster.node.replicas.log_bytes_max / 1024);
  for (const std::string& workload : workloads) {
    text += " " + workload;
  }
  text += " faults:";
  for (const std::string& fault : faults) {
    text += " " + fault;
  }
  return text;
}

}  // namespace pando::test
