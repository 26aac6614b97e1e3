// Types that users make: enums and domains. And CREATE EXTENSION, for the one there is.

#include <algorithm>
#include <ranges>

#include "sql/ddl/definition.h"

namespace pando::sql::ddl {

using catalog::TypeDescriptor;
using catalog::TypePtr;
using catalog::UserTypeKind;

std::string Definition::qualified_type_name(const ast::QualifiedName& name) {
  const std::string_view schema = name.size() == 2 ? std::string_view(name[0]) : std::string_view();
  const bool is_built_in = name.size() == 1 && types::find_type(std::string_view(name[0])) != nullptr;
  const TypePtr found = name.size() > 2 || is_built_in
                            ? nullptr
                            : snapshot()->resolve_type(context_.bind.search_path, schema, name.back());
  if (const SchemaPtr own = found == nullptr ? nullptr : snapshot()->find_schema(found->schema)) {
    return quote_identifier(own->name) + "." + quote_identifier(found->name);
  }
  const bool may_be_rows = name.size() <= 2 && !is_built_in;
  if (const TablePtr rows =
          may_be_rows ? snapshot()->resolve_table(context_.bind.search_path, schema, name.back()) : nullptr) {
    return qualified_name(*rows);
  }
  std::string text;
  for (const std::string& part : name) {
    text += (text.empty() ? "" : ".") + quote_identifier(part);
  }
  return text;
}

Result<TypePtr> Definition::find_user_type(const ast::QualifiedName& name) {
  const std::string_view schema = name.size() == 2 ? std::string_view(name[0]) : std::string_view();
  TypePtr found = snapshot()->resolve_type(context_.bind.search_path, schema, name.back());
  if (found == nullptr) {
    std::string text;
    for (const std::string& part : name) {
      text += (text.empty() ? "" : ".") + part;
    }
    return Status(sql_state::kUndefinedObject, "type \"{}\" does not exist", text);
  }
  return found;
}

std::string Definition::shown_name(const TypeDescriptor& type) {
  const SchemaPtr own = snapshot()->find_schema(type.schema);
  return snapshot()->is_type_visible(context_.bind.search_path, type) || own == nullptr
             ? quote_identifier(type.name)
             : quote_identifier(own->name) + "." + quote_identifier(type.name);
}

namespace {

// Labels are this far apart at first, so that others fit between them.
constexpr int64_t kLabelDistance = int64_t{1} << 32;
constexpr std::string_view kCascadeHint = "Use DROP ... CASCADE to drop the dependent objects too.";

}  // namespace

Task<Result<TypeDescriptor>> new_type(const ast::QualifiedName* name, UserTypeKind kind, Definition* definition) {
  TypeDescriptor type;
  PANDO_CO_ASSIGN(const SchemaPtr schema,
                  definition->creation_schema(name->size() > 1 ? (*name)[name->size() - 2] : std::string()));
  PANDO_CO_TRY(co_await definition->catalog().lock_name(schema->oid, name->back()));
  const auto view = definition->snapshot();
  if (view->find_type(schema->oid, name->back()) != nullptr || view->relation_name_taken(schema->oid, name->back())) {
    co_return Status(sql_state::kDuplicateObject, "type \"{}\" already exists", name->back());
  }
  PANDO_CO_ASSIGN(type.oid, co_await definition->allocate_oid());
  if (kind == UserTypeKind::kDomain) {
    PANDO_CO_ASSIGN(type.array_oid, co_await definition->allocate_oid());
  } else if (type.oid >= types::oid::kUserEnumArray - types::oid::kUserEnum) {
    co_return Status(sql_state::kProgramLimitExceeded, "out of object identifiers for types");
  } else {
    type.oid += kind == UserTypeKind::kEnum ? types::oid::kUserEnum : types::oid::kUserComposite;
  }
  type.schema = schema->oid;
  type.name = name->back();
  type.kind = kind;
  type.owner = definition->current_owner();
  co_return type;
}

namespace {

Task<Status> put(TypeDescriptor type, Definition* definition) {
  co_return co_await definition->catalog().put(std::make_shared<const TypeDescriptor>(std::move(type)));
}

Status check_label(const std::string& label) {
  if (label.size() > kNameBytesMax) {
    return Status(sql_state::kInvalidName, "invalid enum label \"{}\"", label)
        .with_detail(fmt::format("Labels must be {} bytes or less.", kNameBytesMax));
  }
  return {};
}

// Where a label goes in the order, by its neighbor.
Result<std::size_t> position_of(const ast::AlterEnum& statement, const TypeDescriptor& type) {
  if (statement.neighbor.empty()) {
    return type.labels.size();
  }
  const auto neighbor = std::ranges::find(type.labels, statement.neighbor, &TypeDescriptor::Label::text);
  if (neighbor == type.labels.end()) {
    return Status(sql_state::kInvalidParameterValue, "\"{}\" is not an existing enum label", statement.neighbor);
  }
  return static_cast<std::size_t>(neighbor - type.labels.begin()) + (statement.after ? 1 : 0);
}

// A place between a label's two neighbors.
Result<int64_t> place_at(const TypeDescriptor& type, std::size_t position) {
  if (type.labels.empty()) {
    return kLabelDistance;
  }
  if (position == type.labels.size()) {
    return type.labels.back().place + kLabelDistance;
  }
  if (position == 0) {
    return type.labels.front().place - kLabelDistance;
  }
  const int64_t below = type.labels[position - 1].place;
  const int64_t above = type.labels[position].place;
  if (above - below < 2) {
    return Status(sql_state::kProgramLimitExceeded, "no room for another label between \"{}\" and \"{}\"",
                  type.labels[position - 1].text, type.labels[position].text);
  }
  return below + (above - below) / 2;
}

}  // namespace

Task<Result<std::string>> create_enum(const ast::CreateEnum* statement, Definition* definition) {
  PANDO_CO_ASSIGN(TypeDescriptor type, co_await new_type(&statement->name, UserTypeKind::kEnum, definition));
  for (const std::string& label : statement->labels) {
    PANDO_CO_TRY(check_label(label));
    if (std::ranges::find(type.labels, label, &TypeDescriptor::Label::text) != type.labels.end()) {
      co_return Status(sql_state::kUniqueViolation,
                       "duplicate key value violates unique constraint \"pg_enum_typid_label_index\"")
          .with_detail(fmt::format("Key (enumtypid, enumlabel)=({}, {}) already exists.", type.oid, label));
    }
    PANDO_CO_ASSIGN(const Oid oid, co_await definition->allocate_oid());
    PANDO_CO_ASSIGN(const int64_t place, place_at(type, type.labels.size()));
    type.labels.push_back({oid, place, label});
  }
  PANDO_CO_TRY(co_await put(std::move(type), definition));
  co_return std::string("CREATE TYPE");
}

Task<Result<std::string>> alter_enum(const ast::AlterEnum* statement, Definition* definition) {
  const std::string tag = "ALTER TYPE";
  PANDO_CO_ASSIGN(TypePtr found, definition->find_user_type(statement->name));
  PANDO_CO_TRY(co_await definition->catalog().lock_name(found->schema, found->name));
  PANDO_CO_ASSIGN(found, definition->find_user_type(statement->name));
  if (found->kind != UserTypeKind::kEnum) {
    co_return Status(sql_state::kWrongObjectType, "{} is not an enum", definition->shown_name(*found));
  }
  TypeDescriptor type = *found;
  const std::string& label = statement->new_label.empty() ? statement->label : statement->new_label;
  PANDO_CO_TRY(check_label(label));
  const auto same = std::ranges::find(type.labels, label, &TypeDescriptor::Label::text);
  if (!statement->new_label.empty()) {
    const auto old = std::ranges::find(type.labels, statement->label, &TypeDescriptor::Label::text);
    if (old == type.labels.end()) {
      co_return Status(sql_state::kInvalidParameterValue, "\"{}\" is not an existing enum label", statement->label);
    }
    if (same != type.labels.end()) {
      co_return Status(sql_state::kDuplicateObject, "enum label \"{}\" already exists", label);
    }
    old->text = label;
    PANDO_CO_TRY(co_await put(std::move(type), definition));
    co_return tag;
  }
  if (same != type.labels.end()) {
    if (!statement->if_not_exists) {
      co_return Status(sql_state::kDuplicateObject, "enum label \"{}\" already exists", label);
    }
    definition->notice(fmt::format("enum label \"{}\" already exists, skipping", label), sql_state::kDuplicateObject);
    co_return tag;
  }
  PANDO_CO_ASSIGN(const std::size_t position, position_of(*statement, type));
  PANDO_CO_ASSIGN(const int64_t place, place_at(type, position));
  PANDO_CO_ASSIGN(const Oid oid, co_await definition->allocate_oid());
  type.labels.insert(type.labels.begin() + static_cast<std::ptrdiff_t>(position), {oid, place, label});
  PANDO_CO_TRY(co_await put(std::move(type), definition));
  co_return tag;
}

std::vector<TypeUse> uses_of(Oid type, Oid array, Definition& definition) {
  std::vector<TypeUse> uses;
  const auto view = definition.snapshot();
  const auto add = [&](const auto& member, TablePtr table, TypePtr composite) {
    const Oid declared = member.domain != 0 ? member.domain : member.type.oid;
    if (declared == type || declared == array) {
      uses.push_back({std::move(table), std::move(composite), member.name, declared != type});
    }
  };
  for (const auto& [oid, table] : view->tables()) {
    // The order in which PostgreSQL lists them.
    for (const ColumnDescriptor& column : std::views::reverse(table->columns)) {
      if (!column.dropped) {
        add(column, table, nullptr);
      }
    }
  }
  for (const auto& [oid, composite] : view->user_defined_types()) {
    for (const TypeDescriptor::Attribute& attribute : composite->attributes) {
      add(attribute, nullptr, composite);
    }
  }
  return uses;
}

namespace {

// The columns that are declared with the type or its array.
std::vector<TypeUse> columns_of(const TypeDescriptor& type, Definition& definition) {
  std::vector<TypeUse> uses = uses_of(type.oid, catalog::array_of(type), definition);
  std::erase_if(uses, [](const TypeUse& use) { return use.table == nullptr; });
  return uses;
}

std::vector<TypePtr> domains_over(const TypeDescriptor& type, Definition& definition) {
  std::vector<TypePtr> domains;
  for (const auto& [oid, other] : definition.snapshot()->user_defined_types()) {
    const bool is_over = other->kind == UserTypeKind::kDomain &&
                         (other->domain == type.oid || (other->domain == 0 && other->base.oid == type.oid));
    if (is_over && other->oid != type.oid) {
      domains.push_back(other);
    }
  }
  return domains;
}

// The column's values must pass a check of their domain.
Task<Status> check_column(TypeUse use, TypeDescriptor::Check check, Definition* definition) {
  PANDO_CO_ASSIGN(const auto rows,
                  co_await definition->context().queries.rows(
                      fmt::format("SELECT 1 FROM (SELECT {} AS value FROM {}) AS d WHERE NOT ({}) LIMIT 1",
                                  quote_identifier(use.column), definition->qualified_name(*use.table), check.sql)));
  if (!rows.empty()) {
    co_return Status(sql_state::kCheckViolation,
                     "column \"{}\" of table \"{}\" contains values that violate the new constraint", use.column,
                     use.table->name);
  }
  co_return Status();
}

Task<Status> check_columns(TypePtr type, TypeDescriptor::Check check, Definition* definition) {
  for (const TypeUse& use : columns_of(*type, *definition)) {
    if (has_rows(*use.table) && is_populated(*use.table)) {
      PANDO_CO_TRY(co_await check_column(use, check, definition));
    }
  }
  for (const TypePtr& other : domains_over(*type, *definition)) {
    PANDO_CO_TRY(co_await check_columns(other, check, definition));
  }
  co_return Status();
}

std::string choose_check_name(const TypeDescriptor& type) {
  const std::string stem = type.name + "_check";
  std::string name = stem;
  for (int number = 1; std::ranges::find(type.checks, name, &TypeDescriptor::Check::name) != type.checks.end();
       ++number) {
    name = fmt::format("{}{}", stem, number);
  }
  return name;
}

Task<Status> add_check(TypeDescriptor* type, const ast::Constraint* constraint, Definition* definition) {
  TypeDescriptor::Check check;
  check.name = constraint->name.empty() ? choose_check_name(*type) : constraint->name;
  if (std::ranges::find(type->checks, check.name, &TypeDescriptor::Check::name) != type->checks.end()) {
    co_return Status(sql_state::kDuplicateObject, "constraint \"{}\" for domain \"{}\" already exists", check.name,
                     type->name);
  }
  PANDO_CO_ASSIGN(const ExprPtr condition,
                  bind_domain_check(*constraint->expr, type->base, definition->bind_options()));
  PrintOptions options = definition->stored_print_options();
  options.column = [](const ColumnExpr&) { return std::string("VALUE"); };
  check.sql = print_expr(condition, options);
  check.validated = !constraint->not_valid;
  PANDO_CO_ASSIGN(check.oid, co_await definition->allocate_oid());
  type->checks.push_back(std::move(check));
  std::ranges::sort(type->checks, {}, &TypeDescriptor::Check::name);
  co_return Status();
}

Task<Status> set_default(TypeDescriptor* type, const ast::Expr* expr, Definition* definition) {
  type->default_sql.clear();
  if (expr != nullptr) {
    PANDO_CO_ASSIGN(const ExprPtr value, bind_default(*expr, type->name, type->base, definition->bind_options()));
    type->default_sql = print_expr(value, definition->stored_print_options());
  }
  co_return Status();
}

}  // namespace

Task<Result<std::string>> create_domain(const ast::CreateDomain* statement, Definition* definition) {
  PANDO_CO_ASSIGN(TypeDescriptor type, co_await new_type(&statement->name, UserTypeKind::kDomain, definition));
  PANDO_CO_ASSIGN(type.base, bind_type(statement->type, definition->bind_options()));
  const types::TypeInfo* info = types::find_type(type.base.oid);
  if (info == nullptr || info->kind == 'p') {
    co_return Status(sql_state::kDatatypeMismatch, "\"{}\" is not a valid base type for a domain",
                     types::format_type(type.base));
  }
  const TypePtr below = bind_domain(statement->type, definition->bind_options());
  type.domain = below == nullptr ? 0 : below->oid;
  bool nullable = false;
  for (const ast::Constraint& constraint : statement->constraints) {
    switch (constraint.kind) {
      case ast::Constraint::Kind::kDefault:
        PANDO_CO_TRY(co_await set_default(&type, constraint.expr.get(), definition));
        break;
      case ast::Constraint::Kind::kNotNull:
      case ast::Constraint::Kind::kNull:
        if (type.not_null != (constraint.kind == ast::Constraint::Kind::kNotNull) && (type.not_null || nullable)) {
          co_return Status(sql_state::kSyntaxError, "conflicting NULL/NOT NULL constraints");
        }
        type.not_null = constraint.kind == ast::Constraint::Kind::kNotNull;
        nullable = !type.not_null;
        break;
      case ast::Constraint::Kind::kCheck:
        PANDO_CO_TRY(co_await add_check(&type, &constraint, definition));
        break;
      case ast::Constraint::Kind::kUnique:
        co_return Status(sql_state::kSyntaxError, "unique constraints not possible for domains");
      case ast::Constraint::Kind::kPrimaryKey:
        co_return Status(sql_state::kSyntaxError, "primary key constraints not possible for domains");
      case ast::Constraint::Kind::kForeignKey:
        co_return Status(sql_state::kSyntaxError, "foreign key constraints not possible for domains");
      case ast::Constraint::Kind::kExclusion:
        co_return Status(sql_state::kSyntaxError, "exclusion constraints not possible for domains");
      default:
        co_return Status(sql_state::kFeatureNotSupported,
                         "specifying constraint deferrability not supported for domains");
    }
  }
  PANDO_CO_TRY(co_await put(std::move(type), definition));
  co_return std::string("CREATE DOMAIN");
}

namespace {

Task<Status> change_domain(const ast::AlterDomain* statement, TypePtr found, TypeDescriptor* type,
                           Definition* definition) {
  using Kind = ast::AlterDomain::Kind;
  const auto named = std::ranges::find(type->checks, statement->constraint_name, &TypeDescriptor::Check::name);
  switch (statement->kind) {
    case Kind::kDefault:
      co_return co_await set_default(type, statement->expr.get(), definition);
    case Kind::kDropNotNull:
      type->not_null = false;
      co_return Status();
    case Kind::kSetNotNull:
      type->not_null = true;
      for (const TypeUse& use : columns_of(*found, *definition)) {
        PANDO_CO_ASSIGN(const auto rows, co_await definition->context().queries.rows(fmt::format(
                                             "SELECT 1 FROM {} WHERE {} IS NULL LIMIT 1",
                                             definition->qualified_name(*use.table), quote_identifier(use.column))));
        if (!rows.empty()) {
          co_return Status(sql_state::kNotNullViolation, "column \"{}\" of table \"{}\" contains null values",
                           use.column, use.table->name);
        }
      }
      co_return Status();
    case Kind::kAddConstraint: {
      if (statement->constraint[0].kind != ast::Constraint::Kind::kCheck) {
        co_return Status(sql_state::kFeatureNotSupported, "only CHECK constraints can be added to a domain");
      }
      const std::vector<TypeDescriptor::Check> before = type->checks;
      PANDO_CO_TRY(co_await add_check(type, &statement->constraint[0], definition));
      for (const TypeDescriptor::Check& check : type->checks) {
        if (std::ranges::find(before, check.oid, &TypeDescriptor::Check::oid) == before.end() && check.validated) {
          PANDO_CO_TRY(co_await check_columns(found, check, definition));
        }
      }
      co_return Status();
    }
    case Kind::kDropConstraint:
      if (named == type->checks.end() && statement->missing_ok) {
        definition->notice(fmt::format("constraint \"{}\" of domain \"{}\" does not exist, skipping",
                                       statement->constraint_name, type->name));
        co_return Status();
      }
      if (named != type->checks.end()) {
        type->checks.erase(named);
        co_return Status();
      }
      break;
    case Kind::kValidateConstraint:
      if (named != type->checks.end()) {
        named->validated = true;
        co_return co_await check_columns(found, *named, definition);
      }
      break;
  }
  co_return Status(sql_state::kUndefinedObject, "constraint \"{}\" of domain \"{}\" does not exist",
                   statement->constraint_name, type->name);
}

Result<TypePtr> find_domain(const ast::QualifiedName& name, Definition& definition) {
  PANDO_ASSIGN(TypePtr found, definition.find_user_type(name));
  if (found->kind != UserTypeKind::kDomain) {
    return Status(sql_state::kWrongObjectType, "{} is not a domain", definition.shown_name(*found));
  }
  return found;
}

}  // namespace

Task<Result<std::string>> alter_domain(const ast::AlterDomain* statement, Definition* definition) {
  PANDO_CO_ASSIGN(TypePtr found, find_domain(statement->name, *definition));
  PANDO_CO_TRY(co_await definition->catalog().lock_name(found->schema, found->name));
  PANDO_CO_ASSIGN(found, find_domain(statement->name, *definition));
  for (const TypeUse& use : columns_of(*found, *definition)) {
    PANDO_CO_TRY((co_await definition->lock_for_change(use.table->oid)).status());
  }
  TypeDescriptor type = *found;
  PANDO_CO_TRY(co_await change_domain(statement, found, &type, definition));
  PANDO_CO_TRY(co_await put(std::move(type), definition));
  co_return std::string("ALTER DOMAIN");
}

namespace {

void notice_cascades(const std::vector<std::string>& dependents, Definition& definition) {
  if (dependents.size() == 1) {
    definition.notice("drop cascades to " + dependents[0]);
  } else if (dependents.size() > 1 && definition.context().notice) {
    Status notice =
        Status::from_message(sql_state::kSuccess, fmt::format("drop cascades to {} other objects", dependents.size()));
    for (const std::string& dependent : dependents) {
      notice.fields().detail += (notice.fields().detail.empty() ? "" : "\n") + ("drop cascades to " + dependent);
    }
    definition.context().notice(std::move(notice));
  }
}

}  // namespace

namespace {

std::string described(const TypeUse& use, Definition& definition) {
  if (use.table != nullptr) {
    return fmt::format("column {} of {} {}", use.column, relation_word(*use.table), use.table->name);
  }
  const std::string type = definition.shown_name(*use.type);
  return use.column.empty() ? "type " + type : fmt::format("column {} of composite type {}", use.column, type);
}

}  // namespace

Task<Status> drop_uses(std::vector<TypeUse> uses, DroppedType dropped, ast::DropBehavior behavior,
                       Definition* definition) {
  std::vector<std::string> dependents;
  std::string detail;
  for (const TypeUse& use : uses) {
    dependents.push_back(described(use, *definition));
    detail += fmt::format("{}{} depends on {}{}", detail.empty() ? "" : "\n", dependents.back(), dropped.type,
                          use.is_array ? "[]" : "");
  }
  if (behavior == ast::DropBehavior::kRestrict && !dependents.empty()) {
    co_return Status(sql_state::kDependentObjectsStillExist, "cannot drop {} because other objects depend on it",
                     dropped.object)
        .with_detail(detail)
        .with_hint(std::string(kCascadeHint));
  }
  notice_cascades(dependents, *definition);
  for (const TypeUse& use : uses) {
    if (use.column.empty()) {
      PANDO_CO_TRY(co_await drop_type(use.type, behavior, definition));
      continue;
    }
    if (use.table != nullptr && use.table->kind == RelationKind::kView) {
      PANDO_CO_TRY(co_await drop_relation(use.table->oid, behavior, definition));
      continue;
    }
    ast::AlterTable change;
    change.kind = use.table == nullptr ? ast::ObjectKind::kType : ast::ObjectKind::kTable;
    const Oid schema = use.table == nullptr ? use.type->schema : use.table->schema;
    change.name.schema = definition->snapshot()->find_schema(schema)->name;
    change.name.name = use.table == nullptr ? use.type->name : use.table->name;
    ast::AlterTable::Command& command = change.commands.emplace_back();
    command.kind = ast::AlterTable::Command::Kind::kDropColumn;
    command.name = use.column;
    command.behavior = behavior;
    PANDO_CO_TRY((co_await alter_table(&change, definition)).status());
  }
  co_return Status();
}

Task<Status> drop_type(TypePtr type, ast::DropBehavior behavior, Definition* definition) {
  const std::string shown = "type " + definition->shown_name(*type);
  std::vector<TypeUse> uses = uses_of(type->oid, catalog::array_of(*type), *definition);
  for (const TypePtr& domain : domains_over(*type, *definition)) {
    uses.push_back({.table = nullptr, .type = domain, .column = ""});
  }
  PANDO_CO_TRY(co_await drop_uses(std::move(uses), {shown, shown}, behavior, definition));
  co_return co_await definition->catalog().remove(type);
}

Task<Status> rename_type(const ast::Rename* statement, Definition* definition) {
  PANDO_CO_ASSIGN(const TypePtr found, definition->find_user_type(statement->object));
  TypeDescriptor type = *found;
  if (statement->kind == ast::ObjectKind::kDomainConstraint) {
    const auto named = std::ranges::find(type.checks, statement->member, &TypeDescriptor::Check::name);
    if (named == type.checks.end()) {
      co_return Status(sql_state::kUndefinedObject, "constraint \"{}\" for domain {} does not exist", statement->member,
                       definition->shown_name(type));
    }
    named->name = statement->new_name;
    co_return co_await put(std::move(type), definition);
  }
  PANDO_CO_TRY(co_await definition->catalog().lock_name(type.schema, statement->new_name));
  if (definition->snapshot()->find_type(type.schema, statement->new_name) != nullptr) {
    co_return Status(sql_state::kDuplicateObject, "type \"{}\" already exists", statement->new_name);
  }
  type.name = statement->new_name;
  co_return co_await put(std::move(type), definition);
}

// plpgsql is what every database of PostgreSQL has; scripts make sure of it.
Task<Result<std::string>> create_extension(const ast::CreateExtension* statement, Definition* definition) {
  if (statement->name != "plpgsql") {
    co_return Status(sql_state::kFeatureNotSupported, "extension \"{}\" is not available", statement->name)
        .with_detail("Pando has no extensions.");
  }
  if (!statement->if_not_exists) {
    co_return Status(sql_state::kDuplicateObject, "extension \"{}\" already exists", statement->name);
  }
  definition->notice(fmt::format("extension \"{}\" already exists, skipping", statement->name),
                     sql_state::kDuplicateObject);
  co_return std::string("CREATE EXTENSION");
}

}  // namespace pando::sql::ddl
