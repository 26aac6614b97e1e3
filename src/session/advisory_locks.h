#pragma once

// AdvisoryLocks: the locks of pg_advisory_lock() and its family, which mean what the application says they mean.
//
//   PANDO_CO_TRY(co_await locks.lock({.owner = session, .key = key, .exclusive = true}, wait));
//   locks.unlock(session, key, /*exclusive=*/true);
//
// An owner is a session. It may hold a lock many times, for itself and for its transaction; its own locks never
// conflict. Waiters queue first come, first served. A wait that closes a cycle of advisory locks fails with 40P01;
// cycles that go through row locks as well are not seen, and end by lock_timeout or a cancel.
// Thread-safe. No call blocks.

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

class AdvisoryLocks {
 public:
  struct Row {
    AdvisoryKey key;
    uint64_t owner = 0;
    bool exclusive = false;
    bool granted = false;
  };

  bool try_lock(const AdvisoryRequest& request) PANDO_EXCLUDES(mutex_);
  // Errors: 57014, 55P03 lock_timeout, 40P01.
  Task<Status> lock(AdvisoryRequest request, AdvisoryWait wait) PANDO_EXCLUDES(mutex_);
  // One hold of the session's. False when it has none of that mode.
  bool unlock(uint64_t owner, const AdvisoryKey& key, bool exclusive) PANDO_EXCLUDES(mutex_);
  // One hold of the transaction's.
  void release_transaction(const AdvisoryRequest& held) PANDO_EXCLUDES(mutex_);
  // All holds of the session's own; its transaction's stay.
  void unlock_all(uint64_t owner) PANDO_EXCLUDES(mutex_);
  // Whom the owner waits for; empty when it does not wait.
  std::vector<uint64_t> blockers_of(uint64_t owner) PANDO_EXCLUDES(mutex_);
  // pg_locks.
  std::vector<Row> rows() PANDO_EXCLUDES(mutex_);

 private:
  struct Holds {
    // [exclusive][of_transaction]
    uint32_t counts[2][2] = {};
    bool any(bool exclusive) const { return counts[exclusive ? 1 : 0][0] + counts[exclusive ? 1 : 0][1] > 0; }
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
  bool try_lock_now(const AdvisoryRequest& request) PANDO_REQUIRES(mutex_);
  // Whether waiting would close a cycle; its first blocker is for the error's detail.
  bool closes_cycle(const AdvisoryRequest& request, uint64_t& blocker) PANDO_REQUIRES(mutex_);
  // Grants what can be granted now, and forgets the lock when nobody wants it.
  void settle(const AdvisoryKey& key) PANDO_REQUIRES(mutex_);
  void release(const AdvisoryRequest& held) PANDO_REQUIRES(mutex_);
  // Whether it was still waiting; false: it was granted.
  bool stop_waiting(const AdvisoryKey& key, const runtime::Event* granted) PANDO_EXCLUDES(mutex_);

  Mutex mutex_;
  std::map<AdvisoryKey, Lock> locks_ PANDO_GUARDED_BY(mutex_);
};

}  // namespace pando::session
