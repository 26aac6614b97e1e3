#pragma once

// SystemTimer: runtime::Timer on one thread of its own.
//
// Scheduling and cancelling a timer that is not the next to fire wakes nobody, which is the common case of statement
// and lock timeouts. Thread-safe. The destructor drops what has not fired.

#include <map>
#include <thread>
#include <unordered_map>

#include "base/mutex.h"
#include "runtime/clock.h"

namespace pando::runtime {

class SystemTimer final : public Timer {
 public:
  SystemTimer();
  ~SystemTimer() override;
  SystemTimer(const SystemTimer&) = delete;
  SystemTimer& operator=(const SystemTimer&) = delete;

  TimerId schedule(std::chrono::nanoseconds delay, std::function<void()> callback) override PANDO_EXCLUDES(mutex_);
  void cancel(TimerId id) override PANDO_EXCLUDES(mutex_);

 private:
  using Deadline = std::chrono::steady_clock::time_point;

  void run() PANDO_EXCLUDES(mutex_);

  Mutex mutex_;
  Condition wake_;
  Condition fired_;
  std::map<std::pair<Deadline, TimerId>, std::function<void()>> queue_ PANDO_GUARDED_BY(mutex_);
  std::unordered_map<TimerId, Deadline> deadlines_ PANDO_GUARDED_BY(mutex_);
  TimerId last_id_ PANDO_GUARDED_BY(mutex_) = 0;
  // The timer whose callback runs now; 0 for none.
  TimerId running_ PANDO_GUARDED_BY(mutex_) = 0;
  bool stopping_ PANDO_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace pando::runtime
