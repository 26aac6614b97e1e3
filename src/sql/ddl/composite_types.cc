// Composite types: CREATE TYPE ... AS (...), ALTER TYPE ... ATTRIBUTE.

#include <algorithm>
#include <set>

#include "sql/ddl/definition.h"

namespace pando::sql::ddl {

using catalog::TypeDescriptor;
using catalog::TypePtr;
using catalog::UserTypeKind;
using Command = ast::AlterTable::Command;

namespace {

auto find_attribute(auto& type, const std::string& name) {
  return std::ranges::find(type.attributes, name, &TypeDescriptor::Attribute::name);
}

Status missing_attribute(const TypeDescriptor& type, const std::string& name) {
  return {sql_state::kUndefinedColumn, "column \"{}\" of relation \"{}\" does not exist", name, type.name};
}

Result<TypeDescriptor::Attribute> bind_attribute(const std::string& name, const ast::TypeName& type,
                                                 Definition& definition) {
  TypeDescriptor::Attribute attribute{.name = name};
  auto bound = bind_type(type, definition.bind_options());
  if (!bound.ok()) {
    // As in PostgreSQL, which does not say where.
    return std::move(bound).status().with_position(0);
  }
  attribute.type = *bound;
  const types::TypeInfo* info = types::find_type(attribute.type.oid);
  if (info == nullptr || info->kind == 'p') {
    return Status(sql_state::kInvalidTableDefinition, "column \"{}\" has pseudo-type {}", name,
                  types::format_type(attribute.type));
  }
  const TypePtr domain = bind_domain(type, definition.bind_options());
  attribute.domain = domain == nullptr ? 0 : domain->oid;
  return attribute;
}

// Whether a value of `type` may hold one of `composite`. `seen` are those that may not.
bool may_hold(const types::UserTypes& known, Oid type, Oid composite, std::set<Oid>& seen) {
  if (types::is_array(type)) {
    return may_hold(known, types::element_of(type), composite, seen);
  }
  const types::CompositeType* fields = known.find_composite(type);
  if (type == composite || fields == nullptr || !seen.insert(type).second) {
    return type == composite;
  }
  return std::ranges::any_of(
      fields->attributes, [&](const auto& attribute) { return may_hold(known, attribute.type.oid, composite, seen); });
}

// For what is to be a part of `composite`.
Status check_not_within(Oid composite, std::string_view name, types::Type type, Definition& definition) {
  std::set<Oid> seen;
  return may_hold(*definition.snapshot()->user_types(), type.oid, composite, seen)
             ? Status(sql_state::kInvalidTableDefinition, "composite type {} cannot be made a member of itself", name)
             : Status();
}

Status add_attribute(TypeDescriptor& type, TypeDescriptor::Attribute attribute, bool is_new, Definition& definition) {
  if (find_attribute(type, attribute.name) != type.attributes.end()) {
    return is_new ? Status(sql_state::kDuplicateColumn, "column \"{}\" specified more than once", attribute.name)
                  : Status(sql_state::kDuplicateColumn, "column \"{}\" of relation \"{}\" already exists",
                           attribute.name, type.name);
  }
  if (type.attributes.size() >= kColumnsMax) {
    return {sql_state::kTooManyColumns, "tables can have at most {} columns", kColumnsMax};
  }
  PANDO_TRY(check_not_within(type.oid, type.name, attribute.type, definition));
  type.attributes.push_back(std::move(attribute));
  return {};
}

Task<Status> put(TypeDescriptor type, Definition* definition) {
  co_return co_await definition->catalog().put(std::make_shared<const TypeDescriptor>(std::move(type)));
}

// A type by a name that may be a table's: then it is not one to alter.
Result<TypePtr> find_composite(const ast::RelationName& name, Definition& definition) {
  ast::QualifiedName qualified;
  if (!name.schema.empty()) {
    qualified.push_back(name.schema);
  }
  qualified.push_back(name.name);
  PANDO_ASSIGN(TypePtr found, definition.find_user_type(qualified));
  if (found->kind != UserTypeKind::kComposite) {
    return Status(sql_state::kWrongObjectType, "type {} is not a composite type", definition.shown_name(*found));
  }
  return found;
}

Status change_attributes(TypeDescriptor& type, const Command& command, Definition& definition) {
  const auto named = find_attribute(type, command.name);
  switch (command.kind) {
    case Command::Kind::kAddColumn: {
      PANDO_ASSIGN(TypeDescriptor::Attribute attribute,
                   bind_attribute(command.column->name, command.column->type, definition));
      return add_attribute(type, std::move(attribute), false, definition);
    }
    case Command::Kind::kDropColumn:
      if (named == type.attributes.end() && command.missing_ok) {
        definition.notice(
            fmt::format("column \"{}\" of relation \"{}\" does not exist, skipping", command.name, type.name));
        return {};
      }
      if (named == type.attributes.end()) {
        return missing_attribute(type, command.name);
      }
      type.attributes.erase(named);
      return {};
    case Command::Kind::kColumnType: {
      if (named == type.attributes.end()) {
        return missing_attribute(type, command.name);
      }
      PANDO_ASSIGN(*named, bind_attribute(command.name, command.column->type, definition));
      return check_not_within(type.oid, type.name, named->type, definition);
    }
    default:
      return {sql_state::kFeatureNotSupported, "this form of ALTER TYPE is not supported"};
  }
}

}  // namespace

Status check_row_type(const TableDescriptor& table, Definition& definition) {
  for (const ColumnDescriptor& column : table.columns) {
    if (!column.dropped) {
      PANDO_TRY(check_not_within(catalog::row_type_of(table), table.name, column.type, definition));
    }
  }
  return {};
}

Status check_unused(std::string_view word, std::string_view name, Oid composite, Definition& definition) {
  const std::vector<TypeUse> uses = uses_of(composite, types::array_of(composite), definition);
  for (const TypeUse& use : uses) {
    if (use.table == nullptr) {
      PANDO_TRY(check_unused(word, name, use.type->oid, definition));
    }
  }
  for (const TypeUse& use : uses) {
    if (use.table != nullptr && has_rows(*use.table)) {
      return Status(sql_state::kFeatureNotSupported, "cannot alter {} \"{}\" because column \"{}.{}\" uses it", word,
                    name, use.table->name, use.column);
    }
  }
  return {};
}

Task<Result<std::string>> create_composite(const ast::CreateComposite* statement, Definition* definition) {
  PANDO_CO_ASSIGN(TypeDescriptor type, co_await new_type(&statement->name, UserTypeKind::kComposite, definition));
  for (const ast::ColumnDefinitionItem& item : statement->attributes) {
    PANDO_CO_ASSIGN(TypeDescriptor::Attribute attribute, bind_attribute(item.name, item.type, *definition));
    PANDO_CO_TRY(add_attribute(type, std::move(attribute), true, *definition));
  }
  PANDO_CO_TRY(co_await put(std::move(type), definition));
  co_return std::string("CREATE TYPE");
}

Task<Result<std::string>> alter_composite(const ast::AlterTable* statement, Definition* definition) {
  PANDO_CO_ASSIGN(TypePtr found, find_composite(statement->name, *definition));
  PANDO_CO_TRY(co_await definition->catalog().lock_name(found->schema, found->name));
  PANDO_CO_ASSIGN(found, find_composite(statement->name, *definition));
  PANDO_CO_TRY(check_unused("type", found->name, found->oid, *definition));
  TypeDescriptor type = *found;
  for (const Command& command : statement->commands) {
    PANDO_CO_TRY(change_attributes(type, command, *definition));
  }
  PANDO_CO_TRY(co_await put(std::move(type), definition));
  co_return std::string("ALTER TYPE");
}

Task<Status> rename_attribute(const ast::Rename* statement, Definition* definition) {
  PANDO_CO_ASSIGN(const TypePtr found, find_composite(*statement->relation, *definition));
  TypeDescriptor type = *found;
  if (find_attribute(type, statement->new_name) != type.attributes.end()) {
    co_return Status(sql_state::kDuplicateColumn, "column \"{}\" of relation \"{}\" already exists",
                     statement->new_name, type.name);
  }
  const auto named = find_attribute(type, statement->member);
  if (named == type.attributes.end()) {
    co_return Status(sql_state::kUndefinedColumn, "column \"{}\" does not exist", statement->member);
  }
  named->name = statement->new_name;
  co_return co_await put(std::move(type), definition);
}

}  // namespace pando::sql::ddl
