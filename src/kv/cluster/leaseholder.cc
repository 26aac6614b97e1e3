#include "kv/cluster/leaseholder.h"

#include <algorithm>

#include "kv/cluster/guards.h"
#include "kv/commit_record.h"
#include "kv/descriptor/keys.h"
#include "txn/conflict_errors.h"

namespace pando::kv {
namespace {

// A value that a lock's answer brings along saves the gateway a read.
constexpr std::size_t kLockedValueBytesMax = 4096;
// Of a scan's answer.
constexpr std::size_t kScanReplyBytesMax = 4_MiB;
constexpr std::size_t kScanStep = 256;
constexpr uint64_t kNsPerMs = 1'000'000;
constexpr auto kGuardLeaseNs = static_cast<uint64_t>(std::chrono::nanoseconds(kGuardLease).count());
// By this part of it a lease lasts longer here than where it is used: clocks may run at different rates.
constexpr uint64_t kGuardDriftPart = 100;

Status past_deadline() {
  return Status(sql_state::kSerializationFailure, "the gateway lost touch with the cluster before the commit")
      .with_hint("The transaction might succeed if retried.");
}

Status locks_lost() {
  return Status(sql_state::kSerializationFailure, "the transaction lost its locks because another node leads the shard")
      .with_hint("The transaction might succeed if retried.");
}

txn::Span span_of(ByteView key) {
  Bytes end(key);
  end.push_back('\0');
  return {Bytes(key), std::move(end)};
}

}  // namespace

Leaseholder::Leaseholder(LeaseholderOptions options, Parts parts, NodeId self)
    : options_(options),
      parts_(parts),
      self_(self),
      locks_(&parts.timer),
      owners_(locks_),
      recent_({parts.clock.wall_ns() + static_cast<uint64_t>(options.clock_offset_max.count()), 0}) {}

Leaseholder::~Leaseholder() = default;

LedShard& Leaseholder::shard(ShardId id) {
  MutexLock lock(shards_mutex_);
  auto& led = shards_[id];
  if (led == nullptr) {
    led = std::make_unique<LedShard>(id, host_->view(id));
  }
  return *led;
}

bool Leaseholder::leads(const LedShard& led) const {
  return led.term != 0 && led.view->term() == led.term && led.view->holds_lease(parts_.clock.monotonic_ns());
}

NodeId Leaseholder::leader_hint(ShardId id) const {
  const NodeId leader = host_->view(id)->leader();
  return leader == self_ ? NodeId() : leader;
}

RouteReply Leaseholder::route(ByteView key, bool before) {
  MutexLock shards_lock(shards_mutex_);
  for (const auto& [id, led] : shards_) {
    MutexLock lock(led->mutex);
    if (led->generation != 0 && covers(led->span, key, before)) {
      return {.known = true,
              .shard = id,
              .generation = led->generation,
              .span = led->span,
              .leaseholder = led->view->leader()};
    }
  }
  return {};
}

// --- reads ---

Task<void> Leaseholder::wait_for_change(LedShard& led, runtime::Executor& executor) {
  runtime::Event changed(executor);
  {
    MutexLock lock(led.mutex);
    if (led.term == 0) {
      co_return;
    }
    led.waiters.push_back(&changed);
  }
  co_await changed.wait();
}

Task<Leaseholder::Settled> Leaseholder::settle(LedShard& led, ReadPoint point, txn::Span part, TransactionId reader,
                                               runtime::Executor& executor) {
  while (true) {
    {
      MutexLock lock(led.mutex);
      if (!leads(led)) {
        co_return Settled{.verdict = Verdict::kNotLeaseholder, .hint = leader_hint(led.id)};
      }
      if (!led.contains(part)) {
        co_return Settled{.verdict = Verdict::kNotLeaseholder};
      }
      led.load.note(part.start);
      ReadPoint settled = point;
      if (settled.at == HlcTimestamp()) {
        settled.at = led.complete_until(parts_.oracle.next());
        settled.origin = self_;
      } else {
        parts_.oracle.observe(settled.at);
      }
      // A prepared write of any time may be committed and acknowledged already: a moment that is yet to be chosen must
      // come after it.
      const HlcTimestamp limit = point.at == HlcTimestamp() ? HlcTimestamp::max() : std::max(point.limit, point.at);
      if (led.find_writer(part, reader, settled.at, limit) == nullptr) {
        co_return Settled{.point = settled, .lease_start = led.lease_start};
      }
    }
    co_await wait_for_change(led, executor);
  }
}

// A version after the read's moment may have been acknowledged before the statement began, unless it was committed here
// after the moment was chosen here. Commits over several shards take their time from elsewhere: they have a logical
// part.
bool Leaseholder::is_uncertain(HlcTimestamp version, const Settled& settled) const {
  if (version <= settled.point.at || version > settled.point.limit) {
    return false;
  }
  const bool committed_here_since =
      settled.point.origin == self_ && version.logical == 0 && version > settled.lease_start;
  return !committed_here_since;
}

Result<bool> Leaseholder::newest(ByteView key, CachedRecord& record) {
  if (parts_.cache.get(key, record)) {
    return true;
  }
  const auto ticket = parts_.cache.start_fill(key);
  storage::Version version;
  PANDO_ASSIGN(const bool found, parts_.engine.get_version(key, HlcTimestamp::max(), version));
  if (found) {
    parts_.cache.fill(key, version.timestamp, version.tombstone, version.value, ticket);
    record = {.timestamp = version.timestamp, .tombstone = version.tombstone, .value = std::move(version.value)};
  }
  return found;
}

Result<bool> Leaseholder::read(ByteView key, HlcTimestamp at, CachedRecord& record) {
  storage::Version version;
  PANDO_ASSIGN(const bool found, parts_.engine.get_version(key, at, version));
  record = {.timestamp = version.timestamp, .tombstone = version.tombstone, .value = std::move(version.value)};
  return found;
}

Task<AnswerTo<GetRequest>> Leaseholder::get(GetRequest request, runtime::Executor& executor) {
  using Reply = AnswerTo<GetRequest>;
  LedShard& led = shard(request.shard);
  const Settled settled = co_await settle(led, request.latest ? ReadPoint() : request.point, span_of(request.key),
                                          request.transaction, executor);
  if (settled.verdict != Verdict::kOk) {
    co_return Reply::not_leaseholder(settled.hint);
  }
  CachedRecord record;
  auto found = newest(request.key, record);
  if (found.ok() && *found && !request.latest && record.timestamp > settled.point.at) {
    if (is_uncertain(record.timestamp, settled)) {
      co_return Reply::uncertain_at(record.timestamp);
    }
    found = read(request.key, settled.point.at, record);
  }
  if (!found.ok()) {
    co_return Reply::error(std::move(found).status());
  }
  if (Status status = check_readable(settled.point.at); !status.ok()) {
    co_return Reply::error(std::move(status));
  }
  Reply answer;
  answer.reply.at = settled.point.at;
  if (*found && !record.tombstone) {
    answer.reply.value = std::move(record.value);
  }
  co_return answer;
}

Task<Answer<Leaseholder::OpenScan>> Leaseholder::open_scan(ScanRequest request, runtime::Executor& executor) {
  using Reply = Answer<OpenScan>;
  LedShard& led = shard(request.shard);
  const Settled settled = co_await settle(led, request.point, request.span, request.transaction, executor);
  if (settled.verdict != Verdict::kOk) {
    co_return Reply::not_leaseholder(settled.hint);
  }
  if (request.point.at != HlcTimestamp() && request.point.limit > request.point.at) {
    auto uncertain = find_uncertain(request.span, settled);
    if (!uncertain.ok()) {
      co_return Reply::error(std::move(uncertain).status());
    }
    if (uncertain->has_value()) {
      co_return Reply::uncertain_at(**uncertain);
    }
  }
  Reply answer;
  answer.reply.at = settled.point.at;
  answer.reply.scan = parts_.engine.scan_versions({.span = {request.span.start, request.span.end},
                                                   .at = settled.point.at,
                                                   .reverse = request.reverse,
                                                   .limit_hint = request.entries_max});
  if (Status status = check_readable(settled.point.at); !status.ok()) {
    co_return Reply::error(std::move(status));
  }
  co_return answer;
}

// After the read, or once it has its view of the engine: what was garbage by then may be missing in it.
Status Leaseholder::check_readable(HlcTimestamp at) const {
  return at.wall_ns < readable_from_.load(std::memory_order_seq_cst) ? txn::snapshot_too_old() : Status();
}

std::vector<Leaseholder::Closing> Leaseholder::close_moments() {
  std::vector<Closing> closings;
  // The same for all, as far as it can be, so that one moment can be read on several.
  const HlcTimestamp now = parts_.oracle.next();
  MutexLock shards_lock(shards_mutex_);
  for (const auto& [id, led] : shards_) {
    MutexLock lock(led->mutex);
    if (!leads(*led)) {
      continue;
    }
    // As for a read at that moment; and what is prepared may be committed at any time from then on.
    HlcTimestamp at = std::min(led->complete_until(now), now);
    for (const auto& [transaction, prepared] : led->prepared) {
      at = std::min(at, HlcTimestamp{prepared.at.wall_ns - 1, 0});
    }
    const auto applied = parts_.engine.applied(id);
    if (!applied.ok()) {
      continue;
    }
    Closing closing{.moment = {.shard = id,
                               .generation = led->generation,
                               .index = *applied,
                               .at = at,
                               .rate = led->load.update(parts_.clock.monotonic_ns())}};
    for (const ReplicaDescriptor& replica : led->descriptor.replicas) {
      closing.replicas.push_back(replica.node);
    }
    closings.push_back(std::move(closing));
  }
  return closings;
}

// Walks the span once more than reading it does; a statement that stays on one node needs it only where versions are
// younger than its moment.
Result<std::optional<HlcTimestamp>> Leaseholder::find_uncertain(const txn::Span& span, const Settled& settled) {
  auto versions = parts_.engine.iterate_versions({span.start, span.end});
  for (versions->seek(span.start, HlcTimestamp::max()); versions->valid(); versions->next()) {
    if (is_uncertain(versions->timestamp(), settled)) {
      return std::optional(versions->timestamp());
    }
  }
  PANDO_TRY(versions->status());
  return std::optional<HlcTimestamp>();
}

Task<AnswerTo<ScanRequest>> Leaseholder::scan(ScanRequest request, runtime::Executor& executor) {
  using Reply = AnswerTo<ScanRequest>;
  const std::size_t entries_max = request.entries_max;
  auto opened = co_await open_scan(std::move(request), executor);
  Reply answer{.verdict = opened.verdict,
               .status = std::move(opened.status),
               .hint = opened.hint,
               .uncertain = opened.uncertain};
  if (!opened.ok()) {
    co_return answer;
  }
  answer.reply.at = opened.reply.at;
  KeyValueBatch& entries = answer.reply.entries;
  KeyValueBatch step;
  while (entries.size() < entries_max && entries.arena.size() < kScanReplyBytesMax) {
    if (Status status = opened.reply.scan->next(step, std::min(kScanStep, entries_max - entries.size()));
        !status.ok()) {
      co_return Reply::error(std::move(status));
    }
    if (step.size() == 0) {
      answer.reply.ended = true;
      break;
    }
    for (std::size_t i = 0; i < step.size(); ++i) {
      entries.append(step.key(i), step.value(i));
    }
  }
  co_return answer;
}

// --- locks ---

Task<AnswerTo<LockRequest>> Leaseholder::lock(LockRequest request, NodeId gateway, runtime::Executor& executor) {
  using Reply = AnswerTo<LockRequest>;
  LedShard& led = shard(request.shard);
  uint64_t term = 0;
  {
    MutexLock lock(led.mutex);
    term = led.term;
    if (!leads(led) || !led.contains(request.key)) {
      co_return redirect<LockReply>(request.shard);
    }
  }
  Reply answer;
  LockOwners::Use use(owners_, request.transaction, gateway);
  if (use.over()) {
    co_return Reply::error(locks_lost());
  }
  answer.reply.term = term;
  answer.reply.mark_before = use->owner.mark();
  if (!locks_.try_lock(use->owner, request.key, request.strength)) {
    auto granted = co_await locks_.lock(&use->owner, request.key, request.strength,
                                        {.policy = request.wait,
                                         .executor = &executor,
                                         .cancellation = &use->cancellation,
                                         .timeout = std::chrono::milliseconds(request.timeout_ms)});
    if (!granted.ok()) {
      co_return Reply::error(std::move(granted).status());
    }
    answer.reply.granted = *granted;
  }
  answer.reply.mark_after = use->owner.mark();
  if (!answer.reply.granted) {
    co_return answer;
  }
  const Settled settled = co_await settle(led, ReadPoint(), span_of(request.key), request.transaction, executor);
  {
    MutexLock lock(led.mutex);
    if (settled.verdict != Verdict::kOk || led.term != term || use.over()) {
      use->owner.release_to(answer.reply.mark_before);
      // To a gateway that could not be reached meanwhile: asked again, it would be as lost.
      co_return use.over() ? Reply::error(locks_lost()) : redirect<LockReply>(request.shard);
    }
    answer.reply.watched = led.watched;
  }
  if (request.strength == txn::LockStrength::kUpdate && !guarded_prefix_.empty() &&
      request.key.starts_with(guarded_prefix_)) {
    list_guards(answer.reply, request.transaction);
  }
  CachedRecord record;
  auto found = newest(request.key, record);
  if (!found.ok()) {
    co_return Reply::error(std::move(found).status());
  }
  if (*found) {
    answer.reply.newest = record.timestamp;
    answer.reply.tombstone = record.tombstone;
    if (!record.tombstone && record.value.size() <= kLockedValueBytesMax) {
      answer.reply.value = std::move(record.value);
    }
  }
  co_return answer;
}

void Leaseholder::release(const ReleaseRequest& request) {
  owners_.release(request.transaction, request.mark);
  if (request.mark == 0) {
    MutexLock lock(guards_mutex_);
    excluders_.erase(request.transaction);
  }
}

// From now on no node gets a lease that had none.
void Leaseholder::list_guards(LockReply& reply, TransactionId transaction) {
  const uint64_t now_ns = parts_.clock.monotonic_ns();
  const auto remaining_ms = [now_ns](uint64_t until_ns) {
    return until_ns <= now_ns ? 0 : (until_ns - now_ns) / kNsPerMs + 1;
  };
  MutexLock lock(guards_mutex_);
  excluders_.insert(transaction);
  reply.guards_unknown_ms = remaining_ms(guards_unknown_until_ns_);
  for (const auto& [node, until_ns] : guard_leases_) {
    if (until_ns > now_ns) {
      reply.guards.push_back({.node = node, .remaining_ms = remaining_ms(until_ns)});
    }
  }
}

AnswerTo<GuardLeaseRequest> Leaseholder::lease_guards(const GuardLeaseRequest& request) {
  AnswerTo<GuardLeaseRequest> answer;
  LedShard& led = shard(request.shard);
  {
    MutexLock lock(led.mutex);
    if (!leads(led)) {
      return redirect<GuardLeaseReply>(request.shard);
    }
    answer.reply.watched = led.watched;
  }
  const uint64_t now_ns = parts_.clock.monotonic_ns();
  MutexLock lock(guards_mutex_);
  uint64_t& until_ns = guard_leases_[request.node];
  answer.reply.granted = until_ns > now_ns || excluders_.empty();
  if (answer.reply.granted) {
    until_ns = now_ns + kGuardLeaseNs + kGuardLeaseNs / kGuardDriftPart;
  }
  return answer;
}

std::vector<WaitEdge> Leaseholder::waits() {
  std::vector<WaitEdge> edges;
  for (const auto& wait : locks_.waits()) {
    edges.push_back({.waiter = wait.waiter, .blocker = wait.blocker});
  }
  return edges;
}

// --- commits ---

Task<void> Leaseholder::wait_until_commits_allowed(LedShard& led, runtime::Executor& executor) {
  uint64_t from_ns = 0;
  {
    MutexLock lock(led.mutex);
    from_ns = led.commits_from_ns;
  }
  const uint64_t now_ns = parts_.clock.monotonic_ns();
  if (now_ns < from_ns) {
    runtime::Event due(executor);
    parts_.timer.schedule(std::chrono::nanoseconds(from_ns - now_ns), [&due] { due.set(); });
    co_await due.wait();
  }
}

Status Leaseholder::check_part(LedShard& led, const CommitPart& part, const std::vector<Bytes>& keys) {
  if (part.term != 0 && (part.term != led.term || !owners_.knows(part.transaction))) {
    return locks_lost();
  }
  for (const Bytes& key : keys) {
    if (led.find_writer(span_of(key), part.transaction, HlcTimestamp::max(), HlcTimestamp::max()) != nullptr &&
        part.term == 0) {
      return txn::concurrent_update();
    }
  }
  for (const Condition& condition : part.conditions) {
    CachedRecord record;
    PANDO_ASSIGN(const bool found, newest(condition.key, record));
    if ((found ? record.timestamp : HlcTimestamp()) != condition.newest) {
      return txn::concurrent_update();
    }
  }
  return check_reads(led, part);
}

// Backward validation, as in docs/decisions/031: what a serializable transaction has read must not have changed.
Status Leaseholder::check_reads(LedShard& led, const CommitPart& part) {
  for (const txn::Span& read : part.reads) {
    if (led.find_writer(read, part.transaction, HlcTimestamp::max(), HlcTimestamp::max()) != nullptr) {
      return txn::read_write_conflict();
    }
    auto versions = parts_.engine.iterate_versions({read.start, read.end});
    versions->seek(read.start, HlcTimestamp::max());
    for (; versions->valid(); versions->next()) {
      if (versions->timestamp() > part.snapshot) {
        return txn::read_write_conflict();
      }
    }
    PANDO_TRY(versions->status());
  }
  return {};
}

Task<AnswerTo<CommitShardRequest>> Leaseholder::commit(CommitShardRequest request, runtime::Executor& executor) {
  using Reply = AnswerTo<CommitShardRequest>;
  CommitPart& part = request.part;
  LedShard& led = shard(part.shard);
  auto keys = keys_of_commit(part.payload);
  if (!keys.ok() || keys->empty()) {
    co_return Reply::error(Status(sql_state::kInternalError, "a commit without writes"));
  }
  co_await wait_until_commits_allowed(led, executor);
  PendingWrite write(part.transaction, executor);
  write.keys = *std::move(keys);
  {
    MutexLock lock(led.mutex);
    if (!leads(led)) {
      co_return redirect<CommitReply>(part.shard);
    }
    if (!led.contains(write.keys.front()) || !led.contains(write.keys.back())) {
      co_return Reply::not_leaseholder(NodeId());
    }
    if (Status status = check_part(led, part, write.keys); !status.ok()) {
      co_return Reply::error(std::move(status));
    }
    write.at = parts_.oracle.next();
    if (part.deadline != HlcTimestamp() && write.at > part.deadline) {
      co_return Reply::error(past_deadline());
    }
    led.load.note(write.keys.front());
    set_commit_timestamp(part.payload, write.at);
    sequence(led, write, std::move(part.payload));
  }
  co_await write.decided.wait();
  if (write.outcome != ProposalOutcome::kApplied) {
    co_return refusal<CommitReply>(led, write);
  }
  if (!part.keeps_locks) {
    release({.transaction = part.transaction});
  }
  Reply answer;
  answer.reply.at = write.at;
  co_return answer;
}

template <typename T>
Answer<T> Leaseholder::refusal(const LedShard& led, const PendingWrite& write) const {
  switch (write.outcome) {
    case ProposalOutcome::kRefused:
      return redirect<T>(led.id);
    case ProposalOutcome::kLost:
      return Answer<T>::error(locks_lost());
    default:
      return Answer<T>::unreachable();
  }
}

// Under the shard's lock: the order of the log is the order of the timestamps.
void Leaseholder::sequence(LedShard& led, PendingWrite& write, Bytes payload) {
  led.pending.push_back(&write);
  led.add_writers(write.keys, {.at = write.at, .transaction = write.transaction});
  host_->propose({.shard = led.id,
                  .term = led.term,
                  .generation = led.generation,
                  .payload = std::move(payload),
                  .done = [&led, &write](ProposalResult result) { finish(led, write, result.outcome); }});
}

// On the host's executor, in the order of the log.
void Leaseholder::finish(LedShard& led, PendingWrite& write, ProposalOutcome outcome) {
  {
    MutexLock lock(led.mutex);
    const auto place = std::ranges::find(led.pending, &write);
    PANDO_ASSERT(place != led.pending.end(), "a proposal is decided once");
    led.pending.erase(place);
    led.remove_writers(write.keys, write.transaction, false);
    led.wake_waiters();
  }
  write.outcome = outcome;
  write.decided.set();
}

Task<AnswerTo<PrepareRequest>> Leaseholder::prepare(PrepareRequest request, runtime::Executor& executor) {
  using Reply = AnswerTo<PrepareRequest>;
  CommitPart& part = request.part;
  LedShard& led = shard(part.shard);
  auto keys = keys_of_commit(part.payload);
  if (!keys.ok()) {
    co_return Reply::error(std::move(keys).status());
  }
  co_await wait_until_commits_allowed(led, executor);
  PendingWrite write(part.transaction, executor);
  write.keys = *std::move(keys);
  {
    MutexLock lock(led.mutex);
    if (!leads(led)) {
      co_return redirect<CommitReply>(part.shard);
    }
    if (!write.keys.empty() && (!led.contains(write.keys.front()) || !led.contains(write.keys.back()))) {
      co_return Reply::not_leaseholder(NodeId());
    }
    if (led.splitting) {
      co_return Reply::try_again();
    }
    // It may have been prevented by whoever recovered it.
    auto outcome = stored_outcome(request.key, part.transaction);
    if (!outcome.ok()) {
      co_return Reply::error(std::move(outcome).status());
    }
    if (outcome->has_value() || led.prepared.contains(part.transaction)) {
      co_return Reply::error(locks_lost());
    }
    if (Status status = check_part(led, part, write.keys); !status.ok()) {
      co_return Reply::error(std::move(status));
    }
    write.at = parts_.oracle.next();
    if (part.deadline != HlcTimestamp() && write.at > part.deadline) {
      co_return Reply::error(past_deadline());
    }
    Bytes entry = encode_entry(PrepareEntry{.transaction = part.transaction,
                                            .key = request.key,
                                            .at = write.at,
                                            .participants = request.participants,
                                            .commit = std::move(part.payload)});
    sequence(led, write, std::move(entry));
  }
  co_await write.decided.wait();
  if (write.outcome != ProposalOutcome::kApplied) {
    co_return refusal<CommitReply>(led, write);
  }
  {
    MutexLock lock(led.mutex);
    if (!led.prepared.contains(part.transaction)) {
      // It was prevented while it was on its way.
      co_return Reply::error(locks_lost());
    }
  }
  Reply answer;
  answer.reply.at = write.at;
  co_return answer;
}

// An entry that stands for itself: it has no place in the order of commits.
Task<bool> Leaseholder::propose(LedShard& led, Bytes payload, runtime::Executor& executor) {
  PendingWrite write(TransactionId(), executor);
  Proposal proposal{.shard = led.id, .payload = std::move(payload), .done = [&write](ProposalResult result) {
                      write.outcome = result.outcome;
                      write.decided.set();
                    }};
  {
    MutexLock lock(led.mutex);
    proposal.term = led.term;
    proposal.generation = led.generation;
  }
  host_->propose(std::move(proposal));
  co_await write.decided.wait();
  co_return write.outcome == ProposalOutcome::kApplied;
}

Task<AnswerTo<ResolveRequest>> Leaseholder::resolve(ResolveRequest request, runtime::Executor& executor) {
  LedShard& led = shard(request.shard);
  {
    MutexLock lock(led.mutex);
    if (!leads(led)) {
      co_return redirect<Empty>(request.shard);
    }
    parts_.oracle.observe(request.at);
  }
  const ResolveEntry entry{.transaction = request.transaction,
                           .key = request.key,
                           .committed = request.committed,
                           .at = request.committed ? request.at : parts_.oracle.next(),
                           .participants = request.participants};
  if (!co_await propose(led, encode_entry(entry), executor)) {
    co_return redirect<Empty>(request.shard);
  }
  owners_.release(request.transaction, 0);
  co_return AnswerTo<ResolveRequest>();
}

Task<AnswerTo<DiscardRequest>> Leaseholder::discard(DiscardRequest request, runtime::Executor& executor) {
  LedShard& led = shard(request.shard);
  {
    MutexLock lock(led.mutex);
    if (!leads(led) || !led.contains(request.span)) {
      co_return redirect<Empty>(request.shard);
    }
  }
  if (!co_await propose(led, encode_discard(request.span), executor)) {
    co_return redirect<Empty>(request.shard);
  }
  co_return AnswerTo<DiscardRequest>();
}

// --- outcomes ---

Result<std::optional<OutcomeRecord>> Leaseholder::stored_outcome(ByteView key, TransactionId transaction) {
  Bytes bytes;
  PANDO_ASSIGN(const bool found, parts_.engine.get(outcome_key(key, transaction), bytes));
  if (!found) {
    return std::optional<OutcomeRecord>();
  }
  PANDO_ASSIGN(const OutcomeRecord outcome, decode_outcome(bytes));
  return std::optional(outcome);
}

Task<AnswerTo<OutcomeRequest>> Leaseholder::outcome(OutcomeRequest request, runtime::Executor& executor) {
  using Reply = AnswerTo<OutcomeRequest>;
  LedShard& led = shard(request.shard);
  const auto reply_with = [](Outcome outcome, HlcTimestamp at) {
    Reply answer;
    answer.reply = {.outcome = outcome, .at = at};
    return answer;
  };
  while (true) {
    bool pending = false;
    {
      MutexLock lock(led.mutex);
      if (!leads(led)) {
        co_return redirect<OutcomeReply>(request.shard);
      }
      if (const auto prepared = led.prepared.find(request.transaction); prepared != led.prepared.end()) {
        co_return reply_with(Outcome::kPrepared, prepared->second.at);
      }
      pending = std::ranges::any_of(
          led.pending, [&](const PendingWrite* write) { return write->transaction == request.transaction; });
      if (!pending && !request.looks_only) {
        // A commit of it that still comes is refused from now on.
        owners_.release(request.transaction, 0);
      }
    }
    if (pending) {
      co_await wait_for_change(led, executor);
      continue;
    }
    auto stored = stored_outcome(request.key, request.transaction);
    if (!stored.ok()) {
      co_return Reply::error(std::move(stored).status());
    }
    if (stored->has_value()) {
      co_return reply_with((*stored)->committed ? Outcome::kCommitted : Outcome::kAborted, (*stored)->at);
    }
    if (const auto committed = recent_.find(request.transaction)) {
      co_return reply_with(Outcome::kCommitted, *committed);
    }
    if (request.looks_only) {
      co_return reply_with(Outcome::kUnknown, {});
    }
    if (!request.prepares) {
      co_return reply_with(recent_.covers(request.since) ? Outcome::kAborted : Outcome::kUnknown, {});
    }
    if (!co_await propose(led,
                          encode_entry(ResolveEntry{.transaction = request.transaction,
                                                    .key = request.key,
                                                    .at = parts_.oracle.next(),
                                                    .participants = request.participants}),
                          executor)) {
      co_return redirect<OutcomeReply>(request.shard);
    }
    // Looks again: a prepare may have come first.
  }
}

std::vector<Leaseholder::KnownOutcome> Leaseholder::outcomes_before(HlcTimestamp moment, std::size_t count_max) {
  std::vector<KnownOutcome> found;
  for (const KnownShard& shard : shards()) {
    if (!leads(shard.descriptor.id)) {
      continue;
    }
    // The first span has what is the shard's own.
    const storage::KeySpan span = plain_spans(shard.descriptor).back();
    auto records = parts_.engine.iterate(span);
    for (records->seek(span.start); records->valid() && found.size() < count_max; records->next()) {
      auto name = outcome_name(records->key());
      auto record = decode_outcome(records->value());
      if (name.has_value() && record.ok() && record->at < moment && !record->participants.empty()) {
        found.push_back(
            {.shard = shard.descriptor.id, .name = *std::move(name), .participants = std::move(record->participants)});
      }
    }
  }
  return found;
}

Task<void> Leaseholder::forget_outcome(KnownOutcome outcome, runtime::Executor& executor) {
  // Refused, it is found again.
  co_await propose(shard(outcome.shard),
                   encode_entry(ForgetEntry{.transaction = outcome.name.transaction, .key = outcome.name.participant}),
                   executor);
}

std::vector<Leaseholder::Abandoned> Leaseholder::prepared_before(std::chrono::nanoseconds age) {
  const uint64_t now_ns = parts_.clock.monotonic_ns();
  std::vector<Abandoned> abandoned;
  MutexLock shards_lock(shards_mutex_);
  for (auto& [id, led] : shards_) {
    MutexLock lock(led->mutex);
    if (led->term == 0) {
      continue;
    }
    for (auto& [transaction, prepared] : led->prepared) {
      if (now_ns - prepared.since_ns > static_cast<uint64_t>(age.count())) {
        prepared.since_ns = now_ns;
        abandoned.push_back({.shard = id, .transaction = transaction, .participants = prepared.participants});
      }
    }
  }
  return abandoned;
}

}  // namespace pando::kv
