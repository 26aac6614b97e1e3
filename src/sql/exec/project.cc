// Project: computes expressions over each vector of its input.

#include "sql/exec/evaluator.h"
#include "sql/exec/operators.h"
#include "sql/exec/sequence_calls.h"

namespace pando::sql::exec {

using types::Chunk;

namespace {

class ProjectOperator final : public Operator {
 public:
  ProjectOperator(OperatorPtr input, Projection projection, bool row_by_row)
      : input_(std::move(input)), projection_(std::move(projection)), row_by_row_(row_by_row) {}

  Task<Status> open() override {
    rows_.rows = next_row_ = 0;
    return input_->open();
  }

  Task<Result<bool>> next(Chunk& out) override {
    out.columns.clear();
    if (next_row_ >= rows_.rows) {
      PANDO_CO_ASSIGN(const bool more, co_await input_->next(rows_));
      if (!more) {
        rows_.rows = next_row_ = 0;
        co_return false;
      }
      next_row_ = 0;
    }
    if (row_by_row_ && rows_.rows > 1) {
      take_row(rows_, next_row_++, row_);
      PANDO_CO_TRY(co_await projection_.evaluate(row_, out));
      co_return true;
    }
    next_row_ = static_cast<uint32_t>(rows_.rows);
    PANDO_CO_TRY(co_await projection_.evaluate(rows_, out));
    co_return true;
  }

  uint64_t rows_affected() const override { return input_->rows_affected(); }

 private:
  OperatorPtr input_;
  Projection projection_;
  const bool row_by_row_;
  Chunk rows_;
  Chunk row_;
  uint32_t next_row_ = 0;
};

}  // namespace

Result<OperatorPtr> make_operator(const PhysicalNode&, const ProjectPlan& plan, Runtime& runtime) {
  PANDO_ASSIGN(OperatorPtr input, build(plan.input, runtime));
  std::vector<ExprPtr> exprs;
  for (const ProjectedColumn& column : plan.columns) {
    exprs.push_back(column.expr);
  }
  PANDO_ASSIGN(Projection projection, Projection::make(exprs, Scope(plan.input->outputs), runtime));
  return OperatorPtr(
      std::make_unique<ProjectOperator>(std::move(input), std::move(projection), call_sequences_together(exprs)));
}

}  // namespace pando::sql::exec
