// Calls of functions, aggregates and set-returning functions.

#include <algorithm>
#include <utility>

#include "sql/bind/binder.h"
#include "sql/bind/place_guard.h"
#include "sql/bind/traverse.h"

namespace pando::sql {

namespace oid = types::oid;

namespace {

bool uses_any(const ExprPtr& expr, const std::vector<ProjectedColumn>& columns) {
  if (const auto* column = as<ColumnExpr>(expr)) {
    return std::any_of(columns.begin(), columns.end(),
                       [&](const ProjectedColumn& candidate) { return candidate.column.id == column->column; });
  }
  bool found = false;
  visit_children(*expr, [&](const ExprPtr& child) { found = found || uses_any(child, columns); });
  return found;
}

// What was written, below the cast that made it an argument.
const ExprPtr& without_implicit_cast(const ExprPtr& expr) {
  if (const auto* cast = as<CastExpr>(expr); cast != nullptr && !cast->is_explicit) {
    return cast->argument;
  }
  const auto* call = as<CallExpr>(expr);
  return call != nullptr && call->spelling.empty() && call->arguments.size() == 1 ? call->arguments[0] : expr;
}

// What a plain function must not be called with.
Status refuse_aggregate_syntax(const ast::FunctionCall& node, int position) {
  const std::string name = name_text(node.name);
  const auto refuse = [&](std::string message) {
    return Status::from_message(sql_state::kWrongObjectType, std::move(message)).with_position(position);
  };
  if (node.star) {
    return refuse(fmt::format("{}(*) specified, but {} is not an aggregate function", name, name));
  }
  if (node.distinct) {
    return refuse(fmt::format("DISTINCT specified, but {} is not an aggregate function", name));
  }
  if (node.within_group) {
    return refuse(fmt::format("WITHIN GROUP specified, but {} is not an aggregate function", name));
  }
  if (!node.order_by.empty()) {
    return refuse(fmt::format("ORDER BY specified, but {} is not an aggregate function", name));
  }
  if (node.filter != nullptr) {
    return refuse(fmt::format("FILTER specified, but {} is not an aggregate function", name));
  }
  if (node.over != nullptr) {
    return refuse(fmt::format("OVER specified, but {} is not a window function nor an aggregate function", name));
  }
  return {};
}

// The domain that a column was declared with; 0 for none. Its values are of the type below.
types::Oid domain_of_column(const ExprPtr& value, const Scope& scope, const catalog::Snapshot& catalog) {
  const auto* column = as<ColumnExpr>(value);
  for (const Scope* level = &scope; level != nullptr && column != nullptr; level = level->parent) {
    for (const NamespaceItem& item : level->items) {
      const auto found = std::ranges::find(item.columns, column->column, &OutputColumn::id);
      const catalog::TablePtr table = found == item.columns.end() ? nullptr : catalog.find_table(found->table);
      if (table != nullptr && found->attribute > 0) {
        return table->column(found->attribute).domain;
      }
    }
  }
  return 0;
}

bool lacks_kernel(const Function& function) {
  switch (function.kind) {
    case FunctionKind::kScalar:
      return function.scalar == nullptr;
    case FunctionKind::kAggregate:
      return function.aggregate == nullptr;
    case FunctionKind::kSet:
      return function.set == nullptr;
    default:
      return false;
  }
}

}  // namespace

Result<ExprPtr> Binder::call(const ast::FunctionCall& node, Scope& scope, ast::Location location) {
  const int position = context_.position(location);
  if (is_hypothetical_set(node)) {
    return hypothetical_set(node, scope, position);
  }
  PANDO_ASSIGN(std::optional<ExprPtr> record, json_record_value(node, scope, position));
  if (record.has_value()) {
    return *std::move(record);
  }
  const std::size_t log_start = log_.size();
  std::vector<ExprPtr> arguments;
  std::vector<types::Oid> types;
  std::vector<std::string> names;
  for (const ast::ExprPtr& item : node.arguments) {
    PANDO_ASSIGN(ExprPtr value, expr(*item, scope));
    const auto* named = std::get_if<ast::NamedArgument>(&item->node);
    if (named == nullptr && !names.empty()) {
      return Status(sql_state::kSyntaxError, "positional argument cannot follow named argument")
          .with_position(context_.position(item->location));
    }
    if (named != nullptr) {
      names.resize(arguments.size());
      names.push_back(named->name);
    }
    types.push_back(value->type.oid);
    arguments.push_back(std::move(value));
  }
  if (node.name.back() == "pg_typeof" && arguments.size() == 1) {
    const auto* cast = std::get_if<ast::Cast>(&node.arguments[0]->node);
    const catalog::TypePtr domain_cast_to = cast == nullptr ? nullptr : domain(cast->type);
    const types::Oid domain = domain_cast_to == nullptr
                                  ? domain_of_column(arguments[0], scope, *context_.options.catalog)
                                  : domain_cast_to->oid;
    if (domain != 0) {
      return make_constant({oid::kRegtype}, types::Value::of_uint32(domain));
    }
  }
  if (node.within_group) {
    for (const ast::SortBy& sort : node.order_by) {
      PANDO_ASSIGN(ExprPtr value, expr(*sort.expr, scope));
      types.push_back(value->type.oid);
      arguments.push_back(std::move(value));
    }
  }
  const CallShape shape{node.name, types, names, node.variadic, !node.star && node.over == nullptr && !node.distinct,
                        position};
  PANDO_ASSIGN(const FunctionChoice choice, choose_function(context_, shape));
  if (choice.function == nullptr) {
    PANDO_ASSIGN(ExprPtr result,
                 coerce(context_, std::move(arguments[0]), {choice.cast_target}, CastContext::kExplicit, position));
    return result;
  }
  if (node.variadic && choice.function->variadic && choice.function->arguments.back() == oid::kAny &&
      !types::is_array(types.back())) {
    return Status(sql_state::kDatatypeMismatch, "VARIADIC argument must be an array")
        .with_position(location_of(arguments.back()));
  }
  if (lacks_kernel(*choice.function)) {
    return Status(sql_state::kFeatureNotSupported, "function {} is not supported", signature_text(node.name, types))
        .with_position(position);
  }
  switch (choice.function->kind) {
    case FunctionKind::kAggregate:
      if (node.over != nullptr) {
        return window_call(node, choice, std::move(arguments), scope, position);
      }
      return aggregate_call(node, choice, std::move(arguments), log_start, scope, position);
    case FunctionKind::kWindow:
      if (node.over == nullptr) {
        return Status(sql_state::kWrongObjectType, "window function {} requires an OVER clause", name_text(node.name))
            .with_position(position);
      }
      return window_call(node, choice, std::move(arguments), scope, position);
    case FunctionKind::kProcedure:
      if (scope.place != ExprPlace::kCallArgument) {
        return Status(sql_state::kWrongObjectType, "{} is a procedure", signature_text(node.name, types))
            .with_hint("To call a procedure, use CALL.")
            .with_position(position);
      }
      [[fallthrough]];
    default:
      return scalar_call(node, choice, std::move(arguments), scope, position);
  }
}

Result<std::vector<ExprPtr>> Binder::place_arguments(const FunctionChoice& choice, std::vector<ExprPtr> arguments) {
  const Function& function = *choice.function;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    PANDO_ASSIGN(arguments[i], coerce_argument(context_, std::move(arguments[i]), choice.argument_types[i]));
  }
  if (choice.variadic_from.has_value()) {
    ArrayExpr rest;
    for (std::size_t i = *choice.variadic_from; i < arguments.size(); ++i) {
      rest.elements.push_back(std::move(arguments[i]));
    }
    const types::Oid element = choice.argument_types[*choice.variadic_from];
    arguments.resize(*choice.variadic_from);
    arguments.push_back(make_expr({types::array_of(element)}, std::move(rest)));
    return arguments;
  }
  const bool in_order = choice.argument_order.size() == arguments.size() &&
                        std::is_sorted(choice.argument_order.begin(), choice.argument_order.end());
  if (in_order) {
    return arguments;
  }
  // Named and missing arguments go to their parameters.
  std::vector<ExprPtr> placed;
  const std::size_t first_default = function.arguments.size() - function.defaults;
  for (std::size_t parameter = 0; parameter < choice.argument_order.size(); ++parameter) {
    if (choice.argument_order[parameter] >= 0) {
      placed.push_back(std::move(arguments[static_cast<std::size_t>(choice.argument_order[parameter])]));
      continue;
    }
    const std::size_t index = parameter - first_default;
    PANDO_ASSERT(index < function.default_arguments.size(), "a function without the default it declares");
    PANDO_ASSIGN(ExprPtr value, stored_expr(function.default_arguments[index], nullptr, ExprPlace::kDefault,
                                            {function.arguments[parameter]}, ""));
    placed.push_back(std::move(value));
  }
  return placed;
}

