#include "pgwire/byte_stream.h"

#include <algorithm>

#include <boost/asio/buffer.hpp>

namespace pando::pgwire {
namespace {

using boost::asio::ip::tcp;
using boost::system::error_code;

Status lost(const char* what, const error_code& error) {
  return Status(sql_state::kConnectionFailure, "{}: {}", what, error.message());
}

}  // namespace

struct ByteStream::ReadAwaiter {
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> handle) {
    Bytes& input = stream.input_;
    stream.socket_.async_read_some(boost::asio::buffer(input.data() + stream.end_, input.size() - stream.end_),
                                   [this, handle](const error_code& outcome, std::size_t size) {
                                     error = outcome;
                                     stream.end_ += size;
                                     handle.resume();
                                   });
  }
  error_code await_resume() const { return error; }

  ByteStream& stream;
  error_code error;
};

struct ByteStream::WritableAwaiter {
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> handle) {
    stream.socket_.async_wait(tcp::socket::wait_write, [this, handle](const error_code& outcome) {
      error = outcome;
      handle.resume();
    });
  }
  error_code await_resume() const { return error; }

  ByteStream& stream;
  error_code error;
};

ByteStream::ByteStream(tcp::socket socket) : socket_(std::move(socket)) {
  error_code ignored;
  socket_.set_option(tcp::no_delay(true), ignored);
  socket_.non_blocking(true, ignored);
}

void ByteStream::make_room(std::size_t expected) {
  const std::size_t unread_size = end_ - start_;
  if (unread_size == 0) {
    if (output_.capacity() > kKeptOutputBytes) {
      Bytes().swap(output_);
    }
    if (input_.size() > kIdleBytes && last_read_ < input_.size() / 8) {
      Bytes().swap(input_);
    }
  } else if (start_ > 0) {
    std::memmove(input_.data(), input_.data() + start_, unread_size);
  }
  start_ = 0;
  end_ = unread_size;
  std::size_t wanted = std::max({kIdleBytes, expected, unread_size + kIdleBytes});
  // A read that filled the buffer says that more is waiting: ask for more at once.
  if (last_read_ >= input_.size() / 2 && input_.size() < kBusyBytes) {
    wanted = std::max(wanted, 4 * input_.size());
  }
  if (input_.size() < wanted) {
    input_.resize(wanted);
  }
}

Task<Status> ByteStream::read_more(std::size_t expected) {
  make_room(expected);
  if (interrupted_) {
    co_return Status(sql_state::kConnectionFailure, "the connection is closing");
  }
  const std::size_t before = end_;
  reading_ = true;
  const error_code error = co_await ReadAwaiter{*this, {}};
  reading_ = false;
  if (error == boost::asio::error::operation_aborted && !interrupted_) {
    co_return Status();
  }
  if (error) {
    co_return lost("could not receive data from client", error);
  }
  last_read_ = end_ - before;
  co_return Status();
}

Status ByteStream::write_some(bool& blocked) {
  blocked = false;
  while (written_ < output_.size()) {
    error_code error;
    const std::size_t size =
        socket_.send(boost::asio::buffer(output_.data() + written_, output_.size() - written_), 0, error);
    if (error == boost::asio::error::would_block || error == boost::asio::error::try_again) {
      blocked = true;
      return {};
    }
    if (error) {
      return lost("could not send data to client", error);
    }
    written_ += size;
    sent_ += size;
  }
  return {};
}

Task<Status> ByteStream::flush() {
  bool blocked = false;
  PANDO_CO_TRY(write_some(blocked));
  while (blocked) {
    if (interrupted_) {
      co_return Status(sql_state::kConnectionFailure, "the connection is closing");
    }
    if (const error_code error = co_await WritableAwaiter{*this, {}}; error) {
      co_return lost("could not send data to client", error);
    }
    PANDO_CO_TRY(write_some(blocked));
  }
  written_ = 0;
  output_.clear();
  co_return Status();
}

void ByteStream::interrupt() {
  interrupted_ = true;
  error_code ignored;
  socket_.cancel(ignored);
}

void ByteStream::wake() {
  if (reading_) {
    error_code ignored;
    socket_.cancel(ignored);
  }
}

void ByteStream::close() {
  error_code ignored;
  socket_.shutdown(tcp::socket::shutdown_both, ignored);
  socket_.close(ignored);
}

}  // namespace pando::pgwire
