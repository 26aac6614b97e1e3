// Services: how many bytes objects take, about, as the store estimates it.

#include "catalog/keys.h"
#include "catalog/relation_forms.h"
#include "session/services.h"

namespace pando::session {
namespace {

using types::Oid;

uint64_t bytes_below(const SessionEnvironment& environment, const Bytes& prefix) {
  return environment.store.approximate_bytes({prefix, prefix_end(prefix)});
}

}  // namespace

uint64_t Services::stored_bytes(const catalog::TableDescriptor& table, std::string_view function) {
  if (!catalog::has_rows(table)) {
    return 0;
  }
  const uint64_t rows = bytes_below(environment_, catalog::index_prefix(table.id, catalog::kRowIndexId));
  if (function == "pg_relation_size" || function == "pg_table_size") {
    return rows;
  }
  const uint64_t all = bytes_below(environment_, catalog::table_prefix(table.id));
  return function == "pg_total_relation_size" ? all : all - std::min(all, rows);
}

// pg_relation_size() and its kin; nullopt when there is no such relation.
std::optional<std::string> Services::relation_size(std::string_view function, Oid relation) {
  const auto snapshot = transaction_.catalog_snapshot();
  if (const auto table = snapshot->find_table(relation)) {
    return std::to_string(stored_bytes(*table, function));
  }
  if (const auto table = snapshot->find_index_table(relation)) {
    const catalog::IndexDescriptor* index = table->find_index(relation);
    // A primary key's entries are the rows.
    const bool has_entries = function != "pg_indexes_size" && !index->primary;
    return std::to_string(has_entries ? bytes_below(environment_, catalog::index_prefix(table->id, index->id)) : 0);
  }
  return snapshot->find_sequence(relation) == nullptr ? std::nullopt : std::optional<std::string>("0");
}

Result<std::optional<std::string>> Services::database_size(std::string_view database) {
  if (database != fact("current_database")) {
    return Status(sql_state::kFeatureNotSupported, "the size of another database is not known");
  }
  uint64_t bytes = 0;
  for (const auto& [oid, table] : transaction_.catalog_snapshot()->tables()) {
    bytes += stored_bytes(*table, "pg_total_relation_size");
  }
  return std::optional(std::to_string(bytes));
}

}  // namespace pando::session
