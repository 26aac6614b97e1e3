#pragma once

// ClusterStore: txn::Store over the shards of a cluster. Any node is a gateway: it keeps a transaction's writes and
// sends its reads, locks and commits to the leaseholders, which may be this node itself.
//
//   ClusterStore store(options, {leaseholder, peers, oracle, clock, timer, background}, self, nodes);
//   ...the transport starts...
//   auto transaction = store.begin({.executor = &worker});
//
// Commits: on one shard in one consensus round. On several: all shards prepare in parallel; once all have, the
// transaction is committed at the latest of their moments, and the client is answered; making it so on each shard
// follows in the background. Whoever meets a prepared transaction of a gateway that is gone asks all its participants,
// and finds the same outcome (parallel commits: research of CockroachDB, 2019; docs/decisions/034).
//
// Thread-safe. Transactions and what they wait for end before the store does.

#include <atomic>
#include <chrono>

#include "kv/cluster/channels.h"
#include "kv/cluster/closed_moments.h"
#include "kv/cluster/deadlocks.h"
#include "kv/cluster/guards.h"
#include "kv/cluster/leaseholder.h"
#include "kv/cluster/long_commits.h"
#include "kv/cluster/outcome_collector.h"
#include "kv/cluster/peers.h"
#include "kv/cluster/router.h"
#include "kv/cluster/shard_merger.h"
#include "txn/program.h"

