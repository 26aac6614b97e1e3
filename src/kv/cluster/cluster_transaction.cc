#include "kv/cluster/cluster_transaction.h"

#include <algorithm>

#include "kv/cluster/cluster_cursor.h"
#include "kv/cluster/program_pages.h"
#include "txn/conflict_errors.h"

namespace pando::kv {
namespace {

// What is written of one key goes in one message, with what else a commit says.
constexpr std::size_t kWriteBytesMax = runtime::kMessageBytesMax - 4_MiB;
// What a lock takes here, about.
constexpr std::size_t kLockBytes = 256;

std::optional<Bytes> value_of(const txn::WriteBuffer::Write& write) {
  return write.value.has_value() ? std::optional<Bytes>(*write.value) : std::nullopt;
}

}  // namespace

ClusterTransaction::ClusterTransaction(ClusterStore& store, txn::TransactionOptions options, TransactionId id)
    : store_(store), options_(options), id_(id) {}

ClusterTransaction::~ClusterTransaction() {
  if (!over_) {
    end();
  }
}

void ClusterTransaction::begin_statement() {
  PANDO_ASSERT(!over_, "a statement in a transaction that has ended");
  statement_ = writes_.mark();
  earlier_locks_ = std::exchange(statement_locks_, lock_count_);
  past_.reset();
  if (options_.read_at != HlcTimestamp()) {
    // There is nothing uncertain about it.
    const HlcTimestamp at = std::min(options_.read_at, store_.parts().oracle.next());
    point_ = {.at = at, .limit = at};
    return;
  }
  if (options_.isolation == txn::Isolation::kReadCommitted || point_.limit == HlcTimestamp()) {
    const HlcTimestamp now = store_.parts().oracle.next();
    point_ = {.limit = {now.wall_ns + static_cast<uint64_t>(store_.options().clock_offset_max.count()), 0}};
    const HlcTimestamp limit = std::exchange(uncertain_limit_, HlcTimestamp());
    if (std::exchange(starts_over_, false)) {
      point_.limit = limit;
    }
    if (options_.staleness_max.count() != 0) {
      // Not older than the definitions that its statements are bound to.
      const auto staleness_ns = std::min(now.wall_ns - 1, static_cast<uint64_t>(options_.staleness_max.count()));
      oldest_ = std::max(HlcTimestamp{now.wall_ns - staleness_ns, 0}, store_.watched_change());
      // What was acknowledged since then need not be seen.
      point_.limit = oldest_;
    }
  }
}

Result<std::shared_ptr<const PastView>> ClusterTransaction::open_past(ByteView key, bool before) {
  if (!options_.reads_past()) {
    return std::shared_ptr<const PastView>();
  }
  const HlcTimestamp needed = point_.at == HlcTimestamp() ? oldest_ : point_.at;
  if (past_ == nullptr || past_->until < needed || !covers(past_->span, key, before)) {
    PANDO_ASSIGN(auto view, store_.open_past(key, before));
    if (view == nullptr || view->until < needed) {
      return std::shared_ptr<const PastView>();
    }
    past_ = std::move(view);
  }
  if (point_.at == HlcTimestamp()) {
    // One that other shards can be read at as well.
    const HlcTimestamp at = std::min(past_->until, store_.common_past(oldest_));
    point_ = {.at = at, .limit = at, .origin = store_.self()};
  }
  PANDO_TRY(store_.parts().leaseholder.check_readable(point_.at));
  return past_;
}

void ClusterTransaction::note_moment(HlcTimestamp at, NodeId origin) {
  if (point_.at == HlcTimestamp()) {
    point_.at = at;
    point_.origin = origin;
  }
}

Status ClusterTransaction::restart_after(HlcTimestamp uncertain) {
  // The next moment, which a leaseholder chooses above all it has heard of, comes after it.
  store_.parts().oracle.observe(uncertain);
  uncertain_limit_ = point_.limit;
  return txn::uncertain_read(options_.isolation);
}

// --- reads ---

Task<Result<std::optional<Bytes>>> ClusterTransaction::get(Bytes key) {
  if (has_writes()) {
    if (const auto write = writes_.find(key, statement_)) {
      co_return value_of(*write);
    }
  }
  if (notes_reads()) {
    reads_.add_key(key);
  }
  co_return co_await read(std::move(key), false);
}

Task<Result<std::optional<Bytes>>> ClusterTransaction::get_latest(Bytes key) {
  if (has_writes()) {
    if (const auto write = writes_.find(key)) {
      co_return value_of(*write);
    }
  }
  if (is_claimed(key)) {
    co_return std::optional<Bytes>();
  }
  if (const auto lock = locks_.find(key); lock != locks_.end()) {
    if (lock->second.newest == HlcTimestamp() || lock->second.tombstone) {
      co_return std::optional<Bytes>();
    }
    if (lock->second.value.has_value()) {
      co_return lock->second.value;
    }
  }
  co_return co_await read(std::move(key), true);
}

Task<Result<std::optional<Bytes>>> ClusterTransaction::read(Bytes key, bool latest) {
  if (!latest) {
    PANDO_CO_ASSIGN(const auto past, open_past(key, false));
    if (past != nullptr) {
      storage::Version version;
      PANDO_CO_ASSIGN(const bool found, past->reader->get_version(key, point_.at, version));
      co_return found && !version.tombstone ? std::optional(std::move(version.value)) : std::nullopt;
    }
  }
  NodeId node;
  auto answer = co_await store_.send(key, GetRequest{.transaction = id_, .point = point_, .latest = latest, .key = key},
                                     context(), &node);
  if (answer.verdict == Verdict::kUncertain) {
    co_return restart_after(answer.uncertain);
  }
  if (!answer.ok()) {
    co_return answer.status;
  }
  if (!latest) {
    note_moment(answer.reply.at, node);
  }
  co_return std::move(answer.reply.value);
}

std::unique_ptr<txn::Cursor> ClusterTransaction::scan(txn::Span span, txn::ScanOptions options) {
  std::optional<txn::WriteBuffer::Walk> overlay;
  if (writes_.touches(statement_, span.start, span.end)) {
    overlay.emplace(writes_, statement_, span.start, span.end, options.reverse);
  }
  if (notes_reads()) {
    reads_.add_span(span);
  }
  return std::make_unique<ClusterCursor>(*this, std::move(span), options, std::move(overlay));
}

std::unique_ptr<txn::ProgramResults> ClusterTransaction::run_program(txn::Span span, Bytes program,
                                                                     const txn::ProgramOptions& options) {
  // What is to be read of the past a replica here may have.
  if (!store_.runs_programs() || options_.reads_past() || writes_.touches(statement_, span.start, span.end)) {
    return nullptr;
  }
  if (notes_reads()) {
    reads_.add_span(span);
  }
  return std::make_unique<ProgramPages>(*this, std::move(span), std::move(program), options);
}

// --- locks ---

Task<Result<txn::LockOutcome>> ClusterTransaction::lock(Bytes key, txn::LockStrength strength, txn::WaitPolicy wait) {
  PANDO_ASSERT(!over_, "a lock in a transaction that has ended");
  if (strength == txn::LockStrength::kKeyShare && store_.guards().covers(key)) {
    // Also when it fails: then it is known there.
    guarded_ = true;
    PANDO_CO_ASSIGN(const Guards::Shared shared,
                    co_await store_.guards().share(id_, store_.self(), key, lock_wait(wait)));
    if (shared.epoch != 0) {
      PANDO_CO_TRY(note_guard(shared.epoch));
      co_return txn::LockOutcome{.granted = shared.granted};
    }
  }
  if (is_claimed(key)) {
    co_return txn::LockOutcome();
  }
  if (const Lock* const held = find_lock(key, strength)) {
    co_return outcome_of(held->newest);
  }
  co_return co_await lock_at_leaseholder(std::move(key), strength, wait);
}

txn::LockWait ClusterTransaction::lock_wait(txn::WaitPolicy wait) const {
  return {.policy = wait,
          .executor = options_.executor,
          .cancellation = options_.cancellation,
          .timeout = options_.lock_timeout};
}

// What was shared under a lease that has run out since is not guarded any more.
Status ClusterTransaction::note_guard(uint64_t epoch) {
  if (guard_epoch_ != 0 && guard_epoch_ != epoch) {
    return txn::locks_lost();
  }
  guard_epoch_ = epoch;
  return {};
}

Task<Result<txn::LockOutcome>> ClusterTransaction::lock_at_leaseholder(Bytes key, txn::LockStrength strength,
                                                                       txn::WaitPolicy wait) {
  LockRequest request = lock_request(key, strength, wait);
  std::atomic<NodeId::Number> asked{0};
  std::optional<runtime::Cancellation::Registration> registration;
  if (options_.cancellation != nullptr) {
    registration.emplace(*options_.cancellation, [&](const Status& reason) {
      store_.tell(NodeId(asked.load()), CancelRequest{.transaction = id_, .reason = reason});
    });
  }
  auto sent = context();
  sent.asked = &asked;
  sent.marks = &marks_;
  NodeId node;
  const auto answer = co_await store_.send(key, request, sent, &node, &request.shard);
  if (!answer.ok()) {
    co_return answer.status;
  }
  if (!answer.reply.granted) {
    co_return txn::LockOutcome{.granted = false};
  }
  PANDO_CO_TRY(note_lock(request, node, answer.reply));
  store_.note_watched(answer.reply.watched);
  if (!answer.reply.guards.empty() || answer.reply.guards_unknown_ms > 0) {
    PANDO_CO_TRY(co_await store_.exclude(id_, key, answer.reply, lock_wait(wait), &excluded_));
  }
  co_return outcome_of(answer.reply.version.newest);
}

LockRequest ClusterTransaction::lock_request(Bytes key, txn::LockStrength strength, txn::WaitPolicy wait) const {
  return {.transaction = id_,
          .key = std::move(key),
          .strength = strength,
          .wait = wait,
          .timeout_ms = static_cast<uint64_t>(options_.lock_timeout.count())};
}

Status ClusterTransaction::note_lock(const LockRequest& request, NodeId node, const LockReply& reply) {
  PANDO_TRY(note_marks(node, reply.mark_before, reply.mark_after));
  return note_locked(request.key, reply.version,
                     {.node = node, .shard = request.shard, .term = reply.term, .strength = request.strength});
}

Status ClusterTransaction::note_marks(NodeId node, uint64_t before, uint64_t after) {
  if (before < marks_[node]) {
    return txn::locks_lost();
  }
  marks_[node] = after;
  return {};
}

Status ClusterTransaction::note_locked(const Bytes& key, LockedVersion version, Lock granted) {
  Lock& lock = locks_[key];
  if (lock.term != 0 && (lock.term != granted.term || lock.shard != granted.shard)) {
    return txn::locks_lost();
  }
  const bool first = lock.number == 0;
  granted.newest = version.newest;
  granted.tombstone = version.tombstone;
  granted.value = std::move(version.value);
  granted.number = first ? ++lock_count_ : lock.number;
  granted.strength = first ? granted.strength : lock.strength;
  lock = std::move(granted);
  return {};
}

void ClusterTransaction::forget_locks_after(std::size_t number) {
  std::erase_if(locks_, [&](const auto& entry) { return entry.second.number > number; });
}

// --- writes ---

Status ClusterTransaction::check_write(ByteView key, bool erases) {
  PANDO_ASSERT(!over_, "a write in a transaction that has ended");
  if (options_.read_only || options_.reads_past()) {
    return txn::read_only_violation();
  }
  if (writes_.bytes() + locks_.size() * kLockBytes > store_.options().transaction_bytes_max) {
    return txn::transaction_too_large(store_.options().transaction_bytes_max);
  }
  if (options_.isolation == txn::Isolation::kReadCommitted || point_.at == HlcTimestamp()) {
    return {};
  }
  const auto lock = locks_.find(Bytes(key));
  if (lock == locks_.end() || lock->second.newest <= point_.at) {
    return {};
  }
  if (!lock->second.tombstone) {
    return txn::concurrent_update();
  }
  // An insert may follow a deletion that the snapshot does not see.
  return erases ? txn::concurrent_delete() : Status();
}

Status ClusterTransaction::put(Bytes key, Bytes value) {
  PANDO_TRY(check_write(key, false));
  if (key.size() + value.size() > kWriteBytesMax) {
    return txn::row_too_large(kWriteBytesMax);
  }
  writes_.put(key, value);
  return {};
}

Status ClusterTransaction::erase(Bytes key) {
  PANDO_TRY(check_write(key, true));
  writes_.erase(key);
  return {};
}

// --- savepoints ---

txn::SavepointId ClusterTransaction::savepoint() {
  savepoints_.push_back({writes_.mark(), lock_count_, marks_});
  return txn::SavepointId(static_cast<uint32_t>(savepoints_.size()));
}

void ClusterTransaction::rollback_to(txn::SavepointId savepoint) {
  undo_writes_to(savepoint);
  // What comes next is another statement.
  starts_over_ = false;
  const Savepoint& place = savepoints_.back();
  for (auto& [node, mark] : marks_) {
    const auto before = place.marks.find(node);
    const uint64_t kept = before == place.marks.end() ? 0 : before->second;
    if (mark > kept) {
      store_.tell(node, ReleaseRequest{.transaction = id_, .mark = kept});
      mark = kept;
    }
  }
  forget_locks_after(place.locks);
}

void ClusterTransaction::undo_writes_to(txn::SavepointId savepoint) {
  PANDO_ASSERT(savepoint.number() >= 1, "a savepoint that was never made");
  PANDO_ASSERT(savepoint.number() <= savepoints_.size(), "a savepoint that is gone");
  savepoints_.resize(savepoint.number());
  writes_.rollback_to(savepoints_.back().writes);
  statement_ = std::min(statement_, savepoints_.back().writes);
  starts_over_ = uncertain_limit_ != HlcTimestamp();
}

void ClusterTransaction::release(txn::SavepointId savepoint) {
  PANDO_ASSERT(savepoint.number() >= 1, "a savepoint that was never made");
  PANDO_ASSERT(savepoint.number() <= savepoints_.size(), "a savepoint that is gone");
  savepoints_.resize(savepoint.number() - 1);
}

// --- the end ---

Task<Status> ClusterTransaction::commit() {
  PANDO_ASSERT(!over_, "a transaction ends once");
  Status status;
  if (has_writes()) {
    status = co_await commit_writes();
  }
  if (status.ok()) {
    for (const auto& hook : hooks_) {
      hook();
    }
    if (changes_watched_) {
      co_await store_.announce_change(committed_at_, *options_.executor);
    }
  }
  end();
  co_return status;
}

Task<void> ClusterTransaction::rollback() {
  if (!over_) {
    end();
  }
  co_return;
}

void ClusterTransaction::end() {
  over_ = true;
  past_.reset();
  for (const auto& [node, mark] : marks_) {
    store_.tell(node, ReleaseRequest{.transaction = id_});
  }
  for (const auto& [node, breaks] : excluded_) {
    store_.tell(node, AdmitRequest{.transaction = id_});
  }
  if (guarded_) {
    store_.guards().release(id_);
  }
}

}  // namespace pando::kv
