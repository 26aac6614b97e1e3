#pragma once

// AdvisoryLocks: the locks of pg_advisory_lock() and its family, which mean what the application says they mean.
//
//   PANDO_CO_ASSIGN(const bool taken, co_await locks.take({.owner = session, .key = key, .exclusive = true}, wait));
//   co_await locks.unlock(session, key, /*exclusive=*/true, executor);
//
// An owner is a session. It may hold a lock many times, for itself and for its transaction; its own locks never
// conflict. Waiters queue first come, first served. A wait that closes a cycle of advisory locks fails with 40P01;
// cycles that go through row locks or other nodes as well are not seen, and end by lock_timeout or a cancel.
//
// The table is of one node's sessions. In a cluster an AdvisoryAuthority keeps other nodes' sessions out of what is
// held here: asked before the first session here has a key, told when none does.
// Thread-safe. No call blocks.

#include <atomic>
#include <chrono>
#include <compare>
#include <cstdint>
#include <list>
#include <map>
#include <vector>

#include "base/mutex.h"
#include "base/status.h"
#include "runtime/cancellation.h"
#include "runtime/clock.h"
#include "runtime/event.h"
#include "runtime/task.h"

namespace pando::session {

// What pg_locks shows: one bigint, or two integers.
struct AdvisoryKey {
  uint32_t database = 0;
  uint32_t class_id = 0;
  uint32_t object_id = 0;
  // pg_locks.objsubid: 1 for a bigint, whose halves are class_id and object_id; 2 for two integers.
  uint16_t kind = 1;
  auto operator<=>(const AdvisoryKey&) const = default;
};

struct AdvisoryRequest {
  // Unique among live sessions: its process id, where it has one.
  uint64_t owner = 0;
  AdvisoryKey key;
  bool exclusive = true;
  // Freed by release_transaction() rather than unlock().
  bool of_transaction = false;
};

// Who waits, and for how long.
struct AdvisoryWait {
  runtime::Executor& executor;
  runtime::Timer& timer;
  runtime::Cancellation& cancellation;
  // Zero: for ever.
  std::chrono::milliseconds timeout{0};
};

// The same when the time that is left is told by the cancellation too.
struct AdvisoryCaller {
  runtime::Executor& executor;
  runtime::Cancellation& cancellation;
};

// How a node holds a key, for all of its sessions.
enum class AdvisoryMode : uint8_t { kNone, kShared, kExclusive };

class AdvisoryAuthority {
 public:
  virtual ~AdvisoryAuthority() = default;
  // Until no other node holds the key so that it forbids `mode`; false, and nothing is held, when it does and the
  // caller does not wait. Errors: those of the cancellation, and of the store. REQUIRES: the session that asks is
  // granted the key here already.
  virtual Task<Result<bool>> hold(AdvisoryKey key, AdvisoryMode mode, bool waits, AdvisoryCaller caller) = 0;
  // Sessions here hold the key less than they did, see AdvisoryLocks::mode(): other nodes may have it when it returns,
  // or very soon, when this node cannot tell them and has lost what it held.
  virtual Task<void> lower(AdvisoryKey key, runtime::Executor& executor) = 0;
  // The same, some time soon. Does not block, or call back.
  virtual void lower_later(AdvisoryKey key) = 0;
  // Ends what is over by the clock, as a timer does that may be late when the process has slept. Does not block.
  virtual void expire() = 0;
};

class AdvisoryLocks {
 public:
  struct Row {
    AdvisoryKey key;
    uint64_t owner = 0;
    bool exclusive = false;
    bool granted = false;
  };

  // Before the first session, and null after the last one. Outlives what is between.
  void set_authority(AdvisoryAuthority* authority) { authority_.store(authority); }
  // Before a session does anything that its locks may have to protect: those that are lost end their sessions now.
  void expire() {
    if (AdvisoryAuthority* const authority = authority_.load(std::memory_order_acquire)) {
      authority->expire();
    }
  }

