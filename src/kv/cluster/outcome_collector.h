#pragma once

// OutcomeCollector: lets records of what became of transactions over several shards go, when nobody can ask any more.
//
//   co_await collector.look(executor);               // now and then
//
// A participant that is prepared asks all others what became of the transaction; one that is not never does. So a
// record that is old enough for every message of its transaction to have arrived or been lost goes once no participant
// is prepared. Records of before participants were kept with them stay. Thread-safe; one look() at a time.

#include "kv/cluster/leaseholder.h"

namespace pando::kv {

class ClusterStore;

class OutcomeCollector {
 public:
  // The store outlives it.
  explicit OutcomeCollector(ClusterStore& store) : store_(store) {}

  Task<void> look(runtime::Executor& executor);

 private:
  Task<bool> is_over(const Leaseholder::KnownOutcome& outcome, runtime::Executor& executor);

  ClusterStore& store_;
};

}  // namespace pando::kv
