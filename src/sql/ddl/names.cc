#include <algorithm>

#include "sql/ddl/definition.h"
#include "sql/expr/walk.h"

namespace pando::sql::ddl {
namespace {

// Cuts at a character boundary.
std::string_view cut(std::string_view name, std::size_t bytes_max) {
  if (name.size() <= bytes_max) {
    return name;
  }
  while (bytes_max > 0 && (static_cast<unsigned char>(name[bytes_max]) & 0xC0) == 0x80) {
    --bytes_max;
  }
  return name.substr(0, bytes_max);
}

// As PostgreSQL's makeObjectName: the longer of the two names gives way to the label.
std::string make_object_name(std::string_view table, std::string_view column, std::string_view label) {
  const std::size_t overhead = label.size() + 1 + (column.empty() ? 0 : 1);
  std::size_t table_bytes = table.size();
  std::size_t column_bytes = column.size();
  while (table_bytes + column_bytes + overhead > kNameBytesMax) {
    (table_bytes > column_bytes ? table_bytes : column_bytes) -= 1;
  }
  std::string name(cut(table, table_bytes));
  if (!column.empty()) {
    name += "_";
    name += cut(column, column_bytes);
  }
  return name + "_" + std::string(label);
}

Status undefined_table(const ast::RelationName& name) {
  const std::string shown = name.schema.empty() ? name.name : name.schema + "." + name.name;
  return Status(sql_state::kUndefinedTable, "relation \"{}\" does not exist", shown);
}

}  // namespace

int Definition::position(ast::Location location) const {
  const std::string_view text = context_.bind.text;
  if (location < 0 || static_cast<std::size_t>(location) > text.size()) {
    return 0;
  }
  const std::string_view before = text.substr(0, static_cast<std::size_t>(location));
  const auto is_start = [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; };
  return static_cast<int>(std::ranges::count_if(before, is_start)) + 1;
}

const BindOptions& Definition::bind_options() {
  context_.bind.catalog = snapshot();
  return context_.bind;
}

void Definition::notice(std::string message, SqlState code) {
  if (context_.notice) {
    context_.notice(Status::from_message(code, std::move(message)));
  }
}

Result<SchemaPtr> Definition::creation_schema(const std::string& schema) {
  const auto view = snapshot();
  if (!schema.empty()) {
    if (schema == "pg_catalog" || schema == "information_schema" || schema == "pando") {
      return Status(sql_state::kInsufficientPrivilege, "permission denied to create in schema \"{}\"", schema)
          .with_detail("System catalog modifications are currently disallowed.");
    }
    if (SchemaPtr found = view->find_schema(schema)) {
      return found;
    }
    return Status(sql_state::kInvalidSchemaName, "schema \"{}\" does not exist", schema);
  }
  for (const auto& name : context_.bind.search_path) {
    if (SchemaPtr found = view->find_schema(name); found && name != "pg_catalog" && !is_temporary(*found)) {
      return found;
    }
  }
  return Status(sql_state::kInvalidSchemaName, "no schema has been selected to create in");
}

Task<Result<SchemaPtr>> Definition::schema_for(const ast::RelationName& name) {
  const bool is_own = name.schema == "pg_temp";
  if (name.persistence != ast::RelationName::Persistence::kTemporary && !is_own) {
    co_return creation_schema(name.schema);
  }
  std::string* own = context_.temporary_schema;
  if (!name.schema.empty() && !is_own && (own == nullptr || name.schema != *own)) {
    co_return Status(sql_state::kInvalidTableDefinition, "cannot create temporary relation in non-temporary schema")
        .with_position(position(name.location));
  }
  if (own == nullptr) {
    co_return Status(sql_state::kFeatureNotSupported, "temporary objects are not supported here");
  }
  if (SchemaPtr found = own->empty() ? nullptr : snapshot()->find_schema(*own)) {
    co_return found;
  }
  catalog::SchemaDescriptor schema;
  PANDO_CO_ASSIGN(schema.oid, co_await allocate_oid());
  schema.name = fmt::format("{}{}", catalog::temporary_schema_prefix(catalog().catalog().options().node), schema.oid);
  *own = schema.name;
  context_.bind.search_path.insert(context_.bind.search_path.begin(), schema.name);
  auto stored = std::make_shared<const catalog::SchemaDescriptor>(std::move(schema));
  PANDO_CO_TRY(co_await catalog().put(stored));
  co_return SchemaPtr(stored);
}

Result<TablePtr> Definition::find_relation(const ast::RelationName& name) {
  const auto view = snapshot();
  if (!name.schema.empty() && name.schema != "pg_temp" && !view->find_schema(name.schema)) {
    return Status(sql_state::kInvalidSchemaName, "schema \"{}\" does not exist", name.schema);
  }
  if (TablePtr table = view->resolve_table(context_.bind.search_path, name.schema, name.name)) {
    return table;
  }
  return undefined_table(name);
}

Result<TablePtr> Definition::find_table(const ast::RelationName& name) {
  PANDO_ASSIGN(TablePtr table, find_relation(name));
  if (table->kind == RelationKind::kVirtual) {
    return Status(sql_state::kInsufficientPrivilege, "permission denied: \"{}\" is a system catalog", table->name);
  }
  if (table->kind != RelationKind::kTable) {
    return Status(sql_state::kWrongObjectType, "\"{}\" is not a table", table->name);
  }
  return table;
}

Result<TablePtr> Definition::find_indexable(const ast::RelationName& name) {
  PANDO_ASSIGN(TablePtr table, find_relation(name));
  return table->kind == kMaterializedView ? table : find_table(name);
}

Result<SequencePtr> Definition::find_sequence(const ast::RelationName& name) {
  const auto view = snapshot();
  if (SequencePtr sequence = view->resolve_sequence(context_.bind.search_path, name.schema, name.name)) {
    return sequence;
  }
  if (view->resolve_table(context_.bind.search_path, name.schema, name.name)) {
    return Status(sql_state::kWrongObjectType, "\"{}\" is not a sequence", name.name);
  }
  return undefined_table(name);
}

Result<ast::RelationName> Definition::relation_name(const ast::QualifiedName& name) {
  ast::RelationName relation;
  if (name.empty() || name.size() > 3) {
    return Status(sql_state::kSyntaxError, "improper qualified name (too many dotted names)");
  }
  relation.name = name.back();
  if (name.size() > 1) {
    relation.schema = name[name.size() - 2];
  }
  return relation;
}

std::string Definition::choose_relation_name(Oid schema, std::string_view table, std::string_view column,
                                             std::string_view label, const std::vector<std::string>& taken) {
  const auto view = snapshot();
  for (int attempt = 0;; ++attempt) {
    const std::string numbered = attempt == 0 ? std::string(label) : fmt::format("{}{}", label, attempt);
    std::string name = make_object_name(table, column, numbered);
    if (!view->relation_name_taken(schema, name) && std::ranges::find(taken, name) == taken.end()) {
      return name;
    }
  }
}

std::string Definition::choose_constraint_name(const TableDescriptor& table, std::string_view column,
                                               std::string_view label) {
  for (int attempt = 0;; ++attempt) {
    const std::string numbered = attempt == 0 ? std::string(label) : fmt::format("{}{}", label, attempt);
    std::string name = make_object_name(table.name, column, numbered);
    if (table.find_constraint(name) == nullptr) {
      return name;
    }
  }
}

Task<Status> Definition::claim_relation_name(SchemaPtr schema, std::string name) {
  PANDO_CO_TRY(co_await catalog().lock_name(schema->oid, name));
  const catalog::TypePtr type = snapshot()->find_type(schema->oid, name);
  const bool is_composite = type != nullptr && type->kind == catalog::UserTypeKind::kComposite;
  if (is_composite || snapshot()->relation_name_taken(schema->oid, name)) {
    co_return Status(sql_state::kDuplicateTable, "relation \"{}\" already exists", name);
  }
  co_return Status();
}

Result<AttributeNumber> Definition::find_attribute(const TableDescriptor& table, const std::string& column) {
  if (const ColumnDescriptor* found = table.find_column(column)) {
    return found->number;
  }
  return Status(sql_state::kUndefinedColumn, "column \"{}\" of relation \"{}\" does not exist", column, table.name);
}

std::string Definition::qualified_name(const TableDescriptor& table) {
  const SchemaPtr schema = snapshot()->find_schema(table.schema);
  return quote_identifier(schema ? schema->name : "public") + "." + quote_identifier(table.name);
}

PrintOptions Definition::stored_print_options() {
  PrintOptions options;
  options.object_name = [this](types::Oid type, types::Oid object) {
    // What is stored must mean the same under every search path.
    if (type == types::oid::kRegclass) {
      const auto view = snapshot();
      if (const TablePtr table = view->find_table(object)) {
        return qualified_name(*table);
      }
      const SequencePtr sequence = view->find_sequence(object);
      if (const SchemaPtr schema = sequence ? view->find_schema(sequence->schema) : nullptr) {
        return quote_identifier(schema->name) + "." + quote_identifier(sequence->name);
      }
    }
    EvaluationContext* evaluation = context_.bind.evaluation;
    if (evaluation != nullptr && evaluation->services != nullptr) {
      if (auto name = evaluation->services->name_of(type, object)) {
        return *name;
      }
    }
    return fmt::format("{}", object);
  };
  options.type_name = [this](types::Type type) {
    return types::name_user_types(types::format_type(type), [this](types::Oid oid) {
      if (const TablePtr rows = snapshot()->find_row_table(oid)) {
        return qualified_name(*rows);
      }
      const auto found = snapshot()->find_type(oid);
      const SchemaPtr schema = found ? snapshot()->find_schema(found->schema) : nullptr;
      return schema ? quote_identifier(schema->name) + "." + quote_identifier(found->name) : std::string("???");
    });
  };
  options.settings.user_types = snapshot()->user_types();
  return options;
}

Task<Result<TablePtr>> Definition::lock_for_change(Oid table) {
  PANDO_CO_TRY(co_await catalog().lock_table(table, txn::LockStrength::kUpdate, txn::WaitPolicy::kBlock));
  TablePtr current = snapshot()->find_table(table);
  if (!current) {
    co_return Status(sql_state::kUndefinedTable, "relation with OID {} does not exist", table);
  }
  co_return current;
}

Task<Result<TablePtr>> Definition::lock_found(std::function<Result<TablePtr>()> find) {
  while (true) {
    PANDO_CO_ASSIGN(const TablePtr found, find());
    if (found == nullptr) {
      co_return found;
    }
    PANDO_CO_TRY(co_await catalog().lock_table(found->oid, txn::LockStrength::kUpdate, txn::WaitPolicy::kBlock));
    PANDO_CO_ASSIGN(TablePtr locked, find());
    if (locked == nullptr || locked->oid == found->oid) {
      co_return locked;
    }
  }
}

Task<Status> Definition::put_table(TableDescriptor table) {
  ++table.version;
  co_return co_await catalog().put(std::make_shared<const TableDescriptor>(std::move(table)));
}

ColumnId column_id(AttributeNumber attribute) { return ColumnId(static_cast<uint32_t>(attribute)); }

namespace {

// Whether settings decide what a value's text means.
bool has_stable_text(Oid type) {
  switch (type) {
    case types::oid::kDate:
    case types::oid::kTime:
    case types::oid::kTimetz:
    case types::oid::kTimestamp:
    case types::oid::kTimestamptz:
    case types::oid::kInterval:
    case types::oid::kRegclass:
    case types::oid::kRegtype:
    case types::oid::kRegproc:
      return true;
    default:
      return types::is_array(type) && has_stable_text(types::element_of(type));
  }
}

bool is_immutable_itself(const Expr& expr) {
  if (const auto* call = std::get_if<CallExpr>(&expr.node)) {
    return call->function->volatility == Volatility::kImmutable;
  }
  if (const auto* cast = std::get_if<CastExpr>(&expr.node)) {
    return cast->method != CastExpr::Method::kText ||
           (!has_stable_text(cast->argument->type.oid) && !has_stable_text(expr.type.oid));
  }
  return !std::holds_alternative<SessionValueExpr>(expr.node) && !std::holds_alternative<SubqueryExpr>(expr.node);
}

}  // namespace

bool is_immutable(const ExprPtr& expr) {
  bool immutable = is_immutable_itself(*expr);
  for_each_child(expr, [&](const ExprPtr& child) { immutable = immutable && is_immutable(child); });
  return immutable;
}

}  // namespace pando::sql::ddl
