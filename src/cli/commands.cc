#include "cli/commands.h"

#include <cstdio>

#include <fmt/format.h>

#include "base/version.h"
#include "server/server.h"

namespace pando::cli {
namespace {

constexpr const char* kUsage =
    "pando: a PostgreSQL-compatible database\n"
    "\n"
    "  pando start --dir DIR [--listen HOST:PORT] [--workers N]   serve DIR (default 127.0.0.1:5433)\n"
    "      [--http HOST:PORT]          metrics and health\n"
    "  pando start --dir DIR --cluster | --join HOST:PORT,...     serve DIR as a node of a cluster\n"
    "      [--listen HOST:PORT]        for clients\n"
    "      [--listen-peer HOST:PORT]   for other nodes (default: the port for clients + 1000)\n"
    "      [--advertise HOST:PORT]     what other nodes are told (default: --listen-peer)\n"
    "      [--locality region=R,zone=Z]\n"
    "      [--certs-dir DIR | --insecure]   mutual TLS between nodes; required beyond loopback\n"
    "  pando init [--host HOST:PORT]                              make a new cluster, once, at one of its nodes\n"
    "  pando node status | drain ID | decommission ID [--host HOST:PORT]\n"
    "      [--certs-dir DIR | --insecure]   as user root; the host is a node's address for nodes\n"
    "  pando cert create-ca | create-node HOST... | create-client USER [--certs-dir DIR] [--ca-key-dir DIR] [--days "
    "N]\n"
    "  pando sql [--dir DIR | HOST:PORT] [-c COMMAND]             run SQL, on a server or on DIR itself\n"
    "  pando check --dir DIR                                      verify files, indexes and constraints of DIR\n"
    "  pando version                                              print the version\n";

void report(const std::string& line) {
  std::fprintf(stderr, "pando: %s\n", line.c_str());
  std::fflush(stderr);
}

}  // namespace

int print_error(const Status& status) {
  std::fprintf(stderr, "pando: error: %s\n", std::string(status.message()).c_str());
  if (!status.fields().detail.empty()) {
    std::fprintf(stderr, "DETAIL: %s\n", status.fields().detail.c_str());
  }
  if (!status.fields().hint.empty()) {
    std::fprintf(stderr, "HINT: %s\n", status.fields().hint.c_str());
  }
  return kExitFailure;
}

bool take_flag(Words words, std::size_t& at, const std::string& name, std::string& value) {
  if (words[at] == name) {
    value = at + 1 < words.size() ? words[at + 1] : "";
    at += 2;
    return true;
  }
  if (words[at].starts_with(name + "=")) {
    value = words[at].substr(name.size() + 1);
    ++at;
    return true;
  }
  return false;
}

bool take_switch(Words words, std::size_t& at, const std::string& name, bool& value) {
  if (words[at] != name) {
    return false;
  }
  value = true;
  ++at;
  return true;
}

int print_usage(int exit_code) {
  std::fputs(kUsage, exit_code == kExitOk ? stdout : stderr);
  return exit_code;
}

int run_version(Words) {
  fmt::print("pando {} (speaks PostgreSQL 15)\n", kVersion);
  return kExitOk;
}

namespace {

struct StartArguments {
  server::ServerOptions server;
  server::ClusterOptions cluster;
  bool in_cluster = false;
  std::string workers;
  std::string join;
};

bool take_start_flag(Words words, std::size_t& at, StartArguments& arguments) {
  server::ClusterOptions& cluster = arguments.cluster;
  return take_flag(words, at, "--dir", arguments.server.directory) ||
         take_flag(words, at, "--listen", arguments.server.listen) ||
         take_flag(words, at, "--http", arguments.server.http) ||
         take_flag(words, at, "--workers", arguments.workers) || take_flag(words, at, "--join", arguments.join) ||
         take_switch(words, at, "--cluster", arguments.in_cluster) ||
         take_flag(words, at, "--listen-peer", cluster.listen_peer) ||
         take_flag(words, at, "--advertise", cluster.advertise) ||
         take_flag(words, at, "--locality", cluster.locality) ||
         take_flag(words, at, "--certs-dir", cluster.certificates_directory) ||
         take_switch(words, at, "--insecure", cluster.insecure);
}

std::vector<std::string> split_list(const std::string& list) {
  std::vector<std::string> items;
  for (std::size_t start = 0; start <= list.size();) {
    const std::size_t end = std::min(list.find(',', start), list.size());
    if (end > start) {
      items.push_back(list.substr(start, end - start));
    }
    start = end + 1;
  }
  return items;
}

// Whether there is anything that only a node of a cluster has.
bool wants_cluster(const StartArguments& arguments) {
  const server::ClusterOptions& cluster = arguments.cluster;
  return arguments.in_cluster || !arguments.join.empty() || !cluster.listen_peer.empty() ||
         !cluster.advertise.empty() || !cluster.locality.empty() || !cluster.certificates_directory.empty() ||
         cluster.insecure;
}

}  // namespace

int run_start(Words words) {
  StartArguments arguments;
  for (std::size_t at = 0; at < words.size();) {
    if (!take_start_flag(words, at, arguments)) {
      report(fmt::format("unknown argument \"{}\"", words[at]));
      return print_usage(kExitUsage);
    }
  }
  server::ServerOptions& options = arguments.server;
  if (options.directory.empty()) {
    report("--dir is missing: the directory that holds the database");
    return print_usage(kExitUsage);
  }
  options.workers = std::strtoul(arguments.workers.c_str(), nullptr, 10);
  if (wants_cluster(arguments)) {
    if (!arguments.in_cluster && arguments.join.empty()) {
      report("--cluster or --join is missing: the other arguments are those of a node of a cluster");
      return print_usage(kExitUsage);
    }
    arguments.cluster.join = split_list(arguments.join);
    options.cluster = std::move(arguments.cluster);
  }
  const Status status = server::run_server(std::move(options), report);
  return status.ok() ? kExitOk : print_error(status);
}

}  // namespace pando::cli
