#include "txn/lock_table.h"

#include <algorithm>
#include <functional>
#include <set>

#include "txn/conflict_errors.h"
#include "txn/lock_stripe.h"

namespace pando::txn {

using internal::kLockCancelled;
using internal::kLockDeadlockVictim;
using internal::kLockGranted;
using internal::kLockNotHeld;
using internal::kLockTimedOut;
using internal::LockedKey;
using internal::LockHolder;
using internal::LockStripe;
using internal::LockWaiter;

namespace {

// The stripe comes from the high bits of a key's hash, the bucket within it from the low ones.
constexpr int kStripeShift = 59;

uint64_t hash_of(ByteView key) { return std::hash<ByteView>()(key); }

std::string_view name_of(LockStrength strength) {
  switch (strength) {
    case LockStrength::kKeyShare:
      return "key share";
    case LockStrength::kShare:
      return "share";
    case LockStrength::kNoKeyUpdate:
      return "no key update";
    case LockStrength::kUpdate:
      return "update";
  }
  PANDO_UNREACHABLE("an unknown lock strength");
}

std::string describe_key(const LockedKey& key) {
  std::string line = key.bytes + ":";
  for (std::size_t i = 0; i < key.holders.size(); ++i) {
    line += fmt::format(" {}={}", key.holders[i].owner->id().number(), name_of(key.holders[i].strength));
  }
  for (const LockWaiter* waiter : key.queue) {
    line += fmt::format(" <- {}={}", waiter->owner->id().number(), name_of(waiter->strength));
  }
  return line;
}

}  // namespace

void LockOwner::release_to(std::size_t mark) {
  while (held_.size() > mark) {
    // Null when its prefix has taken its place.
    if (held_.back().key != nullptr) {
      table_.release(*this, held_.back());
    }
    held_.pop_back();
  }
  if (mark == 0 && !prefixes_.empty()) {
    table_.release_prefixes(*this);
  }
}

LockTable::LockTable(runtime::Timer* timer, std::size_t escalation_locks)
    : timer_(timer), escalation_locks_(escalation_locks), stripes_(std::make_unique<LockStripe[]>(kStripes)) {
  static_assert((uint64_t{1} << (64 - kStripeShift)) == kStripes);
  PANDO_ASSERT(timer != nullptr, "a lock table needs a timer for lock_timeout");
}

LockTable::~LockTable() = default;

LockStripe& LockTable::stripe_of(uint64_t hash) const { return stripes_[hash >> kStripeShift]; }

bool LockTable::try_lock(LockOwner& owner, ByteView key, LockStrength strength) {
  if (!owner.prefixes_.empty() && owner.holds_prefix(key, strength)) {
    return true;
  }
  const uint64_t hash = hash_of(key);
  LockStripe& stripe = stripe_of(hash);
  {
    MutexLock lock(stripe.mutex);
    LockedKey* const entry = stripe.find_or_add(key, hash);
    if (!prefixes_.empty()) [[unlikely]] {
      stand_in(stripe, *entry);
    }
    const LockHolder* const held = entry->holders.find(&owner);
    if (held != nullptr && held->strength >= strength) {
      return true;
    }
    if (!entry->grantable_now(&owner, strength)) {
      return false;
    }
    owner.held_.push_back({entry, entry->grant(&owner, strength)});
  }
  maybe_escalate(owner, key);
  return true;
}

Task<Result<bool>> LockTable::lock(LockOwner* owner, Bytes key, LockStrength strength, LockWait how) {
  if (try_lock(*owner, key, strength)) {
    co_return true;
  }
  if (how.policy == WaitPolicy::kSkipLocked) {
    co_return false;
  }
  if (how.policy == WaitPolicy::kNoWait) {
    co_return lock_not_available();
  }
  PANDO_ASSERT(how.executor != nullptr, "whoever waits needs an executor to continue on");
  LockWaiter waiter(owner, strength, hash_of(key), *how.executor);
  int outcome = kLockGranted;
  if (start_waiting(waiter, key)) {
    waits_total_.fetch_add(1, std::memory_order_relaxed);
    std::optional<runtime::Cancellation::Registration> cancellable;
    if (how.cancellation != nullptr) {
      cancellable.emplace(*how.cancellation, [&waiter](const Status&) { waiter.event.set(kLockCancelled); });
    }
    std::optional<runtime::TimerId> timeout;
    if (how.timeout.count() > 0) {
      timeout = timer_->schedule(how.timeout, [&waiter] { waiter.event.set(kLockTimedOut); });
    }
    break_deadlocks(*owner, waiter.hash);
    outcome = co_await waiter.event.wait();
    if (timeout.has_value()) {
      timer_->cancel(*timeout);
    }
  }
  if (outcome != kLockGranted) {
    co_return end_failed_wait(waiter, outcome, how);
  }
  owner->held_.push_back({waiter.key, waiter.before});
  co_return true;
}

bool LockTable::start_waiting(LockWaiter& waiter, ByteView key) {
  LockStripe& stripe = stripe_of(waiter.hash);
  MutexLock lock(stripe.mutex);
  LockedKey* const entry = stripe.find_or_add(key, waiter.hash);
  if (!prefixes_.empty()) {
    stand_in(stripe, *entry);
  }
  if (entry->grantable_now(waiter.owner, waiter.strength)) {
    waiter.key = entry;
    waiter.before = entry->grant(waiter.owner, waiter.strength);
    return false;
  }
  entry->enqueue(&waiter);
  return true;
}

Status LockTable::end_failed_wait(LockWaiter& waiter, int outcome, const LockWait& how) {
  LockStripe& stripe = stripe_of(waiter.hash);
  {
    MutexLock lock(stripe.mutex);
    waiter.key->dequeue(&waiter);
    waiter.key->grant_waiters();
    stripe.remove_if_unused(waiter.key);
  }
  switch (outcome) {
    case kLockTimedOut:
      return lock_timed_out();
    case kLockCancelled:
      return how.cancellation->status();
    case kLockDeadlockVictim:
      return Status(sql_state::kDeadlockDetected, "deadlock detected")
          .with_detail(waiter.deadlock_detail)
          .with_hint("See server log for query details.");
    default:
      PANDO_UNREACHABLE("an unknown outcome of waiting for a lock");
  }
}

void LockTable::release(LockOwner& owner, const LockOwner::Held& held) {
  LockStripe& stripe = stripe_of(held.key->hash);
  MutexLock lock(stripe.mutex);
  if (held.before == kLockNotHeld) {
    held.key->holders.remove(&owner);
  } else {
    held.key->holders.find(&owner)->strength = static_cast<LockStrength>(held.before);
  }
  if (!held.key->queue.empty()) {
    held.key->grant_waiters();
  }
  stripe.remove_if_unused(held.key);
}

std::optional<LockStrength> LockTable::held(const LockOwner& owner, ByteView key) {
  if (owner.holds_prefix(key, LockStrength::kKeyShare)) {
    const auto held = std::ranges::find(owner.prefixes_, owner.locked_prefix(key), &LockOwner::HeldPrefix::prefix);
    return held->strength;
  }
  const uint64_t hash = hash_of(key);
  LockStripe& stripe = stripe_of(hash);
  MutexLock lock(stripe.mutex);
  LockedKey* const entry = stripe.find(key, hash);
  const LockHolder* const holder = entry == nullptr ? nullptr : entry->holders.find(&owner);
  return holder == nullptr ? std::nullopt : std::optional(holder->strength);
}

bool LockTable::is_awaited(ByteView key) {
  const uint64_t hash = hash_of(key);
  LockStripe& stripe = stripe_of(hash);
  MutexLock lock(stripe.mutex);
  const LockedKey* const entry = stripe.find(key, hash);
  return entry != nullptr && !entry->queue.empty();
}

std::vector<TransactionId> LockTable::holders_in(const Span& span) {
  const auto is_inside = [&](ByteView key) { return key >= span.start && (span.end.empty() || key < span.end); };
  std::set<TransactionId> holders;
  for (std::size_t i = 0; i < kStripes; ++i) {
    MutexLock lock(stripes_[i].mutex);
    for (const LockedPrefix& prefix : prefixes_) {
      if (is_inside(prefix.prefix) || span.start.starts_with(prefix.prefix)) {
        holders.insert(prefix.owner->id());
      }
    }
    for (const auto& bucket : stripes_[i].buckets) {
      for (const LockedKey* key = bucket.get(); key != nullptr; key = key->next_in_bucket.get()) {
        for (std::size_t holder = 0; is_inside(key->bytes) && holder < key->holders.size(); ++holder) {
          holders.insert(key->holders[holder].owner->id());
        }
      }
    }
  }
  return {holders.begin(), holders.end()};
}

LockTable::Counts LockTable::counts() {
  Counts counts{.waits_total = waits_total_, .deadlocks_total = deadlocks_total_};
  for (std::size_t i = 0; i < kStripes; ++i) {
    MutexLock lock(stripes_[i].mutex);
    counts.keys += stripes_[i].size;
    for (const auto& bucket : stripes_[i].buckets) {
      for (const LockedKey* key = bucket.get(); key != nullptr; key = key->next_in_bucket.get()) {
        counts.waiters += key->queue.size();
      }
    }
  }
  return counts;
}

std::vector<LockTable::Wait> LockTable::waits() {
  std::vector<Wait> waits;
  for (std::size_t i = 0; i < kStripes; ++i) {
    MutexLock lock(stripes_[i].mutex);
    for (const auto& bucket : stripes_[i].buckets) {
      for (const LockedKey* key = bucket.get(); key != nullptr; key = key->next_in_bucket.get()) {
        for (const LockWaiter* waiter : key->queue) {
          for (const Edge& edge : edges_from(*waiter->owner)) {
            waits.push_back({waiter->owner->id(), edge.blocker->id()});
          }
        }
      }
    }
  }
  return waits;
}

std::vector<std::string> LockTable::describe() {
  std::vector<std::string> lines;
  for (std::size_t i = 0; i < kStripes; ++i) {
    MutexLock lock(stripes_[i].mutex);
    for (const auto& bucket : stripes_[i].buckets) {
      for (const LockedKey* key = bucket.get(); key != nullptr; key = key->next_in_bucket.get()) {
        lines.push_back(describe_key(*key));
      }
    }
  }
  std::ranges::sort(lines);
  return lines;
}

void LockTable::lock_all_stripes() {
  for (std::size_t i = 0; i < kStripes; ++i) {
    stripes_[i].mutex.lock();
  }
}

void LockTable::unlock_all_stripes() {
  for (std::size_t i = kStripes; i > 0; --i) {
    stripes_[i - 1].mutex.unlock();
  }
}

}  // namespace pando::txn
