#include "storage/rocksdb/block_entries.h"

namespace pando::storage {

bool BlockEntries::start(ByteView block) {
  at_ = end_ = nullptr;
  key_size_ = 0;
  // The highest bit of the restart count says that a hash index follows the restarts.
  uint32_t restarts = 0;
  if (block.size() < sizeof(restarts)) {
    return false;
  }
  std::memcpy(&restarts, block.data() + block.size() - sizeof(restarts), sizeof(restarts));
  const uint64_t tail = (uint64_t{restarts} + 1) * sizeof(restarts);
  if (tail > block.size()) {
    return false;
  }
  at_ = block.data();
  end_ = block.data() + (block.size() - tail);
  return true;
}

bool BlockEntries::take_long_varint(uint32_t& value) {
  value = 0;
  for (int shift = 0; at_ < end_ && shift <= 28; shift += 7) {
    const auto byte = static_cast<unsigned char>(*at_++);
    value |= static_cast<uint32_t>(byte & 0x7f) << shift;
    if (byte < 0x80) {
      return true;
    }
  }
  return false;
}

}  // namespace pando::storage
