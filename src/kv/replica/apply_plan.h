#pragma once

// ApplyPlan: what one engine write makes of committed entries of several shards: the commands for the state machine,
// what the host keeps beside them, and what becomes of each replica once it is written. Pure: the same entries on the
// same state give the same plan on every replica.

#include <map>
#include <memory>
#include <vector>

#include "consensus/raft/entries.h"
#include "kv/replica/replica_format.h"
#include "kv/replica/state_machine.h"

namespace pando::kv {

struct ApplyPlan {
  // What becomes of one replica.
  struct Part {
    ShardId shard;
    ReplicaId self;
    // Shared payloads: the commands point into them.
    raft::Entries entries;
    // As applied so far; then, behind the entries.
    raft::LogPosition position;
    ShardDescriptor descriptor;
    raft::Config config;
    bool descriptor_changed = false;
    std::vector<Split> splits;
    // Nothing follows a part with these in a plan: the right sides may be parts themselves.
    std::vector<Merge> merges;
  };

  // `gone`: the lowest replica ids that may still come to this node.
  void add(Part part, const std::map<ShardId, ReplicaId>& gone);

  std::vector<CommittedEntry> commands;
  storage::WriteBatch changes;
  // One per shard.
  std::vector<Part> parts;
  std::size_t bytes = 0;

 private:
  void take(Part& part, const raft::Entry& entry, const std::map<ShardId, ReplicaId>& gone);
  static void take_change(Part& part, const raft::Entry& entry);
  static void take_descriptor(Part& part, const raft::Entry& entry);
  void take_merge(Part& part, const raft::Entry& entry);
  void take_split(Part& part, const raft::Entry& entry, const std::map<ShardId, ReplicaId>& gone);
};

}  // namespace pando::kv
