// Virtual scan: the rows of a system table, as the session gives them.

#include "sql/exec/evaluator.h"
#include "sql/exec/operators.h"

namespace pando::sql::exec {

using types::Chunk;

namespace {

class VirtualScanOperator final : public Operator {
 public:
  VirtualScanOperator(const ScanPlan& plan, Condition condition, Runtime& runtime)
      : plan_(plan), condition_(std::move(condition)), runtime_(runtime) {}

  Task<Status> open() override {
    next_ = 0;
    PANDO_CO_ASSIGN(chunks_, co_await runtime_.context.virtual_tables->rows(plan_.table, plan_.attributes));
    co_return Status();
  }

  Task<Result<bool>> next(Chunk& out) override {
    while (next_ < chunks_.size()) {
      const Chunk& rows = chunks_[next_++];
      PANDO_CO_TRY(co_await condition_.select(rows, selected_));
      if (!selected_.empty()) {
        gather(rows, selected_, out);
        co_return true;
      }
    }
    co_return false;
  }

 private:
  const ScanPlan& plan_;
  Condition condition_;
  Runtime& runtime_;
  std::vector<Chunk> chunks_;
  std::size_t next_ = 0;
  std::vector<uint32_t> selected_;
};

}  // namespace

Result<OperatorPtr> make_virtual_scan(const PhysicalNode& node, const ScanPlan& plan, Runtime& runtime) {
  if (runtime.context.virtual_tables == nullptr) {
    return Status(sql_state::kInternalError, "no source of system tables");
  }
  PANDO_ASSIGN(Condition condition, Condition::make(plan.filter, Scope(node.outputs), runtime));
  return OperatorPtr(std::make_unique<VirtualScanOperator>(plan, std::move(condition), runtime));
}

}  // namespace pando::sql::exec
