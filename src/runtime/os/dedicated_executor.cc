#include "runtime/os/dedicated_executor.h"

#include <pthread.h>

#include "runtime/os/turn.h"

namespace pando::runtime {

void name_this_thread(const std::string& name) {
  constexpr std::size_t kNameBytesMax = 15;
  ::pthread_setname_np(::pthread_self(), name.substr(0, kNameBytesMax).c_str());
}

DedicatedExecutor::DedicatedExecutor(const std::string& name)
    : thread_([this, name] {
        name_this_thread(name);
        run();
      }) {}

void DedicatedExecutor::post(std::coroutine_handle<> handle) {
  MutexLock lock(mutex_);
  queue_.push_back(handle);
  if (sleeping_) {
    wake_.notify_one();
  }
}

void DedicatedExecutor::stop() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    wake_.notify_one();
  }
  if (thread_.joinable()) {
    thread_.join();
  }
}

void DedicatedExecutor::run() {
  std::vector<std::coroutine_handle<>> ready;
  Turn turn;
  for (;;) {
    {
      MutexLock lock(mutex_);
      while (queue_.empty() && !stopping_) {
        sleeping_ = true;
        wake_.wait(mutex_);
        sleeping_ = false;
      }
      if (queue_.empty()) {
        return;
      }
      ready.swap(queue_);
    }
    for (const auto handle : ready) {
      handle.resume();
    }
    ready.clear();
    turn.end();
  }
}

}  // namespace pando::runtime
