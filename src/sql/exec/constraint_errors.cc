#include "sql/exec/constraint_errors.h"

#include "sql/function/domain_failure.h"
#include "types/text_io.h"

namespace pando::sql::exec {
namespace {

// PostgreSQL cuts each value of a failing row's description here.
constexpr std::size_t kValueBytesMax = 64;

std::size_t utf8_boundary(ByteView text, std::size_t at) {
  while (at > 0 && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) {
    --at;
  }
  return at;
}

std::string failing_row(const TableLayout& layout, Runtime& runtime, const types::Chunk& rows, std::size_t row) {
  std::string text = "Failing row contains (";
  for (std::size_t i = 0; i < layout.live().size(); ++i) {
    if (i > 0) {
      text += ", ";
    }
    if (rows.columns[i].is_null(row)) {
      text += "null";
      continue;
    }
    Bytes value;
    types::print_text(layout.table().column(layout.live()[i]).type, rows.columns[i], row,
                      runtime.context.evaluation.settings, value);
    if (value.size() > kValueBytesMax) {
      value.resize(utf8_boundary(value, kValueBytesMax));
      value += "...";
    }
    text += value;
  }
  return text + ").";
}

}  // namespace

std::string schema_name(const catalog::TableDescriptor& table, Runtime& runtime) {
  if (runtime.context.catalog == nullptr) {
    return {};
  }
  const auto schema = runtime.context.catalog->find_schema(table.schema);
  return schema == nullptr ? std::string() : schema->name;
}

Status not_null_violation(const TableLayout& layout, Runtime& runtime, const types::Chunk& rows, std::size_t row,
                          const catalog::ColumnDescriptor& column) {
  Status status(sql_state::kNotNullViolation,
                "null value in column \"{}\" of relation \"{}\" violates not-null constraint", column.name,
                layout.table().name);
  status.fields().detail = failing_row(layout, runtime, rows, row);
  status.fields().schema_name = schema_name(layout.table(), runtime);
  status.fields().table_name = layout.table().name;
  status.fields().column_name = column.name;
  return status;
}

Status check_violation(const TableLayout& layout, Runtime& runtime, const types::Chunk& rows, std::size_t row,
                       const BoundCheck& check) {
  switch (check.kind) {
    case BoundCheck::Kind::kDomain:
      return domain_violation(check.domain, check.name);
    case BoundCheck::Kind::kDomainNotNull:
      return domain_null_violation(check.domain);
    case BoundCheck::Kind::kViewOption:
      return Status(sql_state::kWithCheckOptionViolation, "new row violates check option for view \"{}\"", check.name)
          .with_detail(failing_row(layout, runtime, rows, row));
    case BoundCheck::Kind::kConstraint:
      break;
  }
  return Status(sql_state::kCheckViolation, "new row for relation \"{}\" violates check constraint \"{}\"",
                layout.table().name, check.name)
      .with_detail(failing_row(layout, runtime, rows, row))
      .with_constraint(schema_name(layout.table(), runtime), layout.table().name, check.name);
}

std::string describe_key(const std::vector<std::string>& columns, const std::vector<types::Type>& types,
                         const std::vector<types::Value>& values, Runtime& runtime) {
  std::string names;
  std::string texts;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    names += (i == 0 ? "" : ", ") + columns[i];
    Bytes text;
    if (values[i].is_null()) {
      text = "null";
    } else {
      types::print_text(types[i], values[i], runtime.context.evaluation.settings, text);
    }
    texts += (i == 0 ? "" : ", ") + text;
  }
  return "(" + names + ")=(" + texts + ")";
}

std::vector<std::string> index_column_names(const catalog::TableDescriptor& table,
                                            const catalog::IndexDescriptor& index) {
  std::vector<std::string> names;
  for (const catalog::IndexColumn& column : index.columns) {
    names.push_back(column.attribute != 0 ? table.column(column.attribute).name : column.expression_sql);
  }
  return names;
}

Status lacks_referenced_row(const catalog::TableDescriptor& table, const catalog::TableDescriptor& referenced,
                            const catalog::ConstraintDescriptor& constraint, const std::vector<types::Value>& key,
                            Runtime& runtime) {
  std::vector<std::string> names;
  std::vector<types::Type> types;
  for (const catalog::AttributeNumber column : constraint.columns) {
    names.push_back(table.column(column).name);
    types.push_back(table.column(column).type);
  }
  return Status(sql_state::kForeignKeyViolation,
                "insert or update on table \"{}\" violates foreign key constraint \"{}\"", table.name, constraint.name)
      .with_detail(fmt::format("Key {} is not present in table \"{}\".", describe_key(names, types, key, runtime),
                               referenced.name))
      .with_constraint(schema_name(table, runtime), table.name, constraint.name);
}

Status mixes_nulls(const catalog::TableDescriptor& table, const catalog::ConstraintDescriptor& constraint,
                   Runtime& runtime) {
  return Status(sql_state::kForeignKeyViolation,
                "insert or update on table \"{}\" violates foreign key constraint \"{}\"", table.name, constraint.name)
      .with_detail("MATCH FULL does not allow mixing of null and nonnull key values.")
      .with_constraint(schema_name(table, runtime), table.name, constraint.name);
}

Status violated_by_some_row(const catalog::TableDescriptor& table, const catalog::ConstraintDescriptor& constraint,
                            Runtime& runtime) {
  return Status(sql_state::kCheckViolation, "check constraint \"{}\" of relation \"{}\" is violated by some row",
                constraint.name, table.name)
      .with_constraint(schema_name(table, runtime), table.name, constraint.name);
}

Status merged_twice() {
  return Status(sql_state::kCardinalityViolation, "MERGE command cannot affect row a second time")
      .with_hint("Ensure that not more than one source row matches any one target row.");
}

Status unique_violation(const catalog::TableDescriptor& table, const catalog::IndexDescriptor& index, Runtime& runtime,
                        const std::vector<types::Type>& types, const std::vector<types::Value>& values) {
  return Status(sql_state::kUniqueViolation, "duplicate key value violates unique constraint \"{}\"", index.name)
      .with_detail("Key " + describe_key(index_column_names(table, index), types, values, runtime) + " already exists.")
      .with_constraint(schema_name(table, runtime), table.name, index.name);
}

}  // namespace pando::sql::exec
