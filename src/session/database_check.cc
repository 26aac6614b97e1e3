#include "session/database_check.h"

#include <algorithm>
#include <set>

#include "session/result_sink.h"
#include "session/session.h"
#include "session/system_tables.h"
#include "sql/exec/table_check.h"
#include "sql/function/quoting.h"
#include "sql/parse/parse.h"

namespace pando::session {
namespace {

using catalog::ConstraintDescriptor;
using catalog::ConstraintKind;
using catalog::TableDescriptor;
using catalog::TablePtr;

// Keeps the number that a query gives.
class NumberSink final : public ResultSink {
 public:
  void begin_rows(const RowShapePtr&, const types::Settings&, bool) override {}
  Status add_rows(const types::Chunk& chunk, std::size_t first, std::size_t) override {
    number_ = chunk.columns.front().at<int64_t>(first);
    return {};
  }
  void complete(std::string_view) override {}
  void empty_query() override {}
  void notice(NoticeSeverity, const ErrorFields&) override {}
  bool wants_drain() const override { return false; }
  Task<Status> drain() override { co_return Status(); }
  uint64_t mark() const override { return 0; }
  bool rewind(uint64_t) override { return true; }
  void begin_copy_out(ValueFormat, std::size_t) override {}
  void add_copy_data(ByteView) override {}
  void end_copy_out() override {}
  void begin_copy_in(ValueFormat, std::size_t) override {}
  Task<Result<bool>> read_copy_data(Bytes&) override { co_return false; }

  int64_t number() const { return number_; }

 private:
  int64_t number_ = 0;
};

std::string join(const std::vector<std::string>& parts, std::string_view separator) {
  std::string joined;
  for (const std::string& part : parts) {
    joined += (joined.empty() ? "" : std::string(separator)) + part;
  }
  return joined;
}

std::string column_of(const TableDescriptor& table, catalog::AttributeNumber attribute) {
  return sql::quote_identifier(table.column(attribute).name);
}

// The queries below count the rows that break a constraint.

std::string check_query(const std::string& name, const ConstraintDescriptor& constraint) {
  return fmt::format("SELECT count(*) FROM ONLY {} WHERE NOT ({})", name, constraint.check_sql);
}

// Only a deferrable constraint: others are kept by the form of their index's entries.
std::string unique_query(const TableDescriptor& table, const std::string& name,
                         const ConstraintDescriptor& constraint) {
  std::vector<std::string> columns;
  std::vector<std::string> present;
  for (const auto attribute : constraint.columns) {
    columns.push_back(column_of(table, attribute));
    present.push_back(columns.back() + " IS NOT NULL");
  }
  return fmt::format("SELECT count(*) FROM (SELECT 1 FROM ONLY {} WHERE {} GROUP BY {} HAVING count(*) > 1) AS d", name,
                     join(present, " AND "), join(columns, ", "));
}

std::string foreign_query(const TableDescriptor& table, const std::string& name, const TableDescriptor& referenced,
                          const std::string& referenced_name, const ConstraintDescriptor& constraint) {
  std::vector<std::string> present;
  std::vector<std::string> absent;
  std::vector<std::string> equal;
  for (std::size_t i = 0; i < constraint.columns.size(); ++i) {
    const std::string column = "c." + column_of(table, constraint.columns[i]);
    present.push_back(column + " IS NOT NULL");
    absent.push_back(column + " IS NULL");
    equal.push_back("p." + column_of(referenced, constraint.referenced_columns[i]) + " = " + column);
  }
  std::string broken = fmt::format("({} AND NOT EXISTS (SELECT 1 FROM ONLY {} AS p WHERE {}))", join(present, " AND "),
                                   referenced_name, join(equal, " AND "));
  if (constraint.match_full) {
    broken += fmt::format(" OR (({}) AND ({}))", join(present, " OR "), join(absent, " OR "));
  }
  return fmt::format("SELECT count(*) FROM ONLY {} AS c WHERE {}", name, broken);
}

Task<Result<int64_t>> count(SessionEnvironment& environment, runtime::Executor& executor, std::string query) {
  Session session(environment, executor, {});
  NumberSink sink;
  const Status status = co_await session.run(std::move(query), &sink);
  co_await session.close();
  PANDO_CO_TRY(status);
  co_return sink.number();
}

}  // namespace

void DatabaseCheck::problem(const std::string& where, const std::string& what) {
  ++counts_.problems;
  observer_.problem(where, what);
}

void DatabaseCheck::next_stage(const std::string& what) { observer_.stage(what, stage_++, stages_); }

std::string DatabaseCheck::name_of(const TableDescriptor& table) const {
  const auto schema = snapshot_->find_schema(table.schema);
  return fmt::format("{}.{}", sql::quote_identifier(schema == nullptr ? "?" : schema->name),
                     sql::quote_identifier(table.name));
}

Task<Status> DatabaseCheck::run() {
  snapshot_ = environment_.catalog.current();
  for (const auto& [oid, table] : snapshot_->tables()) {
    stages_ += table->kind == catalog::RelationKind::kTable ? 1 + table->constraints.size() : 0;
  }
  next_stage("catalog");
  check_definitions(*snapshot_);
  if (counts_.problems > 0) {
    // What follows goes by the definitions.
    co_return Status();
  }
  for (const auto& [oid, table] : snapshot_->tables()) {
    if (table->kind == catalog::RelationKind::kTable) {
      ++counts_.tables;
      PANDO_CO_TRY(co_await check_rows(table));
      PANDO_CO_TRY(co_await check_constraints(table));
    }
  }
  co_return Status();
}

void DatabaseCheck::check_definitions(const catalog::Snapshot& snapshot) {
  std::set<catalog::TableId> places;
  for (const auto& [oid, table] : snapshot.tables()) {
    if (snapshot.find_schema(table->schema) == nullptr) {
      problem(table->name, fmt::format("is in schema {}, which does not exist", table->schema));
    }
    if (table->kind != catalog::RelationKind::kTable) {
      continue;
    }
    if (!places.insert(table->id).second) {
      problem(table->name, fmt::format("has the same place ({}) as another table", table->id.number()));
    }
    check_definition(snapshot, *table);
  }
  for (const auto& [oid, sequence] : snapshot.sequences()) {
    const TablePtr owner = snapshot.find_table(sequence->owner_table);
    if (sequence->owner_table != 0 && owner == nullptr) {
      problem(sequence->name, fmt::format("is owned by table {}, which does not exist", sequence->owner_table));
    }
  }
}

void DatabaseCheck::check_definition(const catalog::Snapshot& snapshot, const TableDescriptor& table) {
  const auto known = [&table](catalog::AttributeNumber attribute) {
    return attribute >= 1 && static_cast<std::size_t>(attribute) <= table.columns.size() &&
           !table.column(attribute).dropped;
  };
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    if (table.columns[i].number != static_cast<catalog::AttributeNumber>(i + 1)) {
      problem(table.name, fmt::format("has column {} at place {}", table.columns[i].number, i + 1));
    }
  }
  std::set<catalog::IndexId> ids;
  for (const auto& index : table.indexes) {
    const bool taken = !ids.insert(index.id).second || index.id >= table.next_index_id;
    if (taken && !index.primary) {
      problem(table.name, fmt::format("index \"{}\" has a number that another may have", index.name));
    }
    for (const auto& column : index.columns) {
      if (column.expression_sql.empty() && !known(column.attribute)) {
        problem(table.name,
                fmt::format("index \"{}\" is on column {}, which does not exist", index.name, column.attribute));
      }
    }
  }
  for (const ConstraintDescriptor& constraint : table.constraints) {
    const auto bad = [&](std::string_view what) {
      problem(table.name, fmt::format("constraint \"{}\" {}", constraint.name, what));
    };
    if (!std::ranges::all_of(constraint.columns, known)) {
      bad("is on a column that does not exist");
    }
    const bool keyed = constraint.kind == ConstraintKind::kPrimary || constraint.kind == ConstraintKind::kUnique;
    if (keyed && table.find_index(constraint.index) == nullptr) {
      bad("has no index");
    }
    if (constraint.kind != ConstraintKind::kForeign) {
      continue;
    }
    const TablePtr referenced = snapshot.find_table(constraint.referenced_table);
    if (referenced == nullptr) {
      bad("refers to a table that does not exist");
    } else if (referenced->find_index(constraint.index) == nullptr ||
               constraint.referenced_columns.size() != constraint.columns.size()) {
      bad("refers to a key that does not exist");
    }
  }
}

