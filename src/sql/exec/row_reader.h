#pragma once

// RowReader: decodes chosen attributes of stored rows into the columns of a chunk.
//
//   RowReader reader(layout, attributes);
//   reader.start(count); ... PANDO_TRY(reader.read(keys, values, chunk));
//
// Thread-safety: one thread at a time.

#include <span>
#include <vector>

#include "sql/exec/table_layout.h"
#include "sql/plan/logical.h"
#include "types/vector.h"

namespace pando::sql::exec {

class RowReader {
 public:
  // Refuses system columns that rows do not have.
  static Result<RowReader> make(const TableLayout& layout, std::vector<catalog::AttributeNumber> attributes);

  // Sets the columns of `out` at `positions()` from rows with these keys (prefix included) and values. Columns that the
  // reader does not fill keep what they have; `out` must have room for them.
  Status read(std::span<const ByteView> keys, std::span<const ByteView> values, types::Chunk& out);
  // Fills the columns `slots` of the chunk, one per attribute, instead of 0, 1, 2, ...
  void set_slots(std::vector<uint32_t> slots);

 private:
  RowReader(const TableLayout& layout) : layout_(&layout), decoder_({}) {}
  Status read_keys(std::span<const ByteView> keys, types::Chunk& out);

  struct Placed {
    std::size_t key_position;
    std::size_t attribute_index;
  };
  const TableLayout* layout_;
  std::vector<catalog::AttributeNumber> attributes_;
  std::vector<uint32_t> slots_;
  types::RowDecoder decoder_;
  // Indexes into attributes_, in the order of the decoder's columns.
  std::vector<std::size_t> decoded_;
  std::vector<Placed> from_key_;  // by key position
  std::vector<types::Vector*> outs_;
};

}  // namespace pando::sql::exec
