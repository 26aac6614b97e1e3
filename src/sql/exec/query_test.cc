// Statements from SQL text to rows over the in-memory store, driven by testdata/*.txt:
//
//   table          a table's definition, one part a line: its name, columns, indexes and constraints
//   query          a statement; its rows, or its error
//   explain        a statement's plan; distributed: as in a cluster
//
// Arguments: work_mem=BYTES, times=N (runs of one plan), spills (says whether temporary storage was used).

#include "sql/exec/query.h"

#include <algorithm>
#include <sstream>

#include <gtest/gtest.h>

#include "runtime/block_on.h"
#include "runtime/clock.h"
#include "sql/bind/bind.h"
#include "sql/exec/program_runner.h"
#include "sql/optimize/optimize.h"
#include "sql/parse/parse.h"
#include "sql/plan/print_physical.h"
#include "test/support/datadriven.h"
#include "test/support/memory_disk.h"
#include "txn/memory/memory_store.h"
#include "types/text_io.h"

namespace pando::sql::exec {
namespace {

using catalog::TableDescriptor;

class FileStorage final : public TemporaryStorage {
 public:
  Task<Result<std::unique_ptr<runtime::File>>> create() override {
    ++created;
    co_return co_await disk_.open("temporary-" + std::to_string(created), runtime::OpenMode::kCreate);
  }
  int created = 0;

 private:
  test::MemoryDisk disk_;
};

// No lock waits here.
class IdleTimer final : public runtime::Timer {
 public:
  runtime::TimerId schedule(std::chrono::nanoseconds, std::function<void()>) override { return 1; }
  void cancel(runtime::TimerId) override {}
};

class Database final : public TableExpressionSource {
 public:
  // Distributed: as in a cluster, scans run as programs, a few entries at a time.
  explicit Database(bool distributed = false) : distributed_(distributed) {
    if (distributed) {
      store_.use_programs(&programs_);
    }
    snapshot_.put(
        std::make_shared<const catalog::SchemaDescriptor>(catalog::SchemaDescriptor{catalog::kPublicSchema, "public"}));
  }

  std::string run(const test::Command& command) {
    if (command.name == "table") {
      return define(command.input);
    }
    work_mem_ = static_cast<std::size_t>(std::stoul(command.value("work_mem", "4194304")));
    if (command.name == "explain") {
      const auto plan = this->plan(command.input, distributed_ || command.has("distributed"));
      return plan.ok() ? print_physical((*plan)->root) : describe(plan.status());
    }
    const int files_before = storage_.created;
    std::string output;
    auto physical = plan(command.input, distributed_);
    if (!physical.ok()) {
      return describe(physical.status());
    }
    for (int time = 0; time < std::stoi(command.value("times", "1")); ++time) {
      output += runtime::block_on(executor_, query(*physical));
    }
    if (command.has("spills")) {
      output += storage_.created > files_before ? "spilled\n" : "not spilled\n";
    }
    return output;
  }

  Result<TableExpressionsPtr> expressions(catalog::TablePtr table) override {
    return bind_table_expressions(std::move(table), options(""));
  }

 private:
  BindOptions options(std::string_view text) {
    BindOptions options;
    options.catalog = std::make_shared<const catalog::Snapshot>(snapshot_);
    options.search_path = {"public"};
    options.text = text;
    options.evaluation = &evaluation_;
    options.parse_statement = &parse::parse_statement;
    options.parse_expression = &parse::parse_expression;
    options.parse_type_name = &parse::parse_type_name;
    return options;
  }

  Result<std::shared_ptr<const PhysicalQuery>> plan(const std::string& text, bool distributed) {
    PANDO_ASSIGN(const auto statement, parse::parse_statement(text));
    const BindOptions bind_options = options(text);
    PANDO_ASSIGN(LogicalQuery bound, bind_query(*statement, bind_options));
    PANDO_ASSIGN(PhysicalQuery physical,
                 optimize(std::move(bound), {.catalog = bind_options.catalog,
                                             .methods = {.distributed = distributed, .distributed_rows_min = 0},
                                             .evaluation = &evaluation_}));
    return std::make_shared<const PhysicalQuery>(std::move(physical));
  }

  static std::string describe(const Status& status) {
    std::string text = "error " + status.to_string() + "\n";
    if (!status.fields().detail.empty()) {
      text += "detail " + status.fields().detail + "\n";
    }
    return text;
  }

