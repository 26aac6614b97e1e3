#pragma once

// Records: rows as values, such as ROW(1, 'a') and whole-row references. The packed form, in kBytes values:
//   u16 fields, 0x8000 added when they have names
//   | per field: u32 type oid | i32 modifier | u32 size, or 0xffffffff for NULL | the value's raw bytes
//   | per field, when they have names: u16 size | name
// Raw bytes of a value are its fixed-width form in little-endian or its byte string. A value of a composite type has no
// names: its type knows them. Equality and order do not look at names. Pure; any thread.

#include <compare>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"
#include "types/settings.h"
#include "types/type.h"
#include "types/value.h"

namespace pando::types {

struct RecordField {
  Type type;
  Value value;
  Bytes name = {};
};

// With names when the first field has one.
Bytes pack_record(std::span<const RecordField> fields);
// False when malformed.
bool unpack_record(ByteView packed, std::vector<RecordField>& fields);

// (1,"a b",) as PostgreSQL prints it.
void print_record(ByteView packed, const Settings& settings, Bytes& out);
// The text form of a value of a composite type. 22P02 'malformed record literal: "x"'.
Result<Bytes> parse_record(const CompositeType& type, ByteView text, const Settings& settings);
// Field by field, NULL last. 42804 when field types differ, 0A000... see compare.h for values that cannot be ordered.
Result<std::strong_ordering> compare_records(ByteView a, ByteView b);
uint64_t hash_record(ByteView packed);

// The raw bytes of one value, for packed forms.
void append_raw(const Value& value, Bytes& out);
// REQUIRES: `bytes` has the width of `physical`.
Value value_of_raw(Physical physical, ByteView bytes);

}  // namespace pando::types
