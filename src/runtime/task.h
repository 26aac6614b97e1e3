#pragma once

// Task<T>: a lazy coroutine. It starts when awaited, resumes its awaiter when it ends, and is destroyed with its frame
// by whoever holds it. Everything above consensus/ that waits is a Task.
//
//   Task<Result<int>> count(std::string table);          // parameters by value: the frame outlives the call
//   Task<Status> use() {
//     PANDO_CO_ASSIGN(int n, co_await count("t"));
//     co_return Status();
//   }
//
// From outside coroutines: runtime::spawn (detached) and runtime::block_on (runtime/block_on.h; never on a worker).
// A Task runs on whatever thread resumes it; Event (runtime/event.h) resumes on the waiter's own Executor.
// Exceptions end the process: ours are values.

#include <coroutine>
#include <cstdlib>
#include <optional>
#include <utility>

#include "base/assert.h"

namespace pando {

template <typename T>
class [[nodiscard]] Task;

namespace internal {

class TaskPromiseBase {
 public:
  std::suspend_always initial_suspend() noexcept { return {}; }
  auto final_suspend() noexcept {
    struct ResumeAwaiter {
      bool await_ready() noexcept { return false; }
      std::coroutine_handle<> await_suspend(std::coroutine_handle<>) noexcept { return awaiter; }
      void await_resume() noexcept {}
      std::coroutine_handle<> awaiter;
    };
    return ResumeAwaiter{awaiter_};
  }
  void unhandled_exception() noexcept { std::abort(); }
  void set_awaiter(std::coroutine_handle<> awaiter) { awaiter_ = awaiter; }

 private:
  std::coroutine_handle<> awaiter_ = std::noop_coroutine();
};

template <typename T>
class TaskPromise : public TaskPromiseBase {
 public:
  Task<T> get_return_object();
  template <typename U>
  void return_value(U&& value) {
    value_.emplace(std::forward<U>(value));
  }
  T take() {
    PANDO_ASSERT(value_.has_value(), "a task that ended without a value");
    return std::move(*value_);
  }

 private:
  std::optional<T> value_;
};

template <>
class TaskPromise<void> : public TaskPromiseBase {
 public:
  Task<void> get_return_object();
  void return_void() {}
  void take() {}
};

}  // namespace internal

template <typename T>
class [[nodiscard]] Task {
 public:
  using promise_type = internal::TaskPromise<T>;
  using Handle = std::coroutine_handle<promise_type>;

  Task() = default;
  explicit Task(Handle handle) : handle_(handle) {}
  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  Task& operator=(Task&& other) noexcept {
    if (this != &other) {
      destroy();
      handle_ = std::exchange(other.handle_, {});
    }
    return *this;
  }
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;
  ~Task() { destroy(); }

  // Awaiting starts the task. REQUIRES: awaited at most once.
  auto operator co_await() && {
    struct Awaiter {
      bool await_ready() const noexcept { return false; }
      std::coroutine_handle<> await_suspend(std::coroutine_handle<> awaiter) noexcept {
        handle.promise().set_awaiter(awaiter);
        return handle;
      }
      T await_resume() { return handle.promise().take(); }
      Handle handle;
    };
    PANDO_ASSERT(handle_, "an empty task cannot be awaited");
    return Awaiter{handle_};
  }

 private:
  void destroy() {
    if (handle_) {
      handle_.destroy();
      handle_ = {};
    }
  }
  Handle handle_;
};

namespace internal {

template <typename T>
Task<T> TaskPromise<T>::get_return_object() {
  return Task<T>(std::coroutine_handle<TaskPromise<T>>::from_promise(*this));
}
inline Task<void> TaskPromise<void>::get_return_object() {
  return Task<void>(std::coroutine_handle<TaskPromise<void>>::from_promise(*this));
}

}  // namespace internal
}  // namespace pando
