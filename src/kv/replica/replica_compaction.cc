// How much of the logs is kept. In memory: what live followers have not got yet, and a tail for those that a next
// leader would find a little behind, within budgets; who needs more gets a snapshot. In the journal: what the engine
// has not flushed, and what is in memory, within a budget.

#include <algorithm>

#include "kv/replica/replica_core.h"

namespace pando::kv {
namespace {

constexpr uint64_t kIntervalNs = 100'000'000;
// Of the most that is kept: a log is looked at when it has grown by this, and keeps this for nobody in particular.
constexpr std::size_t kGrowthDivisor = 8;
constexpr std::size_t kTailDivisor = 16;
// A follower that receives a snapshot needs what follows it, or it would need another at once.
constexpr std::size_t kSnapshotFactor = 4;

}  // namespace

void ReplicaCore::note_growth(Replica& replica, std::size_t bytes) {
  replica.log_bytes += bytes;
  replica.log_bytes_uncompacted += bytes;
  logs_bytes_ += bytes;
  if (replica.log_bytes_uncompacted > options_.log_bytes_max / kGrowthDivisor) {
    grown_.insert(replica.shard);
  }
}

void ReplicaCore::compact_logs() {
  const uint64_t now = now_ns();
  if (now < next_compaction_ns_) {
    return;
  }
  next_compaction_ns_ = now + kIntervalNs;
  statistics_.awake_groups = multiraft_->awake_count();
  statistics_.groups = replicas_.size();
  statistics_.log_bytes = logs_bytes_;
  statistics_.journal = journal_->statistics();
  const bool over_budget = logs_bytes_ > options_.logs_bytes_max;
  const std::set<ShardId> grown = std::exchange(grown_, {});
  if (over_budget) {
    for (const auto& [shard, replica] : replicas_) {
      if (replica->initialized) {
        compact(*replica, options_.log_bytes_max / kGrowthDivisor, 0);
      }
    }
    return;
  }
  for (const ShardId shard : grown) {
    Replica* const replica = find(shard);
    if (replica != nullptr && replica->initialized) {
      compact(*replica, options_.log_bytes_max, options_.log_bytes_max / kTailDivisor);
    } else if (replica != nullptr) {
      grown_.insert(shard);
    }
  }
}

void ReplicaCore::compact(Replica& replica, std::size_t bytes_max, std::size_t tail_bytes) {
  const raft::Raft& raft = raft_of(replica);
  const raft::Log& log = raft.log();
  replica.log_bytes_uncompacted = 0;
  raft::LogIndex wanted = replica.applied;
  for (const raft::Progress& progress : raft.progress()) {
    if (progress.id == replica.self) {
      continue;
    }
    const bool receives = progress.state == raft::ProgressState::kSnapshot;
    if (receives) {
      bytes_max = std::max(bytes_max, options_.log_bytes_max * kSnapshotFactor);
    }
    if (progress.recently_active || progress.fortified_epoch != 0) {
      wanted = std::min(wanted, receives ? progress.pending_snapshot : progress.match);
    }
  }
  // From the end: everything within the tail stays, then what is wanted, as long as there is room.
  std::size_t bytes = 0;
  raft::LogIndex first_kept = log.last_index() + 1;
  while (first_kept > log.compacted().index + 1) {
    const std::size_t with = bytes + raft::cost_bytes(log.at(first_kept - 1));
    if (with > bytes_max || (with > tail_bytes && first_kept - 1 <= wanted)) {
      break;
    }
    bytes = with;
    --first_kept;
  }
  const raft::LogIndex cut = std::min(first_kept - 1, std::min(replica.applied, log.applied()));
  if (cut > log.compacted().index) {
    for (raft::LogIndex index = cut + 1; index < first_kept; ++index) {
      bytes += raft::cost_bytes(log.at(index));
    }
    multiraft_->compact(replica.shard, cut);
    logs_bytes_ -= replica.log_bytes;
    replica.log_bytes = bytes;
    logs_bytes_ += bytes;
  }
  release_journal(replica);
}

void ReplicaCore::on_flushed(const std::vector<storage::AppliedIndex>& flushed) {
  post([this, flushed] {
    for (const storage::AppliedIndex& applied : flushed) {
      if (Replica* const replica = find(applied.shard); replica != nullptr) {
        replica->flushed = std::max(replica->flushed, applied.index);
        release_journal(*replica);
      }
    }
  });
}

void ReplicaCore::release_journal(const Replica& replica) {
  const bool full = statistics_.journal.live_bytes > options_.journal_keep_bytes;
  const uint64_t in_memory = raft_of(replica).log().compacted().index;
  journal_->release(replica.shard, full ? replica.flushed : std::min(replica.flushed, in_memory));
}

}  // namespace pando::kv
