#include <algorithm>

#include "sql/ddl/definition.h"
#include "sql/ddl/stored_text.h"

namespace pando::sql::ddl {
namespace {

Task<Status> rename_relation(TablePtr table, std::string new_name, Definition* definition) {
  StoredText stored = read_stored(*definition);
  const SchemaPtr schema = stored.before->find_schema(table->schema);
  PANDO_CO_TRY(co_await definition->claim_relation_name(schema, new_name));
  TableDescriptor changed = *table;
  changed.name = new_name;
  PANDO_CO_TRY(co_await definition->put_table(std::move(changed)));
  co_return co_await renew_stored(std::move(stored), definition);
}

Task<Status> rename_index(std::string schema_name, std::string name, std::string new_name, Definition* definition) {
  const auto& path = definition->context().bind.search_path;
  const std::vector<std::string> schemas = schema_name.empty() ? path : std::vector<std::string>{schema_name};
  for (const auto& candidate : schemas) {
    const SchemaPtr schema = definition->snapshot()->find_schema(candidate);
    const TablePtr found = schema ? definition->snapshot()->find_index_table(schema->oid, name) : nullptr;
    if (!found) {
      continue;
    }
    PANDO_CO_ASSIGN(const TablePtr table, co_await definition->lock_for_change(found->oid));
    PANDO_CO_TRY(co_await definition->claim_relation_name(schema, new_name));
    TableDescriptor changed = *table;
    for (auto& index : changed.indexes) {
      if (index.name == name) {
        index.name = new_name;
      }
    }
    for (auto& constraint : changed.constraints) {
      const bool is_its_key = constraint.name == name && constraint.kind != ConstraintKind::kCheck &&
                              constraint.kind != ConstraintKind::kForeign;
      if (is_its_key) {
        constraint.name = new_name;
      }
    }
    co_return co_await definition->put_table(std::move(changed));
  }
  co_return Status(sql_state::kUndefinedTable, "relation \"{}\" does not exist", name);
}

// Stored expressions name columns: print them again with the new name.
Status rename_in_expressions(TableDescriptor& table, const TablePtr& before, AttributeNumber attribute,
                             const std::string& new_name, Definition& definition) {
  PrintOptions options = definition.stored_print_options();
  options.column = [&](const ColumnExpr& column) {
    const auto number = static_cast<AttributeNumber>(column.column.number());
    return quote_identifier(number == attribute ? new_name : before->column(number).name);
  };
  const auto renew = [&](std::string& sql, types::Type type) -> Status {
    if (sql.empty()) {
      return {};
    }
    PANDO_ASSIGN(const ast::ExprPtr parsed, definition.bind_options().parse_expression(sql));
    PANDO_ASSIGN(const ExprPtr bound,
                 bind_table_expression(*parsed, before, type, "expressions", definition.bind_options()));
    sql = print_expr(bound, options);
    return {};
  };
  for (auto& constraint : table.constraints) {
    PANDO_TRY(renew(constraint.check_sql, {types::oid::kBool}));
  }
  for (auto& index : table.indexes) {
    for (auto& column : index.columns) {
      PANDO_TRY(renew(column.expression_sql, types::Type()));
    }
    PANDO_TRY(renew(index.predicate_sql, {types::oid::kBool}));
  }
  for (auto& column : table.columns) {
    if (column.generated) {
      PANDO_TRY(renew(column.default_sql, column.type));
    }
  }
  return {};
}

Task<Status> rename_column(TablePtr table, std::string name, std::string new_name, Definition* definition) {
  PANDO_CO_ASSIGN(table, co_await definition->lock_for_change(table->oid));
  const ColumnDescriptor* found = table->find_column(name);
  if (found == nullptr) {
    co_return Status(sql_state::kUndefinedColumn, "column \"{}\" does not exist", name);
  }
  if (table->find_column(new_name) != nullptr) {
    co_return Status(sql_state::kDuplicateColumn, "column \"{}\" of relation \"{}\" already exists", new_name,
                     table->name);
  }
  StoredText stored = read_stored(*definition);
  TableDescriptor changed = *table;
  const AttributeNumber attribute = found->number;
  changed.columns[static_cast<std::size_t>(attribute) - 1].name = new_name;
  if (table->kind == RelationKind::kTable) {
    PANDO_CO_TRY(rename_in_expressions(changed, table, attribute, new_name, *definition));
  }
  PANDO_CO_TRY(co_await definition->put_table(std::move(changed)));
  co_return co_await renew_stored(std::move(stored), definition);
}

Task<Status> rename_constraint(TablePtr table, std::string name, std::string new_name, Definition* definition) {
  PANDO_CO_ASSIGN(table, co_await definition->lock_for_change(table->oid));
  TableDescriptor changed = *table;
  const auto found = std::ranges::find(changed.constraints, name, &ConstraintDescriptor::name);
  if (found == changed.constraints.end()) {
    co_return Status(sql_state::kUndefinedObject, "constraint \"{}\" for table \"{}\" does not exist", name,
                     table->name);
  }
  if (changed.find_constraint(new_name) != nullptr) {
    co_return Status(sql_state::kDuplicateObject, "constraint \"{}\" for relation \"{}\" already exists", new_name,
                     table->name);
  }
  found->name = new_name;
  const Oid index = found->kind == ConstraintKind::kForeign ? 0 : found->index;
  for (auto& candidate : changed.indexes) {
    if (candidate.oid == index && index != 0) {
      const SchemaPtr schema = definition->snapshot()->find_schema(table->schema);
      PANDO_CO_TRY(co_await definition->claim_relation_name(schema, new_name));
      candidate.name = new_name;
    }
  }
  co_return co_await definition->put_table(std::move(changed));
}

Task<Status> rename_schema(std::string name, std::string new_name, Definition* definition) {
  const SchemaPtr schema = definition->snapshot()->find_schema(name);
  if (!schema) {
    co_return Status(sql_state::kInvalidSchemaName, "schema \"{}\" does not exist", name);
  }
  PANDO_CO_TRY(co_await definition->catalog().lock_name(0, new_name));
  if (definition->snapshot()->find_schema(new_name)) {
    co_return Status(sql_state::kDuplicateSchema, "schema \"{}\" already exists", new_name);
  }
  StoredText stored = read_stored(*definition);
  catalog::SchemaDescriptor changed = *schema;
  changed.name = new_name;
  PANDO_CO_TRY(
      co_await definition->catalog().put(std::make_shared<const catalog::SchemaDescriptor>(std::move(changed))));
  co_return co_await renew_stored(std::move(stored), definition);
}

Task<Status> rename_sequence(ast::RelationName name, std::string new_name, Definition* definition) {
  PANDO_CO_ASSIGN(const SequencePtr sequence, definition->find_sequence(name));
  const SchemaPtr schema = definition->snapshot()->find_schema(sequence->schema);
  PANDO_CO_TRY(co_await definition->claim_relation_name(schema, new_name));
  StoredText stored = read_stored(*definition);
  SequenceDescriptor changed = *sequence;
  changed.name = new_name;
  PANDO_CO_TRY(co_await definition->catalog().put(std::make_shared<const SequenceDescriptor>(std::move(changed))));
  co_return co_await renew_stored(std::move(stored), definition);
}

Task<Status> rename_any(const ast::Rename* statement, Definition* definition) {
  using Kind = ast::ObjectKind;
  switch (statement->kind) {
    case Kind::kRole: {
      catalog::RoleDescriptor changed;
      PANDO_CO_TRY(rename_role(*statement, *definition, changed));
      co_return co_await definition->catalog().put(std::make_shared<const catalog::RoleDescriptor>(std::move(changed)));
    }
    case Kind::kType:
    case Kind::kDomain:
    case Kind::kDomainConstraint:
      co_return co_await rename_type(statement, definition);
    case Kind::kSchema:
      co_return co_await rename_schema(statement->object.back(), statement->new_name, definition);
    case Kind::kSequence:
      co_return co_await rename_sequence(*statement->relation, statement->new_name, definition);
    case Kind::kIndex:
      co_return co_await rename_index(statement->relation->schema, statement->relation->name, statement->new_name,
                                      definition);
    case Kind::kTable:
    case Kind::kView:
    case Kind::kMaterializedView:
    case Kind::kColumn:
    case Kind::kTableConstraint:
      break;
    default:
      co_return Status(sql_state::kFeatureNotSupported, "ALTER {} RENAME is not supported", statement->kind_name);
  }
  auto found = definition->find_relation(*statement->relation);
  const bool is_table_kind = statement->kind == Kind::kTable;
  if (!found.ok() && is_table_kind && definition->find_sequence(*statement->relation).ok()) {
    co_return co_await rename_sequence(*statement->relation, statement->new_name, definition);
  }
  if (!found.ok() && is_table_kind && found.status().is(sql_state::kUndefinedTable)) {
    co_return co_await rename_index(statement->relation->schema, statement->relation->name, statement->new_name,
                                    definition);
  }
  PANDO_CO_ASSIGN(const TablePtr table, std::move(found));
  if (table->oid < types::oid::kFirstUser) {
    co_return Status(sql_state::kInsufficientPrivilege, "permission denied: \"{}\" is a system catalog", table->name);
  }
  if (statement->kind == Kind::kColumn) {
    co_return co_await rename_column(table, statement->member, statement->new_name, definition);
  }
  if (statement->kind == Kind::kTableConstraint) {
    co_return co_await rename_constraint(table, statement->member, statement->new_name, definition);
  }
  PANDO_CO_ASSIGN(const TablePtr locked,
                  co_await definition->lock_named(*statement->relation, &Definition::find_relation));
  co_return co_await rename_relation(locked, statement->new_name, definition);
}

std::string alter_tag(ast::ObjectKind kind, const std::string& kind_name) {
  if (kind == ast::ObjectKind::kDomainConstraint) {
    return "ALTER DOMAIN";
  }
  const bool is_part = kind == ast::ObjectKind::kColumn || kind == ast::ObjectKind::kTableConstraint;
  return "ALTER " + (is_part || kind_name.empty() ? std::string("TABLE") : kind_name);
}

}  // namespace

Task<Result<std::string>> rename_object(const ast::Rename* statement, Definition* definition) {
  if (statement->kind == ast::ObjectKind::kColumn && statement->relation_kind == ast::ObjectKind::kType) {
    PANDO_CO_TRY(co_await rename_attribute(statement, definition));
    co_return "ALTER TYPE";
  }
  auto status = co_await rename_any(statement, definition);
  if (!status.ok()) {
    if (statement->if_exists && status.is(sql_state::kUndefinedTable)) {
      definition->notice(std::string(status.message()) + ", skipping");
    } else {
      co_return status;
    }
  }
  if (statement->kind == ast::ObjectKind::kColumn && statement->relation_kind == ast::ObjectKind::kView) {
    co_return "ALTER VIEW";
  }
  co_return alter_tag(statement->kind, statement->kind_name);
}

namespace {

Task<Status> move_sequence(SequencePtr sequence, SchemaPtr schema, Definition* definition) {
  if (sequence->schema == schema->oid) {
    co_return Status();
  }
  PANDO_CO_TRY(co_await definition->claim_relation_name(schema, sequence->name));
  SequenceDescriptor changed = *sequence;
  changed.schema = schema->oid;
  co_return co_await definition->catalog().put(std::make_shared<const SequenceDescriptor>(std::move(changed)));
}

}  // namespace

Task<Result<std::string>> alter_schema(const ast::AlterSchema* statement, Definition* definition) {
  const std::string tag = alter_tag(statement->kind, statement->kind_name);
  if (statement->kind == ast::ObjectKind::kType || statement->kind == ast::ObjectKind::kDomain) {
    PANDO_CO_ASSIGN(const SchemaPtr schema, definition->creation_schema(statement->new_schema));
    PANDO_CO_ASSIGN(const catalog::TypePtr type, definition->find_user_type(statement->object));
    if (definition->snapshot()->find_type(schema->oid, type->name) != nullptr) {
      co_return Status(sql_state::kDuplicateObject, "type \"{}\" already exists in schema \"{}\"", type->name,
                       schema->name);
    }
    catalog::TypeDescriptor changed = *type;
    changed.schema = schema->oid;
    PANDO_CO_TRY(
        co_await definition->catalog().put(std::make_shared<const catalog::TypeDescriptor>(std::move(changed))));
    co_return tag;
  }
  if (!statement->relation) {
    co_return Status(sql_state::kFeatureNotSupported, "ALTER {} SET SCHEMA is not supported", statement->kind_name);
  }
  PANDO_CO_ASSIGN(const SchemaPtr schema, definition->creation_schema(statement->new_schema));
  if (definition->find_sequence(*statement->relation).ok()) {
    PANDO_CO_ASSIGN(const SequencePtr sequence, definition->find_sequence(*statement->relation));
    StoredText stored = read_stored(*definition);
    PANDO_CO_TRY(co_await move_sequence(sequence, schema, definition));
    PANDO_CO_TRY(co_await renew_stored(std::move(stored), definition));
    co_return tag;
  }
  auto found = definition->find_relation(*statement->relation);
  if (!found.ok() && statement->if_exists) {
    definition->notice(std::string(found.status().message()) + ", skipping");
    co_return tag;
  }
  PANDO_CO_ASSIGN(const TablePtr relation, std::move(found));
  PANDO_CO_ASSIGN(const TablePtr table, co_await definition->lock_for_change(relation->oid));
  StoredText stored = read_stored(*definition);
  PANDO_CO_TRY(co_await definition->claim_relation_name(schema, table->name));
  TableDescriptor changed = *table;
  changed.schema = schema->oid;
  PANDO_CO_TRY(co_await definition->put_table(std::move(changed)));
  for (const auto& [oid, sequence] : stored.before->sequences()) {
    if (sequence->owner_table == table->oid) {
      PANDO_CO_TRY(co_await move_sequence(sequence, schema, definition));
    }
  }
  PANDO_CO_TRY(co_await renew_stored(std::move(stored), definition));
  co_return tag;
}

Task<Result<std::string>> alter_owner(const ast::AlterOwner* statement, Definition* definition) {
  Oid owner = statement->owner.kind == ast::RoleName::Kind::kName ? 0 : definition->current_owner();
  for (const auto& [oid, role] : definition->snapshot()->roles()) {
    owner = owner == 0 && role->name == statement->owner.name ? oid : owner;
  }
  if (owner == 0) {
    co_return Status(sql_state::kUndefinedObject, "role \"{}\" does not exist", statement->owner.name);
  }
  const std::string tag = "ALTER " + statement->kind_name;
  if (statement->kind == ast::ObjectKind::kSchema) {
    const SchemaPtr schema = definition->snapshot()->find_schema(statement->object.back());
    if (!schema) {
      co_return Status(sql_state::kInvalidSchemaName, "schema \"{}\" does not exist", statement->object.back());
    }
    catalog::SchemaDescriptor changed = *schema;
    changed.owner = owner;
    PANDO_CO_TRY(
        co_await definition->catalog().put(std::make_shared<const catalog::SchemaDescriptor>(std::move(changed))));
    co_return tag;
  }
  if (statement->kind == ast::ObjectKind::kType || statement->kind == ast::ObjectKind::kDomain) {
    PANDO_CO_ASSIGN(const catalog::TypePtr type, definition->find_user_type(statement->object));
    catalog::TypeDescriptor changed = *type;
    changed.owner = owner;
    PANDO_CO_TRY(
        co_await definition->catalog().put(std::make_shared<const catalog::TypeDescriptor>(std::move(changed))));
    co_return tag;
  }
  if (!statement->relation) {
    co_return Status(sql_state::kFeatureNotSupported, "ALTER {} OWNER TO is not supported", statement->kind_name);
  }
  if (definition->find_sequence(*statement->relation).ok()) {
    PANDO_CO_ASSIGN(const SequencePtr sequence, definition->find_sequence(*statement->relation));
    SequenceDescriptor changed = *sequence;
    changed.owner = owner;
    PANDO_CO_TRY(co_await definition->catalog().put(std::make_shared<const SequenceDescriptor>(std::move(changed))));
    co_return tag;
  }
  PANDO_CO_ASSIGN(const TablePtr relation, definition->find_relation(*statement->relation));
  PANDO_CO_ASSIGN(const TablePtr table, co_await definition->lock_for_change(relation->oid));
  TableDescriptor changed = *table;
  changed.owner = owner;
  PANDO_CO_TRY(co_await definition->put_table(std::move(changed)));
  co_return tag;
}

namespace {

Task<Status> comment_on_relation(const ast::Comment* statement, std::string text, Definition* definition) {
  using Kind = ast::ObjectKind;
  const bool has_member = statement->kind == Kind::kColumn || statement->kind == Kind::kTableConstraint;
  ast::QualifiedName name = statement->object;
  std::string member;
  if (has_member) {
    member = name.back();
    name.pop_back();
  }
  PANDO_CO_ASSIGN(const ast::RelationName relation, Definition::relation_name(name));
  if (statement->kind == Kind::kSequence) {
    PANDO_CO_ASSIGN(const SequencePtr sequence, definition->find_sequence(relation));
    SequenceDescriptor changed = *sequence;
    changed.comment = std::move(text);
    co_return co_await definition->catalog().put(std::make_shared<const SequenceDescriptor>(std::move(changed)));
  }
  TablePtr found;
  if (statement->kind == Kind::kIndex) {
    for (const auto& schema_name : definition->context().bind.search_path) {
      const SchemaPtr schema =
          definition->snapshot()->find_schema(relation.schema.empty() ? schema_name : relation.schema);
      found = schema && !found ? definition->snapshot()->find_index_table(schema->oid, relation.name) : found;
    }
    if (!found) {
      co_return Status(sql_state::kUndefinedTable, "relation \"{}\" does not exist", relation.name);
    }
  } else {
    PANDO_CO_ASSIGN(found, definition->find_relation(relation));
  }
  PANDO_CO_ASSIGN(const TablePtr table, co_await definition->lock_for_change(found->oid));
  TableDescriptor changed = *table;
  if (statement->kind == Kind::kColumn) {
    PANDO_CO_ASSIGN(const AttributeNumber attribute, Definition::find_attribute(changed, member));
    changed.columns[static_cast<std::size_t>(attribute) - 1].comment = std::move(text);
  } else if (statement->kind == Kind::kTableConstraint) {
    const auto constraint = std::ranges::find(changed.constraints, member, &ConstraintDescriptor::name);
    if (constraint == changed.constraints.end()) {
      co_return Status(sql_state::kUndefinedObject, "constraint \"{}\" for table \"{}\" does not exist", member,
                       changed.name);
    }
    constraint->comment = std::move(text);
  } else if (statement->kind == Kind::kIndex) {
    std::ranges::find(changed.indexes, relation.name, &IndexDescriptor::name)->comment = std::move(text);
  } else {
    changed.comment = std::move(text);
  }
  co_return co_await definition->put_table(std::move(changed));
}

}  // namespace

Task<Result<std::string>> comment_on(const ast::Comment* statement, Definition* definition) {
  using Kind = ast::ObjectKind;
  std::string text = statement->text.value_or("");
  switch (statement->kind) {
    case Kind::kSchema: {
      const SchemaPtr schema = definition->snapshot()->find_schema(statement->object.back());
      if (!schema) {
        co_return Status(sql_state::kInvalidSchemaName, "schema \"{}\" does not exist", statement->object.back());
      }
      catalog::SchemaDescriptor changed = *schema;
      changed.comment = std::move(text);
      PANDO_CO_TRY(
          co_await definition->catalog().put(std::make_shared<const catalog::SchemaDescriptor>(std::move(changed))));
      break;
    }
    case Kind::kType:
    case Kind::kDomain: {
      PANDO_CO_ASSIGN(const catalog::TypePtr type, definition->find_user_type(statement->object));
      catalog::TypeDescriptor changed = *type;
      changed.comment = std::move(text);
      PANDO_CO_TRY(
          co_await definition->catalog().put(std::make_shared<const catalog::TypeDescriptor>(std::move(changed))));
      break;
    }
    case Kind::kExtension:
      // plpgsql's, which dumps set.
      break;
    case Kind::kTable:
    case Kind::kView:
    case Kind::kMaterializedView:
    case Kind::kIndex:
    case Kind::kSequence:
    case Kind::kColumn:
    case Kind::kTableConstraint:
      PANDO_CO_TRY(co_await comment_on_relation(statement, std::move(text), definition));
      break;
    default:
      co_return Status(sql_state::kFeatureNotSupported, "COMMENT ON {} is not supported", statement->kind_name);
  }
  co_return std::string("COMMENT");
}

}  // namespace pando::sql::ddl
