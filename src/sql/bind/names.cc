// Column references: which item of which query level a name means (PostgreSQL's parse_relation.c rules).

#include <algorithm>
#include <utility>

#include "catalog/relation_forms.h"
#include "sql/bind/binder.h"
#include "sql/bind/row_value.h"

namespace pando::sql {

namespace oid = types::oid;

namespace {

inline constexpr SqlState kAmbiguousAlias{"42P09"};

bool is_system_column(std::string_view name) {
  return name == "ctid" || name == "tableoid" || name == "xmin" || name == "xmax" || name == "cmin" || name == "cmax";
}

// Whether an inner query's column reference here is above the grouping of the level it names.
bool is_above_grouping(ExprPlace place) {
  switch (place) {
    case ExprPlace::kSelectItem:
    case ExprPlace::kHaving:
    case ExprPlace::kOrderBy:
    case ExprPlace::kDistinctOn:
    case ExprPlace::kWindowOrder:
    case ExprPlace::kWindowPartition:
      return true;
    default:
      return false;
  }
}

}  // namespace

bool Binder::item_usable(const NamespaceItem& item, const Scope& level) const {
  return !item.lateral_only || level.lateral_active;
}

ExprPtr Binder::reference(const OutputColumn& column, const std::string& item, Scope& found, Scope& scope,
                          int position) {
  std::string name = item.empty() ? column.name : item + "." + column.name;
  // A column seen through a join goes by the name of its own table.
  for (const NamespaceItem& side : found.items) {
    for (const OutputColumn& candidate : side.columns) {
      if (item.empty() && candidate.id == column.id && !side.name.empty()) {
        name = side.name + "." + candidate.name;
      }
    }
  }
  log_.push_back({&found, false, position});
  if (&found != &scope && !found.lateral_active && is_above_grouping(found.place)) {
    found.inner_references.push_back({column.id, name, position, log_.size() - 1});
  }
  if (found.lateral_active) {
    ++found.lateral_references;
  }
  return make_expr(column.type, ColumnExpr{column.id, std::move(name)}, position);
}

Result<ExprPtr> Binder::item_column(NamespaceItem& item, std::string_view name, Scope& found, Scope& scope,
                                    int position, bool& exists) {
  const OutputColumn* match = nullptr;
  for (const OutputColumn& column : item.columns) {
    if (column.name != name) {
      continue;
    }
    if (match != nullptr) {
      return Status(sql_state::kAmbiguousColumn, "column reference \"{}\" is ambiguous", name).with_position(position);
    }
    match = &column;
  }
  if (match == nullptr) {
    for (const OutputColumn& column : item.system_columns) {
      if (column.name == name) {
        match = &column;
      }
    }
  }
  if (match == nullptr && item.is_table_scan && is_system_column(name)) {
    return system_columns_ ? Status(sql_state::kFeatureNotSupported, "system column \"{}\" is not supported here", name)
                                 .with_position(position)
                           : Status(kNeedSystemColumns, "a system column");
  }
  exists = match != nullptr;
  if (!exists) {
    return ExprPtr();
  }
  if (item.lateral_only && !item.lateral_legal) {
    return Status(sql_state::kInvalidColumnReference, "invalid reference to FROM-clause entry for table \"{}\"",
                  item.name)
        .with_detail("The combining JOIN type must be INNER or LEFT for a LATERAL reference.")
        .with_position(position);
  }
  return reference(*match, item.name, found, scope, position);
}

Result<ExprPtr> Binder::unqualified_column(const std::string& name, Scope& scope, int position) {
  for (Scope* level = &scope; level != nullptr; level = level->parent) {
    NamespaceItem* found = nullptr;
    for (NamespaceItem& item : level->items) {
      if (!item.columns_visible || !item_usable(item, *level)) {
        continue;
      }
      const auto has_name = [&](const OutputColumn& column) { return column.name == name; };
      if (std::none_of(item.columns.begin(), item.columns.end(), has_name)) {
        continue;
      }
      if (found != nullptr) {
        return Status(sql_state::kAmbiguousColumn, "column reference \"{}\" is ambiguous", name)
            .with_position(position);
      }
      found = &item;
    }
    for (NamespaceItem& item : level->items) {
      if (found == nullptr && is_system_column(name) && item.is_table_scan && item.columns_visible &&
          item_usable(item, *level)) {
        found = &item;
      }
    }
    if (found != nullptr) {
      bool exists = false;
      PANDO_ASSIGN(ExprPtr column, item_column(*found, name, *level, scope, position, exists));
      if (exists) {
        return column;
      }
    }
  }
  Scope* level = nullptr;
  PANDO_ASSIGN(NamespaceItem * item, find_item("", name, scope, &level, position));
  if (item != nullptr) {
    return whole_row(*item, *level, scope, position);
  }
  return missing_column(name, scope, position);
}

Result<NamespaceItem*> Binder::find_item(std::string_view schema, std::string_view name, Scope& scope,
                                         Scope** scope_out, int position) {
  for (Scope* level = &scope; level != nullptr; level = level->parent) {
    NamespaceItem* found = nullptr;
    for (NamespaceItem& item : level->items) {
      if (!item.relation_visible || item.name != name || !item_usable(item, *level) ||
          (!schema.empty() && item.schema != schema)) {
        continue;
      }
      if (found != nullptr) {
        return Status(kAmbiguousAlias, "table reference \"{}\" is ambiguous", name).with_position(position);
      }
      found = &item;
    }
    if (found != nullptr) {
      if (found->lateral_only && !found->lateral_legal) {
        return Status(sql_state::kInvalidColumnReference, "invalid reference to FROM-clause entry for table \"{}\"",
                      name)
            .with_detail("The combining JOIN type must be INNER or LEFT for a LATERAL reference.")
            .with_position(position);
      }
      *scope_out = level;
      return found;
    }
  }
  return static_cast<NamespaceItem*>(nullptr);
}

Status Binder::missing_column(std::string_view name, Scope& /*scope*/, int position) {
  return Status(sql_state::kUndefinedColumn, "column \"{}\" does not exist", name).with_position(position);
}

Status Binder::missing_item(std::string_view schema, std::string_view name, Scope& scope, int position) {
  for (Scope* level = &scope; level != nullptr; level = level->parent) {
    std::vector<NamespaceItem> items = level->items;
    items.insert(items.end(), level->hidden_items.begin(), level->hidden_items.end());
    for (const NamespaceItem& item : items) {
      if (item.name == name) {
        return Status(sql_state::kUndefinedTable, "invalid reference to FROM-clause entry for table \"{}\"", name)
            .with_hint(fmt::format(
                "There is an entry for table \"{}\", but it cannot be referenced from this part of the query.", name))
            .with_position(position);
      }
      if (item.table != nullptr && item.table->name == name && item.name != name && item.relation_visible) {
        return Status(sql_state::kUndefinedTable, "invalid reference to FROM-clause entry for table \"{}\"", name)
            .with_hint(fmt::format("Perhaps you meant to reference the table alias \"{}\".", item.name))
            .with_position(position);
      }
    }
  }
  return Status(sql_state::kUndefinedTable, "missing FROM-clause entry for table \"{}\"", name).with_position(position);
}

Result<ExprPtr> Binder::qualified_column(const ast::QualifiedName& names, Scope& scope, int position) {
  if (names.size() > 4) {
    return Status(sql_state::kSyntaxError, "improper qualified name (too many dotted names): {}", name_text(names))
        .with_position(position);
  }
  if (names.size() == 4 && names[0] != context_.options.database) {
    return Status(sql_state::kFeatureNotSupported, "cross-database references are not implemented: {}",
                  name_text(names))
        .with_position(position);
  }
  const std::string& column = names.back();
  const std::string& relation = names[names.size() - 2];
  const std::string_view schema = names.size() > 2 ? std::string_view(names[names.size() - 3]) : std::string_view();
  Scope* level = nullptr;
  PANDO_ASSIGN(NamespaceItem * item, find_item(schema, relation, scope, &level, position));
  if (item == nullptr) {
    return missing_item(schema, relation, scope, position);
  }
  bool exists = false;
  PANDO_ASSIGN(ExprPtr value, item_column(*item, column, *level, scope, position, exists));
  if (exists) {
    return value;
  }
  return Status(sql_state::kUndefinedColumn, "column {}.{} does not exist", relation, column).with_position(position);
}

Result<ExprPtr> Binder::column_ref(const ast::ColumnRef& node, Scope& scope, ast::Location location) {
  const int position = context_.position(location);
  if (scope.place == ExprPlace::kDefault) {
    return Status(sql_state::kFeatureNotSupported, "cannot use column reference in DEFAULT expression")
        .with_position(position);
  }
  if (node.star) {
    // t.* as a value is the whole row, as in count(t.*).
    if (node.names.empty()) {
      return Status(sql_state::kSyntaxError, "row expansion via \"*\" is not supported here").with_position(position);
    }
    Scope* level = nullptr;
    const std::string_view schema =
        node.names.size() > 1 ? std::string_view(node.names[node.names.size() - 2]) : std::string_view();
    PANDO_ASSIGN(NamespaceItem * item, find_item(schema, node.names.back(), scope, &level, position));
    return item == nullptr ? Result<ExprPtr>(missing_item(schema, node.names.back(), scope, position))
                           : whole_row(*item, *level, scope, position);
  }
  return node.names.size() == 1 ? unqualified_column(node.names[0], scope, position)
                                : qualified_column(node.names, scope, position);
}

namespace {

// A table's rows have its row type, unless the query calls their columns otherwise.
types::Oid row_type_of(const NamespaceItem& item) {
  const types::Oid own = item.table == nullptr ? oid::kInvalid : catalog::row_type_of(*item.table);
  std::size_t at = 0;
  bool is_same = own != oid::kInvalid;
  for (std::size_t i = 0; is_same && i < item.table->columns.size(); ++i) {
    const catalog::ColumnDescriptor& column = item.table->columns[i];
    if (!column.dropped) {
      is_same = at < item.columns.size() && item.columns[at].name == column.name;
      ++at;
    }
  }
  return is_same && at == item.columns.size() ? own : oid::kRecord;
}

}  // namespace

Result<ExprPtr> Binder::whole_row(NamespaceItem& item, Scope& found, Scope& scope, int position) {
  if (item.is_scalar_function && item.columns.size() == 1) {
    return reference(item.columns[0], item.name, found, scope, position);
  }
  if (item.nullable && !item.presence.has_value()) {
    return Status(kNeedSystemColumns, "whether an outer join found a row");
  }
  RowExpr row;
  for (const OutputColumn& column : item.columns) {
    row.fields.push_back(reference(column, item.name, found, scope, position));
    row.names.push_back(column.name);
  }
  const types::Type record{row_type_of(item)};
  ExprPtr value = make_expr(record, std::move(row), position);
  const auto traced = [&](ExprPtr whole) {
    if (context_.options.trace != nullptr) {
      context_.options.trace->rows[whole] = item.name;
    }
    return whole;
  };
  if (!item.presence.has_value()) {
    return traced(std::move(value));
  }
  CaseExpr unless_missing;
  unless_missing.branches.push_back({reference(*item.presence, item.name, found, scope, position), std::move(value)});
  unless_missing.otherwise = make_constant(record, types::Value::null());
  return traced(make_expr(record, std::move(unless_missing), position));
}

const RowExpr* row_in(const ExprPtr& value) {
  const auto* choice = as<CaseExpr>(value);
  const auto* condition = choice == nullptr ? nullptr : as<ColumnExpr>(choice->branches[0].condition);
  // The column that tells whether there is a row has a name that no statement can write.
  bool may_be_missing = condition != nullptr && (condition->name.empty() || condition->name.ends_with('.'));
  if (choice != nullptr && choice->operand == nullptr && choice->branches.size() == 1) {
    const auto* never = as<ConstantExpr>(choice->branches[0].condition);
    may_be_missing = may_be_missing || (never != nullptr && never->value.holds<bool>() && !never->value.as<bool>());
  }
  return as<RowExpr>(may_be_missing ? choice->branches[0].result : value);
}

Result<catalog::TablePtr> Binder::relation(const ast::RelationName& name) {
  const int position = context_.position(name.location);
  if (!name.catalog.empty() && name.catalog != context_.options.database) {
    return Status(sql_state::kFeatureNotSupported, "cross-database references are not implemented: \"{}.{}.{}\"",
                  name.catalog, name.schema, name.name)
        .with_position(position);
  }
  const catalog::Snapshot& catalog = *context_.options.catalog;
  static const std::vector<std::string> kNoPath;
  // What a view or a default names is qualified, but for pg_catalog.
  const auto& path = context_.text.empty() && view_depth_ > 0 ? kNoPath : context_.options.search_path;
  catalog::TablePtr table = catalog.resolve_table(path, name.schema, name.name);
  if (table != nullptr) {
    used_relations_.push_back(table->oid);
    return table;
  }
  if (!name.schema.empty() && catalog.find_schema(name.schema) == nullptr) {
    return Status(sql_state::kUndefinedTable, "relation \"{}.{}\" does not exist", name.schema, name.name)
        .with_position(position);
  }
  if (const auto sequence = catalog.resolve_sequence(path, name.schema, name.name)) {
    used_relations_.push_back(sequence->oid);
    return catalog::sequence_relation(*sequence);
  }
  const std::string text = name.schema.empty() ? name.name : name.schema + "." + name.name;
  return Status(sql_state::kUndefinedTable, "relation \"{}\" does not exist", text).with_position(position);
}

namespace {

// A user's type by name. What a view or a default names is qualified, but for pg_catalog.
catalog::TypePtr user_type(const ast::QualifiedName& names, const BindOptions& options) {
  if (names.empty() || names.size() > 2) {
    return nullptr;
  }
  const std::string_view schema = names.size() == 2 ? std::string_view(names[0]) : std::string_view();
  return options.catalog == nullptr ? nullptr
                                    : options.catalog->resolve_type(options.search_path, schema, names.back());
}

}  // namespace

catalog::TypePtr Binder::domain(const ast::TypeName& name) {
  const bool is_built_in = name.names.size() == 1 && types::find_type(std::string_view(name.names[0])) != nullptr &&
                           types::find_type(std::string_view(name.names[0]))->name == name.names[0];
  const catalog::TypePtr found =
      is_built_in || !name.array_bounds.empty() ? nullptr : user_type(name.names, context_.options);
  return found != nullptr && found->kind == catalog::UserTypeKind::kDomain ? found : nullptr;
}

// The type of the rows of a table or view of that name; kInvalid when there is none.
types::Oid Binder::row_type(const ast::QualifiedName& names) {
  if (names.size() > 2 || context_.options.catalog == nullptr) {
    return oid::kInvalid;
  }
  const std::string_view schema = names.size() == 2 ? std::string_view(names[0]) : std::string_view();
  const catalog::TablePtr table =
      context_.options.catalog->resolve_table(context_.options.search_path, schema, names.back());
  if (table == nullptr) {
    return oid::kInvalid;
  }
  used_relations_.push_back(table->oid);
  return catalog::row_type_of(*table);
}

Result<types::Type> Binder::type(const ast::TypeName& name) {
  const int position = context_.position(name.location);
  const auto missing = [&]() {
    return Status(sql_state::kUndefinedObject, "type \"{}\" does not exist", name_text(name.names))
        .with_position(position);
  };
  // The arrays of a user's type or of a table's rows, by the name that they have in pg_type.
  const auto array_type_of_name = [&]() {
    ast::QualifiedName names = name.names;
    if (!names.back().starts_with('_')) {
      return oid::kInvalid;
    }
    names.back().erase(0, 1);
    const catalog::TypePtr element = user_type(names, context_.options);
    const types::Oid of = element == nullptr                                ? row_type(names)
                          : element->kind == catalog::UserTypeKind::kDomain ? element->base.oid
                                                                            : element->oid;
    return of == oid::kInvalid ? of : types::array_of(of);
  };
  if (name.names.empty()) {
    return missing();
  }
  if (name.percent_type) {
    return Status(sql_state::kFeatureNotSupported, "%TYPE is not supported").with_position(position);
  }
  const bool is_of_user = name.names.size() > 1 && name.names[name.names.size() - 2] != "pg_catalog";
  const std::string& last = name.names.back();
  const types::TypeInfo* info = is_of_user ? nullptr : types::find_type(std::string_view(last));
  // "character varying" in quotes is no type's name.
  if (info != nullptr && info->name != last) {
    info = nullptr;
  }
  const catalog::TypePtr found = info == nullptr ? user_type(name.names, context_.options) : nullptr;
  types::Oid rows = info == nullptr && found == nullptr ? row_type(name.names) : oid::kInvalid;
  if (info == nullptr && found == nullptr && rows == oid::kInvalid) {
    rows = array_type_of_name();
  }
  if (info == nullptr && found == nullptr && rows == oid::kInvalid) {
    return missing();
  }
  types::Type type = rows != oid::kInvalid                           ? types::Type{rows}
                     : found == nullptr                              ? types::Type{info->oid}
                     : found->kind == catalog::UserTypeKind::kDomain ? found->base
                                                                     : types::Type{found->oid};
  if (info == nullptr && !name.modifiers.empty()) {
    return Status(sql_state::kSyntaxError, "type modifier is not allowed for type \"{}\"", last)
        .with_position(position);
  }
  if (!name.modifiers.empty()) {
    std::vector<int32_t> numbers;
    for (const ast::ExprPtr& modifier : name.modifiers) {
      const auto* constant = std::get_if<ast::Constant>(&modifier->node);
      const auto* integer = constant == nullptr ? nullptr : std::get_if<ast::IntegerLiteral>(&constant->value);
      if (integer == nullptr) {
        return Status(sql_state::kSyntaxError, "type modifiers must be simple constants or identifiers")
            .with_position(position);
      }
      numbers.push_back(integer->value);
    }
    Result<int32_t> modifier = types::make_modifier(type.oid, numbers);
    if (!modifier.ok()) {
      return std::move(modifier).status().with_position(position);
    }
    type.modifier = *modifier;
  }
  if (!name.array_bounds.empty()) {
    type.oid = types::array_of(type.oid);
    if (type.oid == types::oid::kInvalid) {
      return Status(sql_state::kUndefinedObject, "type \"{}[]\" does not exist", last).with_position(position);
    }
  }
  return type;
}

}  // namespace pando::sql
