#pragma once

// Event: one coroutine waits, any thread wakes it. One shot.
//
//   Event granted(executor);
//   queue.push(&granted);              // someone will call granted.set(kGranted)
//   int outcome = co_await granted.wait();
//
// The first set() wins and later ones return false, so a timer, a cancellation and the awaited thing may race safely.
// The waiter resumes on the executor given here. The Event must outlive every set(): deregister before destroying it.

#include <atomic>
#include <coroutine>

#include "runtime/executor.h"

namespace pando::runtime {

class Event {
 public:
  explicit Event(Executor& executor) : executor_(executor) {}
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  // Wakes the waiter, now or when it comes. Returns whether this call was the one that decided the outcome.
  bool set(int outcome = 0) {
    int expected = kUndecided;
    if (!outcome_.compare_exchange_strong(expected, outcome, std::memory_order_acq_rel)) {
      return false;
    }
    if (State before = state_.exchange(State::kSet, std::memory_order_acq_rel); before == State::kWaiting) {
      executor_.post(waiter_);
    }
    return true;
  }

  bool is_set() const { return state_.load(std::memory_order_acquire) == State::kSet; }

  // Awaiting it gives the outcome passed to set(). REQUIRES: one waiter.
  auto wait() {
    struct Awaiter {
      bool await_ready() const noexcept { return event.is_set(); }
      bool await_suspend(std::coroutine_handle<> handle) noexcept {
        event.waiter_ = handle;
        State expected = State::kIdle;
        return event.state_.compare_exchange_strong(expected, State::kWaiting, std::memory_order_acq_rel);
      }
      int await_resume() const noexcept { return event.outcome_.load(std::memory_order_acquire); }
      Event& event;
    };
    return Awaiter{*this};
  }

 private:
  static constexpr int kUndecided = -1;
  enum class State : int { kIdle, kWaiting, kSet };

  Executor& executor_;
  std::coroutine_handle<> waiter_;
  std::atomic<int> outcome_{kUndecided};
  std::atomic<State> state_{State::kIdle};
};

}  // namespace pando::runtime
