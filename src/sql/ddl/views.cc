#include <algorithm>

#include "sql/ast/print.h"
#include "sql/ddl/definition.h"

namespace pando::sql::ddl {
namespace {

// Relations are stored with their schema, so that the view keeps its meaning under every search path; common table
// expressions' names stay as they are.
ast::PrintOptions stored_query_options(Definition& definition) {
  ast::PrintOptions options;
  options.identifier = [](std::string_view name) { return quote_identifier(name); };
  options.relation = [&definition](const ast::RelationName& name) {
    auto found = definition.find_relation(name);
    if (!found.ok()) {
      return name.schema.empty() ? quote_identifier(name.name)
                                 : quote_identifier(name.schema) + "." + quote_identifier(name.name);
    }
    return definition.qualified_name(**found);
  };
  options.type = [&definition](const ast::TypeName& name) { return definition.qualified_type_name(name.names); };
  return options;
}

// The columns that a star stands for now, by binding a query with just that star.
std::string expand_star(const ast::SelectCore& core, const ast::ColumnRef& star, Definition& definition) {
  ast::PrintOptions options = stored_query_options(definition);
  std::string qualifier;
  for (const auto& part : star.names) {
    qualifier += quote_identifier(part) + ".";
  }
  const std::string query = fmt::format("SELECT {}* FROM {}", qualifier, ast::print_from(core, options));
  BindOptions bind = definition.bind_options();
  bind.text = query;
  auto parsed = bind.parse_statement(query);
  if (!parsed.ok()) {
    return "";
  }
  auto bound = bind_query(**parsed, bind);
  if (!bound.ok()) {
    return "";
  }
  std::string columns;
  for (const auto& column : bound->result) {
    columns += fmt::format("{}{}{}", columns.empty() ? "" : ", ", qualifier, quote_identifier(column.name));
  }
  return columns;
}

Result<std::vector<ColumnDescriptor>> view_columns(const ast::CreateView& statement, const LogicalQuery& query) {
  if (statement.columns.size() > query.result.size()) {
    return Status(sql_state::kSyntaxError, "CREATE VIEW specifies more column names than columns");
  }
  std::vector<ColumnDescriptor> columns;
  for (const auto& result : query.result) {
    ColumnDescriptor column;
    const std::size_t i = columns.size();
    column.number = static_cast<AttributeNumber>(i + 1);
    column.name = i < statement.columns.size() ? statement.columns[i] : result.name;
    column.type = result.type.oid == types::oid::kUnknown ? types::Type{types::oid::kText} : result.type;
    if (std::ranges::find(columns, column.name, &ColumnDescriptor::name) != columns.end()) {
      return Status(sql_state::kDuplicateColumn, "column \"{}\" specified more than once", column.name);
    }
    columns.push_back(std::move(column));
  }
  return columns;
}

// CREATE OR REPLACE VIEW may only add columns at the end.
Status check_replacement(const TableDescriptor& old, const std::vector<ColumnDescriptor>& columns) {
  if (columns.size() < old.columns.size()) {
    return Status(sql_state::kInvalidTableDefinition, "cannot drop columns from view");
  }
  for (std::size_t i = 0; i < old.columns.size(); ++i) {
    if (old.columns[i].name != columns[i].name) {
      return Status(sql_state::kInvalidTableDefinition, "cannot change name of view column \"{}\" to \"{}\"",
                    old.columns[i].name, columns[i].name)
          .with_hint("Use ALTER VIEW ... RENAME COLUMN ... to change name of view column instead.");
    }
    if (old.columns[i].type != columns[i].type) {
      return Status(sql_state::kInvalidTableDefinition, "cannot change data type of view column \"{}\" from {} to {}",
                    old.columns[i].name, types::format_type(old.columns[i].type), types::format_type(columns[i].type));
    }
  }
  return {};
}

// WITH CHECK OPTION, or the option of the same name in WITH (...).
Result<catalog::CheckOption> check_option_of(const ast::CreateView& statement, Definition& definition) {
  using Written = ast::CreateView::CheckOption;
  catalog::CheckOption option = statement.check_option == Written::kLocal      ? catalog::CheckOption::kLocal
                                : statement.check_option == Written::kCascaded ? catalog::CheckOption::kCascaded
                                                                               : catalog::CheckOption::kNone;
  for (const ast::Option& written : statement.options) {
    if (written.name == "check_option") {
      const auto* word = std::get_if<std::string>(&written.value);
      const auto* type = std::get_if<ast::TypeName>(&written.value);
      const std::string value = word != nullptr                           ? *word
                                : type != nullptr && !type->names.empty() ? type->names.back()
                                                                          : "";
      if (value != "local" && value != "cascaded") {
        return Status(sql_state::kInvalidParameterValue, "invalid value for enum option \"check_option\": {}", value)
            .with_detail("Valid values are \"local\" and \"cascaded\".");
      }
      option = value == "local" ? catalog::CheckOption::kLocal : catalog::CheckOption::kCascaded;
    } else if (written.name != "security_barrier" && written.name != "security_invoker") {
      return Status(sql_state::kInvalidParameterValue, "unrecognized parameter \"{}\"", written.name);
    }
  }
  if (option != catalog::CheckOption::kNone) {
    PANDO_ASSIGN(const std::string why, why_not_updatable(*statement.query, definition.bind_options()));
    if (!why.empty()) {
      return Status(sql_state::kFeatureNotSupported,
                    "WITH CHECK OPTION is supported only on automatically updatable views")
          .with_hint(why);
    }
  }
  return option;
}

// A view of temporary relations is temporary itself.
Result<bool> reads_temporary(const ast::Statement& query, Definition& definition) {
  PANDO_ASSIGN(const auto dependencies, bind_dependencies(query, definition.bind_options()));
  return std::ranges::any_of(dependencies, [&](Oid relation) {
    const TablePtr table = definition.snapshot()->find_table(relation);
    const SchemaPtr schema = table == nullptr ? nullptr : definition.snapshot()->find_schema(table->schema);
    return schema != nullptr && is_temporary(*schema);
  });
}

}  // namespace

std::string stored_query(const ast::Select& query, Definition& definition) {
  ast::PrintOptions options = stored_query_options(definition);
  options.star = [&](const ast::SelectCore& core, const ast::ColumnRef& star) {
    return expand_star(core, star, definition);
  };
  return ast::print_select(query, options);
}

Task<Result<std::string>> create_view(const ast::CreateView* statement, Definition* definition) {
  const std::string tag = "CREATE VIEW";
  const auto* select = std::get_if<ast::Select>(&statement->query->node);
  if (select == nullptr) {
    co_return Status(sql_state::kFeatureNotSupported, "this kind of view query is not supported");
  }
  PANDO_CO_ASSIGN(const LogicalQuery query, bind_query(*statement->query, definition->bind_options()));
  if (!query.parameters.empty()) {
    co_return Status(sql_state::kUndefinedParameter, "there is no parameter $1");
  }
  PANDO_CO_ASSIGN(const catalog::CheckOption check_option, check_option_of(*statement, *definition));
  PANDO_CO_ASSIGN(auto columns, view_columns(*statement, query));
  ast::RelationName name = statement->name;
  PANDO_CO_ASSIGN(const bool of_temporary, reads_temporary(*statement->query, *definition));
  if (of_temporary && name.persistence != ast::RelationName::Persistence::kTemporary) {
    name.persistence = ast::RelationName::Persistence::kTemporary;
    definition->notice(fmt::format("view \"{}\" will be a temporary view", name.name));
  }
  PANDO_CO_ASSIGN(const SchemaPtr schema, co_await definition->schema_for(name));
  const TablePtr old = definition->snapshot()->find_table(schema->oid, statement->name.name);
  TableDescriptor view;
  if (old != nullptr && statement->replace) {
    if (old->kind != RelationKind::kView) {
      co_return Status(sql_state::kWrongObjectType, "\"{}\" is not a view", old->name);
    }
    PANDO_CO_TRY((co_await definition->lock_for_change(old->oid)).status());
    PANDO_CO_TRY(check_replacement(*old, columns));
    view = *old;
  } else {
    PANDO_CO_TRY(co_await definition->claim_relation_name(schema, statement->name.name));
    PANDO_CO_ASSIGN(view.oid, co_await definition->allocate_oid());
    view.owner = definition->current_owner();
    PANDO_CO_ASSIGN(view.row_type, co_await definition->allocate_oid());
  }
  view.schema = schema->oid;
  view.name = statement->name.name;
  view.kind = RelationKind::kView;
  view.columns = std::move(columns);
  PANDO_CO_TRY(check_row_type(view, *definition));
  view.check_option = check_option;
  view.temporary = is_temporary(*schema);
  view.view_sql = stored_query(*select, *definition);
  PANDO_CO_TRY(co_await definition->put_table(std::move(view)));
  co_return tag;
}

namespace {

bool view_reads(const TableDescriptor& view, Oid relation, Definition& definition) {
  BindOptions bind = definition.bind_options();
  bind.text = view.view_sql;
  auto parsed = bind.parse_statement(view.view_sql);
  if (!parsed.ok()) {
    return false;
  }
  const auto dependencies = bind_dependencies(**parsed, bind);
  return dependencies.ok() && std::ranges::find(*dependencies, relation) != dependencies->end();
}

// Whether the view's query still has a meaning when the table lacks the attribute.
bool view_needs_column(const TableDescriptor& view, const TableDescriptor& table, AttributeNumber attribute,
                       Definition& definition) {
  TableDescriptor without = table;
  without.columns[static_cast<std::size_t>(attribute) - 1].dropped = true;
  auto changed = std::make_shared<catalog::Snapshot>(*definition.snapshot());
  changed->put(std::make_shared<const TableDescriptor>(std::move(without)));
  BindOptions bind = definition.bind_options();
  bind.catalog = changed;
  bind.text = view.view_sql;
  auto parsed = bind.parse_statement(view.view_sql);
  return parsed.ok() && !bind_query(**parsed, bind).ok();
}

}  // namespace

std::vector<TablePtr> dependent_views(Oid relation, Definition& definition) {
  std::vector<TablePtr> views;
  for (const auto& [oid, candidate] : definition.snapshot()->tables()) {
    const bool is_user_view = !candidate->view_sql.empty() && oid >= types::oid::kFirstUser;
    if (is_user_view && oid != relation && view_reads(*candidate, relation, definition)) {
      views.push_back(candidate);
    }
  }
  return views;
}

Task<Status> drop_dependent_views(TableDescriptor table, AttributeNumber attribute, ast::DropBehavior behavior,
                                  Definition* definition) {
  std::vector<TablePtr> needing;
  for (const TablePtr& view : dependent_views(table.oid, *definition)) {
    if (view_needs_column(*view, table, attribute, *definition)) {
      needing.push_back(view);
    }
  }
  if (needing.empty()) {
    co_return Status();
  }
  const std::string& column = table.column(attribute).name;
  if (behavior == ast::DropBehavior::kRestrict) {
    std::string detail;
    for (const TablePtr& view : needing) {
      detail += fmt::format("{}{} {} depends on column {} of table {}", detail.empty() ? "" : "\n",
                            relation_word(*view), view->name, column, table.name);
    }
    co_return Status(sql_state::kDependentObjectsStillExist,
                     "cannot drop column {} of table {} because other objects depend on it", column, table.name)
        .with_detail(detail)
        .with_hint("Use DROP ... CASCADE to drop the dependent objects too.");
  }
  for (const TablePtr& view : needing) {
    definition->notice(fmt::format("drop cascades to {} {}", relation_word(*view), view->name));
    PANDO_CO_TRY(co_await drop_relation(view->oid, behavior, definition));
  }
  co_return Status();
}

Status check_no_view_reads(const TableDescriptor& table, AttributeNumber attribute, Definition& definition) {
  for (const TablePtr& view : dependent_views(table.oid, definition)) {
    if (view_needs_column(*view, table, attribute, definition)) {
      return Status(sql_state::kFeatureNotSupported, "cannot alter type of a column used by a view or rule")
          .with_detail(fmt::format("rule _RETURN on {} {} depends on column \"{}\"", relation_word(*view), view->name,
                                   table.column(attribute).name));
    }
  }
  return {};
}

}  // namespace pando::sql::ddl
