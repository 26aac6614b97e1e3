#pragma once

// ClusterId: 128 random bits that name one cluster for ever. Written as a UUID. All zero is "none".

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace pando {

class ClusterId {
 public:
  static constexpr std::size_t kBytes = 16;

  ClusterId() = default;
  // Makes 16 random bytes a UUID (version 4 of RFC 4122).
  static ClusterId from_random(const std::array<uint8_t, kBytes>& random);
  // Nothing for what is not 16 bytes, or not a UUID.
  static std::optional<ClusterId> from_bytes(ByteView bytes);
  static std::optional<ClusterId> parse(std::string_view text);

  bool none() const { return *this == ClusterId(); }
  ByteView bytes() const { return {reinterpret_cast<const char*>(bytes_.data()), kBytes}; }
  std::string to_string() const;
  friend auto operator<=>(const ClusterId&, const ClusterId&) = default;

 private:
  std::array<uint8_t, kBytes> bytes_{};
};

}  // namespace pando
