// What idle groups cost: three nodes in one process, each with a replica of every group. Leads all groups, waits until
// they are silent, and measures the processor time and memory of one node from then on, in virtual time.
//
//   idle_groups_bench [groups] [seconds]

#include <array>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <vector>

#include <fmt/format.h>

#include "consensus/multiraft/multiraft.h"

namespace pando::bench {
namespace {

constexpr uint64_t kNodes = 3;
constexpr uint64_t kLoopNs = 10'000'000;

class ByNumber final : public multiraft::Directory {
 public:
  NodeId node_of(ShardId, ReplicaId replica) const override { return NodeId(static_cast<uint32_t>(replica.number())); }
};

double processor_seconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

double resident_mib() {
  long total = 0;
  long resident = 0;
  std::FILE* const file = std::fopen("/proc/self/statm", "r");
  if (file == nullptr || std::fscanf(file, "%ld %ld", &total, &resident) != 2) {
    std::abort();
  }
  std::fclose(file);
  return static_cast<double>(resident) * 4096 / (1024 * 1024);
}

class Nodes {
 public:
  Nodes() {
    for (uint32_t number = 1; number <= kNodes; ++number) {
      multiraft::Options options;
      options.liveness.self = NodeId(number);
      hosts_[number - 1] =
          std::make_unique<multiraft::MultiRaft>(options, directory_, liveness::Identity(), number, now_ns_);
      for (uint32_t other = 1; other <= kNodes; ++other) {
        if (other != number) {
          hosts_[number - 1]->watch(NodeId(other));
        }
      }
    }
  }
  void add(ShardId group) {
    for (uint64_t number = 1; number <= kNodes; ++number) {
      hosts_[number - 1]->add(group, {.self = ReplicaId(number), .election_ticks = 5},
                              {.config = raft::Config::of({1, 2, 3})});
    }
    hosts_[group.number() % kNodes]->campaign(group);
  }
  // One turn of every node's loop; messages arrive at the next turn.
  void turn() {
    now_ns_ += kLoopNs;
    for (auto& host : hosts_) {
      host->tick(now_ns_);
    }
    for (int step = 0; step < 12; ++step) {
      for (auto& host : hosts_) {
        drive(*host);
      }
    }
  }
  std::size_t awake() const {
    std::size_t count = 0;
    for (const auto& host : hosts_) {
      count += host->awake_count();
    }
    return count;
  }
  uint64_t messages() const { return messages_; }
  uint64_t envelopes() const { return envelopes_; }

 private:
  void drive(multiraft::MultiRaft& host) {
    multiraft::Ready ready = host.take_ready();
    for (multiraft::Envelope& envelope : ready.send) {
      ++envelopes_;
      messages_ += envelope.raft.size();
      hosts_[envelope.to.number() - 1]->step(std::move(envelope), now_ns_);
    }
    if (ready.write.has_value()) {
      host.persisted(ready.write->sequence);
    }
    for (const multiraft::GroupApply& apply : ready.apply) {
      host.applied(apply.group, apply.entries.back().index);
    }
  }

  ByNumber directory_;
  uint64_t now_ns_ = 1'000'000'000;
  std::array<std::unique_ptr<multiraft::MultiRaft>, kNodes> hosts_;
  uint64_t messages_ = 0;
  uint64_t envelopes_ = 0;
};

int run(uint64_t groups, uint64_t seconds) {
  const double before_mib = resident_mib();
  Nodes nodes;
  for (int i = 0; i < 50; ++i) {
    nodes.turn();
  }
  for (uint64_t group = 1; group <= groups; ++group) {
    nodes.add(ShardId(group));
  }
  int turns = 0;
  for (; nodes.awake() > 0 && turns < 3000; ++turns) {
    nodes.turn();
  }
  const double mib = (resident_mib() - before_mib) / kNodes;
  const uint64_t messages = nodes.messages();
  const uint64_t envelopes = nodes.envelopes();
  const double start = processor_seconds();
  for (uint64_t i = 0; i < seconds * 1'000'000'000 / kLoopNs; ++i) {
    nodes.turn();
  }
  const double used = (processor_seconds() - start) / kNodes;
  fmt::print(
      "{} groups on each of {} nodes; all silent after {} turns ({} awake)\n"
      "per node: {:.1f} MiB ({:.0f} bytes per group), {:.3f} % of a core over {} s of idling; {} group messages and "
      "{:.1f} envelopes per second in all\n",
      groups, kNodes, turns, nodes.awake(), mib, mib * 1024 * 1024 / static_cast<double>(groups),
      100 * used / static_cast<double>(seconds), seconds, nodes.messages() - messages,
      static_cast<double>(nodes.envelopes() - envelopes) / static_cast<double>(seconds));
  return nodes.awake() == 0 ? 0 : 1;
}

}  // namespace
}  // namespace pando::bench

int main(int argc, char** argv) {
  const uint64_t groups = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 10'000;
  const uint64_t seconds = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 60;
  return pando::bench::run(groups, seconds);
}