  Task<std::string> query(std::shared_ptr<const PhysicalQuery> physical) {
    auto transaction = store_.begin({.executor = &executor_});
    transaction->begin_statement();
    TransactionState state;
    ExecutionContext context{
        .transaction = *transaction, .evaluation = evaluation_, .executor = executor_, .state = state};
    context.catalog = std::make_shared<const catalog::Snapshot>(snapshot_);
    context.memory_bytes_max = work_mem_;
    context.hash_bytes_max = work_mem_;
    context.temporary = &storage_;
    context.table_expressions = this;
    std::string output;
    {
      Query query(physical, context);
      const Status status = co_await drain(&query, *physical, &output);
      if (!status.ok()) {
        co_return output + describe(status);
      }
      if (physical->modifies) {
        output += "affected " + std::to_string(query.rows_affected()) + "\n";
      }
    }
    const Status deferred = co_await check_deferred(context);
    if (!deferred.ok()) {
      co_return output + describe(deferred);
    }
    const Status committed = co_await transaction->commit();
    co_return committed.ok() ? output : output + describe(committed);
  }

  Task<Status> drain(Query* query, const PhysicalQuery& plan, std::string* output) {
    PANDO_CO_TRY(co_await query->open());
    types::Chunk rows;
    while (true) {
      PANDO_CO_ASSIGN(const bool more, co_await query->next(rows));
      if (!more) {
        co_return Status();
      }
      for (std::size_t row = 0; row < rows.rows; ++row) {
        for (std::size_t column = 0; column < rows.columns.size(); ++column) {
          *output += column == 0 ? "" : "|";
          if (rows.columns[column].is_null(row)) {
            *output += "NULL";
          } else {
            types::print_text(plan.result[column].type, rows.columns[column], row, evaluation_.settings, *output);
          }
        }
        *output += "\n";
      }
    }
  }

  // --- definitions ---

  std::string define(const std::string& input) {
    std::istringstream lines(input);
    TableDescriptor table;
    std::getline(lines, table.name);
    table.oid = next_oid_++;
    table.id = catalog::TableId(table.oid);
    table.schema = catalog::kPublicSchema;
    std::string line;
    while (std::getline(lines, line)) {
      add_part(table, line);
    }
    snapshot_.put(std::make_shared<const TableDescriptor>(table));
    return "ok\n";
  }

  static std::vector<std::string> words_of(const std::string& text) {
    std::istringstream stream(text);
    std::vector<std::string> words;
    for (std::string word; stream >> word;) {
      words.push_back(word);
    }
    return words;
  }
  static bool has_word(const std::vector<std::string>& words, const std::string& word) {
    return std::ranges::find(words, word) != words.end();
  }

  void add_part(TableDescriptor& table, const std::string& line) {
    const std::vector<std::string> words = words_of(line);
    if (words[0] == "unique" || words[0] == "index" || words[0] == "primary") {
      add_index(table, words);
    } else if (words[0] == "check") {
      catalog::ConstraintDescriptor check;
      check.oid = next_oid_++;
      check.name = words[1];
      check.check_sql = line.substr(line.find(words[1]) + words[1].size() + 1);
      table.constraints.push_back(check);
    } else if (words[0] == "foreign") {
      add_foreign(table, words);
    } else {
      catalog::ColumnDescriptor column;
      column.number = static_cast<catalog::AttributeNumber>(table.columns.size() + 1);
      column.name = words[0];
      column.type = {types::find_type(words[1])->oid};
      column.not_null = has_word(words, "not_null");
      if (const auto at = line.find("default "); at != std::string::npos) {
        column.default_sql = line.substr(at + 8);
      }
      table.columns.push_back(column);
    }
  }

