#include "pgwire/listener.h"

#include <charconv>
#include <future>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>

#include "pgwire/connection.h"
#include "runtime/task.h"

namespace pando::pgwire {
namespace {

using boost::asio::ip::tcp;
using boost::system::error_code;

constexpr std::chrono::milliseconds kDrainPoll{10};
constexpr std::chrono::milliseconds kAcceptRetry{100};

Status cannot_listen(std::string_view host, uint16_t port, const error_code& error) {
  return Status(sql_state::kSystemError, "could not listen on {}:{}: {}", host, port, error.message());
}

Result<boost::asio::ip::address> resolve_loopback(std::string_view host) {
  error_code error;
  const auto address = boost::asio::ip::make_address(host == "localhost" ? "127.0.0.1" : std::string(host), error);
  if (error) {
    return Status(sql_state::kInvalidParameterValue, "\"{}\" is not an IP address or \"localhost\"", host);
  }
  if (!address.is_loopback()) {
    return std::move(Status(sql_state::kFeatureNotSupported, "cannot listen on {}: only loopback addresses are allowed",
                            host))
        .with_detail("There is no authentication yet, so anyone who reaches the server could read and change all data.")
        .with_hint("Listen on 127.0.0.1 or ::1, and reach it from other machines through an SSH tunnel.");
  }
  return address;
}

Task<void> serve_on_home(session::SessionEnvironment* environment, runtime::Executor* executor, tcp::socket socket) {
  auto connection = std::make_unique<Connection>(*environment, *executor, std::move(socket));
  co_await serve_connection(std::move(connection));
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
    : environment_(environment), homes_(std::move(homes)), acceptor_(homes_.front().io) {}

Listener::~Listener() = default;

Status Listener::open(std::string_view host, uint16_t port) {
  PANDO_ASSIGN(const auto address, resolve_loopback(host));
  const tcp::endpoint endpoint(address, port);
  error_code error;
  acceptor_.open(endpoint.protocol(), error);
  if (!error) {
    acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
  }
  if (!error) {
    acceptor_.bind(endpoint, error);
  }
  if (!error) {
    acceptor_.listen(tcp::acceptor::max_listen_connections, error);
  }
  return error ? cannot_listen(host, port, error) : Status();
}

uint16_t Listener::port() const {
  error_code error;
  return acceptor_.local_endpoint(error).port();
}

void Listener::start() {
  boost::asio::post(homes_.front().io, [this] { accept_next(); });
}

void Listener::accept_next() {
  if (!acceptor_.is_open()) {
    return;
  }
  ConnectionHome& home = homes_[next_home_];
  next_home_ = (next_home_ + 1) % homes_.size();
  acceptor_.async_accept(home.io, [this, &home](const error_code& error, tcp::socket socket) {
    if (error == boost::asio::error::operation_aborted || !acceptor_.is_open()) {
      return;
    }
    if (error) {
      // Out of file descriptors, most likely: trying again at once would only spin.
      environment_.timer.schedule(kAcceptRetry, [this] { start(); });
      return;
    }
    // Spawning posts to the worker that owns the socket: the connection never runs on this thread.
    runtime::spawn(home.executor, serve_on_home(&environment_, &home.executor, std::move(socket)));
    accept_next();
  });
}

void Listener::stop(std::chrono::milliseconds grace) {
  std::promise<void> closed;
  boost::asio::post(homes_.front().io, [this, &closed] {
    error_code ignored;
    acceptor_.close(ignored);
    closed.set_value();
  });
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
