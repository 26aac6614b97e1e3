#include "sql/exec/cte.h"

namespace pando::sql::exec {

using types::Chunk;

namespace {

std::vector<uint32_t> slots_of(const PhysicalPtr& plan, const std::vector<ColumnId>& columns) {
  const Scope scope(plan->outputs);
  std::vector<uint32_t> slots;
  for (const ColumnId column : columns) {
    slots.push_back(*scope.find(column));
  }
  return slots;
}

}  // namespace

Cte::Cte(const WithPlan::Definition& definition, Runtime& runtime)
    : definition_(definition), runtime_(runtime), rows_(runtime) {}

Status Cte::prepare() {
  PANDO_ASSIGN(plan_, build(definition_.plan, runtime_));
  if (definition_.recursive == nullptr) {
    return {};
  }
  PANDO_ASSIGN(recursive_, build(definition_.recursive, runtime_));
  plan_slots_ = slots_of(definition_.plan, definition_.plan_columns);
  recursive_slots_ = slots_of(definition_.recursive, definition_.recursive_columns);
  if (!definition_.recursive_all) {
    Scope scope;
    std::vector<ExprPtr> columns;
    for (const uint32_t slot : plan_slots_) {
      const OutputColumn& column = definition_.plan->outputs[slot];
      scope.add(column.id);
      columns.push_back(make_expr(column.type, ColumnExpr{column.id, column.name}));
    }
    PANDO_ASSIGN(RowKeys identity, RowKeys::make(columns, scope, runtime_));
    identity_ = std::make_unique<RowKeys>(std::move(identity));
  }
  return {};
}

void Cte::reset() {
  rows_.clear();
  seen_.clear();
  work_ = nullptr;
  step_ = nullptr;
  started_ = false;
  in_recursion_ = false;
  ended_ = false;
}

Task<Result<bool>> Cte::read(std::size_t index, Chunk& out) {
  while (index >= rows_.size()) {
    if (ended_) {
      co_return false;
    }
    PANDO_CO_TRY(co_await produce());
  }
  PANDO_CO_TRY(co_await rows_.read(index, out));
  co_return true;
}

Task<Result<bool>> Cte::read_work(std::size_t index, Chunk& out) {
  if (work_ == nullptr || index >= work_->size()) {
    co_return false;
  }
  PANDO_CO_TRY(co_await work_->read(index, out));
  co_return true;
}

Task<Status> Cte::run_to_end() {
  while (!ended_) {
    PANDO_CO_TRY(co_await produce());
  }
  co_return Status();
}

// Adds the next vector to the rows, or ends.
Task<Status> Cte::produce() {
  if (runtime_.should_yield()) {
    PANDO_CO_TRY(co_await runtime_.pause());
  }
  if (!started_) {
    started_ = true;
    step_ = std::make_unique<ChunkBuffer>(runtime_);
    PANDO_CO_TRY(co_await plan_->open());
  }
  Chunk rows;
  PANDO_CO_ASSIGN(const bool more, co_await next_rows(rows));
  if (!more) {
    ended_ = true;
    co_return Status();
  }
  if (recursive_ == nullptr) {
    co_return co_await rows_.append(std::move(rows));
  }
  co_return co_await add(rows, in_recursion_ ? recursive_slots_ : plan_slots_);
}

Task<Result<bool>> Cte::next_rows(Chunk& out) {
  while (true) {
    Operator& current = in_recursion_ ? *recursive_ : *plan_;
    PANDO_CO_ASSIGN(const bool more, co_await current.next(out));
    if (more || recursive_ == nullptr) {
      co_return more;
    }
    if (step_->size() == 0) {
      co_return false;
    }
    work_ = std::move(step_);
    step_ = std::make_unique<ChunkBuffer>(runtime_);
    in_recursion_ = true;
    PANDO_CO_TRY(co_await recursive_->open());
  }
}

Task<Status> Cte::add(const Chunk& rows, const std::vector<uint32_t>& slots) {
  Chunk ordered;
  ordered.rows = rows.rows;
  for (const uint32_t slot : slots) {
    ordered.columns.push_back(rows.columns[slot]);
  }
  if (identity_ != nullptr) {
    PANDO_CO_TRY(co_await identity_->compute(ordered));
    std::vector<uint32_t> fresh;
    for (uint32_t row = 0; row < ordered.rows; ++row) {
      bool added = false;
      seen_.find_or_add(identity_->key(row), added);
      if (added) {
        fresh.push_back(row);
      }
    }
    PANDO_CO_TRY(runtime_.check_unspillable(seen_.memory_bytes(), "recursive query"));
    Chunk kept;
    gather(ordered, fresh, kept);
    ordered = std::move(kept);
  }
  if (ordered.rows == 0) {
    co_return Status();
  }
  PANDO_CO_TRY(co_await rows_.append(ordered));
  co_return co_await step_->append(std::move(ordered));
}

}  // namespace pando::sql::exec
