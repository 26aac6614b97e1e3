// Project: computes expressions over each vector of its input.

#include "sql/exec/evaluator.h"
#include "sql/exec/operators.h"

namespace pando::sql::exec {

using types::Chunk;

namespace {

class ProjectOperator final : public Operator {
 public:
  ProjectOperator(OperatorPtr input, Projection projection)
      : input_(std::move(input)), projection_(std::move(projection)) {}

  Task<Status> open() override { return input_->open(); }

  Task<Result<bool>> next(Chunk& out) override {
    out.columns.clear();
    PANDO_CO_ASSIGN(const bool more, co_await input_->next(rows_));
    if (!more) {
      co_return false;
    }
    PANDO_CO_TRY(co_await projection_.evaluate(rows_, out));
    co_return true;
  }

  uint64_t rows_affected() const override { return input_->rows_affected(); }

 private:
  OperatorPtr input_;
  Projection projection_;
  Chunk rows_;
};

}  // namespace

Result<OperatorPtr> make_operator(const PhysicalNode&, const ProjectPlan& plan, Runtime& runtime) {
  PANDO_ASSIGN(OperatorPtr input, build(plan.input, runtime));
  std::vector<ExprPtr> exprs;
  for (const ProjectedColumn& column : plan.columns) {
    exprs.push_back(column.expr);
  }
  PANDO_ASSIGN(Projection projection, Projection::make(exprs, Scope(plan.input->outputs), runtime));
  return OperatorPtr(std::make_unique<ProjectOperator>(std::move(input), std::move(projection)));
}

}  // namespace pando::sql::exec
