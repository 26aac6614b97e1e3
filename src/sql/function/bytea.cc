// bytea: bytes and bits, encode() and decode(), digests, character set conversion. What it shares with text (||,
// length) is in text.cc.

#include <algorithm>
#include <array>
#include <bit>

#include <openssl/evp.h>

#include "sql/function/errors.h"
#include "sql/function/evaluation_context.h"
#include "sql/function/kernel_table.h"
#include "sql/function/lift.h"
#include "types/binary_io.h"
#include "types/text_io.h"
#include "types/utf8.h"

namespace pando::sql {
namespace {

Status index_error(int64_t index, int64_t size) {
  return {sql_state::kArraySubscriptError, "index {} out of valid range, 0..{}", index, size - 1};
}
Result<int32_t> get_byte(ByteView bytes, int32_t index) {
  if (index < 0 || static_cast<std::size_t>(index) >= bytes.size()) {
    return index_error(index, static_cast<int64_t>(bytes.size()));
  }
  return static_cast<uint8_t>(bytes[static_cast<std::size_t>(index)]);
}
Result<Bytes> set_byte(ByteView bytes, int32_t index, int32_t value) {
  if (index < 0 || static_cast<std::size_t>(index) >= bytes.size()) {
    return index_error(index, static_cast<int64_t>(bytes.size()));
  }
  Bytes out(bytes);
  out[static_cast<std::size_t>(index)] = static_cast<char>(value);
  return out;
}
Result<int32_t> get_bit(ByteView bytes, int64_t index) {
  const auto bits = static_cast<int64_t>(bytes.size() * 8);
  if (index < 0 || index >= bits) {
    return index_error(index, bits);
  }
  return (static_cast<uint8_t>(bytes[static_cast<std::size_t>(index / 8)]) >> (index % 8)) & 1;
}
Result<Bytes> set_bit(ByteView bytes, int64_t index, int32_t value) {
  const auto bits = static_cast<int64_t>(bytes.size() * 8);
  if (index < 0 || index >= bits) {
    return index_error(index, bits);
  }
  if (value != 0 && value != 1) {
    return Status(sql_state::kInvalidParameterValue, "new bit must be 0 or 1");
  }
  Bytes out(bytes);
  char& byte = out[static_cast<std::size_t>(index / 8)];
  const auto mask = static_cast<uint8_t>(1U << (index % 8));
  byte = static_cast<char>(value == 1 ? static_cast<uint8_t>(byte) | mask : static_cast<uint8_t>(byte) & ~mask);
  return out;
}
int64_t bit_count(ByteView bytes) {
  int64_t count = 0;
  for (const char c : bytes) {
    count += std::popcount(static_cast<uint8_t>(c));
  }
  return count;
}

// --- parts ---
int32_t position(ByteView bytes, ByteView part) {
  const std::size_t at = bytes.find(part);
  return at == ByteView::npos ? 0 : static_cast<int32_t>(at) + 1;
}
Result<Borrowed> substring(ByteView bytes, int32_t start, int32_t count) {
  if (count < 0) {
    return Status(sql_state::kSubstringError, "negative substring length not allowed");
  }
  const int64_t end = std::min<int64_t>(static_cast<int64_t>(start) + count - 1, static_cast<int64_t>(bytes.size()));
  const int64_t begin = std::max<int64_t>(start, 1) - 1;
  if (begin >= end) {
    return Borrowed{};
  }
  return Borrowed{bytes.substr(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin))};
}
Borrowed substring_from(ByteView bytes, int32_t start) {
  const std::size_t begin = start <= 1 ? 0 : static_cast<std::size_t>(start) - 1;
  return {begin >= bytes.size() ? ByteView() : bytes.substr(begin)};
}
Result<Bytes> overlay(ByteView bytes, ByteView replacement, int32_t start, int32_t count) {
  if (start <= 0) {
    return Status(sql_state::kSubstringError, "negative substring length not allowed");
  }
  int32_t after = 0;
  if (__builtin_add_overflow(start, count, &after)) {
    return out_of_range<int32_t>();
  }
  Bytes out(bytes.substr(0, static_cast<std::size_t>(start) - 1));
  out += replacement;
  out += substring_from(bytes, after).view;
  return out;
}
Result<Bytes> overlay_own_length(ByteView bytes, ByteView replacement, int32_t start) {
  return overlay(bytes, replacement, start, static_cast<int32_t>(replacement.size()));
}
template <bool kLeft, bool kRight>
Borrowed trim(ByteView bytes, ByteView set) {
  if (kLeft) {
    bytes.remove_prefix(std::min(bytes.find_first_not_of(set), bytes.size()));
  }
  if (kRight) {
    bytes = bytes.substr(0, bytes.find_last_not_of(set) + 1);
  }
  return {bytes};
}

// --- encode(), decode() ---
constexpr ByteView kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::size_t kBase64LineSize = 76;

Bytes to_base64(ByteView bytes) {
  Bytes out;
  std::size_t line = 0;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const ByteView group = bytes.substr(i, 3);
    uint32_t word = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      word = word << 8 | (k < group.size() ? static_cast<uint8_t>(group[k]) : 0U);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      out += k <= group.size() ? kBase64[(word >> (18 - 6 * k)) & 63] : '=';
    }
    line += 4;
    if (line >= kBase64LineSize) {
      out += '\n';
      line = 0;
    }
  }
  return out;
}
Result<Bytes> from_base64(ByteView text) {
  Bytes out;
  uint32_t word = 0;
  int count = 0;
  int padding = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
      continue;
    }
    uint32_t bits = 0;
    if (c == '=') {
      if (padding == 0) {
        if (count != 2 && count != 3) {
          return Status(sql_state::kInvalidParameterValue, "unexpected \"=\" while decoding base64 sequence");
        }
        padding = count == 2 ? 1 : 2;
      }
    } else {
      const std::size_t digit = kBase64.find(c);
      if (digit == ByteView::npos) {
        return Status(sql_state::kInvalidParameterValue, "invalid symbol \"{}\" found while decoding base64 sequence",
                      text.substr(i, types::utf8_width(c)));
      }
      bits = static_cast<uint32_t>(digit);
    }
    word = word << 6 | bits;
    if (++count == 4) {
      out += static_cast<char>(word >> 16);
      if (padding == 0 || padding > 1) {
        out += static_cast<char>(word >> 8);
      }
      if (padding == 0) {
        out += static_cast<char>(word);
      }
      word = 0;
      count = 0;
    }
  }
  if (count != 0) {
    return Status(sql_state::kInvalidParameterValue, "invalid base64 end sequence")
        .with_hint("Input data is missing padding, is truncated, or is otherwise corrupted.");
  }
  return out;
}

