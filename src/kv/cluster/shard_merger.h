#pragma once

// ShardMerger: makes one shard of two neighbours (kv/replica/replica_merge.cc has the steps and why they are right),
// and gets shards out of merges that nobody goes on with.
//
//   co_await merger.merge(request, executor)            at the leaseholder of the left one
//   for (auto& shard : merger.stuck()) { spawn(merger.recover_stuck(shard, executor)); }        now and then
//
// While it is merged the right shard serves nothing: about three message delays and a flush on every replica.
// Transactions that hold locks there fail with 40001 when they commit. Thread-safe.

#include <map>
#include <set>

#include "base/mutex.h"
#include "kv/cluster/node_requests.h"
#include "kv/descriptor/descriptor.h"

namespace pando::kv {

class ClusterStore;
class ReplicaHost;

class ShardMerger {
 public:
  // The store outlives it.
  explicit ShardMerger(ClusterStore& store) : store_(store) {}

  Task<AnswerTo<MergeRequest>> merge(MergeRequest request, runtime::Executor& executor);
  Task<AnswerTo<AwaitMergingRequest>> await_merging(AwaitMergingRequest request, runtime::Executor& executor);
  Task<AnswerTo<AbandonMergeRequest>> abandon(AbandonMergeRequest request, runtime::Executor& executor);

  // Shards that wait to be merged, whose consensus group this node leads, and with which nobody here goes on for a
  // while.
  std::vector<ShardDescriptor> stuck() PANDO_EXCLUDES(mutex_);
  // Lets such a shard go on by itself, unless it was merged after all.
  Task<void> recover_stuck(ShardDescriptor right, runtime::Executor& executor);

 private:
  Task<void> recover(ShardDescriptor right, runtime::Executor& executor);
  Task<Status> lead_right(ShardId right, Bytes boundary, runtime::Executor& executor);
  Task<Status> merge_with(ShardId left, ShardDescriptor right, runtime::Executor& executor);
  Task<Status> await_replicas(const ShardDescriptor& right, AwaitMergingRequest request, runtime::Executor& executor);
  Task<void> await_replica(NodeId node, AwaitMergingRequest request, std::shared_ptr<struct MergeVote> vote);

  ClusterStore& store_;
  Mutex mutex_;
  // Right sides of merges that this node takes the steps of.
  std::set<ShardId> active_ PANDO_GUARDED_BY(mutex_);
  // When others were first seen, on the monotonic clock.
  std::map<ShardId, uint64_t> waiting_since_ns_ PANDO_GUARDED_BY(mutex_);
};

}  // namespace pando::kv
