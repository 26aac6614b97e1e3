#include "kv/cluster/outcome_collector.h"

#include <set>

#include "kv/cluster/cluster_store.h"

namespace pando::kv {
namespace {

// At a time: what is left is found by the next look.
constexpr std::size_t kOutcomesMax = 4096;

}  // namespace

Task<void> OutcomeCollector::look(runtime::Executor& executor) {
  Leaseholder& local = store_.parts().leaseholder;
  const uint64_t now_ns = store_.parts().oracle.last().wall_ns;
  const auto age_ns = static_cast<uint64_t>(std::chrono::nanoseconds(store_.options().keep_outcomes).count());
  // A large commit has many participants, on few shards.
  std::set<TransactionId> over;
  for (auto& outcome : local.outcomes_before({now_ns - std::min(now_ns, age_ns), 0}, kOutcomesMax)) {
    if (store_.stopping()) {
      co_return;
    }
    if (over.contains(outcome.name.transaction) || co_await is_over(outcome, executor)) {
      over.insert(outcome.name.transaction);
      co_await local.forget_outcome(std::move(outcome), executor);
    }
  }
}

Task<bool> OutcomeCollector::is_over(const Leaseholder::KnownOutcome& outcome, runtime::Executor& executor) {
  for (const Participant& participant : outcome.participants) {
    NodeId node;
    const auto answer = co_await store_.send(
        participant.key,
        OutcomeRequest{
            .transaction = outcome.name.transaction, .key = participant.key, .prepares = true, .looks_only = true},
        {.executor = &executor}, &node);
    if (!answer.ok() || answer.reply.outcome == Outcome::kPrepared) {
      co_return false;
    }
  }
  co_return true;
}

}  // namespace pando::kv