Bytes to_hex(ByteView bytes) {
  static constexpr ByteView kDigits = "0123456789abcdef";
  Bytes out;
  for (const char c : bytes) {
    out += kDigits[static_cast<uint8_t>(c) >> 4];
    out += kDigits[static_cast<uint8_t>(c) & 15];
  }
  return out;
}
int hex_digit(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}
Result<Bytes> from_hex(ByteView text) {
  Bytes out;
  for (std::size_t i = 0; i < text.size();) {
    if (text[i] == ' ' || text[i] == '\n' || text[i] == '\t' || text[i] == '\r') {
      ++i;
      continue;
    }
    int byte = 0;
    for (std::size_t k = i; k < i + 2; ++k) {
      if (k >= text.size()) {
        return Status(sql_state::kInvalidParameterValue, "invalid hexadecimal data: odd number of digits");
      }
      const int digit = hex_digit(text[k]);
      if (digit < 0) {
        return Status(sql_state::kInvalidParameterValue, "invalid hexadecimal digit: \"{}\"",
                      text.substr(k, types::utf8_width(text[k])));
      }
      byte = byte * 16 + digit;
    }
    out += static_cast<char>(byte);
    i += 2;
  }
  return out;
}

bool same_name(ByteView a, ByteView lower_b) {
  return std::ranges::equal(a, lower_b, [](char x, char y) { return (x >= 'A' && x <= 'Z' ? x + 32 : x) == y; });
}
// The escape format of encode() leaves what print_bytea() would escape printable, and escapes only high bytes and zero.
Bytes to_escape(ByteView bytes) {
  Bytes out;
  for (const char c : bytes) {
    const auto byte = static_cast<uint8_t>(c);
    if (byte == 0 || byte >= 0x80) {
      out += fmt::format("\\{:03o}", byte);
    } else {
      out.append(c == '\\' ? 2 : 1, c);
    }
  }
  return out;
}
Result<Bytes> from_escape(ByteView text) {
  Bytes out;
  const auto octal = [&](std::size_t i, char max) { return i < text.size() && text[i] >= '0' && text[i] <= max; };
  for (std::size_t i = 0; i < text.size();) {
    if (text[i] != '\\') {
      out += text[i++];
    } else if (octal(i + 1, '3') && octal(i + 2, '7') && octal(i + 3, '7')) {
      out += static_cast<char>((text[i + 1] - '0') << 6 | (text[i + 2] - '0') << 3 | (text[i + 3] - '0'));
      i += 4;
    } else if (i + 1 < text.size() && text[i + 1] == '\\') {
      out += '\\';
      i += 2;
    } else {
      return Status(sql_state::kInvalidTextRepresentation, "invalid input syntax for type bytea");
    }
  }
  return out;
}
Status unknown_encoding(ByteView name) {
  return {sql_state::kInvalidParameterValue, "unrecognized encoding: \"{}\"", name};
}
Result<Bytes> encode(ByteView bytes, ByteView format) {
  if (same_name(format, "hex")) {
    return to_hex(bytes);
  }
  if (same_name(format, "base64")) {
    return to_base64(bytes);
  }
  if (same_name(format, "escape")) {
    return to_escape(bytes);
  }
  return unknown_encoding(format);
}
Result<Bytes> decode(ByteView text, ByteView format) {
  if (same_name(format, "hex")) {
    return from_hex(text);
  }
  if (same_name(format, "base64")) {
    return from_base64(text);
  }
  if (same_name(format, "escape")) {
    return from_escape(text);
  }
  return unknown_encoding(format);
}

