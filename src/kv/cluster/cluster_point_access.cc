// ClusterTransaction: what it can do with one key without waiting: when this node leads it, or a lock brought it along.

#include "kv/cluster/cluster_transaction.h"

namespace pando::kv {
namespace {

txn::ReadOutcome take(const std::optional<ByteView>& found, Bytes& value) {
  value.assign(found.value_or(ByteView()));
  return found.has_value() ? txn::ReadOutcome::kFound : txn::ReadOutcome::kAbsent;
}

}  // namespace

Result<txn::ReadOutcome> ClusterTransaction::try_get(ByteView key, Bytes& value) {
  if (has_writes()) {
    if (const auto write = writes_.find(key, statement_)) {
      return take(write->value, value);
    }
  }
  if (options_.reads_past()) {
    // A replica here may have it, or somebody's leaseholder.
    return txn::ReadOutcome::kMustWait;
  }
  if (notes_reads()) {
    reads_.add_key(key);
  }
  // What was locked just before the statement began anew is as new as anything. Older locks may be lost by now, with a
  // leaseholder, which a transaction that only reads would not be told.
  if (const auto lock = locks_.empty() ? locks_.end() : locks_.find(Bytes(key));
      lock != locks_.end() && lock->second.number <= statement_locks_ && lock->second.number > earlier_locks_ &&
      (point_.at == HlcTimestamp() ? options_.isolation == txn::Isolation::kReadCommitted
                                   : lock->second.newest <= point_.at)) {
    if (const auto found = find_locked(key, value)) {
      return *found;
    }
  }
  return store_.parts().leaseholder.try_get(key, {.reader = id_}, point_, value);
}

Result<txn::ReadOutcome> ClusterTransaction::try_get_latest(ByteView key, Bytes& value) {
  if (has_writes()) {
    if (const auto write = writes_.find(key)) {
      return take(write->value, value);
    }
  }
  if (is_claimed(key)) {
    return txn::ReadOutcome::kAbsent;
  }
  if (const auto found = find_locked(key, value)) {
    return *found;
  }
  return store_.parts().leaseholder.try_get(key, {.reader = id_, .latest = true}, point_, value);
}

std::optional<txn::ReadOutcome> ClusterTransaction::find_locked(ByteView key, Bytes& value) const {
  const auto lock = locks_.empty() ? locks_.end() : locks_.find(Bytes(key));
  if (lock == locks_.end()) {
    return std::nullopt;
  }
  if (lock->second.newest == HlcTimestamp() || lock->second.tombstone) {
    return txn::ReadOutcome::kAbsent;
  }
  if (!lock->second.value.has_value()) {
    return std::nullopt;
  }
  value.assign(*lock->second.value);
  return txn::ReadOutcome::kFound;
}

Result<std::optional<txn::LockOutcome>> ClusterTransaction::try_lock(ByteView key, txn::LockStrength strength) {
  PANDO_ASSERT(!over_, "a lock in a transaction that has ended");
  if (store_.guards().covers(key)) {
    return std::optional<txn::LockOutcome>();
  }
  if (is_claimed(key)) {
    return std::optional(txn::LockOutcome());
  }
  LockRequest request = lock_request(Bytes(key), strength, txn::WaitPolicy::kBlock);
  if (const auto lock = locks_.find(request.key); lock != locks_.end() && lock->second.strength >= strength) {
    return std::optional(outcome_of(lock->second.newest));
  }
  PANDO_ASSIGN(const auto reply, store_.parts().leaseholder.try_lock(request, {.gateway = store_.self()}));
  if (!reply.has_value()) {
    return std::optional<txn::LockOutcome>();
  }
  PANDO_TRY(note_lock(request, store_.self(), *reply));
  store_.note_watched(reply->watched);
  return std::optional(outcome_of(reply->version.newest));
}

bool ClusterTransaction::try_hold(ByteView key, txn::LockStrength strength) {
  PANDO_ASSERT(!over_, "a lock in a transaction that has ended");
  Guards& guards = store_.guards();
  if (strength != txn::LockStrength::kKeyShare || !guards.covers(key)) {
    return false;
  }
  const Guards::Shared shared = guards.try_share(id_, store_.self(), key);
  guarded_ = guarded_ || shared.granted;
  return shared.granted && note_guard(shared.epoch).ok();
}

Result<bool> ClusterTransaction::try_replace(ByteView key, Bytes value) {
  if (has_writes()) {
    return false;
  }
  PANDO_TRY(put(Bytes(key), std::move(value)));
  replaced_ = key;
  return true;
}

bool ClusterTransaction::try_commit() {
  PANDO_ASSERT(!over_, "a transaction ends once");
  if (has_writes() || !hooks_.empty()) {
    return false;
  }
  end();
  return true;
}

bool ClusterTransaction::renew(const txn::TransactionOptions& options) {
  PANDO_ASSERT(over_, "a transaction that has not ended");
  if (writes_.bytes() != 0 || notes_reads()) {
    return false;
  }
  options_ = options;
  id_ = store_.next_transaction();
  point_ = {};
  uncertain_limit_ = {};
  starts_over_ = false;
  oldest_ = {};
  past_.reset();
  statement_ = 0;
  locks_.clear();
  claimed_.clear();
  lock_count_ = 0;
  statement_locks_ = 0;
  earlier_locks_ = 0;
  marks_.clear();
  guard_epoch_ = 0;
  guarded_ = false;
  excluded_.clear();
  replaced_.clear();
  savepoints_.clear();
  hooks_.clear();
  changes_watched_ = false;
  committed_at_ = {};
  over_ = false;
  return true;
}

}  // namespace pando::kv
