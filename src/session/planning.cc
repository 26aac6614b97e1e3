// Session: from a statement's tree to how it runs.

#include <algorithm>

#include "session/planner_statistics.h"
#include "session/services.h"
#include "session/session.h"
#include "sql/function/text_form.h"
#include "sql/optimize/foldable.h"
#include "sql/optimize/optimize.h"
#include "sql/parse/parse.h"
#include "txn/program.h"

namespace pando::session {
namespace {

// Whether its values show names of objects: those of reg* types and their arrays.
bool shows_names(types::Oid type) {
  return sql::is_reg_type(type) || (types::is_array(type) && sql::is_reg_type(types::element_of(type)));
}

struct ResultColumnsOf {
  const std::vector<sql::OutputColumn>& result;

  RowShapePtr operator()() const {
    auto shape = std::make_shared<RowShape>();
    for (const sql::OutputColumn& column : result) {
      shape->push_back(
          {column.name, column.type, column.table, column.attribute, ValueFormat::kText, shows_names(column.type.oid)});
    }
    return shape;
  }
};

void collect_locked_tables(const sql::PhysicalPtr& node, std::vector<types::Oid>& tables);

template <typename Plan>
void collect_inputs(const Plan& plan, std::vector<types::Oid>& tables) {
  if constexpr (requires { plan.input; }) {
    collect_locked_tables(plan.input, tables);
  }
  if constexpr (requires { plan.left; }) {
    collect_locked_tables(plan.left, tables);
    collect_locked_tables(plan.right, tables);
  }
  if constexpr (requires { plan.body; }) {
    for (const auto& definition : plan.definitions) {
      collect_locked_tables(definition.plan, tables);
      collect_locked_tables(definition.recursive, tables);
    }
    collect_locked_tables(plan.body, tables);
  }
  if constexpr (requires { plan.statement; }) {
    tables.push_back(plan.statement.table->oid);
  }
  if constexpr (requires { plan.targets; }) {
    for (const auto& target : plan.targets) {
      tables.push_back(target.table->oid);
    }
  }
}

void collect_locked_tables(const sql::PhysicalPtr& node, std::vector<types::Oid>& tables) {
  if (node != nullptr) {
    std::visit([&tables](const auto& plan) { collect_inputs(plan, tables); }, node->node);
  }
}

std::string tag_of(const ast::Statement& tree) {
  if (std::holds_alternative<ast::Insert>(tree.node)) {
    return "INSERT 0";
  }
  if (std::holds_alternative<ast::Update>(tree.node)) {
    return "UPDATE";
  }
  if (std::holds_alternative<ast::Merge>(tree.node)) {
    return "MERGE";
  }
  return std::holds_alternative<ast::Delete>(tree.node) ? "DELETE" : "SELECT";
}

bool is_query(const ast::Statement& tree) {
  return std::holds_alternative<ast::Select>(tree.node) || std::holds_alternative<ast::Insert>(tree.node) ||
         std::holds_alternative<ast::Update>(tree.node) || std::holds_alternative<ast::Delete>(tree.node) ||
         std::holds_alternative<ast::Merge>(tree.node);
}

RowShapePtr one_text_column(std::string name) {
  return std::make_shared<RowShape>(RowShape{{.name = std::move(name), .type = {types::oid::kText}}});
}

}  // namespace

catalog::SnapshotPtr Session::snapshot() { return transaction_.catalog_snapshot(); }

const std::vector<std::string>& Session::search_path() {
  const uint64_t catalog_version = environment_.catalog.version();
  const bool own_changes = transaction_.started() && transaction_.catalog().has_changes();
  if (own_changes || search_path_catalog_ != catalog_version || search_path_binding_ != settings_.binding_version()) {
    search_path_ = services_->existing_search_path();
    search_path_catalog_ = own_changes ? 0 : catalog_version;
    search_path_binding_ = settings_.binding_version();
  }
  return search_path_;
}

sql::BindOptions Session::bind_options(const TextPtr& text, std::span<const types::Oid> types) {
  return {.catalog = snapshot(),
          .search_path = search_path(),
          .text = *text,
          .evaluation = &evaluation_,
          .parse_statement = &parse::parse_statement,
          .parse_expression = &parse::parse_expression,
          .parse_type_name = &parse::parse_type_name,
          .parameter_types = types,
          .database = identity_.database,
          .user = services_->current_user()};
}

bool Session::is_current(const StatementPlan& plan) {
  if (transaction_.started() && transaction_.catalog().has_changes()) {
    return false;
  }
  return plan.catalog_version == environment_.catalog.version() && plan.binding_version == settings_.binding_version();
}

sql::PlanMethods Session::plan_methods() const {
  sql::PlanMethods methods = settings_.values().plan_methods;
  const auto* const programs = txn::ProgramStore::of(&environment_.store);
  methods.distributed = programs != nullptr && programs->runs_programs();
  return methods;
}

Result<StatementPlanPtr> Session::make_query_plan(const TextPtr& text, const ast::Statement& tree,
                                                  std::span<const types::Oid> types,
                                                  std::span<const ast::Location> lifted, PlanPurpose purpose) {
  auto plan = std::make_shared<StatementPlan>();
  const bool own_changes = transaction_.started() && transaction_.catalog().has_changes();
  plan->catalog_version = own_changes ? 0 : environment_.catalog.version();
  plan->binding_version = settings_.binding_version();
  sql::BindOptions options = bind_options(text, types);
  options.lifted = lifted;
  PANDO_ASSIGN(sql::LogicalQuery bound, bind_for(purpose, tree, options, *plan));
  if (!lifted.empty() && sql::has_foldable_parts(bound)) {
    return Status(sql::kCannotLift, "constants decide what is computed");
  }
  plan->read_tables = bound.tables;
  const PlannerStatistics statistics(environment_.statistics);
  std::vector<sql::OutputColumn> shown = bound.result;
  shown.resize(shown.size() - plan->cursor_tables.size());
  plan->parameter_types = bound.parameters;
  plan->tag = tag_of(tree);
  if (!shown.empty() || plan->tag == "SELECT") {
    plan->shape = ResultColumnsOf{shown}();
  }
  Result<sql::PhysicalQuery> planned = sql::optimize(
      std::move(bound),
      {.catalog = options.catalog, .statistics = &statistics, .methods = plan_methods(), .evaluation = &evaluation_});
  if (!planned.ok() && purpose == PlanPurpose::kLater) {
    plan->catalog_version = 0;
    return StatementPlanPtr(std::move(plan));
  }
  PANDO_ASSIGN(sql::PhysicalQuery query, std::move(planned));
  collect_locked_tables(query.root, plan->locked_tables);
  if (plan->shape != nullptr && std::ranges::none_of(*plan->shape, &ResultColumn::named)) {
    plan->point_read = sql::exec::PointRead::make(query);
  }
  plan->point_write = sql::exec::PointWrite::make(query);
  plan->query = std::make_shared<const sql::PhysicalQuery>(std::move(query));
  return StatementPlanPtr(std::move(plan));
}

Result<sql::LogicalQuery> Session::bind_for(PlanPurpose purpose, const ast::Statement& tree,
                                            const sql::BindOptions& options, StatementPlan& plan) {
  if (purpose != PlanPurpose::kCursor) {
    return sql::bind_query(tree, options);
  }
  PANDO_ASSIGN(sql::BoundCursor cursor, sql::bind_cursor(tree, options));
  plan.cursor_tables = std::move(cursor.tables);
  plan.cursor_locks = cursor.locks;
  return std::move(cursor.query);
}

// Those of a query inside a command.
Result<std::vector<types::Type>> Session::parameters_of(const TextPtr& text, const ast::Statement& query,
                                                        std::span<const types::Oid> types) {
  if (!is_query(query)) {
    return std::vector<types::Type>();
  }
  PANDO_ASSIGN(const sql::LogicalQuery bound, sql::bind_query(query, bind_options(text, types)));
  return bound.parameters;
}

Result<StatementPlanPtr> Session::make_plan(const TextPtr& text, const ast::Statement& tree,
                                            std::span<const types::Oid> types, PlanPurpose purpose) {
  if (is_query(tree)) {
    return make_query_plan(text, tree, types, {}, purpose);
  }
  auto plan = std::make_shared<StatementPlan>();
  plan->catalog_version = environment_.catalog.version();
  plan->binding_version = settings_.binding_version();
  if (const auto* show = std::get_if<ast::ShowVariable>(&tree.node)) {
    plan->shape = show_shape(show->name);
  } else if (const auto* explain = std::get_if<ast::Explain>(&tree.node)) {
    PANDO_ASSIGN(plan->parameter_types, parameters_of(text, *explain->statement, types));
    plan->shape = one_text_column("QUERY PLAN");
  } else if (const auto* declare = std::get_if<ast::DeclareCursor>(&tree.node)) {
    PANDO_ASSIGN(plan->parameter_types, parameters_of(text, *declare->query, types));
  } else if (const auto* fetch = std::get_if<ast::Fetch>(&tree.node); fetch != nullptr && !fetch->move) {
    const auto cursor = portals_.find(fetch->cursor);
    plan->shape = cursor == portals_.end() ? nullptr : cursor->second->shape;
  } else if (const auto* execute = std::get_if<ast::Execute>(&tree.node)) {
    const auto statement = statements_.find(execute->name);
    if (statement != statements_.end()) {
      PANDO_ASSIGN(const StatementPlanPtr inner, current_plan(*statement->second));
      plan->shape = inner == nullptr ? nullptr : inner->shape;
    }
  }
  return StatementPlanPtr(std::move(plan));
}

Result<PreparedStatementPtr> Session::analyze(TextPtr text, TreePtr tree, std::vector<types::Oid> types,
                                              PlanPurpose purpose) {
  auto statement = std::make_shared<PreparedStatement>();
  statement->text = std::move(text);
  statement->tree = std::move(tree);
  statement->declared_types = std::move(types);
  statement->purpose = purpose;
  statement->prepare_time_us = evaluation_.statement_time_us;
  if (statement->tree == nullptr) {
    return statement;
  }
  PANDO_TRY(check_not_failed(*statement->tree));
  PANDO_ASSIGN(statement->plan, make_plan(statement->text, *statement->tree, statement->declared_types, purpose));
  statement->parameter_types = statement->plan->parameter_types;
  return statement;
}

Result<StatementPlanPtr> Session::current_plan(PreparedStatement& statement) {
  if (statement.plan == nullptr || is_current(*statement.plan)) {
    return statement.plan;
  }
  // Its parameters keep the types that the client was told.
  std::vector<types::Oid> types;
  for (const types::Type& type : statement.parameter_types) {
    types.push_back(type.oid);
  }
  const PlanPurpose purpose = statement.purpose == PlanPurpose::kLater ? PlanPurpose::kRun : statement.purpose;
  PANDO_ASSIGN(StatementPlanPtr plan, make_plan(statement.text, *statement.tree, types, purpose));
  if (statement.plan->shape != nullptr && statement.plan->query != nullptr) {
    const auto same = [](const ResultColumn& a, const ResultColumn& b) { return a.name == b.name && a.type == b.type; };
    if (plan->shape == nullptr || !std::ranges::equal(*plan->shape, *statement.plan->shape, same)) {
      return Status(sql_state::kFeatureNotSupported, "cached plan must not change result type");
    }
  }
  statement.plan = std::move(plan);
  return statement.plan;
}

RowShapePtr Session::show_shape(std::string_view name) {
  if (name == "all") {
    return std::make_shared<RowShape>(RowShape{{.name = "name", .type = {types::oid::kText}},
                                               {.name = "setting", .type = {types::oid::kText}},
                                               {.name = "description", .type = {types::oid::kText}}});
  }
  const SettingDefinition* definition = find_setting(name);
  return one_text_column(std::string(definition != nullptr ? definition->name : name));
}

}  // namespace pando::session
