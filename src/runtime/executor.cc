#include "runtime/executor.h"

namespace pando::runtime {
namespace {

// A coroutine that owns itself: it never suspends at its end, so its frame is freed there.
struct Detached {
  struct promise_type {
    Detached get_return_object() { return {std::coroutine_handle<promise_type>::from_promise(*this)}; }
    std::suspend_always initial_suspend() noexcept { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() noexcept { std::abort(); }
  };
  std::coroutine_handle<> handle;
};

Detached run_detached(Task<void> task) { co_await std::move(task); }

}  // namespace

void spawn(Executor& executor, Task<void> task) { executor.post(run_detached(std::move(task)).handle); }

}  // namespace pando::runtime
