#pragma once

// One partition of a window: its rows in order, their frames, and the computation of a function over them.
// Thread-safety: one coroutine at a time.

#include <span>

#include "sql/exec/evaluator.h"
#include "sql/exec/row_store.h"

namespace pando::sql::exec {

// What a window function computes per input row: its arguments, then FILTER if there is one, then the offsets of the
// frame's start and end if they have any, then, for a RANGE frame with offsets, the ordering column.
std::vector<ExprPtr> window_inputs(const WindowExpr& expr);

class FramedPartition final : public WindowPartition {
 public:
  // `sorted` are the partition's rows in order, as positions in the whole input; `inputs` are the values of
  // window_inputs, vector by vector, which begin at the positions `starts`.
  FramedPartition(const WindowExpr& expr, const std::vector<types::Chunk>& inputs, const std::vector<uint32_t>& starts,
                  const std::vector<Bytes>& order_keys, std::span<const uint32_t> sorted, Runtime& runtime);

  std::size_t rows() const override { return sorted_.size(); }
  Result<types::Value> argument(std::size_t index, std::size_t row) override { return input(index, row); }
  std::size_t peers_begin(std::size_t row) override { return peers_begin_[row]; }
  std::size_t peers_end(std::size_t row) override { return peers_end_[row]; }
  Result<std::pair<std::size_t, std::size_t>> frame(std::size_t row) override;
  bool excludes(std::size_t row, std::size_t other) override;

  // The position in the whole input of a row of the partition.
  uint32_t position(std::size_t row) const { return sorted_[row]; }
  bool passes_filter(std::size_t row) const;
  // Copies argument `index` of a row to row `to` of `out`.
  void copy_argument(std::size_t index, std::size_t row, types::Vector& out, std::size_t to) const;

 private:
  std::pair<uint32_t, uint32_t> locate(uint32_t position) const;
  types::Value input(std::size_t index, std::size_t row) const;
  Result<std::size_t> bound(const WindowExpr::Bound& bound, std::size_t offset_slot, std::size_t row, bool is_end);
  Result<std::size_t> row_bound(int64_t offset, bool preceding, std::size_t row, bool is_end) const;
  std::size_t group_bound(int64_t offset, bool preceding, std::size_t row, bool is_end) const;
  Result<std::size_t> range_bound(const types::Value& offset, const WindowExpr::Bound& bound, std::size_t row,
                                  bool is_end);
  Result<bool> in_range(std::size_t other, std::size_t row, const types::Value& offset, bool subtract, bool less);

  const WindowExpr& expr_;
  const std::vector<types::Chunk>& inputs_;
  const std::vector<uint32_t>& starts_;
  std::span<const uint32_t> sorted_;
  Runtime& runtime_;
  std::vector<uint32_t> peers_begin_;
  std::vector<uint32_t> peers_end_;
  std::vector<uint32_t> groups_;       // the peer group of each row
  std::vector<uint32_t> group_begin_;  // the first row of each group
  std::size_t filter_slot_ = 0;
  std::size_t start_slot_ = 0;
  std::size_t end_slot_ = 0;
  std::size_t key_slot_ = 0;
};

// Computes the function for every row of the partition into `results`, kVectorRows input positions each.
Status compute_window(const WindowExpr& expr, types::Type result, FramedPartition& partition, Runtime& runtime,
                      std::vector<types::Vector>& results);

}  // namespace pando::sql::exec
