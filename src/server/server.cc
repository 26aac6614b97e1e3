#include "server/server.h"

#include <csignal>

#include <fmt/format.h>
#include <sys/resource.h>

#include "runtime/os/worker.h"

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

Server::Server(ServerOptions options, std::unique_ptr<node::Node> node)
    : options_(std::move(options)), node_(std::move(node)) {}

Server::~Server() = default;

Result<std::unique_ptr<Server>> Server::start(ServerOptions options, const Report& report) {
  std::string host(kDefaultHost);
  uint16_t port = kDefaultPort;
  PANDO_TRY(pgwire::parse_address(options.listen, host, port));
  raise_descriptor_limit();
  report(fmt::format("opening {}", options.directory));
  PANDO_ASSIGN(auto node, node::Node::open({.directory = options.directory, .workers = options.workers}));
  std::unique_ptr<Server> server(new Server(std::move(options), std::move(node)));
  std::vector<pgwire::ConnectionHome> homes;
  runtime::WorkerPool& workers = server->node_->workers();
  for (std::size_t i = 0; i < workers.size(); ++i) {
    homes.push_back({.executor = workers.worker(i), .poller = workers.worker(i)});
  }
  server->listener_ = std::make_unique<pgwire::Listener>(server->node_->environment(), std::move(homes));
  PANDO_TRY(server->listener_->open(host, port));
  server->listener_->start();
  report(fmt::format("listening on {}:{}", host, server->port()));
  return server;
}

Status Server::stop(const Report& report) {
  report("stopping: no new connections, waiting for running statements");
  listener_->stop(options_.grace);
  const Status status = node_->close();
  report(status.ok() ? "stopped" : "stopped with an error: " + status.to_string());
  return status;
}

Status run_server(ServerOptions options, const Report& report) {
  const sigset_t signals = block_ending_signals();
  PANDO_ASSIGN(auto server, Server::start(std::move(options), report));
  int signal = 0;
  sigwait(&signals, &signal);
  return server->stop(report);
}

}  // namespace pando::server
