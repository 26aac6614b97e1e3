#pragma once

// Connection::Doorbell: lets any thread interrupt a connection, however late: it outlives the connection and knows
// whether it is still there. Thread-safety: ring() from any thread; the rest on the connection's.

#include "pgwire/connection.h"

namespace pando::pgwire {

struct Connection::Doorbell : std::enable_shared_from_this<Connection::Doorbell> {
  Doorbell(ByteStream* stream_to_ring, runtime::Executor& home) : stream(stream_to_ring), executor(home) {}

  void ring() { runtime::spawn(executor, interrupt(shared_from_this())); }

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
};

}  // namespace pando::pgwire
