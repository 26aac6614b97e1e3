#pragma once

// LockOwners: the transactions, of all gateways, that hold or await locks on this node.
//
//   LockOwners::Use use(owners, transaction, gateway);       // makes it known
//   use->owner, use->cancellation ...                        // wait for locks
//   owners.release(transaction, 0);                          // its end
//
// A transaction that ends while something of it still waits is cancelled, and goes when that wait has ended.
// Thread-safe; what a Use gives belongs to the coroutine that made it.

#include <deque>
#include <memory>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/ids.h"
#include "base/mutex.h"
#include "runtime/cancellation.h"
#include "runtime/clock.h"
#include "txn/lock_table.h"

namespace pando::kv {

class LockOwners {
 public:
  struct Entry {
    Entry(txn::LockTable& locks, TransactionId transaction, NodeId gateway, uint64_t since_ns)
        : owner(locks, transaction), gateway(gateway), since_ns(since_ns) {}
    txn::LockOwner owner;
    const NodeId gateway;
    // On the monotonic clock, when it first asked for a lock here.
    const uint64_t since_ns;
    runtime::Cancellation cancellation;

   private:
    friend class LockOwners;
    int uses_ = 0;
    bool over_ = false;
  };

  LockOwners(txn::LockTable& locks, runtime::Clock& clock) : locks_(locks), clock_(clock) {}

  class Use {
   public:
    Use(LockOwners& owners, TransactionId transaction, NodeId gateway)
        : owners_(owners), entry_(owners.enter(transaction, gateway)) {}
    ~Use() { owners_.leave(entry_); }
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;
    Entry* operator->() const { return entry_; }
    // Whether another request of the transaction is under way: one that its gateway has given up.
    bool shared() const { return owners_.is_shared(*entry_); }
    // Whether the transaction has ended meanwhile.
    bool over() const { return owners_.is_over(*entry_); }

   private:
    LockOwners& owners_;
    Entry* const entry_;
  };

  // Frees the locks taken after `mark`; 0 ends the transaction.
  void release(TransactionId transaction, std::size_t mark) PANDO_EXCLUDES(mutex_);
  // Ends what it waits for.
  void cancel(TransactionId transaction, Status reason) PANDO_EXCLUDES(mutex_);
  bool knows(TransactionId transaction) PANDO_EXCLUDES(mutex_);
  // Ends the transaction, and has it get nothing more.
  void refuse(TransactionId transaction) PANDO_EXCLUDES(mutex_);
  bool refuses(TransactionId transaction) PANDO_EXCLUDES(mutex_);
  // Ends all transactions of a gateway that cannot be reached. Should it come back, they hold no locks and get no more:
  // what they lock is answered as over, and knows() is false.
  void release_gateway(NodeId gateway) PANDO_EXCLUDES(mutex_);
  std::vector<TransactionId> of_gateway(NodeId gateway) PANDO_EXCLUDES(mutex_);
  std::size_t count() PANDO_EXCLUDES(mutex_);
  // Whether one of them has been here since before `moment_ns`.
  bool any_since(const std::vector<TransactionId>& transactions, uint64_t moment_ns) PANDO_EXCLUDES(mutex_);

 private:
  using Entries = std::unordered_map<TransactionId, std::unique_ptr<Entry>>;

  static constexpr std::size_t kForsakenMax = 65'536;

  void forsake(TransactionId transaction) PANDO_REQUIRES(mutex_);
  Entry* enter(TransactionId transaction, NodeId gateway) PANDO_EXCLUDES(mutex_);
  void leave(Entry* entry) PANDO_EXCLUDES(mutex_);
  bool is_over(const Entry& entry) PANDO_EXCLUDES(mutex_);
  bool is_shared(const Entry& entry) PANDO_EXCLUDES(mutex_);
  std::unique_ptr<Entry> end(Entries::iterator entry) PANDO_REQUIRES(mutex_);

  txn::LockTable& locks_;
  runtime::Clock& clock_;
  Mutex mutex_;
  Entries entries_ PANDO_GUARDED_BY(mutex_);
  // The newest that release_gateway() and refuse() have ended.
  std::unordered_set<TransactionId> forsaken_ PANDO_GUARDED_BY(mutex_);
  std::deque<TransactionId> forsaken_order_ PANDO_GUARDED_BY(mutex_);
};

}  // namespace pando::kv
