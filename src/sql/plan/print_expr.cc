#include "sql/plan/print_expr.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/assert.h"
#include "sql/function/function.h"
#include "types/text_io.h"

namespace pando::sql {
namespace {

using types::oid::kBool;
using types::oid::kFloat8;
using types::oid::kInt4;
using types::oid::kNumeric;
using types::oid::kUnknown;

bool is_operator_spelling(std::string_view spelling) {
  return !spelling.empty() && std::string_view("+-*/<>=~!@#%^&|`?").find(spelling[0]) != std::string_view::npos;
}

bool is_reg_type(types::Oid type) {
  using namespace types::oid;
  return type == kRegclass || type == kRegtype || type == kRegproc || type == kRegprocedure || type == kRegoper ||
         type == kRegoperator || type == kRegnamespace || type == kRegrole;
}

// --- which parentheses precedence makes superfluous: PostgreSQL's isSimpleNode() ---

enum class Form : uint8_t {
  kSeparated,  // has separators of its own around its parts, as a function call has
  kCast,
  kOperator,
  kTest,  // IS NULL, a subquery: as an operator without known precedence
  kLogic,
  kOther,
};

Form form_of(const Expr& expr) {
  if (const auto* call = std::get_if<CallExpr>(&expr.node)) {
    const bool is_cast = call->spelling.empty() || call->spelling == "::";
    const bool is_syntax = !is_cast && call->spelling[0] >= 'A' && call->spelling[0] <= 'Z';
    return is_cast || is_syntax                   ? Form::kCast
           : is_operator_spelling(call->spelling) ? Form::kOperator
                                                  : Form::kSeparated;
  }
  if (std::holds_alternative<CastExpr>(expr.node)) {
    return Form::kCast;
  }
  if (std::holds_alternative<LogicExpr>(expr.node)) {
    return Form::kLogic;
  }
  if (const auto* distinct = std::get_if<DistinctExpr>(&expr.node)) {
    return distinct->is_not ? Form::kLogic : Form::kTest;
  }
  if (std::holds_alternative<NullTestExpr>(expr.node) || std::holds_alternative<BooleanTestExpr>(expr.node) ||
      std::holds_alternative<SubqueryExpr>(expr.node)) {
    return Form::kTest;
  }
  const bool is_other = std::holds_alternative<ArrayComparisonExpr>(expr.node) ||
                        std::holds_alternative<RowComparisonExpr>(expr.node) ||
                        std::holds_alternative<FieldExpr>(expr.node);
  return is_other ? Form::kOther : Form::kSeparated;
}

// 1 for + and -, 2 for *, / and %, 0 for what has no precedence that is known here.
int precedence(const Expr& expr) {
  const auto* call = std::get_if<CallExpr>(&expr.node);
  if (call == nullptr || call->arguments.size() != 2 || call->spelling.size() != 1) {
    return 0;
  }
  const char symbol = call->spelling[0];
  return symbol == '+' || symbol == '-' ? 1 : symbol == '*' || symbol == '/' || symbol == '%' ? 2 : 0;
}

LogicExpr::Kind logic_kind(const Expr& expr) {
  const auto* logic = std::get_if<LogicExpr>(&expr.node);
  return logic == nullptr ? LogicExpr::Kind::kNot : logic->kind;
}

bool is_simple_logic(const Expr& expr, const Expr& parent) {
  if (form_of(parent) != Form::kLogic) {
    return form_of(parent) == Form::kSeparated;
  }
  const LogicExpr::Kind outer = logic_kind(parent);
  return logic_kind(expr) == LogicExpr::Kind::kOr ? outer == LogicExpr::Kind::kOr
                                                  : outer == LogicExpr::Kind::kAnd || outer == LogicExpr::Kind::kOr;
}

bool is_simple(const Expr& expr, const Expr& parent) {
  switch (form_of(expr)) {
    case Form::kSeparated:
      return true;
    case Form::kCast: {
      const auto* cast = std::get_if<CastExpr>(&expr.node);
      return cast == nullptr || cast->method == CastExpr::Method::kModifier || is_simple(*cast->argument, expr);
    }
    case Form::kOperator:
      if (form_of(parent) == Form::kOperator) {
        const int own = precedence(expr);
        const int outer = precedence(parent);
        const auto& first = std::get<CallExpr>(parent.node).arguments[0];
        return own > 0 && outer > 0 && (own > outer || (own == outer && first.get() == &expr));
      }
      [[fallthrough]];
    case Form::kTest:
      return form_of(parent) == Form::kLogic || form_of(parent) == Form::kSeparated;
    case Form::kLogic:
      return is_simple_logic(expr, parent);
    case Form::kOther:
      return std::holds_alternative<FieldExpr>(expr.node);
  }
  PANDO_UNREACHABLE("a form outside its enumeration");
}

class Printer {
 public:
  explicit Printer(const PrintOptions& options) : options_(options) {}

