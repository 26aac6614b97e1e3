#pragma once

// Big-endian numbers of the wire protocol. Internal to binary_*.cc.

#include "base/bytes.h"
#include "base/status.h"

namespace pando::types {

class WireReader {
 public:
  explicit WireReader(ByteView bytes) : rest_(bytes) {}

  template <typename T>
  Status number(T& value) {
    if (rest_.size() < sizeof(T)) {
      return {sql_state::kProtocolViolation, "insufficient data left in message"};
    }
    uint64_t read = 0;
    for (std::size_t i = 0; i < sizeof(T); ++i) {
      read = (read << 8) | static_cast<uint8_t>(rest_[i]);
    }
    value = static_cast<T>(read);
    rest_.remove_prefix(sizeof(T));
    return {};
  }
  Status bytes(std::size_t size, ByteView& out) {
    if (rest_.size() < size) {
      return {sql_state::kProtocolViolation, "insufficient data left in message"};
    }
    out = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return {};
  }
  ByteView rest() const { return rest_; }
  // Everything was read.
  Status finish() const {
    return rest_.empty() ? Status() : Status(sql_state::kInvalidBinaryRepresentation, "incorrect binary data format");
  }

 private:
  ByteView rest_;
};

template <typename T>
void put_wire(T value, Bytes& out) {
  char raw[sizeof(T)];
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    raw[i] = static_cast<char>(static_cast<uint64_t>(value) >> (8 * (sizeof(T) - 1 - i)));
  }
  out.append(raw, sizeof(T));
}

}  // namespace pando::types
