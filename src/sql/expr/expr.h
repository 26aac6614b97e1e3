#pragma once

// Bound expressions: typed, resolved, immutable plain data. The binder makes them, the optimizer rewrites them (by
// making new ones), the executor compiles them against the slots of its input.
//
// Columns are named by ColumnId, unique within one statement: a plan node lists the ids it outputs, and an expression
// that names an id which its input does not output is correlated (the id belongs to an outer query).
//
// Sharing: nodes are shared and never change. Thread-safety: immutable.

#include <compare>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "base/strong_id.h"
#include "types/type.h"
#include "types/value.h"

namespace pando::sql {

struct ColumnIdTag;
using ColumnId = StrongId<ColumnIdTag, uint32_t>;

struct Expr;
using ExprPtr = std::shared_ptr<const Expr>;

// Static, immutable entries of sql/function's tables.
struct Function;
// A subquery's plan, of sql/plan.
struct LogicalNode;
using LogicalPtr = std::shared_ptr<const LogicalNode>;

struct ConstantExpr {
  types::Value value;
};

struct ColumnExpr {
  ColumnId column;
  // For messages and EXPLAIN: "t.a".
  std::string name;
};

// $n of a prepared statement, a constant lifted out by the fingerprint, or a value an Apply passes to its inner plan.
struct ParameterExpr {
  uint32_t index = 0;  // 0-based
};

// A function, operator or cast function applied to arguments that already have the function's argument types.
struct CallExpr {
  const Function* function = nullptr;
  std::vector<ExprPtr> arguments;
  // How it was written, for printing: "+" for an operator, "lower" for a function, "" for an implicit cast.
  std::string spelling;
  // The last argument is an explicit array for a VARIADIC parameter, or the binder has built that array.
  bool variadic_array = false;
};

// A cast with no function of its own: through the text form ("CoerceViaIO"), element by element for arrays, or only a
// change of name (binary-coercible, or applying a modifier such as varchar(3)'s length).
struct CastExpr {
  enum class Method : uint8_t { kRelabel, kText, kArrayElements, kModifier };
  Method method = Method::kRelabel;
  ExprPtr argument;
  // For kArrayElements: how one element is cast; its argument is a ColumnExpr of kElementColumn.
  ExprPtr element;
  // An explicit cast truncates varchar(n) silently; an assignment raises 22001.
  bool is_explicit = true;
};
inline constexpr ColumnId kElementColumn{UINT32_MAX};

// Three-valued AND, OR (two or more arguments) and NOT (one).
struct LogicExpr {
  enum class Kind : uint8_t { kAnd, kOr, kNot };
  Kind kind = Kind::kAnd;
  std::vector<ExprPtr> arguments;
};

struct NullTestExpr {
  ExprPtr argument;
  bool is_not = false;
};

// IS [NOT] TRUE / FALSE / UNKNOWN.
struct BooleanTestExpr {
  enum class Kind : uint8_t { kTrue, kFalse, kUnknown };
  Kind kind = Kind::kTrue;
  bool is_not = false;
  ExprPtr argument;
};

// a IS [NOT] DISTINCT FROM b. `equality` is the = function on the argument types.
struct DistinctExpr {
  ExprPtr left;
  ExprPtr right;
  const Function* equality = nullptr;
  bool is_not = false;
};

// Searched CASE; the binder turns CASE x WHEN v into x = v with `operand` evaluated once (as column `operand_column`).
struct CaseExpr {
  struct Branch {
    ExprPtr condition;
    ExprPtr result;
  };
  // Both unset, or both set.
  ExprPtr operand;
  ColumnId operand_column;
  std::vector<Branch> branches;
  ExprPtr otherwise;  // never null: a NULL constant where ELSE is missing
};

struct CoalesceExpr {
  std::vector<ExprPtr> arguments;
};

struct NullIfExpr {
  ExprPtr left;
  ExprPtr right;
  const Function* equality = nullptr;
};

struct MinMaxExpr {
  bool greatest = true;
  std::vector<ExprPtr> arguments;
};

// x op ANY (array) / ALL (array), also x IN (a, b, c). `comparison` takes (type of left, element type).
struct ArrayComparisonExpr {
  ExprPtr left;
  ExprPtr array;
  const Function* comparison = nullptr;
  std::string spelling;
  bool all = false;
};

// ARRAY[...]: elements of the element type, or of the array type itself for a nested constructor.
struct ArrayExpr {
  std::vector<ExprPtr> elements;
  bool nested = false;
};

// ROW(...), of type record.
struct RowExpr {
  std::vector<ExprPtr> fields;
  std::vector<std::string> names;
};

// (a, b) op (c, d), op one of = <> < <= > >=.
struct RowComparisonExpr {
  std::string op;
  std::vector<ExprPtr> left;
  std::vector<ExprPtr> right;
  std::vector<const Function*> equality;  // per field
  std::vector<const Function*> less;      // per field; empty for = and <>
};

// array[i] or array[l:u]; a null bound means open. Also jsonb subscripting, with text keys or integer indexes.
struct SubscriptExpr {
  struct Bound {
    ExprPtr lower;  // for an index only `upper` is set
    ExprPtr upper;
    bool is_slice = false;
  };
  ExprPtr container;
  std::vector<Bound> bounds;
};

struct FieldExpr {
  ExprPtr record;
  uint32_t field = 0;
};

// A subquery inside an expression. The optimizer turns each into a join, or an Apply.
struct SubqueryExpr {
  enum class Kind : uint8_t {
    kScalar,  // the value of its one column and at most one row (21000 for more), NULL for none
    kExists,
    kAny,    // left op ANY (subquery); IN is = ANY
    kAll,    // left op ALL (subquery)
    kArray,  // ARRAY(subquery)
  };
  Kind kind = Kind::kScalar;
  LogicalPtr plan;
  // The ids of the subquery's output that take part, in order.
  std::vector<ColumnId> columns;
  // kAny and kAll: the left side and the comparison for each column.
  std::vector<ExprPtr> left;
  std::vector<const Function*> comparisons;
  std::string spelling;
};

// Only in physical plans: a subquery that no join replaced. The executor runs its plan when a row first needs it, and
// remembers the results by the values of the outer columns it names. `plan` is of sql/plan/physical.h.
struct Subplan;
using SubplanPtr = std::shared_ptr<const Subplan>;
struct SubplanExpr {
  SubqueryExpr::Kind kind = SubqueryExpr::Kind::kScalar;
  SubplanPtr plan;
  // As in SubqueryExpr.
  std::vector<ExprPtr> left;
  std::vector<const Function*> comparisons;
  std::string spelling;
};

// Only inside an AggregateNode's list.
struct AggregateExpr {
  struct Order {
    ExprPtr expr;
    bool descending = false;
    bool nulls_first = false;
  };
  const Function* function = nullptr;
  std::vector<ExprPtr> arguments;
  // WITHIN GROUP's arguments come first in `order`.
  std::vector<Order> order;
  ExprPtr filter;  // may be null
  bool distinct = false;
  bool star = false;
};

// Only inside a WindowNode's list.
struct WindowExpr {
  enum class FrameMode : uint8_t { kRange, kRows, kGroups };
  enum class BoundKind : uint8_t { kUnboundedPreceding, kPreceding, kCurrentRow, kFollowing, kUnboundedFollowing };
  enum class Exclusion : uint8_t { kNone, kCurrentRow, kGroup, kTies };
  struct Bound {
    BoundKind kind = BoundKind::kUnboundedPreceding;
    ExprPtr offset;
  };
  const Function* function = nullptr;  // a window function or an aggregate
  std::vector<ExprPtr> arguments;
  ExprPtr filter;
  bool star = false;
  std::vector<ExprPtr> partition;
  std::vector<AggregateExpr::Order> order;
  FrameMode mode = FrameMode::kRange;
  Bound start;
  Bound end{BoundKind::kCurrentRow, nullptr};
  Exclusion exclusion = Exclusion::kNone;
};

// CURRENT_DATE, CURRENT_TIMESTAMP(p), CURRENT_USER, ... : fixed for the statement or transaction.
struct SessionValueExpr {
  enum class Kind : uint8_t {
    kCurrentDate,
    kCurrentTime,
    kCurrentTimestamp,
    kLocalTime,
    kLocalTimestamp,
    kCurrentUser,
    kSessionUser,
    kCurrentCatalog,
    kCurrentSchema,
  };
  Kind kind = Kind::kCurrentDate;
};

// The value a column takes when an INSERT or UPDATE says DEFAULT; the binder replaces it before planning.
struct DefaultExpr {};

struct Expr {
  types::Type type;
  // 1-based character position in the statement; 0 when unknown.
  int position = 0;
  std::variant<ConstantExpr, ColumnExpr, ParameterExpr, CallExpr, CastExpr, LogicExpr, NullTestExpr, BooleanTestExpr,
               DistinctExpr, CaseExpr, CoalesceExpr, NullIfExpr, MinMaxExpr, ArrayComparisonExpr, ArrayExpr, RowExpr,
               RowComparisonExpr, SubscriptExpr, FieldExpr, SubqueryExpr, SubplanExpr, AggregateExpr, WindowExpr,
               SessionValueExpr, DefaultExpr>
      node;
};

template <typename Node>
ExprPtr make_expr(types::Type type, Node node, int position = 0) {
  return std::make_shared<const Expr>(Expr{type, position, std::move(node)});
}
inline ExprPtr make_constant(types::Type type, types::Value value) {
  return make_expr(type, ConstantExpr{std::move(value)});
}
template <typename Node>
const Node* as(const ExprPtr& expr) {
  return expr ? std::get_if<Node>(&expr->node) : nullptr;
}

}  // namespace pando::sql
