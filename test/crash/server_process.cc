#include "server_process.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <thread>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

namespace pando::crash {
namespace {

constexpr std::chrono::milliseconds kConnectDelay{20};
constexpr std::chrono::seconds kConnectTimeout{60};

std::string describe_end(int status) {
  if (WIFSIGNALED(status)) {
    return "the server ended by signal " + std::to_string(WTERMSIG(status));
  }
  return "the server ended with exit code " + std::to_string(WEXITSTATUS(status));
}

}  // namespace

ServerProcess::~ServerProcess() {
  if (process_ != 0) {
    kill_now();
    end();
  }
}

void ServerProcess::start() {
  const std::string listen = "127.0.0.1:" + std::to_string(port_);
  killed_ = false;
  signal_ = 0;
  terminated_ = false;
  process_ = fork();
  if (process_ == 0) {
    const std::string log = directory_ + ".log";
    if (freopen(log.c_str(), "a", stdout) == nullptr || freopen(log.c_str(), "a", stderr) == nullptr) {
      _exit(1);
    }
    execl(binary_.c_str(), binary_.c_str(), "start", "--dir", directory_.c_str(), "--listen", listen.c_str(), nullptr);
    _exit(1);
  }
}

ConnectionPtr ServerProcess::connect() const {
  const std::string where =
      "host=127.0.0.1 user=postgres dbname=postgres connect_timeout=5 port=" + std::to_string(port_);
  const auto deadline = std::chrono::steady_clock::now() + kConnectTimeout;
  while (!killed_ && !has_ended() && std::chrono::steady_clock::now() < deadline) {
    ConnectionPtr connection(PQconnectdb(where.c_str()));
    if (PQstatus(connection.get()) == CONNECTION_OK) {
      return connection;
    }
    std::this_thread::sleep_for(kConnectDelay);
  }
  return nullptr;
}

void ServerProcess::terminate() {
  signal_ = SIGTERM;
  terminated_ = true;
  kill(process_, SIGTERM);
}

void ServerProcess::kill_now() {
  killed_ = true;
  signal_ = SIGKILL;
  kill(process_, SIGKILL);
}

std::string ServerProcess::end() {
  int status = 0;
  waitpid(process_, &status, 0);
  process_ = 0;
  killed_ = true;
  const bool was_killed = signal_ == SIGKILL && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
  const bool has_stopped = terminated_ && WIFEXITED(status) && WEXITSTATUS(status) == 0;
  return was_killed || has_stopped ? "" : describe_end(status);
}

std::string ServerProcess::check() const {
  const std::string output = directory_ + ".check";
  const std::string command = binary_ + " check --dir " + directory_ + " > " + output + " 2>&1";
  if (std::system(command.c_str()) == 0) {
    return "";
  }
  std::ifstream file(output);
  return "pando check: " + std::string(std::istreambuf_iterator<char>(file), {});
}

// Leaves the process to be waited for by end().
bool ServerProcess::has_ended() const {
  siginfo_t info{};
  return waitid(P_PID, static_cast<id_t>(process_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid != 0;
}

}  // namespace pando::crash
