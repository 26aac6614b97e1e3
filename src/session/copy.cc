// Session: COPY.

#include <algorithm>

#include <fmt/format.h>

#include "session/copy_input.h"
#include "session/copy_options.h"
#include "session/copy_plan.h"
#include "session/copy_printer.h"
#include "session/copy_stream.h"
#include "session/object_names.h"
#include "session/session.h"
#include "session/system_tables.h"
#include "sql/parse/parse.h"

namespace pando::session {
namespace {

// How many vectors of rows one insertion takes.
constexpr std::size_t kCopyBatchChunks = 8;

std::string full_name(const ast::RelationName& name) {
  return name.schema.empty() ? name.name : name.schema + "." + name.name;
}

// The columns of a COPY by name: those given, or all that can be written.
Result<std::vector<std::string>> copied_columns(const catalog::TableDescriptor& table,
                                                const std::vector<std::string>& names) {
  std::vector<std::string> columns;
  if (names.empty()) {
    for (const catalog::ColumnDescriptor& column : table.columns) {
      if (!column.dropped && !column.generated) {
        columns.push_back(column.name);
      }
    }
    return columns;
  }
  for (const std::string& name : names) {
    const catalog::ColumnDescriptor* column = table.find_column(name);
    if (column == nullptr) {
      return Status(sql_state::kUndefinedColumn, "column \"{}\" of relation \"{}\" does not exist", name, table.name);
    }
    if (column->generated) {
      return std::move(Status(sql_state::kInvalidColumnReference, "column \"{}\" is a generated column", name))
          .with_detail("Generated columns cannot be used in COPY.");
    }
    if (std::ranges::find(columns, name) != columns.end()) {
      return Status(sql_state::kDuplicateColumn, "column \"{}\" specified more than once", name);
    }
    columns.push_back(name);
  }
  return columns;
}

std::string name_list(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) {
    out += (out.empty() ? "" : ", ") + quote_name(name);
  }
  return out;
}

ValueFormat wire_format(const CopyOptions& options) {
  return options.format == CopyFormat::kBinary ? ValueFormat::kBinary : ValueFormat::kText;
}

}  // namespace

Result<catalog::TablePtr> Session::copied_table(const ast::Copy& copy) {
  const ast::RelationName& name = *copy.table;
  const auto table = snapshot()->resolve_table(search_path(), name.schema, name.name);
  if (table == nullptr) {
    if (snapshot()->resolve_sequence(search_path(), name.schema, name.name) != nullptr) {
      return Status(sql_state::kWrongObjectType, "cannot copy {} sequence \"{}\"", copy.from ? "to" : "from",
                    name.name);
    }
    return Status(sql_state::kUndefinedTable, "relation \"{}\" does not exist", full_name(name));
  }
  if (!table->view_sql.empty()) {
    const bool is_view = table->kind == catalog::RelationKind::kView;
    Status status(sql_state::kWrongObjectType, "cannot copy {} {} \"{}\"", copy.from ? "to" : "from",
                  is_view ? "view" : "materialized view", table->name);
    status.fields().hint = copy.from && !is_view ? ""
                           : copy.from           ? "To enable copying to a view, provide an INSTEAD OF INSERT trigger."
                                                 : "Try the COPY (SELECT ...) TO variant.";
    return status;
  }
  return table;
}

Task<Result<std::string>> Session::run_copy(const ast::Copy& copy, PreparedStatementPtr holder, Output output) {
  if (copy.program || (!copy.filename.empty() && environment_.files == nullptr)) {
    co_return std::move(Status(sql_state::kFeatureNotSupported, "COPY with a {} of the server is not supported",
                               copy.program ? "program" : "file"))
        .with_hint("Use COPY FROM STDIN or COPY TO STDOUT, or psql's \\copy.");
  }
  PANDO_CO_ASSIGN(const CopyOptions options, read_copy_options(copy));
  co_return copy.from ? co_await run_copy_in(copy, options, holder, output)
                      : co_await run_copy_out(copy, options, holder, output);
}

Task<Result<std::string>> Session::run_copy_out(const ast::Copy& copy, CopyOptions options, PreparedStatementPtr holder,
                                                Output output) {
  Portal portal;
  if (copy.query != nullptr) {
    PANDO_CO_ASSIGN(portal.statement, analyze(holder->text, TreePtr(holder->tree, copy.query.get()), {}));
  } else {
    PANDO_CO_ASSIGN(const catalog::TablePtr table, copied_table(copy));
    PANDO_CO_ASSIGN(const std::vector<std::string> columns, copied_columns(*table, copy.columns));
    const auto schema = snapshot()->find_schema(table->schema);
    auto text = std::make_shared<const std::string>(fmt::format("SELECT {} FROM ONLY {}.{}", name_list(columns),
                                                                quote_name(schema->name), quote_name(table->name)));
    PANDO_CO_ASSIGN(ast::StatementPtr tree, parse::parse_statement(*text));
    PANDO_CO_ASSIGN(portal.statement, analyze(std::move(text), std::move(tree), {}));
  }
  portal.plan = portal.statement->plan;
  portal.shape = portal.plan->shape;
  if (portal.shape == nullptr) {
    co_return Status(sql_state::kFeatureNotSupported, "COPY query must have a RETURNING clause");
  }
  PANDO_CO_ASSIGN(CopyPrinter printer, CopyPrinter::make(options, portal.shape, settings_.values().types));
  PANDO_CO_TRY(co_await begin_query(&portal));
  PANDO_CO_TRY(co_await open_query(&portal));
  PANDO_CO_ASSIGN(const std::unique_ptr<CopyTarget> target,
                  copy.filename.empty() ? client_target(*output.sink, wire_format(options), portal.shape->size())
                                        : co_await file_target(*environment_.files, copy.filename));
  co_return co_await send_copy_rows(&portal, &printer, target.get());
}

