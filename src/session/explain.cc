// Session: EXPLAIN.

#include <fmt/format.h>

#include "session/option_values.h"
#include "session/session.h"
#include "sql/plan/print_physical.h"

namespace pando::session {
namespace {

constexpr double kNanosecondsPerMillisecond = 1e6;

struct ExplainOptions {
  bool analyze = false;
  bool costs = true;
  bool timing = true;
  bool summary = false;
  bool json = false;
};

Result<ExplainOptions> read_explain_options(const ast::OptionList& list) {
  ExplainOptions options;
  std::optional<bool> summary;
  for (const ast::Option& option : list) {
    if (option.name == "format") {
      const std::string format = option_text(option).value_or("");
      if (format != "text" && format != "json") {
        return Status(
            format == "xml" || format == "yaml" ? sql_state::kFeatureNotSupported : sql_state::kInvalidParameterValue,
            "unrecognized value for EXPLAIN option \"format\": \"{}\"", format);
      }
      options.json = format == "json";
      continue;
    }
    PANDO_ASSIGN(const bool on, option_bool(option));
    if (option.name == "analyze") {
      options.analyze = on;
    } else if (option.name == "costs") {
      options.costs = on;
    } else if (option.name == "timing") {
      options.timing = on;
    } else if (option.name == "summary") {
      summary = on;
    } else if (option.name != "verbose" && option.name != "buffers" && option.name != "settings" &&
               option.name != "wal") {
      return Status(sql_state::kSyntaxError, "unrecognized EXPLAIN option \"{}\"", option.name);
    }
  }
  options.summary = summary.value_or(options.analyze);
  return options;
}

std::vector<std::vector<std::optional<std::string>>> lines_of(const std::string& text) {
  std::vector<std::vector<std::optional<std::string>>> rows;
  std::size_t start = 0;
  while (start < text.size()) {
    const std::size_t end = std::min(text.find('\n', start), text.size());
    rows.push_back({text.substr(start, end - start)});
    start = end + 1;
  }
  return rows;
}

}  // namespace

// The query inside a statement that is explained as its query is.
Result<TreePtr> Session::explained_query(TreePtr tree) {
  if (const auto* declare = std::get_if<ast::DeclareCursor>(&tree->node)) {
    return TreePtr(tree, declare->query.get());
  }
  const auto* create = std::get_if<ast::CreateTableAs>(&tree->node);
  if (create == nullptr) {
    return tree;
  }
  if (snapshot()->resolve_table(search_path(), create->name.schema, create->name.name) != nullptr) {
    return Status(sql_state::kDuplicateTable, "relation \"{}\" already exists", create->name.name);
  }
  return TreePtr(tree, create->query.get());
}

namespace {

// What EXPLAIN shows.
struct Explained {
  sql::PhysicalPtr root;
  // Null without ANALYZE.
  const sql::exec::Query* run = nullptr;
  uint64_t planning_ns = 0;
  uint64_t execution_ns = 0;
};

std::vector<std::vector<std::optional<std::string>>> print_explained(const Explained& explained,
                                                                     const ExplainOptions& options) {
  sql::PrintPhysicalOptions print{.costs = options.costs, .timing = options.timing};
  if (explained.run != nullptr) {
    print.measured = [&explained](const sql::PhysicalNode& node) -> std::optional<sql::MeasuredNode> {
      const auto* actual = explained.run->actuals().find(node);
      return actual == nullptr ? std::nullopt
                               : std::optional(sql::MeasuredNode{actual->rows, actual->loops, actual->elapsed_ns});
    };
  }
  if (options.json) {
    return {{sql::print_physical_json(explained.root, print)}};
  }
  std::string text = sql::print_physical(explained.root, print);
  const auto milliseconds = [](uint64_t ns) { return static_cast<double>(ns) / kNanosecondsPerMillisecond; };
  if (options.summary) {
    text += fmt::format("Planning Time: {:.3f} ms\n", milliseconds(explained.planning_ns));
  }
  if (options.summary && explained.run != nullptr) {
    text += fmt::format("Execution Time: {:.3f} ms\n", milliseconds(explained.execution_ns));
  }
  return lines_of(text);
}

RowShapePtr explain_shape() {
  return std::make_shared<RowShape>(RowShape{{.name = "QUERY PLAN", .type = {types::oid::kText}}});
}

}  // namespace

// EXPLAIN ANALYZE of a statement that makes a table of a query: it does so, and the query's plan is shown.
Task<Result<std::string>> Session::explain_definition(const ast::Explain* command, TextPtr text, Output output) {
  PANDO_CO_ASSIGN(const ExplainOptions options, read_explain_options(command->options));
  const uint64_t start = environment_.clock.monotonic_ns();
  MeasuredRun measured;
  PANDO_CO_TRY((co_await run_definition(command->statement.get(), std::move(text), output, &measured)).status());
  if (measured.plan == nullptr) {
    co_return "EXPLAIN";
  }
  Explained explained{.root = std::get<sql::InsertPlan>(measured.plan->root->node).input, .run = measured.run.get()};
  explained.execution_ns = environment_.clock.monotonic_ns() - start;
  PANDO_CO_TRY(emit_text_rows(output, explain_shape(), print_explained(explained, options)));
  co_return "EXPLAIN";
}

Task<Result<std::string>> Session::run_explain(const ast::Explain& command, PreparedStatementPtr holder,
                                               std::vector<types::Value> parameters, Output output) {
  PANDO_CO_ASSIGN(const ExplainOptions options, read_explain_options(command.options));
  if (options.analyze && std::holds_alternative<ast::CreateTableAs>(command.statement->node)) {
    co_return co_await explain_definition(&command, holder->text, output);
  }
  std::vector<types::Oid> types;
  for (const types::Type& type : holder->parameter_types) {
    types.push_back(type.oid);
  }
  const uint64_t planning_start = environment_.clock.monotonic_ns();
  Portal portal;
  portal.parameters = std::move(parameters);
  TreePtr tree(holder->tree, command.statement.get());
  PANDO_CO_ASSIGN(tree, explained_query(std::move(tree)));
  if (const auto* execute = std::get_if<ast::Execute>(&tree->node)) {
    PANDO_CO_ASSIGN(portal.statement, find_statement(execute->name));
    PANDO_CO_ASSIGN(portal.parameters, co_await execute_arguments(*execute, holder->text, portal.statement));
  } else {
    PANDO_CO_ASSIGN(portal.statement, analyze(holder->text, tree, std::move(types)));
  }
  PANDO_CO_ASSIGN(portal.plan, current_plan(*portal.statement));
  if (portal.plan->query == nullptr) {
    co_return Status(sql_state::kFeatureNotSupported, "EXPLAIN of this statement is not supported");
  }
  Explained explained{.root = portal.plan->query->root};
  explained.planning_ns = environment_.clock.monotonic_ns() - planning_start;
  if (options.analyze) {
    const uint64_t start = environment_.clock.monotonic_ns();
    PANDO_CO_TRY(co_await begin_query(&portal));
    auto context = execution_context(portal.parameters);
    context.instrument = true;
    portal.query = std::make_unique<sql::exec::Query>(portal.plan->query, std::move(context));
    PANDO_CO_TRY(co_await portal.query->open());
    bool more = true;
    while (more) {
      PANDO_CO_ASSIGN(more, co_await fetch_chunk(&portal));
    }
    explained.execution_ns = environment_.clock.monotonic_ns() - start;
    explained.run = portal.query.get();
  }
  PANDO_CO_TRY(emit_text_rows(output, explain_shape(), print_explained(explained, options)));
  co_return "EXPLAIN";
}

}  // namespace pando::session
