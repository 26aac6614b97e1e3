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

Result<std::optional<OutcomeRecord>> Leaseholder::stored_outcome(ByteView key, TransactionId transaction) {
  Bytes bytes;
  PANDO_ASSIGN(const bool found, parts_.engine.get(outcome_key(key, transaction), bytes));
  if (!found) {
    return std::optional<OutcomeRecord>();
  }
  PANDO_ASSIGN(const OutcomeRecord outcome, decode_outcome(bytes));
  return std::optional(outcome);
}

// What is stored of a prepare that this replica has applied. Memory does not tell: this node may lead no more.
Result<Outcome> Leaseholder::stored_promise(ShardId shard, ByteView key, TransactionId transaction) {
  PANDO_ASSIGN(const auto outcome, stored_outcome(key, transaction));
  if (outcome.has_value()) {
    return outcome->committed ? Outcome::kCommitted : Outcome::kAborted;
  }
  Bytes bytes;
  PANDO_ASSIGN(const bool prepared, parts_.engine.get(prepared_key(shard, transaction, key), bytes));
  return prepared ? Outcome::kPrepared : Outcome::kUnknown;
}

Result<bool> Leaseholder::has_stored_promises(ShardId shard) {
  const Bytes prefix = prepared_prefix(shard);
  const auto records = parts_.engine.iterate({prefix, prefix_end(prefix)});
  records->seek(prefix);
  PANDO_TRY(records->status());
  return records->valid();
}

InFlight Leaseholder::in_flight() {
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
