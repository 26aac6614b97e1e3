// Snapshots as the replica sees them: when one may take the place of what is here, and what changes when it has.

#include <algorithm>

#include "kv/descriptor/keys.h"
#include "kv/replica/replica_core.h"

namespace pando::kv {
namespace {

template <typename... Args>
Status refused(fmt::format_string<Args...> format, Args&&... args) {
  return Status(sql_state::kObjectNotInPrerequisiteState, format, std::forward<Args>(args)...);
}

bool overlap(const ShardDescriptor& a, const ShardDescriptor& b) {
  return (a.end.empty() || b.start < a.end) && (b.end.empty() || a.start < b.end);
}

// Whether a shard has become a part of another. Splits and merges give their results higher generations than all that
// they are made of.
bool is_part_of(const ShardDescriptor& part, const ShardDescriptor& whole) {
  return part.generation < whole.generation && part.start >= whole.start &&
         (whole.end.empty() || (!part.end.empty() && part.end <= whole.end));
}

storage::KeySpan only(Bytes key) {
  Bytes end = key;
  end.push_back('\0');
  return {std::move(key), std::move(end)};
}

}  // namespace

std::vector<ReplicaCore::Subsumed> ReplicaCore::subsumed_by(const SnapshotMessage& begin) const {
  std::vector<Subsumed> subsumed;
  for (const auto& [shard, other] : replicas_) {
    if (shard != begin.shard && other->initialized && is_part_of(other->descriptor, begin.descriptor)) {
      subsumed.push_back({shard, other->descriptor.next_replica_id});
    }
  }
  return subsumed;
}

void ReplicaCore::snapshot_sent(ShardId shard, ReplicaId to, bool delivered) {
  if (find(shard) != nullptr) {
    multiraft_->report_snapshot(shard, to, delivered);
  }
}

Status ReplicaCore::may_install(NodeId from, const SnapshotMessage& begin) {
  const ReplicaId self = begin.raft.to;
  const raft::Snapshot& snapshot = *begin.raft.snapshot;
  Replica* here = find(begin.shard);
  if ((here == nullptr || here->self < self) && adopt(begin.shard, self)) {
    here = find(begin.shard);
  }
  if (here == nullptr || here->self != self) {
    return refused("there is no such replica");
  }
  if (!here->initialized) {
    std::erase_if(here->heard_from, [&](const auto& known) { return known.first == begin.raft.from; });
    here->heard_from.emplace_back(begin.raft.from, from);
  }
  const raft::Raft& raft = raft_of(*here);
  if (here->installing || plan_ != nullptr || begin.raft.term < raft.term()) {
    return refused("the replica takes no snapshot now");
  }
  if (!snapshot.config.contains(self) || begin.descriptor.find(self) == nullptr) {
    return refused("the replica is no member");
  }
  for (const auto& [shard, other] : replicas_) {
    if (shard == begin.shard || !other->initialized || !overlap(other->descriptor, begin.descriptor)) {
      continue;
    }
    // The other is about to be split, or destroyed.
    if (!is_part_of(other->descriptor, begin.descriptor) || other->installing) {
      return refused("shard {} still has these keys here", shard.number());
    }
  }
  return Status();
}

// The leader could not know: the core tells it.
bool ReplicaCore::needs_no_snapshot(NodeId from, const SnapshotMessage& begin) {
  const Replica* const here = find(begin.shard);
  const raft::LogPosition position = begin.raft.snapshot->position;
  if (here == nullptr || here->self != begin.raft.to || here->installing) {
    return false;
  }
  const raft::Log& log = raft_of(*here).log();
  if (position.index > log.committed() && !log.matches(position)) {
    return false;
  }
  multiraft::Envelope envelope{.from = from, .to = environment_.self};
  envelope.raft.push_back({begin.shard, begin.raft});
  multiraft_->step(std::move(envelope), now_ns());
  return true;
}

Status ReplicaCore::begin_install(NodeId from, const SnapshotMessage& begin, const std::vector<Subsumed>& subsumed) {
  PANDO_TRY(may_install(from, begin));
  if (subsumed_by(begin) != subsumed) {
    return refused("other replicas here have become a part of it since it began");
  }
  find(begin.shard)->installing = true;
  for (const Subsumed& part : subsumed) {
    Replica& replica = *find(part.shard);
    end_serving(replica);
    replica.installing = true;
  }
  return Status();
}

void ReplicaCore::replaced_spans(const SnapshotMessage& begin, const std::vector<Subsumed>& subsumed,
                                 std::vector<storage::KeySpan>& plain, std::vector<storage::KeySpan>& versions) const {
  const Replica& here = *find(begin.shard);
  for (const Subsumed& part : subsumed) {
    const Bytes local = shard_local_key(part.shard, {});
    plain.push_back({local, prefix_end(local)});
    plain.push_back(only(storage::applied_key(part.shard)));
    plain.push_back(only(descriptor_key(part.shard)));
    plain.push_back(only(shard_state_key(part.shard)));
  }
  for (storage::KeySpan& span : plain_spans(begin.descriptor)) {
    plain.push_back(std::move(span));
  }
  versions = {version_span(begin.descriptor)};
  if (here.initialized && here.descriptor.end != begin.descriptor.end) {
    // Keys that the shard has given away by a split that this replica has not seen.
    for (const storage::KeySpan& span : plain_spans(here.descriptor)) {
      plain.push_back(span);
    }
    versions.push_back(version_span(here.descriptor));
  }
}

void ReplicaCore::resume_applying(Replica& replica) {
  replica.installing = false;
  if (!replica.applies.empty() && !std::exchange(replica.apply_queued, true)) {
    apply_queue_.push_back(replica.shard);
  }
}

void ReplicaCore::snapshot_installed(NodeId from, const SnapshotMessage& begin, const std::vector<Subsumed>& subsumed,
                                     const Status& status) {
  Replica& here = *find(begin.shard);
  if (!status.ok()) {
    resume_applying(here);
    for (const Subsumed& part : subsumed) {
      resume_applying(*find(part.shard));
    }
    return;
  }
  here.installing = false;
  for (const Subsumed& part : subsumed) {
    // What the import wrote is durable.
    forget_replica(part.shard, part.next_replica_id);
    drop_log(part.shard, part.next_replica_id);
  }
  const raft::Snapshot& snapshot = *begin.raft.snapshot;
  const ShardDescriptor before = std::exchange(here.descriptor, begin.descriptor);
  here.initialized = true;
  here.applies.clear();
  here.config = snapshot.config;
  here.applied = snapshot.position.index;
  here.applied_term = snapshot.position.term;
  logs_bytes_ -= here.log_bytes;
  here.log_bytes = 0;
  ++statistics_.snapshots_installed;
  watch_nodes(here.descriptor);
  // Whether what was proposed here is part of it cannot be told.
  while (!here.proposals.empty() && here.proposals.front().index <= here.applied) {
    const ProposalCallback done = std::move(here.proposals.front().done);
    here.proposals.pop_front();
    done({.outcome = ProposalOutcome::kUnknown});
  }
  environment_.state_machine.on_shard(
      {.kind = ShardEvent::Kind::kReplaced, .descriptor = here.descriptor, .before = before});
  multiraft::Envelope envelope{.from = from, .to = environment_.self};
  envelope.raft.push_back({begin.shard, begin.raft});
  multiraft_->step(std::move(envelope), now_ns());
  PANDO_ASSERT(raft_of(here).log().compacted() == snapshot.position,
               "nothing has happened to the replica since its snapshot was accepted");
}

}  // namespace pando::kv
