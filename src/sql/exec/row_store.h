#pragma once

// RowStore: rows kept in memory, reachable by RowRef, for sorts, join tables and nested loops.
// Small chunks are copied together so that a row costs its bytes and little more.
// Thread-safety: one thread at a time.

#include <vector>

#include "types/vector.h"

namespace pando::sql::exec {

struct RowRef {
  uint32_t chunk = 0;
  uint32_t row = 0;
};

class RowStore {
 public:
  // Returns the place of the first row; row i of `rows` is `i` rows after it, see advance().
  RowRef append(const types::Chunk& rows);
  void clear();

  std::size_t rows() const { return rows_; }
  // Of whole chunks; for memory budgets.
  std::size_t memory_bytes() const { return memory_bytes_; }
  // The last chunk's vectors may have room for more rows than it counts.
  const std::vector<types::Chunk>& chunks() const { return chunks_; }
  RowRef next(RowRef ref) const {
    return ref.row + 1 < chunks_[ref.chunk].rows ? RowRef{ref.chunk, ref.row + 1} : RowRef{ref.chunk + 1, 0};
  }

  // Makes `out` column `column` of the rows at `refs`.
  void gather(std::size_t column, const RowRef* refs, std::size_t count, types::Vector& out) const;
  // All columns.
  void gather(const RowRef* refs, std::size_t count, types::Chunk& out) const;

 private:
  // Where a column of a chunk lies: what gathering would otherwise look up for every value.
  struct Base {
    const char* values = nullptr;
    const uint8_t* nulls = nullptr;
    bool constant = false;
  };
  bool has_room(const types::Chunk& rows) const;
  void note_bases();
  template <typename T>
  void copy_values(std::size_t column, const RowRef* refs, std::size_t count, types::Vector& out) const;

  std::vector<types::Chunk> chunks_;
  // By chunk, then column.
  std::vector<Base> bases_;
  // The last chunk was made here, with vectors of kVectorRows rows, rather than taken over.
  bool tail_open_ = false;
  std::size_t rows_ = 0;
  std::size_t memory_bytes_ = 0;
};

}  // namespace pando::sql::exec
