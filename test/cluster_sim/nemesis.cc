#include "test/cluster_sim/nemesis.h"

#include <algorithm>

namespace pando::test {
namespace {

constexpr uint64_t kMs = 1'000'000;
constexpr uint32_t kSplitsMax = 8;
constexpr uint32_t kClientNumber = 1000;
constexpr std::size_t kNodesMax = 8;

}  // namespace

Nemesis::Nemesis(Scene& scene, const RunOptions& options, std::vector<std::unique_ptr<Workload>>& workloads)
    : scene_(scene),
      world_(scene.world),
      prng_(scene.world.prng()),
      cluster_(scene.cluster),
      options_(options),
      workloads_(workloads),
      client_(scene, kClientNumber) {
  // These are in force all the time.
  constexpr std::array<std::string_view, 4> kConditions = {"loss", "duplicate", "spike", "drift"};
  for (const std::string& fault : options.faults) {
    if (std::ranges::find(kConditions, fault) == kConditions.end()) {
      usable_.push_back(fault);
    }
  }
  // The shard may be changing, or have gone.
  client_.expect({sql_state::kObjectNotInPrerequisiteState, sql_state::kUndefinedTable, sql_state::kQueryCanceled,
                  sql_state::kInvalidParameterValue, sql_state::kAdminShutdown});
}

void Nemesis::start() {
  if (!usable_.empty()) {
    world_.after(prng_.below(2 * options_.fault_interval_ns), [this] { step(); });
  }
}

void Nemesis::step() {
  if (!scene_.disturbed) {
    return;
  }
  for (const auto& node : cluster_.nodes()) {
    if (node->start_failed()) {
      crash(*node);
    }
  }
  const std::string fault = usable_[prng_.below(usable_.size())];
  world_.trace(world_.verbose() ? "fault " + fault : "fault", {});
  world_.probe(fault.c_str());
  apply(fault);
  start();
}

void Nemesis::apply(std::string_view fault) {
  if (fault == "crash") {
    crash(some_node());
  } else if (fault == "power") {
    lose_power();
  } else if (fault == "partition") {
    partition();
  } else if (fault == "one-way") {
    cut_one_way();
  } else if (fault == "clog") {
    clog();
  } else if (fault == "pause") {
    pause();
  } else if (fault == "stall") {
    stall();
  } else if (fault == "flush") {
    if (SimulatedClusterNode& node = some_node(); node.running()) {
      node.engine().flush().ignore("a memory engine flushes");
    }
  } else if (fault == "transfer") {
    transfer();
  } else if (fault == "move") {
    move();
  } else if (fault == "members") {
    change_members();
  } else if (fault == "clock") {
    set_clock();
  } else if (fault == "disk error" || fault == "disk full") {
    break_disk(fault == "disk full");
  } else if (fault == "merge" && !merging_) {
    start_merge();
  } else if (fault == "split" && !splitting_ && splits_ < kSplitsMax) {
    splitting_ = true;
    ++scene_.clients_running;
    runtime::spawn(world_, split());
  }
}

SimulatedClusterNode& Nemesis::some_node() { return *cluster_.nodes()[prng_.below(cluster_.nodes().size())]; }

SimulatedClusterNode* Nemesis::some_holder(kv::ShardDescriptor& descriptor) {
  SimulatedClusterNode& any = some_node();
  if (!any.running()) {
    return nullptr;
  }
  const auto shards = any.node().leaseholder().shards();
  if (shards.empty()) {
    return nullptr;
  }
  const ShardId id = shards[prng_.below(shards.size())].descriptor.id;
  for (const auto& node : cluster_.nodes()) {
    if (!node->running() || !node->node().host().view(id)->holds_lease(node->clock().monotonic_ns())) {
      continue;
    }
    for (const auto& known : node->node().leaseholder().shards()) {
      if (known.descriptor.id == id) {
        descriptor = known.descriptor;
        return node.get();
      }
    }
  }
  return nullptr;
}

void Nemesis::crash(SimulatedClusterNode& node) {
  if (!node.up()) {
    return;
  }
  node.crash();
  world_.after(prng_.below(2000 * kMs), [&node] {
    if (node.down()) {
      node.start();
    }
  });
}

void Nemesis::lose_power() {
  if (prng_.chance(0.7)) {
    return;
  }
  for (const auto& node : cluster_.nodes()) {
    crash(*node);
  }
}

// Two sides, or a side in the middle that both others reach.
void Nemesis::partition() {
  std::vector<uint64_t> side;
  const uint64_t sides = prng_.chance(0.3) ? 3 : 2;
  for (std::size_t i = 0; i < cluster_.nodes().size(); ++i) {
    side.push_back(prng_.below(sides));
  }
  const auto apart = [side](std::size_t a, std::size_t b) {
    return side[a] != side[b] && side[a] != 2 && side[b] != 2;
  };
  const auto count = static_cast<sim::Machine>(side.size());
  for (sim::Machine a = 0; a < count; ++a) {
    for (sim::Machine b = 0; b < count; ++b) {
      if (apart(a, b)) {
        cluster_.network().block(a + 1, b + 1);
      }
    }
  }
  world_.after(prng_.below(2500 * kMs), [this, apart, count] {
    for (sim::Machine a = 0; a < count; ++a) {
      for (sim::Machine b = 0; b < count; ++b) {
        if (apart(a, b)) {
          cluster_.network().unblock(a + 1, b + 1);
        }
      }
    }
  });
}

void Nemesis::cut_one_way() {
  const auto from = some_node().id().number();
  const auto to = some_node().id().number();
  cluster_.network().block(from, to);
  world_.after(prng_.below(2500 * kMs), [this, from, to] { cluster_.network().unblock(from, to); });
}

void Nemesis::clog() {
  const auto from = some_node().id().number();
  const auto to = some_node().id().number();
  cluster_.network().clog(from, to, world_.now_ns() + prng_.below(1500 * kMs));
}

void Nemesis::pause() {
  some_node().pause_until(world_.now_ns() + prng_.below(prng_.chance(0.3) ? 5000 * kMs : 800 * kMs));
}

void Nemesis::stall() { some_node().disk().stall_until(world_.now_ns() + prng_.below(1500 * kMs)); }

// Writes and syncs fail until it is mended.
void Nemesis::break_disk(bool full) {
  SimulatedClusterNode& node = some_node();
  full ? node.disk().set_full(true) : node.disk().set_error(true);
  world_.after(prng_.below(1500 * kMs),
               [&node, full] { full ? node.disk().set_full(false) : node.disk().set_error(false); });
}

void Nemesis::transfer() {
  kv::ShardDescriptor descriptor;
  SimulatedClusterNode* const holder = some_holder(descriptor);
  if (holder == nullptr) {
    return;
  }
  const kv::ReplicaDescriptor& to = descriptor.replicas[prng_.below(descriptor.replicas.size())];
  holder->node().host().transfer_lease(descriptor.id, to.node, [this](const Status& status) {
    world_.probe(status.ok() ? "lease handed over" : "handover refused");
  });
}

// At least three remain, and the leaseholder among them.
void Nemesis::move() {
  kv::ShardDescriptor descriptor;
  SimulatedClusterNode* const holder = some_holder(descriptor);
  if (holder == nullptr) {
    return;
  }
  kv::ReplicaChange change;
  std::size_t left = descriptor.replicas.size();
  for (const auto& node : cluster_.nodes()) {
    const bool here = descriptor.on_node(node->id()) != nullptr;
    if (!here && !node->retired() && !scene_.leaving.contains(node->id()) && prng_.chance(0.5)) {
      change.add.push_back(node->id());
      ++left;
    } else if (here && node.get() != holder && left > 3 && prng_.chance(0.5)) {
      change.remove.push_back(node->id());
      --left;
    }
  }
  if (change.add.empty() && change.remove.empty()) {
    return;
  }
  holder->node().host().change_replicas(descriptor.id, change, [this](const Result<kv::ShardDescriptor>& result) {
    world_.probe(result.ok() ? "replicas changed" : "change refused");
  });
}

// Within what the product is told that clocks keep to.
void Nemesis::set_clock() {
  SimulatedClusterNode& node = some_node();
  const auto half = static_cast<int64_t>(options_.cluster.clock_offset_max_ns / 2);
  const int64_t target = half == 0 ? 0 : prng_.between(-half, half);
  node.clock().jump_wall(target - node.clock().wall_offset_ns());
}

Task<void> Nemesis::split() {
  Workload& workload = *workloads_[prng_.below(workloads_.size())];
  ++splits_;
  const SqlAnswer answer = co_await client_.run(workload.random_split(prng_));
  world_.probe(answer.ok() ? "split" : "split refused");
  co_await client_.close();
  --scene_.clients_running;
  splitting_ = false;
}

// Of two neighbours, one of which some node leads.
void Nemesis::start_merge() {
  kv::ShardDescriptor right;
  SqlProcess* const gateway = process_of(some_node());
  if (gateway == nullptr || some_holder(right) == nullptr || right.start.empty()) {
    return;
  }
  // For a while: it does not end when its gateway crashes.
  merging_ = true;
  world_.after(prng_.below(2000 * kMs), [this] { merging_ = false; });
  runtime::spawn(world_, merge(gateway, right.start));
}

Task<void> Nemesis::merge(SqlProcess* gateway, Bytes boundary) {
  const Status merged = co_await gateway->control().merge(std::move(boundary), world_);
  world_.probe(merged.ok() ? "merge" : "merge refused");
}

std::size_t Nemesis::count_staying() const {
  return static_cast<std::size_t>(std::ranges::count_if(
      cluster_.nodes(), [this](const auto& node) { return !node->retired() && !scene_.leaving.contains(node->id()); }));
}

template <typename Predicate>
bool Nemesis::nothing_is_on(Predicate&& predicate) {
  for (const auto& node : cluster_.nodes()) {
    if (node->retired()) {
      continue;
    }
    if (!node->running()) {
      return false;
    }
    for (const auto& shard : node->node().leaseholder().shards()) {
      if (std::ranges::any_of(shard.descriptor.replicas,
                              [&](const auto& replica) { return predicate(replica.node); })) {
        return false;
      }
    }
  }
  return true;
}

void Nemesis::change_members() {
  if (count_staying() < kNodesMax && prng_.chance(0.4)) {
    world_.probe("a node joined");
    cluster_.add_node().start();
    return;
  }
  SimulatedClusterNode& node = some_node();
  if (node.retired() || scene_.leaving.contains(node.id()) || count_staying() <= options_.cluster.replicas) {
    return;
  }
  prng_.chance(0.5) ? lose_for_ever(node) : decommission(node);
}

// Not two of a shard before the first is replaced.
void Nemesis::lose_for_ever(SimulatedClusterNode& node) {
  if (nothing_is_on([this](NodeId id) { return cluster_.node(id.number()).retired(); })) {
    world_.probe("a node was lost for ever");
    node.retire();
  }
}

void Nemesis::decommission(SimulatedClusterNode& node) {
  world_.probe("a node leaves");
  scene_.leaving.insert(node.id());
  watch_leaving(node);
}

void Nemesis::watch_leaving(SimulatedClusterNode& node) {
  world_.after(200 * kMs, [this, &node] {
    if (node.retired() || !scene_.disturbed) {
      return;
    }
    if (nothing_is_on([&node](NodeId id) { return id == node.id(); })) {
      world_.probe("a node left");
      node.retire();
      return;
    }
    watch_leaving(node);
  });
}

void Nemesis::heal() {
  cluster_.network().heal();
  for (const auto& node : cluster_.nodes()) {
    node->disk().heal();
    if (node->down()) {
      node->start();
    }
  }
}

}  // namespace pando::test
