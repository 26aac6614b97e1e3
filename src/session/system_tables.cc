#include "session/system_tables.h"

namespace pando::session {

Task<Result<std::vector<types::Chunk>>> SystemTables::rows(catalog::TablePtr table,
                                                           std::vector<catalog::AttributeNumber> attributes) {
  if (table == copy_source_) {
    co_return std::move(copy_rows_);
  }
  const auto snapshot = snapshot_();
  PANDO_CO_ASSIGN(std::vector<types::Chunk> whole,
                  catalog::system_rows(*table, {.snapshot = *snapshot,
                                                .database = catalog_.options().database,
                                                .database_name = catalog_.options().database_name,
                                                .source = source_,
                                                .statistics = statistics_}));
  std::vector<types::Chunk> chunks;
  for (types::Chunk& all : whole) {
    types::Chunk chunk;
    chunk.rows = all.rows;
    for (const catalog::AttributeNumber attribute : attributes) {
      if (attribute > 0) {
        chunk.columns.push_back(all.columns[static_cast<std::size_t>(attribute) - 1]);
        continue;
      }
      types::Vector constant(types::Physical::kUint32);
      constant.reset_constant(types::Value::of_uint32(attribute == sql::kTableOidAttribute ? table->oid : 0), all.rows);
      chunk.columns.push_back(std::move(constant));
    }
    chunks.push_back(std::move(chunk));
  }
  co_return chunks;
}

Result<sql::TableExpressionsPtr> TableExpressionCache::expressions(catalog::TablePtr table) {
  if (const auto found = entries_.find(table->oid); found != entries_.end() && found->second.table == table) {
    return found->second.expressions;
  }
  PANDO_ASSIGN(sql::TableExpressionsPtr expressions, bind_(table));
  if (entries_.size() >= kTablesMax) {
    entries_.clear();
  }
  const types::Oid oid = table->oid;
  entries_[oid] = {std::move(table), expressions};
  return expressions;
}

}  // namespace pando::session
