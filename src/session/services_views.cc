// Services: what the catalog keeps as SQL text, printed again as PostgreSQL shows it.

#include <algorithm>

#include "session/object_names.h"
#include "session/services.h"
#include "sql/bind/trace.h"
#include "sql/deparse/deparse.h"
#include "sql/parse/parse.h"

namespace pando::session {

sql::BindOptions Services::stored_bind_options(sql::EvaluationContext& evaluation) {
  evaluation.settings = settings_.values().types;
  evaluation.services = this;
  return {.catalog = transaction_.catalog_snapshot(),
          .search_path = {},
          .evaluation = &evaluation,
          .parse_statement = &parse::parse_statement,
          .parse_expression = &parse::parse_expression,
          .parse_type_name = &parse::parse_type_name};
}

sql::PrintOptions Services::shown_print_options(bool pretty) {
  sql::PrintOptions options;
  options.settings = settings_.values().types;
  options.settings.user_types = transaction_.catalog_snapshot()->user_types();
  options.pretty = pretty;
  options.object_name = [this](types::Oid type, types::Oid object) {
    return name_of(type, object).value_or(std::to_string(object));
  };
  options.type_name = [this](types::Type type) {
    return types::name_user_types(types::format_type(type), [this](types::Oid oid) {
      return name_of(types::oid::kRegtype, oid).value_or("???");
    });
  };
  return options;
}

std::optional<std::string> Services::view_definition(const catalog::TableDescriptor& view, int64_t wrap_column,
                                                     bool pretty) {
  const std::string as_stored = " " + view.view_sql;
  const auto tree = parse::parse_statement(view.view_sql);
  const auto* select = tree.ok() ? std::get_if<ast::Select>(&(*tree)->node) : nullptr;
  if (select == nullptr || view.oid < types::oid::kFirstUser) {
    return as_stored;
  }
  sql::EvaluationContext evaluation;
  sql::QueryTrace trace;
  sql::BindOptions bind = stored_bind_options(evaluation);
  bind.trace = &trace;
  const auto bound = sql::bind_query(**tree, bind);
  if (!bound.ok()) {
    return as_stored;
  }
  sql::DeparseOptions options;
  options.wrap_column = static_cast<int>(wrap_column);
  options.print = shown_print_options(pretty);
  options.relation = [this](const catalog::TableDescriptor& table) {
    return name_of(types::oid::kRegclass, table.oid).value_or(quote_name(table.name));
  };
  options.type = [&](const ast::TypeName& name) {
    const auto type = sql::bind_type(name, bind);
    return type.ok() ? options.print.type_name(*type) : quote_name(name.names.back());
  };
  for (const catalog::ColumnDescriptor& column : view.columns) {
    if (!column.dropped) {
      options.view_columns.push_back(column.name);
    }
  }
  return sql::deparse_query(*select, trace, options).value_or(as_stored);
}

std::string Services::pretty_check(const catalog::TypeDescriptor& domain, const std::string& stored) {
  sql::EvaluationContext evaluation;
  const sql::BindOptions bind = stored_bind_options(evaluation);
  const auto tree = parse::parse_expression(stored);
  const auto bound =
      tree.ok() ? sql::bind_domain_check(**tree, domain.base, bind) : Result<sql::ExprPtr>(tree.status());
  sql::PrintOptions options = shown_print_options(true);
  options.column = [](const sql::ColumnExpr&) { return "VALUE"; };
  return bound.ok() ? sql::print_expr(*bound, options) : shown_expression(stored);
}

// Without the parentheses that precedence makes superfluous.
std::string Services::pretty_expression(const std::string& stored, const catalog::TablePtr& table) {
  sql::EvaluationContext evaluation;
  const sql::BindOptions bind = stored_bind_options(evaluation);
  const auto tree = parse::parse_expression(stored);
  const auto bound = tree.ok() ? sql::bind_table_expression(**tree, table, {}, "check constraints", bind)
                               : Result<sql::ExprPtr>(tree.status());
  return bound.ok() ? sql::print_expr(*bound, shown_print_options(true)) : shown_expression(stored);
}

}  // namespace pando::session
