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

// The operators of a plan with what they share: made for one run, and used again for plans that hold little.
class Query::Execution final : public IdleExecutions::Execution {
 public:
  explicit Execution(ExecutionContext execution) : context(std::move(execution)), runtime(*context) {}

  Status prepare(const PhysicalQuery& plan) {
    root_plan = plan.root;
    PANDO_ASSIGN(root, build(plan.root, runtime));
    const auto& outputs = plan.root->outputs;
    for (const OutputColumn& column : plan.result) {
      uint32_t slot = 0;
      while (slot < outputs.size() && outputs[slot].id != column.id) {
        ++slot;
      }
      PANDO_ASSERT(slot < outputs.size(), "a result column that the plan does not output");
      result_slots.push_back(slot);
    }
    return {};
  }

  // Takes the context of another run.
  void renew(ExecutionContext execution) {
    context.emplace(std::move(execution));
    runtime.renew();
  }

  PhysicalPtr root_plan;
  std::optional<ExecutionContext> context;
  Runtime runtime;
  OperatorPtr root;
  std::vector<uint32_t> result_slots;
  types::Chunk root_rows;
};

namespace {

// Whether a plan's operators keep little between runs: those of point statements do.
bool is_reusable(const PhysicalPtr& plan) {
  return std::visit(
      []<typename Node>(const Node& node) {
        if constexpr (std::is_same_v<Node, ScanPlan>) {
          return !node.conditions.empty() && node.table->kind == catalog::RelationKind::kTable;
        } else if constexpr (std::is_same_v<Node, ValuesPlan>) {
          constexpr std::size_t kFewRows = 16;
          return node.rows.size() <= kFewRows;
        } else if constexpr (std::is_same_v<Node, ProjectPlan> || std::is_same_v<Node, FilterPlan> ||
                             std::is_same_v<Node, LimitPlan> || std::is_same_v<Node, InsertPlan> ||
                             std::is_same_v<Node, UpdatePlan> || std::is_same_v<Node, DeletePlan>) {
          return is_reusable(node.input);
        } else {
          return false;
        }
      },
      plan->node);
}

}  // namespace

Query::Query(std::shared_ptr<const PhysicalQuery> plan, ExecutionContext context)
    : plan_(std::move(plan)), context_(std::move(context)) {}

Query::~Query() {
  if (ended_ && execution_ != nullptr && !execution_->context->instrument && is_reusable(plan_->root)) {
    plan_->idle->put(std::move(execution_));
  }
}

Task<Status> Query::open() {
  PANDO_ASSERT(context_.has_value(), "a query is opened once");
  ended_ = false;
  if (auto idle = context_->instrument ? nullptr : plan_->idle->take()) {
    execution_.reset(static_cast<Execution*>(idle.release()));
    execution_->renew(*std::move(context_));
  } else {
    execution_ = std::make_unique<Execution>(*std::move(context_));
    PANDO_CO_TRY(execution_->prepare(*plan_));
  }
  context_.reset();
  auto& slots = execution_->runtime.slots;
  slots.resize(std::max<std::size_t>(plan_->parameter_slots, slots.size()));
  co_return co_await execution_->root->open();
}

Task<Result<bool>> Query::next(types::Chunk& out) {
  if (ended_) {
    co_return false;
  }
  PANDO_CO_TRY(execution_->runtime.check_cancelled());
  PANDO_CO_ASSIGN(const bool more, co_await execution_->root->next(execution_->root_rows));
  if (!more) {
    PANDO_CO_TRY(co_await execution_->runtime.end_statement());
    ended_ = true;
    co_return false;
  }
  out.rows = execution_->root_rows.rows;
  out.columns.clear();
  for (const uint32_t slot : execution_->result_slots) {
    out.columns.push_back(execution_->root_rows.columns[slot]);
  }
  co_return true;
}

uint64_t Query::rows_affected() const { return execution_ == nullptr ? 0 : execution_->root->rows_affected(); }

const ActualsByNode& Query::actuals() const { return execution_->runtime.actuals; }

}  // namespace pando::sql::exec
