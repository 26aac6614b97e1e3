#pragma once

// BodyReader: takes fields off the front of a message's body, checking every length against what is left.
//
//   BodyReader in(body);
//   ByteView name;
//   uint16_t count;
//   PANDO_TRY(in.read_cstring(name));
//   PANDO_TRY(in.read_uint16(count));
//   PANDO_TRY(in.finish());
//
// What it returns borrows from the body. Errors are 08P01 in PostgreSQL's words. Thread-safety: none; a value.

#include <cstdint>

#include "base/bytes.h"
#include "base/status.h"

namespace pando::pgwire {

// Big-endian loads. REQUIRES: that many bytes at `from`.
inline uint16_t load_uint16(const char* from) {
  uint16_t raw;
  std::memcpy(&raw, from, sizeof(raw));
  return __builtin_bswap16(raw);
}
inline uint32_t load_uint32(const char* from) {
  uint32_t raw;
  std::memcpy(&raw, from, sizeof(raw));
  return __builtin_bswap32(raw);
}

class BodyReader {
 public:
  explicit BodyReader(ByteView body) : rest_(body) {}

  std::size_t left() const { return rest_.size(); }

  Status read_char(char& out) {
    PANDO_TRY(need(1));
    out = rest_.front();
    rest_.remove_prefix(1);
    return {};
  }
  Status read_uint16(uint16_t& out) {
    PANDO_TRY(need(sizeof(out)));
    out = load_uint16(rest_.data());
    rest_.remove_prefix(sizeof(out));
    return {};
  }
  Status read_uint32(uint32_t& out) {
    PANDO_TRY(need(sizeof(out)));
    out = load_uint32(rest_.data());
    rest_.remove_prefix(sizeof(out));
    return {};
  }
  Status read_bytes(std::size_t size, ByteView& out) {
    PANDO_TRY(need(size));
    out = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return {};
  }
  // Up to the next zero byte, which is dropped.
  Status read_cstring(ByteView& out) {
    const auto end = rest_.find('\0');
    if (end == ByteView::npos) {
      return Status(sql_state::kProtocolViolation, "invalid string in message");
    }
    out = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    return {};
  }
  ByteView read_rest() {
    const ByteView rest = rest_;
    rest_ = {};
    return rest;
  }
  // An error when bytes are left over.
  Status finish() const {
    return rest_.empty() ? Status() : Status(sql_state::kProtocolViolation, "invalid message format");
  }

 private:
  Status need(std::size_t size) const {
    return size <= rest_.size() ? Status() : Status(sql_state::kProtocolViolation, "insufficient data left in message");
  }
  ByteView rest_;
};

}  // namespace pando::pgwire