Result<ExprPtr> Binder::scalar_call(const ast::FunctionCall& node, const FunctionChoice& choice,
                                    std::vector<ExprPtr> arguments, Scope& scope, int position) {
  PANDO_TRY(refuse_aggregate_syntax(node, position));
  CallExpr call;
  call.function = choice.function;
  call.spelling = node.name.back();
  if (node.sql_syntax) {
    std::ranges::transform(call.spelling, call.spelling.begin(), [](unsigned char c) { return std::toupper(c); });
  }
  call.variadic_array = node.variadic || choice.variadic_from.has_value();
  PANDO_ASSIGN(call.arguments, place_arguments(choice, std::move(arguments)));
  ExprPtr result = make_expr({choice.result}, std::move(call), position);
  return choice.function->kind == FunctionKind::kSet ? set_call(std::move(result), scope, position)
                                                     : Result<ExprPtr>(std::move(result));
}

void Binder::trace_call(ColumnId column, const ExprPtr& call, const ast::FunctionCall* node) {
  if (context_.options.trace != nullptr) {
    context_.options.trace->calls[column] = {call, node};
  }
}

Result<ExprPtr> Binder::set_call(ExprPtr call, Scope& scope, int position) {
  if (scope.place == ExprPlace::kFromFunction) {
    return call;
  }
  const bool allowed = scope.place == ExprPlace::kSelectItem || scope.place == ExprPlace::kOrderBy ||
                       scope.place == ExprPlace::kGroupBy || scope.place == ExprPlace::kDistinctOn;
  if (!allowed) {
    return Status(sql_state::kFeatureNotSupported, "set-returning functions are not allowed in {}",
                  place_name(scope.place))
        .with_position(position);
  }
  if (scope.no_set_functions_in != nullptr) {
    return Status(sql_state::kFeatureNotSupported, "set-returning functions are not allowed in {}",
                  scope.no_set_functions_in)
        .with_hint("You might be able to move the set-returning function into a LATERAL FROM item.")
        .with_position(position);
  }
  int level = 0;
  for (std::size_t i = 0; i < scope.set_functions.size(); ++i) {
    if (same_expr(scope.set_functions[i].expr, call)) {
      const OutputColumn& column = scope.set_functions[i].column;
      return make_expr(column.type, ColumnExpr{column.id, column.name}, position);
    }
    if (uses_any(call, {scope.set_functions[i]})) {
      level = std::max(level, scope.set_function_levels[i] + 1);
    }
  }
  const CallExpr& node = *as<CallExpr>(call);
  OutputColumn column{context_.new_column(), node.spelling, call->type};
  if (auto fields = record_fields(call)) {
    record_columns_[column.id.number()] = *std::move(fields);
  }
  trace_call(column.id, call, nullptr);
  scope.set_functions.push_back({column, call});
  scope.set_function_levels.push_back(level);
  return make_expr(column.type, ColumnExpr{column.id, column.name}, position);
}

