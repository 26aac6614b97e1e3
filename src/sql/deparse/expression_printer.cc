// QueryPrinter: expressions, which sql/plan/print_expr.h prints but for what only a query knows: how its tables are
// called, what stands for an aggregate or a window, its subqueries.

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>

#include "sql/deparse/query_printer.h"
#include "sql/function/function.h"
#include "sql/function/quoting.h"

namespace pando::sql {

ExprPtr QueryPrinter::bound(const ast::Expr& node) {
  const auto found = trace_.exprs.find(&node);
  if (found == trace_.exprs.end()) {
    failed_ = true;
    return nullptr;
  }
  ExprPtr value = found->second;
  // What nothing has given a type is text.
  if (as<ConstantExpr>(value) != nullptr && value->type.oid == types::oid::kUnknown) {
    Expr text = *value;
    text.type = {types::oid::kText};
    value = std::make_shared<const Expr>(std::move(text));
  }
  return value;
}

std::string QueryPrinter::expr(const ast::Expr& node, bool show_implicit_cast) {
  const ExprPtr value = bound(node);
  if (value == nullptr) {
    return "";
  }
  PrintOptions options = print_;
  options.show_outer_implicit_cast = show_implicit_cast;
  return print_expr(value, options);
}

// Names of columns may have a dot as well: the item is the longest that exists.
std::optional<std::pair<const RangeNames::Named*, std::string>> QueryPrinter::split(const ColumnExpr& column) const {
  for (auto dot = column.name.rfind('.'); dot != std::string::npos && dot > 0; dot = column.name.rfind('.', dot - 1)) {
    const std::string name = column.name.substr(dot + 1);
    if (const RangeNames::Named* named = names_.find(column.name.substr(0, dot), name)) {
      return std::pair(named, names_.column_name(*named->item, name));
    }
  }
  return std::nullopt;
}

std::string QueryPrinter::own_name(const ColumnExpr& column) const {
  const auto parts = split(column);
  return parts ? parts->second : column.name.substr(column.name.rfind('.') + 1);
}

std::string QueryPrinter::column(const ColumnExpr& column) {
  if (const auto parts = split(column)) {
    return quote_identifier(parts->first->name) + "." + quote_identifier(parts->second);
  }
  const auto dot = column.name.rfind('.');
  if (dot == std::string::npos) {
    if (const auto found = trace_.calls.find(column.column); found != trace_.calls.end()) {
      return call(found->second);
    }
    if (const auto grouping = trace_.groupings.find(column.column); grouping != trace_.groupings.end()) {
      std::vector<std::string> arguments;
      std::ranges::transform(grouping->second, std::back_inserter(arguments),
                             [this](const ExprPtr& argument) { return print_expr(argument, print_); });
      return "GROUPING(" + joined(arguments) + ")";
    }
  }
  // A column that a join has merged.
  return quote_identifier(dot == std::string::npos ? column.name : column.name.substr(dot + 1));
}

std::string QueryPrinter::call(const QueryTrace::Call& call) {
  PrintOptions options = print_;
  options.show_outer_implicit_cast = true;
  const auto* window_call = as<WindowExpr>(call.expr);
  if (window_call == nullptr || call.node == nullptr) {
    return print_expr(call.expr, options);
  }
  std::vector<std::string> arguments;
  std::ranges::transform(window_call->arguments, std::back_inserter(arguments),
                         [&](const ExprPtr& argument) { return print_expr(argument, options); });
  std::string text =
      fmt::format("{}({})", quote_identifier(window_call->function->name), window_call->star ? "*" : joined(arguments));
  if (window_call->filter != nullptr) {
    text += " FILTER (WHERE " + print_expr(window_call->filter, print_) + ")";
  }
  const ast::WindowDefinition& over = *call.node->over;
  return text + " OVER " + (over.name.empty() ? "(" + window(over, window_call) + ")" : quote_identifier(over.name));
}

std::optional<std::string> QueryPrinter::special(const ExprPtr& expr) {
  if (const auto row = trace_.rows.find(expr); row != trace_.rows.end()) {
    return quote_identifier(names_.find_name(row->second)) + ".*";
  }
  const auto found = trace_.subqueries.find(expr);
  const auto* node = as<SubqueryExpr>(expr);
  if (node == nullptr) {
    return std::nullopt;
  }
  if (found == trace_.subqueries.end()) {
    return fail();
  }
  PrintOptions options = print_;
  options.subquery = [&](const ExprPtr&) { return query(*found->second->query, {.visible = false}); };
  // What is left of IN may itself hold what is special.
  options.special = [this, &expr](const ExprPtr& inner) { return inner == expr ? std::nullopt : special(inner); };
  options.show_outer_implicit_cast = true;
  return print_expr(expr, options);
}

std::string QueryPrinter::sort_item(const ast::Expr& node) {
  const ExprPtr value = bound(node);
  return value == nullptr ? "" : print_sort_operand(value, print_);
}

std::string QueryPrinter::sort_suffix(const ast::SortBy& key) const {
  const bool is_using = key.direction == ast::SortBy::Direction::kUsing;
  const bool descending =
      key.direction == ast::SortBy::Direction::kDescending || (is_using && key.operator_name.back() == ">");
  const bool nulls_first =
      key.nulls == ast::SortBy::Nulls::kDefault ? descending : key.nulls == ast::SortBy::Nulls::kFirst;
  const char* nulls = nulls_first == descending ? "" : nulls_first ? " NULLS FIRST" : " NULLS LAST";
  return std::string(descending ? " DESC" : "") + nulls;
}

// Of set operations the items are columns' numbers.
std::string QueryPrinter::sort_list(const std::vector<ast::SortBy>& keys, bool by_number, const ast::Select* select) {
  std::vector<std::string> parts;
  for (const ast::SortBy& key : keys) {
    if (!by_number) {
      parts.push_back(sort_item(*key.expr) + sort_suffix(key));
      continue;
    }
    const auto outputs = trace_.outputs.find(select);
    const auto* constant = std::get_if<ast::Constant>(&key.expr->node);
    const auto* number = constant == nullptr ? nullptr : std::get_if<ast::IntegerLiteral>(&constant->value);
    const auto* ref = std::get_if<ast::ColumnRef>(&key.expr->node);
    if (number != nullptr) {
      parts.push_back(fmt::format("{}{}", number->value, sort_suffix(key)));
    } else if (ref != nullptr && outputs != trace_.outputs.end()) {
      const auto at = std::ranges::find(outputs->second, ref->names.back());
      parts.push_back(fmt::format("{}{}", at - outputs->second.begin() + 1, sort_suffix(key)));
    } else {
      parts.push_back(fail());
    }
  }
  return joined(parts);
}

std::string QueryPrinter::window(const ast::WindowDefinition& definition, const WindowExpr* bound) {
  std::vector<std::string> parts;
  if (!definition.reference.empty()) {
    parts.push_back(quote_identifier(definition.reference));
  }
  if (!definition.partition_by.empty()) {
    std::vector<std::string> items;
    std::ranges::transform(definition.partition_by, std::back_inserter(items),
                           [this](const ast::ExprPtr& item) { return sort_item(*item); });
    parts.push_back("PARTITION BY " + joined(items));
  }
  if (!definition.order_by.empty()) {
    parts.push_back("ORDER BY " + sort_list(definition.order_by, false, nullptr));
  }
  if (definition.frame.written) {
    parts.push_back(frame(definition.frame, bound));
  }
  return joined(parts, " ");
}

std::string QueryPrinter::frame(const ast::WindowFrame& frame, const WindowExpr* bound) {
  using Bound = ast::WindowFrame::Bound;
  const auto bound_text = [&](Bound kind, const ast::ExprPtr& written, const ExprPtr& typed) -> std::string {
    const auto offset = [&] { return typed == nullptr ? expr(*written, false) : print_expr(typed, print_); };
    switch (kind) {
      case Bound::kUnboundedPreceding:
        return "UNBOUNDED PRECEDING";
      case Bound::kPreceding:
        return offset() + " PRECEDING";
      case Bound::kCurrentRow:
        return "CURRENT ROW";
      case Bound::kFollowing:
        return offset() + " FOLLOWING";
      case Bound::kUnboundedFollowing:
        return "UNBOUNDED FOLLOWING";
    }
    return fail();
  };
  constexpr std::array kModes = {"RANGE", "ROWS", "GROUPS"};
  constexpr std::array kExclusions = {"", " EXCLUDE CURRENT ROW", " EXCLUDE GROUP", " EXCLUDE TIES"};
  return fmt::format("{} BETWEEN {} AND {}{}", kModes[static_cast<std::size_t>(frame.mode)],
                     bound_text(frame.start, frame.start_offset, bound == nullptr ? nullptr : bound->start.offset),
                     bound_text(frame.end, frame.end_offset, bound == nullptr ? nullptr : bound->end.offset),
                     kExclusions[static_cast<std::size_t>(frame.exclusion)]);
}

}  // namespace pando::sql
