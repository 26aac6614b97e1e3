#include "test/sim/node.h"

#include <algorithm>
#include <deque>

#include <fmt/format.h>

#include "base/assert.h"
#include "test/sim/cluster.h"
#include "test/sim/replay.h"

namespace pando::test {

namespace {

constexpr const char* kJournalDirectory = "journal";
constexpr uint64_t kSegmentBytes = 32_KiB;
constexpr uint64_t kRestartDelayNs = 25'000'000;
constexpr uint64_t kSnapshotReportNs = 400'000'000;
// Entries kept behind what is flushed, for followers that are a little late.
constexpr raft::LogIndex kCompactionSlackMax = 20;

// More work out of one event means that it makes its own.
constexpr int kPumpRoundsMax = 10'000;

}  // namespace

// What a process holds in memory.
struct Node::Process {
  struct Proposal {
    raft::Term term = 0;
    Done done;
  };
  struct Read {
    raft::LogIndex index = 0;
    Done done;
  };
  struct Live {
    State state;
    std::deque<raft::Entries> applies;
    bool applying = false;
    std::map<raft::LogIndex, Proposal> proposals;
    // By context, waiting for the core; then by index, waiting for the state machine.
    std::map<uint64_t, Done> asked;
    std::vector<Read> waiting;
    std::map<raft::LogIndex, std::shared_ptr<const State>> snapshots;
    raft::LogIndex seen_commit = 0;
    raft::LogIndex seen_written = 0;
    raft::Term seen_leading = 0;
    raft::Term seen_candidate = 0;
    bool had_lease = false;
    uint64_t seen_word = 0;
  };

