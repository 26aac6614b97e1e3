// Filter: passes the rows for which a condition is true.

#include "sql/exec/evaluator.h"
#include "sql/exec/operators.h"

namespace pando::sql::exec {

using types::Chunk;

namespace {

class FilterOperator final : public Operator {
 public:
  FilterOperator(OperatorPtr input, Condition condition) : input_(std::move(input)), condition_(std::move(condition)) {}

  Task<Status> open() override { return input_->open(); }

  Task<Result<bool>> next(Chunk& out) override {
    out.columns.clear();
    while (true) {
      PANDO_CO_ASSIGN(const bool more, co_await input_->next(rows_));
      if (!more) {
        co_return false;
      }
      PANDO_CO_TRY(co_await condition_.select(rows_, selected_));
      if (!selected_.empty()) {
        gather(rows_, selected_, out);
        co_return true;
      }
    }
  }

 private:
  OperatorPtr input_;
  Condition condition_;
  Chunk rows_;
  std::vector<uint32_t> selected_;
};

}  // namespace

Result<OperatorPtr> make_operator(const PhysicalNode&, const FilterPlan& plan, Runtime& runtime) {
  PANDO_ASSIGN(OperatorPtr input, build(plan.input, runtime));
  PANDO_ASSIGN(Condition condition, Condition::make(plan.predicate, Scope(plan.input->outputs), runtime));
  return OperatorPtr(std::make_unique<FilterOperator>(std::move(input), std::move(condition)));
}

}  // namespace pando::sql::exec
