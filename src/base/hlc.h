#pragma once

// HlcTimestamp: a point in hybrid logical time (Kulkarni et al., "Logical Physical Clocks", 2014).
// The wall part follows the physical clock; the logical part orders events within one wall tick. A value only: reading
// a clock is runtime's business.

#include <compare>
#include <cstdint>

namespace pando {

struct HlcTimestamp {
  // Nanoseconds since the Unix epoch.
  uint64_t wall_ns = 0;
  uint32_t logical = 0;

  friend constexpr auto operator<=>(const HlcTimestamp&, const HlcTimestamp&) = default;

  // The smallest timestamp after this one.
  constexpr HlcTimestamp next() const {
    return logical == UINT32_MAX ? HlcTimestamp{wall_ns + 1, 0} : HlcTimestamp{wall_ns, logical + 1};
  }
  // The largest timestamp before this one. REQUIRES: not the zero timestamp.
  constexpr HlcTimestamp previous() const {
    return logical == 0 ? HlcTimestamp{wall_ns - 1, UINT32_MAX} : HlcTimestamp{wall_ns, logical - 1};
  }
  static constexpr HlcTimestamp max() { return {UINT64_MAX, UINT32_MAX}; }
};

}  // namespace pando
