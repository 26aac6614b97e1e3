#include "sql/ast/print.h"

#include <algorithm>
#include <array>
#include <cctype>

#include <fmt/format.h>

#include "base/assert.h"
#include "sql/ast/statement.h"

namespace pando::ast {
namespace {

std::string quoted(std::string_view text, char quote) {
  std::string result(1, quote);
  for (const char c : text) {
    result += c == quote ? std::string(2, quote) : std::string(1, c);
  }
  return result + quote;
}

std::string literal(std::string_view text) {
  if (text.find('\\') == std::string_view::npos) {
    return quoted(text, '\'');
  }
  std::string escaped;
  for (const char c : text) {
    escaped += c == '\\' ? "\\\\" : std::string(1, c);
  }
  return "E" + quoted(escaped, '\'');
}

template <typename T, typename Print>
std::string joined(const std::vector<T>& elements, std::string_view separator, Print print) {
  std::string text;
  for (const auto& element : elements) {
    text += (text.empty() ? "" : std::string(separator)) + print(element);
  }
  return text;
}

class Printer {
 public:
  explicit Printer(const PrintOptions& options) : options_(options) {}

  std::string expr(const Expr& e) {
    return std::visit([&](const auto& node) { return print(node); }, e.node);
  }
  std::string expr(const ExprPtr& e) { return e ? expr(*e) : std::string(); }
  std::string list(const ExprList& exprs) {
    return joined(exprs, ", ", [&](const ExprPtr& e) { return expr(e); });
  }

  std::string type(const TypeName& t) {
    std::string text = options_.type         ? options_.type(t)
                       : t.names.size() == 1 ? identifier(t.names[0])
                                             : dotted(t.names);
    const bool is_interval_fields = !t.names.empty() && t.names.back() == "interval" && !t.modifiers.empty();
    if (!t.modifiers.empty() && !is_interval_fields) {
      text += "(" + list(t.modifiers) + ")";
    }
    for (std::size_t i = 0; i < t.array_bounds.size(); ++i) {
      text += "[]";
    }
    return text;
  }

  std::string select(const Select& s) {
    const std::size_t with_before = with_names_.size();
    std::string text = s.with ? with(*s.with) : std::string();
    text += std::visit([&](const auto& body) { return print_body(body); }, s.body);
    if (!s.order_by.empty()) {
      text += " ORDER BY " + sort(s.order_by);
    }
    if (s.offset) {
      text += " OFFSET " + expr(s.offset);
    }
    if (s.limit) {
      text += s.with_ties ? " FETCH FIRST (" + expr(s.limit) + ") ROWS WITH TIES" : " LIMIT " + expr(s.limit);
    }
    for (const LockingClause& clause : s.locking) {
      text += locking(clause);
    }
    with_names_.resize(with_before);
    return text;
  }

  std::string locking(const LockingClause& clause) {
    constexpr std::array kStrengths = {"KEY SHARE", "SHARE", "NO KEY UPDATE", "UPDATE"};
    std::string text = std::string(" FOR ") + kStrengths[static_cast<std::size_t>(clause.strength)];
    if (!clause.relations.empty()) {
      text += " OF " + joined(clause.relations, ", ", [&](const RelationName& name) { return identifier(name.name); });
    }
    return text + (clause.wait == LockingClause::Wait::kNoWait       ? " NOWAIT"
                   : clause.wait == LockingClause::Wait::kSkipLocked ? " SKIP LOCKED"
                                                                     : "");
  }

  std::string from(const SelectCore& core) {
    return joined(core.from, ", ", [&](const FromItemPtr& item) { return from_item(*item); });
  }

 private:
  std::string identifier(std::string_view name) {
    return options_.identifier ? options_.identifier(name) : quoted(name, '"');
  }
  std::string dotted(const QualifiedName& names) {
    return joined(names, ".", [&](const std::string& name) { return identifier(name); });
  }
  // "+" or OPERATOR(schema.+).
  std::string operator_text(const QualifiedName& name) {
    return name.size() == 1 ? name[0] : fmt::format("OPERATOR({}.{})", identifier(name[0]), name.back());
  }

