#include "session/system_tables.h"

namespace pando::session {

Task<Result<std::vector<types::Chunk>>> SystemTables::rows(catalog::TablePtr table,
                                                           std::vector<catalog::AttributeNumber> attributes) {
  if (table == copy_source_) {
    co_return std::move(copy_rows_);
  }
  const auto snapshot = snapshot_();
  std::vector<types::Chunk> whole;
  if (const auto sequence = snapshot->find_sequence(table->oid)) {
    PANDO_CO_ASSIGN(whole, co_await sequence_rows(table, sequence));
  } else {
    const auto& options = environment_.catalog.options();
    PANDO_CO_ASSIGN(whole, catalog::system_rows(*table, {.snapshot = *snapshot,
                                                         .database = options.database,
                                                         .database_name = options.database_name,
                                                         .source = source_,
                                                         .statistics = environment_.statistics}));
  }
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

Task<Result<std::vector<types::Chunk>>> SystemTables::sequence_rows(catalog::TablePtr table,
                                                                    catalog::SequencePtr sequence) {
  PANDO_CO_ASSIGN(const catalog::SequenceState state, co_await environment_.sequences.read(sequence, executor_));
  catalog::SystemRowWriter writer(*table);
  writer.add({{"last_value", state.last_value}, {"log_cnt", int64_t{0}}, {"is_called", state.is_called}});
  co_return std::move(writer).take();
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
