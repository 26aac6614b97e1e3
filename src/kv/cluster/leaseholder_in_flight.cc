// Leaseholder: waiting for what is on its way, and counting it.

#include "kv/cluster/leaseholder.h"

namespace pando::kv {

// What a prepared transaction has read stays as it is until it is resolved: somebody could see the change and not yet
// the transaction, and be over before it commits. A commit on one shard keeps nobody waiting meanwhile, so it can wait.
Task<void> Leaseholder::wait_for_readers(LedShard& led, const PendingWrite& write, runtime::Executor& executor) {
  while (true) {
    {
      MutexLock lock(led.mutex);
      if (!leads(led) || !led.read_by_prepared(write.keys, write.transaction)) {
        co_return;
      }
    }
    co_await wait_for_change(led, executor);
  }
}

Leaseholder::InFlight Leaseholder::in_flight() {
  InFlight in_flight{.lock_owners = owners_.count(), .locked_keys = locks_.describe().size()};
  {
    MutexLock lock(guards_mutex_);
    in_flight.excluders = excluders_.size();
  }
  MutexLock shards_lock(shards_mutex_);
  for (const auto& [id, led] : shards_) {
    MutexLock lock(led->mutex);
    in_flight.pending_writes += led->pending.size();
    in_flight.prepared += led->prepared.size();
    in_flight.written_keys += led->writers.size();
    in_flight.waiting_requests += led->waiters.size();
  }
  return in_flight;
}

}  // namespace pando::kv
