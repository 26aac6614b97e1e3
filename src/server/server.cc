#include "server/server.h"

#include <csignal>
#include <cstdlib>
#include <future>
#include <thread>

#include <fmt/format.h>
#include <sys/resource.h>

#include "cluster/identity_file.h"
#include "runtime/block_on.h"
#include "runtime/os/posix_disk.h"
#include "runtime/os/worker.h"
#include "server/metrics.h"

namespace pando::server {
namespace {

// Signals that end the server are taken by the main thread alone: all others are started with them blocked.
sigset_t block_ending_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  // A client that goes away in the middle of an answer is an error of that write.
  std::signal(SIGPIPE, SIG_IGN);
  return signals;
}

// A connection is a file descriptor: take as many as the system lets this process have.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
  }
}

}  // namespace

Server::Server(ServerOptions options, std::unique_ptr<node::Node> node, ClusterMember* member)
    : options_(std::move(options)), member_(member), node_(std::move(node)) {}

Server::~Server() = default;

Result<std::unique_ptr<Server>> Server::start(ServerOptions options, const Report& report, ClusterMember* member) {
  std::string host(kDefaultHost);
  uint16_t port = kDefaultPort;
  PANDO_TRY(pgwire::parse_address(options.listen, host, port));
  raise_descriptor_limit();
  report(fmt::format("opening {}", options.directory));
  node::NodeOptions node_options{.directory = options.directory, .workers = options.workers};
  if (member != nullptr) {
    node_options.cluster = member->node_membership();
  }
  PANDO_ASSIGN(auto node, node::Node::open(std::move(node_options)));
  std::unique_ptr<Server> server(new Server(std::move(options), std::move(node), member));
  std::vector<pgwire::ConnectionHome> homes;
  runtime::WorkerPool& workers = server->node_->workers();
  for (std::size_t i = 0; i < workers.size(); ++i) {
    homes.push_back({.executor = workers.worker(i), .poller = workers.worker(i)});
  }
  server->listener_ = std::make_unique<pgwire::Listener>(server->node_->environment(), std::move(homes));
  if (Status opened = server->listener_->open(host, port); !opened.ok()) {
    server->node_->close().ignore("the first error tells more");
    return opened;
  }
  if (member != nullptr) {
    member->share_advisory_locks(*server->node_);
  }
  server->listener_->start();
  if (Status opened = server->open_http(report); !opened.ok()) {
    server->stop(report).ignore("the first error tells more");
    return opened;
  }
  report(fmt::format("listening on {}:{}", host, server->port()));
  return server;
}

Status Server::open_http(const Report& report) {
  if (options_.http.empty()) {
    return {};
  }
  std::string host(kDefaultHost);
  uint16_t port = kDefaultHttpPort;
  PANDO_TRY(pgwire::parse_address(options_.http, host, port));
  http_ = std::make_unique<http::Server>(std::map<std::string, http::Server::Handler>{
      {"/metrics",
       [this] {
         return http::Response{.content_type = "text/plain; version=0.0.4; charset=utf-8",
                               .body = prometheus_text(*node_, member_)};
       }},
      {"/health", [] { return http::Response{.body = "ok\n"}; }},
      {"/ready", [this] {
         const Status status = drained_ ? Status(sql_state::kCannotConnectNow, "stopping") : readiness(*node_, member_);
         return status.ok() ? http::Response{.body = "ok\n"}
                            : http::Response{.code = 503, .body = fmt::format("{}\n", status.message())};
       }}});
  PANDO_TRY(http_->open(host, port));
  report(fmt::format("metrics on http://{}:{}/metrics", host, http_->port()));
  return {};
}

void Server::drain(const Report& report) {
  if (!drained_.exchange(true)) {
    report("stopping: no new connections, waiting for running statements");
    listener_->stop(options_.grace);
  }
}

Status Server::stop(const Report& report) {
  if (member_ != nullptr) {
    member_->leave();
  }
  drain(report);
  if (const std::size_t left = node_->environment().registry.count(); left > 0) {
    // They use the node, so it cannot be closed. The files are as after a crash, which they are made for.
    report(fmt::format("stopped at once: {} sessions did not end", left));
    std::_Exit(EXIT_FAILURE);
  }
  http_.reset();
  if (member_ != nullptr) {
    member_->stop();
  }
  const Status status = node_->close();
  report(status.ok() ? "stopped" : "stopped with an error: " + status.to_string());
  return status;
}

namespace {

constexpr timespec kLookEvery{.tv_sec = 0, .tv_nsec = 20'000'000};

bool signal_arrived(const sigset_t& signals) { return ::sigtimedwait(&signals, nullptr, &kLookEvery) > 0; }

// Opening a node of a cluster waits for a majority of it. A signal ends the process at once then: the files are as
// after a crash, which they are made for.
Result<std::unique_ptr<Server>> open_while_waiting(ServerOptions options, const Report& report, ClusterMember& member,
                                                   const sigset_t& signals) {
  std::promise<Result<std::unique_ptr<Server>>> promise;
  auto opening = promise.get_future();
  std::thread opener([&] { promise.set_value(Server::start(std::move(options), report, &member)); });
  while (opening.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
    if (signal_arrived(signals)) {
      report("stopped while opening");
      std::_Exit(0);
    }
  }
  opener.join();
  return opening.get();
}

Status run_cluster_server(ServerOptions options, const Report& report, const sigset_t& signals) {
  options.cluster->directory = options.directory;
  options.cluster->sql_host = kDefaultHost;
  options.cluster->sql_port = kDefaultPort;
  PANDO_TRY(pgwire::parse_address(options.listen, options.cluster->sql_host, options.cluster->sql_port));
  PANDO_ASSIGN(auto member, ClusterMember::open(*options.cluster, report));
  member->establish();
  while (!member->established().has_value()) {
    if (signal_arrived(signals)) {
      member->stop();
      report("stopped");
      return {};
    }
  }
  PANDO_TRY(member->established()->status());
  PANDO_ASSIGN(auto server, open_while_waiting(std::move(options), report, *member, signals));
  member->attach(server->node());
  while (!signal_arrived(signals)) {
    if (const auto refused = member->refused()) {
      server->stop(report).ignore("the reason to stop tells more");
      return *refused;
    }
    if (member->own_state() != cluster::NodeState::kActive &&
        member->own_state() != cluster::NodeState::kDecommissioning) {
      server->drain(report);
    }
  }
  return server->stop(report);
}

}  // namespace

Status check_no_cluster(const std::string& directory) {
  runtime::PosixDisk disk;
  runtime::InlineExecutor executor;
  const auto stored = runtime::block_on(executor, cluster::read_identity(disk, directory));
  if (stored.ok() && !stored->has_value()) {
    return {};
  }
  if (!stored.ok()) {
    return stored.status().is(sql_state::kUndefinedFile) ? Status() : stored.status();
  }
  return Status(sql_state::kObjectNotInPrerequisiteState, "the directory belongs to node {} of cluster {}",
                (*stored)->node.number(), (*stored)->cluster.to_string())
      .with_hint("Start it with --cluster, or with --join and the addresses of other nodes.");
}

Status run_server(ServerOptions options, const Report& report) {
  const sigset_t signals = block_ending_signals();
  if (options.cluster.has_value()) {
    return run_cluster_server(std::move(options), report, signals);
  }
  PANDO_TRY(check_no_cluster(options.directory));
  PANDO_ASSIGN(auto server, Server::start(std::move(options), report));
  int signal = 0;
  sigwait(&signals, &signal);
  return server->stop(report);
}

}  // namespace pando::server
