#include "test/replica/simulated_hosts.h"

#include <algorithm>

#include <fmt/format.h>

namespace pando::test {

namespace {

constexpr uint64_t kSegmentBytes = 64_KiB;
constexpr uint64_t kRetransmitNs = 200'000'000;

}  // namespace

// --- transport ---

void HostsTransport::send(NodeId to, runtime::Channel channel, Bytes message) {
  hosts_.send(self_, to, channel, std::move(message), life_);
}

void HostsTransport::deliver(NodeId from, runtime::Channel channel, Bytes message) {
  if (const Receiver& receiver = receivers_[index(channel)]) {
    receiver(from, std::move(message));
  }
}

void SimulatedHosts::send(NodeId from, NodeId to, runtime::Channel channel, Bytes message, uint64_t life) {
  if (to.number() == 0 || to.number() > nodes_.size() || node(from.number()).life() != life) {
    return;
  }
  std::shared_ptr<Flow>& flow = flows_[{from, to, channel}];
  if (flow == nullptr) {
    flow = std::make_shared<Flow>();
  }
  const uint64_t number = ++flow->sent;
  flow->queue.emplace_back(number, std::move(message));
  transmit({from, to, channel}, flow, number);
}

// Again and again until it has arrived, or the connection is gone.
void SimulatedHosts::transmit(const FlowName& name, const std::shared_ptr<Flow>& flow, uint64_t number) {
  if (flows_[name] != flow || flow->queue.empty() || flow->queue.front().first > number) {
    return;
  }
  const auto [from, to, channel] = name;
  network_.send(from.number(), to.number(), [this, from, to, channel, flow, number] {
    SimulatedNode& receiver = node(to.number());
    while (!flow->queue.empty() && flow->queue.front().first <= number) {
      Bytes arrived = std::move(flow->queue.front().second);
      flow->queue.pop_front();
      if (receiver.up()) {
        receiver.transport()->deliver(from, channel, std::move(arrived));
      }
    }
  });
  world_.after(kRetransmitNs, [this, name, flow, number] { transmit(name, flow, number); });
}

void SimulatedHosts::reset_flows(NodeId node) {
  for (auto& [name, flow] : flows_) {
    if (std::get<0>(name) == node || std::get<1>(name) == node) {
      flow = std::make_shared<Flow>();
    }
  }
}

// --- a node ---

SimulatedNode::SimulatedNode(SimulatedHosts& hosts, NodeId id, int64_t drift_ppm)
    : hosts_(hosts),
      id_(id),
      clock_(hosts.world(), drift_ppm, 0),
      disk_(hosts.world(), hosts.options().disk),
      engine_(storage::open_memory_engine({.on_flushed = [this](const std::vector<storage::AppliedIndex>& flushed) {
        if (host_ != nullptr) {
          host_->on_flushed(flushed);
        }
      }})) {}

SimulatedNode::~SimulatedNode() = default;

void SimulatedNode::start() {
  PANDO_ASSERT(host_ == nullptr, "a node runs one process");
  ++life_;
  started_ = false;
  start_failed_ = false;
  hosts_.world().trace("start", {id_.number()});
  timer_ = std::make_unique<sim::SimTimer>(hosts_.world(), clock_);
  transport_ = std::make_unique<HostsTransport>(hosts_, id_, life_);
  machine_ = std::make_unique<RecordMachine>(*engine_);
  machine_->fails = [this] { return engine_fails; };
  machine_->on_apply = [this](const kv::CommittedEntry& entry) {
    hosts_.world().trace("apply", {id_.number(), entry.shard.number(), entry.index, entry.term});
  };
  kv::ReplicaOptions options = hosts_.options().replica;
  options.journal = {.directory = "journal", .segment_bytes = kSegmentBytes, .spare_segments_max = 1};
  options.seed = hosts_.world().prng().next();
  host_ = std::make_unique<kv::ReplicaHost>(options, kv::ReplicaEnvironment{.self = id_,
                                                                            .engine = *engine_,
                                                                            .disk = disk_.attach(),
                                                                            .actor = hosts_.world(),
                                                                            .journal_writer = hosts_.world(),
                                                                            .bulk = hosts_.world(),
                                                                            .clock = clock_,
                                                                            .timer = *timer_,
                                                                            .transport = *transport_,
                                                                            .state_machine = *machine_});
  runtime::spawn(hosts_.world(), run_start(this, life_));
}

Task<void> SimulatedNode::run_start(SimulatedNode* node, uint64_t life) {
  if (node->life_ != life || !node->up()) {
    co_return;
  }
  const Status status = co_await node->host_->start(node->hosts_.world());
  if (node->life_ != life || !node->up()) {
    co_return;
  }
  node->start_failed_ = !status.ok();
  if (status.is(sql_state::kDataCorrupted)) {
    node->hosts_.world().fail("durability", fmt::format("node {}: {}", node->id_.number(), status.message()));
  }
  node->started_ = status.ok();
}

void SimulatedNode::crash() {
  if (host_ == nullptr) {
    return;
  }
  hosts_.world().trace("crash", {id_.number()});
  hosts_.world().probe("crash");
  host_.reset();
  started_ = false;
  hosts_.reset_flows(id_);
  disk_.crash();
  old_transports_.push_back(std::move(transport_));
  old_machines_.push_back(std::move(machine_));
  old_timers_.push_back(std::move(timer_));
  auto restarted = engine_->after_crash();
  old_engines_.push_back(std::exchange(engine_, std::move(restarted)));
}

Task<void> SimulatedNode::run_stop(SimulatedNode* node, bool* done) {
  (co_await node->host_->stop(node->hosts_.world())).ignore("tests look at what is left");
  *done = true;
}

void SimulatedNode::stop() {
  bool done = false;
  runtime::spawn(hosts_.world(), run_stop(this, &done));
  hosts_.run_until(std::chrono::seconds(5), [&] { return done; });
  PANDO_ASSERT(done, "a host stops");
  crash();
}

bool SimulatedNode::serves(ShardId shard) {
  return running() && host_->view(shard)->holds_lease(clock_.monotonic_ns()) && machine_->serving(shard).has_value();
}

std::vector<kv::ShardStatus> SimulatedNode::inspect() {
  std::vector<kv::ShardStatus> found;
  if (!running()) {
    return found;
  }
  bool done = false;
  host_->inspect([&](std::vector<kv::ShardStatus> all) {
    found = std::move(all);
    done = true;
  });
  hosts_.run_until(std::chrono::seconds(1), [&] { return done; });
  return found;
}

// --- all of them ---

SimulatedHosts::SimulatedHosts(sim::World& world, HostsOptions options)
    : world_(world), options_(std::move(options)), network_(world, options_.network) {
  for (uint32_t i = 1; i <= options_.nodes; ++i) {
    const int64_t drift =
        options_.drift_ppm_max == 0 ? 0 : world_.prng().between(-options_.drift_ppm_max, options_.drift_ppm_max);
    nodes_.push_back(std::make_unique<SimulatedNode>(*this, NodeId(i), drift));
  }
}

SimulatedHosts::~SimulatedHosts() {
  for (const auto& node : nodes_) {
    node->crash();
  }
  // Lets journals close, as their contract demands.
  world_.run_until(world_.now_ns() + 1'000'000'000);
}

void SimulatedHosts::start_all() {
  for (const auto& node : nodes_) {
    node->start();
  }
  run_until(std::chrono::seconds(5),
            [&] { return std::ranges::all_of(nodes_, [](const auto& node) { return node->running(); }); });
}

void SimulatedHosts::found(NodeId id, ShardId shard) {
  Status outcome(sql_state::kInternalError, "not done");
  node(id.number()).host().bootstrap({{.id = shard}}, [&](Status status) { outcome = std::move(status); });
  run_until(std::chrono::seconds(2), [&] { return outcome.ok(); });
  PANDO_ASSERT(outcome.ok(), "a shard is founded");
}

SimulatedNode* SimulatedHosts::leaseholder(ShardId shard) {
  for (const auto& node : nodes_) {
    if (node->serves(shard)) {
      return node.get();
    }
  }
  return nullptr;
}

SimulatedNode* SimulatedHosts::await_leaseholder(ShardId shard) {
  run_until(std::chrono::seconds(30), [&] { return leaseholder(shard) != nullptr; });
  return leaseholder(shard);
}

Result<kv::ShardDescriptor> SimulatedHosts::change(ShardId shard, kv::ReplicaChange change) {
  auto outcome = std::make_shared<std::optional<Result<kv::ShardDescriptor>>>();
  await_leaseholder(shard)->host().change_replicas(
      shard, std::move(change), [outcome](Result<kv::ShardDescriptor> result) { *outcome = std::move(result); });
  run_until(std::chrono::seconds(60), [&] { return outcome->has_value(); });
  return outcome->has_value() ? **outcome : Result<kv::ShardDescriptor>(Status(sql_state::kInternalError, "no answer"));
}

Status SimulatedHosts::transfer(ShardId shard, NodeId to) {
  auto outcome = std::make_shared<std::optional<Status>>();
  await_leaseholder(shard)->host().transfer_lease(shard, to,
                                                  [outcome](Status status) { *outcome = std::move(status); });
  run_until(std::chrono::seconds(10), [&] { return outcome->has_value(); });
  return outcome->value_or(Status(sql_state::kInternalError, "no answer"));
}

Result<kv::ShardDescriptor> SimulatedHosts::split(ShardId shard, Bytes key, ShardId right) {
  auto outcome = std::make_shared<std::optional<Result<kv::ShardDescriptor>>>();
  await_leaseholder(shard)->host().split(
      shard, std::move(key), right, [outcome](Result<kv::ShardDescriptor> result) { *outcome = std::move(result); });
  run_until(std::chrono::seconds(10), [&] { return outcome->has_value(); });
  return outcome->has_value() ? **outcome : Result<kv::ShardDescriptor>(Status(sql_state::kInternalError, "no answer"));
}

void SimulatedHosts::start_merge(ShardId left, ShardId right, kv::DescriptorCallback done) {
  SimulatedNode* const node = leaseholder(left);
  if (node == nullptr || leaseholder(right) != node) {
    done(Status(sql_state::kObjectNotInPrerequisiteState, "no node serves both"));
    return;
  }
  const auto merge = std::make_shared<MergeUnderWay>(
      MergeUnderWay{.left = left,
                    .right = right,
                    .done = std::move(done),
                    .node = node,
                    .life = node->life(),
                    .into = {.left = left, .left_generation = node->machine().shards().at(left).generation}});
  node->host().begin_merging(right, merge->into, [this, merge](Result<kv::ShardDescriptor> begun) {
    if (!begun.ok()) {
      merge->done(begun.status());
      return;
    }
    merge->merging = *std::move(begun);
    merge->deadline_ns = world_.now_ns() + 3'000'000'000;
    world_.after(0, [this, merge] { await_replicas(merge); });
  });
}

void SimulatedHosts::await_replicas(const std::shared_ptr<MergeUnderWay>& merge) {
  if (!merge->node->running() || merge->node->life() != merge->life || world_.now_ns() > merge->deadline_ns) {
    merge->done(Status(sql_state::kQueryCanceled, "not all replicas have heard of the merge"));
    return;
  }
  if (merge->ready.size() == merge->merging.replicas.size()) {
    merge->node->host().merge(merge->left, merge->right, merge->node->machine().handover(merge->right), merge->done);
    return;
  }
  for (const kv::ReplicaDescriptor& replica : merge->merging.replicas) {
    SimulatedNode& other = node(replica.node.number());
    if (other.running() && !merge->ready.contains(other.id())) {
      other.host().await_merging(merge->right, merge->into, [merge, id = other.id()](const Status& status) {
        if (status.ok()) {
          merge->ready.insert(id);
        }
      });
    }
  }
  world_.after(20'000'000, [this, merge] { await_replicas(merge); });
}

Result<kv::ShardDescriptor> SimulatedHosts::merge(ShardId left, ShardId right) {
  auto outcome = std::make_shared<std::optional<Result<kv::ShardDescriptor>>>();
  await_leaseholder(left);
  await_leaseholder(right);
  start_merge(left, right, [outcome](Result<kv::ShardDescriptor> result) { *outcome = std::move(result); });
  run_until(std::chrono::seconds(10), [&] { return outcome->has_value(); });
  return outcome->has_value() ? **outcome : Result<kv::ShardDescriptor>(Status(sql_state::kInternalError, "no answer"));
}

SimulatedNode* SimulatedHosts::consensus_leader(ShardId shard) {
  for (const auto& node : nodes_) {
    if (node->running() && node->machine().shards().contains(shard)) {
      for (const kv::ShardStatus& status : node->inspect()) {
        if (status.descriptor.id == shard && status.leads) {
          return node.get();
        }
      }
    }
  }
  return nullptr;
}

void SimulatedHosts::recover_merges() {
  std::map<ShardId, kv::ShardDescriptor> merging;
  for (const auto& node : nodes_) {
    if (node->running()) {
      for (const auto& [shard, descriptor] : node->machine().shards()) {
        if (descriptor.merging.has_value()) {
          merging[shard] = descriptor;
        }
      }
    }
  }
  for (const auto& [shard, descriptor] : merging) {
    // Who serves the keys just before it?
    for (const auto& node : nodes_) {
      if (!node->running()) {
        continue;
      }
      for (const auto& [other, neighbour] : node->machine().shards()) {
        const bool reaches = neighbour.end.empty() || neighbour.end >= descriptor.start;
        if (other == shard || !node->serves(other) || neighbour.start >= descriptor.start || !reaches) {
          continue;
        }
        if (neighbour.contains(descriptor.start)) {
          // It has happened.
        } else if (other == descriptor.merging->left && neighbour.generation == descriptor.merging->left_generation) {
          node->host().renew_generation(other, neighbour.generation, [](const auto&) {});
        } else if (SimulatedNode* const leader = consensus_leader(shard); leader != nullptr) {
          leader->host().end_merging(shard, *descriptor.merging, [](const auto&) {});
        }
      }
    }
  }
}

kv::ProposalResult SimulatedHosts::write(ShardId shard, RecordCommand command) {
  auto outcome = std::make_shared<std::optional<kv::ProposalResult>>();
  SimulatedNode& node = *await_leaseholder(shard);
  node.host().propose({.shard = shard,
                       .term = *node.machine().serving(shard),
                       .generation = node.machine().shards().at(shard).generation,
                       .payload = encode(command),
                       .done = [outcome](kv::ProposalResult result) { *outcome = result; }});
  run_until(std::chrono::seconds(30), [&] { return outcome->has_value(); });
  return outcome->value_or(kv::ProposalResult());
}

Status SimulatedHosts::check_identical() {
  std::map<ShardId, std::pair<kv::ShardDescriptor, std::string>> first;
  for (const auto& node : nodes_) {
    if (!node->running()) {
      continue;
    }
    for (const auto& [shard, descriptor] : node->machine().shards()) {
      std::string here = contents(node->engine(), descriptor);
      const auto [known, is_first] = first.try_emplace(shard, descriptor, here);
      if (!is_first && known->second.second != here) {
        return Status(sql_state::kInternalError, "shard {} differs on node {}", shard.number(), node->id().number());
      }
    }
  }
  std::map<Bytes, Bytes> spans;
  for (const auto& [shard, known] : first) {
    spans[known.first.start] = known.first.end;
    for (const kv::ReplicaDescriptor& replica : known.first.replicas) {
      SimulatedNode& holder = node(replica.node.number());
      if (holder.running() && !holder.machine().shards().contains(shard)) {
        return Status(sql_state::kInternalError, "node {} has no replica of shard {}", replica.node.number(),
                      shard.number());
      }
    }
  }
  Bytes covered;
  for (const auto& [start, end] : spans) {
    if (start != covered) {
      return Status(sql_state::kInternalError, "the shards do not cover the keys");
    }
    covered = end;
  }
  return covered.empty() ? Status() : Status(sql_state::kInternalError, "the shards do not reach the end");
}

}  // namespace pando::test
