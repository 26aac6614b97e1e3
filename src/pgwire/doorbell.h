#pragma once

// Connection::Doorbell: lets any thread interrupt or wake a connection, however late: it outlives the connection and
// knows whether it is still there. Thread-safety: ring() and knock() from any thread; the rest on the connection's.

#include "pgwire/connection.h"

namespace pando::pgwire {

struct Connection::Doorbell : std::enable_shared_from_this<Connection::Doorbell> {
  Doorbell(ByteStream* stream_to_ring, runtime::Executor& home) : stream(stream_to_ring), executor(home) {}

  void ring() { runtime::spawn(executor, interrupt(shared_from_this())); }

  // The connection looks for mail, if it is waiting for its client.
  void knock() { runtime::spawn(executor, wake(shared_from_this())); }

  // nullptr once the connection is gone.
  ByteStream* stream;
  runtime::Executor& executor;

 private:
  static Task<void> interrupt(std::shared_ptr<Doorbell> bell) {
    if (bell->stream != nullptr) {
      bell->stream->interrupt();
    }
    co_return;
  }
  static Task<void> wake(std::shared_ptr<Doorbell> bell) {
    if (bell->stream != nullptr) {
      bell->stream->wake();
    }
    co_return;
  }
};

}  // namespace pando::pgwire
