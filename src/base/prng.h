#pragma once

// Prng: a small, fast, seeded generator (xoshiro256**, Blackman and Vigna, 2018, seeded by splitmix64).
// The same seed gives the same sequence on every machine. Not for secrets. One thread at a time.

#include <array>
#include <cstdint>

#include "base/assert.h"

namespace pando {

class Prng {
 public:
  explicit Prng(uint64_t seed) {
    for (auto& word : state_) {
      seed += 0x9e3779b97f4a7c15;
      uint64_t mixed = seed;
      mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
      mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
      word = mixed ^ (mixed >> 31);
    }
  }

  uint64_t next() {
    const uint64_t result = rotate_left(state_[1] * 5, 7) * 9;
    const uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = rotate_left(state_[3], 45);
    return result;
  }

  // Uniform in [0, bound). REQUIRES: bound > 0. (Lemire, "Fast Random Integer Generation", 2019, without rejection.)
  uint64_t below(uint64_t bound) {
    PANDO_ASSERT(bound > 0, "a bound of zero has no values below it");
    return static_cast<uint64_t>((static_cast<__uint128_t>(next()) * bound) >> 64);
  }
  // Uniform in [low, high].
  int64_t between(int64_t low, int64_t high) {
    PANDO_ASSERT(low <= high, "an empty range");
    const uint64_t width = static_cast<uint64_t>(high) - static_cast<uint64_t>(low) + 1;
    return static_cast<int64_t>(static_cast<uint64_t>(low) + (width == 0 ? next() : below(width)));
  }
  // Uniform in [0, 1).
  double fraction() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }
  bool chance(double probability) { return fraction() < probability; }

 private:
  static constexpr uint64_t rotate_left(uint64_t word, int by) { return (word << by) | (word >> (64 - by)); }
  std::array<uint64_t, 4> state_{};
};

}  // namespace pando