// --- digests ---
Bytes digest(ByteView bytes, const EVP_MD* algorithm) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> hash{};
  unsigned int size = 0;
  const int done = EVP_Digest(bytes.data(), bytes.size(), hash.data(), &size, algorithm, nullptr);
  PANDO_ASSERT(done == 1, "a digest of OpenSSL's default provider");
  return {reinterpret_cast<const char*>(hash.data()), size};
}
Bytes md5(ByteView bytes) { return to_hex(digest(bytes, EVP_md5())); }
Bytes sha224(ByteView bytes) { return digest(bytes, EVP_sha224()); }
Bytes sha256(ByteView bytes) { return digest(bytes, EVP_sha256()); }
Bytes sha384(ByteView bytes) { return digest(bytes, EVP_sha384()); }
Bytes sha512(ByteView bytes) { return digest(bytes, EVP_sha512()); }

// --- character sets ---
enum class Charset : uint8_t { kUtf8, kLatin1, kAscii };
std::optional<Charset> find_charset(ByteView name) {
  Bytes plain;
  for (const char c : name) {
    if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z')) {
      plain += c;
    } else if (c >= 'A' && c <= 'Z') {
      plain += static_cast<char>(c + 32);
    }
  }
  if (plain == "utf8" || plain == "unicode") {
    return Charset::kUtf8;
  }
  if (plain == "latin1" || plain == "iso88591") {
    return Charset::kLatin1;
  }
  if (plain == "sqlascii") {
    return Charset::kAscii;
  }
  return std::nullopt;
}
Result<Bytes> convert_bytes(ByteView bytes, Charset from, Charset to) {
  if (from == Charset::kUtf8) {
    PANDO_TRY(types::validate_utf8(bytes));
  } else if (bytes.contains('\0')) {
    return Status(sql_state::kCharacterNotInRepertoire, "invalid byte sequence for encoding \"{}\": 0x00",
                  from == Charset::kLatin1 ? "LATIN1" : "SQL_ASCII");
  }
  if (from == to || from == Charset::kAscii || to == Charset::kAscii) {
    if (to == Charset::kUtf8) {
      PANDO_TRY(types::validate_utf8(bytes));
    }
    return Bytes(bytes);
  }
  Bytes out;
  if (from == Charset::kLatin1) {
    for (const char c : bytes) {
      types::utf8_append(out, static_cast<uint8_t>(c));
    }
    return out;
  }
  while (!bytes.empty()) {
    const uint32_t code = types::utf8_decode(bytes);
    const std::size_t width = types::utf8_width(bytes.front());
    if (code > 0xff) {
      Bytes sequence;
      for (const char c : bytes.substr(0, width)) {
        sequence += fmt::format("{}0x{:02x}", sequence.empty() ? "" : " ", static_cast<uint8_t>(c));
      }
      return Status(sql_state::kUntranslatableCharacter,
                    "character with byte sequence {} in encoding \"UTF8\" has no equivalent in encoding \"LATIN1\"",
                    sequence);
    }
    out += static_cast<char>(code);
    bytes.remove_prefix(width);
  }
  return out;
}
Result<Bytes> convert(ByteView bytes, ByteView from, ByteView to) {
  const auto source = find_charset(from);
  if (!source) {
    return Status(sql_state::kInvalidParameterValue, "invalid source encoding name \"{}\"", from);
  }
  const auto target = find_charset(to);
  if (!target) {
    return Status(sql_state::kInvalidParameterValue, "invalid destination encoding name \"{}\"", to);
  }
  return convert_bytes(bytes, *source, *target);
}
Result<Bytes> convert_from(ByteView bytes, ByteView from) { return convert(bytes, from, "UTF8"); }
Result<Bytes> convert_to(ByteView text, ByteView to) { return convert(text, "UTF8", to); }
Result<int32_t> length_in(ByteView bytes, ByteView charset) {
  const auto source = find_charset(charset);
  if (!source) {
    return Status(sql_state::kInvalidParameterValue, "invalid encoding name \"{}\"", charset);
  }
  if (*source != Charset::kUtf8) {
    return static_cast<int32_t>(bytes.size());
  }
  PANDO_TRY(types::validate_utf8(bytes));
  return static_cast<int32_t>(types::utf8_length(bytes));
}
// to_ascii() takes the bytes of the text to be in the named encoding. What the upper half of Latin-1 looks like in
// ASCII, from 0xa0 on:
constexpr ByteView kLatin1AsAscii =
    "  cL Y  \"Ca  -R     'u .,      ?AAAAAAACEEEEIIII NOOOOOxOUUUUYTBaaaaaaaceeeeiiii nooooo/ouuuuyty";
