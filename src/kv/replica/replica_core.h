#pragma once

// ReplicaCore: the actor behind a ReplicaHost; see replica_host.h for what it promises. Its parts:
//
//   replica_core.cc       inputs, turns, sending, the journal
//   replica_start.cc      what engine and journal hold, brought together after a restart; stopping
//   replica_apply.cc      committed entries to the state machine; splits and configuration changes among them
//   replica_lease.cc      who leads and serves; handing over (shared_leases.h: those of idle shards, together)
//   replica_change.cc     changes of replicas; adopting and destroying replicas
//   replica_merge.cc      two shards become one
//   replica_snapshot.cc   when a snapshot takes the place of what is here
//   replica_compaction.cc how much of the logs is kept
//   snapshot_sender.h, snapshot_receiver.h   snapshots in either direction
//
// Everything but the inputs belongs to the actor. Whatever outlives a turn holds the core weakly, and does nothing once
// it is gone.

#include <map>
#include <set>

#include "base/mutex.h"
#include "consensus/multiraft/multiraft.h"
#include "kv/replica/apply_plan.h"
#include "kv/replica/replica.h"
#include "kv/replica/replica_format.h"
#include "kv/replica/replica_host.h"
#include "kv/replica/replica_messages.h"
#include "kv/replica/shared_leases.h"

namespace pando::kv {

class SnapshotReceiver;
class SnapshotSender;

// What journal and engine hold of one shard (replica_start.cc).
struct ReplayedLog;
struct StoredReplica;

class ReplicaCore final : public std::enable_shared_from_this<ReplicaCore>, public multiraft::Directory {
 public:
  ReplicaCore(ReplicaOptions options, ReplicaEnvironment environment);
  ~ReplicaCore() override;

  Task<Status> start(runtime::Executor& executor);
  Task<Status> stop(runtime::Executor& executor);
  void register_receivers();
  // As a crash: nothing happens any more.
  void abandon();

  // --- any thread ---
  void propose(Proposal proposal) PANDO_EXCLUDES(mutex_);
  // Runs `call` on the actor, in its next turn; not at all once the host is gone. Whether it runs.
  bool post(std::function<void()> call) PANDO_EXCLUDES(mutex_);
  std::shared_ptr<const ShardView> view(ShardId shard) PANDO_EXCLUDES(views_mutex_);
  ReplicaStatistics statistics() PANDO_EXCLUDES(mutex_);
  void on_flushed(const std::vector<storage::AppliedIndex>& flushed);
  const ReplicaOptions& options() const { return options_; }
  const ReplicaEnvironment& environment() const { return environment_; }

  // --- the actor's ---
  void bootstrap(std::vector<ShardDescriptor> descriptors, const StatusCallback& done);
  void transfer_lease(ShardId shard, NodeId target, const StatusCallback& done);
  void change_replicas(ShardId shard, ReplicaChange change, DescriptorCallback done);
  void split(ShardId shard, Bytes key, ShardId right, DescriptorCallback done);
  void begin_merging(ShardId shard, const MergingInto& into, DescriptorCallback done);
  void end_merging(ShardId shard, const MergingInto& into, DescriptorCallback done);
  void renew_generation(ShardId shard, uint64_t generation, DescriptorCallback done);
  void merge(ShardId left, ShardId right, Bytes handover, DescriptorCallback done);
  void await_merging(ShardId shard, const MergingInto& into, StatusCallback done);
  void remove_replica(ShardId shard, ReplicaId replica, uint64_t generation, const StatusCallback& done);
  std::vector<ShardStatus> inspect();

  // --- for snapshots (replica_snapshot.cc) ---
  // Whether the replica has everything in it already, and has said so.
  bool needs_no_snapshot(NodeId from, const SnapshotMessage& begin);
  // OK when a snapshot could take the place of what is here. REQUIRES: it is needed.
  Status may_install(NodeId from, const SnapshotMessage& begin);
  // Replicas here of shards that have become a part of the snapshot's, in order of id: they end with its installation.
  struct Subsumed {
    ShardId shard;
    ReplicaId next_replica_id;
    friend bool operator==(const Subsumed&, const Subsumed&) = default;
  };
  std::vector<Subsumed> subsumed_by(const SnapshotMessage& begin) const;
  // The same; then nothing else happens to the replica until snapshot_installed.
  // REQUIRES: `subsumed` has its marks in the import.
  Status begin_install(NodeId from, const SnapshotMessage& begin, const std::vector<Subsumed>& subsumed);
  // What of the engine it replaces.
  void replaced_spans(const SnapshotMessage& begin, const std::vector<Subsumed>& subsumed,
                      std::vector<storage::KeySpan>& plain, std::vector<storage::KeySpan>& versions) const;
  // The engine holds it, or (not OK) has left everything as it was.
  void snapshot_installed(NodeId from, const SnapshotMessage& begin, const std::vector<Subsumed>& subsumed,
                          const Status& status);
  void snapshot_sent(ShardId shard, ReplicaId to, bool delivered);

