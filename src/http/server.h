#pragma once

// Server: answers GET and HEAD over HTTP/1.1, a request per connection, from a thread of its own: for metrics and
// health.
//
//   http::Server server({{"/health", [] { return Response{.body = "ok\n"}; }}});
//   PANDO_TRY(server.open("127.0.0.1", 8080));
//   server.stop();
//
// Only loopback addresses: there is no authentication yet. Handlers run on the server's thread, one at a time, and may
// take their time. Thread-safety: one thread opens and stops it.

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "http/request.h"

namespace pando::http {

class Server {
 public:
  using Handler = std::function<Response()>;
  // By path.
  explicit Server(std::map<std::string, Handler> handlers) : handlers_(std::move(handlers)), acceptor_(io_) {}
  ~Server() { stop(); }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Port 0 takes a free one. Errors: 0A000 for an address that is not loopback, 58000 when it cannot be bound.
  Status open(const std::string& host, uint16_t port);
  uint16_t port() const { return port_; }
  void stop();

 private:
  class Connection;
  void accept_next();
  Response answer(std::string_view head) const;

  const std::map<std::string, Handler> handlers_;
  boost::asio::io_context io_;
  boost::asio::ip::tcp::acceptor acceptor_;
  uint16_t port_ = 0;
  std::thread thread_;
};

}  // namespace pando::http
