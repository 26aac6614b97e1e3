#pragma once

// GrpcLoop: the completion queue of all of a process's gRPC streams and the one thread that serves it. Sockets are read
// and completions handled on that thread, without handing over to another.
//
// An Operation is a member of what it works for, and keeps it alive while gRPC has it:
//
//   class Stream : public std::enable_shared_from_this<Stream> {
//     void read() { call_->Read(&buffer_, read_.arm(shared_from_this())); }
//     void on_read(bool ok);
//     Operation<Stream> read_{&Stream::on_read};
//   };
//
// Included by runtime/os/grpc_*.cc only.

#include <chrono>
#include <functional>
#include <memory>
#include <thread>

#include <grpcpp/alarm.h>
#include <grpcpp/grpcpp.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/mutex.h"
#include "base/thread_sanitizer.h"

namespace pando::runtime {

class Completion {
 public:
  virtual ~Completion() = default;
  virtual void complete(bool ok) = 0;
};

template <typename Owner>
class Operation final : public Completion {
 public:
  explicit Operation(void (Owner::*then)(bool ok)) : then_(then) {}

  // The tag to give to gRPC. REQUIRES: not under way.
  void* arm(std::shared_ptr<Owner> owner) {
    PANDO_ASSERT(owner_ == nullptr, "an operation that is still under way");
    owner_ = std::move(owner);
    handed_over(tag());
    return tag();
  }
  bool armed() const { return owner_ != nullptr; }
  void* tag() { return static_cast<Completion*>(this); }
  void complete(bool ok) override {
    const std::shared_ptr<Owner> owner = std::move(owner_);
    ((*owner).*then_)(ok);
  }

 private:
  void (Owner::*then_)(bool ok);
  std::shared_ptr<Owner> owner_;
};

class GrpcLoop {
 public:
  // What begins operations has one as its member: the loop ends after the last.
  class Guest {
   public:
    explicit Guest(GrpcLoop& loop) : loop_(loop) { loop_.enter(); }
    ~Guest() { loop_.leave(); }
    Guest(const Guest&) = delete;
    Guest& operator=(const Guest&) = delete;

   private:
    GrpcLoop& loop_;
  };

  GrpcLoop() = default;
  GrpcLoop(const GrpcLoop&) = delete;
  GrpcLoop& operator=(const GrpcLoop&) = delete;

  // `queue` is one made by a ServerBuilder, or by a client alone.
  void start(std::unique_ptr<grpc::CompletionQueue> queue);
  // Waits for the last guest. REQUIRES: they were told to end.
  void stop() PANDO_EXCLUDES(mutex_);
  grpc::CompletionQueue* queue() { return queue_.get(); }
  // Any thread. Runs `task` on the loop's.
  void post(std::function<void()> task);
  // Any thread. Begins the operation `tag` by calling `operation()`. When it ends at once, as a write does that the
  // socket takes, it is completed on the caller's stack, and the loop's thread is not woken for it.
  template <typename Begin>
  void begin(void* tag, Begin operation) {
    watch_completions();
    operation();
    complete_seen(tag);
  }

 private:
  class Posted;
  void run();
  void watch_completions();
  void complete_seen(void* tag);
  void enter() PANDO_EXCLUDES(mutex_);
  void leave() PANDO_EXCLUDES(mutex_);

  std::unique_ptr<grpc::CompletionQueue> queue_;
  std::thread thread_;
  Mutex mutex_;
  Condition empty_;
  std::size_t guests_ PANDO_GUARDED_BY(mutex_) = 0;
};

inline std::chrono::system_clock::time_point deadline_after(std::chrono::nanoseconds delay) {
  return std::chrono::system_clock::now() + std::chrono::duration_cast<std::chrono::system_clock::duration>(delay);
}

// The frame as gRPC's slices; content is moved, not copied.
grpc::ByteBuffer to_buffer(Bytes piece);
grpc::ByteBuffer to_buffer(std::vector<Bytes> pieces);
// Gives a view of the whole buffer, which lives as long as `slice`.
bool flatten(const grpc::ByteBuffer& buffer, grpc::Slice& slice);
inline ByteView view_of(const grpc::Slice& slice) {
  return {reinterpret_cast<const char*>(slice.begin()), slice.size()};
}

}  // namespace pando::runtime
