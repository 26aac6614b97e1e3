#pragma once

// SystemClock: the machine's clocks. Thread-safe.

#include "runtime/clock.h"

namespace pando::runtime {

class SystemClock final : public Clock {
 public:
  uint64_t wall_ns() override;
  uint64_t monotonic_ns() override;
};

}  // namespace pando::runtime
