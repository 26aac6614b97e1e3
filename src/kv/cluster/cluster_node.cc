#include "kv/cluster/cluster_node.h"

namespace pando::kv {
namespace {

constexpr std::chrono::milliseconds kGarbageInterval{1000};

ReplicaEnvironment replica_environment(const ClusterNodeEnvironment& environment, StateMachine& machine) {
  return {.self = environment.self,
          .engine = environment.engine,
          .disk = environment.disk,
          .actor = environment.actor,
          .journal_writer = environment.journal_writer,
          .bulk = environment.bulk,
          .clock = environment.clock,
          .timer = environment.timer,
          .transport = environment.transport,
          .state_machine = machine};
}

}  // namespace

ClusterNode::ClusterNode(ClusterNodeOptions options, ClusterNodeEnvironment environment, ClusterRouter::Nodes nodes)
    : options_(std::move(options)),
      environment_(std::move(environment)),
      oracle_(environment_.clock),
      cache_(options_.record_cache_bytes),
      leaseholder_({.clock_offset_max = options_.store.clock_offset_max},
                   {.engine = environment_.engine,
                    .cache = cache_,
                    .oracle = oracle_,
                    .clock = environment_.clock,
                    .timer = environment_.timer},
                   environment_.self),
      host_(options_.replicas, replica_environment(environment_, leaseholder_)),
      peers_(environment_.transport, oracle_, environment_.clock, environment_.timer, environment_.servers),
      store_(options_.store,
             {.leaseholder = leaseholder_,
              .peers = peers_,
              .oracle = oracle_,
              .clock = environment_.clock,
              .timer = environment_.timer,
              .background = environment_.background,
              .deciding = environment_.actor},
             environment_.self, std::move(nodes)) {
  leaseholder_.attach(host_);
  peers_.watch_leaders([this](ShardId shard) { return host_.view(shard)->leader(); });
  watch_gateways();
}

ClusterNode::~ClusterNode() = default;

Task<Status> ClusterNode::start(runtime::Executor& executor) {
  PANDO_CO_TRY(leaseholder_.open());
  PANDO_CO_TRY(co_await host_.start(executor));
  store_.start();
  schedule_garbage_round();
  co_return Status();
}

Task<Status> ClusterNode::stop(runtime::Executor& executor) {
  runtime::TimerId timer = 0;
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    timer = garbage_timer_;
  }
  if (timer != 0) {
    environment_.timer.cancel(timer);
  }
  co_await store_.stop(executor);
  Status stopped = co_await host_.stop(executor);
  Status flushed = environment_.engine.flush();
  co_return stopped.ok() ? std::move(flushed) : std::move(stopped);
}

// The locks of a gateway that is gone would be held for ever, and while they are, others wait. Whether it is gone, or
// comes back as another process, nobody can tell: its transactions end at once, and a commit of one is refused.
void ClusterNode::watch_gateways() {
  environment_.transport.observe([this](NodeId peer, bool connected) {
    if (connected) {
      MutexLock lock(mutex_);
      lost_since_ns_.erase(peer);
      return;
    }
    leaseholder_.release_gateway(peer);
    const uint64_t now_ns = environment_.clock.monotonic_ns();
    MutexLock lock(mutex_);
    lost_since_ns_.emplace(peer, now_ns);
    suspects_.push_back({.since_ns = now_ns, .transactions = store_.guards().excluders_of(peer)});
  });
}

// Whether or not the gateway has come back: its commits that need these exclusions are refused since the break. One
// that was on its way then is over by now.
void ClusterNode::release_suspects() {
  std::vector<TransactionId> lost;
  {
    MutexLock lock(mutex_);
    const uint64_t now_ns = environment_.clock.monotonic_ns();
    std::erase_if(suspects_, [&](const Suspects& suspects) {
      const bool due = now_ns - suspects.since_ns > static_cast<uint64_t>(options_.gateway_lost_after.count());
      if (due) {
        lost.insert(lost.end(), suspects.transactions.begin(), suspects.transactions.end());
      }
      return due;
    });
  }
  for (const TransactionId transaction : lost) {
    store_.guards().release(transaction);
  }
}

void ClusterNode::schedule_garbage_round() {
  MutexLock lock(mutex_);
  if (stopping_) {
    return;
  }
  garbage_timer_ = environment_.timer.schedule(kGarbageInterval, [this] {
    const uint64_t now_ns = environment_.clock.wall_ns();
    const auto history_ns = static_cast<uint64_t>(options_.history.count());
    const HlcTimestamp threshold{now_ns - std::min(now_ns, history_ns), 0};
    leaseholder_.forget_before(threshold);
    environment_.engine.set_garbage_threshold(threshold);
    release_suspects();
    std::vector<NodeId> gone;
    {
      MutexLock gateways_lock(mutex_);
      const uint64_t monotonic_ns = environment_.clock.monotonic_ns();
      for (const auto& [node, since_ns] : lost_since_ns_) {
        if (monotonic_ns - since_ns > static_cast<uint64_t>(options_.gateway_lost_after.count())) {
          gone.push_back(node);
        }
      }
    }
    for (const NodeId node : gone) {
      // Once more: requests that were under way may have come after the first time.
      leaseholder_.release_gateway(node);
      store_.guards().release_gateway(node);
    }
    schedule_garbage_round();
  });
}

}  // namespace pando::kv
