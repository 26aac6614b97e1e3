#pragma once

// ReplicaHost: all replicas of one node: their consensus, their logs, their snapshots.
//
//   ReplicaHost host(options, {self, engine, disk, actor, journal_writer, bulk, clock, timer, transport,
//   state_machine}); PANDO_CO_TRY(co_await host.start(executor));       // replays the journal; the transport may start
//   before or after host.bootstrap({descriptor});                      // once in the life of a cluster, on its first
//   node auto view = host.view(shard); if (view->holds_lease(clock.monotonic_ns())) { ...read... } host.propose({shard,
//   view->term(), generation, payload, [](ProposalResult result) { ... }}); co_await host.stop(executor);
//
// An actor: inputs from any thread wait in a queue and wake it on its executor; a turn takes all of them, lets
// MultiRaft digest them, sends, appends one journal batch, applies one engine batch, and completes proposals. So the
// more there is to do, the more goes out together. It has no thread of its own and reads no clock but the one given:
// production and the simulator run the same code.
//
// What is promised:
//   - kApplied is told after the entry is durable on a majority and applied here; kRefused and kLost mean that it is
//   not
//     in the log and never will be. kUnknown: this replica cannot tell.
//   - Proposals of a shard are appended, applied and completed in the order in which they were made.
//   - After a crash at any moment, start() brings back every entry that was acknowledged, and none that was not
//   committed
//     is applied.
//
// Thread-safe except start, stop and the destructor. Callbacks run on the actor; they must not block, and may call the
// host. Errors of disk writes are retried here until they succeed; meanwhile leases lapse, so others take over.

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "kv/descriptor/descriptor.h"
#include "kv/replica/shard_view.h"
#include "kv/replica/state_machine.h"
#include "runtime/clock.h"
#include "runtime/executor.h"
#include "runtime/transport.h"
#include "storage/engine.h"
#include "storage/journal.h"

namespace pando::kv {

struct ReplicaOptions {
  storage::JournalOptions journal;
  // Of the consensus groups: see DESIGN, failover under a second.
  std::chrono::nanoseconds tick{30'000'000};
  uint32_t election_ticks = 5;
  // To members that are behind; those that are not hear nothing.
  uint32_t heartbeat_ticks = 1;
  std::chrono::nanoseconds support_min{600'000'000};
  std::chrono::nanoseconds support_max{3'000'000'000};
  // A shard's log is kept in memory, for followers that are behind, up to this; and all logs together up to that.
  std::size_t log_bytes_max = 16_MiB;
  std::size_t logs_bytes_max = 256_MiB;
  // What the journal may hold beyond what the engine has flushed, for the same purpose.
  uint64_t journal_keep_bytes = 256_MiB;
  // Snapshots under way at a time, in each direction, and how fast each is sent.
  std::size_t snapshots_max = 2;
  uint64_t snapshot_bytes_per_second = 64_MiB;
  std::size_t snapshot_chunk_bytes = 256_KiB;
  // Random choices: election timeouts.
  uint64_t seed = 1;
};

// What a host runs on; all of it outlives the host.
struct ReplicaEnvironment {
  NodeId self;
  storage::Engine& engine;
  runtime::Disk& disk;
  // Runs the turns.
  runtime::Executor& actor;
  // Run the journal's file work, and the reading and writing of snapshots.
  runtime::Executor& journal_writer;
  runtime::Executor& bulk;
  runtime::Clock& clock;
  runtime::Timer& timer;
  runtime::Transport& transport;
  StateMachine& state_machine;
};

enum class ProposalOutcome : uint8_t {
  kApplied,
  // Not the leader in that term, or the bounds have changed since that generation, or there is no room: not in the log.
  kRefused,
  // It was in the log and another entry took its place.
  kLost,
  // The replica or the host came to an end, or a snapshot went over it.
  kUnknown,
};

struct ProposalResult {
  ProposalOutcome outcome = ProposalOutcome::kUnknown;
  // kApplied only.
  uint64_t index = 0;
};
using ProposalCallback = std::function<void(ProposalResult)>;

struct Proposal {
  ShardId shard;
  // From LeaseEvent or ShardView.
  uint64_t term = 0;
  // Of the descriptor against which it was evaluated.
  uint64_t generation = 0;
  Bytes payload;
  ProposalCallback done;
};

// Errors: 55000 this replica is not in a state to do it (not the leader, another change is under way, ...; the message
// says which), 57014 it began and did not come to an end in time, 57P01 the host stops, 22023 it makes no sense.
using StatusCallback = std::function<void(Status)>;
using DescriptorCallback = std::function<void(Result<ShardDescriptor>)>;

struct ReplicaChange {
  // Become voters: those that have no replica first become learners and receive a snapshot.
  std::vector<NodeId> add;
  std::vector<NodeId> remove;
  // Get a learner, which stays one.
  std::vector<NodeId> add_learners;
};

struct ReplicaProgress {
  ReplicaId id;
  uint64_t match = 0;
  // Receives entries as they come.
  bool streaming = false;
  bool receives_snapshot = false;
};

struct ShardStatus {
  ShardDescriptor descriptor;
  ReplicaId replica;
  uint64_t term = 0;
  bool leads = false;
  // 0 while nobody is known.
  NodeId leader;
  uint64_t lease_until_ns = 0;
  uint64_t applied = 0;
  uint64_t committed = 0;
  uint64_t last_index = 0;
  uint64_t log_bytes = 0;
  // When it leads.
  std::vector<ReplicaProgress> progress;
};

struct ReplicaStatistics {
  uint64_t turns = 0;
  uint64_t proposals = 0;
  uint64_t applied_entries = 0;
  uint64_t engine_writes = 0;
  uint64_t journal_appends = 0;
  uint64_t envelopes_sent = 0;
  uint64_t snapshots_sent = 0;
  uint64_t snapshots_installed = 0;
  std::size_t awake_groups = 0;
  std::size_t groups = 0;
  uint64_t log_bytes = 0;
  // OK, or why the journal or the engine does not take writes at the moment.
  Status write_error;
  storage::JournalStatistics journal;
};

class ReplicaCore;

class ReplicaHost {
 public:
  // Registers at the transport.
  ReplicaHost(ReplicaOptions options, ReplicaEnvironment environment);
  // Without stop() it is as if the process had crashed: nothing is called back any more.
  ~ReplicaHost();
  ReplicaHost(const ReplicaHost&) = delete;
  ReplicaHost& operator=(const ReplicaHost&) = delete;

