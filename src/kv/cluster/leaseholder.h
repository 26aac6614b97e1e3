#pragma once

// Leaseholder: what a node does for the shards that it leads: reads at a moment, locks, commits. Gateways call it, on
// the same node directly and on others through Peers. It is also the state machine: what it proposes comes back through
// apply(), on every replica.
//
// What it guarantees, and how:
//   - A read sees every commit at or below its moment: it first waits for those on their way (led_shard.h).
//   - Nothing commits at or below a moment that was read: the oracle has seen that moment. After a change of
//     leaseholders without a handover, commits wait until the clock is past whatever the old one can have served.
//   - A commit holds its locks until it is applied: it names the lease's term they were taken under, and is refused
//     under another. Besides, every written key's newest version must be the one that the gateway saw.
//   - An answer never comes from a lost lease: the lease is checked when the moment of a read is settled, and a
//     proposal is appended only in the term that it was made for.
//
// Thread-safe. Requests resume on the executor given.

#include <atomic>
#include <map>
#include <memory>
#include <set>
#include <unordered_map>

#include "kv/cluster/in_flight.h"
#include "kv/cluster/led_shard.h"
#include "kv/cluster/lock_owners.h"
#include "kv/cluster/log_entry.h"
#include "kv/cluster/many_requests.h"
#include "kv/cluster/node_requests.h"
#include "kv/cluster/program_requests.h"
#include "kv/cluster/recent_outcomes.h"
#include "kv/cluster/requests.h"
#include "kv/record_cache.h"
#include "kv/replica/replica_host.h"
#include "kv/timestamp_oracle.h"
#include "runtime/clock.h"
#include "storage/engine.h"
#include "txn/point_access.h"
#include "txn/program.h"

namespace pando::kv {

struct LeaseholderOptions {
  // How far the clocks of any two nodes may be apart.
  std::chrono::nanoseconds clock_offset_max = std::chrono::milliseconds(100);
};

class Leaseholder final : public StateMachine {
 public:
  // All of it outlives the leaseholder.
  struct Parts {
    storage::Engine& engine;
    RecordCache& cache;
    TimestampOracle& oracle;
    runtime::Clock& clock;
    runtime::Timer& timer;
  };
  Leaseholder(LeaseholderOptions options, Parts parts, NodeId self);
  ~Leaseholder() override;

  // Before anything else; `host` outlives it.
  void attach(ReplicaHost& host) { host_ = &host; }
  // Learns from the engine how far this node's clock was. Before the host starts.
  Status open();

