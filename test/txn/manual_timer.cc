#include "test/txn/manual_timer.h"

namespace pando::test {

runtime::TimerId ManualTimer::schedule(std::chrono::nanoseconds delay, std::function<void()> callback) {
  MutexLock lock(mutex_);
  const auto id = ++last_;
  queue_.emplace(std::pair(now_ + delay, id), std::move(callback));
  return id;
}

void ManualTimer::cancel(runtime::TimerId id) {
  MutexLock lock(mutex_);
  while (running_ == id) {
    finished_.wait(mutex_);
  }
  std::erase_if(queue_, [id](const auto& entry) { return entry.first.second == id; });
}

void ManualTimer::advance(std::chrono::nanoseconds duration) {
  std::chrono::nanoseconds until{0};
  {
    MutexLock lock(mutex_);
    until = now_ + duration;
  }
  for (;;) {
    std::function<void()> callback;
    {
      MutexLock lock(mutex_);
      if (queue_.empty() || queue_.begin()->first.first > until) {
        now_ = until;
        return;
      }
      now_ = queue_.begin()->first.first;
      callback = std::move(queue_.begin()->second);
      running_ = queue_.begin()->first.second;
      queue_.erase(queue_.begin());
    }
    callback();
    MutexLock lock(mutex_);
    running_ = 0;
    finished_.notify_all();
  }
}

std::size_t ManualTimer::scheduled() const {
  MutexLock lock(mutex_);
  return queue_.size();
}

}  // namespace pando::test
