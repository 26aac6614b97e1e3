// `pando sql`: the shell on a server, or on a directory through a server of its own inside this process.

#include <csignal>
#include <cstdio>
#include <thread>

#include "cli/commands.h"
#include "cli/shell.h"
#include "pgwire/listener.h"
#include "server/server.h"

namespace pando::cli {
namespace {

struct SqlArguments {
  std::string directory;
  std::string address;
  std::string command;
  bool plain = false;
};

bool read_arguments(Words words, SqlArguments& arguments) {
  for (std::size_t at = 0; at < words.size();) {
    if (take_flag(words, at, "--dir", arguments.directory) || take_flag(words, at, "-c", arguments.command)) {
      continue;
    }
    if (words[at] == "-At" || words[at] == "--plain") {
      arguments.plain = true;
    } else if (arguments.address.empty() && !words[at].starts_with("-")) {
      arguments.address = words[at];
    } else {
      std::fprintf(stderr, "pando: unknown argument \"%s\"\n", words[at].c_str());
      return false;
    }
    ++at;
  }
  return arguments.directory.empty() || arguments.address.empty();
}

int fail(const Status& status) {
  std::fprintf(stderr, "pando: error: %s\n", std::string(status.message()).c_str());
  return kExitFailure;
}

// Ctrl-C stops the statement, not the shell.
class InterruptCanceller {
 public:
  explicit InterruptCanceller(const Client& client) {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    thread_ = std::thread([&client, signals] {
      int signal = 0;
      while (sigwait(&signals, &signal) == 0 && signal == SIGINT) {
        client.cancel();
      }
    });
  }
  ~InterruptCanceller() {
    pthread_kill(thread_.native_handle(), SIGUSR1);
    thread_.join();
  }
  InterruptCanceller(const InterruptCanceller&) = delete;
  InterruptCanceller& operator=(const InterruptCanceller&) = delete;

 private:
  std::thread thread_;
};

int run_shell(const ClientOptions& options, const SqlArguments& arguments) {
  const auto client = Client::connect(options);
  if (!client.ok()) {
    return fail(client.status());
  }
  InterruptCanceller interrupts(**client);
  Shell shell(**client);
  shell.style().plain = arguments.plain;
  if (!arguments.command.empty()) {
    return shell.run_text(arguments.command) ? kExitOk : kExitFailure;
  }
  return shell.run_interactive();
}

int run_on_directory(const SqlArguments& arguments) {
  const auto silent = [](const std::string&) {};
  auto server = server::Server::start({.directory = arguments.directory, .listen = "127.0.0.1:0"}, silent);
  if (!server.ok()) {
    return fail(server.status());
  }
  const int exit_code = run_shell({.port = (*server)->port()}, arguments);
  const Status stopped = (*server)->stop(silent);
  return stopped.ok() ? exit_code : fail(stopped);
}

}  // namespace

int run_sql(Words words) {
  SqlArguments arguments;
  if (!read_arguments(words, arguments)) {
    return print_usage(kExitUsage);
  }
  if (!arguments.directory.empty()) {
    return run_on_directory(arguments);
  }
  ClientOptions options;
  options.port = server::kDefaultPort;
  if (const Status status = pgwire::parse_address(arguments.address, options.host, options.port); !status.ok()) {
    return fail(status);
  }
  return run_shell(options, arguments);
}

}  // namespace pando::cli
