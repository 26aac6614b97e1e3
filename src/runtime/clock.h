#pragma once

// Clock and Timer: time, as an interface. Outside runtime/os nothing reads a real clock.

#include <chrono>
#include <cstdint>
#include <functional>

namespace pando::runtime {

class Clock {
 public:
  virtual ~Clock() = default;
  // Nanoseconds since the Unix epoch; may jump.
  virtual uint64_t wall_ns() = 0;
  // Nanoseconds since an arbitrary point; never goes back. For durations and timeouts.
  virtual uint64_t monotonic_ns() = 0;
};

using TimerId = uint64_t;

class Timer {
 public:
  virtual ~Timer() = default;
  // Calls `callback` once after `delay`, on a thread of the timer's; it must not block. Any thread.
  virtual TimerId schedule(std::chrono::nanoseconds delay, std::function<void()> callback) = 0;
  // After it returns the callback is not running and will not run. No effect for one that has run. Any thread but the
  // timer's own.
  virtual void cancel(TimerId id) = 0;
};

}  // namespace pando::runtime
