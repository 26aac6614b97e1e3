#include "test/cluster_store/simulated_cluster.h"

#include <algorithm>

#include <fmt/format.h>

namespace pando::test {
namespace {

using namespace std::chrono_literals;

constexpr uint64_t kSegmentBytes = 64_KiB;
constexpr ShardId kFirstShard{1};

}  // namespace

SimulatedClusterNode::SimulatedClusterNode(SimulatedCluster& cluster, NodeId id, int64_t drift_ppm, int64_t offset_ns)
    : cluster_(cluster),
      id_(id),
      clock_(cluster.world(), drift_ppm, offset_ns),
      disk_(cluster.world(), cluster.options().disk),
      stored_(storage::open_memory_engine({.on_flushed = [this](const std::vector<storage::AppliedIndex>& flushed) {
        if (running()) {
          node().host().on_flushed(flushed);
        }
      }})) {}

SimulatedClusterNode::~SimulatedClusterNode() = default;

void SimulatedClusterNode::start() {
  PANDO_ASSERT(process_ == nullptr, "a node runs one process");
  sim::World& world = cluster_.world();
  world.trace("start", {id_.number()});
  PANDO_ASSERT(!retired_, "a node that is gone does not come back");
  process_ = std::make_unique<ClusterProcess>();
  ClusterProcess* const process = process_.get();
  process->timer = std::make_unique<sim::SimTimer>(world, clock_);
  process->engine = std::move(stored_);
  process->transport = &cluster_.transports().boot(id_);
  kv::ClusterNodeOptions options = cluster_.options().node;
  options.replicas.journal = {.directory = "journal", .segment_bytes = kSegmentBytes, .spare_segments_max = 1};
  options.replicas.seed = world.prng().next();
  process->node = std::make_unique<kv::ClusterNode>(options,
                                                    kv::ClusterNodeEnvironment{.self = id_,
                                                                               .engine = *process->engine,
                                                                               .disk = disk_.attach(),
                                                                               .clock = clock_,
                                                                               .timer = *process->timer,
                                                                               .transport = *process->transport,
                                                                               .actor = world,
                                                                               .journal_writer = world,
                                                                               .bulk = world,
                                                                               .servers = {&world},
                                                                               .background = world},
                                                    [this] { return cluster_.others(id_); });
  if (cluster_.options().make_service) {
    process->service = cluster_.options().make_service(*this, *process);
  }
  runtime::spawn(world, run_start(process));
}

Task<void> SimulatedClusterNode::run_start(ClusterProcess* process) {
  const Status status = co_await process->node->start(cluster_.world());
  if (status.is(sql_state::kDataCorrupted)) {
    cluster_.world().fail("durability", fmt::format("node {}: {}", id_.number(), status.message()));
  }
  process->started = process->alive && status.ok();
  process->start_failed = process->alive && !status.ok();
  if (process->started && process->service != nullptr) {
    process->service->on_started();
  }
}

void SimulatedClusterNode::pause_until(uint64_t time_ns) {
  if (process_ == nullptr) {
    return;
  }
  cluster_.world().trace("pause", {id_.number(), time_ns});
  process_->timer->pause_until(time_ns);
  disk_.stall_until(time_ns);
  for (const NodeId other : cluster_.others(id_)) {
    cluster_.network().clog(id_.number(), other.number(), time_ns);
    cluster_.network().clog(other.number(), id_.number(), time_ns);
  }
}

// The process is cut off from network, disk and time at once; what it still does in memory nobody can see.
void SimulatedClusterNode::crash() {
  if (process_ == nullptr) {
    return;
  }
  cluster_.world().trace("crash", {id_.number()});
  cluster_.transports().crash(id_);
  process_->alive = false;
  process_->started = false;
  if (process_->service != nullptr) {
    process_->service->on_crash();
  }
  disk_.crash();
  stored_ = process_->engine->after_crash();
  process_->timer->stop();
  process_->node->store().abandon();
  past_.push_back(std::move(process_));
}

void SimulatedClusterNode::retire() {
  crash();
  retired_ = true;
}

SimulatedCluster::SimulatedCluster(sim::World& world, ClusterOptions options)
    : world_(world), options_(std::move(options)), network_(world, options_.network), transports_(world, network_) {
  while (nodes_.size() < options_.nodes) {
    add_node();
  }
}

SimulatedClusterNode& SimulatedCluster::add_node() {
  const auto half_offset = static_cast<int64_t>(options_.clock_offset_max_ns / 2);
  const int64_t drift =
      options_.drift_ppm_max == 0 ? 0 : world_.prng().between(-options_.drift_ppm_max, options_.drift_ppm_max);
  const int64_t offset = half_offset == 0 ? 0 : world_.prng().between(-half_offset, half_offset);
  const NodeId id(static_cast<uint32_t>(nodes_.size()) + 1);
  nodes_.push_back(std::make_unique<SimulatedClusterNode>(*this, id, drift, offset));
  return *nodes_.back();
}

SimulatedCluster::~SimulatedCluster() {
  // What runs in the background ends when nobody waits for it any more.
  run_until(5s, [&] {
    return std::ranges::all_of(
        nodes_, [](const auto& node) { return !node->running() || node->store().background_count() == 0; });
  });
  for (const auto& node : nodes_) {
    node->crash();
  }
  run_for(1s);
}

std::vector<NodeId> SimulatedCluster::others(NodeId self) const {
  std::vector<NodeId> others;
  for (const auto& node : nodes_) {
    if (node->id() != self && !node->retired()) {
      others.push_back(node->id());
    }
  }
  return others;
}

void SimulatedCluster::found() {
  for (const auto& node : nodes_) {
    node->start();
  }
  run_until(5s, [&] { return std::ranges::all_of(nodes_, [](const auto& node) { return node->running(); }); });
  Status founded(sql_state::kInternalError, "not done");
  node(1).node().host().bootstrap({{.id = kFirstShard}}, [&](Status status) { founded = std::move(status); });
  PANDO_ASSERT(run_until(5s, [&] { return founded.ok(); }), "a shard is founded");
  await_leaseholder("");
  if (options_.replicas == 1) {
    return;
  }
  kv::ReplicaChange change;
  for (uint32_t i = 2; i <= options_.replicas; ++i) {
    change.add.emplace_back(i);
  }
  bool changed = false;
  node(1).node().host().change_replicas(kFirstShard, change, [&](Result<kv::ShardDescriptor> result) {
    PANDO_ASSERT(result.ok(), "replicas are added");
    changed = true;
  });
  PANDO_ASSERT(run_until(30s, [&] { return changed; }), "replicas are added in time");
}

SimulatedClusterNode* SimulatedCluster::leaseholder(ByteView key) {
  for (const auto& node : nodes_) {
    if (!node->running()) {
      continue;
    }
    const auto route = node->node().leaseholder().route(key, false);
    if (route.known && route.leaseholder == node->id() &&
        node->node().host().view(route.shard)->holds_lease(node->clock().monotonic_ns())) {
      return node.get();
    }
  }
  return nullptr;
}

SimulatedClusterNode* SimulatedCluster::await_leaseholder(ByteView key) {
  if (!run_until(20s, [&] { return leaseholder(key) != nullptr; })) {
    // Tells why a test hangs.
    for (const auto& node : nodes_) {
      if (node->running()) {
        const auto route = node->node().leaseholder().route(key, false);
        fmt::print(stderr, "node {}: shard {} known {} led by {}, lease until {} now {}\n", node->id().number(),
                   route.shard.number(), route.known, route.leaseholder.number(),
                   node->node().host().view(route.shard)->lease_until_ns(), node->clock().monotonic_ns());
      }
    }
  }
  return leaseholder(key);
}

std::string SimulatedCluster::describe() {
  auto text = std::make_shared<std::string>();
  for (const auto& node : nodes_) {
    if (!node->running()) {
      continue;
    }
    node->node().host().inspect([text, id = node->id()](const std::vector<kv::ShardStatus>& shards) {
      for (const kv::ShardStatus& shard : shards) {
        *text += fmt::format("node {} shard {} [{}, {}) generation {}{} leader {} term {} applied {} of {}, lease {}\n",
                             id.number(), shard.descriptor.id.number(), shard.descriptor.start, shard.descriptor.end,
                             shard.descriptor.generation, shard.descriptor.merging.has_value() ? " merging" : "",
                             shard.leader.number(), shard.term, shard.applied, shard.last_index, shard.lease_until_ns);
      }
    });
  }
  run_for(10ms);
  return *text;
}

Status SimulatedCluster::split(ShardId shard, Bytes key, ShardId right) {
  SimulatedClusterNode* const holder = await_leaseholder(key);
  PANDO_ASSERT(holder != nullptr, "somebody leads");
  std::optional<Status> outcome;
  holder->node().host().split(shard, std::move(key), right,
                              [&](Result<kv::ShardDescriptor> result) { outcome = std::move(result).status(); });
  run_until(10s, [&] { return outcome.has_value(); });
  return outcome.value_or(Status(sql_state::kInternalError, "a split did not end"));
}

Status SimulatedCluster::transfer(ByteView key, NodeId to) {
  SimulatedClusterNode* const holder = await_leaseholder(key);
  PANDO_ASSERT(holder != nullptr, "somebody leads");
  if (holder->id() == to) {
    return {};
  }
  const ShardId shard = holder->node().leaseholder().route(key, false).shard;
  std::optional<Status> outcome;
  holder->node().host().transfer_lease(shard, to, [&](Status status) { outcome = std::move(status); });
  run_until(10s, [&] { return outcome.has_value(); });
  return outcome.value_or(Status(sql_state::kInternalError, "a transfer did not end"));
}

}  // namespace pando::test