  // --- requests; `gateway` is the node they come from ---
  Task<AnswerTo<GetRequest>> get(GetRequest request, runtime::Executor& executor);
  Task<AnswerTo<GetManyRequest>> get_many(GetManyRequest request, runtime::Executor& executor);
  Task<AnswerTo<ScanRequest>> scan(ScanRequest request, runtime::Executor& executor);
  Task<AnswerTo<EvaluateRequest>> evaluate(EvaluateRequest request, runtime::Executor& executor);
  Task<AnswerTo<LockRequest>> lock(LockRequest request, NodeId gateway, runtime::Executor& executor);
  AnswerTo<LockManyRequest> lock_many(const LockManyRequest& request, NodeId gateway);
  Task<AnswerTo<CommitShardRequest>> commit(CommitShardRequest request, runtime::Executor& executor);
  Task<AnswerTo<PrepareRequest>> prepare(PrepareRequest request, runtime::Executor& executor);
  Task<AnswerTo<ResolveRequest>> resolve(ResolveRequest request, runtime::Executor& executor);
  Task<AnswerTo<OutcomeRequest>> outcome(OutcomeRequest request, runtime::Executor& executor);
  // Waits until nothing is prepared, and lets nothing be prepared meanwhile.
  Task<AnswerTo<SplitRequest>> split(SplitRequest request, runtime::Executor& executor);
  Task<AnswerTo<TransferRequest>> transfer(TransferRequest request, runtime::Executor& executor);
  // --- for ShardMerger and ShardSizer ---
  ReplicaHost& host() { return *host_; }
  bool leads(ShardId id);
  struct KnownLoad {
    // Requests per second.
    uint64_t rate = 0;
    // See ShardLoad.
    Bytes middle;
  };
  // Of a shard that this node leads.
  KnownLoad load(ShardId id);
  // Whether a transaction that began to lock here `age` ago or earlier has locks in the shard.
  bool has_lasting_locks(ShardId id, std::chrono::nanoseconds age);
  uint64_t generation(ShardId id);
  // Of a shard that this node leads, and that holds what comes just before the boundary.
  Answer<ShardDescriptor> before_boundary(ShardId left, ByteView boundary);
  // The shard that begins at the boundary, of which this node has a replica; the left one itself when there is no
  // boundary.
  Answer<ShardDescriptor> neighbours(ShardId left, ByteView boundary);
  // Waits until nothing is prepared on the right side, and lets nothing be prepared there before end_merge().
  Task<Status> prepare_merge(ShardId right, runtime::Executor& executor);
  void end_merge(ShardId right);
  // Whether something is prepared, as this replica has applied it: also what another leaseholder has let in.
  Result<bool> has_stored_promises(ShardId shard);
  AnswerTo<GuardLeaseRequest> lease_guards(const GuardLeaseRequest& request);
  Task<AnswerTo<DiscardRequest>> discard(DiscardRequest request, runtime::Executor& executor);
  // Commits to keys with this prefix are told with locks, see txn::Store::watch. Before anything else.
  void watch(Bytes prefix) { watched_prefix_ = std::move(prefix); }
  // Null: it runs no programs. Before anything else.
  void use_programs(txn::ProgramRunner* runner) { programs_ = runner; }
  txn::ProgramRunner* programs() const { return programs_; }
  storage::Engine& engine() { return parts_.engine; }
  // Keys whose exclusive locks need more than this, see guards.h. Before anything else.
  void guard(Bytes prefix) { guarded_prefix_ = std::move(prefix); }
  // The newest that this node's replicas have applied.
  HlcTimestamp watched_change() const { return {watched_change_.load(std::memory_order_acquire), 0}; }
  void release(const ReleaseRequest& request);
  // What can be had without waiting; in leaseholder_point.cc. A key that is led elsewhere, or that has to be waited
  // for: kMustWait, nullopt, and nothing was done. GetRequest: `point` gets its moment if it had none.
  struct QuickRead {
    TransactionId reader;
    bool latest = false;
    // What the engine would have to be asked for has to be waited for as well.
    bool from_memory = false;
  };
  Result<txn::ReadOutcome> try_get(ByteView key, QuickRead how, ReadPoint& point, Bytes& value);
  // LockRequest; sets its shard.
  struct QuickLock {
    NodeId gateway;
    bool from_memory = false;
  };
  Result<std::optional<LockReply>> try_lock(LockRequest& request, QuickLock how);
  void cancel(const CancelRequest& request) { owners_.cancel(request.transaction, request.reason); }
  void release_gateway(NodeId gateway) PANDO_EXCLUDES(guards_mutex_);

  // The shards that this node has replicas of, and who leads them.
  struct KnownShard {
    ShardDescriptor descriptor;
    NodeId leaseholder;
  };
  std::vector<KnownShard> shards();
  // What this node's replicas know of where a key lies; without the nodes that have replicas.
  RouteReply route(ByteView key, bool before);
  // A walk over all of the request's span, for a gateway on this node: at a settled moment the past does not change.
  struct OpenScan {
    HlcTimestamp at;
    std::unique_ptr<storage::VersionScan> scan;
    ReadPoint asked;
    txn::Span span;
    HlcTimestamp lease_start;
  };
  Task<Answer<OpenScan>> open_scan(ScanRequest request, runtime::Executor& executor);
  // What is uncertain in what was walked, once the walk has met something newer than its moment.
  Result<std::optional<HlcTimestamp>> find_uncertain(const OpenScan& open);

  // Promises, for each shard that this node leads, which moments are over (closed_moments.h).
  struct Closing {
    ClosedMoment moment;
    std::vector<NodeId> replicas;
  };
  std::vector<Closing> close_moments();
  // From now on nothing is read below `moment`: its versions become garbage.
  void forget_before(HlcTimestamp moment) { readable_from_.store(moment.wall_ns, std::memory_order_seq_cst); }
  // OK, or 72000: what was read at `at` may have been incomplete.
  Status check_readable(HlcTimestamp at) const;
  std::vector<WaitEdge> waits();
  // One line per locked key, for pando.locks and tests.
  std::vector<std::string> describe_locks() { return locks_.describe(); }
  InFlight in_flight();
  // Prepared transactions that are older than `age`.
  std::vector<AbandonedTransaction> prepared_before(std::chrono::nanoseconds age);

