#include "base/cluster_id.h"

#include <algorithm>

#include <fmt/format.h>

namespace pando {
namespace {

constexpr std::size_t kTextBytes = 36;
bool dash_at(std::size_t place) { return place == 8 || place == 13 || place == 18 || place == 23; }

std::optional<uint8_t> digit(char c) {
  if (c >= '0' && c <= '9') {
    return static_cast<uint8_t>(c - '0');
  }
  if (c >= 'a' && c <= 'f') {
    return static_cast<uint8_t>(c - 'a' + 10);
  }
  if (c >= 'A' && c <= 'F') {
    return static_cast<uint8_t>(c - 'A' + 10);
  }
  return std::nullopt;
}

}  // namespace

ClusterId ClusterId::from_random(const std::array<uint8_t, kBytes>& random) {
  ClusterId id;
  id.bytes_ = random;
  id.bytes_[6] = static_cast<uint8_t>((id.bytes_[6] & 0x0f) | 0x40);
  id.bytes_[8] = static_cast<uint8_t>((id.bytes_[8] & 0x3f) | 0x80);
  return id;
}

std::optional<ClusterId> ClusterId::from_bytes(ByteView bytes) {
  if (bytes.size() != kBytes) {
    return std::nullopt;
  }
  ClusterId id;
  std::memcpy(id.bytes_.data(), bytes.data(), kBytes);
  return id;
}

std::optional<ClusterId> ClusterId::parse(std::string_view text) {
  if (text.size() != kTextBytes) {
    return std::nullopt;
  }
  ClusterId id;
  std::size_t digits = 0;
  for (std::size_t place = 0; place < kTextBytes; ++place) {
    if (dash_at(place)) {
      if (text[place] != '-') {
        return std::nullopt;
      }
      continue;
    }
    const std::optional<uint8_t> value = digit(text[place]);
    if (!value) {
      return std::nullopt;
    }
    uint8_t& byte = id.bytes_[digits / 2];
    byte = static_cast<uint8_t>(byte << 4 | *value);
    ++digits;
  }
  return id;
}

std::string ClusterId::to_string() const {
  std::string text;
  text.reserve(kTextBytes);
  for (const uint8_t byte : bytes_) {
    if (dash_at(text.size())) {
      text += '-';
    }
    text += fmt::format("{:02x}", byte);
  }
  return text;
}

}  // namespace pando
