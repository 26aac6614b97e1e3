#include <algorithm>

#include "sql/ddl/definition.h"

namespace pando::sql::ddl {
namespace {

Status refuse_referenced(const TableDescriptor& table, const TableDescriptor& referencing) {
  return Status(sql_state::kFeatureNotSupported, "cannot truncate a table referenced in a foreign key constraint")
      .with_detail(fmt::format("Table \"{}\" references \"{}\".", referencing.name, table.name))
      .with_hint(fmt::format("Truncate table \"{}\" at the same time, or use TRUNCATE ... CASCADE.", referencing.name));
}

// The tables named and, with CASCADE, all that refer to them.
Task<Result<std::vector<TablePtr>>> tables_to_truncate(const ast::Truncate* statement, Definition* definition) {
  std::vector<TablePtr> tables;
  for (const auto& name : statement->tables) {
    PANDO_CO_ASSIGN(const TablePtr locked, co_await definition->lock_named(name, &Definition::find_table));
    tables.push_back(locked);
  }
  const auto is_listed = [&](Oid oid) {
    return std::ranges::any_of(tables, [&](const TablePtr& t) { return t->oid == oid; });
  };
  for (std::size_t i = 0; i < tables.size(); ++i) {
    for (const TablePtr& referencing : definition->snapshot()->referencing_tables(tables[i]->oid)) {
      if (is_listed(referencing->oid)) {
        continue;
      }
      if (statement->behavior == ast::DropBehavior::kRestrict) {
        co_return refuse_referenced(*tables[i], *referencing);
      }
      definition->notice(fmt::format("truncate cascades to table \"{}\"", referencing->name));
      PANDO_CO_ASSIGN(const TablePtr locked, co_await definition->lock_for_change(referencing->oid));
      tables.push_back(locked);
    }
  }
  co_return tables;
}

}  // namespace

// The table gets a new, empty place: the work does not depend on how many rows there were.
Task<Result<std::string>> truncate(const ast::Truncate* statement, Definition* definition) {
  PANDO_CO_ASSIGN(const auto tables, co_await tables_to_truncate(statement, definition));
  for (const TablePtr& table : tables) {
    PANDO_CO_TRY(co_await definition->rewrite(table, *table, false));
    if (!statement->restart_identity) {
      continue;
    }
    for (const auto& [oid, sequence] : definition->snapshot()->sequences()) {
      if (sequence->owner_table == table->oid) {
        PANDO_CO_TRY(co_await definition->context().sequences.set(sequence, {sequence->start, false},
                                                                  definition->context().executor));
      }
    }
  }
  co_return std::string("TRUNCATE TABLE");
}

}  // namespace pando::sql::ddl
