#include <algorithm>
#include <array>

#include "sql/ddl/definition.h"

namespace pando::sql::ddl {
namespace {

// The integer type behind a SERIAL word; 0 for other types.
Oid serial_type(const ast::TypeName& type) {
  if (type.names.size() != 1) {
    return 0;
  }
  constexpr std::array<std::pair<std::string_view, Oid>, 6> kSerials = {{{"serial", types::oid::kInt4},
                                                                         {"serial4", types::oid::kInt4},
                                                                         {"bigserial", types::oid::kInt8},
                                                                         {"serial8", types::oid::kInt8},
                                                                         {"smallserial", types::oid::kInt2},
                                                                         {"serial2", types::oid::kInt2}}};
  const auto* found = std::ranges::find(kSerials, type.names[0], &std::pair<std::string_view, Oid>::first);
  return found == kSerials.end() ? 0 : found->second;
}

Status check_new_column(const TableDescriptor& table, const ColumnDescriptor& column) {
  constexpr std::array<std::string_view, 6> kSystemColumns = {"tableoid", "xmin", "cmin", "xmax", "cmax", "ctid"};
  if (table.find_column(column.name) != nullptr) {
    return Status(sql_state::kDuplicateColumn, "column \"{}\" specified more than once", column.name);
  }
  if (std::ranges::find(kSystemColumns, column.name) != kSystemColumns.end()) {
    return Status(sql_state::kDuplicateColumn, "column name \"{}\" conflicts with a system column name", column.name);
  }
  if (table.columns.size() >= kColumnsMax) {
    return Status(sql_state::kTooManyColumns, "tables can have at most {} columns", kColumnsMax);
  }
  const types::TypeInfo* type = types::find_type(column.type.oid);
  if (type == nullptr || type->kind == 'p') {
    return Status(sql_state::kInvalidTableDefinition, "column \"{}\" has pseudo-type {}", column.name,
                  types::format_type(column.type));
  }
  return {};
}

}  // namespace

Task<Status> add_sequence(TableDescriptor* table, ColumnDescriptor* column, const ast::Constraint* identity,
                          Definition* definition) {
  SequenceDescriptor sequence;
  sequence.schema = table->schema;
  sequence.name = definition->choose_relation_name(table->schema, table->name, column->name, "seq");
  if (identity != nullptr) {
    // Dumps name the sequence that they will set the value of.
    const auto named = std::ranges::find(identity->options, "sequence_name", &ast::Option::name);
    if (named != identity->options.end()) {
      const auto* names = std::get_if<std::vector<std::string>>(&named->value);
      sequence.name = names == nullptr || names->empty() ? sequence.name : names->back();
    }
  }
  sequence.type = column->type.oid;
  sequence.owner_table = table->oid;
  sequence.owner_column = column->number;
  sequence.is_identity = identity != nullptr;
  const ast::OptionList none;
  PANDO_CO_ASSIGN(sequence,
                  apply_sequence_options(std::move(sequence), identity ? identity->options : none, true, *definition));
  const std::string name = sequence.name;
  PANDO_CO_ASSIGN(column->owned_sequence, co_await make_sequence(std::move(sequence), definition));
  const SchemaPtr schema = definition->snapshot()->find_schema(table->schema);
  const std::string qualified = quote_identifier(schema->name) + "." + quote_identifier(name);
  if (identity == nullptr) {
    column->default_sql = fmt::format("nextval({}::regclass)", quote_literal(qualified));
  } else {
    column->identity = identity->generated_always ? catalog::Identity::kAlways : catalog::Identity::kByDefault;
  }
  column->not_null = true;
  co_return Status();
}

Status check_identity_type(const ColumnDescriptor& column) {
  using namespace types::oid;
  if (column.type.oid != kInt2 && column.type.oid != kInt4 && column.type.oid != kInt8) {
    return Status(sql_state::kInvalidParameterValue, "identity column type must be smallint, integer, or bigint");
  }
  return {};
}

namespace {

// A column has a default, an identity or a generation expression, and one of these once.
Status check_only_value(const ast::Constraint& constraint, const ColumnDescriptor& column,
                        const TableDescriptor& table) {
  const auto refuse = [&](std::string_view what) {
    return Status(sql_state::kSyntaxError, "{} specified for column \"{}\" of table \"{}\"", what, column.name,
                  table.name);
  };
  const bool is_identity = column.identity != catalog::Identity::kNone;
  const bool has_default = !column.default_sql.empty();
  switch (constraint.kind) {
    case ast::Constraint::Kind::kDefault:
      return is_identity ? refuse("both default and identity") : Status();
    case ast::Constraint::Kind::kIdentity:
      return is_identity
                 ? Status(sql_state::kSyntaxError, "multiple identity specifications for column \"{}\" of table \"{}\"",
                          column.name, table.name)
             : has_default ? refuse("both default and identity")
                           : Status();
    default:
      return is_identity   ? refuse("both identity and generation expression")
             : has_default ? refuse("both default and generation expression")
                           : Status();
  }
}

// DEFAULT, GENERATED and NOT NULL. The rest is left to add_constraint.
Task<Status> apply_column_constraint(NewColumn request, const ast::Constraint* constraint, ColumnDescriptor* column,
                                     Definition* definition) {
  using Kind = ast::Constraint::Kind;
  switch (constraint->kind) {
    case Kind::kNotNull:
      column->not_null = true;
      co_return Status();
    case Kind::kNull:
      co_return Status();
    case Kind::kDefault: {
      PANDO_CO_TRY(check_only_value(*constraint, *column, *request.table));
      if (!column->default_sql.empty()) {
        co_return Status(sql_state::kSyntaxError, "multiple default values specified for column \"{}\" of table \"{}\"",
                         column->name, request.table->name);
      }
      PANDO_CO_ASSIGN(const ExprPtr value,
                      bind_default(*constraint->expr, column->name, column->type, definition->bind_options()));
      column->default_sql = print_expr(value, definition->stored_print_options());
      co_return Status();
    }
    case Kind::kIdentity:
      PANDO_CO_TRY(check_only_value(*constraint, *column, *request.table));
      PANDO_CO_TRY(check_identity_type(*column));
      co_return co_await add_sequence(request.table, column, constraint, definition);
    default:
      request.constraints->emplace_back(constraint, column->name);
      co_return Status();
  }
}

}  // namespace

Task<Status> add_column(NewColumn request, Definition* definition) {
  const ast::ColumnDefinition& source = *request.column;
  ColumnDescriptor column;
  column.number = static_cast<AttributeNumber>(request.table->columns.size() + 1);
  column.name = source.name;
  const Oid serial = serial_type(source.type);
  if (serial != 0) {
    column.type = {serial};
  } else {
    PANDO_CO_ASSIGN(column.type, bind_type(source.type, definition->bind_options()));
    const catalog::TypePtr domain = bind_domain(source.type, definition->bind_options());
    column.domain = domain == nullptr ? 0 : domain->oid;
  }
  if (!source.collation.empty()) {
    const std::string& name = source.collation.back();
    column.collation = name == "C" ? 950 : name == "POSIX" ? 951 : name == "default" ? 100 : 0;
    if (column.collation == 0) {
      co_return Status(sql_state::kUndefinedObject, "collation \"{}\" for encoding \"UTF8\" does not exist", name);
    }
  }
  PANDO_CO_TRY(check_new_column(*request.table, column));
  if (serial != 0) {
    PANDO_CO_TRY(co_await add_sequence(request.table, &column, nullptr, definition));
  }
  const ast::Constraint* generated = nullptr;
  for (const auto& constraint : source.constraints) {
    if (constraint.kind == ast::Constraint::Kind::kGenerated) {
      if (generated != nullptr) {
        co_return Status(sql_state::kSyntaxError,
                         "multiple generation clauses specified for column \"{}\" of table \"{}\"", column.name,
                         request.table->name);
      }
      generated = &constraint;
      continue;
    }
    PANDO_CO_TRY(co_await apply_column_constraint(request, &constraint, &column, definition));
  }
  if (generated != nullptr) {
    PANDO_CO_TRY(check_only_value(*generated, column, *request.table));
  }
  request.table->columns.push_back(std::move(column));
  if (generated != nullptr) {
    request.constraints->emplace_back(generated, source.name);
  }
  co_return Status();
}

}  // namespace pando::sql::ddl
