// Replicas come and go: changes of who takes part in a shard, led by its leader; founding, splitting, adopting and
// destroying replicas of this node.
//
// Why destroying is safe: a replica is destroyed when it has applied its removal, or is told by those who have. From
// then on it is silent for ever, like one that has crashed; its tombstone sees to it that no replica with its id, or a
// lower one, answers again. What it had acknowledged for its old configuration is in a majority of the new one, too:
// the change was committed by both.
//
// Why it waits until a majority knows: those that do not know yet that the change is committed decide with the old
// configuration still. Were it gone, the loss of one more replica, of a leader that alone knows, could leave them
// without a majority there for ever. While it waits it votes, and its answers tell them what is committed.

#include <algorithm>

#include "kv/descriptor/keys.h"
#include "kv/replica/replica_core.h"
#include "kv/replica/snapshot_receiver.h"

namespace pando::kv {
namespace {

constexpr uint64_t kChangeTimeoutNs = 300'000'000'000;
constexpr uint64_t kUnreachableTimeoutNs = 5'000'000'000;
constexpr uint64_t kMembershipIntervalNs = 20'000'000'000;
constexpr uint64_t kRemovedIntervalNs = 200'000'000;
// After so long one who knows is enough: when there are fewer replicas than before, the others may be gone too.
constexpr uint64_t kRemovedTimeoutNs = 60'000'000'000;
// A learner that is no further behind than this is promoted.
constexpr uint64_t kCaughtUpEntries = 1000;

template <typename... Args>
Status not_now(fmt::format_string<Args...> format, Args&&... args) {
  return Status(sql_state::kObjectNotInPrerequisiteState, format, std::forward<Args>(args)...);
}

// A node that has gone for good must not keep the shard from being changed in another way.
bool waits_in_vain(ReplicaChangeState& change, const ReplicaEnvironment& environment) {
  const bool reachable = std::ranges::all_of(change.wanted.add, [&](NodeId node) {
    return node == environment.self || environment.transport.connected(node);
  });
  const uint64_t now_ns = environment.clock.monotonic_ns();
  if (reachable) {
    change.unreachable_since_ns = 0;
  } else if (change.unreachable_since_ns == 0) {
    change.unreachable_since_ns = now_ns;
  }
  return !reachable && now_ns > change.unreachable_since_ns + kUnreachableTimeoutNs;
}

using Step = raft::ConfigChange::Step;
using Kind = raft::ConfigChange::Kind;

}  // namespace

// --- changing who takes part ---

void ReplicaCore::change_replicas(ShardId shard, ReplicaChange change, DescriptorCallback done) {
  Replica* const replica = find(shard);
  if (replica == nullptr || !replica->serving) {
    done(not_now("this node does not lead shard {}", shard.number()));
    return;
  }
  if (replica->change != nullptr || replica->bounds_pending != 0 || replica->merge_pending != 0) {
    done(not_now("shard {} is being changed already", shard.number()));
    return;
  }
  if (std::ranges::find(change.remove, environment_.self) != change.remove.end()) {
    done(not_now("the leader of shard {} cannot leave it: transfer the lease first", shard.number()));
    return;
  }
  replica->change =
      std::make_unique<ReplicaChangeState>(ReplicaChangeState{.wanted = std::move(change),
                                                              .done = std::move(done),
                                                              .term = raft_of(*replica).term(),
                                                              .deadline_ns = now_ns() + kChangeTimeoutNs});
  changing_.insert(shard);
}

void ReplicaCore::drive_changes() {
  for (const ShardId shard : std::set<ShardId>(changing_)) {
    Replica* const replica = find(shard);
    if (replica == nullptr || replica->change == nullptr) {
      changing_.erase(shard);
      continue;
    }
    Status outcome;
    if (!drive(*replica, *replica->change, outcome)) {
      continue;
    }
    const std::unique_ptr<ReplicaChangeState> over = std::move(replica->change);
    changing_.erase(shard);
    over->done(outcome.ok() ? Result<ShardDescriptor>(replica->descriptor) : Result<ShardDescriptor>(outcome));
  }
}

bool ReplicaCore::drive(Replica& replica, ReplicaChangeState& change, Status& outcome) {
  const raft::Raft& raft = raft_of(replica);
  if (raft.role() != raft::Role::kLeader || raft.term() != change.term) {
    outcome = not_now("this node does not lead shard {} any more", replica.shard.number());
    return true;
  }
  if (now_ns() > change.deadline_ns) {
    outcome =
        Status(sql_state::kQueryCanceled, "the replicas of shard {} did not catch up in time", replica.shard.number());
    return true;
  }
  if (replica.config_pending != 0 || replica.config.joint()) {
    return false;
  }
  if (change.promoted) {
    return true;
  }
  if (waits_in_vain(change, environment_)) {
    outcome = Status(sql_state::kQueryCanceled, "a node that is to get a replica of shard {} cannot be reached",
                     replica.shard.number());
    return true;
  }
  std::vector<NodeId> missing;
  bool behind = false;
  for (const std::vector<NodeId>* const nodes : {&change.wanted.add, &change.wanted.add_learners}) {
    for (const NodeId node : *nodes) {
      const ReplicaDescriptor* const there = replica.descriptor.on_node(node);
      if (there == nullptr) {
        missing.push_back(node);
      } else if (nodes == &change.wanted.add && there->role == ReplicaRole::kLearner) {
        behind = behind || !caught_up(replica, there->id);
      }
    }
  }
  if (!missing.empty()) {
    return !propose_learners(replica, missing, outcome);
  }
  return !behind && !propose_promotion(replica, change, outcome);
}

bool ReplicaCore::caught_up(const Replica& replica, ReplicaId id) const {
  const raft::Raft& raft = raft_of(replica);
  const auto& all = raft.progress();
  const auto progress = std::ranges::find(all, id, &raft::Progress::id);
  if (progress == all.end() || progress->state != raft::ProgressState::kReplicate ||
      progress->match + kCaughtUpEntries < raft.log().last_index()) {
    return false;
  }
  // As a voter it must count for the lease at once.
  const liveness::Support support = multiraft_->fabric().from(node_of(replica.shard, id));
  return support.until_ns != 0 && support.epoch == progress->fortified_epoch;
}

// Both return whether they have proposed something; if not, `outcome` says why (OK: there was nothing to do).
bool ReplicaCore::propose_learners(Replica& replica, const std::vector<NodeId>& nodes, Status& outcome) {
  raft::ConfigChange change;
  NewReplicas added{.next_replica_id = replica.descriptor.next_replica_id};
  for (const NodeId node : nodes) {
    change.steps.push_back({Kind::kAddLearner, added.next_replica_id});
    added.replicas.emplace_back(added.next_replica_id, node);
    added.next_replica_id = ReplicaId(added.next_replica_id.number() + 1);
  }
  change.context = encode(added);
  return propose_config(replica, change, outcome);
}

bool ReplicaCore::propose_promotion(Replica& replica, ReplicaChangeState& wanted, Status& outcome) {
  raft::ConfigChange change;
  for (const NodeId node : wanted.wanted.add) {
    const ReplicaDescriptor& there = *replica.descriptor.on_node(node);
    if (there.role == ReplicaRole::kLearner) {
      change.steps.push_back({Kind::kAddVoter, there.id});
    }
  }
  for (const NodeId node : wanted.wanted.remove) {
    if (const ReplicaDescriptor* const there = replica.descriptor.on_node(node); there != nullptr) {
      change.steps.push_back({Kind::kRemove, there->id});
    }
  }
  wanted.promoted = true;
  return !change.steps.empty() && propose_config(replica, change, outcome);
}

bool ReplicaCore::propose_config(Replica& replica, const raft::ConfigChange& change, Status& outcome) {
  const auto index = multiraft_->propose_change(replica.shard, change);
  if (!index.has_value()) {
    outcome = not_now("the replicas of shard {} cannot be changed: {}", replica.shard.number(),
                      raft::to_string(index.error()));
    return false;
  }
  replica.config_pending = *index;
  return true;
}

// --- splitting ---

void ReplicaCore::split(ShardId shard, Bytes key, ShardId right, DescriptorCallback done) {
  Replica* const replica = find(shard);
  if (replica == nullptr || !replica->serving) {
    done(not_now("this node does not lead shard {}", shard.number()));
    return;
  }
  if (replica->change != nullptr || replica->bounds_pending != 0 || replica->config_pending != 0 ||
      replica->merge_pending != 0 || replica->config.joint()) {
    done(not_now("shard {} is being changed already", shard.number()));
    return;
  }
  const ShardDescriptor& whole = replica->descriptor;
  if (key <= whole.start || !whole.contains(key) || find(right) != nullptr || gone_.contains(right) || right == shard) {
    done(Status(sql_state::kInvalidParameterValue, "shard {} cannot be split there", shard.number()));
    return;
  }
  Split split{.left = whole, .right = whole};
  split.left.end = key;
  split.right.id = right;
  split.right.start = std::move(key);
  for (ShardDescriptor* const side : {&split.left, &split.right}) {
    side->generation = whole.generation + 1;
    side->bounds_generation = side->generation;
  }
  replica->bounds_pending = propose_own(
      *replica, EntryKind::kSplit, encode(split), [this, shard, done = std::move(done)](ProposalResult result) {
        const Replica* const left = find(shard);
        if (result.outcome != ProposalOutcome::kApplied || left == nullptr) {
          done(not_now("the split of shard {} was overtaken by a change of its leader", shard.number()));
          return;
        }
        done(left->descriptor);
      });
  // Others may apply it first, and elect a leader of the right side while this one does not know yet.
  if (replica->bounds_pending != 0) {
    end_serving(*replica);
  }
}

void ReplicaCore::campaign_where_due() {
  for (const ShardId shard : std::set<ShardId>(campaigning_)) {
    const Replica* const replica = find(shard);
    if (replica == nullptr || raft_of(*replica).role() != raft::Role::kFollower ||
        raft_of(*replica).leader() != raft::kNobody) {
      campaigning_.erase(shard);
      continue;
    }
    multiraft_->campaign(shard);
  }
}

// --- replicas of this node ---

void ReplicaCore::bootstrap(std::vector<ShardDescriptor> descriptors, const StatusCallback& done) {
  storage::WriteBatch batch;
  for (ShardDescriptor& descriptor : descriptors) {
    if (find(descriptor.id) != nullptr || gone_.contains(descriptor.id)) {
      done(Status(sql_state::kDuplicateObject, "shard {} exists already", descriptor.id.number()));
      return;
    }
    descriptor.replicas = {{environment_.self, ReplicaId(1), ReplicaRole::kVoter}};
    descriptor.next_replica_id = ReplicaId(2);
    batch.put(descriptor_key(descriptor.id), encode_descriptor(descriptor));
    batch.put(shard_state_key(descriptor.id), encode(ShardState{kInitialPosition.term, config_of(descriptor)}));
    batch.put(local_replica_key(descriptor.id), encode(LocalReplica{.replica = ReplicaId(1)}));
    batch.set_applied(descriptor.id, kInitialPosition.index);
  }
  Status status = environment_.engine.write(batch);
  if (status.ok()) {
    // The journal takes it from here: its first entries need something to stand on.
    status = environment_.engine.flush();
  }
  if (!status.ok()) {
    done(status);
    return;
  }
  for (const ShardDescriptor& descriptor : descriptors) {
    Replica& replica = add_replica(descriptor.id, ReplicaId(1));
    replica.initialized = true;
    replica.descriptor = descriptor;
    replica.config = config_of(descriptor);
    replica.applied = kInitialPosition.index;
    replica.applied_term = kInitialPosition.term;
    multiraft_->install(descriptor.id, {kInitialPosition, replica.config});
    environment_.state_machine.on_shard({.kind = ShardEvent::Kind::kAdded, .descriptor = descriptor});
    campaigning_.insert(descriptor.id);
  }
  done(Status());
}

raft::Options ReplicaCore::raft_options(ReplicaId self) const {
  raft::Options options;
  options.self = self;
  options.election_ticks = options_.election_ticks;
  options.heartbeat_ticks = options_.heartbeat_ticks;
  return options;
}

Replica& ReplicaCore::add_replica(ShardId shard, ReplicaId self, raft::RestartState state) {
  auto added = std::make_unique<Replica>();
  added->shard = shard;
  added->self = self;
  added->view = own_view(shard);
  Replica& replica = *added;
  replicas_[shard] = std::move(added);
  ReplicaId& lowest = gone_[shard];
  lowest = std::max(lowest, self);
  multiraft_->add(shard, raft_options(self), std::move(state));
  replica.core = multiraft_->find(shard);
  return replica;
}

// A message for a replica that is not here brings it into being, without data: it will ask for a snapshot. Not one that
// was here before.
bool ReplicaCore::adopt(ShardId shard, ReplicaId self) {
  const auto lowest = gone_.find(shard);
  if (self == raft::kNobody || (lowest != gone_.end() && self < lowest->second)) {
    return false;
  }
  if (const Replica* const older = find(shard); older != nullptr) {
    if (older->installing) {
      return false;
    }
    // A node has one replica of a shard at a time: the older one was removed and did not hear of it.
    destroy(shard, self);
    if (find(shard) != nullptr) {
      return false;
    }
  }
  add_replica(shard, self);
  return true;
}

void ReplicaCore::erase_data(const ShardDescriptor& descriptor, storage::WriteBatch& batch) const {
  const storage::KeySpan versions = version_span(descriptor);
  batch.erase_version_range(versions.start, versions.end);
  for (const storage::KeySpan& span : plain_spans(descriptor)) {
    batch.erase_range(span.start, span.end);
  }
  batch.erase(storage::applied_key(descriptor.id));
  batch.erase(descriptor_key(descriptor.id));
  batch.erase(shard_state_key(descriptor.id));
}

void ReplicaCore::destroy(ShardId shard, ReplicaId next_allowed) {
  Replica& replica = *find(shard);
  if (replica.initialized) {
    storage::WriteBatch batch;
    erase_data(replica.descriptor, batch);
    batch.put(local_replica_key(shard), encode(LocalReplica{.tombstone = true, .replica = next_allowed}));
    if (plan_ != nullptr || !environment_.engine.write(batch).ok()) {
      // Later, when the engine takes writes: until then the replica stays as it is.
      removed_.insert(shard);
      return;
    }
  }
  forget_replica(shard, next_allowed);
  drop_log(shard, next_allowed);
}

void ReplicaCore::forget_replica(ShardId shard, ReplicaId next_allowed) {
  Replica& replica = *find(shard);
  end_serving(replica);
  forget_callbacks(replica, not_now("this node has no replica of shard {} any more", shard.number()));
  multiraft_->remove(shard);
  gone_[shard] = std::max(gone_[shard], next_allowed);
  logs_bytes_ -= replica.log_bytes;
  ShardViewWriter::set_leader(*replica.view, NodeId());
  const bool had_data = replica.initialized;
  const ShardDescriptor descriptor = replica.descriptor;
  last_found_ = nullptr;
  replicas_.erase(shard);
  removed_.erase(shard);
  if (had_data) {
    environment_.state_machine.on_shard({.kind = ShardEvent::Kind::kRemoved, .descriptor = descriptor});
  }
}

// REQUIRES: the engine has no data of it, or cannot have it again after a crash.
void ReplicaCore::drop_log(ShardId shard, ReplicaId next_allowed) {
  storage::JournalBatch journal;
  journal.remove(shard);
  journal.hard_state(shard, {encode(ReplicaRecord{.kind = ReplicaRecord::Kind::kTombstone, .replica = next_allowed})});
  write_own(std::move(journal));
}

void ReplicaCore::note_removed(NodeId from, const std::vector<ReplicaName>& names) {
  for (const ReplicaName& name : names) {
    if (Replica* const here = find(name.shard); here != nullptr && here->self == name.replica) {
      here->removed_for.insert(from);
      removed_.insert(name.shard);
    }
  }
}

bool ReplicaCore::may_go(const Replica& replica) const {
  const ReplicaDescriptor* const self = replica.descriptor.find(replica.self);
  if (!replica.initialized || (self != nullptr && self->role == ReplicaRole::kLearner)) {
    return true;
  }
  const auto voters = std::ranges::count_if(replica.descriptor.replicas, [](const ReplicaDescriptor& other) {
    return other.role == ReplicaRole::kVoter || other.role == ReplicaRole::kIncoming;
  });
  return std::ssize(replica.removed_for) > voters / 2 ||
         (!replica.removed_for.empty() && now_ns() > replica.removed_since_ns + kRemovedTimeoutNs);
}

void ReplicaCore::ask_who_knows(Replica& replica) {
  const uint64_t now = now_ns();
  if (now < replica.next_question_ns) {
    return;
  }
  replica.next_question_ns = now + kRemovedIntervalNs;
  for (const ReplicaDescriptor& other : replica.descriptor.replicas) {
    if (other.node != environment_.self) {
      environment_.transport.send(
          other.node, runtime::Channel::kConsensus,
          encode_replicas(ConsensusFrame::kMembershipQuestion, {{replica.shard, replica.self}}));
    }
  }
}

// Those that have applied their own removal, or were told of it.
void ReplicaCore::destroy_removed() {
  for (const ShardId shard : std::set<ShardId>(removed_)) {
    Replica* const replica = find(shard);
    if (replica == nullptr || (!replica->removed() && replica->removed_for.empty())) {
      removed_.erase(shard);
      continue;
    }
    if (replica->removed_since_ns == 0) {
      replica->removed_since_ns = now_ns();
    }
    if (replica->installing || raft_of(*replica).role() == raft::Role::kLeader) {
      continue;
    }
    if (may_go(*replica)) {
      destroy(shard, ReplicaId(replica->self.number() + 1));
    } else {
      ask_who_knows(*replica);
    }
  }
}

void ReplicaCore::remove_replica(ShardId shard, ReplicaId replica, uint64_t generation, const StatusCallback& done) {
  const Replica* const here = find(shard);
  if (here == nullptr || here->self > replica) {
    done(Status());
    return;
  }
  if (here->installing || raft_of(*here).role() == raft::Role::kLeader) {
    done(not_now("replica {} of shard {} is in use", here->self.number(), shard.number()));
    return;
  }
  if (here->descriptor.generation != generation) {
    done(not_now("replica {} of shard {} is not as it was judged", here->self.number(), shard.number()));
    return;
  }
  destroy(shard, ReplicaId(here->self.number() + 1));
  done(find(shard) == nullptr ? Status() : not_now("the storage engine takes no writes at the moment"));
}

void ReplicaCore::forget_callbacks(Replica& replica, const Status& why) {
  for (const Replica::Proposed& proposed : std::exchange(replica.proposals, {})) {
    proposed.done({.outcome = ProposalOutcome::kUnknown});
  }
  if (replica.transfer.has_value()) {
    const StatusCallback done = std::move(replica.transfer->done);
    replica.transfer.reset();
    done(why);
  }
  if (const auto change = std::move(replica.change); change != nullptr) {
    change->done(why);
  }
}

void ReplicaCore::watch_nodes(const ShardDescriptor& descriptor) {
  for (const ReplicaDescriptor& replica : descriptor.replicas) {
    if (replica.node != environment_.self) {
      multiraft_->watch(replica.node);
    }
  }
}

// --- who is still a member ---

// An idle replica that was removed while nobody could tell it would stay for ever.
void ReplicaCore::ask_membership() {
  const uint64_t now = now_ns();
  if (now < next_question_ns_) {
    return;
  }
  const bool first = next_question_ns_ == 0;
  next_question_ns_ = now + kMembershipIntervalNs;
  if (first) {
    return;
  }
  std::map<NodeId, std::vector<ReplicaName>> questions;
  for (const auto& [shard, replica] : replicas_) {
    if (!replica->initialized || raft_of(*replica).role() == raft::Role::kLeader) {
      continue;
    }
    for (const ReplicaDescriptor& other : replica->descriptor.replicas) {
      if (other.node != environment_.self) {
        questions[other.node].push_back({shard, replica->self});
      }
    }
  }
  for (const auto& [node, names] : questions) {
    environment_.transport.send(node, runtime::Channel::kConsensus,
                                encode_replicas(ConsensusFrame::kMembershipQuestion, names));
  }
}

void ReplicaCore::answer_membership(NodeId from, const std::vector<ReplicaName>& names) {
  std::vector<ReplicaName> removed;
  for (const ReplicaName& name : names) {
    const Replica* const here = find(name.shard);
    if (here != nullptr && here->initialized && here->descriptor.find(name.replica) == nullptr &&
        name.replica < here->descriptor.next_replica_id) {
      removed.push_back(name);
    }
  }
  if (!removed.empty()) {
    environment_.transport.send(from, runtime::Channel::kConsensus, encode_replicas(ConsensusFrame::kRemoved, removed));
  }
}

std::vector<ShardStatus> ReplicaCore::inspect() {
  std::vector<ShardStatus> all;
  for (const auto& [shard, replica] : replicas_) {
    if (!replica->initialized) {
      continue;
    }
    const raft::Raft& raft = raft_of(*replica);
    ShardStatus status{.descriptor = replica->descriptor,
                       .replica = replica->self,
                       .term = raft.term(),
                       .leads = raft.role() == raft::Role::kLeader,
                       .leader = replica->view->leader(),
                       .lease_until_ns = replica->view->lease_until_ns(),
                       .applied = replica->applied,
                       .committed = raft.log().committed(),
                       .last_index = raft.log().last_index(),
                       .log_bytes = replica->log_bytes};
    for (const raft::Progress& progress : raft.progress()) {
      status.progress.push_back({.id = progress.id,
                                 .match = progress.match,
                                 .streaming = progress.state == raft::ProgressState::kReplicate,
                                 .receives_snapshot = progress.state == raft::ProgressState::kSnapshot});
    }
    all.push_back(std::move(status));
  }
  return all;
}

}  // namespace pando::kv
