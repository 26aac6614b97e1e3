#pragma once

// Replica: what a host keeps in memory for one replica, besides its consensus core. Data of the host's actor.

#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "consensus/raft/raft.h"
#include "kv/replica/replica_host.h"

namespace pando::kv {

// A change of replicas under way at the leader.
struct ReplicaChangeState {
  ReplicaChange wanted;
  DescriptorCallback done;
  uint64_t term = 0;
  uint64_t deadline_ns = 0;
  // Since when a node that is to get a replica cannot be reached; 0: all can.
  uint64_t unreachable_since_ns = 0;
  // The index of the last configuration change that was proposed for it.
  uint64_t proposed = 0;
  bool promoted = false;
};

struct LeaseTransfer {
  ReplicaId target;
  uint64_t term = 0;
  uint64_t deadline_ns = 0;
  StatusCallback done;
};

struct SharedLease;

struct Replica {
  struct Proposed {
    uint64_t index = 0;
    uint64_t term = 0;
    ProposalCallback done;
  };

  ShardId shard;
  ReplicaId self;
  const raft::Raft* core = nullptr;
  // Has data: its descriptor is known.
  bool initialized = false;
  ShardDescriptor descriptor;
  raft::Config config;
  uint64_t applied = 0;
  uint64_t applied_term = 0;
  uint64_t flushed = 0;
  std::shared_ptr<ShardView> view;
  // Who sent messages, beyond the descriptor.
  std::vector<std::pair<ReplicaId, NodeId>> heard_from;

  // --- proposing ---
  std::deque<Proposed> proposals;
  // Of this turn, not yet given to the core.
  std::vector<raft::Payload> payloads;
  std::vector<ProposalCallback> payloads_done;
  // A split is in the log and not applied: nothing may follow it that was evaluated before.
  uint64_t bounds_pending = 0;
  uint64_t config_pending = 0;
  // A merge, or a new generation, is in the log and not applied: what else changes the descriptor waits.
  uint64_t merge_pending = 0;

  // --- applying ---
  std::deque<raft::Entries> applies;
  bool apply_queued = false;
  // A snapshot is being put in place: nothing is applied, and messages are dropped.
  bool installing = false;

  // --- leading ---
  bool serving = false;
  uint64_t serving_term = 0;
  // While its lease is renewed with those of others; and its place among them.
  SharedLease* shared_lease = nullptr;
  std::size_t shared_lease_place = 0;
  // The last handover entry that this replica has proposed: it does not serve again before something follows it.
  uint64_t handover_index = 0;
  std::optional<LeaseTransfer> transfer;
  std::unique_ptr<ReplicaChangeState> change;

  // --- the log in memory ---
  std::size_t log_bytes = 0;
  std::size_t log_bytes_uncompacted = 0;

  // --- leaving ---
  // Nodes that have told of its removal, since when, and when they are asked next.
  std::set<NodeId> removed_for;
  uint64_t removed_since_ns = 0;
  uint64_t next_question_ns = 0;

  bool removed() const { return initialized && descriptor.find(self) == nullptr; }
};

}  // namespace pando::kv