  std::string print(const ExprPtr& expr, bool show_implicit_cast) {
    if (!expr) {
      return "";
    }
    if (options_.special) {
      if (auto text = options_.special(expr)) {
        return *std::move(text);
      }
    }
    return std::visit([&](const auto& node) { return print_node(*expr, node, show_implicit_cast); }, expr->node);
  }

  std::string sort_operand(const ExprPtr& expr) {
    if (const auto* constant = as<ConstantExpr>(expr)) {
      return labelled_constant(*expr, *constant);
    }
    const std::string text = print(expr, true);
    const bool is_name = as<ColumnExpr>(expr) != nullptr && !text.ends_with(')');
    const auto* call = as<CallExpr>(expr);
    const bool is_function =
        as<ColumnExpr>(expr) != nullptr || (call != nullptr && !is_operator_spelling(call->spelling));
    return is_name || (!options_.pretty && !is_function) ? text : "(" + text + ")";
  }

 private:
  std::string print(const ExprPtr& expr) { return print(expr, true); }

  // As a part of `parent`, which has no separators of its own around it.
  std::string operand(const ExprPtr& expr, const Expr& parent, bool show_implicit_cast = true) {
    std::string text = print(expr, show_implicit_cast);
    return options_.pretty && !is_simple(*expr, parent) ? "(" + text + ")" : text;
  }
  // What has parentheses unless they are superfluous.
  std::string group(std::string text) const { return options_.pretty ? text : "(" + text + ")"; }

  std::string list(const std::vector<ExprPtr>& exprs, std::string_view separator = ", ") {
    std::vector<std::string> parts;
    for (const auto& expr : exprs) {
      parts.push_back(print(expr));
    }
    return fmt::format("{}", fmt::join(parts, separator));
  }

  std::string name_of(types::Type type) const {
    // As PostgreSQL tells character without a length from character(1).
    if (type.modifier < 0 && (type.oid == types::oid::kBpchar || type.oid == types::oid::kBpcharArray)) {
      return type.oid == types::oid::kBpchar ? "bpchar" : "bpchar[]";
    }
    return options_.type_name ? options_.type_name(type) : types::format_type(type);
  }

  // A constant of the type itself is labelled once.
  std::string cast(ExprPtr argument, const Expr& expr) {
    // varchar(3) is one cast, though it is made of two.
    const auto* own = std::get_if<CastExpr>(&expr.node);
    const bool is_modifier = own != nullptr && own->method == CastExpr::Method::kModifier;
    const auto* inner = as<CastExpr>(argument);
    if (is_modifier && inner != nullptr && argument->type.oid == expr.type.oid && argument->type.modifier < 0) {
      argument = inner->argument;
    }
    const auto* constant = as<ConstantExpr>(argument);
    if (constant != nullptr && argument->type.oid == expr.type.oid && argument->type.modifier < 0) {
      return bare_constant(*argument, *constant) + "::" + name_of(expr.type);
    }
    return group(operand(argument, expr, false)) + "::" + name_of(expr.type);
  }

  std::string bare_constant(const Expr& expr, const ConstantExpr& node) {
    std::string text = print_node(expr, node, true);
    const std::string label = "::" + name_of(expr.type);
    return text.ends_with(label) ? text.substr(0, text.size() - label.size()) : text;
  }
  std::string labelled_constant(const Expr& expr, const ConstantExpr& node) {
    return bare_constant(expr, node) + "::" + name_of(expr.type);
  }

  std::string print_node(const Expr& expr, const ConstantExpr& node, bool) {
    const std::string type = name_of(expr.type);
    if (node.value.is_null()) {
      return expr.type.oid == kUnknown ? "NULL" : "NULL::" + type;
    }
    if (expr.type.oid == kBool) {
      return node.value.as<bool>() ? "true" : "false";
    }
    if (is_reg_type(expr.type.oid) && options_.object_name) {
      return quote_literal(options_.object_name(expr.type.oid, node.value.as<uint32_t>())) + "::" + type;
    }
    std::string text;
    types::print_text(expr.type, node.value, options_.settings, text);
    const bool is_plain_number = text.find_first_not_of("0123456789.") == std::string::npos;
    if (expr.type.oid == kInt4 && is_plain_number) {
      return text;
    }
    if (expr.type.oid == kNumeric && is_plain_number && text.find('.') != std::string::npos) {
      return text + (expr.type.modifier >= 0 ? "::" + type : "");
    }
    return quote_literal(text) + (expr.type.oid == kUnknown ? "" : "::" + type);
  }

