// JOIN: ON, USING, NATURAL, the merged columns of USING.

#include <algorithm>
#include <utility>

#include "sql/bind/binder.h"
#include "sql/bind/place_guard.h"

namespace pando::sql {

namespace {

const OutputColumn* find_column(const NamespaceItem& item, std::string_view name) {
  for (const OutputColumn& column : item.columns) {
    if (column.name == name) {
      return &column;
    }
  }
  return nullptr;
}

std::size_t count_columns(const NamespaceItem& item, std::string_view name) {
  return static_cast<std::size_t>(std::count_if(item.columns.begin(), item.columns.end(),
                                                [&](const OutputColumn& column) { return column.name == name; }));
}

std::vector<std::string> natural_columns(const NamespaceItem& left, const NamespaceItem& right) {
  std::vector<std::string> names;
  for (const OutputColumn& column : left.columns) {
    if (find_column(right, column.name) != nullptr) {
      names.push_back(column.name);
    }
  }
  return names;
}

JoinKind join_kind(ast::FromJoin::Kind kind) {
  switch (kind) {
    case ast::FromJoin::Kind::kInner:
      return JoinKind::kInner;
    case ast::FromJoin::Kind::kLeft:
      return JoinKind::kLeft;
    case ast::FromJoin::Kind::kRight:
      return JoinKind::kRight;
    case ast::FromJoin::Kind::kFull:
      return JoinKind::kFull;
  }
  PANDO_UNREACHABLE("a join kind without a case");
}

}  // namespace

// Joins on the columns of USING: adds to the condition, and to `merged` the columns the join shows once. `computed`
// gets those that are neither side's column as it is.
Status Binder::join_using(const ast::FromJoin& join, const std::vector<std::string>& names, FromResult& left,
                          FromResult& right, JoinNode& node, NamespaceItem& merged,
                          std::vector<ProjectedColumn>& computed) {
  std::vector<ExprPtr> conditions;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::string& name = names[i];
    if (std::find(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(i), name) !=
        names.begin() + static_cast<std::ptrdiff_t>(i)) {
      return {sql_state::kDuplicateColumn, "column name \"{}\" appears more than once in USING clause", name};
    }
    const auto side = [&](const NamespaceItem& item, const char* word) -> Result<ExprPtr> {
      const OutputColumn* column = find_column(item, name);
      if (column == nullptr) {
        return Status(sql_state::kUndefinedColumn, "column \"{}\" specified in USING clause does not exist in {} table",
                      name, word);
      }
      if (count_columns(item, name) > 1) {
        return Status(sql_state::kAmbiguousColumn, "common column name \"{}\" appears more than once in {} table", name,
                      word);
      }
      const std::string full = item.name.empty() ? name : item.name + "." + name;
      return make_expr(column->type, ColumnExpr{column->id, full});
    };
    PANDO_ASSIGN(ExprPtr l, side(left.items.back(), "left"));
    PANDO_ASSIGN(ExprPtr r, side(right.items.back(), "right"));
    PANDO_ASSIGN(ExprPtr equality, apply_operator(context_, {"="}, l, r, 0));
    conditions.push_back(std::move(equality));
    const std::vector<ExprPtr> both{l, r};
    types::Type type;
    PANDO_ASSIGN(type.oid, select_common_type(both, "JOIN/USING"));
    type.modifier = common_modifier(both, type.oid);
    PANDO_ASSIGN(ExprPtr l_common, coerce_to_common(context_, l, type.oid, "JOIN/USING"));
    PANDO_ASSIGN(ExprPtr r_common, coerce_to_common(context_, r, type.oid, "JOIN/USING"));
    ExprPtr value;
    switch (join.kind) {
      case ast::FromJoin::Kind::kInner:
        value = l_common == l || r_common != r ? l_common : r_common;
        break;
      case ast::FromJoin::Kind::kLeft:
        value = l_common;
        break;
      case ast::FromJoin::Kind::kRight:
        value = r_common;
        break;
      case ast::FromJoin::Kind::kFull:
        value = make_expr(type, CoalesceExpr{{l_common, r_common}});
        break;
    }
    OutputColumn output;
    if (const auto* column = as<ColumnExpr>(value)) {
      const NamespaceItem& from = column->column == as<ColumnExpr>(l)->column ? left.items.back() : right.items.back();
      output = *find_column(from, name);
    } else {
      output = {context_.new_column(), name, value->type};
      computed.push_back({output, value});
    }
    merged.columns.push_back(std::move(output));
  }
  node.condition =
      conditions.size() == 1
          ? conditions[0]
          : (conditions.empty() ? nullptr
                                : make_expr({types::oid::kBool}, LogicExpr{LogicExpr::Kind::kAnd, conditions}));
  return {};
}

