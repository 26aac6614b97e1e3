#include "sql/deparse/query_printer.h"

#include <algorithm>

#include <fmt/format.h>

#include "sql/ast/statement.h"
#include "sql/function/quoting.h"

namespace pando::sql {

int last_line_length(std::string_view text) {
  const auto start = text.find_last_of(std::string_view("\x01\n", 2));
  return static_cast<int>(start == std::string_view::npos ? text.size() : text.size() - start - 1);
}

std::string joined(const std::vector<std::string>& parts, std::string_view separator) {
  return fmt::format("{}", fmt::join(parts, separator));
}

QueryPrinter::QueryPrinter(const QueryTrace& trace, const DeparseOptions& options)
    : trace_(trace), options_(options), print_(options.print), names_(trace, options) {
  print_.column = [this](const ColumnExpr& node) { return column(node); };
  print_.special = [this](const ExprPtr& node) { return special(node); };
  print_.line = [this](std::string_view keyword, int before, int after) { return line(keyword, before, after); };
}

std::string QueryPrinter::line(std::string_view keyword, int before, int after, int extra) {
  indent_ += before;
  // Deep queries are indented less, so that lines do not grow with the depth.
  const int spaces =
      indent_ < kIndentMax ? std::max(indent_, 0) : (kIndentMax + (indent_ - kIndentMax) / (kIndent / 2)) % kIndentMax;
  std::string text(1, kBreak);
  text.append(static_cast<std::size_t>(spaces + extra), ' ');
  text += keyword;
  indent_ = std::max(indent_ + after, 0);
  return text;
}

std::string QueryPrinter::fail() {
  failed_ = true;
  return "";
}

std::string QueryPrinter::query(const ast::Select& select, Columns columns) {
  const int indent = indent_;
  static const std::vector<ast::FromItemPtr> kNoItems;
  const auto* core = std::get_if<ast::SelectCore>(&select.body);
  names_.enter(core == nullptr ? kNoItems : core->from,
               columns.outermost ? std::vector<std::string>{"old", "new"} : std::vector<std::string>());
  std::string text = select.with == nullptr ? "" : with(*select.with);
  text += body(select, columns);
  text += tail(select);
  names_.leave();
  indent_ = indent;
  return text;
}

std::string QueryPrinter::with(const ast::WithClause& clause) {
  indent_ += kIndent;
  std::string text = clause.recursive ? " WITH RECURSIVE " : " WITH ";
  std::vector<std::string> tables;
  std::ranges::transform(clause.tables, std::back_inserter(tables),
                         [this](const ast::CommonTable& table) { return common_table(table); });
  text += joined(tables);
  return text + line("", -kIndent, 0);
}

std::string QueryPrinter::common_table(const ast::CommonTable& table) {
  const auto* select = std::get_if<ast::Select>(&table.query->node);
  if (select == nullptr) {
    return fail();
  }
  std::vector<std::string> columns;
  std::ranges::transform(table.columns, std::back_inserter(columns),
                         [](const std::string& name) { return quote_identifier(name); });
  std::string text = quote_identifier(table.name) + (columns.empty() ? "" : "(" + joined(columns) + ")") + " AS ";
  if (table.materialize != ast::CommonTable::Materialize::kDefault) {
    text += table.materialize == ast::CommonTable::Materialize::kNever ? "NOT MATERIALIZED " : "MATERIALIZED ";
  }
  text += "(" + line("", 0, 0);
  text += query(*select, {});
  return text + line("", 0, 0) + ")";
}

std::string QueryPrinter::body(const ast::Select& select, const Columns& columns) {
  if (const auto* operation = std::get_if<ast::SetOperation>(&select.body)) {
    return set_operation(*operation, columns);
  }
  indent_ += kIndent;
  if (const auto* lists = std::get_if<ast::ValuesLists>(&select.body)) {
    return named_values(select, *lists, columns);
  }
  return core(select, std::get<ast::SelectCore>(select.body), columns);
}

std::string QueryPrinter::core(const ast::Select& select, const ast::SelectCore& core, const Columns& columns) {
  std::string text = " SELECT";
  if (core.distinct && core.distinct_on.empty()) {
    text += " DISTINCT";
  } else if (core.distinct) {
    std::vector<std::string> on;
    std::ranges::transform(core.distinct_on, std::back_inserter(on),
                           [this](const ast::ExprPtr& item) { return sort_item(*item); });
    text += " DISTINCT ON (" + joined(on) + ")";
  }
  text += targets(select, core, columns);
  text += from(core.from);
  if (core.where != nullptr) {
    text += line(" WHERE ", -kIndent, kIndent, 1);
    text += expr(*core.where, false);
  }
  text += group_by(core);
  if (core.having != nullptr) {
    text += line(" HAVING ", -kIndent, kIndent);
    text += expr(*core.having, false);
  }
  std::vector<std::string> windows;
  for (const ast::WindowDefinition& definition : core.windows) {
    windows.push_back(quote_identifier(definition.name) + " AS (" + window(definition, nullptr) + ")");
  }
  return windows.empty() ? text : text + line(" WINDOW ", -kIndent, kIndent, 1) + joined(windows);
}

// What the items of a select list mean, stars spelled out.
std::vector<ExprPtr> QueryPrinter::target_values(const ast::SelectCore& core) {
  std::vector<ExprPtr> values;
  for (const ast::SelectItem& item : core.items) {
    if (const auto star = trace_.stars.find(item.expr.get()); star != trace_.stars.end()) {
      values.insert(values.end(), star->second.begin(), star->second.end());
    } else {
      values.push_back(bound(*item.expr));
    }
  }
  return values;
}

std::string QueryPrinter::target(const ExprPtr& value, const std::string& name, bool visible) {
  PrintOptions options = print_;
  options.show_outer_implicit_cast = true;
  std::string text = print_expr(value, options);
  // The name that the column has without AS, if that can be relied on.
  std::optional<std::string> own = visible ? std::nullopt : std::optional<std::string>("?column?");
  const auto* column = as<ColumnExpr>(value);
  const bool is_call = column != nullptr && column->name.find('.') == std::string::npos &&
                       (trace_.calls.contains(column->column) || trace_.groupings.contains(column->column));
  if (const auto row = trace_.rows.find(value); row != trace_.rows.end()) {
    own = std::nullopt;
    text = whole_row(row->second);
  } else if (column != nullptr && !is_call) {
    own = own_name(*column);
  }
  return own == name ? text : text + " AS " + quote_identifier(name);
}

// As a target, item.* alone would be all its columns.
std::string QueryPrinter::whole_row(const std::string& item) const {
  const RangeNames::Named* named = names_.find(item, "");
  const std::string name = quote_identifier(names_.find_name(item));
  if (options_.stored || named == nullptr) {
    return name;
  }
  const auto traced = trace_.items.find(named->item);
  const bool is_relation = traced != trace_.items.end() && traced->second.table != nullptr;
  return name + ".*::" + (is_relation ? options_.relation(*traced->second.table) : "record");
}

std::string QueryPrinter::targets(const ast::Select& select, const ast::SelectCore& core, const Columns& columns) {
  const auto outputs = trace_.outputs.find(&select);
  const auto* names = columns.names != nullptr          ? columns.names
                      : outputs == trace_.outputs.end() ? nullptr
                                                        : &outputs->second;
  const std::vector<ExprPtr> values = target_values(core);
  if (names == nullptr || names->size() != values.size() || failed_) {
    return values.empty() ? "" : fail();
  }
  std::string text;
  bool was_multiline = false;
  for (std::size_t i = 0; i < values.size(); ++i) {
    text += i == 0 ? " " : ", ";
    const std::string item = target(values[i], (*names)[i], columns.visible);
    const bool breaks_itself = item.starts_with(kBreak);
    const bool too_long = last_line_length(text) + static_cast<int>(item.size()) > options_.wrap_column;
    if (!breaks_itself && i > 0 && (too_long || was_multiline)) {
      text += line("", -kIndent, kIndent, kIndentList);
    }
    was_multiline = item.find(kBreak, 1) != std::string::npos;
    text += item;
  }
  return text;
}

std::string QueryPrinter::values(const ast::ValuesLists& lists) {
  const auto rows = trace_.values.find(&lists);
  if (rows == trace_.values.end()) {
    return fail();
  }
  std::vector<std::string> texts;
  for (const std::vector<ExprPtr>& row : rows->second) {
    std::vector<std::string> fields;
    std::ranges::transform(row, std::back_inserter(fields),
                           [this](const ExprPtr& value) { return print_expr(value, print_); });
    texts.push_back("(" + joined(fields, ",") + ")");
  }
  return "VALUES " + joined(texts);
}

// VALUES, as a query from it when its columns have other names than its own.
std::string QueryPrinter::named_values(const ast::Select& select, const ast::ValuesLists& lists,
                                       const Columns& columns) {
  const auto outputs = trace_.outputs.find(&select);
  if (columns.names == nullptr || outputs == trace_.outputs.end() || *columns.names == outputs->second) {
    return " " + values(lists);
  }
  std::string text = " SELECT ";
  for (std::size_t i = 0; i < columns.names->size(); ++i) {
    text += i == 0 ? "" : "," + line("", -kIndent, kIndent, kIndentList);
    text += fmt::format("\"*VALUES*\".column{} AS {}", i + 1, quote_identifier((*columns.names)[i]));
  }
  text += line(" FROM ", -kIndent, kIndent, 2);
  return text + "(" + values(lists) + ") \"*VALUES*\"";
}

std::string QueryPrinter::grouping_set(const ast::Expr& item, bool omit_parentheses) {
  const auto* set = std::get_if<ast::GroupingSet>(&item.node);
  if (set == nullptr) {
    const auto* row = std::get_if<ast::RowConstructor>(&item.node);
    std::vector<std::string> parts;
    if (row == nullptr) {
      parts.push_back(sort_item(item));
    } else {
      std::ranges::transform(row->fields, std::back_inserter(parts),
                             [this](const ast::ExprPtr& field) { return sort_item(*field); });
    }
    return omit_parentheses && parts.size() == 1 ? parts[0] : "(" + joined(parts) + ")";
  }
  if (set->kind == ast::GroupingSet::Kind::kEmpty) {
    return "()";
  }
  const bool is_sets = set->kind == ast::GroupingSet::Kind::kSets;
  std::vector<std::string> parts;
  std::ranges::transform(set->content, std::back_inserter(parts),
                         [&](const ast::ExprPtr& part) { return grouping_set(*part, !is_sets); });
  const char* word = is_sets ? "GROUPING SETS (" : set->kind == ast::GroupingSet::Kind::kCube ? "CUBE(" : "ROLLUP(";
  return word + joined(parts) + ")";
}

std::string QueryPrinter::group_by(const ast::SelectCore& core) {
  if (core.group_by.empty()) {
    return "";
  }
  std::string text = line(" GROUP BY ", -kIndent, kIndent, 1) + (core.group_distinct ? "DISTINCT " : "");
  std::vector<std::string> items;
  std::ranges::transform(core.group_by, std::back_inserter(items),
                         [this](const ast::ExprPtr& item) { return grouping_set(*item, true); });
  return text + joined(items);
}

// ORDER BY, OFFSET, LIMIT and FOR UPDATE.
std::string QueryPrinter::tail(const ast::Select& select) {
  std::string text;
  if (!select.order_by.empty()) {
    const bool is_set = std::holds_alternative<ast::SetOperation>(select.body);
    text += line(" ORDER BY ", -kIndent, kIndent, 1);
    text += sort_list(select.order_by, is_set, &select);
  }
  if (select.offset != nullptr) {
    text += line(" OFFSET ", -kIndent, kIndent);
    text += expr(*select.offset, false);
  }
  if (select.limit != nullptr) {
    text += line(select.with_ties ? " FETCH FIRST " : " LIMIT ", -kIndent, kIndent);
    const ExprPtr limit = bound(*select.limit);
    const auto* constant = as<ConstantExpr>(limit);
    const bool is_all = !select.with_ties && constant != nullptr && constant->value.is_null();
    text += is_all ? "ALL" : expr(*select.limit, false);
    text += select.with_ties ? " ROWS WITH TIES" : "";
  }
  constexpr std::array kStrengths = {" FOR KEY SHARE", " FOR SHARE", " FOR NO KEY UPDATE", " FOR UPDATE"};
  for (const ast::LockingClause& clause : select.locking) {
    std::vector<std::string> relations;
    for (const ast::RelationName& name : clause.relations) {
      relations.push_back(name.name);
    }
    const auto* core = std::get_if<ast::SelectCore>(&select.body);
    if (relations.empty() && core != nullptr) {
      std::ranges::transform(core->from, std::back_inserter(relations),
                             [](const ast::FromItemPtr& item) { return original_name(*item); });
    }
    for (const std::string& relation : relations) {
      text += line(kStrengths[static_cast<std::size_t>(clause.strength)], -kIndent, kIndent);
      text += " OF " + quote_identifier(names_.find_name(relation));
      text += clause.wait == ast::LockingClause::Wait::kNoWait       ? " NOWAIT"
              : clause.wait == ast::LockingClause::Wait::kSkipLocked ? " SKIP LOCKED"
                                                                     : "";
    }
  }
  return text;
}

namespace {

const ast::SetOperation* plain_set(const ast::Select& select) {
  const bool is_plain = select.with == nullptr && select.order_by.empty() && select.limit == nullptr &&
                        select.offset == nullptr && select.locking.empty();
  return is_plain ? std::get_if<ast::SetOperation>(&select.body) : nullptr;
}

}  // namespace

std::string QueryPrinter::set_operand(const ast::Select& operand, const Columns& columns) {
  if (const ast::SetOperation* nested = plain_set(operand)) {
    return set_operation(*nested, columns);
  }
  const bool is_plain = operand.with == nullptr && operand.order_by.empty() && operand.limit == nullptr &&
                        operand.offset == nullptr && operand.locking.empty();
  const std::string text = query(operand, {columns.names, columns.visible, false});
  return is_plain ? text : "(" + text + ")";
}

// Parentheses where an operation is inside another one, but not for a chain of the same from the left.
std::string QueryPrinter::set_operation(const ast::SetOperation& operation, const Columns& columns) {
  const ast::SetOperation* left = plain_set(*operation.left);
  const bool left_grouped = left != nullptr && (left->kind != operation.kind || left->all != operation.all);
  std::string text;
  if (left_grouped) {
    text += "(" + line("", kIndent, 0);
  }
  text += set_operand(*operation.left, columns);
  text += left_grouped ? line(") ", -kIndent, 0) : line("", 0, 0);
  constexpr std::array kWords = {"UNION ", "INTERSECT ", "EXCEPT "};
  text += kWords[static_cast<std::size_t>(operation.kind)];
  text += operation.all ? "ALL " : "";
  const bool right_grouped = plain_set(*operation.right) != nullptr;
  text += right_grouped ? "(" : "";
  text += line("", right_grouped ? kIndent : 0, 0);
  text += set_operand(*operation.right, {columns.names, false, false});
  if (right_grouped) {
    indent_ -= kIndent;
    text += line(")", 0, 0);
  }
  return text;
}

std::optional<std::string> deparse_query(const ast::Select& select, const QueryTrace& trace,
                                         const DeparseOptions& options) {
  QueryPrinter printer(trace, options);
  const std::string pieces = printer.query(select, {&options.view_columns, true, true});
  if (printer.failed()) {
    return std::nullopt;
  }
  std::string text;
  for (const char c : pieces) {
    if (c == kBreak) {
      text.erase(text.find_last_not_of(' ') + 1);
    }
    text += c == kBreak ? '\n' : c;
  }
  return text;
}

}  // namespace pando::sql
