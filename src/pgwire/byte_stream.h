#pragma once

// ByteStream: a socket with a read buffer and a write buffer, for one coroutine.
//
//   PANDO_CO_TRY(stream.open());
//   stream.output() += reply;
//   PANDO_CO_TRY(co_await stream.flush());
//   PANDO_CO_TRY(co_await stream.read_more());
//   decode(stream.unread());
//   stream.consume(n);
//
// An idle stream holds kIdleBytes of buffer and nothing else: ten thousand idle connections are cheap. A message costs
// one call to receive it and one to send its answer: a read waits to be told of bytes before it asks for them, and a
// write is tried at once. Errors are 08006. Thread-safety: the thread of the socket's poller only.

#include <coroutine>
#include <utility>

#include "base/bytes.h"
#include "base/status.h"
#include "pgwire/socket.h"
#include "runtime/poller.h"
#include "runtime/task.h"

namespace pando::pgwire {

class ByteStream final : private runtime::Poller::Watcher {
 public:
  // Read buffer of a connection that waits for a request; most requests fit.
  static constexpr std::size_t kIdleBytes = 1_KiB;
  // What one read asks for at most when requests come faster than that.
  static constexpr std::size_t kBusyBytes = 64_KiB;
  // What the write buffer keeps while the connection waits for a request.
  static constexpr std::size_t kKeptOutputBytes = 8_KiB;

  // REQUIRES: `poller` outlives it.
  ByteStream(runtime::Poller& poller, Socket socket) : poller_(poller), socket_(std::move(socket)) {}
  ~ByteStream() { close(); }
  ByteStream(const ByteStream&) = delete;
  ByteStream& operator=(const ByteStream&) = delete;

  // Before the first read. On the poller's thread.
  Status open();

  // What was read and not consumed. Valid until the next read.
  ByteView unread() const { return ByteView(input_).substr(start_, end_ - start_); }
  void consume(std::size_t size) { start_ += size; }
  // Waits for more bytes. `expected`: how many unread() will need in all, 0 when unknown.
  Task<Status> read_more(std::size_t expected = 0);
  // The same in pieces, without a coroutine's frame: while `blocked`, co_await readable() and try again.
  Status try_read(std::size_t expected, bool& blocked);
  auto readable() { return Awaiter{this, &reader_}; }

  Bytes& output() { return output_; }
  // How many bytes have left; with output().size(), a position in the stream of replies.
  uint64_t sent() const { return sent_; }
  Task<Status> flush();
  // Writes what the socket takes now; `blocked` when something is left.
  Status try_flush(bool& blocked);

  // Makes a waiting read or flush() fail, now or when it starts.
  void interrupt();
  // Makes a waiting read_more() return without bytes; nothing when none waits.
  void wake();
  // Whether wake() ended the last wait.
  bool take_wake() { return std::exchange(woken_, false); }
  void close();
  const Socket& socket() const { return socket_; }

 private:
  // Waits for the next edge.
  struct Awaiter {
    bool await_ready() const noexcept { return stream->interrupted_; }
    void await_suspend(std::coroutine_handle<> handle) noexcept { *waiter = handle; }
    void await_resume() const noexcept {}
    ByteStream* stream;
    std::coroutine_handle<>* waiter;
  };

  void on_ready(runtime::Readiness readiness) override;
  void make_room(std::size_t expected);
  void forget_sent();

  runtime::Poller& poller_;
  Socket socket_;
  // Who waits for bytes, and for room.
  std::coroutine_handle<> reader_;
  std::coroutine_handle<> writer_;
  // There may be bytes to receive.
  bool may_receive_ = false;
  // The peer sends no more.
  bool ended_ = false;
  bool interrupted_ = false;
  // The reader goes on without bytes.
  bool woken_ = false;
  bool watched_ = false;
  // Bytes [start_, end_) of input_ are unread.
  Bytes input_;
  std::size_t start_ = 0;
  std::size_t end_ = 0;
  std::size_t last_read_ = 0;
  Bytes output_;
  std::size_t written_ = 0;
  uint64_t sent_ = 0;
};

}  // namespace pando::pgwire
