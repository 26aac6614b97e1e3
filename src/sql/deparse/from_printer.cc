// QueryPrinter: FROM.

#include <algorithm>

#include <fmt/format.h>

#include "sql/deparse/query_printer.h"
#include "sql/function/quoting.h"

namespace pando::sql {

std::string QueryPrinter::from(const std::vector<ast::FromItemPtr>& items) {
  std::string text;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i == 0) {
      text += line(" FROM ", -kIndent, kIndent, 2);
      text += item(*items[i]);
      continue;
    }
    text += ", ";
    const std::string next = item(*items[i]);
    const bool too_long = last_line_length(text) + static_cast<int>(next.size()) > options_.wrap_column;
    if (!next.starts_with(kBreak) && too_long) {
      text += line("", -kIndent, kIndent, kIndentList);
    }
    text += next;
  }
  return text;
}

std::string QueryPrinter::item(const ast::FromItem& item) {
  if (const auto* node = std::get_if<ast::FromJoin>(&item.node)) {
    return join(item, *node);
  }
  std::string text;
  if (const auto* table = std::get_if<ast::FromTable>(&item.node)) {
    const auto traced = trace_.items.find(&item);
    if (traced == trace_.items.end()) {
      return fail();
    }
    text =
        traced->second.table == nullptr ? quote_identifier(table->name.name) : options_.relation(*traced->second.table);
    text = (table->name.inherit ? "" : "ONLY ") + text;
  } else if (const auto* subquery = std::get_if<ast::FromSubquery>(&item.node)) {
    text = (subquery->lateral ? "LATERAL (" : "(") + query(*subquery->query, {}) + ")";
  } else if (const auto* call = std::get_if<ast::FromFunction>(&item.node)) {
    text = (call->lateral ? "LATERAL " : "") + function(*call);
  } else {
    return fail();
  }
  return text + alias(item) + sample(item);
}

std::string QueryPrinter::sample(const ast::FromItem& item) {
  const auto* table = std::get_if<ast::FromTable>(&item.node);
  if (table == nullptr || table->sample == nullptr) {
    return "";
  }
  const ast::TableSample& sample = *table->sample;
  std::vector<std::string> arguments;
  std::ranges::transform(sample.arguments, std::back_inserter(arguments),
                         [this](const ast::ExprPtr& argument) { return expr(*argument, false); });
  return fmt::format(" TABLESAMPLE {} ({}){}", quote_identifier(sample.method.back()), joined(arguments),
                     sample.seed == nullptr ? "" : " REPEATABLE (" + expr(*sample.seed, false) + ")");
}

namespace {

std::string column_definitions(const std::vector<ast::ColumnDefinitionItem>& columns,
                               const std::function<std::string(const ast::TypeName&)>& type) {
  std::vector<std::string> parts;
  std::ranges::transform(columns, std::back_inserter(parts), [&](const ast::ColumnDefinitionItem& column) {
    return quote_identifier(column.name) + " " + type(column.type);
  });
  return "(" + joined(parts) + ")";
}

}  // namespace

std::string QueryPrinter::function(const ast::FromFunction& function) {
  std::vector<std::string> calls;
  for (const ast::FromFunction::Item& item : function.functions) {
    std::string call = expr(*item.call, true);
    call += item.columns.empty() ? "" : " AS " + column_definitions(item.columns, options_.type);
    calls.push_back(std::move(call));
  }
  const bool is_plain =
      calls.size() == 1 && (function.columns.empty() || !function.ordinality) && function.functions[0].columns.empty();
  return (is_plain ? calls[0] : "ROWS FROM(" + joined(calls) + ")") + (function.ordinality ? " WITH ORDINALITY" : "");
}

// The alias where PostgreSQL writes one: the user's, of what needs one, and of what is called otherwise here.
std::string QueryPrinter::alias(const ast::FromItem& item) {
  const std::string& name = names_.name_of(item);
  const std::string columns = column_aliases(item);
  const auto* table = std::get_if<ast::FromTable>(&item.node);
  const bool is_needed =
      table == nullptr || alias_of(item).has_value() || !columns.empty() || name != names_.current_name(item);
  return is_needed ? " " + quote_identifier(name) + columns : "";
}

