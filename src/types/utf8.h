#pragma once

// UTF-8: validation, lengths and positions in characters. Functions other than validate_utf8 REQUIRE valid UTF-8.
// Pure; any thread.

#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "base/status.h"

namespace pando::types {

// 22021 'invalid byte sequence for encoding "UTF8": 0x..', for a zero byte too.
Status validate_utf8(ByteView text);
// Characters (code points) in `text`.
std::size_t utf8_length(ByteView text);
// Byte offset of the character at `index` (0-based), or text.size() when there are fewer.
std::size_t utf8_offset(ByteView text, std::size_t index);
// Bytes of the character that starts with `lead`.
std::size_t utf8_width(char lead);
// The code point at the front of `text`. REQUIRES: not empty.
uint32_t utf8_decode(ByteView text);
// REQUIRES: code_point <= 0x10ffff.
void utf8_append(Bytes& out, uint32_t code_point);
// The longest prefix of `text` of at most `bytes_max` bytes that ends between characters.
ByteView utf8_truncate(ByteView text, std::size_t bytes_max);
// `text` as PostgreSQL's type name keeps it: at most 63 bytes.
inline constexpr std::size_t kNameBytesMax = 63;
ByteView truncate_name(ByteView text);

}  // namespace pando::types
