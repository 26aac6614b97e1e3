#pragma once

// Lane: what one node sends to one peer on one channel: a stream on a TCP connection of its own, made anew whenever it
// breaks. Messages that wait while the stream is busy leave together in one frame, and so do requests that one thread
// sends in one turn (turn.h).
// Thread-safe: send(), open(), dropped(). The rest: the loop's thread, or before it starts.

#include <atomic>
#include <deque>
#include <functional>

#include <grpcpp/generic/generic_stub.h>

#include "base/mutex.h"
#include "runtime/os/grpc_loop.h"
#include "runtime/os/grpc_transport.h"
#include "runtime/os/turn.h"
#include "runtime/transport_codec.h"

namespace pando::runtime {

// What every lane of one transport shares.
struct LaneSetting {
  GrpcLoop& loop;
  const GrpcTransportOptions& options;
  std::shared_ptr<grpc::ChannelCredentials> credentials;
  std::function<void(const std::string&)> log;
};

class Lane : public std::enable_shared_from_this<Lane>, public EndOfTurn {
 public:
  // On the loop's thread, when the lane opens and when it breaks.
  using Changed = std::function<void()>;
  Lane(LaneSetting setting, Hello hello, std::string address, Changed changed);

  void connect();
  // Tries at once instead of waiting: the peer was just heard of.
  void nudge();
  // For ever. Nothing is called back after it.
  void close();

  bool send(Bytes message) PANDO_EXCLUDES(mutex_);
  void on_end_of_turn() override { flush(); }
  bool open() const { return open_.load(std::memory_order_acquire); }
  const std::string& address() const { return address_; }

 private:
  class Stream;
  void on_alarm(bool fired);
  void opened(std::shared_ptr<Stream> stream) PANDO_EXCLUDES(mutex_);
  void broken(const Stream& stream, const std::string& why) PANDO_EXCLUDES(mutex_);
  // Whether there is something to write; then it is in `frame`.
  bool next_frame(const Stream& stream, std::vector<Bytes>& frame) PANDO_EXCLUDES(mutex_);
  void take_frame(std::vector<Bytes>& frame) PANDO_REQUIRES(mutex_);
  // Writes what waits, unless that is under way.
  void flush() PANDO_EXCLUDES(mutex_);

  const LaneSetting setting_;
  const GrpcLoop::Guest guest_{setting_.loop};
  const Hello hello_;
  const std::string address_;
  const Changed changed_;
  std::atomic<bool> open_{false};

  // The loop's thread's own.
  std::shared_ptr<Stream> stream_;
  bool closed_ = false;
  std::chrono::milliseconds backoff_;
  std::string last_complaint_;
  grpc::Alarm alarm_;
  Operation<Lane> alarm_operation_{&Lane::on_alarm};

  Mutex mutex_;
  // The stream that messages go to; null while there is none.
  std::shared_ptr<Stream> writer_ PANDO_GUARDED_BY(mutex_);
  bool writing_ PANDO_GUARDED_BY(mutex_) = false;
  std::deque<Bytes> queue_ PANDO_GUARDED_BY(mutex_);
  std::size_t queued_bytes_ PANDO_GUARDED_BY(mutex_) = 0;
};

}  // namespace pando::runtime