Task<Status> DatabaseCheck::check_rows(TablePtr table) {
  const std::string name = name_of(*table);
  next_stage("table " + name);
  const auto transaction = environment_.store.begin(
      {.isolation = txn::Isolation::kRepeatableRead, .read_only = true, .executor = &executor_});
  transaction->begin_statement();
  sql::EvaluationContext evaluation;
  sql::exec::TransactionState state;
  TableExpressionCache expressions([&](TablePtr of) {
    return sql::bind_table_expressions(std::move(of), {.catalog = snapshot_,
                                                       .text = "",
                                                       .evaluation = &evaluation,
                                                       .parse_statement = &parse::parse_statement,
                                                       .parse_expression = &parse::parse_expression,
                                                       .parse_type_name = &parse::parse_type_name});
  });
  sql::exec::TableCheck check(
      table,
      {.transaction = *transaction,
       .evaluation = evaluation,
       .executor = executor_,
       .state = state,
       .catalog = snapshot_,
       .table_expressions = &expressions},
      [&](const std::string& what) { problem(name, what); }, [&](uint64_t entries) { observer_.progress(entries); });
  PANDO_CO_TRY(co_await check.run());
  counts_.rows += check.counts().rows;
  counts_.entries += check.counts().entries;
  co_await transaction->rollback();
  co_return Status();
}

Task<Status> DatabaseCheck::check_constraints(TablePtr table) {
  const std::string name = name_of(*table);
  for (const ConstraintDescriptor& constraint : table->constraints) {
    std::string query;
    switch (constraint.kind) {
      case ConstraintKind::kCheck:
        query = check_query(name, constraint);
        break;
      case ConstraintKind::kUnique:
        query = constraint.deferrable ? unique_query(*table, name, constraint) : "";
        break;
      case ConstraintKind::kForeign: {
        const TablePtr referenced = snapshot_->find_table(constraint.referenced_table);
        query = foreign_query(*table, name, *referenced, name_of(*referenced), constraint);
        break;
      }
      case ConstraintKind::kPrimary:
        break;
    }
    ++counts_.constraints;
    next_stage(fmt::format("constraint {} of {}", constraint.name, name));
    if (query.empty() || !constraint.validated) {
      continue;
    }
    const auto broken = co_await count(environment_, executor_, std::move(query));
    if (!broken.ok()) {
      problem(name, fmt::format("constraint \"{}\" cannot be checked: {}", constraint.name, broken.status().message()));
    } else if (*broken > 0) {
      problem(name, fmt::format("constraint \"{}\" does not hold: {} rows", constraint.name, *broken));
    }
  }
  co_return Status();
}

}  // namespace pando::session