  // Opens the journal and brings up every replica that engine and journal hold. Resumes on `executor`. Errors: those of
  // the engine and the journal; XX001 when their contents do not fit together.
  Task<Status> start(runtime::Executor& executor);
  // Ends what is under way (callbacks get kUnknown and 57P01) and closes the journal. Resumes on `executor`.
  Task<Status> stop(runtime::Executor& executor);

  // Founds shards of which this node has the only replica. Errors: 42710 when there is such a shard.
  void bootstrap(std::vector<ShardDescriptor> descriptors, StatusCallback done);

  void propose(Proposal proposal);

  // Hands leadership to the voter on `target`, and calls back when it is over there: this replica follows it.
  void transfer_lease(ShardId shard, NodeId target, StatusCallback done);
  // One change at a time per shard, at its leader. Adds first become learners, receive a snapshot, and are promoted
  // with the removals in one joint step. When it fails half-way the learners stay; the same call goes on from there.
  void change_replicas(ShardId shard, ReplicaChange change, DescriptorCallback done);
  // Cuts the shard before `key`: the right part becomes shard `right`, with the same replicas and leader. Calls back
  // with the left descriptor. The lease pauses until the split is applied. REQUIRES: nobody else uses the id.
  void split(ShardId shard, Bytes key, ShardId right, DescriptorCallback done);
  // Merging, step by step; kv/cluster/shard_merger.h takes them. `shard` stops serving, to become a part of its left
  // neighbour, which this node leads as well. Their replicas are on the same nodes.
  void begin_merging(ShardId shard, MergingInto into, DescriptorCallback done);
  // OK once this node's replica of the shard has durably applied that. Without a neighbour: once the engine is flushed.
  void await_merging(ShardId shard, MergingInto into, StatusCallback done);
  // The left side becomes both. REQUIRES: await_merging() has said OK on every node with a replica. `handover` is what
  // StateMachine::handover gave for the right side when it had stopped serving.
  void merge(ShardId left, ShardId right, Bytes handover, DescriptorCallback done);
  // Gives the shard a new generation, so that no merge that was begun in that one can happen any more.
  void renew_generation(ShardId shard, uint64_t generation, DescriptorCallback done);
  // The shard goes on by itself. REQUIRES: the merge cannot happen any more.
  void end_merging(ShardId shard, MergingInto into, DescriptorCallback done);
  // Destroys the replica here, `replica` or one before it, that is no longer part of its shard but could not hear so,
  // as whoever knows the newest descriptor has found. REQUIRES: it was removed, if its descriptor is still of
  // `generation`, by which that was judged: one that has heard more since may have to wait for its left side's merge.
  void remove_replica(ShardId shard, ReplicaId replica, uint64_t generation, StatusCallback done);

  // Never null; for a shard that is not here, one without lease and leader. Keep it: it stays the shard's own as long
  // as anybody holds it.
  std::shared_ptr<const ShardView> view(ShardId shard);
  // Calls back on the actor with all replicas here that hold data, in order of id.
  void inspect(std::function<void(std::vector<ShardStatus>)> done);
  ReplicaStatistics statistics();

  // From EngineOptions::on_flushed. Any thread.
  void on_flushed(const std::vector<storage::AppliedIndex>& flushed);

 private:
  std::shared_ptr<ReplicaCore> core_;
};

}  // namespace pando::kv
