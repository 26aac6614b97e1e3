#include "pgwire/byte_stream.h"

#include <algorithm>

namespace pando::pgwire {
namespace {

Status is_closing() { return Status(sql_state::kConnectionFailure, "the connection is closing"); }

}  // namespace

Status ByteStream::open() {
  PANDO_TRY(poller_.watch(socket_.descriptor(), *this));
  watched_ = true;
  return {};
}

void ByteStream::on_ready(runtime::Readiness readiness) {
  may_receive_ = may_receive_ || readiness.readable;
  ended_ = ended_ || readiness.ended;
  // At most one of them waits, and it may destroy the stream.
  if (readiness.readable && reader_) {
    std::exchange(reader_, {}).resume();
  } else if (readiness.writable && writer_) {
    std::exchange(writer_, {}).resume();
  }
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

Status ByteStream::try_read(std::size_t expected, bool& blocked) {
  if (interrupted_) {
    return is_closing();
  }
  make_room(expected);
  blocked = !may_receive_;
  if (blocked) {
    return {};
  }
  const std::size_t room = input_.size() - end_;
  PANDO_ASSIGN(const Transfer received, socket_.receive(input_.data() + end_, room));
  blocked = received.blocked;
  if (received.bytes == 0 && !blocked) {
    return Status(sql_state::kConnectionFailure, "could not receive data from client: End of file");
  }
  // Less than there was room for is all there is: the next bytes will be told of.
  may_receive_ = ended_ || received.bytes == room;
  end_ += received.bytes;
  if (!blocked) {
    last_read_ = received.bytes;
  }
  return {};
}

Task<Status> ByteStream::read_more(std::size_t expected) {
  bool blocked = false;
  PANDO_CO_TRY(try_read(expected, blocked));
  while (blocked) {
    co_await readable();
    if (take_wake()) {
      co_return Status();
    }
    PANDO_CO_TRY(try_read(expected, blocked));
  }
  co_return Status();
}

Status ByteStream::try_flush(bool& blocked) {
  blocked = false;
  while (written_ < output_.size()) {
    PANDO_ASSIGN(const Transfer sent, socket_.send(ByteView(output_).substr(written_)));
    if (sent.blocked) {
      blocked = true;
      return {};
    }
    written_ += sent.bytes;
    sent_ += sent.bytes;
  }
  written_ = 0;
  output_.clear();
  return {};
}

Task<Status> ByteStream::flush() {
  bool blocked = false;
  PANDO_CO_TRY(try_flush(blocked));
  while (blocked) {
    co_await Awaiter{this, &writer_};
    if (interrupted_) {
      co_return is_closing();
    }
    PANDO_CO_TRY(try_flush(blocked));
  }
  co_return Status();
}

void ByteStream::interrupt() {
  interrupted_ = true;
  // Who waits may destroy the stream.
  if (const auto waiter = std::exchange(reader_ ? reader_ : writer_, {})) {
    waiter.resume();
  }
}

void ByteStream::wake() {
  if (const auto waiter = std::exchange(reader_, {})) {
    woken_ = true;
    waiter.resume();
  }
}

void ByteStream::close() {
  if (std::exchange(watched_, false)) {
    poller_.forget(socket_.descriptor(), *this);
  }
  socket_.close();
}

}  // namespace pando::pgwire