  // What became, before a moment, of transactions that took part here in commits over several shards: at most
  // `count_max`, of shards that this node leads.
  struct KnownOutcome {
    ShardId shard;
    OutcomeName name;
    std::vector<Participant> participants;
  };
  std::vector<KnownOutcome> outcomes_before(HlcTimestamp moment, std::size_t count_max);
  // REQUIRES: no participant is prepared, or can be.
  Task<void> forget_outcome(KnownOutcome outcome, runtime::Executor& executor);

  // --- StateMachine, called by the host; in state_machine.cc ---
  Status apply(std::span<const CommittedEntry> entries, const storage::WriteBatch& changes) override;
  void on_lease(ShardId shard, const LeaseEvent& event) override;
  void on_shard(const ShardEvent& event) override;
  Bytes handover(ShardId shard) override;

 private:
  // What a read found on its way to its moment.
  struct Settled {
    Verdict verdict = Verdict::kOk;
    NodeId hint;
    ReadPoint point;
    HlcTimestamp lease_start;
    // Of settle_many: how many of the keys the shard holds.
    std::size_t keys = 0;
  };
  class Application;

  LedShard& shard(ShardId id) PANDO_EXCLUDES(shards_mutex_);
  // The shard here that holds `key` unless it was split since, null for none.
  LedShard* find_shard(ByteView key) PANDO_EXCLUDES(shards_mutex_);
  // Whether this node may answer for the shard now.
  bool leads(const LedShard& led) const PANDO_REQUIRES(led.mutex);
  NodeId leader_hint(ShardId id) const;
  template <typename T>
  Answer<T> redirect(ShardId id) const {
    return Answer<T>::not_leaseholder(leader_hint(id));
  }
  template <typename T>
  Answer<T> refusal(const LedShard& led, const PendingWrite& write) const;
  Task<Settled> settle(LedShard& led, ReadPoint point, txn::Span part, TransactionId reader,
                       runtime::Executor& executor);
  // Of keys that the shard may hold the first of only.
  Task<Settled> settle_many(LedShard& led, ReadPoint point, const std::vector<Bytes>& keys, TransactionId reader,
                            runtime::Executor& executor);
  // One look at it: nothing when it must wait.
  std::optional<Settled> try_settle(const LedShard& led, const ReadPoint& point, const txn::Span& part,
                                    TransactionId reader) PANDO_REQUIRES(led.mutex);
  // Of a lock that was just granted: until no write of its key is on its way.
  Task<Settled> settle_lock(LedShard& led, Bytes key, TransactionId owner, runtime::Executor& executor);
  std::optional<Settled> try_settle_lock(const LedShard& led, ByteView key, TransactionId owner)
      PANDO_REQUIRES(led.mutex);
  // Chooses the moment of a read that has none; gives how late a prepared write matters to it.
  HlcTimestamp settle_moment(const LedShard& led, ReadPoint& point) PANDO_REQUIRES(led.mutex);
  Task<void> wait_for_change(LedShard& led, runtime::Executor& executor);
  bool is_uncertain(HlcTimestamp version, const ReadPoint& point, HlcTimestamp lease_start) const;
  // What of a settled scan's span is uncertain; nothing when its moment was chosen just now.
  Result<std::optional<HlcTimestamp>> find_uncertain(const ReadPoint& asked, const txn::Span& span,
                                                     HlcTimestamp lease_start);
  // The same once `walked` was walked; an error when what it shows may be gone.
  Result<std::optional<HlcTimestamp>> judge_walk(const ReadPoint& asked, const txn::Span& walked, bool met_newer,
                                                 const Settled& settled);
  std::unique_ptr<storage::VersionScan> scan_settled(const ScanRequest& request, const Settled& settled);
  // kOk or kUncertain, and the version that is so; a tombstone when there is none.
  Result<Verdict> read_settled(ByteView key, bool latest, const Settled& settled, CachedRecord& record);
  Result<bool> newest(ByteView key, CachedRecord& record);
  Result<bool> read(ByteView key, HlcTimestamp at, CachedRecord& record);

