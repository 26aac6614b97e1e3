// Clients: each does one operation after another, at any machine, and remembers what was visible when it began.

#include <fmt/format.h>

#include "test/sim/cluster.h"

namespace pando::test {

namespace {

constexpr uint64_t kMs = 1'000'000;
constexpr uint64_t kPatienceNs = 500 * kMs;
constexpr double kWrite = 0.6;
constexpr double kAtLeader = 0.6;
// Of those, at any that takes itself for the leader.
constexpr double kAtOldLeader = 0.3;
// Some write several things and wait for the last, so that a leader that is cut off gets a long tail.
constexpr double kBurst = 0.2;
constexpr uint64_t kBurstMax = 6;
constexpr std::size_t kPayloadBytesMax = 300;

}  // namespace

void Cluster::start_clients() {
  for (uint32_t client = 0; client < options_.client_count; ++client) {
    schedule_client(client, world_.prng().below(options_.think_ns));
  }
}

void Cluster::schedule_client(uint32_t client, uint64_t delay_ns) {
  world_.after(delay_ns, [this, client] { act(client); });
}

void Cluster::act(uint32_t client) {
  if (!safety_phase_) {
    return;
  }
  const ShardId group = any_group();
  const uint64_t turn = ++turns_[client];
  // Whether or not an answer comes, the next turn does.
  world_.after(kPatienceNs, [this, client, turn] {
    if (turns_[client] == turn) {
      act(client);
    }
  });
  Node* node = &any_machine();
  if (world_.prng().chance(kAtLeader)) {
    node = world_.prng().chance(kAtOldLeader) ? any_leader_of(group) : leader_of(group);
  }
  if (node == nullptr || !node->running() || node->paused() || node->find(group) == nullptr) {
    return;
  }
  if (world_.prng().chance(kWrite)) {
    write(client, *node, group);
  } else {
    read(*node, group, options_.host.fabric && world_.prng().chance(0.5), [this, client, turn] {
      if (turns_[client] == turn) {
        ++turns_[client];
        schedule_client(client, world_.prng().below(options_.think_ns));
      }
    });
  }
}

void Cluster::write_burst(Node& node, ShardId group, uint64_t count) {
  for (; count > 0 && node.find(group) != nullptr; --count) {
    node.write(group, fmt::format("{}:burst", ++payload_serial_), [](std::optional<raft::LogIndex>) {});
  }
}

void Cluster::write(uint32_t client, Node& node, ShardId group) {
  if (world_.prng().chance(kBurst)) {
    write_burst(node, group, world_.prng().below(kBurstMax));
    if (!node.running()) {
      return;
    }
  }
  const std::string text = fmt::format("{}:{}:", client, ++payload_serial_);
  Bytes payload = text + Bytes(world_.prng().below(kPayloadBytesMax), 'x');
  const raft::LogIndex floor = checker_.floor(group);
  node.write(group, payload, [this, client, group, floor, turn = turns_[client]](std::optional<raft::LogIndex> index) {
    if (index.has_value()) {
      checker_.on_write_done(group, *index, floor);
      world_.trace("write", {client, *index});
    }
    if (turns_[client] == turn) {
      ++turns_[client];
      schedule_client(client, world_.prng().below(options_.think_ns));
    }
  });
}

void Cluster::read(Node& node, ShardId group, bool by_lease, std::function<void()> done) {
  const raft::LogIndex floor = checker_.floor(group);
  node.read(group, by_lease,
            [this, group, floor, by_lease, done = std::move(done)](std::optional<raft::LogIndex> index) {
              // Leases promise nothing when clocks are off beyond what they assume.
              if (index.has_value() && (!by_lease || options_.clocks_good())) {
                checker_.on_read_done(group, *index, floor, by_lease ? "by lease" : "by quorum");
                world_.trace("read", {group.number(), *index});
              }
              done();
            });
}

}  // namespace pando::test
