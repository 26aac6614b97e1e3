// ClusterStore: what becomes of transactions that commit on several shards, or whose commit got no answer.

#include <algorithm>

#include "kv/cluster/cluster_store.h"
#include "runtime/sleep.h"

namespace pando::kv {
namespace {

// Applying one keeps a replica busy, and what is behind it waiting.
constexpr std::size_t kPartsResolvedAtOnceMax = 2;
// How long after a participant whose shard nobody leads it is tried again.
constexpr std::chrono::milliseconds kResolveRetry{500};

Status outcome_unknown() {
  return {sql_state::kStatementCompletionUnknown,
          "the connection to the leaseholder broke before it answered, and "
          "whether the transaction was committed cannot be found out"};
}

}  // namespace

Task<Status> ClusterStore::find_outcome(Bytes key, TransactionId transaction, HlcTimestamp since,
                                        runtime::Executor& executor) {
  NodeId node;
  const auto answer = co_await send(key, OutcomeRequest{.transaction = transaction, .key = key, .since = since},
                                    {.executor = &executor}, &node);
  if (!answer.ok()) {
    co_return outcome_unknown();
  }
  switch (answer.reply.outcome) {
    case Outcome::kCommitted:
      co_return Status();
    case Outcome::kAborted:
      co_return Status(sql_state::kSerializationFailure,
                       "the leaseholder was lost before the transaction was committed")
          .with_hint("The transaction might succeed if retried.");
    default:
      co_return outcome_unknown();
  }
}

void ClusterStore::resolve_later(std::shared_ptr<Resolution> resolution) {
  // Each by itself: until it is resolved, whoever reads there waits.
  const std::size_t count = resolution->participants.size();
  const std::size_t tasks = resolution->ticket == nullptr ? count : std::min(count, kPartsResolvedAtOnceMax);
  for (std::size_t i = 0; i < tasks; ++i) {
    spawn_background(resolve(resolution));
  }
}

Task<void> ClusterStore::resolve(std::shared_ptr<Resolution> resolution) {
  const auto& participants = resolution->participants;
  for (std::size_t i = resolution->next++; i < participants.size(); i = resolution->next++) {
    if (!co_await resolve_one(*resolution, i)) {
      // Those behind it do not wait for a shard that nobody leads.
      spawn_background(keep_resolving(resolution, i));
    }
  }
}

// Until somebody has it: a participant whose shard nobody leads is looked after when somebody does.
Task<void> ClusterStore::keep_resolving(std::shared_ptr<Resolution> resolution, std::size_t participant) {
  do {
    co_await runtime::sleep(parts_.timer, parts_.background, kResolveRetry);
  } while (!stopping_.load() && !co_await resolve_one(*resolution, participant));
}

Task<bool> ClusterStore::resolve_one(const Resolution& resolution, std::size_t participant) {
  ResolveRequest request{.transaction = resolution.transaction,
                         .key = resolution.participants[participant].key,
                         .committed = resolution.committed,
                         .at = resolution.at,
                         .participants = resolution.participants};
  const RouteReply route = co_await router_.find(request.key, false, parts_.background);
  if (!route.known || route.leaseholder.number() == 0) {
    co_return false;
  }
  request.shard = route.shard;
  const auto answer = co_await dispatch(route.leaseholder, std::move(request), parts_.background);
  if (!answer.ok()) {
    router_.forget(route.shard);
    co_return false;
  }
  if (participant < resolution.holders.size() && resolution.holders[participant] != route.leaseholder) {
    tell(resolution.holders[participant], ReleaseRequest{.transaction = resolution.transaction});
  }
  co_return true;
}

Task<bool> ClusterStore::is_committing(TransactionId transaction) {
  const NodeId gateway = gateway_of(transaction);
  if (gateway == self_) {
    co_return long_commits_.has(transaction);
  }
  const auto answer =
      co_await parts_.peers.call(gateway, CommittingRequest{.transaction = transaction}, parts_.background);
  co_return answer.ok() && answer.reply.committing;
}

// The participants of a transaction that nobody resolves know together what became of it.
Task<void> ClusterStore::recover(AbandonedTransaction abandoned) {
  if (abandoned.is_long && co_await is_committing(abandoned.transaction)) {
    co_return;
  }
  HlcTimestamp at;
  bool committed = true;
  for (const Participant& participant : abandoned.participants) {
    NodeId node;
    const auto answer = co_await send(participant.key,
                                      OutcomeRequest{.transaction = abandoned.transaction,
                                                     .key = participant.key,
                                                     .prepares = true,
                                                     .participants = abandoned.participants},
                                      {.executor = &parts_.background}, &node);
    if (!answer.ok() || answer.reply.outcome == Outcome::kUnknown) {
      co_return;
    }
    if (answer.reply.outcome == Outcome::kAborted) {
      committed = false;
      break;
    }
    at = std::max(at, answer.reply.at);
    if (answer.reply.outcome == Outcome::kCommitted) {
      at = answer.reply.at;
      break;
    }
  }
  co_await resolve(std::make_shared<Resolution>(abandoned.transaction, std::move(abandoned.participants), committed,
                                                commit_moment(at)));
}

HlcTimestamp ClusterStore::commit_moment(HlcTimestamp latest_prepared) {
  return {latest_prepared.wall_ns, std::max<uint32_t>(latest_prepared.logical, 1)};
}

}  // namespace pando::kv
