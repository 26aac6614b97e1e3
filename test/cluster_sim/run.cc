#include "test/cluster_sim/run.h"

#include <algorithm>

#include <fmt/format.h>

#include "test/cluster_sim/end_checks.h"
#include "test/cluster_sim/nemesis.h"

namespace pando::test {
namespace {

using namespace std::chrono_literals;

constexpr uint64_t kEventsMax = 20'000'000;
constexpr auto kSetUpMax = 60s;
constexpr auto kCheckMax = 60s;
constexpr auto kNoticeMax = 2s;
constexpr uint64_t kRestStepNs = 50'000'000;

class ClusterRun {
 public:
  ClusterRun(const RunOptions& options, bool verbose) : options_(options), world_(options.seed) {
    world_.set_verbose(verbose);
    world_.set_events_max(kEventsMax);
    ClusterOptions cluster = options.cluster;
    cluster.make_service = [this](SimulatedClusterNode& node, ClusterProcess& process) {
      return make_process(node, process);
    };
    // Set-up is spared.
    cluster.network.loss = 0;
    cluster.network.duplicate = 0;
    cluster.network.spike = 0;
    cluster_ = std::make_unique<SimulatedCluster>(world_, std::move(cluster));
    scene_ = std::make_unique<Scene>(Scene{.world = world_, .cluster = *cluster_});
    for (const std::string& name : options.workloads) {
      workloads_.push_back(make_workload(name, *scene_, world_.prng()));
    }
  }

  void run() {
    cluster_->found();
    if (!finish("set-up", set_up(), kSetUpMax)) {
      return;
    }
    // Until every node knows of the tables, also those that were not reached by the notice.
    cluster_->run_for(kNoticeMax);
    cluster_->network().set_options(options_.cluster.network);
    Nemesis nemesis(*scene_, options_, workloads_);
    uint32_t number = 0;
    for (const auto& workload : workloads_) {
      for (uint32_t i = 0; i < options_.clients; ++i) {
        ++scene_->clients_running;
        clients_.push_back(std::make_unique<Client>(*scene_, ++number));
        runtime::spawn(world_, run_client(workload.get(), clients_.back().get()));
      }
    }
    nemesis.start();
    world_.run_until(world_.now_ns() + options_.disturbed_ns);
    scene_->disturbed = false;
    nemesis.heal();
    if (settle()) {
      check();
    }
  }

  RunResult result() {
    return {.invariant = world_.invariant(),
            .violation = world_.violation(),
            .trace_hash = world_.trace_hash(),
            .simulated_ns = world_.now_ns(),
            .events = world_.event_count(),
            .statements = scene_->statements,
            .commits = scene_->commits,
            .probes = world_.probes()};
  }

 private:
  // Runs a task to its end; a violation when it takes longer.
  bool finish(const char* what, Task<void> task, std::chrono::nanoseconds time) {
    bool done = false;
    runtime::spawn(world_, note_end(std::move(task), &done));
    if (!cluster_->run_until(time, [&] { return done; }) && !world_.failed()) {
      world_.fail("progress", fmt::format("{} does not come to an end", what));
    }
    return !world_.failed();
  }
  static Task<void> note_end(Task<void> task, bool* done) {
    co_await std::move(task);
    *done = true;
  }

  std::unique_ptr<SqlProcess> make_process(SimulatedClusterNode& node, ClusterProcess& process) {
    auto made = std::make_unique<SqlProcess>(world_, node, process);
    if (options_.may("members")) {
      made->place({.replicas = options_.cluster.replicas, .grace_ns = options_.grace_ns},
                  [this, transport = process.transport] { return list_nodes(*transport); });
    }
    if (options_.workloads.contains("ddl")) {
      // Tables are small, and so are their pieces.
      made->do_jobs({.table_min = 10, .piece_min = 4, .piece_max = 32, .checked_max = 40});
    }
    return made;
  }

  // As a node with that transport sees them.
  std::vector<cluster::NodeStatus> list_nodes(const sim::SimTransport& transport) {
    std::vector<cluster::NodeStatus> nodes;
    for (const auto& node : cluster_->nodes()) {
      const bool leaves = scene_->leaving.contains(node->id());
      nodes.push_back({.record = {.id = node->id(),
                                  .state = leaves ? cluster::NodeState::kDecommissioning : cluster::NodeState::kActive},
                       .connected = !node->retired() && transport.connected(node->id())});
    }
    return nodes;
  }

  Task<void> set_up() {
    Client client(*scene_, 0);
    for (const auto& workload : workloads_) {
      for (const std::string& sql : workload->definitions(world_.prng(), options_.shards_at_start)) {
        const SqlAnswer answer = co_await client.run(sql);
        if (!answer.ok()) {
          world_.fail("set-up", fmt::format("{}: {}", sql, answer.status.to_string()));
          co_return;
        }
      }
    }
    co_await client.close();
  }

  Task<void> run_client(Workload* workload, Client* client) {
    co_await workload->run_client(client);
    co_await client->close();
    --scene_->clients_running;
  }

  // Clients end, then the cluster comes to rest.
  bool settle() {
    const uint64_t end_ns = world_.now_ns() + options_.settle_ns_max;
    Status status;
    while (world_.now_ns() < end_ns && !world_.failed()) {
      world_.run_until(world_.now_ns() + kRestStepNs);
      status = scene_->clients_running > 0
                   ? Status(sql_state::kInternalError, "{} clients have not ended", scene_->clients_running)
                   : check_rest(*cluster_);
      if (status.ok()) {
        status = check_memory(*cluster_);
      }
      if (status.ok()) {
        return !world_.failed();
      }
    }
    if (!world_.failed()) {
      const Status held = check_rest(*cluster_).ok() ? check_memory(*cluster_) : Status();
      world_.fail("rest", fmt::format("{} ({})", status.message(), held.message()));
    }
    return false;
  }

  void check() {
    Client client(*scene_, 0);
    for (const auto& workload : workloads_) {
      if (!finish("a workload's check", workload->check(&client), kCheckMax)) {
        return;
      }
    }
    // A node that missed the notice of a change of definitions hears of it with its next guard lease.
    cluster_->run_for(kNoticeMax);
    if (!finish("closing", client.close(), kCheckMax) ||
        !finish("the check of tables", check_all_tables(), kCheckMax)) {
      return;
    }
    // What the checks did has ended too.
    settle();
  }

  Task<void> check_all_tables() {
    const Status status = co_await check_tables(cluster_.get());
    if (!status.ok()) {
      world_.fail("tables", std::string(status.message()));
    }
  }

  const RunOptions& options_;
  sim::World world_;
  std::unique_ptr<SimulatedCluster> cluster_;
  std::unique_ptr<Scene> scene_;
  std::vector<std::unique_ptr<Workload>> workloads_;
  std::vector<std::unique_ptr<Client>> clients_;
};

}  // namespace

RunResult run_cluster(const RunOptions& options, bool verbose) {
  // Never destroyed: coroutines of crashed nodes, which nobody resumes, refer to it.
  auto* const run = new ClusterRun(options, verbose);
  run->run();
  return run->result();
}

}  // namespace pando::test
