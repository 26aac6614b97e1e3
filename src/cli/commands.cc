#include "cli/commands.h"

#include <cstdio>

#include <fmt/format.h>

#include "server/server.h"

namespace pando::cli {
namespace {

constexpr const char* kUsage =
    "pando: a PostgreSQL-compatible database\n"
    "\n"
    "  pando start --dir DIR [--listen HOST:PORT] [--workers N]   serve DIR (default 127.0.0.1:5433)\n"
    "  pando sql [--dir DIR | HOST:PORT] [-c COMMAND]             run SQL, on a server or on DIR itself\n"
    "  pando version                                              print the version\n";

void report(const std::string& line) {
  std::fprintf(stderr, "pando: %s\n", line.c_str());
  std::fflush(stderr);
}

int fail(const Status& status) {
  std::fprintf(stderr, "pando: error: %s\n", std::string(status.message()).c_str());
  if (!status.fields().detail.empty()) {
    std::fprintf(stderr, "DETAIL: %s\n", status.fields().detail.c_str());
  }
  if (!status.fields().hint.empty()) {
    std::fprintf(stderr, "HINT: %s\n", status.fields().hint.c_str());
  }
  return kExitFailure;
}

}  // namespace

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

int print_usage(int exit_code) {
  std::fputs(kUsage, exit_code == kExitOk ? stdout : stderr);
  return exit_code;
}

int run_version(Words) {
  std::puts("pando 0.1.0 (speaks PostgreSQL 15)");
  return kExitOk;
}

int run_start(Words words) {
  server::ServerOptions options;
  std::string workers;
  for (std::size_t at = 0; at < words.size();) {
    if (!take_flag(words, at, "--dir", options.directory) && !take_flag(words, at, "--listen", options.listen) &&
        !take_flag(words, at, "--workers", workers)) {
      report(fmt::format("unknown argument \"{}\"", words[at]));
      return print_usage(kExitUsage);
    }
  }
  if (options.directory.empty()) {
    report("--dir is missing: the directory that holds the database");
    return print_usage(kExitUsage);
  }
  options.workers = std::strtoul(workers.c_str(), nullptr, 10);
  const Status status = server::run_server(std::move(options), report);
  return status.ok() ? kExitOk : fail(status);
}

}  // namespace pando::cli
