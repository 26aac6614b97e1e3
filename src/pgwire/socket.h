#pragma once

// Socket: a TCP socket that never blocks, and closes itself. The system calls of a connection, with errors as 08006.
//
//   PANDO_ASSIGN(Socket listening, Socket::listen(endpoint));
//   PANDO_ASSIGN(std::optional<Socket> client, listening.accept());      // nullopt: none waits
//   PANDO_ASSIGN(const Transfer got, client->receive(buffer, size));
//
// Thread-safety: one thread at a time.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/bytes.h"
#include "base/status.h"

namespace pando::pgwire {

// What one call moved.
struct Transfer {
  std::size_t bytes = 0;
  // Nothing moved: there is nothing to read, or no room to write.
  bool blocked = false;
};

class Socket {
 public:
  Socket(Socket&& other) noexcept : descriptor_(std::exchange(other.descriptor_, kNone)) {}
  Socket& operator=(Socket&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket() { close(); }

  // Listens on an IP address, "127.0.0.1" or "::1". Port 0 takes a free one. Errors: 22023 when it is no address, 58000
  // when it cannot be bound.
  static Result<Socket> listen(const std::string& address, uint16_t port);
  // Errors: those of a system that is out of descriptors or memory, 53300.
  Result<std::optional<Socket>> accept();

  // No bytes and not blocked: the peer has closed its side.
  Result<Transfer> receive(char* into, std::size_t size);
  Result<Transfer> send(ByteView bytes);

  int descriptor() const { return descriptor_; }
  uint16_t local_port() const;
  // "127.0.0.1:40000"; empty when it is not connected.
  std::string peer() const;
  void close();

 private:
  static constexpr int kNone = -1;
  explicit Socket(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

// Whether `address` is an IP address (22023 otherwise) of this machine alone.
Result<bool> is_loopback(const std::string& address);

}  // namespace pando::pgwire