  // unique NAME a b- : "-" is descending. With "where EXPRESSION" it is partial.
  void add_index(TableDescriptor& table, const std::vector<std::string>& words) {
    catalog::IndexDescriptor index;
    index.oid = next_oid_++;
    index.id = table.next_index_id;
    table.next_index_id = catalog::IndexId(table.next_index_id.number() + 1);
    index.name = words[1];
    index.unique = words[0] != "index";
    index.primary = words[0] == "primary";
    catalog::ConstraintDescriptor constraint;
    for (std::size_t i = 2; i < words.size(); ++i) {
      if (words[i] == "deferrable" || words[i] == "deferred") {
        constraint.deferrable = true;
        constraint.initially_deferred = words[i] == "deferred";
        continue;
      }
      if (words[i] == "where") {
        for (std::size_t part = i + 1; part < words.size(); ++part) {
          index.predicate_sql += words[part] + " ";
        }
        break;
      }
      catalog::IndexColumn column;
      std::string name = words[i];
      if (name.back() == '-') {
        name.pop_back();
        column.descending = true;
        column.nulls_first = true;
      }
      if (const catalog::ColumnDescriptor* found = table.find_column(name)) {
        column.attribute = found->number;
      } else {
        column.expression_sql = name;
      }
      index.columns.push_back(column);
    }
    if (index.unique) {
      constraint.oid = next_oid_++;
      constraint.name = index.name;
      constraint.kind = index.primary ? catalog::ConstraintKind::kPrimary : catalog::ConstraintKind::kUnique;
      constraint.index = index.oid;
      for (const catalog::IndexColumn& column : index.columns) {
        constraint.columns.push_back(column.attribute);
        if (index.primary) {
          table.columns[static_cast<std::size_t>(column.attribute) - 1].not_null = true;
        }
      }
      table.constraints.push_back(constraint);
    }
    table.indexes.insert(index.primary ? table.indexes.begin() : table.indexes.end(), index);
  }

  // foreign NAME column TABLE column [delete ACTION] [update ACTION] [deferrable|deferred]
  void add_foreign(TableDescriptor& table, const std::vector<std::string>& words) {
    const bool to_itself = words[3] == table.name;
    const catalog::TablePtr found = to_itself ? nullptr : snapshot_.find_table(catalog::kPublicSchema, words[3]);
    const TableDescriptor& referenced = to_itself ? table : *found;
    catalog::ConstraintDescriptor constraint;
    constraint.oid = next_oid_++;
    constraint.name = words[1];
    constraint.kind = catalog::ConstraintKind::kForeign;
    constraint.columns = {table.find_column(words[2])->number};
    constraint.referenced_table = referenced.oid;
    constraint.referenced_columns = {referenced.find_column(words[4])->number};
    for (const catalog::IndexDescriptor& index : referenced.indexes) {
      if (index.unique && index.columns.size() == 1 && index.columns[0].attribute == constraint.referenced_columns[0]) {
        constraint.index = index.oid;
      }
    }
    for (std::size_t i = 5; i < words.size(); ++i) {
      constraint.deferrable = constraint.deferrable || words[i] == "deferrable" || words[i] == "deferred";
      constraint.initially_deferred = constraint.initially_deferred || words[i] == "deferred";
      if (i + 1 < words.size() && (words[i] == "delete" || words[i] == "update")) {
        (words[i] == "delete" ? constraint.on_delete : constraint.on_update) = action_of(words[i + 1]);
      }
    }
    table.constraints.push_back(constraint);
  }
  static catalog::ForeignAction action_of(const std::string& word) {
    if (word == "cascade") {
      return catalog::ForeignAction::kCascade;
    }
    if (word == "null") {
      return catalog::ForeignAction::kSetNull;
    }
    return word == "restrict" ? catalog::ForeignAction::kRestrict : catalog::ForeignAction::kSetDefault;
  }

  const bool distributed_;
  ProgramRunner programs_;
  runtime::InlineExecutor executor_;
  IdleTimer timer_;
  txn::MemoryStore store_{&timer_, {.program_entries_max = 3}};
  FileStorage storage_;
  EvaluationContext evaluation_;
  catalog::Snapshot snapshot_;
  types::Oid next_oid_ = types::oid::kFirstUser;
  std::size_t work_mem_ = 0;
};

class QueryTest : public testing::TestWithParam<std::string> {};

TEST_P(QueryTest, Answers) {
  Database database;
  test::run_datadriven(GetParam(), [&](const test::Command& command) { return database.run(command); });
}

// The same statements give the same rows and errors. Their plans are others, and so is what is spilled.
TEST_P(QueryTest, AnswersTheSameWhenDistributed) {
  Database here;
  Database distributed(true);
  test::run_datadriven(GetParam(), [&](const test::Command& command) {
    std::string expected = here.run(command);
    if (command.name == "query" && !command.has("spills")) {
      EXPECT_EQ(distributed.run(command), expected) << command.input;
    } else if (command.name != "explain") {
      distributed.run(command);
    }
    return expected;
  });
}

INSTANTIATE_TEST_SUITE_P(Files, QueryTest, testing::ValuesIn(test::testdata_files("src/sql/exec/testdata")),
                         [](const testing::TestParamInfo<std::string>& info) {
                           const auto slash = info.param.rfind('/');
                           return info.param.substr(slash + 1, info.param.rfind('.') - slash - 1);
                         });

}  // namespace
}  // namespace pando::sql::exec
