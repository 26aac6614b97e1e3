// Leaseholder: who may share guarded keys by itself (guards.h).

#include "kv/cluster/guards.h"
#include "kv/cluster/leaseholder.h"

namespace pando::kv {
namespace {

constexpr uint64_t kNsPerMs = 1'000'000;
constexpr auto kGuardLeaseNs = static_cast<uint64_t>(std::chrono::nanoseconds(kGuardLease).count());
// By this part of it a lease lasts longer here than where it is used: clocks may run at different rates.
constexpr uint64_t kGuardDriftPart = 100;

}  // namespace

void Leaseholder::release_gateway(NodeId gateway) {
  owners_.release_gateway(gateway);
  MutexLock lock(guards_mutex_);
  forget_lost_excluders();
}

void Leaseholder::forget_lost_excluders() {
  std::erase_if(excluders_, [this](TransactionId transaction) { return !owners_.knows(transaction); });
}

// From now on no node gets a lease that had none.
void Leaseholder::list_guards(LockReply& reply, TransactionId transaction) {
  const uint64_t now_ns = parts_.clock.monotonic_ns();
  const auto remaining_ms = [now_ns](uint64_t until_ns) {
    return until_ns <= now_ns ? 0 : (until_ns - now_ns) / kNsPerMs + 1;
  };
  MutexLock lock(guards_mutex_);
  excluders_.insert(transaction);
  reply.guards_unknown_ms = remaining_ms(guards_unknown_until_ns_);
  for (const auto& [node, until_ns] : guard_leases_) {
    if (until_ns > now_ns) {
      reply.guards.push_back({.node = node, .remaining_ms = remaining_ms(until_ns)});
    }
  }
}

AnswerTo<GuardLeaseRequest> Leaseholder::lease_guards(const GuardLeaseRequest& request) {
  AnswerTo<GuardLeaseRequest> answer;
  LedShard& led = shard(request.shard);
  {
    MutexLock lock(led.mutex);
    if (!leads(led) || !led.contains(guarded_prefix_)) {
      return AnswerTo<GuardLeaseRequest>::not_leaseholder(leader_hint(request.shard));
    }
    answer.reply.watched = led.watched;
  }
  const uint64_t now_ns = parts_.clock.monotonic_ns();
  MutexLock lock(guards_mutex_);
  forget_lost_excluders();
  uint64_t& until_ns = guard_leases_[request.node];
  answer.reply.granted = until_ns > now_ns || excluders_.empty();
  if (answer.reply.granted) {
    until_ns = now_ns + kGuardLeaseNs + kGuardLeaseNs / kGuardDriftPart;
  }
  return answer;
}

}  // namespace pando::kv