  std::unique_ptr<storage::Journal> journal;
  std::unique_ptr<multiraft::MultiRaft> host;
  std::map<ShardId, Live> live;
  uint64_t context = 0;
  bool alive = true;
};

Node::Node(Cluster& cluster, sim::Machine machine, int64_t drift_ppm, int64_t wall_offset_ns)
    : cluster_(cluster),
      machine_(machine),
      disk_(cluster.world(), cluster.options().disk),
      clock_(cluster.world(), drift_ppm, wall_offset_ns) {}

Node::~Node() {
  if (process_ != nullptr) {
    process_->alive = false;
  }
}

bool Node::paused() const { return cluster_.world().now_ns() < paused_until_ns_; }

// Runs `action` in the process, later if the machine is paused, not at all if the process is gone by then.
void Node::run(const std::shared_ptr<Process>& process, std::function<void()> action) {
  if (!process->alive) {
    return;
  }
  if (paused()) {
    cluster_.world().at(paused_until_ns_, [this, process, action = std::move(action)] { run(process, action); });
    return;
  }
  action();
  if (process->alive && booted_) {
    pump();
    observe();
  }
}

// --- the machine ---

void Node::found(ShardId group, ReplicaId replica, const State& state) { flushed_[group] = {replica, state}; }

void Node::start() {
  PANDO_ASSERT(process_ == nullptr, "a machine runs one process");
  ++life_;
  cluster_.world().trace("start", {machine_});
  process_ = std::make_shared<Process>();
  runtime::spawn(cluster_.world(), boot(process_));
}

Task<void> Node::boot(std::shared_ptr<Process> process) {
  Replay replay;
  auto opened = co_await storage::Journal::open(
      {.directory = kJournalDirectory, .segment_bytes = kSegmentBytes, .spare_segments_max = 1}, disk_.attach(),
      cluster_.world(), &replay);
  if (opened.ok()) {
    process->journal = *std::move(opened);
  }
  if (!process->alive) {
    if (process->journal != nullptr) {
      co_await process->journal->close(cluster_.world());
    }
    co_return;
  }
  if (opened.status().is(sql_state::kDataCorrupted)) {
    if (!flipped_) {
      cluster_.world().fail("durability",
                            fmt::format("machine {} cannot read its journal: {}", machine_, opened.status().message()));
    }
    cluster_.world().probe("flipped bit caught");
    wipe();
    co_return;
  }
  if (process->journal == nullptr) {
    crash("no journal");
    co_return;
  }
  if (flipped_) {
    // The bit was in space that is not in use, or in the last group, which then looks unfinished. What was read must be
    // true; but something may be missing, so the replicas are given up.
    check_replay(replay);
    wipe();
    co_return;
  }
  assemble(*process, replay);
  booted_ = true;
  schedule_tick();
  pump();
  observe();
}

void Node::assemble(Process& process, Replay& replay) {
  liveness::Identity identity = replay.identity;
  // A machine that lost its disk is a new node; here it keeps its number, and so must keep its promises.
  identity.incarnation = std::max(identity.incarnation, identity_floor_.incarnation);
  identity.support_ns_max = std::max(identity.support_ns_max, identity_floor_.support_ns_max);
  multiraft::Options options = cluster_.options().host;
  options.liveness.self = NodeId(machine_);
  process.host = std::make_unique<multiraft::MultiRaft>(options, cluster_, identity, cluster_.world().prng().next(),
                                                        clock_.monotonic_ns());
  for (sim::Machine other = 1; other <= cluster_.options().machine_count; ++other) {
    if (other != machine_) {
      process.host->watch(NodeId(other));
    }
  }
  for (const auto& [group, flushed] : flushed_) {
    raft::RestartState state = restart_state(process, flushed, replay, group);
    if (const Status status = raft::check(state); !status.ok()) {
      cluster_.world().fail("durability",
                            fmt::format("machine {} group {}: {}", machine_, group.number(), status.message()));
      continue;
    }
    raft::Options raft_options = cluster_.options().raft;
    raft_options.self = flushed.replica;
    raft_options.faults = &cluster_.world();
    process.live[group].state = flushed.state;
    process.live[group].seen_commit = std::max(state.hard_state.commit, state.applied);
    process.host->add(group, raft_options, std::move(state));
  }
}

void Node::check_replay(const Replay& replay) {
  for (const auto& [group, log] : replay.logs) {
    for (const auto& [index, entry] : log.entries) {
      if (!cluster_.checker().is_known(group, entry)) {
        cluster_.world().fail("durability", fmt::format("machine {} group {}: a flipped bit went unnoticed in entry {}",
                                                        machine_, group.number(), index));
      }
    }
  }
}

bool Node::has(ShardId group, ReplicaId replica) const {
  const auto found = flushed_.find(group);
  return found != flushed_.end() && found->second.replica == replica && !flipped_;
}

const State* Node::flushed(ShardId group, ReplicaId replica) const {
  return has(group, replica) ? &flushed_.at(group).state : nullptr;
}

raft::RestartState Node::restart_state(Process& process, const Flushed& flushed, Replay& replay, ShardId group) {
  Replay::Log& log = replay.logs[group];
  raft::RestartState state{
      .config = flushed.state.config, .applied = flushed.state.position.index, .compacted = flushed.state.position};
  ReplicaId writer = flushed.replica;
  if (!log.hard_state.empty() && !decode_record(log.hard_state, writer, state.hard_state)) {
    cluster_.world().fail("durability", "a hard state that cannot be decoded");
  }
  const bool of_another = writer != flushed.replica;
  if (of_another) {
    // The crash came before the older replica's log was gone: its term, vote and entries are not this one's.
    cluster_.world().probe("log of an older replica dropped");
    log = {};
    state.hard_state = {};
  }
  // The engine may be ahead of the journal by a snapshot whose write did not complete; then what the journal has may be
  // another history, unless it contains the position of the snapshot.
  const auto at_flushed = log.entries.find(state.applied);
  const bool continues = log.start == state.compacted ||
                         (at_flushed != log.entries.end() && at_flushed->second.term == state.compacted.term);
  for (const auto& [index, entry] : log.entries) {
    if (continues && index > state.applied) {
      state.entries.push_back(entry);
    }
  }
  const bool fresh = log.entries.empty() && log.start == raft::LogPosition() && state.applied > 0;
  const raft::Term last_term = state.entries.empty() ? state.compacted.term : state.entries.back().term;
  if (state.hard_state.term < last_term) {
    // No vote of that term was ever durable here.
    state.hard_state.term = last_term;
    state.hard_state.vote = raft::kNobody;
  }
  const raft::LogIndex last = state.compacted.index + state.entries.size();
  state.hard_state.commit = std::min(state.hard_state.commit, last);
  if (!continues || fresh || of_another) {
    storage::JournalBatch batch;
    batch.remove(group);
    batch.truncate(group, state.compacted.index, state.compacted.term);
    batch.hard_state(group, {replica_record(flushed.replica, state.hard_state)});
    process.journal->append(std::move(batch), [](Status status) { status.ignore("the next write reports it"); });
  }
  return state;
}

namespace {

// Waits for the journal to end, as its contract demands, then lets it go.
Task<void> close_journal(std::unique_ptr<storage::Journal> journal, runtime::Executor& executor) {
  co_await journal->close(executor);
}

}  // namespace

void Node::crash(const char* why) {
  if (process_ == nullptr) {
    return;
  }
  cluster_.world().trace("crash", {machine_});
  cluster_.world().probe(why);
  const std::shared_ptr<Process> gone = std::exchange(process_, nullptr);
  gone->alive = false;
  booted_ = false;
  paused_until_ns_ = 0;
  if (gone->host != nullptr) {
    identity_floor_.incarnation = std::max(identity_floor_.incarnation, gone->host->fabric().incarnation());
    identity_floor_.support_ns_max =
        std::max(identity_floor_.support_ns_max, cluster_.options().host.liveness.support_ns_max);
  }
  disk_.crash();
  if (gone->journal != nullptr) {
    runtime::spawn(cluster_.world(), close_journal(std::move(gone->journal), cluster_.world()));
  }
  // Often it is back before anybody has noticed.
  const uint64_t slowness = cluster_.world().prng().chance(0.4) ? 1 : 40;
  cluster_.world().after(kRestartDelayNs + cluster_.world().prng().below(slowness * kRestartDelayNs),
                         [this, life = life_] {
                           if (process_ == nullptr && life == life_) {
                             start();
                           }
                         });
}

void Node::pause(uint64_t for_ns) {
  cluster_.world().trace("pause", {machine_, for_ns});
  cluster_.world().probe("process paused");
  paused_until_ns_ = cluster_.world().now_ns() + for_ns;
}

void Node::wipe() {
  cluster_.world().probe("disk wiped");
  cluster_.world().trace("wipe", {machine_});
  for (const auto& [group, flushed] : flushed_) {
    retired_[group] = std::max(retired_[group], flushed.replica.number());
  }
  flushed_.clear();
  flipped_ = false;
  crash("process wiped");
  disk_.erase_everything();
}

// --- driving ---

void Node::schedule_tick() {
  const uint64_t interval = clock_.true_delay_ns(cluster_.options().host.tick_ns / 2);
  cluster_.world().after(interval, [this, process = process_] {
    if (!process->alive) {
      return;
    }
    run(process, [this, process] {
      process->host->tick(clock_.monotonic_ns());
      retire_removed();
    });
    if (process->alive) {
      schedule_tick();
    }
  });
}

void Node::pump() {
  int rounds = 0;
  do {
    if (++rounds > kPumpRoundsMax) {
      cluster_.world().fail("progress", fmt::format("machine {} does not come to an end of its work", machine_));
      return;
    }
    multiraft::Ready ready = process_->host->take_ready();
    for (multiraft::GroupReads& reads : ready.reads) {
      Process::Live& live = process_->live[reads.group];
      for (const raft::ReadState& read : reads.reads) {
        if (auto asked = live.asked.extract(read.context); !asked.empty()) {
          cluster_.world().probe("quorum read");
          live.waiting.push_back({read.index, std::move(asked.mapped())});
        }
      }
      serve_reads(reads.group);
    }
    for (multiraft::Envelope& envelope : ready.send) {
      send(std::move(envelope));
    }
    if (ready.write.has_value()) {
      start_write(*std::move(ready.write));
    }
    for (multiraft::GroupApply& apply : ready.apply) {
      start_apply(std::move(apply));
    }
  } while (process_ != nullptr && process_->host->has_ready());
}

void Node::send(multiraft::Envelope envelope) {
  std::vector<multiraft::GroupMessage> plain;
  for (multiraft::GroupMessage& message : envelope.raft) {
    if (message.message.type == raft::MessageType::kSnapshot) {
      send_snapshot(message.group, std::move(message.message));
    } else {
      plain.push_back(std::move(message));
    }
  }
  envelope.raft = std::move(plain);
  if (!envelope.raft.empty() || !envelope.liveness.empty()) {
    cluster_.transmit(std::move(envelope), nullptr);
  }
}

void Node::send_snapshot(ShardId group, raft::Message message) {
  // The state machine may be further than the core knew; what is sent says what it is.
  auto state = std::make_shared<const State>(process_->live.at(group).state);
  PANDO_ASSERT(state->position.index >= message.snapshot->position.index, "a state machine never goes back");
  message.snapshot = std::make_shared<const raft::Snapshot>(raft::Snapshot{state->position, state->config});
  cluster_.world().probe("snapshot sent");
  const ReplicaId to = message.to;
  multiraft::Envelope envelope{.from = NodeId(machine_), .to = NodeId(machine_of(to))};
  envelope.raft.push_back({group, std::move(message)});
  cluster_.transmit(std::move(envelope), std::move(state));
  // Without an answer by then, the transport gives it up for lost.
  cluster_.world().after(kSnapshotReportNs, [this, process = process_, group, to] {
    run(process, [process, group, to] {
      if (process->host->find(group) != nullptr) {
        process->host->report_snapshot(group, to, false);
      }
    });
  });
}

void Node::receive(multiraft::Envelope envelope, std::shared_ptr<const State> snapshot) {
  if (!running()) {
    return;
  }
  run(process_, [this, process = process_, envelope = std::move(envelope), snapshot = std::move(snapshot)] {
    for (const multiraft::GroupMessage& message : envelope.raft) {
      cluster_.world().trace(raft::to_string(message.message.type),
                             {message.message.from.number(), message.message.to.number(), message.message.term,
                              message.message.position.index, message.message.commit});
      const raft::Raft* const here = process->host->find(message.group);
      if (here == nullptr || here->self() < message.message.to) {
        adopt(message.group, message.message.to);
      }
      if (snapshot != nullptr && process->host->find(message.group) != nullptr) {
        process->live[message.group].snapshots[snapshot->position.index] = snapshot;
      }
    }
    process->host->step(envelope, clock_.monotonic_ns());
  });
}

// A message for a replica that is not here founds it, empty: it will ask for a snapshot. Not for one that was here
// before.
void Node::adopt(ShardId group, ReplicaId replica) {
  if (machine_of(replica) != machine_ || replica.number() <= retired_[group]) {
    return;
  }
  const raft::Raft* const older = process_->host->find(group);
  if (older != nullptr && !cluster_.may_retire(group, older->self())) {
    return;
  }
  cluster_.world().probe("replica adopted");
  cluster_.world().trace("adopt", {group.number(), replica.number()});
  if (process_->host->find(group) != nullptr) {
    // A machine has one replica of a group at a time: the older one was removed and did not hear of it.
    retire(group);
  }
  retired_[group] = replica.number() - 1;
  flushed_[group] = {replica, State()};
  process_->live[group] = {};
  storage::JournalBatch batch;
  // What an earlier replica of the group may have left.
  batch.remove(group);
  process_->journal->append(std::move(batch), [](Status status) { status.ignore("the next write reports it"); });
  raft::Options options = cluster_.options().raft;
  options.self = replica;
  options.faults = &cluster_.world();
  process_->host->add(group, options, raft::RestartState());
}

void Node::start_write(multiraft::Write write) {
  storage::JournalBatch batch;
  if (write.identity.has_value()) {
    batch.promise({NodeId(machine_), write.identity->incarnation, write.identity->support_ns_max});
  }
  for (const multiraft::GroupWrite& part : write.groups) {
    const raft::Persist& persist = part.persist;
    if (persist.snapshot.has_value()) {
      install(part.group, *persist.snapshot, batch);
    }
    if (persist.hard_state.has_value()) {
      batch.hard_state(part.group, {replica_record(part.replica, *persist.hard_state)});
    }
    for (const raft::Entry& entry : persist.entries) {
      batch.entry(part.group, entry.index, entry.term, journal_payload(entry));
    }
    if (!persist.entries.empty()) {
      const raft::Raft& raft = *process_->host->find(part.group);
      const raft::LogIndex before = persist.entries.front().index - 1;
      cluster_.checker().on_entries(part.group, persist.entries, raft.log().term(before).value_or(0));
      Process::Live& live = process_->live[part.group];
      if (live.seen_written > before) {
        cluster_.world().probe("tail replaced");
      }
      live.seen_written = persist.entries.back().index;
    }
  }
  if (batch.empty()) {
    // Only answers that wait for earlier writes. An empty record keeps the order.
    batch.promise(
        {NodeId(machine_), process_->host->fabric().incarnation(), cluster_.options().host.liveness.support_ns_max});
  }
  process_->journal->append(std::move(batch), [this, process = process_, sequence = write.sequence](Status status) {
    run(process, [this, sequence, status] { written(sequence, status); });
  });
}

void Node::written(uint64_t sequence, Status status) {
  if (!status.ok()) {
    // After a failed sync nobody knows what is on the disk: begin again from what is there.
    crash("process ended by its disk");
    return;
  }
  cluster_.world().trace("durable", {machine_, sequence});
  process_->host->persisted(sequence);
}

void Node::install(ShardId group, const raft::Snapshot& snapshot, storage::JournalBatch& batch) {
  Process::Live& live = process_->live[group];
  const auto found = live.snapshots.find(snapshot.position.index);
  PANDO_ASSERT(found != live.snapshots.end(), "the state of a snapshot arrives with its message");
  cluster_.world().probe("snapshot installed");
  live.applies.clear();
  live.state = *found->second;
  while (!live.proposals.empty() && live.proposals.begin()->first <= live.state.position.index) {
    // Whether it was this replica's proposal that got there cannot be told from a snapshot.
    live.proposals.extract(live.proposals.begin()).mapped().done(std::nullopt);
  }
  flushed_[group].state = live.state;
  live.snapshots.erase(live.snapshots.begin(), std::next(found));
  cluster_.checker().on_apply(group, live.state.position.index, live.state.digest);
  batch.remove(group);
  batch.truncate(group, snapshot.position.index, snapshot.position.term);
}

// --- applying ---

void Node::start_apply(multiraft::GroupApply apply) {
  process_->live[apply.group].applies.push_back(std::move(apply.entries));
  schedule_apply(apply.group);
}

void Node::schedule_apply(ShardId group) {
  Process::Live& live = process_->live[group];
  if (live.applying || live.applies.empty()) {
    return;
  }
  live.applying = true;
  cluster_.world().after(cluster_.world().prng().below(cluster_.options().apply_delay_ns + 1),
                         [this, process = process_, group] { run(process, [this, group] { finish_apply(group); }); });
}

void Node::finish_apply(ShardId group) {
  const auto found = process_->live.find(group);
  if (found == process_->live.end()) {
    return;
  }
  Process::Live& live = found->second;
  live.applying = false;
  if (live.applies.empty()) {
    return;
  }
  const raft::Entries entries = std::move(live.applies.front());
  live.applies.pop_front();
  for (const raft::Entry& entry : entries) {
    apply_entry(group, live.state, entry);
  }
  process_->host->applied(group, live.state.position.index);
  const raft::Raft& raft = *process_->host->find(group);
  if (!(raft.config() == live.state.config)) {
    cluster_.world().fail("configuration",
                          fmt::format("group {}: the core of replica {} has {}, its state machine {}", group.number(),
                                      raft.self().number(), raft.config().to_string(), live.state.config.to_string()));
  }
  serve_reads(group);
  const bool changed = !(flushed_[group].state.config == live.state.config);
  if (changed || cluster_.world().prng().chance(cluster_.options().flush_chance)) {
    // Who was removed is destroyed once a majority knows it for good, see Cluster::may_retire.
    flush(group);
  }
  schedule_apply(group);
  retire_removed();
}

void Node::apply_entry(ShardId group, State& state, const raft::Entry& entry) {
  if (entry.index != state.position.index + 1) {
    cluster_.world().fail("state-machine safety", fmt::format("machine {} applies entry {} after {}", machine_,
                                                              entry.index, state.position.index));
    return;
  }
  state.position = {entry.index, entry.term};
  state.digest = chain(state.digest, hash_of(entry));
  raft::ConfigChange change;
  if (entry.type == raft::EntryType::kConfigChange && entry.payload && raft::decode(*entry.payload, change)) {
    if (auto next = raft::changed(state.config, change); next.ok()) {
      state.config = *std::move(next);
      cluster_.world().trace(state.config.to_string(), {group.number(), machine_, entry.index});
    }
  }
  cluster_.checker().on_apply(group, entry.index, state.digest);
  auto& proposals = process_->live[group].proposals;
  if (auto proposal = proposals.extract(entry.index); !proposal.empty()) {
    const bool ours = proposal.mapped().term == entry.term;
    proposal.mapped().done(ours ? std::optional(entry.index) : std::nullopt);
  }
}

void Node::flush(ShardId group) {
  const State& state = process_->live.at(group).state;
  flushed_[group].state = state;
  if (!cluster_.options().may("compact")) {
    return;
  }
  cluster_.world().probe("log compacted");
  const raft::LogIndex slack = cluster_.world().prng().below(kCompactionSlackMax);
  if (state.position.index > slack) {
    process_->host->compact(group, state.position.index - slack);
    process_->journal->release(group, state.position.index - 1);
  }
}

// A replica that has applied its own removal leaves.
void Node::retire_removed() {
  std::vector<ShardId> gone;
  for (const auto& [group, flushed] : flushed_) {
    const auto live = process_->live.find(group);
    const raft::Raft* const raft = process_->host->find(group);
    if (live != process_->live.end() && raft != nullptr && live->second.state.position.index > 0 &&
        !live->second.state.config.contains(flushed.replica) && raft->idle() &&
        cluster_.may_retire(group, flushed.replica)) {
      gone.push_back(group);
    }
  }
  for (const ShardId group : gone) {
    retire(group);
  }
}

void Node::retire(ShardId group) {
  cluster_.world().probe("replica retired");
  cluster_.world().trace("retire", {group.number(), flushed_[group].replica.number()});
  retired_[group] = std::max(retired_[group], flushed_[group].replica.number());
  for (auto& [index, proposal] : process_->live[group].proposals) {
    proposal.done(std::nullopt);
  }
  process_->live.erase(group);
  process_->host->remove(group);
  flushed_.erase(group);
}

// --- calls ---

const multiraft::MultiRaft* Node::host() const { return running() ? process_->host.get() : nullptr; }
const raft::Raft* Node::find(ShardId group) const { return running() ? process_->host->find(group) : nullptr; }

const State* Node::state(ShardId group) const {
  if (!running() || process_->host->find(group) == nullptr) {
    return nullptr;
  }
  const auto found = process_->live.find(group);
  return found == process_->live.end() ? nullptr : &found->second.state;
}

bool Node::holds_lease(ShardId group) { return running() && process_->host->holds_lease(group, clock_.monotonic_ns()); }

void Node::write(ShardId group, ByteView payload, Done done) {
  process_->host->tick(clock_.monotonic_ns());
  const auto index = process_->host->propose(group, payload);
  if (!index.has_value()) {
    done(std::nullopt);
    return;
  }
  process_->live[group].proposals[*index] = {process_->host->find(group)->term(), std::move(done)};
  pump();
  observe();
}

void Node::read(ShardId group, bool by_lease, Done done) {
  Process::Live& live = process_->live[group];
  process_->host->tick(clock_.monotonic_ns());
  if (by_lease) {
    if (!process_->host->holds_lease(group, clock_.monotonic_ns())) {
      done(std::nullopt);
      return;
    }
    cluster_.world().probe("lease read");
    live.waiting.push_back({process_->host->find(group)->log().committed(), std::move(done)});
  } else {
    const uint64_t context = ++process_->context;
    if (!process_->host->read_index(group, context).has_value()) {
      done(std::nullopt);
      return;
    }
    live.asked[context] = std::move(done);
  }
  serve_reads(group);
  pump();
  observe();
}

void Node::serve_reads(ShardId group) {
  Process::Live& live = process_->live[group];
  std::vector<Process::Read> rest;
  for (Process::Read& read : std::exchange(live.waiting, {})) {
    if (live.state.position.index >= read.index) {
      read.done(live.state.position.index);
    } else {
      rest.push_back(std::move(read));
    }
  }
  for (Process::Read& read : rest) {
    live.waiting.push_back(std::move(read));
  }
}

bool Node::change(ShardId group, const raft::ConfigChange& change) {
  const bool accepted = process_->host->propose_change(group, change).has_value();
  pump();
  observe();
  return accepted;
}
void Node::transfer(ShardId group, ReplicaId to) {
  if (process_->host->transfer(group, to).has_value()) {
    cluster_.world().probe("transfer begun");
  }
  pump();
  observe();
}
void Node::forget_leader(ShardId group) {
  process_->host->forget_leader(group);
  pump();
  observe();
}
void Node::campaign(ShardId group) {
  process_->host->campaign(group);
  pump();
  observe();
}

void Node::report_unreachable(sim::Machine machine) {
  if (!running() || paused()) {
    return;
  }
  for (const ShardId group : process_->host->groups()) {
    for (const ReplicaId member : process_->host->find(group)->config().members()) {
      if (machine_of(member) == machine) {
        process_->host->report_unreachable(group, member);
      }
    }
  }
  pump();
  observe();
}

// --- checks ---

void Node::observe() {
  if (!running()) {
    return;
  }
  for (const ShardId group : process_->host->groups()) {
    observe_group(group, *process_->host->find(group));
  }
}

void Node::observe_group(ShardId group, const raft::Raft& raft) {
  Process::Live& live = process_->live[group];
  const bool leads = raft.role() == raft::Role::kLeader;
  const bool has_led = leads && live.seen_leading == raft.term();
  if (leads && live.seen_leading != raft.term()) {
    live.seen_leading = raft.term();
    cluster_.world().trace("leader", {group.number(), raft.self().number(), raft.term()});
    cluster_.checker().on_leader(group, raft, life_);
    cluster_.check_votes(group, raft);
    cluster_.tempt_leader(group);
  }
  if (raft.log().committed() > live.seen_commit) {
    const raft::LogIndex from = std::max(live.seen_commit, raft.log().compacted().index) + 1;
    live.seen_commit = raft.log().committed();
    cluster_.checker().on_commit(group, raft.log(), raft.term(), from, live.seen_commit);
    if (leads) {
      cluster_.check_commit(group, raft, has_led);
    }
    bool changes = false;
    raft.log().for_each(from, live.seen_commit, [&](const raft::Entry& entry) {
      changes = changes || entry.type == raft::EntryType::kConfigChange;
    });
    if (leads && changes) {
      cluster_.tempt_change(group);
    }
    cluster_.tempt(*this);
  }
  if (raft.role() == raft::Role::kCandidate && live.seen_candidate != raft.term()) {
    live.seen_candidate = raft.term();
    cluster_.tempt_candidate(*this, group);
  }
  if (const uint64_t word = raft.fortification().epoch; word != live.seen_word) {
    live.seen_word = word;
    if (word != 0) {
      cluster_.tempt_follower(*this, group);
    }
  }
  const bool lease = process_->host->holds_lease(group, clock_.monotonic_ns());
  if (lease && cluster_.options().clocks_good()) {
    cluster_.check_lease(group, *this, raft);
  }
  if (lease != live.had_lease) {
    cluster_.world().probe(lease ? "lease won" : "lease lost");
    live.had_lease = lease;
  }
}

}  // namespace pando::test
