// WITH and WITH RECURSIVE.

#include <algorithm>
#include <iterator>
#include <utility>

#include "sql/bind/binder.h"
#include "sql/bind/place_guard.h"

namespace pando::sql {

CteEntry* Binder::find_cte(std::string_view name, Scope& scope, Scope** found) {
  for (Scope* level = &scope; level != nullptr; level = level->parent) {
    for (auto entry = level->ctes.rbegin(); entry != level->ctes.rend(); ++entry) {
      if (entry->name == name) {
        *found = level;
        return &*entry;
      }
    }
  }
  return nullptr;
}

BoundQuery Binder::wrap_with(std::vector<WithNode::Definition> definitions, BoundQuery query) {
  if (definitions.empty()) {
    return query;
  }
  std::vector<OutputColumn> outputs = query.plan->outputs;
  query.plan = make_logical(std::move(outputs), WithNode{std::move(definitions), std::move(query.plan)});
  return query;
}

namespace {

// The columns of a WITH query under the names its definition gives them.
Result<std::vector<OutputColumn>> named_columns(const ast::CommonTable& table, std::vector<OutputColumn> columns,
                                                int position) {
  if (table.columns.size() > columns.size()) {
    return Status(sql_state::kInvalidColumnReference,
                  "WITH query \"{}\" has {} columns available but {} columns specified", table.name, columns.size(),
                  table.columns.size())
        .with_position(position);
  }
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    columns[i].name = table.columns[i];
  }
  for (OutputColumn& column : columns) {
    column.table = 0;
    column.attribute = 0;
  }
  return columns;
}

// The UNION of a recursive definition, when it has that form.
const ast::SetOperation* union_of(const ast::CommonTable& table) {
  const auto* select = std::get_if<ast::Select>(&table.query->node);
  const auto* operation = select == nullptr ? nullptr : std::get_if<ast::SetOperation>(&select->body);
  return operation != nullptr && operation->kind == ast::SetOperation::Kind::kUnion ? operation : nullptr;
}

}  // namespace

Status Binder::with_clause(const ast::WithClause& with, Scope& scope, std::vector<WithNode::Definition>& definitions) {
  for (const ast::CommonTable& table : with.tables) {
    scope.later_ctes.push_back(table.name);
  }
  for (const ast::CommonTable& table : with.tables) {
    const int position = context_.position(table.location);
    for (const CteEntry& other : scope.ctes) {
      if (other.name == table.name) {
        return Status(sql_state::kDuplicateAlias, "WITH query name \"{}\" specified more than once", table.name)
            .with_position(position);
      }
    }
    const bool modifies = !std::holds_alternative<ast::Select>(table.query->node);
    if (modifies && scope.parent != nullptr) {
      return Status(sql_state::kFeatureNotSupported,
                    "WITH clause containing a data-modifying statement must be at the top level")
          .with_position(position);
    }
    if (with.recursive && union_of(table) != nullptr) {
      PANDO_ASSIGN(std::optional<WithNode::Definition> recursive, recursive_table(table, scope, definitions));
      if (recursive.has_value()) {
        definitions.push_back(*std::move(recursive));
        continue;
      }
    }
    if (with.recursive) {
      // A reference to itself is only legal in the form above.
      CteEntry self;
      self.name = table.name;
      self.usable = false;
      scope.ctes.push_back(std::move(self));
    }
    Result<BoundQuery> bound = statement(*table.query, &scope, {});
    if (with.recursive) {
      scope.ctes.pop_back();
    }
    if (!bound.ok() && with.recursive && bound.status().is(sql_state::kInvalidRecursion) &&
        union_of(table) == nullptr) {
      return Status(sql_state::kInvalidRecursion,
                    "recursive query \"{}\" does not have the form non-recursive-term UNION [ALL] recursive-term",
                    table.name)
          .with_position(position);
    }
    PANDO_ASSIGN(BoundQuery query, std::move(bound));
    CteEntry entry;
    entry.name = table.name;
    entry.id = context_.new_cte();
    entry.lacks_rows = modifies && query.columns.empty();
    PANDO_ASSIGN(entry.columns, named_columns(table, query.columns, position));
    WithNode::Definition definition;
    definition.id = entry.id;
    definition.name = table.name;
    definition.plan = std::move(query.plan);
    definition.materialized = modifies || table.materialize == ast::CommonTable::Materialize::kAlways;
    definitions.push_back(std::move(definition));
    scope.ctes.push_back(std::move(entry));
  }
  return {};
}