Status Binder::check_aggregate_place(const Scope& level, std::string_view what, int position) {
  switch (level.place) {
    case ExprPlace::kSelectItem:
    case ExprPlace::kHaving:
    case ExprPlace::kOrderBy:
    case ExprPlace::kDistinctOn:
    case ExprPlace::kWindowPartition:
    case ExprPlace::kWindowOrder:
    case ExprPlace::kWindowFrame:
      return {};
    default:
      return Status(sql_state::kGroupingError, "{} are not allowed in {}", what, place_name(level.place))
          .with_position(position);
  }
}

Result<AggregateExpr::Order> Binder::aggregate_order(const ast::SortBy& sort, Scope& scope) {
  PANDO_ASSIGN(ExprPtr value, expr(*sort.expr, scope));
  PANDO_ASSIGN(value, resolve_unknown(context_, std::move(value)));
  PANDO_ASSIGN(SortKey key, sort_key(sort, std::move(value)));
  return AggregateExpr::Order{std::move(key.expr), key.descending, key.nulls_first};
}

Result<ExprPtr> Binder::aggregate_call(const ast::FunctionCall& node, const FunctionChoice& choice,
                                       std::vector<ExprPtr> arguments, std::size_t log_start, Scope& scope,
                                       int position) {
  AggregateExpr aggregate;
  aggregate.function = choice.function;
  aggregate.star = node.star;
  aggregate.distinct = node.distinct;
  if (arguments.empty() && !node.star) {
    return Status(sql_state::kWrongObjectType, "{}(*) must be used to call a parameterless aggregate function",
                  name_text(node.name))
        .with_position(position);
  }
  PANDO_ASSIGN(arguments, place_arguments(choice, std::move(arguments)));
  if (node.within_group != choice.function->ordered_set) {
    const std::string name = name_text(node.name);
    return Status::from_message(
               sql_state::kWrongObjectType,
               node.within_group
                   ? fmt::format("{} is not an ordered-set aggregate, so it cannot have WITHIN GROUP", name)
                   : fmt::format("WITHIN GROUP is required for ordered-set aggregate {}", name))
        .with_position(position);
  }
  if (node.within_group) {
    const std::size_t direct = arguments.size() - node.order_by.size();
    for (std::size_t i = 0; i < node.order_by.size(); ++i) {
      PANDO_ASSIGN(SortKey key, sort_key(node.order_by[i], arguments[direct + i]));
      aggregate.order.push_back({std::move(key.expr), key.descending, key.nulls_first});
    }
    arguments.resize(direct);
  } else {
    for (const ast::SortBy& sort : node.order_by) {
      PANDO_ASSIGN(AggregateExpr::Order order, aggregate_order(sort, scope));
      const auto listed = std::ranges::find_if(arguments, [&](const ExprPtr& argument) {
        return same_expr(argument, order.expr) || same_expr(without_implicit_cast(argument), order.expr);
      });
      if (node.distinct && listed != arguments.end()) {
        order.expr = *listed;
      } else if (node.distinct) {
        return Status(sql_state::kInvalidColumnReference,
                      "in an aggregate with DISTINCT, ORDER BY expressions must appear in argument list")
            .with_position(location_of(order.expr));
      }
      aggregate.order.push_back(std::move(order));
    }
  }
  for (const ExprPtr& argument : arguments) {
    if (uses_any(argument, scope.windows)) {
      return Status(sql_state::kGroupingError, "aggregate function calls cannot contain window function calls")
          .with_position(location_of(argument));
    }
    if (uses_any(argument, scope.set_functions)) {
      return Status(sql_state::kFeatureNotSupported,
                    "aggregate function calls cannot contain set-returning function calls")
          .with_hint("You might be able to move the set-returning function into a LATERAL FROM item.")
          .with_position(argument->position);
    }
  }
  aggregate.arguments = std::move(arguments);
  if (node.filter != nullptr) {
    PANDO_ASSIGN(aggregate.filter, boolean_in(*node.filter, scope, ExprPlace::kFilter));
  }
  return register_aggregate(std::move(aggregate), {choice.result}, node.name.back(), log_start, scope, position);
}

