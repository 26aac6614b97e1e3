#pragma once

// Executor: where a suspended coroutine continues. In production one per worker thread; in the simulator one per world.

#include <coroutine>

#include "runtime/task.h"

namespace pando::runtime {

class Executor {
 public:
  virtual ~Executor() = default;
  // Queues `handle` to be resumed on this executor. Any thread; never resumes inline.
  virtual void post(std::coroutine_handle<> handle) = 0;
};

// Awaiting it moves the coroutine to the back of `executor`'s queue: a long statement lets others run.
inline auto yield_to(Executor& executor) {
  struct Awaiter {
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> handle) { executor.post(handle); }
    void await_resume() const noexcept {}
    Executor& executor;
  };
  return Awaiter{executor};
}

// Starts `task` on `executor`; its frame is freed when it ends.
void spawn(Executor& executor, Task<void> task);

}  // namespace pando::runtime
