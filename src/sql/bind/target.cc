// Select lists: stars, row expansion, the names of columns.

#include <algorithm>
#include <utility>

#include "sql/bind/binder.h"
#include "sql/bind/place_guard.h"

namespace pando::sql {

namespace oid = types::oid;

Status Binder::star(const ast::ColumnRef& ref, Scope& scope, ast::Location location, std::vector<Target>& out) {
  const int position = context_.position(location);
  const auto add = [&](const NamespaceItem& item, Scope& level) {
    for (const OutputColumn& column : item.columns) {
      Target target;
      target.expr = reference(column, item.name, level, scope, position);
      target.name = column.name;
      target.location = location;
      out.push_back(std::move(target));
    }
  };
  if (ref.names.empty()) {
    bool any = false;
    for (const NamespaceItem& item : scope.items) {
      if (item.columns_visible && item_usable(item, scope)) {
        any = true;
        add(item, scope);
      }
    }
    return any ? Status()
               : Status(sql_state::kSyntaxError, "SELECT * with no tables specified is not valid")
                     .with_position(position);
  }
  Scope* level = nullptr;
  const std::string_view schema =
      ref.names.size() > 1 ? std::string_view(ref.names[ref.names.size() - 2]) : std::string_view();
  PANDO_ASSIGN(NamespaceItem * item, find_item(schema, ref.names.back(), scope, &level, position));
  if (item == nullptr) {
    return missing_item(schema, ref.names.back(), scope, position);
  }
  add(*item, *level);
  return {};
}

Status Binder::expand_row(const ExprPtr& record, ast::Location location, std::vector<Target>& out) {
  const auto fields = record_fields(record);
  if (!fields.has_value()) {
    return Status(sql_state::kDatatypeMismatch, "type {} is not composite", type_name(record->type.oid))
        .with_position(context_.position(location));
  }
  for (const auto& [name, type] : *fields) {
    Target target;
    PANDO_ASSIGN(target.expr, field(record, name, context_.position(location)));
    target.name = name;
    target.location = location;
    out.push_back(std::move(target));
  }
  return {};
}

Result<std::vector<Binder::Target>> Binder::targets(const std::vector<ast::SelectItem>& items, Scope& scope,
                                                    ExprPlace place) {
  PlaceChange change(scope, place);
  std::vector<Target> out;
  const auto trace_star = [&](const ast::Expr& node, std::size_t first) {
    if (context_.options.trace != nullptr) {
      std::vector<ExprPtr>& star = context_.options.trace->stars[&node];
      star.clear();
      std::transform(out.begin() + static_cast<std::ptrdiff_t>(first), out.end(), std::back_inserter(star),
                     [](const Target& target) { return target.expr; });
    }
  };
  for (const ast::SelectItem& item : items) {
    const std::size_t first = out.size();
    if (const auto* ref = std::get_if<ast::ColumnRef>(&item.expr->node); ref != nullptr && ref->star) {
      PANDO_TRY(star(*ref, scope, item.expr->location, out));
      trace_star(*item.expr, first);
      continue;
    }
    const auto* access = std::get_if<ast::IndirectionExpr>(&item.expr->node);
    if (access != nullptr && access->steps.back().kind == ast::Indirection::Kind::kStar) {
      if (access->steps.size() > 1) {
        return Status(sql_state::kFeatureNotSupported, "row expansion of a field is not supported")
            .with_position(context_.position(item.location));
      }
      PANDO_ASSIGN(ExprPtr record, expr(*access->operand, scope));
      PANDO_TRY(expand_row(record, item.location, out));
      trace_star(*item.expr, first);
      continue;
    }
    Target target;
    PANDO_ASSIGN(target.expr, expr(*item.expr, scope));
    target.name = item.name.empty() ? column_name(*item.expr) : item.name;
    target.location = item.location;
    out.push_back(std::move(target));
  }
  return out;
}

std::string Binder::column_name(const ast::Expr& node) {
  std::string name;
  return name_strength(node, name) > 0 ? name : "?column?";
}

namespace {

const char* session_value_name(ast::SqlValueFunction::Kind kind) {
  using Kind = ast::SqlValueFunction::Kind;
  switch (kind) {
    case Kind::kCurrentDate:
      return "current_date";
    case Kind::kCurrentTime:
      return "current_time";
    case Kind::kCurrentTimestamp:
      return "current_timestamp";
    case Kind::kLocalTime:
      return "localtime";
    case Kind::kLocalTimestamp:
      return "localtimestamp";
    case Kind::kCurrentRole:
      return "current_role";
    case Kind::kCurrentUser:
      return "current_user";
    case Kind::kUser:
      return "user";
    case Kind::kSessionUser:
      return "session_user";
    case Kind::kCurrentCatalog:
      return "current_catalog";
    case Kind::kCurrentSchema:
      return "current_schema";
  }
  return "";
}

}  // namespace

// PostgreSQL's FigureColname: 0 no name, 1 a weak one (a cast's type), 2 a good one.
int Binder::name_strength(const ast::Expr& node, std::string& name) {
  const auto good = [&](std::string text) {
    name = std::move(text);
    return 2;
  };
  if (const auto* ref = std::get_if<ast::ColumnRef>(&node.node)) {
    return ref->names.empty() || ref->star ? 0 : good(ref->names.back());
  }
  if (const auto* access = std::get_if<ast::IndirectionExpr>(&node.node)) {
    for (auto step = access->steps.rbegin(); step != access->steps.rend(); ++step) {
      if (step->kind == ast::Indirection::Kind::kField) {
        return good(step->field);
      }
    }
    return name_strength(*access->operand, name);
  }
  if (const auto* call = std::get_if<ast::FunctionCall>(&node.node)) {
    return good(call->name.back());
  }
  if (const auto* cast = std::get_if<ast::Cast>(&node.node)) {
    const int strength = name_strength(*cast->operand, name);
    if (strength <= 1 && !cast->type.names.empty()) {
      name = cast->type.names.back();
      return 1;
    }
    return strength;
  }
  if (const auto* collate = std::get_if<ast::Collate>(&node.node)) {
    return name_strength(*collate->operand, name);
  }
  if (const auto* choice = std::get_if<ast::CaseExpr>(&node.node)) {
    const int strength = choice->otherwise == nullptr ? 0 : name_strength(*choice->otherwise, name);
    if (strength <= 1) {
      name = "case";
      return 1;
    }
    return strength;
  }
  if (const auto* query = std::get_if<ast::Subquery>(&node.node)) {
    switch (query->kind) {
      case ast::Subquery::Kind::kExists:
        return good("exists");
      case ast::Subquery::Kind::kArray:
        return good("array");
      case ast::Subquery::Kind::kScalar:
        return good(subquery_names_[query]);
      default:
        return 0;
    }
  }
  if (std::holds_alternative<ast::NullIf>(node.node)) {
    return good("nullif");
  }
  if (std::holds_alternative<ast::ArrayConstructor>(node.node)) {
    return good("array");
  }
  if (std::holds_alternative<ast::RowConstructor>(node.node)) {
    return good("row");
  }
  if (std::holds_alternative<ast::Coalesce>(node.node)) {
    return good("coalesce");
  }
  if (const auto* extreme = std::get_if<ast::MinMax>(&node.node)) {
    return good(extreme->greatest ? "greatest" : "least");
  }
  if (const auto* value = std::get_if<ast::SqlValueFunction>(&node.node)) {
    return good(session_value_name(value->kind));
  }
  if (std::holds_alternative<ast::GroupingCall>(node.node)) {
    return good("grouping");
  }
  return 0;
}

}  // namespace pando::sql
