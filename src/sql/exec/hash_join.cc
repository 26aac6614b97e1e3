// Hash join: builds a table of the right side's keys, probes it with the left side's. When the right side exceeds the
// memory budget both sides are split by hash into partitions on temporary storage, which are joined one after another.

#include <algorithm>

#include "sql/exec/hash_join_build.h"
#include "sql/exec/join_pairs.h"
#include "sql/exec/operators.h"

namespace pando::sql::exec {

using types::Chunk;

namespace {

class HashJoinOperator final : public Operator {
 public:
  // `shared` has run already, or is null.
  HashJoinOperator(const HashJoinPlan& plan, OperatorPtr left, std::shared_ptr<HashJoinBuild> build,
                   std::shared_ptr<const HashJoinBuild> shared, RowKeys left_keys, JoinPairs pairs, Runtime& runtime)
      : plan_(plan),
        left_(std::move(left)),
        build_(std::move(build)),
        side_(build_ != nullptr ? build_ : std::move(shared)),
        left_keys_(std::move(left_keys)),
        pairs_(std::move(pairs)),
        runtime_(runtime),
        keeps_right_(plan.kind == JoinKind::kRight || plan.kind == JoinKind::kFull) {}

  Task<Status> open() override {
    spilled_left_ = nullptr;
    if (build_ != nullptr) {
      PANDO_CO_TRY(co_await build_->run());
    }
    PANDO_CO_TRY(co_await left_->open());
    if (side_->spilled()) {
      PANDO_CO_TRY(co_await split_left());
      partition_ = 0;
      PANDO_CO_TRY(co_await load_partition());
    }
    start_probe();
    co_return Status();
  }

  Task<Result<bool>> next(Chunk& out) override {
    while (true) {
      if (left_ended_) {
        if (next_unmatched_right(out)) {
          co_return true;
        }
        if (!side_->spilled() || ++partition_ == Partitions::kCount) {
          co_return false;
        }
        PANDO_CO_TRY(co_await load_partition());
        start_probe();
        continue;
      }
      if (!have_left_) {
        PANDO_CO_TRY(co_await next_left());
        continue;
      }
      const bool done = add_candidates();
      if (pairs_.size() > 0) {
        PANDO_CO_TRY(co_await pairs_.flush(table().rows(), keeps_right_ ? &right_matched_ : nullptr, out));
        if (out.rows > 0) {
          co_return true;
        }
        continue;
      }
      PANDO_ASSERT(done, "a hash join that makes no progress");
      have_left_ = false;
      finish_left(out);
      if (out.rows > 0) {
        co_return true;
      }
    }
  }

 private:
  Task<Status> split_left() {
    spilled_left_ = std::make_unique<Partitions>(runtime_);
    Chunk rows;
    while (true) {
      PANDO_CO_ASSIGN(const bool more, co_await left_->next(rows));
      if (!more) {
        co_return Status();
      }
      PANDO_CO_TRY(co_await left_keys_.compute(rows));
      PANDO_CO_TRY(co_await spilled_left_->append(rows, left_keys_));
    }
  }

  Task<Status> load_partition() {
    PANDO_CO_TRY(co_await build_->load_partition(partition_));
    co_return co_await spilled_left_->start_reading(partition_);
  }

  const JoinTable& table() const { return side_->table(); }

  void start_probe() {
    have_left_ = false;
    left_ended_ = false;
    unmatched_.clear();
    right_matched_.clear();
    for (const Chunk& chunk : table().rows().chunks()) {
      right_matched_.emplace_back(keeps_right_ ? chunk.rows : 0, uint8_t{0});
    }
  }

  Task<Status> next_left() {
    bool more = false;
    if (!can_skip_left()) {
      PANDO_CO_ASSIGN(
          more, spilled_left_ != nullptr ? co_await spilled_left_->read(left_rows_) : co_await left_->next(left_rows_));
    }
    if (!more) {
      left_ended_ = true;
      collect_unmatched_right();
      co_return Status();
    }
    if (runtime_.should_yield()) {
      PANDO_CO_TRY(co_await runtime_.pause());
    }
    PANDO_CO_TRY(co_await left_keys_.compute(left_rows_));
    pairs_.start(left_rows_);
    have_left_ = true;
    left_row_ = 0;
    table().look_up(left_keys_, numbers_);
    candidate_ = table().first(numbers_[0]);
    co_return Status();
  }

