#include "sql/exec/row_keys.h"

#include "types/compare.h"

namespace pando::sql::exec {

Result<RowKeys> RowKeys::make(const std::vector<SortKey>& keys, const Scope& scope, Runtime& runtime) {
  RowKeys result;
  std::vector<ExprPtr> exprs;
  for (const SortKey& key : keys) {
    exprs.push_back(key.expr);
    if (!types::is_orderable(key.expr->type.oid) && !types::is_hashable(key.expr->type.oid)) {
      return Status(sql_state::kUndefinedFunction, "could not identify an ordering operator for type {}",
                    types::format_type(key.expr->type));
    }
    result.columns_.push_back({key.expr->type.oid, {.descending = key.descending, .nulls_first = key.nulls_first}});
  }
  PANDO_ASSIGN(result.projection_, Projection::make(exprs, scope, runtime));
  return result;
}

Result<RowKeys> RowKeys::make(const std::vector<ExprPtr>& exprs, const Scope& scope, Runtime& runtime) {
  std::vector<SortKey> keys;
  for (const ExprPtr& expr : exprs) {
    keys.push_back({expr, false, false});
  }
  return make(keys, scope, runtime);
}

Task<Status> RowKeys::compute(const types::Chunk& chunk) {
  arena_.clear();
  ends_.resize(chunk.rows);
  any_nulls_ = false;
  PANDO_CO_TRY(co_await projection_.evaluate(chunk, values_));
  for (const types::Vector& column : values_.columns) {
    for (std::size_t row = 0; column.has_nulls() && !any_nulls_ && row < chunk.rows; ++row) {
      any_nulls_ = column.is_null(row);
    }
  }
  if (any_nulls_) {
    nulls_.assign(chunk.rows, 0);
  }
  for (std::size_t row = 0; row < chunk.rows; ++row) {
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      types::append_key(arena_, columns_[i].type, values_.columns[i], row, columns_[i].order);
      if (any_nulls_ && values_.columns[i].is_null(row)) {
        nulls_[row] = 1;
      }
    }
    ends_[row] = static_cast<uint32_t>(arena_.size());
  }
  co_return Status();
}

}  // namespace pando::sql::exec