  std::string print_node(const Expr&, const ColumnExpr& node, bool) {
    if (options_.column) {
      return options_.column(node);
    }
    const auto dot = node.name.rfind('.');
    return quote_identifier(dot == std::string::npos ? node.name : node.name.substr(dot + 1));
  }

  std::string print_node(const Expr&, const ParameterExpr& node, bool) { return fmt::format("${}", node.index + 1); }

  std::string print_node(const Expr& expr, const CallExpr& node, bool show_implicit_cast) {
    if (node.spelling.empty() && !show_implicit_cast) {
      return operand(node.arguments.front(), expr, false);
    }
    if (node.spelling.empty() || node.spelling == "::") {
      return cast(node.arguments.front(), expr);
    }
    if (is_operator_spelling(node.spelling)) {
      return group(node.arguments.size() == 1 ? fmt::format("{} {}", node.spelling, operand(node.arguments[0], expr))
                                              : fmt::format("{} {} {}", operand(node.arguments[0], expr), node.spelling,
                                                            operand(node.arguments[1], expr)));
    }
    if (auto text = sql_syntax(expr, node)) {
      return *std::move(text);
    }
    return fmt::format("{}({}{})", quote_identifier(node.spelling), node.variadic_array ? "VARIADIC " : "",
                       list(node.arguments));
  }

  // EXTRACT and its kin: what has a syntax of its own is spelled in capitals.
  std::optional<std::string> sql_syntax(const Expr& expr, const CallExpr& node) {
    const auto part = [&](std::size_t i) { return print(node.arguments[i], false); };
    const auto word = [&](std::size_t i) {
      const auto* constant = as<ConstantExpr>(node.arguments[i]);
      return constant == nullptr || constant->value.is_null() ? part(i) : Bytes(constant->value.bytes());
    };
    const std::string_view name = node.spelling;
    const std::size_t count = node.arguments.size();
    if (name == "TIMEZONE" && count == 2) {
      return fmt::format("({} AT TIME ZONE {})", operand(node.arguments[1], expr, false),
                         operand(node.arguments[0], expr, false));
    }
    if (name == "OVERLAPS" && count == 4) {
      return fmt::format("(({}, {}) OVERLAPS ({}, {}))", part(0), part(1), part(2), part(3));
    }
    if (name == "EXTRACT" && count == 2) {
      return fmt::format("EXTRACT({} FROM {})", word(0), part(1));
    }
    if (name == "IS_NORMALIZED") {
      return fmt::format("({} IS{} NORMALIZED)", operand(node.arguments[0], expr, false),
                         count == 2 ? " " + word(1) : "");
    }
    if (name == "PG_COLLATION_FOR") {
      return fmt::format("COLLATION FOR ({})", part(0));
    }
    if (name == "NORMALIZE") {
      return fmt::format("NORMALIZE({}{})", part(0), count == 2 ? ", " + word(1) : "");
    }
    if (name == "OVERLAY") {
      return fmt::format("OVERLAY({} PLACING {} FROM {}{})", part(0), part(1), part(2),
                         count == 4 ? " FOR " + part(3) : "");
    }
    if (name == "POSITION") {
      return fmt::format("POSITION(({}) IN ({}))", part(1), part(0));
    }
    if (name == "SUBSTRING") {
      const bool is_pattern = count == 3 && node.arguments[1]->type.oid == types::oid::kText;
      return fmt::format("SUBSTRING({} {} {}{})", part(0), is_pattern ? "SIMILAR" : "FROM", part(1),
                         count < 3 ? "" : (is_pattern ? " ESCAPE " : " FOR ") + part(2));
    }
    if (name == "BTRIM" || name == "LTRIM" || name == "RTRIM") {
      const char* side = name == "BTRIM" ? "BOTH" : name == "LTRIM" ? "LEADING" : "TRAILING";
      return fmt::format("TRIM({}{} FROM {})", side, count == 2 ? " " + part(1) : "", part(0));
    }
    return std::nullopt;
  }

  std::string print_node(const Expr& expr, const CastExpr& node, bool show_implicit_cast) {
    return !node.is_explicit && !show_implicit_cast ? operand(node.argument, expr, false) : cast(node.argument, expr);
  }

