#pragma once

// Scope: the names and the state of one query level while it is bound: what FROM makes visible, which aggregates,
// window functions and set-returning functions its expressions use. Internal to sql/bind. Thread-safety: none.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sql/ast/query.h"
#include "sql/plan/logical.h"

namespace pando::sql {

// Where an expression stands: decides what it may contain and how errors name the place.
enum class ExprPlace : uint8_t {
  kNone,
  kJoinCondition,
  kFromFunction,
  kWhere,
  kHaving,
  kFilter,
  kWindowPartition,
  kWindowOrder,
  kWindowFrame,
  kSelectItem,
  kInsertValue,
  kUpdateSource,
  kGroupBy,
  kOrderBy,
  kDistinctOn,
  kLimit,
  kOffset,
  kReturning,
  kValues,
  kCheck,
  kDefault,
  kIndexExpression,
  kIndexPredicate,
  kExecuteParameter,
  kCopyWhere,
  kGenerated,
  kCallArgument,
};
// "WHERE", for "aggregate functions are not allowed in WHERE".
std::string_view place_name(ExprPlace place);

// A relation, subquery, function or join that FROM makes visible.
struct NamespaceItem {
  // Alias or relation name; empty for a join without an alias.
  std::string name;
  // Of a relation without an alias: schema.table.column finds it.
  std::string schema;
  catalog::TablePtr table;
  // Named as the query sees them.
  std::vector<OutputColumn> columns;
  // ctid, tableoid, xmin and the row's key, when the scan gives them.
  std::vector<OutputColumn> system_columns;
  // The table's columns are its attributes in order, not yet renamed or merged: functional dependency can use them.
  bool is_table_scan = false;
  bool relation_visible = true;
  bool columns_visible = true;
  // Visible to LATERAL items only, and then perhaps not legally (the wrong side of an outer join).
  bool lateral_only = false;
  bool lateral_legal = true;
  // On the side of an outer join whose columns may be all NULL for want of a row. `presence` then tells, true or NULL;
  // joins add it once a statement has turned out to use a whole row of such an item.
  bool nullable = false;
  std::optional<OutputColumn> presence;
  // One column of a scalar function: the item's name as a value means the column.
  bool is_scalar_function = false;
};

struct CteEntry {
  std::string name;
  CteId id;
  std::vector<OutputColumn> columns;
  // The term that defines it is being bound: references read the work table.
  bool in_recursion = false;
  // Not usable yet (a forward reference), or while its own non-recursive term is bound.
  bool usable = true;
  int self_references = 0;
  // INSERT, UPDATE or DELETE without RETURNING.
  bool lacks_rows = false;
};

struct Scope {
  explicit Scope(Scope* parent) : parent(parent) {}

  Scope* parent = nullptr;
  std::vector<NamespaceItem> items;
  // The item being bound is LATERAL: items of the same FROM are visible.
  bool lateral_active = false;
  ExprPlace place = ExprPlace::kNone;

  std::vector<ProjectedColumn> aggregates;
  std::vector<ProjectedColumn> windows;
  // Set-returning functions of the select list, inner ones before those that use them.
  std::vector<ProjectedColumn> set_functions;
  // Nesting of a set function: one more than the deepest among its arguments.
  std::vector<int> set_function_levels;
  bool has_aggregates = false;
  // GROUPING(...): its column above the aggregation, and what it asks of.
  struct Grouping {
    OutputColumn column;
    std::vector<ExprPtr> arguments;
  };
  std::vector<Grouping> groupings;
  // Items of the WINDOW clause.
  const std::vector<ast::WindowDefinition>* window_definitions = nullptr;

  std::vector<CteEntry> ctes;
  // WITH tables whose definitions come later: named only to explain why they are not found.
  std::vector<std::string> later_ctes;
  // Items of FROM that the expression being bound may not name, kept to explain that.
  std::vector<NamespaceItem> hidden_items;
  // FROM names the recursive WITH query that is being defined.
  bool has_self_reference = false;

  // Columns of this level that inner queries used, outside aggregates of this level: must be grouped.
  struct Reference {
    ColumnId column;
    std::string name;
    int position = 0;
    // Its place in the binder's log: which aggregates it lies in follows.
    std::size_t log_index = 0;
  };
  std::vector<Reference> inner_references;
  // How often a LATERAL item named an item of the same FROM.
  int lateral_references = 0;
  // CASE, COALESCE: set-returning functions are refused inside, and the construct named.
  const char* no_set_functions_in = nullptr;
};

// A column or an aggregate that an expression named.
struct LoggedReference {
  Scope* level = nullptr;
  bool is_aggregate = false;
  int position = 0;
};

}  // namespace pando::sql
