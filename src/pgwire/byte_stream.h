#pragma once

// ByteStream: a socket with a read buffer and a write buffer, for one coroutine.
//
//   stream.output() += reply;
//   PANDO_CO_TRY(co_await stream.flush());
//   PANDO_CO_TRY(co_await stream.read_more());
//   decode(stream.unread());
//   stream.consume(n);
//
// An idle stream holds kIdleBytes of buffer and nothing else: ten thousand idle connections are cheap. A write is tried
// at once and waits only when the socket is full. Errors are 08006. Thread-safety: the thread of the socket's
// io_context only.

#include <coroutine>

#include <boost/asio/ip/tcp.hpp>

#include "base/bytes.h"
#include "base/status.h"
#include "runtime/task.h"

namespace pando::pgwire {

class ByteStream {
 public:
  // Read buffer of a connection that waits for a request; most requests fit.
  static constexpr std::size_t kIdleBytes = 1_KiB;
  // What one read asks for at most when requests come faster than that.
  static constexpr std::size_t kBusyBytes = 64_KiB;
  // What the write buffer keeps while the connection waits for a request.
  static constexpr std::size_t kKeptOutputBytes = 8_KiB;

  explicit ByteStream(boost::asio::ip::tcp::socket socket);

  // What was read and not consumed. Valid until the next read_more().
  ByteView unread() const { return ByteView(input_).substr(start_, end_ - start_); }
  void consume(std::size_t size) { start_ += size; }
  // Waits for more bytes. `expected`: how many unread() will need in all, 0 when unknown.
  Task<Status> read_more(std::size_t expected = 0);

  Bytes& output() { return output_; }
  // How many bytes have left; with output().size(), a position in the stream of replies.
  uint64_t sent() const { return sent_; }
  Task<Status> flush();

  // Makes a waiting read_more() or flush() fail, now or when it starts.
  void interrupt();
  // Makes a waiting read_more() return without bytes; nothing when none waits.
  void wake();
  void close();
  boost::asio::ip::tcp::socket& socket() { return socket_; }

 private:
  struct ReadAwaiter;
  struct WritableAwaiter;

  void make_room(std::size_t expected);
  // Writes what the socket takes now; `blocked` when something is left.
  Status write_some(bool& blocked);

  boost::asio::ip::tcp::socket socket_;
  // Bytes [start_, end_) of input_ are unread.
  Bytes input_;
  std::size_t start_ = 0;
  std::size_t end_ = 0;
  std::size_t last_read_ = 0;
  Bytes output_;
  std::size_t written_ = 0;
  uint64_t sent_ = 0;
  bool interrupted_ = false;
  bool reading_ = false;
};

}  // namespace pando::pgwire