  std::string print_node(const Expr& expr, const LogicExpr& node, bool) {
    if (node.kind == LogicExpr::Kind::kNot) {
      return group("NOT " + operand(node.arguments.front(), expr, false));
    }
    std::vector<std::string> parts;
    for (const auto& argument : node.arguments) {
      parts.push_back(operand(argument, expr, false));
    }
    return group(fmt::format("{}", fmt::join(parts, node.kind == LogicExpr::Kind::kAnd ? " AND " : " OR ")));
  }

  std::string print_node(const Expr& expr, const NullTestExpr& node, bool) {
    return group(fmt::format("{} IS {}NULL", operand(node.argument, expr), node.is_not ? "NOT " : ""));
  }

  std::string print_node(const Expr& expr, const BooleanTestExpr& node, bool) {
    constexpr std::array kWords = {"TRUE", "FALSE", "UNKNOWN"};
    return group(fmt::format("{} IS {}{}", operand(node.argument, expr, false), node.is_not ? "NOT " : "",
                             kWords[static_cast<std::size_t>(node.kind)]));
  }

  // IS NOT DISTINCT FROM is a negation of the other.
  std::string print_node(const Expr& expr, const DistinctExpr& node, bool) {
    const std::string text =
        group(fmt::format("{} IS DISTINCT FROM {}", operand(node.left, expr), operand(node.right, expr)));
    return node.is_not ? group("NOT " + (options_.pretty ? "(" + text + ")" : text)) : text;
  }

  std::string line(std::string_view keyword, int before, int after) const {
    return options_.line ? options_.line(keyword, before, after) : std::string(keyword);
  }

  std::string print_node(const Expr&, const CaseExpr& node, bool) {
    constexpr int kIndent = 4;
    const std::string space = options_.line ? "" : " ";
    std::string text = line("CASE", 0, kIndent);
    if (node.operand) {
      text += " " + print(node.operand);
    }
    for (const auto& branch : node.branches) {
      ExprPtr condition = branch.condition;
      if (const auto* equality = as<CallExpr>(condition); node.operand && equality && equality->arguments.size() == 2) {
        condition = equality->arguments[1];
      }
      text += space + line("WHEN ", 0, 0);
      text += print(condition, false) + " THEN ";
      text += print(branch.result);
    }
    text += space + line("ELSE ", 0, 0);
    text += print(node.otherwise) + space;
    return text + line("END", -kIndent, 0);
  }

  std::string print_node(const Expr&, const CoalesceExpr& node, bool) {
    return fmt::format("COALESCE({})", list(node.arguments));
  }
  std::string print_node(const Expr&, const NullIfExpr& node, bool) {
    return fmt::format("NULLIF({}, {})", print(node.left), print(node.right));
  }
  std::string print_node(const Expr&, const MinMaxExpr& node, bool) {
    return fmt::format("{}({})", node.greatest ? "GREATEST" : "LEAST", list(node.arguments));
  }
  std::string print_node(const Expr& expr, const ArrayComparisonExpr& node, bool) {
    return group(fmt::format("{} {} {} ({})", operand(node.left, expr), node.spelling, node.all ? "ALL" : "ANY",
                             operand(node.array, expr)));
  }
  std::string print_node(const Expr& expr, const ArrayExpr& node, bool) {
    const std::string text = fmt::format("ARRAY[{}]", list(node.elements));
    return node.elements.empty() ? fmt::format("{}::{}", text, types::format_type(expr.type)) : text;
  }
  std::string print_node(const Expr& expr, const RowExpr& node, bool) {
    const std::string row = fmt::format("ROW({})", list(node.fields));
    return types::is_composite(expr.type.oid) ? row + "::" + name_of(expr.type) : row;
  }
  std::string print_node(const Expr&, const RowComparisonExpr& node, bool) {
    return fmt::format("(ROW({}) {} ROW({}))", list(node.left), node.op, list(node.right));
  }
  std::string print_node(const Expr&, const SubscriptExpr& node, bool) {
    std::string text = as<ColumnExpr>(node.container) ? print(node.container) : "(" + print(node.container) + ")";
    for (const auto& bound : node.bounds) {
      text += bound.is_slice ? fmt::format("[{}:{}]", print(bound.lower, false), print(bound.upper, false))
                             : fmt::format("[{}]", print(bound.upper, false));
    }
    return text;
  }
  std::string print_node(const Expr&, const FieldExpr& node, bool) {
    const auto& known = options_.settings.user_types;
    const auto* composite = known == nullptr ? nullptr : known->find_composite(node.record->type.oid);
    const std::string field = composite != nullptr && node.field < composite->attributes.size()
                                  ? quote_identifier(composite->attributes[node.field].name)
                                  : fmt::format("f{}", node.field + 1);
    return fmt::format("({}).{}", print(node.record), field);
  }
  std::string print_node(const Expr& expr, const SubqueryExpr& node, bool) {
    return options_.subquery ? print_query(expr, node) : print_subquery(node);
  }
  std::string print_node(const Expr&, const SubplanExpr& node, bool) { return print_subquery(node); }

