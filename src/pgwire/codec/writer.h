#pragma once

// MessageWriter: appends one message to a caller's buffer; its length is filled in at end().
//
//   MessageWriter out(buffer, 'Z');
//   out.write_char('I');
//   out.end();
//
// Thread-safety: none; a value that borrows the buffer.

#include <cstdint>

#include "base/bytes.h"

namespace pando::pgwire {

inline void store_uint16(char* to, uint16_t v) {
  const uint16_t raw = __builtin_bswap16(v);
  std::memcpy(to, &raw, sizeof(raw));
}
inline void store_uint32(char* to, uint32_t v) {
  const uint32_t raw = __builtin_bswap32(v);
  std::memcpy(to, &raw, sizeof(raw));
}
inline void store_uint64(char* to, uint64_t v) {
  const uint64_t raw = __builtin_bswap64(v);
  std::memcpy(to, &raw, sizeof(raw));
}

class MessageWriter {
 public:
  MessageWriter(Bytes& out, char type) : out_(out), length_at_(out.size() + 1) {
    out_.push_back(type);
    out_.append(4, '\0');
  }
  // A packet without type byte.
  explicit MessageWriter(Bytes& out) : out_(out), length_at_(out.size()) { out_.append(4, '\0'); }

  void write_char(char v) { out_.push_back(v); }
  void write_uint16(uint16_t v) {
    char raw[sizeof(v)];
    store_uint16(raw, v);
    out_.append(raw, sizeof(raw));
  }
  void write_uint32(uint32_t v) {
    char raw[sizeof(v)];
    store_uint32(raw, v);
    out_.append(raw, sizeof(raw));
  }
  void write_bytes(ByteView v) { out_.append(v); }
  // REQUIRES: no zero byte in `v`; what follows one would be read as the next field.
  void write_cstring(ByteView v) {
    out_.append(v);
    out_.push_back('\0');
  }

  // REQUIRES: called once, last.
  void end() { store_uint32(out_.data() + length_at_, static_cast<uint32_t>(out_.size() - length_at_)); }

 private:
  Bytes& out_;
  std::size_t length_at_;
};

}  // namespace pando::pgwire