  // No left row can be output when the right side is empty and it is an inner join, or when NOT IN meets a NULL.
  bool can_skip_left() const {
    if (plan_.kind == JoinKind::kInner || plan_.kind == JoinKind::kSemi || plan_.kind == JoinKind::kRight) {
      return table().rows().rows() == 0;
    }
    return plan_.null_aware && side_->has_null_key();
  }

  // Adds pairs until a vector is full; true when the left vector has none left.
  bool add_candidates() {
    while (true) {
      while (!JoinTable::at_end(candidate_) && pairs_.needs(left_row_)) {
        if (pairs_.full()) {
          return false;
        }
        pairs_.add(left_row_, candidate_);
        candidate_ = plan_.condition == nullptr && is_existence() ? JoinTable::kEnd : table().next(candidate_);
      }
      if (++left_row_ >= left_rows_.rows) {
        left_row_ = static_cast<uint32_t>(left_rows_.rows);
        candidate_ = JoinTable::kEnd;
        return true;
      }
      candidate_ = table().first(numbers_[left_row_]);
    }
  }
  bool is_existence() const { return plan_.kind == JoinKind::kSemi || plan_.kind == JoinKind::kAnti; }

  void finish_left(Chunk& out) {
    if (!plan_.null_aware || !side_->has_rows()) {
      pairs_.finish_left(out);
      return;
    }
    // NOT IN a list that is not empty: a NULL on the left makes it unknown.
    Chunk all;
    pairs_.finish_left(all);
    std::vector<uint32_t> known;
    uint32_t position = 0;
    for (uint32_t row = 0; row < left_rows_.rows; ++row) {
      if (pairs_.matched(row)) {
        continue;
      }
      if (!left_keys_.has_null(row)) {
        known.push_back(position);
      }
      ++position;
    }
    gather(all, known, out);
  }

  void collect_unmatched_right() {
    for (uint32_t chunk = 0; keeps_right_ && chunk < right_matched_.size(); ++chunk) {
      for (uint32_t row = 0; row < right_matched_[chunk].size(); ++row) {
        if (right_matched_[chunk][row] == 0) {
          unmatched_.push_back({chunk, row});
        }
      }
    }
    std::ranges::reverse(unmatched_);
  }

  bool next_unmatched_right(Chunk& out) {
    if (unmatched_.empty()) {
      return false;
    }
    const std::size_t count = std::min(unmatched_.size(), types::kVectorRows);
    const std::vector<RowRef> some(unmatched_.rbegin(), unmatched_.rbegin() + static_cast<std::ptrdiff_t>(count));
    unmatched_.resize(unmatched_.size() - count);
    pairs_.extend_right(table().rows(), some, out);
    return true;
  }

  const HashJoinPlan& plan_;
  OperatorPtr left_;
  // Null when another thread's is shared.
  std::shared_ptr<HashJoinBuild> build_;
  std::shared_ptr<const HashJoinBuild> side_;
  RowKeys left_keys_;
  JoinPairs pairs_;
  Runtime& runtime_;
  const bool keeps_right_;

  std::unique_ptr<Partitions> spilled_left_;
  std::size_t partition_ = 0;
  std::vector<std::vector<uint8_t>> right_matched_;
  std::vector<RowRef> unmatched_;
  Chunk left_rows_;
  // Of each left row, its key's number in the table.
  std::vector<uint32_t> numbers_;
  bool have_left_ = false;
  bool left_ended_ = false;
  uint32_t left_row_ = 0;
  RowRef candidate_;
};

}  // namespace

Result<OperatorPtr> make_operator(const PhysicalNode& node, const HashJoinPlan& plan, Runtime& runtime) {
  PANDO_ASSIGN(OperatorPtr left, build(plan.left, runtime));
  PANDO_ASSIGN(RowKeys left_keys, RowKeys::make_equality(plan.left_keys, Scope(plan.left->outputs), runtime));
  PANDO_ASSIGN(JoinPairs pairs, JoinPairs::make(plan.kind, plan.left->outputs, plan.right->outputs, node.outputs,
                                                plan.condition, runtime));
  std::shared_ptr<HashJoinBuild> own;
  std::shared_ptr<const HashJoinBuild> shared;
  if (runtime.shared_joins != nullptr) {
    shared = runtime.shared_joins->at(&plan);
  } else {
    PANDO_ASSIGN(own, HashJoinBuild::make(plan, runtime));
  }
  return OperatorPtr(std::make_unique<HashJoinOperator>(plan, std::move(left), std::move(own), std::move(shared),
                                                        std::move(left_keys), std::move(pairs), runtime));
}

}  // namespace pando::sql::exec
