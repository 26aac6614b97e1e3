#pragma once

// How rows lie in keys and values. docs/formats/rows.md has the layouts.
//
// Keys: append_key() writes one column so that comparing keys as bytes gives the column's order, with NULL placed and
// direction turned; columns concatenate. Two equal values always give equal keys, so keys of types whose equal values
// can look different (is_key_exact() is false: numeric 1.0 and 1.00, float -0, intervals, char(n), jsonb, arrays of
// those) do not give back what was written: store such key columns in the row too.
//
// Rows: RowEncoder writes the columns that are not read from the key; RowDecoder reads chosen columns of many rows into
// vectors. A row knows columns by attribute number, so columns may come and go: one that a row does not have gets its
// default. RowDecoder is the hot path of table scans. Thread-safety: as values.

#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"
#include "types/type.h"
#include "types/value.h"
#include "types/vector.h"

namespace pando::types {

struct KeyOrder {
  bool descending = false;
  bool nulls_first = false;  // PostgreSQL: the default of descending columns is true
};

// REQUIRES: the type is orderable.
void append_key(Bytes& key, Oid type, const Value& value, KeyOrder order = {});
void append_key(Bytes& key, Oid type, const Vector& vector, std::size_t row, KeyOrder order = {});
// Only the marker of a NULL or of a value: bounds of spans (IS NULL, IS NOT NULL).
void append_key_null(Bytes& key, KeyOrder order = {});
void append_key_not_null(Bytes& key, KeyOrder order = {});
// Reads one column at the front of `key` and consumes it; XX001 when malformed. Arrays, records and jsonb can only be
// skipped (0A000).
Status take_key(ByteView& key, Oid type, KeyOrder order, Value& value);
// The same into row `row` of a vector.
Status take_key(ByteView& key, Oid type, KeyOrder order, Vector& out, std::size_t row);
// Consumes one column without decoding it.
Status skip_key(ByteView& key, Oid type, KeyOrder order);
bool is_key_exact(Oid type);

// --- rows ---

// One stored column.
struct RowColumn {
  int16_t attribute = 0;  // pg_attribute.attnum, > 0
  Type type;
  // What rows written before the column was added have.
  Value missing;
};

// Encodes rows of fixed columns, ascending by attribute number.
class RowEncoder {
 public:
  explicit RowEncoder(std::vector<RowColumn> columns, uint32_t schema_version = 0);
  // Appends one row. REQUIRES: values.size() is the number of columns; NULL or of the column's physical form.
  void encode(std::span<const Value> values, Bytes& out) const;
  // Appends row `row` of vectors, one per column.
  void encode(std::span<const Vector* const> columns, std::size_t row, Bytes& out) const;

 private:
  template <typename Source>
  void encode_from(const Source& source, Bytes& out) const;

  std::vector<RowColumn> columns_;
  std::vector<Physical> physicals_;
  uint32_t schema_version_;
};

// Decodes chosen columns, ascending by attribute number.
class RowDecoder {
 public:
  explicit RowDecoder(std::vector<RowColumn> columns);

  // Makes outs[i] the values of the i-th chosen column in rows[0..count), at most kVectorRows rows. The vectors are
  // reset to the columns' physical forms; byte strings are copied. XX001 when a row is malformed.
  Status decode(std::span<const ByteView> rows, std::span<Vector* const> outs) const;
  // One row, for point reads.
  Status decode_row(ByteView row, std::vector<Value>& values) const;
  // One row into row `index` of vectors that are already reset.
  Status decode_into(ByteView row, std::span<Vector* const> outs, std::size_t index) const;

 private:
  std::vector<RowColumn> columns_;
  std::vector<Physical> physicals_;
};

// The schema version a row was written with.
Result<uint32_t> row_schema_version(ByteView row);

}  // namespace pando::types
