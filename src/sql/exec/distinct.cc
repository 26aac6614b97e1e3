// Distinct: passes the first row of each key on, in the order of the input. Over the memory budget, rows with keys that
// are not known yet wait on temporary storage, split by hash.

#include "sql/exec/key_table.h"
#include "sql/exec/operators.h"
#include "sql/exec/partitions.h"

namespace pando::sql::exec {

using types::Chunk;

namespace {

class DistinctOperator final : public Operator {
 public:
  DistinctOperator(OperatorPtr input, RowKeys keys, Runtime& runtime)
      : input_(std::move(input)), keys_(std::move(keys)), runtime_(runtime) {}

  Task<Status> open() override {
    seen_.clear();
    parts_.clear();
    current_ = {};
    overflow_ = nullptr;
    return input_->open();
  }

  Task<Result<bool>> next(Chunk& out) override {
    while (true) {
      PANDO_CO_ASSIGN(const bool more, co_await read(rows_));
      if (!more) {
        PANDO_CO_ASSIGN(const bool another, co_await next_part());
        if (!another) {
          co_return false;
        }
        continue;
      }
      if (runtime_.should_yield()) {
        PANDO_CO_TRY(co_await runtime_.pause());
      }
      PANDO_CO_TRY(co_await keep_fresh());
      if (!fresh_.empty()) {
        gather(rows_, fresh_, out);
        co_return true;
      }
    }
  }

 private:
  struct Part {
    std::shared_ptr<Partitions> partitions;
    std::size_t index = 0;
    uint32_t level = 0;
  };

  Task<Result<bool>> read(Chunk& rows) {
    return current_.partitions == nullptr ? input_->next(rows) : current_.partitions->read(rows);
  }

  Task<Result<bool>> next_part() {
    const uint32_t level = current_.partitions == nullptr ? 0 : current_.level + 1;
    for (std::size_t i = 0; overflow_ != nullptr && i < Partitions::kCount; ++i) {
      parts_.push_back({overflow_, i, level});
    }
    overflow_ = nullptr;
    if (parts_.empty()) {
      co_return false;
    }
    current_ = std::move(parts_.back());
    parts_.pop_back();
    seen_.clear();
    PANDO_CO_TRY(co_await current_.partitions->start_reading(current_.index));
    co_return true;
  }

  Task<Status> keep_fresh() {
    PANDO_CO_TRY(co_await keys_.compute(rows_));
    fresh_.clear();
    std::vector<uint32_t> over;
    const bool full = seen_.memory_bytes() > runtime_.context.hash_bytes_max;
    numbers_.resize(rows_.rows);
    if (!full) {
      seen_.find_or_add_all(keys_, numbers_.data(), fresh_);
      co_return Status();
    }
    seen_.find_all(keys_, numbers_.data());
    for (uint32_t row = 0; row < rows_.rows; ++row) {
      if (numbers_[row] == KeyTable::kNone) {
        over.push_back(row);
      }
    }
    if (over.empty()) {
      co_return Status();
    }
    if (overflow_ == nullptr) {
      overflow_ = std::make_shared<Partitions>(runtime_, current_.partitions == nullptr ? 0 : current_.level + 1);
    }
    co_return co_await overflow_->append(rows_, keys_, over);
  }

  OperatorPtr input_;
  RowKeys keys_;
  Runtime& runtime_;
  KeyTable seen_;
  std::vector<Part> parts_;
  Part current_;
  std::shared_ptr<Partitions> overflow_;
  Chunk rows_;
  std::vector<uint32_t> fresh_;
  std::vector<uint32_t> numbers_;
};

}  // namespace

Result<OperatorPtr> make_operator(const PhysicalNode& node, const DistinctPlan& plan, Runtime& runtime) {
  PANDO_ASSIGN(OperatorPtr input, build(plan.input, runtime));
  std::vector<ExprPtr> keys = plan.on;
  if (keys.empty()) {
    for (const OutputColumn& column : node.outputs) {
      keys.push_back(make_expr(column.type, ColumnExpr{column.id, column.name}));
    }
  }
  PANDO_ASSIGN(RowKeys row_keys, RowKeys::make_equality(keys, Scope(plan.input->outputs), runtime));
  return OperatorPtr(std::make_unique<DistinctOperator>(std::move(input), std::move(row_keys), runtime));
}

}  // namespace pando::sql::exec
