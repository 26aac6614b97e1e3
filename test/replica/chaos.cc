#include "test/replica/chaos.h"

#include <algorithm>
#include <optional>
#include <set>

#include <fmt/format.h>

#include "test/replica/simulated_hosts.h"

namespace pando::test {

namespace {

using namespace std::chrono_literals;

constexpr uint64_t kMs = 1'000'000;
constexpr uint64_t kKeys = 40;
constexpr uint64_t kShardsMax = 6;
constexpr uint64_t kSettleNs = 120'000 * kMs;

Bytes key_of(uint64_t number) { return fmt::format("k{:03}", number); }

HostsOptions draw(sim::World& world) {
  Prng& prng = world.prng();
  HostsOptions options;
  options.nodes = 3 + static_cast<uint32_t>(prng.below(3));
  options.network.delay_mean_ns = 50'000 + prng.below(3 * kMs);
  options.network.loss = prng.chance(0.5) ? prng.fraction() * 0.1 : 0;
  options.network.duplicate = prng.chance(0.5) ? prng.fraction() * 0.1 : 0;
  options.disk.sync_ns = 50'000 + prng.below(3 * kMs);
  options.replica.log_bytes_max = prng.chance(0.5) ? 2_KiB : 64_KiB;
  options.replica.snapshot_chunk_bytes = 100 + prng.below(2000);
  options.replica.journal_keep_bytes = prng.chance(0.5) ? 100_KiB : 1_MiB;
  return options;
}

class Chaos {
 public:
  Chaos(sim::World& world) : world_(world), prng_(world.prng()), hosts_(world, draw(world)) {}