Scope& Binder::level_of(std::size_t log_start, Scope& scope) const {
  for (Scope* candidate = &scope; candidate != nullptr; candidate = candidate->parent) {
    for (std::size_t i = log_start; i < log_.size(); ++i) {
      if (log_[i].level == candidate) {
        return *candidate;
      }
    }
  }
  return scope;
}

// Finds the query level an aggregate belongs to, the innermost that its arguments name, and lists it there.
Result<ExprPtr> Binder::register_aggregate(AggregateExpr aggregate, types::Type type, const std::string& name,
                                           std::size_t log_start, Scope& scope, int position) {
  Scope* level = &level_of(log_start, scope);
  for (std::size_t i = log_start; i < log_.size(); ++i) {
    if (log_[i].level == level && log_[i].is_aggregate) {
      return Status(sql_state::kGroupingError, "aggregate function calls cannot be nested")
          .with_position(log_[i].position);
    }
  }
  PANDO_TRY(check_aggregate_place(*level, "aggregate functions", position));
  // What the arguments name of the level need not be grouped.
  const auto inside = [&](const Scope::Reference& reference) { return reference.log_index >= log_start; };
  std::erase_if(level->inner_references, inside);
  log_.push_back({level, true, position});
  level->has_aggregates = true;
  ExprPtr expr = make_expr(type, std::move(aggregate), position);
  for (const ProjectedColumn& existing : level->aggregates) {
    if (same_expr(existing.expr, expr)) {
      return make_expr(type, ColumnExpr{existing.column.id, existing.column.name}, position);
    }
  }
  OutputColumn column{context_.new_column(), name, type};
  trace_call(column.id, expr, nullptr);
  level->aggregates.push_back({column, std::move(expr)});
  return make_expr(type, ColumnExpr{column.id, name}, position);
}

}  // namespace pando::sql