  std::string print_query(const Expr& expr, const SubqueryExpr& node) {
    const std::string query = options_.subquery(std::make_shared<const Expr>(expr));
    std::string left = list(node.left);
    left = node.left.size() > 1 ? "(" + left + ")" : left;
    switch (node.kind) {
      case SubqueryExpr::Kind::kScalar:
        return "(" + query + ")";
      case SubqueryExpr::Kind::kExists:
        return "(EXISTS (" + query + "))";
      case SubqueryExpr::Kind::kAny:
        return node.spelling == "=" ? fmt::format("({} IN ({}))", left, query)
                                    : fmt::format("({} {} ANY ({}))", left, node.spelling, query);
      case SubqueryExpr::Kind::kAll:
        return fmt::format("({} {} ALL ({}))", left, node.spelling, query);
      case SubqueryExpr::Kind::kArray:
        return "ARRAY(" + query + ")";
    }
    PANDO_UNREACHABLE("a subquery of unknown kind");
  }
  template <typename Node>
  std::string print_subquery(const Node& node) {
    switch (node.kind) {
      case SubqueryExpr::Kind::kScalar:
        return "(SubPlan)";
      case SubqueryExpr::Kind::kExists:
        return "EXISTS(SubPlan)";
      case SubqueryExpr::Kind::kAny:
        return fmt::format("({} {} ANY (SubPlan))", list(node.left), node.spelling);
      case SubqueryExpr::Kind::kAll:
        return fmt::format("({} {} ALL (SubPlan))", list(node.left), node.spelling);
      case SubqueryExpr::Kind::kArray:
        return "ARRAY(SubPlan)";
    }
    PANDO_UNREACHABLE("a subquery of unknown kind");
  }

  std::string order_by(const std::vector<AggregateExpr::Order>& order) {
    std::vector<std::string> parts;
    for (const auto& key : order) {
      const char* nulls = key.nulls_first == key.descending ? "" : key.nulls_first ? " NULLS FIRST" : " NULLS LAST";
      parts.push_back(fmt::format("{}{}{}", sort_operand(key.expr), key.descending ? " DESC" : "", nulls));
    }
    return fmt::format("ORDER BY {}", fmt::join(parts, ", "));
  }

  std::string print_node(const Expr&, const AggregateExpr& node, bool) {
    std::string text = std::string(node.function->name) + "(" + (node.distinct ? "DISTINCT " : "");
    text += node.star ? "*" : list(node.arguments);
    if (node.function->ordered_set) {
      text += fmt::format(") WITHIN GROUP ({}", order_by(node.order));
    } else if (!node.order.empty()) {
      text += " " + order_by(node.order);
    }
    text += ")";
    return node.filter ? fmt::format("{} FILTER (WHERE {})", text, print(node.filter, false)) : text;
  }

  std::string print_node(const Expr&, const WindowExpr& node, bool) {
    std::vector<std::string> parts;
    if (!node.partition.empty()) {
      parts.push_back("PARTITION BY " + list(node.partition));
    }
    if (!node.order.empty()) {
      parts.push_back(order_by(node.order));
    }
    return fmt::format("{}({}) OVER ({})", node.function->name, node.star ? "*" : list(node.arguments),
                       fmt::join(parts, " "));
  }

  std::string print_node(const Expr&, const SessionValueExpr& node, bool) {
    constexpr std::array kWords = {"CURRENT_DATE", "CURRENT_TIME",    "CURRENT_TIMESTAMP",
                                   "LOCALTIME",    "LOCALTIMESTAMP",  "CURRENT_USER",
                                   "SESSION_USER", "CURRENT_CATALOG", "CURRENT_SCHEMA"};
    return kWords[static_cast<std::size_t>(node.kind)];
  }
  std::string print_node(const Expr&, const DefaultExpr&, bool) { return "DEFAULT"; }

  const PrintOptions& options_;
};

}  // namespace

std::string print_sort_operand(const ExprPtr& expr, const PrintOptions& options) {
  return Printer(options).sort_operand(expr);
}

std::string print_expr(const ExprPtr& expr, const PrintOptions& options) {
  return Printer(options).print(expr, options.show_outer_implicit_cast);
}

}  // namespace pando::sql
