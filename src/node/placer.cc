#include "node/placer.h"

#include <algorithm>
#include <future>
#include <thread>

#include <fmt/format.h>

namespace pando::node {
namespace {

constexpr std::chrono::milliseconds kLookEvery{200};
constexpr std::chrono::milliseconds kLeaveLookEvery{10};
// Transactions that hold locks on a shard whose lease moves fail: not too often.
constexpr uint64_t kBalanceEveryNs = 30'000'000'000;

std::vector<NodeId> nodes_with(kv::ReplicaRole role, const kv::ShardDescriptor& descriptor) {
  std::vector<NodeId> nodes;
  for (const kv::ReplicaDescriptor& replica : descriptor.replicas) {
    if (replica.role == role) {
      nodes.push_back(replica.node);
    }
  }
  return nodes;
}

// A change that was begun and not ended: the host goes on with it when asked for any.
bool is_settled(const kv::ShardDescriptor& descriptor) {
  return std::all_of(descriptor.replicas.begin(), descriptor.replicas.end(), [](const kv::ReplicaDescriptor& replica) {
    return replica.role == kv::ReplicaRole::kVoter || replica.role == kv::ReplicaRole::kLearner;
  });
}

std::string describe(const cluster::PlacementStep& step) {
  if (step.transfer_to) {
    return fmt::format("leadership to node {}", step.transfer_to->number());
  }
  std::string text;
  for (const NodeId node : step.add) {
    text += fmt::format("{}a replica on node {}", text.empty() ? "" : ", ", node.number());
  }
  for (const NodeId node : step.remove) {
    text += fmt::format("{}none on node {}", text.empty() ? "" : ", ", node.number());
  }
  return text;
}

}  // namespace

struct Placer::State {
  cluster::PlacementOptions options;
  kv::ReplicaHost& host;
  NodeId self;
  runtime::Timer& timer;
  runtime::Clock& clock;
  Callbacks callbacks;

  Mutex mutex;
  Condition idle;
  bool stopped PANDO_GUARDED_BY(mutex) = false;
  bool leaving PANDO_GUARDED_BY(mutex) = false;
  // Calls of the host that have not returned.
  std::size_t calls PANDO_GUARDED_BY(mutex) = 0;
  std::set<ShardId> busy PANDO_GUARDED_BY(mutex);
  // No lease is moved for balance before.
  uint64_t next_balance_ns PANDO_GUARDED_BY(mutex) = 0;
  // Since when a node is not connected.
  std::map<NodeId, uint64_t> away_since_ns PANDO_GUARDED_BY(mutex);

