#pragma once

// The syntax tree of expressions, as written: nothing is resolved. Plain data, made by sql/parse and read by sql/bind.
//
//   if (const auto* call = std::get_if<ast::FunctionCall>(&expr.node)) { ... call->name.back() ... }
//
// Names are already folded to lower case unless they were quoted. A location is the byte offset of the construct's
// most telling token in the statement text, as PostgreSQL reports it, or kNoLocation.
// Thread-safety: as plain data. A tree owns all of itself.

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "sql/ast/literal.h"

namespace pando::ast {

using Location = int32_t;
inline constexpr Location kNoLocation = -1;

struct Expr;
struct Select;
using ExprPtr = std::unique_ptr<Expr>;
using ExprList = std::vector<ExprPtr>;

// A possibly qualified name: {"schema", "name"} or {"name"}.
using QualifiedName = std::vector<std::string>;

// a, t.a, s.t.a, and with `star` t.* or *.
struct ColumnRef {
  QualifiedName names;
  bool star = false;
};

// $number, from 1.
struct ParameterRef {
  int32_t number = 0;
};

struct TypeName {
  QualifiedName names;
  // numeric(10,2): the expressions in parentheses, usually constants.
  ExprList modifiers;
  // One entry per [] or [n], -1 when no bound was written.
  std::vector<int32_t> array_bounds;
  bool setof = false;
  // table.column%TYPE
  bool percent_type = false;
  Location location = kNoLocation;
};

// a + b, -a (no left), and LIKE, ILIKE, SIMILAR TO as the operators ~~, ~~*, ~ with their escape already wrapped.
struct Operation {
  enum class Syntax : uint8_t { kOperator, kLike, kIlike, kSimilar };
  QualifiedName name;
  ExprPtr left;
  ExprPtr right;
  Syntax syntax = Syntax::kOperator;
};

// a op ANY (array) or a op ALL (array).
struct ArrayComparison {
  QualifiedName name;
  ExprPtr left;
  ExprPtr right;
  bool all = false;
};

// a IS [NOT] DISTINCT FROM b.
struct DistinctTest {
  ExprPtr left;
  ExprPtr right;
  bool negated = false;
};

struct NullIf {
  ExprPtr left;
  ExprPtr right;
};

// a [NOT] IN (list).
struct InList {
  ExprPtr operand;
  ExprList list;
  bool negated = false;
};

struct Between {
  ExprPtr operand;
  ExprPtr low;
  ExprPtr high;
  bool negated = false;
  bool symmetric = false;
};

struct Logical {
  enum class Kind : uint8_t { kAnd, kOr, kNot };
  Kind kind = Kind::kAnd;
  ExprList operands;
};

// One step of a.b[1].c: a field, a subscript, a slice or a star.
struct Indirection {
  enum class Kind : uint8_t { kField, kSubscript, kSlice, kStar };
  Kind kind = Kind::kField;
  std::string field;
  // Bounds of a slice may be missing; a subscript has only `upper`.
  ExprPtr lower;
  ExprPtr upper;
};
struct IndirectionExpr {
  ExprPtr operand;
  std::vector<Indirection> steps;
};

struct ArrayConstructor {
  ExprList elements;
};

struct SortBy {
  enum class Direction : uint8_t { kDefault, kAscending, kDescending, kUsing };
  enum class Nulls : uint8_t { kDefault, kFirst, kLast };
  ExprPtr expr;
  Direction direction = Direction::kDefault;
  Nulls nulls = Nulls::kDefault;
  // For USING.
  QualifiedName operator_name;
  Location location = kNoLocation;
};

struct WindowFrame {
  enum class Mode : uint8_t { kRange, kRows, kGroups };
  enum class Bound : uint8_t { kUnboundedPreceding, kPreceding, kCurrentRow, kFollowing, kUnboundedFollowing };
  enum class Exclusion : uint8_t { kNone, kCurrentRow, kGroup, kTies };
  // False when the clause was not written; the other fields then hold SQL's default frame.
  bool written = false;
  Mode mode = Mode::kRange;
  Bound start = Bound::kUnboundedPreceding;
  Bound end = Bound::kCurrentRow;
  Exclusion exclusion = Exclusion::kNone;
  ExprPtr start_offset;
  ExprPtr end_offset;
};

// OVER (...), OVER name (name set, nothing else), or an item of the WINDOW clause (name set).
struct WindowDefinition {
  std::string name;
  // The window this one extends: OVER (refname ...).
  std::string reference;
  ExprList partition_by;
  std::vector<SortBy> order_by;
  WindowFrame frame;
  Location location = kNoLocation;
};

struct FunctionCall {
  QualifiedName name;
  ExprList arguments;
  // Inside the parentheses, or WITHIN GROUP when `within_group`.
  std::vector<SortBy> order_by;
  ExprPtr filter;
  std::unique_ptr<WindowDefinition> over;
  bool within_group = false;
  bool star = false;
  bool distinct = false;
  bool variadic = false;
  // Written in SQL's own syntax, EXTRACT(...) or a AT TIME ZONE b, and to be printed so.
  bool sql_syntax = false;
};

// name => value in a call.
struct NamedArgument {
  std::string name;
  ExprPtr value;
};

struct Cast {
  ExprPtr operand;
  TypeName type;
};

struct Collate {
  ExprPtr operand;
  QualifiedName collation;
};

struct CaseExpr {
  struct When {
    ExprPtr condition;
    ExprPtr result;
    Location location = kNoLocation;
  };
  ExprPtr operand;
  std::vector<When> whens;
  ExprPtr otherwise;
};

struct Coalesce {
  ExprList arguments;
};

struct MinMax {
  bool greatest = true;
  ExprList arguments;
};

struct Subquery {
  // kAny and kAll have an operand and an operator name; IN is kAny without one.
  enum class Kind : uint8_t { kScalar, kExists, kAny, kAll, kArray };
  Kind kind = Kind::kScalar;
  ExprPtr operand;
  QualifiedName operator_name;
  std::unique_ptr<Select> query;
};

struct NullTest {
  ExprPtr operand;
  bool negated = false;
};

struct BooleanTest {
  enum class Kind : uint8_t { kTrue, kNotTrue, kFalse, kNotFalse, kUnknown, kNotUnknown };
  ExprPtr operand;
  Kind kind = Kind::kTrue;
};

// ROW(a, b) or, implicit, (a, b).
struct RowConstructor {
  ExprList fields;
  bool explicit_row = false;
};

// CURRENT_DATE and its kin, which are keywords and not function calls.
struct SqlValueFunction {
  enum class Kind : uint8_t {
    kCurrentDate,
    kCurrentTime,
    kCurrentTimestamp,
    kLocalTime,
    kLocalTimestamp,
    kCurrentRole,
    kCurrentUser,
    kUser,
    kSessionUser,
    kCurrentCatalog,
    kCurrentSchema,
  };
  Kind kind = Kind::kCurrentDate;
  // CURRENT_TIME(precision), or -1.
  int32_t precision = -1;
};

struct GroupingCall {
  ExprList arguments;
};

// An item of GROUP BY.
struct GroupingSet {
  enum class Kind : uint8_t { kEmpty, kRollup, kCube, kSets };
  Kind kind = Kind::kEmpty;
  ExprList content;
};

// DEFAULT in VALUES or SET.
struct DefaultMarker {};

// WHERE CURRENT OF cursor.
struct CurrentOf {
  std::string cursor;
};

// Parses, and is refused with 0A000 "... is not supported" naming `feature`.
struct UnsupportedExpr {
  std::string feature;
};

struct Expr {
  using Node = std::variant<Constant, ColumnRef, ParameterRef, Operation, ArrayComparison, DistinctTest, NullIf, InList,
                            Between, Logical, IndirectionExpr, ArrayConstructor, FunctionCall, NamedArgument, Cast,
                            Collate, CaseExpr, Coalesce, MinMax, Subquery, NullTest, BooleanTest, RowConstructor,
                            SqlValueFunction, GroupingCall, GroupingSet, DefaultMarker, CurrentOf, UnsupportedExpr>;
  Node node;
  Location location = kNoLocation;

  Expr();
  Expr(Node node, Location location);
  Expr(Expr&&) noexcept;
  Expr& operator=(Expr&&) noexcept;
  ~Expr();
};

}  // namespace pando::ast
