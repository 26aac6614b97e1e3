#pragma once

// Server: a node with a listener, from start to the signal that ends it.
//
//   PANDO_TRY(run_server({.directory = "/data", .listen = "127.0.0.1:5433"}, report));
//
// With ServerOptions::cluster it is a node of a cluster: it first waits until it belongs to one.
// SIGTERM and SIGINT drain: no new connections, idle ones end, running statements get `grace` to end.
// Thread-safety: called by the main thread, before any other exists.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/status.h"
#include "http/server.h"
#include "node/node.h"
#include "pgwire/listener.h"
#include "server/cluster_member.h"

namespace pando::server {

inline constexpr std::string_view kDefaultHost = "127.0.0.1";
inline constexpr uint16_t kDefaultPort = 5433;
inline constexpr uint16_t kDefaultHttpPort = 8433;
inline constexpr std::chrono::milliseconds kDefaultGrace{5000};

struct ServerOptions {
  std::string directory;
  // "HOST:PORT"; either may be left out. Port 0 takes a free one.
  std::string listen;
  std::size_t workers = 0;
  // "HOST:PORT" of metrics and health over HTTP; empty: none.
  std::string http;
  std::chrono::milliseconds grace = kDefaultGrace;
  // A node of a cluster; its directory and addresses for clients are filled in from the above.
  std::optional<ClusterOptions> cluster;
};

class Server {
 public:
  // `member`: in a cluster, one that is established; it is stopped when the server is, and outlives it.
  static Result<std::unique_ptr<Server>> start(ServerOptions options, const Report& report,
                                               ClusterMember* member = nullptr);
  ~Server();

  uint16_t port() const { return listener_->port(); }
  node::Node& node() { return *node_; }
  // Ends serving clients; the node goes on. Once.
  void drain(const Report& report);
  // Drains and closes the node. When a session does not end at all, ends the process instead.
  Status stop(const Report& report);

 private:
  Server(ServerOptions options, std::unique_ptr<node::Node> node, ClusterMember* member);
  Status open_http(const Report& report);

  const ServerOptions options_;
  ClusterMember* const member_;
  std::atomic<bool> drained_{false};
  std::unique_ptr<node::Node> node_;
  std::unique_ptr<pgwire::Listener> listener_;
  std::unique_ptr<http::Server> http_;
};

// What belongs to a cluster is not opened as a node of its own: it would go on without the others. Errors: 55000.
Status check_no_cluster(const std::string& directory);

// Starts a server, waits for SIGTERM or SIGINT, stops it.
Status run_server(ServerOptions options, const Report& report);

}  // namespace pando::server
