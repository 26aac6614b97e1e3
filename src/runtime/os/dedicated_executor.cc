#include "runtime/os/dedicated_executor.h"

#include <utility>

#include "runtime/os/turn.h"

namespace pando::runtime {

DedicatedExecutor::DedicatedExecutor(const std::string& name, Urgency urgency)
    : thread_([this, name, urgency] {
        name_this_thread(name);
        set_urgency(urgency);
        run();
      }) {}

void DedicatedExecutor::post(std::coroutine_handle<> handle) {
  posting_.fetch_add(1, std::memory_order_acquire);
  bool wake = false;
  {
    MutexLock lock(mutex_);
    queue_.push_back(handle);
    wake = std::exchange(sleeping_, false);
  }
  // Without the lock, or the thread would wake only to wait for it.
  if (wake) {
    wake_.notify_one();
  }
  posting_.fetch_sub(1, std::memory_order_release);
}

void DedicatedExecutor::stop() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    wake_.notify_one();
  }
  if (thread_.joinable()) {
    thread_.join();
  }
  while (posting_.load(std::memory_order_acquire) != 0) {
    std::this_thread::yield();
  }
}

void DedicatedExecutor::run() {
  std::vector<std::coroutine_handle<>> ready;
  Turn turn;
  for (;;) {
    {
      MutexLock lock(mutex_);
      while (queue_.empty() && !stopping_) {
        sleeping_ = true;
        wake_.wait(mutex_);
      }
      sleeping_ = false;
      if (queue_.empty()) {
        return;
      }
      ready.swap(queue_);
    }
    for (const auto handle : ready) {
      handle.resume();
    }
    ready.clear();
    turn.end();
  }
}

}  // namespace pando::runtime
