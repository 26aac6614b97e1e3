// GROUP BY: from its items, GROUPING SETS, ROLLUP and CUBE to the groups and the sets of them; and GROUPING().

#include <algorithm>
#include <set>

#include "sql/bind/bind.h"
#include "sql/bind/core_state.h"
#include "sql/bind/traverse.h"

namespace pando::sql {

namespace {

// PostgreSQL's limits.
constexpr std::size_t kGroupingSetsMax = 4096;
constexpr std::size_t kCubeElementsMax = 12;
constexpr std::size_t kGroupingArgumentsMax = 31;

void add_missing(std::vector<uint32_t>& set, const std::vector<uint32_t>& more) {
  for (const uint32_t group : more) {
    if (std::ranges::find(set, group) == set.end()) {
      set.push_back(group);
    }
  }
}

// Every set of the one with every set of the other.
std::vector<std::vector<uint32_t>> product(const std::vector<std::vector<uint32_t>>& left,
                                           const std::vector<std::vector<uint32_t>>& right) {
  std::vector<std::vector<uint32_t>> result;
  for (const std::vector<uint32_t>& first : left) {
    for (const std::vector<uint32_t>& second : right) {
      result.push_back(first);
      add_missing(result.back(), second);
    }
  }
  return result;
}

// GROUP BY DISTINCT.
void drop_repeated(std::vector<std::vector<uint32_t>>& sets) {
  std::set<std::set<uint32_t>> seen;
  std::erase_if(sets, [&](const std::vector<uint32_t>& set) {
    return !seen.insert(std::set<uint32_t>(set.begin(), set.end())).second;
  });
}

Status too_many_sets() {
  return {sql_state::kStatementTooComplex, "too many grouping sets present (maximum {})", kGroupingSetsMax};
}

}  // namespace

Status Binder::group_clause(const ast::SelectCore& core, CoreState& state, Scope& scope) {
  GroupingSets sets{{}};
  bool has_sets = false;
  for (const ast::ExprPtr& item : core.group_by) {
    has_sets = has_sets || std::holds_alternative<ast::GroupingSet>(item->node);
    PANDO_ASSIGN(const GroupingSets more, sets_of_item(*item, state, scope));
    if (sets.size() * more.size() > kGroupingSetsMax) {
      return too_many_sets();
    }
    sets = product(sets, more);
  }
  if (core.group_distinct) {
    drop_repeated(sets);
  }
  // One set groups by all that was named.
  if (has_sets && !context_.options.lifted.empty()) {
    return Status(kCannotLift, "which expressions are grouped depends on their constants");
  }
  if (has_sets && sets.size() > 1) {
    state.grouping_sets = std::move(sets);
  }
  return {};
}

Result<GroupingSets> Binder::sets_of_item(const ast::Expr& item, CoreState& state, Scope& scope) {
  const auto* node = std::get_if<ast::GroupingSet>(&item.node);
  if (node == nullptr) {
    PANDO_ASSIGN(std::vector<uint32_t> set, groups_of_element(item, state, scope));
    return GroupingSets{std::move(set)};
  }
  if (node->kind == ast::GroupingSet::Kind::kEmpty) {
    return GroupingSets{{}};
  }
  GroupingSets sets;
  if (node->kind == ast::GroupingSet::Kind::kSets) {
    for (const ast::ExprPtr& content : node->content) {
      PANDO_ASSIGN(GroupingSets more, sets_of_item(*content, state, scope));
      std::ranges::move(more, std::back_inserter(sets));
      if (sets.size() > kGroupingSetsMax) {
        return too_many_sets();
      }
    }
    return sets;
  }
  const bool is_cube = node->kind == ast::GroupingSet::Kind::kCube;
  const std::size_t count = node->content.size();
  if (is_cube && count > kCubeElementsMax) {
    return Status(sql_state::kTooManyColumns, "CUBE is limited to {} elements", kCubeElementsMax)
        .with_position(context_.position(item.location));
  }
  GroupingSets elements;
  for (const ast::ExprPtr& content : node->content) {
    PANDO_ASSIGN(elements.emplace_back(), groups_of_element(*content, state, scope));
  }
  // ROLLUP takes each number of leading elements, CUBE each subset.
  const std::size_t subsets = is_cube ? std::size_t{1} << count : count + 1;
  for (std::size_t subset = 0; subset < subsets; ++subset) {
    std::vector<uint32_t>& set = sets.emplace_back();
    for (std::size_t element = 0; element < count; ++element) {
      if (is_cube ? (subset >> element & 1) != 0 : element < subset) {
        add_missing(set, elements[element]);
      }
    }
  }
  return sets;
}

// An expression, or several in parentheses.
Result<std::vector<uint32_t>> Binder::groups_of_element(const ast::Expr& item, CoreState& state, Scope& scope) {
  std::vector<uint32_t> groups;
  const auto* row = std::get_if<ast::RowConstructor>(&item.node);
  if (row == nullptr || row->explicit_row) {
    PANDO_ASSIGN(groups.emplace_back(), group_item(item, state, scope));
    return groups;
  }
  for (const ast::ExprPtr& member : row->fields) {
    PANDO_ASSIGN(const uint32_t group, group_item(*member, state, scope));
    add_missing(groups, {group});
  }
  return groups;
}

Result<ExprPtr> Binder::grouping_call(const ast::GroupingCall& node, Scope& scope, ast::Location location) {
  const int position = context_.position(location);
  if (node.arguments.size() > kGroupingArgumentsMax) {
    return Status(sql_state::kTooManyArguments, "GROUPING must have fewer than 32 arguments").with_position(position);
  }
  const std::size_t log_start = log_.size();
  std::vector<ExprPtr> arguments;
  for (const ast::ExprPtr& node_argument : node.arguments) {
    PANDO_ASSIGN(ExprPtr argument, expr(*node_argument, scope));
    arguments.push_back(std::move(argument));
  }
  Scope& level = level_of(log_start, scope);
  PANDO_TRY(check_aggregate_place(level, "grouping operations", position));
  std::erase_if(level.inner_references,
                [&](const Scope::Reference& reference) { return reference.log_index >= log_start; });
  level.has_aggregates = true;
  OutputColumn column{context_.new_column(), "grouping", {types::oid::kInt4}};
  if (context_.options.trace != nullptr) {
    context_.options.trace->groupings[column.id] = arguments;
  }
  level.groupings.push_back({column, std::move(arguments)});
  return make_expr(column.type, ColumnExpr{column.id, column.name}, position);
}

}  // namespace pando::sql
