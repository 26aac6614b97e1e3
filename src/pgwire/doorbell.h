#pragma once

// Connection::Doorbell: lets any thread interrupt or wake a connection, however late: it outlives the connection and
// knows whether it is still there. Thread-safety: ring() and knock() from any thread; the rest on the connection's.

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/post.hpp>

#include "pgwire/connection.h"

namespace pando::pgwire {

struct Connection::Doorbell : std::enable_shared_from_this<Connection::Doorbell> {
  explicit Doorbell(ByteStream* stream_to_ring) : stream(stream_to_ring), io(stream->socket().get_executor()) {}

  void ring() {
    boost::asio::post(io, [self = shared_from_this()] {
      if (self->stream != nullptr) {
        self->stream->interrupt();
      }
    });
  }

  // The connection looks for mail, if it is waiting for its client.
  void knock() {
    boost::asio::post(io, [self = shared_from_this()] {
      if (self->stream != nullptr) {
        self->stream->wake();
      }
    });
  }

  // nullptr once the connection is gone.
  ByteStream* stream;
  const boost::asio::any_io_executor io;
};

}  // namespace pando::pgwire