  // --- expressions ---
  std::string print(const Constant& node) {
    return std::visit([&](const auto& value) { return print(value); }, node.value);
  }
  std::string print(const NullLiteral&) { return "NULL"; }
  std::string print(const IntegerLiteral& node) {
    return node.value < 0 ? fmt::format("({})", node.value) : fmt::format("{}", node.value);
  }
  std::string print(const DecimalLiteral& node) { return node.digits; }
  std::string print(const StringLiteral& node) { return literal(node.value); }
  std::string print(const BooleanLiteral& node) { return node.value ? "true" : "false"; }
  std::string print(const BitStringLiteral& node) {
    return fmt::format("{}{}", node.value.substr(0, 1), quoted(node.value.substr(1), '\''));
  }
  std::string print(const ColumnRef& node) {
    return node.names.empty() ? "*" : dotted(node.names) + (node.star ? ".*" : "");
  }
  std::string print(const ParameterRef& node) { return fmt::format("${}", node.number); }
  std::string print(const Operation& node) {
    const std::string op = operator_text(node.name);
    return node.left ? fmt::format("({} {} {})", expr(node.left), op, expr(node.right))
                     : fmt::format("({} {})", op, expr(node.right));
  }
  std::string print(const ArrayComparison& node) {
    return fmt::format("({} {} {} ({}))", expr(node.left), operator_text(node.name), node.all ? "ALL" : "ANY",
                       expr(node.right));
  }
  std::string print(const DistinctTest& node) {
    return fmt::format("({} IS {}DISTINCT FROM {})", expr(node.left), node.negated ? "NOT " : "", expr(node.right));
  }
  std::string print(const NullIf& node) { return fmt::format("NULLIF({}, {})", expr(node.left), expr(node.right)); }
  std::string print(const InList& node) {
    return fmt::format("({} {}IN ({}))", expr(node.operand), node.negated ? "NOT " : "", list(node.list));
  }
  std::string print(const Between& node) {
    return fmt::format("({} {}BETWEEN {}{} AND {})", expr(node.operand), node.negated ? "NOT " : "",
                       node.symmetric ? "SYMMETRIC " : "", expr(node.low), expr(node.high));
  }
  std::string print(const Logical& node) {
    if (node.kind == Logical::Kind::kNot) {
      return fmt::format("(NOT {})", expr(node.operands.front()));
    }
    const char* word = node.kind == Logical::Kind::kAnd ? " AND " : " OR ";
    return "(" + joined(node.operands, word, [&](const ExprPtr& e) { return expr(e); }) + ")";
  }
  std::string print(const IndirectionExpr& node) {
    std::string text = "(" + expr(node.operand) + ")";
    for (const auto& step : node.steps) {
      switch (step.kind) {
        case Indirection::Kind::kField:
          text += "." + identifier(step.field);
          break;
        case Indirection::Kind::kSubscript:
          text += "[" + expr(step.upper) + "]";
          break;
        case Indirection::Kind::kSlice:
          text += "[" + expr(step.lower) + ":" + expr(step.upper) + "]";
          break;
        case Indirection::Kind::kStar:
          text += ".*";
          break;
      }
    }
    return text;
  }
  std::string print(const ArrayConstructor& node) { return "ARRAY[" + list(node.elements) + "]"; }
  // EXTRACT and its kin as they are written; empty for others.
  std::string sql_syntax(const FunctionCall& node) {
    const std::string& name = node.name.back();
    const std::size_t count = node.arguments.size();
    const auto part = [&](std::size_t i) { return expr(node.arguments[i]); };
    if (name == "timezone" && count == 2) {
      return fmt::format("({} AT TIME ZONE {})", part(1), part(0));
    }
    if (name == "overlaps" && count == 4) {
      return fmt::format("(({}, {}) OVERLAPS ({}, {}))", part(0), part(1), part(2), part(3));
    }
    if (name == "extract" && count == 2) {
      return fmt::format("EXTRACT({} FROM {})", part(0), part(1));
    }
    if (name == "pg_collation_for" && count == 1) {
      return fmt::format("COLLATION FOR ({})", part(0));
    }
    if (name == "overlay" && count >= 3) {
      return fmt::format("OVERLAY({} PLACING {} FROM {}{})", part(0), part(1), part(2),
                         count == 4 ? " FOR " + part(3) : "");
    }
    if (name == "position" && count == 2) {
      return fmt::format("POSITION(({}) IN ({}))", part(1), part(0));
    }
    if (name == "substring" && count >= 2) {
      return fmt::format("SUBSTRING({} FROM {}{})", part(0), part(1), count == 3 ? " FOR " + part(2) : "");
    }
    if ((name == "btrim" || name == "ltrim" || name == "rtrim") && count >= 1) {
      const char* side = name == "btrim" ? "BOTH" : name == "ltrim" ? "LEADING" : "TRAILING";
      return fmt::format("TRIM({}{} FROM {})", side, count == 2 ? " " + part(1) : "", part(0));
    }
    return "";
  }
  std::string print(const FunctionCall& node) {
    if (std::string syntax = node.sql_syntax ? sql_syntax(node) : ""; !syntax.empty()) {
      return syntax;
    }
    std::string text = dotted(node.name) + "(";
    text += node.distinct ? "DISTINCT " : "";
    if (node.star) {
      text += "*";
    }
    for (std::size_t i = 0; i < node.arguments.size(); ++i) {
      const bool is_last = i + 1 == node.arguments.size();
      text += (i > 0 ? ", " : "") + std::string(node.variadic && is_last ? "VARIADIC " : "") + expr(node.arguments[i]);
    }
    if (node.within_group) {
      text += ") WITHIN GROUP (ORDER BY " + sort(node.order_by);
    } else if (!node.order_by.empty()) {
      text += " ORDER BY " + sort(node.order_by);
    }
    text += ")";
    if (node.filter) {
      text += " FILTER (WHERE " + expr(node.filter) + ")";
    }
    if (node.over) {
      const bool is_name = !node.over->name.empty();
      text += " OVER " + (is_name ? identifier(node.over->name) : "(" + window(*node.over) + ")");
    }
    return text;
  }
  std::string print(const NamedArgument& node) { return identifier(node.name) + " => " + expr(node.value); }
  std::string print(const Cast& node) { return fmt::format("CAST({} AS {})", expr(node.operand), type(node.type)); }
  std::string print(const Collate& node) {
    return fmt::format("({} COLLATE {})", expr(node.operand), dotted(node.collation));
  }
  std::string print(const CaseExpr& node) {
    std::string text = "CASE";
    if (node.operand) {
      text += " " + expr(node.operand);
    }
    for (const auto& when : node.whens) {
      text += fmt::format(" WHEN {} THEN {}", expr(when.condition), expr(when.result));
    }
    return text + (node.otherwise ? " ELSE " + expr(node.otherwise) : "") + " END";
  }
  std::string print(const Coalesce& node) { return "COALESCE(" + list(node.arguments) + ")"; }
  std::string print(const MinMax& node) {
    return (node.greatest ? "GREATEST(" : "LEAST(") + list(node.arguments) + ")";
  }
  std::string print(const Subquery& node) {
    const std::string query = "(" + select(*node.query) + ")";
    switch (node.kind) {
      case Subquery::Kind::kScalar:
        return query;
      case Subquery::Kind::kExists:
        return "EXISTS " + query;
      case Subquery::Kind::kArray:
        return "ARRAY" + query;
      case Subquery::Kind::kAny:
        return node.operator_name.empty()
                   ? fmt::format("({} IN {})", expr(node.operand), query)
                   : fmt::format("({} {} ANY {})", expr(node.operand), operator_text(node.operator_name), query);
      case Subquery::Kind::kAll:
        return fmt::format("({} {} ALL {})", expr(node.operand), operator_text(node.operator_name), query);
    }
    PANDO_UNREACHABLE("a subquery of unknown kind");
  }
  std::string print(const NullTest& node) {
    return fmt::format("({} IS {}NULL)", expr(node.operand), node.negated ? "NOT " : "");
  }
  std::string print(const BooleanTest& node) {
    constexpr std::array kWords = {"TRUE", "NOT TRUE", "FALSE", "NOT FALSE", "UNKNOWN", "NOT UNKNOWN"};
    return fmt::format("({} IS {})", expr(node.operand), kWords[static_cast<std::size_t>(node.kind)]);
  }
  // (a, b) is not ROW(a, b) in GROUP BY.
  std::string print(const RowConstructor& node) {
    return (node.explicit_row || node.fields.size() < 2 ? "ROW(" : "(") + list(node.fields) + ")";
  }
  std::string print(const SqlValueFunction& node) {
    constexpr std::array kWords = {"CURRENT_DATE",   "CURRENT_TIME",    "CURRENT_TIMESTAMP", "LOCALTIME",
                                   "LOCALTIMESTAMP", "CURRENT_ROLE",    "CURRENT_USER",      "USER",
                                   "SESSION_USER",   "CURRENT_CATALOG", "CURRENT_SCHEMA"};
    const std::string word = kWords[static_cast<std::size_t>(node.kind)];
    return node.precision < 0 ? word : fmt::format("{}({})", word, node.precision);
  }
  std::string print(const GroupingCall& node) { return "GROUPING(" + list(node.arguments) + ")"; }
  std::string print(const GroupingSet& node) {
    constexpr std::array kWords = {"", "ROLLUP ", "CUBE ", "GROUPING SETS "};
    return fmt::format("{}({})", kWords[static_cast<std::size_t>(node.kind)], list(node.content));
  }
  std::string print(const DefaultMarker&) { return "DEFAULT"; }
  std::string print(const CurrentOf& node) { return "CURRENT OF " + identifier(node.cursor); }
  std::string print(const UnsupportedExpr& node) { return node.feature; }

