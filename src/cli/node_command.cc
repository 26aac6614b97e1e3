// pando init, pando node: administration of a cluster, by calls to one of its nodes.

#include <cstdio>
#include <ctime>
#include <future>
#include <thread>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "cli/commands.h"
#include "cluster/administration.h"
#include "pgwire/listener.h"
#include "runtime/block_on.h"
#include "runtime/os/grpc_transport.h"
#include "server/certificate_files.h"
#include "server/server.h"

namespace pando::cli {
namespace {

constexpr std::chrono::milliseconds kCallTimeout{60'000};
constexpr uint64_t kNsPerSecond = 1'000'000'000;
constexpr std::chrono::milliseconds kDecommissionPoll{500};
// When it is said why it may take so long.
constexpr std::chrono::milliseconds kDecommissionHint{30'000};

struct CallArguments {
  std::string host;
  std::string certificates_directory;
  bool insecure = false;
  std::vector<std::string> names;
};

Result<CallArguments> parse(Words words) {
  CallArguments arguments;
  for (std::size_t at = 0; at < words.size();) {
    if (take_flag(words, at, "--host", arguments.host) ||
        take_flag(words, at, "--certs-dir", arguments.certificates_directory) ||
        take_switch(words, at, "--insecure", arguments.insecure)) {
      continue;
    }
    if (words[at].starts_with("-")) {
      return Status(sql_state::kInvalidParameterValue, "unknown argument \"{}\"", words[at]);
    }
    arguments.names.push_back(words[at++]);
  }
  return arguments;
}

Result<Bytes> call(const CallArguments& arguments, const char* method, Bytes request) {
  std::string host(server::kDefaultHost);
  uint16_t port = server::kDefaultPort + server::kPeerPortOffset;
  PANDO_TRY(pgwire::parse_address(arguments.host, host, port));
  runtime::GrpcTransportOptions options{.insecure = arguments.insecure};
  if (!arguments.certificates_directory.empty()) {
    PANDO_ASSIGN(options.tls,
                 server::load_tls_identity(arguments.certificates_directory, server::client_name(server::kRootUser)));
  }
  PANDO_ASSIGN(auto network, runtime::GrpcTransport::open(std::move(options)));
  std::promise<Result<Bytes>> promise;
  network->call(fmt::format("{}:{}", host, port), method, std::move(request), kCallTimeout,
                [&promise](Result<Bytes> reply) { promise.set_value(std::move(reply)); });
  return promise.get_future().get();
}

Status initialize(Words words) {
  PANDO_ASSIGN(const CallArguments arguments, parse(words));
  PANDO_ASSIGN(const Bytes reply, call(arguments, cluster::method::kInitialize, {}));
  PANDO_ASSIGN(const cluster::Introduction made, cluster::decode_introduction(reply));
  fmt::print("made cluster {}; its first node is {} at {}\n", made.cluster.to_string(), made.node.number(),
             made.address);
  return {};
}

Status show_nodes(Words words) {
  PANDO_ASSIGN(const CallArguments arguments, parse(words));
  PANDO_ASSIGN(const Bytes reply, call(arguments, cluster::method::kNodes, {}));
  PANDO_ASSIGN(const std::vector<cluster::NodeStatus> nodes, cluster::decode_node_list(reply));
  fmt::print("{:>4}  {:<24} {:<24} {:<16} {:<10} {:<20} {:<8} {}\n", "id", "nodes", "clients", "state", "connected",
             "started (UTC)", "version", "locality");
  for (const cluster::NodeStatus& node : nodes) {
    const auto started = static_cast<std::time_t>(node.record.started_ns / kNsPerSecond);
    fmt::print("{:>4}  {:<24} {:<24} {:<16} {:<10} {:<20} {:<8} {}\n", node.record.id.number(),
               node.record.peer_address, node.record.sql_address, cluster::to_string(node.record.state),
               node.connected ? "yes" : "no", fmt::format("{:%Y-%m-%d %H:%M:%S}", fmt::gmtime(started)),
               node.record.version, cluster::to_string(node.record.locality));
  }
  return {};
}

Status set_state(Words words, cluster::NodeState state) {
  PANDO_ASSIGN(const CallArguments arguments, parse(words));
  if (arguments.names.size() != 1 || std::atoi(arguments.names[0].c_str()) < 1) {
    return Status(sql_state::kInvalidParameterValue, "the number of one node is needed");
  }
  const cluster::NodeCommand command{.node = NodeId(static_cast<uint32_t>(std::atoi(arguments.names[0].c_str()))),
                                     .state = state};
  PANDO_TRY(call(arguments, cluster::method::kSetState, encode(command)).status());
  fmt::print("node {} is {}\n", command.node.number(), cluster::to_string(state));
  return {};
}

Result<cluster::NodeState> state_of(const CallArguments& arguments, NodeId node) {
  PANDO_ASSIGN(const Bytes reply, call(arguments, cluster::method::kNodes, {}));
  PANDO_ASSIGN(const std::vector<cluster::NodeStatus> nodes, cluster::decode_node_list(reply));
  for (const cluster::NodeStatus& each : nodes) {
    if (each.record.id == node) {
      return each.record.state;
    }
  }
  return Status(sql_state::kUndefinedObject, "there is no node {}", node.number());
}

// Waits until the node's replicas are elsewhere.
Status decommission(Words words) {
  PANDO_TRY(set_state(words, cluster::NodeState::kDecommissioning));
  PANDO_ASSIGN(const CallArguments arguments, parse(words));
  const NodeId node(static_cast<uint32_t>(std::atoi(arguments.names[0].c_str())));
  std::fflush(stdout);
  for (auto waited = kDecommissionPoll;; waited += kDecommissionPoll) {
    std::this_thread::sleep_for(kDecommissionPoll);
    PANDO_ASSIGN(const cluster::NodeState state, state_of(arguments, node));
    if (state == cluster::NodeState::kDecommissioned) {
      fmt::print("node {} is decommissioned: it has no replicas any more, and can be stopped\n", node.number());
      return {};
    }
    if (state != cluster::NodeState::kDecommissioning) {
      return Status(sql_state::kObjectNotInPrerequisiteState, "node {} is {} again", node.number(),
                    cluster::to_string(state));
    }
    if (waited == kDecommissionHint) {
      fmt::print("node {} still has replicas; they need other nodes, in service, to go to\n", node.number());
      std::fflush(stdout);
    }
  }
}

}  // namespace

int run_init(Words words) {
  const Status status = initialize(words);
  return status.ok() ? kExitOk : print_error(status);
}

int run_node(Words words) {
  const std::string action = words.empty() ? "" : words[0];
  Status status;
  if (action == "status") {
    status = show_nodes(words.subspan(1));
  } else if (action == "drain") {
    status = set_state(words.subspan(1), cluster::NodeState::kDraining);
  } else if (action == "decommission") {
    status = decommission(words.subspan(1));
  } else {
    return print_usage(kExitUsage);
  }
  return status.ok() ? kExitOk : print_error(status);
}

}  // namespace pando::cli
