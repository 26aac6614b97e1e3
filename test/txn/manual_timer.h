#pragma once

// ManualTimer: time that passes when the test says so. Thread-safe; one advance() at a time.

#include <map>

#include "base/mutex.h"
#include "runtime/clock.h"

namespace pando::test {

class ManualTimer final : public runtime::Timer {
 public:
  runtime::TimerId schedule(std::chrono::nanoseconds delay, std::function<void()> callback) override
      PANDO_EXCLUDES(mutex_);
  void cancel(runtime::TimerId id) override PANDO_EXCLUDES(mutex_);

  // Runs what is due within `duration`, in order.
  void advance(std::chrono::nanoseconds duration) PANDO_EXCLUDES(mutex_);
  std::size_t scheduled() const PANDO_EXCLUDES(mutex_);

 private:
  mutable Mutex mutex_;
  std::map<std::pair<std::chrono::nanoseconds, runtime::TimerId>, std::function<void()>> queue_
      PANDO_GUARDED_BY(mutex_);
  std::chrono::nanoseconds now_ PANDO_GUARDED_BY(mutex_){0};
  Condition finished_;
  // The timer whose callback runs now; 0 for none.
  runtime::TimerId running_ PANDO_GUARDED_BY(mutex_) = 0;
  runtime::TimerId last_ PANDO_GUARDED_BY(mutex_) = 0;
};

}  // namespace pando::test
