#pragma once

// Order, equality and hash of any type's values, as its btree and hash operator classes have them: floats with NaN
// last, intervals by length, numeric by value, arrays and records element-wise, jsonb by PostgreSQL's rule, text by
// bytes (the C.UTF-8 collation). char(n) ignores trailing spaces. NULLs are the caller's business, except inside arrays
// and records, where NULL is equal to NULL and last.
// Types without a btree order (json, jsonpath, xid): is_orderable() is false; xid still has equality.
// Pure; any thread.

#include <compare>

#include "types/type.h"
#include "types/value.h"
#include "types/vector.h"

namespace pando::types {

bool is_orderable(Oid type);
bool is_hashable(Oid type);

// REQUIRES: not NULL, of the type's physical form, is_orderable(type) (equal, hash: is_hashable(type)).
std::strong_ordering compare_values(Oid type, const Value& a, const Value& b);
std::strong_ordering compare_rows(Oid type, const Vector& a, std::size_t row_a, const Vector& b, std::size_t row_b);
bool equal_values(Oid type, const Value& a, const Value& b);
bool equal_rows(Oid type, const Vector& a, std::size_t row_a, const Vector& b, std::size_t row_b);
// Equal values have equal hashes, also across int2, int4 and int8. Well mixed; stable within a process only.
uint64_t hash_value(Oid type, const Value& value);
uint64_t hash_row(Oid type, const Vector& vector, std::size_t row);

// The same for byte-string types, without a Value.
std::strong_ordering compare_bytes(Oid type, ByteView a, ByteView b);
bool equal_bytes(Oid type, ByteView a, ByteView b);
uint64_t hash_bytes(Oid type, ByteView value);

// Combines the hashes of `rows` rows of a column into `hashes` (NULL hashes as a constant), for group-by and joins.
void hash_column(Oid type, const Vector& column, std::size_t rows, uint64_t* hashes);

// char(n) without its padding, which comparison and length ignore.
ByteView trim_padding(ByteView text);
uint64_t mix_hash(uint64_t value);
uint64_t hash_of_bytes(ByteView bytes);

}  // namespace pando::types
