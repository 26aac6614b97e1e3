#include "sql/exec/index_entries.h"

#include <algorithm>

namespace pando::sql::exec {

using types::Chunk;
using types::Vector;

namespace {

bool is_deferrable(const catalog::TableDescriptor& table, types::Oid index) {
  return std::ranges::any_of(table.constraints, [&](const catalog::ConstraintDescriptor& constraint) {
    return constraint.kind == catalog::ConstraintKind::kUnique && constraint.index == index && constraint.deferrable;
  });
}

const TableExpressions::Index* find_expressions(const TableExpressionsPtr& expressions, types::Oid index) {
  if (expressions == nullptr) {
    return nullptr;
  }
  const auto found = std::ranges::find(expressions->indexes, index, &TableExpressions::Index::index);
  return found == expressions->indexes.end() ? nullptr : &*found;
}

bool needs_expressions(const catalog::IndexDescriptor& index) {
  return !index.predicate_sql.empty() ||
         std::ranges::any_of(index.columns, [](const catalog::IndexColumn& column) { return column.attribute == 0; });
}

}  // namespace

Result<IndexEntries> IndexEntries::make(const TableLayout& layout, Runtime& runtime, types::Oid only) {
  IndexEntries entries;
  TableExpressionsPtr expressions;
  const bool needed =
      std::ranges::any_of(layout.secondary(), [](const IndexLayout& index) { return needs_expressions(*index.index); });
  if (needed) {
    if (runtime.context.table_expressions == nullptr) {
      return Status(sql_state::kInternalError, "no source of index expressions");
    }
    PANDO_ASSIGN(expressions, runtime.context.table_expressions->expressions(layout.table_ptr()));
  }
  for (const IndexLayout& index_layout : layout.secondary()) {
    if (only != 0 && index_layout.index->oid != only) {
      continue;
    }
    Index& index = entries.indexes_.emplace_back();
    index.layout = &index_layout;
    index.deferrable = is_deferrable(layout.table(), index_layout.index->oid);
    const TableExpressions::Index* bound = find_expressions(expressions, index_layout.index->oid);
    std::vector<ExprPtr> computed;
    for (std::size_t i = 0; i < index_layout.columns.size(); ++i) {
      if (const auto attribute = index_layout.columns[i].attribute; attribute != 0) {
        index.sources.push_back({false, layout.live_position(attribute)});
        index.types.push_back(index_layout.columns[i].type.oid);
        continue;
      }
      PANDO_ASSERT(bound != nullptr, "an index expression that was not bound");
      index.sources.push_back({true, computed.size()});
      index.types.push_back(bound->columns[i]->type.oid);
      computed.push_back(bound->columns[i]);
    }
    const Scope scope = expressions == nullptr ? Scope() : Scope(expressions->row);
    PANDO_ASSIGN(index.expressions, Projection::make(computed, scope, runtime));
    PANDO_ASSIGN(index.predicate, Condition::make(bound == nullptr ? nullptr : bound->predicate, scope, runtime));
  }
  return entries;
}

Task<Status> IndexEntries::compute(const Chunk& rows) {
  rows_ = &rows;
  std::vector<uint32_t> selected;
  for (Index& index : indexes_) {
    index.included.clear();
    if (!index.predicate.always()) {
      PANDO_CO_TRY(co_await index.predicate.select(rows, selected));
      index.included.assign(rows.rows, 0);
      for (const uint32_t row : selected) {
        index.included[row] = 1;
      }
    }
    if (index.expressions.size() > 0) {
      PANDO_CO_TRY(co_await index.expressions.evaluate(rows, index.values));
    }
  }
  co_return Status();
}

const Vector& IndexEntries::column(std::size_t index, std::size_t column) const {
  const Index::Source& source = indexes_[index].sources[column];
  return source.is_expression ? indexes_[index].values.columns[source.slot] : rows_->columns[source.slot];
}

void IndexEntries::columns_key(std::size_t index, std::size_t row, Bytes& key, bool& has_null) const {
  const Index& entry = indexes_[index];
  key = entry.layout->prefix;
  has_null = false;
  for (std::size_t i = 0; i < entry.sources.size(); ++i) {
    const Vector& values = column(index, i);
    has_null = has_null || values.is_null(row);
    types::append_key(key, entry.types[i], values, row, entry.layout->columns[i].order);
  }
}

void IndexEntries::entry(std::size_t index, std::size_t row, ByteView suffix, Entry& out) const {
  bool has_null = false;
  columns_key(index, row, out.key, has_null);
  const catalog::IndexDescriptor& descriptor = *indexes_[index].layout->index;
  out.unique = descriptor.unique && !indexes_[index].deferrable && (!has_null || descriptor.nulls_not_distinct);
  if (out.unique) {
    out.value = unique_entry_value(suffix);
  } else {
    out.key.append(suffix);
    out.value = plain_entry_value(suffix.size());
  }
}

}  // namespace pando::sql::exec
