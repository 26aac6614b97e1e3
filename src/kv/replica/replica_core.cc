#include "kv/replica/replica_core.h"

#include <algorithm>

#include "kv/replica/snapshot_receiver.h"
#include "kv/replica/snapshot_sender.h"

namespace pando::kv {
namespace {

// The liveness fabric and the cores are looked at this many times per tick.
constexpr int kTurnsPerTick = 2;
constexpr std::chrono::nanoseconds kRetryDelay{50'000'000};
// Proposals wait while the journal writes, so that they go out together: no more of them than this, and not for a disk
// that is slow, for the followers' may be fast.
constexpr std::size_t kHeldProposalsBytesMax = 128_KiB;
constexpr uint64_t kHoldNsMax = 5'000'000;
// Larger envelopes go out in parts.
constexpr std::size_t kEnvelopeBytesMax = 16_MiB;

}  // namespace

ReplicaCore::ReplicaCore(ReplicaOptions options, ReplicaEnvironment environment)
    : options_(std::move(options)), environment_(environment) {}

ReplicaCore::~ReplicaCore() = default;

void ReplicaCore::register_receivers() {
  const std::weak_ptr<ReplicaCore> weak = weak_from_this();
  environment_.transport.receive(runtime::Channel::kConsensus, [weak](NodeId from, Bytes bytes) {
    const auto core = weak.lock();
    ConsensusMessage message;
    if (core != nullptr && decode(bytes, message)) {
      core->take_input([&](Inputs& inputs) { inputs.messages.emplace_back(from, std::move(message)); });
    }
  });
  environment_.transport.receive(runtime::Channel::kBulk, [weak](NodeId from, Bytes bytes) {
    const auto core = weak.lock();
    auto message = std::make_shared<SnapshotMessage>();
    if (core == nullptr || !decode(bytes, *message)) {
      return;
    }
    const bool to_sender =
        message->kind == SnapshotMessage::Kind::kAck || message->kind == SnapshotMessage::Kind::kDone;
    core->post([core = core.get(), from, message, to_sender] {
      if (to_sender) {
        core->sender_->on_message(from, *message);
      } else {
        core->receiver_->on_message(from, std::move(*message));
      }
    });
  });
}

// --- inputs ---

void ReplicaCore::start_turn() { runtime::spawn(environment_.actor, run_turn(shared_from_this())); }

void ReplicaCore::propose(Proposal proposal) {
  const bool taken = take_input([&](Inputs& inputs) {
    inputs.proposal_bytes += proposal.payload.size();
    inputs.proposals.push_back(std::move(proposal));
  });
  if (!taken) {
    proposal.done({.outcome = ProposalOutcome::kRefused});
  }
}

bool ReplicaCore::post(std::function<void()> call) {
  return take_input([&](Inputs& inputs) { inputs.calls.push_back(std::move(call)); });
}

void ReplicaCore::after(std::chrono::nanoseconds delay, std::function<void()> call) {
  environment_.timer.schedule(delay, [weak = weak_from_this(), call = std::move(call)] {
    if (const auto core = weak.lock()) {
      core->post(call);
    }
  });
}

std::shared_ptr<ShardView> ReplicaCore::own_view(ShardId shard) {
  MutexLock lock(views_mutex_);
  std::shared_ptr<ShardView>& view = views_[shard];
  if (view == nullptr) {
    view = std::make_shared<ShardView>();
  }
  return view;
}
std::shared_ptr<const ShardView> ReplicaCore::view(ShardId shard) { return own_view(shard); }

ReplicaStatistics ReplicaCore::statistics() {
  MutexLock lock(mutex_);
  return published_;
}

Replica* ReplicaCore::find(ShardId shard) {
  // Who is looked for once is mostly looked for several times: the fabric asks where each voter lives.
  if (last_found_ == nullptr || last_found_->shard != shard) {
    const auto found = replicas_.find(shard);
    last_found_ = found == replicas_.end() ? nullptr : found->second.get();
  }
  return last_found_;
}

NodeId ReplicaCore::node_of(ShardId group, ReplicaId replica) const {
  if (const Replica* const here = find(group); here != nullptr) {
    return node_of(*here, replica);
  }
  const auto stranger = strangers_.find({group, replica});
  return stranger == strangers_.end() ? NodeId() : stranger->second;
}

NodeId ReplicaCore::node_of(const Replica& replica, ReplicaId id) const {
  if (id == replica.self) {
    return environment_.self;
  }
  if (const ReplicaDescriptor* const known = replica.descriptor.find(id); known != nullptr) {
    return known->node;
  }
  for (const auto& [heard, node] : replica.heard_from) {
    if (heard == id) {
      return node;
    }
  }
  const auto stranger = strangers_.find({replica.shard, id});
  return stranger == strangers_.end() ? NodeId() : stranger->second;
}

// --- turns ---

Task<void> ReplicaCore::run_turn(std::shared_ptr<ReplicaCore> core) {
  core->turn();
  co_return;
}

void ReplicaCore::turn() {
  Inputs inputs;
  {
    MutexLock lock(mutex_);
    awake_ = false;
    if (!running_) {
      return;
    }
    inputs = take_inputs();
  }
  multiraft_->tick(now_ns());
  take(std::move(inputs));
  pump();
  renew_leases();
  watch_transfers();
  drive_changes();
  campaign_where_due();
  destroy_removed();
  compact_logs();
  sender_->watch(now_ns());
  receiver_->watch(now_ns());
  ask_membership();
  pump();
  ++statistics_.turns;
  MutexLock lock(mutex_);
  published_ = statistics_;
}

// Sent while the journal writes, proposals would wait for it all the same, here and at the followers, which write as
// much: what comes meanwhile shares one message, one write and one sync. The end of the write is an input.
ReplicaCore::Inputs ReplicaCore::take_inputs() {
  Inputs inputs;
  std::swap(inputs, inputs_);
  const bool journal_writes = appends_in_flight_ > inputs.journaled.size() && now_ns() - last_append_ns_ < kHoldNsMax;
  if (journal_writes && inputs.proposal_bytes < kHeldProposalsBytesMax) {
    std::swap(inputs.proposals, inputs_.proposals);
    std::swap(inputs.proposal_bytes, inputs_.proposal_bytes);
  }
  return inputs;
}

void ReplicaCore::schedule_tick() {
  after(options_.tick / kTurnsPerTick, [this] { schedule_tick(); });
}

void ReplicaCore::take(Inputs inputs) {
  for (const auto& [sequence, status] : inputs.journaled) {
    on_journaled(sequence, status);
  }
  for (auto& [from, message] : inputs.messages) {
    take_message(from, std::move(message));
  }
  take_proposals(std::move(inputs.proposals));
  for (const std::function<void()>& call : inputs.calls) {
    call();
  }
}

void ReplicaCore::take_message(NodeId from, ConsensusMessage message) {
  switch (message.frame) {
    case ConsensusFrame::kEnvelope:
      // Who sent it is what the transport says.
      if (message.envelope.from == from && message.envelope.to == environment_.self) {
        take_envelope(std::move(message.envelope));
      }
      return;
    case ConsensusFrame::kMembershipQuestion:
      answer_membership(from, message.replicas);
      return;
    case ConsensusFrame::kRemoved:
      note_removed(from, message.replicas);
      return;
  }
}

void ReplicaCore::take_envelope(multiraft::Envelope envelope) {
  std::vector<multiraft::GroupMessage> admitted;
  admitted.reserve(envelope.raft.size());
  for (multiraft::GroupMessage& message : envelope.raft) {
    admit(envelope.from, message, admitted);
  }
  envelope.raft = std::move(admitted);
  multiraft_->step(std::move(envelope), now_ns());
  strangers_.clear();
}

// Decides what becomes of a message before the core sees it: replicas come into being here, and learn that they are
// gone.
void ReplicaCore::admit(NodeId from, multiraft::GroupMessage& group_message,
                        std::vector<multiraft::GroupMessage>& admitted) {
  const raft::Message& message = group_message.message;
  const ShardId shard = group_message.group;
  if (message.type == raft::MessageType::kSnapshot) {
    // Snapshots come with their data, on another channel.
    return;
  }
  Replica* here = find(shard);
  if ((here == nullptr || here->self < message.to) && adopt(shard, message.to)) {
    here = find(shard);
  }
  if (here == nullptr || here->self != message.to) {
    strangers_[{shard, message.from}] = from;
    admitted.push_back(std::move(group_message));
    return;
  }
  if (here->installing) {
    return;
  }
  if (here->descriptor.find(message.from) == nullptr) {
    if (here->initialized && message.from < here->descriptor.next_replica_id) {
      environment_.transport.send(from, runtime::Channel::kConsensus,
                                  encode_replicas(ConsensusFrame::kRemoved, {{shard, message.from}}));
    }
    std::erase_if(here->heard_from, [&](const auto& known) { return known.first == message.from; });
    here->heard_from.emplace_back(message.from, from);
  }
  admitted.push_back(std::move(group_message));
}

// --- proposals ---

bool ReplicaCore::may_propose(const Replica& replica, const Proposal& proposal) const {
  const raft::Raft& raft = raft_of(replica);
  return raft.role() == raft::Role::kLeader && raft.term() == proposal.term && replica.applied_term == proposal.term &&
         !replica.transfer.has_value() && replica.bounds_pending == 0 &&
         proposal.generation >= replica.descriptor.bounds_generation;
}

void ReplicaCore::take_proposals(std::vector<Proposal> proposals) {
  for (Proposal& proposal : proposals) {
    Replica* const replica = find(proposal.shard);
    if (replica == nullptr || !may_propose(*replica, proposal)) {
      proposal.done({.outcome = ProposalOutcome::kRefused});
      continue;
    }
    if (replica->payloads.empty()) {
      with_payloads_.push_back(replica);
    }
    replica->payloads.push_back(
        raft::Payload::copy_of(entry_payload(EntryKind::kCommand, std::move(proposal.payload))));
    replica->payloads_done.push_back(std::move(proposal.done));
  }
  for (Replica* const replica : std::exchange(with_payloads_, {})) {
    give_payloads(*replica);
  }
}

void ReplicaCore::give_payloads(Replica& replica) {
  std::vector<ProposalCallback> done = std::exchange(replica.payloads_done, {});
  const auto last = multiraft_->propose(replica.shard, std::exchange(replica.payloads, {}));
  if (!last.has_value()) {
    for (const ProposalCallback& callback : done) {
      callback({.outcome = ProposalOutcome::kRefused});
    }
    return;
  }
  const uint64_t term = raft_of(replica).term();
  uint64_t index = *last - done.size();
  for (ProposalCallback& callback : done) {
    replica.proposals.push_back({++index, term, std::move(callback)});
  }
  statistics_.proposals += done.size();
}

// --- outputs ---

void ReplicaCore::pump() {
  do {
    multiraft::Ready ready = multiraft_->take_ready();
    // Before anything is sent: what goes out may allow others to lead.
    for (const ShardId shard : ready.touched) {
      if (Replica* const replica = find(shard); replica != nullptr) {
        refresh(*replica);
      }
    }
    for (multiraft::Envelope& envelope : ready.send) {
      send(std::move(envelope));
    }
    if (ready.write.has_value()) {
      start_write(*std::move(ready.write));
    }
    for (multiraft::GroupApply& apply : ready.apply) {
      queue_apply(std::move(apply));
    }
    apply_queued();
  } while (multiraft_->has_ready());
}

void ReplicaCore::send(multiraft::Envelope envelope) {
  std::vector<multiraft::GroupMessage> messages = std::exchange(envelope.raft, {});
  const auto transmit = [&] {
    environment_.transport.send(envelope.to, runtime::Channel::kConsensus, encode_envelope(envelope));
    ++statistics_.envelopes_sent;
    envelope.liveness.clear();
    envelope.raft.clear();
  };
  if (envelope.to == NodeId()) {
    // To replicas whose node is not known any more.
    return;
  }
  std::size_t bytes = 0;
  for (multiraft::GroupMessage& message : messages) {
    if (message.message.type == raft::MessageType::kSnapshot) {
      sender_->start(envelope.to, message.group, std::move(message.message));
      continue;
    }
    for (const raft::Entry& entry : message.message.entries) {
      bytes += raft::cost_bytes(entry);
    }
    if (bytes > kEnvelopeBytesMax && !envelope.raft.empty()) {
      transmit();
      bytes = 0;
    }
    envelope.raft.push_back(std::move(message));
  }
  if (!envelope.raft.empty() || !envelope.liveness.empty()) {
    transmit();
  }
}

// --- the journal ---

storage::JournalBatch ReplicaCore::batch_of(const multiraft::Write& write) {
  storage::JournalBatch batch;
  if (write.identity.has_value()) {
    batch.promise({environment_.self, write.identity->incarnation, write.identity->support_ns_max});
  }
  Bytes scratch;
  for (const multiraft::GroupWrite& part : write.groups) {
    const raft::Persist& persist = part.persist;
    if (persist.snapshot.has_value()) {
      batch.remove(part.group);
      batch.truncate(part.group, persist.snapshot->position.index, persist.snapshot->position.term);
    }
    if (persist.hard_state.has_value()) {
      batch.hard_state(part.group, {encode(ReplicaRecord{.replica = part.replica, .hard_state = *persist.hard_state})});
    }
    for (const raft::Entry& entry : persist.entries) {
      batch.entry(part.group, entry.index, entry.term, journal_payload(entry, scratch));
    }
  }
  return batch;
}

void ReplicaCore::start_write(multiraft::Write write) {
  for (const multiraft::GroupWrite& part : write.groups) {
    // Its journal record begins anew with a snapshot, hard state and all.
    PANDO_ASSERT(!part.persist.snapshot.has_value() || part.persist.hard_state.has_value(),
                 "a snapshot raises the commit index, so the hard state is written with it");
    std::size_t bytes = 0;
    for (const raft::Entry& entry : part.persist.entries) {
      bytes += raft::cost_bytes(entry);
    }
    note_growth(*find(part.group), bytes);
  }
  storage::JournalBatch batch = batch_of(write);
  enqueue_write({.write = std::move(write)}, std::move(batch));
}

// Writes what does not come from the cores, in its place among what does.
void ReplicaCore::write_own(storage::JournalBatch batch) {
  UnackedWrite write{.own = batch};
  enqueue_write(std::move(write), std::move(batch));
}

void ReplicaCore::enqueue_write(UnackedWrite write, storage::JournalBatch batch) {
  write.serial = ++last_serial_;
  write.content = !batch.empty();
  unacked_.push_back(std::move(write));
  if (!journal_failed_ && unacked_.back().content) {
    append(unacked_.back().serial, std::move(batch));
  }
  acknowledge_writes();
}

void ReplicaCore::append(uint64_t serial, storage::JournalBatch batch) {
  ++appends_in_flight_;
  last_append_ns_ = now_ns();
  ++statistics_.journal_appends;
  journal_->append(std::move(batch), [weak = weak_from_this(), serial](Status status) {
    if (const auto core = weak.lock()) {
      core->take_input([&](Inputs& inputs) { inputs.journaled.emplace_back(serial, std::move(status)); });
    }
  });
}

void ReplicaCore::on_journaled(uint64_t serial, const Status& status) {
  --appends_in_flight_;
  if (!status.ok() && !journal_failed_) {
    journal_failed_ = true;
    statistics_.write_error = status;
  }
  if (journal_failed_) {
    // What came through behind the failure is written again, to keep the order.
    if (appends_in_flight_ == 0) {
      after(kRetryDelay, [this] { retry_writes(); });
    }
    return;
  }
  PANDO_ASSERT(!unacked_.empty() && unacked_.front().serial == serial, "writes become durable in order");
  unacked_.front().content = false;
  acknowledge_writes();
}

// What has no content is durable as soon as what was before it is.
void ReplicaCore::acknowledge_writes() {
  uint64_t through = 0;
  while (!unacked_.empty() && !unacked_.front().content) {
    through = std::max(through, unacked_.front().write.sequence);
    unacked_.pop_front();
  }
  if (through != 0) {
    multiraft_->persisted(through);
  }
}

void ReplicaCore::retry_writes() {
  journal_failed_ = false;
  statistics_.write_error = Status();
  for (const UnackedWrite& write : unacked_) {
    if (write.content) {
      append(write.serial, write.own.empty() ? batch_of(write.write) : write.own);
    }
  }
}

// --- the host ---

ReplicaHost::ReplicaHost(ReplicaOptions options, ReplicaEnvironment environment)
    : core_(std::make_shared<ReplicaCore>(std::move(options), environment)) {
  core_->register_receivers();
}
ReplicaHost::~ReplicaHost() { core_->abandon(); }
Task<Status> ReplicaHost::start(runtime::Executor& executor) { return core_->start(executor); }
Task<Status> ReplicaHost::stop(runtime::Executor& executor) { return core_->stop(executor); }

namespace {

Status stopped() { return Status(sql_state::kAdminShutdown, "the node does not run"); }

}  // namespace

void ReplicaHost::bootstrap(std::vector<ShardDescriptor> descriptors, StatusCallback done) {
  if (!core_->post(
          [core = core_.get(), descriptors = std::move(descriptors), done] { core->bootstrap(descriptors, done); })) {
    done(stopped());
  }
}
void ReplicaHost::propose(Proposal proposal) { core_->propose(std::move(proposal)); }
void ReplicaHost::transfer_lease(ShardId shard, NodeId target, StatusCallback done) {
  if (!core_->post([core = core_.get(), shard, target, done] { core->transfer_lease(shard, target, done); })) {
    done(stopped());
  }
}
void ReplicaHost::change_replicas(ShardId shard, ReplicaChange change, DescriptorCallback done) {
  if (!core_->post([core = core_.get(), shard, change = std::move(change), done] {
        core->change_replicas(shard, change, done);
      })) {
    done(stopped());
  }
}
void ReplicaHost::split(ShardId shard, Bytes key, ShardId right, DescriptorCallback done) {
  if (!core_->post(
          [core = core_.get(), shard, key = std::move(key), right, done] { core->split(shard, key, right, done); })) {
    done(stopped());
  }
}
void ReplicaHost::begin_merging(ShardId shard, MergingInto into, DescriptorCallback done) {
  if (!core_->post([core = core_.get(), shard, into, done] { core->begin_merging(shard, into, done); })) {
    done(stopped());
  }
}
void ReplicaHost::await_merging(ShardId shard, MergingInto into, StatusCallback done) {
  if (!core_->post([core = core_.get(), shard, into, done] { core->await_merging(shard, into, done); })) {
    done(stopped());
  }
}
void ReplicaHost::merge(ShardId left, ShardId right, Bytes handover, DescriptorCallback done) {
  if (!core_->post([core = core_.get(), left, right, handover = std::move(handover), done] {
        core->merge(left, right, handover, done);
      })) {
    done(stopped());
  }
}
void ReplicaHost::renew_generation(ShardId shard, uint64_t generation, DescriptorCallback done) {
  if (!core_->post(
          [core = core_.get(), shard, generation, done] { core->renew_generation(shard, generation, done); })) {
    done(stopped());
  }
}
void ReplicaHost::end_merging(ShardId shard, MergingInto into, DescriptorCallback done) {
  if (!core_->post([core = core_.get(), shard, into, done] { core->end_merging(shard, into, done); })) {
    done(stopped());
  }
}
void ReplicaHost::remove_replica(ShardId shard, ReplicaId replica, uint64_t generation, StatusCallback done) {
  if (!core_->post([core = core_.get(), shard, replica, generation, done] {
        core->remove_replica(shard, replica, generation, done);
      })) {
    done(stopped());
  }
}
std::shared_ptr<const ShardView> ReplicaHost::view(ShardId shard) { return core_->view(shard); }
void ReplicaHost::inspect(std::function<void(std::vector<ShardStatus>)> done) {
  if (!core_->post([core = core_.get(), done] { done(core->inspect()); })) {
    done({});
  }
}
ReplicaStatistics ReplicaHost::statistics() { return core_->statistics(); }
void ReplicaHost::on_flushed(const std::vector<storage::AppliedIndex>& flushed) { core_->on_flushed(flushed); }

}  // namespace pando::kv
