#include "http/server.h"

#include <chrono>

#include <boost/asio/buffer.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>

namespace pando::http {

using boost::asio::ip::tcp;

namespace {

// A client that takes longer for a request and its answer is cut off.
constexpr std::chrono::seconds kConnectionTimeout{10};
constexpr std::size_t kReadBytes = 4096;

}  // namespace

// One request and its answer.
class Server::Connection : public std::enable_shared_from_this<Server::Connection> {
 public:
  Connection(const Server& server, tcp::socket socket)
      : server_(server), socket_(std::move(socket)), timer_(socket_.get_executor()) {}

  void start() {
    timer_.expires_after(kConnectionTimeout);
    timer_.async_wait([self = shared_from_this()](boost::system::error_code error) {
      if (!error) {
        boost::system::error_code ignored;
        self->socket_.close(ignored);
      }
    });
    read();
  }

 private:
  void read() {
    chunk_.resize(kReadBytes);
    socket_.async_read_some(
        boost::asio::buffer(chunk_),
        [self = shared_from_this()](boost::system::error_code error, std::size_t size) { self->on_read(error, size); });
  }

  void on_read(boost::system::error_code error, std::size_t size) {
    if (error) {
      timer_.cancel();
      return;
    }
    received_.append(chunk_, 0, size);
    if (head_end(received_) != std::string::npos) {
      write(server_.answer(received_), !received_.starts_with("HEAD "));
    } else if (received_.size() > kHeadBytesMax) {
      write({.code = 400, .body = "the request is too long\n"}, true);
    } else {
      read();
    }
  }

  void write(const Response& response, bool with_body) {
    answer_ = to_string(response, with_body);
    boost::asio::async_write(socket_, boost::asio::buffer(answer_),
                             [self = shared_from_this()](boost::system::error_code, std::size_t) {
                               boost::system::error_code ignored;
                               self->socket_.shutdown(tcp::socket::shutdown_both, ignored);
                               self->timer_.cancel();
                             });
  }

  const Server& server_;
  tcp::socket socket_;
  boost::asio::steady_timer timer_;
  std::string chunk_;
  std::string received_;
  std::string answer_;
};

Status Server::open(const std::string& host, uint16_t port) {
  boost::system::error_code error;
  const auto address = boost::asio::ip::make_address(host == "localhost" ? "127.0.0.1" : host, error);
  if (error || !address.is_loopback()) {
    return Status(sql_state::kFeatureNotSupported, "the HTTP server listens on loopback addresses only, not on \"{}\"",
                  host);
  }
  const tcp::endpoint endpoint(address, port);
  acceptor_.open(endpoint.protocol(), error);
  if (!error) {
    acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
    acceptor_.bind(endpoint, error);
  }
  if (!error) {
    acceptor_.listen(tcp::acceptor::max_listen_connections, error);
  }
  if (error) {
    return Status(sql_state::kSystemError, "could not bind {}:{} for HTTP: {}", host, port, error.message());
  }
  port_ = acceptor_.local_endpoint().port();
  accept_next();
  thread_ = std::thread([this] { io_.run(); });
  return {};
}

void Server::stop() {
  io_.stop();
  if (thread_.joinable()) {
    thread_.join();
  }
}

void Server::accept_next() {
  acceptor_.async_accept([this](boost::system::error_code error, tcp::socket socket) {
    if (!error) {
      std::make_shared<Connection>(*this, std::move(socket))->start();
    }
    if (acceptor_.is_open()) {
      accept_next();
    }
  });
}

Response Server::answer(std::string_view head) const {
  const Result<Request> request = parse_request(head);
  if (!request.ok()) {
    return {.code = 400, .body = fmt::format("{}\n", request.status().message())};
  }
  if (request->method != "GET" && request->method != "HEAD") {
    return {.code = 405, .body = "only GET and HEAD\n"};
  }
  const auto handler = handlers_.find(request->path);
  if (handler == handlers_.end()) {
    return {.code = 404, .body = "there is nothing at this path\n"};
  }
  return handler->second();
}

}  // namespace pando::http
