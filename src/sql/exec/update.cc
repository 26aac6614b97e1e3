// Update: locks each row of its input, computes the new row and replaces the old. A row that the input names twice is
// updated once, as in PostgreSQL.

#include <unordered_set>

#include "sql/exec/constraint_errors.h"
#include "sql/exec/operators.h"
#include "sql/exec/table_writer.h"
#include "types/compare.h"

namespace pando::sql::exec {

using types::Chunk;

namespace {

class UpdateOperator final : public Operator {
 public:
  UpdateOperator(const UpdatePlan& plan, OperatorPtr input, Runtime& runtime)
      : plan_(plan), statement_(plan.statement), input_(std::move(input)), runtime_(runtime) {}

  Status prepare() {
    PANDO_ASSIGN(writer_, TableWriter::make(statement_.table, statement_.row, statement_.checks, runtime_));
    const Scope scope(plan_.input->outputs);
    row_key_slot_ = *scope.find(statement_.row_key);
    std::vector<ExprPtr> values;
    const auto& live = writer_->layout().live();
    for (std::size_t i = 0; i < live.size(); ++i) {
      const OutputColumn& old_column = statement_.old_row[i];
      old_slots_.push_back(*scope.find(old_column.id));
      ExprPtr value = make_expr(old_column.type, ColumnExpr{old_column.id, old_column.name});
      for (const Assignment& assignment : statement_.assignments) {
        if (assignment.attribute == live[i]) {
          value = assignment.value;
          if (writer_->changes_key({live[i]})) {
            key_columns_.push_back(i);
          }
        }
      }
      values.push_back(std::move(value));
    }
    PANDO_ASSIGN(values_, Projection::make(values, scope, runtime_));
    Scope returning_scope(statement_.row);
    returning_scope.add(plan_.input->outputs);
    std::vector<ExprPtr> returning;
    for (const ProjectedColumn& column : statement_.returning) {
      returning.push_back(column.expr);
    }
    PANDO_ASSIGN(returning_, Projection::make(returning, returning_scope, runtime_));
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
      PANDO_CO_TRY(drop_seen());
      if (input_rows_.rows == 0) {
        continue;
      }
      PANDO_CO_TRY(co_await update_rows());
      if (!statement_.returning.empty()) {
        Chunk both = rows_;
        both.columns.insert(both.columns.end(), input_rows_.columns.begin(), input_rows_.columns.end());
        PANDO_CO_TRY(co_await returning_.evaluate(both, out));
        co_return true;
      }
    }
    co_return false;
  }

  uint64_t rows_affected() const override { return affected_; }

 private:
  Status drop_seen() {
    std::vector<uint32_t> fresh;
    for (uint32_t row = 0; row < input_rows_.rows; ++row) {
      const types::Vector& keys = input_rows_.columns[row_key_slot_];
      if (!keys.is_null(row) && seen_.insert(Bytes(keys.bytes_at(row))).second) {
        fresh.push_back(row);
      } else if (!keys.is_null(row) && statement_.rows_once) {
        return merged_twice();
      }
    }
    if (fresh.size() < input_rows_.rows) {
      Chunk kept;
      gather(input_rows_, fresh, kept);
      input_rows_ = std::move(kept);
    }
    return {};
  }

  // A key that is set to what it is leaves the rows to those who only need it to stay: foreign keys' checks.
  txn::LockStrength strength() const {
    for (const std::size_t column : key_columns_) {
      const types::Oid type = statement_.old_row[column].type.oid;
      const types::Vector& before = old_rows_.columns[column];
      const types::Vector& after = rows_.columns[column];
      for (std::size_t row = 0; row < rows_.rows; ++row) {
        const bool has_null = before.is_null(row) || after.is_null(row);
        const bool same = has_null ? before.is_null(row) && after.is_null(row)
                                   : types::is_orderable(type) && types::equal_rows(type, before, row, after, row);
        if (!same) {
          return txn::LockStrength::kUpdate;
        }
      }
    }
    return txn::LockStrength::kNoKeyUpdate;
  }

  Task<Status> update_rows() {
    const types::Vector& keys = input_rows_.columns[row_key_slot_];
    old_rows_.rows = input_rows_.rows;
    old_rows_.columns.clear();
    for (const uint32_t slot : old_slots_) {
      old_rows_.columns.push_back(input_rows_.columns[slot]);
    }
    PANDO_CO_TRY(co_await values_.evaluate(input_rows_, rows_));
    const txn::LockStrength strength = this->strength();
    PANDO_CO_TRY(co_await writer_->lock_rows_ahead(keys, strength));
    for (std::size_t row = 0; row < input_rows_.rows; ++row) {
      PANDO_CO_TRY(co_await writer_->lock_row(Bytes(keys.bytes_at(row)), strength));
    }
    std::size_t first_bad = 0;
    Status error;
    PANDO_CO_TRY(co_await writer_->prepare(rows_, first_bad, error));
    PANDO_CO_TRY(co_await writer_->prepare_old(old_rows_));
    PANDO_CO_TRY(co_await writer_->lock_replaced_entries_ahead(first_bad));
    for (std::size_t row = 0; row < first_bad; ++row) {
      PANDO_CO_TRY(co_await writer_->update(Bytes(keys.bytes_at(row)), row, row));
    }
    affected_ += rows_.rows;
    co_return error;
  }

  const UpdatePlan& plan_;
  const UpdateNode& statement_;
  OperatorPtr input_;
  Runtime& runtime_;
  std::unique_ptr<TableWriter> writer_;
  uint32_t row_key_slot_ = 0;
  std::vector<uint32_t> old_slots_;
  // What it sets of the columns of keys, by their places in the row.
  std::vector<std::size_t> key_columns_;
  Projection values_;
  Projection returning_;
  std::unordered_set<Bytes> seen_;
  Chunk input_rows_;
  Chunk old_rows_;
  Chunk rows_;
  bool ended_ = false;
  uint64_t affected_ = 0;
};

}  // namespace

Result<OperatorPtr> make_operator(const PhysicalNode&, const UpdatePlan& plan, Runtime& runtime) {
  PANDO_ASSIGN(OperatorPtr input, build(plan.input, runtime));
  auto update = std::make_unique<UpdateOperator>(plan, std::move(input), runtime);
  PANDO_TRY(update->prepare());
  return OperatorPtr(std::move(update));
}

}  // namespace pando::sql::exec
