#include "test/sim/cluster.h"

#include <fmt/format.h>

#include "base/assert.h"

namespace pando::test {

namespace {

constexpr uint64_t kMs = 1'000'000;
// Every group starts with some history that is compacted away, so that newcomers need a snapshot.
constexpr raft::LogPosition kFoundation{.index = 10, .term = 1};
constexpr int64_t kWallOffsetNsMax = 100'000'000;
constexpr int64_t kBeyondPpm = 200'000;
constexpr uint64_t kEndNs = 10 * kMs;

}  // namespace

Cluster::Cluster(const RunOptions& options)
    : options_(options),
      world_(options.seed),
      network_(world_, options.network),
      checker_(world_),
      turns_(options.client_count, 0) {
  world_.set_fault_sites(options.may("sites"));
  const int64_t drift = options.may("drift-beyond") ? kBeyondPpm
                        : options.may("drift")      ? static_cast<int64_t>(options.host.liveness.drift_ppm_max)
                                                    : 0;
  for (sim::Machine machine = 1; machine <= options.machine_count; ++machine) {
    const int64_t drift_ppm = world_.prng().between(-drift, drift);
    const int64_t offset = world_.prng().between(-kWallOffsetNsMax, kWallOffsetNsMax);
    nodes_.push_back(std::make_unique<Node>(*this, machine, drift_ppm, offset));
  }
  found_groups();
}

Cluster::~Cluster() {
  safety_phase_ = false;
  for (auto& node : nodes_) {
    node->crash("process crashed");
  }
  // Lets what the processes were waiting for end, and journals close; less than it takes to start again.
  world_.run_until(world_.now_ns() + kEndNs);
}

void Cluster::found_groups() {
  for (uint32_t number = 1; number <= options_.group_count; ++number) {
    State state{.position = kFoundation};
    std::vector<ReplicaId> replicas;
    ++serial_;
    const uint32_t count = std::min(options_.voter_count + options_.learner_count, options_.machine_count);
    for (uint32_t i = 0; i < count; ++i) {
      const sim::Machine machine = 1 + (number + i) % options_.machine_count;
      replicas.emplace_back(serial_ * kMachinesMax + machine);
      (i < options_.voter_count ? state.config.voters.incoming : state.config.learners).insert(replicas.back());
    }
    for (const ReplicaId replica : replicas) {
      machine(machine_of(replica)).found(ShardId(number), replica, state);
    }
    checker_.on_apply(ShardId(number), state.position.index, state.digest);
  }
}

bool Cluster::run() {
  for (auto& node : nodes_) {
    node->start();
  }
  start_clients();
  schedule_fault();
  schedule_promise_check();
  if (!world_.run_until(options_.safety_ns)) {
    return false;
  }
  safety_phase_ = false;
  heal();
  return come_to_rest();
}

void Cluster::transmit(multiraft::Envelope envelope, std::shared_ptr<const State> snapshot) {
  const sim::Machine from = envelope.from.number();
  const sim::Machine to = envelope.to.number();
  auto sent = std::make_shared<const multiraft::Envelope>(std::move(envelope));
  auto bytes = std::make_shared<Bytes>();
  if (options_.encode) {
    multiraft::encode(*sent, *bytes);
  }
  network_.send(from, to, [this, to, sent, bytes, snapshot] {
    if (bytes->empty()) {
      machine(to).receive(*sent, snapshot);
      return;
    }
    multiraft::Envelope decoded;
    if (!multiraft::decode(*bytes, decoded)) {
      world_.fail("encoding", "an envelope cannot be decoded");
      return;
    }
    machine(to).receive(std::move(decoded), snapshot);
  });
}

Node* Cluster::leader_of(ShardId group) {
  Node* found = nullptr;
  raft::Term term = 0;
  for (auto& node : nodes_) {
    const raft::Raft* const raft = node->paused() ? nullptr : node->find(group);
    if (raft != nullptr && raft->role() == raft::Role::kLeader && raft->term() > term) {
      found = node.get();
      term = raft->term();
    }
  }
  return found;
}

Node* Cluster::any_leader_of(ShardId group) {
  std::vector<Node*> leaders;
  for (auto& node : nodes_) {
    const raft::Raft* const raft = node->paused() ? nullptr : node->find(group);
    if (raft != nullptr && raft->role() == raft::Role::kLeader) {
      leaders.push_back(node.get());
    }
  }
  return leaders.empty() ? nullptr : leaders[world_.prng().below(leaders.size())];
}

const State* Cluster::newest(ShardId group) const {
  const State* best = nullptr;
  for (const auto& node : nodes_) {
    const State* const state = node->state(group);
    if (state != nullptr && (best == nullptr || state->position.index > best->position.index)) {
      best = state;
    }
  }
  return best;
}

bool Cluster::may_retire(ShardId group, ReplicaId replica) const {
  const State* const state = newest(group);
  if (state == nullptr || state->config.contains(replica)) {
    return false;
  }
  const auto knows = [&](ReplicaId id) {
    const State* const own = nodes_[machine_of(id) - 1]->flushed(group, id);
    return std::optional(own != nullptr && own->position.index > 0 && !own->config.contains(replica));
  };
  return quorum::tally(state->config.voters, knows) == quorum::Vote::kWon;
}

// --- liveness ---

bool Cluster::come_to_rest() {
  constexpr uint64_t kSliceNs = 20 * kMs;
  // What is written now must also be replicated within the bound, perhaps an entry at a time.
  constexpr uint64_t kMarkIntervalNs = 500 * kMs;
  const uint64_t end = world_.now_ns() + options_.liveness_ns_max;
  std::vector<bool> marked(options_.group_count + 1, false);
  std::vector<uint64_t> next_mark_ns(options_.group_count + 1, 0);
  std::string why;
  while (world_.now_ns() < end) {
    if (!world_.run_until(world_.now_ns() + kSliceNs)) {
      return false;
    }
    bool rest = true;
    for (uint32_t number = 1; number <= options_.group_count; ++number) {
      const ShardId group(number);
      change_members(group);
      Node* const leader = leader_of(group);
      if (!marked[number] && leader != nullptr && world_.now_ns() >= next_mark_ns[number]) {
        next_mark_ns[number] = world_.now_ns() + kMarkIntervalNs;
        leader->write(group, fmt::format("end {}", world_.now_ns()),
                      [&marked, number](std::optional<raft::LogIndex> index) { marked[number] = index.has_value(); });
      }
      if (leader == nullptr) {
        // Somebody wants to read: a replica that waits for a leader which is gone finds out.
        Node& asked = any_machine();
        if (asked.running() && asked.find(group) != nullptr) {
          asked.read(group, false, [](std::optional<raft::LogIndex>) {});
        }
      }
      const bool done = marked[number] && group_at_rest(group, why);
      why = marked[number] || done ? why : fmt::format("group {} accepts no write", number);
      rest = rest && done;
    }
    if (rest) {
      // Nothing may refer to `marked` later.
      return !world_.failed();
    }
  }
  world_.fail("liveness", fmt::format("{} ms after the faults stopped: {}", options_.liveness_ns_max / kMs, why));
  return false;
}

bool Cluster::group_at_rest(ShardId group, std::string& why) {
  const State* const state = newest(group);
  Node* const leader = leader_of(group);
  if (state == nullptr || leader == nullptr) {
    why = fmt::format("group {} has no leader", group.number());
    return false;
  }
  if (state->position.index < checker_.floor(group)) {
    world_.fail("durability", fmt::format("group {}: {} was acknowledged, but the newest state is at {}",
                                          group.number(), checker_.floor(group), state->position.index));
    return false;
  }
  for (const ReplicaId replica : state->config.members()) {
    Node& node = machine(machine_of(replica));
    const State* const own = node.state(group);
    const raft::Raft* const raft = node.find(group);
    if (own == nullptr || raft->self() != replica) {
      why = fmt::format("group {}: replica {} is not there", group.number(), replica.number());
      return false;
    }
    if (own->position != state->position || raft->log().last_index() != state->position.index) {
      why = fmt::format("group {}: replica {} is at {}, not {}", group.number(), replica.number(), own->position.index,
                        state->position.index);
      return false;
    }
    if (options_.host.fabric && !raft->idle() && !state->config.joint()) {
      why = fmt::format("group {}: replica {}, {} of term {} with leader {}, finds no rest in {}", group.number(),
                        replica.number(), raft::to_string(raft->role()), raft->term(), raft->leader().number(),
                        raft->config().to_string());
      return false;
    }
  }
  return true;
}

}  // namespace pando::test
