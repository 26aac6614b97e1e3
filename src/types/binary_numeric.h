#pragma once

// numeric on the wire: groups of four decimal digits, as PostgreSQL stores them. Internal to binary_io.cc.

#include "base/bytes.h"
#include "base/status.h"

namespace pando::types {

Result<Bytes> parse_binary_numeric(ByteView bytes);
void print_binary_numeric(ByteView packed, Bytes& out);

}  // namespace pando::types
