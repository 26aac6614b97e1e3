// Leaseholder: what is over: moments that are closed, and what became of transactions that nobody asks for any more.

#include <algorithm>

#include "kv/cluster/leaseholder.h"
#include "kv/descriptor/keys.h"
#include "txn/conflict_errors.h"

namespace pando::kv {

// After the read, or once it has its view of the engine: what was garbage by then may be missing in it.
Status Leaseholder::check_readable(HlcTimestamp at) const {
  return at.wall_ns < readable_from_.load(std::memory_order_seq_cst) ? txn::snapshot_too_old() : Status();
}

std::vector<Leaseholder::Closing> Leaseholder::close_moments() {
  std::vector<Closing> closings;
  // The same for all, as far as it can be, so that one moment can be read on several.
  const HlcTimestamp now = parts_.oracle.next();
  MutexLock shards_lock(shards_mutex_);
  for (const auto& [id, led] : shards_) {
    MutexLock lock(led->mutex);
    if (!leads(*led)) {
      continue;
    }
    // As for a read at that moment; and what is prepared may be committed at any time from then on.
    HlcTimestamp at = std::min(led->complete_until(now), now);
    for (const auto& [name, prepared] : led->prepared) {
      at = std::min(at, HlcTimestamp{prepared.at.wall_ns - 1, 0});
    }
    const auto applied = parts_.engine.applied(id);
    if (!applied.ok()) {
      continue;
    }
    Closing closing{.moment = {.shard = id,
                               .generation = led->generation,
                               .index = *applied,
                               .at = at,
                               .rate = led->load.update(parts_.clock.monotonic_ns())}};
    for (const ReplicaDescriptor& replica : led->descriptor.replicas) {
      closing.replicas.push_back(replica.node);
    }
    closings.push_back(std::move(closing));
  }
  return closings;
}

std::vector<Leaseholder::KnownOutcome> Leaseholder::outcomes_before(HlcTimestamp moment, std::size_t count_max) {
  std::vector<KnownOutcome> found;
  for (const KnownShard& shard : shards()) {
    if (!leads(shard.descriptor.id)) {
      continue;
    }
    // The first span has what is the shard's own.
    const storage::KeySpan span = plain_spans(shard.descriptor).back();
    auto records = parts_.engine.iterate(span);
    for (records->seek(span.start); records->valid() && found.size() < count_max; records->next()) {
      auto name = outcome_name(records->key());
      auto record = decode_outcome(records->value());
      if (name.has_value() && record.ok() && record->at < moment && !record->participants.empty()) {
        found.push_back(
            {.shard = shard.descriptor.id, .name = *std::move(name), .participants = std::move(record->participants)});
      }
    }
  }
  return found;
}

Task<void> Leaseholder::forget_outcome(KnownOutcome outcome, runtime::Executor& executor) {
  // Refused, it is found again.
  const ForgetEntry entry{.transaction = outcome.name.transaction, .key = outcome.name.participant};
  co_await propose(shard(outcome.shard), {entry.key, entry.key + '\0'}, encode_entry(entry), executor,
                   /*hurried=*/false);
}

}  // namespace pando::kv
