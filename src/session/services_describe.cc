// Services: definitions of objects as SQL, for pg_get_*def and its kin.

#include <algorithm>
#include <charconv>
#include <functional>

#include <fmt/format.h>

#include "session/object_names.h"
#include "session/services.h"
#include "sql/function/function.h"

namespace pando::session {
namespace {

using types::Oid;

std::string column_list(const catalog::TableDescriptor& table, const std::vector<catalog::AttributeNumber>& columns) {
  std::string out;
  for (const catalog::AttributeNumber column : columns) {
    out += (out.empty() ? "" : ", ") + quote_name(table.column(column).name);
  }
  return out;
}

std::string_view action_name(catalog::ForeignAction action) {
  switch (action) {
    case catalog::ForeignAction::kNoAction:
      return "";
    case catalog::ForeignAction::kRestrict:
      return "RESTRICT";
    case catalog::ForeignAction::kCascade:
      return "CASCADE";
    case catalog::ForeignAction::kSetNull:
      return "SET NULL";
    case catalog::ForeignAction::kSetDefault:
      return "SET DEFAULT";
  }
  PANDO_UNREACHABLE("a referential action outside its enumeration");
}

// How a stored expression is shown.
using Show = const std::function<std::string(const std::string&)>&;

// One column of an index: its name, or its expression in parentheses unless it is a function call.
std::string index_column(const catalog::TableDescriptor& table, const catalog::IndexColumn& column, Show show) {
  if (column.attribute != 0) {
    return quote_name(table.column(column.attribute).name);
  }
  const std::string& sql = column.expression_sql;
  return sql.ends_with(")") && !sql.starts_with("(") ? show(sql) : "(" + show(sql) + ")";
}

std::string index_columns(const catalog::TableDescriptor& table, const catalog::IndexDescriptor& index, Show show) {
  std::string out;
  for (const catalog::IndexColumn& column : index.columns) {
    out += (out.empty() ? "" : ", ") + index_column(table, column, show);
    out += column.descending ? " DESC" : "";
    if (column.nulls_first != column.descending) {
      out += column.nulls_first ? " NULLS FIRST" : " NULLS LAST";
    }
  }
  return out;
}

std::string function_arguments(const sql::Function& function) {
  std::string out;
  for (std::size_t i = 0; i < function.arguments.size(); ++i) {
    out += out.empty() ? "" : ", ";
    out += function.variadic && i + 1 == function.arguments.size() ? "VARIADIC " : "";
    if (i < function.argument_names.size() && !function.argument_names[i].empty()) {
      out += quote_name(function.argument_names[i]) + " ";
    }
    out += types::format_type({function.arguments[i]});
  }
  return out;
}

}  // namespace

// Casts to users' types, with the schema only where the search path asks for it.
std::string Services::shown_type_names(std::string text) {
  const auto snapshot = transaction_.catalog_snapshot();
  for (const auto& [oid, type] : snapshot->user_defined_types()) {
    const auto schema = snapshot->find_schema(type->schema);
    const std::string shown = name_of(types::oid::kRegtype, oid).value_or("");
    const std::string stored = schema == nullptr ? "" : quote_name(schema->name) + "." + quote_name(type->name);
    if (stored.empty() || stored == shown) {
      continue;
    }
    const std::string cast = "::" + stored;
    for (auto at = text.find(cast); at != std::string::npos; at = text.find(cast, at + shown.size())) {
      const char after = at + cast.size() < text.size() ? text[at + cast.size()] : ' ';
      const bool is_whole = std::isalnum(static_cast<unsigned char>(after)) == 0 && after != '_';
      if (is_whole) {
        text.replace(at, cast.size(), "::" + shown);
      }
    }
  }
  return text;
}

std::string Services::shown_expression(std::string_view stored) {
  constexpr std::string_view kCast = "'::regclass";
  std::string out;
  while (true) {
    const auto end = stored.find(kCast);
    const auto start = end == std::string_view::npos || end == 0 ? end : stored.rfind('\'', end - 1);
    if (start == std::string_view::npos || end == 0) {
      return shown_type_names(out + std::string(stored));
    }
    const std::string_view literal = stored.substr(start + 1, end - start - 1);
    const auto parts = split_qualified_name(literal);
    const Oid relation =
        parts.ok() ? resolve_relation(parts->size() > 1 ? (*parts)[parts->size() - 2] : "", parts->back()) : 0;
    const auto name = relation == 0 ? std::nullopt : name_of(types::oid::kRegclass, relation);
    out += stored.substr(0, start + 1);
    out += name ? *name : std::string(literal);
    out += kCast;
    stored.remove_prefix(end + kCast.size());
  }
}

std::optional<std::string> Services::index_definition(Oid oid, int64_t column, bool pretty) {
  const auto table = transaction_.catalog_snapshot()->find_index_table(oid);
  if (table == nullptr) {
    return std::nullopt;
  }
  const catalog::IndexDescriptor& index = *table->find_index(oid);
  const auto show = [&](const std::string& sql) { return pretty ? pretty_expression(sql, table) : sql; };
  if (column > 0) {
    return static_cast<std::size_t>(column) <= index.columns.size()
               ? index_column(*table, index.columns[static_cast<std::size_t>(column) - 1], show)
               : "";
  }
  std::string out = fmt::format(
      "CREATE {}INDEX {} ON {} USING {} ({})", index.unique ? "UNIQUE " : "", quote_name(index.name),
      pretty ? name_of(types::oid::kRegclass, table->oid).value_or("") : qualify(table->schema, table->name, false),
      index.method, index_columns(*table, index, show));
  out += index.included.empty() ? "" : fmt::format(" INCLUDE ({})", column_list(*table, index.included));
  out += index.nulls_not_distinct ? " NULLS NOT DISTINCT" : "";
  out += index.predicate_sql.empty() ? "" : " WHERE " + show(index.predicate_sql);
  return out;
}

std::string Services::foreign_key_definition(const catalog::TableDescriptor& table,
                                             const catalog::ConstraintDescriptor& constraint) {
  const auto referenced = transaction_.catalog_snapshot()->find_table(constraint.referenced_table);
  std::string out = fmt::format("FOREIGN KEY ({}) REFERENCES {}({})", column_list(table, constraint.columns),
                                name_of(types::oid::kRegclass, constraint.referenced_table).value_or(""),
                                column_list(*referenced, constraint.referenced_columns));
  out += constraint.match_full ? " MATCH FULL" : "";
  if (const auto action = action_name(constraint.on_update); !action.empty()) {
    out += fmt::format(" ON UPDATE {}", action);
  }
  if (const auto action = action_name(constraint.on_delete); !action.empty()) {
    out += fmt::format(" ON DELETE {}", action);
    out += constraint.set_columns.empty() ? "" : fmt::format(" ({})", column_list(table, constraint.set_columns));
  }
  return out;
}

std::optional<std::string> Services::constraint_definition(Oid oid, bool pretty) {
  for (const auto& [type_oid, type] : transaction_.catalog_snapshot()->user_defined_types()) {
    const auto check = std::ranges::find(type->checks, oid, &catalog::TypeDescriptor::Check::oid);
    if (check != type->checks.end()) {
      return fmt::format("CHECK ({}){}", pretty ? pretty_check(*type, check->sql) : shown_expression(check->sql),
                         check->validated ? "" : " NOT VALID");
    }
  }
  for (const auto& [table_oid, table] : transaction_.catalog_snapshot()->tables()) {
    for (const catalog::ConstraintDescriptor& constraint : table->constraints) {
      if (constraint.oid != oid) {
        continue;
      }
      std::string out;
      switch (constraint.kind) {
        case catalog::ConstraintKind::kPrimary:
          out = fmt::format("PRIMARY KEY ({})", column_list(*table, constraint.columns));
          break;
        case catalog::ConstraintKind::kUnique:
          out = fmt::format("UNIQUE ({})", column_list(*table, constraint.columns));
          break;
        case catalog::ConstraintKind::kCheck:
          out =
              fmt::format("CHECK ({})", pretty ? pretty_expression(constraint.check_sql, table) : constraint.check_sql);
          out += constraint.no_inherit ? " NO INHERIT" : "";
          break;
        case catalog::ConstraintKind::kForeign:
          out = foreign_key_definition(*table, constraint);
          break;
      }
      out += constraint.deferrable ? " DEFERRABLE" : "";
      out += constraint.initially_deferred ? " INITIALLY DEFERRED" : "";
      out += constraint.validated ? "" : " NOT VALID";
      return out;
    }
  }
  return std::nullopt;
}

Result<std::optional<std::string>> Services::describe(std::string_view function, Oid object, int64_t argument,
                                                      bool pretty) {
  const auto snapshot = transaction_.catalog_snapshot();
  if (function == "pg_get_indexdef") {
    return index_definition(object, argument, pretty);
  }
  if (function == "pg_get_constraintdef") {
    return constraint_definition(object, pretty);
  }
  if (function == "pg_get_viewdef") {
    const auto view = snapshot->find_table(object);
    if (view == nullptr || view->view_sql.empty()) {
      return std::nullopt;
    }
    return view_definition(*view, argument, pretty).value_or("") + ";";
  }
  constexpr std::string_view kComment = "obj_description";
  if (function.starts_with(kComment)) {
    const std::string_view catalog = function.substr(std::min(function.size(), kComment.size() + 1));
    return comment_of(catalog, object, 0);
  }
  if (function == "col_description") {
    return argument > 0 ? comment_of("pg_class", object, argument) : std::nullopt;
  }
  if (constexpr std::string_view kDescribe = "pg_describe_object:"; function.starts_with(kDescribe)) {
    Oid catalog = 0;
    std::from_chars(function.data() + kDescribe.size(), function.data() + function.size(), catalog);
    return object_description(catalog, object, argument);
  }
  if (function == "pg_sequence_last_value") {
    PANDO_ASSIGN(const catalog::SequencePtr sequence, find_sequence(object));
    const Answer* answer = answer_of(PendingRead{sequence});
    return answer == nullptr ? Result<Answer>(Status(sql::kWaitNeeded, "a sequence")) : *answer;
  }
  if (function == "pg_relation_size" || function == "pg_table_size" || function == "pg_indexes_size" ||
      function == "pg_total_relation_size") {
    return relation_size(function, object);
  }
  if (function == "pg_database_size") {
    return object == environment_.catalog.options().database ? database_size(fact("current_database").value_or(""))
                                                             : Result<Answer>(std::nullopt);
  }
  if (snapshot->find_table(object) != nullptr || snapshot->find_sequence(object) != nullptr) {
    if (auto found_fact = relation_fact(function, object, argument)) {
      return found_fact;
    }
  }
  const sql::Function* found = sql::function_by_oid(object);
  if (function == "pg_get_function_arguments" || function == "pg_get_function_identity_arguments") {
    return found == nullptr ? std::nullopt : std::optional(function_arguments(*found));
  }
  if (function == "pg_get_function_result") {
    return found == nullptr ? std::nullopt
                            : std::optional((found->kind == sql::FunctionKind::kSet ? "SETOF " : "") +
                                            types::format_type({found->result}));
  }
  // Of objects that Pando does not have: there is none with this OID.
  return std::optional<std::string>();
}

}  // namespace pando::session