  // Calls the host unless stopped; without the lock, since the host may call back at once.
  template <typename Call>
  void call_host(Call call) PANDO_EXCLUDES(mutex) {
    {
      MutexLock lock(mutex);
      if (stopped) {
        return;
      }
      ++calls;
    }
    call(host);
    MutexLock lock(mutex);
    --calls;
    idle.notify_all();
  }
};

Placer::Placer(cluster::PlacementOptions options, kv::ReplicaHost& host, NodeId self, runtime::Timer& timer,
               runtime::Clock& clock, Callbacks callbacks)
    : state_(new State{.options = options,
                       .host = host,
                       .self = self,
                       .timer = timer,
                       .clock = clock,
                       .callbacks = std::move(callbacks)}) {}

Placer::~Placer() { stop(); }

void Placer::start() { look_later(state_); }

void Placer::stop() {
  MutexLock lock(state_->mutex);
  state_->stopped = true;
  while (state_->calls > 0) {
    state_->idle.wait(state_->mutex);
  }
}

void Placer::leave(std::chrono::milliseconds timeout) {
  {
    MutexLock lock(state_->mutex);
    state_->leaving = true;
  }
  const uint64_t deadline_ns =
      state_->clock.monotonic_ns() + static_cast<uint64_t>(std::chrono::nanoseconds(timeout).count());
  for (bool leads = true; leads && state_->clock.monotonic_ns() < deadline_ns;) {
    auto promise = std::make_shared<std::promise<bool>>();
    auto future = promise->get_future();
    state_->call_host([&](kv::ReplicaHost& host) {
      host.inspect([state = state_, promise](const std::vector<kv::ShardStatus>& shards) {
        look(state, shards);
        promise->set_value(
            std::any_of(shards.begin(), shards.end(), [](const kv::ShardStatus& shard) { return shard.leads; }));
      });
    });
    leads = future.wait_for(timeout) != std::future_status::ready || future.get();
    if (leads) {
      std::this_thread::sleep_for(kLeaveLookEvery);
    }
  }
}

void Placer::look_later(const std::shared_ptr<State>& state) {
  state->timer.schedule(kLookEvery, [state] {
    state->call_host([&](kv::ReplicaHost& host) {
      host.inspect([state](const std::vector<kv::ShardStatus>& shards) {
        look(state, shards);
        look_later(state);
      });
    });
  });
}

void Placer::look(const std::shared_ptr<State>& state, const std::vector<kv::ShardStatus>& shards) {
  std::vector<cluster::PlacementNode> nodes;
  {
    MutexLock lock(state->mutex);
    if (state->stopped) {
      return;
    }
    const uint64_t now_ns = state->clock.monotonic_ns();
    for (const cluster::NodeStatus& status : state->callbacks.nodes()) {
      cluster::PlacementNode node{.id = status.record.id,
                                  .locality = status.record.locality,
                                  .state = status.record.state,
                                  .connected = status.connected || status.record.id == state->self};
      if (state->leaving && node.id == state->self) {
        node.state = cluster::NodeState::kDraining;
      }
      if (node.connected) {
        state->away_since_ns.erase(node.id);
      } else {
        node.away_ns = now_ns - state->away_since_ns.emplace(node.id, now_ns).first->second;
      }
      for (const kv::ShardStatus& shard : shards) {
        node.replicas += shard.descriptor.on_node(node.id) != nullptr ? 1 : 0;
      }
      nodes.push_back(std::move(node));
    }
  }
  balance(state, nodes, shards);
  for (const kv::ShardStatus& shard : shards) {
    if (!shard.leads || !is_settled(shard.descriptor) || shard.descriptor.merging.has_value()) {
      continue;
    }
    const auto step = cluster::next_step(state->options, nodes,
                                         {.voters = nodes_with(kv::ReplicaRole::kVoter, shard.descriptor),
                                          .leader = state->self,
                                          .learners = nodes_with(kv::ReplicaRole::kLearner, shard.descriptor)});
    if (step) {
      take(state, shard, *step);
    }
  }
}

void Placer::balance(const std::shared_ptr<State>& state, const std::vector<cluster::PlacementNode>& nodes,
                     const std::vector<kv::ShardStatus>& shards) {
  {
    MutexLock lock(state->mutex);
    const uint64_t now_ns = state->clock.monotonic_ns();
    if (state->leaving || now_ns < state->next_balance_ns) {
      return;
    }
    // After a start, and after a move, until others have seen what it has come to.
    const bool first = state->next_balance_ns == 0;
    state->next_balance_ns = now_ns + kBalanceEveryNs;
    if (first) {
      return;
    }
  }
  std::vector<cluster::LedShardLoad> loads;
  for (const kv::ShardStatus& shard : shards) {
    if (!shard.descriptor.merging.has_value() && is_settled(shard.descriptor)) {
      loads.push_back({.shard = shard.descriptor.id,
                       .leader = shard.leader,
                       .voters = nodes_with(kv::ReplicaRole::kVoter, shard.descriptor),
                       .rate = state->callbacks.rate(shard.descriptor.id)});
    }
  }
  while (const auto move = cluster::balance_leases(nodes, loads, state->self)) {
    if (!state->callbacks.is_held(move->shard)) {
      const auto shard =
          std::ranges::find(shards, move->shard, [](const kv::ShardStatus& status) { return status.descriptor.id; });
      take(state, *shard, {.transfer_to = move->to});
      return;
    }
    std::ranges::find(loads, move->shard, &cluster::LedShardLoad::shard)->stays = true;
  }
}

void Placer::take(const std::shared_ptr<State>& state, const kv::ShardStatus& shard,
                  const cluster::PlacementStep& step) {
  const ShardId id = shard.descriptor.id;
  {
    MutexLock lock(state->mutex);
    if (state->stopped || !state->busy.insert(id).second) {
      return;
    }
  }
  state->callbacks.log(fmt::format("shard {}: {}", id.number(), describe(step)));
  state->call_host([&](kv::ReplicaHost& host) {
    if (step.transfer_to) {
      host.transfer_lease(id, *step.transfer_to, [state, id](const Status& status) { done(state, id, status); });
      return;
    }
    host.change_replicas(
        id, {.add = step.add, .remove = step.remove},
        [state, id](const Result<kv::ShardDescriptor>& changed) { done(state, id, changed.status()); });
  });
}

void Placer::done(const std::shared_ptr<State>& state, ShardId shard, const Status& status) {
  MutexLock lock(state->mutex);
  state->busy.erase(shard);
  if (state->stopped) {
    return;
  }
  state->callbacks.log(status.ok() ? fmt::format("shard {}: placed", shard.number())
                                   : fmt::format("shard {}: not placed: {}", shard.number(), status.message()));
}

}  // namespace pando::node