// nullopt when the query does not refer to itself after all.
Result<std::optional<WithNode::Definition>> Binder::recursive_table(const ast::CommonTable& table, Scope& scope,
                                                                    std::vector<WithNode::Definition>& definitions) {
  const auto& select = std::get<ast::Select>(table.query->node);
  const ast::SetOperation& operation = *union_of(table);
  const std::size_t at = scope.ctes.size();
  CteEntry entry;
  entry.name = table.name;
  entry.id = context_.new_cte();
  entry.usable = false;
  scope.ctes.push_back(entry);
  // The definition's own WITH tables are visible to both terms.
  Scope inner(&scope);
  std::vector<WithNode::Definition> inner_definitions;
  if (select.with != nullptr) {
    PANDO_TRY(with_clause(*select.with, inner, inner_definitions));
  }
  PANDO_ASSIGN(BoundQuery first, this->select(*operation.left, &inner, {}));
  PANDO_ASSIGN(scope.ctes[at].columns, named_columns(table, first.columns, context_.position(table.location)));
  scope.ctes[at].usable = true;
  scope.ctes[at].in_recursion = true;
  PANDO_ASSIGN(BoundQuery second, this->select(*operation.right, &inner, {.keep_unknown = true}));
  if (scope.ctes[at].self_references == 0) {
    scope.ctes.resize(at);
    return std::optional<WithNode::Definition>();
  }
  if (!select.order_by.empty() || select.limit != nullptr || select.offset != nullptr) {
    const ast::Expr& refused = !select.order_by.empty()   ? *select.order_by[0].expr
                               : select.offset != nullptr ? *select.offset
                                                          : *select.limit;
    return Status(sql_state::kFeatureNotSupported, "{} in a recursive query is not implemented",
                  !select.order_by.empty()   ? "ORDER BY"
                  : select.offset != nullptr ? "OFFSET"
                                             : "LIMIT")
        .with_position(context_.position(refused.location));
  }
  if (!select.locking.empty()) {
    return Status(sql_state::kFeatureNotSupported, "FOR UPDATE/SHARE in a recursive query is not implemented");
  }
  PANDO_ASSIGN(second, match_recursive_term(table, first, std::move(second)));
  scope.ctes[at].in_recursion = false;
  WithNode::Definition definition;
  definition.id = entry.id;
  definition.name = table.name;
  definition.materialized = true;
  definition.recursive_all = operation.all;
  for (std::size_t i = 0; i < first.columns.size(); ++i) {
    definition.plan_columns.push_back(first.columns[i].id);
    definition.recursive_columns.push_back(second.columns[i].id);
  }
  definition.plan = std::move(first.plan);
  // Both terms read the definition's own WITH tables, which become tables beside it: their names are bound already.
  std::ranges::move(inner_definitions, std::back_inserter(definitions));
  definition.recursive = std::move(second.plan);
  return std::optional<WithNode::Definition>(std::move(definition));
}

// The recursive term's columns, of the types the non-recursive term chose.
Result<BoundQuery> Binder::match_recursive_term(const ast::CommonTable& table, const BoundQuery& first,
                                                BoundQuery second) {
  if (first.columns.size() != second.columns.size()) {
    return Status(sql_state::kSyntaxError, "each UNION query must have the same number of columns");
  }
  std::vector<types::Type> types;
  for (std::size_t i = 0; i < first.columns.size(); ++i) {
    const types::Type& type = first.columns[i].type;
    const std::vector<ExprPtr> both{make_expr(type, ColumnExpr{first.columns[i].id, ""}),
                                    make_expr(second.columns[i].type, ColumnExpr{second.columns[i].id, ""})};
    PANDO_ASSIGN(const types::Oid common, select_common_type(both, "UNION"));
    if (common != type.oid) {
      return Status(sql_state::kDatatypeMismatch,
                    "recursive query \"{}\" column {} has type {} in non-recursive term but type {} overall",
                    table.name, i + 1, type_name(type.oid), type_name(common))
          .with_hint("Cast the output of the non-recursive term to the correct type.")
          .with_position(i < first.exprs.size() ? first.exprs[i]->position : 0);
    }
    types.push_back(type);
  }
  return convert_columns(std::move(second), types, "UNION");
}

}  // namespace pando::sql
