// After a restart: what the engine has flushed and what the journal holds are brought together.
//
//   engine                 journal                 then
//   data of replica r      log and state of r      as expected: the log goes on where the engine stands
//   data of replica r      nothing, or an older    the engine was faster than the journal (a snapshot, a split, a new
//                          log than the engine     shard): the log begins anew at what the engine has applied
//   data of replica r      of a newer replica, or  r was destroyed and the engine had not flushed that: its data goes
//                          a tombstone
//   nothing                state without log       a replica that has voted and waits for its snapshot
//
// A shard's log begins in the journal only when the engine has flushed what it stands on: its founding, the split that
// made it, or its snapshot. So there is never a log without data.

#include <algorithm>

#include "base/codec.h"
#include "kv/descriptor/keys.h"
#include "kv/replica/replica_core.h"
#include "kv/replica/snapshot_receiver.h"
#include "kv/replica/snapshot_sender.h"

namespace pando::kv {

// What the journal holds of one shard, as replayed.
struct ReplayedLog {
  std::optional<ReplicaRecord> record;
  raft::LogPosition start;
  // Following `start`.
  std::vector<raft::Entry> entries;
};

// What the engine holds of one shard.
struct StoredReplica {
  std::optional<LocalReplica> local;
  std::optional<ShardDescriptor> descriptor;
  std::optional<ShardState> state;
  uint64_t applied = 0;
};

namespace {

Status damaged(ShardId shard, ByteView what) {
  return Status(sql_state::kDataCorrupted, "shard {}: {}", shard.number(), what);
}

class Replay final : public storage::JournalVisitor {
 public:
  Status on_entry(ShardId shard, const storage::JournalEntry& entry) override {
    ReplayedLog& log = logs[shard];
    if (entry.index <= log.start.index) {
      // It replaced what has gone since, and so did those before it: the engine has flushed them all.
      log.entries.clear();
      log.start = {entry.index, entry.term};
      return Status();
    }
    if (entry.index > log.start.index + log.entries.size() + 1) {
      return damaged(shard, "a gap in the journal");
    }
    log.entries.resize(entry.index - log.start.index - 1);
    log.entries.push_back(entry_of(entry));
    return Status();
  }
  Status on_hard_state(ShardId shard, const storage::HardState& state) override {
    if (state.bytes.empty()) {
      return Status();
    }
    ReplicaRecord record;
    if (!decode(state.bytes, record)) {
      return damaged(shard, "a damaged hard state");
    }
    logs[shard].record = record;
    return Status();
  }
  Status on_promise(const storage::LivenessPromise& promise) override {
    identity = {promise.epoch, promise.until_ns};
    return Status();
  }
  Status on_truncate(ShardId shard, uint64_t index, uint64_t term) override {
    ReplayedLog& log = logs[shard];
    if (index >= log.start.index + log.entries.size()) {
      log.entries.clear();
    } else if (index > log.start.index) {
      log.entries.erase(log.entries.begin(),
                        log.entries.begin() + static_cast<std::ptrdiff_t>(index - log.start.index));
    }
    log.start = {index, term};
    return Status();
  }
  Status on_remove(ShardId shard) override {
    logs.erase(shard);
    return Status();
  }

