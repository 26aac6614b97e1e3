#include <algorithm>
#include <utility>

#include "sql/ddl/definition.h"

namespace pando::sql::ddl {
namespace {

// Column ids of the copying statement: the scan's are attribute numbers, the inserted row's follow them.
constexpr uint32_t kNewRowBase = 1 << 16;

// So much is not little, however few the rows.
constexpr std::size_t kFewRowsBytes = 4_MiB;

OutputColumn output(const TableDescriptor& table, const ColumnDescriptor& column, ColumnId id) {
  return {.id = id, .name = column.name, .type = column.type, .table = table.oid, .attribute = column.number};
}

// Foreign keys and checks hold already for rows that only move.
TablePtr without_row_checks(const TableDescriptor& table) {
  auto copy = std::make_shared<TableDescriptor>(table);
  std::erase_if(copy->constraints, [](const ConstraintDescriptor& constraint) {
    return constraint.kind == ConstraintKind::kForeign || constraint.kind == ConstraintKind::kCheck;
  });
  return copy;
}

// What the row writer says of a duplicate, as the building of an index says it.
Status as_index_build_error(Status status, const TableDescriptor& table) {
  if (status.is(sql_state::kNotNullViolation)) {
    auto& fields = status.fields();
    fields.message =
        fmt::format("column \"{}\" of relation \"{}\" contains null values", fields.column_name, table.name);
    fields.detail.clear();
  }
  if (!status.is(sql_state::kUniqueViolation)) {
    return status;
  }
  auto& fields = status.fields();
  fields.message = fmt::format("could not create unique index \"{}\"", fields.constraint_name);
  constexpr std::string_view kExists = "already exists.";
  if (fields.detail.ends_with(kExists)) {
    fields.detail.replace(fields.detail.size() - kExists.size(), kExists.size(), "is duplicated.");
  }
  return status;
}

}  // namespace

Task<Status> Definition::copy_rows(TablePtr from, TablePtr to,
                                   std::vector<std::pair<AttributeNumber, ExprPtr>> replaced) {
  ScanNode scan{.table = from, .alias = from->name};
  std::vector<OutputColumn> scanned;
  for (const auto& column : from->columns) {
    if (!column.dropped) {
      scan.attributes.push_back(column.number);
      scanned.push_back(output(*from, column, column_id(column.number)));
    }
  }
  InsertNode insert{.table = to, .input = make_logical(scanned, std::move(scan))};
  for (const auto& column : to->columns) {
    if (column.dropped) {
      continue;
    }
    const auto found = std::ranges::find(replaced, column.number, &std::pair<AttributeNumber, ExprPtr>::first);
    ExprPtr value = found != replaced.end() ? found->second
                                            : make_expr(column.type, ColumnExpr{column_id(column.number), column.name});
    insert.values.push_back({column.number, std::move(value)});
    insert.row.push_back(output(*to, column, ColumnId(kNewRowBase + static_cast<uint32_t>(column.number))));
  }
  LogicalQuery query{.root = make_logical({}, std::move(insert)), .next_column_id = 2 * kNewRowBase};
  auto copied = co_await context_.queries.run(std::move(query));
  co_return copied.ok() ? Status() : as_index_build_error(std::move(copied).status(), *to);
}

Task<Status> Definition::rewrite(TablePtr from, TableDescriptor to, bool keep_rows,
                                 std::vector<std::pair<AttributeNumber, ExprPtr>> replaced) {
  PANDO_CO_ASSIGN(const Oid place, co_await allocate_oid());
  to.id = catalog::TableId(place);
  claim_rows(to);
  // The stored rows are all of the new shape: nothing was added after them.
  for (auto& column : to.columns) {
    const auto value = std::exchange(column.missing_value, types::Value::null());
    const bool is_new = static_cast<std::size_t>(column.number) > from->columns.size();
    if (is_new &&
        std::ranges::find(replaced, column.number, &std::pair<AttributeNumber, ExprPtr>::first) == replaced.end()) {
      replaced.emplace_back(column.number, make_constant(column.type, value));
    }
  }
  if (keep_rows) {
    const Bytes prefix = catalog::table_prefix(to.id);
    catalog().transaction().expect_reads({prefix, prefix_end(prefix)});
    PANDO_CO_TRY(co_await copy_rows(from, without_row_checks(to), std::move(replaced)));
  }
  discard_rows(*from);
  co_return co_await put_table(std::move(to));
}

Task<Result<bool>> Definition::leaves_rows_to_job(TablePtr table) {
  const SchemaPtr schema = snapshot()->find_schema(table->schema);
  if (context_.job == nullptr || table->kind != RelationKind::kTable || is_temporary(*schema)) {
    co_return false;
  }
  const Bytes prefix = catalog::index_prefix(table->id, catalog::kRowIndexId);
  const std::size_t few = context_.job_sizes.table_min;
  const auto cursor = catalog().transaction().scan({prefix, prefix_end(prefix)}, {.limit_hint = few + 1});
  txn::KeyValueBatch batch;
  std::size_t rows = 0;
  std::size_t bytes = 0;
  do {
    PANDO_CO_TRY(co_await cursor->next(batch, few + 1));
    rows += batch.size();
    for (std::size_t i = 0; i < batch.size(); ++i) {
      bytes += batch.key(i).size() + batch.value(i).size();
    }
  } while (batch.size() > 0 && rows <= few && bytes <= kFewRowsBytes);
  co_return rows > few || bytes > kFewRowsBytes;
}

void Definition::claim_rows(const TableDescriptor& table) {
  const Bytes prefix = catalog::table_prefix(table.id);
  catalog().transaction().claim({prefix, prefix_end(prefix)});
}

void Definition::discard_rows(const TableDescriptor& table) {
  txn::Store& store = catalog().catalog().store();
  const Bytes prefix = catalog::table_prefix(table.id);
  catalog().transaction().on_commit([&store, span = txn::Span{prefix, prefix_end(prefix)}] { store.discard(span); });
}

}  // namespace pando::sql::ddl
