// Distinct: passes the first row of each key on, in the order of the input. Over the memory budget, rows with keys that
// are not known yet wait on temporary storage, split by hash; where the input is sorted on the keys, all but the last
// one are forgotten instead, and the order stays.

#include <algorithm>
#include <span>

#include "sql/exec/key_table.h"
#include "sql/exec/operators.h"
#include "sql/exec/partitions.h"

namespace pando::sql::exec {

using types::Chunk;

namespace {

bool has_column(const std::vector<ExprPtr>& keys, const ExprPtr& expr) {
  const auto* const column = as<ColumnExpr>(expr);
  return column != nullptr && std::ranges::any_of(keys, [&](const ExprPtr& key) {
           const auto* const other = as<ColumnExpr>(key);
           return other != nullptr && other->column == column->column;
         });
}

// Whether rows that are equal in `keys` come one behind the other.
bool is_sorted_on(const PhysicalNode& input, const std::vector<ExprPtr>& keys) {
  const auto* const sort = std::get_if<SortPlan>(&input.node);
  if (sort == nullptr || sort->keys.size() < keys.size()) {
    return false;
  }
  return std::ranges::all_of(std::span(sort->keys).first(keys.size()),
                             [&](const SortKey& sorted) { return has_column(keys, sorted.expr); });
}

class DistinctOperator final : public Operator {
 public:
  DistinctOperator(OperatorPtr input, RowKeys keys, bool sorted, Runtime& runtime)
      : input_(std::move(input)), keys_(std::move(keys)), sorted_(sorted), runtime_(runtime) {}

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
    bool full = seen_.memory_bytes() > runtime_.context.hash_bytes_max;
    if (full && sorted_) {
      PANDO_CO_TRY(co_await forget_all_but_last());
      full = false;
    }
    PANDO_CO_TRY(co_await keys_.compute(rows_));
    fresh_.clear();
    numbers_.resize(rows_.rows);
    if (full) {
      co_return co_await set_unknown_aside();
    }
    seen_.find_or_add_all(keys_, numbers_.data(), fresh_);
    if (sorted_ && rows_.rows > 0) {
      const std::vector<uint32_t> last{static_cast<uint32_t>(rows_.rows - 1)};
      gather(rows_, last, last_row_);
    }
    co_return Status();
  }

  Task<Status> forget_all_but_last() {
    PANDO_CO_TRY(co_await keys_.compute(last_row_));
    seen_.clear();
    bool added = false;
    seen_.find_or_add(keys_, 0, added);
    co_return Status();
  }

  Task<Status> set_unknown_aside() {
    std::vector<uint32_t> over;
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
  // The input comes in the order of the keys.
  const bool sorted_;
  Runtime& runtime_;
  KeyTable seen_;
  // Of a sorted input, the last row that was looked at.
  Chunk last_row_;
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
  const bool sorted = is_sorted_on(*plan.input, keys);
  return OperatorPtr(std::make_unique<DistinctOperator>(std::move(input), std::move(row_keys), sorted, runtime));
}

}  // namespace pando::sql::exec
