#include "runtime/os/system_timer.h"

#include "base/assert.h"

namespace pando::runtime {

SystemTimer::SystemTimer() : thread_([this] { run(); }) {}

SystemTimer::~SystemTimer() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    wake_.notify_one();
  }
  thread_.join();
}

TimerId SystemTimer::schedule(std::chrono::nanoseconds delay, std::function<void()> callback) {
  const Deadline deadline = std::chrono::steady_clock::now() + delay;
  MutexLock lock(mutex_);
  const TimerId id = ++last_id_;
  const auto place = queue_.emplace(std::pair(deadline, id), std::move(callback)).first;
  deadlines_.emplace(id, deadline);
  if (place == queue_.begin()) {
    wake_.notify_one();
  }
  return id;
}

void SystemTimer::cancel(TimerId id) {
  PANDO_ASSERT(std::this_thread::get_id() != thread_.get_id(), "a callback that cancels would wait for itself");
  MutexLock lock(mutex_);
  if (const auto found = deadlines_.find(id); found != deadlines_.end()) {
    queue_.erase({found->second, id});
    deadlines_.erase(found);
    return;
  }
  while (running_ == id) {
    fired_.wait(mutex_);
  }
}

void SystemTimer::run() {
  mutex_.lock();
  while (!stopping_) {
    if (queue_.empty()) {
      wake_.wait(mutex_);
      continue;
    }
    const auto next = queue_.begin();
    const auto now = std::chrono::steady_clock::now();
    if (next->first.first > now) {
      wake_.wait_for(mutex_, next->first.first - now);
      continue;
    }
    running_ = next->first.second;
    const auto callback = std::move(next->second);
    deadlines_.erase(running_);
    queue_.erase(next);
    mutex_.unlock();
    callback();
    mutex_.lock();
    running_ = 0;
    fired_.notify_all();
  }
  mutex_.unlock();
}

}  // namespace pando::runtime
