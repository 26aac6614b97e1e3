#pragma once

// KeyValueBatch: keys and values packed into one arena, the unit in which scans hand over rows.

#include <cstdint>
#include <vector>

#include "base/bytes.h"

namespace pando {

// Entries of one scan step. The views point into `arena` and live until the next clear().
struct KeyValueBatch {
  struct Entry {
    uint32_t key_offset;
    uint32_t key_size;
    uint32_t value_offset;
    uint32_t value_size;
  };
  Bytes arena;
  std::vector<Entry> entries;

  std::size_t size() const { return entries.size(); }
  ByteView key(std::size_t i) const { return ByteView(arena).substr(entries[i].key_offset, entries[i].key_size); }
  ByteView value(std::size_t i) const { return ByteView(arena).substr(entries[i].value_offset, entries[i].value_size); }
  void append(ByteView key, ByteView value) {
    const auto key_offset = static_cast<uint32_t>(arena.size());
    arena.append(key);
    const auto value_offset = static_cast<uint32_t>(arena.size());
    arena.append(value);
    entries.push_back(
        {key_offset, static_cast<uint32_t>(key.size()), value_offset, static_cast<uint32_t>(value.size())});
  }
  void clear() {
    arena.clear();
    entries.clear();
  }
};

}  // namespace pando