  // --- queries ---
  std::string sort(const std::vector<SortBy>& keys) {
    return joined(keys, ", ", [&](const SortBy& key) {
      std::string text = expr(key.expr);
      if (key.direction == SortBy::Direction::kUsing) {
        text += " USING " + operator_text(key.operator_name);
      } else if (key.direction != SortBy::Direction::kDefault) {
        text += key.direction == SortBy::Direction::kDescending ? " DESC" : " ASC";
      }
      if (key.nulls != SortBy::Nulls::kDefault) {
        text += key.nulls == SortBy::Nulls::kFirst ? " NULLS FIRST" : " NULLS LAST";
      }
      return text;
    });
  }

  std::string bound(WindowFrame::Bound kind, const ExprPtr& offset) {
    switch (kind) {
      case WindowFrame::Bound::kUnboundedPreceding:
        return "UNBOUNDED PRECEDING";
      case WindowFrame::Bound::kPreceding:
        return expr(offset) + " PRECEDING";
      case WindowFrame::Bound::kCurrentRow:
        return "CURRENT ROW";
      case WindowFrame::Bound::kFollowing:
        return expr(offset) + " FOLLOWING";
      case WindowFrame::Bound::kUnboundedFollowing:
        return "UNBOUNDED FOLLOWING";
    }
    PANDO_UNREACHABLE("a window bound of unknown kind");
  }

