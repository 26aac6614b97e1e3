// Committed entries on their way to the state machine: many of several shards in one engine write, made of what the
// state machine makes of its entries and of what the host keeps beside them.

#include <algorithm>

#include "kv/descriptor/keys.h"
#include "kv/replica/apply_plan.h"
#include "kv/replica/replica_core.h"

namespace pando::kv {
namespace {

constexpr std::chrono::nanoseconds kRetryDelay{50'000'000};
// An engine write takes no more entries than cost this, unless one alone does.
constexpr std::size_t kPlanBytesMax = 4_MiB;

}  // namespace

void ReplicaCore::queue_apply(multiraft::GroupApply apply) {
  Replica& replica = *find(apply.group);
  replica.applies.push_back(std::move(apply.entries));
  if (!std::exchange(replica.apply_queued, true)) {
    apply_queue_.push_back(apply.group);
  }
}

void ReplicaCore::apply_queued() {
  while (!engine_failed_) {
    if (plan_ == nullptr) {
      plan_ = make_plan();
    }
    if (plan_ == nullptr) {
      return;
    }
    const Status status = environment_.state_machine.apply(plan_->commands, plan_->changes);
    ++statistics_.engine_writes;
    if (!status.ok()) {
      statistics_.write_error = status;
      engine_failed_ = true;
      after(kRetryDelay, [this] {
        engine_failed_ = false;
        statistics_.write_error = Status();
      });
      return;
    }
    const std::unique_ptr<ApplyPlan> done = std::move(plan_);
    commit(*done);
  }
}

// Null when there is nothing to apply.
std::unique_ptr<ApplyPlan> ReplicaCore::make_plan() {
  auto plan = std::make_unique<ApplyPlan>();
  while (!apply_queue_.empty() && plan->bytes < kPlanBytesMax &&
         (plan->parts.empty() || plan->parts.back().merges.empty())) {
    const ShardId shard = apply_queue_.front();
    Replica* const replica = find(shard);
    if (replica == nullptr || replica->applies.empty() || replica->installing) {
      // An installation that fails queues it again.
      apply_queue_.pop_front();
      if (replica != nullptr) {
        replica->apply_queued = false;
      }
      continue;
    }
    ApplyPlan::Part part{.shard = shard,
                         .self = replica->self,
                         .entries = std::move(replica->applies.front()),
                         .position = {replica->applied, replica->applied_term},
                         .descriptor = replica->descriptor,
                         .config = replica->config};
    replica->applies.pop_front();
    // The core hands out no more before this is applied, so a plan has one part of a shard.
    replica->apply_queued = false;
    apply_queue_.pop_front();
    plan->add(std::move(part), gone_);
    for (const Merge& merge : plan->parts.back().merges) {
      const Replica* const right = find(merge.right.id);
      PANDO_ASSERT(right != nullptr && right->descriptor.merging == merge.right.merging,
                   "whoever merges shards has waited for all replicas of the right one");
    }
  }
  return plan->parts.empty() ? nullptr : std::move(plan);
}

void ReplicaCore::commit(ApplyPlan& plan) {
  for (ApplyPlan::Part& part : plan.parts) {
    Replica& replica = *find(part.shard);
    replica.applied = part.position.index;
    replica.applied_term = part.position.term;
    replica.config = part.config;
    const ShardDescriptor before = std::exchange(replica.descriptor, part.descriptor);
    for (const Merge& merge : part.merges) {
      absorb(merge.right.id, merge.right.next_replica_id);
    }
    if (part.descriptor_changed) {
      watch_nodes(replica.descriptor);
      environment_.state_machine.on_shard(
          {.kind = ShardEvent::Kind::kChanged, .descriptor = replica.descriptor, .before = before});
    }
    multiraft_->applied(part.shard, part.entries.back().index);
    PANDO_ASSERT(raft_of(replica).config() == replica.config, "core and host derive the same configuration");
    for (const Split& split : part.splits) {
      hatch(split, part.self);
    }
    replica.bounds_pending = replica.bounds_pending <= replica.applied ? 0 : replica.bounds_pending;
    replica.config_pending = replica.config_pending <= replica.applied ? 0 : replica.config_pending;
    replica.merge_pending = replica.merge_pending <= replica.applied ? 0 : replica.merge_pending;
    if (replica.removed()) {
      removed_.insert(part.shard);
    }
    statistics_.applied_entries += part.entries.size();
    for (const raft::Entry& entry : part.entries) {
      complete_proposals(replica, entry);
    }
  }
}

void ReplicaCore::complete_proposals(Replica& replica, const raft::Entry& entry) {
  // Entries behind this one are of its term or a later one, so older proposals will not come any more.
  std::vector<std::pair<ProposalCallback, ProposalResult>> over;
  std::deque<Replica::Proposed>& proposals = replica.proposals;
  while (!proposals.empty() && (proposals.front().index <= entry.index || proposals.front().term < entry.term)) {
    const bool applied = proposals.front().index == entry.index && proposals.front().term == entry.term;
    over.emplace_back(std::move(proposals.front().done), applied
                                                             ? ProposalResult{ProposalOutcome::kApplied, entry.index}
                                                             : ProposalResult{ProposalOutcome::kLost});
    proposals.pop_front();
  }
  for (const auto& [done, result] : over) {
    done(result);
  }
}

// A replica ends whose rows have become another one's. Its log goes from the journal when the engine has flushed that:
// after a crash before, the replica is there again, as is the log of the left side that takes it over.
void ReplicaCore::absorb(ShardId shard, ReplicaId next_allowed) {
  forget_replica(shard, next_allowed);
  runtime::spawn(environment_.bulk, flush_and_drop_log(weak_from_this(), &environment_.engine, shard, next_allowed));
}

Task<void> ReplicaCore::flush_and_drop_log(std::weak_ptr<ReplicaCore> weak, storage::Engine* engine, ShardId shard,
                                           ReplicaId next_allowed) {
  const Status flushed = engine->flush();
  if (const auto core = weak.lock()) {
    core->post([core = core.get(), shard, next_allowed, ok = flushed.ok()] {
      if (ok) {
        core->drop_log(shard, next_allowed);
      } else {
        core->after(kRetryDelay, [core, engine = &core->environment_.engine, shard, next_allowed] {
          runtime::spawn(core->environment_.bulk,
                         flush_and_drop_log(core->weak_from_this(), engine, shard, next_allowed));
        });
      }
    });
  }
  co_return;
}

// The right side of a split comes to life once the engine has flushed it: from then on its own log can be relied on,
// whatever becomes of the left side.
void ReplicaCore::hatch(const Split& split, ReplicaId self) {
  runtime::spawn(environment_.bulk, flush_and_create(weak_from_this(), &environment_.engine, split, self));
}

Task<void> ReplicaCore::flush_and_create(std::weak_ptr<ReplicaCore> weak, storage::Engine* engine, Split split,
                                         ReplicaId self) {
  const Status flushed = engine->flush();
  if (const auto core = weak.lock()) {
    core->post([core = core.get(), split, self, ok = flushed.ok()] {
      if (ok) {
        core->create_right(split, self);
      } else {
        core->after(kRetryDelay, [core, split, self] { core->hatch(split, self); });
      }
    });
  }
  co_return;
}

void ReplicaCore::create_right(const Split& split, ReplicaId self) {
  const ShardId shard = split.right.id;
  Replica* right = find(shard);
  if (right != nullptr && (right->initialized || right->installing)) {
    // A snapshot was faster.
    return;
  }
  if (self < gone_[shard]) {
    // It was removed, or replaced by a newer one that waits for its snapshot, before it came to life.
    storage::WriteBatch batch;
    erase_data(split.right, batch);
    batch.put(local_replica_key(shard), encode(LocalReplica{.tombstone = true, .replica = gone_[shard]}));
    environment_.engine.write(batch).ignore("the next start erases it");
    return;
  }
  if (right != nullptr && right->self < self) {
    destroy(shard, self);
    right = nullptr;
  }
  right = right == nullptr ? &add_replica(shard, self) : right;
  const raft::Config config = config_of(split.right);
  multiraft_->install(shard, {kInitialPosition, config});
  right->initialized = true;
  right->descriptor = split.right;
  right->config = config;
  right->applied = kInitialPosition.index;
  right->applied_term = kInitialPosition.term;
  watch_nodes(right->descriptor);
  environment_.state_machine.on_shard({.kind = ShardEvent::Kind::kAdded, .descriptor = right->descriptor});
  const Replica* const left = find(split.left.id);
  if (left != nullptr && raft_of(*left).role() == raft::Role::kLeader) {
    campaigning_.insert(shard);
  }
}

}  // namespace pando::kv
