#include "sql/exec/hash_join_build.h"

namespace pando::sql::exec {

using types::Chunk;

Result<std::shared_ptr<HashJoinBuild>> HashJoinBuild::make(const HashJoinPlan& plan, Runtime& runtime) {
  PANDO_ASSIGN(OperatorPtr input, build(plan.right, runtime));
  PANDO_ASSIGN(RowKeys keys, RowKeys::make_equality(plan.right_keys, Scope(plan.right->outputs), runtime));
  return std::shared_ptr<HashJoinBuild>(new HashJoinBuild(std::move(input), std::move(keys), runtime));
}

Task<Status> HashJoinBuild::run() {
  table_.clear();
  partitions_ = nullptr;
  has_rows_ = false;
  has_null_key_ = false;
  PANDO_CO_TRY(co_await input_->open());
  Chunk rows;
  while (true) {
    PANDO_CO_ASSIGN(const bool more, co_await input_->next(rows));
    if (!more) {
      co_return Status();
    }
    if (runtime_.should_yield()) {
      PANDO_CO_TRY(co_await runtime_.pause());
    }
    PANDO_CO_TRY(co_await keys_.compute(rows));
    has_rows_ = true;
    has_null_key_ = has_null_key_ || keys_.any_null();
    if (partitions_ != nullptr) {
      PANDO_CO_TRY(co_await partitions_->append(rows, keys_));
      continue;
    }
    table_.add(rows, keys_);
    if (table_.memory_bytes() > runtime_.context.hash_bytes_max) {
      PANDO_CO_TRY(co_await spill());
    }
  }
}

Task<Status> HashJoinBuild::spill() {
  partitions_ = std::make_unique<Partitions>(runtime_);
  for (const Chunk& rows : table_.rows().chunks()) {
    PANDO_CO_TRY(co_await keys_.compute(rows));
    PANDO_CO_TRY(co_await partitions_->append(rows, keys_));
  }
  table_.clear();
  co_return Status();
}

Task<Status> HashJoinBuild::load_partition(std::size_t partition) {
  table_.clear();
  PANDO_CO_TRY(co_await partitions_->start_reading(partition));
  Chunk rows;
  while (true) {
    PANDO_CO_ASSIGN(const bool more, co_await partitions_->read(rows));
    if (!more) {
      co_return Status();
    }
    PANDO_CO_TRY(co_await keys_.compute(rows));
    table_.add(rows, keys_);
    PANDO_CO_TRY(runtime_.check_unspillable(table_.memory_bytes(), "hash join of equal keys"));
  }
}

}  // namespace pando::sql::exec
