#pragma once

// The relations of pg_catalog, information_schema and pando, as descriptors: virtual tables, whose rows system_rows.h
// makes, and views, whose SQL is in system_views.h. Names, OIDs and columns of pg_catalog are PostgreSQL 15's.
//
//   Catalog catalog(store, {.system_relations = system_relations()});
//   PANDO_ASSIGN(auto chunks, system_rows(*table, *snapshot, sources));

#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/status.h"
#include "catalog/snapshot.h"
#include "catalog/statistics.h"
#include "types/vector.h"

namespace pando::catalog {

std::vector<TablePtr> system_relations();

// A cell before it takes the form of its column: numbers fit any numeric column, text is read as the column's text
// form.
using Cell = std::variant<std::monostate, bool, int64_t, double, std::string>;
using NamedCell = std::pair<std::string_view, Cell>;

// Collects the rows of one virtual table. Columns not named are NULL, or 0, '', false and '{}' where the column is NOT
// NULL.
class SystemRowWriter {
 public:
  explicit SystemRowWriter(const TableDescriptor& table) : table_(table) {}
  // REQUIRES: every name is a column of the table.
  void add(std::initializer_list<NamedCell> cells);
  // The rows as columns, all attributes in order.
  Result<std::vector<types::Chunk>> take() &&;

 private:
  Result<types::Value> convert(const ColumnDescriptor& column, const Cell& cell) const;
  const TableDescriptor& table_;
  std::vector<std::vector<Cell>> rows_;
};

// What the catalog cannot know: settings, functions, activity. Returns whether it wrote that relation's rows (possibly
// none). Given by the session.
using SystemRowSource = std::function<bool(std::string_view relation, SystemRowWriter& writer)>;

struct SystemRowContext {
  const Snapshot& snapshot;
  Oid database = 0;
  std::string database_name;
  SystemRowSource source;
  // The rows of a table as ANALYZE counted them, and the bytes it takes; null when nobody knows.
  Statistics* statistics = nullptr;
};

// One row of pg_database.
void write_database(Oid oid, const std::string& name, SystemRowWriter& writer);

// All rows of a virtual table; none for PostgreSQL's catalogs of features that Pando does not have.
Result<std::vector<types::Chunk>> system_rows(const TableDescriptor& table, const SystemRowContext& context);

}  // namespace pando::catalog