  std::map<ShardId, ReplayedLog> logs;
  liveness::Identity identity;
};

// Calls `take(shard, value)` for every plain key under `prefix`.
template <typename Take>
Status for_each_shard(const storage::Engine& engine, ByteView prefix, Take&& take) {
  const auto iterator = engine.iterate({Bytes(prefix), prefix_end(prefix)});
  for (iterator->seek(prefix); iterator->valid(); iterator->next()) {
    OrderedReader reader(iterator->key().substr(prefix.size()));
    uint64_t shard = 0;
    if (!reader.ordered_uint64(shard) || !reader.empty()) {
      return Status(sql_state::kDataCorrupted, "a damaged key of a shard");
    }
    PANDO_TRY(take(ShardId(shard), iterator->value()));
  }
  return iterator->status();
}

// Waits for the journal to end, as its contract demands, then lets it go.
Task<void> close_journal(std::unique_ptr<storage::Journal> journal, runtime::Executor* executor) {
  co_await journal->close(*executor);
}

}  // namespace

Status ReplicaCore::load_engine(std::map<ShardId, StoredReplica>& stored) const {
  const storage::Engine& engine = environment_.engine;
  PANDO_TRY(for_each_shard(engine, kDescriptorKeyPrefix, [&](ShardId shard, ByteView value) {
    PANDO_ASSIGN(stored[shard].descriptor, decode_descriptor(value));
    return Status();
  }));
  PANDO_TRY(for_each_shard(engine, kShardStateKeyPrefix, [&](ShardId shard, ByteView value) {
    ShardState state;
    const bool decoded = decode(value, state);
    stored[shard].state = std::move(state);
    return decoded ? Status() : damaged(shard, "a damaged shard state");
  }));
  PANDO_TRY(for_each_shard(engine, kLocalReplicaKeyPrefix, [&](ShardId shard, ByteView value) {
    LocalReplica local;
    const bool decoded = decode(value, local);
    stored[shard].local = local;
    return decoded ? Status() : damaged(shard, "a damaged local replica");
  }));
  for (auto& [shard, replica] : stored) {
    PANDO_ASSIGN(replica.applied, engine.applied(shard));
  }
  return Status();
}

Task<Status> ReplicaCore::start(runtime::Executor& executor) {
  // The host may be abandoned at any wait, as a process may end.
  const std::shared_ptr<ReplicaCore> self = shared_from_this();
  std::map<ShardId, StoredReplica> stored;
  PANDO_CO_TRY(load_engine(stored));
  Replay replay;
  auto opened =
      co_await storage::Journal::open(options_.journal, environment_.disk, environment_.journal_writer, &replay);
  co_await runtime::yield_to(environment_.actor);
  PANDO_CO_TRY(opened.status());
  if (abandoned()) {
    co_await (*opened)->close(executor);
    co_return Status(sql_state::kAdminShutdown, "the node is stopping");
  }
  journal_ = *std::move(opened);
  make_parts(replay.identity);
  storage::JournalBatch repairs;
  Status status = assemble(std::move(stored), std::move(replay.logs), repairs);
  if (status.ok() && !repairs.empty()) {
    status = co_await journal_->append(std::move(repairs), environment_.actor);
  }
  if (abandoned()) {
    co_return Status(sql_state::kAdminShutdown, "the node is stopping");
  }
  if (!status.ok()) {
    const std::unique_ptr<storage::Journal> failed = std::move(journal_);
    co_await failed->close(executor);
    co_return status;
  }
  {
    MutexLock lock(mutex_);
    running_ = true;
  }
  take_input([](Inputs&) {});
  schedule_tick();
  co_await runtime::yield_to(executor);
  co_return Status();
}

bool ReplicaCore::abandoned() {
  MutexLock lock(mutex_);
  return abandoned_;
}

void ReplicaCore::make_parts(const liveness::Identity& identity) {
  multiraft::Options options;
  options.liveness.self = environment_.self;
  options.liveness.support_ns_min = static_cast<uint64_t>(options_.support_min.count());
  options.liveness.support_ns_max = static_cast<uint64_t>(options_.support_max.count());
  options.tick_ns = static_cast<uint64_t>(options_.tick.count());
  multiraft_ = std::make_unique<multiraft::MultiRaft>(options, *this, identity, options_.seed, now_ns());
  sender_ = std::make_unique<SnapshotSender>(*this);
  receiver_ = std::make_unique<SnapshotReceiver>(*this);
}

Status ReplicaCore::assemble(std::map<ShardId, StoredReplica> stored, std::map<ShardId, ReplayedLog> logs,
                             storage::JournalBatch& repairs) {
  for (auto& [shard, replica] : stored) {
    ReplayedLog log;
    if (auto found = logs.extract(shard); !found.empty()) {
      log = std::move(found.mapped());
    }
    PANDO_TRY(bring_up(shard, replica, std::move(log), repairs));
  }
  for (auto& [shard, log] : logs) {
    PANDO_TRY(bring_up(shard, {}, std::move(log), repairs));
  }
  return Status();
}

Status ReplicaCore::bring_up(ShardId shard, StoredReplica stored, ReplayedLog log, storage::JournalBatch& repairs) {
  const bool has_data = stored.descriptor.has_value();
  if (has_data && !stored.state.has_value()) {
    PANDO_TRY(convert(shard, stored, log));
    log = {};
  }
  if (has_data && (!stored.local.has_value() || stored.local->tombstone)) {
    return damaged(shard, "data without a replica");
  }
  ReplicaId lowest = stored.local.has_value() ? stored.local->replica : raft::kNobody;
  if (log.record.has_value()) {
    lowest = std::max(lowest, log.record->replica);
  }
  if (lowest != raft::kNobody) {
    gone_[shard] = lowest;
  }
  if (has_data && stored.local->replica < lowest) {
    storage::WriteBatch batch;
    erase_data(*stored.descriptor, batch);
    batch.put(local_replica_key(shard), encode(LocalReplica{.tombstone = true, .replica = lowest}));
    PANDO_TRY(environment_.engine.write(batch));
  } else if (has_data) {
    return bring_up_data(shard, stored, std::move(log), repairs);
  }
  if (!log.record.has_value() || log.record->kind == ReplicaRecord::Kind::kTombstone || log.record->replica < lowest) {
    if (lowest != raft::kNobody && (log.start.index != 0 || !log.entries.empty())) {
      // A crash came between the end of the data and that of the log, which the next replica must not take for its own.
      repairs.remove(shard);
      repairs.hard_state(shard, {encode(ReplicaRecord{.kind = ReplicaRecord::Kind::kTombstone, .replica = lowest})});
    }
    return Status();
  }
  if (log.start.index != 0 || !log.entries.empty()) {
    return damaged(shard, "a log in the journal without data in the engine");
  }
  add_replica(shard, lowest, {.hard_state = log.record->hard_state});
  return Status();
}

// A store of a version without replication becomes the only replica. It was shut down in order, so the engine has all.
Status ReplicaCore::convert(ShardId shard, StoredReplica& stored, const ReplayedLog& log) {
  if (log.start.index + log.entries.size() > stored.applied) {
    return damaged(shard, "the journal of an earlier version holds entries that are not applied");
  }
  ShardDescriptor& descriptor = *stored.descriptor;
  descriptor.replicas = {{environment_.self, ReplicaId(1), ReplicaRole::kVoter}};
  descriptor.next_replica_id = ReplicaId(2);
  stored.applied = std::max(stored.applied, kInitialPosition.index);
  stored.state = ShardState{kInitialPosition.term, config_of(descriptor)};
  stored.local = LocalReplica{.replica = ReplicaId(1)};
  storage::WriteBatch batch;
  batch.put(descriptor_key(shard), encode_descriptor(descriptor));
  batch.put(shard_state_key(shard), encode(*stored.state));
  batch.put(local_replica_key(shard), encode(*stored.local));
  batch.set_applied(shard, stored.applied);
  PANDO_TRY(environment_.engine.write(batch));
  return environment_.engine.flush();
}

Status ReplicaCore::bring_up_data(ShardId shard, const StoredReplica& stored, ReplayedLog log,
                                  storage::JournalBatch& repairs) {
  const raft::LogPosition applied{stored.applied, stored.state->applied_term};
  const bool own = log.record.has_value() && log.record->replica == stored.local->replica &&
                   log.record->kind == ReplicaRecord::Kind::kReplica;
  raft::RestartState state{.config = stored.state->config, .applied = applied.index};
  if (own) {
    state.hard_state = log.record->hard_state;
  }
  // Without the position of the engine the journal's log is another history, which a snapshot has ended.
  bool continues = own && log.start == applied;
  if (own && log.start.index < applied.index && applied.index <= log.start.index + log.entries.size()) {
    continues = log.entries[applied.index - log.start.index - 1].term == applied.term;
  }
  if (own && applied.index < log.start.index) {
    return damaged(shard, fmt::format("the engine has applied up to {}, and the journal begins after {}", applied.index,
                                      log.start.index));
  }
  state.compacted = continues ? log.start : applied;
  if (continues) {
    state.entries = std::move(log.entries);
  }
  raft::HardState& hard = state.hard_state;
  const raft::LogPosition last = state.entries.empty()
                                     ? state.compacted
                                     : raft::LogPosition{state.entries.back().index, state.entries.back().term};
  if (hard.term < last.term) {
    // No vote of that term was ever durable here.
    hard = {.term = last.term, .commit = hard.commit};
  }
  hard.commit = std::min(std::max(hard.commit, applied.index), last.index);
  PANDO_TRY(raft::check(state));
  if (!continues) {
    repairs.remove(shard);
    repairs.truncate(shard, applied.index, applied.term);
    repairs.hard_state(shard, {encode(ReplicaRecord{.replica = stored.local->replica, .hard_state = hard})});
  }
  std::size_t log_bytes = 0;
  for (const raft::Entry& entry : state.entries) {
    log_bytes += raft::cost_bytes(entry);
  }
  Replica& replica = add_replica(shard, stored.local->replica, std::move(state));
  replica.initialized = true;
  replica.descriptor = *stored.descriptor;
  replica.config = stored.state->config;
  replica.applied = applied.index;
  replica.applied_term = applied.term;
  note_growth(replica, log_bytes);
  watch_nodes(replica.descriptor);
  if (replica.removed()) {
    removed_.insert(shard);
  } else if (replica.descriptor.replicas.size() == 1) {
    // Nobody to wait for.
    campaigning_.insert(shard);
  }
  environment_.state_machine.on_shard({.kind = ShardEvent::Kind::kAdded, .descriptor = replica.descriptor});
  return Status();
}

Task<Status> ReplicaCore::stop(runtime::Executor& executor) {
  co_await runtime::yield_to(environment_.actor);
  {
    MutexLock lock(mutex_);
    PANDO_ASSERT(running_, "a host is stopped once");
    running_ = false;
  }
  const Status why(sql_state::kAdminShutdown, "the node is stopping");
  for (const auto& [shard, replica] : replicas_) {
    end_serving(*replica);
    forget_callbacks(*replica, why);
  }
  drop_inputs();
  co_await sender_->stop();
  co_await receiver_->stop();
  // What else was posted there uses the engine, too.
  co_await runtime::yield_to(environment_.bulk);
  co_await journal_->close(executor);
  journal_.reset();
  co_return Status();
}

// What nobody will look at any more is answered.
void ReplicaCore::drop_inputs() {
  Inputs inputs;
  {
    MutexLock lock(mutex_);
    std::swap(inputs, inputs_);
  }
  for (const Proposal& proposal : inputs.proposals) {
    proposal.done({.outcome = ProposalOutcome::kRefused});
  }
}

void ReplicaCore::abandon() {
  {
    MutexLock lock(mutex_);
    running_ = false;
    abandoned_ = true;
  }
  if (journal_ != nullptr) {
    runtime::spawn(environment_.journal_writer, close_journal(std::move(journal_), &environment_.journal_writer));
  }
}

}  // namespace pando::kv
