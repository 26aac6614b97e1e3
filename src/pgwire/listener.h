#pragma once

// Listener: accepts connections on one address and hands them to workers in turn.
//
//   Listener listener(environment, pool);
//   PANDO_TRY(listener.open("127.0.0.1", 5433));
//   listener.start();
//   ...
//   listener.stop(std::chrono::seconds(5));     // drains
//
// Only loopback addresses: there is no authentication yet. Thread-safety: one thread opens, starts and stops it.

#include <chrono>
#include <future>
#include <optional>
#include <vector>

#include "base/status.h"
#include "pgwire/connection.h"
#include "session/environment.h"

namespace pando::pgwire {

class Listener final : private runtime::Poller::Watcher {
 public:
  // REQUIRES: `homes` is not empty; all outlive the listener and the connections it made.
  Listener(session::SessionEnvironment& environment, std::vector<ConnectionHome> homes);
  // REQUIRES: stop() has returned, or start() was never called.
  ~Listener() = default;
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  // Port 0 takes a free one. Errors: 0A000 for an address that is not loopback, 58000 when it cannot be bound.
  Status open(std::string_view host, uint16_t port);
  // REQUIRES: open() succeeded.
  uint16_t port() const;
  void start();
  // Stops accepting, ends idle sessions, gives running statements `grace` to end, then cancels them.
  void stop(std::chrono::milliseconds grace);

 private:
  // On the first home's thread.
  void on_ready(runtime::Readiness readiness) override;
  void accept_all();
  Task<void> begin();
  Task<void> accept_again();
  Task<void> end(std::promise<void>* closed);

  session::SessionEnvironment& environment_;
  std::vector<ConnectionHome> homes_;
  std::size_t next_home_ = 0;
  // Closed by stop().
  std::optional<Socket> socket_;
  bool stopped_ = false;
};

// "HOST:PORT", "HOST", ":PORT", "[::1]:PORT".
Status parse_address(std::string_view text, std::string& host, uint16_t& port);

}  // namespace pando::pgwire
