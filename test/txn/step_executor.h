#pragma once

// StepExecutor: runs what is posted to it when the test says so, on the test's thread. post() is thread-safe.

#include <chrono>
#include <deque>

#include "base/mutex.h"
#include "runtime/executor.h"

namespace pando::test {

class StepExecutor final : public runtime::Executor {
 public:
  void post(std::coroutine_handle<> handle) override PANDO_EXCLUDES(mutex_);
  // Runs everything posted, and what that posts.
  void run_ready() PANDO_EXCLUDES(mutex_);
  // Sleeps until something is posted or `duration` has passed.
  void wait_for_post(std::chrono::milliseconds duration) PANDO_EXCLUDES(mutex_);
  bool idle() const PANDO_EXCLUDES(mutex_);

 private:
  mutable Mutex mutex_;
  Condition posted_;
  std::deque<std::coroutine_handle<>> ready_ PANDO_GUARDED_BY(mutex_);
};

}  // namespace pando::test
