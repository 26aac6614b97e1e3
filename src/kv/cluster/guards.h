#pragma once

// Guards: locks that nearly every transaction takes and hardly any takes exclusively (of tables), without a message.
//
//   guards.covers(key)                                   key lies under the guarded prefix
//   co_await guards.share(transaction, key, how)         kKeyShare, on this node alone
//   co_await guards.exclude(transaction, key, how)       for another node's transaction: waits for those that share
//   guards.release(transaction)
//
// A gateway may share a key by itself while it has a lease from the leaseholder of the guarded prefix. Whoever wants
// such a key exclusively locks it at that leaseholder, learns which nodes have leases, and excludes on each of them, or
// waits until its lease has run out. While somebody excludes, no node gets a lease that had none. A commit states the
// end of its node's lease as its deadline, so that nothing commits that an exclusion did not wait for.
//
// Thread-safe.

#include <atomic>

#include "kv/cluster/lock_owners.h"
#include "runtime/clock.h"
#include "txn/lock_table.h"

namespace pando::kv {

// How long a node may share by itself after it was allowed to.
inline constexpr std::chrono::milliseconds kGuardLease{3000};

class Guards {
 public:
  Guards(runtime::Clock& clock, runtime::Timer& timer) : clock_(clock), table_(&timer), owners_(table_, clock) {}

  // Before the first transaction.
  void set_prefix(Bytes prefix) { prefix_ = std::move(prefix); }
  const Bytes& prefix() const { return prefix_; }
  bool covers(ByteView key) const { return !prefix_.empty() && key.starts_with(prefix_); }

  // The lease lasts until `until_ns` on the monotonic clock. One that had run out before begins a new epoch.
  void extend(uint64_t until_ns);
  // 0 while there is no lease.
  uint64_t epoch() const;
  // On the wall clock, as of now.
  HlcTimestamp deadline() const;

  struct Shared {
    bool granted = false;
    // Of the lease under which it was granted; 0: there is none, and the lock must be taken at the leaseholder.
    uint64_t epoch = 0;
  };
  // Errors: as LockTable::lock. REQUIRES: how.executor.
  Task<Result<Shared>> share(TransactionId transaction, NodeId self, Bytes key, txn::LockWait how);
  // The same without waiting: not granted when it would have to.
  Shared try_share(TransactionId transaction, NodeId self, ByteView key);
  Task<Status> exclude(TransactionId transaction, NodeId gateway, Bytes key, txn::LockWait how);
  void release(TransactionId transaction) { owners_.release(transaction, 0); }
  void release_gateway(NodeId gateway) { owners_.release_gateway(gateway); }
  // Those of another gateway that exclude others here.
  std::vector<TransactionId> excluders_of(NodeId gateway) { return owners_.of_gateway(gateway); }
  void cancel(TransactionId transaction, Status reason) { owners_.cancel(transaction, std::move(reason)); }
  std::vector<txn::LockTable::Wait> waits() { return table_.waits(); }
  // Transactions that hold or await guarded keys here.
  std::size_t owner_count() { return owners_.count(); }

 private:
  Task<Result<bool>> lock(LockOwners::Use& use, Bytes key, txn::LockStrength strength, txn::LockWait how);

  runtime::Clock& clock_;
  Bytes prefix_;
  std::atomic<uint64_t> until_ns_{0};
  std::atomic<uint64_t> epoch_{0};
  txn::LockTable table_;
  LockOwners owners_;
};

}  // namespace pando::kv
