#pragma once

// The logical plan: what a query means, as immutable plain data. bind makes it, optimize rewrites it and turns it into
// a physical plan (sql/plan/physical.h).
//
// Each node lists the ColumnIds it outputs, in order; ids are unique in the statement and each is defined by exactly
// one node. A node whose expressions name ids that no input outputs is correlated with an enclosing query.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "catalog/descriptor.h"
#include "sql/expr/expr.h"

namespace pando::sql {

// A column a node outputs.
struct OutputColumn {
  ColumnId id;
  std::string name;
  types::Type type;
  // Where it comes from, for RowDescription: 0 when it is computed.
  types::Oid table = 0;
  catalog::AttributeNumber attribute = 0;
};

// A column and the expression that defines it.
struct ProjectedColumn {
  OutputColumn column;
  ExprPtr expr;
};

// A stored table, or a virtual one of pg_catalog, information_schema or pando (kind kVirtual).
// `attributes[i]` is the attribute number of output column i. kRowKeyAttribute is the row's encoded key (bytea), by
// which DML and row locks name the row; kTableOidAttribute is tableoid.
struct ScanNode {
  catalog::TablePtr table;
  std::string alias;
  std::vector<catalog::AttributeNumber> attributes;
};
inline constexpr catalog::AttributeNumber kRowKeyAttribute = -100;
inline constexpr catalog::AttributeNumber kTableOidAttribute = -6;
inline constexpr catalog::AttributeNumber kCtidAttribute = -1;
inline constexpr catalog::AttributeNumber kXminAttribute = -2;

struct ValuesNode {
  std::vector<std::vector<ExprPtr>> rows;
};

struct ProjectNode {
  LogicalPtr input;
  // Columns passed on keep their ids (expr is a ColumnExpr of the same id).
  std::vector<ProjectedColumn> columns;
};

// Set-returning functions in the select list: outputs the input's columns and then the functions' (shorter ones padded
// with NULL), as PostgreSQL's ProjectSet.
struct ProjectSetNode {
  LogicalPtr input;
  std::vector<ProjectedColumn> functions;
};

struct FilterNode {
  LogicalPtr input;
  ExprPtr predicate;
};

enum class JoinKind : uint8_t { kInner, kLeft, kRight, kFull, kSemi, kAnti };

struct JoinNode {
  JoinKind kind = JoinKind::kInner;
  LogicalPtr left;
  LogicalPtr right;
  ExprPtr condition;  // null means true
  // The right side may name columns of the left (LATERAL). kInner and kLeft only.
  bool lateral = false;
  // kAnti made of NOT IN by the optimizer: a NULL on either side of its one equality makes the row fail.
  bool null_aware = false;
};

struct AggregateNode {
  LogicalPtr input;
  // One group for all rows when empty and `aggregates` or HAVING force aggregation.
  std::vector<ProjectedColumn> groups;
  std::vector<ProjectedColumn> aggregates;  // each expr is an AggregateExpr
  // Indexes into `groups`, one list per grouping set; empty means the single set of all groups.
  std::vector<std::vector<uint32_t>> grouping_sets;
};

struct WindowNode {
  LogicalPtr input;
  std::vector<ProjectedColumn> windows;  // each expr is a WindowExpr
};

struct SortKey {
  ExprPtr expr;
  bool descending = false;
  bool nulls_first = false;
};

struct SortNode {
  LogicalPtr input;
  std::vector<SortKey> keys;
};

struct LimitNode {
  LogicalPtr input;
  ExprPtr limit;   // null means none
  ExprPtr offset;  // null means none
  bool with_ties = false;
  std::vector<SortKey> ties;
};

// SELECT DISTINCT over all columns, or DISTINCT ON (on): the first row of each, in the input's order.
struct DistinctNode {
  LogicalPtr input;
  std::vector<ExprPtr> on;
};

enum class SetOperationKind : uint8_t { kUnion, kIntersect, kExcept };

struct SetOperationNode {
  SetOperationKind kind = SetOperationKind::kUnion;
  bool all = false;
  LogicalPtr left;
  LogicalPtr right;
  // The inputs' columns that take part, in the order of this node's outputs; types already agree.
  std::vector<ColumnId> left_columns;
  std::vector<ColumnId> right_columns;
};

// FROM function(...), ROWS FROM (...), with WITH ORDINALITY as the last column.
struct FunctionScanNode {
  struct Call {
    ExprPtr call;  // a CallExpr of a set-returning or scalar function, or any scalar expression
    std::vector<OutputColumn> columns;
  };
  std::vector<Call> calls;
  bool ordinality = false;
};

struct CteIdTag;
using CteId = StrongId<CteIdTag, uint32_t>;

// WITH: each definition may be read by later ones and by the body.
struct WithNode {
  struct Definition {
    CteId id;
    std::string name;
    LogicalPtr plan;
    // Evaluated once even when read once (MATERIALIZED, volatile, or modifying).
    bool materialized = false;
    // RECURSIVE: plan is the non-recursive term; `recursive` reads a WorkTableNode of this id.
    LogicalPtr recursive;
    bool recursive_all = true;
    std::vector<ColumnId> plan_columns;
    std::vector<ColumnId> recursive_columns;
  };
  std::vector<Definition> definitions;
  LogicalPtr body;
  // MERGE: the rows that definitions change count as the statement's own.
  bool counts_definitions = false;
};

// Reads a CTE (or, inside its recursive term, the previous step's rows). `sources[i]` is the definition's plan column
// that output column i reads.
struct CteScanNode {
  CteId cte;
  std::string alias;
  std::vector<ColumnId> sources;
  bool work_table = false;
};

// SELECT ... FOR UPDATE / SHARE: locks the rows named by the row-key columns.
struct LockRowsNode {
  struct Target {
    catalog::TablePtr table;
    ColumnId row_key;
    uint8_t strength = 3;     // txn::LockStrength
    uint8_t wait_policy = 0;  // txn::WaitPolicy
  };
  LogicalPtr input;
  std::vector<Target> targets;
};

// A column of the target table and the value it gets.
struct Assignment {
  catalog::AttributeNumber attribute = 0;
  ExprPtr value;
};

struct ConflictClause {
  // The arbiter: constraint or unique index OIDs; empty for DO NOTHING without a target.
  std::vector<types::Oid> indexes;
  bool update = false;
  // Names the existing row's columns by `existing`, the proposed row's (EXCLUDED) by `excluded`.
  std::vector<OutputColumn> existing;
  std::vector<OutputColumn> excluded;
  std::vector<Assignment> assignments;
  ExprPtr where;  // may be null
};

// What a row of the table must fulfil, its columns named by the node's `row` ids.
struct BoundCheck {
  enum class Kind : uint8_t {
    kConstraint,  // CHECK of the table: `name` is the constraint
    kViewOption,  // WITH CHECK OPTION: `name` is the view
    kDomain,      // CHECK of a column's domain: `name` is the constraint
    kDomainNotNull,
  };
  std::string name;
  ExprPtr condition;
  Kind kind = Kind::kConstraint;
  std::string domain;  // the domain's name
};

struct InsertNode {
  catalog::TablePtr table;
  LogicalPtr input;
  // The value of every live attribute, in attribute order, over the input's columns: defaults, identity and generated
  // columns included; assignment casts applied.
  std::vector<Assignment> values;
  std::optional<ConflictClause> on_conflict;
  // The row as stored, for checks, generated columns and RETURNING: one id per live attribute.
  std::vector<OutputColumn> row;
  std::vector<BoundCheck> checks;
  std::vector<ProjectedColumn> returning;
};

struct UpdateNode {
  catalog::TablePtr table;
  LogicalPtr input;
  // In the input: the row's key, and its current values (one id per live attribute, as `old_row`).
  ColumnId row_key;
  std::vector<OutputColumn> old_row;
  std::vector<Assignment> assignments;  // over the input's columns; generated columns included
  std::vector<OutputColumn> row;        // the new row
  std::vector<BoundCheck> checks;
  std::vector<ProjectedColumn> returning;  // over `row` and the input's columns
  // MERGE: an input that names a row twice is an error.
  bool rows_once = false;
};

struct DeleteNode {
  catalog::TablePtr table;
  LogicalPtr input;
  ColumnId row_key;
  std::vector<OutputColumn> old_row;
  std::vector<ProjectedColumn> returning;  // over the input's columns
  bool rows_once = false;                  // as in UpdateNode
};

struct LogicalNode {
  std::vector<OutputColumn> outputs;
  std::variant<ScanNode, ValuesNode, ProjectNode, ProjectSetNode, FilterNode, JoinNode, AggregateNode, WindowNode,
               SortNode, LimitNode, DistinctNode, SetOperationNode, FunctionScanNode, WithNode, CteScanNode,
               LockRowsNode, InsertNode, UpdateNode, DeleteNode>
      node;
};

template <typename Node>
LogicalPtr make_logical(std::vector<OutputColumn> outputs, Node node) {
  return std::make_shared<const LogicalNode>(LogicalNode{std::move(outputs), std::move(node)});
}

// The expressions of a table's definition, bound over a row of it: what writing a row must compute beside the
// statement's own expressions. The binder makes it from the descriptor's SQL texts.
struct TableExpressions {
  struct Index {
    types::Oid index = 0;
    // One per index column; null where the column is an attribute.
    std::vector<ExprPtr> columns;
    ExprPtr predicate;  // null for a full index
  };
  std::vector<OutputColumn> row;  // one per live attribute
  std::vector<Index> indexes;     // those with an expression or a predicate
  std::vector<BoundCheck> checks;
  std::vector<Assignment> defaults;   // of columns that have one; a constant NULL is left out
  std::vector<Assignment> generated;  // over `row`
};
using TableExpressionsPtr = std::shared_ptr<const TableExpressions>;

// A bound statement that yields rows or changes them.
struct LogicalQuery {
  LogicalPtr root;
  // The columns the client sees, in order: a subset of the root's outputs.
  std::vector<OutputColumn> result;
  // Types of $1, $2, ...
  std::vector<types::Type> parameters;
  // What it reads, that of views included; the same may be there twice.
  std::vector<types::Oid> tables;
  // Ids from here on are free: the optimizer makes new columns with them.
  uint32_t next_column_id = 0;
};

}  // namespace pando::sql
