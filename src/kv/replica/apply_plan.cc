#include "kv/replica/apply_plan.h"

#include "kv/descriptor/keys.h"

namespace pando::kv {

void ApplyPlan::add(Part part, const std::map<ShardId, ReplicaId>& gone) {
  const uint64_t term_before = part.position.term;
  for (const raft::Entry& entry : part.entries) {
    take(part, entry, gone);
  }
  if (part.descriptor_changed) {
    changes.put(descriptor_key(part.shard), encode_descriptor(part.descriptor));
  }
  if (part.descriptor_changed || part.position.term != term_before) {
    changes.put(shard_state_key(part.shard), encode(ShardState{part.position.term, part.config}));
  }
  changes.set_applied(part.shard, part.position.index);
  parts.push_back(std::move(part));
}

void ApplyPlan::take(Part& part, const raft::Entry& entry, const std::map<ShardId, ReplicaId>& gone) {
  if (entry.index <= part.position.index) {
    // The state machine was ahead, by a snapshot.
    return;
  }
  PANDO_ASSERT(entry.index == part.position.index + 1, "entries are applied without a gap");
  part.position = {entry.index, entry.term};
  bytes += raft::cost_bytes(entry);
  if (!entry.payload) {
    return;
  }
  if (entry.type == raft::EntryType::kConfigChange) {
    take_change(part, entry);
    return;
  }
  const std::optional<EntryKind> kind = entry_kind(*entry.payload);
  PANDO_ASSERT(kind.has_value(), "an entry of a kind that this version knows");
  const ByteView body = entry_body(*entry.payload);
  switch (*kind) {
    case EntryKind::kCommand:
    case EntryKind::kHandover:
      if (!body.empty()) {
        commands.push_back({.shard = part.shard,
                            .index = entry.index,
                            .term = entry.term,
                            .payload = body,
                            .handover = *kind == EntryKind::kHandover});
      }
      return;
    case EntryKind::kSplit:
      take_split(part, entry, gone);
      return;
    case EntryKind::kDescriptor:
      take_descriptor(part, entry);
      return;
    case EntryKind::kMerge:
      take_merge(part, entry);
      return;
    case EntryKind::kNothing:
    case EntryKind::kConfigChange:
      return;
  }
}

// The core takes the same change in the same way, see raft_config.cc.
void ApplyPlan::take_change(Part& part, const raft::Entry& entry) {
  raft::ConfigChange change;
  NewReplicas added;
  if (!raft::decode(*entry.payload, change)) {
    return;
  }
  auto next = raft::changed(part.config, change);
  if (!next.ok()) {
    return;
  }
  if (!change.context.empty()) {
    const bool decoded = decode(change.context, added);
    PANDO_ASSERT(decoded, "a change of replicas says where they are");
  }
  part.config = *std::move(next);
  part.descriptor = with_config(std::move(part.descriptor), part.config, added);
  part.descriptor_changed = true;
}

void ApplyPlan::take_descriptor(Part& part, const raft::Entry& entry) {
  auto next = decode_descriptor(entry_body(*entry.payload));
  PANDO_ASSERT(next.ok(), "a descriptor that its proposer encoded");
  if (next->generation != part.descriptor.generation + 1 || next->id != part.shard) {
    // Made for another shape: nobody applies it.
    return;
  }
  part.descriptor = *std::move(next);
  part.descriptor_changed = true;
}

// The rows of the right side are where they belong already; only the replica goes.
void ApplyPlan::take_merge(Part& part, const raft::Entry& entry) {
  Merge merge;
  const bool decoded = decode(entry_body(*entry.payload), merge);
  PANDO_ASSERT(decoded, "a merge entry that its proposer encoded");
  if (merge.left_generation != part.descriptor.generation || merge.left.id != part.shard) {
    return;
  }
  part.descriptor = merge.left;
  part.descriptor_changed = true;
  const ShardId right = merge.right.id;
  changes.erase(descriptor_key(right));
  changes.erase(shard_state_key(right));
  changes.erase(storage::applied_key(right));
  const Bytes local = shard_local_key(right, {});
  changes.erase_range(local, prefix_end(local));
  changes.put(local_replica_key(right),
              encode(LocalReplica{.tombstone = true, .replica = merge.right.next_replica_id}));
  if (!merge.handover.empty()) {
    const ByteView body = entry_body(*entry.payload);
    commands.push_back({.shard = part.shard,
                        .index = entry.index,
                        .term = entry.term,
                        .payload = body.substr(body.size() - merge.handover.size()),
                        .handover = true});
  }
  part.merges.push_back(std::move(merge));
}

void ApplyPlan::take_split(Part& part, const raft::Entry& entry, const std::map<ShardId, ReplicaId>& gone) {
  Split split;
  const bool decoded = decode(entry_body(*entry.payload), split);
  PANDO_ASSERT(decoded, "a split entry that its proposer encoded");
  if (split.left.generation != part.descriptor.generation + 1 || split.left.id != part.shard) {
    // Made for another shape: nobody applies it.
    return;
  }
  part.descriptor = split.left;
  part.descriptor_changed = true;
  const auto tombstone = gone.find(split.right.id);
  if (tombstone != gone.end() && part.self < tombstone->second) {
    // The right side has come and gone here while this replica was behind: only its keys are left.
    changes.erase_version_range(split.right.start, split.right.end);
    for (const storage::KeySpan& span : plain_spans(split.right)) {
      changes.erase_range(span.start, span.end);
    }
    return;
  }
  const ShardId right = split.right.id;
  changes.put(descriptor_key(right), encode_descriptor(split.right));
  changes.put(shard_state_key(right), encode(ShardState{kInitialPosition.term, config_of(split.right)}));
  changes.put(local_replica_key(right), encode(LocalReplica{.replica = part.self}));
  changes.set_applied(right, kInitialPosition.index);
  part.splits.push_back(std::move(split));
}

}  // namespace pando::kv
