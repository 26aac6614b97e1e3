#pragma once

// The inside of LockTable: one stripe of its keys, and the rules of who is granted when. Pure bookkeeping under the
// stripe's mutex. For lock_table*.cc only.

#include <memory>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "runtime/event.h"
#include "txn/lock_table.h"

namespace pando::txn::internal {

inline constexpr int8_t kLockNotHeld = -1;

enum LockWaitOutcome : int { kLockGranted, kLockTimedOut, kLockCancelled, kLockDeadlockVictim };

struct LockWaiter {
  LockWaiter(LockOwner* owner, LockStrength strength, uint64_t hash, runtime::Executor& executor)
      : owner(owner), strength(strength), hash(hash), event(executor) {}
  LockOwner* const owner;
  const LockStrength strength;
  // Of the key, to find its stripe when the key may be gone.
  const uint64_t hash;
  LockedKey* key = nullptr;
  // What the owner holds on the key already: a LockStrength, or kLockNotHeld.
  int8_t before = kLockNotHeld;
  // It has passed another waiter once to break a cycle and may not again.
  bool passed = false;
  // Set when it becomes the victim, before the event.
  std::string deadlock_detail;
  runtime::Event event;
};

struct LockHolder {
  LockOwner* owner;
  LockStrength strength;
};

// The holders of one key: nearly always one, which is kept in place.
class LockHolders {
 public:
  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }
  LockHolder& operator[](std::size_t i) { return i == 0 ? first_ : more_[i - 1]; }
  const LockHolder& operator[](std::size_t i) const { return i == 0 ? first_ : more_[i - 1]; }
  void add(LockHolder holder);
  // Keeps the order of the others. REQUIRES: it is there.
  void remove(const LockOwner* owner);
  // Null when it is not there.
  LockHolder* find(const LockOwner* owner);

 private:
  std::size_t size_ = 0;
  LockHolder first_{};
  std::vector<LockHolder> more_;
};

struct LockedKey {
  Bytes bytes;
  uint64_t hash = 0;
  std::unique_ptr<LockedKey> next_in_bucket;
  LockHolders holders;
  std::vector<LockWaiter*> queue;

  bool holders_allow(const LockOwner* owner, LockStrength strength) const;
  // Whether a waiter before position `end` of the queue, other than `owner`, conflicts with `strength`.
  bool queue_forbids(std::size_t end, const LockOwner* owner, LockStrength strength) const;
  // Whether `owner` may have the lock without queueing.
  bool grantable_now(const LockOwner* owner, LockStrength strength);
  // Gives the lock to an owner; returns what it held before, or kLockNotHeld.
  int8_t grant(LockOwner* owner, LockStrength strength);
  void enqueue(LockWaiter* waiter);
  // For a waiter that was not granted; it does this itself.
  void dequeue(LockWaiter* waiter);
  // Wakes every waiter that can now have the lock, in order.
  void grant_waiters();
};

// A hash table of locked keys that recycles its nodes, so that locking allocates nothing in the steady state.
struct alignas(64) LockStripe {
  LockStripe();

  LockedKey* find(ByteView key, uint64_t hash) PANDO_REQUIRES(mutex);
  LockedKey* find_or_add(ByteView key, uint64_t hash) PANDO_REQUIRES(mutex);
  void remove_if_unused(LockedKey* key) PANDO_REQUIRES(mutex);
  void remove_all_unused() PANDO_REQUIRES(mutex);

  Mutex mutex;
  std::vector<std::unique_ptr<LockedKey>> buckets PANDO_GUARDED_BY(mutex);
  std::vector<std::unique_ptr<LockedKey>> spare PANDO_GUARDED_BY(mutex);
  std::size_t size PANDO_GUARDED_BY(mutex) = 0;
  // The keys that an owner holds only because it holds their prefix.
  struct StandIn {
    LockedKey* key;
    LockOwner* owner;
  };
  std::vector<StandIn> stand_ins PANDO_GUARDED_BY(mutex);

 private:
  void grow() PANDO_REQUIRES(mutex);
};

}  // namespace pando::txn::internal
