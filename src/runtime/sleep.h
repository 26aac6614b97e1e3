#pragma once

// sleep(): a coroutine that lets time pass.
//
//   co_await runtime::sleep(timer, executor, std::chrono::milliseconds(5));
//   PANDO_CO_TRY(co_await runtime::sleep(timer, executor, std::chrono::milliseconds(5), &cancellation));
//
// Thread-safety: as a coroutine on `executor`.

#include "base/status.h"
#include "runtime/cancellation.h"
#include "runtime/clock.h"
#include "runtime/executor.h"
#include "runtime/task.h"

namespace pando::runtime {

Task<void> sleep(Timer& timer, Executor& executor, std::chrono::nanoseconds duration);
// Ends early, with its reason, when cancelled. `cancellation` may be null.
Task<Status> sleep(Timer& timer, Executor& executor, std::chrono::nanoseconds duration, Cancellation* cancellation);

}  // namespace pando::runtime
