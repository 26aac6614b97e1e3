// Leaseholder: how far back can be read, and up to when followers may answer.

#include "kv/cluster/leaseholder.h"
#include "txn/conflict_errors.h"

namespace pando::kv {

// After the read, or once it has its view of the engine: what was garbage by then may be missing in it.
Status Leaseholder::check_readable(HlcTimestamp at) const {
  return at.wall_ns < readable_from_.load(std::memory_order_seq_cst) ? txn::snapshot_too_old() : Status();
}

std::vector<Leaseholder::Closing> Leaseholder::close_moments() {
  std::vector<Closing> closings;
  MutexLock shards_lock(shards_mutex_);
  for (const auto& [id, led] : shards_) {
    MutexLock lock(led->mutex);
    if (!leads(*led)) {
      continue;
    }
    // As for a read at that moment; and what is prepared may be committed at any time from then on.
    HlcTimestamp at = led->complete_until(parts_.oracle.next());
    for (const auto& [transaction, prepared] : led->prepared) {
      at = std::min(at, HlcTimestamp{prepared.at.wall_ns - 1, 0});
    }
    const auto applied = parts_.engine.applied(id);
    if (!applied.ok()) {
      continue;
    }
    Closing closing{.moment = {.shard = id, .generation = led->generation, .index = *applied, .at = at}};
    for (const ReplicaDescriptor& replica : led->descriptor.replicas) {
      closing.replicas.push_back(replica.node);
    }
    closings.push_back(std::move(closing));
  }
  return closings;
}

}  // namespace pando::kv
