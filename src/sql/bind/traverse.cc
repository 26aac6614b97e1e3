#include "sql/bind/traverse.h"

#include <cmath>
#include <type_traits>
#include <utility>
#include <vector>

namespace pando::sql {

namespace {

// fields() lists the children of a node: each is an ExprPtr, a vector of them, or a struct known to visit_field.
// `Node` is const or not, so that walking and changing share one list.
template <typename Node, typename Visit>
void visit_fields(Node& node, const Visit& visit) {
  using T = std::remove_const_t<Node>;
  if constexpr (std::is_same_v<T, CallExpr> || std::is_same_v<T, LogicExpr> || std::is_same_v<T, CoalesceExpr> ||
                std::is_same_v<T, MinMaxExpr>) {
    visit(node.arguments);
  } else if constexpr (std::is_same_v<T, CastExpr>) {
    visit(node.argument);
    visit(node.element);
  } else if constexpr (std::is_same_v<T, NullTestExpr> || std::is_same_v<T, BooleanTestExpr>) {
    visit(node.argument);
  } else if constexpr (std::is_same_v<T, DistinctExpr> || std::is_same_v<T, NullIfExpr> ||
                       std::is_same_v<T, RowComparisonExpr>) {
    visit(node.left);
    visit(node.right);
  } else if constexpr (std::is_same_v<T, CaseExpr>) {
    visit(node.operand);
    for (auto& branch : node.branches) {
      visit(branch.condition);
      visit(branch.result);
    }
    visit(node.otherwise);
  } else if constexpr (std::is_same_v<T, ArrayComparisonExpr>) {
    visit(node.left);
    visit(node.array);
  } else if constexpr (std::is_same_v<T, ArrayExpr>) {
    visit(node.elements);
  } else if constexpr (std::is_same_v<T, RowExpr>) {
    visit(node.fields);
  } else if constexpr (std::is_same_v<T, SubscriptExpr>) {
    visit(node.container);
    for (auto& bound : node.bounds) {
      visit(bound.lower);
      visit(bound.upper);
    }
  } else if constexpr (std::is_same_v<T, FieldExpr>) {
    visit(node.record);
  } else if constexpr (std::is_same_v<T, SubqueryExpr> || std::is_same_v<T, SubplanExpr>) {
    visit(node.left);
  } else if constexpr (std::is_same_v<T, AggregateExpr>) {
    visit(node.arguments);
    for (auto& order : node.order) {
      visit(order.expr);
    }
    visit(node.filter);
  } else if constexpr (std::is_same_v<T, WindowExpr>) {
    visit(node.arguments);
    visit(node.filter);
    visit(node.partition);
    for (auto& order : node.order) {
      visit(order.expr);
    }
    visit(node.start.offset);
    visit(node.end.offset);
  }
}

class ChildVisitor {
 public:
  explicit ChildVisitor(const std::function<void(const ExprPtr&)>& visit) : visit_(visit) {}
  void operator()(const ExprPtr& child) const {
    if (child != nullptr) {
      visit_(child);
    }
  }
  void operator()(const std::vector<ExprPtr>& children) const {
    for (const ExprPtr& child : children) {
      (*this)(child);
    }
  }

 private:
  const std::function<void(const ExprPtr&)>& visit_;
};

class ChildChanger {
 public:
  ChildChanger(const std::function<ExprPtr(const ExprPtr&)>& change, bool& changed)
      : change_(change), changed_(changed) {}
  void operator()(ExprPtr& child) const {
    if (child != nullptr) {
      ExprPtr replacement = change_(child);
      changed_ = changed_ || replacement != child;
      child = std::move(replacement);
    }
  }
  void operator()(std::vector<ExprPtr>& children) const {
    for (ExprPtr& child : children) {
      (*this)(child);
    }
  }

 private:
  const std::function<ExprPtr(const ExprPtr&)>& change_;
  bool& changed_;
};

bool same_orders(const std::vector<AggregateExpr::Order>& a, const std::vector<AggregateExpr::Order>& b) {
  if (a.size() != b.size()) {
    return false;
  }
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i].descending != b[i].descending || a[i].nulls_first != b[i].nulls_first) {
      return false;
    }
  }
  return true;
}

// As grouping sees it: NaN is itself.
bool same_constant(const types::Value& a, const types::Value& b) {
  const auto is_nan = [](const types::Value& value) {
    return (value.holds<double>() && std::isnan(value.as<double>())) ||
           (value.holds<float>() && std::isnan(value.as<float>()));
  };
  return a == b || (is_nan(a) && is_nan(b));
}

