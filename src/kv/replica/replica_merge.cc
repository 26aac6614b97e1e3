// Two shards become one: the right one stops serving for good, as an entry of its own log says; once every replica of
// it has durably applied that, an entry in the left one's log makes its rows a part of the left one. A replica that has
// missed the entry, and gets a snapshot of the left side instead, takes the right one over with it
// (replica_snapshot.cc).
//
// Why this is right: nothing can be added to the right side behind the entry that stops it, so wherever that is
// applied its rows are the same. Neither side's replicas can change in between: the right one's not because nobody
// leads it, the left one's not without a new generation, for which the merge is not made. And a merge that did not
// happen never will, once the left side has a new generation: then the right one may go on.

#include "kv/replica/replica_core.h"

namespace pando::kv {
namespace {

template <typename... Args>
Status not_now(fmt::format_string<Args...> format, Args&&... args) {
  return Status(sql_state::kObjectNotInPrerequisiteState, format, std::forward<Args>(args)...);
}

bool is_changing(const Replica& replica) {
  return replica.change != nullptr || replica.bounds_pending != 0 || replica.config_pending != 0 ||
         replica.merge_pending != 0 || replica.config.joint();
}

// Whether the shards have their replicas, all voters, on the same nodes.
bool share_nodes(const ShardDescriptor& a, const ShardDescriptor& b) {
  const auto is_voter_of = [](const ReplicaDescriptor& replica, const ShardDescriptor& other) {
    const ReplicaDescriptor* const there = other.on_node(replica.node);
    return replica.role == ReplicaRole::kVoter && there != nullptr && there->role == ReplicaRole::kVoter;
  };
  return a.replicas.size() == b.replicas.size() &&
         std::ranges::all_of(a.replicas, [&](const auto& replica) { return is_voter_of(replica, b); });
}

}  // namespace

uint64_t ReplicaCore::propose_shape(Replica& replica, EntryKind kind, Bytes body, DescriptorCallback done) {
  const ShardId shard = replica.shard;
  const uint64_t generation = replica.descriptor.generation;
  return propose_own(replica, kind, std::move(body),
                     [this, shard, generation, done = std::move(done)](ProposalResult result) {
                       const Replica* const here = find(shard);
                       if (result.outcome != ProposalOutcome::kApplied || here == nullptr ||
                           here->descriptor.generation == generation) {
                         done(not_now("the change of shard {} was overtaken by another", shard.number()));
                         return;
                       }
                       done(here->descriptor);
                     });
}

void ReplicaCore::begin_merging(ShardId shard, const MergingInto& into, DescriptorCallback done) {
  Replica* const right = find(shard);
  const Replica* const left = find(into.left);
  if (right == nullptr || !right->serving || left == nullptr || !left->serving) {
    done(not_now("this node does not lead both shard {} and shard {}", into.left.number(), shard.number()));
    return;
  }
  if (is_changing(*right) || is_changing(*left) || left->descriptor.generation != into.left_generation ||
      left->descriptor.end != right->descriptor.start || right->descriptor.start.empty()) {
    done(not_now("shard {} or shard {} is being changed already", into.left.number(), shard.number()));
    return;
  }
  if (!share_nodes(left->descriptor, right->descriptor)) {
    done(not_now("shard {} and shard {} have their replicas on different nodes", into.left.number(), shard.number()));
    return;
  }
  ShardDescriptor merging = right->descriptor;
  merging.bounds_generation = ++merging.generation;
  merging.merging = into;
  right->bounds_pending = propose_shape(*right, EntryKind::kDescriptor, encode_descriptor(merging), std::move(done));
  if (right->bounds_pending != 0) {
    end_serving(*right);
  }
}

void ReplicaCore::end_merging(ShardId shard, const MergingInto& into, DescriptorCallback done) {
  Replica* const right = find(shard);
  if (right == nullptr || raft_of(*right).role() != raft::Role::kLeader ||
      right->applied_term != raft_of(*right).term() || is_changing(*right)) {
    done(not_now("this node does not lead shard {}", shard.number()));
    return;
  }
  if (right->descriptor.merging != into) {
    done(right->descriptor);
    return;
  }
  ShardDescriptor alone = right->descriptor;
  ++alone.generation;
  alone.merging.reset();
  right->merge_pending = propose_shape(*right, EntryKind::kDescriptor, encode_descriptor(alone), std::move(done));
}

void ReplicaCore::renew_generation(ShardId shard, uint64_t generation, DescriptorCallback done) {
  Replica* const replica = find(shard);
  if (replica == nullptr || !replica->serving || is_changing(*replica)) {
    done(not_now("this node does not lead shard {}, or it is being changed", shard.number()));
    return;
  }
  if (replica->descriptor.generation != generation) {
    done(replica->descriptor);
    return;
  }
  ShardDescriptor renewed = replica->descriptor;
  ++renewed.generation;
  replica->merge_pending = propose_shape(*replica, EntryKind::kDescriptor, encode_descriptor(renewed), std::move(done));
}

void ReplicaCore::merge(ShardId left_id, ShardId right_id, Bytes handover, DescriptorCallback done) {
  Replica* const left = find(left_id);
  const Replica* const right = find(right_id);
  if (left == nullptr || !left->serving || is_changing(*left)) {
    done(not_now("this node does not lead shard {}, or it is being changed", left_id.number()));
    return;
  }
  const MergingInto into{.left = left_id, .left_generation = left->descriptor.generation};
  if (right == nullptr || right->descriptor.merging != into || right->descriptor.start != left->descriptor.end) {
    done(not_now("shard {} does not wait to become a part of shard {}", right_id.number(), left_id.number()));
    return;
  }
  Merge merge{.left_generation = into.left_generation,
              .left = left->descriptor,
              .right = right->descriptor,
              .handover = std::move(handover)};
  merge.left.end = right->descriptor.end;
  merge.left.generation = std::max(left->descriptor.generation, right->descriptor.generation) + 1;
  left->merge_pending = propose_shape(*left, EntryKind::kMerge, encode(merge), std::move(done));
}

void ReplicaCore::await_merging(ShardId shard, const MergingInto& into, StatusCallback done) {
  const Replica* const replica = find(shard);
  const bool waits = into.left != ShardId();
  if (waits && (replica == nullptr || !replica->initialized || replica->descriptor.merging != into)) {
    done(not_now("the replica of shard {} has not heard that it is merged", shard.number()));
    return;
  }
  runtime::spawn(environment_.bulk, flush_and_tell(&environment_.engine, std::move(done)));
}

Task<void> ReplicaCore::flush_and_tell(storage::Engine* engine, StatusCallback done) {
  done(engine->flush());
  co_return;
}

}  // namespace pando::kv
