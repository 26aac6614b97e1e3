#include "pgwire/listener.h"

#include <charconv>

#include "pgwire/connection.h"
#include "runtime/task.h"

namespace pando::pgwire {
namespace {

constexpr std::chrono::milliseconds kDrainPoll{10};
constexpr std::chrono::milliseconds kAcceptRetry{100};

// The address that `host` names. 0A000 when others could reach it.
Result<std::string> resolve_loopback(std::string_view host) {
  std::string address(host == "localhost" ? "127.0.0.1" : host);
  PANDO_ASSIGN(const bool local, is_loopback(address));
  if (!local) {
    return std::move(Status(sql_state::kFeatureNotSupported, "cannot listen on {}: only loopback addresses are allowed",
                            host))
        .with_detail("There is no authentication yet, so anyone who reaches the server could read and change all data.")
        .with_hint("Listen on 127.0.0.1 or ::1, and reach it from other machines through an SSH tunnel.");
  }
  return address;
}

Task<void> serve_on_home(session::SessionEnvironment* environment, ConnectionHome home, Socket socket) {
  co_await serve_connection(std::make_unique<Connection>(*environment, home, std::move(socket)));
}

}  // namespace

Status parse_address(std::string_view text, std::string& host, uint16_t& port) {
  std::string_view rest = text;
  std::string_view name;
  if (rest.starts_with('[')) {
    const auto close = rest.find(']');
    if (close == std::string_view::npos) {
      return Status(sql_state::kInvalidParameterValue, "invalid address \"{}\"", text);
    }
    name = rest.substr(1, close - 1);
    rest.remove_prefix(close + 1);
  } else {
    name = rest.substr(0, rest.rfind(':'));
    rest.remove_prefix(name.size());
  }
  if (!name.empty()) {
    host = name;
  }
  if (rest.empty()) {
    return {};
  }
  const char* end = rest.data() + rest.size();
  const auto parsed = std::from_chars(rest.data() + 1, end, port);
  if (rest.front() != ':' || parsed.ec != std::errc() || parsed.ptr != end) {
    return Status(sql_state::kInvalidParameterValue, "invalid port in address \"{}\"", text);
  }
  return {};
}

Listener::Listener(session::SessionEnvironment& environment, std::vector<ConnectionHome> homes)
    : environment_(environment), homes_(std::move(homes)) {}

Status Listener::open(std::string_view host, uint16_t port) {
  PANDO_ASSIGN(const std::string address, resolve_loopback(host));
  PANDO_ASSIGN(socket_, Socket::listen(address, port));
  return {};
}

uint16_t Listener::port() const { return socket_->local_port(); }

void Listener::start() { runtime::spawn(homes_.front().executor, begin()); }

Task<void> Listener::begin() {
  const Status watched = homes_.front().poller.watch(socket_->descriptor(), *this);
  PANDO_ASSERT(watched.ok(), "the first socket of a fresh poller");
  co_return;
}

void Listener::on_ready(runtime::Readiness) { accept_all(); }

Task<void> Listener::accept_again() {
  accept_all();
  co_return;
}

void Listener::accept_all() {
  while (!stopped_) {
    auto client = socket_->accept();
    if (!client.ok()) {
      // Out of file descriptors, most likely: trying again at once would only spin.
      environment_.timer.schedule(kAcceptRetry, [this] { runtime::spawn(homes_.front().executor, accept_again()); });
      return;
    }
    if (!*client) {
      return;
    }
    // Spawning posts to the worker that owns the socket: the connection never runs on this thread.
    const ConnectionHome& home = homes_[next_home_];
    next_home_ = (next_home_ + 1) % homes_.size();
    runtime::spawn(home.executor, serve_on_home(&environment_, home, **std::move(client)));
  }
}

Task<void> Listener::end(std::promise<void>* closed) {
  stopped_ = true;
  homes_.front().poller.forget(socket_->descriptor(), *this);
  socket_->close();
  closed->set_value();
  co_return;
}

void Listener::stop(std::chrono::milliseconds grace) {
  std::promise<void> closed;
  runtime::spawn(homes_.front().executor, end(&closed));
  closed.get_future().wait();
  const Status reason(sql_state::kAdminShutdown, "terminating connection due to administrator command");
  environment_.registry.terminate_idle(reason);
  const uint64_t start_ns = environment_.clock.monotonic_ns();
  bool cancelled = false;
  while (environment_.registry.count() > 0) {
    const std::chrono::nanoseconds elapsed(environment_.clock.monotonic_ns() - start_ns);
    if (elapsed >= grace && !cancelled) {
      environment_.registry.terminate_all(reason);
      cancelled = true;
    }
    if (elapsed >= grace * 2 + std::chrono::seconds(1)) {
      return;
    }
    std::promise<void> woken;
    environment_.timer.schedule(kDrainPoll, [&woken] { woken.set_value(); });
    woken.get_future().wait();
    environment_.registry.terminate_idle(reason);
  }
}

}  // namespace pando::pgwire
