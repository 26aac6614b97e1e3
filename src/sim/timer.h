#pragma once

// SimTimer: runtime::Timer of one process, in virtual time as its node's clock shows it. Destroying it, as a crash
// does, drops what has not fired.

#include <functional>
#include <map>
#include <memory>

#include "sim/clock.h"
#include "sim/world.h"

namespace pando::sim {

class SimTimer final : public runtime::Timer {
 public:
  SimTimer(World& world, const NodeClock& clock) : world_(world), clock_(clock) {}

  runtime::TimerId schedule(std::chrono::nanoseconds delay, std::function<void()> callback) override {
    const runtime::TimerId id = ++last_id_;
    if (stopped_) {
      return id;
    }
    pending_->emplace(id, std::move(callback));
    const uint64_t true_delay = clock_.true_delay_ns(static_cast<uint64_t>(std::max<int64_t>(delay.count(), 0)));
    world_.after(true_delay, [pending = std::weak_ptr(pending_), id] {
      const auto alive = pending.lock();
      if (alive == nullptr) {
        return;
      }
      if (auto due = alive->extract(id); !due.empty()) {
        due.mapped()();
      }
    });
    return id;
  }
  void cancel(runtime::TimerId id) override { pending_->erase(id); }
  // From now on nothing fires any more, for a process that is dead and whose objects cannot go yet.
  void stop() {
    stopped_ = true;
    pending_->clear();
  }

 private:
  using Pending = std::map<runtime::TimerId, std::function<void()>>;

  World& world_;
  const NodeClock& clock_;
  std::shared_ptr<Pending> pending_ = std::make_shared<Pending>();
  runtime::TimerId last_id_ = 0;
  bool stopped_ = false;
};

}  // namespace pando::sim
