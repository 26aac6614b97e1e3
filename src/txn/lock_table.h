#pragma once

// LockTable: who holds and who awaits a lock on which key. In memory only; it makes conflicts wait instead of abort.
//
//   LockTable locks(timer);
//   LockOwner owner(locks, TransactionId(7));
//   if (!locks.try_lock(owner, key, LockStrength::kUpdate)) {
//     PANDO_CO_ASSIGN(const bool granted, co_await locks.lock(&owner, key, LockStrength::kUpdate, how));
//   }
//   owner.release_all();
//
// Waiters queue first come, first served; a request that no holder forbids still queues behind a waiter it conflicts
// with, so writers do not starve. An owner that raises its own lock's strength goes to the front.
//
// Deadlocks are found the moment the wait that closes the cycle begins. A cycle that exists only because of the
// queue's order is broken by letting one waiter pass another; otherwise the youngest transaction of the cycle (the
// highest id) is the victim and its lock() fails with 40P01.
//
// Thread-safety: a LockTable is thread-safe, a LockOwner belongs to its transaction's coroutine. No call blocks.

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "runtime/clock.h"
#include "runtime/event.h"
#include "txn/transaction.h"

namespace pando::txn {

class LockTable;

namespace internal {
struct LockedKey;
struct LockWaiter;
struct LockStripe;
}  // namespace internal

// The locks of one transaction, in the order it took them. Outlived by its LockTable.
class LockOwner {
 public:
  LockOwner(LockTable& table, TransactionId id) : table_(table), id_(id) {}
  // Frees what is held. REQUIRES: no lock() of it is waiting.
  ~LockOwner() { release_all(); }
  LockOwner(const LockOwner&) = delete;
  LockOwner& operator=(const LockOwner&) = delete;

  TransactionId id() const { return id_; }
  // A position to return to: locks and raises of strength after it are undone by release_to.
  std::size_t mark() const { return held_.size(); }
  void release_to(std::size_t mark);
  void release_all() { release_to(0); }

 private:
  friend class LockTable;
  friend struct internal::LockedKey;
  struct Held {
    internal::LockedKey* key;
    // What this owner held on the key before: a LockStrength, or kLockNotHeld.
    int8_t before;
  };

  LockTable& table_;
  const TransactionId id_;
  std::vector<Held> held_;
  // What it waits for, if anything. Written under the stripe of that key.
  std::atomic<internal::LockWaiter*> waiting_{nullptr};
};

// How a lock() call may wait.
struct LockWait {
  WaitPolicy policy = WaitPolicy::kBlock;
  runtime::Executor* executor = nullptr;
  // May be null.
  runtime::Cancellation* cancellation = nullptr;
  // Zero means no limit.
  std::chrono::milliseconds timeout{0};
};

class LockTable {
 public:
  // `timer` must outlive the table; it serves lock timeouts.
  explicit LockTable(runtime::Timer* timer);
  // REQUIRES: no owner does anything any more, not even end.
  ~LockTable();
  LockTable(const LockTable&) = delete;
  LockTable& operator=(const LockTable&) = delete;

  // Takes the lock if that needs no waiting; returns whether it did.
  bool try_lock(LockOwner& owner, ByteView key, LockStrength strength);
  // Takes the lock, waiting as `how` says. False only with kSkipLocked. Errors: 55P03, 40P01, the cancellation's.
  // REQUIRES: `owner` waits for nothing else and outlives the task.
  Task<Result<bool>> lock(LockOwner* owner, Bytes key, LockStrength strength, LockWait how);
  // The strongest lock `owner` has on `key`, if any.
  std::optional<LockStrength> held(const LockOwner& owner, ByteView key);

  struct Counts {
    std::size_t keys = 0;
    std::size_t waiters = 0;
    uint64_t waits_total = 0;
    uint64_t deadlocks_total = 0;
  };
  Counts counts();
  // Who waits for whom at the moment, for whoever looks for deadlocks that span several tables.
  struct Wait {
    TransactionId waiter;
    TransactionId blocker;
    friend auto operator<=>(const Wait&, const Wait&) = default;
  };
  std::vector<Wait> waits();
  // One line per locked key, in key order: "key: 1=update 2=key share <- 3=update", for tests and pando.locks.
  std::vector<std::string> describe();

 private:
  friend class LockOwner;
  // A waiting transaction and one that it waits for.
  struct Edge {
    internal::LockWaiter* waiter;
    LockOwner* blocker;
    // The blocker does not hold what the waiter wants; it only stands before it in the queue.
    bool queue_order_only;
  };

  internal::LockStripe& stripe_of(uint64_t hash) const;
  void release(LockOwner& owner, const LockOwner::Held& held);
  // Queues the waiter unless the lock is free by now; returns whether it has to wait.
  bool start_waiting(internal::LockWaiter& waiter, ByteView key);
  Status end_failed_wait(internal::LockWaiter& waiter, int outcome, const LockWait& how);

  // Deadlock detection, in lock_table_deadlock.cc.
  void lock_all_stripes() PANDO_NO_THREAD_SAFETY_ANALYSIS;
  void unlock_all_stripes() PANDO_NO_THREAD_SAFETY_ANALYSIS;
  void break_deadlocks(LockOwner& owner, uint64_t hash);
  void break_cycles_through(LockOwner& owner);
  void abort_victim(const std::vector<Edge>& cycle);
  static std::vector<Edge> edges_from(const LockOwner& owner);
  static std::vector<Edge> find_cycle(LockOwner& owner);

  runtime::Timer* const timer_;
  const std::unique_ptr<internal::LockStripe[]> stripes_;
  std::atomic<uint64_t> waits_total_{0};
  std::atomic<uint64_t> deadlocks_total_{0};
};

}  // namespace pando::txn
