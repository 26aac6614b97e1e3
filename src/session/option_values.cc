#include "session/option_values.h"

#include "session/setting_definition.h"

namespace pando::session {
namespace {

struct ConstantText {
  std::optional<std::string> operator()(const ast::NullLiteral&) const { return std::nullopt; }
  std::optional<std::string> operator()(const ast::IntegerLiteral& literal) const {
    return std::to_string(literal.value);
  }
  std::optional<std::string> operator()(const ast::DecimalLiteral& literal) const { return literal.digits; }
  std::optional<std::string> operator()(const ast::StringLiteral& literal) const { return literal.value; }
  std::optional<std::string> operator()(const ast::BooleanLiteral& literal) const {
    return literal.value ? "true" : "false";
  }
  std::optional<std::string> operator()(const ast::BitStringLiteral& literal) const { return literal.value; }
};

struct OptionText {
  std::optional<std::string> operator()(const std::monostate&) const { return std::nullopt; }
  std::optional<std::string> operator()(int64_t value) const { return std::to_string(value); }
  std::optional<std::string> operator()(const std::string& value) const { return value; }
  std::optional<std::string> operator()(bool value) const { return value ? "true" : "false"; }
  std::optional<std::string> operator()(const ast::TypeName& value) const { return value.names.back(); }
  std::optional<std::string> operator()(const std::vector<std::string>&) const { return std::nullopt; }
  std::optional<std::string> operator()(const ast::ExprPtr& value) const { return literal_text(*value); }
};

}  // namespace

std::optional<std::string> literal_text(const ast::Expr& expr) {
  if (const auto* constant = std::get_if<ast::Constant>(&expr.node)) {
    return std::visit(ConstantText(), constant->value);
  }
  if (const auto* cast = std::get_if<ast::Cast>(&expr.node)) {
    return literal_text(*cast->operand);
  }
  if (const auto* column = std::get_if<ast::ColumnRef>(&expr.node); column != nullptr && column->names.size() == 1) {
    return column->names.front();
  }
  if (const auto* operation = std::get_if<ast::Operation>(&expr.node);
      operation != nullptr && operation->left == nullptr && operation->name.back() == "-") {
    const auto text = literal_text(*operation->right);
    return text ? std::optional("-" + *text) : std::nullopt;
  }
  return std::nullopt;
}

std::optional<std::string> option_text(const ast::Option& option) { return std::visit(OptionText(), option.value); }

Result<bool> option_bool(const ast::Option& option) {
  const auto text = option_text(option);
  if (!text) {
    return true;
  }
  if (bool value = false; parse_setting_bool(*text, value)) {
    return value;
  }
  return Status(sql_state::kSyntaxError, "{} requires a Boolean value", option.name);
}

}  // namespace pando::session
