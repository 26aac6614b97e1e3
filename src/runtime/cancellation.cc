#include "runtime/cancellation.h"

namespace pando::runtime {

Cancellation::Registration::Registration(Cancellation& cancellation, Callback callback) : cancellation_(cancellation) {
  MutexLock lock(cancellation_.mutex_);
  if (cancellation_.requested()) {
    callback(cancellation_.reason_);
  }
  place_ = cancellation_.callbacks_.insert(cancellation_.callbacks_.end(), std::move(callback));
}

Cancellation::Registration::~Registration() {
  MutexLock lock(cancellation_.mutex_);
  cancellation_.callbacks_.erase(place_);
}

void Cancellation::request(Status reason) {
  PANDO_ASSERT(!reason.ok(), "a cancellation needs a reason");
  MutexLock lock(mutex_);
  if (requested()) {
    return;
  }
  reason_ = std::move(reason);
  requested_.store(true, std::memory_order_release);
  for (const Callback& callback : callbacks_) {
    callback(reason_);
  }
}

void Cancellation::reset() {
  MutexLock lock(mutex_);
  requested_.store(false, std::memory_order_release);
  reason_ = Status();
}

Status Cancellation::status() {
  if (!requested()) {
    return {};
  }
  MutexLock lock(mutex_);
  return reason_;
}

}  // namespace pando::runtime