Status no_ascii(ByteView encoding) {
  return {sql_state::kFeatureNotSupported, "encoding conversion from {} to ASCII not supported", encoding};
}
Result<Bytes> to_ascii(ByteView) { return no_ascii("UTF8"); }
Result<Bytes> to_ascii_of(ByteView text, ByteView encoding) {
  const auto charset = find_charset(encoding);
  if (!charset) {
    return Status(sql_state::kUndefinedObject, "{} is not a valid encoding name", encoding);
  }
  if (*charset != Charset::kLatin1) {
    return no_ascii(*charset == Charset::kUtf8 ? "UTF8" : "SQL_ASCII");
  }
  Bytes out;
  for (const char c : text) {
    const auto byte = static_cast<uint8_t>(c);
    out += byte < 0x80 ? c : byte < 0xa0 ? ' ' : kLatin1AsAscii[byte - 0xa0];
  }
  return out;
}
Result<Bytes> to_ascii_number(ByteView text, int32_t encoding) {
  constexpr int32_t kUtf8Number = 6;
  constexpr int32_t kLatin1Number = 8;
  if (encoding == kLatin1Number) {
    return to_ascii_of(text, "LATIN1");
  }
  if (encoding == 0 || encoding == kUtf8Number) {
    return no_ascii(encoding == 0 ? "SQL_ASCII" : "UTF8");
  }
  return Status(sql_state::kUndefinedObject, "{} is not a valid encoding code", encoding);
}

