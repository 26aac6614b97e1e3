#include "base/codec.h"

#include <bit>
#include <cmath>
#include <limits>

namespace pando {
namespace {

constexpr uint64_t kSignBit = uint64_t{1} << 63;
constexpr char kEscape = '\x00';
constexpr char kEscapedZero = '\xff';
constexpr char kTerminator = '\x01';

template <typename T>
void put_little_endian(Bytes& out, T value) {
  static_assert(std::endian::native == std::endian::little, "formats are little-endian");
  char raw[sizeof(T)];
  std::memcpy(raw, &value, sizeof(T));
  out.append(raw, sizeof(T));
}

template <typename T>
bool take_little_endian(ByteView& rest, T& value) {
  if (rest.size() < sizeof(T)) {
    return false;
  }
  std::memcpy(&value, rest.data(), sizeof(T));
  rest.remove_prefix(sizeof(T));
  return true;
}

template <typename T>
T swap_bytes(T value) {
  if constexpr (sizeof(T) == 8) {
    return __builtin_bswap64(value);
  } else {
    return __builtin_bswap32(value);
  }
}

template <typename T>
bool take_big_endian(ByteView& rest, T& value, bool descending) {
  if (!take_little_endian(rest, value)) {
    return false;
  }
  value = swap_bytes(value);
  if (descending) {
    value = ~value;
  }
  return true;
}

}  // namespace

void put_fixed16(Bytes& out, uint16_t value) { put_little_endian(out, value); }
void put_fixed32(Bytes& out, uint32_t value) { put_little_endian(out, value); }
void put_fixed64(Bytes& out, uint64_t value) { put_little_endian(out, value); }

void put_varint(Bytes& out, uint64_t value) {
  while (value >= 0x80) {
    out.push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  out.push_back(static_cast<char>(value));
}

void put_signed_varint(Bytes& out, int64_t value) {
  const auto bits = static_cast<uint64_t>(value);
  put_varint(out, (bits << 1) ^ (value < 0 ? ~uint64_t{0} : 0));
}

void put_length_prefixed(Bytes& out, ByteView bytes) {
  put_varint(out, bytes.size());
  out.append(bytes);
}

bool ByteReader::fixed8(uint8_t& value) { return take_little_endian(rest_, value); }
bool ByteReader::fixed16(uint16_t& value) { return take_little_endian(rest_, value); }
bool ByteReader::fixed32(uint32_t& value) { return take_little_endian(rest_, value); }
bool ByteReader::fixed64(uint64_t& value) { return take_little_endian(rest_, value); }

bool ByteReader::varint(uint64_t& value) {
  uint64_t decoded = 0;
  for (std::size_t i = 0; i < kVarintBytesMax && i < rest_.size(); ++i) {
    const auto byte = static_cast<uint8_t>(rest_[i]);
    if (i == kVarintBytesMax - 1 && byte > 1) {
      return false;
    }
    decoded |= static_cast<uint64_t>(byte & 0x7f) << (7 * i);
    if ((byte & 0x80) == 0) {
      value = decoded;
      rest_.remove_prefix(i + 1);
      return true;
    }
  }
  return false;
}

bool ByteReader::signed_varint(int64_t& value) {
  uint64_t bits = 0;
  if (!varint(bits)) {
    return false;
  }
  value = static_cast<int64_t>((bits >> 1) ^ (~(bits & 1) + 1));
  return true;
}

bool ByteReader::length_prefixed(ByteView& bytes) {
  ByteReader probe(rest_);
  uint64_t size = 0;
  if (!probe.varint(size) || size > probe.rest_.size()) {
    return false;
  }
  bytes = probe.rest_.substr(0, size);
  rest_ = probe.rest_.substr(size);
  return true;
}

bool ByteReader::raw(std::size_t size, ByteView& bytes) {
  if (rest_.size() < size) {
    return false;
  }
  bytes = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return true;
}

void append_ordered_uint32(Bytes& key, uint32_t value) { put_little_endian(key, swap_bytes(value)); }
void append_ordered_uint64(Bytes& key, uint64_t value) { put_little_endian(key, swap_bytes(value)); }
void append_ordered_int64(Bytes& key, int64_t value) {
  append_ordered_uint64(key, static_cast<uint64_t>(value) ^ kSignBit);
}

void append_ordered_double(Bytes& key, double value) {
  if (std::isnan(value)) {
    value = std::numeric_limits<double>::quiet_NaN();
  } else if (value == 0) {
    value = 0;
  }
  const auto bits = std::bit_cast<uint64_t>(value);
  append_ordered_uint64(key, (bits & kSignBit) != 0 ? ~bits : bits | kSignBit);
}

void append_ordered_bytes(Bytes& key, ByteView bytes) {
  while (true) {
    const auto zero = bytes.find(kEscape);
    if (zero == ByteView::npos) {
      break;
    }
    key.append(bytes.substr(0, zero));
    key.push_back(kEscape);
    key.push_back(kEscapedZero);
    bytes.remove_prefix(zero + 1);
  }
  key.append(bytes);
  key.push_back(kEscape);
  key.push_back(kTerminator);
}

void complement_from(Bytes& key, std::size_t offset) {
  for (std::size_t i = offset; i < key.size(); ++i) {
    key[i] = static_cast<char>(~key[i]);
  }
}

bool OrderedReader::ordered_uint32(uint32_t& value, bool descending) {
  return take_big_endian(rest_, value, descending);
}
bool OrderedReader::ordered_uint64(uint64_t& value, bool descending) {
  return take_big_endian(rest_, value, descending);
}
bool OrderedReader::ordered_int64(int64_t& value, bool descending) {
  uint64_t bits = 0;
  if (!take_big_endian(rest_, bits, descending)) {
    return false;
  }
  value = static_cast<int64_t>(bits ^ kSignBit);
  return true;
}

bool OrderedReader::ordered_double(double& value, bool descending) {
  uint64_t bits = 0;
  if (!take_big_endian(rest_, bits, descending)) {
    return false;
  }
  value = std::bit_cast<double>((bits & kSignBit) != 0 ? bits & ~kSignBit : ~bits);
  return true;
}

bool OrderedReader::byte(uint8_t& value, bool descending) {
  if (rest_.empty()) {
    return false;
  }
  value = static_cast<uint8_t>(descending ? ~rest_[0] : rest_[0]);
  rest_.remove_prefix(1);
  return true;
}

bool OrderedReader::ordered_bytes(Bytes& bytes, bool descending) {
  const char mask = descending ? '\xff' : '\x00';
  Bytes decoded;
  for (std::size_t i = 0; i + 1 < rest_.size(); ++i) {
    const char current = static_cast<char>(rest_[i] ^ mask);
    if (current != kEscape) {
      decoded.push_back(current);
      continue;
    }
    const char next = static_cast<char>(rest_[++i] ^ mask);
    if (next == kTerminator) {
      bytes = std::move(decoded);
      rest_.remove_prefix(i + 1);
      return true;
    }
    if (next != kEscapedZero) {
      return false;
    }
    decoded.push_back(kEscape);
  }
  return false;
}

}  // namespace pando
