// Values: rows of expressions without input columns. A single row with no columns is what SELECT without FROM reads.

#include "sql/exec/evaluator.h"
#include "sql/exec/operators.h"

namespace pando::sql::exec {

using types::Chunk;

namespace {

class ValuesOperator final : public Operator {
 public:
  ValuesOperator(const PhysicalNode& node, Runtime& runtime) : node_(node), runtime_(runtime) {}

  Status prepare(const ValuesPlan& plan) {
    for (const auto& row : plan.rows) {
      PANDO_ASSIGN(auto evaluators, compile_all(row, Scope(), runtime_));
      rows_.push_back(std::move(evaluators));
    }
    one_.rows = 1;
    return {};
  }

  Task<Status> open() override {
    next_row_ = 0;
    co_return Status();
  }

  Task<Result<bool>> next(Chunk& out) override {
    const std::size_t count = std::min(rows_.size() - next_row_, types::kVectorRows);
    if (count == 0) {
      co_return false;
    }
    out.rows = count;
    out.columns.clear();
    for (const OutputColumn& column : node_.outputs) {
      out.columns.emplace_back(types::physical_of(column.type.oid)).reset(count);
    }
    for (std::size_t row = 0; row < count; ++row) {
      PANDO_CO_TRY(co_await evaluate_row(row, out));
    }
    next_row_ += count;
    co_return true;
  }

 private:
  Task<Status> evaluate_row(std::size_t row, Chunk& out) {
    const auto& evaluators = rows_[next_row_ + row];
    for (std::size_t i = 0; i < evaluators.size(); ++i) {
      const types::Vector* value = nullptr;
      Status status = evaluators[i]->evaluate({&one_, nullptr, 1}, value);
      bool served = false;
      while (!status.ok()) {
        served = served || runtime_.pending == nullptr;
        PANDO_CO_TRY(co_await runtime_.settle(std::move(status)));
        status = evaluators[i]->evaluate({&one_, nullptr, 1}, value);
      }
      if (served) {
        // The expression is through, and with it what its calls were answered.
        PANDO_CO_TRY(co_await runtime_.context.wait_for_service(runtime_.context.wait_state));
      }
      out.columns[i].set_from(row, *value, 0);
    }
    co_return Status();
  }

  const PhysicalNode& node_;
  Runtime& runtime_;
  std::vector<std::vector<EvaluatorPtr>> rows_;
  Chunk one_;
  std::size_t next_row_ = 0;
};

}  // namespace

Result<OperatorPtr> make_operator(const PhysicalNode& node, const ValuesPlan& plan, Runtime& runtime) {
  auto values = std::make_unique<ValuesOperator>(node, runtime);
  PANDO_TRY(values->prepare(plan));
  return OperatorPtr(std::move(values));
}

}  // namespace pando::sql::exec
