// Window functions: OVER, the WINDOW clause, frames.

#include <algorithm>
#include <utility>

#include "sql/bind/binder.h"
#include "sql/bind/place_guard.h"
#include "sql/bind/traverse.h"

namespace pando::sql {

namespace oid = types::oid;

Result<ExprPtr> Binder::window_call(const ast::FunctionCall& node, const FunctionChoice& choice,
                                    std::vector<ExprPtr> arguments, Scope& scope, int position) {
  const bool allowed = scope.place == ExprPlace::kSelectItem || scope.place == ExprPlace::kOrderBy ||
                       scope.place == ExprPlace::kDistinctOn;
  if (!allowed) {
    const bool nested = scope.place == ExprPlace::kWindowPartition || scope.place == ExprPlace::kWindowOrder;
    return Status(sql_state::kWindowingError, "window functions are not allowed in {}",
                  nested ? "window definitions" : place_name(scope.place))
        .with_position(position);
  }
  if (node.distinct) {
    return Status(sql_state::kFeatureNotSupported, "DISTINCT is not implemented for window functions")
        .with_position(position);
  }
  if (node.arguments.empty() && !node.star && choice.function->kind == FunctionKind::kAggregate) {
    return Status(sql_state::kWrongObjectType, "{}(*) must be used to call a parameterless aggregate function",
                  node.name.back())
        .with_position(position);
  }
  if (!node.order_by.empty()) {
    return Status(sql_state::kFeatureNotSupported, "aggregate ORDER BY is not implemented for window functions")
        .with_position(position);
  }
  if (node.filter != nullptr && choice.function->kind != FunctionKind::kAggregate) {
    return Status(sql_state::kFeatureNotSupported, "FILTER is not implemented for non-aggregate window functions")
        .with_position(position);
  }
  const std::size_t windows_before = scope.windows.size();
  WindowExpr window;
  window.function = choice.function;
  window.star = node.star;
  PANDO_ASSIGN(window.arguments, place_arguments(choice, std::move(arguments)));
  for (const ExprPtr& argument : window.arguments) {
    for (std::size_t i = 0; i < windows_before; ++i) {
      int nested = -1;
      const std::function<void(const ExprPtr&)> visit = [&](const ExprPtr& child) {
        const auto* column = as<ColumnExpr>(child);
        nested = column != nullptr && column->column == scope.windows[i].column.id ? child->position : nested;
        visit_children(*child, visit);
      };
      visit(argument);
      if (nested >= 0) {
        return Status(sql_state::kWindowingError, "window function calls cannot be nested").with_position(nested);
      }
    }
  }
  if (node.filter != nullptr) {
    PANDO_ASSIGN(window.filter, boolean_in(*node.filter, scope, ExprPlace::kFilter));
  }
  PANDO_TRY(window_definition(*node.over, scope, window));
  ExprPtr expr = make_expr({choice.result}, std::move(window), position);
  for (const ProjectedColumn& existing : scope.windows) {
    if (same_expr(existing.expr, expr) && context_.options.trace == nullptr) {
      return make_expr(expr->type, ColumnExpr{existing.column.id, existing.column.name}, position);
    }
  }
  OutputColumn column{context_.new_column(), node.name.back(), expr->type};
  trace_call(column.id, expr, &node);
  scope.windows.push_back({column, std::move(expr)});
  return make_expr(column.type, ColumnExpr{column.id, column.name}, position);
}

namespace {

const ast::WindowDefinition* find_window(const Scope& scope, const std::string& name) {
  if (scope.window_definitions != nullptr) {
    for (const ast::WindowDefinition& definition : *scope.window_definitions) {
      if (definition.name == name) {
        return &definition;
      }
    }
  }
  return nullptr;
}

Status missing_window(const std::string& name, int position) {
  return Status(sql_state::kUndefinedObject, "window \"{}\" does not exist", name).with_position(position);
}

}  // namespace

// Each name of the WINDOW clause is given once.
Status Binder::check_windows(const std::vector<ast::WindowDefinition>& windows) const {
  for (std::size_t i = 0; i < windows.size(); ++i) {
    const auto named_alike = [&](const ast::WindowDefinition& other) { return other.name == windows[i].name; };
    if (std::any_of(windows.begin(), windows.begin() + static_cast<std::ptrdiff_t>(i), named_alike)) {
      return Status(sql_state::kWindowingError, "window \"{}\" is already defined", windows[i].name)
          .with_position(context_.position(windows[i].location));
    }
  }
  return {};
}

Status Binder::window_definition(const ast::WindowDefinition& definition, Scope& scope, WindowExpr& window) {
  const int position = context_.position(definition.location);
  // OVER name: the named window as it is, frame included.
  const bool is_name_only = !definition.name.empty() && &definition != find_window(scope, definition.name);
  if (is_name_only) {
    const ast::WindowDefinition* named = find_window(scope, definition.name);
    return named == nullptr ? missing_window(definition.name, position) : window_definition(*named, scope, window);
  }
  if (!definition.reference.empty()) {
    const ast::WindowDefinition* base = find_window(scope, definition.reference);
    if (base == nullptr || base == &definition) {
      return missing_window(definition.reference, position);
    }
    if (!definition.partition_by.empty()) {
      return Status(sql_state::kWindowingError, "cannot override PARTITION BY clause of window \"{}\"",
                    definition.reference)
          .with_position(position);
    }
    if (!definition.order_by.empty() && !base->order_by.empty()) {
      return Status(sql_state::kWindowingError, "cannot override ORDER BY clause of window \"{}\"",
                    definition.reference)
          .with_position(position);
    }
    if (base->frame.written) {
      return Status(sql_state::kWindowingError, "cannot copy window \"{}\" because it has a frame clause",
                    definition.reference)
          .with_position(position);
    }
    PANDO_TRY(window_definition(*base, scope, window));
  }
  for (const ast::ExprPtr& item : definition.partition_by) {
    PANDO_ASSIGN(ExprPtr value, expr_in(*item, scope, ExprPlace::kWindowPartition));
    PANDO_ASSIGN(value, resolve_unknown(context_, std::move(value)));
    window.partition.push_back(std::move(value));
  }
  for (const ast::SortBy& sort : definition.order_by) {
    PlaceChange place(scope, ExprPlace::kWindowOrder);
    PANDO_ASSIGN(AggregateExpr::Order order, aggregate_order(sort, scope));
    window.order.push_back(std::move(order));
  }
  return definition.frame.written ? window_frame(definition.frame, scope, window, position) : Status();
}

namespace {

// What RANGE offsets are for a sort column of a type; 0 when there is no such thing.
types::Oid range_offset_type(types::Oid type) {
  switch (type) {
    case oid::kInt2:
    case oid::kInt4:
    case oid::kInt8:
      return oid::kInt8;
    case oid::kFloat4:
    case oid::kFloat8:
      return oid::kFloat8;
    case oid::kNumeric:
      return oid::kNumeric;
    case oid::kDate:
    case oid::kTime:
    case oid::kTimetz:
    case oid::kTimestamp:
    case oid::kTimestamptz:
    case oid::kInterval:
      return oid::kInterval;
    default:
      return 0;
  }
}

// Where the expression names a column; nullopt when it names none.
std::optional<int> first_column(const ExprPtr& expr) {
  if (as<ColumnExpr>(expr) != nullptr) {
    return expr->position;
  }
  std::optional<int> found;
  visit_children(*expr, [&](const ExprPtr& child) { found = found.has_value() ? found : first_column(child); });
  return found;
}

}  // namespace

Status Binder::window_frame(const ast::WindowFrame& frame, Scope& scope, WindowExpr& window, int position) {
  window.mode = static_cast<WindowExpr::FrameMode>(frame.mode);
  window.exclusion = static_cast<WindowExpr::Exclusion>(frame.exclusion);
  window.start.kind = static_cast<WindowExpr::BoundKind>(frame.start);
  window.end.kind = static_cast<WindowExpr::BoundKind>(frame.end);
  const bool has_offset = frame.start_offset != nullptr || frame.end_offset != nullptr;
  if (frame.mode == ast::WindowFrame::Mode::kGroups && window.order.empty()) {
    return Status(sql_state::kWindowingError, "GROUPS mode requires an ORDER BY clause").with_position(position);
  }
  if (frame.mode == ast::WindowFrame::Mode::kRange && has_offset && window.order.size() != 1) {
    return Status(sql_state::kWindowingError,
                  "RANGE with offset PRECEDING/FOLLOWING requires exactly one ORDER BY column")
        .with_position(position);
  }
  const auto offset = [&](const ast::ExprPtr& node, ExprPtr& out) -> Status {
    if (node == nullptr) {
      return {};
    }
    PANDO_ASSIGN(ExprPtr value, expr_in(*node, scope, ExprPlace::kWindowFrame));
    types::Oid target = oid::kInt8;
    if (frame.mode == ast::WindowFrame::Mode::kRange) {
      target = range_offset_type(window.order[0].expr->type.oid);
      if (target == 0) {
        return Status(sql_state::kFeatureNotSupported,
                      "RANGE with offset PRECEDING/FOLLOWING is not supported for column type {}",
                      type_name(window.order[0].expr->type.oid))
            .with_position(value->position);
      }
    }
    const char* mode = frame.mode == ast::WindowFrame::Mode::kRows     ? "ROWS"
                       : frame.mode == ast::WindowFrame::Mode::kGroups ? "GROUPS"
                                                                       : "RANGE";
    if (const auto column = first_column(value)) {
      return Status(sql_state::kInvalidColumnReference, "argument of {} must not contain variables", mode)
          .with_position(*column);
    }
    PANDO_ASSIGN(out, coerce(context_, value, {target}, CastContext::kImplicit));
    if (out == nullptr && frame.mode == ast::WindowFrame::Mode::kRange) {
      return Status(sql_state::kFeatureNotSupported,
                    "RANGE with offset PRECEDING/FOLLOWING is not supported for column type {} and offset type {}",
                    type_name(window.order[0].expr->type.oid), type_name(value->type.oid))
          .with_hint("Cast the offset value to an appropriate type.")
          .with_position(value->position);
    }
    if (out == nullptr) {
      return Status(sql_state::kDatatypeMismatch, "argument of {} must be type {}, not type {}", mode,
                    type_name(target), type_name(value->type.oid))
          .with_position(value->position);
    }
    return {};
  };
  PANDO_TRY(offset(frame.start_offset, window.start.offset));
  return offset(frame.end_offset, window.end.offset);
}

}  // namespace pando::sql
