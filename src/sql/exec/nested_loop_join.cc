// Nested-loop join: tries every pair of rows. The right side is read once and kept; or, when it depends on the left row
// (LATERAL, index lookups), it is opened again for each left row.

#include <algorithm>

#include "sql/exec/join_pairs.h"
#include "sql/exec/operators.h"

namespace pando::sql::exec {

using types::Chunk;

namespace {

// A correlated join first outputs after few pairs, as it may be under a LIMIT.
constexpr std::size_t kFirstFlushPairs = 32;

std::vector<std::vector<uint8_t>> unmatched_flags(const RowStore& rows) {
  std::vector<std::vector<uint8_t>> flags;
  for (const Chunk& chunk : rows.chunks()) {
    flags.emplace_back(chunk.rows, uint8_t{0});
  }
  return flags;
}

class NestedLoopJoinOperator final : public Operator {
 public:
  NestedLoopJoinOperator(const NestedLoopJoinPlan& plan, OperatorPtr left, OperatorPtr right, JoinPairs pairs,
                         Runtime& runtime)
      : plan_(plan), left_(std::move(left)), right_(std::move(right)), pairs_(std::move(pairs)), runtime_(runtime) {
    const Scope scope(plan.left->outputs);
    for (const CorrelatedParameter& correlated : plan.correlation) {
      correlated_slots_.push_back(*scope.find(correlated.column));
    }
  }

  Task<Status> open() override {
    PANDO_CO_TRY(co_await left_->open());
    rights_.clear();
    have_left_ = false;
    left_ended_ = false;
    right_open_ = false;
    pending_ = 0;
    flush_pairs_ = kFirstFlushPairs;
    unmatched_.clear();
    keeps_right_ = plan_.kind == JoinKind::kRight || plan_.kind == JoinKind::kFull;
    if (!plan_.correlation.empty()) {
      co_return Status();
    }
    PANDO_CO_TRY(co_await right_->open());
    while (true) {
      PANDO_CO_ASSIGN(const bool more, co_await right_->next(right_rows_));
      if (!more) {
        break;
      }
      rights_.append(right_rows_);
      PANDO_CO_TRY(runtime_.check_unspillable(rights_.memory_bytes(), "nested loop join"));
    }
    right_matched_ = unmatched_flags(rights_);
    co_return Status();
  }

  Task<Result<bool>> next(Chunk& out) override {
    while (true) {
      if (left_ended_) {
        co_return next_unmatched_right(out);
      }
      if (!have_left_) {
        PANDO_CO_TRY(co_await next_left());
        continue;
      }
      bool done = false;
      if (plan_.correlation.empty()) {
        done = add_stored();
      } else {
        PANDO_CO_ASSIGN(done, co_await add_correlated());
      }
      if (runtime_.should_yield()) {
        PANDO_CO_TRY(co_await runtime_.pause());
      }
      if (pairs_.size() > 0) {
        PANDO_CO_TRY(co_await pairs_.flush(rights_, keeps_right_ ? &right_matched_ : nullptr, out));
        if (!plan_.correlation.empty() && pending_ == 0) {
          rights_.clear();
        }
        if (out.rows > 0) {
          co_return true;
        }
        continue;
      }
      PANDO_ASSERT(done, "a nested loop that makes no progress");
      have_left_ = false;
      pairs_.finish_left(out);
      if (out.rows > 0) {
        co_return true;
      }
    }
  }

 private:
  Task<Status> next_left() {
    PANDO_CO_ASSIGN(const bool more, co_await left_->next(left_rows_));
    if (!more) {
      left_ended_ = true;
      for (uint32_t chunk = 0; keeps_right_ && chunk < right_matched_.size(); ++chunk) {
        for (uint32_t row = 0; row < right_matched_[chunk].size(); ++row) {
          if (right_matched_[chunk][row] == 0) {
            unmatched_.push_back({chunk, row});
          }
        }
      }
      std::ranges::reverse(unmatched_);
      co_return Status();
    }
    have_left_ = true;
    left_row_ = 0;
    right_ref_ = {};
    pairs_.start(left_rows_);
    co_return Status();
  }

