// Limit: skips OFFSET rows and passes LIMIT rows on; WITH TIES also those equal to the last in the given order.

#include <algorithm>
#include <numeric>

#include "sql/exec/evaluator.h"
#include "sql/exec/limit_count.h"
#include "sql/exec/operators.h"
#include "sql/exec/row_keys.h"

namespace pando::sql::exec {

using types::Chunk;

Task<Result<RowLimit>> evaluate_limit(ExprPtr limit, ExprPtr offset, Runtime& runtime) {
  RowLimit result;
  if (limit != nullptr) {
    PANDO_CO_ASSIGN(const types::Value value, co_await evaluate_value(limit, runtime));
    if (!value.is_null() && value.as<int64_t>() < 0) {
      co_return Status(sql_state::kInvalidRowCountInLimit, "LIMIT must not be negative");
    }
    if (!value.is_null()) {
      result.count = static_cast<uint64_t>(value.as<int64_t>());
    }
  }
  if (offset != nullptr) {
    PANDO_CO_ASSIGN(const types::Value value, co_await evaluate_value(offset, runtime));
    if (!value.is_null() && value.as<int64_t>() < 0) {
      co_return Status(sql_state::kInvalidRowCountInOffset, "OFFSET must not be negative");
    }
    result.skip = value.is_null() ? 0 : static_cast<uint64_t>(value.as<int64_t>());
  }
  co_return result;
}

namespace {

class LimitOperator final : public Operator {
 public:
  LimitOperator(const LimitPlan& plan, OperatorPtr input, RowKeys ties, Runtime& runtime)
      : plan_(plan), input_(std::move(input)), ties_(std::move(ties)), runtime_(runtime) {}

  Task<Status> open() override {
    PANDO_CO_ASSIGN(const RowLimit limit, co_await evaluate_limit(plan_.limit, plan_.offset, runtime_));
    to_skip_ = limit.skip;
    left_ = limit.count;
    last_key_.clear();
    if (left_ == 0) {
      co_return Status();
    }
    co_return co_await input_->open();
  }

  Task<Result<bool>> next(Chunk& out) override {
    out.columns.clear();
    if (left_ == 0 && last_key_.empty()) {
      co_return false;
    }
    while (true) {
      PANDO_CO_ASSIGN(const bool more, co_await input_->next(rows_));
      if (!more) {
        left_ = 0;
        last_key_.clear();
        co_return false;
      }
      const std::size_t skipped = static_cast<std::size_t>(std::min<uint64_t>(to_skip_, rows_.rows));
      to_skip_ -= skipped;
      if (skipped == rows_.rows) {
        continue;
      }
      PANDO_CO_ASSIGN(const std::size_t taken, co_await take(skipped));
      if (taken == 0) {
        co_return false;
      }
      selected_.resize(taken);
      std::iota(selected_.begin(), selected_.end(), static_cast<uint32_t>(skipped));
      gather(rows_, selected_, out);
      co_return true;
    }
  }

 private:
  // How many rows from `first` on to pass; counts them off.
  Task<Result<std::size_t>> take(std::size_t first) {
    auto taken = static_cast<std::size_t>(std::min<uint64_t>(left_, rows_.rows - first));
    left_ -= taken;
    if (!plan_.with_ties) {
      co_return taken;
    }
    PANDO_CO_TRY(co_await ties_.compute(rows_));
    if (left_ == 0 && taken > 0) {
      last_key_ = Bytes(ties_.key(first + taken - 1));
    }
    while (left_ == 0 && first + taken < rows_.rows) {
      if (ties_.key(first + taken) != last_key_) {
        last_key_.clear();
        co_return taken;
      }
      ++taken;
    }
    co_return taken;
  }

  const LimitPlan& plan_;
  OperatorPtr input_;
  RowKeys ties_;
  Runtime& runtime_;
  uint64_t to_skip_ = 0;
  uint64_t left_ = 0;
  // WITH TIES: the key of the last row within the limit, once it was passed.
  Bytes last_key_;
  Chunk rows_;
  std::vector<uint32_t> selected_;
};

}  // namespace

Result<OperatorPtr> make_operator(const PhysicalNode&, const LimitPlan& plan, Runtime& runtime) {
  PANDO_ASSIGN(OperatorPtr input, build(plan.input, runtime));
  PANDO_ASSIGN(RowKeys ties, RowKeys::make(plan.ties, Scope(plan.input->outputs), runtime));
  return OperatorPtr(std::make_unique<LimitOperator>(plan, std::move(input), std::move(ties), runtime));
}

}  // namespace pando::sql::exec
