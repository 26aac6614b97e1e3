#pragma once

// Sequences: the state of all sequences of a database. As in PostgreSQL, taking a value is not transactional: a
// rollback leaves a gap, and values are logged ahead, so a crash may skip up to kLogAhead of them.
//
//   if (!sequences.try_next(sequence, 1, values, status)) {   // nothing reserved: never waits
//     PANDO_CO_TRY(co_await sequences.reserve(sequence, 1, executor));
//   }
//
// Thread-safe.

#include <chrono>
#include <map>
#include <vector>

#include "base/mutex.h"
#include "base/status.h"
#include "catalog/descriptor.h"
#include "runtime/clock.h"
#include "runtime/executor.h"
#include "runtime/task.h"
#include "txn/transaction.h"

namespace pando::catalog {

struct SequenceState {
  int64_t last_value = 0;
  bool is_called = false;
  friend bool operator==(const SequenceState&, const SequenceState&) = default;
};

// For a store that other nodes change too: how long a node may hand out values that it has reserved, so that it follows
// setval() elsewhere. setval() is answered once no node has older ones any more.
struct SequenceSharing {
  runtime::Clock* clock = nullptr;
  runtime::Timer* timer = nullptr;
  std::chrono::milliseconds block_life{250};
};

class Sequences {
 public:
  // What `sharing` names outlives it; nothing there: the store is this node's own.
  explicit Sequences(txn::Store& store, SequenceSharing sharing = {}) : store_(store), sharing_(sharing) {}

  // Appends `count` next values and returns true, or returns false when so many are not reserved: then await reserve()
  // and call again. `status` is 2200H when the sequence ends ('nextval: reached maximum value of sequence "s" (9)').
  bool try_next(const SequenceDescriptor& sequence, std::size_t count, std::vector<int64_t>& values, Status& status)
      PANDO_EXCLUDES(mutex_);
  // Makes at least `count` values ready without a wait.
  Task<Status> reserve(SequencePtr sequence, std::size_t count, runtime::Executor& executor) PANDO_EXCLUDES(mutex_);

  // setval(). REQUIRES: the value is within the sequence's bounds.
  Task<Status> set(SequencePtr sequence, SequenceState state, runtime::Executor& executor) PANDO_EXCLUDES(mutex_);
  // What SELECT last_value, is_called FROM the sequence shows.
  Task<Result<SequenceState>> read(SequencePtr sequence, runtime::Executor& executor) PANDO_EXCLUDES(mutex_);

 private:
  struct Cached {
    SequenceState state;
    // What this node has stored last: values up to and including its own are logged as used.
    SequenceState logged;
    bool loaded = false;
    // On the monotonic clock: before its values were reserved.
    uint64_t since_ns = 0;
  };

  uint64_t now_ns() const { return sharing_.clock == nullptr ? 0 : sharing_.clock->monotonic_ns(); }
  // Whether what is reserved may be handed out.
  bool is_fresh(const Cached& cached) const {
    return now_ns() - cached.since_ns <= static_cast<uint64_t>(std::chrono::nanoseconds(sharing_.block_life).count());
  }
  Task<void> wait_for_others(runtime::Executor& executor);
  Task<Status> load_and_log(SequencePtr sequence, std::size_t count, runtime::Executor& executor);

  txn::Store& store_;
  const SequenceSharing sharing_;
  Mutex mutex_;
  std::map<Oid, Cached> cached_ PANDO_GUARDED_BY(mutex_);
};

}  // namespace pando::catalog
