#include "sql/exec/end_of_statement.h"

#include <algorithm>

namespace pando::sql::exec {

using types::Chunk;
using types::Value;

Result<std::unique_ptr<ReferencingWriter>> ReferencingWriter::make(catalog::TablePtr table, Runtime& runtime) {
  std::unique_ptr<ReferencingWriter> result(new ReferencingWriter(runtime));
  std::vector<OutputColumn> row;
  std::vector<BoundCheck> checks;
  if (runtime.context.table_expressions != nullptr) {
    PANDO_ASSIGN(result->expressions_, runtime.context.table_expressions->expressions(table));
    row = result->expressions_->row;
    checks = result->expressions_->checks;
  }
  PANDO_ASSIGN(result->writer_, TableWriter::make(std::move(table), row, checks, runtime));
  return result;
}

Task<Status> ReferencingWriter::erase(const Chunk& rows, const std::vector<Bytes>& keys) {
  PANDO_CO_TRY(co_await writer_->prepare_old(rows));
  PANDO_CO_TRY(co_await runtime_.context.transaction.lock_ahead(keys, txn::LockStrength::kUpdate));
  PANDO_CO_TRY(co_await writer_->lock_erased_entries_ahead(keys.size()));
  for (std::size_t row = 0; row < keys.size(); ++row) {
    PANDO_CO_TRY(co_await writer_->lock_row(keys[row], txn::LockStrength::kUpdate));
    PANDO_CO_TRY(co_await writer_->erase(keys[row], row));
  }
  co_return Status();
}

Task<Status> ReferencingWriter::set(const Chunk& rows, const std::vector<Bytes>& keys,
                                    std::vector<catalog::AttributeNumber> columns, std::vector<Value> values) {
  Chunk changed = rows;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const std::size_t slot = layout().live_position(columns[i]);
    types::Vector column(rows.columns[slot].physical());
    column.reset_constant(values[i], rows.rows);
    changed.columns[slot] = std::move(column);
  }
  co_return co_await replace(rows, keys, std::move(changed));
}

Task<Status> ReferencingWriter::set_default(const Chunk& rows, const std::vector<Bytes>& keys,
                                            std::vector<catalog::AttributeNumber> columns) {
  std::vector<Value> values;
  for (const catalog::AttributeNumber column : columns) {
    Value value;
    if (expressions_ != nullptr) {
      const auto found = std::ranges::find(expressions_->defaults, column, &Assignment::attribute);
      if (found != expressions_->defaults.end()) {
        PANDO_CO_ASSIGN(value, co_await evaluate_value(found->value, runtime_));
      }
    }
    values.push_back(std::move(value));
  }
  co_return co_await set(rows, keys, std::move(columns), std::move(values));
}

Task<Status> ReferencingWriter::replace(const Chunk& rows, const std::vector<Bytes>& keys, Chunk changed) {
  if (expressions_ != nullptr && !expressions_->generated.empty()) {
    std::vector<ExprPtr> exprs;
    for (const Assignment& generated : expressions_->generated) {
      exprs.push_back(generated.value);
    }
    PANDO_CO_ASSIGN(Projection projection, Projection::make(exprs, Scope(expressions_->row), runtime_));
    Chunk generated;
    PANDO_CO_TRY(co_await projection.evaluate(changed, generated));
    for (std::size_t i = 0; i < expressions_->generated.size(); ++i) {
      changed.columns[layout().live_position(expressions_->generated[i].attribute)] = generated.columns[i];
    }
  }
  std::size_t first_bad = 0;
  Status error;
  PANDO_CO_TRY(co_await writer_->prepare(changed, first_bad, error));
  PANDO_CO_TRY(co_await writer_->prepare_old(rows));
  PANDO_CO_TRY(co_await runtime_.context.transaction.lock_ahead(keys, txn::LockStrength::kUpdate));
  PANDO_CO_TRY(co_await writer_->lock_replaced_entries_ahead(first_bad));
  for (std::size_t row = 0; row < first_bad; ++row) {
    PANDO_CO_TRY(co_await writer_->lock_row(keys[row], txn::LockStrength::kUpdate));
    PANDO_CO_TRY(co_await writer_->update(keys[row], row, row));
  }
  co_return error;
}

void ReferencingWriter::hand_over() {
  writer_->note_changes();
  if (writer_->foreign_keys().has_work()) {
    runtime_.writers.push_back(std::move(writer_));
  }
}

Task<Status> Runtime::end_statement() {
  while (!finishing.empty() || !writers.empty()) {
    // Later checks see what the statement and earlier actions wrote.
    context.transaction.begin_statement();
    const std::vector<ForeignKeys*> now = std::exchange(finishing, {});
    const auto owned = std::exchange(writers, {});
    for (ForeignKeys* keys : now) {
      PANDO_CO_TRY(co_await keys->finish());
    }
    for (const auto& writer : owned) {
      PANDO_CO_TRY(co_await writer->foreign_keys().finish());
    }
    // As in PostgreSQL, what these actions call for comes after the checks that were called for with them.
    PANDO_CO_TRY(co_await make_noted_checks());
    PANDO_CO_TRY(check_cancelled());
  }
  co_return Status();
}

Task<Status> Runtime::make_noted_checks() {
  if (checks.empty()) {
    co_return Status();
  }
  if (std::exchange(has_acted, false)) {
    context.transaction.begin_statement();
  }
  co_return co_await make_checks(std::exchange(checks, {}), *this);
}

Runtime::Runtime(ExecutionContext& execution) : context(execution), slots(execution.parameters) {}
Runtime::~Runtime() = default;

void Runtime::renew() {
  slots = context.parameters;
  pending = nullptr;
  finishing.clear();
  writers.clear();
  checks.clear();
  has_acted = false;
  ++run;
}

}  // namespace pando::sql::exec