std::string QueryPrinter::column_aliases(const ast::FromItem& item) {
  const auto traced = trace_.items.find(&item);
  const auto* function = std::get_if<ast::FromFunction>(&item.node);
  if (traced == trace_.items.end()) {
    return "";
  }
  if (function != nullptr && !function->columns.empty()) {
    return column_definitions(function->columns, options_.type);
  }
  const auto& written = alias_of(item);
  const bool has_written = written.has_value() && !written->columns.empty();
  bool differs = function != nullptr || has_written;
  if (const catalog::TablePtr& table = traced->second.table; table != nullptr && has_written) {
    std::vector<std::string> real;
    for (const catalog::ColumnDescriptor& column : table->columns) {
      if (!column.dropped) {
        real.push_back(options_.column_name ? options_.column_name(*table, column.name) : column.name);
      }
    }
    differs = real != traced->second.columns;
  }
  if (!differs) {
    return "";
  }
  std::vector<std::string> names;
  std::ranges::transform(traced->second.columns, std::back_inserter(names),
                         [](const std::string& name) { return quote_identifier(name); });
  return "(" + joined(names) + ")";
}

bool QueryPrinter::is_renamed_in(const ast::FromItem& item, const std::string& column) const {
  if (const auto* join = std::get_if<ast::FromJoin>(&item.node)) {
    return is_renamed_in(*join->left, column) || is_renamed_in(*join->right, column);
  }
  const auto traced = trace_.items.find(&item);
  return traced != trace_.items.end() &&
         std::ranges::find(traced->second.columns, column) != traced->second.columns.end() &&
         names_.column_name(item, column) != column;
}

std::string QueryPrinter::join(const ast::FromItem& item, const ast::FromJoin& join) {
  const auto* right_join = std::get_if<ast::FromJoin>(&join.right->node);
  const bool right_grouped = options_.print.pretty && right_join != nullptr && !right_join->alias.has_value();
  const bool grouped = !options_.print.pretty || join.alias.has_value();
  std::string text = (grouped ? "(" : "") + this->item(*join.left);
  std::vector<std::string> using_columns = join.using_columns;
  if (join.natural) {
    const auto traced = trace_.natural_columns.find(&join);
    using_columns = traced == trace_.natural_columns.end() ? std::vector<std::string>() : traced->second;
  }
  for (const std::string& name : using_columns) {
    // What a join merges goes by one name, which both sides would have to change.
    const bool is_renamed = is_renamed_in(*join.left, name) || is_renamed_in(*join.right, name);
    failed_ = failed_ || is_renamed;
  }
  const bool has_condition = !using_columns.empty() || join.condition != nullptr;
  const bool is_inner = join.kind == ast::FromJoin::Kind::kInner;
  constexpr std::array kWords = {" JOIN ", " LEFT JOIN ", " RIGHT JOIN ", " FULL JOIN "};
  text += line(is_inner && !has_condition ? " CROSS JOIN " : kWords[static_cast<std::size_t>(join.kind)], -kIndent,
               kIndent, kIndentJoin);
  text += (right_grouped ? "(" : "") + this->item(*join.right) + (right_grouped ? ")" : "");
  if (!using_columns.empty()) {
    std::ranges::transform(using_columns, using_columns.begin(),
                           [](const std::string& name) { return quote_identifier(name); });
    text += " USING (" + joined(using_columns) + ")";
    text += join.using_alias.has_value() ? " AS " + quote_identifier(join.using_alias->name) : "";
  } else if (join.condition != nullptr) {
    const std::string condition = expr(*join.condition, false);
    text += " ON " + (options_.print.pretty ? condition : "(" + condition + ")");
  } else if (!is_inner) {
    text += " ON TRUE";
  }
  text += grouped ? ")" : "";
  return join.alias.has_value() ? text + alias(item) : text;
}

}  // namespace pando::sql
