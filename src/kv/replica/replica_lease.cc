// Who leads and who serves. A replica serves its shard while it leads, holds the lease, and has applied an entry of its
// own term, so that it has everything committed before.

#include <algorithm>

#include "kv/replica/replica_core.h"

namespace pando::kv {
namespace {

constexpr uint64_t kRenewalIntervalNs = 30'000'000;
// A published lease is renewed when this is left of it: fewer looks at groups that stay as they are.
constexpr uint64_t kRenewBeforeNs = 250'000'000;
constexpr uint64_t kTransferTimeoutNs = 3'000'000'000;

Status not_leading(ShardId shard) {
  return Status(sql_state::kObjectNotInPrerequisiteState, "this node does not lead shard {}", shard.number());
}

}  // namespace

void ReplicaCore::refresh(Replica& replica) {
  if (shared_leases_.remove(replica)) {
    serving_[replica.shard] = &replica;
  }
  const raft::Raft& raft = raft_of(replica);
  const NodeId leader = raft.leader() == raft::kNobody ? NodeId() : node_of(replica, raft.leader());
  if (replica.view->leader() != leader) {
    ShardViewWriter::set_leader(*replica.view, leader);
  }
  const bool leads = raft.role() == raft::Role::kLeader && replica.initialized;
  if (!leads) {
    replica.bounds_pending = 0;
    replica.config_pending = 0;
    replica.merge_pending = 0;
    replica.handover_index = 0;
  }
  const bool pauses =
      replica.transfer.has_value() || replica.bounds_pending != 0 || replica.descriptor.merging.has_value();
  const uint64_t until = leads && !pauses ? raft.lease_until_ns() : 0;
  const bool holds = until > now_ns();
  if (replica.serving && (!holds || replica.serving_term != raft.term())) {
    end_serving(replica);
  }
  if (!holds || replica.applied_term != raft.term()) {
    return;
  }
  if (!replica.serving) {
    begin_serving(replica, until);
  } else if (until != replica.view->lease_until_ns()) {
    publish_lease(replica, until);
  }
}

void ReplicaCore::publish_lease(Replica& replica, uint64_t until_ns) {
  ShardViewWriter::set_lease(*replica.view, until_ns);
  next_renewal_ns_ = std::min(next_renewal_ns_, until_ns - std::min(until_ns, kRenewBeforeNs));
}

void ReplicaCore::begin_serving(Replica& replica, uint64_t until_ns) {
  const raft::Raft& raft = raft_of(replica);
  if (replica.handover_index != 0 && replica.applied <= replica.handover_index) {
    // A handover that came to nothing. It must not be the last entry of this term, or the next leader would take it for
    // a promise that nothing was served since.
    if (raft.log().last_index() == replica.handover_index && raft.transferee() == raft::kNobody) {
      propose_own(replica, EntryKind::kNothing, {}, [](ProposalResult) {});
    }
    return;
  }
  const bool resumed = replica.serving_term == raft.term();
  replica.handover_index = 0;
  replica.serving = true;
  replica.serving_term = raft.term();
  serving_[replica.shard] = &replica;
  environment_.state_machine.on_lease(replica.shard, {.kind = LeaseEvent::Kind::kBegan,
                                                      .term = raft.term(),
                                                      .resumed = resumed,
                                                      .cooperative = !resumed && inherited_handover(replica)});
  ShardViewWriter::set_term(*replica.view, raft.term());
  publish_lease(replica, until_ns);
}

void ReplicaCore::end_serving(Replica& replica) {
  if (!std::exchange(replica.serving, false)) {
    return;
  }
  serving_.erase(replica.shard);
  shared_leases_.remove(replica);
  ShardViewWriter::set_lease(*replica.view, 0);
  ShardViewWriter::set_term(*replica.view, 0);
  environment_.state_machine.on_lease(replica.shard, {.kind = LeaseEvent::Kind::kEnded, .term = replica.serving_term});
}

// Whether the last entry before this term is the handover of the leaseholder before.
bool ReplicaCore::inherited_handover(const Replica& replica) const {
  const raft::Log& log = raft_of(replica).log();
  raft::LogIndex index = replica.applied;
  while (index > log.compacted().index && log.at(index).term == replica.applied_term) {
    --index;
  }
  if (index <= log.compacted().index) {
    return false;
  }
  const raft::Entry& entry = log.at(index);
  return entry.type == raft::EntryType::kNormal && entry.payload && entry_kind(*entry.payload) == EntryKind::kHandover;
}

// Leases of groups that nothing happens to are prolonged by the liveness fabric alone.
void ReplicaCore::renew_leases() {
  const uint64_t now = now_ns();
  if (now < next_renewal_ns_) {
    return;
  }
  std::vector<Replica*> due;
  uint64_t next = UINT64_MAX;
  for (auto& [basis, lease] : shared_leases_) {
    if (lease.until_ns < now + kRenewBeforeNs) {
      const uint64_t until = raft_of(*lease.replicas.front()).lease_until_ns();
      if (until <= now) {
        due.insert(due.end(), lease.replicas.begin(), lease.replicas.end());
        continue;
      }
      SharedLeases::prolong(lease, until);
    }
    next =
        std::min(next, std::max(lease.until_ns - std::min(lease.until_ns, kRenewBeforeNs), now + kRenewalIntervalNs));
  }
  for (const auto& [shard, replica] : serving_) {
    const uint64_t until = replica->view->lease_until_ns();
    if (until < now + kRenewBeforeNs) {
      due.push_back(replica);
    } else {
      next = std::min(next, until - kRenewBeforeNs);
    }
  }
  for (Replica* const replica : due) {
    refresh(*replica);
    share_lease(*replica);
    const uint64_t until = replica->view->lease_until_ns();
    // What could not be renewed now may be a little later.
    next = std::min(next, std::max(until - std::min(until, kRenewBeforeNs), now + kRenewalIntervalNs));
  }
  next_renewal_ns_ = next;
}

void ReplicaCore::share_lease(Replica& replica) {
  const raft::Raft& raft = raft_of(replica);
  if (!replica.serving || !raft.idle() || raft.config().joint()) {
    return;
  }
  LeaseBasis basis{.voters = raft.config().voters.incoming.size()};
  for (const raft::Progress& member : raft.progress()) {
    if (member.id != replica.self && raft.config().voters.contains(member.id)) {
      basis.promises.emplace_back(node_of(replica, member.id), member.fortified_epoch);
    }
  }
  std::ranges::sort(basis.promises);
  serving_.erase(replica.shard);
  shared_leases_.add(replica, std::move(basis), replica.view->lease_until_ns());
}

// Returns the index of the entry; 0 when it was refused.
uint64_t ReplicaCore::propose_own(Replica& replica, EntryKind kind, Bytes body, ProposalCallback done) {
  const auto index = multiraft_->propose(replica.shard, entry_payload(kind, std::move(body)));
  if (!index.has_value()) {
    done({.outcome = ProposalOutcome::kRefused});
    return 0;
  }
  replica.proposals.push_back({*index, raft_of(replica).term(), std::move(done)});
  return *index;
}

// --- handing over ---

void ReplicaCore::transfer_lease(ShardId shard, NodeId target, const StatusCallback& done) {
  Replica* const replica = find(shard);
  if (replica == nullptr || !replica->serving) {
    done(not_leading(shard));
    return;
  }
  const ReplicaDescriptor* const to = replica->descriptor.on_node(target);
  const raft::Raft& raft = raft_of(*replica);
  if (to == nullptr || !raft.config().voters.incoming.contains(to->id)) {
    done(Status(sql_state::kObjectNotInPrerequisiteState, "node {} has no voter of shard {}", target.number(),
                shard.number()));
    return;
  }
  if (to->id == replica->self) {
    done(Status());
    return;
  }
  if (replica->bounds_pending != 0 || replica->merge_pending != 0) {
    done(Status(sql_state::kObjectNotInPrerequisiteState, "shard {} is being split or merged", shard.number()));
    return;
  }
  replica->transfer =
      LeaseTransfer{.target = to->id, .term = raft.term(), .deadline_ns = now_ns() + kTransferTimeoutNs, .done = done};
  transferring_.insert(shard);
  end_serving(*replica);
  replica->handover_index =
      propose_own(*replica, EntryKind::kHandover, environment_.state_machine.handover(shard), [](ProposalResult) {});
  if (const auto begun = multiraft_->transfer(shard, to->id); !begun.has_value()) {
    replica->transfer->deadline_ns = 0;
  }
}

void ReplicaCore::watch_transfers() {
  for (const ShardId shard : std::set<ShardId>(transferring_)) {
    Replica* const replica = find(shard);
    if (replica == nullptr || !replica->transfer.has_value()) {
      transferring_.erase(shard);
      continue;
    }
    const raft::Raft& raft = raft_of(*replica);
    const bool arrived = raft.leader() == replica->transfer->target && raft.term() > replica->transfer->term;
    const bool aborted = raft.role() == raft::Role::kLeader && raft.transferee() == raft::kNobody;
    const bool elsewhere = raft.leader() != raft::kNobody && raft.term() > replica->transfer->term && !arrived;
    if (!arrived && !aborted && !elsewhere && now_ns() < replica->transfer->deadline_ns) {
      continue;
    }
    const StatusCallback done = std::move(replica->transfer->done);
    replica->transfer.reset();
    transferring_.erase(shard);
    refresh(*replica);
    done(arrived ? Status()
                 : Status(sql_state::kQueryCanceled, "the lease of shard {} could not be handed over", shard.number()));
  }
}

}  // namespace pando::kv
