// Leaseholder: which shards there are here, how they are cut, merged and handed over.

#include <algorithm>

#include "kv/cluster/leaseholder.h"

namespace pando::kv {
namespace {

constexpr int kTransferAttemptsMax = 3;

// What a call to the host comes to, in the frame of whoever waits for it.
struct PendingOutcome {
  explicit PendingOutcome(runtime::Executor& executor) : decided(executor) {}
  Status status;
  runtime::Event decided;
};

}  // namespace

Task<AnswerTo<SplitRequest>> Leaseholder::split(SplitRequest request, runtime::Executor& executor) {
  using Reply = AnswerTo<SplitRequest>;
  LedShard& led = shard(request.shard);
  while (true) {
    {
      MutexLock lock(led.mutex);
      if (!leads(led) || !led.contains(request.key)) {
        led.splitting = false;
        co_return redirect<Empty>(request.shard);
      }
      if (request.key == led.span.start) {
        co_return Reply();
      }
      led.splitting = true;
      if (!led.has_prepares()) {
        break;
      }
    }
    co_await wait_for_change(led, executor);
  }
  PendingOutcome outcome(executor);
  host_->split(led.id, request.key, request.right, [&outcome](Result<ShardDescriptor> result) {
    outcome.status = std::move(result).status();
    outcome.decided.set();
  });
  co_await outcome.decided.wait();
  MutexLock lock(led.mutex);
  led.splitting = false;
  co_return outcome.status.ok() ? Reply() : Reply::error(std::move(outcome.status));
}

Leaseholder::KnownLoad Leaseholder::load(ShardId id) {
  LedShard& led = shard(id);
  MutexLock lock(led.mutex);
  return {.rate = led.load.rate(), .middle = led.load.middle()};
}

bool Leaseholder::has_lasting_locks(ShardId id, std::chrono::nanoseconds age) {
  LedShard& led = shard(id);
  txn::Span span;
  {
    MutexLock lock(led.mutex);
    span = led.span;
  }
  const uint64_t now_ns = parts_.clock.monotonic_ns();
  const auto age_ns = static_cast<uint64_t>(age.count());
  return now_ns > age_ns && owners_.any_since(locks_.holders_in(span), now_ns - age_ns);
}

bool Leaseholder::leads(ShardId id) {
  LedShard& led = shard(id);
  MutexLock lock(led.mutex);
  return leads(led);
}

uint64_t Leaseholder::generation(ShardId id) {
  LedShard& led = shard(id);
  MutexLock lock(led.mutex);
  return led.generation;
}

Answer<ShardDescriptor> Leaseholder::before_boundary(ShardId left, ByteView boundary) {
  LedShard& led = shard(left);
  MutexLock lock(led.mutex);
  if (!leads(led)) {
    return redirect<ShardDescriptor>(left);
  }
  if (!covers(led.span, boundary, true)) {
    return Answer<ShardDescriptor>::not_leaseholder(NodeId());
  }
  return {.reply = led.descriptor};
}

Answer<ShardDescriptor> Leaseholder::neighbours(ShardId left, ByteView boundary) {
  Answer<ShardDescriptor> before = before_boundary(left, boundary);
  if (!before.ok() || before.reply.contains(boundary)) {
    return before;
  }
  MutexLock shards_lock(shards_mutex_);
  for (const auto& [id, led] : shards_) {
    MutexLock lock(led->mutex);
    if (led->generation != 0 && led->descriptor.start == boundary && !boundary.empty()) {
      return {.reply = led->descriptor};
    }
  }
  return Answer<ShardDescriptor>::try_again();
}

Task<Status> Leaseholder::prepare_merge(ShardId right, runtime::Executor& executor) {
  LedShard& led = shard(right);
  // Reads of an earlier leaseholder may lie ahead of this node's clock until then.
  co_await wait_until_commits_allowed(led, executor);
  while (true) {
    {
      MutexLock lock(led.mutex);
      if (!leads(led)) {
        co_return Status(sql_state::kObjectNotInPrerequisiteState, "this node does not lead the shard on the right");
      }
      led.splitting = true;
      if (!led.has_prepares()) {
        co_return Status();
      }
    }
    co_await wait_for_change(led, executor);
  }
}

void Leaseholder::end_merge(ShardId right) {
  LedShard& led = shard(right);
  MutexLock lock(led.mutex);
  led.splitting = false;
}

Task<AnswerTo<TransferRequest>> Leaseholder::transfer(TransferRequest request, runtime::Executor& executor) {
  using Reply = AnswerTo<TransferRequest>;
  LedShard& led = shard(request.shard);
  for (int attempt = 1;; ++attempt) {
    {
      MutexLock lock(led.mutex);
      if (!leads(led)) {
        co_return redirect<Empty>(request.shard);
      }
    }
    if (request.target == self_) {
      co_return Reply();
    }
    PendingOutcome outcome(executor);
    host_->transfer_lease(request.shard, request.target, [&outcome](Status status) {
      outcome.status = std::move(status);
      outcome.decided.set();
    });
    co_await outcome.decided.wait();
    if (outcome.status.ok() || !outcome.status.is(sql_state::kQueryCanceled) || attempt == kTransferAttemptsMax) {
      co_return outcome.status.ok() ? Reply() : Reply::error(std::move(outcome.status));
    }
    // The target had not caught up in time. It has less to catch up with now.
  }
}

}  // namespace pando::kv