  // In leaseholder_guards.cc.
  void forget_lost_excluders() PANDO_REQUIRES(guards_mutex_);
  void list_guards(LockReply& reply, TransactionId transaction) PANDO_EXCLUDES(guards_mutex_);
  // What a lock's answer tells of its key.
  Status describe_locked(const LockRequest& request, LockReply& reply);
  Result<LockedVersion> describe_version(ByteView key);
  bool may_replace(const LedShard& led, const std::vector<Bytes>& keys, txn::LockOwner& passing)
      PANDO_REQUIRES(led.mutex);
  // Whether all that the transaction did, or is to do, on the shard is still there: a gateway may have missed a split.
  static bool holds(const LedShard& led, const CommitPart& part, const std::vector<Bytes>& keys)
      PANDO_REQUIRES(led.mutex);
  Status check_part(LedShard& led, const CommitPart& part, const std::vector<Bytes>& keys) PANDO_REQUIRES(led.mutex);
  Status check_reads(LedShard& led, const CommitPart& part) PANDO_REQUIRES(led.mutex);
  Task<void> wait_for_readers(LedShard& led, const PendingWrite& write, runtime::Executor& executor);
  Task<void> wait_until_commits_allowed(LedShard& led, runtime::Executor& executor);
  void sequence(LedShard& led, PendingWrite& write, Bytes payload) PANDO_REQUIRES(led.mutex);
  static void finish(LedShard& led, PendingWrite& write, ProposalOutcome outcome);
  // Not hurried: within kUnhurriedMax, unless something else is proposed before, or somebody waits.
  Task<bool> propose(LedShard& led, txn::Span part, Bytes payload, runtime::Executor& executor, bool hurried);
  bool is_awaited(LedShard& led, const PreparedName& name) PANDO_EXCLUDES(led.mutex);
  Result<Outcome> stored_promise(ShardId shard, ByteView key, TransactionId transaction);
  Result<std::optional<OutcomeRecord>> stored_outcome(ByteView key, TransactionId transaction);

  // --- in state_machine.cc ---
  void note_committed(ShardId id, TransactionId transaction, HlcTimestamp at, ByteView versions);
  void note_prepared(LedShard& led, const PrepareEntry& entry) PANDO_EXCLUDES(led.mutex);
  void add_prepared(LedShard& led, const PrepareEntry& entry) PANDO_REQUIRES(led.mutex);
  void note_resolved(LedShard& led, const PreparedName& name) PANDO_EXCLUDES(led.mutex);
  void forget_guards(LedShard& led) PANDO_EXCLUDES(led.mutex);
  Status load_prepared(LedShard& led) PANDO_REQUIRES(led.mutex);

  const LeaseholderOptions options_;
  const Parts parts_;
  const NodeId self_;
  ReplicaHost* host_ = nullptr;
  txn::ProgramRunner* programs_ = nullptr;
  Bytes watched_prefix_;
  Bytes guarded_prefix_;
  Mutex guards_mutex_;
  // Until when a node may share guarded keys by itself, on the monotonic clock.
  std::map<NodeId, uint64_t> guard_leases_ PANDO_GUARDED_BY(guards_mutex_);
  // Leases that an earlier leaseholder gave may last until then.
  uint64_t guards_unknown_until_ns_ PANDO_GUARDED_BY(guards_mutex_) = 0;
  // Transactions that have a guarded key exclusively.
  std::set<TransactionId> excluders_ PANDO_GUARDED_BY(guards_mutex_);
  std::atomic<uint64_t> watched_change_{0};
  std::atomic<uint64_t> readable_from_{0};
  // Whatever was acknowledged here, or by those who led before what is led here, is at or below. The actor writes it.
  std::atomic<uint64_t> applied_{0};
  txn::LockTable locks_;
  LockOwners owners_;
  RecentOutcomes recent_;
  Mutex shards_mutex_;
  std::unordered_map<ShardId, std::unique_ptr<LedShard>> shards_ PANDO_GUARDED_BY(shards_mutex_);
  // Those with data, by their start.
  std::map<Bytes, LedShard*, std::less<>> by_start_ PANDO_GUARDED_BY(shards_mutex_);
};

}  // namespace pando::kv
