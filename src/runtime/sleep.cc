#include "runtime/sleep.h"

#include <optional>

#include "runtime/event.h"

namespace pando::runtime {
namespace {

Task<void> wait_for(Timer& timer, Executor& executor, std::chrono::nanoseconds duration, Cancellation* cancellation) {
  Event woken(executor);
  const TimerId id = timer.schedule(duration, [&woken] { woken.set(); });
  {
    std::optional<Cancellation::Registration> registration;
    if (cancellation != nullptr) {
      registration.emplace(*cancellation, [&woken](const Status&) { woken.set(); });
    }
    co_await woken.wait();
  }
  timer.cancel(id);
}

}  // namespace

Task<void> sleep(Timer& timer, Executor& executor, std::chrono::nanoseconds duration) {
  co_await wait_for(timer, executor, duration, nullptr);
}

Task<Status> sleep(Timer& timer, Executor& executor, std::chrono::nanoseconds duration, Cancellation* cancellation) {
  co_await wait_for(timer, executor, duration, cancellation);
  co_return cancellation != nullptr ? cancellation->status() : Status();
}

}  // namespace pando::runtime
