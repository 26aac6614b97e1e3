// The nemesis: breaks what the seed allows it to break. It never destroys what a correct system needs to survive: a
// majority of every group keeps its disk, so that every violation is a bug.

#include <algorithm>

#include "test/sim/cluster.h"

namespace pando::test {

namespace {

constexpr uint64_t kMs = 1'000'000;
constexpr uint64_t kFaultNsMax = 2500 * kMs;
constexpr std::size_t kMembersMax = 6;
constexpr double kTemptation = 0.005;
constexpr double kChangeAtOnce = 0.5;
constexpr double kWordForgotten = 0.1;
constexpr double kCrashOnChange = 0.2;
constexpr double kCandidacyForgotten = 0.2;
constexpr double kExchange = 0.4;
constexpr double kPowerFailure = 0.2;
constexpr double kStrandedByChange = 0.4;
constexpr double kStrandedAtOnce = 0.15;
constexpr double kLostAtOnce = 0.15;
constexpr double kAlone = 0.4;
constexpr uint64_t kTailMax = 12;
constexpr int kQuestions = 12;

}  // namespace

void Cluster::schedule_fault() {
  const uint64_t interval = options_.fault_interval_ns;
  world_.after(interval / 2 + world_.prng().below(interval), [this] {
    if (safety_phase_) {
      inject();
      schedule_fault();
    }
  });
}

void Cluster::inject() {
  switch (world_.prng().below(3)) {
    case 0:
      inject_network(world_.prng().below(5));
      return;
    case 1:
      inject_machine(any_machine(), world_.prng().below(9));
      return;
    default:
      inject_group(any_group(), world_.prng().below(7));
      return;
  }
}

void Cluster::inject_network(uint64_t choice) {
  const uint64_t until = world_.now_ns() + world_.prng().below(kFaultNsMax);
  const auto count = static_cast<sim::Machine>(nodes_.size());
  // A random set against the rest; or one machine.
  const uint64_t side = world_.prng().chance(0.5) ? world_.prng().next() : uint64_t{1} << world_.prng().below(count);
  for (sim::Machine a = 1; a <= count; ++a) {
    for (sim::Machine b = 1; b <= count; ++b) {
      const bool across = ((side >> (a - 1)) & 1) != ((side >> (b - 1)) & 1);
      if (a == b) {
        continue;
      }
      if (choice == 0 && across && options_.may("partition")) {
        world_.probe("partition");
        network_.block(a, b);
        world_.at(until, [this, a, b] { network_.unblock(a, b); });
      } else if (choice == 1 && across && ((side >> (a - 1)) & 1) != 0 && options_.may("one-way")) {
        world_.probe("one-way partition");
        network_.block(a, b);
        world_.at(until, [this, a, b] { network_.unblock(a, b); });
      } else if (choice == 2 && world_.prng().chance(0.3) && options_.may("one-way")) {
        // A partial one: some links fail, so that everybody can reach a majority but not the same one.
        world_.probe("partial partition");
        network_.block(a, b);
        world_.at(until, [this, a, b] { network_.unblock(a, b); });
      } else if (choice == 3 && across && options_.may("clog")) {
        // Swizzled: links are released in an order of their own.
        world_.probe("clogged");
        network_.clog(a, b, world_.now_ns() + world_.prng().below(kFaultNsMax));
      } else if (choice == 4 && world_.prng().chance(0.5) && options_.may("reset")) {
        network_.reset(a, b);
        machine(a).report_unreachable(b);
      }
    }
  }
}

void Cluster::inject_machine(Node& node, uint64_t choice) {
  const uint64_t until = world_.now_ns() + world_.prng().below(kFaultNsMax);
  if (choice <= 1 && options_.may("crash") && world_.prng().chance(kPowerFailure)) {
    world_.probe("power failure");
    for (auto& each : nodes_) {
      each->crash("process crashed");
    }
  } else if (choice <= 1 && options_.may("crash")) {
    node.crash("process crashed");
  } else if (choice == 2 && options_.may("pause") && node.up()) {
    node.pause(world_.prng().below(kFaultNsMax));
  } else if (choice == 3 && options_.may("wipe") && may_wipe(node)) {
    node.wipe();
  } else if (choice == 4 && options_.may("stall")) {
    node.disk().stall_until(until);
  } else if (choice == 5 && options_.may("error")) {
    node.disk().set_error(true);
    world_.at(until, [&node] { node.disk().set_error(false); });
  } else if (choice == 6 && options_.may("full")) {
    node.disk().set_full(true);
    world_.at(until, [&node] { node.disk().set_full(false); });
  } else if (choice == 7 && options_.may("flip") && may_wipe(node)) {
    node.crash("process crashed");
    if (node.disk().flip_bit()) {
      node.note_flip();
    }
  } else if (choice == 8 && options_.may("jump")) {
    world_.probe("clock jumped");
    // Sometimes within the permitted offset, sometimes far beyond.
    const int64_t reach = world_.prng().chance(0.5) ? 50'000'000 : 3'600'000'000'000;
    node.clock().jump_wall(world_.prng().between(-reach, reach));
  }
}

void Cluster::isolate(const Node& node, uint64_t for_ns) {
  std::vector<bool> side(nodes_.size() + 1);
  side[node.machine()] = true;
  separate(side, for_ns);
}

// Blocks all links between the machines on one side and those on the other.
void Cluster::separate(const std::vector<bool>& side, uint64_t for_ns) {
  for (sim::Machine a = 1; a <= nodes_.size(); ++a) {
    for (sim::Machine b = 1; b <= nodes_.size(); ++b) {
      if (side[a] != side[b]) {
        network_.block(a, b);
        world_.after(for_ns, [this, a, b] { network_.unblock(a, b); });
      }
    }
  }
}

// Cuts a leader off from a majority of its voters, of the older ones if the configuration is joint, but not from those
// whose word must not be enough: learners, and voters of the newer half. It has just begun a lot, goes on, and is
// asked.
void Cluster::strand(ShardId group) {
  Node* const leader = leader_of(group);
  if (!safety_phase_ || leader == nullptr) {
    return;
  }
  write_burst(*leader, group, world_.prng().below(kTailMax));
  world_.after(world_.prng().below(4 * options_.network.delay_mean_ns), [this, leader, group] {
    if (const raft::Raft* const raft = leader->find(group);
        raft != nullptr && !leader->paused() && raft->role() == raft::Role::kLeader) {
      cut_off(*leader, group, raft->config());
    }
  });
}

void Cluster::cut_off(Node& leader, ShardId group, const raft::Config& config) {
  const quorum::VoterSet& voters = config.joint() ? config.voters.outgoing : config.voters.incoming;
  world_.probe(config.joint() ? "stranded in a joint configuration" : "stranded");
  std::vector<bool> away(nodes_.size() + 1, world_.prng().chance(kAlone));
  std::size_t missing = quorum::majority_of(voters.size());
  for (const ReplicaId id : voters) {
    const bool needed = machine_of(id) != leader.machine() && missing > 0;
    away[machine_of(id)] = away[machine_of(id)] || needed;
    missing -= needed ? 1 : 0;
  }
  away[leader.machine()] = false;
  const uint64_t for_ns = election_ns() + world_.prng().below(kFaultNsMax);
  separate(away, for_ns);
  write_burst(leader, group, world_.prng().below(kTailMax));
  for (int i = 0; i < kQuestions; ++i) {
    world_.after(world_.prng().below(for_ns), [this, &leader, group] {
      if (leader.running() && !leader.paused() && leader.find(group) != nullptr) {
        read(leader, group, options_.host.fabric && world_.prng().chance(0.5), [] {});
      }
    });
  }
}

// A leader whose disk stalls while the others go on writing, and which goes down with all that it has not written.
void Cluster::lose_leader(ShardId group) {
  Node* const leader = leader_of(group);
  if (!safety_phase_ || leader == nullptr) {
    return;
  }
  world_.probe("leader lost with a stalled disk");
  leader->disk().stall_until(world_.now_ns() + 2 * election_ns());
  write_burst(*leader, group, 1 + world_.prng().below(kTailMax));
  world_.after(4 * options_.network.delay_mean_ns + world_.prng().below(election_ns()), [leader] {
    leader->crash("process crashed");
    leader->disk().heal();
  });
}

void Cluster::tempt_change(ShardId group) {
  if (safety_phase_ && options_.may("strand") && world_.prng().chance(kStrandedByChange)) {
    world_.after(0, [this, group] { strand(group); });
  }
}

void Cluster::tempt_leader(ShardId group) {
  if (safety_phase_ && options_.may("member") && world_.prng().chance(kChangeAtOnce)) {
    // A change on top of whatever the leader has inherited.
    world_.after(world_.prng().below(4 * options_.network.delay_mean_ns), [this, group] { change_members(group); });
  }
  if (safety_phase_ && options_.may("strand") && world_.prng().chance(kStrandedAtOnce)) {
    world_.after(world_.prng().below(4 * options_.network.delay_mean_ns), [this, group] { strand(group); });
  } else if (safety_phase_ && options_.may("crash") && options_.may("stall") && world_.prng().chance(kLostAtOnce)) {
    world_.after(world_.prng().below(election_ns()), [this, group] { lose_leader(group); });
  }
}

void Cluster::tempt_follower(Node& node, ShardId group) {
  if (!safety_phase_ || !options_.may("crash") || !world_.prng().chance(kWordForgotten)) {
    return;
  }
  world_.probe("crashed on fortification");
  world_.after(world_.prng().below(2 * options_.disk.sync_ns), [this, &node, group] {
    node.crash("process crashed");
    if (const Node* const leader = leader_of(group); leader != nullptr) {
      isolate(*leader, world_.prng().below(kFaultNsMax));
    }
  });
}

// Its disk stalls before it has written that it is a candidate, and it goes down with what it has done meanwhile. Back
// again, it campaigns as soon as the others do not count on its first life any more.
void Cluster::tempt_candidate(Node& node, ShardId group) {
  if (!safety_phase_ || !options_.may("crash") || !options_.may("stall") ||
      !world_.prng().chance(kCandidacyForgotten)) {
    return;
  }
  world_.probe("stalled on candidacy");
  node.disk().stall_until(world_.now_ns() + 4 * election_ns());
  world_.after(3 * options_.network.delay_mean_ns + world_.prng().below(election_ns()), [this, &node, group] {
    node.crash("process crashed");
    node.disk().heal();
    world_.after(election_ns() + world_.prng().below(election_ns() / 2), [this, &node, group] {
      if (safety_phase_ && node.running() && !node.paused() && node.find(group) != nullptr) {
        node.campaign(group);
      }
    });
  });
}

void Cluster::tempt(Node& node) {
  if (!safety_phase_ || !options_.may("crash") || !world_.prng().chance(kTemptation)) {
    return;
  }
  world_.probe("crashed on commit");
  world_.after(0, [&node] { node.crash("process crashed"); });
  if (world_.prng().chance(0.5)) {
    // What it has told somebody must not be all that is left of it.
    isolate(any_machine(), world_.prng().below(kFaultNsMax));
  }
}

void Cluster::inject_group(ShardId group, uint64_t choice) {
  Node* const leader = leader_of(group);
  if (choice == 0 && options_.may("transfer") && leader != nullptr) {
    const std::vector<raft::Progress>& members = leader->find(group)->progress();
    leader->transfer(group, members[world_.prng().below(members.size())].id);
    if (world_.prng().chance(0.5) && options_.may("partition")) {
      // It does not hear that the other one has won.
      world_.after(world_.prng().below(4 * options_.network.delay_mean_ns),
                   [this, leader] { isolate(*leader, world_.prng().below(kFaultNsMax)); });
    }
    return;
  }
  if (choice == 1 && options_.may("forget")) {
    Node& node = any_machine();
    if (node.running() && !node.paused() && node.find(group) != nullptr) {
      if (world_.prng().chance(0.5)) {
        world_.probe("leader forgotten");
        node.forget_leader(group);
      } else {
        world_.probe("campaign called");
        node.campaign(group);
      }
    }
    return;
  }
  if (choice == 2 && options_.may("strand")) {
    strand(group);
    return;
  }
  if (options_.may("member") || options_.may("wipe") || options_.may("flip")) {
    change_members(group);
  }
}

namespace {

using Step = raft::ConfigChange::Step;
using Kind = raft::ConfigChange::Kind;

// Every learner becomes a voter, and as many voters go: only both majorities of the joint configuration together keep
// the old and the new one from deciding differently.
std::vector<Step> exchange_of(const raft::Config& config, Prng& prng) {
  std::vector<Step> steps;
  for (const ReplicaId id : config.learners) {
    steps.push_back({Kind::kAddVoter, id});
  }
  std::vector<ReplicaId> leaving(config.voters.incoming.begin(), config.voters.incoming.end());
  for (std::size_t count = steps.size(); count > 0 && leaving.size() > 1; --count) {
    const auto place = leaving.begin() + static_cast<std::ptrdiff_t>(prng.below(leaving.size()));
    steps.push_back({prng.chance(0.5) ? Kind::kRemove : Kind::kAddLearner, *place});
    leaving.erase(place);
  }
  return steps;
}

}  // namespace

// Proposes a change that leaves a majority with disks: replaces what is lost first, else, while faults last, anything.
void Cluster::change_members(ShardId group) {
  Node* const leader = leader_of(group);
  if (leader == nullptr || leader->find(group)->config().voters.incoming.empty()) {
    return;
  }
  const raft::Config& config = leader->find(group)->config();
  raft::ConfigChange change;
  if (config.joint()) {
    // Only an explicit one waits for this.
    if (!config.auto_leave && leader->change(group, change)) {
      world_.probe("joint configuration left by hand");
    }
    return;
  }
  const auto alive = [&](ReplicaId id) { return machine(machine_of(id)).has(group, id); };
  std::vector<sim::Machine> unused;
  for (sim::Machine number = 1; number <= nodes_.size(); ++number) {
    const bool used = std::ranges::any_of(config.members(), [&](ReplicaId id) { return machine_of(id) == number; });
    if (!used) {
      unused.push_back(number);
    }
  }
  for (const ReplicaId id : config.members()) {
    if (!alive(id) && (machine(machine_of(id)).running() && machine(machine_of(id)).find(group) == nullptr)) {
      // Not adopted yet, or lost for good: a lost one never comes back, a new one does when it is called.
      if (world_.prng().chance(safety_phase_ ? 0.5 : 0.1)) {
        change.steps.push_back({Kind::kRemove, id});
      }
    }
  }
  if (safety_phase_ && change.steps.empty() && options_.may("member") && !config.learners.empty() &&
      world_.prng().chance(kExchange)) {
    world_.probe("voters exchanged");
    change.steps = exchange_of(config, world_.prng());
  }
  if (safety_phase_ && change.steps.empty() && options_.may("member")) {
    const auto members = config.members();
    const ReplicaId any = *(members.begin() + static_cast<std::ptrdiff_t>(world_.prng().below(members.size())));
    constexpr std::array<Kind, 3> kKinds = {Kind::kAddVoter, Kind::kAddLearner, Kind::kRemove};
    change.steps.push_back({kKinds[world_.prng().below(kKinds.size())], any});
  }
  const bool wants_more = safety_phase_ ? world_.prng().chance(0.6) && options_.may("member") : false;
  if (!unused.empty() && config.members().size() < kMembersMax && (wants_more || config.voters.incoming.size() < 2)) {
    const sim::Machine number = unused[world_.prng().below(unused.size())];
    change.steps.push_back({world_.prng().chance(options_.learner_chance) ? Kind::kAddLearner : Kind::kAddVoter,
                            ReplicaId(++serial_ * kMachinesMax + number)});
  }
  if (change.steps.empty()) {
    return;
  }
  change.transition = static_cast<raft::ConfigChange::Transition>(world_.prng().below(3));
  const Result<raft::Config> next = raft::changed(config, change);
  const auto has_quorum = [&](const quorum::VoterSet& voters) {
    return quorum::tally(voters, [&](ReplicaId id) { return std::optional(alive(id)); }) == quorum::Vote::kWon;
  };
  if (next.ok() && has_quorum(next->voters.incoming) && has_quorum(next->voters.outgoing) &&
      leader->change(group, change)) {
    world_.probe(next->joint() ? "joint change proposed" : "simple change proposed");
    if (safety_phase_ && options_.may("crash") && world_.prng().chance(kCrashOnChange)) {
      // Whoever comes after it inherits the change.
      world_.after(world_.prng().below(6 * options_.network.delay_mean_ns + options_.disk.sync_ns),
                   [leader] { leader->crash("process crashed"); });
    }
  }
}

// Whether every group keeps a majority with disks in every configuration that may be in force.
bool Cluster::may_wipe(const Node& node) const {
  // Of a machine that is down it is not known what its replicas have agreed to.
  if (!std::ranges::all_of(nodes_, [](const auto& each) { return each->running(); })) {
    return false;
  }
  for (uint32_t number = 1; number <= options_.group_count; ++number) {
    const ShardId group(number);
    const auto alive = [&](ReplicaId id) {
      const Node& home = *nodes_[machine_of(id) - 1];
      return std::optional(&home != &node && home.has(group, id));
    };
    std::size_t seen = 0;
    for (const auto& other : nodes_) {
      const raft::Raft* const raft = other->find(group);
      if (raft == nullptr) {
        continue;
      }
      ++seen;
      for (raft::LogIndex i = raft->log().compacted().index + 1; i <= raft->log().last_index(); ++i) {
        if (i > raft->log().applied() && raft->log().at(i).type == raft::EntryType::kConfigChange) {
          return false;
        }
      }
      if (quorum::tally(raft->config().voters, alive) != quorum::Vote::kWon) {
        return false;
      }
    }
    const State* const state = newest(group);
    if (seen < options_.voter_count || state == nullptr ||
        quorum::tally(state->config.voters, alive) != quorum::Vote::kWon) {
      return false;
    }
  }
  return true;
}

void Cluster::heal() {
  network_.heal();
  for (auto& node : nodes_) {
    node->disk().heal();
  }
}

}  // namespace pando::test