  std::string window(const WindowDefinition& node) {
    std::vector<std::string> parts;
    if (!node.reference.empty()) {
      parts.push_back(identifier(node.reference));
    }
    if (!node.partition_by.empty()) {
      parts.push_back("PARTITION BY " + list(node.partition_by));
    }
    if (!node.order_by.empty()) {
      parts.push_back("ORDER BY " + sort(node.order_by));
    }
    if (node.frame.written) {
      constexpr std::array kModes = {"RANGE", "ROWS", "GROUPS"};
      constexpr std::array kExclusions = {"", " EXCLUDE CURRENT ROW", " EXCLUDE GROUP", " EXCLUDE TIES"};
      parts.push_back(fmt::format("{} BETWEEN {} AND {}{}", kModes[static_cast<std::size_t>(node.frame.mode)],
                                  bound(node.frame.start, node.frame.start_offset),
                                  bound(node.frame.end, node.frame.end_offset),
                                  kExclusions[static_cast<std::size_t>(node.frame.exclusion)]));
    }
    return fmt::format("{}", fmt::join(parts, " "));
  }

  // Names its tables for what follows: all at once when they may be recursive, else each from the next one on.
  std::string with(const WithClause& clause) {
    if (clause.recursive) {
      std::ranges::transform(clause.tables, std::back_inserter(with_names_), &CommonTable::name);
    }
    const std::string tables = joined(clause.tables, ", ", [&](const CommonTable& table) {
      std::string text = common_table(table);
      if (!clause.recursive) {
        with_names_.push_back(table.name);
      }
      return text;
    });
    return std::string("WITH ") + (clause.recursive ? "RECURSIVE " : "") + tables + " ";
  }
  std::string common_table(const CommonTable& table);

