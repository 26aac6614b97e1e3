#include <algorithm>

#include "sql/ddl/definition.h"

namespace pando::sql::ddl {
namespace {

using Command = ast::AlterTable::Command;
using PendingConstraints = std::vector<std::pair<const ast::Constraint*, std::string>>;

// An ALTER TABLE under way: the commands change `table`, which is stored at the end, with its rows copied to a new
// place when a command needs it.
struct Alteration {
  TablePtr before;
  TableDescriptor table;
  bool rewrites = false;
  std::vector<std::pair<AttributeNumber, ExprPtr>> replaced;
  std::vector<std::string> constraints_to_validate;
  std::vector<std::string> not_null_to_validate;
};

ColumnDescriptor& column_of(Alteration& alteration, AttributeNumber attribute) {
  return alteration.table.columns[static_cast<std::size_t>(attribute) - 1];
}

// Whether a default gives every existing row the same value, so that it need not be stored in each.
bool is_constant(const ExprPtr& expr) { return as<ConstantExpr>(expr) != nullptr; }

Task<Status> add_column_command(Alteration* alteration, const Command* command, Definition* definition) {
  if (command->missing_ok && alteration->table.find_column(command->column->name) != nullptr) {
    definition->notice(fmt::format("column \"{}\" of relation \"{}\" already exists, skipping", command->column->name,
                                   alteration->table.name),
                       sql_state::kDuplicateColumn);
    co_return Status();
  }
  if (alteration->table.find_column(command->column->name) != nullptr) {
    co_return Status(sql_state::kDuplicateColumn, "column \"{}\" of relation \"{}\" already exists",
                     command->column->name, alteration->table.name);
  }
  PendingConstraints pending;
  PANDO_CO_TRY(co_await add_column({&alteration->table, &*command->column, &pending}, definition));
  ColumnDescriptor& column = alteration->table.columns.back();
  for (const auto& [constraint, name] : pending) {
    PANDO_CO_TRY(co_await add_constraint(&alteration->table, constraint, name, definition));
    const bool is_key =
        constraint->kind == ast::Constraint::Kind::kPrimaryKey || constraint->kind == ast::Constraint::Kind::kUnique;
    alteration->rewrites |= is_key;
    const bool is_check =
        constraint->kind == ast::Constraint::Kind::kCheck || constraint->kind == ast::Constraint::Kind::kForeignKey;
    if (is_check) {
      alteration->constraints_to_validate.push_back(alteration->table.constraints.back().name);
    }
  }
  ColumnDescriptor& added = alteration->table.columns.back();
  static_cast<void>(column);
  const auto table = std::make_shared<const TableDescriptor>(alteration->table);
  if (!added.default_sql.empty() || added.identity != catalog::Identity::kNone) {
    PANDO_CO_ASSIGN(ExprPtr value, bind_stored_default(table, added.number, definition->bind_options()));
    if (is_constant(value) && !added.generated) {
      added.missing_value = as<ConstantExpr>(value)->value;
    } else {
      alteration->rewrites = true;
      alteration->replaced.emplace_back(added.number, std::move(value));
    }
  } else if (added.not_null) {
    alteration->not_null_to_validate.push_back(added.name);
  }
  co_return Status();
}

// What else names the column: constraints of several columns, indexes, views.
Task<Status> drop_column_dependents(Alteration* alteration, AttributeNumber attribute, ast::DropBehavior behavior,
                                    Definition* definition) {
  std::vector<std::string> constraints;
  for (const auto& constraint : alteration->table.constraints) {
    if (std::ranges::find(constraint.columns, attribute) != constraint.columns.end()) {
      constraints.push_back(constraint.name);
    }
  }
  for (const auto& name : constraints) {
    const ConstraintDescriptor* constraint = alteration->table.find_constraint(name);
    alteration->rewrites |= constraint != nullptr && constraint->kind == ConstraintKind::kPrimary;
    PANDO_CO_TRY(co_await drop_constraint(&alteration->table, name, behavior, definition));
  }
  std::erase_if(alteration->table.indexes, [&](const IndexDescriptor& index) {
    return std::ranges::any_of(index.columns,
                               [&](const catalog::IndexColumn& column) { return column.attribute == attribute; }) ||
           std::ranges::find(index.included, attribute) != index.included.end();
  });
  co_return Status();
}

Task<Status> drop_column_command(Alteration* alteration, const Command* command, Definition* definition) {
  const ColumnDescriptor* found = alteration->table.find_column(command->name);
  if (found == nullptr && command->missing_ok) {
    definition->notice(fmt::format("column \"{}\" of relation \"{}\" does not exist, skipping", command->name,
                                   alteration->table.name));
    co_return Status();
  }
  PANDO_CO_ASSIGN(const AttributeNumber attribute, Definition::find_attribute(alteration->table, command->name));
  PANDO_CO_TRY(co_await drop_dependent_views(alteration->table, attribute, command->behavior, definition));
  PANDO_CO_TRY(co_await drop_column_dependents(alteration, attribute, command->behavior, definition));
  ColumnDescriptor& column = column_of(*alteration, attribute);
  const Oid sequence = column.owned_sequence;
  column.dropped = true;
  column.not_null = false;
  column.default_sql.clear();
  column.identity = catalog::Identity::kNone;
  column.generated = false;
  column.owned_sequence = 0;
  if (const SequencePtr owned = definition->snapshot()->find_sequence(sequence)) {
    PANDO_CO_TRY(co_await definition->catalog().remove(owned));
  }
  co_return Status();
}

Task<Status> change_type(Alteration* alteration, const Command* command, Definition* definition) {
  PANDO_CO_ASSIGN(const AttributeNumber attribute, Definition::find_attribute(alteration->table, command->name));
  const auto table = std::make_shared<const TableDescriptor>(alteration->table);
  PANDO_CO_TRY(check_no_view_reads(*table, attribute, *definition));
  PANDO_CO_ASSIGN(const types::Type type, bind_type(command->column->type, definition->bind_options()));
  const ColumnDescriptor& old = table->column(attribute);
  ExprPtr value;
  if (command->column->using_expr) {
    PANDO_CO_ASSIGN(value, bind_table_expression(*command->column->using_expr, table, type, "transform expressions",
                                                 definition->bind_options()));
  } else {
    auto cast = bind_column_cast(table, attribute, type, definition->bind_options());
    if (!cast.ok()) {
      co_return Status(sql_state::kDatatypeMismatch, "column \"{}\" cannot be cast automatically to type {}", old.name,
                       types::format_type(type))
          .with_hint(fmt::format("You might need to specify \"USING {}::{}\".", quote_identifier(old.name),
                                 types::format_type(type)));
    }
    value = *std::move(cast);
  }
  ColumnDescriptor& column = column_of(*alteration, attribute);
  column.type = type;
  if (column.identity != catalog::Identity::kNone) {
    PANDO_CO_TRY(check_identity_type(column));
  }
  const catalog::TypePtr domain = bind_domain(command->column->type, definition->bind_options());
  column.domain = domain == nullptr ? 0 : domain->oid;
  if (!column.default_sql.empty() && !column.generated) {
    const auto retyped = std::make_shared<const TableDescriptor>(alteration->table);
    auto bound = bind_stored_default(retyped, attribute, definition->bind_options());
    if (!bound.ok()) {
      co_return Status(sql_state::kDatatypeMismatch,
                       "default for column \"{}\" cannot be cast automatically to type {}", column.name,
                       types::format_type(type));
    }
    column.default_sql = print_expr(*bound, definition->stored_print_options());
  }
  alteration->rewrites = true;
  alteration->replaced.emplace_back(attribute, std::move(value));
  co_return Status();
}

Task<Status> add_constraint_command(Alteration* alteration, const Command* command, Definition* definition) {
  const auto& constraint = *command->constraint;
  PANDO_CO_TRY(co_await add_constraint(&alteration->table, &constraint, "", definition));
  const ConstraintDescriptor& added = alteration->table.constraints.back();
  const bool is_key = added.kind == ConstraintKind::kPrimary || added.kind == ConstraintKind::kUnique;
  if (is_key) {
    alteration->rewrites |= constraint.index.empty() || added.kind == ConstraintKind::kPrimary;
    if (added.kind == ConstraintKind::kPrimary) {
      for (const AttributeNumber attribute : added.columns) {
        if (!alteration->before->column(attribute).not_null) {
          alteration->not_null_to_validate.push_back(alteration->before->column(attribute).name);
        }
      }
    }
  } else if (added.validated) {
    alteration->constraints_to_validate.push_back(added.name);
  }
  co_return Status();
}

Task<Status> drop_constraint_command(Alteration* alteration, const Command* command, Definition* definition) {
  const ConstraintDescriptor* found = alteration->table.find_constraint(command->name);
  if (found == nullptr) {
    if (command->missing_ok) {
      definition->notice(fmt::format("constraint \"{}\" of relation \"{}\" does not exist, skipping", command->name,
                                     alteration->table.name));
      co_return Status();
    }
    co_return Status(sql_state::kUndefinedObject, "constraint \"{}\" of relation \"{}\" does not exist", command->name,
                     alteration->table.name);
  }
  alteration->rewrites |= found->kind == ConstraintKind::kPrimary;
  co_return co_await drop_constraint(&alteration->table, command->name, command->behavior, definition);
}

Task<Status> default_command(Alteration* alteration, const Command* command, Definition* definition) {
  PANDO_CO_ASSIGN(const AttributeNumber attribute, Definition::find_attribute(alteration->table, command->name));
  ColumnDescriptor& column = column_of(*alteration, attribute);
  if (column.identity != catalog::Identity::kNone) {
    co_return Status(sql_state::kSyntaxError, "column \"{}\" of relation \"{}\" is an identity column", column.name,
                     alteration->table.name);
  }
  if (column.generated) {
    co_return Status(sql_state::kSyntaxError, "column \"{}\" of relation \"{}\" is a generated column", column.name,
                     alteration->table.name);
  }
  if (!command->expr) {
    column.default_sql.clear();
    co_return Status();
  }
  PANDO_CO_ASSIGN(const ExprPtr value,
                  bind_default(*command->expr, column.name, column.type, definition->bind_options()));
  column.default_sql = print_expr(value, definition->stored_print_options());
  co_return Status();
}

Task<Status> add_identity(Alteration* alteration, ColumnDescriptor* column, const Command* command,
                          Definition* definition) {
  const std::string& table = alteration->table.name;
  if (!column->not_null) {
    co_return Status(sql_state::kObjectNotInPrerequisiteState,
                     "column \"{}\" of relation \"{}\" must be declared NOT NULL before identity can be added",
                     column->name, table);
  }
  if (column->identity != catalog::Identity::kNone) {
    co_return Status(sql_state::kObjectNotInPrerequisiteState,
                     "column \"{}\" of relation \"{}\" is already an identity column", column->name, table);
  }
  if (!column->default_sql.empty()) {
    co_return Status(sql_state::kObjectNotInPrerequisiteState,
                     "column \"{}\" of relation \"{}\" already has a default value", column->name, table);
  }
  PANDO_CO_TRY(check_identity_type(*column));
  co_return co_await add_sequence(&alteration->table, column, &*command->constraint, definition);
}

// SET GENERATED, and SET of the sequence's options.
Task<Status> set_identity(Alteration* alteration, ColumnDescriptor* column, const Command* command,
                          Definition* definition) {
  if (column->identity == catalog::Identity::kNone) {
    co_return Status(sql_state::kObjectNotInPrerequisiteState,
                     "column \"{}\" of relation \"{}\" is not an identity column", column->name,
                     alteration->table.name);
  }
  ast::OptionList of_sequence;
  for (const ast::Option& option : command->options) {
    if (option.name != "generated") {
      ast::Option& copy = of_sequence.emplace_back();
      copy.name = option.name;
      if (const auto* number = std::get_if<int64_t>(&option.value)) {
        copy.value = *number;
      } else if (const auto* text = std::get_if<std::string>(&option.value)) {
        copy.value = *text;
      } else if (const auto* flag = std::get_if<bool>(&option.value)) {
        copy.value = *flag;
      }
      continue;
    }
    // pg_attribute.attidentity's letter, as the grammar gives it.
    const auto* letter = std::get_if<int64_t>(&option.value);
    column->identity = letter != nullptr && *letter == static_cast<char>(catalog::Identity::kAlways)
                           ? catalog::Identity::kAlways
                           : catalog::Identity::kByDefault;
  }
  const SequencePtr sequence = definition->snapshot()->find_sequence(column->owned_sequence);
  if (of_sequence.empty() || sequence == nullptr) {
    co_return Status();
  }
  co_return co_await change_sequence(sequence, &of_sequence, definition);
}

Task<Status> identity_command(Alteration* alteration, const Command* command, Definition* definition) {
  PANDO_CO_ASSIGN(const AttributeNumber attribute, Definition::find_attribute(alteration->table, command->name));
  ColumnDescriptor& column = column_of(*alteration, attribute);
  if (command->kind == Command::Kind::kDropIdentity) {
    if (column.identity == catalog::Identity::kNone) {
      if (command->missing_ok) {
        definition->notice(fmt::format("column \"{}\" of relation \"{}\" is not an identity column, skipping",
                                       column.name, alteration->table.name));
        co_return Status();
      }
      co_return Status(sql_state::kObjectNotInPrerequisiteState,
                       "column \"{}\" of relation \"{}\" is not an identity column", column.name,
                       alteration->table.name);
    }
    if (const SequencePtr owned = definition->snapshot()->find_sequence(column.owned_sequence)) {
      PANDO_CO_TRY(co_await definition->catalog().remove(owned));
    }
    column.identity = catalog::Identity::kNone;
    column.owned_sequence = 0;
    co_return Status();
  }
  co_return co_await (command->kind == Command::Kind::kAddIdentity
                          ? add_identity(alteration, &column, command, definition)
                          : set_identity(alteration, &column, command, definition));
}

Task<Status> not_null_command(Alteration* alteration, const Command* command, Definition* definition) {
  PANDO_CO_ASSIGN(const AttributeNumber attribute, Definition::find_attribute(alteration->table, command->name));
  ColumnDescriptor& column = column_of(*alteration, attribute);
  if (command->kind == Command::Kind::kSetNotNull) {
    if (!column.not_null) {
      column.not_null = true;
      alteration->not_null_to_validate.push_back(column.name);
    }
    co_return Status();
  }
  const IndexDescriptor* primary = alteration->table.primary_index();
  const bool in_primary_key =
      primary != nullptr && std::ranges::any_of(primary->columns, [&](const catalog::IndexColumn& key) {
        return key.attribute == attribute;
      });
  if (in_primary_key) {
    co_return Status(sql_state::kInvalidTableDefinition, "column \"{}\" is in a primary key", column.name);
  }
  if (column.identity != catalog::Identity::kNone) {
    co_return Status(sql_state::kSyntaxError, "column \"{}\" of relation \"{}\" is an identity column", column.name,
                     alteration->table.name);
  }
  column.not_null = false;
  static_cast<void>(definition);
  co_return Status();
}

Task<Status> validate_command(Alteration* alteration, const Command* command) {
  const auto found = std::ranges::find(alteration->table.constraints, command->name, &ConstraintDescriptor::name);
  if (found == alteration->table.constraints.end()) {
    co_return Status(sql_state::kUndefinedObject, "constraint \"{}\" of relation \"{}\" does not exist", command->name,
                     alteration->table.name);
  }
  if (!found->validated) {
    found->validated = true;
    alteration->constraints_to_validate.push_back(found->name);
  }
  co_return Status();
}

Task<Status> run_command(Alteration* alteration, const Command* command, Definition* definition) {
  using Kind = Command::Kind;
  switch (command->kind) {
    case Kind::kAddColumn:
      co_return co_await add_column_command(alteration, command, definition);
    case Kind::kDropColumn:
      co_return co_await drop_column_command(alteration, command, definition);
    case Kind::kColumnDefault:
      co_return co_await default_command(alteration, command, definition);
    case Kind::kSetNotNull:
    case Kind::kDropNotNull:
      co_return co_await not_null_command(alteration, command, definition);
    case Kind::kColumnType:
      co_return co_await change_type(alteration, command, definition);
    case Kind::kAddConstraint:
      co_return co_await add_constraint_command(alteration, command, definition);
    case Kind::kDropConstraint:
      co_return co_await drop_constraint_command(alteration, command, definition);
    case Kind::kValidateConstraint:
      co_return co_await validate_command(alteration, command);
    case Kind::kAddIdentity:
    case Kind::kSetIdentity:
    case Kind::kDropIdentity:
      co_return co_await identity_command(alteration, command, definition);
    case Kind::kChangeOwner:
    case Kind::kSetOptions:
    case Kind::kResetOptions:
    case Kind::kReplicaIdentity:
    case Kind::kClusterOn:
      // Storage details of PostgreSQL's heap that have no meaning here; dumps set them.
      co_return command->kind == Kind::kSetOptions && !command->name.empty()
          ? Definition::find_attribute(alteration->table, command->name).status()
          : Status();
    case Kind::kUnsupported:
      co_return Status(sql_state::kFeatureNotSupported, "ALTER TABLE {} is not supported", command->name);
  }
  PANDO_UNREACHABLE("an unknown ALTER TABLE command");
}

Task<Status> validate_not_null(TablePtr table, std::string column, Definition* definition) {
  PANDO_CO_ASSIGN(const auto rows, co_await definition->context().queries.rows(
                                       fmt::format("SELECT 1 FROM ONLY {} WHERE {} IS NULL LIMIT 1",
                                                   definition->qualified_name(*table), quote_identifier(column))));
  if (!rows.empty()) {
    Status status(sql_state::kNotNullViolation, "column \"{}\" of relation \"{}\" contains null values", column,
                  table->name);
    const SchemaPtr schema = definition->snapshot()->find_schema(table->schema);
    status.fields().schema_name = schema->name;
    status.fields().table_name = table->name;
    status.fields().column_name = column;
    co_return status;
  }
  co_return Status();
}

}  // namespace

namespace {

// The constraint whose rows from before may be left to a job: one that the only command adds or validates.
ConstraintDescriptor* constraint_for_job(const ast::AlterTable& statement, Alteration& alteration) {
  const auto& command = statement.commands.front();
  auto& constraints = alteration.table.constraints;
  if (statement.commands.size() > 1) {
    return nullptr;
  }
  if (command.kind == Command::Kind::kAddConstraint && constraints.back().kind == ConstraintKind::kUnique) {
    const bool builds = command.constraint->index.empty() && !constraints.back().deferrable;
    return builds ? &constraints.back() : nullptr;
  }
  const bool validates =
      command.kind == Command::Kind::kAddConstraint || command.kind == Command::Kind::kValidateConstraint;
  if (!validates || alteration.constraints_to_validate.empty()) {
    return nullptr;
  }
  return &*std::ranges::find(constraints, alteration.constraints_to_validate.front(), &ConstraintDescriptor::name);
}

// SET NOT NULL as a check until the job has looked at all rows: queries rely on NOT NULL, and on a check they do not.
Task<Result<ConstraintDescriptor*>> add_not_null_check(Alteration* alteration, Definition* definition) {
  PANDO_CO_ASSIGN(const Oid oid, co_await definition->allocate_oid());
  const std::string& name = alteration->not_null_to_validate.front();
  PANDO_CO_ASSIGN(const AttributeNumber attribute, Definition::find_attribute(alteration->table, name));
  column_of(*alteration, attribute).not_null = false;
  co_return &alteration->table.constraints.emplace_back(
      ConstraintDescriptor{.oid = oid,
                           .name = Definition::choose_constraint_name(alteration->table, name, "not_null"),
                           .kind = ConstraintKind::kCheck,
                           .columns = {attribute},
                           .check_sql = quote_identifier(name) + " IS NOT NULL"});
}

// False: the statement has to do it itself.
Task<Result<bool>> leave_to_job(const ast::AlterTable* statement, Alteration* alteration, Definition* definition) {
  const auto& command = statement->commands.front();
  const bool sets_not_null = statement->commands.size() == 1 && command.kind == Command::Kind::kSetNotNull &&
                             !alteration->not_null_to_validate.empty();
  ConstraintDescriptor* constraint = sets_not_null ? nullptr : constraint_for_job(*statement, *alteration);
  if (constraint == nullptr && !sets_not_null) {
    co_return false;
  }
  PANDO_CO_ASSIGN(const bool is_for_job, co_await definition->leaves_rows_to_job(alteration->before));
  if (!is_for_job) {
    co_return false;
  }
  if (sets_not_null) {
    PANDO_CO_ASSIGN(constraint, co_await add_not_null_check(alteration, definition));
  }
  const bool builds = constraint->kind == ConstraintKind::kUnique;
  constraint->validated = false;
  *definition->context().job = {.kind = builds ? catalog::JobKind::kBuildIndex : catalog::JobKind::kValidateConstraint,
                                .table = alteration->table.oid,
                                .place = alteration->table.id,
                                .index = builds ? constraint->index : 0,
                                .constraint = constraint->oid,
                                .keeps_constraint = command.kind == Command::Kind::kValidateConstraint,
                                .not_null = sets_not_null ? constraint->columns.front() : AttributeNumber{0}};
  if (builds) {
    alteration->table.indexes.back().readable = false;
  }
  PANDO_CO_TRY(co_await definition->put_table(alteration->table));
  co_return true;
}

// ALTER TABLE ... OWNER TO names sequences and views too, as dumps do.
Task<Status> change_owner(const ast::AlterTable* statement, const Command* command, Definition* definition) {
  ast::AlterOwner change;
  change.kind_name = "TABLE";
  change.relation = statement->name;
  change.owner = *command->owner;
  co_return (co_await alter_owner(&change, definition)).status();
}

bool only_changes_owner(const ast::AlterTable& statement) {
  return std::ranges::all_of(statement.commands,
                             [](const Command& command) { return command.kind == Command::Kind::kChangeOwner; });
}

bool changes_row_type(const Command& command) {
  return command.kind == Command::Kind::kAddColumn || command.kind == Command::Kind::kDropColumn ||
         command.kind == Command::Kind::kColumnType;
}

// Stored values of the row type have the fields that it had.
Status check_row_type_unused(const ast::AlterTable& statement, const TableDescriptor& table, Definition& definition) {
  return std::ranges::any_of(statement.commands, changes_row_type)
             ? check_unused("table", table.name, catalog::row_type_of(table), definition)
             : Status();
}

}  // namespace

Task<Result<std::string>> alter_table(const ast::AlterTable* statement, Definition* definition) {
  const std::string tag = statement->kind == ast::ObjectKind::kView               ? "ALTER VIEW"
                          : statement->kind == ast::ObjectKind::kMaterializedView ? "ALTER MATERIALIZED VIEW"
                          : statement->kind == ast::ObjectKind::kIndex            ? "ALTER INDEX"
                          : statement->kind == ast::ObjectKind::kSequence         ? "ALTER SEQUENCE"
                                                                                  : "ALTER TABLE";
  if (statement->kind == ast::ObjectKind::kType) {
    co_return co_await alter_composite(statement, definition);
  }
  if (statement->kind == ast::ObjectKind::kIndex ||
      (statement->kind == ast::ObjectKind::kSequence && !only_changes_owner(*statement))) {
    co_return tag;
  }
  if (only_changes_owner(*statement) && (!statement->if_exists || definition->find_relation(statement->name).ok())) {
    for (const auto& command : statement->commands) {
      PANDO_CO_TRY(co_await change_owner(statement, &command, definition));
    }
    co_return tag;
  }
  const bool is_table = statement->kind == ast::ObjectKind::kTable;
  auto found =
      co_await definition->lock_named(statement->name, is_table ? &Definition::find_table : &Definition::find_relation);
  if (!found.ok() && statement->if_exists && found.status().is(sql_state::kUndefinedTable)) {
    definition->notice(fmt::format("relation \"{}\" does not exist, skipping", statement->name.name));
    co_return tag;
  }
  PANDO_CO_ASSIGN(const TablePtr table, std::move(found));
  PANDO_CO_TRY(check_row_type_unused(*statement, *table, *definition));
  Alteration alteration{.before = table, .table = *table};
  for (const auto& command : statement->commands) {
    if (command.kind == Command::Kind::kChangeOwner) {
      PANDO_CO_TRY(co_await change_owner(statement, &command, definition));
      alteration.table.owner = definition->snapshot()->find_table(table->oid)->owner;
      continue;
    }
    PANDO_CO_TRY(co_await run_command(&alteration, &command, definition));
  }
  PANDO_CO_TRY(check_row_type(alteration.table, *definition));
  PANDO_CO_TRY(check_retyped_keys(*table, alteration.table, *definition));
  PANDO_CO_ASSIGN(const bool is_left, co_await leave_to_job(statement, &alteration, definition));
  if (is_left) {
    co_return tag;
  }
  if (alteration.rewrites) {
    for (const auto& column : alteration.not_null_to_validate) {
      if (table->find_column(column) != nullptr) {
        PANDO_CO_TRY(co_await validate_not_null(table, column, definition));
      }
    }
    PANDO_CO_TRY(co_await definition->rewrite(table, alteration.table, true, std::move(alteration.replaced)));
  } else {
    PANDO_CO_TRY(co_await definition->put_table(alteration.table));
  }
  const TablePtr changed = definition->snapshot()->find_table(table->oid);
  for (const auto& column : alteration.not_null_to_validate) {
    PANDO_CO_TRY(co_await validate_not_null(changed, column, definition));
  }
  for (const auto& constraint : alteration.constraints_to_validate) {
    PANDO_CO_TRY(co_await validate_constraint(changed, constraint, definition));
  }
  co_return tag;
}

}  // namespace pando::sql::ddl