Result<Binder::FromResult> Binder::from_join(const ast::FromJoin& join, Scope& scope) {
  PANDO_ASSIGN(FromResult left, from_item(*join.left, scope));
  // The right side sees the left one if it is LATERAL, and may use it unless the join keeps its rows regardless.
  const bool lateral_legal = join.kind == ast::FromJoin::Kind::kInner || join.kind == ast::FromJoin::Kind::kLeft;
  const std::size_t outer_items = scope.items.size();
  for (NamespaceItem item : left.items) {
    item.lateral_only = true;
    item.lateral_legal = lateral_legal;
    scope.items.push_back(std::move(item));
  }
  const int references_before = scope.lateral_references;
  Result<FromResult> right_result = from_item(*join.right, scope);
  scope.items.resize(outer_items, NamespaceItem());
  PANDO_ASSIGN(FromResult right, std::move(right_result));

  JoinNode node;
  node.kind = join_kind(join.kind);
  if (node.kind == JoinKind::kRight || node.kind == JoinKind::kFull) {
    make_nullable(left);
  }
  if (node.kind == JoinKind::kLeft || node.kind == JoinKind::kFull) {
    make_nullable(right);
  }
  node.lateral = scope.lateral_references != references_before;
  NamespaceItem merged;
  std::vector<ProjectedColumn> computed;
  const std::vector<std::string> using_columns =
      join.natural ? natural_columns(left.items.back(), right.items.back()) : join.using_columns;
  if (join.natural && context_.options.trace != nullptr) {
    context_.options.trace->natural_columns[&join] = using_columns;
  }
  PANDO_TRY(join_using(join, using_columns, left, right, node, merged, computed));
  const auto add_rest = [&](const NamespaceItem& item) {
    for (const OutputColumn& column : item.columns) {
      if (std::find(using_columns.begin(), using_columns.end(), column.name) == using_columns.end()) {
        merged.columns.push_back(column);
      }
    }
  };
  add_rest(left.items.back());
  add_rest(right.items.back());
  if (join.condition != nullptr) {
    PANDO_ASSIGN(node.condition, join_condition(join, left, right, scope));
  }
  std::vector<OutputColumn> outputs = left.plan->outputs;
  outputs.insert(outputs.end(), right.plan->outputs.begin(), right.plan->outputs.end());
  node.left = left.plan;
  node.right = right.plan;
  FromResult result;
  result.plan = make_logical(outputs, std::move(node));
  if (!computed.empty()) {
    result.plan = append_columns(std::move(result.plan), computed);
  }
  return finish_join(join, std::move(left), std::move(right), std::move(merged), std::move(result));
}

// Marks the side of an outer join that may be missing. An item that has a presence already, from a join below, keeps
// it: that is NULL too when this side is.
void Binder::make_nullable(FromResult& side) {
  std::optional<OutputColumn> presence;
  if (system_columns_) {
    presence = OutputColumn{context_.new_column(), "", {types::oid::kBool}};
    side.plan = append_columns(std::move(side.plan),
                               {{*presence, make_constant({types::oid::kBool}, types::Value::of_bool(true))}});
  }
  for (NamespaceItem& item : side.items) {
    item.nullable = true;
    item.presence = item.presence.has_value() ? item.presence : presence;
  }
}

// The ON condition sees the two sides of its join, and outer queries, but no other item of FROM.
Result<ExprPtr> Binder::join_condition(const ast::FromJoin& join, const FromResult& left, const FromResult& right,
                                       Scope& scope) {
  std::vector<NamespaceItem> others = std::move(scope.items);
  const Restore<std::vector<NamespaceItem>> hidden(scope.hidden_items, others);
  scope.items = left.items;
  scope.items.insert(scope.items.end(), right.items.begin(), right.items.end());
  for (NamespaceItem& item : scope.items) {
    item.lateral_only = false;
  }
  const Restore<bool> lateral(scope.lateral_active, false);
  Result<ExprPtr> condition = boolean_in(*join.condition, scope, ExprPlace::kJoinCondition);
  scope.items = std::move(others);
  return condition;
}

// A projection of all the input's columns and some more.
LogicalPtr Binder::append_columns(LogicalPtr input, const std::vector<ProjectedColumn>& columns) {
  ProjectNode project;
  std::vector<OutputColumn> outputs = input->outputs;
  for (const OutputColumn& column : input->outputs) {
    project.columns.push_back({column, make_expr(column.type, ColumnExpr{column.id, column.name})});
  }
  for (const ProjectedColumn& column : columns) {
    outputs.push_back(column.column);
    project.columns.push_back(column);
  }
  project.input = std::move(input);
  return make_logical(std::move(outputs), std::move(project));
}

// What is visible after the join: its sides by their names, their columns only through it.
Result<Binder::FromResult> Binder::finish_join(const ast::FromJoin& join, FromResult left, FromResult right,
                                               NamespaceItem merged, FromResult result) {
  std::vector<NamespaceItem> sides = std::move(left.items);
  for (NamespaceItem& item : right.items) {
    for (const NamespaceItem& other : sides) {
      const bool different_schemas = !item.schema.empty() && !other.schema.empty() && item.schema != other.schema;
      if (item.relation_visible && other.relation_visible && !item.name.empty() && item.name == other.name &&
          !different_schemas) {
        return Status(sql_state::kDuplicateAlias, "table name \"{}\" specified more than once", item.name);
      }
    }
    sides.push_back(std::move(item));
  }
  for (NamespaceItem& item : sides) {
    item.columns_visible = false;
    // An alias for the join hides what it is made of.
    item.relation_visible = item.relation_visible && !join.alias.has_value();
  }
  if (join.using_alias.has_value()) {
    NamespaceItem alias;
    alias.name = join.using_alias->name;
    alias.columns.assign(merged.columns.begin(),
                         merged.columns.begin() + static_cast<std::ptrdiff_t>(join.using_columns.size()));
    alias.columns_visible = false;
    sides.push_back(std::move(alias));
  }
  merged.relation_visible = join.alias.has_value();
  PANDO_TRY(rename_columns(merged, join.alias));
  result.items = std::move(sides);
  result.items.push_back(std::move(merged));
  return result;
}

}  // namespace pando::sql
