#include <algorithm>

#include "sql/ddl/definition.h"

namespace pando::sql::ddl {
namespace {

// PostgreSQL's bits of LIKE ... INCLUDING.
constexpr uint32_t kLikeComments = 1;
constexpr uint32_t kLikeConstraints = 4;
constexpr uint32_t kLikeDefaults = 8;
constexpr uint32_t kLikeGenerated = 16;
constexpr uint32_t kLikeIdentity = 32;
constexpr uint32_t kLikeIndexes = 64;

Status refuse(std::string_view feature) {
  return Status(sql_state::kFeatureNotSupported, "{} is not supported", feature);
}

Status check_supported(const ast::CreateTable& statement) {
  if (statement.partition_by || statement.is_partition) {
    return refuse("table partitioning");
  }
  if (!statement.inherits.empty()) {
    return refuse("table inheritance");
  }
  if (statement.of_type) {
    return refuse("CREATE TABLE OF type");
  }
  if (!statement.tablespace.empty() && statement.tablespace != "pg_default") {
    return Status(sql_state::kUndefinedObject, "tablespace \"{}\" does not exist", statement.tablespace);
  }
  if (!statement.access_method.empty() && statement.access_method != "heap") {
    return Status(sql_state::kUndefinedObject, "access method \"{}\" does not exist", statement.access_method);
  }
  if (statement.on_commit != ast::OnCommit::kNone &&
      statement.name.persistence != ast::RelationName::Persistence::kTemporary) {
    return Status(sql_state::kInvalidTableDefinition, "ON COMMIT can only be used on temporary tables");
  }
  return {};
}

Task<Status> copy_like(TableDescriptor* table, const ast::TableLike* like, Definition* definition) {
  PANDO_CO_ASSIGN(const TablePtr source, definition->find_relation(like->table));
  std::vector<AttributeNumber> new_number(source->columns.size() + 1, 0);
  for (const auto& column : source->columns) {
    if (column.dropped) {
      continue;
    }
    if (table->find_column(column.name) != nullptr) {
      co_return Status(sql_state::kDuplicateColumn, "column \"{}\" specified more than once", column.name);
    }
    ColumnDescriptor copy;
    copy.number = static_cast<AttributeNumber>(table->columns.size() + 1);
    copy.name = column.name;
    copy.type = column.type;
    copy.domain = column.domain;
    copy.not_null = column.not_null;
    copy.collation = column.collation;
    const uint32_t wanted = column.generated ? kLikeGenerated : kLikeDefaults;
    if ((like->options & wanted) != 0) {
      copy.default_sql = column.default_sql;
      copy.generated = column.generated;
    }
    if (column.identity != catalog::Identity::kNone && (like->options & kLikeIdentity) != 0) {
      ast::Constraint identity;
      identity.kind = ast::Constraint::Kind::kIdentity;
      identity.generated_always = column.identity == catalog::Identity::kAlways;
      PANDO_CO_TRY(co_await add_sequence(table, &copy, &identity, definition));
    }
    copy.comment = (like->options & kLikeComments) != 0 ? column.comment : std::string();
    new_number[static_cast<std::size_t>(column.number)] = copy.number;
    table->columns.push_back(std::move(copy));
  }
  for (const auto& constraint : source->constraints) {
    if (constraint.kind == ConstraintKind::kCheck && (like->options & kLikeConstraints) != 0) {
      ConstraintDescriptor copy = constraint;
      PANDO_CO_ASSIGN(copy.oid, co_await definition->allocate_oid());
      for (auto& attribute : copy.columns) {
        attribute = new_number[static_cast<std::size_t>(attribute)];
      }
      table->constraints.push_back(std::move(copy));
    }
  }
  if ((like->options & kLikeIndexes) == 0) {
    co_return Status();
  }
  for (const auto& constraint : source->constraints) {
    if (constraint.kind == ConstraintKind::kPrimary || constraint.kind == ConstraintKind::kUnique) {
      ast::Constraint key;
      key.kind = constraint.kind == ConstraintKind::kPrimary ? ast::Constraint::Kind::kPrimaryKey
                                                             : ast::Constraint::Kind::kUnique;
      for (const AttributeNumber attribute : constraint.columns) {
        key.columns.push_back(source->column(attribute).name);
      }
      PANDO_CO_TRY(co_await add_constraint(table, &key, "", definition));
    }
  }
  co_return Status();
}

// Keys come before checks and foreign keys, which may refer to them.
int constraint_rank(const ast::Constraint& constraint) {
  using Kind = ast::Constraint::Kind;
  switch (constraint.kind) {
    case Kind::kGenerated:
      return 0;
    case Kind::kPrimaryKey:
      return 1;
    case Kind::kForeignKey:
      return 3;
    default:
      return 2;
  }
}

bool is_attribute_of_previous(const ast::Constraint& constraint) {
  using Kind = ast::Constraint::Kind;
  return constraint.kind == Kind::kDeferrable || constraint.kind == Kind::kNotDeferrable ||
         constraint.kind == Kind::kInitiallyDeferred || constraint.kind == Kind::kInitiallyImmediate;
}

using PendingConstraints = std::vector<std::pair<const ast::Constraint*, std::string>>;

Task<Status> add_constraints(TableDescriptor* table, PendingConstraints pending, Definition* definition) {
  for (int rank = 0; rank <= 3; ++rank) {
    for (std::size_t i = 0; i < pending.size(); ++i) {
      const auto& [constraint, column] = pending[i];
      if (is_attribute_of_previous(*constraint) || constraint_rank(*constraint) != rank) {
        continue;
      }
      PANDO_CO_TRY(co_await add_constraint(table, constraint, column, definition));
      for (std::size_t next = i + 1; next < pending.size() && is_attribute_of_previous(*pending[next].first); ++next) {
        PANDO_CO_TRY(co_await add_constraint(table, pending[next].first, column, definition));
      }
    }
  }
  co_return Status();
}

}  // namespace

Task<Result<std::string>> create_table(const ast::CreateTable* statement, Definition* definition) {
  const std::string tag = "CREATE TABLE";
  PANDO_CO_TRY(check_supported(*statement));
  PANDO_CO_ASSIGN(const SchemaPtr schema, co_await definition->schema_for(statement->name));
  auto claimed = co_await definition->claim_relation_name(schema, statement->name.name);
  if (!claimed.ok()) {
    if (statement->if_not_exists && claimed.is(sql_state::kDuplicateTable)) {
      definition->notice(fmt::format("relation \"{}\" already exists, skipping", statement->name.name),
                         sql_state::kDuplicateTable);
      co_return tag;
    }
    co_return claimed;
  }
  TableDescriptor table;
  PANDO_CO_ASSIGN(table.oid, co_await definition->allocate_oid());
  PANDO_CO_ASSIGN(table.row_type, co_await definition->allocate_oid());
  table.id = catalog::TableId(table.oid);
  definition->claim_rows(table);
  table.schema = schema->oid;
  table.name = statement->name.name;
  table.owner = definition->current_owner();
  table.temporary = is_temporary(*schema);
  table.unlogged = statement->name.persistence == ast::RelationName::Persistence::kUnlogged;
  PendingConstraints pending;
  for (const auto& element : statement->elements) {
    if (const auto* column = std::get_if<ast::ColumnDefinition>(&element)) {
      PANDO_CO_TRY(co_await add_column({&table, column, &pending}, definition));
    } else if (const auto* constraint = std::get_if<ast::Constraint>(&element)) {
      pending.emplace_back(constraint, "");
    } else {
      PANDO_CO_TRY(co_await copy_like(&table, &std::get<ast::TableLike>(element), definition));
    }
  }
  PANDO_CO_TRY(co_await add_constraints(&table, std::move(pending), definition));
  PANDO_CO_TRY(co_await definition->catalog().put(std::make_shared<const TableDescriptor>(std::move(table))));
  co_return tag;
}

Task<Result<std::string>> create_schema(const ast::CreateSchema* statement, Definition* definition) {
  std::string name = statement->name;
  if (name.empty() && statement->authorization) {
    name = statement->authorization->name;
  }
  if (name.starts_with("pg_")) {
    co_return Status(sql_state::kReservedName, "unacceptable schema name \"{}\"", name)
        .with_detail("The prefix \"pg_\" is reserved for system schemas.");
  }
  PANDO_CO_TRY(co_await definition->catalog().lock_name(0, name));
  if (definition->snapshot()->find_schema(name)) {
    if (statement->if_not_exists) {
      definition->notice(fmt::format("schema \"{}\" already exists, skipping", name), sql_state::kDuplicateSchema);
      co_return std::string("CREATE SCHEMA");
    }
    co_return Status(sql_state::kDuplicateSchema, "schema \"{}\" already exists", name);
  }
  catalog::SchemaDescriptor schema;
  PANDO_CO_ASSIGN(schema.oid, co_await definition->allocate_oid());
  schema.name = name;
  schema.owner = definition->current_owner();
  PANDO_CO_TRY(
      co_await definition->catalog().put(std::make_shared<const catalog::SchemaDescriptor>(std::move(schema))));
  auto& search_path = definition->context().bind.search_path;
  search_path.insert(search_path.begin(), name);
  for (const auto& element : statement->elements) {
    auto status = co_await definition->context().queries.execute(element.get());
    if (!status.ok()) {
      co_return status;
    }
  }
  search_path.erase(search_path.begin());
  co_return std::string("CREATE SCHEMA");
}

}  // namespace pando::sql::ddl