  // Adds pairs until a vector is full; true when the left vector has none left.
  bool add_stored() {
    while (left_row_ < left_rows_.rows) {
      while (right_ref_.chunk < rights_.chunks().size() && pairs_.needs(left_row_)) {
        if (pairs_.full()) {
          return false;
        }
        pairs_.add(left_row_, right_ref_);
        right_ref_ = rights_.next(right_ref_);
      }
      right_ref_ = {};
      ++left_row_;
    }
    return true;
  }

  Task<Result<bool>> add_correlated() {
    while (true) {
      for (; pending_ > 0 && !pairs_.full(); --pending_) {
        pairs_.add(left_row_, right_ref_);
        right_ref_ = rights_.next(right_ref_);
      }
      if (pairs_.size() >= flush_pairs_) {
        flush_pairs_ = std::min(flush_pairs_ * 2, types::kVectorRows);
        co_return false;
      }
      if (left_row_ == left_rows_.rows) {
        co_return true;
      }
      PANDO_CO_TRY(co_await pull_right());
    }
  }

  // Reads more right rows of the current left row, or goes on to the next left row.
  Task<Status> pull_right() {
    if (!right_open_) {
      for (std::size_t i = 0; i < correlated_slots_.size(); ++i) {
        runtime_.slots[plan_.correlation[i].parameter] = left_rows_.columns[correlated_slots_[i]].get(left_row_);
      }
      PANDO_CO_TRY(co_await right_->open());
      right_open_ = true;
    }
    PANDO_CO_ASSIGN(const bool more, co_await right_->next(right_rows_));
    if (more) {
      right_ref_ = rights_.append(right_rows_);
      pending_ = right_rows_.rows;
    } else {
      right_open_ = false;
      ++left_row_;
    }
    co_return Status();
  }

  bool next_unmatched_right(Chunk& out) {
    if (unmatched_.empty()) {
      return false;
    }
    const std::size_t count = std::min(unmatched_.size(), types::kVectorRows);
    const std::vector<RowRef> some(unmatched_.rbegin(), unmatched_.rbegin() + static_cast<std::ptrdiff_t>(count));
    unmatched_.resize(unmatched_.size() - count);
    pairs_.extend_right(rights_, some, out);
    return true;
  }

  const NestedLoopJoinPlan& plan_;
  OperatorPtr left_;
  OperatorPtr right_;
  JoinPairs pairs_;
  Runtime& runtime_;
  std::vector<uint32_t> correlated_slots_;
  bool keeps_right_ = false;

  RowStore rights_;
  std::vector<std::vector<uint8_t>> right_matched_;
  std::vector<RowRef> unmatched_;
  Chunk left_rows_;
  Chunk right_rows_;
  bool have_left_ = false;
  bool left_ended_ = false;
  bool right_open_ = false;
  uint32_t left_row_ = 0;
  RowRef right_ref_;
  // Rows of the last right vector, from right_ref_ on, that are not paired yet.
  std::size_t pending_ = 0;
  std::size_t flush_pairs_ = kFirstFlushPairs;
};

}  // namespace

Result<OperatorPtr> make_operator(const PhysicalNode& node, const NestedLoopJoinPlan& plan, Runtime& runtime) {
  PANDO_ASSIGN(OperatorPtr left, build(plan.left, runtime));
  PANDO_ASSIGN(OperatorPtr right, build(plan.right, runtime));
  PANDO_ASSIGN(JoinPairs pairs, JoinPairs::make(plan.kind, plan.left->outputs, plan.right->outputs, node.outputs,
                                                plan.condition, runtime));
  return OperatorPtr(
      std::make_unique<NestedLoopJoinOperator>(plan, std::move(left), std::move(right), std::move(pairs), runtime));
}

}  // namespace pando::sql::exec
