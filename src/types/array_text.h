#pragma once

// The text form of arrays, '{1,NULL,"a b"}' and '[0:1]={...}'. Internal to text_io.cc.

#include "base/bytes.h"
#include "base/status.h"
#include "types/settings.h"
#include "types/type.h"

namespace pando::types {

Result<Bytes> parse_array(Type array, ByteView text, const Settings& settings);
void print_array(Type array, ByteView packed, const Settings& settings, Bytes& out);
// int2vector and oidvector: numbers between spaces, bounds from 0.
Result<Bytes> parse_vector_type(Oid element, ByteView text);
void print_vector_type(ByteView packed, Bytes& out);

}  // namespace pando::types
