#pragma once

// StateMachine: what a ReplicaHost replicates (kv/replica/replica_host.h). All calls come from the host's actor, one at
// a time, and must not block for long.

#include <span>

#include "kv/descriptor/descriptor.h"
#include "storage/write_batch.h"

namespace pando::kv {

// An entry that was proposed with ReplicaHost::propose, or the payload of a handover (see below).
struct CommittedEntry {
  ShardId shard;
  uint64_t index = 0;
  uint64_t term = 0;
  ByteView payload;
  // It came from StateMachine::handover of the leaseholder before, and is the last entry of its term.
  bool handover = false;
};

struct LeaseEvent {
  enum class Kind : uint8_t {
    // This replica leads in `term`, holds the lease, and has applied everything committed before that term. It may
    // serve reads while ShardView::holds_lease, and propose in `term`.
    kBegan,
    // No longer so. It may begin again, in the same term when the lease had only lapsed.
    kEnded,
  };
  Kind kind = Kind::kEnded;
  uint64_t term = 0;
  // kBegan: the lease of this term had lapsed, or paused for a split, and nobody else has held one since.
  bool resumed = false;
  // kBegan: the leaseholder before handed over, after it had stopped serving: the entry before this term is its
  // handover. Otherwise the earlier lease has expired, on the clocks of the nodes that supported it.
  bool cooperative = false;
};

// Tells of the replicas on this node, after the engine has it.
struct ShardEvent {
  enum class Kind : uint8_t {
    // At start, by bootstrap, or as the right side of a split.
    kAdded,
    // Bounds or replicas have changed: `before` is the old descriptor.
    kChanged,
    // All data came with a snapshot, which may be the first: what is in it was not applied here.
    kReplaced,
    // This node has no replica any more, and its data is gone; or it was merged into its left neighbour, which has it.
    kRemoved,
  };
  Kind kind = Kind::kAdded;
  ShardDescriptor descriptor;
  ShardDescriptor before;
};

class StateMachine {
 public:
  virtual ~StateMachine() = default;

  // Makes the changes of `entries`, which are in the order of the log for each shard, and then `changes` (applied
  // indexes, descriptors), in one engine batch. On an error nothing is applied, and the same call comes again later.
  // What it decides may depend on nothing but the entries and what was applied before.
  virtual Status apply(std::span<const CommittedEntry> entries, const storage::WriteBatch& changes) = 0;

  virtual void on_lease(ShardId shard, const LeaseEvent& event) = 0;
  virtual void on_shard(const ShardEvent& event) = 0;

  // The lease of `shard` is about to be handed over: on_lease(kEnded) was called, and nothing is proposed here any
  // more. What it returns becomes the last entry of the term, which the next leaseholder applies before its lease
  // begins.
  virtual Bytes handover(ShardId shard) { return {}; }
};

}  // namespace pando::kv
