#include "types/utf8.h"

#include <algorithm>

#include <fmt/format.h>

namespace pando::types {
namespace {

constexpr std::size_t kWidthMax = 4;

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

// Width by the lead byte; 1 for bytes that are none, as PostgreSQL reports them.
std::size_t lead_width(char lead) {
  const auto byte = static_cast<unsigned char>(lead);
  if (byte < 0xc0) {
    return 1;
  }
  return byte < 0xe0 ? 2 : (byte < 0xf0 ? 3 : (byte < 0xf8 ? 4 : 1));
}

// One character at the front: its width, or 0 when malformed.
std::size_t valid_width(ByteView text) {
  const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) {
    return lead == 0 ? 0 : 1;
  }
  const std::size_t width = lead_width(text[0]);
  if (width == 1 || width > text.size()) {
    return 0;
  }
  for (std::size_t i = 1; i < width; ++i) {
    if (!is_continuation(text[i])) {
      return 0;
    }
  }
  // No overlong forms, surrogates, or code points past U+10FFFF.
  const unsigned char second = byte(1);
  const bool wrong = (lead < 0xc2) || (lead == 0xe0 && second < 0xa0) || (lead == 0xed && second > 0x9f) ||
                     (lead == 0xf0 && second < 0x90) || (lead == 0xf4 && second > 0x8f) || lead > 0xf4;
  return wrong ? 0 : width;
}

Status invalid(ByteView rest) {
  std::string bytes;
  const std::size_t shown = std::min({lead_width(rest[0]), rest.size(), kWidthMax});
  for (std::size_t i = 0; i < shown; ++i) {
    bytes += fmt::format("{}0x{:02x}", i == 0 ? "" : " ", static_cast<unsigned char>(rest[i]));
  }
  return {sql_state::kCharacterNotInRepertoire, "invalid byte sequence for encoding \"UTF8\": {}", bytes};
}

}  // namespace

Status validate_utf8(ByteView text) {
  constexpr std::size_t kStride = sizeof(uint64_t);
  constexpr uint64_t kHighBits = 0x8080808080808080;
  std::size_t i = 0;
  while (i < text.size()) {
    if (i + kStride <= text.size()) {
      uint64_t word = 0;
      std::memcpy(&word, text.data() + i, kStride);
      const uint64_t zero_bytes = (word - 0x0101010101010101) & ~word & kHighBits;
      if (((word & kHighBits) | zero_bytes) == 0) {
        i += kStride;
        continue;
      }
    }
    const std::size_t width = valid_width(text.substr(i));
    if (width == 0) {
      return invalid(text.substr(i));
    }
    i += width;
  }
  return {};
}

std::size_t utf8_length(ByteView text) {
  return static_cast<std::size_t>(std::ranges::count_if(text, [](char c) { return !is_continuation(c); }));
}

std::size_t utf8_offset(ByteView text, std::size_t index) {
  std::size_t offset = 0;
  for (; index > 0 && offset < text.size(); --index) {
    offset += utf8_width(text[offset]);
  }
  return std::min(offset, text.size());
}

std::size_t utf8_width(char lead) { return lead_width(lead); }

uint32_t utf8_decode(ByteView text) {
  const std::size_t width = std::min(lead_width(text[0]), text.size());
  const auto lead = static_cast<unsigned char>(text[0]);
  uint32_t code = width == 1 ? lead : lead & (0x7fU >> width);
  for (std::size_t i = 1; i < width; ++i) {
    code = (code << 6) | (static_cast<unsigned char>(text[i]) & 0x3f);
  }
  return code;
}

void utf8_append(Bytes& out, uint32_t code_point) {
  if (code_point < 0x80) {
    out.push_back(static_cast<char>(code_point));
  } else if (code_point < 0x800) {
    out.push_back(static_cast<char>(0xc0 | (code_point >> 6)));
    out.push_back(static_cast<char>(0x80 | (code_point & 0x3f)));
  } else if (code_point < 0x10000) {
    out.push_back(static_cast<char>(0xe0 | (code_point >> 12)));
    out.push_back(static_cast<char>(0x80 | ((code_point >> 6) & 0x3f)));
    out.push_back(static_cast<char>(0x80 | (code_point & 0x3f)));
  } else {
    out.push_back(static_cast<char>(0xf0 | (code_point >> 18)));
    out.push_back(static_cast<char>(0x80 | ((code_point >> 12) & 0x3f)));
    out.push_back(static_cast<char>(0x80 | ((code_point >> 6) & 0x3f)));
    out.push_back(static_cast<char>(0x80 | (code_point & 0x3f)));
  }
}

ByteView utf8_truncate(ByteView text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) {
    return text;
  }
  while (bytes_max > 0 && is_continuation(text[bytes_max])) {
    --bytes_max;
  }
  return text.substr(0, bytes_max);
}

ByteView truncate_name(ByteView text) { return utf8_truncate(text, kNameBytesMax); }

}  // namespace pando::types
