// INSERT and ON CONFLICT.

#include <algorithm>
#include <map>
#include <ranges>
#include <utility>

#include "sql/bind/binder.h"
#include "sql/bind/place_guard.h"
#include "sql/bind/traverse.h"
#include "sql/plan/conditions.h"
#include "sql/plan/system_attributes.h"

namespace pando::sql {

namespace oid = types::oid;

// The state of one INSERT while it is bound.
struct Binder::InsertTarget {
  ChangeTarget change;
  catalog::TablePtr table;
  // Of a target without an alias, which can be named with it.
  std::string schema;
  // The columns that the source's columns go to, in the source's order, and their places in the statement. Null for a
  // view's computed column when no columns are listed.
  std::vector<const catalog::ColumnDescriptor*> columns;
  std::vector<int> positions;
  bool columns_listed = false;
  // The column list's items; null for columns that it does not name.
  std::vector<const ast::TargetColumn*> items;
  ast::Insert::Overriding overriding = ast::Insert::Overriding::kNone;
  // One input column per live attribute that is not generated.
  NamespaceItem input_row;
  LogicalPtr input;

  // Whether the i-th value goes to an element of its column.
  bool is_element(std::size_t i) const { return items[i] != nullptr && !items[i]->indirection.empty(); }

  // The same for every row, and so bound once.
  Result<ExprPtr> default_of(Binder& binder, const catalog::ColumnDescriptor& column) const {
    const auto found = defaults.find(column.number);
    if (found != defaults.end()) {
      return found->second;
    }
    PANDO_ASSIGN(ExprPtr value, binder.column_default(table, column));
    defaults.emplace(column.number, value);
    return value;
  }
  mutable std::map<catalog::AttributeNumber, ExprPtr> defaults;
};

namespace {

bool is_default_marker(const ast::Expr& node) { return std::holds_alternative<ast::DefaultMarker>(node.node); }

Status too_many_expressions(int position) {
  return Status(sql_state::kSyntaxError, "INSERT has more expressions than target columns").with_position(position);
}

Status too_few_expressions(int position) {
  return Status(sql_state::kSyntaxError, "INSERT has more target columns than expressions").with_position(position);
}

}  // namespace

Status Binder::insert_columns(const ast::Insert& insert, InsertTarget& target) {
  target.columns_listed = !insert.columns.empty();
  if (!target.columns_listed && !target.change.views.empty()) {
    for (const ChangeTarget::Column& column : target.change.columns) {
      target.columns.push_back(column.attribute == 0 ? nullptr : &target.table->column(column.attribute));
      target.items.push_back(nullptr);
      target.positions.push_back(0);
    }
    return {};
  }
  if (!target.columns_listed) {
    for (const catalog::ColumnDescriptor& column : target.table->columns) {
      if (!column.dropped) {
        target.columns.push_back(&column);
        target.items.push_back(nullptr);
        target.positions.push_back(0);
      }
    }
    return {};
  }
  for (const ast::TargetColumn& item : insert.columns) {
    PANDO_ASSIGN(const catalog::ColumnDescriptor* column, find_target_column(target.change, item));
    const bool repeated = std::ranges::any_of(std::views::iota(std::size_t{0}, target.columns.size()), [&](auto i) {
      return target.columns[i] == column && (item.indirection.empty() || target.items[i]->indirection.empty());
    });
    if (repeated) {
      return Status(sql_state::kDuplicateColumn, "column \"{}\" specified more than once", item.name)
          .with_position(context_.position(item.location));
    }
    target.columns.push_back(column);
    target.items.push_back(&item);
    target.positions.push_back(context_.position(item.location));
  }
  return {};
}

// The first `count` columns must be ones that can be written.
Status Binder::check_written(const InsertTarget& target, std::size_t count) {
  for (std::size_t i = 0; i < std::min(count, target.columns.size()); ++i) {
    if (target.columns[i] == nullptr) {
      return computed_column(target.change, target.change.columns[i].name);
    }
  }
  return {};
}

// A value may not be given for a generated column, nor for GENERATED ALWAYS AS IDENTITY without OVERRIDING.
Status Binder::check_given(const catalog::ColumnDescriptor& column, ast::Insert::Overriding overriding) {
  if (column.generated) {
    return Status(sql_state::kGeneratedAlways, "cannot insert a non-DEFAULT value into column \"{}\"", column.name)
        .with_detail(fmt::format("Column \"{}\" is a generated column.", column.name));
  }
  if (column.identity == catalog::Identity::kAlways && overriding == ast::Insert::Overriding::kNone) {
    return Status(sql_state::kGeneratedAlways, "cannot insert a non-DEFAULT value into column \"{}\"", column.name)
        .with_detail(fmt::format("Column \"{}\" is an identity column defined as GENERATED ALWAYS.", column.name))
        .with_hint("Use OVERRIDING SYSTEM VALUE to override.");
  }
  return {};
}

Result<ExprPtr> Binder::insert_value(const ast::Expr& node, const catalog::ColumnDescriptor& column,
                                     const InsertTarget& target, Scope& scope) {
  if (is_default_marker(node)) {
    return target.default_of(*this, column);
  }
  PANDO_TRY(check_given(column, target.overriding));
  PANDO_ASSIGN(ExprPtr value, value_for(node, column.type, scope, ExprPlace::kInsertValue));
  if (target.overriding == ast::Insert::Overriding::kUserValue && column.identity != catalog::Identity::kNone) {
    return target.default_of(*this, column);
  }
  return assign(std::move(value), column, context_.position(node.location));
}

// What a column gets: the value at its place in the list, among the first `count` that were given; its elements' values
// put together; or its default.
Result<ExprPtr> Binder::inserted(const catalog::ColumnDescriptor& column, const InsertTarget& target, Scope& scope,
                                 std::size_t count, const std::function<Result<ExprPtr>(std::size_t)>& given) {
  ExprPtr result;
  for (std::size_t i = 0; i < std::min(count, target.columns.size()); ++i) {
    if (target.columns[i] != &column) {
      continue;
    }
    PANDO_ASSIGN(ExprPtr value, given(i));
    if (!target.is_element(i)) {
      return value;
    }
    ExprPtr container = result == nullptr ? make_constant(column.type, types::Value::null()) : std::move(result);
    PANDO_ASSIGN(result, assign_element(std::move(container), *target.items[i], column, std::move(value), scope));
  }
  return result != nullptr ? std::move(result) : target.default_of(*this, column);
}

// VALUES: each row is cast to the columns at once, defaults filled in.
Status Binder::insert_values(const ast::ValuesLists& lists, InsertTarget& target, Scope& scope) {
  ValuesNode values;
  for (const ast::ExprList& list : lists.rows) {
    if (list.size() != lists.rows[0].size()) {
      return Status(sql_state::kSyntaxError, "VALUES lists must all be the same length")
          .with_position(context_.position(list[0]->location));
    }
    if (list.size() > target.columns.size()) {
      return too_many_expressions(context_.position(list[target.columns.size()]->location));
    }
    if (list.size() < target.columns.size() && target.columns_listed) {
      return too_few_expressions(target.positions[list.size()]);
    }
    PANDO_TRY(check_written(target, list.size()));
    std::vector<ExprPtr> row;
    for (const OutputColumn& output : target.input_row.columns) {
      const catalog::ColumnDescriptor& column = target.table->column(output.attribute);
      PANDO_ASSIGN(ExprPtr value, inserted(column, target, scope, list.size(), [&](std::size_t i) -> Result<ExprPtr> {
                     return target.is_element(i) ? expr_in(*list[i], scope, ExprPlace::kInsertValue)
                                                 : insert_value(*list[i], column, target, scope);
                   }));
      row.push_back(std::move(value));
    }
    for (std::size_t i = 0; i < list.size(); ++i) {
      if (target.columns[i]->generated && !is_default_marker(*list[i])) {
        return check_given(*target.columns[i], target.overriding);
      }
    }
    values.rows.push_back(std::move(row));
  }
  target.input = make_logical(target.input_row.columns, std::move(values));
  return {};
}

// A query, or DEFAULT VALUES: its columns are cast and the missing ones added above it.
Status Binder::insert_query(const ast::Insert& insert, InsertTarget& target, Scope& scope) {
  BoundQuery query;
  if (insert.source == nullptr) {
    query.plan = make_logical({}, ValuesNode{{{}}});
  } else {
    PANDO_ASSIGN(query, select(*insert.source, &scope, {.keep_unknown = true}));
    if (query.columns.size() > target.columns.size()) {
      const std::size_t first = target.columns.size();
      return too_many_expressions(first < query.exprs.size() ? location_of(query.exprs[first]) : 0);
    }
    if (query.columns.size() < target.columns.size() && target.columns_listed) {
      return too_few_expressions(target.positions[query.columns.size()]);
    }
  }
  PANDO_TRY(check_written(target, query.columns.size()));
  ProjectNode project;
  for (const OutputColumn& output : target.input_row.columns) {
    const catalog::ColumnDescriptor& column = target.table->column(output.attribute);
    const auto given = [&](std::size_t i) -> Result<ExprPtr> {
      PANDO_TRY(check_given(column, target.overriding));
      if (target.overriding == ast::Insert::Overriding::kUserValue && column.identity != catalog::Identity::kNone) {
        return target.default_of(*this, column);
      }
      const OutputColumn& source = query.columns[i];
      ExprPtr value = source.type.oid == oid::kUnknown && i < query.exprs.size()
                          ? query.exprs[i]
                          : make_expr(source.type, ColumnExpr{source.id, source.name},
                                      i < query.exprs.size() ? query.exprs[i]->position : 0);
      return target.is_element(i) ? value : assign(std::move(value), column, 0);
    };
    PANDO_ASSIGN(ExprPtr value, inserted(column, target, scope, query.columns.size(), given));
    project.columns.push_back({output, std::move(value)});
  }
  for (std::size_t i = 0; i < query.columns.size(); ++i) {
    if (target.columns[i]->generated) {
      return check_given(*target.columns[i], target.overriding);
    }
  }
  project.input = std::move(query.plan);
  target.input = make_logical(target.input_row.columns, std::move(project));
  return {};
}

Result<BoundQuery> Binder::insert(const ast::Insert& insert, Scope* parent) {
  Scope scope(parent);
  std::vector<WithNode::Definition> definitions;
  if (insert.with != nullptr) {
    PANDO_TRY(with_clause(*insert.with, scope, definitions));
  }
  InsertTarget target;
  PANDO_ASSIGN(target.change, change_target(insert.table, ChangeKind::kInsert));
  target.table = target.change.table;
  if (insert.alias.empty()) {
    target.schema = context_.options.catalog->find_schema(target.change.named().schema)->name;
  }
  target.overriding = insert.overriding;
  const std::string name = insert.alias.empty() ? target.change.named().name : insert.alias;
  PANDO_TRY(insert_columns(insert, target));
  target.input_row = table_row(target.table, name);
  std::erase_if(target.input_row.columns,
                [&](const OutputColumn& column) { return target.table->column(column.attribute).generated; });
  const auto* lists = insert.source == nullptr ? nullptr : std::get_if<ast::ValuesLists>(&insert.source->body);
  const bool plain_values = lists != nullptr && insert.source->with == nullptr && insert.source->order_by.empty() &&
                            insert.source->limit == nullptr && insert.source->offset == nullptr;
  PANDO_TRY(plain_values ? insert_values(*lists, target, scope) : insert_query(insert, target, scope));

  InsertNode node;
  node.table = target.table;
  node.input = target.input;
  for (const OutputColumn& column : target.input_row.columns) {
    node.values.push_back({column.attribute, make_expr(column.type, ColumnExpr{column.id, column.name})});
  }
  PANDO_ASSIGN(std::vector<Assignment> generated, generated_values(target.table, target.input_row));
  node.values.insert(node.values.end(), generated.begin(), generated.end());
  std::sort(node.values.begin(), node.values.end(),
            [](const Assignment& a, const Assignment& b) { return a.attribute < b.attribute; });
  if (insert.on_conflict.has_value()) {
    PANDO_ASSIGN(node.on_conflict, conflict(*insert.on_conflict, target, name, scope));
  }
  NamespaceItem row = table_row(target.table, name);
  row.schema = target.schema;
  node.row = row.columns;
  if (system_columns_) {
    const auto add = [&](std::string column, types::Oid type, catalog::AttributeNumber attribute) {
      row.system_columns.push_back({context_.new_column(), std::move(column), {type}, target.table->oid, attribute});
    };
    add("tableoid", oid::kOid, kTableOidAttribute);
    add("xmax", oid::kXid, kXmaxAttribute);
    add("cmin", oid::kCid, kCminAttribute);
    add("cmax", oid::kCid, kCmaxAttribute);
    std::ranges::copy(row.system_columns, std::back_inserter(node.row));
  }
  PANDO_ASSIGN(node.checks, checks(target.table, row));
  PANDO_ASSIGN(SeenRow seen, seen_row(target.change, std::move(row)));
  add_view_checks(target.change, seen, node.checks);
  scope.items.push_back(std::move(seen.item));
  BoundQuery result;
  PANDO_TRY(bind_returning(insert.returning, scope, node.returning, result.columns));
  replace_computed(node.returning, seen.computed);
  result.plan = make_logical(result.columns, std::move(node));
  return wrap_with(std::move(definitions), std::move(result));
}

namespace {

inline constexpr const char* kNoArbiter =
    "there is no unique or exclusion constraint matching the ON CONFLICT specification";

}  // namespace

Result<std::vector<types::Oid>> Binder::arbiters(const ast::OnConflict& clause, const ChangeTarget& target,
                                                 const NamespaceItem& row) {
  const catalog::TablePtr& table = target.table;
  std::vector<types::Oid> indexes;
  if (!clause.constraint.empty()) {
    const catalog::ConstraintDescriptor* constraint = table->find_constraint(clause.constraint);
    const catalog::IndexDescriptor* index = constraint == nullptr ? nullptr : table->find_index(constraint->index);
    const bool is_being_built = index != nullptr && !index->readable;
    if (constraint == nullptr || is_being_built) {
      return Status(sql_state::kUndefinedObject, "constraint \"{}\" for table \"{}\" does not exist", clause.constraint,
                    table->name);
    }
    if (constraint->index == 0 || constraint->kind == catalog::ConstraintKind::kForeign) {
      return Status(sql_state::kWrongObjectType, "constraint in ON CONFLICT clause has no associated index");
    }
    return std::vector<types::Oid>{constraint->index};
  }
  if (clause.elements.empty()) {
    return indexes;
  }
  std::vector<catalog::AttributeNumber> attributes;
  std::vector<ExprPtr> exprs;
  Scope scope(nullptr);
  scope.items.push_back(row);
  for (const ast::OnConflict::Element& element : clause.elements) {
    if (!element.column.empty()) {
      Result<const catalog::ColumnDescriptor*> column =
          find_target_column(target, {element.column, {}, clause.location});
      if (!column.ok()) {
        return Status(sql_state::kUndefinedColumn, "column \"{}\" does not exist", element.column)
            .with_position(context_.position(clause.inference_location));
      }
      attributes.push_back((*column)->number);
    } else {
      PANDO_ASSIGN(ExprPtr bound, expr_in(*element.expr, scope, ExprPlace::kIndexExpression));
      exprs.push_back(std::move(bound));
    }
  }
  for (const catalog::IndexDescriptor& index : table->indexes) {
    PANDO_ASSIGN(const bool fits, arbiter_fits(index, attributes, exprs, clause, row));
    if (fits) {
      indexes.push_back(index.oid);
    }
  }
  if (indexes.empty()) {
    return Status::from_message(sql_state::kInvalidColumnReference, kNoArbiter);
  }
  return indexes;
}

// Whether a unique index is over just these columns and expressions, and, if partial, over no less than the clause
// says.
Result<bool> Binder::arbiter_fits(const catalog::IndexDescriptor& index,
                                  const std::vector<catalog::AttributeNumber>& attributes,
                                  const std::vector<ExprPtr>& exprs, const ast::OnConflict& clause,
                                  const NamespaceItem& row) {
  if (!index.unique || !index.readable) {
    return false;
  }
  std::vector<bool> attribute_used(attributes.size(), false);
  std::vector<bool> expr_used(exprs.size(), false);
  for (const catalog::IndexColumn& column : index.columns) {
    bool found = false;
    for (std::size_t i = 0; i < attributes.size(); ++i) {
      if (column.attribute == attributes[i] && column.attribute != 0) {
        attribute_used[i] = true;
        found = true;
      }
    }
    if (column.attribute == 0) {
      PANDO_ASSIGN(const ExprPtr own, stored_expr(column.expression_sql, &row, ExprPlace::kIndexExpression, {}, ""));
      for (std::size_t i = 0; i < exprs.size(); ++i) {
        if (same_expr(own, exprs[i])) {
          expr_used[i] = true;
          found = true;
        }
      }
    }
    if (!found) {
      return false;
    }
  }
  const auto is_true = [](bool used) { return used; };
  if (!std::all_of(attribute_used.begin(), attribute_used.end(), is_true) ||
      !std::all_of(expr_used.begin(), expr_used.end(), is_true)) {
    return false;
  }
  if (index.predicate_sql.empty()) {
    return true;
  }
  if (clause.element_where == nullptr) {
    return false;
  }
  Scope scope(nullptr);
  scope.items.push_back(row);
  PANDO_ASSIGN(const ExprPtr given, boolean_in(*clause.element_where, scope, ExprPlace::kIndexPredicate));
  PANDO_ASSIGN(const ExprPtr own, stored_expr(index.predicate_sql, &row, ExprPlace::kIndexPredicate, {oid::kBool}, ""));
  const std::vector<ExprPtr> facts = conjuncts_of(given);
  return std::ranges::all_of(conjuncts_of(own), [&](const ExprPtr& needed) {
    return std::ranges::any_of(facts, [&](const ExprPtr& fact) { return same_expr(fact, needed); });
  });
}

Result<ConflictClause> Binder::conflict(const ast::OnConflict& clause, const InsertTarget& target,
                                        const std::string& name, Scope& parent) {
  ConflictClause result;
  result.update = clause.do_update;
  NamespaceItem existing = table_row(target.table, name);
  existing.schema = target.schema;
  NamespaceItem excluded = table_row(target.table, "excluded");
  if (clause.do_update && clause.elements.empty() && clause.constraint.empty()) {
    return Status(sql_state::kSyntaxError, "ON CONFLICT DO UPDATE requires inference specification or constraint name")
        .with_hint("For example, ON CONFLICT (column_name).")
        .with_position(context_.position(clause.location));
  }
  PANDO_ASSIGN(result.indexes, arbiters(clause, target.change, existing));
  result.existing = existing.columns;
  result.excluded = excluded.columns;
  if (!clause.do_update) {
    return result;
  }
  Scope scope(&parent);
  PANDO_ASSIGN(SeenRow seen, seen_row(target.change, existing));
  PANDO_ASSIGN(SeenRow seen_excluded, seen_row(target.change, std::move(excluded)));
  std::vector<ProjectedColumn> computed = std::move(seen.computed);
  computed.insert(computed.end(), seen_excluded.computed.begin(), seen_excluded.computed.end());
  scope.items.push_back(std::move(seen.item));
  scope.items.push_back(std::move(seen_excluded.item));
  PANDO_ASSIGN(result.assignments, assignments(clause.assignments, target.change, scope));
  for (Assignment& assignment : result.assignments) {
    assignment.value = replace_computed(assignment.value, computed);
  }
  if (clause.where != nullptr) {
    PANDO_ASSIGN(ExprPtr where, boolean_in(*clause.where, scope, ExprPlace::kWhere));
    result.where = replace_computed(where, computed);
  }
  PANDO_TRY(add_generated(target.table, existing, result.assignments));
  return result;
}

}  // namespace pando::sql