  std::string column_list(const std::vector<std::string>& columns) {
    return columns.empty() ? ""
                           : "(" + joined(columns, ", ", [&](const std::string& c) { return identifier(c); }) + ")";
  }

  std::string print_body(const SelectCore& core) {
    std::string text = "SELECT ";
    if (core.distinct) {
      text += core.distinct_on.empty() ? "DISTINCT " : "DISTINCT ON (" + list(core.distinct_on) + ") ";
    }
    text += joined(core.items, ", ", [&](const SelectItem& item) { return select_item(core, item); });
    if (!core.from.empty()) {
      text += " FROM " + from(core);
    }
    if (core.where) {
      text += " WHERE " + expr(core.where);
    }
    if (!core.group_by.empty()) {
      text += std::string(" GROUP BY ") + (core.group_distinct ? "DISTINCT " : "") + list(core.group_by);
    }
    if (core.having) {
      text += " HAVING " + expr(core.having);
    }
    if (!core.windows.empty()) {
      text += " WINDOW " + joined(core.windows, ", ", [&](const WindowDefinition& definition) {
                return identifier(definition.name) + " AS (" + window(definition) + ")";
              });
    }
    return text;
  }
  std::string select_item(const SelectCore& core, const SelectItem& item) {
    const auto* column = std::get_if<ColumnRef>(&item.expr->node);
    if (column != nullptr && column->star && options_.star) {
      const std::string expanded = options_.star(core, *column);
      return expanded.empty() ? expr(item.expr) : expanded;
    }
    return expr(item.expr) + (item.name.empty() ? "" : " AS " + identifier(item.name));
  }
  std::string print_body(const ValuesLists& values) {
    return "VALUES " + joined(values.rows, ", ", [&](const ExprList& row) { return "(" + list(row) + ")"; });
  }
  std::string print_body(const SetOperation& node) {
    constexpr std::array kWords = {"UNION", "INTERSECT", "EXCEPT"};
    return fmt::format("({}) {}{} ({})", select(*node.left), kWords[static_cast<std::size_t>(node.kind)],
                       node.all ? " ALL" : "", select(*node.right));
  }

