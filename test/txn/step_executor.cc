#include "test/txn/step_executor.h"

namespace pando::test {

void StepExecutor::post(std::coroutine_handle<> handle) {
  MutexLock lock(mutex_);
  ready_.push_back(handle);
  posted_.notify_all();
}

void StepExecutor::run_ready() {
  for (;;) {
    std::coroutine_handle<> next;
    {
      MutexLock lock(mutex_);
      if (ready_.empty()) {
        return;
      }
      next = ready_.front();
      ready_.pop_front();
    }
    next.resume();
  }
}

void StepExecutor::wait_for_post(std::chrono::milliseconds duration) {
  MutexLock lock(mutex_);
  if (ready_.empty()) {
    posted_.wait_for(mutex_, duration);
  }
}

bool StepExecutor::idle() const {
  MutexLock lock(mutex_);
  return ready_.empty();
}

}  // namespace pando::test
