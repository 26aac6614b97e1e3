#pragma once

// TableLayout: where the columns of a table lie in its keys and rows, worked out once per use of a table.
// docs/formats/tables.md has the layouts:
//
//   row            [table][1][primary key columns]                    -> the columns that the key does not give back
//   row, no key    [table][1][transaction id][row number]             -> all columns
//   index entry    [table][index][columns][row suffix]                -> size of the row suffix
//   unique entry   [table][index][columns]                            -> 0, row suffix
//
// where "row suffix" is the row's key without its first 8 bytes. A unique index entry with a NULL column (unless NULLS
// NOT DISTINCT) has the form of a plain index entry, so that it equals no other.
// Thread-safety: immutable.

#include <memory>
#include <optional>
#include <vector>

#include "catalog/descriptor.h"
#include "types/row_codec.h"

namespace pando::sql::exec {

struct KeyColumn {
  catalog::AttributeNumber attribute = 0;  // 0 for an expression
  types::Type type;
  types::KeyOrder order;
};

struct IndexLayout {
  const catalog::IndexDescriptor* index = nullptr;
  Bytes prefix;
  std::vector<KeyColumn> columns;
};

class TableLayout {
 public:
  // `expression_types` gives the types of an index's expression columns, in order; see set_expression_types.
  explicit TableLayout(catalog::TablePtr table);

  const catalog::TableDescriptor& table() const { return *table_; }
  const catalog::TablePtr& table_ptr() const { return table_; }
  const Bytes& row_prefix() const { return row_prefix_; }
  // Empty for a table without a primary key.
  const std::vector<KeyColumn>& primary_key() const { return primary_key_; }
  // Columns stored in rows, by attribute number.
  const std::vector<types::RowColumn>& stored() const { return stored_; }
  // All columns that are not dropped, by attribute number.
  const std::vector<catalog::AttributeNumber>& live() const { return live_; }
  // The position in live(); REQUIRES: a live attribute.
  std::size_t live_position(catalog::AttributeNumber attribute) const;
  // The position in the primary key of an attribute that only the key holds.
  std::optional<std::size_t> key_position(catalog::AttributeNumber attribute) const;
  const types::RowColumn* find_stored(catalog::AttributeNumber attribute) const;

  // All indexes but the primary one.
  const std::vector<IndexLayout>& secondary() const { return secondary_; }
  const IndexLayout* find_secondary(types::Oid index) const;

  // How DML passes a row's key on: with the prefix.
  Bytes row_key_of_suffix(ByteView suffix) const { return row_prefix_ + Bytes(suffix); }
  ByteView suffix_of(ByteView row_key) const { return row_key.substr(row_prefix_.size()); }

 private:
  catalog::TablePtr table_;
  Bytes row_prefix_;
  std::vector<KeyColumn> primary_key_;
  std::vector<types::RowColumn> stored_;
  std::vector<catalog::AttributeNumber> live_;
  std::vector<IndexLayout> secondary_;
};

// The row suffix that an index entry points to; nullopt when malformed.
std::optional<ByteView> row_suffix_of_entry(ByteView key, ByteView value);
// The value of an entry in the plain form and in the unique form.
Bytes plain_entry_value(std::size_t suffix_size);
Bytes unique_entry_value(ByteView suffix);

}  // namespace pando::sql::exec
