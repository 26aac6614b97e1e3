#pragma once

// Two codecs for bytes that outlive the process.
//
// Fixed and varint little-endian numbers, for values, records and messages:
//   put_fixed32(out, n); put_varint(out, n); put_length_prefixed(out, bytes);
//   ByteReader reader(bytes); uint32_t n; if (!reader.fixed32(n)) return corruption(...);
//
// Order-preserving (memcomparable) encodings, for keys: comparing two encodings as bytes gives the order of the values.
// Each is self-delimiting, so encodings concatenate into composite keys. The descending form is the bitwise complement.
//   append_ordered_int64(key, -5); append_ordered_bytes(key, "name");
// Layouts are in docs/formats/keys.md. Pure; any thread.

#include <cstdint>
#include <optional>

#include "base/bytes.h"

namespace pando {

inline constexpr std::size_t kVarintBytesMax = 10;

void put_fixed16(Bytes& out, uint16_t value);
void put_fixed32(Bytes& out, uint32_t value);
void put_fixed64(Bytes& out, uint64_t value);
void put_varint(Bytes& out, uint64_t value);
// Zigzag, so that small negative numbers are short.
void put_signed_varint(Bytes& out, int64_t value);
void put_length_prefixed(Bytes& out, ByteView bytes);

// Reads from the front of a borrowed view. Every method returns false, and consumes nothing, when the bytes are too
// short or malformed.
class ByteReader {
 public:
  explicit ByteReader(ByteView bytes) : rest_(bytes) {}

  bool fixed8(uint8_t& value);
  bool fixed16(uint16_t& value);
  bool fixed32(uint32_t& value);
  bool fixed64(uint64_t& value);
  bool varint(uint64_t& value);
  bool signed_varint(int64_t& value);
  bool length_prefixed(ByteView& bytes);
  bool raw(std::size_t size, ByteView& bytes);

  ByteView rest() const { return rest_; }
  bool empty() const { return rest_.empty(); }

 private:
  ByteView rest_;
};

// --- order-preserving ---

void append_ordered_uint32(Bytes& key, uint32_t value);
void append_ordered_uint64(Bytes& key, uint64_t value);
void append_ordered_int64(Bytes& key, int64_t value);
// Totals the order -inf < ... < -0 = 0 < ... < inf < NaN, as PostgreSQL sorts float8.
void append_ordered_double(Bytes& key, double value);
// 0x00 is escaped as 0x00 0xff and the end is 0x00 0x01, so a prefix sorts first.
void append_ordered_bytes(Bytes& key, ByteView bytes);
// Complements the bytes of `key` from `offset` on: turns what was appended since into its descending form.
void complement_from(Bytes& key, std::size_t offset);

// Reads what the append_ordered functions wrote, in the ascending or the descending form.
class OrderedReader {
 public:
  explicit OrderedReader(ByteView bytes) : rest_(bytes) {}

  bool ordered_uint32(uint32_t& value, bool descending = false);
  bool ordered_uint64(uint64_t& value, bool descending = false);
  bool ordered_int64(int64_t& value, bool descending = false);
  bool ordered_double(double& value, bool descending = false);
  bool ordered_bytes(Bytes& bytes, bool descending = false);
  bool byte(uint8_t& value, bool descending = false);

  ByteView rest() const { return rest_; }
  bool empty() const { return rest_.empty(); }

 private:
  ByteView rest_;
};

}  // namespace pando
