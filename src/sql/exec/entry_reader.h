#pragma once

// EntryReader: decodes attributes of rows from entries of a secondary index, without the rows: from the index's own
// columns, and from the row's key at the entry's end.
//
//   PANDO_ASSIGN(auto reader, EntryReader::make(layout, index, attributes, slots));
//   PANDO_TRY(reader.read(keys, values, chunk));
//
// Thread-safety: one thread at a time.

#include <span>
#include <vector>

#include "sql/exec/table_layout.h"
#include "types/vector.h"

namespace pando::sql::exec {

class EntryReader {
 public:
  // Column `slots[i]` of chunks gets attribute `attributes[i]`. REQUIRES: the index or the primary key has each of
  // them, in exact form, or it is the table's OID.
  static EntryReader make(const TableLayout& layout, const IndexLayout& index,
                          const std::vector<catalog::AttributeNumber>& attributes, const std::vector<uint32_t>& slots);

  // Sets the columns of `out` from entries with these keys (prefix included) and values. Errors: XX002 for one that
  // cannot be decoded.
  Status read(std::span<const ByteView> keys, std::span<const ByteView> values, types::Chunk& out) const;

 private:
  EntryReader(const TableLayout& layout, const IndexLayout& index) : layout_(&layout), index_(&index) {}
  Status malformed() const;

  // Where each column of a key goes: kSkipped for those that nobody reads.
  static constexpr uint32_t kSkipped = UINT32_MAX;
  using Targets = std::vector<uint32_t>;
  static Status take(ByteView& key, const std::vector<KeyColumn>& columns, const Targets& targets, std::size_t row,
                     types::Chunk& out);

  const TableLayout* layout_;
  const IndexLayout* index_;
  Targets index_targets_;
  Targets primary_targets_;
  std::vector<uint32_t> oid_slots_;
};

}  // namespace pando::sql::exec
