// What idle shards cost the driver of a node, ReplicaHost: three nodes in one process and in virtual time, each with a
// replica of every shard. Waits until every shard has a leaseholder and is silent; then measures the processor time of
// all that runs (the simulated network and disks too) and the memory (the engines in memory too), per node.
//
//   idle_shards_bench [shards] [seconds]

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>

#include <fmt/format.h>

#include "base/assert.h"
#include "kv/descriptor/keys.h"
#include "kv/replica/replica_format.h"
#include "test/replica/simulated_hosts.h"

namespace pando::bench {
namespace {

using namespace std::chrono_literals;

constexpr uint32_t kNodes = 3;
constexpr int kParts = 20;

double processor_seconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

double resident_mib() {
  long total = 0;
  long resident = 0;
  std::FILE* const file = std::fopen("/proc/self/statm", "r");
  PANDO_ASSERT(file != nullptr && std::fscanf(file, "%ld %ld", &total, &resident) == 2, "memory is told in pages");
  std::fclose(file);
  return static_cast<double>(resident) * 4096 / (1 << 20);
}

// As if every shard had been split off and replicated before.
void found(test::SimulatedNode& node, uint64_t shards) {
  storage::WriteBatch batch;
  for (uint64_t number = 1; number <= shards; ++number) {
    kv::ShardDescriptor shard{.id = ShardId(number),
                              .start = fmt::format("{:08}", number),
                              .end = fmt::format("{:08}", number + 1),
                              .next_replica_id = ReplicaId(kNodes + 1)};
    for (uint32_t id = 1; id <= kNodes; ++id) {
      shard.replicas.push_back({.node = NodeId(id), .id = ReplicaId(id)});
    }
    batch.put(kv::descriptor_key(shard.id), kv::encode_descriptor(shard));
    batch.put(kv::shard_state_key(shard.id),
              kv::encode(kv::ShardState{kv::kInitialPosition.term, kv::config_of(shard)}));
    batch.put(kv::local_replica_key(shard.id), kv::encode(kv::LocalReplica{.replica = ReplicaId(node.id().number())}));
    batch.set_applied(shard.id, kv::kInitialPosition.index);
  }
  PANDO_ASSERT(node.engine().write(batch).ok(), "an engine in memory takes what it is given");
}

std::size_t awake(test::SimulatedHosts& hosts) {
  std::size_t count = 0;
  for (const auto& node : hosts.nodes()) {
    count += node->host().statistics().awake_groups;
  }
  return count;
}

int run(uint64_t shards, uint64_t seconds) {
  const double before_mib = resident_mib();
  sim::World world(1);
  test::HostsOptions options;
  options.nodes = kNodes;
  test::SimulatedHosts hosts(world, options);
  for (const auto& node : hosts.nodes()) {
    found(*node, shards);
  }
  hosts.start_all();
  const bool silent = hosts.run_until(60s, [&] {
    return hosts.leaseholder(ShardId(shards)) != nullptr && world.now_ns() > 5'000'000'000 && awake(hosts) == 0;
  });
  uint64_t led = 0;
  for (uint64_t number = 1; number <= shards; ++number) {
    led += hosts.leaseholder(ShardId(number)) != nullptr ? 1 : 0;
  }
  const double mib = (resident_mib() - before_mib) / kNodes;
  // The least of several parts: a busy machine only adds.
  double used = 1e9;
  for (int part = 0; part < kParts; ++part) {
    const double start = processor_seconds();
    hosts.run_for(std::chrono::seconds(seconds) / kParts);
    used = std::min(used, (processor_seconds() - start) * kParts / kNodes);
  }
  fmt::print(
      "{} shards on each of {} nodes: {} have a leaseholder, {} are silent; per node {:.1f} MiB and {:.2f} % of a "
      "core over {} s\n",
      shards, kNodes, led, silent ? "all" : "not all", mib, 100 * used / static_cast<double>(seconds), seconds);
  return silent && led == shards ? 0 : 1;
}

}  // namespace
}  // namespace pando::bench

int main(int argc, char** argv) {
  const uint64_t shards = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 10'000;
  const uint64_t seconds = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 60;
  return pando::bench::run(shards, seconds);
}
