#pragma once

// Forms of relations beside plain tables and views: materialized views, which have a query and rows; temporary objects,
// which lie in schemas of their sessions' own; sequences, which can be read as tables of one row. Pure functions.

#include <memory>
#include <string_view>

#include "catalog/descriptor.h"

namespace pando::catalog {

// pg_class.relkind of a materialized view: `view_sql` is its query, and its rows lie as a table's do.
inline constexpr RelationKind kMaterializedView{'m'};
// Where a materialized view WITH NO DATA lies: nowhere.
inline constexpr TableId kNowhere{0};

// Whether it has rows of its own.
inline bool has_rows(const TableDescriptor& table) {
  return table.kind == RelationKind::kTable || table.kind == kMaterializedView;
}
// False for a materialized view WITH NO DATA.
inline bool is_populated(const TableDescriptor& table) {
  return table.kind != kMaterializedView || table.id != kNowhere;
}

// Schemas of sessions' temporary objects: this and a number, in a cluster behind the number of the session's node. Gone
// with the session, or when the store, or the node, next opens.
inline constexpr std::string_view kTemporarySchemaPrefix = "pg_temp_";
inline std::string temporary_schema_prefix(uint32_t node) {
  return node == 0 ? std::string(kTemporarySchemaPrefix) : fmt::format("{}{}_", kTemporarySchemaPrefix, node);
}
inline bool is_temporary(const SchemaDescriptor& schema) { return schema.name.starts_with(kTemporarySchemaPrefix); }

// A sequence as a virtual table of one row: last_value, log_cnt, is_called.
inline TablePtr sequence_relation(const SequenceDescriptor& sequence) {
  auto table = std::make_shared<TableDescriptor>();
  table->oid = sequence.oid;
  table->schema = sequence.schema;
  table->name = sequence.name;
  table->kind = RelationKind::kVirtual;
  table->owner = sequence.owner;
  const auto add = [&table](const char* name, Oid type) {
    ColumnDescriptor& column = table->columns.emplace_back();
    column.number = static_cast<AttributeNumber>(table->columns.size());
    column.name = name;
    column.type = {type};
    column.not_null = true;
  };
  add("last_value", types::oid::kInt8);
  add("log_cnt", types::oid::kInt8);
  add("is_called", types::oid::kBool);
  return table;
}

}  // namespace pando::catalog
