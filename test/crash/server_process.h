#pragma once

// ServerProcess: a real server in a child process, to be killed at bad moments.
//
//   ServerProcess server("build/release/pando", "/tmp/data", 21000);
//   server.start();
//   const ConnectionPtr connection = server.connect();    // null: the server ended, or does not answer
//   server.kill_now();                                    // SIGKILL
//   const std::string problem = server.end();             // waits; says how it ended if that is not as asked for
//
// What the server prints goes to DIRECTORY.log. Thread-safety: connect() from any thread while the server runs; the
// rest from one thread.

#include <atomic>
#include <memory>
#include <string>

#include <libpq-fe.h>
#include <sys/types.h>

namespace pando::crash {

struct ConnectionDeleter {
  void operator()(PGconn* connection) const { PQfinish(connection); }
};
using ConnectionPtr = std::unique_ptr<PGconn, ConnectionDeleter>;
struct ResultDeleter {
  void operator()(PGresult* result) const { PQclear(result); }
};
using ResultPtr = std::unique_ptr<PGresult, ResultDeleter>;

class ServerProcess {
 public:
  ServerProcess(std::string binary, std::string directory, int port)
      : binary_(std::move(binary)), directory_(std::move(directory)), port_(port) {}
  // Kills what still runs.
  ~ServerProcess();
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  // REQUIRES: it does not run.
  void start();
  // Waits until the server serves. Null when it was killed or has ended before that, or does not answer in time.
  ConnectionPtr connect() const;
  // Ask it to end; REQUIRES: it was started.
  void terminate();
  void kill_now();
  // `pando check` of the directory; what it says if it finds anything. REQUIRES: the server has ended.
  std::string check() const;
  // Waits for the end. Empty when it ended as asked: by SIGKILL, or after SIGTERM with exit code 0.
  std::string end();

 private:
  bool has_ended() const;

  const std::string binary_;
  const std::string directory_;
  const int port_;
  pid_t process_ = 0;
  int signal_ = 0;
  bool terminated_ = false;
  // Nobody needs to wait for an answer any more.
  std::atomic<bool> killed_{false};
};

}  // namespace pando::crash