  void resume_applying(Replica& replica);

  NodeId node_of(ShardId group, ReplicaId replica) const override;

 private:
  friend class SnapshotSender;
  friend class SnapshotReceiver;

  struct Inputs {
    std::vector<std::pair<uint64_t, Status>> journaled;
    std::vector<std::pair<NodeId, ConsensusMessage>> messages;
    std::vector<Proposal> proposals;
    std::size_t proposal_bytes = 0;
    std::vector<std::function<void()>> calls;
  };
  // A write that the journal has not made durable yet.
  struct UnackedWrite {
    uint64_t serial = 0;
    // Of the cores, or of the host itself.
    multiraft::Write write;
    storage::JournalBatch own;
    bool content = false;
  };
  // replica_core.cc
  // Whether a turn must be started, by the caller, once it has let go of the mutex: a turn begins by taking it.
  bool needs_turn() PANDO_REQUIRES(mutex_) { return !std::exchange(awake_, true); }
  void start_turn() PANDO_EXCLUDES(mutex_);
  // An input: `add(inputs)`, unless the host does not run. Returns whether it does.
  template <typename Add>
  bool take_input(Add add) PANDO_EXCLUDES(mutex_) {
    bool starts = false;
    {
      MutexLock lock(mutex_);
      if (!running_) {
        return false;
      }
      add(inputs_);
      starts = needs_turn();
    }
    if (starts) {
      start_turn();
    }
    return true;
  }
  static Task<void> run_turn(std::shared_ptr<ReplicaCore> core);
  void turn();
  void schedule_tick();
  Inputs take_inputs() PANDO_REQUIRES(mutex_);
  void take(Inputs inputs);
  void take_message(NodeId from, ConsensusMessage message);
  void take_envelope(multiraft::Envelope envelope);
  void admit(NodeId from, multiraft::GroupMessage& group_message, std::vector<multiraft::GroupMessage>& admitted);
  void take_proposals(std::vector<Proposal> proposals);
  void give_payloads(Replica& replica);
  bool may_propose(const Replica& replica, const Proposal& proposal) const;
  void pump();
  void send(multiraft::Envelope envelope);
  void start_write(multiraft::Write write);
  storage::JournalBatch batch_of(const multiraft::Write& write);
  void write_own(storage::JournalBatch batch);
  void enqueue_write(UnackedWrite write, storage::JournalBatch batch);
  void append(uint64_t serial, storage::JournalBatch batch);
  void on_journaled(uint64_t serial, const Status& status);
  void acknowledge_writes();
  void retry_writes();
  void after(std::chrono::nanoseconds delay, std::function<void()> call);
  NodeId node_of(const Replica& replica, ReplicaId id) const;
  Replica* find(ShardId shard);
  const Replica* find(ShardId shard) const { return const_cast<ReplicaCore*>(this)->find(shard); }
  static const raft::Raft& raft_of(const Replica& replica) { return *replica.core; }
  uint64_t now_ns() const { return environment_.clock.monotonic_ns(); }

  // replica_start.cc
  bool abandoned() PANDO_EXCLUDES(mutex_);
  void make_parts(const liveness::Identity& identity);
  Status load_engine(std::map<ShardId, StoredReplica>& stored) const;
  Status assemble(std::map<ShardId, StoredReplica> stored, std::map<ShardId, ReplayedLog> logs,
                  storage::JournalBatch& repairs);
  Status bring_up(ShardId shard, StoredReplica stored, ReplayedLog log, storage::JournalBatch& repairs);
  Status convert(ShardId shard, StoredReplica& stored, const ReplayedLog& log);
  Status bring_up_data(ShardId shard, const StoredReplica& stored, ReplayedLog log, storage::JournalBatch& repairs);
  void drop_inputs();

  // replica_apply.cc
  void queue_apply(multiraft::GroupApply apply);
  void apply_queued();
  std::unique_ptr<ApplyPlan> make_plan();
  void commit(ApplyPlan& plan);
  void complete_proposals(Replica& replica, const raft::Entry& entry);
  void absorb(ShardId shard, ReplicaId next_allowed);
  static Task<void> flush_and_drop_log(std::weak_ptr<ReplicaCore> weak, storage::Engine* engine, ShardId shard,
                                       ReplicaId next_allowed);
  void create_right(const Split& split, ReplicaId self);
  void hatch(const Split& split, ReplicaId self);
  static Task<void> flush_and_create(std::weak_ptr<ReplicaCore> weak, storage::Engine* engine, Split split,
                                     ReplicaId self);

