// Text-driven tests: testdata/*.txt. Commands:
//   table      CREATE TABLE statement: columns with their types, PRIMARY KEY, UNIQUE, NOT NULL, DEFAULT, CHECK,
//              GENERATED ... STORED
//   view       CREATE VIEW statement
//   bind       a statement, to its result columns, parameters and plan, or its error
//     types=(int4,...)   the types of $1, ...
//     columns            only the result columns and parameters
//     lift               lift all literals of the text

#include "sql/bind/bind.h"

#include <map>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "sql/parse/parse.h"
#include "sql/plan/print_logical.h"
#include "test/support/datadriven.h"

namespace pando::sql {
namespace {

// Names of the catalog for 'name'::regclass literals.
class CatalogNames : public SessionServices {
 public:
  explicit CatalogNames(const catalog::Snapshot& snapshot) : snapshot_(snapshot) {}

  Result<std::optional<types::Oid>> resolve_name(types::Oid reg_type, std::string_view name) override {
    if (reg_type == types::oid::kRegclass) {
      const catalog::TablePtr table = snapshot_.find_table(catalog::kPublicSchema, name);
      return table == nullptr ? std::optional<types::Oid>() : table->oid;
    }
    const types::TypeInfo* info = reg_type == types::oid::kRegtype ? types::find_type(name) : nullptr;
    return info == nullptr ? std::optional<types::Oid>() : info->oid;
  }
  std::optional<std::string> name_of(types::Oid, types::Oid) override { return std::nullopt; }
  Result<std::optional<std::string>> describe(std::string_view, types::Oid, int64_t, bool) override {
    return std::optional<std::string>();
  }
  std::optional<bool> is_visible(std::string_view, types::Oid) override { return std::nullopt; }
  Result<std::optional<bool>> has_privilege(std::string_view, std::string_view, std::string_view) override {
    return std::optional<bool>();
  }
  Status nextval(types::Oid, std::size_t, std::vector<int64_t>&) override { return {}; }
  Result<int64_t> currval(types::Oid) override { return int64_t{0}; }
  Result<int64_t> lastval() override { return int64_t{0}; }
  Status setval(types::Oid, int64_t, bool) override { return {}; }
  Result<std::optional<std::string>> current_setting(std::string_view, bool) override {
    return std::optional<std::string>();
  }
  Result<std::string> set_config(std::string_view, std::string_view, bool) override { return std::string(); }
  std::vector<std::string> current_schemas(bool) override { return {}; }
  std::optional<std::string> fact(std::string_view) override { return std::nullopt; }
  Result<std::optional<std::string>> act(std::string_view, std::span<const types::Value>) override {
    return std::optional<std::string>();
  }

 private:
  const catalog::Snapshot& snapshot_;
};

std::string error_text(const Status& status) {
  const ErrorFields& fields = status.fields();
  std::string text = fmt::format("ERROR {}: {}\n", fields.code.view(), fields.message);
  if (!fields.detail.empty()) {
    text += fmt::format("DETAIL: {}\n", fields.detail);
  }
  if (!fields.hint.empty()) {
    text += fmt::format("HINT: {}\n", fields.hint);
  }
  if (fields.position != 0) {
    text += fmt::format("POSITION: {}\n", fields.position);
  }
  return text;
}

class BindHarness {
 public:
  BindHarness() : snapshot_(std::make_shared<catalog::Snapshot>()) {
    for (const auto& [oid, name] : std::map<types::Oid, std::string>{{catalog::kPgCatalogSchema, "pg_catalog"},
                                                                     {catalog::kPublicSchema, "public"}}) {
      auto schema = std::make_shared<catalog::SchemaDescriptor>();
      schema->oid = oid;
      schema->name = name;
      snapshot_->put(catalog::SchemaPtr(schema));
    }
    names_ = std::make_unique<CatalogNames>(*snapshot_);
    evaluation_.services = names_.get();
  }

  std::string run(const test::Command& command) {
    if (command.name == "table") {
      return create_table(command.input);
    }
    if (command.name == "view") {
      return create_view(command.input);
    }
    return command.name == "bind" ? bind(command) : "unknown command\n";
  }

 private:
  BindOptions options(std::string_view text) {
    BindOptions options;
    options.catalog = snapshot_;
    options.search_path = {"public"};
    options.text = text;
    options.evaluation = &evaluation_;
    options.parse_statement = &parse::parse_statement;
    options.parse_expression = &parse::parse_expression;
    options.parse_type_name = &parse::parse_type_name;
    return options;
  }

  void add_index(catalog::TableDescriptor& table, const std::vector<std::string>& columns, bool primary) {
    catalog::IndexDescriptor index;
    index.oid = next_oid_++;
    index.unique = true;
    index.primary = primary;
    index.name = table.name + (primary ? "_pkey" : "_key");
    for (const std::string& name : columns) {
      index.columns.push_back({table.find_column(name)->number, "", false, false});
    }
    catalog::ConstraintDescriptor constraint;
    constraint.name = index.name;
    constraint.kind = primary ? catalog::ConstraintKind::kPrimary : catalog::ConstraintKind::kUnique;
    constraint.index = index.oid;
    table.constraints.push_back(constraint);
    table.indexes.push_back(std::move(index));
  }

  // The SQL text between the parentheses that follow `word`, for expressions, which have no printer here.
  static std::string parenthesized(const std::string& sql, std::size_t from) {
    const std::size_t open = sql.find('(', from);
    int depth = 0;
    for (std::size_t i = open; i < sql.size(); ++i) {
      depth += sql[i] == '(' ? 1 : sql[i] == ')' ? -1 : 0;
      if (depth == 0) {
        return sql.substr(open + 1, i - open - 1);
      }
    }
    return "";
  }

