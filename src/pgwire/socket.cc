#include "pgwire/socket.h"

#include <cerrno>
#include <cstring>
#include <system_error>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace pando::pgwire {
namespace {

constexpr std::string_view kPlainCongestionControl = "reno";

std::string text_of_errno(int error) { return std::generic_category().message(error); }

Status lost(const char* what) { return Status(sql_state::kConnectionFailure, "{}: {}", what, text_of_errno(errno)); }

// An address in the form that the system calls take.
struct Endpoint {
  sockaddr_storage storage{};
  socklen_t size = sizeof(sockaddr_storage);

  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
  sockaddr_in& v4() { return reinterpret_cast<sockaddr_in&>(storage); }
  sockaddr_in6& v6() { return reinterpret_cast<sockaddr_in6&>(storage); }
  bool is_v6() const { return storage.ss_family == AF_INET6; }
  uint16_t port() { return ntohs(is_v6() ? v6().sin6_port : v4().sin_port); }
};

Result<Endpoint> parse_endpoint(const std::string& address, uint16_t port) {
  Endpoint endpoint;
  if (::inet_pton(AF_INET, address.c_str(), &endpoint.v4().sin_addr) == 1) {
    endpoint.storage.ss_family = AF_INET;
    endpoint.v4().sin_port = htons(port);
    endpoint.size = sizeof(sockaddr_in);
    return endpoint;
  }
  if (::inet_pton(AF_INET6, address.c_str(), &endpoint.v6().sin6_addr) == 1) {
    endpoint.storage.ss_family = AF_INET6;
    endpoint.v6().sin6_port = htons(port);
    endpoint.size = sizeof(sockaddr_in6);
    return endpoint;
  }
  return Status(sql_state::kInvalidParameterValue, "\"{}\" is not an IP address or \"localhost\"", address);
}

bool is_not_now(int error) { return error == EAGAIN || error == EWOULDBLOCK; }

}  // namespace

Result<bool> is_loopback(const std::string& address) {
  PANDO_ASSIGN(Endpoint endpoint, parse_endpoint(address, 0));
  if (endpoint.is_v6()) {
    return IN6_IS_ADDR_LOOPBACK(&endpoint.v6().sin6_addr);
  }
  return ntohl(endpoint.v4().sin_addr.s_addr) >> IN_CLASSA_NSHIFT == IN_LOOPBACKNET;
}

Result<Socket> Socket::listen(const std::string& address, uint16_t port) {
  PANDO_ASSIGN(Endpoint endpoint, parse_endpoint(address, port));
  Socket socket(::socket(endpoint.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const int on = 1;
  if (socket.descriptor_ < 0 || ::setsockopt(socket.descriptor_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
      ::bind(socket.descriptor_, endpoint.get(), endpoint.size) != 0 || ::listen(socket.descriptor_, SOMAXCONN) != 0) {
    return Status(sql_state::kSystemError, "could not listen on {}:{}: {}", address, port, text_of_errno(errno));
  }
  return socket;
}

Result<std::optional<Socket>> Socket::accept() {
  while (true) {
    Socket client(::accept4(descriptor_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (client.descriptor_ >= 0) {
      const int on = 1;
      ::setsockopt(client.descriptor_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
      // Nothing is congested within a machine, and only it connects: an algorithm that paces what is sent, as bbr does,
      // arms a timer for every answer. A quarter of a lone client's cost.
      ::setsockopt(client.descriptor_, IPPROTO_TCP, TCP_CONGESTION, kPlainCongestionControl.data(),
                   kPlainCongestionControl.size());
      return std::optional<Socket>(std::move(client));
    }
    if (is_not_now(errno)) {
      return std::optional<Socket>();
    }
    // A client that was gone before it was accepted is not the listener's trouble.
    if (errno != EINTR && errno != ECONNABORTED && errno != EPROTO) {
      return Status(sql_state::kTooManyConnections, "could not accept a connection: {}", text_of_errno(errno));
    }
  }
}

Result<Transfer> Socket::receive(char* into, std::size_t size) {
  while (true) {
    const ssize_t received = ::recv(descriptor_, into, size, 0);
    if (received >= 0) {
      return Transfer{.bytes = static_cast<std::size_t>(received)};
    }
    if (is_not_now(errno)) {
      return Transfer{.blocked = true};
    }
    if (errno != EINTR) {
      return lost("could not receive data from client");
    }
  }
}

Result<Transfer> Socket::send(ByteView bytes) {
  while (true) {
    const ssize_t sent = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      return Transfer{.bytes = static_cast<std::size_t>(sent)};
    }
    if (is_not_now(errno)) {
      return Transfer{.blocked = true};
    }
    if (errno != EINTR) {
      return lost("could not send data to client");
    }
  }
}

uint16_t Socket::local_port() const {
  Endpoint endpoint;
  return ::getsockname(descriptor_, endpoint.get(), &endpoint.size) == 0 ? endpoint.port() : 0;
}

std::string Socket::peer() const {
  Endpoint endpoint;
  if (::getpeername(descriptor_, endpoint.get(), &endpoint.size) != 0) {
    return "";
  }
  char text[INET6_ADDRSTRLEN] = "";
  const void* const address = endpoint.is_v6() ? static_cast<const void*>(&endpoint.v6().sin6_addr)
                                               : static_cast<const void*>(&endpoint.v4().sin_addr);
  ::inet_ntop(endpoint.storage.ss_family, address, text, sizeof(text));
  return fmt::format("{}:{}", text, endpoint.port());
}

void Socket::close() {
  if (descriptor_ != kNone) {
    ::close(std::exchange(descriptor_, kNone));
  }
}

}  // namespace pando::pgwire
