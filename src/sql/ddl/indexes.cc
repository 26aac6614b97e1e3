#include <algorithm>
#include <array>

#include "sql/ddl/definition.h"

namespace pando::sql::ddl {
namespace {

constexpr std::string_view kHashMethodName = "hash";

// What PostgreSQL's hash indexes cannot do. Ours are stored as btree ones are.
Status check_hash_index(const ast::CreateIndex& statement) {
  const auto lacks = [](std::string_view what) {
    return Status(sql_state::kFeatureNotSupported, "access method \"hash\" does not support {}", what);
  };
  if (statement.unique) {
    return lacks("unique indexes");
  }
  if (statement.elements.size() > 1) {
    return lacks("multicolumn indexes");
  }
  if (!statement.including.empty()) {
    return lacks("included columns");
  }
  for (const auto& element : statement.elements) {
    if (element.direction != ast::SortBy::Direction::kDefault) {
      return lacks("ASC/DESC options");
    }
    if (element.nulls != ast::SortBy::Nulls::kDefault) {
      return lacks("NULLS FIRST/LAST options");
    }
  }
  return {};
}

Status check_supported(const ast::CreateIndex& statement) {
  constexpr std::array kUnsupported = {"gin", "gist", "spgist", "brin"};
  if (std::ranges::find(kUnsupported, statement.access_method) != kUnsupported.end()) {
    return Status(sql_state::kFeatureNotSupported, "access method \"{}\" is not supported", statement.access_method)
        .with_hint("Use a btree index.");
  }
  if (statement.access_method == kHashMethodName) {
    PANDO_TRY(check_hash_index(statement));
  } else if (!statement.access_method.empty() && statement.access_method != "btree") {
    return Status(sql_state::kUndefinedObject, "access method \"{}\" does not exist", statement.access_method);
  }
  if (statement.elements.size() + statement.including.size() > kIndexColumnsMax) {
    return Status(sql_state::kTooManyColumns, "cannot use more than {} columns in an index", kIndexColumnsMax);
  }
  return {};
}

Result<catalog::IndexColumn> index_column(const ast::IndexElement& element, const TablePtr& table,
                                          Definition& definition) {
  catalog::IndexColumn column;
  if (element.expr) {
    PANDO_ASSIGN(const ExprPtr expr, bind_table_expression(*element.expr, table, types::Type(), "index expressions",
                                                           definition.bind_options()));
    if (!is_immutable(expr)) {
      return Status(sql_state::kInvalidObjectDefinition, "functions in index expression must be marked IMMUTABLE");
    }
    column.expression_sql = print_expr(expr, definition.stored_print_options());
  } else {
    const ColumnDescriptor* found = table->find_column(element.column);
    if (found == nullptr) {
      return Status(sql_state::kUndefinedColumn, "column \"{}\" does not exist", element.column);
    }
    if (found->type.oid == types::oid::kJson) {
      return Status(sql_state::kUndefinedObject,
                    "data type json has no default operator class for access method \"btree\"")
          .with_hint(
              "You must specify an operator class for the index or define a default operator class for the data type.");
    }
    column.attribute = found->number;
  }
  column.descending = element.direction == ast::SortBy::Direction::kDescending;
  column.nulls_first =
      element.nulls == ast::SortBy::Nulls::kDefault ? column.descending : element.nulls == ast::SortBy::Nulls::kFirst;
  return column;
}

// The name PostgreSQL gives: the columns joined, "expr" for expressions.
std::string default_name(const ast::CreateIndex& statement, const TableDescriptor& table, Definition& definition) {
  std::string columns;
  std::vector<std::string> used;
  for (const auto& element : statement.elements) {
    std::string name = element.expr ? "expr" : element.column;
    if (const auto* call = element.expr ? std::get_if<ast::FunctionCall>(&element.expr->node) : nullptr) {
      name = call->name.back();
    }
    const std::string base = name;
    for (int i = 1; std::ranges::find(used, name) != used.end(); ++i) {
      name = fmt::format("{}{}", base, i);
    }
    used.push_back(name);
    columns += (columns.empty() ? "" : "_") + name;
  }
  return definition.choose_relation_name(table.schema, table.name, columns, "idx");
}

}  // namespace

Task<Result<std::string>> create_index(const ast::CreateIndex* statement, Definition* definition) {
  const std::string tag = "CREATE INDEX";
  PANDO_CO_TRY(check_supported(*statement));
  PANDO_CO_ASSIGN(const TablePtr table, co_await definition->lock_named(statement->table, &Definition::find_indexable));
  const SchemaPtr schema = definition->snapshot()->find_schema(table->schema);
  IndexDescriptor index;
  index.name = statement->name.empty() ? default_name(*statement, *table, *definition) : statement->name;
  auto claimed = co_await definition->claim_relation_name(schema, index.name);
  if (!claimed.ok()) {
    if (statement->if_not_exists && claimed.is(sql_state::kDuplicateTable)) {
      definition->notice(fmt::format("relation \"{}\" already exists, skipping", index.name),
                         sql_state::kDuplicateTable);
      co_return tag;
    }
    co_return claimed;
  }
  PANDO_CO_ASSIGN(index.oid, co_await definition->allocate_oid());
  index.unique = statement->unique;
  index.method = statement->access_method == kHashMethodName ? kHashMethodName : index.method;
  index.nulls_not_distinct = statement->nulls_not_distinct;
  for (const auto& element : statement->elements) {
    PANDO_CO_ASSIGN(auto column, index_column(element, table, *definition));
    index.columns.push_back(std::move(column));
  }
  for (const auto& element : statement->including) {
    PANDO_CO_ASSIGN(const AttributeNumber attribute, Definition::find_attribute(*table, element.column));
    index.included.push_back(attribute);
  }
  if (statement->where) {
    PANDO_CO_ASSIGN(const ExprPtr predicate, bind_table_expression(*statement->where, table, {types::oid::kBool},
                                                                   "index predicates", definition->bind_options()));
    if (!is_immutable(predicate)) {
      co_return Status(sql_state::kInvalidObjectDefinition, "functions in index predicate must be marked IMMUTABLE");
    }
    index.predicate_sql = print_expr(predicate, definition->stored_print_options());
  }
  TableDescriptor changed = *table;
  index.id = changed.next_index_id;
  changed.next_index_id = catalog::IndexId(index.id.number() + 1);
  changed.indexes.push_back(std::move(index));
  if (!is_populated(*table)) {
    PANDO_CO_TRY(co_await definition->put_table(std::move(changed)));
    co_return tag;
  }
  PANDO_CO_ASSIGN(const bool is_for_job, co_await definition->leaves_rows_to_job(table));
  if (is_for_job) {
    IndexDescriptor& added = changed.indexes.back();
    added.readable = false;
    *definition->context().job = {
        .kind = catalog::JobKind::kBuildIndex, .table = table->oid, .place = table->id, .index = added.oid};
    PANDO_CO_TRY(co_await definition->put_table(std::move(changed)));
    co_return tag;
  }
  PANDO_CO_TRY(co_await definition->rewrite(table, std::move(changed), true));
  co_return tag;
}

}  // namespace pando::sql::ddl
