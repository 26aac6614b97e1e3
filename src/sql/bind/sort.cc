// ORDER BY, GROUP BY, DISTINCT ON: which expression of the select list an item means. And row locks.

#include <algorithm>
#include <utility>

#include "sql/bind/binder.h"
#include "sql/bind/core_state.h"
#include "sql/bind/locking.h"
#include "sql/bind/place_guard.h"
#include "sql/bind/traverse.h"
#include "types/compare.h"

namespace pando::sql {

namespace oid = types::oid;

Result<SortKey> Binder::sort_key(const ast::SortBy& sort, ExprPtr expr) {
  const int position = context_.position(sort.location >= 0 ? sort.location : sort.expr->location);
  SortKey key;
  key.descending = sort.direction == ast::SortBy::Direction::kDescending;
  if (sort.direction == ast::SortBy::Direction::kUsing) {
    const std::string& symbol = sort.operator_name.back();
    if (symbol != "<" && symbol != ">") {
      return Status(sql_state::kWrongObjectType, "operator {} is not a valid ordering operator", symbol)
          .with_hint("Ordering operators must be \"<\" or \">\" members of btree operator families.")
          .with_position(position);
    }
    key.descending = symbol == ">";
  }
  if (!types::is_orderable(expr->type.oid) && !types::is_record(expr->type.oid)) {
    return Status(sql_state::kUndefinedFunction, "could not identify an ordering operator for type {}",
                  type_name(expr->type.oid))
        .with_hint("Use an explicit ordering operator or modify the query.")
        .with_position(context_.position(sort.expr->location));
  }
  key.nulls_first =
      sort.nulls == ast::SortBy::Nulls::kDefault ? key.descending : sort.nulls == ast::SortBy::Nulls::kFirst;
  key.expr = std::move(expr);
  return key;
}

// The target that an item of ORDER BY, GROUP BY or DISTINCT ON means, added as a hidden one when it is new.
Result<std::size_t> Binder::sort_target(const ast::Expr& node, std::vector<Target>& targets, Scope& scope,
                                        ExprPlace place) {
  const int position = context_.position(node.location);
  const auto meant = [&](std::size_t i) {
    if (context_.options.trace != nullptr) {
      context_.options.trace->exprs[&node] = targets[i].expr;
    }
    return i;
  };
  const auto* ref = std::get_if<ast::ColumnRef>(&node.node);
  if (ref != nullptr && ref->names.size() == 1 && !ref->star) {
    const std::string& name = ref->names[0];
    bool is_column = false;
    for (const NamespaceItem& item : scope.items) {
      for (const OutputColumn& column : item.columns) {
        is_column = is_column || (item.columns_visible && column.name == name);
      }
    }
    // GROUP BY prefers a column of FROM, the others the output's name.
    if (place != ExprPlace::kGroupBy || !is_column) {
      std::optional<std::size_t> found;
      for (std::size_t i = 0; i < targets.size(); ++i) {
        if (targets[i].hidden || targets[i].name != name) {
          continue;
        }
        if (found.has_value() && !same_expr(targets[*found].expr, targets[i].expr)) {
          return Status(sql_state::kAmbiguousColumn, "{} \"{}\" is ambiguous", place_name(place), name)
              .with_position(position);
        }
        found = found.value_or(i);
      }
      if (found.has_value()) {
        return meant(*found);
      }
    }
  }
  if (const auto* constant = std::get_if<ast::Constant>(&node.node)) {
    const auto* number = std::get_if<ast::IntegerLiteral>(&constant->value);
    if (number == nullptr) {
      return Status(sql_state::kSyntaxError, "non-integer constant in {}", place_name(place)).with_position(position);
    }
    const auto visible = static_cast<int32_t>(
        std::count_if(targets.begin(), targets.end(), [](const Target& target) { return !target.hidden; }));
    if (number->value < 1 || number->value > visible) {
      return Status(sql_state::kInvalidColumnReference, "{} position {} is not in select list", place_name(place),
                    number->value)
          .with_position(position);
    }
    return meant(static_cast<std::size_t>(number->value - 1));
  }
  Target target;
  PANDO_ASSIGN(target.expr, expr_in(node, scope, place));
  for (std::size_t i = 0; i < targets.size(); ++i) {
    if (same_expr(targets[i].expr, target.expr)) {
      return meant(i);
    }
  }
  PANDO_ASSIGN(target.expr, resolve_unknown(context_, std::move(target.expr)));
  target.hidden = true;
  target.location = node.location;
  targets.push_back(std::move(target));
  return targets.size() - 1;
}

Status Binder::sort_clause(const std::vector<ast::SortBy>& order_by, CoreState& state, Scope& scope) {
  for (const ast::SortBy& sort : order_by) {
    PANDO_ASSIGN(const std::size_t index, sort_target(*sort.expr, state.targets, scope, ExprPlace::kOrderBy));
    Target& target = state.targets[index];
    target.projected = true;
    PANDO_ASSIGN(target.expr, resolve_unknown(context_, std::move(target.expr)));
    PANDO_ASSIGN(SortKey key, sort_key(sort, target.expr));
    const bool repeated = std::any_of(state.sort.begin(), state.sort.end(),
                                      [&, at = index](const auto& existing) { return existing.first == at; });
    if (!repeated) {
      state.sort.emplace_back(index, std::move(key));
    }
  }
  return {};
}

namespace {

Status check_equality(const ExprPtr& expr, int position) {
  if (types::is_hashable(expr->type.oid) || types::is_record(expr->type.oid)) {
    return {};
  }
  return Status(sql_state::kUndefinedFunction, "could not identify an equality operator for type {}",
                type_name(expr->type.oid))
      .with_position(position);
}

}  // namespace

Result<uint32_t> Binder::group_item(const ast::Expr& item, CoreState& state, Scope& scope) {
  const std::size_t before = state.targets.size();
  PANDO_ASSIGN(const std::size_t index, sort_target(item, state.targets, scope, ExprPlace::kGroupBy));
  Target& target = state.targets[index];
  // A target that an earlier item added stays unprojected.
  target.projected = target.projected && index < before;
  PANDO_ASSIGN(target.expr, resolve_unknown(context_, std::move(target.expr)));
  PANDO_TRY(check_group(target.expr, scope, context_.position(item.location)));
  PANDO_TRY(check_equality(target.expr, context_.position(item.location)));
  const auto known =
      std::ranges::find_if(state.groups, [&](const ExprPtr& other) { return same_expr(other, target.expr); });
  const auto group = static_cast<uint32_t>(known - state.groups.begin());
  if (known == state.groups.end()) {
    state.groups.push_back(target.expr);
  }
  return group;
}

// A select item that GROUP BY names by position or name may hold what GROUP BY may not.
Status Binder::check_group(const ExprPtr& group, const Scope& scope, int position) {
  const auto names = [](const ExprPtr& expr, const std::vector<ProjectedColumn>& columns) {
    bool found = false;
    const std::function<void(const ExprPtr&)> visit = [&](const ExprPtr& child) {
      if (const auto* column = as<ColumnExpr>(child)) {
        found = found || std::any_of(columns.begin(), columns.end(), [&](const ProjectedColumn& candidate) {
                  return candidate.column.id == column->column;
                });
      }
      visit_children(*child, visit);
    };
    visit(expr);
    return found;
  };
  if (names(group, scope.aggregates)) {
    return Status(sql_state::kGroupingError, "aggregate functions are not allowed in GROUP BY")
        .with_position(group->position != 0 ? group->position : position);
  }
  if (names(group, scope.windows)) {
    return Status(sql_state::kWindowingError, "window functions are not allowed in GROUP BY")
        .with_position(group->position != 0 ? group->position : position);
  }
  return {};
}

Status Binder::distinct(const ast::SelectCore& core, CoreState& state, Scope& scope) {
  if (!core.distinct) {
    return {};
  }
  if (core.distinct_on.empty()) {
    for (const auto& [index, key] : state.sort) {
      if (state.targets[index].hidden) {
        return Status(sql_state::kInvalidColumnReference,
                      "for SELECT DISTINCT, ORDER BY expressions must appear in select list")
            .with_position(context_.position(state.targets[index].location));
      }
    }
    for (const Target& target : state.targets) {
      if (!target.hidden) {
        PANDO_TRY(check_equality(target.expr, target.expr->position));
      }
    }
    return {};
  }
  for (const ast::ExprPtr& item : core.distinct_on) {
    PANDO_ASSIGN(const std::size_t index, sort_target(*item, state.targets, scope, ExprPlace::kDistinctOn));
    state.targets[index].projected = true;
    if (std::find(state.distinct_on.begin(), state.distinct_on.end(), index) == state.distinct_on.end()) {
      state.distinct_on.push_back(index);
    }
  }
  // The leading ORDER BY items must be the DISTINCT ON ones, in any order.
  std::size_t matched = 0;
  bool skipped = false;
  for (const auto& [index, key] : state.sort) {
    if (std::find(state.distinct_on.begin(), state.distinct_on.end(), index) != state.distinct_on.end()) {
      if (skipped) {
        return Status(sql_state::kInvalidColumnReference,
                      "SELECT DISTINCT ON expressions must match initial ORDER BY expressions")
            .with_position(context_.position(core.distinct_on[0]->location));
      }
      ++matched;
    } else {
      skipped = true;
    }
  }
  if (skipped && matched < state.distinct_on.size()) {
    return Status(sql_state::kInvalidColumnReference,
                  "SELECT DISTINCT ON expressions must match initial ORDER BY expressions")
        .with_position(context_.position(core.distinct_on[0]->location));
  }
  return {};
}

const char* strength_name(ast::LockingClause::Strength strength) {
  switch (strength) {
    case ast::LockingClause::Strength::kKeyShare:
      return "FOR KEY SHARE";
    case ast::LockingClause::Strength::kShare:
      return "FOR SHARE";
    case ast::LockingClause::Strength::kNoKeyUpdate:
      return "FOR NO KEY UPDATE";
    case ast::LockingClause::Strength::kUpdate:
      return "FOR UPDATE";
  }
  return "";
}

// Why rows of the result are not rows of tables; nullptr when they are.
const char* Binder::lock_obstacle(const ast::SelectCore& core, bool aggregated, const Scope& scope) {
  return core.distinct                  ? "DISTINCT clause"
         : !core.group_by.empty()       ? "GROUP BY clause"
         : core.having != nullptr       ? "HAVING clause"
         : aggregated                   ? "aggregate functions"
         : !scope.windows.empty()       ? "window functions"
         : !scope.set_functions.empty() ? "set-returning functions in the target list"
                                        : nullptr;
}

Status Binder::check_locking(const ast::Select& select, const ast::SelectCore& core, const CoreState& state,
                             const Scope& scope) {
  const char* obstacle = lock_obstacle(core, state.aggregated, scope);
  if (obstacle == nullptr) {
    return {};
  }
  return {sql_state::kFeatureNotSupported, "{} is not allowed with {}", strength_name(select.locking[0].strength),
          obstacle};
}

// The keys of the rows that a result's row is made of: of all tables, or of those that FOR UPDATE and its kin name.
void Binder::add_row_keys(const ast::Select& select, const Scope& scope, std::vector<Target>& targets) {
  const auto is_named = [&](const NamespaceItem& item) {
    return select.locking.empty() || std::ranges::any_of(select.locking, [&](const ast::LockingClause& clause) {
             return clause.relations.empty() ||
                    std::ranges::any_of(clause.relations, [&](const auto& name) { return name.name == item.name; });
           });
  };
  for (const NamespaceItem& item : scope.items) {
    for (const OutputColumn& column : item.system_columns) {
      if (column.attribute != kRowKeyAttribute || !is_named(item) ||
          std::ranges::find(row_keys_, column.id, &RowKey::column) != row_keys_.end()) {
        continue;
      }
      row_keys_.push_back({item.table->oid, column.id});
      Target key;
      key.expr = make_expr({oid::kBytea}, ColumnExpr{column.id, ""});
      key.hidden = true;
      targets.push_back(std::move(key));
    }
  }
}

Result<std::vector<LockRowsNode::Target>> Binder::lock_targets(const ast::Select& select, const Scope& scope) {
  std::vector<LockRowsNode::Target> locks;
  const auto add = [&](const NamespaceItem& item, const ast::LockingClause& clause) {
    for (const OutputColumn& column : item.system_columns) {
      if (column.attribute != kRowKeyAttribute) {
        continue;
      }
      const auto strength = static_cast<uint8_t>(clause.strength);
      const auto wait = static_cast<uint8_t>(clause.wait == ast::LockingClause::Wait::kBlock        ? kWaitBlock
                                             : clause.wait == ast::LockingClause::Wait::kSkipLocked ? kWaitSkip
                                                                                                    : kWaitFail);
      for (LockRowsNode::Target& existing : locks) {
        if (existing.row_key == column.id) {
          existing.strength = std::max(existing.strength, strength);
          existing.wait_policy = std::max(existing.wait_policy, wait);
          return;
        }
      }
      locks.push_back({item.table, column.id, strength, wait});
    }
  };
  for (const ast::LockingClause& clause : select.locking) {
    if (clause.relations.empty()) {
      for (const NamespaceItem& item : scope.items) {
        add(item, clause);
      }
    }
    for (const ast::RelationName& name : clause.relations) {
      const auto found = std::find_if(scope.items.begin(), scope.items.end(), [&](const NamespaceItem& item) {
        return item.relation_visible && item.name == name.name;
      });
      if (found == scope.items.end()) {
        return Status(sql_state::kUndefinedTable, "relation \"{}\" in {} clause not found in FROM clause", name.name,
                      strength_name(clause.strength))
            .with_position(context_.position(name.location));
      }
      add(*found, clause);
    }
  }
  return locks;
}

}  // namespace pando::sql
