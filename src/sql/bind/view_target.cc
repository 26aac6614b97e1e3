// What INSERT, UPDATE and DELETE change: a table, or a view simple enough to stand for one (PostgreSQL's automatically
// updatable views). A view is looked through level by level: its columns become those of the table below, its WHERE a
// condition, and WITH CHECK OPTION a check of the new row.

#include <algorithm>
#include <ranges>
#include <utility>

#include "catalog/relation_forms.h"
#include "sql/bind/binder.h"
#include "sql/bind/place_guard.h"
#include "sql/bind/traverse.h"

namespace pando::sql {

namespace oid = types::oid;

namespace {

struct ChangeWords {
  const char* refused;  // "cannot insert into view"
  const char* column;   // "cannot insert into column"
  const char* enable;   // "inserting into"
  const char* event;
};

ChangeWords words_of(ChangeKind kind) {
  switch (kind) {
    case ChangeKind::kInsert:
      return {"insert into", "insert into", "inserting into", "INSERT"};
    case ChangeKind::kUpdate:
      return {"update", "update", "updating", "UPDATE"};
    case ChangeKind::kMerge:
      break;
    case ChangeKind::kDelete:
      return {"delete from", "delete from", "deleting from", "DELETE"};
  }
  return {};
}

Status not_updatable(const catalog::TableDescriptor& view, ChangeKind kind, std::string why) {
  const ChangeWords words = words_of(kind);
  return Status(sql_state::kObjectNotInPrerequisiteState, "cannot {} view \"{}\"", words.refused, view.name)
      .with_detail(std::move(why))
      .with_hint(fmt::format("To enable {} the view, provide an INSTEAD OF {} trigger or an unconditional ON {} DO "
                             "INSTEAD rule.",
                             words.enable, words.event, words.event));
}

// Why the form of a query keeps it from being updatable; empty when it does not.
std::string form_of(const ast::Select& select) {
  const auto contain = [](const char* what) {
    return fmt::format("Views containing {} are not automatically updatable.", what);
  };
  const auto* core = std::get_if<ast::SelectCore>(&select.body);
  if (core != nullptr && (core->distinct || !core->distinct_on.empty())) {
    return contain("DISTINCT");
  }
  if (core != nullptr && !core->group_by.empty()) {
    return contain("GROUP BY");
  }
  if (core != nullptr && core->having != nullptr) {
    return contain("HAVING");
  }
  if (std::holds_alternative<ast::SetOperation>(select.body)) {
    return contain("UNION, INTERSECT, or EXCEPT");
  }
  if (select.with != nullptr) {
    return contain("WITH");
  }
  if (select.limit != nullptr || select.offset != nullptr) {
    return contain("LIMIT or OFFSET");
  }
  const bool one_table =
      core != nullptr && core->from.size() == 1 && std::holds_alternative<ast::FromTable>(core->from[0]->node);
  return one_table ? "" : "Views that do not select from a single table or view are not automatically updatable.";
}

std::string select_list_of(const Scope& scope) {
  const auto returns = [](const char* what) {
    return fmt::format("Views that return {} are not automatically updatable.", what);
  };
  if (!scope.aggregates.empty()) {
    return returns("aggregate functions");
  }
  if (!scope.windows.empty()) {
    return returns("window functions");
  }
  return scope.set_functions.empty() ? "" : returns("set-returning functions");
}

const ast::SelectCore& core_of(const ast::Statement& definition) {
  return std::get<ast::SelectCore>(std::get<ast::Select>(definition.node).body);
}

}  // namespace

// With the columns that are computed put in.
ExprPtr replace_computed(const ExprPtr& expr, const std::vector<ProjectedColumn>& computed) {
  if (const auto* column = as<ColumnExpr>(expr)) {
    for (const ProjectedColumn& candidate : computed) {
      if (candidate.column.id == column->column) {
        return candidate.expr;
      }
    }
    return expr;
  }
  return map_children(expr, [&](const ExprPtr& child) { return replace_computed(child, computed); });
}

void replace_computed(std::vector<ProjectedColumn>& columns, const std::vector<ProjectedColumn>& computed) {
  for (ProjectedColumn& column : columns) {
    column.expr = computed.empty() ? column.expr : replace_computed(column.expr, computed);
  }
}

Result<Binder::ChangeTarget> Binder::change_target(const ast::RelationName& name, ChangeKind kind) {
  ChangeTarget target;
  target.kind = kind;
  PANDO_ASSIGN(target.table, relation(name));
  if (kind == ChangeKind::kMerge && target.table->kind == catalog::RelationKind::kView) {
    return Status(sql_state::kWrongObjectType, "cannot execute MERGE on relation \"{}\"", target.table->name)
        .with_detail("This operation is not supported for views.");
  }
  const Restore<int> depth(view_depth_, view_depth_);
  const Restore<std::string_view> text(context_.text, context_.text);
  while (target.table->kind == catalog::RelationKind::kView) {
    if (target.views.size() >= kViewDepthMax) {
      return Status(sql_state::kInvalidObjectDefinition, "infinite recursion detected in rules for relation \"{}\"",
                    target.table->name);
    }
    const catalog::TablePtr view = target.table;
    PANDO_ASSIGN(ast::StatementPtr definition, context_.options.parse_statement(view->view_sql));
    const auto* select = std::get_if<ast::Select>(&definition->node);
    PANDO_ASSERT(select != nullptr, "a view whose query is not a SELECT");
    if (std::string why = form_of(*select); !why.empty()) {
      return not_updatable(*view, kind, std::move(why));
    }
    // What a view names is qualified: no search path from here on.
    context_.text = {};
    view_depth_ = 1;
    const std::vector<types::Oid> used = used_relations_;
    PANDO_ASSIGN(target.table, relation(std::get<ast::FromTable>(core_of(*definition).from[0]->node).name));
    used_relations_ = used;
    target.views.push_back({view, std::move(definition)});
    if (target.table->kind != catalog::RelationKind::kView && target.table->kind != catalog::RelationKind::kTable) {
      return not_updatable(*view, kind,
                           "Views that do not select from a single table or view are not automatically updatable.");
    }
  }
  if (target.views.empty()) {
    PANDO_TRY(check_changeable(*target.table));
  } else {
    PANDO_TRY(find_view_columns(target));
  }
  return target;
}

// The columns of the outermost view, by name, and which of the table's each is.
Status Binder::find_view_columns(ChangeTarget& target) {
  PANDO_ASSIGN(const SeenRow seen, seen_row(target, table_row(target.table, target.table->name)));
  bool any = false;
  for (const OutputColumn& column : seen.item.columns) {
    target.columns.push_back({column.name, column.attribute});
    any = any || column.attribute != 0;
  }
  return any || target.kind == ChangeKind::kDelete
             ? Status()
             : not_updatable(*target.views[0].view, target.kind,
                             "Views that have no updatable columns are not automatically updatable.");
}

// One level: the view's row over the row of what it reads. Its columns that are the table's keep their ids.
Status Binder::look_through(const ChangeTarget& target, const ChangeTarget::Level& level, SeenRow& seen) {
  const ast::SelectCore& core = core_of(*level.definition);
  const Restore<std::string_view> no_text(context_.text, {});
  const Restore<int> deeper(view_depth_, view_depth_ + 1);
  Scope scope(nullptr);
  NamespaceItem below = seen.item;
  below.is_table_scan = true;
  PANDO_TRY(rename_columns(below, std::get<ast::FromTable>(core.from[0]->node).alias));
  scope.items.push_back(std::move(below));
  PANDO_ASSIGN(std::vector<Target> items, targets(core.items, scope, ExprPlace::kSelectItem));
  if (std::string why = select_list_of(scope); !why.empty()) {
    return not_updatable(*level.view, target.kind, std::move(why));
  }
  if (core.where != nullptr) {
    PANDO_ASSIGN(ExprPtr condition, boolean_in(*core.where, scope, ExprPlace::kWhere));
    seen.conditions.push_back(replace_computed(condition, seen.computed));
  } else {
    seen.conditions.push_back(nullptr);
  }
  NamespaceItem item;
  item.name = level.view->name;
  item.table = level.view;
  std::size_t at = 0;
  for (const catalog::ColumnDescriptor& column : level.view->columns) {
    if (column.dropped || at >= items.size()) {
      continue;
    }
    PANDO_ASSIGN(const ExprPtr value, resolve_unknown(context_, std::move(items[at++].expr)));
    const auto* reference = as<ColumnExpr>(value);
    const auto& columns = seen.item.columns;
    const auto same =
        reference == nullptr ? columns.end() : std::ranges::find(columns, reference->column, &OutputColumn::id);
    const auto repeated = [&](const OutputColumn& other) { return same != columns.end() && other.id == same->id; };
    OutputColumn output{context_.new_column(), column.name, value->type};
    if (same != columns.end() && std::ranges::none_of(item.columns, repeated)) {
      output = *same;
      output.name = column.name;
    } else {
      seen.computed.push_back({output, replace_computed(value, seen.computed)});
    }
    item.columns.push_back(std::move(output));
  }
  seen.item = std::move(item);
  return {};
}

Result<Binder::SeenRow> Binder::seen_row(const ChangeTarget& target, NamespaceItem row) {
  SeenRow seen;
  const std::string name = row.name;
  seen.item = std::move(row);
  for (const ChangeTarget::Level& level : std::views::reverse(target.views)) {
    PANDO_TRY(look_through(target, level, seen));
  }
  if (!target.views.empty()) {
    seen.item.name = name;
  }
  return seen;
}

// The rows that UPDATE and DELETE may change, as the statement names them.
Result<Binder::FromResult> Binder::target_scan(const ChangeTarget& target, const std::string& alias) {
  std::optional<ast::Alias> name;
  if (!alias.empty() || !target.views.empty()) {
    name = ast::Alias{alias.empty() ? target.named().name : alias, {}};
  }
  PANDO_ASSIGN(FromResult result, scan(target.table, name, true));
  if (target.views.empty()) {
    return result;
  }
  PANDO_ASSIGN(SeenRow seen, seen_row(target, result.items.back()));
  for (const ExprPtr& condition : seen.conditions) {
    if (condition != nullptr) {
      std::vector<OutputColumn> outputs = result.plan->outputs;
      result.plan = make_logical(std::move(outputs), FilterNode{std::move(result.plan), condition});
    }
  }
  if (!seen.computed.empty()) {
    result.plan = append_columns(std::move(result.plan), seen.computed);
  }
  // The table's own row stays in front, for what needs its columns and its key.
  result.items.insert(result.items.begin(), result.items.back());
  result.items.back() = std::move(seen.item);
  return result;
}

// The checks that views ask of a row, inner views' first: a view's own condition when it says so, and those below it
// when it says CASCADED.
void Binder::add_view_checks(const ChangeTarget& target, const SeenRow& seen, std::vector<BoundCheck>& checks) {
  std::vector<BoundCheck> found;
  bool cascaded = false;
  for (std::size_t level = 0; level < target.views.size(); ++level) {
    const catalog::TableDescriptor& view = *target.views[level].view;
    cascaded = cascaded || view.check_option == catalog::CheckOption::kCascaded;
    // Conditions are listed from the innermost view on.
    const ExprPtr& condition = seen.conditions[target.views.size() - 1 - level];
    if (condition == nullptr || (!cascaded && view.check_option == catalog::CheckOption::kNone)) {
      continue;
    }
    BooleanTestExpr holds;
    holds.kind = BooleanTestExpr::Kind::kTrue;
    holds.argument = condition;
    found.push_back({view.name, make_expr({oid::kBool}, std::move(holds)), BoundCheck::Kind::kViewOption, {}});
  }
  checks.insert(checks.end(), found.rbegin(), found.rend());
}

Result<const catalog::ColumnDescriptor*> Binder::find_target_column(const ChangeTarget& target,
                                                                    const ast::TargetColumn& item) {
  const int position = context_.position(item.location);
  if (target.views.empty()) {
    const catalog::ColumnDescriptor* column = target.table->find_column(item.name);
    if (column != nullptr && !column->dropped) {
      return column;
    }
  }
  for (const ChangeTarget::Column& column : target.columns) {
    if (column.name != item.name) {
      continue;
    }
    if (column.attribute == 0) {
      return computed_column(target, item.name);
    }
    return &target.table->column(column.attribute);
  }
  return Status(sql_state::kUndefinedColumn, "column \"{}\" of relation \"{}\" does not exist", item.name,
                target.named().name)
      .with_position(position);
}

Status Binder::computed_column(const ChangeTarget& target, std::string_view column) {
  return Status(sql_state::kFeatureNotSupported, "cannot {} column \"{}\" of view \"{}\"", words_of(target.kind).column,
                column, target.views[0].view->name)
      .with_detail("View columns that are not columns of their base relation are not updatable.");
}

Result<std::string> Binder::why_not_updatable(const ast::Statement& query) {
  const auto* select = std::get_if<ast::Select>(&query.node);
  if (select == nullptr) {
    return std::string("Views that do not select from a single table or view are not automatically updatable.");
  }
  if (std::string why = form_of(*select); !why.empty()) {
    return why;
  }
  const auto& from = std::get<ast::FromTable>(core_of(query).from[0]->node);
  Result<ChangeTarget> below = change_target(from.name, ChangeKind::kInsert);
  if (!below.ok()) {
    return below.status().fields().detail.empty()
               ? std::string("Views that do not select from a single table or view are not automatically updatable.")
               : below.status().fields().detail;
  }
  PANDO_ASSIGN(SeenRow seen, seen_row(*below, table_row(below->table, below->named().name)));
  Scope scope(nullptr);
  NamespaceItem item = seen.item;
  PANDO_TRY(rename_columns(item, from.alias));
  scope.items.push_back(std::move(item));
  PANDO_ASSIGN(const std::vector<Target> items, targets(core_of(query).items, scope, ExprPlace::kSelectItem));
  if (std::string why = select_list_of(scope); !why.empty()) {
    return why;
  }
  const bool any = std::ranges::any_of(items, [&](const Target& target) {
    const auto* column = as<ColumnExpr>(target.expr);
    return column != nullptr && std::ranges::any_of(seen.item.columns, [&](const OutputColumn& candidate) {
             return candidate.id == column->column && candidate.attribute != 0;
           });
  });
  return any ? std::string() : std::string("Views that have no updatable columns are not automatically updatable.");
}

}  // namespace pando::sql
