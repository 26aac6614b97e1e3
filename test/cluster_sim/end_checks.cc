#include "test/cluster_sim/end_checks.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "kv/descriptor/keys.h"
#include "session/database_check.h"

namespace pando::test {
namespace {

using namespace std::chrono_literals;

Status wrong(std::string what) { return Status::from_message(sql_state::kInternalError, std::move(what)); }

// What every replica of the shard must have alike: its versions, and the plain keys that are replicated. A line each.
using Contents = std::vector<std::string>;

Contents contents(storage::MemoryEngine& engine, const kv::ShardDescriptor& descriptor) {
  Contents lines;
  Bytes value;
  for (const Bytes& key : {kv::descriptor_key(descriptor.id), kv::shard_state_key(descriptor.id)}) {
    if (const auto found = engine.get(key, value); found.ok() && *found) {
      lines.push_back(key + "=" + value);
    }
  }
  for (const storage::KeySpan& span : kv::plain_spans(descriptor)) {
    auto entries = engine.iterate(span);
    for (entries->seek(span.start); entries->valid(); entries->next()) {
      lines.push_back(Bytes(entries->key()) + "=" + Bytes(entries->value()));
    }
  }
  const storage::KeySpan span = kv::version_span(descriptor);
  auto versions = engine.iterate_versions(span);
  for (versions->seek(span.start, HlcTimestamp::max()); versions->valid(); versions->next()) {
    lines.push_back(fmt::format("{}@{}.{}{}{}", versions->key(), versions->timestamp().wall_ns,
                                versions->timestamp().logical, versions->tombstone() ? "-" : "=", versions->value()));
  }
  return lines;
}

std::string printable(const std::string& bytes) {
  std::string text;
  for (const char c : bytes) {
    text += c >= ' ' && c <= '~' ? std::string(1, c) : fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
  }
  return text;
}

std::string first_difference(const Contents& a, const Contents& b) {
  const auto [in_a, in_b] = std::ranges::mismatch(a, b);
  return fmt::format("{} and {}", in_a == a.end() ? "nothing" : printable(*in_a),
                     in_b == b.end() ? "nothing" : printable(*in_b));
}

struct Replica {
  SimulatedClusterNode* node = nullptr;
  kv::ShardStatus status;
};

std::optional<std::vector<kv::ShardStatus>> inspect(SimulatedCluster& cluster, SimulatedClusterNode& node) {
  std::optional<std::vector<kv::ShardStatus>> shards;
  node.node().host().inspect([&](std::vector<kv::ShardStatus> all) { shards = std::move(all); });
  cluster.run_until(1s, [&] { return shards.has_value(); });
  return shards;
}

Status check_shard(ShardId id, const std::vector<Replica>& replicas) {
  const Replica* leader = nullptr;
  for (const Replica& replica : replicas) {
    if (replica.node->node().host().view(id)->holds_lease(replica.node->clock().monotonic_ns())) {
      if (leader != nullptr) {
        return wrong(fmt::format("two nodes hold the lease of shard {}", id.number()));
      }
      leader = &replica;
    }
  }
  if (leader == nullptr) {
    std::string holders;
    for (const Replica& replica : replicas) {
      holders += fmt::format(" {}", replica.node->id().number());
    }
    return wrong(fmt::format("nobody leads shard {}, of which these nodes have replicas:{}", id.number(), holders));
  }
  const kv::ShardDescriptor& newest = leader->status.descriptor;
  std::size_t members = 0;
  const Contents expected = contents(leader->node->engine(), newest);
  for (const Replica& replica : replicas) {
    const kv::ReplicaDescriptor* const member = newest.on_node(replica.node->id());
    if (member == nullptr || member->id != replica.status.replica) {
      return wrong(
          fmt::format("node {} has a replica of shard {} that was removed", replica.node->id().number(), id.number()));
    }
    ++members;
    if (replica.status.applied != leader->status.last_index) {
      return wrong(fmt::format("node {} has applied shard {} up to {} of {}", replica.node->id().number(), id.number(),
                               replica.status.applied, leader->status.last_index));
    }
    if (const Contents here = contents(replica.node->engine(), newest); here != expected) {
      return wrong(fmt::format("shard {} differs between nodes {} and {} at index {}: {}", id.number(),
                               leader->node->id().number(), replica.node->id().number(), replica.status.applied,
                               first_difference(expected, here)));
    }
  }
  return members == newest.replicas.size()
             ? Status()
             : wrong(fmt::format("shard {} has {} of {} replicas", id.number(), members, newest.replicas.size()));
}

Status check_coverage(const std::map<ShardId, std::vector<Replica>>& shards) {
  std::map<Bytes, std::pair<Bytes, ShardId>> spans;
  for (const auto& [id, replicas] : shards) {
    const kv::ShardDescriptor& descriptor = replicas.front().status.descriptor;
    if (!spans.emplace(descriptor.start, std::pair(descriptor.end, id)).second) {
      return wrong(fmt::format("shard {} begins where another does", id.number()));
    }
  }
  Bytes covered;
  bool first = true;
  for (const auto& [start, end] : spans) {
    if (start != covered || (!first && start.empty())) {
      return wrong(fmt::format("the shards leave a gap or overlap before shard {}", end.second.number()));
    }
    covered = end.first;
    first = false;
  }
  return covered.empty() ? Status() : wrong("the shards do not reach the end of the keys");
}

}  // namespace

Status check_rest(SimulatedCluster& cluster) {
  std::map<ShardId, std::vector<Replica>> shards;
  for (const auto& node : cluster.nodes()) {
    if (node->retired()) {
      continue;
    }
    if (node->start_failed()) {
      node->crash();
    }
    if (node->down()) {
      node->start();
    }
    if (!node->running() || process_of(*node) == nullptr) {
      return wrong(fmt::format("node {} does not serve", node->id().number()));
    }
    const auto statuses = inspect(cluster, *node);
    if (!statuses.has_value()) {
      return wrong(fmt::format("node {} does not answer", node->id().number()));
    }
    for (const kv::ShardStatus& status : *statuses) {
      shards[status.descriptor.id].push_back({node.get(), status});
    }
  }
  for (const auto& [id, replicas] : shards) {
    PANDO_TRY(check_shard(id, replicas));
  }
  return check_coverage(shards);
}

Status check_memory(SimulatedCluster& cluster) {
  for (const auto& node : cluster.nodes()) {
    if (node->retired()) {
      continue;
    }
    const auto in_flight = node->node().leaseholder().in_flight();
    const auto& store = node->store();
    const std::string held = fmt::format(
        "{} lock owners, {} locked keys, {} pending writes, {} prepared, {} written keys, {} waiting, {} excluders, {} "
        "guard owners, {} calls",
        in_flight.lock_owners, in_flight.locked_keys, in_flight.pending_writes, in_flight.prepared,
        in_flight.written_keys, in_flight.waiting_requests, in_flight.excluders, node->store().guards().owner_count(),
        store.parts().peers.open_calls());
    if (held !=
            "0 lock owners, 0 locked keys, 0 pending writes, 0 prepared, 0 written keys, 0 waiting, 0 excluders, 0 "
            "guard owners, 0 calls" ||
        store.background_count() != 0) {
      return wrong(fmt::format("node {} still has {}, {} tasks; locks: {}", node->id().number(), held,
                               store.background_count(), fmt::join(node->node().leaseholder().describe_locks(), "; ")));
    }
  }
  return {};
}

namespace {

class Observer final : public session::DatabaseCheckObserver {
 public:
  void stage(const std::string&, std::size_t, std::size_t) override {}
  void progress(uint64_t) override {}
  void problem(const std::string& where, const std::string& what) override {
    first = first.empty() ? where + ": " + what : first;
  }
  std::string first;
};

}  // namespace

Task<Status> check_tables(SimulatedCluster* cluster) {
  std::vector<std::vector<std::string>> first;
  for (const auto& node : cluster->nodes()) {
    if (node->retired()) {
      continue;
    }
    SqlProcess* const process = process_of(*node);
    if (process == nullptr) {
      co_return wrong("a node does not serve");
    }
    Observer observer;
    session::DatabaseCheck check(process->environment(), cluster->world(), observer);
    PANDO_CO_TRY(co_await check.run());
    if (!observer.first.empty()) {
      co_return wrong(fmt::format("at node {}: {}", node->id().number(), observer.first));
    }
    SqlConnection connection(*process);
    const SqlAnswer answer = co_await connection.run(
        "SELECT c.relname, c.relkind, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid WHERE "
        "c.oid >= 16384 ORDER BY 1, 2, 3");
    PANDO_CO_TRY(answer.status);
    co_await connection.close();
    first = first.empty() ? answer.rows : first;
    if (answer.rows != first) {
      co_return wrong(fmt::format("node {} shows another catalog than node {}", node->id().number(),
                                  cluster->nodes().front()->id().number()));
    }
  }
  co_return Status();
}

}  // namespace pando::test
