#include "sql/deparse/range_names.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/assert.h"

namespace pando::sql {

const std::optional<ast::Alias>& alias_of(const ast::FromItem& item) {
  static const std::optional<ast::Alias> kNone;
  return std::visit(
      [](const auto& node) -> const std::optional<ast::Alias>& {
        if constexpr (requires { node.alias; }) {
          return node.alias;
        } else {
          return kNone;
        }
      },
      item.node);
}

std::string original_name(const ast::FromItem& item) {
  if (const auto& alias = alias_of(item)) {
    return alias->name;
  }
  if (const auto* table = std::get_if<ast::FromTable>(&item.node)) {
    return table->name.name;
  }
  const auto* function = std::get_if<ast::FromFunction>(&item.node);
  const auto* call = function == nullptr || function->functions.empty()
                         ? nullptr
                         : std::get_if<ast::FunctionCall>(&function->functions[0].call->node);
  return call == nullptr ? "" : call->name.back();
}

void RangeNames::enter(const std::vector<ast::FromItemPtr>& from, const std::vector<std::string>& reserved) {
  // How often a number was added to each name that is taken.
  std::map<std::string, int> taken;
  for (const Level& level : levels_) {
    for (const Named& named : level) {
      taken.emplace(named.name, 0);
    }
  }
  levels_.emplace_back();
  for (const std::string& name : reserved) {
    taken.emplace(name, 0);
    levels_.back().push_back({nullptr, name, name});
  }
  for (const ast::FromItemPtr& item : from) {
    add(*item, taken);
  }
}

void RangeNames::add(const ast::FromItem& item, std::map<std::string, int>& taken) {
  if (const auto* join = std::get_if<ast::FromJoin>(&item.node)) {
    add(*join->left, taken);
    add(*join->right, taken);
  }
  const std::string original = original_name(item);
  if (original.empty()) {
    return;
  }
  const std::string current = current_name(item);
  std::string name = current;
  if (const auto [at, is_new] = taken.emplace(name, 0); !is_new) {
    int& counter = at->second;
    do {
      name = fmt::format("{}_{}", current, ++counter);
    } while (!taken.emplace(name, 0).second);
  }
  levels_.back().push_back({&item, original, name});
}

const std::string& RangeNames::name_of(const ast::FromItem& item) const {
  for (const Level& level : levels_) {
    for (const Named& named : level) {
      if (named.item == &item) {
        return named.name;
      }
    }
  }
  PANDO_UNREACHABLE("an item of FROM without a name");
}

const RangeNames::Named* RangeNames::find(std::string_view name, std::string_view column) const {
  for (auto level = levels_.rbegin(); level != levels_.rend(); ++level) {
    for (const Named& named : *level) {
      if (named.item == nullptr || named.original != name) {
        continue;
      }
      const auto traced = trace_.items.find(named.item);
      const bool has_column = column.empty() || traced == trace_.items.end() ||
                              std::ranges::find(traced->second.columns, column) != traced->second.columns.end();
      if (has_column) {
        return &named;
      }
    }
  }
  return nullptr;
}

std::string RangeNames::find_name(const std::string& name) const {
  const Named* named = find(name, "");
  return named == nullptr ? name : named->name;
}

std::string RangeNames::current_name(const ast::FromItem& item) const {
  const auto traced = trace_.items.find(&item);
  const bool is_relation = traced != trace_.items.end() && traced->second.table != nullptr && !alias_of(item) &&
                           std::holds_alternative<ast::FromTable>(item.node);
  return is_relation && options_.relation_name ? options_.relation_name(*traced->second.table) : original_name(item);
}

std::string RangeNames::column_name(const ast::FromItem& item, const std::string& column) const {
  const auto traced = trace_.items.find(&item);
  const auto& alias = alias_of(item);
  const bool is_own = traced != trace_.items.end() && traced->second.table != nullptr &&
                      (!alias || alias->columns.empty()) && std::holds_alternative<ast::FromTable>(item.node);
  return is_own && options_.column_name ? options_.column_name(*traced->second.table, column) : column;
}

}  // namespace pando::sql
