#pragma once

// block_on: runs a Task to its end from ordinary code and returns its value, for main functions, the embedded API and
// tests. The task starts on the calling thread; when it waits, the calling thread runs what is posted to `executor`.

#include <coroutine>
#include <deque>
#include <optional>

#include "base/mutex.h"
#include "runtime/executor.h"

namespace pando::runtime {

// An executor that runs on the thread that calls run_until. One such thread at a time; post from any.
class InlineExecutor final : public Executor {
 public:
  void post(std::coroutine_handle<> handle) override PANDO_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    ready_.push_back(handle);
    wake_.notify_one();
  }
  // Resumes what is posted, sleeping when there is nothing, until `done`; `done` is set by code that runs here.
  void run_until(const bool& done) PANDO_EXCLUDES(mutex_) {
    while (!done) {
      next().resume();
    }
  }

 private:
  std::coroutine_handle<> next() PANDO_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    while (ready_.empty()) {
      wake_.wait(mutex_);
    }
    const auto handle = ready_.front();
    ready_.pop_front();
    return handle;
  }

  Mutex mutex_;
  Condition wake_;
  std::deque<std::coroutine_handle<>> ready_ PANDO_GUARDED_BY(mutex_);
};

namespace internal {

template <typename T>
Task<void> run_and_store(Task<T> task, std::optional<T>* value, bool* done) {
  value->emplace(co_await std::move(task));
  *done = true;
}
inline Task<void> run_and_mark(Task<void> task, bool* done) {
  co_await std::move(task);
  *done = true;
}

}  // namespace internal

template <typename T>
T block_on(InlineExecutor& executor, Task<T> task) {
  bool done = false;
  std::optional<T> value;
  spawn(executor, internal::run_and_store(std::move(task), &value, &done));
  executor.run_until(done);
  return std::move(*value);
}

inline void block_on(InlineExecutor& executor, Task<void> task) {
  bool done = false;
  spawn(executor, internal::run_and_mark(std::move(task), &done));
  executor.run_until(done);
}

}  // namespace pando::runtime
