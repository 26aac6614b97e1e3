#include <algorithm>
#include <array>

#include "sql/ddl/definition.h"
#include "sql/expr/walk.h"

namespace pando::sql::ddl {
namespace {

using Kind = ast::Constraint::Kind;

catalog::ForeignAction foreign_action(ast::ForeignKeyAction action) {
  switch (action) {
    case ast::ForeignKeyAction::kNoAction:
      return catalog::ForeignAction::kNoAction;
    case ast::ForeignKeyAction::kRestrict:
      return catalog::ForeignAction::kRestrict;
    case ast::ForeignKeyAction::kCascade:
      return catalog::ForeignAction::kCascade;
    case ast::ForeignKeyAction::kSetNull:
      return catalog::ForeignAction::kSetNull;
    case ast::ForeignKeyAction::kSetDefault:
      return catalog::ForeignAction::kSetDefault;
  }
  PANDO_UNREACHABLE("an unknown foreign key action");
}

std::string joined_names(const TableDescriptor& table, const std::vector<AttributeNumber>& attributes,
                         std::string_view separator) {
  std::string names;
  for (const AttributeNumber attribute : attributes) {
    names += fmt::format("{}{}", names.empty() ? "" : separator, table.column(attribute).name);
  }
  return names;
}

Result<std::vector<AttributeNumber>> key_attributes(const TableDescriptor& table,
                                                    const std::vector<std::string>& columns) {
  std::vector<AttributeNumber> attributes;
  for (const auto& name : columns) {
    const ColumnDescriptor* column = table.find_column(name);
    if (column == nullptr) {
      return Status(sql_state::kUndefinedColumn, "column \"{}\" named in key does not exist", name);
    }
    if (std::ranges::find(attributes, column->number) != attributes.end()) {
      return Status(sql_state::kDuplicateColumn, "column \"{}\" appears twice in key", name);
    }
    attributes.push_back(column->number);
  }
  return attributes;
}

// 42809, unless the index could be one of a PRIMARY KEY or UNIQUE constraint.
Status check_adoptable(const TableDescriptor& table, const IndexDescriptor& index) {
  constexpr const char* kWhy = "Cannot create a primary key or unique constraint using such an index.";
  const bool in_use = std::ranges::any_of(table.constraints, [&](const ConstraintDescriptor& constraint) {
    return constraint.kind != ConstraintKind::kForeign && constraint.index == index.oid;
  });
  if (in_use) {
    return Status(sql_state::kObjectNotInPrerequisiteState, "index \"{}\" is already associated with a constraint",
                  index.name);
  }
  if (!index.unique || !index.readable) {
    return Status(sql_state::kWrongObjectType, "\"{}\" is not a unique index", index.name).with_detail(kWhy);
  }
  if (!index.predicate_sql.empty()) {
    return Status(sql_state::kWrongObjectType, "\"{}\" is a partial index", index.name).with_detail(kWhy);
  }
  for (std::size_t i = 0; i < index.columns.size(); ++i) {
    const catalog::IndexColumn& column = index.columns[i];
    if (column.attribute == 0) {
      return Status(sql_state::kWrongObjectType, "index \"{}\" contains expressions", index.name).with_detail(kWhy);
    }
    if (column.descending || column.nulls_first) {
      return Status(sql_state::kWrongObjectType, "index \"{}\" column number {} does not have default sorting behavior",
                    index.name, i + 1)
          .with_detail(kWhy);
    }
  }
  return {};
}

// The unique index named by USING INDEX becomes the constraint's own, and a primary key's the order of the rows.
Task<Status> adopt_index(TableDescriptor* table, const ast::Constraint* source, ConstraintDescriptor constraint,
                         Definition* definition) {
  const auto found = std::ranges::find(table->indexes, source->index, &IndexDescriptor::name);
  Status usable = found == table->indexes.end()
                      ? Status(sql_state::kUndefinedObject, "index \"{}\" does not exist", source->index)
                      : check_adoptable(*table, *found);
  if (!usable.ok()) {
    co_return std::move(usable).with_position(definition->position(source->location));
  }
  IndexDescriptor index = *found;
  constraint.name = source->name.empty() ? index.name : source->name;
  if (constraint.name != index.name) {
    definition->notice(fmt::format("ALTER TABLE / ADD CONSTRAINT USING INDEX will rename index \"{}\" to \"{}\"",
                                   index.name, constraint.name));
    const SchemaPtr schema = definition->snapshot()->find_schema(table->schema);
    PANDO_CO_TRY(co_await definition->claim_relation_name(schema, constraint.name));
  }
  index.name = constraint.name;
  constraint.index = index.oid;
  for (const auto& column : index.columns) {
    constraint.columns.push_back(column.attribute);
  }
  if (constraint.kind == ConstraintKind::kPrimary) {
    table->indexes.erase(found);
    index.primary = true;
    index.id = catalog::kRowIndexId;
    for (const AttributeNumber attribute : constraint.columns) {
      table->columns[static_cast<std::size_t>(attribute) - 1].not_null = true;
    }
    table->indexes.insert(table->indexes.begin(), std::move(index));
  } else {
    *found = std::move(index);
  }
  PANDO_CO_ASSIGN(constraint.oid, co_await definition->allocate_oid());
  table->constraints.push_back(std::move(constraint));
  co_return Status();
}

Task<Status> add_key(TableDescriptor* table, const ast::Constraint* source, const std::string* column,
                     Definition* definition) {
  const bool is_primary = source->kind == Kind::kPrimaryKey;
  if (is_primary && table->primary_index() != nullptr) {
    co_return Status(sql_state::kInvalidTableDefinition, "multiple primary keys for table \"{}\" are not allowed",
                     table->name);
  }
  ConstraintDescriptor constraint;
  constraint.kind = is_primary ? ConstraintKind::kPrimary : ConstraintKind::kUnique;
  constraint.deferrable = source->deferrable;
  constraint.initially_deferred = source->initially_deferred;
  if (!source->index.empty()) {
    co_return co_await adopt_index(table, source, std::move(constraint), definition);
  }
  std::vector<std::string> columns = source->columns;
  if (columns.empty() && !column->empty()) {
    columns = {*column};
  }
  PANDO_CO_ASSIGN(constraint.columns, key_attributes(*table, columns));
  std::vector<std::string> taken;
  for (const auto& index : table->indexes) {
    taken.push_back(index.name);
  }
  constraint.name = source->name;
  if (constraint.name.empty()) {
    constraint.name =
        is_primary ? definition->choose_relation_name(table->schema, table->name, "", "pkey", taken)
                   : definition->choose_relation_name(table->schema, table->name,
                                                      joined_names(*table, constraint.columns, "_"), "key", taken);
  }
  const SchemaPtr schema = definition->snapshot()->find_schema(table->schema);
  PANDO_CO_TRY(co_await definition->claim_relation_name(schema, constraint.name));
  IndexDescriptor index;
  PANDO_CO_ASSIGN(index.oid, co_await definition->allocate_oid());
  PANDO_CO_ASSIGN(constraint.oid, co_await definition->allocate_oid());
  index.name = constraint.name;
  index.unique = true;
  index.primary = is_primary;
  index.nulls_not_distinct = source->nulls_not_distinct;
  for (const AttributeNumber attribute : constraint.columns) {
    index.columns.push_back({.attribute = attribute});
    if (is_primary) {
      table->columns[static_cast<std::size_t>(attribute) - 1].not_null = true;
    }
  }
  PANDO_CO_ASSIGN(index.included, key_attributes(*table, source->including));
  constraint.index = index.oid;
  if (is_primary) {
    index.id = catalog::kRowIndexId;
    table->indexes.insert(table->indexes.begin(), std::move(index));
  } else {
    index.id = table->next_index_id;
    table->next_index_id = catalog::IndexId(index.id.number() + 1);
    table->indexes.push_back(std::move(index));
  }
  table->constraints.push_back(std::move(constraint));
  co_return Status();
}

Task<Status> add_check(TableDescriptor* table, const ast::Constraint* source, const std::string* column,
                       Definition* definition) {
  PANDO_CO_ASSIGN(const ExprPtr condition,
                  bind_table_expression(*source->expr, std::make_shared<const TableDescriptor>(*table),
                                        {types::oid::kBool}, "check constraints", definition->bind_options()));
  ConstraintDescriptor constraint;
  constraint.kind = ConstraintKind::kCheck;
  constraint.check_sql = print_expr(condition, definition->stored_print_options());
  constraint.no_inherit = source->no_inherit;
  constraint.validated = !source->not_valid;
  for (const AttributeNumber attribute : attributes_of(condition)) {
    constraint.columns.push_back(attribute);
  }
  constraint.name = source->name;
  if (constraint.name.empty()) {
    const std::string named = constraint.columns.size() == 1 ? table->column(constraint.columns[0]).name : *column;
    constraint.name = Definition::choose_constraint_name(*table, named, "check");
  }
  PANDO_CO_ASSIGN(constraint.oid, co_await definition->allocate_oid());
  table->constraints.push_back(std::move(constraint));
  co_return Status();
}

// The unique index of `referenced` over exactly these columns, in any order.
const IndexDescriptor* find_unique_index(const TableDescriptor& referenced,
                                         const std::vector<AttributeNumber>& columns) {
  for (const auto& index : referenced.indexes) {
    if (!index.unique || !index.readable || !index.predicate_sql.empty() || index.columns.size() != columns.size()) {
      continue;
    }
    const bool matches = std::ranges::all_of(index.columns, [&](const catalog::IndexColumn& column) {
      return column.attribute != 0 && std::ranges::find(columns, column.attribute) != columns.end();
    });
    if (matches) {
      return &index;
    }
  }
  return nullptr;
}

Status resolve_referenced(const TableDescriptor& referenced, const ast::Constraint& source,
                          ConstraintDescriptor& constraint) {
  if (source.referenced_columns.empty()) {
    const IndexDescriptor* primary = referenced.primary_index();
    if (primary == nullptr) {
      return Status(sql_state::kUndefinedObject, "there is no primary key for referenced table \"{}\"",
                    referenced.name);
    }
    for (const auto& column : primary->columns) {
      constraint.referenced_columns.push_back(column.attribute);
    }
    constraint.index = primary->oid;
  } else {
    for (const auto& name : source.referenced_columns) {
      const ColumnDescriptor* column = referenced.find_column(name);
      if (column == nullptr) {
        return Status(sql_state::kUndefinedColumn, "column \"{}\" referenced in foreign key constraint does not exist",
                      name);
      }
      constraint.referenced_columns.push_back(column->number);
    }
    const IndexDescriptor* unique = find_unique_index(referenced, constraint.referenced_columns);
    if (unique == nullptr) {
      return Status(sql_state::kInvalidForeignKey,
                    "there is no unique constraint matching given keys for referenced table \"{}\"", referenced.name);
    }
    constraint.index = unique->oid;
  }
  if (constraint.columns.size() != constraint.referenced_columns.size()) {
    return Status(sql_state::kInvalidForeignKey,
                  "number of referencing and referenced columns for foreign key disagree");
  }
  return {};
}

// Whether values of both types are compared as they are, in one btree operator family.
bool share_family(Oid a, Oid b) {
  using namespace types::oid;
  constexpr std::array<std::array<Oid, 3>, 4> kFamilies = {{{kInt2, kInt4, kInt8},
                                                            {kFloat4, kFloat8, kFloat8},
                                                            {kDate, kTimestamp, kTimestamptz},
                                                            {kText, kName, kVarchar}}};
  return std::ranges::any_of(kFamilies, [&](const auto& family) {
    return std::ranges::find(family, a) != family.end() && std::ranges::find(family, b) != family.end();
  });
}

// Whether a foreign key's column can be looked for in the key that it references.
bool has_equality(Oid referencing, Oid referenced) {
  if (types::is_enum(referencing) || types::is_enum(referenced)) {
    return referencing == referenced;
  }
  const CastEntry* cast = find_cast(referencing, referenced);
  return share_family(referencing, referenced) || (cast != nullptr && cast->context == CastContext::kImplicit);
}

Status check_key_types(const TableDescriptor& table, const TableDescriptor& referenced,
                       const ConstraintDescriptor& constraint) {
  for (std::size_t i = 0; i < constraint.columns.size(); ++i) {
    const auto& own = table.column(constraint.columns[i]);
    const auto& other = referenced.column(constraint.referenced_columns[i]);
    if (own.type.oid != other.type.oid && !has_equality(own.type.oid, other.type.oid)) {
      return Status(sql_state::kDatatypeMismatch, "foreign key constraint \"{}\" cannot be implemented",
                    constraint.name)
          .with_detail(fmt::format("Key columns \"{}\" and \"{}\" are of incompatible types: {} and {}.", own.name,
                                   other.name, types::format_type({own.type.oid}),
                                   types::format_type({other.type.oid})));
    }
  }
  return {};
}

// ON DELETE SET NULL (columns): of the foreign key's own.
Result<std::vector<AttributeNumber>> set_attributes(const TableDescriptor& table,
                                                    const std::vector<std::string>& columns,
                                                    const ConstraintDescriptor& constraint) {
  std::vector<AttributeNumber> attributes;
  for (const auto& name : columns) {
    const ColumnDescriptor* column = table.find_column(name);
    if (column == nullptr) {
      return Status(sql_state::kUndefinedColumn, "column \"{}\" referenced in foreign key constraint does not exist",
                    name);
    }
    if (std::ranges::find(constraint.columns, column->number) == constraint.columns.end()) {
      return Status(sql_state::kInvalidColumnReference,
                    "column \"{}\" referenced in ON DELETE SET action must be part of foreign key", name);
    }
    attributes.push_back(column->number);
  }
  return attributes;
}

Task<Status> add_foreign_key(TableDescriptor* table, const ast::Constraint* source, const std::string* column,
                             Definition* definition) {
  if (source->match == ast::Constraint::Match::kPartial) {
    co_return Status(sql_state::kFeatureNotSupported, "MATCH PARTIAL not yet implemented");
  }
  ConstraintDescriptor constraint;
  constraint.kind = ConstraintKind::kForeign;
  std::vector<std::string> columns = source->columns;
  if (columns.empty()) {
    columns = {*column};
  }
  for (const auto& name : columns) {
    const ColumnDescriptor* found = table->find_column(name);
    if (found == nullptr) {
      co_return Status(sql_state::kUndefinedColumn, "column \"{}\" referenced in foreign key constraint does not exist",
                       name);
    }
    constraint.columns.push_back(found->number);
  }
  const auto& target = *source->referenced_table;
  const SchemaPtr own_schema = definition->snapshot()->find_schema(table->schema);
  const bool is_self = target.name == table->name && (target.schema.empty() || target.schema == own_schema->name);
  TablePtr referenced;
  if (is_self) {
    referenced = std::make_shared<const TableDescriptor>(*table);
  } else {
    PANDO_CO_ASSIGN(referenced, definition->find_table(target));
    // Its keys must not go away, nor its rows, until this transaction ends: who deletes one has to know the constraint.
    PANDO_CO_TRY(co_await definition->catalog().lock_table(referenced->oid, txn::LockStrength::kUpdate,
                                                           txn::WaitPolicy::kBlock));
    PANDO_CO_ASSIGN(referenced, definition->find_table(target));
  }
  constraint.referenced_table = referenced->oid;
  PANDO_CO_TRY(resolve_referenced(*referenced, *source, constraint));
  constraint.name = source->name.empty() ? Definition::choose_constraint_name(
                                               *table, joined_names(*table, constraint.columns, "_"), "fkey")
                                         : source->name;
  PANDO_CO_TRY(check_key_types(*table, *referenced, constraint));
  constraint.on_update = foreign_action(source->on_update);
  constraint.on_delete = foreign_action(source->on_delete);
  PANDO_CO_ASSIGN(constraint.set_columns, set_attributes(*table, source->on_delete_columns, constraint));
  constraint.match_full = source->match == ast::Constraint::Match::kFull;
  constraint.deferrable = source->deferrable;
  constraint.initially_deferred = source->initially_deferred;
  constraint.validated = !source->not_valid;
  PANDO_CO_ASSIGN(constraint.oid, co_await definition->allocate_oid());
  table->constraints.push_back(std::move(constraint));
  co_return Status();
}

// GENERATED ALWAYS AS (expression) STORED, once all columns are known.
Status set_generated(TableDescriptor& table, const ast::Constraint& source, const std::string& column,
                     Definition& definition) {
  PANDO_ASSIGN(const AttributeNumber number, Definition::find_attribute(table, column));
  ColumnDescriptor& target = table.columns[static_cast<std::size_t>(number) - 1];
  PANDO_ASSIGN(const ExprPtr value,
               bind_table_expression(*source.expr, std::make_shared<const TableDescriptor>(table), target.type,
                                     "column generation expressions", definition.bind_options()));
  for (const AttributeNumber used : attributes_of(value)) {
    const ColumnDescriptor& other = table.column(used);
    if (other.generated || used == number) {
      return Status(sql_state::kInvalidObjectDefinition,
                    "cannot use generated column \"{}\" in column generation expression", other.name)
          .with_detail("A generated column cannot reference another generated column.");
    }
  }
  if (!is_immutable(value)) {
    return {sql_state::kInvalidObjectDefinition, "generation expression is not immutable"};
  }
  target.generated = true;
  target.default_sql = print_expr(value, definition.stored_print_options());
  return {};
}

}  // namespace

namespace {

void collect_attributes(const ExprPtr& expr, std::vector<AttributeNumber>& attributes) {
  if (const auto* column = as<ColumnExpr>(expr)) {
    const auto number = static_cast<AttributeNumber>(column->column.number());
    if (std::ranges::find(attributes, number) == attributes.end()) {
      attributes.push_back(number);
    }
  }
  for_each_child(expr, [&](const ExprPtr& child) { collect_attributes(child, attributes); });
}

}  // namespace

std::vector<AttributeNumber> attributes_of(const ExprPtr& expr) {
  std::vector<AttributeNumber> attributes;
  collect_attributes(expr, attributes);
  return attributes;
}

Task<Status> add_constraint(TableDescriptor* table, const ast::Constraint* constraint, std::string column,
                            Definition* definition) {
  if (!constraint->name.empty() && table->find_constraint(constraint->name) != nullptr) {
    co_return Status(sql_state::kDuplicateObject, "constraint \"{}\" for relation \"{}\" already exists",
                     constraint->name, table->name);
  }
  switch (constraint->kind) {
    case Kind::kPrimaryKey:
    case Kind::kUnique:
      co_return co_await add_key(table, constraint, &column, definition);
    case Kind::kCheck:
      co_return co_await add_check(table, constraint, &column, definition);
    case Kind::kForeignKey:
      co_return co_await add_foreign_key(table, constraint, &column, definition);
    case Kind::kGenerated:
      co_return set_generated(*table, *constraint, column, *definition);
    case Kind::kDeferrable:
    case Kind::kInitiallyDeferred:
      if (!table->constraints.empty()) {
        table->constraints.back().deferrable = true;
        table->constraints.back().initially_deferred = constraint->kind == Kind::kInitiallyDeferred;
      }
      co_return Status();
    case Kind::kNotDeferrable:
    case Kind::kInitiallyImmediate:
      co_return Status();
    case Kind::kExclusion:
      co_return Status(sql_state::kFeatureNotSupported, "exclusion constraints are not supported");
    default:
      co_return Status(sql_state::kFeatureNotSupported, "this kind of constraint is not supported here");
  }
}

namespace {

// "Key (a, b)=(1, 2)" of the first row that lacks its referenced row, or nothing.
std::string foreign_key_query(const TableDescriptor& table, const TableDescriptor& referenced,
                              const ConstraintDescriptor& constraint, Definition& definition) {
  std::string shown, on, missing, present;
  for (std::size_t i = 0; i < constraint.columns.size(); ++i) {
    const std::string own = "fk." + quote_identifier(table.column(constraint.columns[i]).name);
    const std::string other = "pk." + quote_identifier(referenced.column(constraint.referenced_columns[i]).name);
    shown += fmt::format("{}{}::text", i == 0 ? "" : ", ", own);
    on += fmt::format("{}{} = {}", i == 0 ? "" : " AND ", other, own);
    present += fmt::format("{}{} IS NOT NULL", i == 0 ? "" : constraint.match_full ? " OR " : " AND ", own);
    if (i == 0) {
      missing = other + " IS NULL";
    }
  }
  return fmt::format("SELECT {} FROM ONLY {} fk LEFT OUTER JOIN ONLY {} pk ON ({}) WHERE {} AND ({}) LIMIT 1", shown,
                     definition.qualified_name(table), definition.qualified_name(referenced), on, missing, present);
}

Task<Status> validate_foreign_key(TablePtr table, const ConstraintDescriptor* constraint, Definition* definition) {
  const TablePtr referenced = definition->snapshot()->find_table(constraint->referenced_table);
  PANDO_CO_ASSIGN(const auto rows, co_await definition->context().queries.rows(
                                       foreign_key_query(*table, *referenced, *constraint, *definition)));
  if (rows.empty()) {
    co_return Status();
  }
  const bool mixes_nulls = constraint->match_full && std::ranges::any_of(rows[0], &types::Value::is_null);
  std::string values;
  for (const auto& value : rows[0]) {
    values += fmt::format("{}{}", values.empty() ? "" : ", ", value.is_null() ? ByteView("null") : value.bytes());
  }
  const SchemaPtr schema = definition->snapshot()->find_schema(table->schema);
  co_return Status(sql_state::kForeignKeyViolation,
                   "insert or update on table \"{}\" violates foreign key constraint \"{}\"", table->name,
                   constraint->name)
      .with_detail(mixes_nulls ? "MATCH FULL does not allow mixing of null and nonnull key values."
                               : fmt::format("Key ({})=({}) is not present in table \"{}\".",
                                             joined_names(*table, constraint->columns, ", "), values, referenced->name))
      .with_constraint(schema->name, table->name, constraint->name);
}

}  // namespace

Status check_retyped_keys(const TableDescriptor& before, const TableDescriptor& altered, Definition& definition) {
  const bool same = std::ranges::all_of(before.columns, [&](const ColumnDescriptor& column) {
    return altered.columns[static_cast<std::size_t>(column.number) - 1].type.oid == column.type.oid;
  });
  if (same) {
    return {};
  }
  for (const ConstraintDescriptor& constraint : altered.constraints) {
    const TablePtr referenced =
        constraint.kind == ConstraintKind::kForeign && constraint.referenced_table != altered.oid
            ? definition.snapshot()->find_table(constraint.referenced_table)
            : nullptr;
    if (constraint.kind == ConstraintKind::kForeign) {
      PANDO_TRY(check_key_types(altered, referenced == nullptr ? altered : *referenced, constraint));
    }
  }
  for (const TablePtr& table : definition.snapshot()->referencing_tables(altered.oid)) {
    for (const ConstraintDescriptor& constraint : table->constraints) {
      if (table->oid != altered.oid && constraint.kind == ConstraintKind::kForeign &&
          constraint.referenced_table == altered.oid) {
        PANDO_TRY(check_key_types(*table, altered, constraint));
      }
    }
  }
  return {};
}

Task<Status> validate_constraint(TablePtr table, std::string name, Definition* definition) {
  const ConstraintDescriptor* constraint = table->find_constraint(name);
  PANDO_ASSERT(constraint != nullptr, "validating a constraint that the table does not have");
  if (constraint->kind == ConstraintKind::kForeign) {
    co_return co_await validate_foreign_key(table, constraint, definition);
  }
  if (constraint->kind != ConstraintKind::kCheck) {
    co_return Status();
  }
  PANDO_CO_ASSIGN(const auto rows, co_await definition->context().queries.rows(
                                       fmt::format("SELECT 1 FROM ONLY {} WHERE NOT ({}) LIMIT 1",
                                                   definition->qualified_name(*table), constraint->check_sql)));
  if (rows.empty()) {
    co_return Status();
  }
  const SchemaPtr schema = definition->snapshot()->find_schema(table->schema);
  co_return Status(sql_state::kCheckViolation, "check constraint \"{}\" of relation \"{}\" is violated by some row",
                   name, table->name)
      .with_constraint(schema->name, table->name, name);
}

}  // namespace pando::sql::ddl