  // One hold more. False only when the caller does not wait. Errors: 57014, 55P03 lock_timeout, 40P01, the authority's.
  Task<Result<bool>> take(AdvisoryRequest request, bool waits, AdvisoryWait wait) PANDO_EXCLUDES(mutex_);
  // One hold of the session's. False when it has none of that mode.
  Task<bool> unlock(uint64_t owner, AdvisoryKey key, bool exclusive, runtime::Executor& executor)
      PANDO_EXCLUDES(mutex_);
  // Holds of the transaction's, one for each of `held`.
  Task<void> release_transaction(std::vector<AdvisoryRequest> held, runtime::Executor& executor) PANDO_EXCLUDES(mutex_);
  // All holds of the session's own; its transaction's stay.
  Task<void> unlock_all(uint64_t owner, runtime::Executor& executor) PANDO_EXCLUDES(mutex_);
  // The same, without waiting until other nodes may have them.
  void forget(uint64_t owner) PANDO_EXCLUDES(mutex_);
  // Whom the owner waits for; empty when it does not wait.
  std::vector<uint64_t> blockers_of(uint64_t owner) PANDO_EXCLUDES(mutex_);
  // pg_locks.
  std::vector<Row> rows() PANDO_EXCLUDES(mutex_);
  // The strongest that a session here holds.
  AdvisoryMode mode(const AdvisoryKey& key) PANDO_EXCLUDES(mutex_);
  // How many holds sessions here have of it.
  std::size_t holds(const AdvisoryKey& key) PANDO_EXCLUDES(mutex_);

 private:
  struct Holds {
    // [exclusive][of_transaction]
    uint32_t counts[2][2] = {};
    uint32_t count(bool exclusive) const { return counts[exclusive ? 1 : 0][0] + counts[exclusive ? 1 : 0][1]; }
    bool any(bool exclusive) const { return count(exclusive) > 0; }
    bool none() const { return !any(false) && !any(true); }
  };
  struct Waiter {
    AdvisoryRequest request;
    runtime::Event* granted;
  };
  struct Lock {
    std::map<uint64_t, Holds> holders;
    std::list<Waiter> waiters;
  };

  // The owners that keep `request` from being granted: holders, and waiters before `end`.
  static std::vector<uint64_t> blockers(const Lock& lock, const AdvisoryRequest& request,
                                        std::list<Waiter>::const_iterator end);
  bool try_lock(const AdvisoryRequest& request) PANDO_EXCLUDES(mutex_);
  Task<Status> lock(AdvisoryRequest request, AdvisoryCaller caller) PANDO_EXCLUDES(mutex_);
  // What is granted here, of other nodes. Undoes the grant when it fails.
  Task<Result<bool>> hold(AdvisoryAuthority* authority, AdvisoryRequest request, bool waits, AdvisoryCaller caller)
      PANDO_EXCLUDES(mutex_);
  bool try_lock_now(const AdvisoryRequest& request) PANDO_REQUIRES(mutex_);
  // Whether waiting would close a cycle; its first blocker is for the error's detail.
  bool closes_cycle(const AdvisoryRequest& request, uint64_t& blocker) PANDO_REQUIRES(mutex_);
  // Grants what can be granted now, and forgets the lock when nobody wants it.
  void settle(const AdvisoryKey& key) PANDO_REQUIRES(mutex_);
  void release(const AdvisoryRequest& held) PANDO_REQUIRES(mutex_);
  // The keys of which it had any.
  std::vector<AdvisoryKey> release_all(uint64_t owner) PANDO_EXCLUDES(mutex_);
  Task<void> lower(std::vector<AdvisoryKey> keys, runtime::Executor& executor);
  // Whether it was still waiting; false: it was granted.
  bool stop_waiting(const AdvisoryKey& key, const runtime::Event* granted) PANDO_EXCLUDES(mutex_);

  std::atomic<AdvisoryAuthority*> authority_{nullptr};
  Mutex mutex_;
  std::map<AdvisoryKey, Lock> locks_ PANDO_GUARDED_BY(mutex_);
  // By owner: what is granted here and asked of other nodes.
  std::map<uint64_t, AdvisoryRequest> asking_ PANDO_GUARDED_BY(mutex_);
};

}  // namespace pando::session
