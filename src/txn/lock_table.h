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
// An owner of very many locks has those on keys that begin alike replaced by one on the prefix, if nobody else has a
// lock there that conflicts: a bulk load of any size holds few locks. To others it looks as if the owner had locked
// every key with that prefix. Such a lock is held to the end of the transaction.
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
  LockOwner(LockTable& table, TransactionId id);
  // Frees what is held. REQUIRES: no lock() of it is waiting.
  ~LockOwner() { release_all(); }
  LockOwner(const LockOwner&) = delete;
  LockOwner& operator=(const LockOwner&) = delete;

  TransactionId id() const { return id_; }
  // A position to return to: locks and raises of strength after it are undone by release_to.
  std::size_t mark() const { return held_.size(); }
  void release_to(std::size_t mark);
  void release_all() { release_to(0); }
  // The prefix of `key` that this owner has locked as a whole; empty when it has not.
  ByteView locked_prefix(ByteView key) const;

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
  struct HeldPrefix {
    Bytes prefix;
    LockStrength strength;
  };
  bool holds_prefix(ByteView key, LockStrength strength) const;

  std::vector<Held> held_;
  std::vector<HeldPrefix> prefixes_;
  // How many locks it holds when it next tries to replace some by a prefix.
  std::size_t escalate_at_;
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
  // The bytes of a key that make its prefix; shorter keys have none.
  static constexpr std::size_t kPrefixBytes = 8;
  static constexpr std::size_t kEscalationLocks = 50'000;

  // `timer` must outlive the table; it serves lock timeouts. An owner's locks are looked through for a prefix each time
  // it has taken another `escalation_locks`.
  explicit LockTable(runtime::Timer* timer, std::size_t escalation_locks = kEscalationLocks);
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

  // Whether anybody waits for a lock on `key`.
  bool is_awaited(ByteView key);
  // Who has locks on keys in the span, each once. Looks at every locked key.
  std::vector<TransactionId> holders_in(const Span& span);

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

  struct LockedPrefix {
    Bytes prefix;
    LockOwner* owner;
    LockStrength strength;
  };

  internal::LockStripe& stripe_of(uint64_t hash) const;
  void release(LockOwner& owner, const LockOwner::Held& held);

  // --- prefixes, in lock_table_prefixes.cc ---
  const LockedPrefix* find_prefix(ByteView key) const;
  // Makes the owner of the key's prefix a holder of the key, so that the rest of the rules apply.
  void stand_in(internal::LockStripe& stripe, internal::LockedKey& key) PANDO_NO_THREAD_SAFETY_ANALYSIS;
  void maybe_escalate(LockOwner& owner, ByteView key) {
    if (owner.held_.size() >= owner.escalate_at_) {
      escalate(owner, key);
    }
  }
  void escalate(LockOwner& owner, ByteView key) PANDO_NO_THREAD_SAFETY_ANALYSIS;
  bool may_lock_prefix(const LockOwner& owner, ByteView prefix,
                       LockStrength strength) const PANDO_NO_THREAD_SAFETY_ANALYSIS;
  void release_prefixes(LockOwner& owner) PANDO_NO_THREAD_SAFETY_ANALYSIS;
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

  static constexpr std::size_t kStripes = 32;

  runtime::Timer* const timer_;
  const std::size_t escalation_locks_;
  const std::unique_ptr<internal::LockStripe[]> stripes_;
  // Changed with all stripes locked, so that it may be read with any one.
  std::vector<LockedPrefix> prefixes_;
  std::atomic<uint64_t> waits_total_{0};
  std::atomic<uint64_t> deadlocks_total_{0};
};

inline LockOwner::LockOwner(LockTable& table, TransactionId id)
    : table_(table), id_(id), escalate_at_(table.escalation_locks_) {}

}  // namespace pando::txn
