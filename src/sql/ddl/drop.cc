#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "sql/ddl/definition.h"
#include "sql/expr/walk.h"

namespace pando::sql::ddl {
namespace {

constexpr std::string_view kCascadeHint = "Use DROP ... CASCADE to drop the dependent objects too.";

// The name as PostgreSQL shows it in dependency messages: qualified when it is not visible.
std::string shown_name(const TableDescriptor& table, Definition& definition) {
  return definition.snapshot()->is_visible(definition.context().bind.search_path, table.oid)
             ? table.name
             : definition.qualified_name(table);
}

std::string shown_name(const SequenceDescriptor& sequence, Definition& definition) {
  const SchemaPtr schema = definition.snapshot()->find_schema(sequence.schema);
  return definition.snapshot()->is_visible(definition.context().bind.search_path, sequence.oid)
             ? sequence.name
             : quote_identifier(schema->name) + "." + quote_identifier(sequence.name);
}

struct Dependent {
  Oid oid = 0;
  // "view v", "constraint c on table t", and what that depends on.
  std::string what;
  std::string on;
  // The relation to drop, or the table whose constraint goes.
  Oid relation = 0;
  std::string constraint;
};

std::string described(const TableDescriptor& table, Definition& definition) {
  return relation_word(table) + " " + shown_name(table, definition);
}

std::vector<Dependent> dependents_of(const TableDescriptor& table, Definition& definition) {
  const std::string on = described(table, definition);
  std::vector<Dependent> dependents;
  for (const TablePtr& view : dependent_views(table.oid, definition)) {
    dependents.push_back({view->oid, described(*view, definition), on, view->oid, ""});
  }
  for (const TablePtr& other : definition.snapshot()->referencing_tables(table.oid)) {
    for (const auto& constraint : other->constraints) {
      const bool refers = constraint.kind == ConstraintKind::kForeign && constraint.referenced_table == table.oid;
      if (refers && other->oid != table.oid) {
        dependents.push_back({constraint.oid,
                              fmt::format("constraint {} on table {}", constraint.name, shown_name(*other, definition)),
                              on, other->oid, constraint.name});
      }
    }
  }
  std::ranges::sort(dependents, {}, &Dependent::oid);
  return dependents;
}

// All that depends on the table, each before what depends on it, in PostgreSQL's order. `going` are the relations that
// are dropped already: what is theirs is not told.
void add_dependents(const TableDescriptor& table, std::set<Oid>& going, std::vector<Dependent>& found,
                    Definition& definition) {
  for (Dependent& dependent : dependents_of(table, definition)) {
    const bool is_new =
        dependent.constraint.empty() ? going.insert(dependent.relation).second : !going.contains(dependent.relation);
    if (!is_new) {
      continue;
    }
    const Oid view = dependent.constraint.empty() ? dependent.relation : 0;
    found.push_back(std::move(dependent));
    if (view != 0) {
      add_dependents(*definition.snapshot()->find_table(view), going, found, definition);
    }
  }
}

std::vector<Dependent> all_dependents(const std::vector<TablePtr>& tables, Definition& definition) {
  std::set<Oid> going;
  for (const TablePtr& table : tables) {
    going.insert(table->oid);
  }
  std::vector<Dependent> found;
  for (const TablePtr& table : tables) {
    add_dependents(*table, going, found, definition);
  }
  return found;
}

// `what` is the one object to drop; empty for several.
Status refuse_drop(const std::string& what, const std::vector<Dependent>& dependents) {
  std::string detail;
  for (const auto& dependent : dependents) {
    detail += fmt::format("{}{} depends on {}", detail.empty() ? "" : "\n", dependent.what, dependent.on);
  }
  Status status = what.empty() ? Status(sql_state::kDependentObjectsStillExist,
                                        "cannot drop desired object(s) because other objects depend on them")
                               : Status(sql_state::kDependentObjectsStillExist,
                                        "cannot drop {} because other objects depend on it", what);
  return std::move(status).with_detail(detail).with_hint(std::string(kCascadeHint));
}

Task<Status> drop_owned_sequences(TablePtr table, Definition* definition) {
  std::vector<SequencePtr> owned;
  for (const auto& [oid, sequence] : definition->snapshot()->sequences()) {
    if (sequence->owner_table == table->oid) {
      owned.push_back(sequence);
    }
  }
  for (const auto& sequence : owned) {
    PANDO_CO_TRY(co_await definition->catalog().remove(sequence));
  }
  co_return Status();
}

// The relation alone, whatever depends on it.
Task<Status> remove_relation(Oid relation, Definition* definition) {
  PANDO_CO_ASSIGN(const TablePtr table, co_await definition->lock_for_change(relation));
  PANDO_CO_TRY(co_await drop_owned_sequences(table, definition));
  if (has_rows(*table) && is_populated(*table)) {
    definition->discard_rows(*table);
  }
  co_return co_await definition->catalog().remove(definition->snapshot()->find_table(relation));
}

Task<Status> drop_dependents(std::vector<Dependent> dependents, Definition* definition) {
  for (const auto& dependent : dependents) {
    if (dependent.constraint.empty()) {
      PANDO_CO_TRY(co_await remove_relation(dependent.relation, definition));
      continue;
    }
    PANDO_CO_ASSIGN(const TablePtr other, co_await definition->lock_for_change(dependent.relation));
    TableDescriptor changed = *other;
    std::erase_if(changed.constraints, [&](const ConstraintDescriptor& c) { return c.name == dependent.constraint; });
    PANDO_CO_TRY(co_await definition->put_table(std::move(changed)));
  }
  co_return Status();
}

void notice_cascades(const std::vector<Dependent>& dependents, Definition& definition) {
  if (dependents.size() == 1) {
    definition.notice("drop cascades to " + dependents[0].what);
  } else if (dependents.size() > 1) {
    std::string detail;
    for (const auto& dependent : dependents) {
      detail += (detail.empty() ? "drop cascades to " : "\ndrop cascades to ") + dependent.what;
    }
    Status status =
        Status::from_message(sql_state::kSuccess, fmt::format("drop cascades to {} other objects", dependents.size()));
    status.fields().detail = detail;
    if (definition.context().notice) {
      definition.context().notice(std::move(status));
    }
  }
}

bool names_sequence(const ExprPtr& expr, Oid sequence) {
  const auto* constant = as<ConstantExpr>(expr);
  bool names = constant != nullptr && expr->type.oid == types::oid::kRegclass && !constant->value.is_null() &&
               constant->value.as<Oid>() == sequence;
  for_each_child(expr, [&](const ExprPtr& child) { names = names || names_sequence(child, sequence); });
  return names;
}

Task<Status> drop_sequence(SequencePtr sequence, ast::DropBehavior behavior, Definition* definition) {
  const auto users = sequence_users(sequence->oid, *definition);
  for (const auto& [oid, attribute] : users) {
    const TablePtr table = definition->snapshot()->find_table(oid);
    const ColumnDescriptor& column = table->column(attribute);
    if (column.identity != catalog::Identity::kNone) {
      co_return Status(sql_state::kDependentObjectsStillExist,
                       "cannot drop sequence {} because column {} of table {} requires it", sequence->name, column.name,
                       table->name)
          .with_hint(fmt::format("You can drop column {} of table {} instead.", column.name, table->name));
    }
    if (behavior == ast::DropBehavior::kRestrict) {
      co_return Status(sql_state::kDependentObjectsStillExist,
                       "cannot drop sequence {} because other objects depend on it", sequence->name)
          .with_detail(fmt::format("default value for column {} of table {} depends on sequence {}", column.name,
                                   table->name, sequence->name))
          .with_hint(std::string(kCascadeHint));
    }
    definition->notice(
        fmt::format("drop cascades to default value for column {} of table {}", column.name, table->name));
    TableDescriptor changed = *table;
    changed.columns[static_cast<std::size_t>(attribute) - 1].default_sql.clear();
    changed.columns[static_cast<std::size_t>(attribute) - 1].owned_sequence = 0;
    PANDO_CO_TRY(co_await definition->put_table(std::move(changed)));
  }
  co_return co_await definition->catalog().remove(sequence);
}

Task<Status> drop_index(TablePtr table, std::string name, ast::DropBehavior behavior, Definition* definition) {
  PANDO_CO_ASSIGN(table, co_await definition->lock_for_change(table->oid));
  const auto found = std::ranges::find(table->indexes, name, &IndexDescriptor::name);
  if (found == table->indexes.end()) {
    co_return Status(sql_state::kUndefinedObject, "index \"{}\" does not exist", name);
  }
  for (const auto& constraint : table->constraints) {
    if (constraint.index == found->oid && constraint.kind != ConstraintKind::kForeign) {
      co_return Status(sql_state::kDependentObjectsStillExist,
                       "cannot drop index {} because constraint {} on table {} requires it", name, constraint.name,
                       table->name)
          .with_hint(fmt::format("You can drop constraint {} on table {} instead.", constraint.name, table->name));
    }
  }
  static_cast<void>(behavior);
  TableDescriptor changed = *table;
  const Oid oid = found->oid;
  txn::Store& store = definition->catalog().catalog().store();
  const Bytes prefix = catalog::index_prefix(table->id, found->id);
  definition->catalog().transaction().on_commit(
      [&store, span = txn::Span{prefix, prefix_end(prefix)}] { store.discard(span); });
  std::erase_if(changed.indexes, [&](const IndexDescriptor& index) { return index.oid == oid; });
  co_return co_await definition->put_table(std::move(changed));
}

// What a schema holds, in the order of making, each with what depends on it elsewhere.
std::vector<Dependent> contents_of(const catalog::SchemaDescriptor& schema, Definition& definition) {
  const std::string on = "schema " + schema.name;
  std::vector<Dependent> contents;
  std::set<Oid> going;
  for (const auto& [oid, table] : definition.snapshot()->tables()) {
    if (table->schema == schema.oid) {
      contents.push_back({oid, described(*table, definition), on, oid, ""});
      going.insert(oid);
    }
  }
  for (const auto& [oid, type] : definition.snapshot()->user_defined_types()) {
    if (type->schema == schema.oid) {
      contents.push_back({oid, "type " + definition.shown_name(*type), on, 0, ""});
    }
  }
  for (const auto& [oid, sequence] : definition.snapshot()->sequences()) {
    if (sequence->schema == schema.oid && sequence->owner_table == 0) {
      contents.push_back({oid, "sequence " + shown_name(*sequence, definition), on, 0, ""});
    }
  }
  std::ranges::sort(contents, {}, &Dependent::oid);
  std::vector<Dependent> all;
  for (Dependent& own : contents) {
    const TablePtr table = own.relation == 0 ? nullptr : definition.snapshot()->find_table(own.relation);
    all.push_back(std::move(own));
    if (table != nullptr) {
      add_dependents(*table, going, all, definition);
    }
  }
  return all;
}

Task<Status> drop_schema(SchemaPtr schema, ast::DropBehavior behavior, Definition* definition) {
  std::vector<Dependent> dependents = contents_of(*schema, *definition);
  if (behavior == ast::DropBehavior::kRestrict && !dependents.empty()) {
    co_return refuse_drop("schema " + schema->name, dependents);
  }
  notice_cascades(dependents, *definition);
  std::erase_if(dependents, [](const Dependent& dependent) { return dependent.relation == 0; });
  PANDO_CO_TRY(co_await drop_dependents(std::move(dependents), definition));
  const auto view = definition->snapshot();
  for (const auto& [oid, sequence] : view->sequences()) {
    if (sequence->schema == schema->oid && definition->snapshot()->find_sequence(oid)) {
      PANDO_CO_TRY(co_await definition->catalog().remove(sequence));
    }
  }
  for (const auto& [oid, type] : view->user_defined_types()) {
    if (type->schema == schema->oid && definition->snapshot()->find_type(oid)) {
      PANDO_CO_TRY(co_await drop_type(type, ast::DropBehavior::kCascade, definition));
    }
  }
  co_return co_await definition->catalog().remove(schema);
}

std::string dotted(const ast::QualifiedName& name) { return fmt::format("{}", fmt::join(name, ".")); }

// What PostgreSQL says of a missing object of each kind.
Status missing_object(const ast::DropObjects& statement, const ast::QualifiedName& name) {
  switch (statement.kind) {
    case ast::ObjectKind::kSchema:
      return Status(sql_state::kInvalidSchemaName, "schema \"{}\" does not exist", dotted(name));
    case ast::ObjectKind::kType:
    case ast::ObjectKind::kDomain:
      return Status(sql_state::kUndefinedObject, "type \"{}\" does not exist", dotted(name));
    case ast::ObjectKind::kIndex:
      return Status(sql_state::kUndefinedObject, "index \"{}\" does not exist", dotted(name));
    case ast::ObjectKind::kView:
      return Status(sql_state::kUndefinedTable, "view \"{}\" does not exist", dotted(name));
    case ast::ObjectKind::kMaterializedView:
      return Status(sql_state::kUndefinedTable, "materialized view \"{}\" does not exist", dotted(name));
    case ast::ObjectKind::kSequence:
      return Status(sql_state::kUndefinedTable, "sequence \"{}\" does not exist", dotted(name));
    default:
      return Status(sql_state::kUndefinedTable, "table \"{}\" does not exist", dotted(name));
  }
}

Status wrong_kind(const ast::DropObjects& statement, const TableDescriptor& found) {
  const std::string found_word = relation_word(found);
  std::string found_kind = found_word;
  std::ranges::transform(found_kind, found_kind.begin(),
                         [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  const std::string article = statement.kind == ast::ObjectKind::kIndex ? "an" : "a";
  std::string word = statement.kind_name;
  std::ranges::transform(word, word.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return Status(sql_state::kWrongObjectType, "\"{}\" is not {} {}", found.name, article, word)
      .with_hint(fmt::format("Use DROP {} to remove a {}.", found_kind, found_word));
}

TablePtr table_of_index(const catalog::Snapshot& view, const std::vector<std::string>& schemas,
                        const std::string& index) {
  for (const auto& schema_name : schemas) {
    const SchemaPtr schema = view.find_schema(schema_name);
    if (TablePtr table = schema ? view.find_index_table(schema->oid, index) : nullptr) {
      return table;
    }
  }
  return nullptr;
}

// A table or view. Null when there is none of the name.
Result<TablePtr> find_droppable(const ast::DropObjects& statement, const ast::RelationName& name,
                                Definition& definition) {
  TablePtr table = definition.snapshot()->resolve_table(definition.context().bind.search_path, name.schema, name.name);
  if (!table) {
    return table;
  }
  const RelationKind wanted = statement.kind == ast::ObjectKind::kView               ? RelationKind::kView
                              : statement.kind == ast::ObjectKind::kMaterializedView ? kMaterializedView
                                                                                     : RelationKind::kTable;
  if (table->kind == RelationKind::kVirtual || table->oid < types::oid::kFirstUser) {
    return Status(sql_state::kInsufficientPrivilege, "permission denied: \"{}\" is a system catalog", table->name);
  }
  if (table->kind != wanted) {
    return wrong_kind(statement, *table);
  }
  return table;
}

// False: there is no such object.
Task<Result<bool>> drop_one(const ast::DropObjects* statement, const ast::QualifiedName* name, Definition* definition) {
  const auto view = definition->snapshot();
  if (statement->kind == ast::ObjectKind::kSchema) {
    const SchemaPtr schema = view->find_schema(name->back());
    if (!schema) {
      co_return false;
    }
    PANDO_CO_TRY(co_await drop_schema(schema, statement->behavior, definition));
    co_return true;
  }
  if (statement->kind == ast::ObjectKind::kType || statement->kind == ast::ObjectKind::kDomain) {
    const auto type = definition->find_user_type(*name);
    if (!type.ok()) {
      co_return false;
    }
    if (statement->kind == ast::ObjectKind::kDomain && (*type)->kind != catalog::UserTypeKind::kDomain) {
      co_return Status(sql_state::kWrongObjectType, "\"{}\" is not a domain", dotted(*name));
    }
    PANDO_CO_TRY(co_await drop_type(*type, statement->behavior, definition));
    co_return true;
  }
  PANDO_CO_ASSIGN(const ast::RelationName relation, Definition::relation_name(*name));
  const auto& path = definition->context().bind.search_path;
  if (statement->kind == ast::ObjectKind::kSequence) {
    const SequencePtr sequence = view->resolve_sequence(path, relation.schema, relation.name);
    if (!sequence) {
      co_return false;
    }
    PANDO_CO_TRY(co_await drop_sequence(sequence, statement->behavior, definition));
    co_return true;
  }
  if (statement->kind == ast::ObjectKind::kIndex) {
    std::vector<std::string> schemas = relation.schema.empty() ? path : std::vector<std::string>{relation.schema};
    PANDO_CO_ASSIGN(const TablePtr table, co_await definition->lock_found([&]() -> Result<TablePtr> {
      return table_of_index(*definition->snapshot(), schemas, relation.name);
    }));
    if (!table) {
      co_return false;
    }
    PANDO_CO_TRY(co_await drop_index(table, relation.name, statement->behavior, definition));
    co_return true;
  }
  PANDO_UNREACHABLE("an object of a kind that is dropped together");
}

bool is_relation(const ast::DropObjects& statement) {
  return statement.kind == ast::ObjectKind::kTable || statement.kind == ast::ObjectKind::kView ||
         statement.kind == ast::ObjectKind::kMaterializedView;
}

// An error, or what IF EXISTS makes of it.
Status missing(const ast::DropObjects& statement, const ast::QualifiedName& name, Definition& definition) {
  Status status = missing_object(statement, name);
  if (!statement.if_exists) {
    return status;
  }
  definition.notice(std::string(status.message()) + ", skipping");
  return {};
}

// IF EXISTS for objects that nobody can make here: there are none but PostgreSQL's own. False where one of those may be
// meant, or for kinds that are not known.
Result<bool> absent_objects(const ast::DropObjects& statement, Definition& definition) {
  std::string word = statement.kind_name;
  std::ranges::transform(word, word.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const bool is_call = word == "function" || word == "procedure" || word == "routine";
  const bool is_part = word == "trigger" || word == "rule" || word == "policy";
  const bool is_plain = word == "publication" || word == "event trigger" || word == "server" ||
                        word == "foreign table" || word == "extension";
  if (!is_call && !is_part && !is_plain) {
    return false;
  }
  std::vector<std::string> notices;
  for (const ast::QualifiedName& name : statement.names) {
    const std::string& last = name.back();
    if (is_call && !functions_named(last.substr(0, last.find('('))).empty()) {
      return false;
    }
    if (word == "extension" && last == "plpgsql") {
      return false;
    }
    if (!is_part) {
      notices.push_back(is_call ? fmt::format("{} {}", word, dotted(name))
                                : fmt::format("{} \"{}\"", word, dotted(name)));
      continue;
    }
    const ast::QualifiedName table(name.begin(), name.end() - 1);
    PANDO_ASSIGN(const ast::RelationName relation, Definition::relation_name(table));
    const bool has_table = definition.find_relation(relation).ok();
    notices.push_back(has_table ? fmt::format("{} \"{}\" for relation \"{}\"", word, last, dotted(table))
                                : fmt::format("relation \"{}\"", dotted(table)));
  }
  for (const std::string& what : notices) {
    definition.notice(what + " does not exist, skipping");
  }
  return true;
}

// What is declared with the relation's row type.
Task<Status> drop_row_uses(TablePtr table, ast::DropBehavior behavior, Definition* definition) {
  const Oid row_type = catalog::row_type_of(*table);
  if (row_type != 0) {
    DroppedType dropped{described(*table, *definition), "type " + shown_name(*table, *definition)};
    std::vector<TypeUse> uses = uses_of(row_type, types::array_of(row_type), *definition);
    PANDO_CO_TRY(co_await drop_uses(std::move(uses), std::move(dropped), behavior, definition));
  }
  co_return Status();
}

// Tables and views that one statement names may depend on each other.
Task<Status> drop_relations(const ast::DropObjects* statement, Definition* definition) {
  std::vector<TablePtr> tables;
  for (const auto& name : statement->names) {
    PANDO_CO_ASSIGN(const ast::RelationName relation, Definition::relation_name(name));
    PANDO_CO_ASSIGN(TablePtr table, co_await definition->lock_found([&]() -> Result<TablePtr> {
      return find_droppable(*statement, relation, *definition);
    }));
    if (table == nullptr) {
      PANDO_CO_TRY(missing(*statement, name, *definition));
    } else if (std::ranges::find(tables, table->oid, &TableDescriptor::oid) == tables.end()) {
      tables.push_back(std::move(table));
    }
  }
  auto dependents = all_dependents(tables, *definition);
  if (statement->behavior == ast::DropBehavior::kRestrict && !dependents.empty()) {
    co_return refuse_drop(tables.size() == 1 ? described(*tables.front(), *definition) : "", dependents);
  }
  notice_cascades(dependents, *definition);
  PANDO_CO_TRY(co_await drop_dependents(std::move(dependents), definition));
  for (const TablePtr& table : tables) {
    PANDO_CO_TRY(co_await drop_row_uses(table, statement->behavior, definition));
    PANDO_CO_TRY(co_await remove_relation(table->oid, definition));
  }
  co_return Status();
}

}  // namespace

std::vector<std::pair<Oid, AttributeNumber>> sequence_users(Oid sequence, Definition& definition) {
  std::vector<std::pair<Oid, AttributeNumber>> users;
  for (const auto& [oid, table] : definition.snapshot()->tables()) {
    for (const auto& column : table->columns) {
      bool draws = !column.dropped && column.owned_sequence == sequence;
      if (!draws && !column.dropped && column.default_sql.find("::regclass") != std::string::npos) {
        const auto value = bind_stored_default(table, column.number, definition.bind_options());
        draws = value.ok() && names_sequence(*value, sequence);
      }
      if (draws) {
        users.emplace_back(oid, column.number);
      }
    }
  }
  return users;
}

std::string relation_word(const TableDescriptor& table) {
  return table.kind == RelationKind::kView ? "view" : table.kind == kMaterializedView ? "materialized view" : "table";
}

Task<Status> drop_relation(Oid relation, ast::DropBehavior behavior, Definition* definition) {
  PANDO_CO_ASSIGN(const TablePtr table, co_await definition->lock_for_change(relation));
  auto dependents = all_dependents({table}, *definition);
  if (behavior == ast::DropBehavior::kRestrict && !dependents.empty()) {
    co_return refuse_drop(described(*table, *definition), dependents);
  }
  notice_cascades(dependents, *definition);
  PANDO_CO_TRY(co_await drop_dependents(std::move(dependents), definition));
  PANDO_CO_TRY(co_await drop_row_uses(table, behavior, definition));
  co_return co_await remove_relation(relation, definition);
}

Task<Status> drop_constraint(TableDescriptor* table, std::string name, ast::DropBehavior behavior,
                             Definition* definition) {
  const auto found = std::ranges::find(table->constraints, name, &ConstraintDescriptor::name);
  PANDO_ASSERT(found != table->constraints.end(), "dropping a constraint that the table does not have");
  const ConstraintDescriptor constraint = *found;
  const bool is_key = constraint.kind == ConstraintKind::kPrimary || constraint.kind == ConstraintKind::kUnique;
  if (is_key) {
    std::vector<Dependent> dependents;
    for (const TablePtr& other : definition->snapshot()->referencing_tables(table->oid)) {
      for (const auto& key : other->constraints) {
        if (key.kind == ConstraintKind::kForeign && key.index == constraint.index) {
          dependents.push_back({key.oid,
                                fmt::format("constraint {} on table {}", key.name, shown_name(*other, *definition)),
                                "index " + name, other->oid, key.name});
        }
      }
    }
    if (behavior == ast::DropBehavior::kRestrict && !dependents.empty()) {
      co_return refuse_drop(fmt::format("constraint {} on table {}", name, table->name), dependents);
    }
    notice_cascades(dependents, *definition);
    PANDO_CO_TRY(co_await drop_dependents(std::move(dependents), definition));
    std::erase_if(table->indexes, [&](const IndexDescriptor& index) { return index.oid == constraint.index; });
  }
  std::erase_if(table->constraints, [&](const ConstraintDescriptor& c) { return c.name == name; });
  co_return Status();
}

Task<Result<std::string>> drop_objects(const ast::DropObjects* statement, Definition* definition) {
  using Kind = ast::ObjectKind;
  const bool is_supported = statement->kind == Kind::kTable || statement->kind == Kind::kView ||
                            statement->kind == Kind::kIndex || statement->kind == Kind::kSequence ||
                            statement->kind == Kind::kSchema || statement->kind == Kind::kMaterializedView ||
                            statement->kind == Kind::kType || statement->kind == Kind::kDomain;
  if (!is_supported && statement->if_exists) {
    PANDO_CO_ASSIGN(const bool absent, absent_objects(*statement, *definition));
    if (absent) {
      co_return "DROP " + statement->kind_name;
    }
  }
  if (!is_supported) {
    co_return Status(sql_state::kFeatureNotSupported, "DROP {} is not supported", statement->kind_name);
  }
  if (is_relation(*statement)) {
    PANDO_CO_TRY(co_await drop_relations(statement, definition));
    co_return "DROP " + statement->kind_name;
  }
  for (const auto& name : statement->names) {
    PANDO_CO_ASSIGN(const bool found, co_await drop_one(statement, &name, definition));
    if (!found) {
      PANDO_CO_TRY(missing(*statement, name, *definition));
    }
  }
  co_return "DROP " + statement->kind_name;
}

}  // namespace pando::sql::ddl