Task<Result<std::string>> Session::send_copy_rows(Portal* portal, CopyPrinter* printer, CopyTarget* target) {
  Bytes line;
  printer->print_start(line);
  uint64_t count = 0;
  while (true) {
    PANDO_CO_ASSIGN(const bool more, co_await fetch_chunk(portal));
    if (!more) {
      break;
    }
    for (std::size_t row = 0; row < portal->pending.rows; ++row) {
      PANDO_CO_TRY(printer->print_row(portal->pending, row, line));
      target->add(line);
      line.clear();
    }
    count += portal->pending.rows;
    PANDO_CO_TRY(co_await target->drain());
  }
  printer->print_end(line);
  if (!line.empty()) {
    target->add(line);
  }
  PANDO_CO_TRY(co_await target->end());
  co_return fmt::format("COPY {}", count);
}

// The INSERT that takes the data, with the table locked against changes of its definition.
Task<Result<StatementPlanPtr>> Session::plan_copy_in(catalog::TablePtr table, std::vector<std::string> columns,
                                                     std::vector<types::Oid> types) {
  const auto schema = snapshot()->find_schema(table->schema);
  std::string parameters;
  for (std::size_t i = 1; i <= columns.size(); ++i) {
    parameters += fmt::format("{}${}", i == 1 ? "" : ", ", i);
  }
  auto text = std::make_shared<const std::string>(
      fmt::format("INSERT INTO {}.{} ({}) OVERRIDING SYSTEM VALUE VALUES ({})", quote_name(schema->name),
                  quote_name(table->name), name_list(columns), parameters));
  PANDO_CO_ASSIGN(ast::StatementPtr tree, parse::parse_statement(*text));
  PANDO_CO_TRY(
      co_await transaction_.catalog().lock_table(table->oid, txn::LockStrength::kKeyShare, txn::WaitPolicy::kBlock));
  co_return make_query_plan(text, *tree, types, {});
}

Task<Result<std::string>> Session::run_copy_in(const ast::Copy& copy, CopyOptions options, PreparedStatementPtr holder,
                                               Output output) {
  PANDO_CO_ASSIGN(const catalog::TablePtr table, copied_table(copy));
  if (transaction_.read_only() && !table->temporary) {
    co_return Status(sql_state::kReadOnlySqlTransaction, "cannot execute COPY FROM in a read-only transaction");
  }
  PANDO_CO_ASSIGN(const std::vector<std::string> names, copied_columns(*table, copy.columns));
  std::vector<CopyColumn> columns;
  std::vector<types::Oid> types;
  for (const std::string& name : names) {
    columns.push_back({name, table->find_column(name)->type});
    types.push_back(columns.back().type.oid);
  }
  transaction_.start();
  PANDO_CO_ASSIGN(const StatementPlanPtr insert, co_await plan_copy_in(table, names, std::move(types)));
  const catalog::TablePtr source = make_copy_source(columns);
  sql::ExprPtr where;
  if (copy.where != nullptr) {
    PANDO_CO_ASSIGN(where, sql::bind_table_expression(*copy.where, table, {types::oid::kBool},
                                                      "COPY FROM WHERE conditions", bind_options(holder->text, {})));
  }
  const auto plan = plan_copy(*insert->query, source, where);
  if (plan == nullptr) {
    co_return Status(sql_state::kFeatureNotSupported, "COPY FROM into this table is not supported");
  }
  transaction_.transaction().begin_statement();
  PANDO_CO_ASSIGN(const std::unique_ptr<CopySource> data,
                  copy.filename.empty() ? client_source(*output.sink, wire_format(options), columns.size())
                                        : co_await file_source(*environment_.files, copy.filename));
  CopyInput input(table->name, options, std::move(columns), settings_.values().types, *data);
  bool more = true;
  uint64_t count = 0;
  while (more) {
    std::vector<types::Chunk> batch;
    while (more && batch.size() < kCopyBatchChunks) {
      types::Chunk chunk;
      PANDO_CO_ASSIGN(more, co_await input.next(chunk));
      if (more) {
        batch.push_back(std::move(chunk));
      }
    }
    system_tables_->set_copy_rows(source, std::move(batch));
    PANDO_CO_ASSIGN(const uint64_t inserted, co_await run_to_end(plan));
    count += inserted;
  }
  co_return fmt::format("COPY {}", count);
}

Task<Result<uint64_t>> Session::run_to_end(std::shared_ptr<const sql::PhysicalQuery> plan) {
  if (cancellation_.requested()) {
    co_return cancellation_.status();
  }
  sql::exec::Query query(std::move(plan), execution_context({}));
  PANDO_CO_TRY(co_await query.open());
  types::Chunk chunk;
  while (true) {
    PANDO_CO_ASSIGN(const bool more, co_await query.next(chunk));
    if (!more) {
      co_return query.rows_affected();
    }
  }
}

}  // namespace pando::session
