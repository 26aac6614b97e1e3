#include "kv/cluster/leaseholder.h"

#include <algorithm>

#include "kv/commit_record.h"
#include "txn/conflict_errors.h"

namespace pando::kv {
namespace {

// A value that a lock's answer brings along saves the gateway a read.
constexpr std::size_t kLockedValueBytesMax = 4096;
// How long what nobody waits for is kept back at most.
constexpr auto kUnhurriedMax = std::chrono::milliseconds(5);

Status past_deadline() {
  return Status(sql_state::kSerializationFailure, "the gateway lost touch with the cluster before the commit")
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
      owners_(locks_, parts.clock),
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

// --- reads ---

Task<void> Leaseholder::wait_for_change(LedShard& led, runtime::Executor& executor) {
  runtime::Event changed(executor);
  {
    MutexLock lock(led.mutex);
    if (led.term == 0) {
      co_return;
    }
    led.waiters.push_back(&changed);
    led.hurry(*host_);
  }
  co_await changed.wait();
}

Task<Leaseholder::Settled> Leaseholder::settle(LedShard& led, ReadPoint point, txn::Span part, TransactionId reader,
                                               runtime::Executor& executor) {
  while (true) {
    {
      MutexLock lock(led.mutex);
      if (const auto settled = try_settle(led, point, part, reader)) {
        co_return *settled;
      }
    }
    co_await wait_for_change(led, executor);
  }
}

std::optional<Leaseholder::Settled> Leaseholder::try_settle(const LedShard& led, const ReadPoint& point,
                                                            const txn::Span& part, TransactionId reader) {
  if (!leads(led)) {
    return Settled{.verdict = Verdict::kNotLeaseholder, .hint = leader_hint(led.id)};
  }
  if (!led.contains(part)) {
    return Settled{.verdict = Verdict::kNotLeaseholder};
  }
  led.load.note(part.start);
  ReadPoint settled = point;
  const HlcTimestamp limit = settle_moment(led, settled);
  if (led.find_writer(part, reader, settled.at, limit) != nullptr) {
    return std::nullopt;
  }
  return Settled{.point = settled, .lease_start = led.lease_start};
}

// Whoever holds a lock sees the newest version: not one that a commit, whose gateway is gone and has lost its locks, is
// about to replace.
Task<Leaseholder::Settled> Leaseholder::settle_lock(LedShard& led, Bytes key, TransactionId owner,
                                                    runtime::Executor& executor) {
  while (true) {
    {
      MutexLock lock(led.mutex);
      if (const auto settled = try_settle_lock(led, key, owner)) {
        co_return *settled;
      }
    }
    co_await wait_for_change(led, executor);
  }
}

std::optional<Leaseholder::Settled> Leaseholder::try_settle_lock(const LedShard& led, ByteView key,
                                                                 TransactionId owner) {
  if (!leads(led) || !led.contains(key)) {
    return Settled{.verdict = Verdict::kNotLeaseholder};
  }
  if (led.find_writer(key, owner, HlcTimestamp::max(), HlcTimestamp::max()) != nullptr) {
    return std::nullopt;
  }
  return Settled{};
}

HlcTimestamp Leaseholder::settle_moment(const LedShard& led, ReadPoint& point) {
  if (point.at != HlcTimestamp()) {
    parts_.oracle.observe(point.at);
    return std::max(point.limit, point.at);
  }
  const HlcTimestamp now = parts_.oracle.next();
  // Not before what another shard of this node has acknowledged: later versions of this node need not be visible.
  point.at = std::max(led.complete_until(now), HlcTimestamp{applied_.load(), 0});
  // Nor, when a commit is stuck, before a limit that is past: from there on nothing is uncertain on any shard.
  if (point.limit < now) {
    point.at = std::max(point.at, point.limit);
  }
  point.origin = self_;
  // A prepared write of any time may be committed and acknowledged already: a moment that is yet to be chosen must come
  // after it.
  return HlcTimestamp::max();
}

// A version after the read's moment may have been acknowledged before the statement began, unless it was committed here
// after the moment was chosen here. Commits over several shards take their time from elsewhere: they have a logical
// part.
bool Leaseholder::is_uncertain(HlcTimestamp version, const ReadPoint& point, HlcTimestamp lease_start) const {
  if (version <= point.at || version > point.limit) {
    return false;
  }
  const bool committed_here_since = point.origin == self_ && version.logical == 0 && version > lease_start;
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

Result<Verdict> Leaseholder::read_settled(ByteView key, bool latest, const Settled& settled, CachedRecord& record) {
  PANDO_ASSIGN(bool found, newest(key, record));
  if (found && !latest && record.timestamp > settled.point.at) {
    if (is_uncertain(record.timestamp, settled.point, settled.lease_start)) {
      return Verdict::kUncertain;
    }
    PANDO_ASSIGN(found, read(key, settled.point.at, record));
  }
  record.tombstone = record.tombstone || !found;
  return Verdict::kOk;
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
  const auto verdict = read_settled(request.key, request.latest, settled, record);
  if (!verdict.ok()) {
    co_return Reply::error(verdict.status());
  }
  if (*verdict == Verdict::kUncertain) {
    co_return Reply::uncertain_at(record.timestamp);
  }
  if (Status status = check_readable(settled.point.at); !status.ok()) {
    co_return Reply::error(std::move(status));
  }
  Reply answer;
  answer.reply.at = settled.point.at;
  if (!record.tombstone) {
    answer.reply.value = std::move(record.value);
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
    co_return Reply::error(txn::locks_lost());
  }
  if (use.shared()) {
    // An owner waits for one lock at a time: the old request ends first, and this one is made again.
    owners_.cancel(request.transaction, Status(sql_state::kQueryCanceled, "the lock was asked for again"));
    co_return Reply::not_leaseholder(NodeId());
  }
  answer.reply.term = term;
  answer.reply.mark_before = use->owner.mark();
  if (!locks_.try_lock(use->owner, request.key, request.strength)) {
    {
      MutexLock lock(led.mutex);
      led.hurry(*host_);
    }
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
  const Settled settled = co_await settle_lock(led, request.key, request.transaction, executor);
  {
    MutexLock lock(led.mutex);
    if (settled.verdict != Verdict::kOk || led.term != term || use.over()) {
      use->owner.release_to(answer.reply.mark_before);
      // To a gateway that could not be reached meanwhile: asked again, it would be as lost.
      co_return use.over() ? Reply::error(txn::locks_lost()) : redirect<LockReply>(request.shard);
    }
    answer.reply.watched = led.watched;
  }
  if (Status status = describe_locked(request, answer.reply); !status.ok()) {
    co_return Reply::error(std::move(status));
  }
  co_return answer;
}

Status Leaseholder::describe_locked(const LockRequest& request, LockReply& reply) {
  if (request.strength == txn::LockStrength::kUpdate && !guarded_prefix_.empty() &&
      request.key.starts_with(guarded_prefix_)) {
    list_guards(reply, request.transaction);
  }
  PANDO_ASSIGN(reply.version, describe_version(request.key));
  return {};
}

Result<LockedVersion> Leaseholder::describe_version(ByteView key) {
  CachedRecord record;
  PANDO_ASSIGN(const bool found, newest(key, record));
  LockedVersion version;
  if (found) {
    version.newest = record.timestamp;
    version.tombstone = record.tombstone;
    if (!record.tombstone && record.value.size() <= kLockedValueBytesMax) {
      version.value = std::move(record.value);
    }
  }
  return version;
}

void Leaseholder::release(const ReleaseRequest& request) {
  owners_.release(request.transaction, request.mark);
  if (request.mark == 0) {
    MutexLock lock(guards_mutex_);
    excluders_.erase(request.transaction);
  }
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

bool Leaseholder::holds(const LedShard& led, const CommitPart& part, const std::vector<Bytes>& keys) {
  const bool has_keys = keys.empty() || (led.contains(keys.front()) && led.contains(keys.back()));
  const bool has_locked = part.locked.end.empty() || led.contains(part.locked);
  return has_keys && has_locked &&
         std::ranges::all_of(part.reads,
                             [&](const txn::Span& read) PANDO_REQUIRES(led.mutex) { return led.contains(read); });
}

Status Leaseholder::check_part(LedShard& led, const CommitPart& part, const std::vector<Bytes>& keys) {
  const bool has_locks =
      part.term == 0 ? !owners_.refuses(part.transaction) : part.term == led.term && owners_.knows(part.transaction);
  if (!has_locks) {
    return txn::locks_lost();
  }
  for (const Bytes& key : keys) {
    if (part.term == 0 && !part.replaces &&
        led.find_writer(key, part.transaction, HlcTimestamp::max(), HlcTimestamp::max()) != nullptr) {
      return txn::concurrent_update();
    }
  }
  if (led.read_by_prepared(keys, part.transaction)) {
    return txn::read_write_conflict();
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
  co_await wait_for_readers(led, write, executor);
  txn::LockOwner passing(locks_, part.transaction);
  {
    MutexLock lock(led.mutex);
    if (!leads(led)) {
      co_return redirect<CommitReply>(part.shard);
    }
    if (!holds(led, part, write.keys)) {
      co_return Reply::not_leaseholder(NodeId());
    }
    if (part.replaces && !may_replace(led, write.keys, passing)) {
      co_return Reply::try_again();
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
  passing.release_all();
  co_await write.decided.wait();
  if (write.outcome != ProposalOutcome::kApplied) {
    co_return refusal<CommitReply>(led, write);
  }
  if (!part.keeps_locks && part.term != 0) {
    release({.transaction = part.transaction});
  }
  Reply answer;
  answer.reply.at = write.at;
  co_return answer;
}

// Whoever locks the keys after this finds the write on its way, and waits for it.
bool Leaseholder::may_replace(const LedShard& led, const std::vector<Bytes>& keys, txn::LockOwner& passing) {
  return std::ranges::all_of(keys, [&](const Bytes& key) PANDO_REQUIRES(led.mutex) {
    return !led.is_prepared(key) && locks_.try_lock(passing, key, txn::LockStrength::kUpdate);
  });
}

template <typename T>
Answer<T> Leaseholder::refusal(const LedShard& led, const PendingWrite& write) const {
  switch (write.outcome) {
    case ProposalOutcome::kRefused:
      return redirect<T>(led.id);
    case ProposalOutcome::kLost:
      return Answer<T>::error(txn::locks_lost());
    default:
      return Answer<T>::unreachable();
  }
}

// Under the shard's lock: the order of the log is the order of the timestamps.
void Leaseholder::sequence(LedShard& led, PendingWrite& write, Bytes payload) {
  led.pending.push_back(&write);
  led.add_writers(write.keys, {.at = write.at, .transaction = write.transaction});
  led.hurry(*host_);
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
  write.prepares = true;
  write.participant = request.key;
  {
    MutexLock lock(led.mutex);
    if (!leads(led)) {
      co_return redirect<CommitReply>(part.shard);
    }
    if (!led.contains(request.key) || !holds(led, part, write.keys)) {
      co_return Reply::not_leaseholder(NodeId());
    }
    // What has begun here ends here, and is waited for.
    if (led.splitting && !led.takes_part(part.transaction)) {
      co_return Reply::try_again();
    }
    // It may have been prevented by whoever recovered it.
    auto outcome = stored_outcome(request.key, part.transaction);
    if (!outcome.ok()) {
      co_return Reply::error(std::move(outcome).status());
    }
    if (outcome->has_value() || led.takes_part(PreparedName{part.transaction, request.key})) {
      co_return Reply::error(txn::locks_lost());
    }
    if (Status status = check_part(led, part, write.keys); !status.ok()) {
      co_return Reply::error(std::move(status));
    }
    // To wait for it could be to wait for each other.
    if (part.snapshot != HlcTimestamp() && led.read_by_prepared(write.keys, part.transaction)) {
      co_return Reply::error(txn::read_write_conflict());
    }
    write.at = parts_.oracle.next();
    if (part.deadline != HlcTimestamp() && write.at > part.deadline) {
      co_return Reply::error(past_deadline());
    }
    write.reads = part.reads;
    Bytes entry = encode_entry(PrepareEntry{.transaction = part.transaction,
                                            .key = request.key,
                                            .at = write.at,
                                            .participants = request.participants,
                                            .commit = std::move(part.payload),
                                            .reads = std::move(part.reads),
                                            .is_long = request.is_long});
    sequence(led, write, std::move(entry));
  }
  co_await write.decided.wait();
  if (write.outcome != ProposalOutcome::kApplied) {
    co_return refusal<CommitReply>(led, write);
  }
  const auto promised = stored_promise(part.shard, request.key, part.transaction);
  if (!promised.ok()) {
    co_return Reply::error(std::move(promised).status());
  }
  if (*promised == Outcome::kUnknown) {
    co_return Reply::unreachable();
  }
  if (*promised == Outcome::kAborted) {
    // It was prevented while it was on its way.
    co_return Reply::error(txn::locks_lost());
  }
  Reply answer;
  answer.reply.at = write.at;
  co_return answer;
}

// An entry that stands for itself: it has no place in the order of commits. False as well when `part`, which it is
// about, does not lie in the shard: whoever sent it followed an old route.
Task<bool> Leaseholder::propose(LedShard& led, txn::Span part, Bytes payload, runtime::Executor& executor,
                                bool hurried) {
  PendingWrite write(TransactionId(), executor);
  Proposal proposal{.shard = led.id, .payload = std::move(payload), .done = [&write](ProposalResult result) {
                      write.outcome = result.outcome;
                      write.decided.set();
                    }};
  runtime::Event gone(executor);
  {
    MutexLock lock(led.mutex);
    if (!led.contains(part)) {
      co_return false;
    }
    proposal.term = led.term;
    proposal.generation = led.generation;
    led.unhurried.push_back({std::move(proposal), &gone});
    if (hurried || !led.waiters.empty()) {
      led.hurry(*host_);
    }
  }
  if (!gone.is_set()) {
    const auto due = parts_.timer.schedule(kUnhurriedMax, [&led, this] {
      MutexLock lock(led.mutex);
      led.hurry(*host_);
    });
    co_await gone.wait();
    parts_.timer.cancel(due);
  }
  co_await write.decided.wait();
  co_return write.outcome == ProposalOutcome::kApplied;
}

// Whether somebody waits for a lock on what the participant has prepared here.
bool Leaseholder::is_awaited(LedShard& led, const PreparedName& name) {
  MutexLock lock(led.mutex);
  const auto prepared = led.prepared.find(name);
  return prepared == led.prepared.end() ||
         std::ranges::any_of(prepared->second.keys, [this](const Bytes& key) { return locks_.is_awaited(key); });
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
  const bool hurried = !request.committed || is_awaited(led, {request.transaction, request.key});
  if (!co_await propose(led, span_of(request.key), encode_entry(entry), executor, hurried)) {
    co_return redirect<Empty>(request.shard);
  }
  release({.transaction = request.transaction});
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
  if (!co_await propose(led, request.span, encode_discard(request.span), executor, /*hurried=*/true)) {
    co_return redirect<Empty>(request.shard);
  }
  co_return AnswerTo<DiscardRequest>();
}

// --- outcomes ---

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
      if (!led.contains(request.key)) {
        co_return Reply::not_leaseholder(NodeId());
      }
      if (const auto prepared = led.prepared.find({request.transaction, request.key}); prepared != led.prepared.end()) {
        co_return reply_with(Outcome::kPrepared, prepared->second.at);
      }
      pending = std::ranges::any_of(
          led.pending, [&](const PendingWrite* write) { return write->transaction == request.transaction; });
      if (!pending && !request.looks_only) {
        // A commit of it that still comes is refused from now on.
        release({.transaction = request.transaction});
        owners_.refuse(request.transaction);
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
    const ResolveEntry prevention{.transaction = request.transaction,
                                  .key = request.key,
                                  .at = parts_.oracle.next(),
                                  .participants = request.participants};
    if (!co_await propose(led, span_of(request.key), encode_entry(prevention), executor, /*hurried=*/true)) {
      co_return redirect<OutcomeReply>(request.shard);
    }
    // Looks again: a prepare may have come first.
  }
}

std::vector<AbandonedTransaction> Leaseholder::prepared_before(std::chrono::nanoseconds age) {
  const uint64_t now_ns = parts_.clock.monotonic_ns();
  std::vector<AbandonedTransaction> abandoned;
  MutexLock shards_lock(shards_mutex_);
  for (auto& [id, led] : shards_) {
    MutexLock lock(led->mutex);
    if (led->term == 0) {
      continue;
    }
    for (auto& [name, prepared] : led->prepared) {
      if (now_ns - prepared.since_ns <= static_cast<uint64_t>(age.count())) {
        continue;
      }
      prepared.since_ns = now_ns;
      const bool is_first =
          abandoned.empty() || abandoned.back().shard != id || abandoned.back().transaction != name.transaction;
      if (is_first) {
        abandoned.push_back({.shard = id,
                             .transaction = name.transaction,
                             .participants = prepared.participants,
                             .is_long = prepared.is_long});
      }
    }
  }
  return abandoned;
}

}  // namespace pando::kv