namespace pando::kv {

struct ClusterStoreOptions {
  // In the gateway's memory, with its locks.
  std::size_t transaction_bytes_max = 1_GiB;
  // A commit of more goes to a shard in parts of about this, each a participant: one takes a replica's attention for
  // some ten milliseconds.
  std::size_t part_bytes_max = 4_MiB;
  std::chrono::nanoseconds clock_offset_max = std::chrono::milliseconds(100);
  // How long a statement waits for a shard that nobody leads.
  std::chrono::milliseconds unavailable_after{10'000};
  // A prepared transaction that is older is looked after by the leaseholder.
  std::chrono::milliseconds recover_after{2'000};
  // Longer than any message can be under way.
  std::chrono::milliseconds keep_outcomes{600'000};
};

// What became of a transaction, to be told its participants.
struct Resolution {
  TransactionId transaction;
  std::vector<Participant> participants;
  bool committed = false;
  HlcTimestamp at;
  // Where it holds locks, one for each participant, or none: whoever led the shards then may lead them no more.
  std::vector<NodeId> holders;
  // Of one that commits in many parts.
  std::shared_ptr<const LongCommits::Ticket> ticket;
  // The next participant to be told.
  std::atomic<std::size_t> next{0};
};

class ClusterStore final : public txn::Store, public txn::ProgramStore {
 public:
  // All of it outlives the store.
  struct Parts {
    Leaseholder& leaseholder;
    Peers& peers;
    TimestampOracle& oracle;
    runtime::Clock& clock;
    runtime::Timer& timer;
    // For what nobody waits for.
    runtime::Executor& background;
    // Where commits for other nodes go on when they are decided: where that is found out.
    runtime::Executor& deciding;
  };
  ClusterStore(ClusterStoreOptions options, Parts parts, NodeId self, ClusterRouter::Nodes nodes);
  // REQUIRES: stop() has returned, or abandon() was called.
  ~ClusterStore() override;

  std::unique_ptr<txn::Transaction> begin(txn::TransactionOptions options) override;
  void discard(txn::Span span) override;
  // Of this node's replicas.
  Status collect_garbage(txn::Span span) override {
    return parts_.leaseholder.engine().collect_garbage({span.start, span.end});
  }
  uint64_t approximate_bytes(txn::Span span) override {
    return parts_.leaseholder.engine().approximate_bytes({span.start, span.end}).value_or(0);
  }
  void use_programs(txn::ProgramRunner* runner) override { parts_.leaseholder.use_programs(runner); }
  bool runs_programs() const override { return parts_.leaseholder.programs() != nullptr; }
  void watch(Bytes prefix) override;
  void guard(Bytes prefix) override;
  HlcTimestamp watched_change() const override {
    return std::max(parts_.leaseholder.watched_change(), HlcTimestamp{told_change_.load(std::memory_order_acquire), 0});
  }
  // What to do when another node has changed something watched: its commit is answered when all nodes that are
  // connected have done it. Before the transport starts.
  using WatchedHook = std::function<Task<Status>(runtime::Executor& executor)>;
  void on_watched_change(WatchedHook hook) { watched_hook_ = std::move(hook); }

  Channels& channels() { return channels_; }

  // Looks after abandoned transactions, until stop().
  void start();
  // Tasks that nobody waits for.
  std::size_t background_count() const { return in_background_.load(std::memory_order_relaxed); }
  // As a crash: nothing ends any more, and nothing needs to.
  void abandon() { abandoned_ = true; }
  // Waits for what runs in the background.
  Task<void> stop(runtime::Executor& executor);

  // --- for its transactions ---

  const ClusterStoreOptions& options() const { return options_; }
  const Parts& parts() const { return parts_; }
  NodeId self() const { return self_; }
  std::vector<NodeId> nodes() const { return nodes_(); }
  ClusterRouter& router() { return router_; }

  struct SendContext {
    runtime::Executor* executor = nullptr;
    runtime::Cancellation* cancellation = nullptr;
    // For routing: the shard that holds what comes just before the key.
    bool before = false;
    // Whether it may be sent again when no answer came.
    bool repeatable = true;
    // The only shard that it may go to, which was the key's when it was made; none: whichever is.
    ShardId shard;
    // Receives the node that answers, before it is asked.
    std::atomic<NodeId::Number>* asked = nullptr;
    // Gets an entry for every node that is asked: one that does not answer may hold a lock all the same.
    std::map<NodeId, uint64_t>* marks = nullptr;
  };
  // Sends to the leaseholder of `key` until one answers with something else than "ask another". What comes back is kOk,
  // kError, kUncertain, and anything when it is not repeatable. `node` is the one that answered, for `shard`.
  template <typename Request>
  Task<AnswerTo<Request>> send(Bytes key, Request request, SendContext context, NodeId* node, ShardId* shard = nullptr);
  // Asks the leaseholder that `route` names, once.
  template <typename Request>
  Task<AnswerTo<Request>> ask(RouteReply route, Request request, runtime::Executor& executor);
  // The shard of a key, waiting until somebody knows. Errors: 57P03, the cancellation's.
  Task<Result<RouteReply>> locate(Bytes key, SendContext context);
  // Errors: 57P03 after so many retries that nobody can be expected to answer, the cancellation's.
  Task<Status> pause_before_retry(SendContext context, int retries);
  // To one node, without an answer.
  void tell(NodeId node, const ReleaseRequest& request);
  void tell(NodeId node, const CancelRequest& request);
  void tell(NodeId node, const AdmitRequest& request);
  Guards& guards() { return guards_; }
  TransactionId next_transaction();
  static NodeId gateway_of(TransactionId transaction);
  // Where a transaction has guarded keys exclusively, and how often the connection there had broken when it got the
  // first. Nothing: that node could not be reached and may share no more, for its lease has run out.
  using Exclusions = std::map<NodeId, std::optional<uint64_t>>;
  // Keeps a guarded key, which the transaction has exclusively at its leaseholder, from being shared on any node.
  Task<Status> exclude(TransactionId transaction, Bytes key, const LockReply& reply, txn::LockWait how,
                       Exclusions* excluded);
  // Whether the nodes still keep the keys from being shared: one whose connection broke may have given up.
  bool still_excluded(const Exclusions& excluded);
  // Finds out whether a commit that got no answer has happened. OK: it has. 40001: not, and it never will. 40003:
  // nobody can tell.
  Task<Status> find_outcome(Bytes key, TransactionId transaction, HlcTimestamp since, runtime::Executor& executor);
  // When a transaction is committed whose latest participant prepared then. Its logical part tells such commits from
  // those on one shard.
  static HlcTimestamp commit_moment(HlcTimestamp latest_prepared);
  // A leaseholder has told of a change to a watched key.
  void note_watched(HlcTimestamp at);
  // The same, and does what is to be done when that is news.
  Task<Status> take_note(HlcTimestamp at, runtime::Executor& executor);
  const Bytes& watched_prefix() const { return watched_prefix_; }
  // Tells all nodes, and waits until they have taken note.
  Task<void> announce_change(HlcTimestamp at, runtime::Executor& executor);
  // A view of the replica here of the shard of a key, of which this node is not the leaseholder. Null: there is none,
  // or nobody has told up to when it is complete.
  Result<std::shared_ptr<const PastView>> open_past(ByteView key, bool before);
  // See ClosedMoments.
  HlcTimestamp common_past(HlcTimestamp oldest) { return closed_.common(oldest); }
  // How often open_past() gave a view.
  uint64_t past_views() const { return past_views_.load(std::memory_order_relaxed); }
  // All shards of the cluster in the order of their keys, as far as nodes that can be reached know, each in its newest
  // generation. Asks all of them.
  Task<std::vector<Leaseholder::KnownShard>> all_shards(runtime::Executor& executor);
  // The same without asking: what this node has replicas of as of now, other shards as of some seconds ago.
  std::vector<Leaseholder::KnownShard> known_shards() PANDO_EXCLUDES(mutex_);
  // Requests per second to a shard that this node has a replica of, as far as known.
  uint64_t request_rate(ShardId shard);
  // Whether a move of the shard's lease would cost a transaction locks that it has had for a while.
  bool has_lasting_locks(ShardId shard);
  bool stopping() const { return stopping_.load(); }
  // Runs what nobody waits for; stop() does.
  void spawn_background(Task<void> task) { spawn_background(std::move(task), parts_.background); }
  void spawn_background(Task<void> task, runtime::Executor& executor);
  // Makes the outcome of a transaction known to its participants, in the background, and frees its locks there.
  void resolve_later(std::shared_ptr<Resolution> resolution);
  LongCommits& long_commits() { return long_commits_; }

 private:
  template <typename Request>
  Task<AnswerTo<Request>> dispatch(NodeId node, Request request, runtime::Executor& executor);
  // Corrects what is remembered of a shard. False: another node is to be asked.
  template <typename Reply>
  bool note_answer(ShardId shard, const Answer<Reply>& answer);
  Task<Bytes> serve(NodeId from, Method method, Bytes body, Peers::Line& line);
  Task<Bytes> serve_get(NodeId from, Bytes body, Peers::Line& line);
  Task<Bytes> serve_lock(NodeId from, Bytes body, Peers::Line& line);
  Task<Bytes> serve_commit(NodeId from, Bytes body, Peers::Line& line);
  Task<Bytes> serve_in_order(NodeId from, Method method, Bytes body, Peers::Line& line);
  Task<Bytes> dispatch_served(NodeId from, Method method, Bytes body, runtime::Executor& executor);
  Task<Bytes> serve_merging(Method method, Bytes body, runtime::Executor& executor);
  Task<Bytes> serve_simple(Method method, Bytes body);
  Task<Bytes> serve_notify(NodeId from, Bytes body);
  Task<Bytes> serve_notice(Bytes body, runtime::Executor& executor);
  Task<void> resolve(std::shared_ptr<Resolution> resolution);
  Task<void> keep_resolving(std::shared_ptr<Resolution> resolution, std::size_t participant);
  // Whether the participant's leaseholder has done it.
  Task<bool> resolve_one(const Resolution& resolution, std::size_t participant);
  Task<void> discard_span(txn::Span span);
  Task<bool> is_committing(TransactionId transaction);
  Task<void> recover(AbandonedTransaction abandoned);
  Task<void> break_deadlocks();
  Task<void> renew_guard_lease();
  std::vector<WaitEdge> local_waits();
  Task<Bytes> serve_exclude(NodeId from, Bytes body, runtime::Executor& executor);
  void tell_closed_moments();
  void collect_orphans();
  Task<void> list_shards();
  Task<void> collect_outcomes();
  Task<void> remove_if_orphan(ShardDescriptor here);
  void schedule_recovery() PANDO_EXCLUDES(mutex_);
  Task<void> run_background(Task<void> task);

  const ClusterStoreOptions options_;
  const Parts parts_;
  const NodeId self_;
  ClusterRouter router_;
  const ClusterRouter::Nodes nodes_;
  Guards guards_;
  // Of the timer's callback.
  uint64_t rounds_ = 0;
  ClosedMoments closed_;
  LongCommits long_commits_;
  ShardMerger merger_;
  OutcomeCollector outcomes_;
  Channels channels_;
  std::atomic<bool> collecting_outcomes_{false};
  std::atomic<uint64_t> past_views_{0};
  Bytes watched_prefix_;
  WatchedHook watched_hook_;
  std::atomic<uint64_t> told_change_{0};
  // Up to which the hook has run.
  std::atomic<uint64_t> noted_change_{0};
  std::atomic<uint64_t> last_transaction_;
  std::atomic<bool> stopping_{false};
  std::atomic<std::size_t> in_background_{0};
  bool abandoned_ = false;
  // Of the background executor.
  DeadlockDetector deadlocks_;
  std::atomic<bool> breaking_deadlocks_{false};
  std::atomic<bool> renewing_guards_{false};
  Mutex mutex_;
  runtime::TimerId recovery_timer_ PANDO_GUARDED_BY(mutex_) = 0;
  std::vector<Leaseholder::KnownShard> others_shards_ PANDO_GUARDED_BY(mutex_);
  std::atomic<bool> listing_shards_{false};
};

}  // namespace pando::kv
