// Leaseholder: reads and locks of many keys in one request.

#include "kv/cluster/leaseholder.h"
#include "txn/conflict_errors.h"

namespace pando::kv {
namespace {

constexpr std::size_t kReplyBytesMax = 4_MiB;

}  // namespace

Task<Leaseholder::Settled> Leaseholder::settle_many(LedShard& led, ReadPoint point, const std::vector<Bytes>& keys,
                                                    TransactionId reader, runtime::Executor& executor) {
  while (true) {
    {
      MutexLock lock(led.mutex);
      if (!leads(led) || keys.empty() || !led.contains(keys.front())) {
        co_return Settled{.verdict = Verdict::kNotLeaseholder, .hint = leader_hint(led.id)};
      }
      led.load.note(keys.front());
      Settled settled{.point = point, .lease_start = led.lease_start};
      const HlcTimestamp limit = settle_moment(led, settled.point);
      bool waits = false;
      for (const Bytes& key : keys) {
        waits = waits || led.find_writer(key, reader, settled.point.at, limit) != nullptr;
        settled.keys += led.contains(key) ? 1 : 0;
      }
      if (!waits) {
        co_return settled;
      }
    }
    co_await wait_for_change(led, executor);
  }
}

Task<AnswerTo<GetManyRequest>> Leaseholder::get_many(GetManyRequest request, runtime::Executor& executor) {
  using Reply = AnswerTo<GetManyRequest>;
  const Settled settled =
      co_await settle_many(shard(request.shard), request.point, request.keys, request.transaction, executor);
  if (settled.verdict != Verdict::kOk) {
    co_return Reply::not_leaseholder(settled.hint);
  }
  Reply answer;
  answer.reply.at = settled.point.at;
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < settled.keys && bytes < kReplyBytesMax; ++i) {
    CachedRecord record;
    const auto verdict = read_settled(request.keys[i], /*latest=*/false, settled, record);
    if (!verdict.ok()) {
      co_return Reply::error(verdict.status());
    }
    if (*verdict == Verdict::kUncertain) {
      co_return Reply::uncertain_at(record.timestamp);
    }
    bytes += record.value.size();
    answer.reply.values.push_back(record.tombstone ? std::nullopt : std::optional(std::move(record.value)));
  }
  if (Status status = check_readable(settled.point.at); !status.ok()) {
    co_return Reply::error(std::move(status));
  }
  co_return answer;
}

AnswerTo<LockManyRequest> Leaseholder::lock_many(const LockManyRequest& request, NodeId gateway) {
  using Reply = AnswerTo<LockManyRequest>;
  LedShard& led = shard(request.shard);
  LockOwners::Use use(owners_, request.transaction, gateway);
  if (use.over()) {
    return Reply::error(txn::locks_lost());
  }
  if (use.shared()) {
    // As in lock().
    owners_.cancel(request.transaction, Status(sql_state::kQueryCanceled, "the lock was asked for again"));
    return Reply::not_leaseholder(NodeId());
  }
  const std::size_t before = use->owner.mark();
  std::vector<std::size_t> marks;
  for (const Bytes& key : request.keys) {
    if (!locks_.try_lock(use->owner, key, request.strength)) {
      break;
    }
    marks.push_back(use->owner.mark());
  }
  Reply answer;
  std::size_t settled = 0;
  {
    MutexLock lock(led.mutex);
    if (!leads(led) || request.keys.empty() || !led.contains(request.keys.front())) {
      use->owner.release_to(before);
      return redirect<LockManyReply>(request.shard);
    }
    answer.reply.term = led.term;
    answer.reply.watched = led.watched;
    for (; settled < marks.size(); ++settled) {
      const auto found = try_settle_lock(led, request.keys[settled], request.transaction);
      if (!found.has_value() || found->verdict != Verdict::kOk) {
        break;
      }
    }
  }
  use->owner.release_to(settled == 0 ? before : marks[settled - 1]);
  answer.reply.mark_before = before;
  answer.reply.mark_after = use->owner.mark();
  for (std::size_t i = 0; i < settled; ++i) {
    auto version = describe_version(request.keys[i]);
    if (!version.ok()) {
      return Reply::error(std::move(version).status());
    }
    answer.reply.locked.push_back(*std::move(version));
  }
  return answer;
}

}  // namespace pando::kv
