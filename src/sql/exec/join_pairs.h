#pragma once

// JoinPairs: what every join does with candidate pairs of rows: gathers their columns, evaluates the condition, keeps
// account of which rows have found a partner, and writes what the kind of join outputs.
//
//   pairs.start(left_rows);
//   while (candidates left) { pairs.add(i, ref); if (pairs.full()) PANDO_CO_TRY(co_await pairs.flush(rights, out)); }
//   pairs.finish_left(out);        // semi, anti, and the NULL-extended rows of left and full joins
//
// Thread-safety: one coroutine at a time.

#include <vector>

#include "sql/exec/evaluator.h"
#include "sql/exec/row_store.h"

namespace pando::sql::exec {

class JoinPairs {
 public:
  JoinPairs() = default;
  // `outputs` are the join's: columns of the left and, unless it is a semi or anti join, of the right input.
  static Result<JoinPairs> make(JoinKind kind, const std::vector<OutputColumn>& left,
                                const std::vector<OutputColumn>& right, const std::vector<OutputColumn>& outputs,
                                const ExprPtr& condition, Runtime& runtime);

  // Begins with a vector of left rows, none matched. `left` outlives the calls up to finish_left.
  void start(const types::Chunk& left);
  // Whether looking for more partners of this left row can still change the result.
  bool needs(uint32_t left_row) const { return !only_first_match_ || matched_[left_row] == 0; }
  bool matched(uint32_t left_row) const { return matched_[left_row] != 0; }
  void add(uint32_t left_row, RowRef right) {
    lefts_.push_back(left_row);
    rights_.push_back(right);
  }
  std::size_t size() const { return lefts_.size(); }
  bool full() const { return lefts_.size() >= types::kVectorRows; }

  // Decides the pairs added since the last flush; `out` gets the joined rows, possibly none. Sets `right_matched` (one
  // byte per right row, by chunk) for right and full joins. REQUIRES: at most kVectorRows pairs.
  Task<Status> flush(const RowStore& right, std::vector<std::vector<uint8_t>>* right_matched, types::Chunk& out);
  // The rows that are output once all partners of the left vector were tried, possibly none.
  void finish_left(types::Chunk& out);
  // NULL-extended right rows, for right and full joins.
  void extend_right(const RowStore& right, const std::vector<RowRef>& unmatched, types::Chunk& out);

 private:
  void output_pairs(const RowStore& right, types::Chunk& out);
  Task<Status> keep_true(const RowStore& right);

  struct Source {
    bool from_left = true;
    uint32_t slot = 0;
  };
  JoinKind kind_ = JoinKind::kInner;
  bool only_first_match_ = false;
  std::vector<Source> outputs_;
  std::vector<types::Physical> right_physicals_;
  std::vector<types::Physical> left_physicals_;
  Condition condition_;
  // Columns the condition reads; the others are not gathered for it.
  std::vector<Source> condition_sources_;

  const types::Chunk* left_ = nullptr;
  std::vector<uint8_t> matched_;
  std::vector<uint32_t> lefts_;
  std::vector<RowRef> rights_;
  types::Chunk candidates_;
  std::vector<uint32_t> selected_;
};

}  // namespace pando::sql::exec
