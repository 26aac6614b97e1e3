#include "server/metrics.h"

#include <algorithm>
#include <future>

#include <fmt/format.h>

#include "base/version.h"
#include "kv/cluster/cluster_node.h"
#include "kv/kv_store.h"

namespace pando::server {
namespace {

constexpr std::chrono::seconds kInspectTimeout{2};

// Lines of the exposition format: a help and a type line for each family, then its samples.
class Exposition {
 public:
  void gauge(std::string_view name, std::string_view help, double value) { family(name, help, "gauge", value); }
  void counter(std::string_view name, std::string_view help, double value) { family(name, help, "counter", value); }
  void begin(std::string_view name, std::string_view help, std::string_view type) {
    text_ += fmt::format("# HELP pando_{0} {1}\n# TYPE pando_{0} {2}\n", name, help, type);
  }
  void sample(std::string_view name, std::string_view labels, double value) {
    text_ += fmt::format("pando_{}{{{}}} {}\n", name, labels, value);
  }
  std::string take() { return std::move(text_); }

 private:
  void family(std::string_view name, std::string_view help, std::string_view type, double value) {
    begin(name, help, type);
    text_ += fmt::format("pando_{} {}\n", name, value);
  }
  std::string text_;
};

double number(uint64_t value) { return static_cast<double>(value); }

void add_journal(Exposition& out, const storage::JournalStatistics& journal) {
  out.counter("journal_appends_total", "Batches appended to the journal.", number(journal.append_count));
  out.counter("journal_syncs_total", "Times the journal was synced.", number(journal.sync_count));
  out.counter("journal_bytes_total", "Bytes appended to the journal.", number(journal.appended_bytes));
  out.gauge("journal_live_bytes", "Bytes of the journal that are needed.", number(journal.live_bytes));
  out.gauge("journal_segments", "Segments of the journal.", number(journal.segment_count));
  out.gauge("journal_failing", "Whether appends fail.", journal.error.ok() ? 0 : 1);
}

void add_cache(Exposition& out, const kv::RecordCacheStatistics& cache) {
  out.counter("record_cache_hits_total", "Reads answered by the record cache.", number(cache.hits));
  out.counter("record_cache_misses_total", "Reads that went to the engine.", number(cache.misses));
  out.gauge("record_cache_bytes", "Bytes in the record cache.", number(cache.bytes));
}

// Empty when the replicas do not answer in time.
std::vector<kv::ShardStatus> inspect(kv::ReplicaHost& host) {
  auto promise = std::make_shared<std::promise<std::vector<kv::ShardStatus>>>();
  auto future = promise->get_future();
  host.inspect([promise](std::vector<kv::ShardStatus> shards) { promise->set_value(std::move(shards)); });
  return future.wait_for(kInspectTimeout) == std::future_status::ready ? future.get() : std::vector<kv::ShardStatus>();
}

void add_shards(Exposition& out, kv::ClusterNode& cluster) {
  const std::vector<kv::ShardStatus> shards = inspect(cluster.host());
  std::size_t led = 0;
  std::size_t leaderless = 0;
  std::size_t lagging = 0;
  for (const kv::ShardStatus& shard : shards) {
    led += shard.leads ? 1 : 0;
    leaderless += shard.leader == NodeId() ? 1 : 0;
    lagging += static_cast<std::size_t>(
        std::count_if(shard.progress.begin(), shard.progress.end(),
                      [&](const kv::ReplicaProgress& progress) { return progress.match < shard.committed; }));
  }
  out.gauge("replicas", "Replicas on this node.", number(shards.size()));
  out.gauge("shards_led", "Shards that this node leads.", number(led));
  out.gauge("shards_leaderless", "Replicas here that know of no leader.", number(leaderless));
  out.gauge("followers_behind", "Followers of shards led here that lack committed entries.", number(lagging));
  out.begin("shard_applied_index", "The last log entry applied, by shard.", "gauge");
  for (const kv::ShardStatus& shard : shards) {
    out.sample("shard_applied_index", fmt::format("shard=\"{}\"", shard.descriptor.id.number()), number(shard.applied));
  }
}

void add_replicas(Exposition& out, const kv::ReplicaStatistics& replicas) {
  out.counter("raft_turns_total", "Turns of the replicas' loop.", number(replicas.turns));
  out.counter("raft_proposals_total", "Entries proposed here.", number(replicas.proposals));
  out.counter("raft_applied_entries_total", "Log entries applied here.", number(replicas.applied_entries));
  out.counter("raft_envelopes_sent_total", "Consensus messages sent.", number(replicas.envelopes_sent));
  out.counter("engine_writes_total", "Batches written to the engine.", number(replicas.engine_writes));
  out.counter("snapshots_sent_total", "Snapshots sent.", number(replicas.snapshots_sent));
  out.counter("snapshots_installed_total", "Snapshots installed.", number(replicas.snapshots_installed));
  out.gauge("raft_groups", "Consensus groups on this node.", number(replicas.groups));
  out.gauge("raft_groups_awake", "Those that are not idle.", number(replicas.awake_groups));
  out.gauge("raft_log_bytes", "Bytes of logs kept in memory.", number(replicas.log_bytes));
  out.gauge("replica_writes_failing", "Whether the journal or the engine refuses writes.",
            replicas.write_error.ok() ? 0 : 1);
}

void add_network(Exposition& out, const runtime::TransportCounters& network) {
  out.counter("peer_messages_sent_total", "Messages sent to other nodes.", number(network.messages_sent));
  out.counter("peer_messages_received_total", "Messages of other nodes.", number(network.messages_received));
  out.counter("peer_messages_dropped_total", "Messages that could not be sent.", number(network.messages_dropped));
  out.counter("peer_bytes_sent_total", "Bytes sent to other nodes.", number(network.bytes_sent));
  out.counter("peer_bytes_received_total", "Bytes of other nodes.", number(network.bytes_received));
  out.counter("peer_refused_total", "Connections and calls that were refused.", number(network.connections_refused));
  out.gauge("peers_known", "Other nodes that are known.", number(network.peers_known));
  out.gauge("peers_connected", "Other nodes that are connected.", number(network.peers_connected));
}

}  // namespace

std::string prometheus_text(node::Node& node, ClusterMember* member) {
  Exposition out;
  out.begin("build_info", "The program.", "gauge");
  out.sample("build_info", fmt::format("version=\"{}\"", kVersion), 1);
  out.gauge("sessions", "Connected clients.", number(node.environment().registry.count()));
  if (kv::KvStore* store = node.store_of_its_own()) {
    const kv::KvStatistics statistics = store->statistics();
    add_cache(out, statistics.cache);
  }
  if (kv::ClusterNode* cluster = node.cluster()) {
    const kv::ReplicaStatistics replicas = cluster->host().statistics();
    add_replicas(out, replicas);
    add_journal(out, replicas.journal);
    add_cache(out, cluster->cache_statistics());
    add_shards(out, *cluster);
  }
  if (member != nullptr) {
    out.gauge("node_id", "The number of this node.", number(member->transport().self().number()));
    add_network(out, member->transport().counters());
  }
  return out.take();
}

Status readiness(node::Node& node, ClusterMember* member) {
  if (member == nullptr || node.cluster() == nullptr) {
    return {};
  }
  if (member->own_state() != cluster::NodeState::kActive) {
    return Status(sql_state::kCannotConnectNow, "this node is {}", cluster::to_string(member->own_state()));
  }
  const runtime::TransportCounters network = member->transport().counters();
  const std::size_t nodes = network.peers_known + 1;
  if ((network.peers_connected + 1) * 2 <= nodes) {
    return Status(sql_state::kCannotConnectNow, "this node is connected to {} of {} others: it lacks a majority",
                  network.peers_connected, network.peers_known);
  }
  return {};
}

}  // namespace pando::server