  std::string alias(const std::optional<Alias>& a) {
    return a ? " AS " + identifier(a->name) + column_list(a->columns) : std::string();
  }
  std::string relation(const RelationName& name) {
    const std::string only = name.inherit ? "" : "ONLY ";
    const bool of_with = name.schema.empty() && std::ranges::find(with_names_, name.name) != with_names_.end();
    if (options_.relation && !of_with) {
      return only + options_.relation(name);
    }
    return only + (name.schema.empty() ? "" : identifier(name.schema) + ".") + identifier(name.name);
  }
  std::string from_item(const FromItem& item) {
    return std::visit([&](const auto& node) { return print_from_node(node); }, item.node);
  }
  std::string print_from_node(const FromTable& node) {
    return relation(node.name) + alias(node.alias) + (node.sample ? sample(*node.sample) : "");
  }
  std::string sample(const TableSample& node) {
    const std::string method = joined(node.method, ".", [this](const std::string& name) { return identifier(name); });
    return fmt::format(" TABLESAMPLE {} ({}){}", method, list(node.arguments),
                       node.seed ? " REPEATABLE (" + expr(node.seed) + ")" : "");
  }
  std::string print_from_node(const FromSubquery& node) {
    return std::string(node.lateral ? "LATERAL " : "") + "(" + select(*node.query) + ")" + alias(node.alias);
  }
  std::string column_definitions(const std::vector<ColumnDefinitionItem>& columns) {
    return joined(columns, ", ",
                  [&](const ColumnDefinitionItem& c) { return identifier(c.name) + " " + type(c.type); });
  }
  std::string print_from_node(const FromFunction& node) {
    std::string text = node.lateral ? "LATERAL " : "";
    const std::string calls = joined(node.functions, ", ", [&](const FromFunction::Item& item) {
      return expr(item.call) + (item.columns.empty() ? "" : " AS (" + column_definitions(item.columns) + ")");
    });
    text += node.rows_from ? "ROWS FROM (" + calls + ")" : calls;
    text += node.ordinality ? " WITH ORDINALITY" : "";
    if (!node.columns.empty()) {
      return text + " AS " + (node.alias ? identifier(node.alias->name) : "") + "(" + column_definitions(node.columns) +
             ")";
    }
    return text + alias(node.alias);
  }
  std::string print_from_node(const FromJoin& node) {
    constexpr std::array kWords = {"JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"};
    const bool is_cross = !node.natural && node.using_columns.empty() && !node.condition;
    std::string text =
        fmt::format("{} {}{} {}", from_item(*node.left), node.natural ? "NATURAL " : "",
                    is_cross ? "CROSS JOIN" : kWords[static_cast<std::size_t>(node.kind)], from_item(*node.right));
    if (!node.using_columns.empty()) {
      text += " USING " + column_list(node.using_columns);
      text += node.using_alias ? " AS " + identifier(node.using_alias->name) : "";
    } else if (node.condition) {
      text += " ON " + expr(node.condition);
    }
    return "(" + text + ")" + alias(node.alias);
  }
  std::string print_from_node(const FromUnsupported& node) { return node.feature; }

  const PrintOptions& options_;
  // The WITH tables that are visible where printing is.
  std::vector<std::string> with_names_;
};

std::string Printer::common_table(const CommonTable& table) {
  std::string text = identifier(table.name) + column_list(table.columns) + " AS ";
  if (table.materialize != CommonTable::Materialize::kDefault) {
    text += table.materialize == CommonTable::Materialize::kNever ? "NOT MATERIALIZED " : "MATERIALIZED ";
  }
  const auto* query = std::get_if<Select>(&table.query->node);
  PANDO_ASSERT(query != nullptr, "a data-modifying WITH has no text form here");
  return text + "(" + select(*query) + ")";
}

}  // namespace

std::string print_select(const Select& select, const PrintOptions& options) { return Printer(options).select(select); }
std::string print_expression(const Expr& expr, const PrintOptions& options) { return Printer(options).expr(expr); }
std::string print_type(const TypeName& type) { return Printer(PrintOptions()).type(type); }
std::string print_from(const SelectCore& core, const PrintOptions& options) { return Printer(options).from(core); }

}  // namespace pando::ast
