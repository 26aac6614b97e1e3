#pragma once

// Checks that a register behaved as if its operations had happened one by one, each between its beginning and its end
// (Herlihy and Wing, 1990), by searching for such an order (Wing and Gong, 1993; with Lowe's memory of states, 2017).
// Operations whose end nobody saw may have happened at any time since, or never. Pure; values.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace pando::test {

struct RegisterOperation {
  enum class Kind : uint8_t {
    kRead,
    kWrite,
    // Writes `value` if the register held `expected`: `swapped` tells.
    kCompareAndSwap,
  };
  Kind kind = Kind::kRead;
  int64_t value = 0;
  int64_t expected = 0;
  bool swapped = false;
  uint64_t begin_ns = 0;
  // Nothing: whether it happened is not known.
  std::optional<uint64_t> end_ns;
};

// Empty when there is an order; else how far one goes.
std::string check_register(int64_t initial, std::vector<RegisterOperation> operations);

}  // namespace pando::test
