#pragma once

// SimTimer: runtime::Timer of one process, in virtual time as its node's clock shows it. Destroying it, as a crash
// does, drops what has not fired.

#include <algorithm>
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
    pending_->callbacks.emplace(id, std::move(callback));
    const uint64_t true_delay = clock_.true_delay_ns(static_cast<uint64_t>(std::max<int64_t>(delay.count(), 0)));
    fire_at(world_, world_.now_ns() + true_delay, pending_, id);
    return id;
  }
  void cancel(runtime::TimerId id) override { pending_->callbacks.erase(id); }
  // What is due before fires then.
  void pause_until(uint64_t time_ns) { pending_->paused_until_ns = std::max(pending_->paused_until_ns, time_ns); }
  // From now on nothing fires any more, for a process that is dead and whose objects cannot go yet.
  void stop() {
    stopped_ = true;
    pending_->callbacks.clear();
  }

 private:
  struct Pending {
    std::map<runtime::TimerId, std::function<void()>> callbacks;
    uint64_t paused_until_ns = 0;
  };

  static void fire_at(World& world, uint64_t time_ns, const std::weak_ptr<Pending>& pending, runtime::TimerId id) {
    world.at(time_ns, [&world, pending, id] {
      const auto alive = pending.lock();
      if (alive == nullptr) {
        return;
      }
      if (alive->paused_until_ns > world.now_ns()) {
        fire_at(world, alive->paused_until_ns, pending, id);
      } else if (auto due = alive->callbacks.extract(id); !due.empty()) {
        due.mapped()();
      }
    });
  }

  World& world_;
  const NodeClock& clock_;
  std::shared_ptr<Pending> pending_ = std::make_shared<Pending>();
  runtime::TimerId last_id_ = 0;
  bool stopped_ = false;
};

}  // namespace pando::sim