  void add_constraint(catalog::TableDescriptor& table, const ast::Constraint& constraint, const std::string& column,
                      const std::string& sql) {
    using Kind = ast::Constraint::Kind;
    const auto from = static_cast<std::size_t>(std::max(constraint.location, 0));
    catalog::ColumnDescriptor* descriptor = column.empty() ? nullptr : &table.columns.back();
    switch (constraint.kind) {
      case Kind::kPrimaryKey:
      case Kind::kUnique:
        add_index(table, column.empty() ? constraint.columns : std::vector<std::string>{column},
                  constraint.kind == Kind::kPrimaryKey);
        break;
      case Kind::kNotNull:
        descriptor->not_null = true;
        break;
      case Kind::kDefault:
        descriptor->default_sql = parenthesized(sql, from);
        break;
      case Kind::kGenerated:
        descriptor->default_sql = parenthesized(sql, from);
        descriptor->generated = true;
        break;
      case Kind::kIdentity:
        descriptor->identity = constraint.generated_always ? catalog::Identity::kAlways : catalog::Identity::kByDefault;
        descriptor->owned_sequence = 7;
        break;
      case Kind::kCheck: {
        catalog::ConstraintDescriptor check;
        check.name = table.name + "_check";
        check.check_sql = parenthesized(sql, from);
        table.constraints.push_back(check);
        break;
      }
      default:
        break;
    }
  }

  std::string create_table(const std::string& sql) {
    auto statement = parse::parse_statement(sql);
    if (!statement.ok()) {
      return error_text(statement.status());
    }
    const auto& create = std::get<ast::CreateTable>((*statement)->node);
    auto table = std::make_shared<catalog::TableDescriptor>();
    table->oid = next_oid_++;
    table->schema = catalog::kPublicSchema;
    table->name = create.name.name;
    for (const auto& element : create.elements) {
      const auto* column = std::get_if<ast::ColumnDefinition>(&element);
      if (column == nullptr) {
        add_constraint(*table, std::get<ast::Constraint>(element), "", sql);
        continue;
      }
      catalog::ColumnDescriptor descriptor;
      descriptor.number = static_cast<catalog::AttributeNumber>(table->columns.size() + 1);
      descriptor.name = column->name;
      auto type = bind_type(column->type, options(sql));
      if (!type.ok()) {
        return error_text(type.status());
      }
      descriptor.type = *type;
      table->columns.push_back(descriptor);
      for (const ast::Constraint& constraint : column->constraints) {
        add_constraint(*table, constraint, column->name, sql);
      }
    }
    snapshot_->put(catalog::TablePtr(table));
    return "ok\n";
  }

  std::string create_view(const std::string& sql) {
    auto statement = parse::parse_statement(sql);
    if (!statement.ok()) {
      return error_text(statement.status());
    }
    const auto& create = std::get<ast::CreateView>((*statement)->node);
    auto query = bind_query(*create.query, options(sql));
    if (!query.ok()) {
      return error_text(query.status());
    }
    auto table = std::make_shared<catalog::TableDescriptor>();
    table->oid = next_oid_++;
    table->schema = catalog::kPublicSchema;
    table->name = create.name.name;
    table->kind = catalog::RelationKind::kView;
    table->view_sql = sql.substr(sql.find(" AS ") + 4);
    for (const OutputColumn& output : query->result) {
      catalog::ColumnDescriptor column;
      column.number = static_cast<catalog::AttributeNumber>(table->columns.size() + 1);
      column.name = output.name;
      column.type = output.type;
      table->columns.push_back(column);
    }
    snapshot_->put(catalog::TablePtr(table));
    return "ok\n";
  }

  std::string bind(const test::Command& command) {
    auto statement = parse::parse_statement(command.input);
    if (!statement.ok()) {
      return error_text(statement.status());
    }
    BindOptions bind_options = options(command.input);
    std::vector<types::Oid> parameters;
    for (const std::string& name : command.values("types")) {
      parameters.push_back(name == "0" ? 0 : types::find_type(name)->oid);
    }
    bind_options.parameter_types = parameters;
    auto query = bind_query(**statement, bind_options);
    if (!query.ok()) {
      return error_text(query.status());
    }
    std::string text;
    for (const OutputColumn& column : query->result) {
      text += fmt::format("{} {}", column.name, types::format_type(column.type));
      text += column.table == 0 ? "" : fmt::format(" [{}.{}]", column.table, column.attribute);
      text += "\n";
    }
    for (const types::Type& type : query->parameters) {
      text += fmt::format("parameter {}\n", types::format_type(type));
    }
    return command.has("columns") ? text : text + print_logical(query->root);
  }

  std::shared_ptr<catalog::Snapshot> snapshot_;
  std::unique_ptr<CatalogNames> names_;
  EvaluationContext evaluation_;
  types::Oid next_oid_ = types::oid::kFirstUser;
};

class BindTest : public testing::TestWithParam<std::string> {};

TEST_P(BindTest, Testdata) {
  BindHarness harness;
  test::run_datadriven(GetParam(), [&](const test::Command& command) { return harness.run(command); });
}

INSTANTIATE_TEST_SUITE_P(Files, BindTest, testing::ValuesIn(test::testdata_files("src/sql/bind/testdata")));

}  // namespace
}  // namespace pando::sql
