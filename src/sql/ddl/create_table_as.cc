#include <algorithm>

#include "sql/ddl/definition.h"

namespace pando::sql::ddl {
namespace {

Result<std::vector<ColumnDescriptor>> columns_of_query(const std::vector<std::string>& names,
                                                       const LogicalQuery& query) {
  if (names.size() > query.result.size()) {
    return Status(sql_state::kSyntaxError, "too many column names were specified");
  }
  std::vector<ColumnDescriptor> columns;
  for (const OutputColumn& result : query.result) {
    ColumnDescriptor column;
    const std::size_t i = columns.size();
    column.number = static_cast<AttributeNumber>(i + 1);
    column.name = i < names.size() ? names[i] : result.name;
    column.type = result.type.oid == types::oid::kUnknown ? types::Type{types::oid::kText} : result.type;
    if (std::ranges::find(columns, column.name, &ColumnDescriptor::name) != columns.end()) {
      return Status(sql_state::kDuplicateColumn, "column \"{}\" specified more than once", column.name);
    }
    const types::TypeInfo* type = types::find_type(column.type.oid);
    if (type == nullptr || type->kind == 'p') {
      return Status(sql_state::kInvalidTableDefinition, "column \"{}\" has pseudo-type {}", column.name,
                    types::format_type(column.type));
    }
    columns.push_back(std::move(column));
  }
  return columns;
}

// Puts the query's rows into `table`, whose columns are the query's.
LogicalQuery insert_of(TablePtr table, LogicalQuery query) {
  InsertNode insert{.table = table, .input = query.root};
  uint32_t next = query.next_column_id;
  for (std::size_t i = 0; i < query.result.size(); ++i) {
    const ColumnDescriptor& column = table->columns[i];
    const OutputColumn& source = query.result[i];
    ExprPtr value = make_expr(source.type, ColumnExpr{source.id, source.name});
    insert.values.push_back({column.number, std::move(value)});
    insert.row.push_back({.id = ColumnId(next++),
                          .name = column.name,
                          .type = column.type,
                          .table = table->oid,
                          .attribute = column.number});
  }
  return {
      .root = make_logical({}, std::move(insert)), .parameters = std::move(query.parameters), .next_column_id = next};
}

Task<Result<LogicalQuery>> bind_source(const ast::Statement* source, Definition* definition) {
  if (const auto* execute = std::get_if<ast::Execute>(&source->node)) {
    co_return co_await definition->context().queries.prepared(execute);
  }
  PANDO_CO_ASSIGN(LogicalQuery query, bind_query(*source, definition->bind_options()));
  if (!query.parameters.empty()) {
    co_return Status(sql_state::kUndefinedParameter, "there is no parameter $1");
  }
  co_return query;
}

Status check_storage(const ast::CreateTableAs& statement) {
  if (!statement.tablespace.empty() && statement.tablespace != "pg_default") {
    return Status(sql_state::kUndefinedObject, "tablespace \"{}\" does not exist", statement.tablespace);
  }
  if (!statement.access_method.empty() && statement.access_method != "heap") {
    return Status(sql_state::kUndefinedObject, "access method \"{}\" does not exist", statement.access_method);
  }
  return {};
}

}  // namespace

Task<Result<std::string>> create_table_as(const ast::CreateTableAs* statement, Definition* definition) {
  const std::string tag = statement->materialized_view ? "CREATE MATERIALIZED VIEW" : "CREATE TABLE AS";
  PANDO_CO_TRY(check_storage(*statement));
  PANDO_CO_ASSIGN(const SchemaPtr schema, co_await definition->schema_for(statement->name));
  auto claimed = co_await definition->claim_relation_name(schema, statement->name.name);
  if (!claimed.ok()) {
    if (statement->if_not_exists && claimed.is(sql_state::kDuplicateTable)) {
      definition->notice(fmt::format("relation \"{}\" already exists, skipping", statement->name.name),
                         sql_state::kDuplicateTable);
      co_return tag;
    }
    co_return claimed;
  }
  PANDO_CO_ASSIGN(LogicalQuery query, co_await bind_source(statement->query.get(), definition));
  TableDescriptor table;
  PANDO_CO_ASSIGN(table.columns, columns_of_query(statement->columns, query));
  PANDO_CO_ASSIGN(table.oid, co_await definition->allocate_oid());
  PANDO_CO_ASSIGN(table.row_type, co_await definition->allocate_oid());
  table.id = catalog::TableId(table.oid);
  definition->claim_rows(table);
  table.schema = schema->oid;
  table.name = statement->name.name;
  table.unlogged = statement->name.persistence == ast::RelationName::Persistence::kUnlogged;
  table.owner = definition->current_owner();
  table.temporary = is_temporary(*schema);
  if (statement->materialized_view) {
    table.kind = kMaterializedView;
    table.view_sql = stored_query(std::get<ast::Select>(statement->query->node), *definition);
    table.id = statement->with_data ? table.id : kNowhere;
  }
  const auto stored = std::make_shared<const TableDescriptor>(std::move(table));
  PANDO_CO_TRY(co_await definition->catalog().put(stored));
  if (!statement->with_data) {
    // As in PostgreSQL, an EXECUTE says how many rows it has put in.
    co_return std::holds_alternative<ast::Execute>(statement->query->node) ? "SELECT 0" : tag;
  }
  PANDO_CO_ASSIGN(const uint64_t rows, co_await definition->context().queries.run(insert_of(stored, std::move(query))));
  co_return fmt::format("SELECT {}", rows);
}

Task<Result<std::string>> refresh_materialized_view(const ast::RefreshMaterializedView* statement,
                                                    Definition* definition) {
  PANDO_CO_ASSIGN(const TablePtr found, definition->find_relation(statement->name));
  if (found->kind != kMaterializedView) {
    co_return Status(sql_state::kFeatureNotSupported, "\"{}\" is not a materialized view", found->name);
  }
  if (statement->concurrently && !statement->with_data) {
    co_return Status(sql_state::kSyntaxError, "REFRESH options CONCURRENTLY and WITH NO DATA cannot be used together");
  }
  PANDO_CO_ASSIGN(const TablePtr before, co_await definition->lock_for_change(found->oid));
  const bool has_key = std::ranges::any_of(before->indexes, [](const IndexDescriptor& index) {
    return index.unique && index.predicate_sql.empty() &&
           std::ranges::all_of(index.columns, [](const catalog::IndexColumn& key) { return key.attribute != 0; });
  });
  if (statement->concurrently && !is_populated(*before)) {
    co_return Status(sql_state::kObjectNotInPrerequisiteState,
                     "CONCURRENTLY cannot be used when the materialized view is not populated");
  }
  if (statement->concurrently && !has_key) {
    co_return Status(sql_state::kObjectNotInPrerequisiteState, "cannot refresh materialized view \"{}\" concurrently",
                     definition->qualified_name(*before))
        .with_hint("Create a unique index with no WHERE clause on one or more columns of the materialized view.");
  }
  TableDescriptor changed = *before;
  changed.id = kNowhere;
  if (statement->with_data) {
    PANDO_CO_ASSIGN(const Oid place, co_await definition->allocate_oid());
    changed.id = catalog::TableId(place);
    definition->claim_rows(changed);
    BindOptions bind = definition->bind_options();
    bind.text = before->view_sql;
    PANDO_CO_ASSIGN(const ast::StatementPtr parsed, bind.parse_statement(before->view_sql));
    PANDO_CO_ASSIGN(LogicalQuery query, bind_query(*parsed, bind));
    const auto target = std::make_shared<const TableDescriptor>(changed);
    PANDO_CO_TRY((co_await definition->context().queries.run(insert_of(target, std::move(query)))).status());
  }
  if (is_populated(*before)) {
    definition->discard_rows(*before);
  }
  PANDO_CO_TRY(co_await definition->put_table(std::move(changed)));
  co_return std::string("REFRESH MATERIALIZED VIEW");
}

}  // namespace pando::sql::ddl
