#include "sql/plan/print_expr.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

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

class Printer {
 public:
  explicit Printer(const PrintOptions& options) : options_(options) {}

  std::string print(const ExprPtr& expr, bool show_implicit_cast) {
    if (!expr) {
      return "";
    }
    return std::visit([&](const auto& node) { return print_node(*expr, node, show_implicit_cast); }, expr->node);
  }

 private:
  std::string print(const ExprPtr& expr) { return print(expr, true); }

  std::string list(const std::vector<ExprPtr>& exprs, std::string_view separator = ", ") {
    std::vector<std::string> parts;
    for (const auto& expr : exprs) {
      parts.push_back(print(expr));
    }
    return fmt::format("{}", fmt::join(parts, separator));
  }

  std::string name_of(types::Type type) const {
    return options_.type_name ? options_.type_name(type) : types::format_type(type);
  }

  std::string cast(const std::string& inner, types::Type type) { return fmt::format("({})::{}", inner, name_of(type)); }

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
      return text;
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
    if (node.spelling.empty() || node.spelling == "::") {
      const std::string inner = print(node.arguments.front());
      return node.spelling.empty() && !show_implicit_cast ? inner : cast(inner, expr.type);
    }
    if (is_operator_spelling(node.spelling)) {
      return node.arguments.size() == 1
                 ? fmt::format("({} {})", node.spelling, print(node.arguments[0]))
                 : fmt::format("({} {} {})", print(node.arguments[0]), node.spelling, print(node.arguments[1]));
    }
    return fmt::format("{}({}{})", quote_identifier(node.spelling), node.variadic_array ? "VARIADIC " : "",
                       list(node.arguments));
  }

  std::string print_node(const Expr& expr, const CastExpr& node, bool show_implicit_cast) {
    const std::string inner = print(node.argument);
    return !node.is_explicit && !show_implicit_cast ? inner : cast(inner, expr.type);
  }

  std::string print_node(const Expr&, const LogicExpr& node, bool) {
    if (node.kind == LogicExpr::Kind::kNot) {
      return fmt::format("(NOT {})", print(node.arguments.front()));
    }
    return fmt::format("({})", list(node.arguments, node.kind == LogicExpr::Kind::kAnd ? " AND " : " OR "));
  }

  std::string print_node(const Expr&, const NullTestExpr& node, bool) {
    return fmt::format("({} IS {}NULL)", print(node.argument), node.is_not ? "NOT " : "");
  }

  std::string print_node(const Expr&, const BooleanTestExpr& node, bool) {
    constexpr std::array kWords = {"TRUE", "FALSE", "UNKNOWN"};
    return fmt::format("({} IS {}{})", print(node.argument), node.is_not ? "NOT " : "",
                       kWords[static_cast<std::size_t>(node.kind)]);
  }

  std::string print_node(const Expr&, const DistinctExpr& node, bool) {
    return fmt::format("({} IS {}DISTINCT FROM {})", print(node.left), node.is_not ? "NOT " : "", print(node.right));
  }

  std::string print_node(const Expr&, const CaseExpr& node, bool) {
    std::string text = "CASE";
    if (node.operand) {
      text += " " + print(node.operand);
    }
    for (const auto& branch : node.branches) {
      ExprPtr condition = branch.condition;
      if (const auto* equality = as<CallExpr>(condition); node.operand && equality && equality->arguments.size() == 2) {
        condition = equality->arguments[1];
      }
      text += fmt::format(" WHEN {} THEN {}", print(condition), print(branch.result));
    }
    return fmt::format("{} ELSE {} END", text, print(node.otherwise));
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
  std::string print_node(const Expr&, const ArrayComparisonExpr& node, bool) {
    return fmt::format("({} {} {} ({}))", print(node.left), node.spelling, node.all ? "ALL" : "ANY", print(node.array));
  }
  std::string print_node(const Expr& expr, const ArrayExpr& node, bool) {
    const std::string text = fmt::format("ARRAY[{}]", list(node.elements));
    return node.elements.empty() ? fmt::format("{}::{}", text, types::format_type(expr.type)) : text;
  }
  std::string print_node(const Expr&, const RowExpr& node, bool) { return fmt::format("ROW({})", list(node.fields)); }
  std::string print_node(const Expr&, const RowComparisonExpr& node, bool) {
    return fmt::format("(ROW({}) {} ROW({}))", list(node.left), node.op, list(node.right));
  }
  std::string print_node(const Expr&, const SubscriptExpr& node, bool) {
    std::string text = as<ColumnExpr>(node.container) ? print(node.container) : "(" + print(node.container) + ")";
    for (const auto& bound : node.bounds) {
      text += bound.is_slice ? fmt::format("[{}:{}]", print(bound.lower), print(bound.upper))
                             : fmt::format("[{}]", print(bound.upper));
    }
    return text;
  }
  std::string print_node(const Expr&, const FieldExpr& node, bool) {
    return fmt::format("({}).f{}", print(node.record), node.field + 1);
  }
  std::string print_node(const Expr&, const SubqueryExpr& node, bool) { return print_subquery(node); }
  std::string print_node(const Expr&, const SubplanExpr& node, bool) { return print_subquery(node); }
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
      parts.push_back(fmt::format("{}{}{}", print(key.expr), key.descending ? " DESC" : "", nulls));
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
    return node.filter ? fmt::format("{} FILTER (WHERE {})", text, print(node.filter)) : text;
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

std::string print_expr(const ExprPtr& expr, const PrintOptions& options) {
  return Printer(options).print(expr, options.show_outer_implicit_cast);
}

}  // namespace pando::sql
