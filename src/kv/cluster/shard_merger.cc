#include "kv/cluster/shard_merger.h"

#include "kv/cluster/cluster_store.h"
#include "runtime/sleep.h"

namespace pando::kv {
namespace {

constexpr std::chrono::milliseconds kPoll{5};
// For the replicas of the right side to hear of it and to flush; nothing is served there meanwhile.
constexpr std::chrono::milliseconds kAwaitReplicas{2000};
// For them to flush before, while everything is still served.
constexpr std::chrono::milliseconds kAwaitFlush{10'000};
constexpr std::chrono::milliseconds kAwaitLease{500};
// Whoever takes the steps of a merge leads the right side, and knows of it: another leader can be sure soon.
constexpr uint64_t kStuckAfterNs = 500'000'000;

uint64_t to_ns(std::chrono::nanoseconds duration) { return static_cast<uint64_t>(duration.count()); }

Status not_now(std::string_view what) { return {sql_state::kObjectNotInPrerequisiteState, "{}", what}; }

// A call to the host, as something to wait for.
template <typename T>
struct HostCall {
  explicit HostCall(runtime::Executor& executor) : decided(executor) {}
  std::optional<T> result;
  runtime::Event decided;
  std::function<void(T)> callback() {
    return [this](T value) {
      result.emplace(std::move(value));
      decided.set();
    };
  }
};
using DescriptorCall = HostCall<Result<ShardDescriptor>>;
using StatusCall = HostCall<Status>;

}  // namespace

// Which replicas are ready.
struct MergeVote {
  explicit MergeVote(std::size_t count) : open(count) {}
  std::atomic<std::size_t> open;
  std::atomic<bool> failed{false};
};

Task<AnswerTo<MergeRequest>> ShardMerger::merge(MergeRequest request, runtime::Executor& executor) {
  using Reply = AnswerTo<MergeRequest>;
  Leaseholder& local = store_.parts().leaseholder;
  const auto sides = local.neighbours(request.shard, request.boundary);
  switch (sides.verdict) {
    case Verdict::kOk:
      break;
    case Verdict::kNotLeaseholder:
      co_return Reply::not_leaseholder(sides.hint);
    default:
      co_return Reply::error(not_now("this node has no replica of the shard on the right"));
  }
  if (sides.reply.id == request.shard) {
    // There is no boundary any more.
    co_return Reply();
  }
  const ShardId right = sides.reply.id;
  {
    MutexLock lock(mutex_);
    if (!active_.insert(right).second) {
      co_return Reply::try_again();
    }
  }
  Status status;
  if (sides.reply.merging.has_value()) {
    // By somebody who is gone.
    co_await recover(sides.reply, executor);
    status = not_now("an earlier merge of the shard was given up");
  } else {
    status = co_await lead_right(right, request.boundary, executor);
  }
  if (status.ok()) {
    status = co_await local.prepare_merge(right, executor);
  }
  if (status.ok()) {
    status = co_await merge_with(request.shard, sides.reply, executor);
  }
  local.end_merge(right);
  {
    MutexLock lock(mutex_);
    active_.erase(right);
  }
  co_return status.ok() ? Reply() : Reply::error(std::move(status));
}

// Both sides must be led by this node, so that all that was read on either is known here.
Task<Status> ShardMerger::lead_right(ShardId right, Bytes boundary, runtime::Executor& executor) {
  Leaseholder& local = store_.parts().leaseholder;
  if (local.leads(right)) {
    co_return Status();
  }
  const RouteReply route = co_await store_.router().find(std::move(boundary), false, executor);
  if (route.shard == right && route.leaseholder.number() != 0 && route.leaseholder != store_.self()) {
    co_await store_.parts().peers.call(route.leaseholder, TransferRequest{.shard = right, .target = store_.self()},
                                       executor);
  }
  // Not longer: should it turn out that an earlier merge of it was given up, recovery must get its turn.
  const uint64_t deadline_ns = store_.parts().clock.monotonic_ns() + to_ns(kAwaitLease);
  while (!local.leads(right)) {
    if (store_.parts().clock.monotonic_ns() > deadline_ns) {
      co_return not_now("this node does not get to lead the shard on the right");
    }
    co_await runtime::sleep(store_.parts().timer, executor, kPoll);
  }
  co_return Status();
}

Task<Status> ShardMerger::merge_with(ShardId left, ShardDescriptor right, runtime::Executor& executor) {
  ReplicaHost& host = store_.parts().leaseholder.host();
  // While everything is still served: whether all can be reached, and that they have little left to flush.
  PANDO_CO_TRY(co_await await_replicas(right, {.shard = right.id}, executor));
  const auto generation = store_.parts().leaseholder.generation(left);
  DescriptorCall begun(executor);
  host.begin_merging(right.id, {.left = left, .left_generation = generation}, begun.callback());
  co_await begun.decided.wait();
  PANDO_CO_TRY(begun.result->status());
  right = **begun.result;
  // From here on nothing comes to the right side: what was prepared since prepare_merge() would have no shard.
  const auto promised = store_.parts().leaseholder.has_stored_promises(right.id);
  Status status = !promised.ok() ? promised.status()
                  : *promised    ? not_now("a transaction is prepared on the shard on the right")
                                 : Status();
  if (status.ok()) {
    status = co_await await_replicas(
        right, {.shard = right.id, .left = right.merging->left, .left_generation = right.merging->left_generation},
        executor);
  }
  if (status.ok()) {
    DescriptorCall merged(executor);
    host.merge(left, right.id, store_.parts().leaseholder.handover(right.id), merged.callback());
    co_await merged.decided.wait();
    status = merged.result->status();
  }
  if (!status.ok()) {
    co_await recover(right, executor);
  }
  co_return status;
}

Task<Status> ShardMerger::await_replicas(const ShardDescriptor& right, AwaitMergingRequest request,
                                         runtime::Executor& executor) {
  const auto vote = std::make_shared<MergeVote>(right.replicas.size());
  for (const ReplicaDescriptor& replica : right.replicas) {
    store_.spawn_background(await_replica(replica.node, request, vote));
  }
  const uint64_t deadline_ns =
      store_.parts().clock.monotonic_ns() + to_ns(request.left == ShardId() ? kAwaitFlush : kAwaitReplicas);
  while (vote->open.load() > 0 && !vote->failed.load() && store_.parts().clock.monotonic_ns() < deadline_ns) {
    co_await runtime::sleep(store_.parts().timer, executor, kPoll);
  }
  co_return vote->open.load() == 0 && !vote->failed.load()
      ? Status()
      : not_now("not all replicas of the shard on the right can be reached");
}

Task<void> ShardMerger::await_replica(NodeId node, AwaitMergingRequest request, std::shared_ptr<MergeVote> vote) {
  runtime::Executor& executor = store_.parts().background;
  const auto answer = node == store_.self() ? co_await await_merging(request, executor)
                                            : co_await store_.parts().peers.call(node, request, executor);
  if (!answer.ok()) {
    vote->failed.store(true);
  }
  vote->open.fetch_sub(1);
}

Task<AnswerTo<AwaitMergingRequest>> ShardMerger::await_merging(AwaitMergingRequest request,
                                                               runtime::Executor& executor) {
  using Reply = AnswerTo<AwaitMergingRequest>;
  const uint64_t deadline_ns = store_.parts().clock.monotonic_ns() + to_ns(kAwaitReplicas);
  while (true) {
    StatusCall call(executor);
    store_.parts().leaseholder.host().await_merging(
        request.shard, {.left = request.left, .left_generation = request.left_generation}, call.callback());
    co_await call.decided.wait();
    if (call.result->ok()) {
      co_return Reply();
    }
    if (store_.parts().clock.monotonic_ns() > deadline_ns) {
      co_return Reply::error(std::move(*call.result));
    }
    co_await runtime::sleep(store_.parts().timer, executor, kPoll);
  }
}

Task<AnswerTo<AbandonMergeRequest>> ShardMerger::abandon(AbandonMergeRequest request, runtime::Executor& executor) {
  using Reply = AnswerTo<AbandonMergeRequest>;
  Leaseholder& local = store_.parts().leaseholder;
  Reply answer;
  const auto side = local.before_boundary(request.shard, request.boundary);
  if (!side.ok()) {
    co_return Reply::not_leaseholder(side.hint);
  }
  answer.reply.merged = side.reply.contains(request.boundary);
  if (answer.reply.merged || side.reply.id != request.left || side.reply.generation != request.left_generation) {
    co_return answer;
  }
  DescriptorCall renewed(executor);
  local.host().renew_generation(request.left, request.left_generation, renewed.callback());
  co_await renewed.decided.wait();
  if (!renewed.result->ok()) {
    co_return Reply::try_again();
  }
  // It may have been the merge that made the new generation.
  answer.reply.merged = (*renewed.result)->contains(request.boundary);
  co_return answer;
}

// --- merges that nobody goes on with ---

std::vector<ShardDescriptor> ShardMerger::stuck() {
  const uint64_t now_ns = store_.parts().clock.monotonic_ns();
  std::vector<ShardDescriptor> stuck;
  std::map<ShardId, uint64_t> waiting;
  MutexLock lock(mutex_);
  for (auto& shard : store_.parts().leaseholder.shards()) {
    const ShardId id = shard.descriptor.id;
    if (!shard.descriptor.merging.has_value() || active_.contains(id)) {
      continue;
    }
    const auto known = waiting_since_ns_.find(id);
    const uint64_t since_ns = known == waiting_since_ns_.end() ? now_ns : known->second;
    waiting[id] = since_ns;
    if (shard.leaseholder == store_.self() && now_ns - since_ns > kStuckAfterNs) {
      stuck.push_back(std::move(shard.descriptor));
    }
  }
  waiting_since_ns_ = std::move(waiting);
  return stuck;
}

Task<void> ShardMerger::recover_stuck(ShardDescriptor right, runtime::Executor& executor) {
  {
    MutexLock lock(mutex_);
    if (!active_.insert(right.id).second) {
      co_return;
    }
  }
  co_await recover(right, executor);
  MutexLock lock(mutex_);
  active_.erase(right.id);
}

Task<void> ShardMerger::recover(ShardDescriptor right, runtime::Executor& executor) {
  NodeId node;
  const auto answer = co_await store_.send(
      right.start,
      AbandonMergeRequest{
          .boundary = right.start, .left = right.merging->left, .left_generation = right.merging->left_generation},
      {.executor = &executor, .before = true}, &node);
  if (!answer.ok() || answer.reply.merged) {
    // Looked at again; or it ends with the left side's log.
    co_return;
  }
  DescriptorCall ended(executor);
  store_.parts().leaseholder.host().end_merging(right.id, *right.merging, ended.callback());
  co_await ended.decided.wait();
}

}  // namespace pando::kv
