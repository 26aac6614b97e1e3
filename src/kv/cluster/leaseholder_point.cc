// Leaseholder: reads and locks of one key that need not wait.

#include "kv/cluster/leaseholder.h"
#include "txn/conflict_errors.h"

namespace pando::kv {

Result<txn::ReadOutcome> Leaseholder::try_get(ByteView key, QuickRead how, ReadPoint& point, Bytes& value) {
  using Outcome = txn::ReadOutcome;
  LedShard* const led = find_shard(key);
  if (led == nullptr) {
    return Outcome::kMustWait;
  }
  Settled settled{.point = how.latest ? ReadPoint() : point};
  {
    MutexLock lock(led->mutex);
    if (!leads(*led) || !led->contains(key)) {
      return Outcome::kMustWait;
    }
    const HlcTimestamp limit = settle_moment(*led, settled.point);
    if (led->find_writer(key, how.reader, settled.point.at, limit) != nullptr) {
      return Outcome::kMustWait;
    }
    settled.lease_start = led->lease_start;
  }
  CachedRecord record;
  record.value.swap(value);
  bool found = parts_.cache.get(key, record);
  if (!found) {
    if (how.from_memory) {
      return Outcome::kMustWait;
    }
    PANDO_ASSIGN(found, newest(key, record));
  }
  if (found && !how.latest && record.timestamp > settled.point.at) {
    if (how.from_memory || is_uncertain(record.timestamp, settled.point, settled.lease_start)) {
      return Outcome::kMustWait;
    }
    PANDO_ASSIGN(found, read(key, settled.point.at, record));
  }
  if (!how.latest) {
    PANDO_TRY(check_readable(settled.point.at));
    point = settled.point;
  }
  value.swap(record.value);
  return found && !record.tombstone ? Outcome::kFound : Outcome::kAbsent;
}

Result<std::optional<LockReply>> Leaseholder::try_lock(LockRequest& request, QuickLock how) {
  LedShard* const led = find_shard(request.key);
  HlcTimestamp newest;
  bool tombstone = false;
  if (led == nullptr || (how.from_memory && !parts_.cache.get_timestamp(request.key, newest, tombstone))) {
    return std::optional<LockReply>();
  }
  if (how.gateway != self_ && led->id != request.shard) {
    return std::optional<LockReply>();
  }
  request.shard = led->id;
  LockOwners::Use use(owners_, request.transaction, how.gateway);
  LockReply reply{.mark_before = use->owner.mark()};
  if (use.over() || !locks_.try_lock(use->owner, request.key, request.strength)) {
    return std::optional<LockReply>();
  }
  reply.mark_after = use->owner.mark();
  std::optional<Settled> settled;
  {
    MutexLock lock(led->mutex);
    settled = try_settle_lock(*led, request.key, request.transaction);
    reply.term = led->term;
    reply.watched = led->watched;
  }
  if (!settled.has_value() || settled->verdict != Verdict::kOk) {
    use->owner.release_to(reply.mark_before);
    return std::optional<LockReply>();
  }
  PANDO_TRY(describe_locked(request, reply));
  return std::optional(std::move(reply));
}

}  // namespace pando::kv
