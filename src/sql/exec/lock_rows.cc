// LockRows: SELECT ... FOR UPDATE and its weaker forms: locks the rows that its input's row keys name.

#include "sql/exec/evaluator.h"
#include "sql/exec/operators.h"
#include "sql/exec/table_writer.h"

namespace pando::sql::exec {

using types::Chunk;

namespace {

class LockRowsOperator final : public Operator {
 public:
  LockRowsOperator(const LockRowsPlan& plan, OperatorPtr input, Runtime& runtime)
      : plan_(plan), input_(std::move(input)), runtime_(runtime) {
    const Scope scope(plan.input->outputs);
    for (const LockRowsNode::Target& target : plan.targets) {
      slots_.push_back(*scope.find(target.row_key));
    }
  }

  Task<Status> open() override {
    rows_.rows = 0;
    row_ = 0;
    return input_->open();
  }

  Task<Result<bool>> next(Chunk& out) override {
    locked_.clear();
    while (locked_.empty()) {
      if (row_ == rows_.rows) {
        PANDO_CO_ASSIGN(const bool more, co_await input_->next(rows_));
        row_ = 0;
        if (!more) {
          rows_.rows = 0;
          co_return false;
        }
        PANDO_CO_TRY(co_await lock_ahead());
      }
      while (row_ < rows_.rows && (locked_.empty() || !plan_.one_by_one)) {
        PANDO_CO_ASSIGN(const bool granted, co_await lock(row_));
        if (granted) {
          locked_.push_back(static_cast<uint32_t>(row_));
        }
        ++row_;
      }
    }
    gather(rows_, locked_, out);
    co_return true;
  }

 private:
  // All of them at once, when they are to be locked whatever becomes of the others.
  Task<Status> lock_ahead() {
    const LockRowsNode::Target& target = plan_.targets.front();
    if (rows_.rows < 2 || plan_.one_by_one || plan_.targets.size() > 1 ||
        static_cast<txn::WaitPolicy>(target.wait_policy) != txn::WaitPolicy::kBlock) {
      co_return Status();
    }
    std::vector<Bytes> row_keys;
    const types::Vector& keys = rows_.columns[slots_.front()];
    for (std::size_t row = 0; row < rows_.rows; ++row) {
      if (!keys.is_null(row)) {
        row_keys.emplace_back(keys.bytes_at(row));
      }
    }
    co_return co_await runtime_.context.transaction.lock_ahead(row_keys,
                                                               static_cast<txn::LockStrength>(target.strength));
  }

  Task<Result<bool>> lock(std::size_t row) {
    auto& transaction = runtime_.context.transaction;
    for (std::size_t i = 0; i < slots_.size(); ++i) {
      const types::Vector& keys = rows_.columns[slots_[i]];
      if (keys.is_null(row)) {
        continue;
      }
      const LockRowsNode::Target& target = plan_.targets[i];
      auto outcome =
          co_await transaction.lock(Bytes(keys.bytes_at(row)), static_cast<txn::LockStrength>(target.strength),
                                    static_cast<txn::WaitPolicy>(target.wait_policy));
      if (!outcome.ok()) {
        co_return name_relation(std::move(outcome).status(), *target.table);
      }
      if (!outcome->granted) {
        co_return false;
      }
      if (outcome->changed_since_snapshot) {
        co_return changed_since_snapshot(transaction);
      }
    }
    co_return true;
  }

  // NOWAIT's error names the table, which the transaction does not know.
  static Status name_relation(Status status, const catalog::TableDescriptor& table) {
    if (status.is(sql_state::kLockNotAvailable) && status.message() == "could not obtain lock on row") {
      return {sql_state::kLockNotAvailable, "could not obtain lock on row in relation \"{}\"", table.name};
    }
    return status;
  }

  const LockRowsPlan& plan_;
  OperatorPtr input_;
  Runtime& runtime_;
  std::vector<uint32_t> slots_;
  Chunk rows_;
  std::size_t row_ = 0;
  std::vector<uint32_t> locked_;
};

}  // namespace

Result<OperatorPtr> make_operator(const PhysicalNode&, const LockRowsPlan& plan, Runtime& runtime) {
  PANDO_ASSIGN(OperatorPtr input, build(plan.input, runtime));
  return OperatorPtr(std::make_unique<LockRowsOperator>(plan, std::move(input), runtime));
}

}  // namespace pando::sql::exec
