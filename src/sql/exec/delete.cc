// Delete: locks and removes each row of its input, once.

#include <unordered_set>

#include "sql/exec/constraint_errors.h"
#include "sql/exec/operators.h"
#include "sql/exec/table_writer.h"

namespace pando::sql::exec {

using types::Chunk;

namespace {

class DeleteOperator final : public Operator {
 public:
  DeleteOperator(const DeletePlan& plan, OperatorPtr input, Runtime& runtime)
      : plan_(plan), statement_(plan.statement), input_(std::move(input)), runtime_(runtime) {}

  Status prepare() {
    PANDO_ASSIGN(writer_, TableWriter::make(statement_.table, {}, {}, runtime_));
    const Scope scope(plan_.input->outputs);
    row_key_slot_ = *scope.find(statement_.row_key);
    for (const OutputColumn& column : statement_.old_row) {
      old_slots_.push_back(*scope.find(column.id));
    }
    std::vector<ExprPtr> returning;
    for (const ProjectedColumn& column : statement_.returning) {
      returning.push_back(column.expr);
    }
    PANDO_ASSIGN(returning_, Projection::make(returning, scope, runtime_));
    return {};
  }

  Task<Status> open() override {
    ended_ = false;
    affected_ = 0;
    seen_.clear();
    co_return co_await input_->open();
  }

  Task<Result<bool>> next(Chunk& out) override {
    out.columns.clear();
    while (!ended_) {
      PANDO_CO_ASSIGN(const bool more, co_await input_->next(input_rows_));
      if (!more) {
        ended_ = true;
        writer_->finish();
        break;
      }
      if (runtime_.should_yield()) {
        PANDO_CO_TRY(co_await runtime_.pause());
      }
      PANDO_CO_TRY(co_await delete_rows());
      if (!statement_.returning.empty() && !deleted_.empty()) {
        Chunk rows;
        gather(input_rows_, deleted_, rows);
        PANDO_CO_TRY(co_await returning_.evaluate(rows, out));
        co_return true;
      }
    }
    co_return false;
  }

  uint64_t rows_affected() const override { return affected_; }

 private:
  Task<Status> delete_rows() {
    old_rows_.rows = input_rows_.rows;
    old_rows_.columns.clear();
    for (const uint32_t slot : old_slots_) {
      old_rows_.columns.push_back(input_rows_.columns[slot]);
    }
    PANDO_CO_TRY(co_await writer_->prepare_old(old_rows_));
    deleted_.clear();
    const types::Vector& keys = input_rows_.columns[row_key_slot_];
    PANDO_CO_TRY(co_await writer_->lock_rows_ahead(keys, txn::LockStrength::kUpdate));
    PANDO_CO_TRY(co_await writer_->lock_erased_entries_ahead(input_rows_.rows));
    for (uint32_t row = 0; row < input_rows_.rows; ++row) {
      if (keys.is_null(row) || !seen_.insert(Bytes(keys.bytes_at(row))).second) {
        if (!keys.is_null(row) && statement_.rows_once) {
          co_return merged_twice();
        }
        continue;
      }
      const Bytes key(keys.bytes_at(row));
      PANDO_CO_TRY(co_await writer_->lock_row(key, txn::LockStrength::kUpdate));
      PANDO_CO_TRY(co_await writer_->erase(key, row));
      deleted_.push_back(row);
    }
    affected_ += deleted_.size();
    co_return Status();
  }

  const DeletePlan& plan_;
  const DeleteNode& statement_;
  OperatorPtr input_;
  Runtime& runtime_;
  std::unique_ptr<TableWriter> writer_;
  uint32_t row_key_slot_ = 0;
  std::vector<uint32_t> old_slots_;
  Projection returning_;
  std::unordered_set<Bytes> seen_;
  Chunk input_rows_;
  Chunk old_rows_;
  std::vector<uint32_t> deleted_;
  bool ended_ = false;
  uint64_t affected_ = 0;
};

}  // namespace

Result<OperatorPtr> make_operator(const PhysicalNode&, const DeletePlan& plan, Runtime& runtime) {
  PANDO_ASSIGN(OperatorPtr input, build(plan.input, runtime));
  auto erase = std::make_unique<DeleteOperator>(plan, std::move(input), runtime);
  PANDO_TRY(erase->prepare());
  return OperatorPtr(std::move(erase));
}

}  // namespace pando::sql::exec
