#include <algorithm>
#include <array>

#include "sql/ddl/definition.h"

namespace pando::sql::ddl {
namespace {

using catalog::RoleDescriptor;
using catalog::RolePtr;

RolePtr find_role(Definition& definition, std::string_view name) {
  for (const auto& [oid, role] : definition.snapshot()->roles()) {
    if (role->name == name) {
      return role;
    }
  }
  return nullptr;
}

Status missing_role(std::string_view name) {
  return Status(sql_state::kUndefinedObject, "role \"{}\" does not exist", name);
}

// The role that a statement names, CURRENT_USER and its kin too.
Result<RolePtr> resolve_role(const ast::RoleName& name, Definition& definition) {
  using Kind = ast::RoleName::Kind;
  if (name.kind == Kind::kPublic) {
    return Status(sql_state::kReservedName, "role name \"public\" is reserved");
  }
  const std::string& shown = name.kind == Kind::kName ? name.name : definition.context().bind.user;
  if (RolePtr role = find_role(definition, shown)) {
    return role;
  }
  return missing_role(shown);
}

// What only matters once there is authentication is taken and not kept; docs/limits.md says so.
Status apply_options(RoleDescriptor& role, const ast::OptionList& options) {
  constexpr std::array<std::string_view, 15> kNotKept = {"password",          "inherit",
                                                         "createrole",        "createdb",
                                                         "isreplication",     "connectionlimit",
                                                         "validUntil",        "bypassrls",
                                                         "addroleto",         "rolemembers",
                                                         "adminmembers",      "sysid",
                                                         "encryptedPassword", "unencryptedPassword",
                                                         "validuntil"};
  for (const ast::Option& option : options) {
    const auto* flag = std::get_if<bool>(&option.value);
    const auto* number = std::get_if<int64_t>(&option.value);
    const bool on = flag != nullptr ? *flag : number != nullptr && *number != 0;
    if (option.name == "superuser") {
      role.superuser = on;
    } else if (option.name == "canlogin") {
      role.can_login = on;
    } else if (std::ranges::find(kNotKept, option.name) == kNotKept.end()) {
      return Status(sql_state::kSyntaxError, "unrecognized role option \"{}\"", option.name);
    }
  }
  return {};
}

// "owner of table t" for each object that belongs to the role.
std::string objects_of(Oid role, Definition& definition) {
  std::string detail;
  const auto add = [&](const std::string& what) { detail += (detail.empty() ? "owner of " : "\nowner of ") + what; };
  const auto view = definition.snapshot();
  for (const auto& [oid, schema] : view->schemas()) {
    if (schema->owner == role) {
      add("schema " + schema->name);
    }
  }
  for (const auto& [oid, table] : view->tables()) {
    if (table->owner == role) {
      add(relation_word(*table) + " " + table->name);
    }
  }
  for (const auto& [oid, sequence] : view->sequences()) {
    if (sequence->owner == role) {
      add("sequence " + sequence->name);
    }
  }
  return detail;
}

}  // namespace

Oid Definition::current_owner() {
  const RolePtr role = find_role(*this, context_.bind.user);
  return role == nullptr ? catalog::kSuperuserRole : role->oid;
}

Task<Result<std::string>> create_role(const ast::CreateRole* statement, Definition* definition) {
  if (statement->name == "public" || statement->name == "none") {
    co_return Status(sql_state::kReservedName, "role name \"{}\" is reserved", statement->name);
  }
  if (statement->name.starts_with("pg_")) {
    co_return Status(sql_state::kReservedName, "role name \"{}\" is reserved", statement->name)
        .with_detail("Role names starting with \"pg_\" are reserved.");
  }
  // Roles are in no schema; their names are their own space.
  PANDO_CO_TRY(co_await definition->catalog().lock_name(catalog::kSuperuserRole, statement->name));
  if (find_role(*definition, statement->name) != nullptr) {
    co_return Status(sql_state::kDuplicateObject, "role \"{}\" already exists", statement->name);
  }
  RoleDescriptor role;
  PANDO_CO_ASSIGN(role.oid, co_await definition->allocate_oid());
  role.name = statement->name;
  role.can_login = statement->kind == ast::CreateRole::Kind::kUser;
  PANDO_CO_TRY(apply_options(role, statement->options));
  PANDO_CO_TRY(co_await definition->catalog().put(std::make_shared<const RoleDescriptor>(std::move(role))));
  co_return std::string("CREATE ROLE");
}

Task<Result<std::string>> alter_role(const ast::AlterRole* statement, Definition* definition) {
  PANDO_CO_ASSIGN(const RolePtr role, resolve_role(statement->role, *definition));
  RoleDescriptor changed = *role;
  PANDO_CO_TRY(apply_options(changed, statement->options));
  PANDO_CO_TRY(co_await definition->catalog().put(std::make_shared<const RoleDescriptor>(std::move(changed))));
  co_return std::string("ALTER ROLE");
}

Task<Result<std::string>> drop_role(const ast::DropRole* statement, Definition* definition) {
  for (const ast::RoleName& name : statement->roles) {
    auto found = resolve_role(name, *definition);
    if (!found.ok()) {
      if (!statement->if_exists || !found.status().is(sql_state::kUndefinedObject)) {
        co_return std::move(found).status();
      }
      definition->notice(std::string(found.status().message()) + ", skipping");
      continue;
    }
    const RolePtr role = *found;
    if (role->name == definition->context().bind.user) {
      co_return Status(sql_state::kObjectInUse, "current user cannot be dropped");
    }
    if (const std::string owned = objects_of(role->oid, *definition); !owned.empty()) {
      co_return Status(sql_state::kDependentObjectsStillExist,
                       "role \"{}\" cannot be dropped because some objects depend on it", role->name)
          .with_detail(owned);
    }
    // A role without a name is one that was dropped (catalog/snapshot.cc).
    RoleDescriptor dropped;
    dropped.oid = role->oid;
    dropped.can_login = false;
    PANDO_CO_TRY(co_await definition->catalog().put(std::make_shared<const RoleDescriptor>(std::move(dropped))));
  }
  co_return std::string("DROP ROLE");
}

Status rename_role(const ast::Rename& statement, Definition& definition, RoleDescriptor& changed) {
  const RolePtr role = find_role(definition, statement.object.back());
  if (role == nullptr) {
    return missing_role(statement.object.back());
  }
  if (find_role(definition, statement.new_name) != nullptr) {
    return Status(sql_state::kDuplicateObject, "role \"{}\" already exists", statement.new_name);
  }
  changed = *role;
  changed.name = statement.new_name;
  return {};
}

namespace {

// The words of GRANT's privileges.
Status check_privilege(const ast::Grant::Privilege& privilege) {
  constexpr std::array<std::string_view, 15> kPrivileges = {
      "select",  "insert",    "update", "delete",  "truncate", "references", "trigger",     "create",
      "connect", "temporary", "temp",   "execute", "usage",    "set",        "alter system"};
  if (privilege.name.empty() || std::ranges::find(kPrivileges, privilege.name) != kPrivileges.end()) {
    return {};
  }
  return Status(sql_state::kSyntaxError, "unrecognized privilege type \"{}\"", privilege.name);
}

Status check_grantable(const ast::Grant& statement, const ast::QualifiedName& name, Definition& definition) {
  using Kind = ast::ObjectKind;
  if (statement.all_in_schema || statement.kind == Kind::kSchema) {
    return definition.snapshot()->find_schema(name.back()) != nullptr
               ? Status()
               : Status(sql_state::kInvalidSchemaName, "schema \"{}\" does not exist", name.back());
  }
  if (statement.kind == Kind::kDatabase) {
    return name.back() == definition.context().bind.database
               ? Status()
               : Status(sql_state::kInvalidCatalogName, "database \"{}\" does not exist", name.back());
  }
  if (statement.kind != Kind::kTable && statement.kind != Kind::kSequence) {
    return {};
  }
  PANDO_ASSIGN(const ast::RelationName relation, Definition::relation_name(name));
  if (definition.find_sequence(relation).ok()) {
    return {};
  }
  return definition.find_relation(relation).status();
}

Status check_grantees(const std::vector<ast::RoleName>& grantees, Definition& definition) {
  for (const ast::RoleName& grantee : grantees) {
    if (grantee.kind != ast::RoleName::Kind::kPublic) {
      PANDO_TRY(resolve_role(grantee, definition).status());
    }
  }
  return {};
}

}  // namespace

// Every role may do everything until there is authentication: a grant is checked, and changes nothing.
Task<Result<std::string>> grant(const ast::Grant* statement, Definition* definition) {
  for (const auto& privilege : statement->privileges) {
    PANDO_CO_TRY(check_privilege(privilege));
  }
  for (const auto& name : statement->objects) {
    PANDO_CO_TRY(check_grantable(*statement, name, *definition));
  }
  PANDO_CO_TRY(check_grantees(statement->grantees, *definition));
  co_return std::string(statement->grant ? "GRANT" : "REVOKE");
}

Task<Result<std::string>> grant_role(const ast::GrantRole* statement, Definition* definition) {
  for (const std::string& role : statement->roles) {
    if (find_role(*definition, role) == nullptr) {
      co_return missing_role(role);
    }
  }
  PANDO_CO_TRY(check_grantees(statement->grantees, *definition));
  co_return std::string(statement->grant ? "GRANT ROLE" : "REVOKE ROLE");
}

}  // namespace pando::sql::ddl