  // replica_lease.cc
  void refresh(Replica& replica);
  void publish_lease(Replica& replica, uint64_t until_ns);
  void begin_serving(Replica& replica, uint64_t until_ns);
  void end_serving(Replica& replica);
  void renew_leases();
  void share_lease(Replica& replica);
  void watch_transfers();
  bool inherited_handover(const Replica& replica) const;
  uint64_t propose_own(Replica& replica, EntryKind kind, Bytes body, ProposalCallback done);

  // replica_change.cc
  void drive_changes();
  // Whether it is over.
  bool drive(Replica& replica, ReplicaChangeState& change, Status& outcome);
  bool propose_learners(Replica& replica, const std::vector<NodeId>& nodes, Status& outcome);
  bool propose_promotion(Replica& replica, ReplicaChangeState& wanted, Status& outcome);
  bool propose_config(Replica& replica, const raft::ConfigChange& change, Status& outcome);
  bool caught_up(const Replica& replica, ReplicaId id) const;
  void campaign_where_due();
  // replica_merge.cc
  uint64_t propose_shape(Replica& replica, EntryKind kind, Bytes body, DescriptorCallback done);
  static Task<void> flush_and_tell(storage::Engine* engine, StatusCallback done);
  raft::Options raft_options(ReplicaId self) const;
  Replica& add_replica(ShardId shard, ReplicaId self, raft::RestartState state = {});
  bool adopt(ShardId shard, ReplicaId self);
  void destroy(ShardId shard, ReplicaId next_allowed);
  // Ends a replica in memory; what is on disk is its caller's.
  void forget_replica(ShardId shard, ReplicaId next_allowed);
  void drop_log(ShardId shard, ReplicaId next_allowed);
  void erase_data(const ShardDescriptor& descriptor, storage::WriteBatch& batch) const;
  void note_removed(NodeId from, const std::vector<ReplicaName>& names);
  bool may_go(const Replica& replica) const;
  void ask_who_knows(Replica& replica);
  void destroy_removed();
  void ask_membership();
  void answer_membership(NodeId from, const std::vector<ReplicaName>& names);
  void forget_callbacks(Replica& replica, const Status& why);
  void watch_nodes(const ShardDescriptor& descriptor);
  std::shared_ptr<ShardView> own_view(ShardId shard) PANDO_EXCLUDES(views_mutex_);

  // replica_compaction.cc
  void note_growth(Replica& replica, std::size_t bytes);
  void compact_logs();
  void compact(Replica& replica, std::size_t bytes_max, std::size_t tail_bytes);
  void release_journal(const Replica& replica);

  const ReplicaOptions options_;
  const ReplicaEnvironment environment_;

  Mutex mutex_;
  Inputs inputs_ PANDO_GUARDED_BY(mutex_);
  bool awake_ PANDO_GUARDED_BY(mutex_) = false;
  bool running_ PANDO_GUARDED_BY(mutex_) = false;
  bool abandoned_ PANDO_GUARDED_BY(mutex_) = false;
  ReplicaStatistics published_ PANDO_GUARDED_BY(mutex_);

  Mutex views_mutex_;
  std::map<ShardId, std::shared_ptr<ShardView>> views_ PANDO_GUARDED_BY(views_mutex_);

  std::unique_ptr<storage::Journal> journal_;
  std::unique_ptr<multiraft::MultiRaft> multiraft_;
  std::map<ShardId, std::unique_ptr<Replica>> replicas_;
  Replica* last_found_ = nullptr;
  // Lowest replica ids that may still come to this node.
  std::map<ShardId, ReplicaId> gone_;
  // Senders of messages to replicas that are not here, while they are answered.
  std::map<std::pair<ShardId, ReplicaId>, NodeId> strangers_;

  std::deque<UnackedWrite> unacked_;
  uint64_t last_serial_ = 0;
  std::size_t appends_in_flight_ = 0;
  uint64_t last_append_ns_ = 0;
  bool journal_failed_ = false;
  // Payloads were given to replicas in this turn.
  std::vector<Replica*> with_payloads_;

  std::deque<ShardId> apply_queue_;
  std::unique_ptr<ApplyPlan> plan_;
  bool engine_failed_ = false;

  // Renewed one by one, and together.
  std::map<ShardId, Replica*> serving_;
  SharedLeases shared_leases_;
  std::set<ShardId> transferring_;
  std::set<ShardId> changing_;
  std::set<ShardId> removed_;
  // Right sides of splits and new shards, of which this node should become the leader at once.
  std::set<ShardId> campaigning_;
  // When the first published lease is due.
  uint64_t next_renewal_ns_ = 0;
  uint64_t next_question_ns_ = 0;
  uint64_t next_compaction_ns_ = 0;
  std::size_t logs_bytes_ = 0;
  // Their logs have grown enough to be looked at.
  std::set<ShardId> grown_;

  std::unique_ptr<SnapshotSender> sender_;
  std::unique_ptr<SnapshotReceiver> receiver_;
  ReplicaStatistics statistics_;
};

}  // namespace pando::kv
