#include "kv/cluster/cluster_store.h"

#include <algorithm>

#include "kv/cluster/cluster_transaction.h"
#include "runtime/sleep.h"
#include "txn/conflict_errors.h"

namespace pando::kv {
namespace {

constexpr std::chrono::milliseconds kRetryDelay{5};
constexpr std::chrono::milliseconds kRoundInterval{500};
// How often old outcomes are looked for.
constexpr uint64_t kOutcomeRounds = 40;
// How often the shards of other nodes are listed.
constexpr uint64_t kListRounds = 10;
// A transaction's id: its gateway in the upper bits, below them a number that starts with the clock's microseconds.
constexpr int kTransactionNumberBits = 48;
constexpr uint64_t kTransactionNumberMask = (uint64_t{1} << kTransactionNumberBits) - 1;
constexpr uint64_t kNsPerUs = 1000;

uint64_t to_ns(std::chrono::nanoseconds duration) { return static_cast<uint64_t>(duration.count()); }

Status unavailable() {
  return Status(sql_state::kCannotConnectNow, "no node leads the part of the database that the statement needs")
      .with_hint("A majority of its replicas must be running and reach each other.");
}

void raise_to(std::atomic<uint64_t>& value, uint64_t floor) {
  uint64_t known = value.load(std::memory_order_relaxed);
  while (known < floor && !value.compare_exchange_weak(known, floor, std::memory_order_acq_rel)) {
  }
}

template <typename Request>
Bytes encoded(const Request& answer) {
  Bytes bytes;
  encode(answer, bytes);
  return bytes;
}

}  // namespace

ClusterStore::ClusterStore(ClusterStoreOptions options, Parts parts, NodeId self, ClusterRouter::Nodes nodes)
    : options_(options),
      parts_(parts),
      self_(self),
      router_(parts.leaseholder, parts.peers, nodes),
      nodes_(std::move(nodes)),
      guards_(parts.clock, parts.timer),
      merger_(*this),
      outcomes_(*this),
      channels_(*this),
      last_transaction_((parts.clock.wall_ns() / kNsPerUs) & kTransactionNumberMask) {
  parts_.peers.serve([this](NodeId from, Method method, Bytes body, Peers::Line& line) {
    return serve(from, method, std::move(body), line);
  });
}

ClusterStore::~ClusterStore() {
  PANDO_ASSERT(abandoned_ || in_background_.load() == 0, "a store is stopped before it is destroyed");
}

std::unique_ptr<txn::Transaction> ClusterStore::begin(txn::TransactionOptions options) {
  PANDO_ASSERT(options.executor != nullptr, "a transaction needs an executor to continue on after a wait");
  return std::make_unique<ClusterTransaction>(*this, options, next_transaction());
}

TransactionId ClusterStore::next_transaction() {
  const uint64_t number = last_transaction_.fetch_add(1, std::memory_order_relaxed) + 1;
  return TransactionId((uint64_t{self_.number()} << kTransactionNumberBits) | (number & kTransactionNumberMask));
}

NodeId ClusterStore::gateway_of(TransactionId transaction) {
  return NodeId(static_cast<NodeId::Number>(transaction.number() >> kTransactionNumberBits));
}

// --- sending ---

namespace {

Task<AnswerTo<GetRequest>> handle(Leaseholder& local, NodeId, GetRequest request, runtime::Executor& executor) {
  return local.get(std::move(request), executor);
}
Task<AnswerTo<GetManyRequest>> handle(Leaseholder& local, NodeId, GetManyRequest request, runtime::Executor& executor) {
  return local.get_many(std::move(request), executor);
}
Task<AnswerTo<ScanRequest>> handle(Leaseholder& local, NodeId, ScanRequest request, runtime::Executor& executor) {
  return local.scan(std::move(request), executor);
}
Task<AnswerTo<EvaluateRequest>> handle(Leaseholder& local, NodeId, EvaluateRequest request,
                                       runtime::Executor& executor) {
  return local.evaluate(std::move(request), executor);
}
Task<AnswerTo<LockRequest>> handle(Leaseholder& local, NodeId gateway, LockRequest request,
                                   runtime::Executor& executor) {
  return local.lock(std::move(request), gateway, executor);
}
Task<AnswerTo<LockManyRequest>> handle(Leaseholder& local, NodeId gateway, LockManyRequest request,
                                       runtime::Executor&) {
  co_return local.lock_many(request, gateway);
}
Task<AnswerTo<CommitShardRequest>> handle(Leaseholder& local, NodeId, CommitShardRequest request,
                                          runtime::Executor& executor) {
  return local.commit(std::move(request), executor);
}
Task<AnswerTo<PrepareRequest>> handle(Leaseholder& local, NodeId, PrepareRequest request, runtime::Executor& executor) {
  return local.prepare(std::move(request), executor);
}
Task<AnswerTo<ResolveRequest>> handle(Leaseholder& local, NodeId, ResolveRequest request, runtime::Executor& executor) {
  return local.resolve(request, executor);
}
Task<AnswerTo<OutcomeRequest>> handle(Leaseholder& local, NodeId, OutcomeRequest request, runtime::Executor& executor) {
  return local.outcome(request, executor);
}
Task<AnswerTo<DiscardRequest>> handle(Leaseholder& local, NodeId, DiscardRequest request, runtime::Executor& executor) {
  return local.discard(std::move(request), executor);
}

Task<AnswerTo<SplitRequest>> handle(Leaseholder& local, NodeId, SplitRequest request, runtime::Executor& executor) {
  return local.split(std::move(request), executor);
}
Task<AnswerTo<TransferRequest>> handle(Leaseholder& local, NodeId, TransferRequest request,
                                       runtime::Executor& executor) {
  return local.transfer(request, executor);
}
Task<AnswerTo<GuardLeaseRequest>> handle(Leaseholder& local, NodeId, GuardLeaseRequest request, runtime::Executor&) {
  co_return local.lease_guards(request);
}

template <typename Request>
Bytes malformed(NodeId from) {
  return encoded(AnswerTo<Request>::error(
      Status(sql_state::kProtocolViolation, "a request of node {} is malformed", from.number())));
}

template <typename Request>
Task<Bytes> answer_with(Leaseholder& local, NodeId from, Bytes body, runtime::Executor& executor) {
  Request request;
  if (!decode(body, request)) {
    co_return malformed<Request>(from);
  }
  co_return encoded(co_await handle(local, from, std::move(request), executor));
}

}  // namespace

template <typename Request>
Task<AnswerTo<Request>> ClusterStore::dispatch(NodeId node, Request request, runtime::Executor& executor) {
  // Programs over this node's shards run on its workers as those of other gateways do, several at a time.
  if (node != self_ || std::is_same_v<Request, EvaluateRequest>) {
    return parts_.peers.call(node, std::move(request), executor);
  }
  if constexpr (std::is_same_v<Request, MergeRequest>) {
    return merger_.merge(std::move(request), executor);
  } else if constexpr (std::is_same_v<Request, AbandonMergeRequest>) {
    return merger_.abandon(std::move(request), executor);
  } else {
    return handle(parts_.leaseholder, self_, std::move(request), executor);
  }
}

Task<Result<RouteReply>> ClusterStore::locate(Bytes key, SendContext context) {
  const uint64_t deadline_ns = parts_.clock.monotonic_ns() + to_ns(options_.unavailable_after);
  while (true) {
    RouteReply route = co_await router_.find(key, context.before, *context.executor);
    if (route.known) {
      co_return route;
    }
    if (parts_.clock.monotonic_ns() >= deadline_ns) {
      co_return unavailable();
    }
    PANDO_CO_TRY(co_await runtime::sleep(parts_.timer, *context.executor, kRetryDelay, context.cancellation));
  }
}

template <typename Request>
Task<AnswerTo<Request>> ClusterStore::send(Bytes key, Request request, SendContext context, NodeId* node,
                                           ShardId* shard) {
  using Reply = AnswerTo<Request>;
  const uint64_t deadline_ns = parts_.clock.monotonic_ns() + to_ns(options_.unavailable_after);
  for (int attempt = 0;; ++attempt) {
    if (attempt > 0) {
      if (parts_.clock.monotonic_ns() >= deadline_ns) {
        co_return Reply::error(unavailable());
      }
      Status slept = co_await runtime::sleep(parts_.timer, *context.executor, kRetryDelay, context.cancellation);
      if (!slept.ok()) {
        co_return Reply::error(std::move(slept));
      }
    }
    const RouteReply route = co_await router_.find(key, context.before, *context.executor);
    if (!route.known || route.leaseholder.number() == 0) {
      router_.forget(route.shard);
      continue;
    }
    if (context.shard != ShardId() && route.shard != context.shard) {
      co_return Reply::not_leaseholder(NodeId());
    }
    *node = route.leaseholder;
    if (context.asked != nullptr) {
      context.asked->store(node->number());
    }
    if (context.marks != nullptr) {
      context.marks->try_emplace(*node, 0);
    }
    if (shard != nullptr) {
      *shard = route.shard;
    }
    set_shard(request, route.shard);
    Reply answer = co_await dispatch(*node, request, *context.executor);
    if (note_answer(route.shard, answer) || !context.repeatable) {
      co_return answer;
    }
  }
}

template <typename Reply>
bool ClusterStore::note_answer(ShardId shard, const Answer<Reply>& answer) {
  if (answer.verdict != Verdict::kNotLeaseholder && answer.verdict != Verdict::kUnreachable) {
    return true;
  }
  if (answer.verdict == Verdict::kNotLeaseholder && answer.hint.number() != 0) {
    router_.learn_leaseholder(shard, answer.hint);
  } else {
    router_.forget(shard);
  }
  return false;
}

template <typename Request>
Task<AnswerTo<Request>> ClusterStore::ask(RouteReply route, Request request, runtime::Executor& executor) {
  set_shard(request, route.shard);
  auto answer = co_await dispatch(route.leaseholder, std::move(request), executor);
  note_answer(route.shard, answer);
  co_return answer;
}

template Task<AnswerTo<ResolveRequest>> ClusterStore::dispatch(NodeId, ResolveRequest, runtime::Executor&);
template Task<AnswerTo<GetRequest>> ClusterStore::send(Bytes, GetRequest, SendContext, NodeId*, ShardId*);
template Task<AnswerTo<GetManyRequest>> ClusterStore::send(Bytes, GetManyRequest, SendContext, NodeId*, ShardId*);
template Task<AnswerTo<ScanRequest>> ClusterStore::send(Bytes, ScanRequest, SendContext, NodeId*, ShardId*);
template Task<AnswerTo<LockRequest>> ClusterStore::send(Bytes, LockRequest, SendContext, NodeId*, ShardId*);
template Task<AnswerTo<CommitShardRequest>> ClusterStore::send(Bytes, CommitShardRequest, SendContext, NodeId*,
                                                               ShardId*);
template Task<AnswerTo<PrepareRequest>> ClusterStore::send(Bytes, PrepareRequest, SendContext, NodeId*, ShardId*);
template Task<AnswerTo<SplitRequest>> ClusterStore::send(Bytes, SplitRequest, SendContext, NodeId*, ShardId*);
template Task<AnswerTo<MergeRequest>> ClusterStore::send(Bytes, MergeRequest, SendContext, NodeId*, ShardId*);
template Task<AnswerTo<AbandonMergeRequest>> ClusterStore::send(Bytes, AbandonMergeRequest, SendContext, NodeId*,
                                                                ShardId*);
template Task<AnswerTo<TransferRequest>> ClusterStore::send(Bytes, TransferRequest, SendContext, NodeId*, ShardId*);
template Task<AnswerTo<GuardLeaseRequest>> ClusterStore::send(Bytes, GuardLeaseRequest, SendContext, NodeId*, ShardId*);
template Task<AnswerTo<OutcomeRequest>> ClusterStore::send(Bytes, OutcomeRequest, SendContext, NodeId*, ShardId*);
template Task<AnswerTo<ScanRequest>> ClusterStore::ask(RouteReply, ScanRequest, runtime::Executor&);
template Task<AnswerTo<LockManyRequest>> ClusterStore::ask(RouteReply, LockManyRequest, runtime::Executor&);
template Task<AnswerTo<EvaluateRequest>> ClusterStore::ask(RouteReply, EvaluateRequest, runtime::Executor&);

Task<Status> ClusterStore::pause_before_retry(SendContext context, int retries) {
  if (retries * kRetryDelay > options_.unavailable_after) {
    co_return unavailable();
  }
  co_return co_await runtime::sleep(parts_.timer, *context.executor, kRetryDelay, context.cancellation);
}

void ClusterStore::tell(NodeId node, const ReleaseRequest& request) {
  if (node == self_) {
    parts_.leaseholder.release(request);
  } else {
    parts_.peers.tell(node, request);
  }
}

void ClusterStore::tell(NodeId node, const AdmitRequest& request) {
  if (node == self_) {
    guards_.release(request.transaction);
  } else {
    parts_.peers.tell(node, request);
  }
}

void ClusterStore::tell(NodeId node, const CancelRequest& request) {
  if (node == self_) {
    parts_.leaseholder.cancel(request);
  } else {
    parts_.peers.tell(node, request);
  }
}

// --- answering ---

Task<Bytes> ClusterStore::serve(NodeId from, Method method, Bytes body, Peers::Line& line) {
  switch (method) {
    case Method::kGet:
      return serve_get(from, std::move(body), line);
    case Method::kCommit:
      return serve_commit(from, std::move(body), line);
    case Method::kLock:
      return serve_lock(from, std::move(body), line);
    case Method::kNotify:
      return serve_notify(from, std::move(body));
    case Method::kRelease:
      return line.is_clear() ? serve_simple(method, std::move(body))
                             : serve_in_order(from, method, std::move(body), line);
    default:
      return serve_in_order(from, method, std::move(body), line);
  }
}

// On the spot when memory has the answer.
Task<Bytes> ClusterStore::serve_get(NodeId from, Bytes body, Peers::Line& line) {
  GetRequest request;
  if (!decode(body, request)) {
    co_return malformed<GetRequest>(from);
  }
  AnswerTo<GetRequest> answer;
  ReadPoint point = request.point;
  Bytes value;
  const auto outcome =
      parts_.leaseholder.try_get(request.key, {request.transaction, request.latest, true}, point, value);
  if (!outcome.ok() || *outcome == txn::ReadOutcome::kMustWait) {
    co_await line.enter();
    co_return encoded(co_await parts_.leaseholder.get(std::move(request), line.executor));
  }
  answer.reply.at = point.at;
  if (*outcome == txn::ReadOutcome::kFound) {
    answer.reply.value = std::move(value);
  }
  co_return encoded(answer);
}

// On the spot when nobody has the key locked and memory has its value.
Task<Bytes> ClusterStore::serve_lock(NodeId from, Bytes body, Peers::Line& line) {
  LockRequest request;
  if (line.is_clear() && decode(body, request)) {
    auto locked = parts_.leaseholder.try_lock(request, {.gateway = from, .from_memory = true});
    if (locked.ok() && locked->has_value()) {
      AnswerTo<LockRequest> answer;
      answer.reply = **std::move(locked);
      co_return encoded(answer);
    }
  }
  co_return co_await serve_in_order(from, Method::kLock, std::move(body), line);
}

// A commit is answered where it is decided, together with others.
Task<Bytes> ClusterStore::serve_commit(NodeId from, Bytes body, Peers::Line& line) {
  CommitShardRequest request;
  if (!decode(body, request)) {
    co_return malformed<CommitShardRequest>(from);
  }
  if (!request.part.reads.empty()) {
    co_await line.enter();
  }
  co_return encoded(co_await parts_.leaseholder.commit(std::move(request), parts_.deciding));
}

Task<Bytes> ClusterStore::serve_in_order(NodeId from, Method method, Bytes body, Peers::Line& line) {
  co_await line.enter();
  co_return co_await dispatch_served(from, method, std::move(body), line.executor);
}

Task<Bytes> ClusterStore::dispatch_served(NodeId from, Method method, Bytes body, runtime::Executor& executor) {
  Leaseholder& local = parts_.leaseholder;
  switch (method) {
    case Method::kGetMany:
      return answer_with<GetManyRequest>(local, from, std::move(body), executor);
    case Method::kScan:
      return answer_with<ScanRequest>(local, from, std::move(body), executor);
    case Method::kEvaluate:
      return answer_with<EvaluateRequest>(local, from, std::move(body), executor);
    case Method::kLock:
      return answer_with<LockRequest>(local, from, std::move(body), executor);
    case Method::kLockMany:
      return answer_with<LockManyRequest>(local, from, std::move(body), executor);
    case Method::kPrepare:
      return answer_with<PrepareRequest>(local, from, std::move(body), executor);
    case Method::kResolve:
      return answer_with<ResolveRequest>(local, from, std::move(body), executor);
    case Method::kOutcome:
      return answer_with<OutcomeRequest>(local, from, std::move(body), executor);
    case Method::kDiscard:
      return answer_with<DiscardRequest>(local, from, std::move(body), executor);
    case Method::kSplit:
      return answer_with<SplitRequest>(local, from, std::move(body), executor);
    case Method::kTransferLease:
      return answer_with<TransferRequest>(local, from, std::move(body), executor);
    case Method::kMerge:
    case Method::kAwaitMerging:
    case Method::kAbandonMerge:
      return serve_merging(method, std::move(body), executor);
    case Method::kExclude:
      return serve_exclude(from, std::move(body), executor);
    case Method::kNotice:
      return serve_notice(std::move(body), executor);
    default:
      return serve_simple(method, std::move(body));
  }
}

Task<Bytes> ClusterStore::serve_merging(Method method, Bytes body, runtime::Executor& executor) {
  if (method == Method::kMerge) {
    if (MergeRequest request; decode(body, request)) {
      co_return encoded(co_await merger_.merge(std::move(request), executor));
    }
  } else if (method == Method::kAwaitMerging) {
    if (AwaitMergingRequest request; decode(body, request)) {
      co_return encoded(co_await merger_.await_merging(request, executor));
    }
  } else if (AbandonMergeRequest request; decode(body, request)) {
    co_return encoded(co_await merger_.abandon(std::move(request), executor));
  }
  co_return Bytes();
}

// What is answered without waiting.
Task<Bytes> ClusterStore::serve_simple(Method method, Bytes body) {
  if (method == Method::kRelease) {
    if (ReleaseRequest request; decode(body, request)) {
      parts_.leaseholder.release(request);
    }
  } else if (method == Method::kCancel) {
    if (CancelRequest request; decode(body, request)) {
      parts_.leaseholder.cancel(request);
      guards_.cancel(request.transaction, request.reason);
    }
  } else if (method == Method::kAdmit) {
    if (AdmitRequest request; decode(body, request)) {
      guards_.release(request.transaction);
    }
  } else if (method == Method::kClose) {
    if (CloseRequest request; decode(body, request)) {
      closed_.note(request.shards);
    }
  } else if (method == Method::kGuardLease) {
    if (GuardLeaseRequest request; decode(body, request)) {
      co_return encoded(parts_.leaseholder.lease_guards(request));
    }
  } else if (method == Method::kShards) {
    AnswerTo<ShardsRequest> answer;
    for (const auto& shard : parts_.leaseholder.shards()) {
      answer.reply.shards.push_back(
          {.descriptor = encode_descriptor(shard.descriptor), .leaseholder = shard.leaseholder});
    }
    co_return encoded(answer);
  } else if (method == Method::kWaits) {
    AnswerTo<WaitsRequest> answer;
    answer.reply.edges = local_waits();
    co_return encoded(answer);
  } else if (method == Method::kCommitting) {
    if (CommittingRequest request; decode(body, request)) {
      AnswerTo<CommittingRequest> answer;
      answer.reply.committing = long_commits_.has(request.transaction);
      co_return encoded(answer);
    }
  } else if (method == Method::kRoute) {
    if (RouteRequest request; decode(body, request)) {
      AnswerTo<RouteRequest> answer;
      answer.reply = parts_.leaseholder.route(request.key, request.before);
      co_return encoded(answer);
    }
  }
  co_return Bytes();
}

// --- watched keys ---

void ClusterStore::watch(Bytes prefix) {
  watched_prefix_ = prefix;
  parts_.leaseholder.watch(std::move(prefix));
}

// --- guards ---

void ClusterStore::guard(Bytes prefix) {
  guards_.set_prefix(prefix);
  parts_.leaseholder.guard(std::move(prefix));
}

Task<void> ClusterStore::renew_guard_lease() {
  const uint64_t asked_ns = parts_.clock.monotonic_ns();
  auto context = SendContext{.executor = &parts_.background, .repeatable = false};
  NodeId node;
  const auto answer = co_await send(guards_.prefix(), GuardLeaseRequest{.node = self_}, context, &node);
  if (answer.ok()) {
    note_watched(answer.reply.watched);
    if (answer.reply.granted) {
      guards_.extend(asked_ns + to_ns(kGuardLease));
    }
    // Of which the notice may have been lost.
    (co_await take_note(answer.reply.watched, parts_.background)).ignore("it is tried again with the next lease");
  }
  renewing_guards_.store(false);
}

Task<Status> ClusterStore::exclude(TransactionId transaction, Bytes key, const LockReply& reply, txn::LockWait how,
                                   Exclusions* excluded) {
  if (reply.guards_unknown_ms > 0) {
    PANDO_CO_TRY(co_await runtime::sleep(parts_.timer, *how.executor,
                                         std::chrono::milliseconds(reply.guards_unknown_ms), how.cancellation));
  }
  for (const GuardHolder& holder : reply.guards) {
    excluded->try_emplace(holder.node, parts_.peers.breaks(holder.node));
    if (holder.node == self_) {
      PANDO_CO_TRY(co_await guards_.exclude(transaction, self_, key, how));
      continue;
    }
    const auto answer =
        co_await parts_.peers.call(holder.node,
                                   ExcludeRequest{.transaction = transaction,
                                                  .key = key,
                                                  .wait = how.policy,
                                                  .timeout_ms = static_cast<uint64_t>(how.timeout.count())},
                                   *how.executor);
    if (answer.verdict == Verdict::kError) {
      co_return answer.status;
    }
    if (!answer.ok()) {
      PANDO_CO_TRY(co_await runtime::sleep(parts_.timer, *how.executor, std::chrono::milliseconds(holder.remaining_ms),
                                           how.cancellation));
      excluded->at(holder.node).reset();
    }
  }
  co_return Status();
}

bool ClusterStore::still_excluded(const Exclusions& excluded) {
  return std::ranges::all_of(excluded, [this](const auto& each) {
    return !each.second.has_value() || *each.second == parts_.peers.breaks(each.first);
  });
}

Task<Bytes> ClusterStore::serve_exclude(NodeId from, Bytes body, runtime::Executor& executor) {
  AnswerTo<ExcludeRequest> answer;
  ExcludeRequest request;
  if (!decode(body, request)) {
    co_return encoded(AnswerTo<ExcludeRequest>::unreachable());
  }
  answer.status = co_await guards_.exclude(
      request.transaction, from, std::move(request.key),
      {.policy = request.wait, .executor = &executor, .timeout = std::chrono::milliseconds(request.timeout_ms)});
  answer.verdict = answer.status.ok() ? Verdict::kOk : Verdict::kError;
  co_return encoded(answer);
}

std::vector<WaitEdge> ClusterStore::local_waits() {
  std::vector<WaitEdge> edges = parts_.leaseholder.waits();
  for (const auto& wait : guards_.waits()) {
    edges.push_back({.waiter = wait.waiter, .blocker = wait.blocker});
  }
  return edges;
}

void ClusterStore::note_watched(HlcTimestamp at) { raise_to(told_change_, at.wall_ns); }

Task<Status> ClusterStore::take_note(HlcTimestamp at, runtime::Executor& executor) {
  note_watched(at);
  if (watched_hook_ && noted_change_.load(std::memory_order_acquire) < at.wall_ns) {
    PANDO_CO_TRY(co_await watched_hook_(executor));
    raise_to(noted_change_, at.wall_ns);
  }
  co_return Status();
}

// On the spot, and so in the order in which they come.
Task<Bytes> ClusterStore::serve_notify(NodeId from, Bytes body) {
  NotifyRequest request;
  if (!decode(body, request)) {
    co_return malformed<NotifyRequest>(from);
  }
  channels_.hear(from, std::move(request));
  co_return encoded(AnswerTo<NotifyRequest>());
}

Task<Bytes> ClusterStore::serve_notice(Bytes body, runtime::Executor& executor) {
  AnswerTo<NoticeRequest> answer;
  NoticeRequest request;
  if (decode(body, request)) {
    answer.status = co_await take_note(request.at, executor);
    answer.verdict = answer.status.ok() ? Verdict::kOk : Verdict::kError;
  }
  co_return encoded(answer);
}

Task<void> ClusterStore::announce_change(HlcTimestamp at, runtime::Executor& executor) {
  note_watched(at);
  for (const NodeId node : nodes_()) {
    // One that cannot be reached, or cannot load what has changed, finds out when it takes its next lock.
    co_await parts_.peers.call(node, NoticeRequest{.at = at}, executor);
  }
}

Task<void> ClusterStore::collect_outcomes() {
  co_await outcomes_.look(parts_.background);
  collecting_outcomes_.store(false);
}

// --- background ---

void ClusterStore::spawn_background(Task<void> task, runtime::Executor& executor) {
  in_background_.fetch_add(1);
  runtime::spawn(executor, run_background(std::move(task)));
}

Task<void> ClusterStore::run_background(Task<void> task) {
  co_await std::move(task);
  in_background_.fetch_sub(1);
}

void ClusterStore::start() { schedule_recovery(); }

void ClusterStore::schedule_recovery() {
  MutexLock lock(mutex_);
  if (stopping_.load()) {
    return;
  }
  recovery_timer_ = parts_.timer.schedule(kRoundInterval, [this] {
    for (auto& abandoned : parts_.leaseholder.prepared_before(options_.recover_after)) {
      spawn_background(recover(std::move(abandoned)));
    }
    ++rounds_;
    tell_closed_moments();
    collect_orphans();
    if (rounds_ % kOutcomeRounds == 0 && !collecting_outcomes_.exchange(true)) {
      spawn_background(collect_outcomes());
    }
    if (rounds_ % kListRounds == 0 && !listing_shards_.exchange(true)) {
      spawn_background(list_shards());
    }
    for (ShardDescriptor& stuck : merger_.stuck()) {
      spawn_background(merger_.recover_stuck(std::move(stuck), parts_.background));
    }
    if (!guards_.prefix().empty() && !renewing_guards_.exchange(true)) {
      spawn_background(renew_guard_lease());
    }
    if (!breaking_deadlocks_.exchange(true)) {
      spawn_background(break_deadlocks());
    }
    schedule_recovery();
  });
}

Task<void> ClusterStore::break_deadlocks() {
  std::vector<WaitEdge> edges = local_waits();
  if (!edges.empty()) {
    for (const NodeId node : nodes_()) {
      const auto answer = co_await parts_.peers.call(node, WaitsRequest(), parts_.background);
      if (answer.ok()) {
        edges.insert(edges.end(), answer.reply.edges.begin(), answer.reply.edges.end());
      }
    }
  }
  for (DeadlockVictim& victim : deadlocks_.round(edges)) {
    const Status reason =
        Status(sql_state::kDeadlockDetected, "deadlock detected").with_detail(std::move(victim.detail));
    // Where it does not wait nothing happens.
    parts_.leaseholder.cancel({.transaction = victim.transaction, .reason = reason});
    guards_.cancel(victim.transaction, reason);
  }
  breaking_deadlocks_.store(false);
}

Task<void> ClusterStore::stop(runtime::Executor& executor) {
  runtime::TimerId timer = 0;
  {
    MutexLock lock(mutex_);
    stopping_.store(true);
    timer = recovery_timer_;
  }
  if (timer != 0) {
    parts_.timer.cancel(timer);
  }
  while (in_background_.load() > 0) {
    co_await runtime::sleep(parts_.timer, executor, kRetryDelay);
  }
}

void ClusterStore::discard(txn::Span span) { spawn_background(discard_span(std::move(span))); }

Task<void> ClusterStore::discard_span(txn::Span span) {
  while (!stopping_.load()) {
    const RouteReply route = co_await router_.find(span.start, false, parts_.background);
    if (!route.known || route.leaseholder.number() == 0) {
      co_await runtime::sleep(parts_.timer, parts_.background, kRoundInterval);
      continue;
    }
    const bool last = route.span.end.empty() || (!span.end.empty() && span.end <= route.span.end);
    const Bytes end = last ? span.end : route.span.end;
    const auto answer = co_await dispatch(
        route.leaseholder, DiscardRequest{.shard = route.shard, .span = {span.start, end}}, parts_.background);
    if (!answer.ok()) {
      router_.forget(route.shard);
      co_await runtime::sleep(parts_.timer, parts_.background, kRoundInterval);
    } else if (last) {
      co_return;
    } else {
      span.start = end;
    }
  }
}

}  // namespace pando::kv
