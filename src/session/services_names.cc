// Services: objects by name and names by object, for regclass and its kin.

#include <algorithm>
#include <charconv>

#include "catalog/type_procedures.h"
#include "session/object_names.h"
#include "session/services.h"
#include "sql/bind/bind.h"
#include "sql/function/function.h"
#include "sql/parse/parse.h"

namespace pando::session {
namespace {

using types::Oid;

std::optional<Oid> parse_number(std::string_view text) {
  Oid oid = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), oid);
  return parsed.ec == std::errc() && parsed.ptr == text.data() + text.size() ? std::optional(oid) : std::nullopt;
}

// The composite type with this OID in pg_class; nullptr when there is none.
catalog::TypePtr composite_of(const catalog::Snapshot& snapshot, Oid relation) {
  const Oid type = types::oid::kUserComposite + relation;
  return types::is_composite(type) ? snapshot.find_type(type) : nullptr;
}

}  // namespace

Oid Services::resolve_relation(std::string_view schema, std::string_view name) {
  const auto snapshot = transaction_.catalog_snapshot();
  const auto path = existing_search_path();
  if (const auto table = snapshot->resolve_table(path, schema, name)) {
    return table->oid;
  }
  if (const auto sequence = snapshot->resolve_sequence(path, schema, name)) {
    return sequence->oid;
  }
  if (const auto type = snapshot->resolve_type(path, schema, name);
      type != nullptr && type->kind == catalog::UserTypeKind::kComposite) {
    return catalog::relation_of(*type);
  }
  std::vector<std::string> schemas = schema.empty() ? current_schemas(true) : std::vector{std::string(schema)};
  for (const std::string& candidate : schemas) {
    const auto found = snapshot->find_schema(candidate);
    const auto table = found == nullptr ? nullptr : snapshot->find_index_table(found->oid, name);
    if (table == nullptr) {
      continue;
    }
    for (const catalog::IndexDescriptor& index : table->indexes) {
      if (index.name == name) {
        return index.oid;
      }
    }
  }
  return 0;
}

