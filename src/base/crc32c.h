#pragma once

// CRC-32C (Castagnoli), the checksum of every record Pando writes. Uses the processor's instruction where there is one.

#include <cstdint>

#include "base/bytes.h"

namespace pando {

// Returns the checksum of `bytes`, or continues from the checksum of what came before.
uint32_t crc32c(ByteView bytes, uint32_t before = 0);

}  // namespace pando
