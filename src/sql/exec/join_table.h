#pragma once

// JoinTable: the rows of a join's build side, found by key. Thread-safety: one thread at a time.

#include <algorithm>
#include <vector>

#include "sql/exec/key_table.h"
#include "sql/exec/row_keys.h"
#include "sql/exec/row_store.h"

namespace pando::sql::exec {

// The right rows by key: rows with equal keys are chained, the last that came first.
class JoinTable {
 public:
  void clear() {
    rows_.clear();
    keys_.clear();
    first_.clear();
    links_.clear();
    has_duplicates_ = false;
  }

  // NULL keys match nothing: such rows are kept for outer joins to output, but not found by key.
  void add(const types::Chunk& rows, const RowKeys& keys) {
    RowRef ref = rows_.append(rows);
    links_.resize(rows_.chunks().size());
    for (std::size_t row = 0; row < rows.rows; ++row, ref = rows_.next(ref)) {
      auto& links = links_[ref.chunk];
      if (links.size() <= ref.row) {
        // Chunks that are filled bit by bit hold up to a vector of rows.
        links.resize(std::max<std::size_t>(rows_.chunks()[ref.chunk].rows, ref.row + 1), kEnd);
      }
      if (keys.has_null(row)) {
        continue;
      }
      bool added = false;
      const uint32_t number = keys_.find_or_add(keys, row, added);
      if (added) {
        first_.push_back(kEnd);
      }
      has_duplicates_ = has_duplicates_ || !added;
      links[ref.row] = first_[number];
      first_[number] = ref;
    }
  }

  static bool at_end(RowRef ref) { return ref.chunk == UINT32_MAX; }
  // The numbers of the keys of all rows, KeyTable::kNone for those without a partner: what first() takes.
  void look_up(const RowKeys& keys, std::vector<uint32_t>& numbers) const {
    numbers.resize(keys.rows());
    keys_.find_all(keys, numbers.data());
    for (std::size_t row = 0; keys.any_null() && row < keys.rows(); ++row) {
      numbers[row] = keys.has_null(row) ? KeyTable::kNone : numbers[row];
    }
  }
  RowRef first(uint32_t number) const { return number == KeyTable::kNone ? kEnd : first_[number]; }
  RowRef next(RowRef ref) const { return has_duplicates_ ? links_[ref.chunk][ref.row] : kEnd; }
  const RowStore& rows() const { return rows_; }
  std::size_t memory_bytes() const {
    return rows_.memory_bytes() + keys_.memory_bytes() + rows_.rows() * sizeof(RowRef) * 2;
  }
  static constexpr RowRef kEnd{UINT32_MAX, 0};

 private:
  RowStore rows_;
  KeyTable keys_;
  bool has_duplicates_ = false;
  std::vector<RowRef> first_;
  std::vector<std::vector<RowRef>> links_;
};

}  // namespace pando::sql::exec
