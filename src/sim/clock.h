#pragma once

// NodeClock: what one node takes for the time. Its rate is off by its drift; its wall clock is also off by an offset,
// and may jump. The monotonic clock keeps running through pauses and crashes of the process, as a machine's does.

#include <cstdint>

#include "runtime/clock.h"
#include "sim/world.h"

namespace pando::sim {

class NodeClock final : public runtime::Clock {
 public:
  NodeClock(const World& world, int64_t drift_ppm, int64_t wall_offset_ns)
      : world_(world), drift_ppm_(drift_ppm), wall_offset_ns_(wall_offset_ns) {}

  uint64_t monotonic_ns() override { return monotonic_at(world_.now_ns()); }
  uint64_t wall_ns() override {
    return static_cast<uint64_t>(static_cast<int64_t>(kEpochNs + monotonic_ns()) + wall_offset_ns_);
  }

  // The true time that passes while this clock advances by `delay_ns`.
  uint64_t true_delay_ns(uint64_t delay_ns) const {
    const auto delay = static_cast<int64_t>(delay_ns);
    return static_cast<uint64_t>(delay - share(delay));
  }
  int64_t wall_offset_ns() const { return wall_offset_ns_; }
  void jump_wall(int64_t by_ns) { wall_offset_ns_ += by_ns; }
  // From now on; the clock itself does not jump.
  void set_drift_ppm(int64_t drift_ppm) {
    base_clock_ns_ = monotonic_ns();
    base_true_ns_ = world_.now_ns();
    drift_ppm_ = drift_ppm;
  }

 private:
  static constexpr int64_t kPpm = 1'000'000;
  // Some day in 2026: wall times look like wall times.
  static constexpr uint64_t kEpochNs = 1'790'000'000'000'000'000;

  int64_t share(int64_t of_ns) const { return static_cast<int64_t>(static_cast<__int128>(of_ns) * drift_ppm_ / kPpm); }
  uint64_t monotonic_at(uint64_t true_ns) const {
    const auto elapsed = static_cast<int64_t>(true_ns - base_true_ns_);
    return base_clock_ns_ + static_cast<uint64_t>(elapsed + share(elapsed));
  }

  const World& world_;
  int64_t drift_ppm_;
  int64_t wall_offset_ns_;
  // So that clocks of nodes have nothing in common.
  uint64_t base_clock_ns_ = 1'000'000'000;
  uint64_t base_true_ns_ = 0;
};

}  // namespace pando::sim