// "name(type, type)".
Result<std::optional<Oid>> Services::resolve_signature(std::string_view text) {
  const auto open = text.find('(');
  if (open == std::string_view::npos || !text.ends_with(')')) {
    return Status(sql_state::kInvalidTextRepresentation, "expected a left parenthesis");
  }
  PANDO_ASSIGN(const std::vector<std::string> parts, split_qualified_name(text.substr(0, open)));
  std::vector<Oid> wanted;
  std::string_view list = text.substr(open + 1, text.size() - open - 2);
  while (!list.empty()) {
    const auto comma = std::min(list.find(','), list.size());
    PANDO_ASSIGN(const std::optional<Oid> type, resolve_name(types::oid::kRegtype, list.substr(0, comma)));
    if (!type) {
      return std::optional<Oid>();
    }
    wanted.push_back(*type);
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  for (const sql::Function* function : sql::functions_named(parts.back())) {
    if (std::ranges::equal(function->arguments, wanted)) {
      return std::optional(function->oid);
    }
  }
  return std::optional<Oid>();
}

Result<std::optional<Oid>> Services::resolve_name(Oid reg_type, std::string_view name) {
  if (const auto number = parse_number(name)) {
    return number;
  }
  if (reg_type == types::oid::kRegtype) {
    PANDO_ASSIGN(const ast::TypeName tree, parse::parse_type_name(name));
    sql::EvaluationContext evaluation;
    const sql::BindOptions options{.catalog = transaction_.catalog_snapshot(),
                                   .search_path = existing_search_path(),
                                   .text = name,
                                   .evaluation = &evaluation};
    if (const catalog::TypePtr domain = sql::bind_domain(tree, options)) {
      return std::optional(domain->oid);
    }
    const auto type = sql::bind_type(tree, options);
    return type.ok() ? std::optional(type->oid) : std::nullopt;
  }
  if (reg_type == types::oid::kRegprocedure) {
    return resolve_signature(name);
  }
  PANDO_ASSIGN(const std::vector<std::string> parts, split_qualified_name(name));
  const std::string& last = parts.back();
  const std::string schema = parts.size() > 1 ? parts[parts.size() - 2] : "";
  const auto snapshot = transaction_.catalog_snapshot();
  switch (reg_type) {
    case types::oid::kRegclass: {
      const Oid oid = resolve_relation(schema, last);
      return oid == 0 ? std::nullopt : std::optional(oid);
    }
    case types::oid::kRegnamespace: {
      const auto found = snapshot->find_schema(last);
      return found == nullptr ? std::nullopt : std::optional(found->oid);
    }
    case types::oid::kRegrole:
      for (const auto& [oid, role] : snapshot->roles()) {
        if (role->name == last) {
          return std::optional(oid);
        }
      }
      return std::optional<Oid>();
    case types::oid::kRegproc: {
      const auto functions = sql::functions_named(last);
      if (functions.size() > 1) {
        return Status(sql_state::kAmbiguousFunction, "more than one function named \"{}\"", name);
      }
      if (!functions.empty()) {
        return std::optional(functions.front()->oid);
      }
      const auto* procedure = catalog::find_type_procedure(last);
      return procedure == nullptr ? std::nullopt : std::optional(procedure->oid);
    }
    case types::oid::kRegoper: {
      const auto operators = sql::operators_named(last);
      if (operators.size() > 1) {
        return Status(sql_state::kAmbiguousFunction, "more than one operator named {}", name);
      }
      return operators.empty() ? std::nullopt : std::optional(operators.front()->oid);
    }
    default:
      return Status(sql_state::kFeatureNotSupported, "names of type {} are not supported",
                    types::format_type({reg_type}));
  }
}

std::string Services::qualify(Oid schema, const std::string& name, bool visible) {
  const auto found = transaction_.catalog_snapshot()->find_schema(schema);
  return visible || found == nullptr ? quote_name(name) : quote_name(found->name) + "." + quote_name(name);
}

std::optional<std::string> Services::name_of(Oid reg_type, Oid object) {
  const auto snapshot = transaction_.catalog_snapshot();
  switch (reg_type) {
    case types::oid::kRegclass: {
      const bool visible = snapshot->is_visible(existing_search_path(), object);
      if (const auto table = snapshot->find_table(object)) {
        return qualify(table->schema, table->name, visible);
      }
      if (const auto sequence = snapshot->find_sequence(object)) {
        return qualify(sequence->schema, sequence->name, visible);
      }
      if (const auto table = snapshot->find_index_table(object)) {
        return qualify(table->schema, table->find_index(object)->name, visible);
      }
      if (const auto type = composite_of(*snapshot, object)) {
        return qualify(type->schema, type->name, snapshot->is_type_visible(existing_search_path(), *type));
      }
      return std::nullopt;
    }
    case types::oid::kRegtype:
      if (const auto type = snapshot->find_type(object)) {
        const bool is_visible = snapshot->is_type_visible(existing_search_path(), *type);
        return qualify(type->schema, type->name, is_visible) + (type->oid == object ? "" : "[]");
      }
      if (const auto rows = snapshot->find_row_table(object)) {
        const bool is_visible = snapshot->is_visible(existing_search_path(), rows->oid);
        return qualify(rows->schema, rows->name, is_visible) + (types::is_composite(object) ? "" : "[]");
      }
      return types::find_type(object) == nullptr ? std::nullopt : std::optional(types::format_type({object}));
    case types::oid::kRegnamespace: {
      const auto found = snapshot->find_schema(object);
      return found == nullptr ? std::nullopt : std::optional(quote_name(found->name));
    }
    case types::oid::kRegrole: {
      const auto found = snapshot->roles().find(object);
      return found == snapshot->roles().end() ? std::nullopt : std::optional(quote_name(found->second->name));
    }
    case types::oid::kRegproc: {
      const auto* function = sql::function_by_oid(object);
      const auto* procedure = catalog::find_type_procedure(object);
      return function != nullptr    ? std::optional(quote_name(function->name))
             : procedure != nullptr ? std::optional(quote_name(procedure->name))
                                    : std::nullopt;
    }
    case types::oid::kRegprocedure: {
      const auto* function = sql::function_by_oid(object);
      if (function == nullptr) {
        return std::nullopt;
      }
      std::string out = quote_name(function->name) + "(";
      for (std::size_t i = 0; i < function->arguments.size(); ++i) {
        out += (i == 0 ? "" : ",") + types::format_type({function->arguments[i]});
      }
      return out + ")";
    }
    case types::oid::kRegoper: {
      const auto* found = sql::operator_by_oid(object);
      return found == nullptr ? std::nullopt : std::optional(std::string(found->name));
    }
    default:
      return std::nullopt;
  }
}

std::optional<bool> Services::is_visible(std::string_view kind, Oid object) {
  const auto snapshot = transaction_.catalog_snapshot();
  if (kind == "table") {
    if (const auto type = composite_of(*snapshot, object)) {
      return snapshot->is_type_visible(existing_search_path(), *type);
    }
    const bool exists = snapshot->find_table(object) != nullptr || snapshot->find_sequence(object) != nullptr ||
                        snapshot->find_index_table(object) != nullptr;
    return exists ? std::optional(snapshot->is_visible(existing_search_path(), object)) : std::nullopt;
  }
  if (const auto type = kind == "type" ? snapshot->find_type(object) : nullptr) {
    return snapshot->is_type_visible(existing_search_path(), *type);
  }
  if (const auto rows = kind == "type" ? snapshot->find_row_table(object) : nullptr) {
    return snapshot->is_visible(existing_search_path(), rows->oid);
  }
  // All other objects are built in, and pg_catalog is always in the path.
  return true;
}

Result<std::optional<bool>> Services::has_privilege(std::string_view kind, std::string_view object,
                                                    std::string_view privilege) {
  // The only roles are superusers until authentication exists.
  return std::optional(true);
}

}  // namespace pando::session
