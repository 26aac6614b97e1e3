#pragma once

// The text forms of values: what a client writes and reads.
//
//   PANDO_ASSIGN(Value value, parse_text({oid::kNumeric, modifier}, "12.50", settings));
//   print_text({oid::kNumeric}, value, settings, out);
//
// Errors carry PostgreSQL's SQLSTATE and wording. Types the engine has no values of are refused with 0A000.
// reg* types read and print numbers here: names are the catalog's job. Pure; any thread.

#include "base/bytes.h"
#include "base/status.h"
#include "types/settings.h"
#include "types/type.h"
#include "types/value.h"
#include "types/vector.h"

namespace pando::types {

// As PostgreSQL's input functions: typmod applied, text over its length refused unless only spaces are cut (22001).
// REQUIRES: `text` is valid UTF-8 without zero bytes.
Result<Value> parse_text(Type type, ByteView text, const Settings& settings);

// Appends the text form. REQUIRES: not NULL.
void print_text(Type type, const Value& value, const Settings& settings, Bytes& out);
void print_text(Type type, const Vector& vector, std::size_t row, const Settings& settings, Bytes& out);

// Applies a length, precision or scale to a value of the same type, as an assignment (or explicit cast) does:
// varchar(n), char(n), numeric(p,s), time(p), timestamp(p), interval(p). Nothing for types without modifiers.
// `is_explicit` cuts text silently; numeric overflows (22003) either way.
Result<Value> apply_modifier(Type type, Value value, bool is_explicit);

// --- Pieces, for kernels and printers in loops. All append. ---
void print_int16(int16_t value, Bytes& out);
void print_int32(int32_t value, Bytes& out);
void print_int64(int64_t value, Bytes& out);
// `extra_float_digits` above 0 is the shortest form that reads back the same.
void print_float32(float value, int32_t extra_float_digits, Bytes& out);
void print_float64(double value, int32_t extra_float_digits, Bytes& out);
void print_bytea(ByteView value, ByteaOutput style, Bytes& out);
void print_uuid(const Uuid& value, Bytes& out);

Result<bool> parse_bool(ByteView text);
Result<int16_t> parse_int16(ByteView text);
Result<int32_t> parse_int32(ByteView text);
Result<int64_t> parse_int64(ByteView text);
Result<uint32_t> parse_oid(ByteView text, std::string_view type_name = "oid");
Result<float> parse_float32(ByteView text);
Result<double> parse_float64(ByteView text);
Result<Bytes> parse_bytea(ByteView text);
Result<Uuid> parse_uuid(ByteView text);

}  // namespace pando::types