// What beside its children makes a node what it is.
template <typename T>
bool same_node(const T& a, const T& b) {
  if constexpr (std::is_same_v<T, ConstantExpr>) {
    return same_constant(a.value, b.value);
  } else if constexpr (std::is_same_v<T, ColumnExpr>) {
    return a.column == b.column;
  } else if constexpr (std::is_same_v<T, ParameterExpr>) {
    return a.index == b.index;
  } else if constexpr (std::is_same_v<T, CallExpr>) {
    return a.function == b.function && a.variadic_array == b.variadic_array;
  } else if constexpr (std::is_same_v<T, CastExpr>) {
    return a.method == b.method && (a.method == CastExpr::Method::kRelabel || a.is_explicit == b.is_explicit);
  } else if constexpr (std::is_same_v<T, LogicExpr> || std::is_same_v<T, SessionValueExpr>) {
    return a.kind == b.kind;
  } else if constexpr (std::is_same_v<T, NullTestExpr>) {
    return a.is_not == b.is_not;
  } else if constexpr (std::is_same_v<T, BooleanTestExpr>) {
    return a.kind == b.kind && a.is_not == b.is_not;
  } else if constexpr (std::is_same_v<T, DistinctExpr>) {
    return a.equality == b.equality && a.is_not == b.is_not;
  } else if constexpr (std::is_same_v<T, NullIfExpr>) {
    return a.equality == b.equality;
  } else if constexpr (std::is_same_v<T, MinMaxExpr>) {
    return a.greatest == b.greatest;
  } else if constexpr (std::is_same_v<T, ArrayComparisonExpr>) {
    return a.comparison == b.comparison && a.all == b.all;
  } else if constexpr (std::is_same_v<T, ArrayExpr>) {
    return a.nested == b.nested;
  } else if constexpr (std::is_same_v<T, RowExpr>) {
    return a.names == b.names;
  } else if constexpr (std::is_same_v<T, RowComparisonExpr>) {
    return a.op == b.op && a.equality == b.equality && a.less == b.less;
  } else if constexpr (std::is_same_v<T, FieldExpr>) {
    return a.field == b.field;
  } else if constexpr (std::is_same_v<T, SubqueryExpr>) {
    return a.kind == b.kind && a.plan == b.plan && a.columns == b.columns;
  } else if constexpr (std::is_same_v<T, SubplanExpr>) {
    return a.kind == b.kind && a.plan == b.plan;
  } else if constexpr (std::is_same_v<T, AggregateExpr>) {
    return a.function == b.function && a.distinct == b.distinct && a.star == b.star &&
           (a.filter == nullptr) == (b.filter == nullptr) && same_orders(a.order, b.order);
  } else if constexpr (std::is_same_v<T, WindowExpr>) {
    return a.function == b.function && a.star == b.star && a.mode == b.mode && a.start.kind == b.start.kind &&
           a.end.kind == b.end.kind && a.exclusion == b.exclusion && (a.filter == nullptr) == (b.filter == nullptr) &&
           a.partition.size() == b.partition.size() && same_orders(a.order, b.order);
  } else if constexpr (std::is_same_v<T, SubscriptExpr>) {
    if (a.bounds.size() != b.bounds.size()) {
      return false;
    }
    for (std::size_t i = 0; i < a.bounds.size(); ++i) {
      if (a.bounds[i].is_slice != b.bounds[i].is_slice ||
          (a.bounds[i].lower == nullptr) != (b.bounds[i].lower == nullptr)) {
        return false;
      }
    }
    return true;
  } else if constexpr (std::is_same_v<T, CaseExpr>) {
    return a.branches.size() == b.branches.size() && (a.operand == nullptr) == (b.operand == nullptr);
  } else {
    return true;
  }
}

std::vector<ExprPtr> children_of(const Expr& expr) {
  std::vector<ExprPtr> children;
  visit_children(expr, [&](const ExprPtr& child) { children.push_back(child); });
  return children;
}

}  // namespace

void visit_children(const Expr& expr, const std::function<void(const ExprPtr&)>& visit) {
  std::visit([&](const auto& node) { visit_fields(node, ChildVisitor(visit)); }, expr.node);
}

ExprPtr map_children(const ExprPtr& expr, const std::function<ExprPtr(const ExprPtr&)>& change) {
  Expr copy = *expr;
  bool changed = false;
  std::visit([&](auto& node) { visit_fields(node, ChildChanger(change, changed)); }, copy.node);
  return changed ? std::make_shared<const Expr>(std::move(copy)) : expr;
}

namespace {

ExprPtr rename_column(const ExprPtr& expr, ColumnId from, ColumnId to) {
  const auto* column = as<ColumnExpr>(expr);
  if (column != nullptr && column->column == from) {
    return make_expr(expr->type, ColumnExpr{to, column->name}, expr->position);
  }
  return map_children(expr, [&](const ExprPtr& child) { return rename_column(child, from, to); });
}

}  // namespace

bool same_expr(const ExprPtr& a, const ExprPtr& b) {
  if (a == b) {
    return true;
  }
  if (a == nullptr || b == nullptr || a->type != b->type || a->node.index() != b->node.index()) {
    return false;
  }
  const auto* own = as<CaseExpr>(a);
  const auto* other = as<CaseExpr>(b);
  if (own != nullptr && own->operand != nullptr && other->operand != nullptr &&
      own->operand_column != other->operand_column) {
    // The operand's column is new in each CASE.
    CaseExpr renamed = *as<CaseExpr>(rename_column(b, other->operand_column, own->operand_column));
    renamed.operand_column = own->operand_column;
    return same_expr(a, make_expr(b->type, std::move(renamed), b->position));
  }
  const bool same = std::visit(
      [&](const auto& node) { return same_node(node, std::get<std::remove_cvref_t<decltype(node)>>(b->node)); },
      a->node);
  if (!same) {
    return false;
  }
  const std::vector<ExprPtr> left = children_of(*a);
  const std::vector<ExprPtr> right = children_of(*b);
  if (left.size() != right.size()) {
    return false;
  }
  for (std::size_t i = 0; i < left.size(); ++i) {
    if (!same_expr(left[i], right[i])) {
      return false;
    }
  }
  return true;
}

}  // namespace pando::sql
