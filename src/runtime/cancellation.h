#pragma once

// Cancellation: how a statement learns that it must stop (a cancel request, a timeout, a closing connection).
// The statement polls `requested()` between vectors; whoever waits registers a callback that wakes it.
//
//   Cancellation::Registration registration(cancellation, [&](const Status& reason) { event.set(kCancelled); });
//
// Thread-safe. The callback is given the reason and runs on the cancelling thread, or at once in the constructor when
// already requested; after the Registration is destroyed it is not running and will not run. It runs under a lock of
// the Cancellation, so it does not call it.

#include <atomic>
#include <functional>
#include <list>

#include "base/mutex.h"
#include "base/status.h"

namespace pando::runtime {

class Cancellation {
 public:
  using Callback = std::function<void(const Status& reason)>;

  class Registration {
   public:
    Registration(Cancellation& cancellation, Callback callback);
    ~Registration();
    Registration(const Registration&) = delete;
    Registration& operator=(const Registration&) = delete;

   private:
    Cancellation& cancellation_;
    std::list<Callback>::iterator place_;
  };

  // Makes the running statement fail with `reason`. The first request wins. REQUIRES: !reason.ok().
  void request(Status reason) PANDO_EXCLUDES(mutex_);
  // Makes it reusable for the next statement.
  void reset() PANDO_EXCLUDES(mutex_);

  bool requested() const { return requested_.load(std::memory_order_acquire); }
  // OK, or the reason given to request().
  Status status() PANDO_EXCLUDES(mutex_);

 private:
  std::atomic<bool> requested_{false};
  Mutex mutex_;
  Status reason_ PANDO_GUARDED_BY(mutex_);
  std::list<Callback> callbacks_ PANDO_GUARDED_BY(mutex_);
};

}  // namespace pando::runtime
