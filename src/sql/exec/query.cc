#include "sql/exec/query.h"

#include "sql/exec/operators.h"

namespace pando::sql::exec {
namespace {

// Measures what passes through an operator, for EXPLAIN ANALYZE.
class MeasuredOperator final : public Operator {
 public:
  MeasuredOperator(OperatorPtr operation, NodeActuals& actuals, Runtime& runtime)
      : operation_(std::move(operation)), actuals_(actuals), context_(runtime.context) {}

  Task<Status> open() override {
    const uint64_t start = now();
    Status status = co_await operation_->open();
    ++actuals_.loops;
    actuals_.elapsed_ns += now() - start;
    co_return status;
  }
  Task<Result<bool>> next(types::Chunk& out) override {
    const uint64_t start = now();
    Result<bool> more = co_await operation_->next(out);
    actuals_.elapsed_ns += now() - start;
    if (more.ok() && *more) {
      actuals_.rows += out.rows;
    }
    co_return more;
  }
  uint64_t rows_affected() const override { return operation_->rows_affected(); }

 private:
  uint64_t now() const { return context_.clock_ns(context_.clock_state); }
  OperatorPtr operation_;
  NodeActuals& actuals_;
  ExecutionContext& context_;
};

}  // namespace

Result<OperatorPtr> build(const PhysicalPtr& plan, Runtime& runtime) {
  PANDO_ASSIGN(OperatorPtr operation,
               std::visit([&](const auto& node) { return make_operator(*plan, node, runtime); }, plan->node));
  if (!runtime.context.instrument) {
    return operation;
  }
  return OperatorPtr(std::make_unique<MeasuredOperator>(std::move(operation), runtime.actuals.of(*plan), runtime));
}

Query::Query(std::shared_ptr<const PhysicalQuery> plan, ExecutionContext context)
    : plan_(std::move(plan)), context_(std::move(context)) {}

Query::~Query() = default;

Task<Status> Query::open() {
  runtime_ = std::make_unique<Runtime>(context_);
  runtime_->slots.resize(std::max<std::size_t>(plan_->parameter_slots, context_.parameters.size()));
  ended_ = false;
  PANDO_CO_ASSIGN(root_, build(plan_->root, *runtime_));
  const auto& outputs = plan_->root->outputs;
  result_slots_.clear();
  for (const OutputColumn& column : plan_->result) {
    uint32_t slot = 0;
    while (slot < outputs.size() && outputs[slot].id != column.id) {
      ++slot;
    }
    PANDO_ASSERT(slot < outputs.size(), "a result column that the plan does not output");
    result_slots_.push_back(slot);
  }
  co_return co_await root_->open();
}

Task<Result<bool>> Query::next(types::Chunk& out) {
  if (ended_) {
    co_return false;
  }
  PANDO_CO_TRY(runtime_->check_cancelled());
  PANDO_CO_ASSIGN(const bool more, co_await root_->next(root_rows_));
  if (!more) {
    ended_ = true;
    PANDO_CO_TRY(co_await runtime_->end_statement());
    co_return false;
  }
  out.rows = root_rows_.rows;
  out.columns.clear();
  for (const uint32_t slot : result_slots_) {
    out.columns.push_back(root_rows_.columns[slot]);
  }
  co_return true;
}

uint64_t Query::rows_affected() const { return root_ == nullptr ? 0 : root_->rows_affected(); }

const ActualsByNode& Query::actuals() const { return runtime_->actuals; }

}  // namespace pando::sql::exec
