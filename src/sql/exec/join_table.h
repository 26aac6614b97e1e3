#pragma once

// JoinTable: the rows of a join's build side, found by key. Thread-safety: one thread at a time.

#include <algorithm>
#include <vector>

#include "sql/exec/key_table.h"
#include "sql/exec/row_keys.h"
#include "sql/exec/row_store.h"

namespace pando::sql::exec {

// The right rows by key: rows with equal keys are chained.
class JoinTable {
 public:
  void clear() {
    rows_.clear();
    keys_.clear();
    first_.clear();
    links_.clear();
  }

  // NULL keys match nothing: such rows are kept for outer joins to output, but not found by key.
  void add(const types::Chunk& rows, const RowKeys& keys) {
    RowRef ref = rows_.append(rows);
    links_.resize(rows_.chunks().size());
    for (std::size_t row = 0; row < rows.rows; ++row, ref = rows_.next(ref)) {
      auto& links = links_[ref.chunk];
      links.resize(std::max<std::size_t>(links.size(), ref.row + 1), kEnd);
      if (keys.has_null(row)) {
        continue;
      }
      bool added = false;
      const uint32_t number = keys_.find_or_add(keys.key(row), added);
      if (added) {
        first_.push_back(kEnd);
      }
      links[ref.row] = first_[number];
      first_[number] = ref;
    }
  }

  static bool at_end(RowRef ref) { return ref.chunk == UINT32_MAX; }
  RowRef first(ByteView key) const {
    const uint32_t number = keys_.find(key);
    return number == KeyTable::kNone ? kEnd : first_[number];
  }
  RowRef next(RowRef ref) const { return links_[ref.chunk][ref.row]; }
  const RowStore& rows() const { return rows_; }
  std::size_t memory_bytes() const {
    return rows_.memory_bytes() + keys_.memory_bytes() + rows_.rows() * sizeof(RowRef) * 2;
  }
  static constexpr RowRef kEnd{UINT32_MAX, 0};

 private:
  RowStore rows_;
  KeyTable keys_;
  std::vector<RowRef> first_;
  std::vector<std::vector<RowRef>> links_;
};

}  // namespace pando::sql::exec
