#pragma once

// The syntax tree of queries and data changes: SELECT in all its forms, INSERT, UPDATE, DELETE. Plain data; see
// sql/ast/expression.h for the conventions.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "sql/ast/expression.h"

namespace pando::ast {

struct Statement;
struct FromItem;
using FromItemPtr = std::unique_ptr<FromItem>;

// A relation's name where one is expected; also the target of INSERT, CREATE TABLE and so on.
struct RelationName {
  std::string catalog;
  std::string schema;
  std::string name;
  // False after ONLY.
  bool inherit = true;
  enum class Persistence : uint8_t { kPermanent, kUnlogged, kTemporary };
  Persistence persistence = Persistence::kPermanent;
  Location location = kNoLocation;
};

struct Alias {
  std::string name;
  std::vector<std::string> columns;
};

struct ColumnDefinitionItem {
  std::string name;
  TypeName type;
  QualifiedName collation;
  Location location = kNoLocation;
};

// TABLESAMPLE method (arguments) REPEATABLE (seed).
struct TableSample {
  QualifiedName method;
  ExprList arguments;
  ExprPtr seed;  // null without REPEATABLE
  Location location = kNoLocation;
};

struct FromTable {
  RelationName name;
  std::optional<Alias> alias;
  std::unique_ptr<TableSample> sample;  // null for all rows
};

struct FromSubquery {
  std::unique_ptr<Select> query;
  std::optional<Alias> alias;
  bool lateral = false;
};

// f(x) [WITH ORDINALITY] or ROWS FROM (f(x), g(y)).
struct FromFunction {
  struct Item {
    ExprPtr call;
    std::vector<ColumnDefinitionItem> columns;
  };
  std::vector<Item> functions;
  std::optional<Alias> alias;
  // AS t(a int, b text) after a single function.
  std::vector<ColumnDefinitionItem> columns;
  bool lateral = false;
  bool ordinality = false;
  bool rows_from = false;
};

struct FromJoin {
  enum class Kind : uint8_t { kInner, kLeft, kRight, kFull };
  Kind kind = Kind::kInner;
  FromItemPtr left;
  FromItemPtr right;
  bool natural = false;
  std::vector<std::string> using_columns;
  // JOIN ... USING (...) AS alias
  std::optional<Alias> using_alias;
  // Neither ON nor USING nor NATURAL: a cross join.
  ExprPtr condition;
  std::optional<Alias> alias;
};

// XMLTABLE: refused with 0A000 at bind.
struct FromUnsupported {
  std::string feature;
};

struct FromItem {
  std::variant<FromTable, FromSubquery, FromFunction, FromJoin, FromUnsupported> node;
  Location location = kNoLocation;
};

// An item of a select list or RETURNING.
struct SelectItem {
  ExprPtr expr;
  // Empty when no AS was written.
  std::string name;
  Location location = kNoLocation;
};

struct CommonTable {
  enum class Materialize : uint8_t { kDefault, kAlways, kNever };
  std::string name;
  std::vector<std::string> columns;
  Materialize materialize = Materialize::kDefault;
  std::unique_ptr<Statement> query;
  Location location = kNoLocation;
};

struct WithClause {
  std::vector<CommonTable> tables;
  bool recursive = false;
  Location location = kNoLocation;
};

struct LockingClause {
  enum class Strength : uint8_t { kKeyShare, kShare, kNoKeyUpdate, kUpdate };
  enum class Wait : uint8_t { kBlock, kSkipLocked, kNoWait };
  // Empty: all tables of the query.
  std::vector<RelationName> relations;
  Strength strength = Strength::kUpdate;
  Wait wait = Wait::kBlock;
};

struct SelectCore {
  // DISTINCT without ON has `distinct` and no expressions.
  bool distinct = false;
  ExprList distinct_on;
  std::vector<SelectItem> items;
  std::vector<FromItemPtr> from;
  ExprPtr where;
  ExprList group_by;
  bool group_distinct = false;
  ExprPtr having;
  std::vector<WindowDefinition> windows;
};

struct ValuesLists {
  std::vector<ExprList> rows;
};

struct SetOperation {
  enum class Kind : uint8_t { kUnion, kIntersect, kExcept };
  Kind kind = Kind::kUnion;
  bool all = false;
  std::unique_ptr<Select> left;
  std::unique_ptr<Select> right;
};

struct Select {
  std::variant<SelectCore, ValuesLists, SetOperation> body;
  std::unique_ptr<WithClause> with;
  std::vector<SortBy> order_by;
  ExprPtr limit;
  ExprPtr offset;
  // FETCH FIRST n ROWS WITH TIES
  bool with_ties = false;
  std::vector<LockingClause> locking;
};

// One column of an INSERT's column list, or the left side of SET.
struct TargetColumn {
  std::string name;
  std::vector<Indirection> indirection;
  Location location = kNoLocation;
};

// SET a = value, or `multiple` SET (a, b) = value.
struct Assignment {
  std::vector<TargetColumn> targets;
  ExprPtr value;
  bool multiple = false;
};

struct OnConflict {
  bool do_update = false;
  // The inference: either elements with a predicate, or a constraint's name, or neither.
  struct Element {
    std::string column;
    ExprPtr expr;
    QualifiedName collation;
    QualifiedName operator_class;
  };
  std::vector<Element> elements;
  ExprPtr element_where;
  std::string constraint;
  std::vector<Assignment> assignments;
  ExprPtr where;
  Location location = kNoLocation;
  Location inference_location = kNoLocation;
};

struct Insert {
  enum class Overriding : uint8_t { kNone, kUserValue, kSystemValue };
  RelationName table;
  std::string alias;
  std::vector<TargetColumn> columns;
  // Null for DEFAULT VALUES.
  std::unique_ptr<Select> source;
  std::optional<OnConflict> on_conflict;
  std::vector<SelectItem> returning;
  std::unique_ptr<WithClause> with;
  Overriding overriding = Overriding::kNone;
};

struct Update {
  RelationName table;
  std::string alias;
  std::vector<Assignment> assignments;
  std::vector<FromItemPtr> from;
  ExprPtr where;
  std::vector<SelectItem> returning;
  std::unique_ptr<WithClause> with;
};

struct Delete {
  RelationName table;
  std::string alias;
  std::vector<FromItemPtr> using_items;
  ExprPtr where;
  std::vector<SelectItem> returning;
  std::unique_ptr<WithClause> with;
};

struct Merge {
  struct When {
    enum class Action : uint8_t { kNothing, kInsert, kUpdate, kDelete };
    bool matched = false;
    // AND condition; may be null.
    ExprPtr condition;
    Action action = Action::kNothing;
    std::vector<Assignment> assignments;
    // INSERT: the column list, and the values; no values for DEFAULT VALUES.
    std::vector<TargetColumn> columns;
    ExprList values;
    Insert::Overriding overriding = Insert::Overriding::kNone;
  };
  RelationName table;
  std::string alias;
  FromItemPtr source;
  ExprPtr condition;
  std::vector<When> whens;
  std::unique_ptr<WithClause> with;
  Location location = kNoLocation;
};

}  // namespace pando::ast