  void run() {
    hosts_.start_all();
    hosts_.found(NodeId(1), ShardId(1));
    kv::ReplicaChange change{.add = {NodeId(2), NodeId(3)}};
    const auto grown = hosts_.change(ShardId(1), change);
    if (!grown.ok()) {
      world_.fail("progress", "the first shard does not grow: " + grown.status().to_string());
      return;
    }
    disturbed_ = true;
    const uint64_t end = world_.now_ns() + (5000 + prng_.below(10'000)) * kMs;
    for (int i = 0; i < 4; ++i) {
      client_step();
    }
    nemesis_step();
    watch();
    world_.run_until(end);
    calm();
  }

  uint64_t acknowledged() const { return acknowledged_.size(); }

 private:
  struct Operation {
    Bytes key;
    Bytes value;
  };

  std::vector<ShardId> shards() {
    std::set<ShardId> all;
    for (const auto& node : hosts_.nodes()) {
      if (node->running()) {
        for (const auto& [shard, descriptor] : node->machine().shards()) {
          all.insert(shard);
        }
      }
    }
    return {all.begin(), all.end()};
  }
  template <typename T>
  T& pick(std::vector<T>& all) {
    return all[prng_.below(all.size())];
  }

  // --- clients ---

  void client_step() {
    if (!disturbed_) {
      return;
    }
    const Bytes key = key_of(prng_.below(kKeys));
    for (const auto& node : hosts_.nodes()) {
      if (!node->running()) {
        continue;
      }
      for (const auto& [shard, descriptor] : node->machine().shards()) {
        if (descriptor.contains(key) && node->serves(shard)) {
          prng_.chance(0.7) ? write(*node, shard, descriptor.generation, key) : read(*node, key);
          break;
        }
      }
    }
    world_.after(prng_.below(20 * kMs), [this] { client_step(); });
  }

  void write(SimulatedNode& node, ShardId shard, uint64_t generation, const Bytes& key) {
    const uint64_t operation = ++last_operation_;
    const Operation made{key, fmt::format("value {}", operation)};
    operations_[operation] = made;
    node.host().propose({.shard = shard,
                         .term = *node.machine().serving(shard),
                         .generation = generation,
                         .payload = encode(RecordCommand{operation, key, made.value}),
                         .done = [this, operation, key](kv::ProposalResult result) {
                           world_.trace("outcome", {operation, static_cast<uint64_t>(result.outcome)});
                           switch (result.outcome) {
                             case kv::ProposalOutcome::kApplied:
                               acknowledged_.insert(operation);
                               newest_[key] = operation;
                               return;
                             case kv::ProposalOutcome::kRefused:
                             case kv::ProposalOutcome::kLost:
                               world_.probe("proposal failed");
                               failed_.insert(operation);
                               return;
                             case kv::ProposalOutcome::kUnknown:
                               world_.probe("proposal unknown");
                               return;
                           }
                         }});
  }

  static bool holds(const storage::Reader& reader, uint64_t operation, const Operation& made) {
    storage::Version version;
    const auto found = reader.get_version(made.key, {operation, 0}, version);
    return found.ok() && *found && version.timestamp.wall_ns == operation && version.value == made.value;
  }

  void read(SimulatedNode& node, const Bytes& key) {
    const auto newest = newest_.find(key);
    if (newest == newest_.end()) {
      return;
    }
    world_.probe("lease read");
    if (!holds(node.engine(), newest->second, operations_.at(newest->second))) {
      world_.fail("linearizability", fmt::format("node {} holds the lease of {} and has not operation {}",
                                                 node.id().number(), key, newest->second));
    }
  }

  void watch() {
    for (const ShardId shard : shards()) {
      int holders = 0;
      for (const auto& node : hosts_.nodes()) {
        holders += node->serves(shard) ? 1 : 0;
      }
      if (holders > 1) {
        world_.fail("lease disjointness", fmt::format("{} nodes hold the lease of shard {}", holders, shard.number()));
      }
    }
    world_.after(3 * kMs, [this] { watch(); });
  }

  // --- faults ---

  void nemesis_step() {
    if (!disturbed_) {
      return;
    }
    for (const auto& node : hosts_.nodes()) {
      if (node->start_failed()) {
        crash(node);
      }
    }
    switch (prng_.below(14)) {
      case 0:
        crash(pick(hosts_.nodes()));
        break;
      case 1:
        cut();
        break;
      case 2:
      case 3:
        transfer();
        break;
      case 4:
      case 5:
        move();
        break;
      case 6:
        split();
        break;
      case 7:
        fail_engine(*pick(hosts_.nodes()));
        break;
      case 10:
      case 11:
      case 12:
        merge();
        break;
      case 13:
        hosts_.recover_merges();
        break;
      case 8:
        fail_disk(*pick(hosts_.nodes()));
        break;
      default:
        pick(hosts_.nodes())->engine().flush().ignore("a memory engine flushes");
        break;
    }
    world_.after(prng_.below(500 * kMs), [this] { nemesis_step(); });
  }

  void crash(const std::unique_ptr<SimulatedNode>& node) {
    if (!node->up()) {
      return;
    }
    node->crash();
    world_.after(prng_.below(2000 * kMs), [node = node.get()] {
      if (!node->up()) {
        node->start();
      }
    });
  }

  void cut() {
    const auto from = static_cast<sim::Machine>(1 + prng_.below(hosts_.nodes().size()));
    const auto to = static_cast<sim::Machine>(1 + prng_.below(hosts_.nodes().size()));
    const bool both = prng_.chance(0.5);
    hosts_.network().block(from, to);
    if (both) {
      hosts_.network().block(to, from);
    }
    world_.probe("cut");
    world_.after(prng_.below(2000 * kMs), [this, from, to] {
      hosts_.network().unblock(from, to);
      hosts_.network().unblock(to, from);
    });
  }

  SimulatedNode* some_holder(ShardId& shard) {
    std::vector<ShardId> all = shards();
    if (all.empty()) {
      return nullptr;
    }
    shard = pick(all);
    return hosts_.leaseholder(shard);
  }

  void transfer() {
    ShardId shard;
    if (SimulatedNode* const holder = some_holder(shard); holder != nullptr) {
      const NodeId to(static_cast<uint32_t>(1 + prng_.below(hosts_.nodes().size())));
      holder->host().transfer_lease(
          shard, to, [this](Status status) { world_.probe(status.ok() ? "lease handed over" : "handover refused"); });
    }
  }

  void move() {
    ShardId shard;
    SimulatedNode* const holder = some_holder(shard);
    if (holder == nullptr) {
      return;
    }
    const kv::ShardDescriptor& descriptor = holder->machine().shards().at(shard);
    kv::ReplicaChange change;
    for (const auto& node : hosts_.nodes()) {
      const bool here = descriptor.on_node(node->id()) != nullptr;
      if (!here && prng_.chance(0.5)) {
        change.add.push_back(node->id());
      } else if (here && node.get() != holder && descriptor.replicas.size() > 2 && prng_.chance(0.3)) {
        change.remove.push_back(node->id());
      }
    }
    holder->host().change_replicas(shard, change, [this](const Result<kv::ShardDescriptor>& result) {
      world_.probe(result.ok() ? "replicas changed" : "change refused");
    });
  }

  void split() {
    ShardId shard;
    SimulatedNode* const holder = some_holder(shard);
    if (holder == nullptr || last_shard_ >= kShardsMax) {
      return;
    }
    holder->host().split(
        shard, key_of(prng_.below(kKeys)), ShardId(++last_shard_),
        [this](const Result<kv::ShardDescriptor>& result) { world_.probe(result.ok() ? "split" : "split refused"); });
  }

  // A shard and its right neighbour, which often must be led by the same node first.
  void merge() {
    ShardId left;
    SimulatedNode* const holder = some_holder(left);
    if (holder == nullptr) {
      return;
    }
    const Bytes boundary = holder->machine().shards().at(left).end;
    for (const ShardId right : shards()) {
      SimulatedNode* const other = hosts_.leaseholder(right);
      if (boundary.empty() || other == nullptr || other->machine().shards().at(right).start != boundary) {
        continue;
      }
      if (other != holder) {
        other->host().transfer_lease(right, holder->id(), [](const Status&) {});
        continue;
      }
      hosts_.start_merge(left, right, [this](const Result<kv::ShardDescriptor>& result) {
        world_.probe(result.ok() ? "merge" : "merge refused");
      });
    }
  }

  void fail_engine(SimulatedNode& node) {
    node.engine_fails = true;
    world_.after(prng_.below(600 * kMs), [&node] { node.engine_fails = false; });
  }

  void fail_disk(SimulatedNode& node) {
    if (prng_.chance(0.5)) {
      node.disk().stall_until(world_.now_ns() + prng_.below(1500 * kMs));
      return;
    }
    prng_.chance(0.5) ? node.disk().set_full(true) : node.disk().set_error(true);
    world_.after(prng_.below(1000 * kMs), [&node] { node.disk().heal(); });
  }

  // --- the end ---

  void calm() {
    disturbed_ = false;
    hosts_.network().heal();
    for (const auto& node : hosts_.nodes()) {
      node->disk().heal();
      node->engine_fails = false;
      if (!node->up()) {
        node->start();
      }
    }
    Status status;
    const bool settled = hosts_.run_until(std::chrono::nanoseconds(kSettleNs), [&] {
      status = rested();
      return status.ok();
    });
    if (world_.failed()) {
      return;
    }
    if (!settled) {
      world_.fail("convergence", fmt::format("{}\n{}", status.message(), describe()));
      return;
    }
    check_history();
  }

  std::string describe() {
    std::string text;
    for (const auto& node : hosts_.nodes()) {
      for (const kv::ShardStatus& shard : node->inspect()) {
        text += fmt::format(
            "  node {} shard {} [{}, {}) generation {} replica {} term {}{} leader {} applied {} "
            "committed {} last {};",
            node->id().number(), shard.descriptor.id.number(), shard.descriptor.start, shard.descriptor.end,
            shard.descriptor.generation, shard.replica.number(), shard.term, shard.leads ? " leads" : "",
            shard.leader.number(), shard.applied, shard.committed, shard.last_index);
        for (const kv::ReplicaDescriptor& replica : shard.descriptor.replicas) {
          text += fmt::format(" {}@{} {}", replica.id.number(), replica.node.number(), to_string(replica.role));
        }
        for (const kv::ReplicaProgress& progress : shard.progress) {
          text += fmt::format(" ({} match {}{}{})", progress.id.number(), progress.match,
                              progress.streaming ? " streams" : "", progress.receives_snapshot ? " snapshot" : "");
        }
        text += '\n';
      }
    }
    return text;
  }

  // What the cluster does that knows the newest descriptors: replicas whose whole group has moved away meanwhile cannot
  // hear that they were removed.
  void collect_orphans() {
    for (const ShardId shard : shards()) {
      SimulatedNode* const holder = hosts_.leaseholder(shard);
      if (holder == nullptr) {
        collect_merged(shard);
        continue;
      }
      const kv::ShardDescriptor newest = holder->machine().shards().at(shard);
      for (const auto& node : hosts_.nodes()) {
        if (!node->running() || !node->machine().shards().contains(shard) || newest.on_node(node->id()) != nullptr) {
          continue;
        }
        const kv::ShardDescriptor& old = node->machine().shards().at(shard);
        if (const kv::ReplicaDescriptor* const replica = old.on_node(node->id());
            replica != nullptr && old.generation < newest.generation) {
          world_.probe("orphan");
          node->host().remove_replica(shard, replica->id, old.generation,
                                      [](const Status& status) { status.ignore("it is tried again"); });
        }
      }
    }
  }

  // Another shard has its first key, in a later generation: it was merged. Whoever has not heard of the merge was no
  // member any more; whoever has, waits for the log of the left side, if there is one.
  void collect_merged(ShardId shard) {
    for (const auto& node : hosts_.nodes()) {
      if (!node->running() || !node->machine().shards().contains(shard)) {
        continue;
      }
      const kv::ShardDescriptor& old = node->machine().shards().at(shard);
      const bool waits = old.merging.has_value() && node->machine().shards().contains(old.merging->left);
      const bool gone = std::ranges::any_of(hosts_.nodes(), [&](const auto& other) {
        return other->running() && std::ranges::any_of(other->machine().shards(), [&](const auto& entry) {
                 return entry.first != shard && entry.second.contains(old.start) &&
                        entry.second.generation > old.generation;
               });
      });
      if (const kv::ReplicaDescriptor* const replica = old.on_node(node->id()); gone && !waits && replica != nullptr) {
        world_.probe("orphan of a merge");
        node->host().remove_replica(shard, replica->id, old.generation,
                                    [](const Status& status) { status.ignore("it is tried again"); });
      }
    }
  }

  Status rested() {
    collect_orphans();
    hosts_.recover_merges();
    for (const auto& node : hosts_.nodes()) {
      if (node->start_failed()) {
        // While its disk did.
        node->crash();
        node->start();
      }
      if (!node->running()) {
        return Status(sql_state::kInternalError, "node {} starts", node->id().number());
      }
    }
    for (const ShardId shard : shards()) {
      if (hosts_.leaseholder(shard) == nullptr) {
        return Status(sql_state::kInternalError, "nobody serves shard {}", shard.number());
      }
    }
    return hosts_.check_identical();
  }

  void check_history() {
    for (const auto& [operation, made] : operations_) {
      for (const auto& node : hosts_.nodes()) {
        const bool here = std::ranges::any_of(
            node->machine().shards(), [&, &made = made](const auto& shard) { return shard.second.contains(made.key); });
        if (!here) {
          continue;
        }
        const bool found = holds(node->engine(), operation, made);
        if (!found && acknowledged_.contains(operation)) {
          world_.fail("durability",
                      fmt::format("operation {} was acknowledged, node {} lost it", operation, node->id().number()));
        }
        if (found && failed_.contains(operation)) {
          world_.fail("refusal", fmt::format("operation {} was refused, and is there", operation));
        }
      }
    }
  }

  sim::World& world_;
  Prng& prng_;
  SimulatedHosts hosts_;
  bool disturbed_ = false;
  uint64_t last_operation_ = 0;
  uint64_t last_shard_ = 1;
  std::map<uint64_t, Operation> operations_;
  std::set<uint64_t> acknowledged_;
  std::set<uint64_t> failed_;
  // The last operation that was acknowledged, by key.
  std::map<Bytes, uint64_t> newest_;
};

}  // namespace

ChaosResult run_chaos(uint64_t seed, bool verbose) {
  sim::World world(seed);
  world.set_verbose(verbose);
  ChaosResult result;
  {
    Chaos chaos(world);
    chaos.run();
    result.acknowledged = chaos.acknowledged();
    result.trace_hash = world.trace_hash();
    result.violation = world.violation();
  }
  result.probes = world.probes();
  return result;
}

}  // namespace pando::test
