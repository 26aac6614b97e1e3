#pragma once

// DedicatedExecutor: an executor with one thread of its own, for work that blocks: the journal's writes and syncs.
//
//   DedicatedExecutor writer("journal");
//   co_await Journal::open(options, disk, writer, nullptr);
//
// Thread-safe. stop() runs what is queued and ends the thread; what is posted later is not run.

#include <atomic>
#include <coroutine>
#include <string>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "runtime/executor.h"
#include "runtime/os/thread.h"

namespace pando::runtime {

class DedicatedExecutor final : public Executor {
 public:
  explicit DedicatedExecutor(const std::string& name, Urgency urgency = Urgency::kUsual);
  ~DedicatedExecutor() override { stop(); }
  DedicatedExecutor(const DedicatedExecutor&) = delete;
  DedicatedExecutor& operator=(const DedicatedExecutor&) = delete;

  void post(std::coroutine_handle<> handle) override PANDO_EXCLUDES(mutex_);
  // Must not be called on the executor's own thread.
  void stop() PANDO_EXCLUDES(mutex_);

 private:
  void run() PANDO_EXCLUDES(mutex_);

  // Calls of post() that may still use this object.
  std::atomic<int> posting_{0};
  Mutex mutex_;
  Condition wake_;
  std::vector<std::coroutine_handle<>> queue_ PANDO_GUARDED_BY(mutex_);
  bool sleeping_ PANDO_GUARDED_BY(mutex_) = false;
  bool stopping_ PANDO_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace pando::runtime
