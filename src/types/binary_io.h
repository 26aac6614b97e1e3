#pragma once

// PostgreSQL's binary wire forms: what clients send as binary parameters and read as binary results, and the fields of
// COPY BINARY. Errors: 08P01 'insufficient data left in message', 22P03 'incorrect binary data format'. Pure.

#include "base/bytes.h"
#include "base/status.h"
#include "types/settings.h"
#include "types/type.h"
#include "types/value.h"
#include "types/vector.h"

namespace pando::types {

// Reads one value; all of `bytes` belongs to it. Applies the modifier as parse_text does. UTF-8 is checked here.
Result<Value> parse_binary(Type type, ByteView bytes, const Settings& settings);

// Appends the wire form. REQUIRES: not NULL. 0A000 for types PostgreSQL has no binary output for.
Status print_binary(Type type, const Value& value, const Settings& settings, Bytes& out);
Status print_binary(Type type, const Vector& vector, std::size_t row, const Settings& settings, Bytes& out);

}  // namespace pando::types
