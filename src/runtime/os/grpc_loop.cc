#include "runtime/os/grpc_loop.h"

#include <grpc/grpc.h>

#include "runtime/os/turn.h"

#ifdef PANDO_THREAD_SANITIZER
// Neither gRPC nor what it is made of is instrumented.
extern "C" const char* __tsan_default_suppressions();
extern "C" const char* __tsan_default_suppressions() { return "race:libgrpc\nrace:libgpr\nrace:libabsl\n"; }
#endif

namespace pando::runtime {

void GrpcLoop::start(std::unique_ptr<grpc::CompletionQueue> queue) {
  queue_ = std::move(queue);
  thread_ = std::thread([this] { run(); });
}

void GrpcLoop::run() {
  pthread_setname_np(pthread_self(), "pando-peers");
  void* tag = nullptr;
  bool ok = false;
  Turn turn;
  while (queue_->Next(&tag, &ok)) {
    taken_over(tag);
    static_cast<Completion*>(tag)->complete(ok);
    turn.end();
  }
}

// An alarm that is due at once is how a completion queue is handed a task.
class GrpcLoop::Posted final : public Completion {
 public:
  Posted(GrpcLoop& loop, std::function<void()> task) : guest_(loop), task_(std::move(task)) {
    handed_over(static_cast<Completion*>(this));
    alarm_.Set(loop.queue(), gpr_time_0(GPR_CLOCK_MONOTONIC), static_cast<Completion*>(this));
  }
  void complete(bool) override {
    task_();
    delete this;
  }

 private:
  Guest guest_;
  std::function<void()> task_;
  grpc::Alarm alarm_;
};

void GrpcLoop::post(std::function<void()> task) { new Posted(*this, std::move(task)); }

// gRPC keeps the first completion that a thread brings about for it to fetch, instead of waking whoever polls the
// queue.
void GrpcLoop::watch_completions() { grpc_completion_queue_thread_local_cache_init(queue_->cq()); }

void GrpcLoop::complete_seen(void* tag) {
  void* core_tag = nullptr;
  int success = 0;
  if (grpc_completion_queue_thread_local_cache_flush(queue_->cq(), &core_tag, &success) == 0) {
    return;
  }
  void* seen = nullptr;
  bool ok = success != 0;
  if (!static_cast<grpc::internal::CompletionQueueTag*>(core_tag)->FinalizeResult(&seen, &ok)) {
    return;
  }
  auto* const completion = static_cast<Completion*>(seen);
  if (seen == tag) {
    completion->complete(ok);
  } else {
    post([completion, ok] { completion->complete(ok); });
  }
}

void GrpcLoop::enter() {
  MutexLock lock(mutex_);
  ++guests_;
}

void GrpcLoop::leave() {
  MutexLock lock(mutex_);
  if (--guests_ == 0) {
    empty_.notify_all();
  }
}

void GrpcLoop::stop() {
  {
    MutexLock lock(mutex_);
    while (guests_ > 0) {
      empty_.wait(mutex_);
    }
  }
  queue_->Shutdown();
  thread_.join();
}

namespace {

grpc::Slice to_slice(Bytes piece) {
  // Short strings live inside their object and would have to be moved to the heap anyway.
  constexpr std::size_t kCopiedBytesMax = 256;
  if (piece.size() <= kCopiedBytesMax) {
    return grpc::Slice(piece.data(), piece.size());
  }
  auto* owned = new Bytes(std::move(piece));
  return grpc::Slice(owned->data(), owned->size(), [](void* bytes) { delete static_cast<Bytes*>(bytes); }, owned);
}

}  // namespace

grpc::ByteBuffer to_buffer(Bytes piece) {
  const grpc::Slice slice = to_slice(std::move(piece));
  return {&slice, 1};
}

grpc::ByteBuffer to_buffer(std::vector<Bytes> pieces) {
  std::vector<grpc::Slice> slices;
  slices.reserve(pieces.size());
  for (Bytes& piece : pieces) {
    slices.push_back(to_slice(std::move(piece)));
  }
  return {slices.data(), slices.size()};
}

bool flatten(const grpc::ByteBuffer& buffer, grpc::Slice& slice) {
  if (buffer.TrySingleSlice(&slice).ok()) {
    return true;
  }
  return buffer.DumpToSingleSlice(&slice).ok();
}

}  // namespace pando::runtime