// A value's binary wire form.
Result<Bytes> send(EvaluationContext& context, const CallTypes& types, types::Value value) {
  Bytes out;
  PANDO_TRY(types::print_binary(types.arguments[0], value, context.settings, out));
  return out;
}

}  // namespace

KernelTable bytea_kernels() {
  static constexpr KernelEntry kTable[] = {
      {"byteaGetByte", lift<get_byte>},
      {"byteaSetByte", lift<set_byte>},
      {"byteaGetBit", lift<get_bit>},
      {"byteaSetBit", lift<set_bit>},
      {"json_send", lift<send>},
      {"array_send", lift<send>},
      {"record_send", lift<send>},
      {"int2send", lift<send>},
      {"int4send", lift<send>},
      {"int8send", lift<send>},
      {"byteasend", lift<send>},
      {"textsend", lift<send>},
      {"oidsend", lift<send>},
      {"namesend", lift<send>},
      {"float4send", lift<send>},
      {"float8send", lift<send>},
      {"bpcharsend", lift<send>},
      {"varcharsend", lift<send>},
      {"charsend", lift<send>},
      {"boolsend", lift<send>},
      {"tidsend", lift<send>},
      {"xidsend", lift<send>},
      {"cidsend", lift<send>},
      {"numeric_send", lift<send>},
      {"date_send", lift<send>},
      {"time_send", lift<send>},
      {"timetz_send", lift<send>},
      {"timestamp_send", lift<send>},
      {"timestamptz_send", lift<send>},
      {"interval_send", lift<send>},
      {"uuid_send", lift<send>},
      {"enum_send", lift<send>},
      {"jsonb_send", lift<send>},
      {"xid8send", lift<send>},
      {"bytea_bit_count", lift<bit_count>},
      {"byteapos", lift<position>},
      {"bytea_substr", lift<substring>},
      {"bytea_substr_no_len", lift<substring_from>},
      {"byteaoverlay", lift<overlay>},
      {"byteaoverlay_no_len", lift<overlay_own_length>},
      {"byteatrim", lift<trim<true, true>>},
      {"bytealtrim", lift<trim<true, false>>},
      {"byteartrim", lift<trim<false, true>>},
      {"binary_encode", lift<encode>},
      {"binary_decode", lift<decode>},
      {"md5_text", lift<md5>},
      {"md5_bytea", lift<md5>},
      {"sha224_bytea", lift<sha224>},
      {"sha256_bytea", lift<sha256>},
      {"sha384_bytea", lift<sha384>},
      {"sha512_bytea", lift<sha512>},
      {"pg_convert", lift<convert>},
      {"pg_convert_from", lift<convert_from>},
      {"pg_convert_to", lift<convert_to>},
      {"length_in_encoding", lift<length_in>},
      {"to_ascii_default", lift<to_ascii>},
      {"to_ascii_encname", lift<to_ascii_of>},
      {"to_ascii_enc", lift<to_ascii_number>},
  };
  return kTable;
}

}  // namespace pando::sql
