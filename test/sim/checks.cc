// What must hold across machines, at every moment.

#include <fmt/format.h>

#include "test/sim/cluster.h"

namespace pando::test {

namespace {

constexpr uint64_t kPromiseCheckNs = 7'000'000;

}  // namespace

const raft::Raft* Cluster::running(ShardId group, ReplicaId replica) {
  const raft::Raft* const raft = machine(machine_of(replica)).find(group);
  return raft != nullptr && raft->self() == replica ? raft : nullptr;
}

void Cluster::check_votes(ShardId group, const raft::Raft& leader) {
  const quorum::Vote votes = quorum::tally(leader.config().voters, [&](ReplicaId id) -> std::optional<bool> {
    const raft::Raft* const voter = running(group, id);
    if (voter == nullptr || voter->term() > leader.term()) {
      return std::nullopt;
    }
    return voter->term() == leader.term() && voter->vote() == leader.self();
  });
  if (votes == quorum::Vote::kLost) {
    world_.fail("election quorum",
                fmt::format("group {}: replica {} leads term {} without the votes of a majority in {}", group.number(),
                            leader.self().number(), leader.term(), leader.config().to_string()));
  }
}

void Cluster::check_commit(ShardId group, const raft::Raft& leader, bool has_led) {
  const raft::LogIndex index = leader.log().committed();
  if (leader.log().term(index) != leader.term()) {
    // With the votes it may have learned what others have committed; afterwards nobody tells it.
    if (has_led) {
      world_.fail("commit quorum", fmt::format("group {}: replica {} has committed {} of an older term by itself",
                                               group.number(), leader.self().number(), index));
    }
    return;
  }
  const quorum::Vote copies = quorum::tally(leader.config().voters, [&](ReplicaId id) -> std::optional<bool> {
    const raft::Raft* const voter = running(group, id);
    if (voter == nullptr) {
      return std::nullopt;
    }
    const raft::Log& log = voter->log();
    return index <= log.compacted().index || (index <= log.durable() && log.term(index) == leader.term());
  });
  if (copies == quorum::Vote::kLost) {
    world_.fail("commit quorum",
                fmt::format("group {}: replica {} has committed {}, which no majority has in {}", group.number(),
                            leader.self().number(), index, leader.config().to_string()));
  }
}

void Cluster::check_lease(ShardId group, Node& holder, const raft::Raft& leader) {
  for (auto& node : nodes_) {
    if (node.get() != &holder && node->holds_lease(group)) {
      checker_.on_lease(group, leader.self(), node->find(group)->self());
    }
  }
  const quorum::Vote held = quorum::tally(leader.config().voters, [&](ReplicaId id) -> std::optional<bool> {
    const raft::Raft* const voter = running(group, id);
    if (voter == nullptr || id == leader.self()) {
      return id == leader.self() ? std::optional(true) : std::nullopt;
    }
    const raft::Fortification& word = voter->fortification();
    return word.leader == leader.self() && word.term == leader.term() && word.epoch != 0 &&
           machine(machine_of(id)).host()->fabric().supports(NodeId(holder.machine()), word.epoch);
  });
  if (held == quorum::Vote::kLost) {
    world_.fail("lease quorum",
                fmt::format("group {}: replica {} holds the lease of term {}, but no majority is held "
                            "to it in {}",
                            group.number(), leader.self().number(), leader.term(), leader.config().to_string()));
  }
}

// What a node counts on, its supporter must be held to.
void Cluster::check_promises() {
  for (auto& requester : nodes_) {
    for (auto& supporter : nodes_) {
      if (requester == supporter || !requester->running() || !supporter->running()) {
        continue;
      }
      const liveness::Support trusted = requester->host()->fabric().from(NodeId(supporter->machine()));
      if (requester->clock().monotonic_ns() >= trusted.until_ns) {
        continue;
      }
      const liveness::Fabric& fabric = supporter->host()->fabric();
      const liveness::Support given = fabric.given(NodeId(requester->machine()));
      const uint64_t now = supporter->clock().monotonic_ns();
      const bool running = given.epoch == trusted.epoch && now < given.until_ns;
      if (!running && now >= fabric.honour_until_ns()) {
        world_.fail("promise", fmt::format("machine {} counts on epoch {:x} of machine {}, which is at {:x}",
                                           requester->machine(), trusted.epoch, supporter->machine(), given.epoch));
      }
    }
  }
}

void Cluster::schedule_promise_check() {
  world_.after(kPromiseCheckNs, [this] {
    if (options_.host.fabric && options_.clocks_good()) {
      check_promises();
    }
    schedule_promise_check();
  });
}

}  // namespace pando::test
