// Services: comments on objects, and what objects are called in words.

#include <fmt/format.h>

#include "catalog/relation_forms.h"
#include "session/services.h"
#include "sql/bind/bind.h"
#include "sql/parse/parse.h"

namespace pando::session {
namespace {

using types::Oid;

// pg_class.oid of the catalogs whose objects can be described.
constexpr Oid kPgClass = 1259;
constexpr Oid kPgNamespace = 2615;
constexpr Oid kPgConstraint = 2606;
constexpr Oid kPgAuthid = 1260;

// pg_relation_is_updatable(): 1 << each of INSERT (3), UPDATE (2) and DELETE (4).
constexpr int kUpdatable = (1 << 3) | (1 << 2) | (1 << 4);

std::optional<std::string> text_or_null(const std::string& comment) {
  return comment.empty() ? std::nullopt : std::optional(comment);
}

}  // namespace

std::optional<std::string> Services::comment_of(std::string_view catalog, Oid object, int64_t part) {
  const auto snapshot = transaction_.catalog_snapshot();
  const bool any = catalog.empty();
  if (any || catalog == "pg_class") {
    if (const auto table = snapshot->find_table(object)) {
      const bool is_column = part > 0 && static_cast<std::size_t>(part) <= table->columns.size();
      return text_or_null(is_column ? table->column(static_cast<catalog::AttributeNumber>(part)).comment
                                    : table->comment);
    }
    if (const auto sequence = snapshot->find_sequence(object)) {
      return text_or_null(sequence->comment);
    }
    if (const auto table = snapshot->find_index_table(object)) {
      return text_or_null(table->find_index(object)->comment);
    }
  }
  if (any || catalog == "pg_namespace") {
    if (const auto schema = snapshot->find_schema(object)) {
      return text_or_null(schema->comment);
    }
  }
  if (const auto type = any || catalog == "pg_type" ? snapshot->find_type(object) : nullptr) {
    return text_or_null(type->comment);
  }
  if (any || catalog == "pg_constraint") {
    for (const auto& [oid, table] : snapshot->tables()) {
      for (const auto& constraint : table->constraints) {
        if (constraint.oid == object) {
          return text_or_null(constraint.comment);
        }
      }
    }
  }
  return std::nullopt;
}

bool Services::is_updatable_view(const catalog::TableDescriptor& table) {
  if (table.kind != catalog::RelationKind::kView || table.oid < types::oid::kFirstUser) {
    return false;
  }
  const auto tree = parse::parse_statement(table.view_sql);
  sql::EvaluationContext evaluation;
  const auto why = !tree.ok() ? Result<std::string>(tree.status())
                              : sql::why_not_updatable(**tree, {.catalog = transaction_.catalog_snapshot(),
                                                                .search_path = {},
                                                                .evaluation = &evaluation,
                                                                .parse_statement = &parse::parse_statement,
                                                                .parse_expression = &parse::parse_expression});
  return why.ok() && why->empty();
}

std::optional<std::string> Services::object_description(Oid catalog, Oid object, int64_t part) {
  const auto snapshot = transaction_.catalog_snapshot();
  if (catalog == kPgClass) {
    const auto name = name_of(types::oid::kRegclass, object);
    if (!name) {
      return std::nullopt;
    }
    const auto table = snapshot->find_table(object);
    const bool is_view = table != nullptr && table->kind == catalog::RelationKind::kView;
    const std::string kind = snapshot->find_sequence(object)      ? "sequence "
                             : snapshot->find_index_table(object) ? "index "
                             : is_view                            ? "view "
                                                                  : "table ";
    if (table != nullptr && part > 0 && static_cast<std::size_t>(part) <= table->columns.size()) {
      return fmt::format("column {} of {}{}", table->column(static_cast<catalog::AttributeNumber>(part)).name, kind,
                         *name);
    }
    return kind + *name;
  }
  if (catalog == kPgNamespace) {
    const auto schema = snapshot->find_schema(object);
    return schema == nullptr ? std::nullopt : std::optional("schema " + schema->name);
  }
  if (catalog == kPgAuthid) {
    const auto role = snapshot->roles().find(object);
    return role == snapshot->roles().end() ? std::nullopt : std::optional("role " + role->second->name);
  }
  if (catalog == kPgConstraint) {
    for (const auto& [oid, table] : snapshot->tables()) {
      for (const auto& constraint : table->constraints) {
        if (constraint.oid == object) {
          return fmt::format("constraint {} on table {}", constraint.name,
                             name_of(types::oid::kRegclass, oid).value_or(table->name));
        }
      }
    }
  }
  return std::nullopt;
}

std::optional<std::string> Services::relation_fact(std::string_view function, Oid relation, int64_t argument) {
  const auto table = transaction_.catalog_snapshot()->find_table(relation);
  const bool stored = table != nullptr && catalog::has_rows(*table);
  if (function == "pg_relation_filenode") {
    return stored ? std::optional(std::to_string(table->id.number())) : std::nullopt;
  }
  const bool is_table = table != nullptr && (table->kind == catalog::RelationKind::kTable || is_updatable_view(*table));
  if (function == "pg_relation_is_updatable") {
    return std::to_string(is_table ? kUpdatable : 0);
  }
  if (function == "pg_column_is_updatable") {
    return is_table && argument > 0 ? "t" : "f";
  }
  if (function == "pg_relation_is_publishable") {
    return is_table && relation >= types::oid::kFirstUser ? "t" : "f";
  }
  return std::nullopt;
}

}  // namespace pando::session
